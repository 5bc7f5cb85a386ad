"""The mathematics, of no text in particular: distributions, estimators, and models whose likelihood is known.

``distributions``: Gaussians, mixtures, von Mises-Fisher, discrete ones; entropies and KL divergences in closed form.
``estimators``: what samples say, each with its standard error: gradients, KL, the ELBO and the importance-weighted bound.
``exact``: models in which log p(x) and the posterior are known, to hold estimates against.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
