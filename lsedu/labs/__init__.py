"""What runs with the student: questions and their cases, the checks in the notebook, the report, handing in.

The names of this package load when first used, so that `import lsedu.labs` needs neither Jupyter nor torch. What the
author of a lab runs is in `lsedu.authoring`.
"""

from lsedu._lazy import loader

_HOME = {
    "ArraySpec": "lsedu.labs.spec",
    "Case": "lsedu.labs.spec",
    "Checks": "lsedu.labs.checks",
    "Question": "lsedu.labs.spec",
    "Wrong": "lsedu.labs.spec",
    "case": "lsedu.labs.spec",
    "explain": "lsedu.labs.compare",
    "judge": "lsedu.labs.feedback",
}
# Where they were before the author's tools had a package of their own: what others wrote against them still runs.
_MOVED = dict.fromkeys(("Cell", "Lab", "LabError", "Manifest", "load_lab"), "lsedu.authoring")

__all__ = sorted(_HOME)
__getattr__ = loader(__name__, _HOME | _MOVED)
