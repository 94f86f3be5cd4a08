"""What the author of a lab runs: read its source, load it, draw its pictures, release it, hold it to the gate.

The names of this package load when first used.
"""

from lsedu._lazy import loader

_HOME = {
    "Cell": "lsedu.authoring.lab",
    "Lab": "lsedu.authoring.lab",
    "LabError": "lsedu.authoring.source",
    "Manifest": "lsedu.authoring.lab",
    "load_lab": "lsedu.authoring.load",
}

__all__ = sorted(_HOME)
__getattr__ = loader(__name__, _HOME)
