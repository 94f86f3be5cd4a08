"""The Python twin of each moving figure: its data, the numbers it must show, and the static picture that stands for it.

``book/_static/figures/NAME.js`` draws in the reader's browser; ``lsedu.book.twins.NAME`` has `payload` (what the page
hands to it), ``RECORDS`` (the records it reads), `compute` (the same numbers by the library; a test holds the two
together) and `fallback`.
"""

from types import ModuleType

from lsedu.book.twins import clusters, noise, seeds, simplex, smoothing, temperature

TWINS: dict[str, ModuleType] = {
    "temperature": temperature,
    "smoothing": smoothing,
    "simplex": simplex,
    "seeds": seeds,
    "noise": noise,
    "clusters": clusters,
}

__all__ = ["TWINS"]
