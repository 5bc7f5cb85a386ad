"""Helpers for the course on variational autoencoders for text: small, typed and tested.

Importing this package does nothing but name it: no seeding, no download, no plotting set-up.
"""

__version__ = "0.1.0"
