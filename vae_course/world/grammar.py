"""Grammars whose sentences state facts: sampling, exact probability and entropy, and recognition.

A grammar is a tree of four kinds of node. ``Text`` is fixed words, ``Sequence`` puts parts one after another, ``Choice`` is a
free choice of wording, and ``By`` is the only place where a fact enters: it takes the branch that belongs to a factor's value.
There is no recursion in the rules, so a sentence is short and every quantity below is exact.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

Tokens = tuple[str, ...]
Facts = Mapping[str, str]
Floats = NDArray[np.float64]
Lattice = list[Mapping[str, float]]  # for each place of a sentence the words that may stand there, with a log-weight


@dataclass(frozen=True)
class Parse:
    """One way to read the tokens up to ``end``: the facts it commits to and the log-probability of its choices of wording."""

    end: int
    facts: dict[str, str]
    log_probability: float


# --- the four kinds of node -----------------------------------------------------------------------------------------


class Node:
    """A part of a grammar."""

    def write(self, facts: Facts, uniforms: Iterator[float]) -> Tokens:
        """Tokens that state ``facts``; each choice of wording uses up one number from ``uniforms`` in [0, 1)."""
        raise NotImplementedError

    def entropy(self, facts: Mapping[str, NDArray[np.str_]]) -> Floats:
        """Entropy of the wording given the facts, in nats; ``facts`` holds an array (worlds,) a factor. Returns (worlds,)."""
        raise NotImplementedError

    def parse(self, tokens: Tokens, start: int, facts: dict[str, str]) -> Iterator[Parse]:
        """Every reading of ``tokens[start:]``'s beginning that agrees with the ``facts`` found so far."""
        raise NotImplementedError

    def wordings(self, facts: Facts) -> Iterator[tuple[Tokens, float]]:
        """Every way to state ``facts``, with its log-probability."""
        raise NotImplementedError

    def words(self) -> set[str]:
        """Every word that the node can write."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Node):
    """Fixed words."""

    tokens: Tokens

    def write(self, facts: Facts, uniforms: Iterator[float]) -> Tokens:  # noqa: D102 - see Node, also below
        return self.tokens

    def entropy(self, facts: Mapping[str, NDArray[np.str_]]) -> Floats:  # noqa: D102
        return _zeros(facts)

    def parse(self, tokens: Tokens, start: int, facts: dict[str, str]) -> Iterator[Parse]:  # noqa: D102
        end = start + len(self.tokens)
        if tokens[start:end] == self.tokens:
            yield Parse(end, facts, 0.0)

    def wordings(self, facts: Facts) -> Iterator[tuple[Tokens, float]]:  # noqa: D102
        yield self.tokens, 0.0

    def words(self) -> set[str]:  # noqa: D102
        return set(self.tokens)


@dataclass(frozen=True)
class Sequence(Node):
    """Parts one after another."""

    parts: tuple[Node, ...]

    def write(self, facts: Facts, uniforms: Iterator[float]) -> Tokens:  # noqa: D102
        written: Tokens = ()
        for part in self.parts:
            written += part.write(facts, uniforms)
        return written

    def entropy(self, facts: Mapping[str, NDArray[np.str_]]) -> Floats:  # noqa: D102 - entropies of independent choices add
        return sum((part.entropy(facts) for part in self.parts), start=_zeros(facts))

    def parse(self, tokens: Tokens, start: int, facts: dict[str, str]) -> Iterator[Parse]:  # noqa: D102
        yield from self._parse_from(0, tokens, Parse(start, facts, 0.0))

    def _parse_from(self, index: int, tokens: Tokens, before: Parse) -> Iterator[Parse]:
        if index == len(self.parts):
            yield before
            return
        for parse in self.parts[index].parse(tokens, before.end, before.facts):
            together = Parse(parse.end, parse.facts, before.log_probability + parse.log_probability)
            yield from self._parse_from(index + 1, tokens, together)

    def wordings(self, facts: Facts) -> Iterator[tuple[Tokens, float]]:  # noqa: D102
        written: list[tuple[Tokens, float]] = [((), 0.0)]
        for part in self.parts:
            written = [(a + b, p + q) for a, p in written for b, q in part.wordings(facts)]
        yield from written

    def words(self) -> set[str]:  # noqa: D102
        return set().union(*(part.words() for part in self.parts))


@dataclass(frozen=True)
class Choice(Node):
    """A free choice of wording: ``options`` with their ``probabilities``, positive and summing to 1."""

    options: tuple[Node, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        right = len(self.options) == len(self.probabilities) and all(p > 0 for p in self.probabilities)
        if not right or not math.isclose(sum(self.probabilities), 1):
            raise ValueError(
                f"probabilities: expected {len(self.options)} positive ones that sum to 1, got {self.probabilities}"
            )

    def write(self, facts: Facts, uniforms: Iterator[float]) -> Tokens:  # noqa: D102
        left = next(uniforms)
        for option, probability in zip(self.options, self.probabilities, strict=True):
            left -= probability
            if left < 0:
                return option.write(facts, uniforms)
        return self.options[-1].write(facts, uniforms)  # rounding left a little

    def entropy(self, facts: Mapping[str, NDArray[np.str_]]) -> Floats:  # noqa: D102 - H(choice) + E[H(what follows)]
        own = -sum(p * math.log(p) for p in self.probabilities)
        after = [p * option.entropy(facts) for option, p in zip(self.options, self.probabilities, strict=True)]
        total: Floats = own + np.sum(after, axis=0)
        return total

    def parse(self, tokens: Tokens, start: int, facts: dict[str, str]) -> Iterator[Parse]:  # noqa: D102
        for option, probability in zip(self.options, self.probabilities, strict=True):
            for parse in option.parse(tokens, start, facts):
                yield Parse(parse.end, parse.facts, math.log(probability) + parse.log_probability)

    def wordings(self, facts: Facts) -> Iterator[tuple[Tokens, float]]:  # noqa: D102
        for option, probability in zip(self.options, self.probabilities, strict=True):
            for tokens, log_probability in option.wordings(facts):
                yield tokens, math.log(probability) + log_probability

    def words(self) -> set[str]:  # noqa: D102
        return set().union(*(option.words() for option in self.options))


@dataclass(frozen=True)
class By(Node):
    """The branch that belongs to the value of ``factor``: here a fact enters the sentence."""

    factor: str
    branches: Mapping[str, Node]

    def write(self, facts: Facts, uniforms: Iterator[float]) -> Tokens:  # noqa: D102
        return self.branches[facts[self.factor]].write(facts, uniforms)

    def entropy(self, facts: Mapping[str, NDArray[np.str_]]) -> Floats:  # noqa: D102
        values = facts[self.factor]
        result = np.empty(len(values))
        for value, branch in self.branches.items():
            chosen = values == value
            result[chosen] = branch.entropy({name: column[chosen] for name, column in facts.items()})
        return result

    def parse(self, tokens: Tokens, start: int, facts: dict[str, str]) -> Iterator[Parse]:  # noqa: D102
        known = facts.get(self.factor)
        for value in self.branches if known is None else (known,):
            yield from self.branches[value].parse(tokens, start, {**facts, self.factor: value})

    def wordings(self, facts: Facts) -> Iterator[tuple[Tokens, float]]:  # noqa: D102
        yield from self.branches[facts[self.factor]].wordings(facts)

    def words(self) -> set[str]:  # noqa: D102
        return set().union(*(branch.words() for branch in self.branches.values()))


def _zeros(facts: Mapping[str, NDArray[np.str_]]) -> Floats:
    return np.zeros(len(next(iter(facts.values()))))


def _uniforms(shape: tuple[int, ...], generator: Generator) -> Floats:
    return torch.rand(shape, generator=generator, dtype=torch.float64).numpy()


# --- facts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factor:
    """One factor of a world: its values and their weights given the value of ``parent`` (key "" if it has none)."""

    name: str
    values: tuple[str, ...]
    weights: Mapping[str, tuple[float, ...]]
    parent: str | None = None


@dataclass(frozen=True)
class FactPrior:
    """A distribution over facts: each factor depends on at most one earlier factor (a tree)."""

    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        earlier: dict[str | None, Tokens] = {None: ("",)}
        for factor in self.factors:
            if factor.parent not in earlier:
                raise ValueError(f"{factor.name}: its parent {factor.parent!r} must be a factor that comes before it")
            if set(factor.weights) != set(earlier[factor.parent]):
                raise ValueError(
                    f"{factor.name}: expected weights for {earlier[factor.parent]}, got them for {(*factor.weights,)}"
                )
            for given, row in factor.weights.items():
                if len(row) != len(factor.values) or min(row) < 0 or sum(row) <= 0:
                    raise ValueError(
                        f"{factor.name}: expected {len(factor.values)} weights >= 0, not all of them 0; got {row} for {given!r}"
                    )
            earlier[factor.name] = factor.values

    @cached_property
    def worlds(self) -> NDArray[np.int64]:
        """Every possible world, one row each, a column of value indices a factor: (worlds, factors)."""
        return self._table[0]

    @cached_property
    def log_probabilities(self) -> Floats:
        """The log-probability of every row of ``worlds``: (worlds,)."""
        return self._table[1]

    @cached_property
    def _table(self) -> tuple[NDArray[np.int64], Floats]:
        names = [factor.name for factor in self.factors]
        rows, log_p = np.zeros((1, 0), np.int64), np.zeros(1)
        for factor in self.factors:
            weights = np.array([factor.weights[value] for value in self._parent_values(factor)], dtype=float)
            table = weights / weights.sum(1, keepdims=True)
            parent = rows[:, names.index(factor.parent)] if factor.parent else np.zeros(len(rows), np.int64)
            row, value = np.nonzero(table[parent])
            log_p = log_p[row] + np.log(table[parent[row], value])
            rows = np.column_stack([rows[row], value])
        return rows, log_p

    def _parent_values(self, factor: Factor) -> tuple[str, ...]:
        return ("",) if factor.parent is None else self[factor.parent].values

    def __getitem__(self, name: str) -> Factor:
        for factor in self.factors:
            if factor.name == name:
                return factor
        raise KeyError(f"no factor {name!r}; there are {', '.join(factor.name for factor in self.factors)}")

    @property
    def entropy(self) -> float:
        """Entropy of the facts in nats."""
        return float(-(np.exp(self.log_probabilities) * self.log_probabilities).sum())

    def named(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.str_]]:
        """The values of ``rows`` (n, factors) as an array of names (n,) a factor."""
        return {factor.name: np.array(factor.values)[rows[:, k]] for k, factor in enumerate(self.factors)}

    def row(self, facts: Facts) -> Tokens:
        """The values of ``facts`` in the order of the factors."""
        return tuple(facts[factor.name] for factor in self.factors)

    def log_probability(self, facts: Facts) -> float:
        """log p(facts) in nats; minus infinity for a world that cannot be. Raises ``ValueError`` for an unknown value."""
        total = 0.0
        for factor in self.factors:
            if facts[factor.name] not in factor.values:
                raise ValueError(f"{factor.name}: expected one of {', '.join(factor.values)}, got {facts[factor.name]!r}")
            weights = factor.weights[facts[factor.parent] if factor.parent else ""]
            weight = weights[factor.values.index(facts[factor.name])]
            total += math.log(weight / sum(weights)) if weight else -math.inf
        return total

    def sample(self, count: int, generator: Generator) -> NDArray[np.int64]:
        """Draw ``count`` worlds: value indices (count, factors)."""
        cumulative = np.exp(self.log_probabilities).cumsum()
        uniforms = _uniforms((count,), generator) * cumulative[-1]
        chosen: NDArray[np.int64] = self.worlds[np.searchsorted(cumulative, uniforms, side="right")]
        return chosen


# --- a language: facts and a way to state them ----------------------------------------------------------------------


@dataclass(frozen=True)
class Recognized:
    """What a sentence of the language says: its facts, and log p(sentence) in nats."""

    facts: dict[str, str]
    log_probability: float


@dataclass(frozen=True)
class Language:
    """Sentences that state the facts of ``prior`` by the rules of ``grammar``; ``separator`` joins tokens for reading.

    Raises ``ValueError`` for a grammar that lacks a branch or may leave a fact out, ``KeyError`` for an unknown factor.
    """

    name: str
    prior: FactPrior
    grammar: Node
    separator: str = " "

    def __post_init__(self) -> None:
        if missing := {factor.name for factor in self.prior.factors} - _stated(self.grammar, self.prior):
            raise ValueError(
                f"{self.name}: every sentence must state every fact, but some leave out {', '.join(sorted(missing))}"
            )

    @cached_property
    def wording_entropy(self) -> float:
        """H(sentence given facts) in nats, by the grammar's recursion."""
        per_world = self.grammar.entropy(self.prior.named(self.prior.worlds))
        return float((np.exp(self.prior.log_probabilities) * per_world).sum())

    @property
    def entropy(self) -> float:
        """H(sentence) = H(facts) + H(sentence given facts) in nats; exact where no two readings share a sentence."""
        return self.prior.entropy + self.wording_entropy

    @cached_property
    def sentence_count(self) -> int:
        """Number of different sentences over all possible worlds; exact where no two readings share one."""
        return int(_count_wordings(self.grammar, self.prior.named(self.prior.worlds)).sum())

    def conditional_entropy(self, other: "Language") -> float:
        """H(sentence here given a sentence of the same facts in ``other``) in nats.

        A sentence of ``other`` determines its facts, and given the facts the two wordings are independent.
        """
        if other.prior is not self.prior:
            raise ValueError(f"{self.name} and {other.name} speak of different worlds; expected two languages of one world")
        return self.wording_entropy

    def write(self, rows: NDArray[np.int64], generator: Generator) -> list[Tokens]:
        """One sentence for each row of facts (n, factors)."""
        columns = self.prior.named(rows)
        uniforms = _uniforms((len(rows), self._choices), generator)
        names = list(columns)
        return [
            self.grammar.write(dict(zip(names, values, strict=True)), iter(numbers))
            for *values, numbers in zip(*columns.values(), uniforms.tolist(), strict=True)
        ]

    @cached_property
    def _choices(self) -> int:
        return _most_choices(self.grammar)

    def sample(self, count: int, generator: Generator) -> list[Tokens]:
        """Draw ``count`` sentences."""
        return self.write(self.prior.sample(count, generator), generator)

    def recognize(self, tokens: Tokens) -> Recognized | None:
        """The facts that a sentence states and its log-probability; None if it is not in the language.

        Should a sentence have several readings, the probabilities add and the likeliest gives the facts.
        """
        readings = [
            Recognized(parse.facts, self.prior.log_probability(parse.facts) + parse.log_probability)
            for parse in self.grammar.parse(tuple(tokens), 0, {})
            if parse.end == len(tokens)
        ]
        readings = [reading for reading in readings if reading.log_probability > -math.inf]
        if not readings:
            return None
        best = max(readings, key=lambda reading: reading.log_probability)
        return Recognized(best.facts, float(np.logaddexp.reduce([reading.log_probability for reading in readings])))

    def readings(self, lattice: Lattice) -> dict[Tokens, float]:
        """Every sentence of the language in a lattice, with log p(sentence) + the log-weights of its words, in nats.

        ``recognize`` does the same where there is one word a place.
        """
        found: dict[Tokens, float] = {}
        if len(lattice) not in _ends(self.grammar, lattice, 0):  # most orders of words are none of the language's: seen at once
            return found
        for end, facts, tokens, log_weight in _readings(self.grammar, lattice, _Reading(0, {}, (), 0.0)):
            if end == len(lattice) and (log_p := self.prior.log_probability(facts)) > -math.inf:
                found[tokens] = float(np.logaddexp(found.get(tokens, -math.inf), log_p + log_weight))
        return found

    def log_probability(self, tokens: Tokens) -> float:
        """log p(sentence) in nats; minus infinity for a sentence that is not in the language."""
        recognized = self.recognize(tokens)
        return -math.inf if recognized is None else recognized.log_probability


class _Reading(NamedTuple):
    """The beginning of a lattice as it was read: its end, the facts stated so far, its words, and their log-weight."""

    end: int
    facts: dict[str, str]
    tokens: Tokens
    log_weight: float


def _ends(node: Node, lattice: Lattice, start: int) -> set[int]:
    """Where ``node`` may end if it begins at ``start``, whatever the facts: quick, and at least all that is possible."""
    match node:
        case Text(words):
            places = lattice[start : start + len(words)]
            fits = len(places) == len(words) and all(word in place for word, place in zip(words, places, strict=True))
            return {start + len(words)} if fits else set()
        case Sequence(parts):
            ends = {start}
            for part in parts:
                ends = set().union(*(_ends(part, lattice, end) for end in ends))
            return ends
        case Choice(options):
            return set().union(*(_ends(option, lattice, start) for option in options))
        case By(_, branches):
            return set().union(*(_ends(branch, lattice, start) for branch in branches.values()))
    raise TypeError(f"expected a node of a grammar, got {type(node).__name__}")


def _readings(node: Node, lattice: Lattice, before: _Reading) -> Iterator[_Reading]:
    """All ways to go on with ``node``."""
    end, facts, tokens, log_weight = before
    match node:
        case Text(words):
            places = lattice[end : end + len(words)]
            if len(places) == len(words) and all(word in place for word, place in zip(words, places, strict=True)):
                own = sum(place[word] for word, place in zip(words, places, strict=True))
                yield _Reading(end + len(words), facts, tokens + words, log_weight + own)
        case Sequence(parts):
            found = [before]
            for part in parts:
                found = [after for reading in found for after in _readings(part, lattice, reading)]
            yield from found
        case Choice(options, probabilities):
            for option, p in zip(options, probabilities, strict=True):
                yield from _readings(option, lattice, before._replace(log_weight=log_weight + math.log(p)))
        case By(factor, branches):
            for value in [facts[factor]] if factor in facts else branches:
                yield from _readings(branches[value], lattice, before._replace(facts={**facts, factor: value}))


def _stated(node: Node, prior: FactPrior) -> set[str]:
    """The factors that every sentence of ``node`` states."""
    match node:
        case Sequence(parts):
            return set().union(*(_stated(part, prior) for part in parts))
        case Choice(options):
            return set.intersection(*(_stated(option, prior) for option in options))
        case By(factor, branches):
            if set(branches) != set(prior[factor].values):
                raise ValueError(f"{factor}: expected a branch for each of {prior[factor].values}, got {(*branches,)}")
            return {factor} | set.intersection(*(_stated(branch, prior) for branch in branches.values()))
    return set()


def _count_wordings(node: Node, facts: Mapping[str, NDArray[np.str_]]) -> NDArray[np.int64]:
    """The number of ways to state each world's facts; arrays as in ``Node.entropy``."""
    counts = np.ones_like(_zeros(facts), dtype=np.int64)
    match node:
        case Sequence(parts):
            counts = math.prod((_count_wordings(part, facts) for part in parts), start=counts)
        case Choice(options):
            counts = np.sum([_count_wordings(option, facts) for option in options], axis=0)
        case By(factor, branches):
            for value, branch in branches.items():
                chosen = facts[factor] == value
                counts[chosen] = _count_wordings(branch, {name: column[chosen] for name, column in facts.items()})
    return counts


def _most_choices(node: Node) -> int:
    """The largest number of choices that one sentence can need."""
    match node:
        case Sequence(parts):
            return sum(_most_choices(part) for part in parts)
        case Choice(options):
            return 1 + max(_most_choices(option) for option in options)
        case By(_, branches):
            return max(_most_choices(branch) for branch in branches.values())
    return 0
