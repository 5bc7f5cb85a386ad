"""The lessons as files: where they are, and what their headers say. Light, so that listing them takes no time."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

QUESTION = re.compile(r"^# (?P<number>\d\d) · (?P<question>.+)$", re.MULTILINE)
TIMES = re.compile(r"\*\*(?P<minutes>\d+) minutes, exercises included · (?P<seconds>\d+) seconds to run\*\*")


def times_told(minutes: int, seconds: int) -> str:
    """A lesson's times as its header tells them, and as ``TIMES`` reads them."""
    return f"**{minutes} minutes, exercises included · {seconds} seconds to run**"


@dataclass(frozen=True)
class Lesson:
    """A lesson and what its header promises: the question, minutes with its exercises, and the measured seconds to run."""

    path: Path
    question: str
    minutes: int
    seconds: int

    @property
    def name(self) -> str:
        """The file's name without its ending, such as ``02_kl_divergence``."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The two digits that the name begins with."""
        return self.name[:2]

    @property
    def title(self) -> str:
        """The lesson's heading, such as ``02 · How far is one distribution from another?``."""
        return f"{self.number} · {self.question}"

    @classmethod
    def read(cls, path: Path) -> "Lesson":
        """Read a lesson's header. Raises ``ValueError`` where it does not have the agreed form."""
        header = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        question, times = QUESTION.search(header), TIMES.search(header)
        if question is None or times is None:
            raise ValueError(
                f"{path.name}: the first cell must hold '# NN · question' and "
                "'**N minutes, exercises included · N seconds to run**'; it does not"
            )
        return cls(path, question["question"], int(times["minutes"]), int(times["seconds"]))


def all_lessons() -> list[Lesson]:
    """Every lesson in reading order. Raises ``FileNotFoundError`` where the package was installed without the notebooks."""
    paths = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"{NOTEBOOKS}: no lessons there; install from the course's own folder with pip install -e .")
    return [Lesson.read(path) for path in paths]


def find_lessons(names: Sequence[str]) -> list[Lesson]:
    """The named lessons, all of them for no name; "02" is short for "02_kl_divergence".

    Raises ``ValueError`` for an unknown name, with the close matches.
    """
    lessons = all_lessons()
    by_name = {lesson.name: lesson for lesson in lessons} | {lesson.name[:2]: lesson for lesson in lessons}
    for name in names:
        if name not in by_name:
            close = difflib.get_close_matches(name, by_name, cutoff=0.4) or [lesson.name for lesson in lessons]
            raise ValueError(f"there is no lesson {name!r}; did you mean {' or '.join(close)}?")
    return [by_name[name] for name in names] if names else lessons


def course_map() -> str:
    """The lessons, a line each: number, question and minutes; and the minutes of all."""
    lessons = all_lessons()
    lines = [f"{lesson.name[:2]}  {lesson.question:58} {lesson.minutes:4} min" for lesson in lessons]
    return "\n".join([*lines, f"{'':4}{'in all':58} {sum(lesson.minutes for lesson in lessons):4} min"])
