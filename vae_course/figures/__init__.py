"""The course's pictures. Each function returns a ``Picture``: a figure, and a line that says in words what it shows."""

from vae_course.figures import (
    adversaries,
    audit,
    autoencoding,
    base,
    bounds,
    collapse,
    corrections,
    cures,
    divergences,
    generation,
    gradients,
    latent_space,
    opening,
    summaries,
    text,
    translations,
)

__all__ = [
    "adversaries",
    "audit",
    "autoencoding",
    "base",
    "bounds",
    "collapse",
    "corrections",
    "cures",
    "divergences",
    "generation",
    "gradients",
    "latent_space",
    "opening",
    "summaries",
    "text",
    "translations",
]
