"""Exercises of lesson 10: information from counts, its bias, the gap, codes turned, an honest probe, effects of facts in z."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments, NotComparableError
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, doubles, flags, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def _codes(rows: object) -> Tensor:
    """Codes are in single precision, as in the lesson: a product with a one-hot label, say, is not one with another dtype."""
    return torch.tensor(rows, dtype=torch.float32)


# --- mutual information ---------------------------------------------------------------------------------------------


def mutual_information_of_counts(counts: Tensor) -> Tensor:
    joint = counts / counts.sum()
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    seen = joint > 0  # 0 log 0 = 0
    return (joint[seen] * (joint[seen] / independent[seen]).log()).sum()


def _counts() -> list[Arguments]:
    return [
        (double([[3, 1], [1, 3]]),),
        (double([[4, 0], [0, 12]]),),
        (double([[5, 2, 0], [1, 1, 7]]),),
        (double([[10, 20], [30, 70]]),),
        (double([[10, 20], [30, 60]]),),  # almost independent
        (double([[6, 0, 1], [0, 0, 0], [1, 0, 2], [0, 0, 3]]),),  # values that never occur
    ]


def _drawn_counts(generator: Generator) -> Arguments:
    a, b = sizes(generator, 2, low=2)
    counts = whole(generator, a, b).double() * flags(generator, a, b, share=0.7)
    counts[0, 0] += size(generator, 1, 9)  # so that a says something of b
    counts[1, 1] += size(generator, 1, 9)
    return (counts,)


def _lessons_counts(generator: Generator) -> Arguments:
    """2000 sentences: which of 20 bins a coordinate falls into, and which of 7 values a fact has."""
    code = torch.randn(2000, generator=generator)
    value = (code + torch.randn(2000, generator=generator)).mul(1.2).round().clamp(-3, 3).long() + 3
    bins = code.argsort().argsort() * 20 // 2000
    return ((bins * 7 + value).bincount(minlength=140).view(20, 7).float(),)


def _entropy(shares: Tensor) -> Tensor:
    terms: Tensor = torch.xlogy(shares, shares)
    return -terms.sum()


def _entropies(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    joint = counts / counts.sum()
    return _entropy(joint.sum(1)), _entropy(joint.sum(0)), _entropy(joint)


def _parts(counts: Tensor) -> tuple[Tensor, Tensor]:
    joint = counts / counts.sum()
    return joint, joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)


def _terms(counts: Tensor) -> Tensor:
    joint, independent = _parts(counts)
    return torch.where(joint > 0, joint * (joint / independent).log(), torch.zeros_like(joint))


def _seen_only(counts: Tensor, how: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    joint, independent = _parts(counts)
    return how(joint[joint > 0], independent[joint > 0]).sum()


def _reversed_kl(counts: Tensor) -> Tensor:
    joint, independent = _parts(counts)
    return (independent * (independent / joint).log()).sum()


def _rows_by_themselves(counts: Tensor) -> Tensor:
    """Shares within each row, whose sums are 1, and of the columns of these."""
    joint = counts / counts.sum(1, keepdim=True)
    return torch.where(joint > 0, joint * (joint / joint.sum(0)).log(), torch.zeros_like(joint)).sum()


def _rows_against_all(counts: Tensor) -> Tensor:
    """Shares within each row held against the columns' shares of everything, and the rows' KLs added up."""
    joint = counts / counts.sum(1, keepdim=True)
    everywhere = counts.sum(0) / counts.sum()
    return torch.where(joint > 0, joint * (joint / everywhere).log(), torch.zeros_like(joint)).sum()


def _with_tiny_shares(counts: Tensor) -> Tensor:
    joint = counts / counts.sum() + 1e-8
    return (joint * (joint / (joint.sum(1, keepdim=True) * joint.sum(0))).log()).sum()


_WRONG_DIRECTION = "I is the KL *from the joint to the product*: average log(joint / product) over the joint."
_NO_MEAN = "Each cell comes with its weight, the share p(a, b), already. Add the cells up; do not divide by their number."
_ONE_MARGINAL = "The joint is compared with the product p(a) p(b). The sums of the rows *and* of the columns belong into it."
_ALL_CELLS = "One number is asked for: add up the cells of all rows and all columns."
_NO_SHARE = "That is the share of an entropy that is known, without a unit. Here the nats are asked for."

MUTUAL_INFORMATION_OF_COUNTS = Exercise(
    task=(
        "I(a; b) in nats of two variables from a table of how often each pair was seen, (a, b). "
        "Some pairs, even some values, may never have been seen. One number."
    ),
    reference=mutual_information_of_counts,
    cases=_counts,
    generate=_drawn_counts,
    lesson=_lessons_counts,
    hints=(
        "Counts over their total are the joint shares p(a, b); the sums of its rows and columns are p(a) and p(b).",
        "I is the KL from the joint p(a, b) to the product p(a) p(b); a pair that was never seen counts 0.",
        "The product is joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True). Sum joint * log(joint / product) where "
        "joint > 0.",
    ),
    mistakes=(
        Mistake(
            "Bits, not nats",
            lambda counts: mutual_information_of_counts(counts) / math.log(2),
            "log2 gives bits. The course counts in nats: use the natural logarithm, torch.log.",
        ),
        Mistake(
            "0 log 0 became nan",
            lambda counts: mutual_information_of_counts(counts) + (0 * counts.log()).sum(),
            "A pair that was never seen counts 0, the limit of p log p, but log(0) times 0 is nan. Leave those cells out.",
        ),
        Mistake(
            "A value that never occurs became nan",
            lambda counts: mutual_information_of_counts(counts) + (0 * (counts.sum(0).log().sum() + counts.sum(1).log().sum())),
            "Where a whole row or column is 0, so is the product p(a) p(b), and its logarithm times 0 is nan. "
            "Leave out the pairs that were never seen.",
        ),
        Mistake(
            "H(a) + H(b) taken for H(a, b)",
            lambda counts: 0 * counts.sum(),
            "Always 0: that H(a, b) is the sum of H(a) and H(b) is true of independent variables only. "
            "Take the entropy over all cells of the joint table.",
        ),
        Mistake(
            "H(a, b) forgotten",
            lambda counts: _entropies(counts)[0] + _entropies(counts)[1],
            "H(a) + H(b) counts what both share twice. Subtract H(a, b), the entropy over all cells.",
        ),
        Mistake(
            "H(a, b) added",
            lambda counts: sum(_entropies(counts)),
            "What both share is counted twice in H(a) + H(b): *subtract* H(a, b).",
        ),
        Mistake(
            "Joint entropy",
            lambda counts: _entropies(counts)[2],
            "This is H(a, b), what there is to know about the pair. I = H(a) + H(b) - H(a, b).",
        ),
        Mistake(
            "Conditional entropy of b",
            lambda counts: _entropies(counts)[2] - _entropies(counts)[0],
            "H(a, b) - H(a) = H(b given a) is what a leaves *unknown* about b. Subtract it from H(b).",
        ),
        Mistake(
            "Conditional entropy of a",
            lambda counts: _entropies(counts)[2] - _entropies(counts)[1],
            "H(a, b) - H(b) = H(a given b) is what b leaves *unknown* about a. Subtract it from H(a).",
        ),
        Mistake(
            "Wrong sign",
            lambda counts: -mutual_information_of_counts(counts),
            "Mutual information is never negative: the joint belongs above the product in the ratio.",
        ),
        Mistake("The KL in the wrong direction", _reversed_kl, _WRONG_DIRECTION),
        Mistake(
            "The KL in the wrong direction",
            lambda counts: _seen_only(counts, lambda joint, independent: independent * (independent / joint).log()),
            _WRONG_DIRECTION,
        ),
        Mistake(
            "Compared with a uniform table",
            lambda counts: math.log(counts.numel()) - _entropies(counts)[2],
            "Independent does not mean uniform: compare with p(a) p(b), made of the table's own row and column sums.",
        ),
        Mistake(
            "Compared with p(a) alone",
            lambda counts: _entropies(counts)[0] - _entropies(counts)[2],
            _ONE_MARGINAL,
        ),
        Mistake(
            "Compared with p(b) alone",
            lambda counts: _entropies(counts)[1] - _entropies(counts)[2],
            _ONE_MARGINAL,
        ),
        Mistake("p(a) taken twice", lambda counts: 2 * _entropies(counts)[0] - _entropies(counts)[2], _ONE_MARGINAL),
        Mistake("p(b) taken twice", lambda counts: 2 * _entropies(counts)[1] - _entropies(counts)[2], _ONE_MARGINAL),
        Mistake(
            "Divided by the entropy of b",
            lambda counts: mutual_information_of_counts(counts) / _entropies(counts)[1],
            _NO_SHARE,
        ),
        Mistake(
            "Divided by the entropy of a",
            lambda counts: mutual_information_of_counts(counts) / _entropies(counts)[0],
            _NO_SHARE,
        ),
        Mistake(
            "Divided by the root of both entropies",
            lambda counts: mutual_information_of_counts(counts) / (_entropies(counts)[0] * _entropies(counts)[1]).sqrt(),
            _NO_SHARE,
        ),
        Mistake(
            "Counts not made into shares",
            lambda counts: counts.sum() * (mutual_information_of_counts(counts) - counts.sum().log()),
            "Divide the counts by their total first: p(a, b) adds up to 1.",
        ),
        Mistake(
            "Weighted with counts",
            lambda counts: counts.sum() * mutual_information_of_counts(counts),
            "This is as many times too large as there are observations. The weight before the log is the share p(a, b).",
        ),
        Mistake(
            "Shares within each row",
            _rows_by_themselves,
            "Divided by the sum of its row, a count becomes p(b given a). Divide by the total: *all* cells add up to 1.",
        ),
        Mistake(
            "Shares within each column",
            lambda counts: _rows_by_themselves(counts.mT),
            "Divided by the sum of its column, a count becomes p(a given b). Divide by the total: *all* cells add up to 1.",
        ),
        Mistake(
            "Every row counts alike",
            _rows_against_all,
            "log p(b given a) / p(b) is the right ratio, but its weight is p(b given a), which gives every row the weight 1. "
            "The weight is the joint p(a, b): the count over the total.",
        ),
        Mistake(
            "Every column counts alike",
            lambda counts: _rows_against_all(counts.mT),
            "log p(a given b) / p(a) is the right ratio, but its weight is p(a given b), which gives every column the weight "
            "1. The weight is the joint p(a, b): the count over the total.",
        ),
        Mistake(
            "Softmax of the counts",
            lambda counts: mutual_information_of_counts(counts.flatten().softmax(0).view_as(counts)),
            "Shares are counts divided by their total. A softmax makes e times as likely what was seen once more.",
        ),
        Mistake(
            "The sums of the rows along the columns",
            lambda counts: torch.xlogy(counts / counts.sum(), counts * counts.sum() / (counts.sum(1) * counts.sum(0))).sum(),
            "The sums of rows (a,) times those of columns (b,) do not fit, or pair the wrong ones. "
            "Give the sums of the rows a second dimension: .sum(1, keepdim=True).",
        ),
        Mistake(
            "Means of rows and columns",
            lambda counts: mutual_information_of_counts(counts) + math.log(counts.numel()),
            "p(a) is the *sum* of its row of shares and p(b) that of its column, not their means.",
        ),
        Mistake("Averaged over the cells", lambda counts: mutual_information_of_counts(counts) / counts.numel(), _NO_MEAN),
        Mistake(
            "Averaged over the cells",
            lambda counts: mutual_information_of_counts(counts) / (counts > 0).sum(),
            _NO_MEAN,
        ),
        Mistake(
            "Log ratios not weighted",
            lambda counts: _seen_only(counts, lambda joint, independent: (joint / independent).log()),
            "A pair counts as often as it occurs: the weight before each log ratio is p(a, b).",
        ),
        Mistake(
            "Log ratios weighted by the product",
            lambda counts: _seen_only(counts, lambda joint, independent: independent * (joint / independent).log()),
            "The average is over pairs as they occur together: the weight before the log is the joint p(a, b).",
        ),
        Mistake(
            "The logarithm forgotten",
            lambda counts: _seen_only(counts, lambda joint, independent: joint * joint / independent),
            "Without the log this is no information. Average log(joint / product).",
        ),
        Mistake("One number for each row", lambda counts: _terms(counts).sum(1), _ALL_CELLS),
        Mistake("One number for each column", lambda counts: _terms(counts).sum(0), _ALL_CELLS),
        Mistake("One number for each cell", _terms, _ALL_CELLS),
        Mistake(
            "Something added to every count",
            lambda counts: mutual_information_of_counts(counts + 1),
            "Added counts make the variables look more independent than they are. Pairs that were never seen count exactly 0.",
        ),
        Mistake(
            "Something tiny added to every share",
            _with_tiny_shares,
            "Even 1e-8 a cell changes what is small. Leave the shares as they are, and leave out pairs that were never seen.",
        ),
        Mistake(
            "Divided by the number of rows",
            lambda counts: mutual_information_of_counts(counts) / len(counts),
            'One sum over all cells is asked for. In functional.kl_div it is reduction="sum"; "batchmean" divides by the rows.',
        ),
    ),
)

# --- its bias --------------------------------------------------------------------------------------------------------


def corrected_information(counts: Tensor) -> Tensor:
    rows = (counts.sum(1) > 0).sum()
    columns = (counts.sum(0) > 0).sum()
    bias = (rows - 1) * (columns - 1) / (2 * counts.sum())
    return mutual_information_of_counts(counts) - bias


def _seen(counts: Tensor) -> tuple[Tensor, Tensor]:
    """How many rows and columns hold a count."""
    return (counts.sum(1) > 0).sum(), (counts.sum(0) > 0).sum()


def _less(counts: Tensor, bias: Tensor | float) -> Tensor:
    return mutual_information_of_counts(counts) - bias


def _bias(counts: Tensor, rows: int = 1, columns: int = 1, twice: int = 2) -> Tensor:
    """The bias with other numbers in the place of its two ones and its two."""
    seen = _seen(counts)
    return (seen[0] - rows) * (seen[1] - columns) / (twice * counts.sum())


def _bias_of_added_numbers(counts: Tensor) -> Tensor:
    rows, columns = (counts.sum(dimension).nonzero().sum() for dimension in (1, 0))
    return (rows - 1) * (columns - 1) / (2 * counts.sum())


_MINUS_ONE = "One less of each counts, for the last share follows from the others: (rows - 1)(columns - 1)."
_ONLY_ONE_SIDE = "The bias grows with both sizes of the table: (rows - 1) times (columns - 1)."

CORRECTED_INFORMATION = Exercise(
    task=(
        "The information of exercise 10.1 less its bias (rows - 1)(columns - 1) / (2 n): counts (a, b), n their total. "
        "Rows and columns that were never seen do not count. One number, in nats."
    ),
    reference=corrected_information,
    cases=lambda: [*_counts(), (double([[3, 0, 1], [0, 1, 0], [4, 2, 0]]),)],  # a row and a column seen once
    generate=_drawn_counts,
    lesson=_lessons_counts,
    hints=(
        "Three numbers make the bias: how many observations there are, and how many rows and columns hold any of them.",
        "(counts.sum(1) > 0).sum() is the number of rows that were seen. For the "
        "columns, count over .sum(0); n is the sum of all counts.",
        "Return mutual_information_of_counts(counts) - (rows - 1) * (columns - 1) / (2 * counts.sum()).",
    ),
    mistakes=(
        Mistake(
            "Not corrected",
            lambda counts: mutual_information_of_counts(counts),
            "This is the plain estimate of exercise 10.1. Subtract its bias.",
        ),
        Mistake(
            "The bias added",
            lambda counts: _less(counts, -_bias(counts)),
            "The plain estimate is too large on average, so the bias is *subtracted*.",
        ),
        Mistake("The bias alone", lambda counts: _bias(counts), "Subtract this from the information of the table."),
        Mistake(
            "Bias minus information",
            lambda counts: -corrected_information(counts),
            "The other way round: the information of the table, less the bias.",
        ),
        Mistake(
            "The factor two forgotten",
            lambda counts: _less(counts, _bias(counts, twice=1)),
            "The bias is (rows - 1)(columns - 1) over *twice* the number of observations.",
        ),
        Mistake(
            "Divided by 2, then multiplied by n",
            lambda counts: _less(counts, _bias(counts) * counts.sum().square()),
            "x / 2 * n divides by 2 and multiplies by n. Put the divisor in parentheses: x / (2 * n).",
        ),
        Mistake(
            "Never subtracted one",
            lambda counts: _less(counts, _bias(counts, rows=0, columns=0)),
            _MINUS_ONE,
        ),
        Mistake("One subtracted from the rows only", lambda counts: _less(counts, _bias(counts, columns=0)), _MINUS_ONE),
        Mistake("One subtracted from the columns only", lambda counts: _less(counts, _bias(counts, rows=0)), _MINUS_ONE),
        Mistake(
            "One subtracted from the product",
            lambda counts: _less(counts, (_seen(counts)[0] * _seen(counts)[1] - 1) / (2 * counts.sum())),
            _MINUS_ONE,
        ),
        Mistake(
            "Rows and columns that were never seen counted too",
            lambda counts: _less(counts, (counts.shape[0] - 1) * (counts.shape[1] - 1) / (2 * counts.sum())),
            "A row without a single count adds nothing to the estimate, so nothing to its bias. Count the others: "
            "(counts.sum(1) > 0).sum().",
        ),
        Mistake(
            "Cells in place of rows and columns",
            lambda counts: _less(counts, ((counts > 0).sum() - 1) / (2 * counts.sum())),
            "The cells that were seen, less one, are how much H(a, b) is too *small*. The information's bias has "
            "(rows - 1)(columns - 1).",
        ),
        Mistake(
            "Only the cells that were seen",
            lambda counts: _less(counts, ((counts > 0).sum() - sum(_seen(counts)) + 1) / (2 * counts.sum())),
            "(seen cells - rows - columns + 1) / (2 n) is found in books as well: it takes a pair that was never seen for one "
            "that cannot occur. The formula here counts each pair of a seen row and a seen column: (rows - 1)(columns - 1).",
        ),
        Mistake(
            "The numbers of the rows added up",
            lambda counts: _less(counts, _bias_of_added_numbers(counts)),
            "nonzero() gives the *numbers* of rows and columns, 0, 1, 2, ..., and their sum is no count. Take count_nonzero(), "
            "or (counts.sum(1) > 0).sum().",
        ),
        Mistake(
            "The rows of the table taken for n",
            lambda counts: _less(counts, _bias(counts) * counts.sum() / len(counts)),
            "len(counts) is the number of rows of the table. n is how many pairs were counted: counts.sum().",
        ),
        Mistake(
            "Only the rows",
            lambda counts: _less(counts, (_seen(counts)[0] - 1) / (2 * counts.sum())),
            _ONLY_ONE_SIDE,
        ),
        Mistake(
            "Only the columns",
            lambda counts: _less(counts, (_seen(counts)[1] - 1) / (2 * counts.sum())),
            _ONLY_ONE_SIDE,
        ),
        Mistake(
            "Added in place of multiplied",
            lambda counts: _less(counts, (_seen(counts)[0] + _seen(counts)[1] - 2) / (2 * counts.sum())),
            "That is the bias of H(a) and H(b) together. The information's bias has the *product* (rows - 1)(columns - 1).",
        ),
        Mistake(
            "Divided by the number of cells",
            lambda counts: _less(counts, _bias(counts) * counts.sum() / counts.numel()),
            "n is the number of observations, the sum of all counts; the table's size does not make the bias smaller.",
        ),
        Mistake(
            "Negative results cut off",
            lambda counts: corrected_information(counts).clamp_min(0),
            "An estimate that is right on average must be below 0 at times where the truth is 0. Cut off there, it is "
            "too large again.",
        ),
        Mistake(
            "Bits, not nats",
            lambda counts: mutual_information_of_counts(counts) / math.log(2) - _bias(counts),
            "The information of exercise 10.1 is in nats, and so is this bias: no log2.",
        ),
        Mistake(
            "Multiplied by what the bias leaves",
            lambda counts: mutual_information_of_counts(counts) * (1 - _bias(counts)),
            "The bias is so many nats, no share of the information. Subtract it.",
        ),
    ),
)

# --- the gap --------------------------------------------------------------------------------------------------------


def mutual_information_gap(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2, dim=0).values
    return (best[0] - best[1]) / entropies


def _informations() -> list[Arguments]:
    return [
        (double([[1.0], [0.25], [0.0]]), double([2.0])),
        (double([[0.1, 0.3], [0.5, 0.2]]), double([1.0, 0.5])),
        (double([[0.1, 0.3], [0.5, 0.2], [0.3, 0.1]]), double([1.0, 0.5])),
        (double([[0.1, 0.0, 0.4], [0.1, 0.9, 0.3], [0.0, 0.1, 0.1], [0.05, 0.2, 0.0]]), double([0.7, 1.5, 2.0])),
        (double([[0.5, 0.0, 0.2], [0.5, 0.0, 0.3]]), double([0.7, 1.0, 2.0])),  # equal ones, and none that knows anything
    ]


def _drawn_informations(generator: Generator) -> Arguments:
    coordinates, factors = sizes(generator, 2, low=2, high=6)
    information = numbers(generator, coordinates, factors, low=0, high=0.6)
    information = torch.where(flags(generator, coordinates, factors, share=0.3), information.round(decimals=1), information)
    return information, numbers(generator, factors, low=0.65, high=2.0)


def _best_and(information: Tensor, other: Tensor) -> Tensor:
    """A table of two coordinates: the best of each factor, and another in the place of the second best."""
    return torch.stack([information.max(0).values, other])


def _below_the_best(information: Tensor, instead: float) -> Tensor:
    """The largest below the best of each factor."""
    return information.masked_fill(information == information.max(0).values, instead).max(0).values


def _without_rows(information: Tensor) -> Tensor:
    """The largest of each factor after every coordinate that is the best of any factor was set to 0."""
    kept = information.clone()
    kept[information.argmax(0)] = 0
    return kept.max(0).values


def _of_the_coordinate(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2, dim=1).values
    return (best[:, 0] - best[:, 1]) / entropies


def _first_rows_of_the_best(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2).values
    return (best[0] - best[1]) / entropies


def _first_rows_of_the_sorted(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.sort(descending=True).values
    return (best[0] - best[1]) / entropies


def _first_columns_of_the_sorted(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.sort(dim=1, descending=True).values
    return (best[:, 0] - best[:, 1]) / entropies


def _first_columns_of_the_best(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2, dim=0).values
    return (best[:, 0] - best[:, 1]) / entropies


def _distinct_only(information: Tensor, entropies: Tensor) -> Tensor:
    """As a list of different values has it, which may hold one only."""
    second = _below_the_best(information, -torch.inf)
    if bool(second.isinf().any()):
        raise IndexError
    return mutual_information_gap(_best_and(information, second), entropies)


def _indices(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2, dim=0).indices
    return (best[0] - best[1]) / entropies


_TIES = "Two coordinates that know equally much leave a gap of 0: the second best may be as good as the best. Do not skip it."
_OVER_COORDINATES = "For each fact the *coordinates* compete. They are in dimension 0: topk(2, dim=0), sort(0), max(0)."
_OWN_ENTROPY = "Each fact is measured by its own entropy."

MUTUAL_INFORMATION_GAP = Exercise(
    task=(
        "The gap of each fact, (facts,): information (coordinates, facts) in nats, with at least two coordinates; "
        "entropies (facts,) in nats, above 0."
    ),
    reference=mutual_information_gap,
    cases=_informations,
    generate=_drawn_informations,
    lesson=lambda g: (0.4 * torch.rand(16, 7, generator=g).square(), 0.6 + torch.rand(7, generator=g)),
    hints=(
        "One coordinate that knows a fact alone makes a large gap; two that know it alike make none.",
        "For one fact: the best coordinate's nats minus the second best's, divided by the fact's own entropy, the most "
        "that can be known.",
        "information.topk(2, dim=0).values holds the best and the second best of every fact, in its rows 0 and 1.",
    ),
    mistakes=(
        Mistake(
            "Not divided by the entropy",
            lambda information, entropies: mutual_information_gap(information, torch.ones_like(entropies)),
            "A fact of two values has less to know than one of eight. Divide by each fact's entropy.",
        ),
        Mistake(
            "Multiplied by the entropy",
            lambda information, entropies: mutual_information_gap(information, 1 / entropies),
            "The gap is a *share* of what there is to know. Divide by each fact's entropy.",
        ),
        Mistake(
            "Best minus the mean",
            lambda information, entropies: mutual_information_gap(_best_and(information, information.mean(0)), entropies),
            "Two equal coordinates that share a fact lie far above the mean, yet neither is *its* coordinate. "
            "Compare the best with the second best.",
        ),
        Mistake(
            "Best minus the mean of the others",
            lambda information, entropies: mutual_information_gap(
                _best_and(information, (information.sum(0) - information.max(0).values) / (len(information) - 1)), entropies
            ),
            "Many that know nothing pull the mean down, and hide a second that knows as much. Take the second best alone.",
        ),
        Mistake(
            "Best minus the sum of the others",
            lambda information, entropies: (2 * information.max(0).values - information.sum(0)) / entropies,
            "The best is compared with one other coordinate, the second best, not with all others together.",
        ),
        Mistake(
            "Best minus the worst",
            lambda information, entropies: mutual_information_gap(_best_and(information, information.min(0).values), entropies),
            "Nearly any code has some coordinate that knows nothing. Compare the best with the second best.",
        ),
        Mistake(
            "Only the best",
            lambda information, entropies: mutual_information_gap(
                _best_and(information, torch.zeros_like(entropies)), entropies
            ),
            "This is how much the best coordinate knows. Whether it is alone in knowing it, the second best tells.",
        ),
        Mistake(
            "Only the second best",
            lambda information, entropies: information.topk(2, dim=0).values[1] / entropies,
            "This is what the second best knows. Subtract it from what the best knows.",
        ),
        Mistake(
            "The two worst",
            lambda information, entropies: mutual_information_gap(-information, entropies),
            "sort puts the smallest first. The best is the last, or use descending=True.",
        ),
        Mistake(
            "The first two coordinates",
            lambda information, entropies: (information[0] - information[1]) / entropies,
            "Which coordinate is the best differs from fact to fact: sort each column first, or use topk.",
        ),
        Mistake(
            "Equal ones skipped",
            lambda information, entropies: mutual_information_gap(
                _best_and(information, _below_the_best(information, -torch.inf)), entropies
            ),
            _TIES,
        ),
        Mistake(
            "Equal ones skipped",
            lambda information, entropies: mutual_information_gap(
                _best_and(information, _below_the_best(information, 0.0)), entropies
            ),
            _TIES,
        ),
        Mistake("Equal ones skipped", _distinct_only, _TIES),
        Mistake(
            "Whole rows set to 0",
            lambda information, entropies: mutual_information_gap(
                _best_and(information, _without_rows(information)), entropies
            ),
            "information[best] = 0 clears the best coordinate's whole row, also for facts that another coordinate knows best. "
            "One cell a fact has to go: information[best, torch.arange(number of facts)].",
        ),
        Mistake(
            "Only the second best divided",
            lambda information, entropies: information.max(0).values - information.topk(2, dim=0).values[1] / entropies,
            "Division goes before subtraction: put the difference in parentheses, then divide.",
        ),
        Mistake(
            "Divided by the best",
            lambda information, entropies: mutual_information_gap(information, information.max(0).values),
            "Then a coordinate that knows next to nothing may still get 1, if all others know nothing. Divide by the entropy.",
        ),
        Mistake(
            "Divided by what all coordinates know",
            lambda information, entropies: mutual_information_gap(information, information.sum(0)),
            "That sum says nothing of how much there is to know. Divide by the fact's entropy.",
        ),
        Mistake(
            "Divided by the sum of all entropies",
            lambda information, entropies: mutual_information_gap(information, entropies.sum()),
            _OWN_ENTROPY,
        ),
        Mistake(
            "Divided by the mean entropy",
            lambda information, entropies: mutual_information_gap(information, entropies.mean()),
            _OWN_ENTROPY,
        ),
        Mistake(
            "Divided by the largest entropy",
            lambda information, entropies: mutual_information_gap(information, entropies.max()),
            _OWN_ENTROPY,
        ),
        Mistake(
            "Averaged over the facts",
            lambda information, entropies: mutual_information_gap(information, entropies).mean(),
            "The mean is what papers report, but it hides which fact has an axis. Return one gap a fact.",
        ),
        Mistake(
            "One gap for all facts together",
            lambda information, entropies: mutual_information_gap(information, entropies.mean()).mean(),
            "Each fact has its gap, divided by its own entropy. Return one gap a fact.",
        ),
        Mistake(
            "Second best minus best",
            lambda information, entropies: -mutual_information_gap(information, entropies),
            "The lead of the best over the second best is not negative.",
        ),
        Mistake("The two best facts of a coordinate", _of_the_coordinate, _OVER_COORDINATES),
        Mistake("Sorted along the facts", _first_rows_of_the_best, _OVER_COORDINATES),
        Mistake("Sorted along the facts", _first_rows_of_the_sorted, _OVER_COORDINATES),
        Mistake("Sorted along the facts, first columns taken", _first_columns_of_the_sorted, _OVER_COORDINATES),
        Mistake(
            "Columns in place of rows",
            _first_columns_of_the_best,
            "topk(2, dim=0) and sort(0) put the best into row 0 and the second best into row 1: best[0] and best[1]. "
            "best[:, 0] is a column, which holds both numbers of one fact.",
        ),
        Mistake(
            "Indices in place of values",
            _indices,
            "topk and sort return values and indices. You subtracted the numbers of the coordinates; take .values.",
        ),
        Mistake(
            "Divided along the coordinates",
            lambda information, entropies: mutual_information_gap(
                information / entropies[:, None], torch.ones_like(information[0])
            ),
            "entropies[:, None] puts the entropies along the coordinates. They belong to the facts, the last dimension.",
        ),
        Mistake(
            "Best and second best not subtracted",
            lambda information, entropies: information.topk(2, dim=0).values / entropies,
            "These are two numbers for each fact. The gap is the first minus the second.",
        ),
        Mistake(
            "A dimension too many in front",
            lambda information, entropies: mutual_information_gap(information, entropies)[None],
            "The values are right, but in one row, (1, facts). best[0] drops the dimension; best[:1], keepdim=True keep it.",
        ),
    ),
)

# --- codes turned ---------------------------------------------------------------------------------------------------


def turned_weight(weight: Tensor, rotation: Tensor) -> Tensor:
    return weight @ rotation.T


def _rotation_of(generator: Generator, latent: int) -> Tensor:
    rotation: Tensor = torch.linalg.qr(torch.randn(latent, latent, generator=generator, dtype=torch.float64)).Q
    return rotation


def _layers() -> list[Arguments]:
    return [
        doubles([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]], [[0.0, -1.0], [1.0, 0.0]]),
        doubles([[1.0, 2.0]], [[0.6, -0.8], [0.8, 0.6]]),
        doubles(
            [[1.0, 2.0, 3.0], [-1.0, 0.0, 2.0], [0.5, 4.0, 1.0], [2.0, 2.0, -3.0]],
            [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
        ),
        doubles([[1.0, 2.0], [5.0, -3.0]], [[0.0, -1.0], [1.0, 0.0]]),  # as many hidden features as coordinates
    ]


def _drawn_layers(generator: Generator) -> Arguments:
    hidden, latent = sizes(generator, 2, low=2, high=6)
    return numbers(generator, hidden, latent), _rotation_of(generator, latent)


def _lessons_layer(generator: Generator) -> Arguments:
    return torch.randn(64, 16, generator=generator), _rotation_of(generator, 16).float()


_LATENT_SIDE = (
    "The weight is (hidden, latent), and a product from the left mixes its hidden rows. The code meets the weight at its "
    "latent side, the right one: weight @ something of shape (latent, latent)."
)
_WEIGHT_ON_ITS_SIDE = (
    "weight.T is (latent, hidden), so its hidden side meets the rotation. Leave the weight as it is: weight @ ..."
)

TURNED_WEIGHT = Exercise(
    task=(
        "The weight (hidden, latent) with which a linear layer gives for a turned code rotation @ z what weight @ z was. "
        "rotation (latent, latent) is orthogonal: rotation.T @ rotation is the identity."
    ),
    reference=turned_weight,
    cases=_layers,
    generate=_drawn_layers,
    lesson=_lessons_layer,
    hints=(
        "The new weight must first turn the code back, and then do what the old weight did.",
        "Which matrix V has V @ rotation = weight? Multiply both sides from the right by what undoes a rotation.",
        "A rotation is undone by its transpose, so V = weight @ rotation.T.",
    ),
    mistakes=(
        Mistake(
            "Turned the same way once more",
            lambda weight, rotation: weight @ rotation,
            "Then the layer turns the code a second time: weight @ rotation @ rotation @ z. It has to turn it *back*.",
        ),
        Mistake(
            "The weight as it was",
            lambda weight, rotation: weight.clone(),
            "The code has new coordinates, and the old weight reads them as if they were the old ones. (Turned there and back "
            "comes to the same.)",
        ),
        Mistake(
            "Hidden and latent swapped",
            lambda weight, rotation: rotation @ weight.T,
            "Its values are right, but of shape (latent, hidden). A layer's weight is (hidden, latent).",
        ),
        Mistake(
            "Turned the same way once more, hidden and latent swapped",
            lambda weight, rotation: (weight @ rotation).T,
            "The layer has to turn the code *back*, and its weight is (hidden, latent).",
        ),
        Mistake(
            "The rotation on the wrong side",
            lambda weight, rotation: rotation @ weight,
            _LATENT_SIDE,
        ),
        Mistake(
            "The rotation on the wrong side",
            lambda weight, rotation: rotation.T @ weight,
            _LATENT_SIDE,
        ),
        Mistake(
            "The weight on its side",
            lambda weight, rotation: weight.T @ rotation,
            _WEIGHT_ON_ITS_SIDE,
        ),
        Mistake(
            "The weight on its side",
            lambda weight, rotation: weight.T @ rotation.T,
            _WEIGHT_ON_ITS_SIDE,
        ),
        Mistake(
            "Turned back twice",
            lambda weight, rotation: weight @ rotation.T @ rotation.T,
            "Once is enough: weight @ rotation.T @ rotation @ z is weight @ z.",
        ),
        Mistake(
            "Its sign changed",
            lambda weight, rotation: -weight @ rotation.T,
            "A rotation is undone by its transpose, without a minus.",
        ),
    ),
)

# --- a probe --------------------------------------------------------------------------------------------------------


def probe_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    guess = torch.cdist(test, centres).argmin(1)
    return (guess == test_labels).double().mean()


def _probed() -> list[Arguments]:
    return [
        (
            _codes([[0.0], [1.0], [3.0], [2.0]]),
            torch.tensor([0, 0, 1, 1]),
            _codes([[0.2], [2.9], [1.2]]),
            torch.tensor([0, 1, 1]),
        ),
        (  # as many test codes as labels, and none with the last label
            _codes([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0], [0.0, 5.0], [1.0, 1.0]]),
            torch.tensor([0, 2, 1, 2, 0]),
            _codes([[1.0, 0.0], [1.0, 4.0], [4.0, 1.0]]),
            torch.tensor([0, 0, 1]),
        ),
        (
            _codes([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]),
            torch.tensor([1, 0, 0]),
            _codes([[2.0, 1.0]]),
            torch.tensor([1]),
        ),
        (
            _codes([[6.0], [0.0], [2.0]]),
            torch.tensor([1, 0, 0]),
            _codes([[5.0], [1.0]]),
            torch.tensor([1, 0]),
        ),
        (  # in standardized coordinates the other mean is the nearest
            _codes([[0.0, 0.0], [1.0, 10.0]]),
            torch.tensor([0, 1]),
            _codes([[1.0, 3.0], [0.0, 9.0]]),
            torch.tensor([0, 1]),
        ),
    ]


def _some_labels(generator: Generator, values: int, count: int) -> Tensor:
    """Labels in no order; each occurs, small ones more often."""
    more = torch.minimum(whole(generator, count, high=values - 1), whole(generator, count, high=values - 1))
    labels = torch.cat([torch.arange(values), more])
    return labels[torch.randperm(len(labels), generator=generator)]


def _probe_of(generator: Generator, values: int, latent: int, count: int, tested: int, spread: float) -> Arguments:
    """Codes around a centre for each label; a test code that is about as near to two class means is moved onto its own."""
    around = torch.randn(values, latent, generator=generator, dtype=torch.float64) + 1
    train_labels, test_labels = _some_labels(generator, values, count), _some_labels(generator, values, tested)
    train, test = (
        around[labels] + spread * torch.randn(len(labels), latent, generator=generator, dtype=torch.float64)
        for labels in (train_labels, test_labels)
    )
    train = train.mul(100).round() / 100
    means = torch.stack([train[train_labels == value].mean(0) for value in range(values)])
    two = torch.cdist(test, means).topk(2, dim=1, largest=False).values
    test = torch.where((two[:, 1] - two[:, 0] > 0.05)[:, None], test, means[test_labels])
    return train.float(), train_labels, (test.mul(100).round() / 100).float(), test_labels


def _drawn_probe(generator: Generator) -> Arguments:
    latent, values = sizes(generator, 2, low=2, high=4)
    count, tested = (3 * k + 6 for k in sizes(generator, 2, high=6))
    return _probe_of(generator, values, latent, count, tested, spread=1.0)


def _by(
    arguments: tuple[Tensor, Tensor, Tensor, Tensor],
    score: Callable[[Tensor, Tensor], Tensor],
    centre: Callable[[Tensor], Tensor] = lambda codes: codes.mean(0),
) -> Tensor:
    """The accuracy by the highest ``score`` of test codes for centres."""
    train, train_labels, test, test_labels = arguments
    centres = torch.stack([centre(train[train_labels == value]) for value in train_labels.unique()])
    return (score(test, centres).argmax(1) == test_labels).double().mean()


def _nearness(test: Tensor, centres: Tensor) -> Tensor:
    return -torch.cdist(test, centres)


def _similarity(test: Tensor, centres: Tensor) -> Tensor:
    return functional.cosine_similarity(test[:, None], centres, dim=-1)


def _majority(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return (test_labels == train_labels.bincount().argmax()).double().mean()


def _nearest_code(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return (train_labels[torch.cdist(test, train).argmin(1)] == test_labels).double().mean()


def _mean_distance(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    apart = torch.cdist(test, train)
    means = torch.stack([apart[:, train_labels == value].mean(1) for value in train_labels.unique()], dim=1)
    return (means.argmin(1) == test_labels).double().mean()


def _nearest_test_code(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres).argmin(0) == test_labels).double().mean()


def _labels_of_the_test(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in test_labels.unique()])
    return (torch.cdist(test, centres).argmin(1) == test_labels).double().mean()


def _labels_up_to_the_test(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in range(int(test_labels.max()) + 1)])
    return (torch.cdist(test, centres).argmin(1) == test_labels).double().mean()


def _eight_labels(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    """The mean of no codes is nan, and argmin takes a nan for the smallest."""
    centres = torch.stack([train[train_labels == value].mean(0) for value in range(8)])
    return (torch.cdist(test, centres).argmin(1) == test_labels).double().mean()


def _standardized(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    mean, deviation = train.mean(0), train.std(0)
    return probe_accuracy((train - mean) / deviation, train_labels, (test - mean) / deviation, test_labels)


def _mean_of_everything(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean() for value in train_labels.unique()])
    return ((test.mean(1, keepdim=True) - centres).abs().argmin(1) == test_labels).double().mean()


def _in_order_of_occurrence(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in dict.fromkeys(train_labels.tolist())])
    return (torch.cdist(test, centres).argmin(1) == test_labels).double().mean()


def _each_by_itself(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    rows = zip(test.split(1), test_labels.split(1), strict=True)
    return torch.stack([probe_accuracy(train, train_labels, code, label) for code, label in rows])


def _distances_as_labels(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres).amin(1) == test_labels).double().mean()


def _one_guess(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres).argmin() == test_labels).double().mean()


def _of_each_label(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    of_each = [test_labels == value for value in test_labels.unique()]
    return torch.stack([probe_accuracy(train, train_labels, test[mine], test_labels[mine]) for mine in of_each])


def _balanced(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return _of_each_label(train, train_labels, test, test_labels).mean()


def _fitted_on_all(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return probe_accuracy(torch.cat([train, test]), torch.cat([train_labels, test_labels]), test, test_labels)


def _scored_on_all(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return probe_accuracy(train, train_labels, torch.cat([train, test]), torch.cat([train_labels, test_labels]))


PROBE_ACCURACY = Exercise(
    task=(
        "The share of test codes whose nearest class mean (of the training codes) is that of their own label. One number. "
        "Labels are 0, 1, 2, ..., in no order, and each occurs in the training codes. Nearest: by Euclidean distance."
    ),
    reference=probe_accuracy,
    cases=_probed,
    generate=_drawn_probe,
    lesson=lambda g: _probe_of(g, 6, 16, 300, 200, spread=2.5),
    hints=(
        "First one mean code for each label 0, 1, 2, ..., over the *training* codes that have it.",
        "A test code is guessed to have the label whose mean code is nearest. What is asked for is the share of right guesses.",
        "Stack the mean codes in the order of the labels, a row for each. torch.cdist gives the distance of every test code "
        "(rows) to every mean (columns), and argmin(1) the column of the smallest.",
    ),
    mistakes=(
        Mistake(
            "Scored on its training data",
            lambda train, train_labels, test, test_labels: probe_accuracy(train, train_labels, train, train_labels),
            "A probe that has seen the answers always looks good. Count how often it is right on the *test* codes.",
        ),
        Mistake(
            "Fitted on the test data",
            lambda train, train_labels, test, test_labels: probe_accuracy(test, test_labels, test, test_labels),
            "The class means come from the training codes; the test codes are for the score alone.",
        ),
        Mistake(
            "Training and test swapped",
            lambda train, train_labels, test, test_labels: probe_accuracy(test, test_labels, train, train_labels),
            "The class means come from the training codes, the score from the test codes.",
        ),
        Mistake(
            "Fitted on all codes",
            _fitted_on_all,
            "Then the probe has seen the test codes as well. The class means come from the training codes alone.",
        ),
        Mistake(
            "Scored on all codes",
            _scored_on_all,
            "The training codes flatter the probe. Count on the test codes alone.",
        ),
        Mistake(
            "The farthest mean",
            lambda *arguments: _by(arguments, torch.cdist),
            "argmax of a distance is the *farthest* class. Take argmin.",
        ),
        Mistake(
            "Sums in place of means",
            lambda *arguments: _by(arguments, _nearness, lambda codes: codes.sum(0)),
            "A sum grows with the number of codes, so frequent labels lie far out. Divide: .mean(0).",
        ),
        Mistake(
            "Medians in place of means",
            lambda *arguments: _by(arguments, _nearness, lambda codes: codes.median(0).values),
            "Each label is stood for by the *mean* of its codes: .mean(0).",
        ),
        Mistake(
            "One code in place of the mean",
            lambda *arguments: _by(arguments, _nearness, lambda codes: codes[0]),
            "A label is stood for by the mean of all its training codes, not by the first of them.",
        ),
        Mistake(
            "The nearest training code",
            _nearest_code,
            "That is another classifier, the nearest neighbour. Here each label has one mean, and the nearest mean counts.",
        ),
        Mistake(
            "Mean distance in place of the distance to the mean",
            _mean_distance,
            "Average the codes of a label first, then take the distance to that mean.",
        ),
        Mistake(
            "Distance added up without squares",
            lambda *arguments: _by(arguments, lambda test, centres: -torch.cdist(test, centres, p=1)),
            "The Euclidean distance squares the differences. With absolute values another class may be the nearest.",
        ),
        Mistake(
            "Differences that cancel",
            lambda *arguments: _by(arguments, lambda test, centres: (centres - test[:, None]).sum(-1)),
            "Without squares, differences up and down cancel: a sum of differences is no distance. Use torch.cdist.",
        ),
        Mistake(
            "Scalar products in place of distances",
            lambda *arguments: _by(arguments, lambda test, centres: test @ centres.T),
            "A scalar product prefers classes with long means. Take the smallest distance, torch.cdist(test, means).",
        ),
        Mistake(
            "The half forgotten",
            lambda *arguments: _by(arguments, lambda test, centres: test @ centres.T - centres.square().sum(1)),
            "Least squared distance is largest z.m - |m|^2 / 2: in |z - m|^2 = |z|^2 - 2 z.m + |m|^2 the product counts twice, "
            "so halve the squared length.",
        ),
        Mistake(
            "Cosines in place of distances",
            lambda *arguments: _by(arguments, _similarity),
            "A cosine compares directions only. Take the smallest distance, torch.cdist(test, means).",
        ),
        Mistake(
            "The nearest test code of each mean",
            _nearest_test_code,
            "It is each *test code* that looks for its nearest mean: of distances (test, labels) take argmin(1).",
        ),
        Mistake(
            "Only the labels of the test codes",
            _labels_of_the_test,
            "Every label of the *training* codes has a mean, and may be guessed, whether it occurs in the test or not.",
        ),
        Mistake(
            "Only labels up to the largest of the test codes",
            _labels_up_to_the_test,
            "Every label of the *training* codes has a mean, and may be guessed. Count to train_labels.max().",
        ),
        Mistake(
            "Means of labels that do not occur",
            _eight_labels,
            "Not every fact has eight values. The mean of no codes is nan, and argmin takes nan for the smallest. Count to "
            "train_labels.max().",
        ),
        Mistake(
            "Codes standardized first",
            _standardized,
            "Divided by the spread of each coordinate, another mean may be the nearest. Take the codes as they are.",
        ),
        Mistake(
            "Averaged over the coordinates too",
            _mean_of_everything,
            "mean() without a dimension leaves one number for a label. A mean code has all coordinates: .mean(0).",
        ),
        Mistake(
            "Labels in the order in which they occur",
            _in_order_of_occurrence,
            "argmin is the row of the nearest mean. Put the means in the order 0, 1, 2, ..., so that the row is the label.",
        ),
        Mistake(
            "One number for each test code",
            _each_by_itself,
            "You say for each test code whether it was named right. Take the mean: the share of all of them.",
        ),
        Mistake(
            "Distances in place of labels",
            _distances_as_labels,
            "You compare the smallest distance with the label. Take the number of the nearest mean, argmin(1).",
        ),
        Mistake(
            "One guess for all test codes",
            _one_guess,
            "argmin() without a dimension looks through the whole table. Each test code has its nearest mean: argmin(1).",
        ),
        Mistake(
            "One share for each label",
            _of_each_label,
            "One number is asked for: the share of all test codes, whatever their label.",
        ),
        Mistake(
            "The share that is wrong",
            lambda *arguments: 1 - probe_accuracy(*arguments),
            "This is the error. The accuracy is the share that is right.",
        ),
        Mistake(
            "Always the most frequent label",
            _majority,
            "That is the baseline, which needs no codes. Compare each test code with the class means.",
        ),
        Mistake(
            "Averaged over the labels",
            _balanced,
            "Each test code counts once. A mean of the shares of each label lets rare labels count more.",
        ),
        Mistake(
            "Percent",
            lambda *arguments: 100 * probe_accuracy(*arguments),
            "A share is between 0 and 1; do not multiply by 100.",
        ),
        Mistake(
            "A count, not a share",
            lambda train, train_labels, test, test_labels: len(test) * probe_accuracy(train, train_labels, test, test_labels),
            "Divide by the number of test codes: .mean() in place of .sum().",
        ),
        Mistake(
            "Divided by the number of training codes",
            lambda train, train_labels, test, test_labels: (
                len(test) / len(train) * probe_accuracy(train, train_labels, test, test_labels)
            ),
            "The share is one of the *test* codes: divide by how many of those there are.",
        ),
    ),
)

# --- the effects of a fact's values ------------------------------------------------------------------------------------


def effects_of_fact(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = [functional.one_hot(labels) for labels in table.T]
    indicators = torch.cat(columns, dim=1).to(codes.dtype)
    vectors = torch.linalg.pinv(indicators) @ codes
    effects = torch.split(vectors, [column.shape[1] for column in columns])[fact]
    return effects - effects[0]


def _stated() -> list[Arguments]:
    return [
        (double([[0.0], [1.0], [3.0]]), torch.tensor([[0, 0], [0, 1], [1, 1]]), 0),
        (double([[0.0], [1.0], [3.0], [6.0]]), torch.tensor([[0, 0], [0, 1], [0, 1], [1, 1]]), 1),
        (
            double([[1.0, 0.0], [2.0, 4.0], [5.0, 1.0], [3.0, 3.0], [0.0, 8.0], [4.0, -2.0]]),
            torch.tensor([[2, 0], [0, 1], [1, 1], [1, 0], [0, 1], [2, 1]]),
            0,
        ),
    ]


def _facts_of(generator: Generator, values: list[int], count: int) -> Tensor:
    """A table in which each value occurs, and every fact goes with the next; (sentences, facts), in no order."""
    rows = torch.stack([whole(generator, count, high=many - 1) for many in values], dim=1)
    for fact in range(1, len(values)):
        rows[:, fact] = torch.where(flags(generator, count, share=0.4), rows[:, fact - 1] % values[fact], rows[:, fact])
    alone = torch.block_diag(*[torch.arange(many)[:, None] for many in values])  # so that no two facts always go together
    table = torch.cat([alone, rows])
    return table[torch.randperm(len(table), generator=generator)]


def _codes_of_facts(generator: Generator, values: list[int], latent: int, count: int) -> tuple[Tensor, Tensor]:
    table = _facts_of(generator, values, count)
    parts = [3 * numbers(generator, many, latent) for many in values]
    codes = sum(part[labels] for part, labels in zip(parts, table.T, strict=True))
    return codes + numbers(generator, len(table), latent), table


def _drawn_stated(generator: Generator) -> Arguments:
    values = sizes(generator, size(generator, 2, 3), low=2, high=4)
    codes, table = _codes_of_facts(generator, values, size(generator, 1, 3), size(generator, 4, 9))
    return codes, table, size(generator, 0, len(values) - 1)


def _lessons_stated(generator: Generator) -> Arguments:
    codes, table = _codes_of_facts(generator, [8, 6, 4, 8, 6, 6, 4], 16, 1000)
    return codes.float(), table, 2


def _columns(table: Tensor, like: Tensor) -> list[Tensor]:
    return [functional.one_hot(labels).to(like.dtype) for labels in table.T]


def _fitted(columns: list[Tensor], codes: Tensor) -> Tensor:
    vectors: Tensor = torch.linalg.pinv(torch.cat(columns, dim=1)) @ codes
    return vectors


def _plain_effects(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = _columns(table, codes)
    return torch.split(_fitted(columns, codes), [column.shape[1] for column in columns])[fact]


def _means_of_values(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    labels = table[:, fact]
    return torch.stack([codes[labels == value].mean(0) for value in range(int(labels.max()) + 1)])


def _means_less_the_first(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    means = _means_of_values(codes, table, fact)
    return means - means[0]


def _codes_alone_cleared(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = _columns(table, codes)
    others = [column for number, column in enumerate(columns) if number != fact]
    return _means_less_the_first(codes - torch.cat(others, dim=1) @ _fitted(others, codes), table, fact)


def _without_first_columns(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = [column[:, 1:] for column in _columns(table, codes)]
    effects = _fitted(columns, codes).split([column.shape[1] for column in columns])[fact]
    return torch.cat([torch.zeros_like(effects[:1]), effects])


def _amounts(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = [table.to(codes.dtype), torch.ones_like(codes[:, :1])]
    values = torch.arange(int(table[:, fact].max()) + 1, device=codes.device)
    return values[:, None] * _fitted(columns, codes)[fact]


def _equally_many_values(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    indicators = functional.one_hot(table).to(codes.dtype)  # (sentences, facts, values)
    vectors = _fitted([indicators.flatten(1)], codes).view(*indicators.shape[1:], -1)
    return vectors[fact] - vectors[fact, 0]


def _cut_at_equal_places(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    columns = _columns(table, codes)
    many = columns[fact].shape[1]
    effects = _fitted(columns, codes)[fact * many : (fact + 1) * many]
    return effects - effects[:1]


def _sums_of_codes(codes: Tensor, table: Tensor, fact: int) -> Tensor:
    sums = _columns(table, codes)[fact].T @ codes
    return sums - sums[0]


_DIFFERENCE_OF_MEANS = (
    "These are differences of the means of the codes, which go along with whatever goes with the fact. Fit the vectors of "
    "*all* facts at once."
)

_LSTSQ = torch.linalg.lstsq
_UNRELIABLE = (
    "your function gives dependent columns to torch.linalg.lstsq, whose usual driver may then return wrong vectors without a "
    "warning, in one call and not in the next. The columns of each fact add up to 1, so those of two facts are dependent. Use "
    "torch.linalg.pinv"
)


def _lstsq_told(*given: Any, driver: str | None = None, **named: Any) -> Any:  # noqa: ANN401 - whatever torch takes
    """``torch.linalg.lstsq``, but for what it solves by luck only: dependent columns, with a driver that may fail on them."""
    if driver not in {"gelsd", "gelss"} and given and torch.linalg.matrix_rank(given[0]) < given[0].shape[-1]:
        raise NotComparableError(_UNRELIABLE)
    return _LSTSQ(*given, driver=driver, **named)


def _luck_told() -> AbstractContextManager[object]:
    """Right by luck is not right: ``torch.linalg.lstsq`` on dependent columns is told, whatever it happens to return."""
    return mock.patch.object(torch.linalg, "lstsq", _lstsq_told)


EFFECTS_OF_FACT = Exercise(
    task=(
        "The steps in z from value 0 of one fact to each of its values, all other facts being equal, (values, latent). Fit "
        "one vector for each value of each fact by least squares, so that their sums give the codes (n, latent). The steps are "
        "differences of the vectors of the fact number `fact`. table (n, facts) holds values 0, 1, 2, ...; each occurs."
    ),
    reference=effects_of_fact,
    cases=_stated,
    generate=_drawn_stated,
    lesson=_lessons_stated,
    hints=(
        "Facts go together. Fitted alone, a fact is given what the others do to the code as well, so all facts are fitted at "
        "once. functional.one_hot(labels) makes the columns of one fact; `labels` is a column of the table.",
        "Put the columns of all facts side by side, torch.cat(columns, dim=1), in the codes' dtype. The columns of each fact "
        "add up to 1, so many vectors fit alike; torch.linalg.pinv, the pseudo-inverse, finds some of them. "
        "torch.linalg.lstsq does not reliably with its usual driver.",
        "torch.split(vectors, [column.shape[1] for column in columns])[fact] are the vectors of the fact. Subtract their row 0 "
        "from each of them.",
    ),
    mistakes=(
        Mistake("Differences of means", _means_less_the_first, _DIFFERENCE_OF_MEANS),
        Mistake(
            "Means of the codes",
            _means_of_values,
            "These are the mean codes of the values. Fit the vectors of *all* facts at once, then subtract that of value 0.",
        ),
        Mistake(
            "The other facts taken out of the codes only",
            _codes_alone_cleared,
            "Fitting the other facts first hands them what this one has in common with them. Fit all facts *at once*.",
        ),
        Mistake(
            "Vectors in place of steps",
            _plain_effects,
            "The vectors themselves are not determined: a constant may go from one fact to another. Only their differences "
            "are. Subtract the vector of value 0.",
        ),
        Mistake(
            "Steps from the mean vector",
            lambda codes, table, fact: effects_of_fact(codes, table, fact) - effects_of_fact(codes, table, fact).mean(0),
            "A step starts at value 0: subtract the first vector, not their mean.",
        ),
        Mistake(
            "From each value to the first",
            lambda codes, table, fact: -effects_of_fact(codes, table, fact),
            "A step that starts at value 0 and arrives at value v is v's vector *minus* that of value 0.",
        ),
        Mistake(
            "From value to value",
            lambda codes, table, fact: effects_of_fact(codes, table, fact).diff(dim=0),
            "diff gives the step from each value to the next. All steps are to start at value 0.",
        ),
        Mistake(
            "From the preceding value",
            lambda codes, table, fact: torch.diff(
                effects_of_fact(codes, table, fact), dim=0, prepend=torch.zeros_like(codes[:1])
            ),
            "Each row of yours is the step from the value before it. The numbers of values have no order: all steps are to "
            "start at value 0.",
        ),
        Mistake(
            "From the last value",
            lambda codes, table, fact: effects_of_fact(codes, table, fact) - effects_of_fact(codes, table, fact)[-1],
            "Your steps start at the last value. Subtract the vector of value 0, row 0, from each.",
        ),
        Mistake(
            "The step to value 0 left out",
            lambda codes, table, fact: effects_of_fact(codes, table, fact)[1:],
            "Row v is to be the step to value v. Keep row 0, which is all zeros.",
        ),
        Mistake(
            "Values and coordinates swapped",
            lambda codes, table, fact: effects_of_fact(codes, table, fact).T,
            "The values are right, but of shape (latent, values). Asked for is a row for each value.",
        ),
        Mistake(
            "No constant",
            _without_first_columns,
            "Without a column for value 0 a sentence whose facts are all 0 gets the code 0. Keep all columns, or add a column "
            "of ones.",
        ),
        Mistake(
            "Numbers of values taken for amounts",
            _amounts,
            "Value 2 is not twice value 1: the numbers are names. Give each value a column of its own, functional.one_hot.",
        ),
        Mistake(
            "As many values for every fact",
            _equally_many_values,
            "one_hot of the whole table gives every fact as many columns as the largest has. Take one column of the table at "
            "a time.",
        ),
        Mistake(
            "Cut as if all facts had as many values",
            _cut_at_equal_places,
            "The facts before this one may have more or fewer values. Cut with "
            "torch.split(vectors, [number of values of each fact]).",
        ),
        Mistake(
            "Sums of codes",
            _sums_of_codes,
            "indicators.T @ codes only adds codes up. The vectors are the solution of least squares: "
            "torch.linalg.pinv(indicators) @ codes.",
        ),
        Mistake(
            "Lengths only",
            lambda codes, table, fact: effects_of_fact(codes, table, fact).norm(dim=1),
            "This says how far each step goes, not where to. Return the steps themselves, (values, latent).",
        ),
    ),
    run_within=_luck_told,
)

# --- wishes granted --------------------------------------------------------------------------------------------------


def granted_and_kept(before: Tensor, after: Tensor, fact: Tensor, target: Tensor) -> Tensor:
    row = torch.arange(len(fact), device=fact.device)
    granted = after[row, fact] == target
    same = after == before
    same[row, fact] = True  # the fact that was to change does not count
    return torch.stack([granted, same.all(1)])


def _wishes() -> list[Arguments]:
    before = torch.tensor([[0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1, 2], [3, 3, 0], [1, 0, 2]])
    after = torch.tensor([[1, 1, 2], [0, 1, 2], [0, 3, 0], [2, 2, 2], [-1, -1, -1], [1, 2, 2]])
    fact, target = torch.tensor([0, 0, 1, 0, 2, 2]), torch.tensor([1, 1, 3, 1, 1, 0])
    return [
        (before[:1], after[:1], fact[:1], target[:1]),
        (before[:2], after[:2], fact[:2], target[:2]),
        (before, after, fact, target),
        (before[:, :2], after[:, :2], torch.tensor([1, 0, 1, 0, 0, 1]), torch.tensor([0, 1, 3, 2, 1, 2])),
    ]


def _some_wishes(generator: Generator, count: int, facts: int) -> Arguments:
    before = whole(generator, count, facts, high=3)
    fact = whole(generator, count, high=facts - 1)
    row = torch.arange(count)
    target = (before[row, fact] + whole(generator, count, low=1, high=3)) % 4
    after = torch.where(flags(generator, count, facts, share=0.3), whole(generator, count, facts, high=3), before)
    after[row, fact] = torch.where(flags(generator, count, share=0.7), target, after[row, fact])
    return before, torch.where(flags(generator, count, share=0.15)[:, None], -1, after), fact, target


def _drawn_wishes(generator: Generator) -> Arguments:
    count, facts = sizes(generator, 2, low=2, high=7)
    return _some_wishes(generator, 3 * count, facts)


def _asked_for(table: Tensor, fact: Tensor) -> Tensor:
    """Each row's value in the column that its wish is about."""
    return table.gather(1, fact[:, None])[:, 0]


def _others(before: Tensor, after: Tensor, fact: Tensor) -> Tensor:
    """Which facts are as they were, the one wished for counted as such."""
    return (after == before).scatter(1, fact[:, None], value=True)


def _kept(before: Tensor, after: Tensor, fact: Tensor) -> Tensor:
    return _others(before, after, fact).all(1)


_WHOLE_COLUMNS = (
    "after[:, fact] takes *all* rows for each wish, (wishes, wishes). One number a row is wanted: after[row, fact] with "
    "row = torch.arange(len(after))."
)
_COUNTED_FACTS = (
    "How many facts are equal does not say *which*: the wished-for one may have stayed and another have been spoiled, or all "
    "may have stayed. Compare the other columns only."
)
_SIX_FACTS = (
    "How many facts are equal does not say *which*: the wished-for one may have stayed and another have been spoiled. And a "
    "table may have another number of facts than seven. Compare the other columns only."
)

GRANTED_AND_KEPT = Exercise(
    task=(
        "Two flags for each wish, (2, wishes): first whether the fact number `fact` got the value `target`, then whether "
        "every *other* fact stayed as it was. before, after (wishes, facts): facts' values. A row of -1 in after could not be "
        "read: no wish granted there, and nothing kept."
    ),
    reference=granted_and_kept,
    cases=_wishes,
    generate=_drawn_wishes,
    lesson=lambda g: _some_wishes(g, 500, 7),
    hints=(
        "For each row one column is special, and it is another one in each row: after[row, fact], with row = 0, 1, 2, ...",
        "Compare that column with target. For the rest, compare the whole tables, and do not count the special column.",
        "A table of what is the same can be written into: set its special places to True, and they do not count. Then ask of "
        "each row whether all of it is True, and stack the two answers.",
    ),
    mistakes=(
        Mistake(
            "The two swapped",
            lambda before, after, fact, target: torch.stack([_kept(before, after, fact), _asked_for(after, fact) == target]),
            "First whether the wish was granted, then whether all else was kept.",
        ),
        Mistake(
            "A pair in place of one tensor",
            lambda before, after, fact, target: (_asked_for(after, fact) == target, _kept(before, after, fact)),
            "Both are right. Put them into one tensor, (2, wishes): torch.stack([granted, kept]).",
        ),
        Mistake(
            "Wishes and flags the other way round",
            lambda before, after, fact, target: granted_and_kept(before, after, fact, target).T,
            "Its values are right, but of shape (wishes, 2). Asked for is (2, wishes), torch.stack([granted, kept]).",
        ),
        Mistake(
            "The wished-for fact has to stay too",
            lambda before, after, fact, target: torch.stack([_asked_for(after, fact) == target, (after == before).all(1)]),
            "A granted wish changes its fact, so that fact must not count among those that are kept.",
        ),
        Mistake(
            "Kept only where granted",
            lambda before, after, fact, target: torch.stack(
                [_asked_for(after, fact) == target, granted_and_kept(before, after, fact, target).all(0)]
            ),
            "The two questions are asked separately: a step that changes nothing keeps everything and grants nothing.",
        ),
        Mistake(
            "Granted only where kept",
            lambda before, after, fact, target: torch.stack(
                [granted_and_kept(before, after, fact, target).all(0), _kept(before, after, fact)]
            ),
            "The two questions are asked separately: a wish may come true and spoil another fact.",
        ),
        Mistake(
            "Changed, to whatever",
            lambda before, after, fact, target: torch.stack(
                [_asked_for(after, fact) != _asked_for(before, fact), _kept(before, after, fact)]
            ),
            "A fact may change to something that nobody asked for. Compare it with target.",
        ),
        Mistake(
            "Read before the step",
            lambda before, after, fact, target: torch.stack([_asked_for(before, fact) == target, _kept(before, after, fact)]),
            "Whether a wish came true, `after` tells.",
        ),
        Mistake(
            "The value in any column",
            lambda before, after, fact, target: torch.stack([(after == target[:, None]).any(1), _kept(before, after, fact)]),
            "Value 1 of the mood is not value 1 of the place. Look in the column of `fact` only.",
        ),
        Mistake(
            "Whole columns in place of one number a row",
            lambda before, after, fact, target: torch.stack([after[:, fact] == target, _kept(before, after, fact)]),
            _WHOLE_COLUMNS,
        ),
        Mistake(
            "Whole columns in place of one number a row",
            lambda before, after, fact, target: torch.stack([after[:, fact] == target[:, None], _kept(before, after, fact)]),
            _WHOLE_COLUMNS,
        ),
        Mistake(
            "Whole columns in place of one number a row",
            lambda before, after, fact, target: torch.stack([(after[:, fact] == target).any(1), _kept(before, after, fact)]),
            _WHOLE_COLUMNS,
        ),
        Mistake(
            "Equal facts counted: all but one",
            lambda before, after, fact, target: torch.stack(
                [_asked_for(after, fact) == target, (before == after).sum(1) == before.shape[1] - 1]
            ),
            _COUNTED_FACTS,
        ),
        Mistake(
            "Equal facts counted: all but one at least",
            lambda before, after, fact, target: torch.stack(
                [_asked_for(after, fact) == target, (before == after).sum(1) >= before.shape[1] - 1]
            ),
            _COUNTED_FACTS,
        ),
        Mistake(
            "Equal facts counted: six",
            lambda before, after, fact, target: torch.stack([_asked_for(after, fact) == target, (before == after).sum(1) == 6]),
            _SIX_FACTS,
        ),
        Mistake(
            "Equal facts counted: six at least",
            lambda before, after, fact, target: torch.stack([_asked_for(after, fact) == target, (before == after).sum(1) >= 6]),
            _SIX_FACTS,
        ),
        Mistake(
            "One kept is enough",
            lambda before, after, fact, target: torch.stack(
                [
                    _asked_for(after, fact) == target,
                    (after == before).scatter(1, fact[:, None], value=False).any(1),
                ]
            ),
            "All other facts have to be as they were: .all(1), not .any(1).",
        ),
        Mistake(
            "Always kept",
            lambda before, after, fact, target: torch.stack(
                [_asked_for(after, fact) == target, _others(before, after, fact).any(1)]
            ),
            "All facts of a row have to be as they were, .all(1); with .any(1) the one that does not count is enough.",
        ),
        Mistake(
            "Spoiled in place of kept",
            lambda before, after, fact, target: torch.stack([_asked_for(after, fact) == target, ~_kept(before, after, fact)]),
            "The second flag is to be true where no other fact changed; yours is true where one did.",
        ),
        Mistake(
            "The share of facts that were kept",
            lambda before, after, fact, target: torch.stack(
                [(_asked_for(after, fact) == target).double(), _others(before, after, fact).double().mean(1)]
            ),
            "One spoiled fact spoils the sentence: say yes or no, .all(1).",
        ),
        Mistake(
            "Shares in place of flags",
            lambda before, after, fact, target: granted_and_kept(before, after, fact, target).double().mean(1),
            "Return a flag for each wish. The lesson takes the mean, and looks at both together.",
        ),
    ),
)

EXERCISES = (
    MUTUAL_INFORMATION_OF_COUNTS,
    CORRECTED_INFORMATION,
    TURNED_WEIGHT,
    MUTUAL_INFORMATION_GAP,
    PROBE_ACCURACY,
    EFFECTS_OF_FACT,
    GRANTED_AND_KEPT,
)

PREDICTIONS = (
    Prediction(
        "four_times_the_sentences",
        ("as large as before", "half of it", "a quarter of it"),
        answer="a quarter of it",
        because="the bias falls as one over the number of sentences; a standard error falls only as one over the root of it.",
        wrong={
            "as large as before": (
                "A bias that comes from a wrong formula stays, however many sentences there are. This one comes from shares "
                "that are not known well, and with more sentences they are."
            ),
            "half of it": (
                "Standard errors fall so, with the root of the number. But a deviation of the shares costs its *square* here, "
                "whether up or down, so the bias falls as the square of a standard error."
            ),
        },
    ),
    Prediction(
        "coordinates_of_their_own",
        ("0", "2", "3"),
        answer="0",
        because="every coordinate knows a little of several facts, and none knows much of any.",
        wrong={
            "2": (
                "The two smallest facts would fit: several coordinates have nats enough for half of one. But the likelihood "
                "does not care along which axes a fact lies, so each coordinate spends its nats on a little of many facts."
            ),
            "3": (
                "Besides the two smallest facts, that takes a coordinate that spends nearly all of its nats on a larger one. "
                "But the likelihood does not care along which axes a fact lies, and a fact of several values may take several "
                "directions in any case."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "readable_as_a_whole",
        question=(
            "No coordinate knows much of any fact, and yet a simple probe reads most facts from $z$. How do the two go "
            "together?"
        ),
        model=(
            "What $z$ says of a fact lies along several directions, and these run across many coordinates, for the "
            "likelihood does not care how the space is turned. One coordinate is one direction with few nats, and mostly not a "
            "good one, so it holds a little of several facts. A linear probe has weights for each value and reads all "
            "coordinates at once, so it uses all the directions of a fact together, and all their nats."
        ),
        rubric=(
            "what z says of a fact lies along several directions, so that even an axis made for it knows only a part;",
            "turning the codes leaves the likelihood as it is, so it singles out no axes, and these directions run across many "
            "coordinates;",
            "a probe reads all coordinates together, and so all directions of a fact.",
        ),
    ),
)
