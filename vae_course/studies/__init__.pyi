# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import (
    beside_z as beside_z,
    captions as captions,
    catalogue as catalogue,
    collapse as collapse,
    collapse_floors as collapse_floors,
    collapse_race as collapse_race,
    correction as correction,
    cures as cures,
    learners as learners,
    real_pairs as real_pairs,
    store as store,
    summaries as summaries,
    tables as tables,
    translation as translation,
)
from .store import LANGUAGE_MODEL as LANGUAGE_MODEL, RESULTS as RESULTS, stored as stored, stored_seeds as stored_seeds
from .tables import Floor as Floor, Spread as Spread
