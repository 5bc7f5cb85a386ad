import json
from dataclasses import replace

import pytest

from vae_course.studies import correction, store


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """The study without training, and how often each part was made."""
    made = []

    def part(name):
        def make(*_, **__):
            made.append(name)
            return {"rows": [name]}

        return make

    whole = correction.errors("world", train=50, held_out=20)
    monkeypatch.setattr(correction, "errors", lambda name, **options: whole)
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
    for name in ("_few_pairs", "_longer_trained", "_misspellings"):
        monkeypatch.setattr(correction, name, part(name))
    return made


def test_steps_are_those_of_the_longer_trained_part_alone(quick, tmp_path):
    path = correction.measure(scratch=tmp_path / "scratch", steps=correction.LONGER)
    assert path == tmp_path / "results" / "correction_world.json"
    assert quick == ["_few_pairs", "_few_pairs", "_longer_trained", "_misspellings"]
    path = correction.measure(scratch=tmp_path / "scratch", steps=100)
    assert path == tmp_path / "scratch" / "correction_world_100_steps.json"
    assert json.loads(path.read_text(encoding="utf-8"))["command"] == "vae-course measure correction_world --steps 100"
    assert quick[4:] == ["_longer_trained"]


def test_finished_parts_are_kept_for_the_same_sizes_pairs_and_words(quick, tmp_path, monkeypatch):
    correction.measure(scratch=tmp_path / "scratch")
    told = r"json: was made under other settings: "
    for name, value, differs in (
        ("SIZES", replace(correction.SIZES, hidden=7), r"few-0\.json: .* sizes\.hidden was \d+, is now 7"),
        ("FEW", 900, r"few-0\.json: .* pairs was 1000, is now 900"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(correction, name, value)
            with pytest.raises(ValueError, match=differs):
                correction.measure(scratch=tmp_path / "scratch")
    found = correction.spelling.misspellings()
    monkeypatch.setattr(correction.spelling, "misspellings", lambda: replace(found, test=found.test[1:]))
    with pytest.raises(ValueError, match=rf"misspellings\.{told}words was"):
        correction.measure(scratch=tmp_path / "scratch")
    assert len(quick) == 4
