"""The secret of a course: the seed that draws the private cases. It is the teacher's, and nowhere in what students get."""

import secrets
from pathlib import Path

from vae_course.whole_files import write_whole

NAME = "private_seed"


def private_seed(folder: Path) -> int:
    """The seed that is kept in ``folder``, drawn at the first call.

    Raises ``ValueError``, naming the file, for one that is no such number, or that cannot be read or written.
    """
    path = folder / NAME
    try:
        if not path.exists():
            write_whole(path, f"{1 + secrets.randbelow(2**62)}\n")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: the seed of the private cases cannot be kept there: {error}") from error
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise ValueError(f"{path}: expected the seed of the private cases, a whole number from 1; got {text[:40]!r}")
    return int(text)


def seed_of_this_course() -> int:
    """The seed of the course whose folder the notebook lies in, which nbgrader runs there; so it stands in no notebook.

    Raises ``FileNotFoundError`` where no folder from the working one upwards keeps one, and what ``private_seed`` raises.
    """
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / NAME).exists():
            return private_seed(folder)
    raise FileNotFoundError(f"{Path.cwd()}: there is no file {NAME} from there upwards; it belongs to a course for nbgrader")
