"""The course's pictures, a module a lesson: each function returns a ``Picture``, a figure with a line of words that says it.

``base``: the palette, the style, the ``Picture`` itself and the plain kinds of plot.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
