"""The checks of a device: every loss is among them, what is wrong is found, what raises costs no other."""

import copy
import inspect
import json
import math

import pytest
import torch
from torch import Tensor

from lsedu import losses


def test_every_loss_and_every_choice_is_found(load):
    found = [case.name for case in load("_criteria").cases()]
    assert len(found) == len(set(found))
    for name in losses.__all__:
        exported = getattr(losses, name)
        if callable(exported) and "reduction" in inspect.signature(exported).parameters:
            assert name in found
            if "variant" in inspect.signature(exported).parameters:
                chosen = {case.partition("variant=")[2] for case in found if case.startswith(f"{name}, ")}
                default = inspect.signature(exported).parameters["variant"].default
                assert chosen | {default} >= set(losses.VARIANTS)
    assert {"Distillation", "gaussian_kl", "prior_kl, direction=q||prior", "cross_entropy, target=target"} <= set(found)
    assert not {"reparametrise", "virtual_teacher", "StochasticEncoder", "lls_gradients"} & set(found)


def test_an_argument_that_is_not_known_is_named(load, monkeypatch):
    def focal(logits: Tensor, labels: Tensor, *, flavour: complex) -> Tensor:
        return logits

    monkeypatch.setattr(losses, "focal", focal)
    with pytest.raises(TypeError, match=r"no value is known for an argument flavour of type .*complex"):
        list(load("_criteria").cases())


def test_every_loss_is_as_good_in_half_precision_as_it_can_be(load):
    checks = list(load("_device").half_precision("cpu", scales=(30.0,)))
    assert [check for check in checks if not check[1] <= check[2]] == []
    names = [name for name, _, _ in checks]
    assert len(names) == len(set(names)) and "LearnableLabelSmoothing, float16, autocast, scale 30: loss" in names


def test_a_loss_that_computes_in_half_precision_and_one_that_raises_are_found(load, monkeypatch):
    def focal(logits: Tensor, labels: Tensor) -> Tensor:
        return -logits.log_softmax(1).gather(1, labels[:, None]).mean()

    def prior_kl(logits: Tensor) -> Tensor:
        if logits.dtype != torch.float64:
            raise RuntimeError("not on this card")
        return logits.square().mean()

    monkeypatch.setattr(losses, "focal", focal)
    monkeypatch.setattr(losses, "prior_kl", prior_kl)
    monkeypatch.setattr(losses, "__all__", ["focal", "gaussian_kl", "prior_kl"])
    device = load("_device")
    bad = {name: value for name, value, limit in device.half_precision("cpu") if not value <= limit}
    assert any(name.startswith("focal, bfloat16, scale 1: loss") for name in bad)
    assert bad["prior_kl, float16, scale 1: RuntimeError: not on this card"] == math.inf
    assert not any(name.startswith("gaussian_kl") for name in bad)


def test_ways_of_running_agree_and_one_with_stale_weights_is_found(load, monkeypatch):
    device = load("_device")
    assert all(value <= limit for _, value, limit in device.agreement("cpu", steps=2))
    prepare = device.training.acceleration.prepare

    def stale(model, config, sample):
        return prepare(copy.deepcopy(model) if config.channels_last else model, config, sample)

    monkeypatch.setattr(device.training.acceleration, "prepare", stale)
    ((name, value, limit),) = device.agreement("cpu", steps=2)
    assert name == "channels last: loss after 2 steps in float32" and value > limit

    def failing(model, config, sample):
        if config.channels_last:
            raise torch.OutOfMemoryError("full")
        return prepare(model, config, sample)

    monkeypatch.setattr(device.training.acceleration, "prepare", failing)
    assert list(device.agreement("cpu", steps=1)) == [("channels last: OutOfMemoryError: full", math.inf, 0.0)]


def test_a_check_that_breaks_off_is_told_and_the_rest_are_made(load, monkeypatch):
    card = load("_card")

    def breaks(device):
        yield "fine", 0.0, 0.1
        raise RuntimeError("the card is gone")

    def far_off(device):
        yield "far off", 0.2, 0.1
        yield "not a number", math.nan, 0.1

    monkeypatch.setattr(card, "CHECKS", (breaks, far_off))
    after = [copy.deepcopy(found) for found in card.correctness("cpu", "smoke")]
    assert [found["checks"] for found in after] == [1, 3]
    (broke,), failed = after[0]["failed"], after[1]["failed"]
    assert broke == {"name": "breaks: RuntimeError: the card is gone"} == failed[0]
    assert failed[1] == {"name": "far off", "value": 0.2, "limit": 0.1} and failed[2]["name"] == "not a number"
    assert after[1]["by"] == {
        "fine": {"checks": 1, "closest": 0.0},
        "far off": {"checks": 1, "closest": 2.0, "name": "far off"},
        "not a number": {"checks": 1, "closest": 0.0},
    }


def test_what_a_card_was_asked_is_written_as_it_comes(load, monkeypatch, tmp_path):
    pack = load("gpu_pack")

    def breaks(device, scale):
        yield {"first": 1}
        raise RuntimeError("the card is gone")

    monkeypatch.setattr(pack, "cards", lambda: {"asked": breaks})
    words = ["work", "--item", "asked", "--until", "0", "--out", str(tmp_path), "--cache", str(tmp_path)]
    with pytest.raises(RuntimeError, match="the card is gone"):
        pack.main([*words, "--device", "cpu"])
    found = json.loads((tmp_path / "asked.json").read_text())
    assert found["first"] == 1 and found["origin"]["device"].startswith("cpu")
