"""What a reader has done, kept in one file in the reader's own folder, in a course that ``vae-course lab`` opened.

Elsewhere nothing is kept, and nothing leaves the machine. Light, so that opening the course takes no time.
"""

import json
import os
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock

from vae_course.whole_files import free_name, write_whole

# By an exercise's permanent name: whether it is ``done``, how many ``hints`` were read, whether the ``solution`` was.
Records = dict[str, dict[str, int]]

VARIABLE = "VAE_COURSE_PROGRESS"  # in a kernel's environment: the file; empty or missing where nothing is kept
KEPT = ("done", "hints", "solution")
PATIENCE = 10  # seconds to wait for another kernel that writes

_said: set[str] = set()


def kept_in() -> Path | None:
    """The file that progress is kept in; None where there is none, as outside of ``vae-course lab``."""
    return Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def note(name: str, **seen: int) -> str:
    """Remember of an exercise that it is ``done``, how many ``hints`` were read, or that its ``solution`` was.

    Returns what is to be told: nothing, or a line about a file that could not be read, or cannot be written; the latter once.
    """
    file = kept_in()
    if file is None:
        return ""
    try:
        with _alone_with(file):
            records, told = _read(file)
            record = records.get(name, {})
            more = {key: value for key, value in seen.items() if value > record.get(key, 0)}
            if more:
                write_whole(file, json.dumps(records | {name: record | more}, indent=1) + "\n")
            return told
    except OSError as error:
        told = f"(Your progress is not kept: {error})"
        first = told not in _said
        _said.add(told)
        return told if first else ""


def report(file: Path | None = None) -> str:
    """Which exercises are done, lesson by lesson; of the kernel's own ``file`` without any.

    Where nothing is kept it is a line that says what would stand here, the same for every reader.
    """
    file = file or kept_in()
    if file is None:
        return "In a course that vae-course lab has opened, this shows which exercises you have done."
    try:
        records, told = _read(file)
    except OSError as error:
        return f"Your progress cannot be read: {error}"
    return "\n".join([*filter(None, [told]), *_lines(records)])


def reset(file: Path) -> str:
    """Begin anew: lay the file aside under another name. Returns what is to be told. Raises ``OSError`` where that fails."""
    if not file.exists():
        return "No progress has been kept yet."
    with _alone_with(file):
        aside = file.rename(free_name(file, f"until {date.today().isoformat()}"))
    return f"Your progress begins anew; the old one is kept as {aside.name}"


def _alone_with(file: Path) -> FileLock:
    """A lock, so that of two kernels one waits for the other. Entering it raises ``OSError`` where it cannot be had."""
    return FileLock(file.with_name(f".{file.name}.lock"), timeout=PATIENCE)


def _read(file: Path) -> tuple[Records, str]:
    """The records, and what is to be told. A file that holds none is kept under another name. Raises ``OSError``."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except ValueError:
        found = None
    if isinstance(found, dict) and all(map(_is_record, found.values())):
        return found, ""
    aside = file.rename(free_name(file, "unreadable"))
    return {}, f"(Your progress could not be read and begins anew; the old file is kept as {aside.name})"


def _is_record(found: Any) -> bool:  # noqa: ANN401 - whatever a file may hold
    """What another edition has added to a record is left alone."""
    return isinstance(found, dict) and all(isinstance(found.get(key, 0), int) for key in KEPT)


def _lines(records: Records) -> list[str]:
    from vae_course.exercises.catalogue import all_exercises, by_lesson, number_of  # brings torch

    lines = []
    for lesson, exercises in by_lesson().items():
        names = [exercise.name for exercise in exercises]
        lines.append(f"lesson {lesson:02}: {_count(records, names)}")
        lines += [f"    {number_of(name)} {name}: {_told(records[name])}" for name in names if name in records]
    lines.append(f"in all: {_count(records, all_exercises())}")
    if strange := [name for name in records if name not in all_exercises()]:
        lines.append(f"kept, and not counted, of another edition of the course: {', '.join(strange)}")
    return lines


def _count(records: Records, names: Collection[str]) -> str:
    return f"{sum(bool(records.get(name, {}).get('done')) for name in names)} of {len(names)} done"


def _told(record: dict[str, int]) -> str:
    hints = record.get("hints", 0)
    parts = {
        "done": record.get("done"),
        f"{hints} hint{'s' * (hints != 1)} read": hints,
        "solution read": record.get("solution"),
    }
    return ", ".join(part for part, there in parts.items() if there)
