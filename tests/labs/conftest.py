"""A small lab in which every kind of cell occurs."""

import pytest

TOY = '''---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
lsedu:
  lab: toy
  title: A toy lab
  allow: [numpy]
  answers: [lsedu.calibration]
---

# Toy

{points} in all, {points:double} for the first.

```{code-cell} ipython3
:tags: [colab]

# filled in
```

```{code-cell} ipython3
:tags: [preamble]

import numpy as np
FACTOR = 2
```

```{code-cell} ipython3
from lsedu.labs import Checks
checks = Checks("toy", release="{release}")
```

```{code-cell} ipython3
:nbgrader: {grade_id: double, solution: true}

def double(x: np.ndarray) -> np.ndarray:
    """Return twice x."""
    ### BEGIN SOLUTION
    return FACTOR * x
    ### END SOLUTION
```

```{code-cell} ipython3
:nbgrader: {grade_id: double, grade: true}

checks.check("double", double)
```

+++ {"tags": ["hint"]}

First hint.

+++ {"tags": ["hint"]}

Second hint.

```{code-cell} ipython3
:tags: [grader]

@question("double", title="Doubling", points=4)
def cases(rng):
    yield case("small", rng.normal(size=3) + 5, hint="twice")
    yield case("negative", -rng.uniform(1, 2, size=(2, 2)), hint="the sign stays")
    yield case("zero", np.zeros(2), weight=2)
```

```{code-cell} ipython3
---
tags: [wrong]
points: 2
message: "this is the square"
---
def double(x):
    return x * x
```

```{code-cell} ipython3
---
tags: [wrong]
points: 3
message: "the sign was dropped"
---
def double(x):
    return abs(2 * x)
```

```{code-cell} ipython3
---
tags: [picture]
alt: "A line"
---
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(2, 2))
axes.plot(double(np.arange(3)))
```

+++ {"nbgrader": {"grade_id": "why", "grade": true, "solution": true, "points": 1}}

### BEGIN SOLUTION
Because the secret model answer says so.
### END SOLUTION

+++ {"tags": ["rubric"]}

- 1 point: any reason.

```{code-cell} ipython3
checks.report()
```

```{code-cell} ipython3
checks.submit(ready=False)
```
'''


@pytest.fixture
def toy_text():
    return TOY


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.md"
    path.write_text(TOY)
    return path
