"""lsedu.analysis."""
