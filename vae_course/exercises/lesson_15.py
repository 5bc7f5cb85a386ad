"""Exercises of lesson 15: surprisal, F0.5, a threshold from validation, Bayes' rule, and doubt word by word."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, flags, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def _flags(*rows: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.bool)


# --- surprisal ------------------------------------------------------------------------------------------------------


def surprisal(logits: Tensor, tokens: Tensor) -> Tensor:
    return -logits.log_softmax(-1)[:-1].gather(1, tokens[1:, None])[:, 0]


def _sentences() -> list[Arguments]:
    first = double([[0.5, 2.0, -1.0], [1.0, 0.2, 3.0], [0.1, 1.0, 0.5]])
    second = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2
    return [
        (first, torch.tensor([0, 1, 2])),
        (second, torch.tensor([0, 3, 1, 2, 2])),
        (double([[0.4, 0.3], [1.0, 2.0]]), torch.tensor([0, 1])),
    ]


def _drawn_sentence(generator: Generator) -> Arguments:
    time, vocabulary = sizes(generator, 2, 2, 7)
    return numbers(generator, time, vocabulary, low=-5, high=5), whole(generator, time, high=vocabulary - 1)


def _sentence_of_the_lesson(generator: Generator) -> Arguments:
    return 3 * torch.randn(40, 100, generator=generator), whole(generator, 40, high=99)


def _shifted(logits: Tensor, tokens: Tensor, rows: slice, words: slice) -> Tensor:
    return -logits.log_softmax(-1)[rows].gather(1, tokens[words, None])[:, 0]


SURPRISAL = Exercise(
    task=(
        "logits (time, vocabulary): row t is about the word after tokens[t]. tokens (time,) begin with <bos>. "
        "The surprisal of each word after <bos>, in nats: (time - 1,)."
    ),
    reference=surprisal,
    cases=_sentences,
    generate=_drawn_sentence,
    lesson=_sentence_of_the_lesson,
    gradients=("logits",),
    hints=(
        "Row t predicts tokens[t + 1]. So the last row is not needed, and <bos> has no surprisal.",
        "logits.log_softmax(-1) are log-probabilities in nats, a row for each place. One number in each row is wanted.",
        "log_p[:-1].gather(1, tokens[1:, None])[:, 0] takes it; change the sign.",
    ),
    mistakes=(
        Mistake(
            "The wrong position",
            lambda logits, tokens: _shifted(logits, tokens, slice(1, None), slice(1, None)),
            "Row t of the logits was computed after reading tokens[t], so it predicts tokens[t + 1], not tokens[t] itself.",
        ),
        Mistake(
            "Shifted the wrong way",
            lambda logits, tokens: _shifted(logits, tokens, slice(1, None), slice(None, -1)),
            "Row t predicts the *next* word: leave out the last row of the logits and the first of the tokens. Yours asks each "
            "row about the word before.",
        ),
        Mistake(
            "Not shifted, and the last word left out",
            lambda logits, tokens: _shifted(logits, tokens, slice(None, -1), slice(None, -1)),
            "Row t has read tokens[t] and predicts tokens[t + 1]: take the tokens from the second on, tokens[1:].",
        ),
        Mistake(
            "<bos> counted",
            lambda logits, tokens: _shifted(logits, tokens, slice(None), slice(None)),
            "Row t predicts tokens[t + 1]; nobody predicts <bos>. There is one surprisal less than there are tokens.",
        ),
        Mistake(
            "A 0 for <bos>",
            lambda logits, tokens: torch.cat([logits.new_zeros(1), surprisal(logits, tokens)]),
            "The words are right. <bos> has no surprisal at all, so there is one number less than there are tokens.",
        ),
        Mistake(
            "The last word left out",
            lambda logits, tokens: surprisal(logits, tokens)[:-1],
            "Every word after <bos> is predicted, the last one as well: it is the last *row* that is not needed.",
        ),
        Mistake(
            "Without the minus sign",
            lambda logits, tokens: -surprisal(logits, tokens),
            "These are log-probabilities, 0 at most. Surprise is *minus* the log-probability.",
        ),
        Mistake(
            "Logits taken for log-probabilities",
            lambda logits, tokens: -logits[:-1].gather(1, tokens[1:, None])[:, 0],
            "Logits are log-probabilities up to a constant that differs from place to place. Use log_softmax first.",
        ),
        Mistake(
            "Softmax over the places",
            lambda logits, tokens: -logits.log_softmax(0)[:-1].gather(1, tokens[1:, None])[:, 0],
            "Each row is a distribution over the vocabulary: log_softmax(-1), not over the time, dimension 0.",
        ),
        Mistake(
            "Softmax twice",
            lambda logits, tokens: surprisal(logits.softmax(-1), tokens),
            "cross_entropy and log_softmax take logits; they were given probabilities, and normalized a second time.",
        ),
        Mistake(
            "Sigmoid in place of softmax",
            lambda logits, tokens: -torch.nn.functional.logsigmoid(logits)[:-1].gather(1, tokens[1:, None])[:, 0],
            "One word comes at each place, so the vocabulary's probabilities sum to 1: a softmax, not a sigmoid for each.",
        ),
        Mistake(
            "Logarithm of the logits",
            lambda logits, tokens: -logits.log()[:-1].gather(1, tokens[1:, None])[:, 0],
            "Logits may be negative and are no probabilities. log_softmax makes log-probabilities of them.",
        ),
        Mistake(
            "Probabilities",
            lambda logits, tokens: (-surprisal(logits, tokens)).exp(),
            "These are probabilities. The surprisal is -log of them: a rare word has a large one.",
        ),
        Mistake(
            "Minus the probability",
            lambda logits, tokens: -(-surprisal(logits, tokens)).exp(),
            "The logarithm is missing: surprisal is -log p, not -p. (torch's nll_loss wants *log*-probabilities.)",
        ),
        Mistake(
            "One minus the probability",
            lambda logits, tokens: 1 - (-surprisal(logits, tokens)).exp(),
            "That is how probable it was that the word would not come. The surprisal is -log p.",
        ),
        Mistake(
            "One divided by the probability",
            lambda logits, tokens: surprisal(logits, tokens).exp(),
            "This is 1 / p, the perplexity of each word. The surprisal is its logarithm.",
        ),
        Mistake(
            "Weighted with the probability",
            lambda logits, tokens: surprisal(logits, tokens) * (-surprisal(logits, tokens)).exp(),
            "-p log p is what a word adds to the *entropy*. The word is there: its surprisal is -log p alone.",
        ),
        Mistake(
            "Bits",
            lambda logits, tokens: surprisal(logits, tokens) / math.log(2),
            "Right in bits. The course counts nats: take the natural logarithm.",
        ),
        Mistake(
            "Decimal digits",
            lambda logits, tokens: surprisal(logits, tokens) / math.log(10),
            "This is the logarithm to base 10. The course counts nats: take the natural logarithm.",
        ),
        Mistake(
            "The sum",
            lambda logits, tokens: surprisal(logits, tokens).sum(),
            "This is the NLL of the sentence. Keep the words apart: we want to know *where* the surprise is.",
        ),
        Mistake(
            "The mean",
            lambda logits, tokens: surprisal(logits, tokens).mean(),
            "Keep the words apart: we want to know *where* the surprise is. (cross_entropy averages by default.)",
        ),
        Mistake(
            "Added up along the sentence",
            lambda logits, tokens: surprisal(logits, tokens).cumsum(0),
            "These are the nats up to each word. Give each word its own.",
        ),
        Mistake(
            "Entropy",
            lambda logits, tokens: -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)[:-1],
            "The entropy is the surprisal that the model *expects* at a place. Ask for that of the word that is there.",
        ),
        Mistake(
            "The likeliest word",
            lambda logits, tokens: -logits.log_softmax(-1)[:-1].max(-1).values,
            "This is the surprisal of the word that the model likes best. Ask for that of the word that is there.",
        ),
        Mistake(
            "The whole vocabulary",
            lambda logits, tokens: -logits.log_softmax(-1)[:-1],
            "Each row has the surprisal of every word that might come. Choose the one of the word that is there, with gather.",
        ),
        Mistake(
            "Every row with every word",
            lambda logits, tokens: -logits.log_softmax(-1)[:-1, tokens[1:]],
            "log_p[:-1, tokens] takes all these words in *each* row. Pair row t with its own word, with gather.",
        ),
    ),
)

# --- F0.5 -----------------------------------------------------------------------------------------------------------


def f_half(flagged: Tensor, wrong: Tensor) -> Tensor:
    hits = (flagged & wrong).sum()
    precision, recall = hits / flagged.sum(), hits / wrong.sum()
    return (1.25 * precision * recall / (0.25 * precision + recall)).nan_to_num()


def _judged() -> list[Arguments]:
    return [
        (_flags(1, 0, 0, 0), _flags(1, 1, 0, 0)),
        (_flags(1, 1, 0, 1, 1, 0, 0), _flags(1, 0, 0, 0, 1, 0, 0)),
        (_flags(1, 1, 1, 0, 0, 0, 0, 0, 0, 1), _flags(1, 1, 0, 0, 1, 1, 0, 1, 0, 0)),
        (_flags(1, 0, 0), _flags(0, 1, 0)),
        (_flags(0, 0, 0), _flags(0, 1, 0)),
        (_flags(1, 0), _flags(0, 0)),
        (_flags(1, 1, 1), _flags(1, 1, 1)),
    ]


def _drawn_flags(generator: Generator, count: int | None = None) -> Arguments:
    words = size(generator, 3, 12) if count is None else count
    flagged, wrong = (flags(generator, words, share=size(generator, 2, 8) / 10) for _ in range(2))
    return (flagged, wrong) if bool((flagged | wrong).any()) else _drawn_flags(generator, count)


def _f(flagged: Tensor, wrong: Tensor, squared: float) -> Tensor:
    precision, recall = _precision(flagged, wrong), _recall(flagged, wrong)
    return ((1 + squared) * precision * recall / (squared * precision + recall)).nan_to_num()


def _precision(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged & wrong).sum() / flagged.sum()


def _recall(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged & wrong).sum() / wrong.sum()


def _f_of(precision: Tensor, recall: Tensor) -> Tensor:
    return 1.25 * precision * recall / (0.25 * precision + recall)


def _with_hits(hits: Tensor, flagged: Tensor, wrong: Tensor) -> Tensor:
    return _f_of(hits / flagged.sum(), hits / wrong.sum())


F_HALF = Exercise(
    task=(
        "flagged, wrong: (words,) of bool, and some word is flagged or wrong. F with beta = 0.5: "
        "(1 + beta^2) P R / (beta^2 P + R), and 0 where no flagged word is wrong. One number."
    ),
    reference=f_half,
    cases=_judged,
    generate=_drawn_flags,
    lesson=lambda g: _drawn_flags(g, 1000),
    hints=(
        "Hits are words that are flagged *and* wrong. How many are there among the flagged, how many among the wrong?",
        "Precision: hits among the flagged. Recall: hits among the wrong. With beta = 0.5, beta squared is 0.25.",
        "hits = (flagged & wrong).sum(), and F is 1.25 P R / (0.25 P + R). nan without hits counts as 0: nan_to_num().",
    ),
    mistakes=(
        Mistake(
            "nan without hits",
            lambda flagged, wrong: torch.where((flagged & wrong).any(), f_half(flagged, wrong), torch.nan),
            "Right elsewhere. Where no flagged word is wrong, P and R are 0 or 0 / 0: return 0 there, for instance with "
            "nan_to_num().",
        ),
        Mistake(
            "nan where nothing is flagged, or nothing wrong",
            lambda flagged, wrong: torch.where(flagged.any() & wrong.any(), f_half(flagged, wrong), torch.nan),
            "Right elsewhere. Where nothing is flagged, precision is 0 / 0, and so is recall where nothing is wrong: return 0.",
        ),
        Mistake(
            "1 without hits",
            lambda flagged, wrong: torch.where((flagged & wrong).any(), f_half(flagged, wrong), 1.0),
            "Right elsewhere. Where no flagged word is wrong, the detector was of no use: return 0 there.",
        ),
        Mistake(
            "Division by 0 without hits",
            lambda flagged, wrong: torch.tensor(float(f_half(flagged, wrong)) / float((flagged & wrong).any())),
            "Right elsewhere. Where no flagged word is wrong, Python divides by 0. Return 0 there.",
        ),
        Mistake(
            "F1",
            lambda flagged, wrong: _f(flagged, wrong, 1.0),
            "In F1 a miss and a false alarm weigh alike. With beta = 0.5 precision weighs more: beta squared is 0.25.",
        ),
        Mistake(
            "F2",
            lambda flagged, wrong: f_half(wrong, flagged),
            "This is beta = 2 (or precision and recall in each other's place). It favours recall; F0.5 favours precision.",
        ),
        Mistake(
            "beta not squared",
            lambda flagged, wrong: _f(flagged, wrong, 0.5),
            "The formula has beta *squared*: 0.25, not 0.5.",
        ),
        Mistake(
            "beta squared twice",
            lambda flagged, wrong: _f(flagged, wrong, 0.0625),
            "beta squared is 0.25 with beta = 0.5; yours has 0.0625.",
        ),
        Mistake(
            "1 + beta^2 forgotten",
            lambda flagged, wrong: f_half(flagged, wrong) / 1.25,
            "F has the factor 1 + beta^2 = 1.25 in front, so that a faultless detector scores 1.",
        ),
        Mistake(
            "1 + beta for 1 + beta^2",
            lambda flagged, wrong: 1.5 * f_half(flagged, wrong) / 1.25,
            "The factor in front is 1 + beta^2 = 1.25, so that a faultless detector scores 1.",
        ),
        Mistake(
            "Precision only",
            _precision,
            "Who flags a single word, and is right, has precision 1. Recall belongs to it as well.",
        ),
        Mistake(
            "Precision alone",
            lambda flagged, wrong: (flagged & wrong).sum() / flagged.sum().clamp(min=1),
            "Who flags a single word, and is right, has precision 1. Recall belongs to it as well.",
        ),
        Mistake(
            "Recall alone",
            lambda flagged, wrong: (flagged & wrong).sum() / wrong.sum().clamp(min=1),
            "Who flags every word has recall 1. Precision belongs to it as well.",
        ),
        Mistake(
            "Hits not weighted below",
            lambda flagged, wrong: (
                (flagged & wrong).sum() / ((flagged & wrong).sum() + 0.25 * (~flagged & wrong).sum() + (flagged & ~wrong).sum())
            ),
            "In counts F0.5 is 1.25 hits / (1.25 hits + 0.25 misses + false alarms): the 1.25 stands above and below.",
        ),
        Mistake("Recall only", _recall, "Who flags every word has recall 1. Precision belongs to it as well."),
        Mistake(
            "Accuracy",
            lambda flagged, wrong: (flagged == wrong).double().mean(),
            "Most words are right, so who flags nothing has a high accuracy. F looks at the flagged and the wrong ones only.",
        ),
        Mistake(
            "Agreements taken for hits",
            lambda flagged, wrong: _with_hits((flagged == wrong).sum(), flagged, wrong),
            "A word that is right and not flagged is no hit. Hits are flagged *and* wrong: flagged & wrong.",
        ),
        Mistake(
            "Or in place of and",
            lambda flagged, wrong: _with_hits((flagged | wrong).sum(), flagged, wrong),
            "Hits are words that are flagged *and* wrong: flagged & wrong.",
        ),
        Mistake(
            "Right words for wrong ones",
            lambda flagged, wrong: f_half(~flagged, ~wrong),
            "True means that a word is wrong, or flagged as wrong. Yours judges how well right words are let pass.",
        ),
        Mistake(
            "Recall among the right words",
            lambda flagged, wrong: _f_of(_precision(flagged, wrong), (~flagged & ~wrong).sum() / (~wrong).sum()),
            "That is the specificity: which share of the *right* words is let pass. Recall is hits among the wrong ones.",
        ),
        Mistake(
            "Shared by either",
            lambda flagged, wrong: (flagged & wrong).sum() / (flagged | wrong).sum(),
            "This is hits among all that are flagged or wrong (the Jaccard index). F0.5 weighs precision and recall.",
        ),
        Mistake(
            "Arithmetic mean of both",
            lambda flagged, wrong: (_precision(flagged, wrong) + _recall(flagged, wrong)) / 2,
            "F is a weighted *harmonic* mean: low if either of the two is.",
        ),
        Mistake(
            "Geometric mean of both",
            lambda flagged, wrong: (_precision(flagged, wrong) * _recall(flagged, wrong)).sqrt(),
            "F is a weighted *harmonic* mean: (1 + beta^2) P R / (beta^2 P + R).",
        ),
        Mistake(
            "Product of both",
            lambda flagged, wrong: _precision(flagged, wrong) * _recall(flagged, wrong),
            "Divide by beta^2 P + R, and multiply by 1 + beta^2: F is a weighted harmonic mean.",
        ),
        Mistake(
            "Brackets missing",
            lambda flagged, wrong: (
                1.25 * _precision(flagged, wrong) * _recall(flagged, wrong) / 0.25 * _precision(flagged, wrong)
                + _recall(flagged, wrong)
            ),
            "In Python a / b * c + d is ((a / b) * c) + d: write the denominator in brackets, / (0.25 * P + R).",
        ),
        Mistake("Per cent", lambda flagged, wrong: 100 * f_half(flagged, wrong), "F lies between 0 and 1."),
    ),
)

# --- a threshold ----------------------------------------------------------------------------------------------------

Score = Callable[[Tensor, Tensor], Tensor]


def honest_score(scores: Tensor, wrong: Tensor, test_scores: Tensor, test_wrong: Tensor, score: Score) -> Tensor:
    values = torch.stack([score(scores >= threshold, wrong) for threshold in scores])
    return score(test_scores >= scores[values.argmax()], test_wrong)


def share_right(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged == wrong).double().mean()


def f_one(flagged: Tensor, wrong: Tensor) -> Tensor:
    return _f(flagged, wrong, 1.0)


def _held_out() -> list[Arguments]:
    return [
        (double([1.0, 3.0, 2.0]), _flags(0, 1, 0), double([2.5, 3.0, 0.5, 4.0]), _flags(0, 0, 1, 1), f_half),
        (double([2.0]), _flags(1), double([1.0, 2.0, 2.5]), _flags(1, 0, 1), f_half),
        (
            double([0.5, 2.0, 1.5, 3.0, 1.0]),
            _flags(0, 1, 0, 1, 0),
            double([2.0, 1.8, 0.4, 2.6]),
            _flags(0, 1, 0, 1),
            share_right,
        ),
        (double([1.0, 3.0]), _flags(0, 1), double([1.0, 2.0, 1.5]), _flags(0, 1, 0), f_half),
        (
            double([3.0, 2.0, 5.0, 1.0, 4.0]),
            _flags(0, 1, 0, 0, 0),
            double([4.5, 2.5, 1.5, 2.0, 5.0, 0.5]),
            _flags(1, 0, 0, 1, 0, 0),
            f_half,
        ),
        (
            double([1.0, 4.0, 6.0, 2.0, 3.0, 5.0]),
            _flags(1, 0, 1, 1, 0, 0),
            double([0.5, 2.0, 6.0, 3.0]),
            _flags(1, 1, 0, 0),
            f_one,
        ),
    ]


def _drawn_held_out(generator: Generator, validation: int | None = None, test: int | None = None) -> Arguments:
    """One threshold is the best, whatever order they are tried in, and one test word has just its score."""
    chosen = sizes(generator, 2, 5, 12)
    validation, test = validation or chosen[0], test or chosen[1]
    score = (f_half, share_right, f_one)[size(generator, 0, 2)]
    wrong, test_wrong = flags(generator, validation, share=0.4), flags(generator, test, share=0.4)
    scores, test_scores = (
        numbers(generator, len(w), low=0, high=3).mul(10).round() / 10 + w * size(generator, 0, 7) / 5
        for w in (wrong, test_wrong)
    )
    values = torch.stack([score(scores >= threshold, wrong) for threshold in scores])
    best = scores[values == values.max()].unique()
    if len(best) > 1 or not bool(wrong.any() & test_wrong.any()):
        return _drawn_held_out(generator, validation, test)
    test_scores[size(generator, 0, test - 1)] = best[0]
    return scores, wrong, test_scores, test_wrong, score


def _held_out_of_the_lesson(generator: Generator) -> Arguments:
    *tensors, score = _drawn_held_out(generator, 60, 50)
    return *(a.float() if a.is_floating_point() else a for a in tensors), score


def _best(scores: Tensor, wrong: Tensor, score: Score) -> Tensor:
    return scores[torch.stack([score(scores >= threshold, wrong) for threshold in scores]).argmax()]


def _over_test(scores: Tensor, test_scores: Tensor, test_wrong: Tensor, score: Score) -> Tensor:
    """The score on test of each threshold from validation."""
    return torch.stack([score(test_scores >= threshold, test_wrong) for threshold in scores])


HONEST_SCORE = Exercise(
    task=(
        "scores, wrong: of validation words; test_scores, test_wrong: of test words. score(flagged, wrong) -> one number. "
        "Try each validation score as a threshold (flag what is at least as large), and score the test words with the best."
    ),
    reference=honest_score,
    cases=_held_out,
    generate=_drawn_held_out,
    lesson=_held_out_of_the_lesson,
    hints=(
        "Two steps: find a threshold on validation words, then use it, unchanged, on test words.",
        "Each validation score is tried as a threshold: what is at least as large is flagged, and score says how good that is.",
        "values = torch.stack([score(scores >= t, wrong) for t in scores]), and the best threshold is scores[values.argmax()].",
    ),
    mistakes=(
        Mistake(
            "Threshold tuned on test",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(
                test_scores, test_wrong, test_scores, test_wrong, score
            ),
            "The threshold may not see the test words: what it reaches there is the best of many tries.",
        ),
        Mistake(
            "The best of the test scores",
            lambda scores, wrong, test_scores, test_wrong, score: _over_test(scores, test_scores, test_wrong, score).max(),
            "The thresholds come from validation, but the choice among them was made by the test words. Choose on validation.",
        ),
        Mistake(
            "The mean of the test scores",
            lambda scores, wrong, test_scores, test_wrong, score: _over_test(scores, test_scores, test_wrong, score).mean(),
            "Only one threshold is used on test words: the one that is best on validation words.",
        ),
        Mistake(
            "A score for each threshold",
            lambda scores, wrong, test_scores, test_wrong, score: _over_test(scores, test_scores, test_wrong, score),
            "Only one threshold is used on test words, the one that is best on validation words. That gives one number.",
        ),
        Mistake(
            "Validation and test words pooled",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(
                torch.cat([scores, test_scores]), torch.cat([wrong, test_wrong]), test_scores, test_wrong, score
            ),
            "The test words helped to choose the threshold. It may see validation words only.",
        ),
        Mistake(
            "Chosen on all words together",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores
                >= scores[_over_test(scores, torch.cat([scores, test_scores]), torch.cat([wrong, test_wrong]), score).argmax()],
                test_wrong,
            ),
            "The test words helped to choose the threshold. It may see validation words only.",
        ),
        Mistake(
            "Scored on all words together",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(
                scores, wrong, torch.cat([scores, test_scores]), torch.cat([wrong, test_wrong]), score
            ),
            "The threshold was chosen on the validation words, so they flatter it. Score the test words alone.",
        ),
        Mistake(
            "Thresholds from the test words",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= test_scores[_over_test(test_scores, scores, wrong, score).argmax()], test_wrong
            ),
            "The choice is made on validation words, as it should be. But the candidates are the validation scores.",
        ),
        Mistake(
            "The score on validation",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(scores, wrong, scores, wrong, score),
            "That is the number by which the threshold was chosen, so it is too good. Report the one on test words.",
        ),
        Mistake(
            "The threshold itself",
            lambda scores, wrong, test_scores, test_wrong, score: _best(scores, wrong, score),
            "This is the threshold. Now flag the test words with it, and score that.",
        ),
        Mistake(
            "The place of the best in place of the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= _over_test(scores, scores, wrong, score).argmax(), test_wrong
            ),
            "argmax says *where* the best threshold stands. The threshold itself is the score there, scores[...].",
        ),
        Mistake(
            "The best score in place of the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= _over_test(scores, scores, wrong, score).max(), test_wrong
            ),
            "max is how good the best threshold is. Flag with the threshold that reaches it, scores[values.argmax()].",
        ),
        Mistake(
            "The test word at the place of the best",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= test_scores[_over_test(scores, scores, wrong, score).argmax()], test_wrong
            ),
            "argmax counts validation words, so the threshold is scores[...] there, not test_scores[...].",
        ),
        Mistake(
            "Tried in one order, looked up in another",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= scores[_over_test(scores.sort().values, scores, wrong, score).argmax()], test_wrong
            ),
            "argmax counts in the order in which the thresholds were tried. Those were sorted, the scores are not.",
        ),
        Mistake(
            "Above, not at or above",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores > scores[torch.stack([score(scores > t, wrong) for t in scores]).argmax()], test_wrong
            ),
            "A word whose score is just the threshold is flagged too: >=, not >.",
        ),
        Mistake(
            "Above, not at or above, on test",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores > _best(scores, wrong, score), test_wrong),
            "Flag test words just as the validation words were flagged: scores >= threshold, the threshold's own included.",
        ),
        Mistake(
            "The wrong side flagged",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(-scores, wrong, -test_scores, test_wrong, score),
            "Surprising words have *large* scores: flag what is at or above the threshold.",
        ),
        Mistake(
            "The wrong side flagged on test",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores < _best(scores, wrong, score), test_wrong),
            "Surprising words have *large* scores: flag what is at or above the threshold.",
        ),
        Mistake(
            "Chosen by accuracy",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= _best(scores, wrong, share_right), test_wrong
            ),
            "Choose by the score that will be reported, which is passed to you.",
        ),
        Mistake(
            "Always F0.5",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(scores, wrong, test_scores, test_wrong, f_half),
            "Call the function score that is passed to you: it is not always F0.5.",
        ),
        Mistake(
            "Flagged and wrong swapped",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(
                scores, wrong, test_scores, test_wrong, lambda flagged, there: score(there, flagged)
            ),
            "score takes what is flagged first, and what is wrong second.",
        ),
        Mistake(
            "The worst threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= scores[_over_test(scores, scores, wrong, score).argmin()], test_wrong
            ),
            "A large score is good: argmax, not argmin.",
        ),
        Mistake(
            "The best score on all words together",
            lambda scores, wrong, test_scores, test_wrong, score: _over_test(
                torch.cat([scores, test_scores]), torch.cat([scores, test_scores]), torch.cat([wrong, test_wrong]), score
            ).max(),
            "The threshold may not see the test words: choose it on validation words, and score the test words alone.",
        ),
        Mistake(
            "The largest score as the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores >= scores.max(), test_wrong),
            "Try every validation score as a threshold, and keep the one with the best score on validation words.",
        ),
        Mistake(
            "The mean as the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores >= scores.mean(), test_wrong),
            "Try every validation score as a threshold, and keep the one with the best score on validation words.",
        ),
        Mistake(
            "The median as the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores >= scores.median(), test_wrong),
            "Try every validation score as a threshold, and keep the one with the best score on validation words.",
        ),
        Mistake(
            "The smallest wrong word's score as the threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores >= scores[wrong].min(), test_wrong),
            "That finds all the wrong words, at any price. Keep the threshold with the best score on validation words.",
        ),
    ),
)

# --- Bayes' rule ----------------------------------------------------------------------------------------------------


def meant_given_written(prior: Tensor, channel: Tensor, written: Tensor) -> Tensor:
    joint = prior * channel[:, written]
    return joint / joint.sum()


def _channels() -> list[Arguments]:
    return [
        (double([0.9, 0.1]), double([[0.8, 0.2], [0.3, 0.7]]), torch.tensor(1)),
        (double([0.5, 0.3, 0.2]), double([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.0, 0.7]]), torch.tensor(0)),
        (double([0.5, 0.3, 0.2]), double([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.0, 0.7]]), torch.tensor(1)),
        (double([1.0]), double([[0.6, 0.4]]), torch.tensor(1)),
        (double([0.0, 0.4, 0.6]), double([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]), torch.tensor(1)),
    ]


def _drawn_channel(generator: Generator) -> Arguments:
    meant, forms = sizes(generator, 2, 2)
    prior, channel = probabilities(generator, meant, zeros=True), probabilities(generator, meant, forms, zeros=True)
    possible = (prior @ channel).nonzero()[:, 0]
    return prior, channel, possible[size(generator, 0, len(possible) - 1)]


def _channel_of_the_lesson(generator: Generator) -> Arguments:
    prior, channel = torch.randn(60, generator=generator), torch.randn(60, 100, generator=generator)
    return (2 * prior).softmax(0), (2 * channel).softmax(-1), torch.tensor(size(generator, 0, 99))


def _normalized(weights: Tensor) -> Tensor:
    return weights / weights.sum()


MEANT_GIVEN_WRITTEN = Exercise(
    task=(
        "prior (meant,): p(meant). channel (meant, written): p(written given meant), rows sum to 1. written: the number of "
        "the form that we see (its probability is not 0). Return p(meant given written), (meant,)."
    ),
    reference=meant_given_written,
    cases=_channels,
    generate=_drawn_channel,
    lesson=_channel_of_the_lesson,
    hints=(
        "Of the channel only one column is needed: how likely each meant sentence makes what we see.",
        "Bayes: p(meant given written) is in proportion to p(meant) p(written given meant).",
        "joint = prior * channel[:, written], and then joint / joint.sum().",
    ),
    mistakes=(
        Mistake(
            "The prior left out",
            lambda prior, channel, written: meant_given_written(torch.ones_like(prior), channel, written),
            "This is what a spelling checker does that knows errors but no language. Multiply by p(meant).",
        ),
        Mistake(
            "The channel's column as it stands",
            lambda prior, channel, written: channel[:, written].clone(),
            "This is p(written given meant). Bayes' rule turns it round: multiply by p(meant), and divide by the sum.",
        ),
        Mistake(
            "The channel's direction swapped",
            lambda prior, channel, written: _normalized(prior * channel[written]),
            "A *row* says what may be written for one meant sentence. We know what was written: take its *column*.",
        ),
        Mistake(
            "The prior along the wrong dimension",
            lambda prior, channel, written: _normalized((prior * channel)[:, written]),
            "prior * channel multiplies the *columns*: meant is the channel's first dimension, so prior[:, None] * channel.",
        ),
        Mistake(
            "p(meant given written) in the channel's place",
            lambda prior, channel, written: _normalized(prior * meant_given_written(prior, channel, written)),
            "Here the prior is counted twice. The channel must be p(written given meant); a model trained to write "
            "what was meant has the prior in it already.",
        ),
        Mistake(
            "Not divided by the sum",
            lambda prior, channel, written: prior * channel[:, written],
            "This is p(meant, written). Divide by its sum, p(written), to have a distribution over what was meant.",
        ),
        Mistake(
            "Divided by the sum of the column",
            lambda prior, channel, written: prior * channel[:, written] / channel[:, written].sum(),
            "Divide by p(written), the sum of prior * column, so that the result sums to 1.",
        ),
        Mistake(
            "Divided by the mean",
            lambda prior, channel, written: meant_given_written(prior, channel, written) * len(prior),
            "Probabilities sum to 1: divide the products by their sum, not by their mean.",
        ),
        Mistake(
            "Divided by the largest",
            lambda prior, channel, written: (
                meant_given_written(prior, channel, written) / meant_given_written(prior, channel, written).max()
            ),
            "Probabilities sum to 1: divide the products by their sum, not by their maximum.",
        ),
        Mistake(
            "Divided by the prior",
            lambda prior, channel, written: _normalized(channel[:, written] / prior),
            "A sentence that is meant more often is *more* probable: multiply by the prior.",
        ),
        Mistake(
            "The channel left out",
            lambda prior, channel, written: prior.clone(),
            "This is what one believes before reading anything. Multiply by how likely each sentence makes what was written.",
        ),
        Mistake(
            "p(written)",
            lambda prior, channel, written: prior @ channel[:, written],
            "This is how probable the written form is in all, the number to divide by. Return one for each meant sentence.",
        ),
        Mistake(
            "The likeliest sentence only",
            lambda prior, channel, written: (
                meant_given_written(prior, channel, written) == meant_given_written(prior, channel, written).max()
            ).to(prior.dtype),
            "That decides for one sentence. Return the probability of each.",
        ),
        Mistake(
            "The likeliest sentence's number",
            lambda prior, channel, written: meant_given_written(prior, channel, written).argmax(),
            "That decides for one sentence. Return the probability of each.",
        ),
        Mistake(
            "For every written form",
            lambda prior, channel, written: prior[:, None] * channel / (prior @ channel),
            "Only one form was written: take its column, [:, written].",
        ),
        Mistake(
            "Added",
            lambda prior, channel, written: _normalized(prior + channel[:, written]),
            "Probabilities of things that happen together are multiplied (their logs are added).",
        ),
        Mistake(
            "Softmax of probabilities",
            lambda prior, channel, written: (prior * channel[:, written]).softmax(0),
            "A softmax is for logs. These are probabilities: divide by their sum.",
        ),
        Mistake(
            "Softmax of the prior",
            lambda prior, channel, written: meant_given_written(prior.softmax(0), channel, written),
            "The prior holds probabilities already. A softmax is for logits.",
        ),
        Mistake(
            "Softmax of added probabilities",
            lambda prior, channel, written: (prior + channel[:, written]).softmax(0),
            "Add *logarithms* before a softmax: prior.log() + channel[:, written].log().",
        ),
        Mistake(
            "Log-probabilities",
            lambda prior, channel, written: meant_given_written(prior, channel, written).log(),
            "These are the logarithms of the probabilities: softmax in place of log_softmax, or an exp, is missing.",
        ),
    ),
)

# --- doubt, word by word --------------------------------------------------------------------------------------------


def doubt(posterior: Tensor, readings: Tensor, written: Tensor) -> Tensor:
    return posterior @ (readings != written).to(posterior.dtype)


def _readings() -> list[Arguments]:
    return [
        (double([0.7, 0.3]), torch.tensor([[1, 2], [1, 3]]), torch.tensor([1, 3])),
        (double([0.5, 0.3, 0.2]), torch.tensor([[4, 2, 7], [4, 3, 7], [5, 3, 6]]), torch.tensor([4, 3, 6])),
        (double([0.4, 0.35, 0.25]), torch.tensor([[1, 2, 3, 4], [9, 2, 3, 5], [9, 8, 3, 5]]), torch.tensor([9, 2, 3, 4])),
        (double([0.6, 0.4]), torch.tensor([[1, 2, 2], [2, 1, 2]]), torch.tensor([2, 1, 1])),
        (double([1.0]), torch.tensor([[1, 2]]), torch.tensor([1, 3])),
    ]


def _drawn_readings(generator: Generator) -> Arguments:
    """Of few words, so that a written one often stands in another place of a reading."""
    count, words = sizes(generator, 2, 2, 6)
    readings = whole(generator, count, words, low=1, high=4)
    return probabilities(generator, count, zeros=True), readings, whole(generator, words, low=1, high=4)


def _readings_of_the_lesson(generator: Generator) -> Arguments:
    written = whole(generator, 12, high=99)
    readings = torch.where(flags(generator, 40, 12, share=0.2), whole(generator, 40, 12, high=99), written)
    return torch.randn(40, generator=generator).softmax(0), readings, written


def _differs(posterior: Tensor, readings: Tensor, written: Tensor) -> Tensor:
    return (readings != written).to(posterior.dtype)


def _shares(posterior: Tensor, readings: Tensor) -> Tensor:
    """For each reading and word: with what probability this word is meant there, over all readings."""
    return torch.einsum("r,rsw->sw", posterior, (readings[:, None] == readings).to(posterior.dtype))


DOUBT = Exercise(
    task=(
        "posterior (readings,), which sums to 1; readings (readings, words): numbers of words; written (words,). "
        "For each written word: with what probability was another meant in its place? (words,)"
    ),
    reference=doubt,
    cases=_readings,
    generate=_drawn_readings,
    lesson=_readings_of_the_lesson,
    hints=(
        "A reading that has the written word at its place takes no part in that word's doubt; every other one does.",
        "For one word: add up the probabilities of all readings that have another word there. readings != written "
        "compares them all.",
        "A weighted sum over readings is a product: posterior @ (readings != written).double().",
    ),
    mistakes=(
        Mistake(
            "The best reading only",
            lambda posterior, readings, written: _differs(posterior, readings, written)[posterior.argmax()],
            "That says where the likeliest reading differs, with no doubt. Add up the probabilities of all readings that do.",
        ),
        Mistake(
            "The best reading only, with its probability",
            lambda posterior, readings, written: posterior.max() * _differs(posterior, readings, written)[posterior.argmax()],
            "Other readings may differ there as well. Add up the probabilities of all that do.",
        ),
        Mistake(
            "Share of the readings",
            lambda posterior, readings, written: _differs(posterior, readings, written).mean(0),
            "Every reading weighs as much as it is probable.",
        ),
        Mistake(
            "Readings counted",
            lambda posterior, readings, written: _differs(posterior, readings, written).sum(0),
            "Do not count the readings that differ: add up their probabilities.",
        ),
        Mistake(
            "Mean over the readings",
            lambda posterior, readings, written: doubt(posterior, readings, written) / len(posterior),
            "The probabilities are weights already: add up posterior times differs, do not average.",
        ),
        Mistake(
            "The likeliest differing reading only",
            lambda posterior, readings, written: (posterior[:, None] * _differs(posterior, readings, written)).amax(0),
            "Several readings may have another word there. Add up the probabilities of all of them.",
        ),
        Mistake(
            "The probability that the word is right",
            lambda posterior, readings, written: 1 - doubt(posterior, readings, written),
            "This is the other case: add up the readings that *differ* from what was written.",
        ),
        Mistake(
            "One number for the sentence",
            lambda posterior, readings, written: posterior @ (readings != written).any(1).to(posterior.dtype),
            "This is the probability that there is an error anywhere. Keep the words apart.",
        ),
        Mistake(
            "An error anywhere, for every word",
            lambda posterior, readings, written: (
                posterior @ (readings != written).any(1, keepdim=True).expand_as(readings).to(posterior.dtype)
            ),
            "A reading that differs in one word leaves no doubt about the others. Compare word by word.",
        ),
        Mistake(
            "The expected number of errors",
            lambda posterior, readings, written: doubt(posterior, readings, written).sum(),
            "This is how many words of the sentence are wrong, on average. Keep the words apart.",
        ),
        Mistake(
            "The mean over the words",
            lambda posterior, readings, written: doubt(posterior, readings, written).mean(),
            "Keep the words apart: one number for each written word.",
        ),
        Mistake(
            "One number for each reading",
            lambda posterior, readings, written: posterior * _differs(posterior, readings, written).sum(1),
            "Add up over the readings, dimension 0, not over the words: one number for each written word.",
        ),
        Mistake(
            "Readings kept apart",
            lambda posterior, readings, written: posterior[:, None] * _differs(posterior, readings, written),
            "Add these up over the readings, dimension 0: one number for each written word.",
        ),
        Mistake(
            "The word looked for anywhere",
            lambda posterior, readings, written: posterior @ (readings[:, :, None] != written).all(1).to(posterior.dtype),
            "A reading that has the word somewhere else has another one in *this* place. Compare place by place.",
        ),
        Mistake(
            "Relative to the best reading",
            lambda posterior, readings, written: doubt(posterior, readings, readings[posterior.argmax()]),
            "This is how sure the best reading is of its words. Compare with what was *written*.",
        ),
        Mistake(
            "Doubt of the likeliest word",
            lambda posterior, readings, written: 1 - _shares(posterior, readings).amax(0),
            "This is how unsure the word is that is likeliest in each place. Ask about the word that was *written*.",
        ),
        Mistake(
            "Every reading weighs alike on its own word",
            lambda posterior, readings, written: 1 - _differs(posterior, readings, written).mean(0),
            "These are the shares of the readings that agree. Add up the probabilities of those that *differ*.",
        ),
        Mistake(
            "All but the best reading doubted",
            lambda posterior, readings, written: (
                1 - posterior.max() * (1 - _differs(posterior, readings, written)[posterior.argmax()])
            ),
            "Other readings may have the written word too. Add up only those that have another one in its place.",
        ),
        Mistake(
            "Divided by the sum over the words",
            lambda posterior, readings, written: (
                doubt(posterior, readings, written) / doubt(posterior, readings, written).sum()
            ),
            "Each word is wrong or not for itself: these probabilities need not sum to 1.",
        ),
        Mistake(
            "Softmax of the posterior",
            lambda posterior, readings, written: doubt(posterior.softmax(0), readings, written),
            "The posterior is a distribution already. A softmax is for logits.",
        ),
        Mistake(
            "Numbers of words subtracted",
            lambda posterior, readings, written: posterior @ (readings - written).abs().to(posterior.dtype),
            "The numbers of two words say nothing of how far apart they are. Ask only whether they are the same, !=.",
        ),
        Mistake(
            "Decided in place of doubted",
            lambda posterior, readings, written: (doubt(posterior, readings, written) > 0.5).to(posterior.dtype),
            "Return the probability itself; whoever uses it chooses a threshold.",
        ),
        Mistake(
            "Another meant, as a logarithm",
            lambda posterior, readings, written: -(1 - doubt(posterior, readings, written)).log(),
            "This is the surprisal of the word being right. A probability was asked for.",
        ),
    ),
)

EXERCISES = (SURPRISAL, F_HALF, HONEST_SCORE, MEANT_GIVEN_WRITTEN, DOUBT)

PREDICTIONS = (
    Prediction(
        "better_detector",
        ("dictionary", "surprisal"),
        answer="surprisal",
        because="a dictionary misses each error that is a word, and those are many; surprise finds many of these too.",
        wrong={
            "dictionary": (
                "A word that is in no dictionary is nearly always wrong, so its precision is hard to beat. But an error that "
                "is itself a word passes, and this costs it more than surprisal's false alarms."
            ),
        },
        otherwise="few of these errors are words of the dictionary, and rare words surprise too.",
    ),
    Prediction(
        "better_corrector",
        ("channel", "pairs"),
        answer="channel",
        because="it need not learn the channel.",
        wrong={
            "pairs": (
                "Thousands of corrected sentences should be worth more than none. But from them it must learn errors and "
                "language both, while the other was given its channel and learned the language alone."
            ),
        },
        otherwise="pairs taught it more than the channel knows.",
    ),
)

EXPLANATIONS = (
    Explanation(
        "rare_and_right",
        question=(
            "A rare word surprises a language model just as an error does. How does a channel keep the rare word from being "
            "corrected away?"
        ),
        model=(
            "Surprise only asks how improbable the word is. Bayes' rule asks which explanation of it is the best: another "
            "word was meant *and* it slipped in just this way, or this word was meant. If no likely slip leads here, the "
            "rare word stays."
        ),
        rubric=(
            "surprisal compares a word with nothing;",
            "Bayes' rule weighs all readings, each by its prior times its channel;",
            "a rare word stays where every other reading needs a slip that is more improbable still.",
        ),
    ),
)
