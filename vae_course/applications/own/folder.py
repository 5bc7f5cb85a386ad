"""A folder with a trained model: weights, vocabularies, what it was trained on and how it scored.

``model.json`` is written last and names every other file with its checksum, so a folder holds a whole model or none.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vae_course.whole_files import write_whole

FORMAT = 2
MODEL, WEIGHTS, CHECKPOINT = "model.json", "weights.safetensors", "training.checkpoint"


@dataclass(frozen=True)
class Kept:
    """What a folder holds of a model.

    ``application``: what it was trained to do, such as "translate". ``settings``: sizes, budget and whatever else it is built
    from. ``weights``: tensors by name. ``files``: further files by name, as text. ``about``: what it was trained on, its
    scores, versions and date.
    """

    application: str
    settings: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    files: Mapping[str, str]
    about: Mapping[str, Any]


def write(folder: Path, kept: Kept) -> None:
    """Write a model into ``folder``. Raises ``OSError``, with the path, where that cannot be done."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in kept.weights.items()}
    contents = {WEIGHTS: save(tensors), **{name: text.encode() for name, text in kept.files.items()}}
    for name, content in contents.items():
        write_whole(folder / name, content)
    versions = {"python": platform.python_version(), "torch": torch.__version__, "vae-course": version("vae-course")}
    document = {
        "format": FORMAT,
        "application": kept.application,
        "settings": kept.settings,
        "about": {**kept.about, "date": datetime.now(UTC).date().isoformat(), "versions": versions},
        "files": {name: _checksum(content) for name, content in contents.items()},
    }
    write_whole(folder / MODEL, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> Kept:
    """The model in ``folder``, its tensors on the CPU.

    Raises ``ValueError`` where there is none, where it is not whole or was changed, or where another version wrote it.
    """
    document = described(folder)
    contents = {name: _read(folder / name, checksum) for name, checksum in document["files"].items()}
    try:
        weights = load(contents.pop(WEIGHTS))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{folder / WEIGHTS}: cannot be read as weights ({error}); train the model anew") from error
    texts = {name: content.decode() for name, content in contents.items()}
    return Kept(document["application"], document["settings"], weights, texts, document["about"])


def described(folder: Path) -> dict[str, Any]:
    """What ``model.json`` says. Raises ``ValueError`` where it is missing or was not written by ``write``."""
    path = folder / MODEL
    if not path.is_file():
        stopped = "its training was stopped; the same train command goes on from there"
        how = stopped if unfinished(folder) else "vae-course train makes one"
        raise ValueError(f"{folder}: holds no trained model (there is no {MODEL}); {how}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON ({error}); train the model anew") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else None
        raise ValueError(
            f"{path}: is of format {found}, expected {FORMAT}: another version of the course wrote it; train the model anew"
        )
    return document


def unfinished(folder: Path) -> list[Path]:
    """What a training that was stopped has left in ``folder``: its checkpoint, and that of a pretraining before it."""
    return sorted(folder.glob(f"{CHECKPOINT}*"))


def _read(path: Path, checksum: str) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path}: is missing, so the model is not whole; copy the folder again, or train the model anew")
    content = path.read_bytes()
    if _checksum(content) != checksum:
        raise ValueError(f"{path}: is not what was written beside {MODEL}; copy the folder again, or train the model anew")
    return content


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
