"""Model folders: whole or not at all, and read with care."""

import json

import pytest
import torch

from vae_course.applications.own import folder as folders
from vae_course.applications.own.folder import Kept
from vae_course.applications.own.sides import Side
from vae_course.text.vocabulary import Characters, Subwords, Vocabulary, Words

KEPT = Kept(
    "translate",
    {"longest": 7},
    {"a": torch.arange(6.0).view(2, 3).T, "b": torch.tensor([1, 2])},
    {"source.json": '{"é": "中"}'},
    {"scores": {"the model": {"chrF": 12.5}}},
)


def test_what_is_read_is_what_was_written(tmp_path):
    folders.write(tmp_path, KEPT)
    found = folders.read(tmp_path)
    assert (found.application, found.settings, found.files) == (KEPT.application, KEPT.settings, KEPT.files)
    assert all(torch.equal(found.weights[name], tensor) for name, tensor in KEPT.weights.items())
    assert found.about["scores"] == KEPT.about["scores"]
    assert found.about["versions"]["torch"] == torch.__version__


def test_a_folder_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"holds no trained model.*vae-course train makes one"):
        folders.read(tmp_path)
    (tmp_path / folders.CHECKPOINT).write_bytes(b"")
    with pytest.raises(ValueError, match="the same train command goes on from there"):
        folders.read(tmp_path)


def test_a_model_that_was_not_written_to_its_end_is_none(tmp_path, monkeypatch):
    whole = folders.write_whole

    def full(path, content):
        if path.name == folders.MODEL:
            raise OSError(f"{path}: no space left")
        whole(path, content)

    monkeypatch.setattr(folders, "write_whole", full)
    with pytest.raises(OSError, match="no space left"):
        folders.write(tmp_path, KEPT)
    with pytest.raises(ValueError, match="holds no trained model"):
        folders.read(tmp_path)


@pytest.mark.parametrize("name", [folders.WEIGHTS, "source.json"])
def test_a_file_that_is_missing_or_another_is_named(tmp_path, name):
    folders.write(tmp_path, KEPT)
    before = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(before[:-1])
    with pytest.raises(ValueError, match=f"{name}: is not what was written"):
        folders.read(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=f"{name}: is missing"):
        folders.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[", "is not JSON"),
        ("[]", "is of format None, expected 2"),
        ('{"format": 1}', "is of format 1, expected 2: another version"),
    ],
)
def test_a_description_by_others_is_refused(tmp_path, content, told):
    (tmp_path / folders.MODEL).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        folders.read(tmp_path)


def test_weights_that_are_none_are_named(tmp_path):
    folders.write(tmp_path, KEPT)
    (tmp_path / folders.WEIGHTS).write_bytes(b"none")
    document = json.loads((tmp_path / folders.MODEL).read_text(encoding="utf-8"))
    document["files"][folders.WEIGHTS] = folders._checksum(b"none")
    (tmp_path / folders.MODEL).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        folders.read(tmp_path)


# --- sides --------------------------------------------------------------------------------------------------------------

TEXTS = ["a cat sleeps", "a dog sleeps", "the cats  run", "a cat 睡"]


@pytest.mark.parametrize(
    "tokenizer", [Words(), Characters(), Subwords.train(TEXTS, 40)], ids=["words", "characters", "subwords"]
)
def test_a_side_is_the_same_after_it_was_kept(tokenizer):
    side = Side(tokenizer, Vocabulary.build([tokenizer.split(text) for text in TEXTS]))
    again = Side.from_json(side.to_json())
    assert again.vocabulary == side.vocabulary
    assert again.cut == side.cut
    for text in (*TEXTS, "a bat 跑", ""):
        assert again.encode(text) == side.encode(text)
    assert again.text(again.encode("the  cats run")) == "the cats run"


def test_what_a_side_does_not_know_is_counted():
    side = Side(Characters(), Vocabulary.build([tuple("abc")]))
    assert side.unknown(["abxcy", "a", ""]) == 2
