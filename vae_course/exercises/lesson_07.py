"""Exercises of lesson 07: the cost of a sentence, perplexity, the loss of a text VAE, and an NLL from samples of z."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake
from vae_course.text.vocabulary import BOS, EOS, PAD

# --- the cost of a sentence -----------------------------------------------------------------------------------------


def sentence_nll(logits: Tensor, tokens: Tensor) -> Tensor:
    inputs, targets = logits[:, :-1], tokens[:, 1:]
    nats = functional.cross_entropy(inputs.transpose(1, 2), targets, reduction="none")
    return (nats * (targets != 0)).sum(1)


def _logits(*shape: int) -> Tensor:
    """Numbers between -2 and 2 without any order in them, the same on every machine."""
    return 2 * torch.sin(1.7 * torch.arange(1, math.prod(shape) + 1, dtype=torch.float64).square()).reshape(shape)


def _batches() -> list[Arguments]:
    return [
        (_logits(1, 3, 6), torch.tensor([[BOS, 4, EOS]])),
        (_logits(1, 4, 6), torch.tensor([[BOS, 4, 5, EOS]])),
        (_logits(2, 4, 6), torch.tensor([[BOS, 5, 4, EOS], [BOS, 4, EOS, PAD]])),
        (_logits(3, 5, 6), torch.tensor([[BOS, 4, 5, 4, EOS], [BOS, 5, EOS, PAD, PAD], [BOS, 3, 4, EOS, PAD]])),
    ]


def _nats(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def _shifted_nats(logits: Tensor, tokens: Tensor) -> Tensor:
    return _nats(logits[:, :-1], tokens[:, 1:])


SENTENCE_NLL = Exercise(
    task="-log p of each sentence: logits (batch, time, vocabulary), row t for the token after t; tokens; to (batch,) in nats.",
    reference=sentence_nll,
    cases=_batches,
    gradients=("logits",),
    hints=(
        "The logits at place t are about the word at place t + 1. So the last row of logits is about nothing that is there.",
        "Drop the last row of logits and the first token, <bos>: then row and target stand at the same place.",
        "functional.cross_entropy(logits.transpose(1, 2), targets, reduction='none') is (batch, time). Set the places where "
        "the target is 0, <pad>, to zero, and sum over time.",
    ),
    mistakes=(
        Mistake(
            "Inputs and targets not shifted",
            lambda logits, tokens: (_nats(logits, tokens) * (tokens != PAD)).sum(1),
            "The row at place t has seen the word at t; asked for that same word, a model only learns to repeat it. The "
            "target is the next one: logits[:, :-1] against tokens[:, 1:].",
        ),
        Mistake(
            "Shifted the wrong way",
            lambda logits, tokens: (_nats(logits[:, 1:], tokens[:, :-1]) * (tokens[:, :-1] != PAD)).sum(1),
            "Here each row is scored against the word *before* it, <bos> among them. Turn it round: logits[:, :-1] against "
            "tokens[:, 1:].",
        ),
        Mistake(
            "Pads counted",
            lambda logits, tokens: _shifted_nats(logits, tokens).sum(1),
            "A sentence's cost must not depend on the length of its neighbours in the batch. Leave out the targets that are 0.",
        ),
        Mistake(
            "<eos> not counted",
            lambda logits, tokens: (_shifted_nats(logits, tokens) * (tokens[:, 1:] != PAD) * (tokens[:, 1:] != EOS)).sum(1),
            "Without <eos> the probabilities of all sentences do not sum to 1: to say that it ends here is part of a sentence.",
        ),
        Mistake(
            "Mean over words in place of a sum",
            lambda logits, tokens: sentence_nll(logits, tokens) / (tokens[:, 1:] != PAD).sum(1),
            "log p(sentence) is the *sum* of its words' logs. The mean is nats per token, another quantity.",
        ),
        Mistake(
            "Mean over words and pads",
            lambda logits, tokens: _shifted_nats(logits, tokens).mean(1),
            "A mean over time shrinks the cost, and pads are counted with it. Set the pads to zero, then sum.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda logits, tokens: sentence_nll(logits, tokens).sum(),
            "Keep one number for each sentence: .sum(1).",
        ),
        Mistake(
            "Logits added up as if they were log probabilities",
            lambda logits, tokens: -(logits[:, :-1].gather(2, tokens[:, 1:, None])[..., 0] * (tokens[:, 1:] != PAD)).sum(1),
            "Logits become log probabilities by log_softmax over the vocabulary; cross_entropy does it for you.",
        ),
        Mistake(
            "Wrong sign",
            lambda logits, tokens: -sentence_nll(logits, tokens),
            "This is log p, which is never positive. NLL is minus that, and cross_entropy has the minus already.",
        ),
    ),
)

# --- perplexity -----------------------------------------------------------------------------------------------------


def perplexity(nll: Tensor, tokens: Tensor) -> Tensor:
    predicted = (tokens[:, 1:] != 0).sum()
    return (nll.sum() / predicted).exp()


def _scored_batches() -> list[Arguments]:
    return [
        (torch.tensor([4.0], dtype=torch.float64), torch.tensor([[BOS, 5, EOS]])),
        (torch.tensor([4.0, 3.0], dtype=torch.float64), torch.tensor([[BOS, 5, EOS, PAD, PAD], [BOS, 5, 6, 7, EOS]])),
        (
            torch.tensor([2.5, 6.0, 3.5], dtype=torch.float64),
            torch.tensor([[BOS, 5, EOS, PAD, PAD, PAD], [BOS, 6, 7, 8, 9, EOS], [BOS, 5, 9, EOS, PAD, PAD]]),
        ),
    ]


def _counted(tokens: Tensor) -> Tensor:
    return (tokens[:, 1:] != PAD).sum(1)


PERPLEXITY = Exercise(
    task="Perplexity per token of a test set: nll (sentences,) in nats, tokens (sentences, time) with <bos>, <eos> and <pad>.",
    reference=perplexity,
    cases=_scored_batches,
    hints=(
        "exp of nats per token: all nats of the set, divided by all tokens of the set. One division, at the end.",
        "Which tokens? Those that are predicted: the words and <eos>. Not <bos>, which is given, and not <pad>.",
        "(tokens[:, 1:] != 0).sum() counts them.",
    ),
    mistakes=(
        Mistake(
            "Per sentence in place of per token",
            lambda nll, tokens: nll.mean().exp(),
            "exp of nats per *sentence* is a huge number, and longer sentences make it larger. Divide by the tokens.",
        ),
        Mistake(
            "<bos> counted",
            lambda nll, tokens: (nll.sum() / (tokens != PAD).sum()).exp(),
            "<bos> is given, never predicted: it costs no nats. Counting it makes every model look better than it is.",
        ),
        Mistake(
            "<eos> not counted",
            lambda nll, tokens: (nll.sum() / (_counted(tokens) - 1).sum()).exp(),
            "The nats contain those of <eos>, so the tokens must contain it too.",
        ),
        Mistake(
            "Pads counted",
            lambda nll, tokens: (nll.sum() / tokens[:, 1:].numel()).exp(),
            "Pads cost nothing. Counting them makes the perplexity depend on how sentences were put into batches.",
        ),
        Mistake(
            "All the numbers in the tensor counted",
            lambda nll, tokens: (nll.sum() / tokens.numel()).exp(),
            "Neither <bos> nor <pad> is predicted. Count the words and <eos> only.",
        ),
        Mistake(
            "Mean of the sentences' nats per token",
            lambda nll, tokens: (nll / _counted(tokens)).mean().exp(),
            "A mean of ratios gives a short sentence's words more weight. Add up all nats and all tokens, then divide.",
        ),
        Mistake(
            "Mean of the sentences' perplexities",
            lambda nll, tokens: (nll / _counted(tokens)).exp().mean(),
            "exp comes last, once, for the whole set.",
        ),
        Mistake(
            "2 to the power of nats",
            lambda nll, tokens: 2 ** (nll.sum() / _counted(tokens).sum()),
            "2 to the power belongs to bits. Nats need exp.",
        ),
        Mistake(
            "No exp: nats per token",
            lambda nll, tokens: nll.sum() / _counted(tokens).sum(),
            "Right so far. Perplexity is exp of that.",
        ),
    ),
)

# --- the loss of a text VAE -----------------------------------------------------------------------------------------


def text_vae_loss(nats: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    distortion = (nats * (tokens[:, 1:] != 0)).sum(1)
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
    return (distortion + rate).mean()


def _encoded_batches() -> list[Arguments]:
    def tensor(rows: object) -> Tensor:
        return torch.tensor(rows, dtype=torch.float64)

    return [
        (tensor([[2.0, 1.0]]), torch.tensor([[BOS, 5, EOS]]), tensor([[1.0]]), tensor([[0.0]])),
        (tensor([[2.0, 1.0, 0.5]]), torch.tensor([[BOS, 5, EOS, PAD]]), tensor([[1.0, -2.0]]), tensor([[0.5, -1.0]])),
        (
            tensor([[2.0, 1.0, 0.3, 0.2], [0.5, 3.0, 1.0, 0.7], [0.1, 0.9, 2.0, 0.4]]),
            torch.tensor([[BOS, 5, EOS, PAD, PAD], [BOS, 5, 6, 7, EOS], [BOS, 6, 7, EOS, PAD]]),
            tensor([[0.0, 1.0], [0.5, 2.0], [-1.0, 0.3]]),
            tensor([[0.0, 0.2], [-1.0, -2.0], [0.4, -0.5]]),
        ),
    ]


def _distortion(nats: Tensor, tokens: Tensor) -> Tensor:
    return (nats * (tokens[:, 1:] != PAD)).sum(1)


def _rates(mean: Tensor, log_var: Tensor) -> Tensor:
    """(batch, latent)"""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


def _mean_over_words(nats: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    words = (tokens[:, 1:] != PAD).sum()
    return _distortion(nats, tokens).sum() / words + _rates(mean, log_var).sum(1).mean()


TEXT_VAE_LOSS = Exercise(
    task="-ELBO in nats per sentence, one number: nats (batch, time - 1) of tokens[:, 1:]; mean, log_var (batch, latent).",
    reference=text_vae_loss,
    cases=_encoded_batches,
    gradients=("nats", "mean", "log_var"),
    hints=(
        "The distortion of a sentence: its words' nats, summed. nats[:, t] belongs to tokens[:, t + 1]; pads count nothing.",
        "The rate of a sentence: the KL of kl_to_standard_normal, summed over latent dimensions. Both are now (batch,).",
        "Add the two for each sentence, then average over the sentences.",
    ),
    mistakes=(
        Mistake(
            "Pads counted",
            lambda nats, tokens, mean, log_var: (nats.sum(1) + _rates(mean, log_var).sum(1)).mean(),
            "The decoder would be paid to write <pad> well. Leave out the places where tokens[:, 1:] is 0.",
        ),
        Mistake(
            "Mean over words, KL per sentence",
            _mean_over_words,
            "The words' nats are divided by their number, the KL is not: a KL weight of the sentence's length in disguise, and "
            "the way to a collapsed VAE. Sum over words.",
        ),
        Mistake(
            "Mean over words and pads, KL per sentence",
            lambda nats, tokens, mean, log_var: nats.mean() + _rates(mean, log_var).sum(1).mean(),
            "A plain .mean() of the cross entropy, as many programs have it: pads count, and the KL gets a weight of the "
            "sentence's length. Mask the pads, then sum over words.",
        ),
        Mistake(
            "KL averaged over the latent dimensions",
            lambda nats, tokens, mean, log_var: (_distortion(nats, tokens) + _rates(mean, log_var).mean(1)).mean(),
            "A KL of independent dimensions is the *sum* of theirs. The mean makes it cheaper, and the result no bound.",
        ),
        Mistake(
            "KL summed over the batch",
            lambda nats, tokens, mean, log_var: _distortion(nats, tokens).mean() + _rates(mean, log_var).sum(),
            "The distortion is averaged over sentences, so the KL must be too; else its weight is the batch size.",
        ),
        Mistake(
            "KL subtracted",
            lambda nats, tokens, mean, log_var: (_distortion(nats, tokens) - _rates(mean, log_var).sum(1)).mean(),
            "The ELBO subtracts the rate; its negative, which we minimize, adds it.",
        ),
        Mistake(
            "No KL: an autoencoder",
            lambda nats, tokens, mean, log_var: _distortion(nats, tokens).mean(),
            "Nothing would keep the codes near the prior. Add the rate.",
        ),
        Mistake(
            "<eos> not counted",
            lambda nats, tokens, mean, log_var: (
                (nats * (tokens[:, 1:] != PAD) * (tokens[:, 1:] != EOS)).sum(1) + _rates(mean, log_var).sum(1)
            ).mean(),
            "To end is a prediction like any other: keep the place where tokens[:, 1:] is 2.",
        ),
        Mistake(
            "The pads' mask is shifted",
            lambda nats, tokens, mean, log_var: ((nats * (tokens[:, :-1] != PAD)).sum(1) + _rates(mean, log_var).sum(1)).mean(),
            "nats[:, t] is the cost of tokens[:, t + 1], so the mask comes from tokens[:, 1:]. Yours lets one pad through.",
        ),
    ),
)

# --- an NLL from samples of z ---------------------------------------------------------------------------------------


def nll_from_samples(log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor) -> Tensor:
    log_weights = log_likelihood + log_prior - log_q
    return math.log(len(log_weights)) - torch.logsumexp(log_weights, dim=0)


def _draws() -> list[Arguments]:
    def tensors(*rows: object) -> Arguments:
        return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)

    return [
        tensors([[-14.0]], [[-3.0]], [[-1.0]]),
        tensors([[-14.0], [-17.0]], [[-3.0], [-2.0]], [[-1.0], [-1.5]]),
        tensors(
            [[-14.0, -12.0], [-17.0, -11.5], [-13.0, -15.0]],
            [[-3.0, -4.0], [-2.0, -5.0], [-3.5, -4.5]],
            [[-1.0, -2.0], [-1.5, -0.5], [-0.7, -1.0]],
        ),
        tensors([[-1500.0, -20.0], [-1503.0, -21.0]], [[-3.0, -2.0], [-2.5, -4.0]], [[-1.0, -1.0], [-2.0, -0.5]]),
    ]


NLL_FROM_SAMPLES = Exercise(
    task="-log p(sentence) by K draws of z from q: log p(x given z), log p(z), log q(z given x), all (K, batch); to (batch,).",
    reference=nll_from_samples,
    cases=_draws,
    hints=(
        "A draw's weight is p(x given z) p(z) / q(z given x); in logs, a sum of two and minus the third.",
        "Average the weights over the K draws, *then* take the log: logsumexp over dimension 0, minus log K.",
        "That is a bound on log p(x). The NLL is its negative.",
    ),
    mistakes=(
        Mistake(
            "An ELBO called NLL: the mean of the log weights",
            lambda log_likelihood, log_prior, log_q: -(log_likelihood + log_prior - log_q).mean(0),
            "With the log inside the mean this is the negative ELBO, however many draws you take. logsumexp, then minus log K.",
        ),
        Mistake(
            "Missing log K",
            lambda log_likelihood, log_prior, log_q: -torch.logsumexp(log_likelihood + log_prior - log_q, dim=0),
            "The *mean* of the weights is needed. Without log K the NLL falls with every draw, below the truth.",
        ),
        Mistake(
            "log K with the wrong sign",
            lambda log_likelihood, log_prior, log_q: (
                -torch.logsumexp(log_likelihood + log_prior - log_q, dim=0) - math.log(len(log_q))
            ),
            "log of a mean = logsumexp - log K; the NLL is minus that, so + log K.",
        ),
        Mistake(
            "Forgot that z came from q",
            lambda log_likelihood, log_prior, log_q: nll_from_samples(log_likelihood, log_prior, 0 * log_q),
            "q draws more often where it is dense. Divide each weight by q(z given x): minus log_q.",
        ),
        Mistake(
            "Forgot the prior",
            lambda log_likelihood, log_prior, log_q: nll_from_samples(log_likelihood, 0 * log_prior, log_q),
            "The joint is p(x given z) p(z): add log_prior.",
        ),
        Mistake(
            "Only the likelihood averaged",
            lambda log_likelihood, log_prior, log_q: nll_from_samples(log_likelihood, 0 * log_prior, 0 * log_q),
            "That is right for draws from the *prior*. Draws from q need the weight p(z) / q(z given x).",
        ),
        Mistake(
            "Prior and q exchanged",
            lambda log_likelihood, log_prior, log_q: nll_from_samples(log_likelihood, log_q, log_prior),
            "The weight has the prior above and q below: + log_prior - log_q.",
        ),
        Mistake(
            "Averaged over the batch in place of the draws",
            lambda log_likelihood, log_prior, log_q: (
                math.log(log_q.shape[1]) - torch.logsumexp(log_likelihood + log_prior - log_q, dim=1)
            ),
            "Draws are dimension 0: combine the draws for one sentence, not one draw of each sentence.",
        ),
        Mistake(
            "log p, not -log p",
            lambda log_likelihood, log_prior, log_q: -nll_from_samples(log_likelihood, log_prior, log_q),
            "An NLL is minus the log-likelihood, and for sentences it is positive.",
        ),
        Mistake(
            "Underflow: -log 0 became inf",
            lambda log_likelihood, log_prior, log_q: -(log_likelihood + log_prior - log_q).exp().mean(0).log(),
            "Right on paper, but exp(-1500) is 0 to a computer. torch.logsumexp takes the largest weight out first.",
        ),
    ),
)

EXERCISES = (SENTENCE_NLL, PERPLEXITY, TEXT_VAE_LOSS, NLL_FROM_SAMPLES)
