"""Exercises of lesson 15: surprisal, F0.5, a threshold from validation, Bayes' rule, and doubt word by word."""

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _flags(*rows: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.bool)


# --- surprisal ------------------------------------------------------------------------------------------------------


def surprisal(logits: Tensor, tokens: Tensor) -> Tensor:
    return -logits.log_softmax(-1)[:-1].gather(1, tokens[1:, None])[:, 0]


def _sentences() -> list[Arguments]:
    first = _tensor([[0.5, 2.0, -1.0], [1.0, 0.0, 3.0], [0.0, 1.0, 0.5]])
    second = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2
    return [(first, torch.tensor([0, 1, 2])), (second, torch.tensor([0, 3, 1, 2, 2]))]


def _of_the_same_place(logits: Tensor, tokens: Tensor) -> Tensor:
    return -logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]


SURPRISAL = Exercise(
    task=(
        "logits (time, vocabulary): row t is about the word after tokens[t]. tokens (time,) begin with <bos>. "
        "The surprisal of each word after <bos>, in nats: (time - 1,)."
    ),
    reference=surprisal,
    cases=_sentences,
    hints=(
        "Row t predicts tokens[t + 1]. So the last row is not needed, and <bos> has no surprisal.",
        "logits.log_softmax(-1) are log-probabilities in nats, a row for each place.",
        "Choose one number in each row: log_p[:-1].gather(1, tokens[1:, None])[:, 0], and change the sign.",
    ),
    mistakes=(
        Mistake(
            "The wrong position",
            lambda logits, tokens: _of_the_same_place(logits, tokens)[1:],
            "Row t of the logits was computed after reading tokens[t], so it predicts tokens[t + 1], not tokens[t] itself.",
        ),
        Mistake(
            "<bos> counted",
            _of_the_same_place,
            "Row t predicts tokens[t + 1]; nobody predicts <bos>. There is one surprisal less than there are tokens.",
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
            "Probabilities",
            lambda logits, tokens: (-surprisal(logits, tokens)).exp(),
            "These are probabilities. The surprisal is -log of them: a rare word has a large one.",
        ),
        Mistake(
            "Bits",
            lambda logits, tokens: surprisal(logits, tokens) / torch.log(_tensor(2.0)),
            "Right in bits. The course counts nats: take the natural logarithm.",
        ),
        Mistake(
            "The sum",
            lambda logits, tokens: surprisal(logits, tokens).sum(),
            "This is the NLL of the sentence. Keep the words apart: we want to know *where* the surprise is.",
        ),
        Mistake(
            "Entropy",
            lambda logits, tokens: -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)[:-1],
            "The entropy is the surprisal that the model *expects* at a place. Ask for that of the word that is there.",
        ),
    ),
)

# --- F0.5 -----------------------------------------------------------------------------------------------------------


def f_half(flagged: Tensor, wrong: Tensor) -> Tensor:
    hits = (flagged & wrong).sum()
    precision, recall = hits / flagged.sum(), hits / wrong.sum()
    return 1.25 * precision * recall / (0.25 * precision + recall)


def _judged() -> list[Arguments]:
    return [
        (_flags(1, 0, 0, 0), _flags(1, 1, 0, 0)),
        (_flags(1, 1, 0, 1, 1, 0, 0), _flags(1, 0, 0, 0, 1, 0, 0)),
        (_flags(1, 1, 1, 0, 0, 0, 0, 0, 0, 1), _flags(1, 1, 0, 0, 1, 1, 0, 1, 0, 0)),
    ]


def _f(flagged: Tensor, wrong: Tensor, squared: float) -> Tensor:
    precision, recall = _precision(flagged, wrong), _recall(flagged, wrong)
    return (1 + squared) * precision * recall / (squared * precision + recall)


def _precision(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged & wrong).sum() / flagged.sum()


def _recall(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged & wrong).sum() / wrong.sum()


F_HALF = Exercise(
    task="flagged, wrong: (words,) of bool. F with beta = 0.5: (1 + beta^2) P R / (beta^2 P + R). One number.",
    reference=f_half,
    cases=_judged,
    hints=(
        "Hits are words that are flagged *and* wrong: (flagged & wrong).sum().",
        "Precision: hits among the flagged. Recall: hits among the wrong.",
        "With beta = 0.5, beta squared is 0.25: 1.25 P R / (0.25 P + R).",
    ),
    mistakes=(
        Mistake(
            "F1",
            lambda flagged, wrong: _f(flagged, wrong, 1.0),
            "In F1 a miss and a false alarm weigh alike. With beta = 0.5 precision weighs more: beta squared is 0.25.",
        ),
        Mistake(
            "F2",
            lambda flagged, wrong: _f(flagged, wrong, 4.0),
            "This is beta = 2 (or precision and recall in each other's place). It favours recall; F0.5 favours precision.",
        ),
        Mistake(
            "beta not squared",
            lambda flagged, wrong: _f(flagged, wrong, 0.5),
            "The formula has beta *squared*: 0.25, not 0.5.",
        ),
        Mistake(
            "Precision only",
            _precision,
            "Who flags a single word, and is right, has precision 1. Recall belongs to it as well.",
        ),
        Mistake("Recall only", _recall, "Who flags every word has recall 1. Precision belongs to it as well."),
        Mistake(
            "Accuracy",
            lambda flagged, wrong: (flagged == wrong).double().mean(),
            "Most words are right, so who flags nothing has a high accuracy. F looks at the flagged and the wrong ones only.",
        ),
        Mistake(
            "Arithmetic mean of both",
            lambda flagged, wrong: (_precision(flagged, wrong) + _recall(flagged, wrong)) / 2,
            "F is a weighted *harmonic* mean: low if either of the two is.",
        ),
    ),
)

# --- a threshold ----------------------------------------------------------------------------------------------------


def honest_score(scores: Tensor, wrong: Tensor, test_scores: Tensor, test_wrong: Tensor, score: object) -> Tensor:
    values = torch.stack([score(scores >= threshold, wrong) for threshold in scores])  # type: ignore[operator]
    return score(test_scores >= scores[values.argmax()], test_wrong)  # type: ignore[operator,no-any-return]


def _score(flagged: Tensor, wrong: Tensor) -> Tensor:
    return _f(flagged, wrong, 0.25).nan_to_num()  # 0 where nothing wrong is flagged


def _held_out() -> list[Arguments]:
    """Test words have scores that validation words have, so every honest threshold between two of these does as well."""
    cases: list[Arguments] = []
    for seed, count in ((0, 6), (9, 30), (12, 60)):
        noise = torch.Generator().manual_seed(seed)
        flags = [torch.rand(count, generator=noise) < 0.35 for _ in range(2)]
        scores = torch.randn(count, generator=noise).double() + 1.2 * flags[0]
        guessed = torch.randn(count, generator=noise).double() + 1.2 * flags[1] + 0.4
        nearest = (guessed[:, None] - scores).abs().argmin(1)
        cases.append((scores, flags[0], scores[nearest], flags[1], _score))
    return cases


def _tuned(scores: Tensor, wrong: Tensor) -> Tensor:
    return scores[torch.stack([_score(scores >= threshold, wrong) for threshold in scores]).argmax()]


def _accuracy(flagged: Tensor, wrong: Tensor) -> Tensor:
    return (flagged == wrong).double().mean()


HONEST_SCORE = Exercise(
    task=(
        "scores, wrong: of validation words; test_scores, test_wrong: of test words. score(flagged, wrong) -> one number. "
        "Try each validation score as a threshold (flag what is at least as large), and score the test words with the best."
    ),
    reference=honest_score,
    cases=_held_out,
    hints=(
        "Two steps: find a threshold on validation words, then use it, unchanged, on test words.",
        "values = torch.stack([score(scores >= threshold, wrong) for threshold in scores])",
        "The best threshold is scores[values.argmax()]. What is returned is score(test_scores >= it, test_wrong).",
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
            "The score on validation",
            lambda scores, wrong, test_scores, test_wrong, score: honest_score(scores, wrong, scores, wrong, score),
            "That is the number by which the threshold was chosen, so it is too good. Report the one on test words.",
        ),
        Mistake(
            "The threshold itself",
            lambda scores, wrong, test_scores, test_wrong, score: _tuned(scores, wrong),
            "This is the threshold. Now flag the test words with it, and score that.",
        ),
        Mistake(
            "The wrong side flagged",
            lambda scores, wrong, test_scores, test_wrong, score: score(test_scores < _tuned(scores, wrong), test_wrong),
            "Surprising words have *large* scores: flag what is at or above the threshold.",
        ),
        Mistake(
            "Chosen by accuracy",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= scores[torch.stack([_accuracy(scores >= t, wrong) for t in scores]).argmax()], test_wrong
            ),
            "Choose by the score that will be reported, which is passed to you.",
        ),
        Mistake(
            "The worst threshold",
            lambda scores, wrong, test_scores, test_wrong, score: score(
                test_scores >= scores[torch.stack([score(scores >= t, wrong) for t in scores]).argmin()], test_wrong
            ),
            "A large score is good: argmax, not argmin.",
        ),
    ),
)

# --- Bayes' rule ----------------------------------------------------------------------------------------------------


def meant_given_written(prior: Tensor, channel: Tensor, written: Tensor) -> Tensor:
    joint = prior * channel[:, written]
    return joint / joint.sum()


def _channels() -> list[Arguments]:
    return [
        (_tensor([0.9, 0.1]), _tensor([[0.8, 0.2], [0.3, 0.7]]), torch.tensor(1)),
        (_tensor([0.5, 0.3, 0.2]), _tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.0, 0.7]]), torch.tensor(0)),
        (_tensor([0.5, 0.3, 0.2]), _tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.0, 0.7]]), torch.tensor(1)),
    ]


def _normalized(weights: Tensor) -> Tensor:
    return weights / weights.sum()


MEANT_GIVEN_WRITTEN = Exercise(
    task=(
        "prior (meant,): p(meant). channel (meant, written): p(written given meant), rows sum to 1. written: the number of "
        "the form that we see. Return p(meant given written), (meant,)."
    ),
    reference=meant_given_written,
    cases=_channels,
    hints=(
        "Of the channel only one column is needed: how likely each meant sentence makes what we see.",
        "Bayes: p(meant given written) is in proportion to p(meant) p(written given meant).",
        "joint = prior * channel[:, written], and then joint / joint.sum().",
    ),
    mistakes=(
        Mistake(
            "The prior left out",
            lambda prior, channel, written: _normalized(channel[:, written]),
            "This is what a spelling checker does that knows errors but no language. Multiply by p(meant).",
        ),
        Mistake(
            "The channel's direction swapped",
            lambda prior, channel, written: _normalized(prior * channel[written]),
            "A *row* says what may be written for one meant sentence. We know what was written: take its *column*.",
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
            "The channel left out",
            lambda prior, channel, written: prior.clone(),
            "This is what one believes before reading anything. Multiply by how likely each sentence makes what was written.",
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
    ),
)

# --- doubt, word by word --------------------------------------------------------------------------------------------


def doubt(posterior: Tensor, readings: Tensor, written: Tensor) -> Tensor:
    return posterior @ (readings != written).to(posterior.dtype)


def _readings() -> list[Arguments]:
    return [
        (_tensor([0.7, 0.3]), torch.tensor([[1, 2], [1, 3]]), torch.tensor([1, 3])),
        (_tensor([0.5, 0.3, 0.2]), torch.tensor([[4, 2, 7], [4, 3, 7], [5, 3, 6]]), torch.tensor([4, 3, 6])),
        (_tensor([0.4, 0.35, 0.25]), torch.tensor([[1, 2, 3, 4], [9, 2, 3, 5], [9, 8, 3, 5]]), torch.tensor([9, 2, 3, 4])),
    ]


DOUBT = Exercise(
    task=(
        "posterior (readings,); readings (readings, words): numbers of words; written (words,). "
        "For each written word: with what probability was another meant in its place? (words,)"
    ),
    reference=doubt,
    cases=_readings,
    hints=(
        "readings != written compares every reading with what was written, word by word: (readings, words).",
        "For one word: add up the probabilities of all readings that have another word there.",
        "A weighted sum over readings is a product: posterior @ (readings != written).double().",
    ),
    mistakes=(
        Mistake(
            "The best reading only",
            lambda posterior, readings, written: (readings[posterior.argmax()] != written).to(posterior.dtype),
            "That says where the likeliest reading differs, with no doubt. Add up the probabilities of all readings that do.",
        ),
        Mistake(
            "Readings counted",
            lambda posterior, readings, written: (readings != written).to(posterior.dtype).mean(0),
            "Every reading weighs as much as it is probable.",
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
            "Relative to the best reading",
            lambda posterior, readings, written: posterior @ (readings != readings[posterior.argmax()]).to(posterior.dtype),
            "This is how sure the best reading is of its words. Compare with what was *written*.",
        ),
    ),
)

EXERCISES = (SURPRISAL, F_HALF, HONEST_SCORE, MEANT_GIVEN_WRITTEN, DOUBT)
