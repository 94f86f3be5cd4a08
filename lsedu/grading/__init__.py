"""lsedu.grading."""
