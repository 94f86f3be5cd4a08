"""lsedu.training."""
