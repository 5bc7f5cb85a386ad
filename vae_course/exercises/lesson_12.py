"""Exercises of lesson 12: Bayes over events, overlap of words and of order, means of codes, and the report in the middle."""

import difflib
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, flags, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def _variants(name: str, message: str, *functions: Callable[..., Any]) -> tuple[Mistake, ...]:
    """One mistake in the several ways in which it is written."""
    return tuple(Mistake(name, function, message) for function in functions)


# --- Bayes over events ----------------------------------------------------------------------------------------------


def log_posterior(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    joint = log_prior + log_channel.sum(0)
    return joint - joint.logsumexp(0)


def _events() -> list[Arguments]:
    return [
        (double([0.5, 0.5]).log(), double([[0.8, 0.2], [0.6, 0.3]]).log()),
        (double([0.9, 0.1]).log(), double([[0.2, 0.8], [0.3, 0.9], [0.5, 0.25]]).log()),
        (double([0.5, 0.25, 0.125, 0.125]).log(), double([[0.1, 0.7, 0.2, 0.3], [0.3, 0.3, 0.9, 0.1]]).log()),
        (double([0.5, 0.5]).log(), double([[-400, -401], [-402, -400]])),  # long texts: exp(-800) is 0 on a computer
        (double([0.5, 0.5]).log(), double([[-500, -3], [-600, -2]])),  # a world that is out of the question
        (double([0.25, 0.5, 0.25]).log(), double([[0.2, 0.4, 0.1]]).log()),
    ]


def _drawn_event(generator: Generator) -> Arguments:
    reports, worlds = sizes(generator, 2, 2, 6)
    return probabilities(generator, worlds).log(), numbers(generator, reports, worlds, low=-6, high=-0.1)


def _lesson_event(generator: Generator) -> Arguments:
    log_prior = torch.log_softmax(torch.randn(2000, generator=generator), 0)
    return log_prior, -12 * torch.rand(6, 2000, generator=generator)


def _joint(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    return log_prior + log_channel.sum(0)


def _normalized(joint: Tensor) -> Tensor:
    return joint - joint.logsumexp(0)


def _by_products(log_prior: Tensor, log_channel: Tensor) -> Tensor:
    joint = log_prior.exp() * log_channel.exp().prod(0)
    return (joint / joint.sum(0)).log()


LOG_POSTERIOR = Exercise(
    task="log p(world given all reports), (worlds,), from log p(world) and log p(report given world), (reports, worlds).",
    reference=log_posterior,
    cases=_events,
    generate=_drawn_event,
    lesson=_lesson_event,
    hints=(
        "The reports are independent given the world: their probabilities multiply, so their logs add.",
        "log p(world) + the sum over reports is log p(world and reports), for each world.",
        "Subtract the log of its sum over worlds, joint.logsumexp(0), so that the probabilities sum to 1.",
    ),
    mistakes=(
        Mistake(
            "The prior is missing",
            lambda log_prior, log_channel: log_posterior(torch.zeros_like(log_prior), log_channel),
            "This is the posterior of someone to whom all worlds are equally likely. Add log_prior.",
        ),
        Mistake(
            "The prior subtracted",
            lambda log_prior, log_channel: log_posterior(-log_prior, log_channel),
            "Bayes multiplies by p(world), which is adding its log.",
        ),
        Mistake(
            "The prior is no log",
            lambda log_prior, log_channel: log_posterior(log_prior.exp(), log_channel),
            "log_prior holds logs already. Add them to the other logs as they are.",
        ),
        Mistake(
            "The logs multiplied",
            lambda log_prior, log_channel: _normalized(log_prior * log_channel.sum(0)),
            "Probabilities multiply, their logs add: log_prior + the sum over reports.",
        ),
        Mistake(
            "The product of the reports' logs",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel.prod(0, keepdim=True)),
            "Probabilities multiply, their logs add: take the sum over reports.",
        ),
        Mistake(
            "Probabilities of reports added",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel.logsumexp(0, keepdim=True)),
            "A sum says that *one or the other* report was made. All were: multiply, which is adding their logs.",
        ),
        Mistake(
            "Mean of the reports' logs",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel.mean(0, keepdim=True)),
            "The mean counts many reports as one. Each is evidence of its own: take the sum.",
        ),
        Mistake(
            "Prior counted once for each report",
            lambda log_prior, log_channel: log_posterior(len(log_channel) * log_prior, log_channel),
            "There is one world, drawn once. Add log_prior after the sum over reports.",
        ),
        Mistake(
            "Posteriors of single reports, added up",
            lambda log_prior, log_channel: torch.log_softmax(log_prior + log_channel, 1).sum(0),
            "There is one world, drawn once: here the prior counts for each report, and the sum of several posteriors is "
            "none itself. Sum over reports, add the prior, normalize last.",
        ),
        Mistake(
            "A posterior for each report",
            lambda log_prior, log_channel: torch.log_softmax(log_prior + log_channel, 1),
            "Each row knows one report only. Asked for is what all of them say together: sum over reports.",
        ),
        *_variants(
            "Posteriors of single reports, averaged",
            "A mean of posteriors never becomes surer than the single reports. Together they say more: sum the logs over "
            "reports, add the prior, normalize last.",
            lambda log_prior, log_channel: torch.log_softmax(log_prior + log_channel, 1).mean(0),
            lambda log_prior, log_channel: torch.softmax(log_prior + log_channel, 1).mean(0).log(),
        ),
        Mistake(
            "Not normalized",
            _joint,
            "This is log p(world and reports). Its probabilities do not sum to 1: subtract joint.logsumexp(0).",
        ),
        Mistake(
            "Normalized without the prior",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) - log_channel.sum(0).logsumexp(0),
            "The probabilities of world *and* reports are to sum to 1: add log_prior before logsumexp, too.",
        ),
        Mistake(
            "The reports normalized one by one",
            lambda log_prior, log_channel: log_prior + torch.log_softmax(log_channel, 1).sum(0),
            "log p(report given world) is no distribution over worlds. Add all logs first, and normalize once, at the end.",
        ),
        *_variants(
            "Divided by a sum of logs",
            "Probabilities are to sum to 1, not their logs: subtract the log of the sum of exponentials, logsumexp.",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) - _joint(log_prior, log_channel).sum(0),
            lambda log_prior, log_channel: _joint(log_prior, log_channel) / _joint(log_prior, log_channel).sum(0),
        ),
        Mistake(
            "Logs divided",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) / _joint(log_prior, log_channel).logsumexp(0),
            "To divide probabilities is to *subtract* their logs.",
        ),
        Mistake(
            "The evidence added",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) + _joint(log_prior, log_channel).logsumexp(0),
            "Bayes divides by p(reports), which is subtracting its log.",
        ),
        Mistake(
            "The largest taken out, no more",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) - _joint(log_prior, log_channel).amax(0),
            "Now the likeliest world has probability 1, and all together more. Subtract the log of the sum: logsumexp.",
        ),
        Mistake(
            "Softmax of probabilities",
            lambda log_prior, log_channel: torch.log_softmax(_joint(log_prior, log_channel).exp(), 0),
            "Softmax takes exp itself: give it the logs, log_prior + the sum over reports.",
        ),
        Mistake(
            "Normalized over reports",
            lambda log_prior, log_channel: log_posterior(log_prior, torch.log_softmax(log_channel, 0)),
            "The probabilities of *worlds* are to sum to 1. Leave log_channel as it is, and normalize the joint, at the end.",
        ),
        Mistake(
            "The channel is no log",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel.exp()),
            "Probabilities multiply, and a product is the sum of the *logs*. log_channel holds them already: no exp.",
        ),
        Mistake(
            "The evidence alone",
            lambda log_prior, log_channel: _joint(log_prior, log_channel).logsumexp(0),
            "This is log p(reports), one number. Subtract it from log p(world and reports), for every world.",
        ),
        Mistake(
            "Probabilities, not logs",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel).exp(),
            "This is right as a probability; asked for is its log.",
        ),
        Mistake(
            "Underflow in the sum",
            lambda log_prior, log_channel: _joint(log_prior, log_channel) - _joint(log_prior, log_channel).exp().sum(0).log(),
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
            "Underflow between softmax and log",
            lambda log_prior, log_channel: torch.softmax(_joint(log_prior, log_channel), 0).log(),
            "Right for worlds that are not too unlikely. Softmax gives e^-800 as 0, whose log is minus infinity. Stay in logs: "
            "log_softmax, or subtract joint.logsumexp(0).",
        ),
        Mistake(
            "Only the first report",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel[:1]),
            "Use all reports: sum over dimension 0.",
        ),
        Mistake(
            "Only the last report",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel[-1:]),
            "Use all reports: sum over dimension 0. In a loop, add each one to what was there.",
        ),
        Mistake(
            "Only the most favourable report",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel.amax(0, keepdim=True)),
            "Every report is evidence, the unfavourable ones too: sum over dimension 0.",
        ),
        Mistake(
            "Summed over worlds",
            lambda log_prior, log_channel: _normalized(log_prior + log_channel.sum(1)),
            "log_channel is (reports, worlds): sum over the reports, dimension 0.",
        ),
        Mistake(
            "The likeliest world",
            lambda log_prior, log_channel: log_posterior(log_prior, log_channel).argmax(),
            "This is the Bayes summary already. Asked for is the log probability of every world.",
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
        (double([1, 1, 0, 0]), double([1, 1, 1, 1])),
        (double([3, 1, 0, 1]), double([1, 1, 1, 1])),
        (double([2, 1, 4, 0, 1]), double([1, 3, 2, 1, 0])),
        (double([5, 0, 1, 1, 0, 2]), double([1, 1, 1, 0, 1, 1])),
        (double([2, 0, 1]), double([0, 3, 0])),
        (double([1, 0, 2]), double([3, 1, 0])),  # one word
        (double([0, 2, 1]), double([0, 2, 1])),
        (double([0, 0, 0]), double([0, 2, 1])),
    ]


def _drawn_counts(generator: Generator) -> Arguments:
    vocabulary = size(generator, 3, 8)
    summary, reference = (
        (whole(generator, vocabulary, low=1, high=4) * flags(generator, vocabulary, share=0.6)).double() for _ in range(2)
    )
    summary[size(generator, 0, vocabulary - 1)] += 1
    reference[size(generator, 0, vocabulary - 1)] += 2
    return summary, reference


def _lesson_counts(generator: Generator) -> Arguments:
    summary, reference = (torch.bincount(whole(generator, words, low=4, high=30), minlength=100) for words in (14, 17))
    return summary.float(), reference.float()


def _shared(summary: Tensor, reference: Tensor) -> Tensor:
    return torch.minimum(summary, reference).sum()


def _f1(shared: Tensor, summary: Tensor, reference: Tensor) -> Tensor:
    return 2 * shared / (summary.sum() + reference.sum())


def _both(summary: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Precision and recall."""
    shared = _shared(summary, reference)
    return shared / summary.sum(), shared / reference.sum()


def _or_zero(score: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The score, but 0 where it is not a number."""
    return lambda summary, reference: score(summary, reference).nan_to_num()


def _precision(summary: Tensor, reference: Tensor) -> Tensor:
    return _both(summary, reference)[0]


def _undefined_if_empty(summary: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    return torch.where(summary.sum() > 0, summary, torch.nan), reference


def _arithmetic(summary: Tensor, reference: Tensor) -> Tensor:
    return torch.stack(_both(summary, reference)).mean()


def _geometric(summary: Tensor, reference: Tensor) -> Tensor:
    return torch.stack(_both(summary, reference)).prod().sqrt()


def _product(summary: Tensor, reference: Tensor) -> Tensor:
    return torch.stack(_both(summary, reference)).prod()


def _of_each_word(summary: Tensor, reference: Tensor) -> Tensor:
    return (2 * torch.minimum(summary, reference) / (summary + reference)).nan_to_num()


def _unclipped_in_both(summary: Tensor, reference: Tensor) -> Tensor:
    precision = (summary * (reference > 0)).sum() / summary.sum()
    recall = (reference * (summary > 0)).sum() / reference.sum()
    return (2 * precision * recall / (precision + recall)).nan_to_num()


ROUGE_1 = Exercise(
    task="ROUGE-1 (F1), one number, from how often each word of the vocabulary is in summary and reference, (vocabulary,); "
    "0 where they share no word, as where the summary is empty.",
    reference=rouge_1,
    cases=_counts,
    generate=_drawn_counts,
    lesson=_lesson_counts,
    hints=(
        "A word is shared as often as both have it: the smaller of the two counts.",
        "Precision divides what is shared by the words of the summary, recall by those of the reference.",
        "F1 is their harmonic mean, 2 P R / (P + R), and 0 where both are 0: torch.where can choose.",
    ),
    mistakes=(
        Mistake(
            "Recall",
            lambda summary, reference: _both(summary, reference)[1],
            "This is recall: a summary that says everything gets 1. F1 asks for precision too.",
        ),
        *_variants(
            "Precision",
            "This is precision: a summary of one right word gets 1. F1 asks for recall too.",
            _precision,
            _or_zero(_precision),
        ),
        Mistake(
            "Precision and recall, not their mean",
            _both,
            "One number is asked for: the harmonic mean of the two, 2 P R / (P + R).",
        ),
        *_variants(
            "Counts not clipped",
            '"the the the" would share three words with any sentence that has one "the". '
            "A word counts as often as *both* have it.",
            lambda summary, reference: _f1((summary * (reference > 0)).sum(), summary, reference),
            lambda summary, reference: _f1((reference * (summary > 0)).sum(), summary, reference),
            _unclipped_in_both,
        ),
        *_variants(
            "Each kind of word counted once",
            "A word that both have twice is shared twice: take the minimum of the counts.",
            lambda summary, reference: _f1(((summary > 0) & (reference > 0)).sum(), summary, reference),
            lambda summary, reference: rouge_1((summary > 0).to(summary.dtype), (reference > 0).to(summary.dtype)),
        ),
        Mistake(
            "Words with equal counts",
            lambda summary, reference: _f1(((summary == reference) & (summary > 0)).sum(), summary, reference),
            "Two of one and three of the other are two shared words, though the counts differ: take the minimum.",
        ),
        Mistake(
            "Words that are in neither counted as shared",
            lambda summary, reference: _f1((summary == reference).sum(), summary, reference),
            "Counts that are equal may be 0 both, and that is nothing shared. Take the minimum of the counts.",
        ),
        Mistake(
            "Product of counts",
            lambda summary, reference: _f1((summary * reference).sum(), summary, reference),
            "The product counts pairs. Two against three are two shared words: torch.minimum.",
        ),
        *_variants(
            "The maximum of the counts",
            "The larger count is what one of the two has. Shared is the smaller: torch.minimum.",
            lambda summary, reference: _f1(torch.maximum(summary, reference).sum(), summary, reference),
            lambda summary, reference: _f1(torch.maximum(summary, reference).sum(), *_undefined_if_empty(summary, reference)),
            lambda summary, reference: torch.where(
                torch.minimum(summary, reference).sum() > 0,
                _f1(torch.maximum(summary, reference).sum(), summary, reference),
                0.0,
            ),
        ),
        *_variants(
            "Arithmetic mean of precision and recall",
            "F1 is the *harmonic* mean, 2 P R / (P + R): it is small when either is.",
            _arithmetic,
            _or_zero(_arithmetic),
        ),
        *_variants(
            "Geometric mean of precision and recall",
            "F1 is the *harmonic* mean, 2 P R / (P + R), and not the square root of P R.",
            _geometric,
            _or_zero(_geometric),
        ),
        *_variants(
            "Precision times recall",
            "The product alone punishes twice. F1 is the harmonic mean, 2 P R / (P + R).",
            _product,
            _or_zero(_product),
        ),
        Mistake(
            "The smaller of precision and recall",
            lambda summary, reference: _shared(summary, reference) / torch.maximum(summary.sum(), reference.sum()),
            "F1 is the harmonic mean of both, 2 P R / (P + R).",
        ),
        *_variants(
            "The larger of precision and recall",
            "The larger one forgives what the smaller one blames. F1 is the harmonic mean of both, 2 P R / (P + R).",
            lambda summary, reference: _shared(summary, reference) / torch.minimum(summary.sum(), reference.sum()),
            lambda summary, reference: _shared(summary, reference) / torch.minimum(summary.sum(), reference.sum()).clamp_min(1),
        ),
        Mistake(
            "0 / 0",
            lambda summary, reference: rouge_1(summary, reference) / (_shared(summary, reference) > 0),
            "Where no word is shared, P + R is 0, and 0 / 0 is not a number. F1 is 0 there.",
        ),
        Mistake(
            "0 / 0 for an empty summary",
            lambda summary, reference: rouge_1(summary, reference) / (summary.sum() > 0),
            "Where the summary has no word at all, precision is 0 / 0, not a number, and a comparison with it is never true. "
            "Ask whether anything is shared.",
        ),
        Mistake(
            "1 where nothing is shared",
            lambda summary, reference: torch.where(_shared(summary, reference) > 0, rouge_1(summary, reference), 1.0),
            "A summary that shares no word with its reference gets 0.",
        ),
        Mistake(
            "The 2 is missing",
            lambda summary, reference: rouge_1(summary, reference) / 2,
            "A summary equal to its reference should get 1: 2 P R / (P + R).",
        ),
        Mistake(
            "Shared over all (Jaccard)",
            lambda summary, reference: _shared(summary, reference) / torch.maximum(summary, reference).sum(),
            "Intersection over union is another score. F1 divides twice the shared words by all words of both.",
        ),
        Mistake(
            "Divided by the kinds of words",
            lambda summary, reference: 2 * _shared(summary, reference) / ((summary > 0).sum() + (reference > 0).sum()),
            "A word that is there twice makes a text longer by two: divide by the sums of the counts.",
        ),
        Mistake(
            "How many words are shared",
            _shared,
            "Long texts share more. Divide by the words of summary and of reference: precision and recall, then F1.",
        ),
        Mistake(
            "Divided by the size of the vocabulary",
            lambda summary, reference: _shared(summary, reference) / len(summary),
            "Most words of a vocabulary are in neither text. Divide by the words that are: the sums of the counts.",
        ),
        Mistake(
            "F1 of each word",
            _of_each_word,
            "Sum over the vocabulary first: how many words are shared, how many there are in each text.",
        ),
        Mistake(
            "The mean of F1 over words",
            lambda summary, reference: _of_each_word(summary, reference).mean(),
            "A rare word would count as much as a frequent one. Sum over the vocabulary first, then divide.",
        ),
        Mistake(
            "Cosine of the counts",
            lambda summary, reference: functional.cosine_similarity(summary, reference, dim=0),
            "That is an angle between counts. ROUGE counts shared words: the minimum of the counts, summed.",
        ),
    ),
)

# --- the longest common subsequence ---------------------------------------------------------------------------------


def common_subsequence(first: Tensor, second: Tensor) -> Tensor:
    length = first.new_zeros(len(first) + 1, len(second) + 1)
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
        (torch.tensor([4, 5, 5]), torch.tensor([5, 6, 5, 4])),
        (torch.tensor([4, 5]), torch.tensor([6, 7, 8])),
        (torch.tensor([4]), torch.tensor([4])),
    ]


def _drawn_sentences(generator: Generator) -> Arguments:
    return tuple(whole(generator, length, low=4, high=7) for length in sizes(generator, 2, 3, 9))


def _lesson_sentences(generator: Generator) -> Arguments:
    return tuple(whole(generator, length, low=4, high=14) for length in (14, 11))


Table = list[list[int]]
Rule = Callable[[Table, int, int], int]


def _diagonal_and_one(table: Table, i: int, j: int) -> int:
    return table[i][j] + 1


def _larger(table: Table, i: int, j: int) -> int:
    return max(table[i][j + 1], table[i + 1][j])


def _table(first: Tensor, second: Tensor, same: Rule = _diagonal_and_one, different: Rule = _larger) -> Tensor:
    """The table of a rule for equal words, and one for different words."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            table[i + 1][j + 1] = same(table, i, j) if a == b else different(table, i, j)
    return first.new_tensor(table)


def _last(same: Rule = _diagonal_and_one, different: Rule = _larger) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda first, second: _table(first, second, same, different)[-1, -1]


def _greedy(first: Tensor, second: Tensor) -> Tensor:
    """Each word of the first takes its first match after the last one."""
    place, found, words = 0, 0, second.tolist()
    for word in first.tolist():
        if word in words[place:]:
            place += words[place:].index(word) + 1
            found += 1
    return first.new_tensor(found)


def _as_far_as_it_goes(first: Tensor, second: Tensor) -> Tensor:
    """How many words of the first are found in the second, one after the other, up to one that is not."""
    found = 0
    for word in second.tolist():
        found += found < len(first) and word == first[found].item()
    return first.new_tensor(found)


def _longest_blocks(first: Tensor, second: Tensor) -> Tensor:
    blocks = difflib.SequenceMatcher(None, first.tolist(), second.tolist()).get_matching_blocks()
    return first.new_tensor(sum(block.size for block in blocks))


def _shared_words(first: Tensor, second: Tensor) -> Tensor:
    most = int(torch.cat([first, second]).max()) + 1
    return torch.minimum(first.bincount(minlength=most), second.bincount(minlength=most)).sum()


def _prefix(first: Tensor, second: Tensor) -> Tensor:
    both = min(len(first), len(second))
    return (first[:both] == second[:both]).cumprod(0).sum()


def _edits(first: Tensor, second: Tensor) -> Tensor:
    table = [[i + j for j in range(len(second) + 1)] for i in range(len(first) + 1)]
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            table[i + 1][j + 1] = min(table[i][j + 1] + 1, table[i + 1][j] + 1, table[i][j] + (a != b))
    return first.new_tensor(table[-1][-1])


def _subsequence_itself(first: Tensor, second: Tensor) -> Tensor:
    table: list[list[list[int]]] = [[[] for _ in range(len(second) + 1)] for _ in range(len(first) + 1)]
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            table[i + 1][j + 1] = [*table[i][j], a] if a == b else max(table[i][j + 1], table[i + 1][j], key=len)
    return first.new_tensor(table[-1][-1])


COMMON_SUBSEQUENCE = Exercise(
    task="Length of the longest common subsequence of two sentences of word numbers, (time,) and (other time,). One number.",
    reference=common_subsequence,
    cases=_words,
    generate=_drawn_sentences,
    lesson=_lesson_sentences,
    hints=(
        "A subsequence keeps the order and may leave words out: 4 6 is one of 4 5 6.",
        "Fill a table: length[i, j] of the first i words of one and the first j of the other, row 0 and column 0 all 0.",
        "Where the two words agree it is length[i - 1, j - 1] + 1, else the larger of length[i - 1, j] and length[i, j - 1].",
    ),
    mistakes=(
        *_variants(
            "Common substring",
            "A substring has no gaps. In a subsequence words may be left out: where words differ, carry the larger "
            "neighbour on and do not begin again at 0.",
            lambda first, second: _table(first, second, different=lambda table, i, j: 0).max(),
            _last(different=lambda table, i, j: 0),
        ),
        Mistake(
            "Shared words in any order",
            _shared_words,
            "This is the overlap of ROUGE-1. A subsequence keeps the order of words in both sentences.",
        ),
        Mistake(
            "Different words that both have",
            lambda first, second: torch.isin(first.unique(), second).sum(),
            "A set has neither order nor doubles. A subsequence keeps both.",
        ),
        *_variants(
            "Words that are somewhere in the other sentence",
            "A word must be found in the same order in both, and each one only once. The table takes care of that.",
            lambda first, second: torch.isin(first, second).sum(),
            lambda first, second: torch.isin(second, first).sum(),
        ),
        *_variants(
            "Words at equal places",
            "One word put in front would shift all others and leave nothing shared. Places may differ, only the order may not.",
            lambda first, second: (first[: len(second)] == second[: len(first)]).sum(),
            lambda first, second: (first == second).sum(),
        ),
        Mistake(
            "The common beginning",
            _prefix,
            "Words may be left out at the beginning and in the middle: go on where two words differ.",
        ),
        *_variants(
            "First match taken greedily",
            "Taking each word's first match may skip over words that are worth more together. The table tries both ways.",
            _greedy,
            lambda first, second: _greedy(second, first),
        ),
        *_variants(
            "Stopped at the first word that is missing",
            "A word that the other sentence lacks may be left out, and those after it still count.",
            _as_far_as_it_goes,
            lambda first, second: _as_far_as_it_goes(second, first),
        ),
        Mistake(
            "The longest blocks first",
            _longest_blocks,
            "difflib takes the longest block without gaps, then looks on its left and right. Several shorter ones may be worth "
            "more together: fill the table.",
        ),
        *_variants(
            "One neighbour only",
            "Where the words differ, either of the two may be left out: take the larger of length[i - 1, j] and "
            "length[i, j - 1].",
            _last(different=lambda table, i, j: table[i + 1][j]),
            _last(different=lambda table, i, j: table[i][j + 1]),
        ),
        Mistake(
            "The diagonal where words differ",
            _last(different=lambda table, i, j: table[i][j]),
            "The diagonal leaves out a word of *both* sentences. Leaving out one is enough: take the larger of "
            "length[i - 1, j] and length[i, j - 1].",
        ),
        Mistake(
            "The smaller neighbour",
            _last(different=lambda table, i, j: min(table[i][j + 1], table[i + 1][j])),
            "The *longest* is asked for: where words differ, carry the larger of the two neighbours on.",
        ),
        Mistake(
            "The neighbours added",
            _last(different=lambda table, i, j: table[i][j + 1] + table[i + 1][j]),
            "That counts one subsequence twice. Carry the larger of the two neighbours on.",
        ),
        *_variants(
            "One word matched twice",
            "Where words agree, go on from length[i - 1, j - 1], in which neither of them is used yet.",
            _last(same=lambda table, i, j: _larger(table, i, j) + 1),
            _last(same=lambda table, i, j: table[i + 1][j] + 1),
            _last(same=lambda table, i, j: table[i][j + 1] + 1),
        ),
        Mistake(
            "Nothing is counted",
            _last(same=lambda table, i, j: table[i][j]),
            "All entries stay 0: where two words agree, the length grows by 1.",
        ),
        *_variants(
            "The first words are never compared",
            "The table has a row and a column more than there are words: row i is about word i - 1. Begin at the first words.",
            lambda first, second: common_subsequence(first[1:], second[1:]),
            lambda first, second: common_subsequence(first[1:], second),
            lambda first, second: common_subsequence(first, second[1:]),
        ),
        *_variants(
            "The last words are never compared",
            "The table has a row and a column more than there are words, and its very last entry is about the whole sentences.",
            lambda first, second: common_subsequence(first[:-1], second[:-1]),
            lambda first, second: common_subsequence(first[:-1], second),
            lambda first, second: common_subsequence(first, second[:-1]),
        ),
        Mistake(
            "One less",
            lambda first, second: common_subsequence(first, second) - 1,
            "Everything is too small by 1: where nothing is shared the length is 0, as in row 0 and column 0 of the table.",
        ),
        Mistake(
            "One more",
            lambda first, second: common_subsequence(first, second) + 1,
            "Everything is too large by 1: the table begins with 0, since an empty sentence shares no word.",
        ),
        Mistake(
            "All pairs of equal words",
            lambda first, second: (first[:, None] == second).sum(),
            "Each word may be matched once only, and in order. The table takes care of that.",
        ),
        Mistake(
            "Summed over the table",
            lambda first, second: _table(first, second).sum(),
            "The last entry of the table already holds the answer for the whole sentences.",
        ),
        Mistake(
            "The whole table",
            lambda first, second: _table(first, second),
            "The last entry of the table is the answer for the whole sentences. Return that one.",
        ),
        Mistake(
            "The subsequence, not its length",
            _subsequence_itself,
            "These are the words. Asked for is how many they are.",
        ),
        Mistake(
            "The edit distance",
            _edits,
            "This counts what must be changed. Asked for is how many words stay, in their order.",
        ),
        Mistake(
            "The words that are left over",
            lambda first, second: len(first) + len(second) - 2 * common_subsequence(first, second),
            "This counts the words outside the common subsequence. Asked for is the length of what is common.",
        ),
        *_variants(
            "A share, not a length",
            "That is ROUGE-L's precision, recall or F1, which is made of the length. Return the length alone.",
            lambda first, second: 2 * common_subsequence(first, second) / (len(first) + len(second)),
            lambda first, second: common_subsequence(first, second) / len(first),
            lambda first, second: common_subsequence(first, second) / len(second),
            lambda first, second: common_subsequence(first, second) / max(len(first), len(second)),
        ),
    ),
)

# --- means of codes -------------------------------------------------------------------------------------------------


def subset_means(codes: Tensor, masks: Tensor) -> Tensor:
    return masks @ codes / masks.sum(1, keepdim=True)


def _codes() -> list[Arguments]:
    generator = torch.Generator().manual_seed(11)
    masks = double([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
    return [
        (double([[1.0], [3.0]]), double([[1, 0], [1, 1]])),
        (double([[1.0, 0.0], [3.0, -2.0], [2.0, 8.0]]), masks),
        (torch.randn(3, 4, generator=generator, dtype=torch.float64), masks),
        (double([[2.0, -1.0, 0.5]]), double([[1.0]])),
    ]


def _masks(generator: Generator, subsets: int, reports: int) -> Tensor:
    """Rows of 0 and 1, none of them empty."""
    masks = flags(generator, subsets, reports)
    masks[torch.arange(subsets), whole(generator, subsets, high=reports - 1)] = True
    return masks


def _drawn_codes(generator: Generator) -> Arguments:
    reports, latent, subsets = sizes(generator, 3, 2, 6)
    return numbers(generator, reports, latent), _masks(generator, subsets, reports).double()


def _lesson_codes(generator: Generator) -> Arguments:
    masks = torch.tensor([[number >> place & 1 for place in range(6)] for number in range(1, 64)])
    return torch.randn(6, 32, generator=generator), masks.float()


def _count(masks: Tensor) -> Tensor:
    return masks.sum(1, keepdim=True)


SUBSET_MEANS = Exercise(
    task="The mean code of each subset: codes (reports, latent), masks (subsets, reports) of 0 and 1, to (subsets, latent). "
    "No subset is empty.",
    reference=subset_means,
    cases=_codes,
    generate=_drawn_codes,
    lesson=_lesson_codes,
    gradients=("codes",),
    hints=(
        "A mean is a sum over a count. Which reports count in a subset, its row of the masks says.",
        "masks @ codes is, for each subset, the sum of the codes that are in it. The count is the sum of its mask.",
        "Divide by masks.sum(1, keepdim=True): it has the shape (subsets, 1), so that it divides row by row.",
    ),
    mistakes=(
        Mistake(
            "Sums, not means",
            lambda codes, masks: subset_means(codes, masks) * _count(masks),
            "The sum of six codes is six times too long, far from all that the decoder knows. Divide by the subset's size.",
        ),
        Mistake(
            "Divided by the number of all reports",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / masks.shape[1],
            "A subset of two is divided by 2. masks.sum(1, keepdim=True) has each subset's own size; a mean over all reports "
            "counts the zeros of those that are out.",
        ),
        Mistake(
            "Divided by the number of subsets",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / len(masks),
            "How many subsets there are has no part in their means. Divide each sum by its own subset's size.",
        ),
        Mistake(
            "Divided by the sum of all masks",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / masks.sum(),
            "This is the size of all subsets together. masks.sum(1, keepdim=True) has the size of each.",
        ),
        Mistake(
            "Divided by the number of latents",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / codes.shape[1],
            "The mean is over reports, so divide by how many are in the subset.",
        ),
        Mistake(
            "Divided by the square root of the size",
            lambda codes, masks: subset_means(codes, masks) * _count(masks).sqrt(),
            "That keeps the *variance* of independent draws; the mean divides by the size.",
        ),
        Mistake(
            "Divided by one less than the size",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / (_count(masks) - 1),
            "n - 1 belongs to a sample's variance. A mean divides by n.",
        ),
        Mistake(
            "Divided by one more than the size",
            lambda codes, masks: subset_means(codes, masks) * _count(masks) / (_count(masks) + 1),
            "No subset is empty, so nothing need be added to its size.",
        ),
        Mistake(
            "The size without keepdim",
            lambda codes, masks: masks @ codes / masks.sum(1),
            "masks.sum(1) is (subsets,) and does not divide row by row. With keepdim=True it is (subsets, 1).",
        ),
        *_variants(
            "The masks summed over subsets",
            "masks is (subsets, reports). A subset's size is the sum of its row: dimension 1.",
            lambda codes, masks: masks @ codes / masks.sum(0),
            lambda codes, masks: masks @ codes / masks.sum(0)[:, None],
            lambda codes, masks: (masks / masks.sum(0)) @ codes,
        ),
        Mistake(
            "Factors in the other order",
            lambda codes, masks: codes @ masks / masks.sum(1, keepdim=True),
            "(subsets, reports) @ (reports, latent) makes (subsets, latent): the masks come first.",
        ),
        Mistake(
            "The mean of all reports each time",
            lambda codes, masks: subset_means(codes, torch.ones_like(masks)),
            "Only the codes in the subset count: multiply by the masks first.",
        ),
        *_variants(
            "The reports that are left out",
            "A 1 in the mask says that the report is in.",
            lambda codes, masks: subset_means(codes, 1 - masks),
            lambda codes, masks: (1 - masks) @ codes / _count(1 - masks).clamp_min(1),
        ),
        Mistake(
            "As many reports, but the first ones",
            lambda codes, masks: subset_means(codes, masks.sort(1, descending=True).values),
            "The mask tells which reports are in, not only how many: report k is in where the mask is 1 at place k.",
        ),
        Mistake(
            "The first report of each subset",
            lambda codes, masks: codes[masks.argmax(1)],
            "All reports in the subset count. Sum them, and divide by how many they are.",
        ),
        Mistake(
            "Softmax of the masks as weights",
            lambda codes, masks: masks.softmax(1) @ codes,
            "A softmax gives reports outside the subset a weight as well. Divide the masks by their sum.",
        ),
        Mistake(
            "Zeros of the codes not counted",
            lambda codes, masks: masks @ codes / (masks[:, :, None] * codes != 0).sum(1),
            "A code may be 0 itself and still count. A subset's size is the sum of its mask.",
        ),
        Mistake(
            "Made unit length",
            lambda codes, masks: functional.normalize(subset_means(codes, masks), dim=1),
            "Directions alone are not the code: a Gaussian's mean has a length, too. Divide by the subset's size.",
        ),
        Mistake(
            "Largest of each coordinate",
            lambda codes, masks: torch.stack([codes[mask > 0].amax(0) for mask in masks]),
            "A maximum of each coordinate is another summary. Here the mean is asked for.",
        ),
        Mistake(
            "The median",
            lambda codes, masks: torch.stack([codes[mask > 0].median(0).values for mask in masks]),
            "A median of each coordinate is another summary. Here the mean is asked for.",
        ),
        Mistake(
            "Averaged over the latents too",
            lambda codes, masks: subset_means(codes, masks).mean(1),
            "The mean of a subset's codes is a code: it keeps all its coordinates. Average over reports only.",
        ),
        Mistake(
            "Averaged over the subsets too",
            lambda codes, masks: subset_means(codes, masks).mean(0),
            "Each subset has a mean of its own, (subsets, latent): average over reports only.",
        ),
        Mistake(
            "Latents and subsets swapped",
            lambda codes, masks: subset_means(codes, masks).transpose(0, 1),
            "(subsets, latent) is asked for: a row for each subset.",
        ),
    ),
)

# --- the report in the middle ---------------------------------------------------------------------------------------


def medoid(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).sum(1).argmin()


def _scattered() -> list[Arguments]:
    generator = torch.Generator().manual_seed(5)
    cases: list[Arguments] = [
        (double([[5.0], [0.0], [1.0], [9.0], [2.0]]),),
        (double([[0.0, 0.0], [1.0, 0.2], [0.3, 1.0], [9.0, 9.0], [2.0, 2.0]]),),
        (double([[1.0, -2.0, 3.0]]),),
        (double([[5.0], [0.1], [2.0], [9.0], [0.0]]),),
    ]
    for latent in (2, 3, 4, 3, 2):
        rows = torch.randn(6, latent, generator=generator, dtype=torch.float64)
        cases.append((rows * torch.rand(6, 1, generator=generator, dtype=torch.float64).reciprocal() + 1,))
    return cases


def _clearly_in_the_middle(codes: Tensor, margin: float = 0.01) -> bool:
    """Whether no other report is nearly as near to all."""
    first, second = torch.cdist(codes, codes).sum(1).sort().values[:2]
    return bool(second > (1 + margin) * first)


def _drawn_reports(generator: Generator) -> Arguments:
    """Some reports are far out, and the middle one differs from what several other rules choose."""
    while True:
        reports, latent = size(generator, 5, 9), size(generator, 2, 4)
        far = torch.rand(reports, 1, generator=generator, dtype=torch.float64).clamp_min(0.1).reciprocal()
        codes = (numbers(generator, reports, latent) * far + numbers(generator, latent)).mul(100).round() / 100
        others = (_of_squares, _of_roots, _of_largest, _of_medians, _of_nearest, _of_city_blocks, _near_median)
        different = sum(rule(codes).item() != medoid(codes).item() for rule in others)
        if different >= 3 and _clearly_in_the_middle(codes):
            return (codes,)


def _lesson_reports(generator: Generator) -> Arguments:
    while True:
        codes = torch.randn(6, 32, generator=generator) * (0.5 + torch.rand(6, 1, generator=generator))
        if _clearly_in_the_middle(codes):
            return (codes,)


def _of_squares(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).square().sum(1).argmin()


def _of_roots(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).sqrt().sum(1).argmin()


def _of_largest(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).amax(1).argmin()


def _of_medians(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).median(1).values.argmin()


def _of_nearest(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes).fill_diagonal_(torch.inf).amin(1).argmin()


def _of_city_blocks(codes: Tensor) -> Tensor:
    return torch.cdist(codes, codes, p=1).sum(1).argmin()


def _near_median(codes: Tensor) -> Tensor:
    return (codes - codes.median(0).values).square().sum(1).argmin()


def _directions(codes: Tensor) -> Tensor:
    return functional.normalize(codes, dim=1)


MEDOID = Exercise(
    task="Which of the codes (reports, latent) has the smallest sum of Euclidean distances to the others? Its index, a tensor.",
    reference=medoid,
    cases=_scattered,
    generate=_drawn_reports,
    lesson=_lesson_reports,
    hints=(
        "It is the report in the middle: its distances to all others, added up, are the smallest.",
        "torch.cdist(codes, codes) holds all distances, (reports, reports). Sum each row.",
        "argmin() of the sums, as a tensor (no .item()).",
    ),
    mistakes=(
        Mistake(
            "Squared distances",
            _of_squares,
            "With squares one far report outweighs all the others, and the winner is whichever is nearest to the mean. "
            "Sum the distances themselves.",
        ),
        Mistake(
            "Roots of distances",
            _of_roots,
            "A root makes far reports count less than they should, and near ones more. torch.cdist has taken the root already.",
        ),
        Mistake(
            "The farthest",
            lambda codes: torch.cdist(codes, codes).sum(1).argmax(),
            "argmax finds the odd one out. Take argmin.",
        ),
        Mistake(
            "Nearest to one other",
            _of_nearest,
            "Two reports that agree with each other may be far from the rest. Sum over *all* others.",
        ),
        Mistake(
            "Smallest of the largest distances",
            _of_largest,
            "The largest distance is decided by one odd report. Sum over all.",
        ),
        Mistake(
            "The median distance",
            _of_medians,
            "The median does not see how far the farther half is. Sum over all.",
        ),
        Mistake(
            "City-block distances",
            _of_city_blocks,
            "Absolute differences, added up, depend on the axes. Euclidean distance is the root of the sum of squares.",
        ),
        Mistake(
            "The largest coordinate as distance",
            lambda codes: torch.cdist(codes, codes, p=torch.inf).sum(1).argmin(),
            "All coordinates count: Euclidean distance is the root of the sum of squares.",
        ),
        Mistake(
            "Signed numbers added up",
            lambda codes: (codes[:, None] - codes).sum((1, 2)).argmin(),
            "Numbers above and below 0 cancel, and what is left is no distance. Square the differences, sum over latents, take "
            "the root.",
        ),
        Mistake(
            "Nearest to the median code",
            _near_median,
            "A median of each coordinate is no report, and other than the medoid. Compare the reports with each other.",
        ),
        *_variants(
            "Angles, not distances",
            "Cosine similarity forgets how long a code is. Use torch.cdist.",
            lambda codes: (_directions(codes) @ _directions(codes).T).sum(1).argmax(),
            lambda codes: (_directions(codes) @ _directions(codes).T).sum(1).argmin(),
        ),
        *_variants(
            "Inner products",
            "A long code has large inner products with everybody. Use distances: torch.cdist.",
            lambda codes: (codes @ codes.T).sum(1).argmax(),
            lambda codes: (codes @ codes.T).sum(1).argmin(),
        ),
        Mistake(
            "The report nearest to 0",
            lambda codes: codes.norm(dim=1).argmin(),
            "The middle of the prior is not the middle of these reports. Compare the reports with each other.",
        ),
        Mistake(
            "Distance to itself",
            lambda codes: torch.cdist(codes, codes).argmin(),
            "The smallest distance is that of a report to itself, 0, and the first of these has index 0. Sum over the others "
            "before argmin.",
        ),
        Mistake(
            "The nearest report of each, itself",
            lambda codes: torch.cdist(codes, codes).argmin(1),
            "Each report is nearest to itself. Sum each row first, then one argmin.",
        ),
        Mistake(
            "The nearest pair",
            lambda codes: torch.pdist(codes).argmin(),
            "This numbers the pairs of reports. Sum each report's distances to all others first.",
        ),
        Mistake(
            "Distances between coordinates",
            lambda codes: torch.cdist(codes.T, codes.T).sum(1).argmin(),
            "The rows of codes are the reports. Measure distances between rows, not between columns.",
        ),
        Mistake(
            "The sums, not the index",
            lambda codes: torch.cdist(codes, codes).sum(1),
            "These are the sums of the distances. Asked for is where the smallest one stands: argmin.",
        ),
        Mistake(
            "The smallest sum, not its index",
            lambda codes: torch.cdist(codes, codes).sum(1).amin(),
            "This is how small the sum is. Asked for is *which* report has it: argmin.",
        ),
        Mistake(
            "All reports in order",
            lambda codes: torch.cdist(codes, codes).sum(1).argsort(),
            "Only the first of these is asked for, the index of the report in the middle.",
        ),
        Mistake(
            "Counted from 1",
            lambda codes: medoid(codes) + 1,
            "An index counts from 0.",
        ),
        Mistake(
            "The code, not its index",
            lambda codes: codes[medoid(codes)],
            "Return *which* report it is: the index.",
        ),
        Mistake(
            "A flag for each report",
            lambda codes: functional.one_hot(medoid(codes), len(codes)),
            "Return the index of the report, one number.",
        ),
    ),
)

EXERCISES = (LOG_POSTERIOR, ROUGE_1, COMMON_SUBSEQUENCE, SUBSET_MEANS, MEDOID)

PREDICTIONS = (
    Prediction(
        "one_report_right",
        ("30 %", "60 %", "80 %"),
        answer="30 %",
        because="were slips independent, all seven facts would be right with probability 0.84 ** 7 = 0.30.",
        wrong={
            "60 %": (
                "A witness who is right about most facts should be right more often than not. But all seven facts must be "
                "right at once, and each of them is a risk."
            ),
            "80 %": (
                "That is about how often a single fact is right. But all seven must be right at once, and each of them is a "
                "risk."
            ),
        },
    ),
    Prediction(
        "cheap_kl_leads",
        ("32", "16", "neither"),
        answer="16",
        because="with room enough an autoencoder's means can be read, too; where codes crowd, the KL keeps meanings apart.",
        wrong={
            "32": (
                "A KL packs codes closely, so one expects its means to be the better ones in a wide code as well. There it "
                "led by much in some runs and by nothing in others."
            ),
            "neither": (
                "One may well doubt that an average of codes means anything. In the narrow code the cheap KL did lead in each "
                "of the five runs, though its means came only about to where a single report stands."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "why_choose_and_not_average",
        question=(
            "Six codes can be averaged, or the best of all their subsets can be decoded. Why does the choice get more facts "
            "right, although nobody tells it the truth?"
        ),
        model=(
            "The mean gives a wild report as much say as a good one, and between two codes may lie a third fact that nobody "
            "told. Some subset leaves the wild reports out. It can be found without the truth, because the sentence that "
            "shares most words with the reports is mostly the one that most of them support."
        ),
        rubric=(
            "in a mean of all, slips take part, and what lies between two codes may be neither;",
            "a subset may leave the bad reports out;",
            "the choice needs no reference: it asks which sentence agrees with the reports.",
        ),
    ),
)
