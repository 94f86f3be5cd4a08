"""What runs inside the sandbox: the zygote, the worker, and the steps that lock them in.

These modules need the standard library, NumPy and torch only, and import each other relatively: the sandbox sees them
as the package `grading_child`, without the rest of lsedu.
"""
