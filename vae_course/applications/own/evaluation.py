"""A model folder as the application that it holds, and its scores on a file that it has not seen."""

from pathlib import Path
from typing import Any

import torch

from vae_course.applications.own import correct, errors, folder as folders, generate, summarize, translate
from vae_course.applications.own.corrector import Corrector
from vae_course.applications.own.groups import read_groups
from vae_course.applications.own.task import Score
from vae_course.text.evaluation import likelihood
from vae_course.text.files import PAIR, TEXT, Column, read_records
from vae_course.training import seeded

APPLICATIONS: dict[str, Any] = {
    "translate": translate.Translator,
    "generate": generate.TextWriter,
    "summarize": summarize.Summarizer,
    "correct": Corrector,
}


def loaded(folder: Path, application: str, device: torch.device | None = None) -> Any:  # noqa: ANN401 - one of the above
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
    folder: Path, file: Path, columns: tuple[Column, ...] | None = None, device: torch.device | None = None
) -> list[Score]:
    """The figures of a model on ``file``, which is of the form that the model was trained on; for a corrector, pairs.

    Raises ``ValueError`` as the others do.
    """
    name = folders.described(folder)["application"]
    application = loaded(folder, name, device)
    if name == "summarize":
        return summarize.scored(application, read_groups(file))
    if name == "generate":
        return _of_texts(application, [text for _, (text,) in read_records(file, TEXT, columns).records])
    pairs = [(source, target) for _, (source, target) in read_records(file, PAIR, columns).records]
    first, second = [source for source, _ in pairs], [target for _, target in pairs]
    if name == "translate":
        unspaced = application.target.cut == "characters"
        return [
            ("the source as it is", translate.scored(first, second, unspaced)),
            ("the model", translate.scored(application(first), second, unspaced)),
        ]
    written, meant = ([errors.cut(text).words for text in side] for side in (first, second))
    return correct.compared(application, written, meant)


def _of_texts(application: generate.TextWriter, texts: list[str]) -> list[Score]:
    model, side = application.sentences.model, application.sentences.side
    priced = likelihood(model, [side.encode(text) for text in texts], seeded(0), generate.DRAWS)
    return [("the model", {"nats a text": priced.nats_per_sentence.value, "perplexity per token": priced.perplexity})]
