"""The generated corpus, whose every probability is known.

``grammar``: facts and the rules that put them into words; sentences are drawn, recognized, and given their probability.
``languages``: the world itself, told in English, Chinese and French and as a story; its splits and its entropies.
``noise``: errors with known probabilities, and what was meant given what was written, by Bayes' rule.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
