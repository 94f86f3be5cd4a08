"""lsedu.experiments."""
