"""Real misspellings: which words of a dictionary may have been meant, and how a channel that was learned from pairs ranks them.

A channel says p(written | meant) of single words: by counted edits (Kernighan, Church & Gale 1990), or by a
sequence-to-sequence model of characters.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor

from vae_course.text import corpora, cures
from vae_course.text.batches import PairBatches
from vae_course.text.conditional import SequenceToSequence
from vae_course.text.models import TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import device_of, seeded_module
from vae_course.world.grammar import Lattice, Tokens

WordPair = tuple[str, str]  # written, meant
Channel = Callable[[Sequence[WordPair]], Tensor]  # log p(written | meant) of each pair, in nats, up to a constant a word


@dataclass(frozen=True)
class Misspellings:
    """Pairs to learn from, pairs to be judged by, whose meant words are in no pair of ``train``, and all words there are."""

    train: list[WordPair]
    test: list[WordPair]
    dictionary: list[str]


def misspellings() -> Misspellings:
    """codespell's misspellings; those of validation and test whose correction is new are the test."""
    pairs = corpora.pairs("codespell")
    seen = {meant for _, meant in pairs.train}
    unseen = [pair for part in (pairs.validation, pairs.test) for pair in part if pair[1] not in seen]
    dictionary = sorted(seen | {meant for part in (pairs.validation, pairs.test) for _, meant in part})
    return Misspellings(pairs.train, unseen, dictionary)


def candidates(written: Sequence[str], dictionary: Sequence[str], count: int = 20) -> list[list[str]]:
    """For each written word the ``count`` dictionary words that share most character n-grams with it, n = 1 to 3 (Dice)."""
    vectorizer = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3), binary=True, lowercase=False)
    known = vectorizer.fit_transform(dictionary)
    asked = vectorizer.transform(written)
    sizes = np.asarray(asked.sum(1)) + np.asarray(known.sum(1)).T
    similarity = 2 * (asked @ known.T).toarray() / sizes
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    return [[dictionary[k] for k in row] for row in order]


def most_similar_word(written: str, words: Sequence[str]) -> str:
    """The word that is most like ``written`` by difflib's ratio, the first of several."""
    return max(words, key=lambda word: SequenceMatcher(a=word, b=written, autojunk=False).ratio())


def reranked(written: Sequence[str], words: Sequence[Sequence[str]], channel: Channel) -> list[str]:
    """For each written word the one of its candidates that makes it likeliest; all words are equally likely beforehand."""
    pairs = [(form, word) for form, row in zip(written, words, strict=True) for word in row]
    scores = iter(channel(pairs).tolist())
    return [max(zip(row, [next(scores) for _ in row], strict=True), key=lambda pair: pair[1])[0] for row in words]


def share_found(found: Sequence[str], pairs: Sequence[WordPair]) -> float:
    """The share of ``pairs`` whose meant word was ``found``."""
    return sum(word == meant for word, (_, meant) in zip(found, pairs, strict=True)) / len(pairs)


# --- counted edits ----------------------------------------------------------------------------------------------------

Edit = tuple[str, str, str]  # the letter before ("" at the beginning), what was meant, what was written


def edits(written: str, meant: str) -> list[Edit]:
    """The fewest letters left out, put in, replaced, or swapped with the next that change ``meant`` into ``written``.

    Each with the letter before it. The distance of Damerau (1964), restricted: what was swapped is not changed again.
    """
    rows, columns = len(meant) + 1, len(written) + 1
    cost = [[column if row == 0 else row for column in range(columns)] for row in range(rows)]
    for i in range(1, rows):
        for k in range(1, columns):
            same = meant[i - 1] == written[k - 1]
            cost[i][k] = min(cost[i - 1][k] + 1, cost[i][k - 1] + 1, cost[i - 1][k - 1] + (not same))
            if i > 1 and k > 1 and meant[i - 2 : i] == written[k - 2 : k][::-1]:
                cost[i][k] = min(cost[i][k], cost[i - 2][k - 2] + 1)
    found, i, k = [], rows - 1, columns - 1
    while i or k:
        now = cost[i][k]
        if i and k and meant[i - 1] == written[k - 1] and cost[i - 1][k - 1] == now:
            i, k = i - 1, k - 1
            continue
        steps = ((2, 2), (1, 1), (1, 0), (0, 1))  # swapped, replaced, left out, put in
        swapped = meant[max(i - 2, 0) : i] == written[max(k - 2, 0) : k][::-1]
        possible = (s for s in steps if s[0] <= i and s[1] <= k and (s != (2, 2) or swapped))
        down, right = next(s for s in possible if cost[i - s[0]][k - s[1]] + 1 == now)
        i, k = i - down, k - right
        found.append((meant[i - 1 : i] if i else "", meant[i : i + down], written[k : k + right]))
    return found[::-1]


@dataclass(frozen=True)
class EditChannel:
    """How often each edit was seen, with the letter before it and without, and how many pairs were looked at."""

    exact: Counter[Edit]
    plain: Counter[WordPair]
    pairs: int

    @classmethod
    def counted(cls, pairs: Sequence[WordPair]) -> "EditChannel":
        """Count the edits in ``pairs``."""
        found = [edit for written, meant in pairs for edit in edits(written, meant)]
        return cls(Counter(found), Counter((meant, written) for _, meant, written in found), len(pairs))

    def __call__(self, pairs: Sequence[WordPair]) -> Tensor:
        """Log-scores of pairs (pairs,): the sum over edits of log (their smoothed count / pairs)."""
        return torch.tensor([sum(map(self._log, edits(*pair))) for pair in pairs], dtype=torch.float64)

    def _log(self, edit: Edit) -> float:
        # An edit after another letter counts for a fiftieth, and one that was never seen for a tenth of a pair.
        count = self.exact[edit] + 0.02 * self.plain[edit[1:]] + 0.1
        return math.log(count / self.pairs)


# --- in a sentence --------------------------------------------------------------------------------------------------------


@dataclass
class SpellingChannel:
    """Readings of words that are not in ``words``: the word as it is, at ``stay`` nats, or one of its candidates by ``edits``.

    For ``correction.noisy_channel`` (it is ``noise.Readable``). A known word is taken to be right.
    """

    words: Sequence[str]
    edits: EditChannel
    stay: float
    count: int = 10
    memory: dict[str, Mapping[str, float]] = field(default_factory=dict)

    def learn(self, sentences: Sequence[Tokens]) -> None:
        """Look up the candidates of all unknown words at once."""
        known = set(self.words)
        unknown = sorted({word for sentence in sentences for word in sentence} - known - set(self.memory))
        if not unknown:
            return
        for word, row in zip(unknown, candidates(unknown, self.words, self.count), strict=True):
            scores = self.edits([(word, meant) for meant in row]).tolist()
            self.memory[word] = dict(zip(row, scores, strict=True))

    def lattices(self, written: Tokens) -> list[tuple[Lattice, float]]:
        """See ``noise.Channel``; nothing is swapped."""
        return [([{word: self.stay, **self.memory[word]} if word in self.memory else {word: 0.0} for word in written], 0.0)]

    def most_similar(self, written: Sequence[Tokens]) -> list[Tokens]:
        """Each unknown word replaced by the candidate that is most like it: a spelling checker that knows no edits."""
        similar = {word: most_similar_word(word, list(row)) for word, row in self.memory.items()}
        return [tuple(similar.get(word, word) for word in sentence) for sentence in written]

    def without_context(self, written: Tokens) -> Tokens:
        """The likeliest word in each place, all words equally likely beforehand."""
        return tuple(max(place, key=lambda word: place[word]) for place in self.lattices(written)[0][0])


# --- a model of characters --------------------------------------------------------------------------------------------


def neural_channel(pairs: Sequence[WordPair], steps: int, seed: int = 0) -> Channel:
    """Train p(written | meant), a sequence-to-sequence model from the characters of one to those of the other."""
    vocabulary = Vocabulary.build([tuple(word) for pair in pairs for word in pair])

    def batches(rows: Sequence[WordPair], size: int) -> PairBatches:
        written, meant = ([vocabulary.encode(tuple(word)) for word in side] for side in zip(*rows, strict=True))
        return PairBatches(meant, written, size)

    sizes = TextSizes(embedding=32, hidden=96)
    model = seeded_module(seed, lambda: SequenceToSequence(len(vocabulary), len(vocabulary), sizes))
    cures.fit(model, batches(pairs, 64), cures.Budget(steps, 64, 1e-2), seed=seed)

    @torch.no_grad()
    def channel(rows: Sequence[WordPair]) -> Tensor:
        result = torch.empty(len(rows), dtype=torch.float64)
        for numbers, pair in batches(rows, 256).in_order():
            result[numbers] = model.log_likelihood(pair).double().to(device_of(model)).cpu()
        return result

    return channel
