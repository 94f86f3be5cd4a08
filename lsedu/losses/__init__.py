"""lsedu.losses."""
