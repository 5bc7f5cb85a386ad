"""The exercises: ``check``, ``hint`` and ``solution``, by the name of the function or class that is asked for; and predictions.

``core``: how an answer is judged. ``attempts``: how it is run, whatever it does. ``comparing``: whether two give the same.
``mistakes``: those that are known, and two at once. ``kinds``: modules and update steps. ``telling``: what is said. ``making``:
inputs drawn. ``predictions``: what is guessed before it is computed. ``questions``: how it is asked. ``explanations``: what is
explained in words. ``catalogue``: all of them by name. ``calls``: what a lesson calls. ``progress``: what a reader has done.
``lesson_NN``: a lesson's exercises, predictions and tasks in words.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
