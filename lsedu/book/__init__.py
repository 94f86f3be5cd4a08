"""lsedu.book."""
