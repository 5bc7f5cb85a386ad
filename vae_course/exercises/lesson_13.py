"""Exercises of lesson 13: BLEU in two parts, the conditional ELBO, words chosen independently, and chrF."""

from collections import Counter

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

Words = tuple[str, ...]


def _tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# --- matching n-grams -----------------------------------------------------------------------------------------------


def matches(written: Words, reference: Words, n: int) -> Tensor:
    ours = [written[k : k + n] for k in range(len(written) - n + 1)]
    theirs = [reference[k : k + n] for k in range(len(reference) - n + 1)]
    matching = sum(min(ours.count(gram), theirs.count(gram)) for gram in set(ours))
    return torch.tensor([matching, len(ours)])


def _translations() -> list[Arguments]:
    return [
        (("the", "the", "the"), ("the", "hat"), 1),
        (("a", "red", "hat"), ("a", "red", "red", "hat", "a"), 1),
        (("the", "girl", "the", "girl", "ran"), ("the", "girl", "ran", "ran", "home", "fast"), 2),
        (("the", "sad", "girl", "sold", "a", "red", "hat"), ("the", "sad", "girl", "sold", "the", "red", "hat", "today"), 3),
        (("the",), ("the", "hat"), 4),
    ]


def _grams(words: Words, n: int) -> list[Words]:
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def _unclipped(written: Words, reference: Words, n: int) -> Tensor:
    there = set(_grams(reference, n))
    return torch.tensor([sum(gram in there for gram in _grams(written, n)), len(_grams(written, n))])


def _different(written: Words, reference: Words, n: int) -> Tensor:
    ours = set(_grams(written, n))
    return torch.tensor([len(ours & set(_grams(reference, n))), len(ours)])


def _last_gram_forgotten(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = Counter(_grams(written, n)[:-1]), Counter(_grams(reference, n)[:-1])
    return torch.tensor([(ours & theirs).total(), ours.total()])


def _same_place(written: Words, reference: Words, n: int) -> Tensor:
    ours = _grams(written, n)
    return torch.tensor([sum(a == b for a, b in zip(ours, _grams(reference, n), strict=False)), len(ours)])


def _shorter(written: Words, reference: Words, n: int) -> Tensor:
    """n-grams of one word less."""
    return matches(written, reference, n - 1) if n > 1 else torch.tensor([0, len(written) + 1])


MATCHES = Exercise(
    task="How many n-grams of `written` the reference confirms, and how many there are: a tensor (2,). Words as tuples of str.",
    reference=matches,
    cases=_translations,
    hints=(
        "An n-gram is n words in a row: words[k : k + n] for k from 0 to len(words) - n.",
        "Count each on both sides: ours.count(gram), theirs.count(gram). What the reference has twice confirms two of ours.",
        "The matches are the sum of min(our count, their count); the total is the number of *our* n-grams, repeats included.",
    ),
    mistakes=(
        Mistake(
            "Not clipped",
            _unclipped,
            'Then "the the the" is perfect wherever the reference has one "the". Each of the reference\'s n-grams confirms '
            "one of ours: take min(our count, their count).",
        ),
        Mistake(
            "Reference and translation swapped",
            lambda written, reference, n: matches(reference, written, n),
            "The total must be the n-grams of what was *written*: BLEU is a precision. Yours is a recall.",
        ),
        Mistake(
            "Repeats counted once",
            _different,
            "A set forgets how often an n-gram occurs, in the matches and in the total. Count each as often as it occurs.",
        ),
        Mistake(
            "Compared place by place",
            _same_place,
            "An n-gram may stand anywhere: a word order of its own must not cost every word behind it.",
        ),
        Mistake(
            "The last n-gram is missing",
            _last_gram_forgotten,
            "There are len(words) - n + 1 n-grams; a range to len(words) - n stops one early.",
        ),
        Mistake(
            "A negative number of n-grams",
            lambda written, reference, n: torch.tensor([matches(written, reference, n)[0], len(written) - n + 1]),
            "A text of fewer than n words has no n-grams. len(words) - n + 1 falls below 0 there: take max(0, ...).",
        ),
        Mistake(
            "n-grams of n - 1 words",
            _shorter,
            "words[k : k + n] has n words; the end of a slice is not included.",
        ),
        Mistake(
            "A share in place of two counts",
            lambda written, reference, n: matches(written, reference, n)[0] / matches(written, reference, n)[1],
            "Return both numbers. BLEU adds up counts over all sentences *before* it divides.",
        ),
    ),
)

# --- BLEU -----------------------------------------------------------------------------------------------------------


def bleu(matched: Tensor, total: Tensor, written_length: Tensor, reference_length: Tensor) -> Tensor:
    precision = (matched / total).log().mean().exp()
    brevity = torch.exp(1 - reference_length / written_length).clamp(max=1)
    return 100 * precision * brevity


def _counted() -> list[Arguments]:
    one = _tensor(1.0)
    return [
        (_tensor([8, 6, 4, 2]), _tensor([10, 9, 8, 7]), 10 * one, 10 * one),
        (_tensor([6, 5, 4, 3]), _tensor([6, 5, 4, 3]), 6 * one, 9 * one),
        (_tensor([80, 50, 30, 16]), _tensor([100, 90, 80, 70]), 100 * one, 80 * one),
        (_tensor([70, 50, 30, 20]), _tensor([90, 80, 70, 60]), 90 * one, 110 * one),
    ]


def _precision(matched: Tensor, total: Tensor) -> Tensor:
    return (matched / total).log().mean().exp()


BLEU = Exercise(
    task="BLEU, 0 to 100, of a whole set: matched, total (4,) for n = 1 ... 4, and the two lengths in words. One number.",
    reference=bleu,
    cases=_counted,
    hints=(
        "Four precisions, matched / total. Their geometric mean is exp of the mean of their logarithms.",
        "What is too short gets a high precision cheaply. So multiply by the brevity penalty, exp(1 - reference / written).",
        "The penalty is never above 1: what is too long has paid already, by its precision. Then times 100.",
    ),
    mistakes=(
        Mistake(
            "No brevity penalty",
            lambda m, t, w, r: 100 * _precision(m, t),
            'Then the single word "the" may score 100. Multiply by exp(1 - reference length / written length), at most 1.',
        ),
        Mistake(
            "Long translations are rewarded",
            lambda m, t, w, r: 100 * _precision(m, t) * torch.exp(1 - r / w),
            "The brevity penalty is clipped at 1: extra words earn nothing.",
        ),
        Mistake(
            "The penalty the wrong way round",
            lambda m, t, w, r: 100 * _precision(m, t) * torch.exp(1 - w / r).clamp(max=1),
            "Precision punishes what is too long already. Punish what is too *short*: exp(1 - reference / written).",
        ),
        Mistake(
            "The ratio of lengths as the penalty",
            lambda m, t, w, r: 100 * _precision(m, t) * (w / r).clamp(max=1),
            "The penalty is exp(1 - reference / written), which falls faster than the ratio itself.",
        ),
        Mistake(
            "Arithmetic mean",
            lambda m, t, w, r: 100 * (m / t).mean() * torch.exp(1 - r / w).clamp(max=1),
            "BLEU takes the geometric mean: without any matching four words in a row the score is 0.",
        ),
        Mistake(
            "The product, not its fourth root",
            lambda m, t, w, r: 100 * (m / t).prod() * torch.exp(1 - r / w).clamp(max=1),
            "A geometric mean of four takes the fourth root of their product.",
        ),
        Mistake(
            "Matches added up over n first",
            lambda m, t, w, r: 100 * m.sum() / t.sum() * torch.exp(1 - r / w).clamp(max=1),
            "Each n has a precision of its own; average those, by their logarithms.",
        ),
        Mistake(
            "0 to 1",
            lambda m, t, w, r: bleu(m, t, w, r) / 100,
            "Right up to the scale: BLEU is reported from 0 to 100.",
        ),
    ),
)

# --- the conditional ELBO -------------------------------------------------------------------------------------------


def conditional_loss(
    at_posterior: Tensor, at_prior: Tensor, mean: Tensor, log_var: Tensor, prior_mean: Tensor, prior_log_var: Tensor
) -> Tensor:
    difference = (mean - prior_mean) ** 2
    rate = 0.5 * (prior_log_var - log_var + (log_var.exp() + difference) / prior_log_var.exp() - 1).sum(-1)
    return (rate - at_posterior).mean()


def _conditional() -> list[Arguments]:
    return [
        (_tensor([-3.0]), _tensor([-5.0]), _tensor([[1.0]]), _tensor([[-1.0]]), _tensor([[0.0]]), _tensor([[0.5]])),
        (
            _tensor([-2.0, -4.0]),
            _tensor([-6.0, -4.5]),
            _tensor([[0.5, -1.0], [2.0, 0.0]]),
            _tensor([[-2.0, -0.5], [-1.0, -3.0]]),
            _tensor([[0.0, 0.3], [1.0, -0.2]]),
            _tensor([[0.2, 0.0], [-0.4, 0.7]]),
        ),
    ]


def _loss(likelihood: Tensor, m1: Tensor, v1: Tensor, m2: Tensor, v2: Tensor) -> Tensor:
    return conditional_loss(likelihood, likelihood, m1, v1, m2, v2)


CONDITIONAL_LOSS = Exercise(
    task=(
        "-ELBO of a conditional VAE, in nats: log p(y given x, z) at z ~ q and at z ~ p(z given x), each (batch,); mean and "
        "log variance of q and of p(z given x), each (batch, latent). One number: the mean over the batch."
    ),
    reference=conditional_loss,
    cases=_conditional,
    hints=(
        "The ELBO is an expectation under q: one of the two likelihoods is not needed in training.",
        "The rate is KL(q to p(z given x)), between two Gaussians, summed over the latent coordinates.",
        "1/2 (log_var_2 - log_var_1 + (var_1 + (mean_1 - mean_2)^2) / var_2 - 1), where 1 is q. Then average over the batch.",
    ),
    mistakes=(
        Mistake(
            "z from the prior in training",
            lambda a, b, m, v, pm, pv: _loss(b, m, v, pm, pv),
            "The target is known in training: draw z from q, which has read it. The prior is for translating. With z from the "
            "prior the encoder of the target gets no gradient from the words.",
        ),
        Mistake(
            "KL in the wrong direction",
            lambda a, b, m, v, pm, pv: _loss(a, pm, pv, m, v),
            "The ELBO has KL(q to p): the average is taken under q, so the prior's variance is the one to divide by.",
        ),
        Mistake(
            "KL to N(0, I)",
            lambda a, b, m, v, pm, pv: _loss(a, m, v, 0 * pm, 0 * pv),
            "Here the prior has read the source: it is p(z given x), with a mean and a variance of its own.",
        ),
        Mistake(
            "log_var taken for log std",
            lambda a, b, m, v, pm, pv: _loss(a, m, 2 * v, pm, 2 * pv),
            "log_var is the log of the variance: var = exp(log_var), not exp(2 log_var).",
        ),
        Mistake(
            "Rate without the half",
            lambda a, b, m, v, pm, pv: 2 * _loss(a, m, v, pm, pv) + a.mean(),
            "The KL between Gaussians has a factor 1/2 in front.",
        ),
        Mistake(
            "Mean over the latent coordinates",
            lambda a, b, m, v, pm, pv: (_loss(a, m, v, pm, pv) + a.mean()) / m.shape[-1] - a.mean(),
            "Sum over coordinates: nats of independent coordinates add. The mean makes the rate too cheap.",
        ),
        Mistake(
            "Summed over the batch",
            lambda a, b, m, v, pm, pv: len(a) * _loss(a, m, v, pm, pv),
            "Sum over the latent coordinates, but average over the batch: nats a sentence, whatever the size of the batch.",
        ),
        Mistake(
            "The ELBO, not its negative",
            lambda a, b, m, v, pm, pv: -_loss(a, m, v, pm, pv),
            "A loss is minimized: rate minus log-likelihood.",
        ),
        Mistake(
            "Rate with the wrong sign",
            lambda a, b, m, v, pm, pv: -_loss(a, m, v, pm, pv) - 2 * a.mean(),
            "Both distortion and rate are costs: -log p(y given x, z) *plus* the rate.",
        ),
    ),
)

# --- words chosen independently -------------------------------------------------------------------------------------


def share_of_mixtures(joint: Tensor) -> Tensor:
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return independent[joint == 0].sum()


def _joints() -> list[Arguments]:
    return [
        (_tensor([[0.5, 0.0], [0.0, 0.5]]),),
        (_tensor([[0.7, 0.0], [0.0, 0.3]]),),
        (_tensor([[0.4, 0.1, 0.0], [0.0, 0.2, 0.3]]),),
        (_tensor([[0.2, 0.2], [0.3, 0.3]]),),
        (_tensor([[0.0, 0.3, 0.3], [0.4, 0.0, 0.0]]),),
    ]


def _product(joint: Tensor) -> Tensor:
    return joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)


SHARE_OF_MIXTURES = Exercise(
    task=(
        "joint (a, b): p(first word, second word) in the language. Two places draw their words independently, each from its "
        "own share. With what probability do they write a pair that the language never has?"
    ),
    reference=share_of_mixtures,
    cases=_joints,
    hints=(
        "The first place knows p(a), the sums of the rows; the second knows p(b), the sums of the columns.",
        "Drawn independently, a pair has probability p(a) p(b): a table as large as joint.",
        "Add that table up over the cells in which joint is 0.",
    ),
    mistakes=(
        Mistake(
            "The probability of possible pairs",
            lambda joint: 1 - share_of_mixtures(joint),
            "This is how often it goes well. Mixtures are the cells in which joint is 0.",
        ),
        Mistake(
            "Drawn from the joint",
            lambda joint: joint[joint == 0].sum(),
            "Who draws from the joint never writes what it lacks. Independent places draw from p(a) p(b).",
        ),
        Mistake(
            "Cells counted",
            lambda joint: (joint == 0).double().mean(),
            "Weigh each impossible cell by its probability, p(a) p(b).",
        ),
        Mistake(
            "All of the difference",
            lambda joint: (_product(joint) - joint).abs().sum() / 2,
            "This is the total variation distance, which also counts possible pairs that come too often or too rarely. "
            "Add up p(a) p(b) over the impossible ones only.",
        ),
        Mistake(
            "The likeliest words",
            lambda joint: (joint[joint.sum(1).argmax(), joint.sum(0).argmax()] == 0).double(),
            "That asks about the argmax at each place. The question is about words that are drawn.",
        ),
    ),
)

# --- chrF -----------------------------------------------------------------------------------------------------------


def chrf(matched: Tensor, written: Tensor, reference: Tensor) -> Tensor:
    precision, recall = (matched / written).mean(), (matched / reference).mean()
    return 100 * 5 * precision * recall / (4 * precision + recall)


def _characters() -> list[Arguments]:
    return [
        (_tensor([4.0]), _tensor([5.0]), _tensor([8.0])),
        (_tensor([6, 5, 4, 3, 2, 1]), _tensor([12, 11, 10, 9, 8, 7]), _tensor([7, 6, 5, 4, 3, 2])),
        (_tensor([9, 7, 5, 4, 3, 2]), _tensor([10, 9, 8, 7, 6, 5]), _tensor([14, 13, 12, 11, 10, 9])),
    ]


def _f(precision: Tensor, recall: Tensor, beta: float = 2.0) -> Tensor:
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


CHRF = Exercise(
    task="chrF, 0 to 100, with beta = 2: matched, and how many there are on each side, for character n-grams, each (orders,).",
    reference=chrf,
    cases=_characters,
    hints=(
        "For each order: precision is matched / written, recall is matched / reference. Average each over the orders.",
        "F with beta: (1 + beta^2) P R / (beta^2 P + R). Recall weighs beta times as much as precision.",
        "With beta = 2: 5 P R / (4 P + R), times 100.",
    ),
    mistakes=(
        Mistake(
            "Precision and recall swapped",
            lambda m, w, r: _f((m / r).mean(), (m / w).mean()),
            "Precision divides by what was written, recall by the reference. With beta = 2 it matters which is which.",
        ),
        Mistake(
            "beta = 1",
            lambda m, w, r: _f((m / w).mean(), (m / r).mean(), 1.0),
            "That is the plain F score. chrF lets recall weigh twice as much: beta = 2.",
        ),
        Mistake(
            "beta not squared",
            lambda m, w, r: 100 * 3 * (m / w).mean() * (m / r).mean() / (2 * (m / w).mean() + (m / r).mean()),
            "F has beta *squared*: 4 with beta = 2.",
        ),
        Mistake(
            "Precision only",
            lambda m, w, r: 100 * (m / w).mean(),
            "Then it pays to write little. chrF has recall in the place of BLEU's brevity penalty.",
        ),
        Mistake(
            "Recall only",
            lambda m, w, r: 100 * (m / r).mean(),
            "Then it pays to write everything. Precision belongs to it as well.",
        ),
        Mistake(
            "Arithmetic mean of both",
            lambda m, w, r: 50 * ((m / w).mean() + (m / r).mean()),
            "F is a (weighted) harmonic mean: (1 + beta^2) P R / (beta^2 P + R).",
        ),
        Mistake(
            "Orders added up first",
            lambda m, w, r: _f(m.sum() / w.sum(), m.sum() / r.sum()),
            "Each order weighs the same in chrF: average the precisions, not the counts.",
        ),
        Mistake(
            "F of each order, then averaged",
            lambda m, w, r: _f(m / w, m / r).mean(),
            "Some scripts do that. chrF as defined (Popović 2015), and sacrebleu by default, average precision and recall over "
            "the orders first, and take F once.",
        ),
        Mistake("0 to 1", lambda m, w, r: chrf(m, w, r) / 100, "Right up to the scale: chrF is reported from 0 to 100."),
    ),
)

EXERCISES = (MATCHES, BLEU, CONDITIONAL_LOSS, SHARE_OF_MIXTURES, CHRF)
