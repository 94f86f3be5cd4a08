import pytest
import torch


@pytest.fixture
def batch():
    """Logits (6, 4) in float64, labels with a repeat and an unseen class, and logits of a Q-matrix."""
    g = torch.Generator().manual_seed(7)
    logits = 2 * torch.randn(6, 4, generator=g, dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 3, 0, 1])
    table = 2 * torch.randn(4, 4, generator=g, dtype=torch.float64)
    return logits, labels, table
