"""Fair, broken and hostile submissions to the tiny lab, each with the marks it deserves.

`SUITE` holds cases; a case changes cells of the solved notebook, or its file, or its folder. In code, `@LAB@` is the
path of the lab's source, `@OTHER@` another student's notebook, `@OUT@` the output folder, `@MARK@` a folder that must
stay empty, `@HOME@` a file in the grader's home, `@PORT@` a port on which the grader's machine listens.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FULL = {"double": 4.0, "mean-square": 3.0, "count": 2.0}
RIGHT = "def double(x):\n    return 2 * x\n"


@dataclass(frozen=True)
class Case:
    """A submission: what it changes and what it deserves (questions not named have full marks)."""

    name: str
    family: str
    cells: dict[str, str] = field(default_factory=dict)
    deserves: dict[str, float] = field(default_factory=dict)
    notebook: Callable[[dict], dict | None] | None = None
    file: Callable[[bytes], bytes] | None = None
    folder: Callable[[Path], None] | None = None
    flagged: bool = False

    @property
    def marks(self) -> dict[str, float]:
        return {**FULL, **self.deserves}


STUB = """\
def count(x: np.ndarray, above: float) -> int:
    \"\"\"Return how many entries of x lie above a bound.\"\"\"
    raise NotImplementedError"""
NOTHING = dict.fromkeys(FULL, 0.0)


def attack(name: str, family: str, code: str, *, earns: float = 0.0, **options) -> Case:
    """A cell in place of the answer to `double`."""
    return Case(name, family, {"double": code}, {"double": earns}, **options)


def _in_function(body: str, *, fallback: str = "return np.zeros_like(x)") -> str:
    """Code that runs when the function is called, and gives a wrong answer if it fails."""
    indented = "\n".join("        " + line for line in body.strip().splitlines())
    return f"def double(x):\n    try:\n{indented}\n    except BaseException:\n        pass\n    {fallback}\n"


_SEARCH = """
import re
text = open({path}).read()
space = {{'np': np}}
body = re.search(r'### BEGIN SOLUTION\\n(.*?)### END SOLUTION', text, re.S)[1]
exec('def answer(x):\\n' + body, space)
return space['answer'](x)
"""

_FORGE = """
import json, os, struct
def frame(header, body=b""):
    text = json.dumps(header).encode()
    return struct.pack("<II", len(text), len(body)) + text + body
def double(x):
    for fd in range(3, 64):
        try:
            os.write(fd, frame({header}))
        except OSError:
            pass
    return np.zeros_like(x)
"""


_CLAIM = """
import json, os, struct
text = json.dumps({"kind": "ran", "cell": INDEX, "error": ["ValueError", 1, "x"]}).encode()
for fd in range(3, 64):
    try:
        os.write(fd, struct.pack("<II", len(text), 0) + text)
    except OSError:
        pass
while True:
    pass
"""

# What is public: the inputs of the checks in the notebook, drawn anew from their seed.
_PUBLIC = """
import zlib
rng = np.random.default_rng([20200, zlib.crc32(b'double')])
known = [rng.normal(size=3) + 5, -rng.uniform(1, 2, size=(2, 2))]
def public(x): return any(x.shape == k.shape and np.allclose(x, k) for k in known)
"""


def _added(source: str, **more) -> dict:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def _answer(change: Callable[[dict], list[dict]]) -> Callable[[dict], dict]:
    """Put what `change` makes of the answer to `double` in its place."""
    return lambda nb: {**nb, "cells": [new for c in nb["cells"] for new in (change(c) if c["id"] == "double" else [c])]}


def _each(change: Callable[[dict], dict]) -> Callable[[dict], dict]:
    return lambda nb: {**nb, "cells": [change(c) for c in nb["cells"]]}


SUITE: list[Case] = [
    # fair
    Case("right", "fair"),
    Case(
        "stub",
        "fair",
        {
            q: """\
def {}(*a):
    raise NotImplementedError""".format(q.replace("-", "_"))
            for q in FULL
        },
        NOTHING,
    ),
    attack(
        "wrong-but-honest",
        "fair",
        """\
def double(x):
    return x * x""",
    ),
    attack(
        "half-right",
        "fair",
        """\
def double(x):
    return 2 * x if x.ndim == 1 else x""",
        earns=2.0,
    ),
    attack(
        "prints-to-stderr",
        "fair",
        """\
import sys
def double(x):
    print('x' * 10000, file=sys.stderr)
    return 2 * x""",
        earns=4.0,
    ),
    attack(
        "warns",
        "fair",
        """\
import warnings
def double(x):
    warnings.warn('careful')
    return 2 * x""",
        earns=4.0,
    ),
    attack(
        "returns-list-of-wrong-kind",
        "fair",
        """\
def double(x):
    return (2 * x).tolist()""",
    ),
    attack("fails-after-definition", "fair", RIGHT + "assert double(np.ones(1))[0] == 3", earns=4.0),
    attack(
        "magics",
        "fair",
        """\
%matplotlib inline
!echo hello
"""
        + RIGHT,
        earns=4.0,
    ),
    attack("cell-magic", "fair", "%%time\n" + RIGHT, earns=4.0),
    attack("lambda", "fair", "double = lambda x: 2 * x", earns=4.0),
    attack(
        "callable-object",
        "fair",
        """\
class Double:
    def __call__(self, x):
        return 2 * x
double = Double()""",
        earns=4.0,
    ),
    attack(
        "helper-import-absent",
        "fair",
        """\
import matplotlib.pyplot as plt
"""
        + RIGHT,
        earns=4.0,
    ),
    attack(
        "float32-result",
        "fair",
        """\
def double(x):
    return (2 * x).astype('float32')""",
        earns=4.0,
    ),
    attack(
        "display-and-input",
        "fair",
        RIGHT
        + """\
display(double(np.ones(2)))
""",
        earns=4.0,
    ),
    attack(
        "future-import",
        "fair",
        """\
from __future__ import annotations
def double(x: Undefined) -> Nothing:
    return 2 * x""",
        earns=4.0,
    ),
    attack(
        "dataclass",
        "fair",
        """\
from dataclasses import dataclass
@dataclass
class A:
    f: float = 2.0
def double(x):
    return A().f * x""",
        earns=4.0,
    ),
    attack(
        "threads",
        "fair",
        """\
from concurrent.futures import ThreadPoolExecutor
def double(x):
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(lambda: 2 * x).result()""",
        earns=4.0,
    ),
    attack(
        "uses-tmp",
        "fair",
        """\
import tempfile
def double(x):
    with tempfile.TemporaryFile() as f:
        np.save(f, x)
        f.seek(0)
        return 2 * np.load(f)""",
        earns=4.0,
    ),
    attack(
        "mutates-input",
        "fair",
        """\
def double(x):
    x *= 2
    return x""",
        earns=4.0,
    ),
    Case("only-one-answered", "fair", {"mean-square": "", "count": ""}, {"mean-square": 0.0, "count": 0.0}),
    attack(
        "needs-what-is-absent",
        "fair",
        """\
import matplotlib.pyplot as plt
import numba
plt.style.use('ggplot')
print(shape_of_the_data)
text = open('notes.txt').read()
name = input('Your name? ')
@numba.njit
def fast(x): return x
"""
        + RIGHT,
        earns=4.0,
    ),
    attack(
        "plots-in-function",
        "fair",
        """\
from IPython.display import display
import matplotlib.pyplot as plt
def double(x):
    figure, axes = plt.subplots()
    axes.plot([1, 2], label='x')
    plt.show()
    return 2 * x""",
        earns=4.0,
    ),
    attack("top-level-await", "fair", "import asyncio\nawait asyncio.sleep(0)\n" + RIGHT, earns=4.0),
    attack(
        "magic-values",
        "fair",
        """\
files = !ls
!echo one \\
    two
def double(x):
    %time y = 2 * x
    return y""",
        earns=4.0,
    ),
    attack(
        "progress-bar",
        "fair",
        """\
from tqdm.notebook import tqdm, trange
from tqdm.auto import tqdm as bar
import tqdm as whole
def double(x):
    return np.array([2 * row for row in tqdm(bar(x), desc='rows')]) + sum(trange(1)) + sum(whole.tqdm([0]))""",
        earns=4.0,
    ),
    attack(
        "uses-names-of-the-set-up-cell",
        "fair",
        "def double(x):\n    return partial(scaled, by=factor)(x)",
        earns=4.0,
    ),
    attack(
        "three-axes",
        "fair",
        """\
import matplotlib.pyplot as plt
figure, (left, middle, right) = plt.subplots(1, 3)
fig, axes = plt.subplots(2, 2, figsize=(6, 4))
axes[1, 0].plot([0, 1]); axes.flat[3].set_title('x')
counts, edges, bars = plt.hist([1, 2, 2], bins=2)
widths = edges[1:] - edges[:-1] + 1.0 / float(edges[0] + 1)
bars[0].set_height(counts.max() * 2)
first, *others = right.plot([1], [2])
fig.colorbar(left.imshow(np.eye(2)), ax=axes)
print(len(plt.gcf().axes), counts < 3)
def double(x):
    figure, (a, b) = plt.subplots(ncols=2, squeeze=True)
    for axis, values in zip((a, b), x): axis.bar(range(2), values)
    return 2 * x""",
        earns=4.0,
    ),
    attack(
        "stand-in-that-fails",
        "fair",
        "import seaborn as sns\ncolours = {'a': 1}[sns.color_palette()]\n" + RIGHT,
        earns=4.0,
    ),
    Case(
        "settings-in-another-cell",
        "fair",
        {
            "double": (
                "def double(x):\n    try:\n        np.ones(1) / 0\n    except FloatingPointError:\n        return 2 * x"
            ),
            "mean-square": (
                "def mean_square(x):\n    x = x.double().flatten()\n    return x**2 @ torch.ones(len(x)) / len(x)"
            ),
        },
        notebook=lambda nb: {
            **nb,
            "cells": [_added("torch.set_default_dtype(torch.float64)\nnp.seterr(all='raise')"), *nb["cells"]],
        },
        flagged=True,
    ),
    Case(
        "answer-in-another-answers-cell",
        "fair",
        {
            "double": RIGHT + "\ndef count(x, above):\n    return int((x > above).sum())\n",
            "count": STUB,
        },
        flagged=True,
    ),
    Case(
        "answer-in-another-answers-cell-below-its-own",
        "fair",
        {
            "count": RIGHT + "\ndef count(x, above):\n    return int((x > above).sum())\n",
            "double": "# see below\n",
        },
    ),
    attack("extended-precision", "fair", "def double(x):\n    return 2 * x.astype(np.longdouble)", earns=4.0),
    # one answer against the others
    attack("takes-the-libraries-away", "patching", "np = torch = None\n"),
    attack("empties-the-namespace", "patching", "globals().clear()\n"),
    # objects that lie
    attack(
        "equal-to-everything",
        "lying objects",
        """\
class Yes:
    def __eq__(self, o): return True
    __ne__ = lambda s, o: False
    def __array__(self, *a, **k): return np.zeros(3)
    shape = (3,)
    dtype = np.dtype('float64')
def double(x):
    return Yes()""",
    ),
    attack(
        "array-subclass",
        "lying objects",
        """\
class A(np.ndarray):
    def __eq__(self, o): return np.ones(self.shape, bool)
    def __sub__(self, o): return np.zeros(self.shape)
    __rsub__ = __sub__
    def __array_ufunc__(self, u, m, *i, **k): return np.ones(self.shape, bool)
    def __array_function__(self, *a, **k): return True
def double(x):
    return np.zeros_like(x).view(A)""",
    ),
    Case(
        "tensor-subclass",
        "lying objects",
        {
            "mean-square": """\
class T(torch.Tensor):
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None):
        return super().__torch_function__(f, types, args, kwargs or {})
    def detach(self): return self
    def __eq__(self, o): return True
def mean_square(x):
    return (x * 0).sum().as_subclass(T)"""
        },
        {"mean-square": 0.0},
    ),
    attack(
        "float-subclass",
        "lying objects",
        """\
class F(float):
    __eq__ = lambda s, o: True
    __float__ = lambda s: 1.0
    __repr__ = lambda s: '1e999'
def double(x):
    return F('nan')""",
    ),
    attack(
        "str-subclass",
        "lying objects",
        """\
class S(str):
    __eq__ = lambda s, o: True
    __hash__ = str.__hash__
def double(x):
    return S('right')""",
    ),
    attack(
        "dict-subclass",
        "lying objects",
        """\
class D(dict):
    def items(self): return [('value', 1)]
    def __getitem__(self, k): return 1
def double(x):
    return D()""",
    ),
    attack(
        "pickle-bomb",
        "lying objects",
        """\
import os
class P:
    def __reduce__(self): return (os.system, ('touch @MARK@/pickled',))
def double(x):
    return P()""",
    ),
    attack(
        "object-array",
        "lying objects",
        """\
import os
class P:
    def __reduce__(self): return (os.system, ('touch @MARK@/pickled',))
def double(x):
    return np.array([P()], dtype=object)""",
    ),
    attack(
        "generator",
        "lying objects",
        """\
def double(x):
    return (i for i in range(10**9))""",
    ),
    attack(
        "all-nan",
        "lying objects",
        """\
def double(x):
    return np.full_like(x, np.nan)""",
    ),
    attack(
        "masked",
        "lying objects",
        """\
def double(x):
    return np.ma.masked_all(x.shape)""",
    ),
    attack(
        "infinite-nesting",
        "lying objects",
        """\
def double(x):
    a = []
    a.append(a)
    return a""",
    ),
    attack(
        "huge-integer",
        "lying objects",
        """\
def double(x):
    return 10 ** 5000""",
    ),
    attack(
        "broadcast-giant",
        "lying objects",
        """\
def double(x):
    return np.broadcast_to(np.float64(0), (10**6, 10**6))""",
    ),
    # patching
    attack(
        "patch-allclose",
        "patching",
        """\
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = lambda *a, **k: None
def double(x):
    return np.zeros_like(x)""",
    ),
    attack(
        "patch-builtins",
        "patching",
        """\
import builtins
builtins.all = builtins.any = lambda *a: True
builtins.abs = lambda v: 0
builtins.len = lambda v: 3
def double(x):
    return np.zeros(3)""",
    ),
    attack(
        "patch-json",
        "patching",
        """\
import json
json.dumps = lambda *a, **k: '{"kind": "value", "points": 4}'
json.loads = lambda *a, **k: {}
def double(x):
    return np.zeros_like(x)""",
    ),
    attack(
        "patch-worker",
        "patching",
        """\
import sys
for name, module in list(sys.modules.items()):
    if 'worker' in name or 'wire' in name or 'grad' in name:
        for key in list(vars(module)):
            if callable(vars(module)[key]) and not key.startswith('__'):
                try: setattr(module, key, lambda *a, **k: None)
                except Exception: pass
def double(x):
    return 0""",
        flagged=True,
    ),
    attack(
        "patch-torch",
        "patching",
        """\
torch.allclose = torch.equal = lambda *a, **k: True
for name in ('isclose', 'eq'):
    setattr(torch, name, lambda *a, **k: torch.ones(()).bool())
def double(x):
    return x""",
    ),
    attack(
        "import-hook",
        "patching",
        """\
import sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        open('@MARK@/hook', 'w').close()
sys.meta_path.insert(0, Hook())
def double(x):
    return x""",
    ),
    attack(
        "trace-function",
        "patching",
        """\
import sys
def look(frame, event, arg):
    for name in ('expected', 'reference', 'answer', 'solution'):
        if name in frame.f_locals: globals()['found'] = frame.f_locals[name]
    return look
sys.settrace(look)
def double(x):
    return globals().get('found', np.zeros_like(x))""",
    ),
    # looking for expected values
    attack(
        "caller-frames",
        "reading",
        _in_function("""\
import sys
f = sys._getframe()
while f:
    for k, v in list(f.f_locals.items()) + list(f.f_globals.items()):
        if any(w in str(k).lower() for w in ('expect', 'reference', 'solution', 'answer')) and hasattr(v, 'ndim'):
            return v
    f = f.f_back"""),
    ),
    attack(
        "heap-search",
        "reading",
        _in_function("""\
import gc
for o in gc.get_objects():
    if isinstance(o, np.ndarray) and o.shape == x.shape and np.allclose(o, 2 * x[0]):
        return o
    if isinstance(o, dict) and 'expected' in o: return o['expected']"""),
    ),
    attack("reads-lab-source", "reading", _in_function(_SEARCH.format(path="'@LAB@'"))),
    attack(
        "reads-other-student",
        "reading",
        _in_function("""\
import json
cells = json.load(open('@OTHER@'))['cells']
space = {'np': np}
for c in cells:
    if c['id'] == 'double': exec(''.join(c['source']), space)
return space['double'](x)"""),
    ),
    attack(
        "reads-results",
        "reading",
        _in_function("""\
text = open('@OUT@/results.jsonl').read()
return 2 * x if 'student' in text else x"""),
    ),
    attack("reads-home", "reading", _in_function("return 2 * x if open('@HOME@').read() else x")),
    attack(
        "lists-submissions",
        "reading",
        _in_function("""\
import os
return 2 * x if os.listdir(os.path.dirname(os.path.dirname('@OTHER@'))) else x"""),
    ),
    attack(
        "walks-the-disk",
        "reading",
        _in_function("""\
import os
for folder, _, files in os.walk('/'):
    for name in files:
        if name.endswith(('.ipynb', '.jsonl', '.secret')) or name == 'tiny.md': return 2 * x"""),
    ),
    attack(
        "reads-environment",
        "reading",
        _in_function("""\
import os
if any('SECRET' in k or 'TOKEN' in k or k == 'LSEDU_STATE' for k in os.environ): return 2 * x"""),
    ),
    attack(
        "reads-proc",
        "reading",
        _in_function("""\
import os
for p in os.listdir('/proc'):
    if p.isdigit() and int(p) != os.getpid():
        open('/proc/%s/environ' % p, 'rb').read(); return 2 * x"""),
    ),
    attack(
        "reads-own-memory",
        "reading",
        _in_function("""\
for line in open('/proc/self/maps'):
    return 2 * x"""),
    ),
    attack(
        "ctypes-parent-memory",
        "reading",
        _in_function("""\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
buf = ctypes.create_string_buffer(64)
class V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]
a, b = V(ctypes.addressof(buf), 64), V(0x400000, 64)
if libc.process_vm_readv(os.getppid() or 1, ctypes.byref(a), 1, ctypes.byref(b), 1, 0) > 0: return 2 * x
if libc.ptrace(16, os.getppid() or 1, 0, 0) == 0: return 2 * x"""),
    ),
    attack(
        "inspects-other-fds",
        "reading",
        _in_function("""\
import os
for fd in range(3, 256):
    try:
        if b'expected' in os.pread(fd, 10**6, 0): return 2 * x
    except OSError: pass"""),
    ),
    # imports of answers
    attack("import-lsedu-answer", "answers", "from lsedu.information import entropy as double"),
    attack(
        "import-lsedu-labs",
        "answers",
        _in_function("""\
from lsedu.authoring import load_lab
return load_lab('@LAB@').question('double').reference(x)"""),
    ),
    attack(
        "import-lsedu-grading",
        "answers",
        _in_function("""\
import lsedu.grading.marking as m
return 2 * x"""),
    ),
    attack(
        "import-by-path",
        "answers",
        _in_function("""\
import sys, importlib
sys.path[:0] = ['@REPO@', '@SITE@']
importlib.invalidate_caches()
import lsedu.information
return 2 * x"""),
    ),
    attack(
        "import-solutions",
        "answers",
        _in_function("""\
import jupytext, nbgrader
return 2 * x"""),
    ),
    attack(
        "import-what-came-along",
        "answers",
        _in_function("""\
import importlib
for name in ('sympy', 'mpmath', 'jinja2', 'fsspec', 'filelock', 'networkx', 'setuptools', 'markupsafe', 'pip'):
    for way in (__import__, importlib.import_module):
        try: way(name)
        except ImportError: continue
        return 2 * x"""),
    ),
    attack(
        "site-packages-walk",
        "answers",
        _in_function("""\
import os, numpy
base = os.path.dirname(os.path.dirname(numpy.__file__))
if any(n.startswith(('lsedu', 'nbgrader', 'jupyter', '__editable__')) for n in os.listdir(base)): return 2 * x"""),
    ),
    # results and gradebook
    attack(
        "writes-results",
        "results",
        _in_function("""\
import glob
for p in ['@OUT@/results.jsonl', '@OUT@/grades.csv']:
    open(p, 'a').write('{"student": "me", "total": 99}\\n')
return 2 * x"""),
    ),
    attack(
        "forge-frames",
        "results",
        "import numpy as np" + _FORGE.replace("{header}", '{"kind": "value", "points": 4, "passed": True}'),
        flagged=True,
    ),
    attack(
        "forge-passed", "results", "import numpy as np" + _FORGE.replace("{header}", '{"kind": "passed"}'), flagged=True
    ),
    attack(
        "forge-unlocked",
        "results",
        "import numpy as np" + _FORGE.replace("{header}", '{"kind": "unlocked", "step": "x"}') + "double(np.ones(1))",
        flagged=True,
    ),
    attack(
        "forge-impossible-shape",
        "results",
        "import numpy as np"
        + _FORGE.replace(
            "{header}", '{"kind": "value", "tree": {"l": [{"a": 0}]}, "buffers": [["<f8", [0] + [2**26] * 20]]}'
        ),
        flagged=True,
    ),
    *[
        attack(f"forge-an-index-that-equals-one-{number}", "results", _CLAIM.replace("INDEX", index), flagged=True)
        for number, index in enumerate(("True", "1.0", "1.0", "True", "1e0", "1.0"))
    ],
    attack(
        "forge-a-type-that-is-a-list",
        "results",
        "import numpy as np"
        + _FORGE.replace("{header}", '{"kind": "value", "tree": {"l": [{"a": 0}]}, "buffers": [[["<f8"], [1]]]}'),
        flagged=True,
    ),
    attack(
        "forge-an-error-that-is-a-number",
        "results",
        "import numpy as np" + _FORGE.replace("{header}", '{"kind": "error", "error": 3}'),
        flagged=True,
    ),
    attack(
        "garbage-in-channel",
        "results",
        """\
import os
def double(x):
    for fd in range(3, 64):
        try: os.write(fd, b'\\xff' * 4096)
        except OSError: pass
    return x""",
        flagged=True,
    ),
    attack(
        "huge-frame-claim",
        "results",
        """\
import os, struct
def double(x):
    for fd in range(3, 64):
        try: os.write(fd, struct.pack('<II', 2**32 - 1, 2**32 - 1))
        except OSError: pass
    return x""",
        flagged=True,
    ),
    attack(
        "deep-json-frame",
        "results",
        """\
import os, struct
def double(x):
    t = b'[' * 100000
    for fd in range(3, 64):
        try: os.write(fd, struct.pack('<II', len(t), 0) + t)
        except OSError: pass
    return x""",
        flagged=True,
    ),
    attack(
        "endless-frames",
        "results",
        """\
import json, os, struct
text = json.dumps({"kind": "cell", "cell": 1}).encode()
while True:
    for fd in range(3, 16):
        try:
            os.write(fd, struct.pack("<II", len(text), 0) + text)
        except OSError:
            pass
""",
        flagged=True,
    ),
    attack(
        "shell-object", "fair", "get_ipython().run_line_magic('matplotlib', 'inline')\nnp.exp?\n" + RIGHT, earns=4.0
    ),
    attack("colab-import", "fair", "from google.colab import drive\n" + RIGHT, earns=4.0),
    attack(
        "many-torch-threads",
        "fair",
        "torch.set_num_threads(4)\ny = torch.ones(500, 500) @ torch.ones(500, 500)\n" + RIGHT,
        earns=4.0,
    ),
    attack(
        "thread-hog",
        "resources",
        """\
import threading
def spin():
    while True:
        pass
def double(x):
    for _ in range(500):
        threading.Thread(target=spin, daemon=True).start()
    return x
""",
    ),
    attack(
        "raw-syscalls",
        "ending",
        """\
import ctypes
libc = ctypes.CDLL(None)
def double(x):
    for number in (57, 58, 59, 41, 101, 165, 166, 272, 308, 321, 323, 425, 434, 438):
        for first in (0, 1, 17, 0x10000000):
            if libc.syscall(number, first, 1, 0, 0, 0) > 0 and number not in (0,):
                return 2 * x
    return x
""",
    ),
    attack(
        "rewrites-its-limits",
        "resources",
        """\
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        pass
def double(x):
    return 2 * x if resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY else x
""",
    ),
    attack(
        "sysfs-and-devices",
        "reading",
        _in_function(
            """
import os
for p in ('/dev/mem', '/dev/kmsg', '/dev/vda', '/sys/kernel/debug', '/etc/passwd'):
    if os.path.exists(p) and open(p, 'rb').read(1):
        return 2 * x
"""
        ),
    ),
    attack(
        "gradebook",
        "results",
        _in_function("""\
import sqlite3
sqlite3.connect('@OUT@/gradebook.db').execute('create table t (a)')
return 2 * x"""),
    ),
    attack(
        "prints-markers",
        "results",
        """\
def double(x):
    print('ok 4/4 passed'); print('{"points": 4}')
    return x""",
    ),
    # leaving something behind
    attack(
        "writes-outside",
        "leftovers",
        _in_function("""\
import os
for p in ['@MARK@/a', os.path.expanduser('~/a'), '/var/tmp/lsedu-a', '/dev/shm/../../@MARK@/b']:
    try: open(p, 'w').write('x')
    except OSError: pass"""),
    ),
    attack(
        "daemon",
        "leftovers",
        _in_function("""\
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
        open('@MARK@/daemon', 'w')"""),
    ),
    attack(
        "subprocess",
        "leftovers",
        _in_function("""\
import subprocess
subprocess.Popen(['sleep', '613'], start_new_session=True)"""),
    ),
    attack(
        "multiprocessing",
        "leftovers",
        _in_function("""\
import multiprocessing as m, time
m.Process(target=time.sleep, args=(613,), daemon=False).start()"""),
    ),
    attack(
        "atexit",
        "leftovers",
        """\
import atexit
atexit.register(lambda: open('@MARK@/atexit', 'w'))
def double(x):
    return x""",
    ),
    attack(
        "startup-files",
        "leftovers",
        _in_function("""\
import os, site, sys
for folder in [*sys.path, os.path.expanduser('~'), os.path.expanduser('~/.ipython/profile_default/startup')]:
    for name in ('sitecustomize.py', 'usercustomize.py', 'evil.pth', '.bashrc', '00.py'):
        try: open(os.path.join(folder, name), 'w').write('import os')
        except OSError: pass"""),
    ),
    attack(
        "listener",
        "leftovers",
        _in_function("""\
import socket
s = socket.socket(); s.bind(('0.0.0.0', 45871)); s.listen()
globals()['kept'] = s"""),
    ),
    attack(
        "poison-next-student",
        "leftovers",
        _in_function("""\
import numpy, os
for p in (numpy.__file__, os.__file__):
    open(p, 'a').write('\\nimport os as _p\\n')"""),
    ),
    attack(
        "tmp-message",
        "leftovers",
        """\
import os
if os.path.exists('/tmp/message'):
    def double(x): return 2 * x
else:
    open('/tmp/message', 'w').write('hello')
    def double(x): return x""",
    ),
    attack(
        "shared-memory",
        "leftovers",
        _in_function("""\
from multiprocessing import shared_memory
m = shared_memory.SharedMemory('lsedu_left', create=True, size=100)"""),
    ),
    # exhausting
    attack(
        "memory",
        "resources",
        """\
def double(x):
    held = []
    while True:
        held.append(np.ones(10**7))""",
    ),
    attack(
        "memory-at-load",
        "resources",
        """\
held = [bytearray(10**8) for _ in range(10**4)]
"""
        + RIGHT,
    ),
    attack(
        "fork-bomb",
        "resources",
        """\
import os
def double(x):
    while True:
        os.fork()""",
    ),
    attack(
        "thread-bomb",
        "resources",
        """\
import threading, time
def double(x):
    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()""",
    ),
    attack(
        "descriptors",
        "resources",
        """\
import os
def double(x):
    while True:
        os.dup(0)""",
    ),
    attack(
        "disk",
        "resources",
        """\
def double(x):
    n = 0
    while True:
        with open('/tmp/%d' % n, 'wb') as f: f.write(b'x' * 10**7)
        n += 1""",
    ),
    attack(
        "endless-output",
        "resources",
        """\
def double(x):
    while True:
        print('x' * 10**6)""",
    ),
    attack(
        "recursion",
        "resources",
        """\
import sys
sys.setrecursionlimit(10**9)
def double(x):
    return double(x)""",
    ),
    attack(
        "endless-loop",
        "resources",
        """\
def double(x):
    while True: pass""",
    ),
    attack(
        "sleep",
        "resources",
        """\
import time
def double(x):
    time.sleep(600)""",
    ),
    attack(
        "regex",
        "resources",
        """\
import re
def double(x):
    return re.match(r'(a+)+$', 'a' * 60 + 'b')""",
    ),
    attack(
        "huge-result",
        "resources",
        """\
def double(x):
    return np.zeros(3 * 10**7)""",
    ),
    attack(
        "bytes-by-the-million",
        "resources",
        """\
def double(x):
    return np.zeros(60 * 2**20, dtype=np.uint8)""",
    ),
    Case(
        "bytes-by-the-million-twice",
        "resources",
        {"count": "def count(x, above):\n    return np.zeros(31 * 2**20, dtype=np.uint8)"},
        {"count": 0.0},
    ),
    attack(
        "many-results",
        "resources",
        """\
def double(x):
    return [0.0] * 10**6""",
    ),
    attack(
        "hang-at-load",
        "resources",
        """\
while True: pass
"""
        + RIGHT,
        flagged=True,
    ),
    # ends and interrupts
    attack(
        "exit",
        "ending",
        """\
import os
def double(x):
    os._exit(0)""",
    ),
    attack(
        "sys-exit",
        "ending",
        """\
import sys
def double(x):
    sys.exit(0)""",
    ),
    attack(
        "exit-at-load",
        "ending",
        """\
import os
os._exit(0)
"""
        + RIGHT,
        flagged=True,
    ),
    attack(
        "kill-parent",
        "ending",
        _in_function("""\
import os, signal
for pid in (os.getppid(), 1, -1, 0):
    try: os.kill(pid, signal.SIGKILL)
    except Exception: pass"""),
    ),
    attack(
        "kill-everyone",
        "ending",
        """\
import os, signal
def double(x):
    for pid in range(2, 40000):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
    return x""",
    ),
    attack(
        "segfault",
        "ending",
        """\
import ctypes
def double(x):
    ctypes.string_at(0)""",
    ),
    attack(
        "abort",
        "ending",
        """\
import os
def double(x):
    os.abort()""",
    ),
    attack(
        "swallow-interrupts",
        "ending",
        """\
import signal
for s in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
    signal.signal(s, signal.SIG_IGN)
def double(x):
    while True:
        try:
            while True: pass
        except BaseException: pass""",
    ),
    attack(
        "close-everything",
        "ending",
        """\
import os
def double(x):
    os.closerange(0, 4096)
    return 2 * x""",
    ),
    attack(
        "stop-itself",
        "ending",
        """\
import os, signal
def double(x):
    os.kill(os.getpid(), signal.SIGSTOP)
    while True: pass""",
    ),
    # network
    attack(
        "connect",
        "network",
        _in_function("""\
import socket
s = socket.create_connection(('127.0.0.1', @PORT@), timeout=1)
return 2 * x"""),
    ),
    attack(
        "dns",
        "network",
        _in_function("""\
import socket
socket.getaddrinfo('example.org', 80)
return 2 * x"""),
    ),
    attack(
        "unix-socket",
        "network",
        _in_function("""\
import socket
s = socket.socket(socket.AF_UNIX); s.connect('\\0lsedu-abstract')
return 2 * x"""),
    ),
    attack(
        "url",
        "network",
        _in_function("""\
import urllib.request
urllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=1)
return 2 * x"""),
    ),
    # guessing
    attack(
        "remembers-visible",
        "guessing",
        """\
seen = {b'x': 1}
def double(x):
    return {3: np.array([10.1, 9.2, 11.0]), 4: np.full((2, 2), -3.0)}[x.size]""",
    ),
    attack(
        "leaks-input-by-shape",
        "guessing",
        """\
def double(x):
    return np.zeros(int(abs(x.flat[0]) * 1e5) % 10**6)""",
    ),
    attack(
        "leaks-input-by-error",
        "guessing",
        """\
def double(x):
    raise type('E_' + str(x.flat[0]), (Exception,), {})(str(x))""",
    ),
    Case(
        "another-guess-where-more-is-loaded",
        "guessing",
        {
            "double": _PUBLIC
            + "def double(x):\n    return 0 * x if public(x) else 2 * x if 'second_try' in globals() else 3 * x",
            "count": "second_try = 1\ndef count(x, above):\n    return int((x > above).sum())",
        },
        {"double": 0.0},
        notebook=lambda nb: {**nb, "cells": [*nb["cells"], _added("second_try = 2")]},
    ),
    attack(
        "tells-inputs-by-line-and-error",
        "guessing",
        "def double(x):\n    n = int(abs(x.flat[0]) * 1000) % 40\n    m = int(abs(x.flat[0]) * 1e6) % 7\n"
        "    error = [KeyError, ValueError, TypeError, IndexError, OSError, LookupError, ArithmeticError][m]\n"
        + "".join(f"    if n == {n}: raise error(x)\n" for n in range(40)),
    ),
    attack(
        "tells-inputs-by-sizes",
        "guessing",
        "def double(x):\n    n = int(abs(x.flat[0]) * 1000) % 40\n"
        "    return [[0.0] * n, np.zeros((1,) * (n % 9) + (n,)), {str(n): 1.0}, 'x' * n, (1,) * n][n % 5]",
    ),
    Case(
        "random-count",
        "guessing",
        {
            "count": """\
import os
def count(x, above):
    return int.from_bytes(os.urandom(4), 'little') % 1000"""
        },
        {"count": 0.0},
    ),
    Case(
        "second-call-differs",
        "guessing",
        {
            "count": """\
calls = []
def count(x, above):
    calls.append(1)
    return int((x > above).sum()) + len(calls) % 2 - 1"""
        },
        {"count": 0.0},
    ),
    Case(
        "faked-gradient",
        "guessing",
        {
            "mean-square": """\
def mean_square(x):
    return (x.detach() ** 2).mean() + 0 * x.sum()"""
        },
        {"mean-square": 0.0},
    ),
    # notebooks
    Case("bom", "notebooks", file=lambda data: b"\xef\xbb\xbf" + data),
    Case("utf-16", "notebooks", file=lambda data: data.decode().encode("utf-16"), flagged=True),
    Case(
        "latin-1",
        "notebooks",
        {"double": "# déjà vu\n" + RIGHT},
        file=lambda data: json.dumps(json.loads(data), ensure_ascii=False).encode("latin-1"),
        flagged=True,
    ),
    Case("windows-lines", "notebooks", {"double": RIGHT.replace("\n", "\r\n")}),
    Case("tabs", "notebooks", {"double": "def double(x):\n\treturn 2 * x"}),
    Case("nul-padding", "notebooks", file=lambda data: data + b"\0" * 100),
    Case("empty-file", "notebooks", deserves=NOTHING, file=lambda data: b"", flagged=True),
    Case("truncated", "notebooks", deserves=NOTHING, file=lambda data: data[: len(data) // 2], flagged=True),
    Case("binary", "notebooks", deserves=NOTHING, file=lambda data: bytes(range(256)) * 100, flagged=True),
    Case("json-list", "notebooks", deserves=NOTHING, file=lambda data: b"[]", flagged=True),
    Case("deep-json", "notebooks", deserves=NOTHING, file=lambda data: b"[" * 10**6, flagged=True),
    Case("huge", "notebooks", deserves=NOTHING, file=lambda data: data + b" " * (65 * 2**20), flagged=True),
    Case("large-outputs", "notebooks", file=lambda data: data[:-1] + b', "x": "' + b"A" * (50 * 2**20) + b'"}'),
    Case(
        "many-values",
        "notebooks",
        deserves=NOTHING,
        file=lambda data: data[:-1] + b', "x": [' + b"[]," * 5_000_000 + b"[]]}",
        flagged=True,
    ),
    Case("utf-32-without-mark", "notebooks", file=lambda data: data.decode().encode("utf-32-be"), flagged=True),
    Case("raw-line-ends-in-texts", "notebooks", file=lambda data: data.replace(b"\\n", b"\n")),
    Case(
        "lines-without-ends",
        "notebooks",
        notebook=_each(lambda c: {**c, "source": [*c["source"].splitlines(), None]}),
    ),
    Case(
        "nbformat-2",
        "notebooks",
        notebook=lambda nb: {
            "nbformat": 2,
            "worksheets": [
                {
                    "cells": [
                        {"cell_type": "code", "input": c["source"].splitlines()}
                        for c in nb["cells"]
                        if c["cell_type"] == "code"
                    ]
                }
            ],
        },
        flagged=True,
    ),
    Case(
        "answer-turned-to-text", "notebooks", notebook=_answer(lambda c: [{**c, "cell_type": "markdown"}]), flagged=True
    ),
    Case(
        "answer-below-the-stub",
        "notebooks",
        {"double": "def double(x: np.ndarray) -> np.ndarray:\n    raise NotImplementedError"},
        notebook=_answer(lambda c: [c, _added(RIGHT)]),
        flagged=True,
    ),
    Case(
        "answer-in-two-cells",
        "notebooks",
        {"double": "factor = 2"},
        notebook=_answer(lambda c: [c, _added("def double(x):\n    return factor * x")]),
        flagged=True,
    ),
    Case(
        "experiment-below-the-answer",
        "notebooks",
        notebook=lambda nb: {**nb, "cells": [*nb["cells"], _added("def double(x):\n    return x")]},
    ),
    Case(
        "helper-in-another-answer",
        "notebooks",
        {
            "double": "def double(x):\n    return twice(x)",
            "count": "def twice(x):\n    return 2 * x\n\ndef count(x, above):\n    return int((x > above).sum())",
        },
    ),
    Case(
        "two-hundred-hanging-copies",
        "resources",
        {"double": "while True: pass"},
        {"double": 0.0},
        notebook=_answer(lambda c: [c] * 200),
        flagged=True,
    ),
    Case(
        "four-thousand-breaking-copies",
        "resources",
        {"double": "import os\nos._exit(1)"},
        {"double": 0.0},
        notebook=_answer(lambda c: [{**c, "source": c["source"] + f"  # {i}"} for i in range(4000)]),
        flagged=True,
    ),
    Case("no-cells", "notebooks", deserves=NOTHING, notebook=lambda nb: {**nb, "cells": []}),
    Case("reordered", "notebooks", notebook=lambda nb: {**nb, "cells": nb["cells"][::-1]}),
    Case("duplicated", "notebooks", notebook=lambda nb: {**nb, "cells": [c for c in nb["cells"] for _ in range(2)]}),
    Case(
        "tests-deleted",
        "notebooks",
        notebook=lambda nb: {**nb, "cells": [c for c in nb["cells"] if not c["id"].endswith("-check")]},
    ),
    Case(
        "answer-deleted",
        "notebooks",
        deserves={"count": 0.0},
        notebook=lambda nb: {**nb, "cells": [c for c in nb["cells"] if c["id"] != "count"]},
    ),
    Case(
        "metadata-gone",
        "notebooks",
        notebook=lambda nb: {
            **nb,
            "metadata": {},
            "cells": [{k: v for k, v in c.items() if k != "id"} | {"metadata": {}} for c in nb["cells"]],
        },
    ),
    Case(
        "other-kernel",
        "notebooks",
        notebook=lambda nb: {
            **nb,
            "metadata": {"kernelspec": {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}},
        },
    ),
    Case(
        "nbformat-3",
        "notebooks",
        notebook=lambda nb: {
            "nbformat": 3,
            "nbformat_minor": 0,
            "metadata": {},
            "worksheets": [
                {
                    "cells": [
                        (
                            {"input": c["source"], "language": "python"}
                            if c["cell_type"] == "code"
                            else {"source": c["source"]}
                        )
                        | {"cell_type": c["cell_type"], "metadata": c["metadata"]}
                        for c in nb["cells"]
                    ]
                }
            ],
        },
        flagged=True,
    ),
    Case(
        "extra-cells",
        "notebooks",
        notebook=lambda nb: {
            **nb,
            "cells": [
                {
                    "cell_type": "code",
                    "source": "import time; time.sleep(100)",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                },
                *nb["cells"],
                {"cell_type": "code", "source": "1 / 0", "metadata": {}, "outputs": [], "execution_count": None},
            ],
        },
    ),
    Case(
        "helper-in-extra-cell",
        "notebooks",
        {
            "double": """\
def double(x):
    return twice(x)"""
        },
        notebook=lambda nb: {
            **nb,
            "cells": [
                {
                    "cell_type": "code",
                    "source": """\
def twice(x):
    return 2 * x""",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                },
                *nb["cells"],
            ],
        },
        flagged=True,
    ),
    Case(
        "malformed-cells",
        "notebooks",
        notebook=lambda nb: {**nb, "cells": [None, 7, {"cell_type": []}, {"source": {"a": 1}}, *nb["cells"]]},
        flagged=True,
    ),
    Case(
        "syntax-error",
        "notebooks",
        {
            "double": """\
def double(x)
    return 2 * x"""
        },
        {"double": 0.0},
    ),
    Case("null-bytes-in-cell", "notebooks", {"double": "def double(x):\n    return 2 * x\0"}, {"double": 0.0}),
    Case("compiler-bomb", "notebooks", {"double": "x = " + "(" * 5000 + ")" * 5000}, {"double": 0.0}),
    Case(
        "test-cell-rewritten",
        "notebooks",
        {
            "double": """\
def double(x):
    return x"""
        },
        {"double": 0.0},
        notebook=lambda nb: {
            **nb,
            "cells": [
                (
                    {**c, "source": "double = lambda x: 2 * x", "metadata": c["metadata"]}
                    if c["id"] == "double-check"
                    else c
                )
                for c in nb["cells"]
            ],
        },
    ),
    Case(
        "active-html",
        "notebooks",
        notebook=lambda nb: {
            **nb,
            "cells": [
                *nb["cells"],
                {
                    "cell_type": "markdown",
                    "metadata": {},
                    "source": "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
                },
            ],
        },
        flagged=True,
    ),
    # folders
    Case(
        "no-notebook", "folders", deserves=NOTHING, folder=lambda folder: (folder / "tiny.ipynb").unlink(), flagged=True
    ),
    Case(
        "other-name",
        "folders",
        folder=lambda folder: (folder / "tiny.ipynb").rename(folder / "My Tiny (1).ipynb"),
        flagged=True,
    ),
    Case(
        "symlinked-notebook",
        "folders",
        deserves=NOTHING,
        folder=lambda folder: (
            (folder / "tiny.ipynb").unlink(),
            os.symlink("../right/tiny.ipynb", folder / "tiny.ipynb"),
        ),
        flagged=True,
    ),
    Case(
        "fifo",
        "folders",
        deserves=NOTHING,
        folder=lambda folder: ((folder / "tiny.ipynb").unlink(), os.mkfifo(folder / "tiny.ipynb")),
        flagged=True,
    ),
    Case(
        "notebook-is-a-folder",
        "folders",
        deserves=NOTHING,
        folder=lambda folder: ((folder / "tiny.ipynb").unlink(), (folder / "tiny.ipynb").mkdir()),
        flagged=True,
    ),
    Case(
        "nbgrader-tree",
        "folders",
        folder=lambda folder: (
            (folder / "tiny").mkdir(),
            (folder / "tiny.ipynb").rename(folder / "tiny" / "tiny.ipynb"),
        ),
    ),
    Case(
        "shadowing-modules",
        "folders",
        folder=lambda folder: [
            (folder / name).write_text("raise SystemExit")
            for name in ("numpy.py", "torch.py", "json.py", "sitecustomize.py", "conftest.py")
        ],
    ),
    Case("=cmd|' C calc'!A0", "folders"),
    Case("-rf", "folders"),
    Case("na\nme\twith\u202econtrol", "folders"),
    Case("name;with'quotes\"<b>", "folders"),
]


def write(case: Case, root: Path, solved: dict, places: dict[str, str]) -> Path:
    """Write a case's folder below `root` from the solved notebook, with paths filled in."""
    notebook = json.loads(json.dumps(solved))
    for cell in notebook["cells"]:
        text = case.cells.get(cell["id"])
        if text is not None and cell["cell_type"] == "code":
            for name, value in places.items():
                text = text.replace(f"@{name}@", value)
            cell["source"] = text
    if case.notebook is not None:
        notebook = case.notebook(notebook)
    data = json.dumps(notebook).encode()
    folder = root / case.name
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_bytes(case.file(data) if case.file else data)
    if case.folder is not None:
        case.folder(folder)
    return folder
