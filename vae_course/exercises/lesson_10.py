"""Exercises of lesson 10: mutual information, the gap between coordinates, an honest probe, lines and attributes in z."""

import math

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# --- mutual information ---------------------------------------------------------------------------------------------


def mutual_information_of_counts(counts: Tensor) -> Tensor:
    joint = counts / counts.sum()
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    seen = joint > 0  # 0 log 0 = 0
    return (joint[seen] * (joint[seen] / independent[seen]).log()).sum()


def _counts() -> list[Arguments]:
    return [
        (_tensor([[3, 1], [1, 3]]),),
        (_tensor([[4, 0], [0, 12]]),),
        (_tensor([[5, 2, 0], [1, 1, 7]]),),
        (_tensor([[10, 20], [30, 60]]),),
    ]


def _entropy(shares: Tensor) -> Tensor:
    terms: Tensor = torch.xlogy(shares, shares)
    return -terms.sum()


def _entropies(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    joint = counts / counts.sum()
    return _entropy(joint.sum(1)), _entropy(joint.sum(0)), _entropy(joint)


def _with_zeros_counted(counts: Tensor) -> Tensor:
    joint = counts / counts.sum()
    return (joint * (joint / (joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True))).log()).sum()


def _uniform_reference(counts: Tensor) -> Tensor:
    return math.log(counts.numel()) - _entropies(counts)[2]


def _reversed_kl(counts: Tensor) -> Tensor:
    joint = counts / counts.sum()
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return (independent * (independent / joint).log()).sum()


MUTUAL_INFORMATION_OF_COUNTS = Exercise(
    task="I(a; b) in nats of two variables from a table of how often each pair was seen, (a, b). One number.",
    reference=mutual_information_of_counts,
    cases=_counts,
    hints=(
        "Counts over their total are the joint shares p(a, b); the sums of its rows and columns are p(a) and p(b).",
        "I is the KL from the joint p(a, b) to the product p(a) p(b); a pair that was never seen counts 0.",
        "Or by entropies: I = H(a) + H(b) - H(a, b). torch.xlogy(p, p) is p log p, and 0 where p is 0.",
    ),
    mistakes=(
        Mistake(
            "Bits, not nats",
            lambda counts: mutual_information_of_counts(counts) / math.log(2),
            "log2 gives bits. The course counts in nats: use the natural logarithm, torch.log.",
        ),
        Mistake(
            "0 log 0 became nan",
            _with_zeros_counted,
            "A pair that was never seen counts 0, the limit of p log p, but log(0) times 0 is nan. Leave those cells out.",
        ),
        Mistake(
            "H(a, b) is the entropy of the joint table, not a sum of two entropies",
            lambda counts: 0 * counts.sum(),
            "You probably took H(a) + H(b) for H(a, b), which is true of independent variables only: then I is always 0. "
            "Take the entropy over all cells of the joint table.",
        ),
        Mistake(
            "Joint entropy",
            lambda counts: _entropies(counts)[2],
            "This is H(a, b), what there is to know about the pair. I = H(a) + H(b) - H(a, b).",
        ),
        Mistake(
            "Conditional entropy",
            lambda counts: _entropies(counts)[2] - _entropies(counts)[0],
            "H(a, b) - H(a) = H(b given a) is what a leaves *unknown* about b. Subtract it from H(b).",
        ),
        Mistake(
            "Wrong sign",
            lambda counts: -mutual_information_of_counts(counts),
            "Mutual information is never negative: the joint belongs above the product in the ratio.",
        ),
        Mistake(
            "The KL in the wrong direction",
            _reversed_kl,
            "I is the KL *from the joint to the product*: average log(joint / product) over the joint.",
        ),
        Mistake(
            "Compared with a uniform table",
            _uniform_reference,
            "Independent does not mean uniform: compare with p(a) p(b), made of the table's own row and column sums.",
        ),
        Mistake(
            "Divided by the entropy of b",
            lambda counts: mutual_information_of_counts(counts) / _entropies(counts)[1],
            "That is the share of H(b) that a tells, without a unit. Here the nats are asked for.",
        ),
        Mistake(
            "Counts not made into shares",
            lambda counts: mutual_information_of_counts(counts) * counts.sum(),
            "Divide the counts by their total first: p(a, b) adds up to 1.",
        ),
    ),
)

# --- the gap --------------------------------------------------------------------------------------------------------


def mutual_information_gap(information: Tensor, entropies: Tensor) -> Tensor:
    best = information.topk(2, dim=0).values
    return (best[0] - best[1]) / entropies


def _informations() -> list[Arguments]:
    return [
        (_tensor([[1.0], [0.25], [0.0]]), _tensor([2.0])),
        (_tensor([[0.1, 0.3], [0.5, 0.2], [0.3, 0.1]]), _tensor([1.0, 0.5])),
        (_tensor([[0.1, 0.0, 0.4], [0.1, 0.9, 0.3], [0.0, 0.1, 0.1], [0.05, 0.2, 0.0]]), _tensor([0.7, 1.5, 2.0])),
    ]


MUTUAL_INFORMATION_GAP = Exercise(
    task="The gap of each factor, (factors,): information (coordinates, factors) in nats, entropies (factors,) in nats.",
    reference=mutual_information_gap,
    cases=_informations,
    hints=(
        "For one factor: sort the coordinates by what they know of it, and take the best minus the second best.",
        "Divide by the factor's own entropy, the most that can be known, so that 1 is the largest gap there can be.",
        "information.topk(2, dim=0).values holds the best and the second best of every factor.",
    ),
    mistakes=(
        Mistake(
            "Not divided by the entropy",
            lambda information, entropies: mutual_information_gap(information, torch.ones_like(entropies)),
            "A factor of two values has less to know than one of eight. Divide by each factor's entropy.",
        ),
        Mistake(
            "Best minus the mean",
            lambda information, entropies: (information.max(0).values - information.mean(0)) / entropies,
            "Two equal coordinates that share a factor lie far above the mean, yet neither is *its* coordinate. "
            "Compare the best with the second best.",
        ),
        Mistake(
            "Best minus the worst",
            lambda information, entropies: (information.max(0).values - information.min(0).values) / entropies,
            "Nearly any code has some coordinate that knows nothing. Compare the best with the second best.",
        ),
        Mistake(
            "Only the best",
            lambda information, entropies: information.max(0).values / entropies,
            "This is how much the best coordinate knows. Whether it is alone in knowing it, the second best tells.",
        ),
        Mistake(
            "Divided by the best",
            lambda information, entropies: mutual_information_gap(information, information.max(0).values),
            "Then a coordinate that knows next to nothing may still get 1, if all others know nothing. Divide by the entropy.",
        ),
        Mistake(
            "Divided by the sum of all entropies",
            lambda information, entropies: mutual_information_gap(information, entropies.sum()),
            "Each factor is measured by its own entropy.",
        ),
        Mistake(
            "Averaged over the factors",
            lambda information, entropies: mutual_information_gap(information, entropies).mean(),
            "The mean is what papers report, but it hides which factor has an axis. Return one gap a factor.",
        ),
        Mistake(
            "Second best minus best",
            lambda information, entropies: -mutual_information_gap(information, entropies),
            "The lead of the best over the second best is not negative.",
        ),
    ),
)

# --- a probe --------------------------------------------------------------------------------------------------------


def probe_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    guess = torch.cdist(test, centres).argmin(1)
    return (guess == test_labels).double().mean()


def _probed() -> list[Arguments]:
    first = (
        _tensor([[0.0], [1.0], [3.0], [2.0]]),
        torch.tensor([0, 0, 1, 1]),
        _tensor([[0.2], [2.9], [1.2]]),
        torch.tensor([0, 1, 1]),
    )
    cases = [first]
    generator = torch.Generator().manual_seed(9)
    for values, latent, count in ((2, 2, 20), (3, 2, 30), (3, 4, 40)):
        centres = torch.randn(values, latent, generator=generator, dtype=torch.float64)
        labels = torch.cat([torch.arange(values), torch.randint(values, (2 * count,), generator=generator).square() % values])
        codes = centres[labels] + 0.9 * torch.randn(len(labels), latent, generator=generator, dtype=torch.float64)
        cases.append((codes[:count], labels[:count], codes[count:], labels[count:]))
    return cases


def _nearest(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, power: float = 2.0) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres, p=power).argmin(1) == test_labels).double().mean()


def _with_sums(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].sum(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres).argmin(1) == test_labels).double().mean()


def _farthest(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    centres = torch.stack([train[train_labels == value].mean(0) for value in train_labels.unique()])
    return (torch.cdist(test, centres).argmax(1) == test_labels).double().mean()


def _majority(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> Tensor:
    return (test_labels == train_labels.bincount().argmax()).double().mean()


PROBE_ACCURACY = Exercise(
    task="The share of test codes whose nearest class mean (of the training codes) is that of their own label. One number.",
    reference=probe_accuracy,
    cases=_probed,
    hints=(
        "First one mean code for each label 0, 1, 2, ..., over the *training* codes that have it.",
        "torch.cdist(test, centres) is every distance, (test, labels); argmin(1) names the nearest.",
        "(guess == test_labels).double().mean() is the share that is right.",
    ),
    mistakes=(
        Mistake(
            "Scored on its training data",
            lambda train, train_labels, test, test_labels: _nearest(train, train_labels, train, train_labels),
            "A probe that has seen the answers always looks good. Count how often it is right on the *test* codes.",
        ),
        Mistake(
            "Fitted on the test data",
            lambda train, train_labels, test, test_labels: _nearest(test, test_labels, test, test_labels),
            "The class means come from the training codes; the test codes are for the score alone.",
        ),
        Mistake(
            "The farthest mean",
            _farthest,
            "argmax of a distance is the *farthest* class. Take argmin.",
        ),
        Mistake(
            "Sums in place of means",
            _with_sums,
            "A sum grows with the number of codes, so frequent labels lie far out. Divide: .mean(0).",
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
            "Percent",
            lambda *arguments: 100 * probe_accuracy(*arguments),
            "A share is between 0 and 1; do not multiply by 100.",
        ),
        Mistake(
            "A count, not a share",
            lambda train, train_labels, test, test_labels: len(test) * probe_accuracy(train, train_labels, test, test_labels),
            "Divide by the number of test codes: .mean() in place of .sum().",
        ),
    ),
)

# --- a line in z ----------------------------------------------------------------------------------------------------


def interpolate(start: Tensor, end: Tensor, points: int) -> Tensor:
    place = torch.linspace(0, 1, points, dtype=start.dtype, device=start.device)[:, None]
    return (1 - place) * start + place * end


def _ends() -> list[Arguments]:
    return [
        (_tensor([0.0]), _tensor([1.0]), 3),
        (_tensor([1.0, 2.0]), _tensor([3.0, -2.0]), 5),
        (_tensor([0.5, -1.0, 2.0]), _tensor([0.5, 4.0, 0.0]), 4),
    ]


def _at(start: Tensor, end: Tensor, place: Tensor) -> Tensor:
    return start + place[:, None] * (end - start)


INTERPOLATE = Exercise(
    task="Evenly spaced points on the line from start (latent,) to end (latent,), both of them included: (points, latent).",
    reference=interpolate,
    cases=_ends,
    hints=(
        "A point at place t on the line is (1 - t) start + t end.",
        "torch.linspace(0, 1, points) holds 0 and 1 themselves.",
        "Give the places a second dimension, [:, None], so that each of them meets every coordinate.",
    ),
    mistakes=(
        Mistake(
            "Does not reach the end",
            lambda start, end, points: _at(start, end, torch.arange(points, dtype=start.dtype) / points),
            "points / points steps begin at 0 and stop one step short of 1: divide by points - 1, or use linspace.",
        ),
        Mistake(
            "Neither start nor end",
            lambda start, end, points: _at(start, end, torch.linspace(0, 1, points + 2, dtype=start.dtype)[1:-1]),
            "Both ends belong to the path: the first point is start, the last is end.",
        ),
        Mistake(
            "Leaves the start out",
            lambda start, end, points: _at(start, end, torch.linspace(0, 1, points + 1, dtype=start.dtype)[1:]),
            "The first point is start itself.",
        ),
        Mistake(
            "From end to start",
            lambda start, end, points: interpolate(start, end, points).flip(0),
            "Place 0 is start: (1 - t) belongs to start, t to end.",
        ),
        Mistake(
            "start + t end",
            lambda start, end, points: start + torch.linspace(0, 1, points, dtype=start.dtype)[:, None] * end,
            "That adds end without taking start away, and arrives at start + end. Add t (end - start).",
        ),
        Mistake(
            "One row a coordinate",
            lambda start, end, points: interpolate(start, end, points).T,
            "One row for each point: the decoder takes (points, latent).",
        ),
        Mistake(
            "On the sphere",
            lambda start, end, points: (
                interpolate(start, end, points)
                / interpolate(start, end, points).norm(dim=1, keepdim=True).clamp_min(1e-9)
                * _at(start.norm()[None], end.norm()[None], torch.linspace(0, 1, points, dtype=start.dtype))
            ),
            "Keeping the length between those of the ends is a useful variant, but the straight line is asked for.",
        ),
    ),
)

# --- an attribute's direction ---------------------------------------------------------------------------------------


def attribute_vector(codes: Tensor, labels: Tensor, source: int, target: int) -> Tensor:
    return codes[labels == target].mean(0) - codes[labels == source].mean(0)


def _labelled() -> list[Arguments]:
    return [
        (_tensor([[0.0], [2.0], [5.0]]), torch.tensor([0, 0, 1]), 0, 1),
        (_tensor([[1.0, 0.0], [3.0, 2.0], [0.0, 4.0], [0.0, 8.0], [5.0, 5.0]]), torch.tensor([0, 0, 1, 1, 2]), 1, 0),
        (_tensor([[1.0, 0.0, 1.0], [3.0, 2.0, 0.0], [2.0, 4.0, -1.0], [0.0, 8.0, 3.0]]), torch.tensor([2, 1, 2, 0]), 2, 0),
    ]


ATTRIBUTE_VECTOR = Exercise(
    task="The step in z (latent,) from the mean code of label source to that of label target: codes (n, latent), labels (n,).",
    reference=attribute_vector,
    cases=_labelled,
    hints=(
        "codes[labels == target] are the codes of the sentences that have the value we want.",
        "Average them over sentences, dimension 0, so that one number a coordinate is left.",
        "A step that starts at source and arrives at target is target minus source.",
    ),
    mistakes=(
        Mistake(
            "From target to source",
            lambda codes, labels, source, target: -attribute_vector(codes, labels, source, target),
            "Added to a code this takes the wanted value *away*. A step is where we want to be minus where we are.",
        ),
        Mistake(
            "Only the target's mean",
            lambda codes, labels, source, target: codes[labels == target].mean(0),
            "Added to a code this leaves the old value in. Subtract the source's mean.",
        ),
        Mistake(
            "From the mean of all codes",
            lambda codes, labels, source, target: codes[labels == target].mean(0) - codes.mean(0),
            "The mean of all is part target itself, so the step is too short. Start from the source's mean.",
        ),
        Mistake(
            "From everything that is not the target",
            lambda codes, labels, source, target: codes[labels == target].mean(0) - codes[labels != target].mean(0),
            "With more than two values, the others are not all source. Use the codes whose label is source.",
        ),
        Mistake(
            "Sums in place of means",
            lambda codes, labels, source, target: codes[labels == target].sum(0) - codes[labels == source].sum(0),
            "A sum grows with the number of sentences. Divide by it: .mean(0).",
        ),
        Mistake(
            "Averaged over the coordinates too",
            lambda codes, labels, source, target: codes[labels == target].mean() - codes[labels == source].mean(),
            "Keep one number a coordinate: .mean(0) averages over sentences only.",
        ),
        Mistake(
            "Made to length 1",
            lambda codes, labels, source, target: torch.nn.functional.normalize(
                attribute_vector(codes, labels, source, target), dim=0
            ),
            "The length says how far apart the two groups are; a step of 1 then arrives. Do not normalize.",
        ),
        Mistake(
            "Half the way",
            lambda codes, labels, source, target: attribute_vector(codes, labels, source, target) / 2,
            "This arrives in the middle between the groups.",
        ),
    ),
)

EXERCISES = (MUTUAL_INFORMATION_OF_COUNTS, MUTUAL_INFORMATION_GAP, PROBE_ACCURACY, INTERPOLATE, ATTRIBUTE_VECTOR)
