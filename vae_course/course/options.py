"""What several commands have in common: choices, and errors that are told in a line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import typer


class Profile(StrEnum):
    """How much to compute."""

    fast = "fast"
    full = "full"


class Tokens(StrEnum):
    """How to cut a text of the reader's."""

    auto = "auto"
    word = "word"
    character = "character"
    subword = "subword"


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def stop(error: Exception) -> typer.Exit:
    """The end of a command, with exit status 2, after its error was shown: of several processes by the first alone."""
    if os.environ.get("RANK", "0") == "0":
        typer.secho(str(error), err=True, fg="red")
    return typer.Exit(2)


@contextmanager
def stopping_at(*errors: type[Exception]) -> Iterator[None]:
    """What says itself what is wrong is shown as a line, without a traceback; the command ends with exit status 2."""
    try:
        yield
    except errors as error:
        raise stop(error) from error
