"""lsedu.plots."""
