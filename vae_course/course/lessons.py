"""The lessons as files: where they are, and what their headers say. Light, so that listing them takes no time."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = (
    "00_start_here",
    "01_autoencoders",
    "02_kl_divergence",
    "03_reparameterization",
    "04_elbo",
    "05_vae",
    "06_vae_and_gan",
    "07_text_vae",
    "08_posterior_collapse",
    "09_preventing_collapse",
    "10_latent_space",
    "11_generation",
    "12_summarization",
    "13_translation",
    "15_correction",
    "16_discrete_latents",
    "17_article_audit",
)

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
        """Read a lesson's header. Raises ``ValueError`` where there is none of the agreed form, with the file's name."""
        try:
            header = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        except FileNotFoundError:
            raise ValueError(f"{path.name}: is not there; git restore {path.parent.name}/{path.name} brings it back") from None
        except (ValueError, LookupError, TypeError) as error:
            raise ValueError(f"{path.name}: is no whole notebook ({error}); a conflict or a stop may have cut it") from error
        question, times = QUESTION.search(header), TIMES.search(header)
        if question is None or times is None:
            raise ValueError(
                f"{path.name}: the first cell must hold '# NN · question' and "
                "'**N minutes, exercises included · N seconds to run**'; it does not"
            )
        return cls(path, question["question"], int(times["minutes"]), int(times["seconds"]))


def all_lessons() -> list[Lesson]:
    """Every lesson that can be read, in reading order; ``passed_over`` tells of the others.

    Raises ``FileNotFoundError`` where the package was installed without the notebooks.
    """
    return _readable(_read())


def passed_over() -> list[str]:
    """Notebooks in the lessons' folder that are none of the course's, and ``unreadable`` lessons, each with the reason."""
    strays = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb") if path.stem not in NAMES)
    return [*unreadable(), *(f"{name}: is none of the course's lessons" for name in strays)]


def unreadable() -> list[str]:
    """The course's own lessons that cannot be read, with the reason."""
    return [str(found) for found in _read().values() if isinstance(found, ValueError)]


def _read() -> dict[str, Lesson | ValueError]:
    if not any(NOTEBOOKS.glob("*.ipynb")):
        raise FileNotFoundError(f"{NOTEBOOKS}: no lessons there; install from the course's own folder with pip install -e .")
    found: dict[str, Lesson | ValueError] = {}
    for name in NAMES:
        try:
            found[name] = Lesson.read(NOTEBOOKS / f"{name}.ipynb")
        except ValueError as error:
            found[name] = error
    return found


def _readable(found: dict[str, Lesson | ValueError]) -> list[Lesson]:
    return [lesson for lesson in found.values() if isinstance(lesson, Lesson)]


def find_lessons(names: Sequence[str]) -> list[Lesson]:
    """The named lessons, all of them for no name; "02" and "kl" are short for "02_kl_divergence".

    Raises ``ValueError`` for an unknown name, with the close matches if there are any, for one that fits several, and for a
    broken lesson.
    """
    found = _read()
    return [_lesson(name, found) for name in names] if names else _readable(found)


def _lesson(name: str, found: dict[str, Lesson | ValueError]) -> Lesson:
    fitting = [known for known in found if name.lower() in known.split("_", 1)[1] or name in (known, known[:2])]
    if len(fitting) != 1:
        close = fitting or difflib.get_close_matches(name, found, cutoff=0.4)
        told = f"did you mean {' or '.join(close)}?" if close else "vae-course list shows those that there are"
        raise ValueError(f"there is no lesson {name!r}; {told}")
    lesson = found[fitting[0]]
    if isinstance(lesson, ValueError):
        raise lesson
    return lesson


def course_map() -> str:
    """The lessons, a line each: number, question and minutes; and the minutes of all."""
    lessons = all_lessons()
    lines = [f"{lesson.number}  {lesson.question:58} {lesson.minutes:4} min" for lesson in lessons]
    return "\n".join([*lines, f"{'':4}{'in all':58} {sum(lesson.minutes for lesson in lessons):4} min"])
