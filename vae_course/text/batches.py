"""Sentences of different lengths in rectangular batches, with next to no padding.

A sentence is the list of numbers that ``Vocabulary.encode`` returns, ``<bos> w1 ... wn <eos>``. A batch is a tensor of such
rows, (batch, time), filled up with ``<pad>`` behind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count, islice
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from vae_course.text.vocabulary import BOS, EOS, PAD

Sentences = Sequence[Sequence[int]]


def pad(sentences: Sentences, device: torch.device | None = None) -> Tensor:
    """Rows of numbers as one tensor (batch, time) of int64, the shorter ones filled up with ``PAD``.

    Rows need not end in ``EOS`` (they may be beginnings to go on from). Raises ``ValueError`` for no rows or an empty row.
    """
    if len(sentences) == 0 or min(map(len, sentences)) == 0:
        raise ValueError("sentences: expected at least one, and in each at least one number")
    longest = max(map(len, sentences))
    return torch.tensor([[*sentence, *[PAD] * (longest - len(sentence))] for sentence in sentences], device=device)


def predicted(tokens: Tensor) -> Tensor:
    """Which of the targets ``tokens[:, 1:]`` count: words and ``<eos>``, not ``<pad>``. (batch, time) to (batch, time - 1)."""
    return tokens[:, 1:] != PAD


def count_tokens(sentences: Sentences) -> int:
    """How many tokens a model predicts in ``sentences``: every word, and one ``<eos>`` a sentence."""
    _check(sentences)
    return sum(len(sentence) - 1 for sentence in sentences)


def in_order(sentences: Sentences, batch_size: int, device: torch.device | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """For evaluation: each sentence once, sorted by length, as (rows, tokens), always in the same order.

    ``rows`` (batch,), on the CPU, says which sentences ``tokens`` (batch, time) holds: ``result[rows] = f(tokens)`` puts
    results into the order of ``sentences``, on any device.
    """
    packed = _Packed.of(sentences, batch_size, device)
    for rows in packed.lengths.argsort(stable=True).split(batch_size):
        yield rows, packed.batch(rows)


@dataclass(frozen=True)
class SentenceBatches:
    """Batches of sentences of about equal length, for ``training.train``: at most ``batch_size``, all of one size or one less.

    In each epoch sentences of the same length are shuffled, cut into batches, and the batches shuffled. So a batch is not an
    independent sample of the corpus, but all of them together are the corpus.
    """

    sentences: Sentences
    batch_size: int
    device: torch.device | None = None

    def __post_init__(self) -> None:
        _ = self._packed  # checks the sentences now rather than when training begins

    @cached_property
    def _packed(self) -> "_Packed":
        return _Packed.of(self.sentences, self.batch_size, self.device)

    def __len__(self) -> int:
        return -(-len(self.sentences) // self.batch_size)

    def __repr__(self) -> str:
        return (
            f"{len(self.sentences):,} sentences in {len(self):,} batches of {self.batch_size}, {self.padding_share:.1%} padding"
        )

    @cached_property
    def padding_share(self) -> float:
        """The share of ``<pad>`` among all numbers in the batches of an epoch, the same in each."""
        lengths = self._packed.lengths.sort().values
        area = sum(len(batch) * int(batch[-1]) for batch in lengths.tensor_split(len(self)))
        return 1 - int(lengths.sum()) / area

    def epoch(self, generator: Generator) -> Iterator[Tensor]:
        """The batches (batch, time) of one epoch, on ``device``."""
        shuffled = torch.randperm(len(self.sentences), generator=generator)
        by_length = shuffled[self._packed.lengths[shuffled].argsort(stable=True)]
        batches = by_length.tensor_split(len(self))
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield self._packed.batch(batches[index])


class Pair(NamedTuple):
    """Sources and their targets, row by row: token numbers (batch, time), each with a time of its own."""

    source: Tensor
    target: Tensor


@dataclass(frozen=True)
class PairBatches:
    """``SentenceBatches`` of pairs: batches of about equal length of target and source, for models of target given source."""

    sources: Sentences
    targets: Sentences
    batch_size: int
    device: torch.device | None = None

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets):
            raise ValueError(f"expected a target for each source, got {len(self.sources)} and {len(self.targets)}")
        _ = self._packed

    @cached_property
    def _packed(self) -> "tuple[_Packed, _Packed]":
        return tuple(_Packed.of(texts, self.batch_size, self.device) for texts in (self.sources, self.targets))  # type: ignore[return-value]

    def __len__(self) -> int:
        return -(-len(self.sources) // self.batch_size)

    def epoch(self, generator: Generator) -> Iterator[Pair]:
        """The batches of one epoch, on ``device``."""
        source, target = self._packed
        shuffled = torch.randperm(len(self.sources), generator=generator)
        rows = shuffled[_by_length(source, target, shuffled)].tensor_split(len(self))
        for index in torch.randperm(len(rows), generator=generator).tolist():
            yield Pair(source.batch(rows[index]), target.batch(rows[index]))

    def in_order(self) -> Iterator[tuple[Tensor, Pair]]:
        """For evaluation: each pair once, always in the same order, as (rows, pair); see the function ``in_order``."""
        source, target = self._packed
        everything = torch.arange(len(self.sources))
        for rows in _by_length(source, target, everything).split(self.batch_size):
            yield rows, Pair(source.batch(rows), target.batch(rows))


def _by_length(source: "_Packed", target: "_Packed", rows: Tensor) -> Tensor:
    """The order that sorts ``rows`` by their target's length, and among equals by their source's."""
    order = source.lengths[rows].argsort(stable=True)
    return order[target.lengths[rows[order]].argsort(stable=True)]


@dataclass(frozen=True)
class FixedSteps:
    """Epochs of a chosen number of batches, for budgets in steps: each goes through ``batches`` anew, as often as needed."""

    batches: SentenceBatches | PairBatches
    steps: int

    def __len__(self) -> int:
        return self.steps

    def epoch(self, generator: Generator) -> Iterator[Any]:
        """The first ``steps`` batches of as many shuffled epochs as that takes."""
        return islice(chain.from_iterable(self.batches.epoch(generator) for _ in count()), self.steps)


@dataclass(frozen=True)
class _Packed:
    """Sentences end to end in one tensor: any of them become a batch in a few operations, and a long one costs no memory.

    ``flat``: (numbers + 1,), on the device, a ``PAD`` at its end; ``starts`` and ``lengths``: (sentences,), on the CPU.
    """

    flat: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, sentences: Sentences, batch_size: int, device: torch.device | None) -> "_Packed":
        _check(sentences)
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
        flat = torch.tensor([*chain.from_iterable(sentences), PAD], device=device)
        lengths = torch.tensor([len(sentence) for sentence in sentences])
        return cls(flat, lengths.cumsum(0) - lengths, lengths)

    def batch(self, rows: Tensor) -> Tensor:
        """The sentences ``rows`` (batch,) as one padded tensor (batch, time)."""
        lengths = self.lengths[rows, None]
        steps = torch.arange(int(lengths.max()))
        # Steps past a sentence's end point to the PAD at the end of `flat`.
        places = torch.where(steps < lengths, self.starts[rows, None] + steps, len(self.flat) - 1)
        return self.flat[places.to(self.flat.device)]


def _check(sentences: Sentences) -> None:
    if len(sentences) == 0:
        raise ValueError("sentences: expected at least one, got none")
    for number, sentence in enumerate(sentences):
        if len(sentence) < 2 or sentence[0] != BOS or sentence[-1] != EOS or PAD in sentence or EOS in sentence[:-1]:
            raise ValueError(
                f"sentence {number}: expected the numbers {BOS} (<bos>), words, {EOS} (<eos>), as from Vocabulary.encode, "
                f"got {list(sentence)[:10]}"
            )
