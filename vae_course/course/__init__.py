"""The course's own machinery.

``lessons``: the lessons as files. ``work``, ``jupyterlab``: a reader's copies of them, opened. ``running``, ``storing``,
``ranges``, ``runs``, ``pages``: run, stored with their outputs, run under several seeds or with a reader's parameters, turned
into HTML.
``expectations``: asserted claims. ``widgets``: sliders and choices. ``claims``: the article's claims and what decides them.
``cli``: the command ``vae-course``; ``own``: its part for a text of one's own; ``options``: what commands have in common.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
