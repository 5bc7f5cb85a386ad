"""The package's models with the weights of models that a reader built, layer by layer alike: two answers to compare."""

from typing import Protocol, TypeVar

import torch
from torch import nn

from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.training import History

Model = TypeVar("Model", LanguageModel, TextVAE)


class SentenceEncoder(Protocol):
    """An encoder by windows of three words, with a layer for the mean and one for the log variance."""

    embedding: nn.Embedding
    windows: nn.Linear
    to_mean: nn.Linear
    to_log_var: nn.Linear


def twin_language_model(decoder: nn.Module, vocabulary_size: int, sizes: TextSizes) -> LanguageModel:
    """A language model with the weights of ``decoder``, on its device, no longer to be trained."""
    twin = LanguageModel(vocabulary_size, sizes)
    return _with_weights(twin, list(decoder.parameters()))


def twin_vae(encoder: SentenceEncoder, decoder: nn.Module, vocabulary_size: int, sizes: TextSizes) -> TextVAE:
    """A text VAE with the weights of both, on their device, no longer to be trained."""
    weights = [encoder.embedding.weight, encoder.windows.weight, encoder.windows.bias]
    weights.append(torch.cat([encoder.to_mean.weight, encoder.to_log_var.weight]))  # the package has one layer for the two
    weights.append(torch.cat([encoder.to_mean.bias, encoder.to_log_var.bias]))
    return _with_weights(TextVAE(vocabulary_size, sizes), [*weights, *decoder.parameters()])


def _with_weights(twin: Model, weights: list[torch.Tensor]) -> Model:
    with torch.no_grad():
        for theirs, given in zip(twin.parameters(), weights, strict=True):
            if theirs.shape != given.shape:  # else copy_ would fill up a smaller one
                raise ValueError(f"expected weights of shape {tuple(theirs.shape)}, got {tuple(given.shape)}")
            theirs.copy_(given)
    return twin.to(weights[0].device).requires_grad_(False)


def history_of_looks(steps: int, looks: list[float], every: int) -> History:
    """The history of a training of so many ``steps``, an epoch from look to look at held-out sentences, ``every`` so many.

    ``looks``: the losses of the last ones, of which the best was kept; before them nothing was looked at.
    """
    epochs = steps // every
    first = epochs - len(looks) + 1
    return History(epochs=epochs, steps=epochs * every, best_epoch=first + looks.index(min(looks)))
