"""Text: from a corpus to a trained and measured text VAE.

``files``, ``corpora``, ``vocabulary``, ``batches``: texts, read, split, and in numbers.
``models``: language model and text VAE. ``posteriors``: kinds of q(z given x). ``decoding``: writing.
``conditional``, ``parallel``, ``shared_latent``: texts given other texts.
``objectives``: what is minimized. ``cures``: how each cure of posterior collapse is trained.
``evaluation``, ``factors``: what a model is worth, and what its z knows. ``twins``: what a reader built beside the package's.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
