"""``python -m vae_course`` is ``vae-course``."""

from vae_course.course.cli import app

app()
