"""What happened during training, a row an epoch."""

from dataclasses import dataclass

import numpy as np

from lsedu._errors import UnknownNameError


@dataclass(frozen=True)
class History:
    """A table of named floats, a row an epoch.

    Attributes
    ----------
    rows : tuple of dict
        Always with epoch (from 1), loss, accuracy, lr and seconds; then the metrics asked for.
    """

    rows: tuple[dict[str, float], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> np.ndarray:
        """Return one quantity over the epochs, shape (epochs,).

        Raises
        ------
        KeyError
            If it was not measured; the message lists what was.
        """
        if not self.rows or name not in self.rows[0]:
            raise UnknownNameError(
                f"{name!r} was not measured; there are {', '.join(self.rows[0]) if self.rows else 'no rows'}"
            )
        return np.array([row[name] for row in self.rows])
