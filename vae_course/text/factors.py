"""What the coordinates of z say about the factors behind a sentence: mutual information, probes, and moves that change one.

All amounts of information are in nats. Where the grammar is known the factors are its facts; of any other text only what
every sentence shows.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.probability.distributions import discrete_entropy, standard_normal
from vae_course.probability.estimators import Estimate
from vae_course.text.batches import Sentences
from vae_course.text.corpora import Corpus
from vae_course.text.vocabulary import EOS
from vae_course.world.grammar import Language, Tokens

UNREADABLE = -1

# --- the factors of a corpus ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factors:
    """Named factors with the names of their values, and how to read them off a sentence.

    ``read`` gives the number of each factor's value, or None for a sentence that states none (outside the language).
    ``possible`` says whether a combination of values can occur at all.
    """

    values: Mapping[str, tuple[str, ...]]
    read: Callable[[Tokens], Sequence[int] | None]
    possible: Callable[[Sequence[int]], bool] = lambda numbers: True

    @property
    def names(self) -> list[str]:
        """The factors' names, in the order of the columns of ``table``."""
        return list(self.values)

    def table(self, sentences: Sequence[Tokens]) -> Tensor:
        """The factors of every sentence: (sentences, factors) of int64, a row of ``UNREADABLE`` where nothing can be read."""
        nothing = [UNREADABLE] * len(self.values)
        return torch.tensor([self.read(sentence) or nothing for sentence in sentences], dtype=torch.long)

    def say(self, sentence: Tokens) -> str:
        """The values that a sentence states, in words."""
        numbers = self.read(sentence)
        if numbers is None:
            return "not in the language"
        return " ".join(names[number] for names, number in zip(self.values.values(), numbers, strict=True))


def factors_of(corpus: Corpus) -> Factors:
    """The grammar's facts where the language is known; else a sentence's length and whether it holds some common words."""
    return _facts(corpus.language) if corpus.language is not None else _visible(corpus.train)


def _facts(language: Language) -> Factors:
    values = {factor.name: factor.values for factor in language.prior.factors}

    def read(sentence: Tokens) -> list[int] | None:
        recognized = language.recognize(sentence)
        return None if recognized is None else [names.index(recognized.facts[name]) for name, names in values.items()]

    worlds = {tuple(row) for row in language.prior.worlds.tolist()}
    return Factors(values, read, lambda numbers: tuple(numbers) in worlds)


def _visible(sentences: Sequence[Tokens], words: int = 4) -> Factors:
    """The third of the lengths that a sentence is in, and for ``words`` words whether it has them.

    The words are those whose share of the sentences is nearest to a half, and so tell most.
    """
    lengths = sorted(map(len, sentences))
    first, second = lengths[len(lengths) // 3], lengths[2 * len(lengths) // 3]
    counts = Counter(word for sentence in sentences for word in set(sentence))
    chosen = sorted(counts, key=lambda word: (abs(counts[word] - len(sentences) / 2), word))[:words]
    values = {"length": ("short", "middling", "long"), **{f'"{word}"': ("absent", "there") for word in chosen}}

    def read(sentence: Tokens) -> list[int]:
        return [(len(sentence) > first) + (len(sentence) > second), *(int(word in sentence) for word in chosen)]

    return Factors(values, read)


# --- information --------------------------------------------------------------------------------------------------------


def mutual_information_of_counts(counts: Tensor) -> Tensor:
    """I(a; b) in nats of two discrete variables from a table of joint counts (..., a, b); returns (...).

    The plug-in estimate: I = H(a) + H(b) - H(a, b) of the observed shares. On average it is too large, by about
    (a - 1)(b - 1) / (2 n) nats for n observations (Miller 1955). Raises ``ValueError`` for a table without observations.
    """
    observations = counts.sum((-2, -1), keepdim=True)
    if (observations == 0).any():
        raise ValueError(f"counts: expected an observation at least in each table, got {tuple(counts.shape)} with one of none")
    shares = counts.double() / observations
    joint = discrete_entropy(shares.flatten(-2))
    return discrete_entropy(shares.sum(-1)) + discrete_entropy(shares.sum(-2)) - joint


def equal_bins(codes: Tensor, bins: int) -> Tensor:
    """Cut every column of ``codes`` (n, latent) into ``bins`` classes that hold equally many rows: (n, latent) of int64."""
    if bins < 2 or len(codes) == 0:
        raise ValueError(f"expected at least 2 bins and one row, got {bins} and {len(codes)}")
    return codes.argsort(0).argsort(0) * bins // len(codes)


def mutual_information(codes: Tensor, table: Tensor, bins: int = 20) -> Tensor:
    """I(coordinate; factor) in nats for every pair: ``codes`` (n, latent), ``table`` (n, factors) to (latent, factors).

    Each coordinate is cut into equally full ``bins``, which can only lose information; then the plug-in estimate is taken,
    which is a little too large. With the rows of ``codes`` shuffled the truth is 0, and the result shows by how much.
    """
    if len(codes) != len(table):
        raise ValueError(f"expected a row of factors for each code, got {len(codes)} codes and {len(table)} rows")
    binned = functional.one_hot(equal_bins(codes, bins), bins).double()  # (n, latent, bins)
    columns = [functional.one_hot(column).double() for column in table.T]  # (n, values) each
    counts = [torch.einsum("nlb,nv->lbv", binned, column) for column in columns]
    return torch.stack([mutual_information_of_counts(count) for count in counts], dim=1)


def entropies(table: Tensor) -> Tensor:
    """H(factor) in nats of every column of ``table`` (n, factors): the most that anything can tell about it. (factors,).

    Raises ``ValueError`` for a table without rows.
    """
    if len(table) == 0:
        raise ValueError("table: expected one row at least, got none")
    return torch.stack([discrete_entropy(torch.bincount(column).double() / len(column)) for column in table.T])


def mutual_information_gap(information: Tensor, entropy: Tensor) -> Tensor:
    """For each factor the lead of the best-informed coordinate over the second best, as a share of the factor's entropy.

    ``information`` (latent, factors), ``entropy`` (factors,) to (factors,), in 0 ... 1. Chen 2018 takes the mean over factors.
    A factor that takes only one value has nothing to tell, and a gap of 0.
    """
    best = information.topk(2, dim=0).values
    return torch.where(entropy > 0, (best[0] - best[1]) / entropy, 0.0)


def random_rotation(dimension: int, generator: Generator) -> Tensor:
    """An orthogonal matrix (dimension, dimension), uniformly drawn (Mezzadri 2007), float64."""
    gaussian = standard_normal((dimension, dimension), generator, like=torch.empty(0, dtype=torch.float64))
    q, r = torch.linalg.qr(gaussian)
    rotation: Tensor = q * r.diagonal().sign()  # without the signs the draw would not be uniform
    return rotation


def aligned_rotation(vectors: Sequence[Tensor]) -> Tensor:
    """An orthogonal matrix whose first rows follow the factors: row k the direction in which factor k's values differ most.

    ``vectors``: a list like that of ``effects``, (values, latent) a factor, of at most ``latent`` factors. Directions are made
    orthogonal one after another, and filled up to a basis. Returns (latent, latent), float64; codes turn by ``codes @ R.T``.
    """
    if len(vectors) > vectors[0].shape[1]:
        raise ValueError(f"vectors: {len(vectors)} factors cannot each have an axis in {vectors[0].shape[1]} dimensions")
    leading = [torch.linalg.svd((rows - rows.mean(0)).double()).Vh[0] for rows in vectors]
    rotation: Tensor = torch.linalg.qr(torch.stack(leading, dim=1), mode="complete").Q.T
    return rotation


# --- probes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Probe:
    """What a linear classifier, fitted on training sentences, reads about a factor on *test* sentences.

    ``nats`` is H(factor) - cross entropy: how much of the factor it recovers. It is at most I(features; factor) (Barber &
    Agakov 2003) but for the chance of the test set, and below 0 for a probe worse than the test set's own shares.
    ``majority`` is the accuracy of always naming the value that is most frequent in training.
    """

    accuracy: Estimate
    majority: float
    nats: Estimate


def probe(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Probe:
    """Logistic regression from features (n, features) to labels (n,), fitted on the first two and scored on the others."""
    values = int(max(train_labels.max(), test_labels.max())) + 1
    # A thousandth is kept for all values, so that one never seen in training costs 7 nats and more, but not infinitely many.
    shares = 0.999 * _fitted_shares(train, train_labels, test, values) + 0.001 / values
    right = shares.argmax(1) == test_labels
    log_own = shares.gather(1, test_labels[:, None])[:, 0].log()
    log_share = (torch.bincount(test_labels).double() / len(test_labels)).log()[test_labels]
    majority = (test_labels == torch.bincount(train_labels).argmax()).double().mean().item()
    return Probe(Estimate.of(right.double()), majority, Estimate.of(log_own - log_share))


def _fitted_shares(train: Tensor, labels: Tensor, test: Tensor, values: int) -> Tensor:
    """The probability of each value on each test row, (n, values), by logistic regression on standardized features."""
    shares = torch.zeros(len(test), values, dtype=torch.float64)
    seen = labels.unique()
    if len(seen) == 1:
        shares[:, seen] = 1.0
        return shares
    scale = train.std(0).clamp_min(1e-6)
    inputs, questions = (((features - train.mean(0)) / scale).double().numpy() for features in (train, test))
    classifier = LogisticRegression(max_iter=1000).fit(inputs, labels.numpy())
    shares[:, seen] = torch.as_tensor(classifier.predict_proba(questions), dtype=torch.float64)
    return shares


def bag_of_words(sentences: Sentences, vocabulary_size: int) -> Tensor:
    """Which words of the vocabulary a sentence holds, without their order: (sentences, vocabulary_size) of zeros and ones."""
    bag = torch.zeros(len(sentences), vocabulary_size)
    for row, sentence in enumerate(sentences):
        bag[row, [word for word in sentence if word > EOS]] = 1
    return bag


# --- moving in z ----------------------------------------------------------------------------------------------------------


def crossing(tables: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Facts along paths, (places, paths, factors): the shares that are as at the start, as at the end, and as at neither.

    Only facts that differ between a path's two ends count, and only paths whose ends are readable. Each result: (places,).
    """
    start, end = tables[0], tables[-1]
    counted = (start != end) & (start != UNREADABLE) & (end != UNREADABLE)
    from_start, from_end = ((tables == side)[:, counted].double().mean(1) for side in (start, end))
    return from_start, from_end, 1 - from_start - from_end


def class_means(codes: Tensor, table: Tensor, factors: Factors) -> list[Tensor]:
    """For each factor the mean code of the sentences with each value: (values, latent) a factor.

    The difference of two rows is the usual attribute vector; it moves along whatever goes with the attribute in the world.
    """
    columns = zip(table.T, factors.values.values(), strict=True)
    return [_one_hot(column, names, codes).T @ codes / _counts(column, names)[:, None] for column, names in columns]


def effects(codes: Tensor, table: Tensor, factors: Factors) -> list[Tensor]:
    """For each factor the part of a code that is due to each value, all other factors being equal: (values, latent) a factor.

    Least squares of the codes on all factors at once. Only differences between rows of one factor mean anything.
    """
    columns = list(zip(table.T, factors.values.values(), strict=True))
    design = torch.cat([_one_hot(column, names, codes) for column, names in columns], dim=1)
    # Each factor's indicators add up to 1, so many solutions agree; the pseudo-inverse takes the smallest.
    solution = torch.linalg.pinv(design) @ codes
    return list(solution.split([len(names) for _, names in columns]))


def _one_hot(column: Tensor, names: tuple[str, ...], like: Tensor) -> Tensor:
    return functional.one_hot(column, len(names)).to(like.dtype)


def _counts(column: Tensor, names: tuple[str, ...]) -> Tensor:
    return torch.bincount(column, minlength=len(names)).clamp_min(1)


@dataclass(frozen=True)
class Wishes:
    """For ``rows`` of a table, change ``factor`` from ``source`` to ``target`` and nothing else; all are (wishes,)."""

    rows: Tensor
    factor: Tensor
    source: Tensor
    target: Tensor

    def steps(self, vectors: Sequence[Tensor]) -> Tensor:
        """The move in z for each wish, (wishes, latent), from a list like that of ``class_means``."""
        chosen = zip(self.factor.tolist(), self.source.tolist(), self.target.tolist(), strict=True)
        return torch.stack([vectors[factor][target] - vectors[factor][source] for factor, source, target in chosen])


def wishes(factors: Factors, table: Tensor, generator: Generator) -> Wishes:
    """One wish for each readable row: a random factor and a random other value, such that the result can be."""
    found = []
    for row, values in enumerate(table.tolist()):
        if UNREADABLE in values:
            continue
        others = [
            (factor, value)
            for factor, names in enumerate(factors.values.values())
            for value in range(len(names))
            if value != values[factor] and factors.possible([*values[:factor], value, *values[factor + 1 :]])
        ]
        if others:
            factor, value = others[int(torch.randint(len(others), (), generator=generator))]
            found.append((row, factor, values[factor], value))
    if not found:
        raise ValueError("table: no row is readable and has a value to change; the decoder writes nothing in the language")
    return Wishes(*torch.tensor(found).T)


def granted(wish: Wishes, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Which wishes came true, and which sentences kept every *other* fact: two (wishes,) of bool.

    ``before`` is the table that the wishes were made from, ``after`` (wishes, factors) what was written for them.
    """
    same = after == before[wish.rows]
    came_true = after.gather(1, wish.factor[:, None])[:, 0] == wish.target
    return came_true, same.scatter(1, wish.factor[:, None], True).all(1)
