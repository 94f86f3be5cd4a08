"""What runs with the student needs NumPy, and nothing of the author's tools or of the grader."""

import subprocess
import sys

CHECK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("lsedu", "numpy"):
            raise ImportError(f"no {name} here")

sys.meta_path.insert(0, Absent())
import numpy as np
from lsedu.labs import Checks

def targets(labels, num_classes, alpha, convention):
    hard = np.eye(num_classes)[labels]
    even = np.full_like(hard, 1 / num_classes) if convention == "all" else (1 - hard) / (num_classes - 1)
    return (1 - alpha) * hard + alpha * even

checks = Checks("lab02")
assert checks.check("targets", targets).status == "right"
assert "0 of 17" not in repr(checks.report())
print([name for name in sys.modules if name.startswith(("lsedu.authoring", "lsedu.grading"))])
"""


def test_checks_and_report_run_where_only_numpy_is():
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
