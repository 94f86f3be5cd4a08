"""lsedu.calibration."""
