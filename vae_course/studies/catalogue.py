"""The names of all studies, light enough for the command's help, and what measures each."""

import difflib
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path

# Module -> the studies that it measures.
FAMILIES = {
    "cures": ("cures_world", "seeds_world", "long_world", "ptb", "ptb_long", "ptb_narrow", "tang"),
    "beside_z": ("beside_z",),
    "collapse": ("collapse_world",),
    "collapse_floors": ("collapse_floors_world",),
    "collapse_race": ("collapse_race_world",),
    "summaries": ("flickr",),
    "translation": ("translation_world",),
    "real_pairs": ("jupyterlab_zh", "jupyterlab_fr", "multi30k_de", "multi30k_fr", "tatoeba_zh"),
    "correction": ("correction_world",),
    "captions": ("correction_captions",),
    "learners": ("jfleg",),
}


def find(name: str) -> Callable[..., Path]:
    """What measures the study ``name``. Raises ``ValueError`` for an unknown one, with all there are, the close ones first."""
    family = {study: module for module, studies in FAMILIES.items() for study in studies}
    if name not in family:
        close = difflib.get_close_matches(name, family, cutoff=0.4)
        raise ValueError(f"there is no study {name!r}; there are {', '.join(dict.fromkeys(chain(close, family)))}")
    module = import_module(f"vae_course.studies.{family[name]}")
    measure: Callable[..., Path] = module.measure
    return partial(measure, name) if hasattr(module, "STUDIES") else measure
