"""A reader's own copies of the lessons, in ``work/``: made once, never overwritten. The reader's progress lies there too."""

import hashlib
import json
from datetime import date
from pathlib import Path

from vae_course.course import lessons
from vae_course.course.lessons import Lesson
from vae_course.whole_files import free_name, write_whole

EDITIONS = ".editions.json"  # in the folder: of which edition each copy was made, as a digest of the lesson


def folder() -> Path:
    """Where the copies lie: beside the lessons' own folder."""
    return lessons.NOTEBOOKS.parent / "work"


def progress() -> Path:
    """The file that keeps which exercises are done."""
    return folder() / "progress.json"


def bring_up_to_date(chosen: list[Lesson]) -> list[str]:
    """Copy lessons that have no copy yet, and those that changed since they were copied; return what is to be told.

    A copy that was never saved with a change gives way to the new edition. One that was stays as it is, and the new edition
    lies beside it under another name. Raises ``ValueError`` where the folder cannot be written.
    """
    told, editions = [], _editions()
    for lesson in chosen:
        copy, edition = folder() / lesson.path.name, _digest(lesson.path)
        if not copy.exists():
            _copy(lesson.path, copy)
        elif editions.get(lesson.name) != edition:
            if _digest(copy) in (edition, editions.get(lesson.name)):
                _copy(lesson.path, copy)
            else:
                beside = free_name(copy, "new edition")
                _copy(lesson.path, beside)
                told.append(f"{lesson.name} has changed since you copied it; the new edition lies beside yours: {beside.name}")
        editions[lesson.name] = edition
    _write(folder() / EDITIONS, json.dumps(editions, indent=1) + "\n")
    return told


def begin_again(lesson: Lesson) -> str:
    """Make a fresh copy of a lesson; the reader's own is kept under another name. Returns what is to be told."""
    copy, told = folder() / lesson.path.name, f"{lesson.name}: a fresh copy"
    if copy.exists():
        kept = free_name(copy, f"until {date.today().isoformat()}")
        copy.rename(kept)
        told += f"; yours is kept as {kept.name}"
    bring_up_to_date([lesson])
    return told


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, target: Path) -> None:
    _write(target, source.read_bytes())


def _write(path: Path, content: str | bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise ValueError(
            f"{error}. Your copies of the lessons belong there: make room, or copy the whole course to a folder of yours. "
            "vae-course lab --originals opens the lessons themselves"
        ) from error


def _editions() -> dict[str, str]:
    """Unreadable notes count as none: then every copy is taken to be changed, and nothing is overwritten."""
    try:
        found = json.loads((folder() / EDITIONS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
