"""lsedu.labs."""
