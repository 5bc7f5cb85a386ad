import json
import math

import pytest

from vae_course.course.expectations import RECORD, expect


def test_an_expectation_prints_its_range_not_the_value(capsys):
    expect("loss, nats", 1.2345, 1, 2, otherwise="a sum")
    assert capsys.readouterr().out == "✓ loss, nats: 1 to 2\n"


def test_a_range_of_one_value_reads_as_such(capsys):
    expect("kinds", 1, 1, 1, otherwise="two")
    assert capsys.readouterr().out == "✓ kinds: exactly 1\n"
    with pytest.raises(AssertionError, match="kinds: got 2, expected exactly 1"):
        expect("kinds", 2, 1, 1, otherwise="two")


def test_a_claim_in_words_stands_above_the_figure_that_decides_it(capsys):
    expect("loss, nats", 1.2345, 1, 2, otherwise="a sum", says="The loss is small.")
    expect("loss, nats", None, 1, 2, otherwise="a sum", says="The loss is small.", applies=False)
    assert capsys.readouterr().out.splitlines() == [
        "✓ The loss is small.",
        "  loss, nats: 1 to 2",
        "– The loss is small.",
        "  loss, nats: not checked, its range was drawn on the generated corpus",
    ]
    with pytest.raises(AssertionError, match=r"^loss, nats: got 3, expected 1 to 2"):
        expect("loss, nats", 3, 1, 2, otherwise="a sum", says="The loss is small.")


@pytest.mark.parametrize("value", [0.99, 2.01, math.nan, math.inf])
def test_outside_its_range_it_says_what_to_suspect(value):
    with pytest.raises(AssertionError, match=r"loss, nats: got .*, expected 1 to 2\. What to suspect: a sum"):
        expect("loss, nats", value, 1, 2, otherwise="a sum")


def test_recording_collects_values_instead(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORD, str(tmp_path / "record"))
    expect("loss, nats", 5, 1, 2, otherwise="a sum")
    assert json.loads((tmp_path / "record").read_text()) == {"claim": "loss, nats", "value": 5.0, "low": 1, "high": 2}


def test_a_range_of_another_corpus_is_not_checked(capsys):
    expect("loss, nats", 5, 1, 2, otherwise="a sum", applies=False)
    expect("loss, nats", None, 1, 2, otherwise="a sum", applies=False)
    assert capsys.readouterr().out.count("not checked") == 2
    with pytest.raises(ValueError, match="applies=False"):
        expect("loss, nats", None, 1, 2, otherwise="a sum")
