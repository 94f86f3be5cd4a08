"""Labels to target distributions, one family a file; every target is a tensor of shape (N, K) with rows summing to one."""

from lsedu.targets.learned import q_targets
from lsedu.targets.online import OnlineTable
from lsedu.targets.smoothing import Convention, one_hot, smooth
from lsedu.targets.zipf import zipf

__all__ = ["Convention", "OnlineTable", "one_hot", "q_targets", "smooth", "zipf"]
