"""The exercises: ``check``, ``hint`` and ``solution``, by the name of the function or class that is asked for.

``core``: how an answer is judged. ``attempts``: how it is run, whatever it does. ``mistakes``: those that are known, and two at
once. ``kinds``: modules and update steps. ``telling``: what is said. ``making``: inputs drawn.
``catalogue``: every exercise by name. ``calls``: what a lesson calls. ``lesson_NN``: a lesson's exercises.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
