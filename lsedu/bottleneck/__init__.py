"""lsedu.bottleneck."""
