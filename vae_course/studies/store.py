"""Where the figures of studies and of seeds are kept, how a stopped run goes on, and what made a document."""

import ast
import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from vae_course.text.corpora import SPLITS, Corpus
from vae_course.training import ANEW, Checkpoint, check_settings
from vae_course.whole_files import write_whole

Figures = dict[str, Any]
LANGUAGE_MODEL = "language model"  # the name of its row, wherever a study has one
PACKAGE = Path(__file__).resolve().parents[1]
DATA = PACKAGE.parent / "data"
RESULTS = DATA / "results"


# --- a run of a study -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One run of the study ``name``: what it keeps in ``scratch``, for which ``settings``, and where its document goes.

    ``steps``: those that were asked for; None for the study's own. ``settings``: all that determines the figures, and all that
    the document says of how they were made. What lies in ``scratch`` from other settings is refused, not published under these.
    """

    name: str
    scratch: Path
    steps: int | None
    device: torch.device | None
    settings: Figures

    @classmethod
    def of(
        cls,
        name: str,
        module: str,
        settings: Figures,
        *,
        scratch: Path,
        steps: int | None = None,
        own_steps: int | None = None,
        device: torch.device | None = None,
    ) -> "Run":
        """A run for the study's ``settings``, and what it does not choose: its ``module``'s code, the versions, the device.

        ``steps`` may also be the study's own.
        """
        everything = settings | _machine(device) | {"code": code_of(module)}
        return cls(name, scratch, None if steps == own_steps else steps, device, everything)

    def checkpoint(self, part: str, **settings: Any) -> Checkpoint:  # noqa: ANN401 - whatever JSON has
        """Where the training of a ``part`` is saved, which has ``settings`` of its own beside the run's."""
        return Checkpoint(self.scratch / f"{self.name}-{part}.checkpoint", _as_json(self.settings | settings))

    def kept(self, part: str, make: Callable[[], Figures], **settings: Any) -> Figures:  # noqa: ANN401
        """The figures of a ``part``, which has ``settings`` of its own; where there are none, ``make`` makes them, to be kept.

        Raises ``ValueError``, with the path, for a file that is not whole or was made under other settings.
        """
        path, now = self.scratch / f"{self.name}-{part}.json", _as_json(self.settings | settings)
        if not path.exists():
            figures = make()
            write_whole(path, json.dumps({"settings": now, "figures": figures}))
            return _as_json(figures)
        part_kept = _read(path, ANEW)
        if part_kept.keys() != {"settings", "figures"}:
            raise ValueError(f"{path}: was kept by an older version of the course, or by another program; {ANEW}")
        check_settings(path, part_kept["settings"], now)
        return dict(part_kept["figures"])

    def made_by(self) -> Figures:
        """The command that made the document, with the date, the versions, and where it computed."""
        command = f"vae-course measure {self.name}" + (f" --steps {self.steps}" if self.steps else "")
        return {"command": command, "date": datetime.now(UTC).date().isoformat()} | _machine(self.device)

    def store(self, document: Figures) -> Path:
        """Store the study's document as ``data/results/<name>.json``; that of a run with other steps, in ``scratch``.

        Returns the file. Raises ``OSError``, with its path, where it cannot be written.
        """
        path = RESULTS / f"{self.name}.json" if self.steps is None else self.scratch / f"{self.name}_{self.steps}_steps.json"
        write_whole(path, json.dumps(document, indent=1) + "\n")
        return path


def _machine(device: torch.device | None) -> Figures:
    on_gpu = device is not None and device.type == "cuda"
    return {
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "sacrebleu": version("sacrebleu")},
        "device": torch.cuda.get_device_name(device) if on_gpu else f"CPU, {torch.get_num_threads()} thread(s)",
    }


def _as_json(content: Figures) -> Figures:
    """The same as it is read again: lists for tuples, strings for keys."""
    same: Figures = json.loads(json.dumps(content))
    return same


# --- what determines figures ------------------------------------------------------------------------------------------


def digest(content: Any) -> str:  # noqa: ANN401 - whatever JSON has
    """A short fingerprint: SHA-256 of the content as JSON, 12 digits of it."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def contents(corpus: Corpus) -> Figures:
    """What a corpus gives to a study: its name, the number of sentences, fingerprints of these and of the vocabulary."""
    texts = {split: getattr(corpus, split) for split in SPLITS}
    return {
        "name": corpus.name,
        "sentences": {split: len(sentences) for split, sentences in texts.items()},
        "text": digest(texts),
        "vocabulary": digest(corpus.vocabulary.words),
    }


def code_of(module: str) -> dict[str, str]:
    """A fingerprint of ``module`` and of each module of the course that it imports, or that those do.

    Comments and docstrings do not count.
    """
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not name.startswith("vae_course.") or not path.exists():  # such as a name within a module
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
                del node.body[0]
        found[name] = digest(ast.dump(tree))
    return dict(sorted(found.items()))


# --- what is stored ---------------------------------------------------------------------------------------------------


def stored(name: str) -> Figures:
    """The document ``data/results/<name>.json`` of a study. Raises ``FileNotFoundError`` if there is none."""
    return _stored(RESULTS / f"{name}.json", f"vae-course measure {name}")


def stored_seeds(lesson: str) -> Figures:
    """The document ``data/results/seeds/<lesson>.json``: a lesson's expectations with the values they took under several seeds.

    Raises ``FileNotFoundError`` if there is none.
    """
    return _stored(RESULTS / "seeds" / f"{lesson}.json", f"vae-course spread {lesson}")


def _stored(path: Path, command: str) -> Figures:
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; `{command}` makes it")
    return _read(path, f"`{command}` makes it anew")


def _read(path: Path, remedy: str) -> Figures:
    """A document, which is a JSON object. Raises ``ValueError``, with the path and what helps, for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no text at all
        raise ValueError(f"{path}: is no JSON, or only a piece of it; {remedy}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path}: holds no figures; {remedy}")
    return document
