"""How people err: a channel p(written | meant) with exact probabilities, and Bayes' rule for what was meant.

Two neighbouring words may change places; then each word may be miswritten: a key beside the right one, a letter dropped or
doubled, a word taken for its like (agreement, homophones, small words), for another one that looks like it, or, by a slip of
the pen, for one of the same kind ("evening" for "morning"), which no dictionary and hardly a grammar can find. What was
meant is found as in Kernighan, Church & Gale (1990) and, by the words around, in Mays, Damerau & Mercer (1991).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Generator

from vae_course.world.grammar import Language, Lattice, Tokens

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Words that are taken for one another.
CONFUSIONS = (
    ("was", "were", "is"),  # agreement and tense
    ("a", "an", "the"),
    ("at", "in", "on"),
    ("by", "buy", "bye"),  # homophones
    ("red", "read"),
    ("blue", "blew"),
    ("night", "knight"),
    ("morning", "mourning"),
    ("some", "sum"),
    ("sold", "soled"),
    ("their", "there"),
    ("to", "too", "two"),
    ("its", "it's"),
    ("than", "then", "that"),
)
# Words that one may write while thinking of another of the same kind (Fromkin 1973): what is written makes sense.
SLIPS = (
    ("morning", "evening"),
    ("noon", "night"),
    ("red", "yellow"),
    ("blue", "green"),
    ("white", "black"),
    ("bought", "sold"),
    ("lost", "found"),
    ("happy", "proud"),
    ("sad", "tired"),
    ("boat", "bicycle"),
    ("lamp", "clock"),
    ("chair", "basket"),
    ("market", "harbour"),
    ("park", "library"),
)
# How often each kind happens, where a word allows it; "mistaken" is another word of the vocabulary that looks like it.
KINDS = {"neighbour": 0.2, "dropped": 0.2, "doubled": 0.15, "confused": 0.2, "mistaken": 0.25, "slip": 0.25}


def _keys_beside() -> dict[str, tuple[str, ...]]:
    """The keys that touch a letter's own on an English keyboard, whose rows are shifted by half a key."""
    places = {key: (row, column + row / 2) for row, keys in enumerate(KEYBOARD) for column, key in enumerate(keys)}
    return {
        key: tuple(
            other
            for other, (r, c) in places.items()
            if other != key and abs(r - row) <= 1 and abs(c - column) <= (1 if r == row else 0.5)
        )
        for key, (row, column) in places.items()
    }


BESIDE = _keys_beside()


@dataclass(frozen=True)
class Channel:
    """p(written | meant) for the words of ``vocabulary``, whatever the sentence says.

    ``miswritten``: the probability of each word to be written wrong, ``swapped``: of one pair of neighbours in a sentence to
    have changed places. Raises ``ValueError`` for probabilities outside [0, 1).
    """

    vocabulary: frozenset[str] = field(repr=False)
    miswritten: float = 0.08
    swapped: float = 0.15

    def __post_init__(self) -> None:
        for name in ("miswritten", "swapped"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: expected a probability of at least 0 and below 1, got {getattr(self, name)}")

    def misspellings(self, word: str) -> dict[str, float]:
        """The wrong forms of a word with their probabilities, given that it is miswritten; a sign without letters has none."""
        kinds = {kind: [form for form in forms if form != word] for kind, forms in self._forms(word).items()}
        total = sum(KINDS[kind] for kind, forms in kinds.items() if forms)
        result: dict[str, float] = {}
        for kind, forms in kinds.items():
            for form in forms:
                result[form] = result.get(form, 0.0) + KINDS[kind] / total / len(forms)
        return result

    def _forms(self, word: str) -> dict[str, list[str]]:
        letters = [k for k, letter in enumerate(word) if letter.isalpha()]
        others = self.vocabulary - {word} if letters else ()
        return {
            "neighbour": [word[:k] + key + word[k + 1 :] for k in letters for key in BESIDE.get(word[k], ())],
            "dropped": [word[:k] + word[k + 1 :] for k in letters if len(word) > 1],
            "doubled": [word[:k] + word[k] + word[k:] for k in letters],
            "confused": [other for group in CONFUSIONS if word in group for other in group],
            "slip": [other for group in SLIPS if word in group for other in group if other in self.vocabulary],
            "mistaken": get_close_matches(word, sorted(others), n=3, cutoff=0.5),
        }

    @cached_property
    def _written(self) -> dict[str, dict[str, float]]:
        """p(written word | meant word): for each meant word of the vocabulary, all that may be written."""
        table = {}
        for word in self.vocabulary:
            wrong = self.misspellings(word) if self.miswritten else {}
            right = 1 - self.miswritten if wrong else 1.0
            table[word] = {word: right} | {form: self.miswritten * p for form, p in wrong.items()}
        return table

    @cached_property
    def _meant(self) -> dict[str, dict[str, float]]:
        """The logs of the same table by the written word: {written: {meant: log p(written | meant)}}."""
        table: dict[str, dict[str, float]] = {}
        for meant, forms in sorted(self._written.items()):
            for form, p in forms.items():
                table.setdefault(form, {})[meant] = math.log(p)
        return table

    def write(self, sentences: Iterable[Tokens], generator: Generator) -> list[Tokens]:
        """Each sentence as somebody may have written it. Raises ``KeyError`` for a word that is not in the vocabulary."""
        return [self._write(sentence, generator) for sentence in sentences]

    def _write(self, meant: Tokens, generator: Generator) -> Tokens:
        swap, place, *uniforms = torch.rand(2 + len(meant), generator=generator, dtype=torch.float64).tolist()
        if swap < self.swapped and len(meant) > 1:
            meant = _with_neighbours_swapped(meant, int(place * (len(meant) - 1)))
        return tuple(_drawn(self._written[word], uniform) for word, uniform in zip(meant, uniforms, strict=True))

    def log_probability(self, written: Tokens, meant: Tokens) -> float:
        """log p(written | meant) in nats, minus infinity where it cannot be: the sum over all that may have been swapped."""
        if len(written) != len(meant):
            return -math.inf
        total = 0.0
        for order, log_p in self._orders(meant):
            total += math.exp(log_p) * math.prod(self._written[m].get(w, 0.0) for w, m in zip(written, order, strict=True))
        return math.log(total) if total else -math.inf

    def lattices(self, written: Tokens) -> list[tuple[Lattice, float]]:
        """What can have been meant: for each order of the words a lattice of log p(written | meant), and its log p(order).

        Swapping is its own inverse, so every pair of neighbours is swapped back once. A word that nobody writes for any other
        is left as it is, at no cost, so that a sentence with a name in it can still be corrected.
        """
        return [([self._meant.get(word, {word: 0.0}) for word in order], log_p) for order, log_p in self._orders(written)]

    def _orders(self, sentence: Tokens) -> list[tuple[Tokens, float]]:
        """The sentence as it is and with each pair of neighbours swapped, with the log-probabilities of that."""
        pairs = len(sentence) - 1
        if pairs < 1 or not self.swapped:
            return [(sentence, 0.0)]
        swapped = [(_with_neighbours_swapped(sentence, place), math.log(self.swapped / pairs)) for place in range(pairs)]
        return [(sentence, math.log1p(-self.swapped)), *swapped]


def _with_neighbours_swapped(sentence: Tokens, place: int) -> Tokens:
    return (*sentence[:place], sentence[place + 1], sentence[place], *sentence[place + 2 :])


def _drawn(distribution: Mapping[str, float], uniform: float) -> str:
    for word, p in distribution.items():
        uniform -= p
        if uniform < 0:
            return word
    return word  # rounding may leave a crumb


class Readable(Protocol):
    """What Bayes' rule asks of a channel: for each order of the words a lattice of log p(written | meant), and its log p."""

    def lattices(self, written: Tokens) -> list[tuple[Lattice, float]]:
        """As ``Channel.lattices``."""


# --- Bayes' rule ------------------------------------------------------------------------------------------------------

Posterior = dict[Tokens, float]  # p(meant | written), the likeliest first


def posterior(channel: Channel, language: Language, written: Tokens) -> Posterior:
    """p(meant | written) over all sentences of the language, exactly: channel times grammar, and no corrector can do better.

    Empty if no sentence of the language can have been meant.
    """
    logs: dict[Tokens, float] = {}
    for lattice, log_order in channel.lattices(written):
        for meant, log_weight in language.readings(lattice).items():
            logs[meant] = float(np.logaddexp(logs.get(meant, -math.inf), log_order + log_weight))
    return normalized(logs)


def normalized(logs: Mapping[Tokens, float]) -> Posterior:
    """Probabilities from log-weights, the likeliest first."""
    highest = max(logs.values(), default=0.0)
    weights = {meant: math.exp(log - highest) for meant, log in logs.items()}
    total = sum(weights.values())
    return {meant: weights[meant] / total for meant in sorted(weights, key=weights.__getitem__, reverse=True)}


def corrected(found: Posterior, written: Tokens) -> Tokens:
    """The likeliest reading; what was written if there is none."""
    return next(iter(found), written)


def wrong(found: Posterior, written: Tokens) -> list[float]:
    """For each written word the probability that another was meant in its place; 1 for each if there is no reading."""
    if not found:
        return [1.0] * len(written)
    return [sum(p for meant, p in found.items() if meant[place] != word) for place, word in enumerate(written)]
