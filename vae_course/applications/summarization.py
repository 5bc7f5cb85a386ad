"""Summaries: several careless reports of one event into one, the exact Bayes answer, and scores of what was written.

A report tells an event's facts, some of them forgotten and filled in with what usually happens. So p(reports given facts) is
known, and with it p(facts given reports): no summary can have all facts right more often than the likeliest facts do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer
from torch import Generator, Tensor

from vae_course.text.decoding import greedy
from vae_course.text.factors import UNREADABLE
from vae_course.text.models import Decoder
from vae_course.world.grammar import FactPrior, Floats, Language, Tokens

Rows = NDArray[np.int64]


# --- careless witnesses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Witness:
    """Tells facts one by one in the order of ``prior``, forgetting each with probability ``forgets``.

    What is forgotten, or cannot be after what was told before, is drawn from the prior given what was told before. So every
    report is a possible world, and p(report given facts) is a product over facts.
    """

    prior: FactPrior
    forgets: float

    def __post_init__(self) -> None:
        if not 0 < self.forgets < 1:
            raise ValueError(f"forgets: expected a probability between 0 and 1, both excluded, got {self.forgets}")

    def reports(self, facts: Rows, count: int, generator: Generator) -> Rows:
        """``count`` independent reports of each row of ``facts`` (events, factors): (events, count, factors)."""
        true = np.repeat(facts, count, axis=0)
        told = np.zeros_like(true)
        attention, draw = torch.rand((2, *true.shape), generator=generator, dtype=torch.float64).numpy()
        for k in range(len(self.prior.factors)):
            usual = self._usual(k, told)
            filled_in = np.minimum((usual.cumsum(1) <= draw[:, k, None]).sum(1), usual.shape[1] - 1)
            kept = (attention[:, k] >= self.forgets) & (usual[np.arange(len(true)), true[:, k]] > 0)
            told[:, k] = np.where(kept, true[:, k], filled_in)
        return told.reshape(len(facts), count, -1)

    def log_channel(self, report: Rows) -> list[Floats]:
        """log p(what ``report`` (factors,) says of a fact, given its true value and what was told before).

        An array (values,) a factor. log p(report given a world) is the sum of the entries of that world's values.
        """
        tables = []
        for k, value in enumerate(report):
            usual = self._usual(k, report[None])[0]
            told = np.arange(len(usual)) == value
            possible = (1 - self.forgets) * told + self.forgets * usual[value]
            tables.append(np.log(np.where(usual > 0, possible, usual[value])))
        return tables

    def log_joint(self, reports: Rows) -> Floats:
        """log p(world) + log p(reports (count, factors) given world), for every row of ``prior.worlds``: (worlds,)."""
        evidence = np.zeros(1)
        for tables in zip(*map(self.log_channel, reports), strict=True):
            evidence = np.add.outer(evidence, np.sum(tables, axis=0))  # in the end over all combinations of values
        joint: Floats = self.prior.log_probabilities + evidence.ravel()[self._places]
        return joint

    def bayes_summary(self, reports: Rows) -> Rows:
        """The likeliest facts given reports (count, factors): (factors,). No other rule has all facts right more often."""
        likeliest: Rows = self.prior.worlds[self.log_joint(reports).argmax()]
        return likeliest

    @cached_property
    def _places(self) -> Rows:
        """Where each world stands among all combinations of values: (worlds,)."""
        places: Rows = np.ravel_multi_index(tuple(self.prior.worlds.T), [len(factor.values) for factor in self.prior.factors])
        return places

    @cached_property
    def _tables(self) -> list[tuple[int | None, Floats]]:
        """For each factor the number of its parent, and p(value given parent): (values of the parent, values)."""
        names = [factor.name for factor in self.prior.factors]
        found: list[tuple[int | None, Floats]] = []
        for factor in self.prior.factors:
            given = self.prior[factor.parent].values if factor.parent else ("",)
            weights = np.array([factor.weights[value] for value in given], dtype=float)
            found.append((names.index(factor.parent) if factor.parent else None, weights / weights.sum(1, keepdims=True)))
        return found

    def _usual(self, k: int, told: Rows) -> Floats:
        """p(value of factor k given what was told before), (reports, values), for ``told`` (reports, factors)."""
        parent, table = self._tables[k]
        usual: Floats = table[np.zeros(len(told), np.int64) if parent is None else told[:, parent]]
        return usual


# --- choosing without a model -----------------------------------------------------------------------------------------


def majority(reports: Rows) -> Rows:
    """The most frequent value of each fact, among equals the one told first: (..., count, factors) to (..., factors).

    Values that never go together may win side by side.
    """
    votes = (reports[..., None, :, :] == reports[..., None, :]).sum(-2)  # for each report's value: how many say so
    winners = votes.argmax(-2)[..., None, :]
    chosen: Rows = np.take_along_axis(reports, winners, axis=-2)[..., 0, :]
    return chosen


def medoid(distances: Tensor) -> Tensor:
    """Which report is nearest to all others, by distances (..., count, count): (...,) of indices."""
    return distances.sum(-1).argmin(-1)


# --- means of codes ---------------------------------------------------------------------------------------------------


def subsets(count: int) -> Tensor:
    """All 2^count - 1 subsets of ``count`` reports that are not empty, as rows of 0 and 1; the last one has all."""
    if not 1 <= count <= 12:
        raise ValueError(f"count: expected 1 to 12 reports, as there are 2^count subsets, got {count}")
    return torch.tensor([[number >> place & 1 for place in range(count)] for number in range(1, 2**count)]).float()


def subset_means(codes: Tensor, masks: Tensor) -> Tensor:
    """The mean code of every subset: codes (..., count, latent), masks (subsets, count) to (..., subsets, latent)."""
    return masks @ codes / masks.sum(1, keepdim=True)


def written_from(decoder: Decoder, z: Tensor, longest: int = 20, chunk: int = 2048) -> list[list[int]]:
    """The greedy sentence of each z (n, latent), as token numbers; ``chunk`` at a time stay in the processor's cache."""
    return [row for part in z.split(chunk) for row in greedy(decoder, part, longest=longest)]


# --- overlap of words ---------------------------------------------------------------------------------------------------


def word_counts(sentences: Sequence[Sequence[int]], size: int) -> Tensor:
    """How often each word of a vocabulary of ``size`` is in each sentence: (sentences, size)."""
    rows = torch.arange(len(sentences)).repeat_interleave(torch.tensor([len(sentence) for sentence in sentences]))
    words = torch.tensor([word for sentence in sentences for word in sentence], dtype=torch.long)
    return (rows * size + words).bincount(minlength=len(sentences) * size).view(-1, size).float()


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """ROUGE-1 (F1) of counts of words, both (..., size): 2 shared / (all of both), shared being what both have. (...,).

    The same number as ``rouge`` gives (Lin 2004), for many pairs at once.
    """
    shared = torch.minimum(first, second).sum(-1)
    return 2 * shared / (first.sum(-1) + second.sum(-1)).clamp_min(1)


# --- scores -------------------------------------------------------------------------------------------------------------

ENDS = frozenset(".!?。！？")  # what ends a sentence, as a token or as its last character


def first_sentence(text: Tokens) -> Tokens:
    """The beginning of a text up to the end of its first sentence, a full stop that is a token of its own left out."""
    for place, token in enumerate(text, 1):
        if token[-1] in ENDS and place > 1:
            return text[: place - 1 if len(token.strip()) == 1 else place]
    return text


class _AsSplit:
    """Tokens as they are: rouge-score's own tokenizer would drop everything but Latin letters and digits."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


def rouge(written: Sequence[Tokens], references: Sequence[Tokens]) -> dict[str, Tensor]:
    """ROUGE-1, ROUGE-2 and ROUGE-L (F1, 0 to 1) of every sentence against its reference (Lin 2004): three of (sentences,)."""
    kinds = {"ROUGE-1": "rouge1", "ROUGE-2": "rouge2", "ROUGE-L": "rougeL"}
    scorer = RougeScorer(list(kinds.values()), tokenizer=_AsSplit())
    scores = [scorer.score(" ".join(b), " ".join(a)) for a, b in zip(written, references, strict=True)]
    return {name: torch.tensor([score[kind].fmeasure for score in scores], dtype=torch.float64) for name, kind in kinds.items()}


def invented(stated: Tensor, reports: Tensor) -> Tensor:
    """How many facts of each summary no report states: (events, factors), (events, count, factors) to (events,).

    A summary outside the language states nothing, and so invents nothing; it is counted by its facts that are not right.
    """
    told = (stated[:, None] == reports).any(1)
    return (~told & (stated != UNREADABLE)).sum(1)


def different(written: Sequence[Tokens], fine: Tensor, texts: int) -> Tensor:
    """How many different summaries each text has among those that are ``fine`` (summaries,), of bool: (texts,).

    ``written``: a summary of each text, then another of each, and so on. Raises ``ValueError`` for a broken last round.
    """
    if len(written) % texts or len(fine) != len(written):
        raise ValueError(f"expected whole rounds of {texts} summaries and as many judgements, got {len(written)}, {len(fine)}")
    kept = [{line for line, good in zip(written[k::texts], fine[k::texts].tolist(), strict=True) if good} for k in range(texts)]
    return torch.tensor([len(lines) for lines in kept])


def one_fact_wrong(sentences: Sequence[Tokens], language: Language, generator: Generator) -> list[Tokens]:
    """Each sentence with one word replaced by another, so that it states other facts; words are tried at random.

    Raises ``ValueError`` for a sentence outside the language.
    """
    words = sorted(language.grammar.words())
    return [_reworded(sentence, words, language, generator) for sentence in sentences]


def _reworded(sentence: Tokens, words: Sequence[str], language: Language, generator: Generator) -> Tokens:
    truth = language.recognize(sentence)
    if truth is None:
        raise ValueError(f"expected a sentence of {language.name}, got: {' '.join(sentence)}")
    while True:
        place, word = (int(torch.randint(n, (), generator=generator)) for n in (len(sentence), len(words)))
        changed = (*sentence[:place], words[word], *sentence[place + 1 :])
        found = language.recognize(changed)
        if found is not None and found.facts != truth.facts:
            return changed
