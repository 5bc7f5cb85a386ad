"""What is particular to each application: its systems, its exact optimum where there is one, and its scores.

``generation``: how good, how varied and how new. ``summarization``: reports of one event into one.
``translation``: two sides of a text, and what independent words can do at best.
``correction``: finding and mending errors. ``spelling``: models of misspelling.
``own``: models trained on a text of one's own, kept in a folder.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
