"""Where the figures of studies and of seeds are kept, how finished parts outlive a stopped run, and what made a document."""

import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

Figures = dict[str, Any]
LANGUAGE_MODEL = "language model"  # the name of its row, wherever a study has one
DATA = Path(__file__).resolve().parents[2] / "data"
RESULTS = DATA / "results"


def kept(path: Path, make: Callable[[], Figures]) -> Figures:
    """The figures in ``path``; where there are none yet, ``make`` makes them, and they are kept there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make()), encoding="utf-8")
    figures: Figures = json.loads(path.read_text(encoding="utf-8"))
    return figures


def made_by(name: str, steps: int | None, device: torch.device | None) -> Figures:
    """The command that made the document of the study ``name``, with the date, the versions, and where it computed."""
    on_gpu = device is not None and device.type == "cuda"
    return {
        "command": f"vae-course measure {name}" + (f" --steps {steps}" if steps else ""),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "sacrebleu": version("sacrebleu")},
        "device": torch.cuda.get_device_name(device) if on_gpu else f"CPU, {torch.get_num_threads()} thread(s)",
    }


def write(name: str, document: Figures) -> Path:
    """Store the document of a study as ``data/results/<name>.json``; returns the file."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def stored(name: str) -> Figures:
    """The document ``data/results/<name>.json`` of a study. Raises ``FileNotFoundError`` if there is none."""
    return _read(RESULTS / f"{name}.json", f"vae-course measure {name}")


def stored_seeds(lesson: str) -> Figures:
    """The document ``data/results/seeds/<lesson>.json``: a lesson's expectations with the values they took under several seeds.

    Raises ``FileNotFoundError`` if there is none.
    """
    return _read(RESULTS / "seeds" / f"{lesson}.json", f"vae-course spread {lesson}")


def _read(path: Path, command: str) -> Figures:
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; `{command}` makes it")
    document: Figures = json.loads(path.read_text(encoding="utf-8"))
    return document
