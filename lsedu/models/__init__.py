"""lsedu.models."""
