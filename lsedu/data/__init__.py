"""lsedu.data."""
