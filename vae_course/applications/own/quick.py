"""A first result on a text of one's own, for a lesson: what ``vae-course train ... --quick`` tells and scores."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from vae_course.applications.own import correct, evaluation, generate, task as tasks, translate
from vae_course.text import corpora

PREPARED: dict[str, Callable[..., tasks.Task]] = {"translate": translate.prepared, "generate": generate.prepared}


def result(application: str, file: str | Path, device: torch.device | None = None) -> str:
    """Train as the command does with ``--quick``, on pairs or texts of ``file``; returns what it tells, and its scores.

    ``application``: "translate" (pairs), "generate" (texts), or "correct" (pairs as written and as meant: it learns from what
    was meant in those to train on, and is scored on the others). The model is not kept. A file that the command cannot use is
    no error here: then what is wrong with it is returned.
    """
    with TemporaryDirectory() as folder:
        try:
            if not Path(file).is_file():
                raise ValueError(f"{file} is no file; the command takes one of your own")
            if application == "correct":
                told = _corrected(Path(file), Path(folder), device)
            else:
                told = _trained(PREPARED[application](Path(file), quick=True), Path(folder), device)
        except ValueError as error:
            told = f"not tried: {error}"
    return f"vae-course train {application} {file} --quick\n{told}"


def _trained(task: tasks.Task, folder: Path, device: torch.device | None) -> str:
    told: list[str] = []
    report = tasks.run(task, folder / "model", device, told.append)
    return "\n".join([*told, tasks.score_table(report.scores), tasks.how_it_went(report, task)])


def _corrected(file: Path, folder: Path, device: torch.device | None) -> str:
    pairs = corpora.pairs(file, least=correct.LEAST)
    right, kept_apart = folder / "meant.txt", folder / "pairs.tsv"
    right.write_text(_lines((meant,) for _, meant in (*pairs.train, *pairs.validation)), encoding="utf-8")
    kept_apart.write_text(_lines(pairs.test), encoding="utf-8")
    told = _trained(correct.prepared(right, quick=True), folder, device).replace(str(right), f"what is meant in {file}")
    corrector = evaluation.loaded(folder / "model", "correct", device)
    return f"{told}\n\n{tasks.score_table(correct.on_file(corrector, kept_apart), 'on pairs kept apart')}"


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(" ".join(text.split()) for text in row) + "\n" for row in rows)
