"""The paper's tables 1 to 3 are whole, and what pages say of their numbers in words is there."""

import re
from pathlib import Path

import pytest

from lsedu.studies.learnable._published import TABLES, accuracy

BOOK = Path(__file__).resolve().parents[3] / "book"

# What a page says; in braces the set, the network and the method that a number is of.
SAID = {
    "learnable/winners": (
        "Table 2 of the paper has ResNet-50 on Tiny-ImageNet: {Tiny-ImageNet R50 one-hot}% with one-hot targets, "
        "{Tiny-ImageNet R50 focal}% with",
        "{CIFAR-100 R18 one-hot} for one-hot targets with ResNet-18 on CIFAR-100",
        "MobileNetV2 on CUB-200: OLS {CUB-200 MobileNetV2 ols}, LLS {CUB-200 MobileNetV2 lls}",
        "at {Fashion-MNIST AlexNet one-hot}% with one-hot targets, and {Fashion-MNIST AlexNet lls}% with LLS",
        "A table has method A at {CIFAR-10 AlexNet tf-kd} and method B at {CIFAR-10 AlexNet lls},",
        "Column R50 of CIFAR-100 in table 2: one-hot {CIFAR-100 R50 one-hot}, focal loss {CIFAR-100 R50 focal}, "
        "FLSD-53 {CIFAR-100 R50 flsd-53}, LLS {CIFAR-100 R50 lls}.",
    ),
    "learnable/ablations": (
        "No Targets EM and LLS are such a pair: with 63.80 and {Tiny-ImageNet R18 lls} in the paper",
    ),
    "learnable/teaching": ("A table of results has LLS-ST at 79.57 and LLS at {CIFAR-100 R18 lls}, one training each",),
    "appendix/errata": (
        "MobileNetV2 on CUB-200, online smoothing has {CUB-200 MobileNetV2 ols} against {CUB-200 MobileNetV2 lls}.",
        "The {CIFAR-100 R18 one-hot} of ResNet-18 on CIFAR-100",
        "Zipf has {CIFAR-100 R18 zipf} with ResNet-18 and with ResNet-34.",
        "in the second one-hot targets have {CIFAR-100 R34 one-hot}.",
        "AlexNet reaches {Fashion-MNIST AlexNet one-hot} on Fashion-MNIST.",
    ),
}


def test_every_row_of_a_table_has_a_number_or_a_dash_for_every_column():
    for table in TABLES:
        assert {len(row) for row in table.rows.values()} == {len(table.columns)}
        assert table.rows["lls"].count(None) == table.rows["one-hot"].count(None) == 0
        assert all(0 < value < 100 for at in range(len(table.columns)) for value in table.column(at).values())
    leads = [table.lead(at)[0] for table in TABLES for at in range(len(table.columns))]
    assert sum(lead < 0 for lead in leads) == 1 and len(leads) == 21


def test_a_set_and_a_network_have_one_column_in_all_tables():
    columns = [column for table in TABLES for column in table.columns]
    assert len(columns) == len(set(columns))


def test_an_accuracy_is_found_by_set_network_and_method():
    assert accuracy("ImageNet-100", "R50", "lls") == 84.90
    with pytest.raises(KeyError, match="no R34 on CUB-200"):
        accuracy("CUB-200", "R34", "lls")
    with pytest.raises(KeyError, match="ols"):  # a dash
        accuracy("CIFAR-100", "R18", "ols")


@pytest.mark.parametrize("page", SAID)
def test_what_pages_say_of_the_tables_in_words_is_there(page):
    text = " ".join((BOOK / f"{page}.md").read_text(encoding="utf-8").split())
    for said in SAID[page]:
        due = re.sub(r"\{(.*?)\}", lambda place: f"{accuracy(*place[1].split()):.2f}", said)
        assert due in text
