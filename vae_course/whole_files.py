"""Files written whole or not at all: a full disk, a missing right, a run stopped in between leave what was there before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Make ``content`` all that the file ``path`` holds; a text in UTF-8, its line ends the same on every system.

    Folders that are missing are made. Until the last byte is safe the old content stays.
    Raises ``OSError``, with ``path`` and the reason, where that cannot be done.
    """
    data = content.encode() if isinstance(content, str) else content
    # The process's number, so that two that write the same file at once do not write into one another's.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    with naming(path):
        _make(path.parent)
        if path.exists() and not os.access(path, os.W_OK):  # renaming would not ask
            raise PermissionError("it may only be read")
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)  # there is one after an error only


def make_folder(folder: Path) -> None:
    """Make ``folder``, with those above it, and see that files can be written there: better before an hour's work than after.

    Raises ``OSError``, with ``folder`` and the reason, where it cannot be done.
    """
    with naming(folder):
        _make(folder)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"an empty file fits on a full disk too")


def free_name(path: Path, what: str) -> Path:
    """``path`` with ``what`` added to its name, and a number if that is taken: where to keep what must give way."""
    names = [f"{path.stem}, {what}{number}{path.suffix}" for number in ("", *(f" {k}" for k in range(2, 1000)))]
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def _make(folder: Path) -> None:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is a file, not a folder")
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What keeps ``path`` from being written inside is raised again as an ``OSError`` with the path and the reason."""
    try:
        yield
    except OSError as error:
        raise type(error)(f"{path}: cannot be written: {error.strerror or error}") from error
