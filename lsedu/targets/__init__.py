"""Labels to target distributions, one family a file; targets have shape (N, K), and each row sums to one."""

from lsedu.targets.learned import q_targets
from lsedu.targets.online import OnlineTable
from lsedu.targets.smoothing import Convention, one_hot, smooth
from lsedu.targets.zipf import zipf

__all__ = ["Convention", "OnlineTable", "one_hot", "q_targets", "smooth", "zipf"]
