"""Stands for `lsedu.labs.calling`, whose text takes this file's place in the sandbox, where there is no lsedu."""

from lsedu.labs.calling import Outcome, call, follow

__all__ = ["Outcome", "call", "follow"]
