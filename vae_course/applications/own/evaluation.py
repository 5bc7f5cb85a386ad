"""A model folder as the application that it holds, and its scores on a file that it has not seen."""

from pathlib import Path

import torch

from vae_course.applications.own import folder as folders, translate
from vae_course.applications.own.task import Score
from vae_course.text.files import PAIR, Column, read_records

APPLICATIONS = {"translate": translate.Translator}


def loaded(folder: Path, application: str, device: torch.device | None = None) -> translate.Translator:
    """The model in ``folder``, which must have been trained for ``application``.

    Raises ``ValueError`` where there is none, where it does something else, or where its weights do not fit.
    """
    kept = folders.read(folder)
    if kept.application != application:
        raise ValueError(f"{folder}: holds a model that was trained to {kept.application}; use vae-course {kept.application}")
    try:
        return APPLICATIONS[application].of(kept, device)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{folder}: its files do not belong together ({error}); train the model anew") from error


def scores(
    folder: Path, file: Path, columns: tuple[Column, Column] | None = None, device: torch.device | None = None
) -> list[Score]:
    """The figures of a model on the pairs of ``file``, after those of doing nothing. Raises ``ValueError`` as the others do."""
    application = loaded(folder, folders.described(folder)["application"], device)
    pairs = [(source, target) for _, (source, target) in read_records(file, PAIR, columns).records]
    asked, expected = [source for source, _ in pairs], [target for _, target in pairs]
    unspaced = application.target.cut == "characters"
    return [
        ("the source as it is", translate.scored(asked, expected, unspaced)),
        ("the model", translate.scored(application(asked), expected, unspaced)),
    ]
