# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import (
    adversaries as adversaries,
    audit as audit,
    autoencoding as autoencoding,
    base as base,
    bounds as bounds,
    building as building,
    choices as choices,
    collapse as collapse,
    corrections as corrections,
    cures as cures,
    divergences as divergences,
    fonts as fonts,
    generation as generation,
    gradients as gradients,
    latent_space as latent_space,
    opening as opening,
    summaries as summaries,
    text as text,
    translations as translations,
)
from .base import Picture as Picture
