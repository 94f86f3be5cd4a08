"""The moving figure of clusters: its stops and classes are the record's, and so is what the page says of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lsedu import data
from lsedu.book.figures import clusters
from lsedu.experiments import load_record

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "_static" / "figures" / "clusters.js"


@pytest.fixture(scope="module")
def payload():
    return clusters.payload()


def test_seeds_and_classes_are_those_of_the_record(payload):
    record = load_record("features")
    (stops,) = re.findall(r"^ *const NETWORKS = (\[.*\]);$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert json.loads(stops) == payload["seeds"] == list(record.seeds)
    names = data.load("fashion-mnist-mini").classes
    shown = [names[k].lower().split("/")[0] for k in record.configs["shown"]]
    assert [name.lower() for name in payload["classes"]] == shown


@pytest.mark.parametrize("part", clusters.PARTS)
def test_of_all_features_the_figure_shows_what_the_record_has(part, payload):
    record = load_record("features")
    shown = clusters.compute({"network": record.seeds[2], "part": part, "scale": "same"}, payload)
    for name, alpha in clusters.STRENGTHS.items():
        assert shown[f"{name}_all_ratio"] == record.values(f"{alpha}/{part}/ratio")[2]
        assert shown[f"{name}_all_within"] == record.values(f"{alpha}/{part}/within")[2]


@pytest.mark.parametrize("part", clusters.PARTS)
def test_in_the_mean_classes_are_tighter_on_the_plane_and_looser_everywhere(part, payload):
    shown = clusters.compute({"network": payload["seeds"][0], "part": part, "scale": "same"}, payload)
    assert max(shown["plane_within"]) < 1 and max(shown["all_within"]) < 1
    plane, every = np.array(shown["plane_ratio"]), np.array(shown["all_ratio"])
    assert plane.mean() < 1 < every.mean() and (plane < every).all()


def test_in_units_of_distance_both_clouds_have_the_same_distance_between_centres(payload):
    shown = clusters.compute({"network": payload["seeds"][0], "part": "test", "scale": "distance"}, payload)
    for name in clusters.STRENGTHS:
        points = np.array(shown[f"{name}_points"]).reshape(len(clusters.CLASSES), -1, 2)
        assert np.square(points.mean(1)).sum(1).mean() == pytest.approx(1.0)
        assert np.square(points - points.mean(1, keepdims=True)).sum(2).mean() == pytest.approx(shown[f"{name}_ratio"])
