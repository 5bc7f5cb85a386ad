"""The commands for a text of one's own, as a person types them."""

import pytest
from typer.testing import CliRunner

from vae_course.applications.own import correct, generate, sentences, translate
from vae_course.course import own
from vae_course.course.cli import app
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes

COLOURS, ANIMALS = ("red", "big", "old", "sad", "new"), ("cat", "dog", "bird", "fish", "horse")
PAIRS = [(f"{k} {colour} {animal}s", f"{animal}s {colour} {k}") for k in range(10) for colour in COLOURS for animal in ANIMALS]


def call(*arguments, given=None):
    return CliRunner().invoke(app, list(map(str, arguments)), input=given)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(translate, "SMALL", TextSizes(embedding=16, hidden=16, encoder="lstm", tied=True))
    monkeypatch.setattr(translate, "SMALL_BUDGET", Budget(steps=40, batch_size=32, learning_rate=2e-2, checks=2))
    monkeypatch.setattr(translate, "QUICK_STEPS", 10)
    monkeypatch.setattr(sentences, "SIZES", TextSizes(embedding=16, hidden=16, latent=4))
    monkeypatch.setattr(correct, "SIZES", TextSizes(embedding=16, hidden=16))
    for module in (sentences, correct):
        monkeypatch.setattr(module, "QUICK_STEPS", 20)
    monkeypatch.setattr(generate, "DRAWS", 2)
    monkeypatch.setattr(generate, "TRIED", 5)
    monkeypatch.setattr(correct, "LEAVES", (10.0,))
    monkeypatch.setattr(correct, "COSTS", (12.0,))
    monkeypatch.setattr(correct, "TUNED", 5)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS), encoding="utf-8")
    return path


@pytest.fixture
def model(file, tmp_path):
    result = call("train", "translate", file, "--to", tmp_path / "model", "--quick")
    assert result.exit_code == 0, result.output
    return tmp_path / "model"


def test_training_tells_what_was_taken_how_it_scores_and_what_comes_next(file, tmp_path):
    result = call("train", "translate", file, "--to", tmp_path / "model", "--quick")
    assert result.exit_code == 0
    assert f"{file}: 226 for train, 12 for validation, 12 for test" in result.output
    assert "the translation of the most similar training text" in result.output
    assert "10 steps in" in result.output
    assert "Quick: 25% of the usual 40 steps" in result.output
    assert f"vae-course translate {tmp_path / 'model'} FILE" in result.output
    whole = call("train", "translate", file, "--to", tmp_path / "other")
    assert "40 steps in" in whole.output
    assert "Quick" not in whole.output


def test_a_line_is_written_for_each_line_that_is_read(model, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("3 red cats\r\n\r\n4 old dogs\r\n", encoding="utf-8")
    from_file, from_input = call("translate", model, lines), call("translate", model, given="3 red cats\n\n4 old dogs\n")
    assert from_file.exit_code == from_input.exit_code == 0
    assert from_file.output == from_input.output
    assert [bool(line) for line in from_file.output.split("\n")] == [True, False, True, False]


def test_what_was_never_seen_is_told(model):
    result = call("translate", model, given="3 red cats\n3 red cats and 猫\n")
    assert "Line 2: parts of words that were never seen in training" in " ".join(result.stderr.split())
    assert len(result.stdout.splitlines()) == 2
    assert not call("translate", model, given="3 red cats\n").stderr


def test_a_model_is_scored_on_another_file(model, file):
    result = call("evaluate", model, file)
    assert result.exit_code == 0
    assert [line.split("  ")[0] for line in result.output.strip().split("\n")] == [
        "on this file",
        "the source as it is",
        "the model",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("translate", "{folder}"), "holds no trained model"),
        (("translate", "{model}", "{folder}/none.txt"), "none.txt: there is no such file"),
        (("translate", "{model}", "{file}"), "is a table or JSON; expected a text a line"),
        (("train", "translate", "{folder}/none.tsv", "--to", "{folder}/new"), "none.tsv: is neither a file here"),
        (("train", "translate", "{file}", "--to", "{model}"), "holds a trained model already"),
        (("train", "translate", "{file}", "--to", "{file}"), "is a file, not a folder"),
        (("train", "translate", "{file}", "--to", "{folder}/new", "--columns", "1"), "--columns: expected two"),
        (("train", "translate", "{file}", "--to", "{folder}/new", "--columns", "1,2,2"), "--columns: expected different"),
        (("evaluate", "{model}", "{file}", "--columns", "1,1"), "--columns: expected different"),
        (("train", "translate", "{file}", "--to", "{folder}/new", "--columns", "1,7"), "expected 2 of 2 columns"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(arguments, told, model, file, tmp_path):
    places = {"model": model, "file": file, "folder": tmp_path}
    result = call(*(argument.format(**places) for argument in arguments))
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "new").exists()


def test_input_that_is_no_text_is_refused(model):
    assert "standard input, line 2: the byte 0xff" in call("translate", model, given=b"a\n\xff\n").stderr
    assert "standard input: is empty" in call("translate", model, given="").stderr


def test_ctrl_c_says_how_to_go_on(file, tmp_path, monkeypatch):
    chrf, calls = translate.chrf, []

    def stopped(written, expected):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return chrf(written, expected)

    monkeypatch.setattr(translate, "chrf", stopped)
    first = call("train", "translate", file, "--to", tmp_path / "model")
    assert first.exit_code == own.STOPPED
    assert "the same command goes on from there" in first.stderr
    again = call("train", "translate", file, "--to", tmp_path / "model")
    assert again.exit_code == 0
    assert "going on from where it was stopped" in again.output


def test_ctrl_c_while_a_model_is_used_says_that_nothing_was_kept(model, monkeypatch):
    def stopped(self, texts):
        raise KeyboardInterrupt

    monkeypatch.setattr(translate.Translator, "__call__", stopped)
    result = call("translate", model, given="3 red cats")
    assert result.exit_code == own.STOPPED
    assert "nothing was kept" in result.stderr


# --- the other applications ----------------------------------------------------------------------------------------------


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(f"The {source} sleep here.\n" for source, _ in PAIRS), encoding="utf-8")
    return path


def test_texts_are_written_and_walked_between(text, tmp_path):
    model = tmp_path / "model"
    trained = call("train", "generate", text, "--to", model, "--quick")
    assert trained.exit_code == 0
    assert trained.output.endswith(f"Use it: vae-course generate {model}\n")
    result = call("generate", model, "--count", 3)
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 3
    assert call("generate", model, "--count", 3).output == result.output != call("generate", model, "--seed", 1).output
    asked = call("generate", model, "--with", "cats sleep")
    assert all("cats" in line.lower() and "sleep" in line for line in asked.stdout.splitlines())
    assert "zebra" in call("generate", model, "--with", "zebra").stderr
    assert (
        len(
            call(
                "interpolate", model, "--steps", 4, given="The 3 red cats sleep here.\nThe 5 old dogs sleep here."
            ).output.splitlines()
        )
        == 4
    )
    refused = call("interpolate", model, given="one line")
    assert (refused.exit_code, "expected two lines with text" in refused.stderr) == (2, True)
    assert "perplexity per token" in call("evaluate", model, text).output


def test_labels_are_asked_for(tmp_path):
    table = tmp_path / "text.csv"
    table.write_text("text,kind\n" + "".join(f"{source},{source.split()[1]}\n" for source, _ in PAIRS), encoding="utf-8")
    model = tmp_path / "model"
    result = call("train", "generate", table, "--to", model, "--label", "kind", "--quick")
    assert result.exit_code == 0
    assert "labels: " in result.output
    assert call("generate", model, "--label", "red", "--count", 2).exit_code == 0
    assert "label: 'blue' is not known well enough" in call("generate", model, "--label", "blue").stderr


def test_groups_are_summarized(tmp_path):
    groups = tmp_path / "groups.txt"
    groups.write_text("\n\n".join(f"{a} {b}\n{b} and {a}\n{a} , {b}" for a, b in PAIRS), encoding="utf-8")
    model = tmp_path / "model"
    assert call("train", "summarize", groups, "--to", model, "--quick").exit_code == 0
    result = call("summarize", model, given="3 red cats\ncats red 3\n\n4 old dogs\ndogs old 4\n")
    assert len(result.output.splitlines()) == 2
    assert "ROUGE-1" in call("evaluate", model, groups).output
    assert "use vae-course summarize" in call("translate", model, given="a").stderr
    assert "has no columns to choose" in call("evaluate", model, groups, "--columns", "1,2").stderr


def test_text_is_corrected_and_changes_are_marked(text, tmp_path):
    model = tmp_path / "model"
    assert call("train", "correct", text, "--to", model, "--quick").exit_code == 0
    written = "The 3 red cats slepe here.\n\nThe 4 old dogs sleep here.\n"
    result, marked = call("correct", model, given=written), call("correct", model, "--marks", given=written)
    assert result.exit_code == marked.exit_code == 0
    assert len(result.output.splitlines()) == 3
    assert marked.output.replace("[slepe>sleep]", "slepe").splitlines()[1:] == written.splitlines()[1:]
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("The 3 red cats slepe here.\tThe 3 red cats sleep here.\n", encoding="utf-8")
    assert "non-words" in call("evaluate", model, pairs).output
