"""Names of downloads as Canvas and Moodle give them, and tables that they import."""

import csv

import pytest

from vae_course.course.classroom.platforms import Grade, canvas_csv, moodle_csv, student, table


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("smithbob_340934_208490284_02_kl_divergence.ipynb", ("smithbob", "340934", False)),
        ("submissions/smithbob_LATE_340934_208490284_02_kl_divergence-1.ipynb", ("smithbob", "340934", True)),
        ("delacruzanna_maria_5_6_x.ipynb", ("delacruzanna_maria", "5", False)),
        ("latelyann_7_8_x_9_10_y.ipynb", ("latelyann", "7", False)),
        ("Toni Marie Noel_657693_assignsubmission_file_/02_kl_divergence.ipynb", ("Toni Marie Noel", "657693", False)),
        ("Toni Marie Noel_657693_assignsubmission_file", ("Toni Marie Noel", "657693", False)),
        ("Åsa Öberg_12_assignsubmission_file_02_kl_divergence.ipynb", ("Åsa Öberg", "12", False)),
        ("Participant_12345_assignsubmission_file_/a/b.ipynb", ("Participant", "12345", False)),
        ("smithbob (340934)", ("smithbob", "340934", False)),
        ("submitted/anna/notebook.ipynb", ("notebook", None, False)),
        ("student_1", ("student_1", None, False)),
        ("anna_2024.ipynb", ("anna_2024", None, False)),
    ],
)
def test_whose_a_download_is(path, whose):
    assert student(path) == whose


GRADES = [
    Grade("Smith, Bob", "340934", 4.5, 6, "kl_discrete 0"),
    Grade("=cmd()", None, None, 6, "not graded: it is no notebook"),
]


def rows(text):
    return list(csv.reader(text.splitlines()))


def test_canvas_gets_the_columns_that_it_looks_for():
    head, possible, *students = rows(canvas_csv("02_kl_divergence", GRADES))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "02_kl_divergence"]
    assert possible == ["    Points Possible", "", "", "", "", "6"]
    assert students == [["Smith, Bob", "340934", "", "", "", "4.5"], ["'=cmd()", "", "", "", "", ""]]


def test_moodle_gets_the_columns_that_it_looks_for():
    head, *students = rows(moodle_csv(GRADES))
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= set(head)  # Moodle refuses others
    assert [dict(zip(head, one, strict=True)) for one in students] == [
        {
            "Identifier": "Participant 340934",
            "Full name": "Smith, Bob",
            "Grade": "4.5",
            "Maximum Grade": "6",
            "Last modified (grade)": "-",
            "Feedback comments": "kl_discrete 0",
        },
        {
            "Identifier": "",
            "Full name": "'=cmd()",
            "Grade": "",
            "Maximum Grade": "6",
            "Last modified (grade)": "-",
            "Feedback comments": "not graded: it is no notebook",
        },
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_a_text(start):
    (row,) = csv.reader([table([[f"{start}HYPERLINK(1)", "plain - and = inside"]])])
    assert row == [f"'{start}HYPERLINK(1)", "plain - and = inside"]
