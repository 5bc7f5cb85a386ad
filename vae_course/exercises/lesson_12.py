"""Exercises of lesson 12: Bayes over events, overlap of words and of order, means of codes, and the report in the middle."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# --- Bayes over events ----------------------------------------------------------------------------------------------


def log_posterior(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    joint = log_prior + log_channel.sum(0)
    return joint - joint.logsumexp(0)


def _events() -> list[Arguments]:
    return [
        (_tensor([0.5, 0.5]).log(), _tensor([[0.8, 0.2], [0.6, 0.3]]).log()),
        (_tensor([0.9, 0.1]).log(), _tensor([[0.2, 0.8], [0.3, 0.9], [0.5, 0.25]]).log()),
        (_tensor([0.5, 0.25, 0.125, 0.125]).log(), _tensor([[0.1, 0.7, 0.2, 0.3], [0.3, 0.3, 0.9, 0.1]]).log()),
        (_tensor([0.5, 0.5]).log(), _tensor([[-400, -401], [-402, -400]])),  # long texts: exp(-800) is 0 on a computer
    ]


def _normalized(joint: Tensor) -> Tensor:
    return joint - joint.logsumexp(0)


def _by_exponentials(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    joint = log_prior + log_channel.sum(0)
    return joint - joint.exp().sum(0).log()


def _by_products(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    joint = log_prior.exp() * log_channel.exp().prod(0)
    return (joint / joint.sum(0)).log()


LOG_POSTERIOR = Exercise(
    task="log p(world given all reports), (worlds,), from log p(world) and log p(report given world), (reports, worlds).",
    reference=log_posterior,
    cases=_events,
    hints=(
        "The reports are independent given the world: their probabilities multiply, so their logs add.",
        "log p(world) + the sum over reports is log p(world and reports), for each world.",
        "Subtract the log of its sum over worlds, joint.logsumexp(0), so that the probabilities sum to 1.",
    ),
    mistakes=(
        Mistake(
            "The prior is missing",
            lambda log_prior, log_channel: _normalized(log_channel.sum(0)),
            "This is the posterior of someone to whom all worlds are equally likely. Add log_prior.",
        ),
        Mistake(
            "Probabilities of reports added",
            lambda log_prior, log_channel: _normalized(log_prior + log_channel.exp().sum(0).log()),
            "A sum says that *one or the other* report was made. All were: multiply, which is adding their logs.",
        ),
        Mistake(
            "Mean of the reports' logs",
            lambda log_prior, log_channel: _normalized(log_prior + log_channel.mean(0)),
            "The mean counts many reports as one. Each is evidence of its own: take the sum.",
        ),
        Mistake(
            "Prior counted once for each report",
            lambda log_prior, log_channel: _normalized((log_prior + log_channel).sum(0)),
            "There is one world, drawn once. Add log_prior after the sum over reports.",
        ),
        Mistake(
            "Not normalized",
            lambda log_prior, log_channel: log_prior + log_channel.sum(0),
            "This is log p(world and reports). Its likeliest world is right, but its probabilities do not sum to 1: "
            "subtract joint.logsumexp(0).",
        ),
        Mistake(
            "Divided by a sum of logs",
            lambda log_prior, log_channel: log_prior + log_channel.sum(0) - (log_prior + log_channel.sum(0)).sum(0),
            "Probabilities are to sum to 1, not their logs: subtract the log of the sum of exponentials, logsumexp.",
        ),
        Mistake(
            "Probabilities, not logs",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel).exp(),
            "This is right as a probability; asked for is its log.",
        ),
        Mistake(
            "Underflow in the sum",
            _by_exponentials,
            "Right as long as logs are small. But exp(-800) is 0 on a computer, and the log of 0 minus infinity: "
            "joint.logsumexp(0) takes the largest log out first.",
        ),
        Mistake(
            "Underflow of a product",
            _by_products,
            "Right as long as probabilities are not tiny. A product like e^-800 becomes 0, and 0 / 0 is not a number. "
            "Stay in logs: add them, and subtract joint.logsumexp(0).",
        ),
        Mistake(
            "Only the first report",
            lambda log_prior, log_channel: _normalized(log_prior + log_channel[0]),
            "Use all reports: sum over dimension 0.",
        ),
    ),
)

# --- ROUGE-1 --------------------------------------------------------------------------------------------------------


def rouge_1(summary: Tensor, reference: Tensor) -> Tensor:
    shared = torch.minimum(summary, reference).sum()
    precision = shared / summary.sum()
    recall = shared / reference.sum()
    return torch.where(shared > 0, 2 * precision * recall / (precision + recall), 0.0)


def _counts() -> list[Arguments]:
    return [
        (_tensor([1, 1, 0, 0]), _tensor([1, 1, 1, 1])),
        (_tensor([3, 1, 0, 1]), _tensor([1, 1, 1, 1])),
        (_tensor([2, 1, 4, 0, 1]), _tensor([1, 3, 2, 1, 0])),
        (_tensor([5, 0, 1, 1, 0, 2]), _tensor([1, 1, 1, 0, 1, 1])),
        (_tensor([2, 0, 1]), _tensor([0, 3, 0])),
    ]


def _f1(shared: Tensor, summary: Tensor, reference: Tensor) -> Tensor:
    return 2 * shared / (summary.sum() + reference.sum())


def _undefined(summary: Tensor, reference: Tensor) -> Tensor:
    shared = torch.minimum(summary, reference).sum()
    precision, recall = shared / summary.sum(), shared / reference.sum()
    return 2 * precision * recall / (precision + recall)


ROUGE_1 = Exercise(
    task="ROUGE-1 (F1), one number, from how often each word of the vocabulary is in summary and reference, (vocabulary,); "
    "0 where they share no word.",
    reference=rouge_1,
    cases=_counts,
    hints=(
        "A word is shared as often as both have it: the smaller of the two counts.",
        "Precision divides what is shared by the words of the summary, recall by those of the reference.",
        "F1 is their harmonic mean, 2 P R / (P + R), and 0 where both are 0: torch.where can choose.",
    ),
    mistakes=(
        Mistake(
            "Recall",
            lambda summary, reference: torch.minimum(summary, reference).sum() / reference.sum(),
            "This is recall: a summary that says everything gets 1. F1 asks for precision too.",
        ),
        Mistake(
            "Precision",
            lambda summary, reference: torch.minimum(summary, reference).sum() / summary.sum(),
            "This is precision: a summary of one right word gets 1. F1 asks for recall too.",
        ),
        Mistake(
            "Counts not clipped",
            lambda summary, reference: _f1((summary * (reference > 0)).sum(), summary, reference),
            '"the the the" would share three words with any sentence that has one "the". '
            "A word counts as often as *both* have it.",
        ),
        Mistake(
            "Each kind of word counted once",
            lambda summary, reference: _f1(((summary > 0) & (reference > 0)).sum(), summary, reference),
            "A word that both have twice is shared twice: take the minimum of the counts.",
        ),
        Mistake(
            "Product of counts",
            lambda summary, reference: _f1((summary * reference).sum(), summary, reference),
            "The product counts pairs. Two against three are two shared words: torch.minimum.",
        ),
        Mistake(
            "The maximum of the counts",
            lambda summary, reference: _f1(torch.maximum(summary, reference).sum(), summary, reference),
            "The larger count is what one of the two has. Shared is the smaller: torch.minimum.",
        ),
        Mistake(
            "Arithmetic mean of precision and recall",
            lambda summary, reference: torch.minimum(summary, reference).sum() * (1 / summary.sum() + 1 / reference.sum()) / 2,
            "F1 is the *harmonic* mean, 2 P R / (P + R): it is small when either is.",
        ),
        Mistake(
            "0 / 0",
            lambda summary, reference: _undefined(summary, reference),
            "Where no word is shared, P + R is 0, and 0 / 0 is not a number. F1 is 0 there.",
        ),
        Mistake(
            "The 2 is missing",
            lambda summary, reference: rouge_1(summary, reference) / 2,
            "A summary equal to its reference should get 1: 2 P R / (P + R).",
        ),
        Mistake(
            "Shared over all (Jaccard)",
            lambda summary, reference: torch.minimum(summary, reference).sum() / torch.maximum(summary, reference).sum(),
            "Intersection over union is another score. F1 divides twice the shared words by all words of both.",
        ),
    ),
)

# --- the longest common subsequence ---------------------------------------------------------------------------------


def common_subsequence(first: Tensor, second: Tensor) -> Tensor:
    length = torch.zeros(len(first) + 1, len(second) + 1, dtype=torch.long)
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            without = torch.maximum(length[i, j + 1], length[i + 1, j])
            length[i + 1, j + 1] = length[i, j] + 1 if a == b else without
    return length[-1, -1]


def _words() -> list[Arguments]:
    return [
        (torch.tensor([4, 5, 6]), torch.tensor([4, 9, 6])),
        (torch.tensor([4, 5, 6, 7]), torch.tensor([5, 6, 7, 4, 8])),
        (torch.tensor([4, 5, 4, 6, 7]), torch.tensor([5, 4, 4, 8, 7])),
        (torch.tensor([4, 5, 6, 7, 8, 4, 9]), torch.tensor([9, 4, 6, 5, 7, 4, 4, 8, 9])),
    ]


def _lengths(first: Tensor, second: Tensor, when_different: Callable[[Tensor, int, int], Tensor]) -> Tensor:
    length = torch.zeros(len(first) + 1, len(second) + 1, dtype=torch.long)
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            length[i + 1, j + 1] = length[i, j] + 1 if a == b else when_different(length, i, j)
    return length


def _substring(first: Tensor, second: Tensor) -> Tensor:
    return _lengths(first, second, lambda length, i, j: torch.zeros((), dtype=torch.long)).max()


def _greedy_matches(first: Tensor, second: Tensor) -> Tensor:
    place, found = 0, 0
    words = second.tolist()
    for word in first.tolist():
        if word in words[place:]:
            place += words[place:].index(word) + 1
            found += 1
    return torch.tensor(found)


def _shared_words(first: Tensor, second: Tensor) -> Tensor:
    size = int(torch.cat([first, second]).max()) + 1
    return torch.minimum(first.bincount(minlength=size), second.bincount(minlength=size)).sum()


def _reused(first: Tensor, second: Tensor) -> Tensor:
    length = torch.zeros(len(first) + 1, len(second) + 1, dtype=torch.long)
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            length[i + 1, j + 1] = torch.maximum(length[i, j + 1], length[i + 1, j]) + (a == b)
    return length[-1, -1]


COMMON_SUBSEQUENCE = Exercise(
    task="Length of the longest common subsequence of two sentences of word numbers, (time,) and (other time,). One number.",
    reference=common_subsequence,
    cases=_words,
    hints=(
        "A subsequence keeps the order and may leave words out: 4 6 is one of 4 5 6.",
        "Fill a table: length[i, j] of the first i words of one and the first j of the other, row 0 and column 0 all 0.",
        "Where the two words agree it is length[i - 1, j - 1] + 1, else the larger of length[i - 1, j] and length[i, j - 1].",
    ),
    mistakes=(
        Mistake(
            "Common substring",
            _substring,
            "A substring has no gaps. In a subsequence words may be left out: where words differ, carry the larger "
            "neighbour on and do not begin again at 0.",
        ),
        Mistake(
            "Shared words in any order",
            _shared_words,
            "This is the overlap of ROUGE-1. A subsequence keeps the order of words in both sentences.",
        ),
        Mistake(
            "Words at equal places",
            lambda first, second: (first[: len(second)] == second[: len(first)]).sum(),
            "One word put in front would shift all others and leave nothing shared. Places may differ, only the order may not.",
        ),
        Mistake(
            "First match taken greedily",
            _greedy_matches,
            "Taking each word's first match may skip over words that are worth more together. The table tries both ways.",
        ),
        Mistake(
            "One word matched twice",
            _reused,
            "Where words agree, go on from length[i - 1, j - 1], in which neither of them is used yet.",
        ),
        Mistake(
            "Summed over the table",
            lambda first, second: _lengths(
                first, second, lambda length, i, j: torch.maximum(length[i, j + 1], length[i + 1, j])
            ).sum(),
            "The last entry of the table already holds the answer for the whole sentences.",
        ),
        Mistake(
            "A share, not a length",
            lambda first, second: 2 * common_subsequence(first, second) / (len(first) + len(second)),
            "That is ROUGE-L's F1, which is made of the length. Return the length alone.",
        ),
    ),
)

# --- means of codes -------------------------------------------------------------------------------------------------


def subset_means(codes: Tensor, masks: Tensor) -> Tensor:
    return masks @ codes / masks.sum(1, keepdim=True)


def _codes() -> list[Arguments]:
    generator = torch.Generator().manual_seed(11)
    masks = _tensor([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
    return [
        (_tensor([[1.0], [3.0]]), _tensor([[1, 0], [1, 1]])),
        (_tensor([[1.0, 0.0], [3.0, -2.0], [2.0, 8.0]]), masks),
        (torch.randn(3, 4, generator=generator, dtype=torch.float64), masks),
    ]


SUBSET_MEANS = Exercise(
    task="The mean code of each subset: codes (reports, latent), masks (subsets, reports) of 0 and 1, to (subsets, latent).",
    reference=subset_means,
    cases=_codes,
    hints=(
        "masks @ codes is, for each subset, the sum of the codes that are in it.",
        "Divide each sum by how many reports that subset has: the sum of its mask.",
        "masks.sum(1, keepdim=True) has the shape (subsets, 1), so that it divides row by row.",
    ),
    mistakes=(
        Mistake(
            "Sums, not means",
            lambda codes, masks: masks @ codes,
            "The sum of six codes is six times too long, far from all that the decoder knows. Divide by the subset's size.",
        ),
        Mistake(
            "Divided by the number of all reports",
            lambda codes, masks: masks @ codes / masks.shape[1],
            "A subset of two is divided by 2. masks.sum(1, keepdim=True) has each subset's own size.",
        ),
        Mistake(
            "Divided by the square root of the size",
            lambda codes, masks: masks @ codes / masks.sum(1, keepdim=True).sqrt(),
            "That keeps the *variance* of independent draws; the mean divides by the size.",
        ),
        Mistake(
            "The mean of all reports each time",
            lambda codes, masks: codes.mean(0).expand(len(masks), -1),
            "Only the codes in the subset count: multiply by the masks first.",
        ),
        Mistake(
            "The reports that are left out",
            lambda codes, masks: torch.stack([(1 - m) @ codes / (1 - m).sum().clamp_min(1) for m in masks]),
            "A 1 in the mask says that the report is in.",
        ),
        Mistake(
            "Made unit length",
            lambda codes, masks: torch.nn.functional.normalize(masks @ codes, dim=1),
            "Directions alone are not the code: a Gaussian's mean has a length, too. Divide by the subset's size.",
        ),
        Mistake(
            "The median",
            lambda codes, masks: torch.stack([codes[m > 0].median(0).values for m in masks]),
            "A median of each coordinate is another summary. Here the mean is asked for.",
        ),
    ),
)

# --- the report in the middle ---------------------------------------------------------------------------------------


def medoid(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).sum(1).argmin()


def _scattered() -> list[Arguments]:
    generator = torch.Generator().manual_seed(5)
    cases: list[Arguments] = [
        (_tensor([[5.0], [0.0], [1.0], [9.0], [2.0]]),),
        (_tensor([[0.0, 0.0], [1.0, 0.2], [0.3, 1.0], [9.0, 9.0], [2.0, 2.0]]),),
    ]
    for latent in (2, 3, 4, 3, 2):
        rows = torch.randn(6, latent, generator=generator, dtype=torch.float64)
        cases.append((rows * torch.rand(6, 1, generator=generator, dtype=torch.float64).reciprocal() + 1,))
    return cases


MEDOID = Exercise(
    task="Which of the codes (reports, latent) has the smallest sum of Euclidean distances to the others? Its index, a tensor.",
    reference=medoid,
    cases=_scattered,
    hints=(
        "torch.cdist(codes, codes) holds all distances, (reports, reports).",
        "Sum each row: how far this report is from all others.",
        "argmin() of that, as a tensor (no .item()).",
    ),
    mistakes=(
        Mistake(
            "Squared distances",
            lambda codes: torch.cdist(codes, codes).square().sum(1).argmin(),
            "With squares one far report outweighs all the others, and the winner is whichever is nearest to the mean. "
            "Sum the distances themselves.",
        ),
        Mistake(
            "The farthest",
            lambda codes: torch.cdist(codes, codes).sum(1).argmax(),
            "argmax finds the odd one out. Take argmin.",
        ),
        Mistake(
            "Nearest to one other",
            lambda codes: (torch.cdist(codes, codes) + torch.eye(len(codes), dtype=codes.dtype) * 1e9).amin(1).argmin(),
            "Two reports that agree with each other may be far from the rest. Sum over *all* others.",
        ),
        Mistake(
            "Smallest of the largest distances",
            lambda codes: torch.cdist(codes, codes).amax(1).argmin(),
            "The largest distance is decided by one odd report. Sum over all.",
        ),
        Mistake(
            "Angles, not distances",
            lambda codes: (
                (torch.nn.functional.normalize(codes, dim=1) @ torch.nn.functional.normalize(codes, dim=1).T).sum(1).argmax()
            ),
            "Cosine similarity forgets how long a code is. Use torch.cdist.",
        ),
        Mistake(
            "Inner products",
            lambda codes: (codes @ codes.T).sum(1).argmax(),
            "A long code has large inner products with everybody. Use distances: torch.cdist.",
        ),
        Mistake(
            "The report nearest to 0",
            lambda codes: codes.norm(dim=1).argmin(),
            "The middle of the prior is not the middle of these reports. Compare the reports with each other.",
        ),
        Mistake(
            "The code, not its index",
            lambda codes: codes[medoid(codes)],
            "Return *which* report it is: the index.",
        ),
    ),
)

EXERCISES = (LOG_POSTERIOR, ROUGE_1, COMMON_SUBSEQUENCE, SUBSET_MEANS, MEDOID)
