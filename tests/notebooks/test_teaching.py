"""What the guide for teachers says of lessons and exercises is so."""

import re
from pathlib import Path

from vae_course.course.lessons import all_lessons
from vae_course.exercises.catalogue import number_of

GUIDE = (Path(__file__).parents[2] / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")


def test_the_minutes_of_its_plans_are_those_of_the_lessons():
    minutes = {lesson.name[:2]: lesson.minutes for lesson in all_lessons()}
    plans = re.findall(r"^\| \d, [^|]+\| ((?:\d\d(?:, )?)+) \| (\d+) \|$", GUIDE, re.MULTILINE)
    assert len(plans) == 6
    for lessons, told in plans:
        assert sum(minutes[lesson] for lesson in lessons.split(", ")) == int(told)
    projects = re.search(r"Lessons (\d\d) and (\d\d) \((\d+) minutes each\)", GUIDE)
    assert {minutes[projects[1]], minutes[projects[2]]} == {int(projects[3])}


def test_the_exercises_that_it_names_have_these_numbers():
    named = re.findall(r"(\d+\.\d) `(\w+)`", GUIDE)
    assert len(named) >= 9
    for number, name in named:
        assert number_of(name) == number
