# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import (
    claims as claims,
    classroom as classroom,
    cli as cli,
    expectations as expectations,
    jupyterlab as jupyterlab,
    lessons as lessons,
    options as options,
    own as own,
    pages as pages,
    ranges as ranges,
    running as running,
    runs as runs,
    storing as storing,
    widgets as widgets,
    work as work,
)
from .expectations import expect as expect
from .lessons import Lesson as Lesson, all_lessons as all_lessons, find_lessons as find_lessons
from .widgets import Chooser as Chooser, Explorer as Explorer, Slider as Slider, TextBox as TextBox
