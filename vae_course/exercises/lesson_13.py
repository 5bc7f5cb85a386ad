"""Exercises of lesson 13: BLEU in two parts, the conditional ELBO, words chosen independently, and chrF."""

from collections import Counter

import torch
from torch import Generator, Tensor
from torch.distributions import Normal, kl_divergence

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

Words = tuple[str, ...]


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
        (("the", "hat"), ("the",), 2),
        (("a", "hat"), ("a", "hat"), 2),
        ((), ("the", "hat"), 1),
        (("he", "ran"), ("the", "hat"), 1),
    ]


def _drawn_translations(generator: Generator) -> Arguments:
    """Few different words, some of them within others, so that n-grams come again."""
    known = ("a", "hat", "at", "the", "he", "that")
    chosen = [known[int(k)] for k in torch.randperm(len(known), generator=generator)[: size(generator, 2, 4)]]
    written, reference = (_drawn_words(generator, chosen, length) for length in sizes(generator, 2, 3, 12))
    return written, reference, size(generator, 1, 4)


def _drawn_words(generator: Generator, known: list[str], length: int) -> Words:
    return tuple(known[int(k)] for k in whole(generator, length, high=len(known) - 1))


def _translation_of_the_lesson(generator: Generator) -> Arguments:
    reference = _drawn_words(generator, [f"word{k}" for k in range(30)], 16)
    return reference[3:9] + reference[:3] + ("and", "then") + reference[9:], reference, 2


def _grams(words: Words, n: int) -> list[Words]:
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def _counted_among(ours: list[Words], theirs: list[Words]) -> Tensor:
    return torch.tensor([(Counter(ours) & Counter(theirs)).total(), len(ours)])


def _not_clipped(written: Words, reference: Words, n: int) -> Tensor:
    there = set(_grams(reference, n))
    return torch.tensor([sum(gram in there for gram in _grams(written, n)), len(_grams(written, n))])


def _different(written: Words, reference: Words, n: int) -> Tensor:
    ours = set(_grams(written, n))
    return torch.tensor([len(ours & set(_grams(reference, n))), len(ours)])


def _different_matches(written: Words, reference: Words, n: int) -> Tensor:
    return torch.stack([_different(written, reference, n)[0], matches(written, reference, n)[1]])


def _different_total(written: Words, reference: Words, n: int) -> Tensor:
    return torch.stack([matches(written, reference, n)[0], _different(written, reference, n)[1]])


def _last_gram_forgotten(written: Words, reference: Words, n: int) -> Tensor:
    return _counted_among(_grams(written, n)[:-1], _grams(reference, n)[:-1])


def _same_place(written: Words, reference: Words, n: int) -> Tensor:
    ours = _grams(written, n)
    return torch.tensor([sum(a == b for a, b in zip(ours, _grams(reference, n), strict=False)), len(ours)])


def _stumps(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = ([words[k : k + n] for k in range(len(words))] for words in (written, reference))
    return _counted_among(ours, theirs)


def _sorted(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = ([tuple(sorted(gram)) for gram in _grams(words, n)] for words in (written, reference))
    return _counted_among(ours, theirs)


def _sets(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = ([(*sorted(set(gram)),) for gram in _grams(words, n)] for words in (written, reference))
    return _counted_among(ours, theirs)


def _orders_up_to(written: Words, reference: Words, n: int) -> Tensor:
    return torch.stack([matches(written, reference, k) for k in range(1, n + 1)]).sum(0)


def _in_strides(written: Words, reference: Words, n: int) -> Tensor:
    return _counted_among(_grams(written, n)[::n], _grams(reference, n)[::n])


def _single_words(written: Words, reference: Words, n: int) -> Tensor:
    there, ours = set(reference), _grams(written, n)
    return torch.tensor([sum(all(word in there for word in gram) for gram in ours), len(ours)])


def _in_a_string(written: Words, reference: Words, n: int) -> Tensor:
    ours, text = _grams(written, n), " ".join(reference)
    return torch.tensor([sum(min(ours.count(gram), text.count(" ".join(gram))) for gram in set(ours)), len(ours)])


def _in_a_string_for_each(written: Words, reference: Words, n: int) -> Tensor:
    ours, text = _grams(written, n), " ".join(reference)
    return torch.tensor([sum(" ".join(gram) in text for gram in ours), len(ours)])


def _larger_count(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = _grams(written, n), _grams(reference, n)
    return torch.tensor([sum(max(ours.count(gram), theirs.count(gram)) for gram in set(ours)), len(ours)])


def _repeated(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = _grams(written, n), _grams(reference, n)
    return torch.tensor([sum(min(ours.count(gram), theirs.count(gram)) for gram in ours), len(ours)])


def _counts_there(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = _grams(written, n), _grams(reference, n)
    return torch.tensor([sum(theirs.count(gram) for gram in set(ours)), len(ours)])


def _every_pair(written: Words, reference: Words, n: int) -> Tensor:
    ours, theirs = _grams(written, n), _grams(reference, n)
    return torch.tensor([sum(theirs.count(gram) for gram in ours), len(ours)])


MATCHES = Exercise(
    task="How many n-grams of `written` the reference confirms, and how many there are: a tensor (2,). Words as tuples of str.",
    reference=matches,
    cases=_translations,
    generate=_drawn_translations,
    lesson=_translation_of_the_lesson,
    hints=(
        "An n-gram is n words in a row: words[k : k + n] for k from 0 to len(words) - n.",
        "What the reference has twice confirms two of ours, and no third one.",
        "The matches are the sum of min(ours.count(gram), theirs.count(gram)) over set(ours); the total is len(ours), "
        "repeats included.",
    ),
    mistakes=(
        Mistake(
            "Not clipped",
            _not_clipped,
            'Then "the the the" is perfect wherever the reference has one "the". Each of the reference\'s n-grams confirms '
            "one of ours: take min(our count, their count).",
        ),
        Mistake(
            "The reference's total",
            lambda written, reference, n: matches(reference, written, n),
            "The total must be the n-grams of what was *written*: BLEU is a precision. Yours is a recall. Swapped?",
        ),
        Mistake(
            "Repeats counted once",
            _different,
            "A set forgets how often an n-gram occurs, in the matches and in the total. Count each as often as it occurs.",
        ),
        Mistake(
            "Repeated matches counted once",
            _different_matches,
            "The total is right. But an n-gram that both texts have twice is two matches: add up min(our count, their count).",
        ),
        Mistake(
            "Total of the different n-grams",
            _different_total,
            "The matches are right. The total counts all our n-grams, an n-gram that comes three times as three.",
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
            "Stumps at the end",
            _stumps,
            "A slice at the end of the text has fewer than n words and is no n-gram: stop at len(words) - n.",
        ),
        Mistake(
            "A negative number of n-grams",
            lambda written, reference, n: torch.stack([matches(written, reference, n)[0], torch.tensor(len(written) - n + 1)]),
            "A text of fewer than n words has no n-grams. len(words) - n + 1 falls below 0 there: take max(0, ...).",
        ),
        Mistake(
            "Words in place of n-grams as the total",
            lambda written, reference, n: torch.stack([matches(written, reference, n)[0], torch.tensor(len(written))]),
            "The total counts n-grams: a text of 5 words has 4 pairs of neighbours.",
        ),
        Mistake(
            "n-grams of n - 1 words",
            lambda written, reference, n: matches(written, reference, n - 1),
            "words[k : k + n] has n words; the end of a slice is not included.",
        ),
        Mistake(
            "n-grams of n + 1 words",
            lambda written, reference, n: matches(written, reference, n + 1),
            "words[k : k + n] has n words already.",
        ),
        Mistake(
            "Single words",
            lambda written, reference, n: matches(written, reference, 1),
            "These are the counts for n = 1, whatever n is. Compare n words in a row.",
        ),
        Mistake(
            "Words looked up one by one",
            _single_words,
            "An n-gram is confirmed where the reference has the same n words *in a row*, not somewhere.",
        ),
        Mistake(
            "Order within an n-gram ignored",
            _sorted,
            '"red hat" does not confirm "hat red": an n-gram is n words in their order, so neither sort them nor make a set.',
        ),
        Mistake(
            "Sets of words",
            _sets,
            "A set forgets the order of the words, and repeats: an n-gram is n words in their order, a tuple.",
        ),
        Mistake(
            "All orders up to n",
            _orders_up_to,
            "Count the n-grams of n words only; shorter ones are counted with their own n.",
        ),
        Mistake(
            "n-grams that do not overlap",
            _in_strides,
            "An n-gram begins at every word, not at every n-th: words 1 and 2, words 2 and 3, and so on.",
        ),
        Mistake(
            "Counted within a string",
            _in_a_string,
            'In a joined string "he" is found within "the", and what overlaps is counted once. Compare tuples of words.',
        ),
        Mistake(
            "Looked for within a string",
            _in_a_string_for_each,
            'In a joined string "he" is found within "the". Compare tuples of words, and let each of the reference\'s n-grams '
            "confirm only one of ours.",
        ),
        Mistake(
            "The larger count",
            _larger_count,
            "A match needs one on each side: min(our count, their count), not max.",
        ),
        Mistake(
            "The reference's counts",
            _counts_there,
            "That the reference has an n-gram three times does not make ours three: take min(our count, their count).",
        ),
        Mistake(
            "Each repeat counted in full",
            _repeated,
            "min(our count, their count) already counts all occurrences of an n-gram. Add it up over *different* n-grams, "
            "set(ours).",
        ),
        Mistake(
            "Every pair counted",
            _every_pair,
            "An n-gram that both have twice makes two matches, not 2 times 2: go through *different* n-grams, set(ours), and "
            "take min(our count, their count).",
        ),
        Mistake(
            "What does not match",
            lambda written, reference, n: (
                matches(written, reference, n)[1] * torch.tensor([1, 1]) - matches(written, reference, n) * torch.tensor([1, 0])
            ),
            "The first number must be that of the n-grams which the reference confirms, not of those which it lacks.",
        ),
        Mistake(
            "The total first",
            lambda written, reference, n: matches(written, reference, n).flip(0),
            "The right numbers in the wrong order: first the matches, then the total.",
        ),
        Mistake(
            "Only the matches",
            lambda written, reference, n: matches(written, reference, n)[0],
            "Return both numbers, the matches and how many n-grams were written: torch.tensor([matching, total]).",
        ),
        Mistake(
            "A share in place of two counts",
            lambda written, reference, n: matches(written, reference, n)[0] / matches(written, reference, n)[1],
            "Return both numbers. BLEU adds up counts over all sentences *before* it divides.",
        ),
        Mistake(
            "A precision in place of two counts",
            lambda written, reference, n: matches(written, reference, n)[0] / matches(written, reference, n)[1].clamp(min=1),
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
    rows = [
        ([8, 6, 4, 2], [10, 9, 8, 7], 10, 10),
        ([6, 5, 4, 3], [6, 5, 4, 3], 6, 9),
        ([80, 50, 30, 16], [100, 90, 80, 70], 100, 80),
        ([70, 50, 30, 20], [90, 80, 70, 60], 90, 110),
        ([4, 2, 1, 0], [5, 4, 3, 2], 5, 6),
    ]
    return [tuple(double(row).double() for row in arguments) for arguments in rows]


def _drawn_counts(generator: Generator, high: int = 99) -> Arguments:
    """Of some sentences: each has one n-gram less than it has (n - 1)-grams."""
    sentences = size(generator, 1, 5)
    words = size(generator, 5 * sentences, high)
    total = double([words - n * sentences for n in range(4)])
    matched = (total * numbers(generator, 4, low=0.1, high=1)).ceil()
    return matched, total, double(float(words)), double(float(size(generator, words // 2, 3 * words // 2)))


def _brevity(w: Tensor, r: Tensor) -> Tensor:
    return torch.exp(1 - r / w).clamp(max=1)


BLEU = Exercise(
    task=(
        "BLEU, 0 to 100, of a whole set: matched, total (4,) for n = 1 ... 4, and the two lengths in words, no total and no "
        "length being 0. One number."
    ),
    reference=bleu,
    cases=_counted,
    generate=_drawn_counts,
    lesson=lambda g: tuple(a.float() for a in _drawn_counts(g, 3600)),
    hints=(
        "Four precisions, matched / total. Their geometric mean is exp of the mean of their logarithms.",
        "What is too short gets a high precision cheaply. So multiply by the brevity penalty, exp(1 - reference / "
        "written), which is never above 1: what is too long has paid already, by its precision.",
        "(matched / total).log().mean().exp(), times torch.exp(1 - reference_length / written_length).clamp(max=1), times 100.",
    ),
    mistakes=(
        Mistake(
            "No brevity penalty",
            lambda m, t, w, r: bleu(m, t, w, w),
            'Then the single word "the" may score 100. Multiply by exp(1 - reference length / written length), at most 1.',
        ),
        Mistake(
            "Long translations are rewarded",
            lambda m, t, w, r: bleu(m, t, w, w) * torch.exp(1 - r / w),
            "The brevity penalty is clipped at 1: extra words earn nothing.",
        ),
        Mistake(
            "The penalty clipped on the wrong side",
            lambda m, t, w, r: bleu(m, t, w, w) * torch.exp(1 - r / w).clamp(min=1),
            "The penalty is at *most* 1: min(1, ...), which in torch is clamp(max=1). Yours is at least 1.",
        ),
        Mistake(
            "The penalty the wrong way round",
            lambda m, t, w, r: bleu(m, t, r, w),
            "Precision punishes what is too long already. Punish what is too *short*: exp(1 - reference / written).",
        ),
        Mistake(
            "The ratio of lengths as the penalty",
            lambda m, t, w, r: bleu(m, t, w, w) * (w / r).clamp(max=1),
            "The penalty is exp(1 - reference / written), which falls faster than the ratio itself.",
        ),
        Mistake(
            "The penalty without its exponential",
            lambda m, t, w, r: bleu(m, t, w, w) * (1 - r / w).clamp(max=1),
            "1 - reference / written stands in an exponent. As it is, equal lengths would give 0.",
        ),
        Mistake(
            "The 1 in the exponent forgotten",
            lambda m, t, w, r: bleu(m, t, w, w) * torch.exp(-r / w),
            "The exponent is 1 - reference / written, so that equal lengths are not punished.",
        ),
        Mistake(
            "The penalty under the root",
            lambda m, t, w, r: bleu(m, t, w, w) * _brevity(w, r) ** 0.25,
            "The fourth root is of the four precisions only; the penalty is multiplied afterwards.",
        ),
        Mistake(
            "Arithmetic mean",
            lambda m, t, w, r: bleu((m / t).mean(), torch.ones_like(w), w, r),
            "BLEU takes the geometric mean: without any matching four words in a row the score is 0.",
        ),
        Mistake(
            "Harmonic mean",
            lambda m, t, w, r: bleu(1 / (t / m).mean(), torch.ones_like(w), w, r),
            "BLEU takes the geometric mean of the four precisions: exp of the mean of their logarithms.",
        ),
        Mistake(
            "The product, not its fourth root",
            lambda m, t, w, r: bleu((m / t).prod(), torch.ones_like(w), w, r),
            "A geometric mean of four takes the fourth root of their product: average the logarithms, do not add them up.",
        ),
        Mistake(
            "Square root for the fourth root",
            lambda m, t, w, r: bleu((m / t).prod().sqrt(), torch.ones_like(w), w, r),
            "There are four precisions, so it is the fourth root of their product, to the power 1/4.",
        ),
        Mistake(
            "Matches added up over n first",
            lambda m, t, w, r: bleu(m.sum(), t.sum(), w, r),
            "Each n has a precision of its own; average those, by their logarithms.",
        ),
        Mistake(
            "Four words in a row only",
            lambda m, t, w, r: bleu(m[3], t[3], w, r),
            "BLEU takes the precisions for n = 1, 2, 3 and 4 together.",
        ),
        Mistake(
            "Single words only",
            lambda m, t, w, r: bleu(m[0], t[0], w, r),
            "BLEU takes the precisions for n = 1, 2, 3 and 4 together. Single words say nothing of their order.",
        ),
        Mistake(
            "One added to every count",
            lambda m, t, w, r: bleu(m + 1, t + 1, w, r),
            "Some scripts smooth single sentences so. Of a whole set BLEU takes the counts as they are.",
        ),
        Mistake(
            "Orders without matches left out",
            lambda m, t, w, r: bleu(m[m > 0], t[m > 0], w, r),
            "Without any matching four words in a row BLEU is 0: log 0 is minus infinity, and its exp is 0.",
        ),
        Mistake(
            "The exponential forgotten",
            lambda m, t, w, r: 100 * (m / t).log().mean() * _brevity(w, r),
            "The mean of the logarithms is a logarithm, below 0. Take exp of it.",
        ),
        Mistake(
            "log2 and exp mixed",
            lambda m, t, w, r: 100 * (m / t).log2().mean().exp() * _brevity(w, r),
            "exp undoes the natural logarithm, .log(); 2 to the power of it undoes .log2().",
        ),
        Mistake(
            "Totals divided by matches",
            lambda m, t, w, r: bleu(t, m, w, r),
            "A precision is the share that matches: matched / total, at most 1.",
        ),
        Mistake(
            "0 to 1",
            lambda m, t, w, r: bleu(m, t, w, r) / 100,
            "BLEU is reported from 0 to 100: times 100.",
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
        (double([-3.0]), double([-5.0]), double([[1.0]]), double([[-1.0]]), double([[0.0]]), double([[0.5]])),
        (
            double([-2.0, -4.0]),
            double([-6.0, -4.5]),
            double([[0.5, -1.0], [2.0, 0.0]]),
            double([[-2.0, -0.5], [-1.0, -3.0]]),
            double([[0.0, 0.3], [1.0, -0.2]]),
            double([[0.2, 0.0], [-0.4, 0.7]]),
        ),
        (
            double([-2.0, -4.0, -1.0]),
            double([-6.0, -4.5, -1.5]),
            double([[0.5, -1.0], [2.0, 0.0], [0.5, 0.5]]),
            double([[0.5, 1.0], [0.2, 0.1], [0.3, 1.5]]),
            double([[0.0, 0.3], [1.0, -0.2], [0.5, 0.5]]),
            double([[0.2, 0.4], [1.0, 0.7], [0.3, 1.5]]),
        ),
    ]


def _drawn_conditional(generator: Generator) -> Arguments:
    batch, latent = sizes(generator, 2)
    likelihoods = (numbers(generator, batch, low=-9, high=-1) for _ in range(2))
    return *likelihoods, *(numbers(generator, batch, latent) for _ in range(4))


def _conditional_of_the_lesson(generator: Generator) -> Arguments:
    likelihoods = (numbers(generator, 32, low=-40, high=-10).float() for _ in range(2))
    return *likelihoods, *(numbers(generator, 32, 16).float() for _ in range(4))


def _rates(m: Tensor, v: Tensor, pm: Tensor, pv: Tensor) -> Tensor:
    return 0.5 * (pv - v + (v.exp() + (m - pm) ** 2) / pv.exp() - 1)


CONDITIONAL_LOSS = Exercise(
    task=(
        "-ELBO of a conditional VAE, in nats: log p(y given x, z) at z ~ q and at z ~ p(z given x), each (batch,); mean and "
        "log variance of q and of p(z given x), each (batch, latent). One number: the mean over the batch."
    ),
    reference=conditional_loss,
    cases=_conditional,
    generate=_drawn_conditional,
    lesson=_conditional_of_the_lesson,
    gradients=("at_posterior", "mean", "log_var", "prior_mean", "prior_log_var"),
    hints=(
        "The ELBO is an expectation under q: one of the two likelihoods is not needed in training.",
        "The rate is KL(q to p(z given x)), between two Gaussians, summed over the latent coordinates.",
        "1/2 (log_var_2 - log_var_1 + (var_1 + (mean_1 - mean_2)^2) / var_2 - 1), where 1 is q. Subtract the log- "
        "likelihood under q, then average over the batch.",
    ),
    mistakes=(
        Mistake(
            "z from the prior in training",
            lambda a, b, m, v, pm, pv: conditional_loss(b, a, m, v, pm, pv),
            "The target is known in training: draw z from q, which has read it. The prior is for translating. With z from the "
            "prior the encoder of the target gets no gradient from the words.",
        ),
        Mistake(
            "Both likelihoods added",
            lambda a, b, m, v, pm, pv: conditional_loss(a + b, b, m, v, pm, pv),
            "The ELBO is an expectation under q alone: the likelihood at z ~ prior does not belong to it.",
        ),
        Mistake(
            "Both likelihoods averaged",
            lambda a, b, m, v, pm, pv: conditional_loss((a + b) / 2, b, m, v, pm, pv),
            "The ELBO is an expectation under q alone: the likelihood at z ~ prior does not belong to it.",
        ),
        Mistake(
            "One likelihood subtracted from the other",
            lambda a, b, m, v, pm, pv: conditional_loss(a - b, b, m, v, pm, pv),
            "The prior enters by the KL. The likelihood at z ~ prior does not belong to the ELBO at all.",
        ),
        Mistake(
            "KL in the wrong direction",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, pm, pv, m, v),
            "The ELBO has KL(q to p): the average is taken under q, so the prior's variance is the one to divide by.",
        ),
        Mistake(
            "KL to N(0, I)",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, m, v, 0 * pm, 0 * pv),
            "Here the prior has read the source: it is p(z given x), with a mean and a variance of its own.",
        ),
        Mistake(
            "The prior's variance left out",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, m, v, pm, 0 * pv),
            "The prior p(z given x) has a variance of its own: divide by it, and count its logarithm.",
        ),
        Mistake(
            "No rate",
            lambda a, b, m, v, pm, pv: -a.mean(),
            "This is the distortion alone: then z may hold everything, and the prior never learns to draw it. Add the KL.",
        ),
        Mistake(
            "Rate alone",
            lambda a, b, m, v, pm, pv: conditional_loss(0 * a, b, m, v, pm, pv),
            "This is the KL alone. The loss also has -log p(y given x, z), the nats that the words cost.",
        ),
        Mistake(
            "log_var taken for log std",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, m, 2 * v, pm, 2 * pv),
            "log_var is the log of the variance: var = exp(log_var), std = exp(log_var / 2). torch's Normal wants the std.",
        ),
        Mistake(
            "log_var taken for the std",
            lambda a, b, m, v, pm, pv: (
                kl_divergence(Normal(m, v, validate_args=True), Normal(pm, pv, validate_args=True)).sum(-1) - a
            ).mean(),
            "A log variance may be negative, so Normal(mean, log_var) fails. It wants the std, exp(log_var / 2).",
        ),
        Mistake(
            "log_var taken for the variance",
            lambda a, b, m, v, pm, pv: (0.5 * (pv - v + (v + (m - pm) ** 2) / pv - 1).sum(-1) - a).mean(),
            "Where a variance belongs, take exp(log_var); only the difference of logarithms uses log_var as it is.",
        ),
        Mistake(
            "Standard deviations where variances belong",
            lambda a, b, m, v, pm, pv: (
                0.5 * (pv - v + ((v / 2).exp() + (m - pm) ** 2) / (pv / 2).exp() - 1).sum(-1) - a
            ).mean(),
            "exp(log_var / 2) is a standard deviation. The KL has variances in these places: exp(log_var).",
        ),
        Mistake(
            "Standard deviation of the prior in the denominator",
            lambda a, b, m, v, pm, pv: (0.5 * (pv - v + (v.exp() + (m - pm) ** 2) / (pv / 2).exp() - 1).sum(-1) - a).mean(),
            "Divide by the prior's variance: its standard deviation *squared*, exp(prior_log_var).",
        ),
        Mistake(
            "The half of the quotient forgotten",
            lambda a, b, m, v, pm, pv: conditional_loss(
                a - 0.5 * ((v.exp() + (m - pm) ** 2) / pv.exp()).sum(-1), b, m, v, pm, pv
            ),
            "The factor 1/2 belongs to the whole bracket: with log(std) in front it is (...) / (2 prior_var).",
        ),
        Mistake(
            "Rate without the half",
            lambda a, b, m, v, pm, pv: 2 * conditional_loss(a / 2, b, m, v, pm, pv),
            "The KL between Gaussians has a factor 1/2 in front.",
        ),
        Mistake(
            "The -1 forgotten",
            lambda a, b, m, v, pm, pv: conditional_loss(a - m.shape[-1] / 2, b, m, v, pm, pv),
            "Each coordinate has a -1 in its bracket. Without it the KL of a distribution to itself would not be 0.",
        ),
        Mistake(
            "The logarithms forgotten",
            lambda a, b, m, v, pm, pv: conditional_loss(a + 0.5 * (pv - v).sum(-1), b, m, v, pm, pv),
            "The KL also has prior_log_var - log_var in its bracket.",
        ),
        Mistake(
            "The logarithms the wrong way round",
            lambda a, b, m, v, pm, pv: conditional_loss(a + (pv - v).sum(-1), b, m, v, pm, pv),
            "It is prior_log_var - log_var: a narrow q, with a very negative log_var, costs more.",
        ),
        Mistake(
            "The means left out",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, 0 * m, v, 0 * pm, pv),
            "The KL grows with the squared distance of the means, (mean - prior_mean)^2, divided by the prior's variance.",
        ),
        Mistake(
            "Distance of the means not squared",
            lambda a, b, m, v, pm, pv: conditional_loss(
                a + 0.5 * (((m - pm) ** 2 - (m - pm)) / pv.exp()).sum(-1), b, m, v, pm, pv
            ),
            "The difference of the means is squared before it is divided by the prior's variance.",
        ),
        Mistake(
            "Not divided by the prior's variance",
            lambda a, b, m, v, pm, pv: conditional_loss(
                a + 0.5 * ((v.exp() + (m - pm) ** 2) * ((-pv).exp() - 1)).sum(-1), b, m, v, pm, pv
            ),
            "Both var and the squared difference of the means are divided by the prior's variance, exp(prior_log_var).",
        ),
        Mistake(
            "Multiplied by the prior's variance",
            lambda a, b, m, v, pm, pv: conditional_loss(
                a + 0.5 * ((v.exp() + (m - pm) ** 2) * ((-pv).exp() - pv.exp())).sum(-1), b, m, v, pm, pv
            ),
            "Both var and the squared difference of the means are *divided* by the prior's variance, exp(prior_log_var).",
        ),
        Mistake(
            "Variance not divided",
            lambda a, b, m, v, pm, pv: conditional_loss(a + 0.5 * (v.exp() * ((-pv).exp() - 1)).sum(-1), b, m, v, pm, pv),
            "The variance of q is divided by the prior's variance too: mind the brackets.",
        ),
        Mistake(
            "Difference of the means not divided",
            lambda a, b, m, v, pm, pv: conditional_loss(a + 0.5 * ((m - pm) ** 2 * ((-pv).exp() - 1)).sum(-1), b, m, v, pm, pv),
            "The squared difference of the means is divided by the prior's variance too: mind the brackets.",
        ),
        Mistake(
            "Mean over the latent coordinates",
            lambda a, b, m, v, pm, pv: conditional_loss(m.shape[-1] * a, b, m, v, pm, pv) / m.shape[-1],
            "Sum over coordinates: nats of independent coordinates add. The mean makes the rate too cheap.",
        ),
        Mistake(
            "Summed over the batch",
            lambda a, b, m, v, pm, pv: len(a) * conditional_loss(a, b, m, v, pm, pv),
            "Sum over the latent coordinates, but average over the batch: nats a sentence, whatever the size of the batch.",
        ),
        Mistake(
            "Rate summed over the batch",
            lambda a, b, m, v, pm, pv: len(a) * conditional_loss(a / len(a), b, m, v, pm, pv),
            "Sum the KL over the latent coordinates only, .sum(-1): one number for each sentence. Then average the sentences.",
        ),
        Mistake(
            "Likelihood summed over the batch",
            lambda a, b, m, v, pm, pv: conditional_loss(a * len(a), b, m, v, pm, pv),
            "Average the log-likelihood over the batch as you do the rate. Else the rate weighs less in a large batch.",
        ),
        Mistake(
            "Sum over the batch, mean over the coordinates",
            lambda a, b, m, v, pm, pv: len(a) / m.shape[-1] * conditional_loss(a * m.shape[-1] / len(a), b, m, v, pm, pv),
            "It is the other way round: sum the KL over the latent coordinates, average over the sentences.",
        ),
        Mistake(
            "The wrong dimension",
            lambda a, b, m, v, pm, pv: (_rates(m, v, pm, pv).sum(0) - a).mean(),
            "Dimension 0 holds the sentences. Sum the KL over the latent coordinates, dimension -1.",
        ),
        Mistake(
            "One number for each sentence",
            lambda a, b, m, v, pm, pv: _rates(m, v, pm, pv).sum(-1) - a,
            "Right for each sentence. A loss is one number: their mean.",
        ),
        Mistake(
            "The ELBO, not its negative",
            lambda a, b, m, v, pm, pv: -conditional_loss(a, b, m, v, pm, pv),
            "A loss is minimized: rate minus log-likelihood.",
        ),
        Mistake(
            "Rate with the wrong sign",
            lambda a, b, m, v, pm, pv: -conditional_loss(-a, b, m, v, pm, pv),
            "Both distortion and rate are costs: -log p(y given x, z) *plus* the rate.",
        ),
        Mistake(
            "Log-likelihood with the wrong sign",
            lambda a, b, m, v, pm, pv: conditional_loss(-a, b, m, v, pm, pv),
            "A log-likelihood is below 0 and should grow; a loss should shrink. Subtract it.",
        ),
        Mistake(
            "The prior is not trained",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, m, v, pm.detach(), pv.detach()),
            "The value is right. But the prior learns from the rate only: do not detach its mean and log variance.",
        ),
        Mistake(
            "The rate is not trained",
            lambda a, b, m, v, pm, pv: conditional_loss(a, b, m.detach(), v.detach(), pm.detach(), pv.detach()),
            "The value is right. But no gradient flows through the KL: leave out detach, .data, .item() and torch.no_grad.",
        ),
    ),
)

# --- words chosen independently -------------------------------------------------------------------------------------


def share_of_mixtures(joint: Tensor) -> Tensor:
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return independent[joint == 0].sum()


def _joints() -> list[Arguments]:
    return [
        (double([[0.5, 0.0], [0.0, 0.5]]),),
        (double([[0.7, 0.0], [0.0, 0.3]]),),
        (double([[0.4, 0.1, 0.0], [0.0, 0.2, 0.3]]),),
        (double([[0.2, 0.2], [0.3, 0.3]]),),
        (double([[0.3, 0.5], [0.0, 0.2]]),),
        (double([[0.0, 0.3, 0.3], [0.4, 0.0, 0.0]]),),
        (double([[0.6, 0.4, 0.0]]),),
        (double([[0.3, 0.2], [0.0, 0.0], [0.0, 0.5]]),),
    ]


def _drawn_joint(generator: Generator) -> Arguments:
    """With a mixture in it."""
    first, second = sizes(generator, 2, 2)
    joint = probabilities(generator, first * second, zeros=True).view(first, second)
    return (joint,) if share_of_mixtures(joint) > 0 else _drawn_joint(generator)


def _joint_of_the_lesson(generator: Generator) -> Arguments:
    weights = torch.rand(40, 30, generator=generator) * (torch.rand(40, 30, generator=generator) < 0.4)
    return (weights / weights.sum(),)


def _product(joint: Tensor) -> Tensor:
    return joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)


SHARE_OF_MIXTURES = Exercise(
    task=(
        "joint (a, b): p(first word, second word) in the language. Two places draw their words independently, each from its "
        "own share. With what probability do they write a pair that the language never has?"
    ),
    reference=share_of_mixtures,
    cases=_joints,
    generate=_drawn_joint,
    lesson=_joint_of_the_lesson,
    hints=(
        "The first place knows p(a), the sums of the rows; the second knows p(b), the sums of the columns.",
        "Drawn independently, a pair has probability p(a) p(b): a table as large as joint.",
        "joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True) is that table. Add it up over the cells in which joint is 0.",
    ),
    mistakes=(
        Mistake(
            "The probability of possible pairs",
            lambda joint: 1 - share_of_mixtures(joint),
            "This is how often it goes well. Mixtures are the cells in which joint is 0.",
        ),
        Mistake(
            "Always 0",
            lambda joint: joint[joint == 0].sum(),
            "Who draws from joint never writes what it lacks. Independent places draw from p(a) p(b): add that up, where "
            "joint is 0.",
        ),
        Mistake(
            "Always 1",
            lambda joint: _product(joint).sum(),
            "This is the probability of all pairs together. Add p(a) p(b) up only where joint is 0.",
        ),
        Mistake(
            "Share of the cells",
            lambda joint: (joint == 0).to(joint.dtype).mean(),
            "Weigh each impossible cell by its probability, p(a) p(b).",
        ),
        Mistake(
            "Cells counted",
            lambda joint: (joint == 0).sum(),
            "This is how many pairs are impossible. Add up how *probable* they are when drawn apart, p(a) p(b).",
        ),
        Mistake(
            "All of the difference",
            lambda joint: (_product(joint) - joint).abs().sum() / 2,
            "This is the total variation distance, which also counts possible pairs that come too often or too rarely. "
            "Add up p(a) p(b) over the impossible ones only.",
        ),
        Mistake(
            "Sum of all differences",
            lambda joint: (_product(joint) - joint).abs().sum(),
            "This counts possible pairs too, where they come too often or too rarely. Add up p(a) p(b) over the impossible.",
        ),
        Mistake(
            "The likeliest words",
            lambda joint: (joint[joint.sum(1).argmax(), joint.sum(0).argmax()] == 0).to(joint.dtype),
            "That asks about the argmax at each place. The question is about words that are drawn.",
        ),
        Mistake(
            "The likeliest mixture only",
            lambda joint: (_product(joint) * (joint == 0)).max(),
            "This is the probability of one impossible pair. Add up those of all.",
        ),
        Mistake(
            "Mean over the impossible pairs",
            lambda joint: _product(joint)[joint == 0].mean(),
            "The probabilities of different pairs add up: sum them, do not average.",
        ),
        Mistake(
            "Means where sums belong",
            lambda joint: share_of_mixtures(joint) / joint.numel(),
            "The share of a word is the *sum* of its row or column, and the probabilities of different pairs add up as well.",
        ),
        Mistake(
            "The shares added",
            lambda joint: (joint.sum(1, keepdim=True) + joint.sum(0, keepdim=True))[joint == 0].sum(),
            "That the first word is a *and* the second one b has probability p(a) times p(b).",
        ),
        Mistake(
            "The second word left out",
            lambda joint: joint.sum(1, keepdim=True).expand_as(joint)[joint == 0].sum(),
            "Each impossible pair has probability p(a) p(b); yours counts p(a) alone.",
        ),
        Mistake(
            "The first word left out",
            lambda joint: joint.sum(0, keepdim=True).expand_as(joint)[joint == 0].sum(),
            "Each impossible pair has probability p(a) p(b); yours counts p(b) alone.",
        ),
        Mistake(
            "First and second word swapped",
            lambda joint: _product(joint).T[joint == 0].sum(),
            "The table of p(a) p(b) must lie as joint does: sums of rows downwards, sums of columns across.",
        ),
        Mistake(
            "First and second word swapped",
            lambda joint: (joint.sum(0)[:, None] * joint.sum(1)[None] * (joint == 0)).sum(),
            "The table of p(a) p(b) must lie as joint does: sums of rows downwards, sums of columns across.",
        ),
        Mistake(
            "All pairs that are likelier apart",
            lambda joint: _product(joint)[_product(joint) > joint].sum(),
            "Mixtures are pairs that never occur together, joint == 0; these are all that the product makes likelier.",
        ),
        Mistake(
            "The second word's share twice",
            lambda joint: torch.outer(joint.sum(0), joint.sum(0))[joint == 0].sum(),
            "The first word's shares are sums over the *other* dimension, .sum(1); yours are both .sum(0).",
        ),
        Mistake(
            "The first word's share twice",
            lambda joint: torch.outer(joint.sum(1), joint.sum(1))[joint == 0].sum(),
            "The second word's shares are sums over the *other* dimension, .sum(0); yours are both .sum(1).",
        ),
        Mistake(
            "No table of all pairs",
            lambda joint: (joint.sum(1) * joint.sum(0))[joint == 0].sum(),
            "joint.sum(1) * joint.sum(0) is no table of all pairs. Keep the dimensions with keepdim=True, or use torch.outer.",
        ),
        Mistake(
            "A number for each first word",
            lambda joint: (_product(joint) * (joint == 0)).sum(1),
            "One number was asked: add up all impossible pairs, whatever their first word is.",
        ),
        Mistake(
            "The table, not its sum",
            lambda joint: _product(joint) * (joint == 0),
            "These are the probabilities of the impossible pairs. Add them up.",
        ),
    ),
)

# --- chrF -----------------------------------------------------------------------------------------------------------


def chrf(matched: Tensor, written: Tensor, reference: Tensor) -> Tensor:
    precision, recall = (matched / written).mean(), (matched / reference).mean()
    return (100 * 5 * precision * recall / (4 * precision + recall)).nan_to_num()


def _characters() -> list[Arguments]:
    return [
        (double([4.0]), double([5.0]), double([8.0])),
        (double([6, 5, 4, 3, 2, 1]), double([12, 11, 10, 9, 8, 7]), double([7, 6, 5, 4, 3, 2])),
        (double([9, 7, 5, 4, 3, 2]), double([10, 9, 8, 7, 6, 5]), double([14, 13, 12, 11, 10, 9])),
        (double([0, 0]), double([3, 2]), double([4, 3])),
        (double([3, 2]), double([3, 2]), double([3, 2])),
        (double([1, 1]), double([12, 11]), double([14, 13])),
    ]


def _drawn_characters(generator: Generator, orders: int | None = None, shortest: int = 7, longest: int = 40) -> Arguments:
    count = size(generator, 1, 6) if orders is None else orders
    written, reference = (double([n - k for k in range(count)]) for n in sizes(generator, 2, shortest, longest))
    matched = (torch.minimum(written, reference) * numbers(generator, count, low=0.1, high=1) ** 2).ceil()
    return matched, written, reference


def _f(precision: Tensor, recall: Tensor, beta: float = 2.0) -> Tensor:
    return (100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)).nan_to_num()


CHRF = Exercise(
    task=(
        "chrF, 0 to 100, with beta = 2: matched, and how many there are on each side (none is 0), for character n-grams, each "
        "(orders,). 0 where nothing matches."
    ),
    reference=chrf,
    cases=_characters,
    generate=_drawn_characters,
    lesson=lambda g: tuple(a.float() for a in _drawn_characters(g, 6, 2000, 9000)),
    hints=(
        "For each order: precision is matched / written, recall is matched / reference. Average each over the orders.",
        "F with beta: (1 + beta^2) P R / (beta^2 P + R). Recall weighs beta times as much as precision.",
        "With beta = 2: 5 P R / (4 P + R), times 100. Where nothing matches this is 0 / 0, nan, and counts as 0: nan_to_num().",
    ),
    mistakes=(
        Mistake(
            "beta = 1/2, or precision and recall swapped",
            lambda m, w, r: chrf(m, r, w),
            "Precision divides by what was written, recall by the reference; and beta = 2 makes recall weigh more, "
            "5 P R / (4 P + R).",
        ),
        Mistake(
            "beta = 1",
            lambda m, w, r: _f((m / w).mean(), (m / r).mean(), 1.0),
            "That is the plain F score. chrF lets recall weigh twice as much: beta = 2.",
        ),
        Mistake(
            "beta = 3",
            lambda m, w, r: _f((m / w).mean(), (m / r).mean(), 3.0),
            "The first paper on chrF recommends 3; in use, and in this lesson, is beta = 2.",
        ),
        Mistake(
            "beta not squared",
            lambda m, w, r: _f((m / w).mean(), (m / r).mean(), 2.0**0.5),
            "F has beta *squared*: 4 with beta = 2.",
        ),
        Mistake(
            "beta squared twice",
            lambda m, w, r: _f((m / w).mean(), (m / r).mean(), 4.0),
            "beta squared is 4 with beta = 2; yours has 16.",
        ),
        Mistake(
            "1 + beta^2 forgotten",
            lambda m, w, r: chrf(m, w, r) / 5,
            "F has the factor 1 + beta^2 = 5 in front, so that a faultless translation scores 100.",
        ),
        Mistake(
            "1 + beta for 1 + beta^2",
            lambda m, w, r: chrf(m, w, r) * 3 / 5,
            "The factor in front is 1 + beta^2 = 5, so that a faultless translation scores 100.",
        ),
        Mistake(
            "Divided the wrong way round",
            lambda m, w, r: chrf(w, m, w * m / r),
            "Precision and recall are shares, at most 1: matched / written and matched / reference.",
        ),
        Mistake(
            "Brackets missing",
            lambda m, w, r: 100 * 5 * (m / w).mean() * (m / r).mean() / 4 * (m / w).mean() + (m / r).mean(),
            "In Python a / b * c + d is ((a / b) * c) + d: write the denominator in brackets, / (4 * P + R).",
        ),
        Mistake(
            "nan where nothing matches",
            lambda m, w, r: torch.where(m.any(), chrf(m, w, r), torch.nan),
            "Right elsewhere. Where nothing matches, F is 0 / 0: return 0 there, for instance with nan_to_num().",
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
            "Geometric mean of both",
            lambda m, w, r: 100 * ((m / w).mean() * (m / r).mean()).sqrt(),
            "F is a (weighted) harmonic mean: (1 + beta^2) P R / (beta^2 P + R).",
        ),
        Mistake(
            "Orders added up first",
            lambda m, w, r: chrf(m.sum(), w.sum(), r.sum()),
            "Each order weighs the same in chrF: average the precisions, not the counts.",
        ),
        Mistake(
            "Sums over the orders",
            lambda m, w, r: len(m) * chrf(m, w, r),
            "Average precision and recall over the orders; their sums are up to as many times too large as there are orders.",
        ),
        Mistake(
            "F of each order, then averaged",
            lambda m, w, r: _f(m / w, m / r).mean(),
            "Some scripts do that. chrF as defined (Popović 2015), and sacrebleu by default, average precision and recall over "
            "the orders first, and take F once.",
        ),
        Mistake(
            "F of each order",
            lambda m, w, r: _f(m / w, m / r),
            "One number was asked: average precision and recall over the orders, and take F of these two.",
        ),
        Mistake(
            "Geometric mean over the orders",
            lambda m, w, r: _f((m / w).log().mean().exp(), (m / r).log().mean().exp()),
            "That is BLEU's way. chrF averages the precisions, and the recalls, as they are.",
        ),
        Mistake(
            "Single characters only",
            lambda m, w, r: chrf(m[:1], w[:1], r[:1]),
            "Average precision and recall over all the orders, not only the first.",
        ),
        Mistake(
            "The longest n-grams only",
            lambda m, w, r: chrf(m[-1:], w[-1:], r[-1:]),
            "Average precision and recall over all the orders, not only the last.",
        ),
        Mistake("0 to 1", lambda m, w, r: chrf(m, w, r) / 100, "chrF is reported from 0 to 100: times 100."),
    ),
)

EXERCISES = (MATCHES, BLEU, CONDITIONAL_LOSS, SHARE_OF_MIXTURES, CHRF)

PREDICTIONS = (
    Prediction(
        "bleu_of_the_faultless",
        ("75", "90", "100"),
        answer="75",
        because="it says the same in other words, and BLEU counts words.",
        wrong={
            "90": (
                "Other words here and there seem a small loss. But each of them breaks all runs of up to four words that it "
                "stands in, and another order of the words breaks still more."
            ),
            "100": (
                "Nothing that it says is wrong, so what should it lose? But the score asks for the reference's words, and the "
                "reference chose its own freely."
            ),
        },
    ),
    Prediction(
        "likeliest_words_right",
        ("all", "half", "none"),
        answer="none",
        because="its two orders are about as common, and every place is torn between them.",
        wrong={
            "all": (
                "Each place takes its best word, and in English that is enough. In French places side by side take their best "
                "words from different orders."
            ),
            "half": (
                "Of two orders that are about as common one hopes to hit one half of the time. But the places do not choose "
                "an order together: each has its own best word."
            ),
        },
    ),
    Prediction(
        "second_look_helps",
        ("yes", "no"),
        answer="yes",
        because="q moves z to the nearest clear choice of order and wording.",
        wrong={
            "no": (
                "What was torn when it was written looks beyond repair. But q sees all of the words at once, and they mostly "
                "lean towards one of the orders."
            ),
        },
    ),
    Prediction(
        "pair_never_trained",
        ("none", "half", "most"),
        answer="most",
        because="all readers put a fact into the same place of z, where any writer finds it.",
        wrong={
            "none": (
                "The two never meet in training, so nothing seems to join them. But each was trained with English on one z, "
                "and that joins all three."
            ),
            "half": (
                "What was never trained should lose something against what was. It loses next to nothing: a writer need not "
                "know whose reader filled z."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "where_a_latent_has_work",
        question=(
            "A source says all that its translation must say. Where in this lesson did $z$ have work to do all the same, "
            "and why just there?"
        ),
        model=(
            "Where all words are written at once: the places cannot see each other, and $z$ lets them agree on one order "
            "and wording, on another with another draw. And where languages meet that were never trained together: there "
            "the source is gone, and all that is told must go through $z$. A decoder that attends to its source and reads "
            "its own words needs it for neither."
        ),
        rubric=(
            "words that are written independently can agree through $z$, and not always on the same wording;",
            "a shared $z$ is a place where languages meet;",
            "beside a decoder that sees the source and its own words, $z$ had little to add.",
        ),
    ),
)
