"""Summaries of groups and documents of one's own: files read, candidates chosen, kept and read again."""

import itertools
import json

import pytest

from vae_course.applications.own import evaluation, sentences, summarize, task as tasks
from vae_course.applications.own.groups import Group, groups_in, passages, read_groups, sentences_of
from vae_course.applications.summarization import rouge
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes

THINGS, JUDGEMENTS = (
    ("room", "food", "staff", "view", "bed"),
    ("good", "clean", "poor", "friendly", "small", "cold", "fine", "old"),
)
ENDS = ("we liked it", "would go again", "not for us", "it was cheap", "a long stay")
GROUPS = [
    [
        f"the {thing} was {judgement}",
        f"a {judgement} {thing} and {end}",
        f"{judgement} {thing} , {end}",
        f"the {thing} is very {judgement}",
    ]
    for thing, judgement, end in itertools.product(THINGS, JUDGEMENTS, ENDS)
]


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(sentences, "SIZES", TextSizes(embedding=32, hidden=48))
    monkeypatch.setattr(sentences, "BUDGET", Budget(steps=300, batch_size=32, learning_rate=1e-2, checks=6))
    monkeypatch.setattr(sentences, "QUICK_STEPS", 20)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "reviews.txt"
    path.write_text("\n\n".join("\n".join(group) for group in GROUPS) + "\n", encoding="utf-8")
    return path


def test_a_file_becomes_a_summarizer_no_worse_than_the_medoid_on_the_group(tiny, file, tmp_path):
    report = tasks.run(summarize.prepared(file), tmp_path / "model", None, print)
    (_, medoid), (_, model) = report.scores
    assert model["ROUGE-1"] > 0.8 * medoid["ROUGE-1"]
    summarizer, again = (evaluation.loaded(tmp_path / "model", "summarize") for _ in range(2))
    group = Group(GROUPS[3], False)
    assert summarizer([group]) == again([group])
    for texts in GROUPS[::40]:
        summary = summarizer.summary(texts)
        own = [likeness(text, [other for other in texts if other != text]) for text in texts]
        found = max(own) if not summary.is_new else likeness(summary.text, texts)
        assert found >= max(own) - 1e-9
        assert summarizer.choice(texts).medoid == texts[own.index(max(own))]
        assert summarizer.likeness_to_others(texts).tolist() == pytest.approx(own)
        assert summary.is_new == (summary.text not in texts)
    document = Group([text for group in GROUPS[:3] for text in group], True)
    assert len(summarizer.summaries(document)) == 2  # twelve sentences in passages of six
    assert dict(evaluation.scores(tmp_path / "model", file))["the model"]["ROUGE-1"] > 20


def likeness(text, others):
    """ROUGE-1 by rouge-score, on average."""
    return float(rouge([tuple(text.split())] * len(others), [tuple(other.split()) for other in others])["ROUGE-1"].mean())


def test_a_group_of_one_text_is_summarized_by_it(tiny, file, tmp_path):
    tasks.run(summarize.prepared(file, quick=True), tmp_path / "model", None, print)
    summarizer = evaluation.loaded(tmp_path / "model", "summarize")
    assert summarizer.summary(["the room was good"]) == summarize.Summary("the room was good", is_new=False)
    assert summarizer.choice([""]).medoid == ""


class Stub(summarize.Summarizer):
    """Writes what it is told to, with a lead that it is told."""

    def choice(self, texts):
        return self.choices[texts[0]]

    def words(self, text):
        return tuple(text.split())


def test_what_is_written_is_taken_from_the_lead_on_that_is_best_on_validation():
    groups = [Group([text, "x", meant], False) for text, meant in (("a", "p q"), ("b", "r s"), ("c", "t u"))]
    summarizer = Stub(None)
    summarizer.__dict__["choices"] = {
        "a": summarize.Choice("medoid", "p q", 0.15),  # right, with a large lead
        "b": summarize.Choice("r s", "wrong", 0.04),  # wrong, with a small one
        "c": summarize.Choice("t u", "t u", 0.07),
    }
    assert summarize.fitting(summarizer, groups).margin == 0.1
    assert summarize.fitting(summarizer, groups[1:]).margin == 1.0  # the largest of the equally good ones: nothing is taken
    assert summarize.fitting(summarizer, []).margin == 0.0
    assert [summarize.Choice("own", "new", 0.1).made(margin) for margin in (0.05, 0.1)] == ["new", "own"]


def test_summaries_of_the_file_are_the_references(tiny, tmp_path):
    path = tmp_path / "reviews.jsonl"
    rows = ({"texts": group, "summary": group[0]} for group in GROUPS)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    task = summarize.prepared(path, quick=True)
    assert task.groups["test"][0].summary.startswith("the ")
    report = tasks.run(task, tmp_path / "model", None, print)
    assert report.scores[0][1]["ROUGE-1"] > 50  # the medoid is often the reference itself


# --- files --------------------------------------------------------------------------------------------------------------


def test_groups_and_documents_are_told_apart():
    assert groups_in("a b\nc  d\n\n\ne f. G h!\n") == [Group(["a b", "c d"], False), Group(["e f.", "G h!"], True)]
    assert groups_in("one. Two.\nthree\n") == [Group(["one.", "Two."], True), Group(["three"], True)]
    assert sentences_of('He said "no." Then 3.5 left. 好。不！') == ['He said "no."', "Then 3.5 left.", "好。", "不！"]


def test_json_has_texts_or_a_text(tmp_path):
    lines = ['{"texts": ["a", "b c"]}', '["a", "b"]', "", '{"text": "A. B.", "summary": "C."}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    expected = [Group(["a", "b c"], False), Group(["a", "b"], False), Group(["A.", "B."], True, "C.")]
    assert read_groups(tmp_path / "a.jsonl") == expected
    (tmp_path / "a.json").write_text("[" + ",".join(filter(None, lines)) + "]", encoding="utf-8")
    assert read_groups(tmp_path / "a.json") == expected


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", '{"texts": []}', "a.jsonl, line 1: has no texts; expected"),
        ("a.jsonl", '["a"]\n{"texts": ["", "b"]}', "a.jsonl, line 2: has no texts"),
        ("a.jsonl", '{"text": "a", "summary": 3}', 'line 1: "summary" is no text'),
        ("a.jsonl", "[", "a.jsonl, line 1: is not JSON"),
        ("a.json", "{}", "a.json: is no list"),
        ("a.json", "[3]", "a.json, item 1: has no texts"),
        ("a.txt", "", "is empty"),
    ],
)
def test_what_holds_no_groups_is_told_with_its_place(tmp_path, name, content, told):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        read_groups(tmp_path / name)


def test_too_few_groups_are_refused(tmp_path):
    (tmp_path / "few.txt").write_text("a\nb\n\nc\nd\n\ne\nf\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has 3 groups or documents, which leave 1 to be scored on; expected at least 200"):
        summarize.prepared(tmp_path / "few.txt")


def test_passages_are_of_about_one_length():
    assert [len(part) for part in passages(list("abcdefghijklm"), 6)] == [4, 5, 4]
    assert passages(["a"], 6) == [["a"]]
    assert ["".join(part) for part in passages(list("abcdef"), 6)] == ["abcdef"]
