"""A model folder as the application that it holds, and its scores on a file that it has not seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vae_course.applications.own import correct, folder as folders, generate, summarize, translate
from vae_course.applications.own.corrector import Corrector
from vae_course.applications.own.task import Score
from vae_course.text.files import Column

# What each command uses, and how that is scored on a file.
APPLICATIONS: dict[str, tuple[Any, Callable[..., list[Score]]]] = {
    "translate": (translate.Translator, translate.on_file),
    "generate": (generate.TextWriter, generate.on_file),
    "summarize": (summarize.Summarizer, summarize.on_file),
    "correct": (Corrector, correct.on_file),
}


def loaded(folder: Path, application: str, device: torch.device | None = None) -> Any:  # noqa: ANN401 - one of the above
    """The model in ``folder``, which must have been trained for ``application``.

    Raises ``ValueError`` where there is none, where it does something else, or where its weights do not fit.
    """
    kept = folders.read(folder)
    if kept.application != application:
        raise ValueError(f"{folder}: holds a model that was trained to {kept.application}; use vae-course {kept.application}")
    try:
        return APPLICATIONS[application][0].of(kept, device)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{folder}: its files do not belong together ({error}); train the model anew") from error


def scores(
    folder: Path, file: Path, columns: tuple[Column, ...] | None = None, device: torch.device | None = None
) -> list[Score]:
    """The figures of a model on ``file``, which is of the form that the model was trained on; for a corrector, pairs.

    Raises ``ValueError`` as the others do.
    """
    name = folders.described(folder)["application"]
    _, on_file = APPLICATIONS[name]
    return on_file(loaded(folder, name, device), file, columns)
