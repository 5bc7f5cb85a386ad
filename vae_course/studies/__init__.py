"""Measured runs, minutes to hours long, whose figures the lessons show and ``vae-course measure`` makes again.

``catalogue``: their names. ``store``: how figures are kept. ``tables``: what rows of figures say together.
``cures``, ``beside_z``, ``collapse``, ``collapse_floors``, ``collapse_race``, ``summaries``, ``translation``, ``correction``,
``real_pairs``, ``captions``, ``learners``: a study or a family each.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
