"""The package's models with the weights of models that a reader built, layer by layer alike: two answers to compare.

And what the loops of lessons 07 and 09 have in common: early stopping, and what is told of a text of one's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import nn

from vae_course.text.batches import Sentences
from vae_course.text.corpora import Corpus
from vae_course.text.counting import beside_counting
from vae_course.text.evaluation import likelihood
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.training import BestWeights, History, seeded

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


# --- early stopping -----------------------------------------------------------------------------------------------------


class EarlyStopping:
    """That of lesson 07, for a loop of one's own: what ``training.EarlyStopping`` is for ``training.train``.

    ``patience``: how many looks at held-out sentences without a better one. ``losses``: those of all looks so far.
    """

    def __init__(self, models: Sequence[nn.Module], patience: int = 8):
        self.best = BestWeights(models)
        self.patience = patience
        self.losses: list[float] = []

    def look(self, loss: float) -> bool:
        """Note the loss of a look, and keep the weights if it is the best. Returns whether it is time to stop."""
        self.losses.append(loss)
        ago = len(self.losses) - 1 - self.losses.index(min(self.losses))
        if ago == 0:
            self.best.keep()
        return ago >= self.patience

    def put_best_back(self) -> None:
        """Give the models the weights of the best look; without any look they stay as they are."""
        self.best.put_back()


def history_of_looks(
    steps: int, looks: Sequence[float], every: int, metrics: Mapping[str, list[float]] | None = None
) -> History:
    """The history of a training of so many ``steps``, an epoch from look to look at held-out sentences, ``every`` so many.

    ``looks``: the losses of the last ones, of which the best was kept; before them nothing was looked at. Without any look the
    whole training is one epoch. ``metrics``: what else was measured.
    """
    measured = dict(metrics or {})
    if not looks:
        return History(epochs=1, steps=steps, metrics=measured)
    epochs = steps // every
    first = epochs - len(looks) + 1
    return History(epochs=epochs, steps=epochs * every, metrics=measured, best_epoch=first + looks.index(min(looks)))


class Steps:
    """The numbers of a training's steps, 0, 1, 2, ..., for a loop of one's own; ``held_out`` sentences may end them early.

    They are looked at twenty times over all ``steps``, but not before ``first_look`` of them, while a KL weight still rises: by
    -ELBO, or by the NLL of a language model, always with the same noise. In the end the best weights are put back. Without
    ``held_out`` all steps are taken.
    """

    def __init__(self, model: LanguageModel | TextVAE, steps: int, held_out: Sentences = (), first_look: int = 0):
        self.model, self.steps, self.held_out, self.first_look = model, steps, held_out, first_look
        self.every = max(1, steps // 20)
        self.stopping = EarlyStopping([model])
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps):
            yield step
            self.taken = step + 1
            if self._is_time_to_look() and self.stopping.look(self._cost()):
                break
        self.stopping.put_best_back()

    def _is_time_to_look(self) -> bool:
        return len(self.held_out) > 0 and self.taken >= self.first_look and self.taken % self.every == 0

    def _cost(self) -> float:
        self.model.eval()
        priced = likelihood(self.model, self.held_out, seeded(0), samples=1)
        self.model.train()
        return (priced.nats_per_sentence if priced.rate is None else priced.negative_elbo).value

    def history(self, **metrics: list[float]) -> History:
        """What was trained so far, and with ``metrics`` what else was measured."""
        return history_of_looks(self.taken, self.stopping.losses, self.every, metrics)


# --- a text of one's own ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ByHand:
    """What a reader built and trained for ``steps`` steps, with the losses of its ``looks`` at held-out sentences.

    ``encoder``: where the decoder has a z. ``context``: how many words before the decoder sees, ``None`` for all.
    """

    decoder: nn.Module
    steps: int
    looks: Sequence[float]
    encoder: SentenceEncoder | None = None
    context: int | None = None


def by_hand_beside_counting(models: Mapping[str, ByHand], text: Corpus, sizes: TextSizes, every: int) -> str:
    """``beside_counting`` of the twins of ``models``, which are of the same ``sizes`` but for the context.

    ``every``: how many steps from look to look.
    """
    twins: dict[str, tuple[LanguageModel | TextVAE, History]] = {}
    size = len(text.vocabulary)
    for name, model in models.items():
        own = replace(sizes, context=model.context)
        if model.encoder is None:
            twin: LanguageModel | TextVAE = twin_language_model(model.decoder, size, own)
        else:
            twin = twin_vae(model.encoder, model.decoder, size, own)
        twins[name] = twin, history_of_looks(model.steps, model.looks, every)
    return beside_counting(twins, text)
