import importlib.util
import sys
from pathlib import Path

import pytest
import torch

# tests of this folder import what they share by name: `from every_loss import LOSSES`
_spec = importlib.util.spec_from_file_location("every_loss", Path(__file__).with_name("every.py"))
sys.modules["every_loss"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["every_loss"])


@pytest.fixture
def batch():
    """Logits (6, 4) in float64, labels with a repeat and an unseen class, and logits of a Q-matrix."""
    g = torch.Generator().manual_seed(7)
    logits = 2 * torch.randn(6, 4, generator=g, dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 3, 0, 1])
    table = 2 * torch.randn(4, 4, generator=g, dtype=torch.float64)
    return logits, labels, table
