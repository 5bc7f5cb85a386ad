"""A text VAE on sentences of one's own, as generation and summarization train it: cut, sized, trained, kept, coded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from vae_course.applications.own.folder import Kept
from vae_course.applications.own.sides import Side, subwords_for
from vae_course.applications.own.task import shortened
from vae_course.text import corpora
from vae_course.text.cures import CURES, Budget, Cure, train_vae
from vae_course.text.decoding import greedy
from vae_course.text.evaluation import encode
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo, linear_annealing
from vae_course.text.vocabulary import Characters, Subwords, Tokenizer, Vocabulary
from vae_course.training import Checkpoint, History, device_of, seeded_module

SIZES = TextSizes(embedding=128, hidden=192, latent=32, dropout=0.2)
BUDGET = Budget(steps=4_000, batch_size=32, learning_rate=4e-3, checks=20)
QUICK_STEPS = 500
PATIENCE = 5  # of the checks: of a short text fewer without a new best may be chance
SUBWORDS = (300, 4_000)  # at least and at most

# Codes that keep much of a sentence; for averages of codes, more of it: a nat of rate costs about a sixth.
KEEPING = CURES["pretraining + free bits"]
CHEAP = Cure(
    "KL weight 0.15",
    "Alemi 2018",
    lambda model, batches, budget: NegativeElbo(model, linear_annealing(budget.rise(0.5), final=0.15)),
    sizes={"latent": 64},
)


def side_of(texts: Sequence[str]) -> Side:
    """How ``texts`` are cut: into characters where there are no spaces or only single words, else into subwords."""
    tokenizer: Tokenizer = Characters()
    if corpora.token_kind(texts)[0] != "character":
        tokenizer = Subwords.train(texts, subwords_for(texts, *SUBWORDS))
    return Side(tokenizer, Vocabulary.build([tokenizer.split(text) for text in texts]))


def budget_for(quick: bool) -> Budget:
    """The usual budget, or for a first result a part of its steps."""
    return shortened(BUDGET, QUICK_STEPS) if quick else BUDGET


@dataclass(frozen=True)
class Sentences:
    """A trained text VAE with its side. ``longest``: tokens after which what it writes is cut."""

    model: TextVAE
    side: Side
    longest: int

    def codes(self, texts: Sequence[str]) -> Tensor:
        """The mean of q(z given text) of each, (texts, latent), on the CPU."""
        return encode(self.model, [self.side.encode(text) for text in texts]).mean

    def written(self, z: Tensor) -> list[str]:
        """The likeliest text of each code (n, latent), token by token."""
        device = device_of(self.model)
        rows = [row for part in z.split(512) for row in greedy(self.model.decoder, part.to(device), longest=self.longest)]
        return [self.side.text(row) for row in rows]

    def kept(self) -> tuple[Mapping[str, Tensor], Mapping[str, str], Mapping[str, Any]]:
        """See ``task.Application``."""
        settings = {"sizes": asdict(self.model.sizes), "longest": self.longest}
        return self.model.state_dict(), {"side.json": self.side.to_json()}, settings

    @classmethod
    def of(cls, kept: Kept, device: torch.device | None = None) -> "Sentences":
        """The same again; of ``kept.weights`` those of the model are taken."""
        side, sizes = Side.from_json(kept.files["side.json"]), TextSizes(**kept.settings["sizes"])
        model = seeded_module(0, lambda: TextVAE(len(side.vocabulary), sizes))
        model.load_state_dict({name: kept.weights[name] for name in model.state_dict()})
        return cls(model.to(device).eval(), side, kept.settings["longest"])


def trained(
    cure: Cure,
    side: Side,
    texts: Mapping[corpora.SplitName, Sequence[str]],
    budget: Budget,
    checkpoint: Checkpoint,
    device: torch.device | None,
) -> tuple[Sentences, History]:
    """Train by a cure until held-out texts cost no less, and keep the weights with which they cost least."""
    train, validation = ([side.encode(text) for text in texts[split]] for split in ("train", "validation"))
    found = train_vae(
        cure,
        train,
        len(side.vocabulary),
        sizes=SIZES,
        budget=budget,
        device=device,
        early_stopping=validation,
        patience=PATIENCE,
        checkpoint=checkpoint,
    )
    return Sentences(found.model, side, longest_of(train)), found.history


def longest_of(encoded: Sequence[Sequence[int]]) -> int:
    """The tokens of nearly the longest text: of 98 in a hundred none has more."""
    lengths = sorted(map(len, encoded))
    return max(10, lengths[math.ceil(0.98 * len(lengths)) - 1])
