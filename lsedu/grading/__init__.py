"""Grading: a sandbox for students' code, marks that it cannot change, results that survive a kill, safe feedback.

The names of this package load when first used.
"""

from lsedu._lazy import loader

_HOME = {
    "ClassError": "lsedu.grading.classroom",
    "NotAllowedError": "lsedu.grading.packages",
    "Options": "lsedu.grading.classroom",
    "OutputError": "lsedu.grading.results",
    "SandboxError": "lsedu.grading.zygotes",
    "SecretError": "lsedu.grading.secret",
    "Summary": "lsedu.grading.classroom",
    "grade": "lsedu.grading.classroom",
}

__all__ = sorted(_HOME)
__getattr__ = loader(__name__, _HOME)
