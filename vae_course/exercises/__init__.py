"""The exercises: ``check``, ``hint`` and ``solution``, by the name of the function that is asked for.

``core``: how an answer is judged. ``catalogue``: every exercise by name. ``calls``: what a lesson calls.
``lesson_NN``: a lesson's references, cases, hints and known mistakes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
