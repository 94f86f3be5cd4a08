"""The former address of `lsedu.authoring.release`, under which others may import it."""

import sys
from importlib import import_module

sys.modules[__name__] = import_module("lsedu.authoring.release")
