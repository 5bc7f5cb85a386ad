"""Every lesson on an accelerator, a pretended or a real one: it runs, and every expectation lies in its range.

Outputs are not compared with the stored ones, since other hardware rounds otherwise.
"""

from pathlib import Path

import pytest

from vae_course.course.lessons import NOTEBOOKS, Lesson
from vae_course.course.ranges import values_under

SIMULATED = Path(__file__).parents[1] / "devices"
SETTINGS = {
    "cuda": 'device = "cuda"',
    "sim": f"""import sys
sys.path.append({str(SIMULATED)!r})
import simulated_device
simulated_device.for_the_lessons()
device = "sim"
""",
}


@pytest.mark.on_device
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_lesson_keeps_what_it_claims(path, request, record_property):
    record_property("lesson", path.stem)
    _, values = values_under(Lesson.read(path), SETTINGS[request.config.getoption("--device")])
    assert values
    assert [v for v in values if not v.held] == []
