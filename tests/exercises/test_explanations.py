"""Tasks in words: their cells, and what each one must have."""

import re

import pytest

from vae_course.exercises import Explanation, all_explanations, catalogue, explanations

WHY = Explanation("why", "Why is $a < b$?", model="Because. And so.", rubric=("it is;", "and so."))


def test_its_cell_asks_and_folds_the_model_answer_and_the_rubric():
    asked, folded = explanations.cell(WHY).split("\n\n", 1)
    assert asked == "**In your own words.** Why is $a < b$? Take two sentences, and only then unfold ours."
    assert folded.startswith("<details><summary>An answer, and what a good one holds</summary>\n\nBecause. And so.\n\n")
    assert folded.endswith("\n\n- it is;\n- and so.\n\n</details>")


def test_every_lesson_but_the_first_has_one_and_four_have_two():
    counts = {lesson: len(several) for lesson, several in catalogue.explanations_by_lesson().items()}
    assert {lesson for lesson, count in counts.items() if count == 0} == {0}
    assert {lesson for lesson, count in counts.items() if count == 2} == {3, 4, 8, 9}
    assert max(counts.values()) == 2


@pytest.mark.parametrize("task", all_explanations().values(), ids=lambda task: task.name)
def test_a_question_has_an_answer_of_two_to_four_sentences_and_a_rubric(task):
    assert task.question.endswith("?")
    assert 2 <= len(re.findall(r"[.?!](?: |$)", task.model)) <= 4
    assert 2 <= len(task.rubric) <= 4
    assert all(point.endswith(";") for point in task.rubric[:-1])
    assert task.rubric[-1].endswith(".")
