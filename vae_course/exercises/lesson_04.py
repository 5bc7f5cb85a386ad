"""Exercises of lesson 04: Bayes' rule in logs, and the importance-weighted bound."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- the exact posterior --------------------------------------------------------------------------------------------


def exact_posterior(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    return torch.softmax(log_prior + log_likelihood, dim=-1)


def _states() -> list[Arguments]:
    half, third = math.log(1 / 2), math.log(1 / 3)
    return [
        doubles([half, half], [math.log(0.8), math.log(0.2)]),
        doubles([math.log(0.7), math.log(0.3)], [math.log(0.1), math.log(0.8)]),
        doubles([math.log(0.3), math.log(0.7)], [-math.inf, math.log(0.3)]),
        doubles([math.log(0.6), math.log(0.3), math.log(0.1)], [-1.0, -2.0, -0.5]),
        doubles([third, third, third], [-1000.0, -1001.0, -1003.0]),
    ]


def _drawn_states(generator: Generator) -> Arguments:
    """Moderate logs, logs near -1000, or a state that is impossible: by its likelihood or by the prior."""
    states, kind = size(generator, 2, 6), size(generator, 0, 3)
    log_prior = probabilities(generator, states, zeros=kind == 3).log()
    log_likelihood = numbers(generator, states, low=-4, high=1)
    if kind == 1:
        log_likelihood = log_likelihood - 1000
    if kind == 2:
        log_likelihood[size(generator, 0, states - 1)] = -math.inf
    return log_prior, log_likelihood


def _lesson_states(generator: Generator) -> Arguments:
    log_prior = torch.log_softmax(torch.randn(50, generator=generator), dim=-1)
    return log_prior, 2 * torch.randn(50, generator=generator) - 3


POSTERIOR = Exercise(
    task="The posterior p(z given x) of every state, (states,), from log p(z) and log p(x given z), both (states,). Some "
    "states may be impossible, with log 0 = -inf, but not all.",
    reference=exact_posterior,
    cases=_states,
    generate=_drawn_states,
    lesson=_lesson_states,
    hints=(
        "Bayes: p(z) p(x given z), divided by the sum of that over the states. In logs the product is a sum.",
        "The exp of log p(x given z) is 0 to a computer for a picture of many pixels. Subtract the largest log first.",
        "torch.softmax(logs, dim=-1) does all of it: subtracts the largest, takes exp, divides by the sum.",
    ),
    mistakes=(
        Mistake(
            "Forgot the prior",
            lambda log_prior, log_likelihood: exact_posterior(torch.zeros_like(log_prior), log_likelihood),
            "You probably normalized the likelihood alone. Rare states stay rare: add log_prior before the softmax.",
        ),
        Mistake(
            "Forgot the likelihood",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, torch.zeros_like(log_likelihood)),
            "This is the prior, what was believed before x was seen. Add log_likelihood.",
        ),
        Mistake(
            "Divided by the prior",
            lambda log_prior, log_likelihood: exact_posterior(-log_prior, log_likelihood),
            "Bayes multiplies prior and likelihood, so their logs are added, not subtracted.",
        ),
        Mistake(
            "Divided by the likelihood",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, -log_likelihood),
            "Bayes multiplies prior and likelihood, so their logs are added, not subtracted.",
        ),
        Mistake(
            "A minus in front of the logs",
            lambda log_prior, log_likelihood: exact_posterior(-log_prior, -log_likelihood),
            "With a minus the least likely state wins. softmax wants the logs as they are.",
        ),
        Mistake(
            "Not normalized",
            lambda log_prior, log_likelihood: (log_prior + log_likelihood).exp(),
            "This is the joint p(z) p(x given z); it sums to p(x). Divide by its sum over the states.",
        ),
        Mistake(
            "Normalized by the largest",
            lambda log_prior, log_likelihood: (
                log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1, keepdim=True)
            ).exp(),
            "Taking the largest log out is only the first step: divide by the sum over the states as well.",
        ),
        Mistake(
            "Softmax of probabilities",
            lambda log_prior, log_likelihood: torch.softmax((log_prior + log_likelihood).exp(), dim=-1),
            "softmax takes exp itself, so it wants *logs*. Fed with probabilities, it makes everything nearly equal.",
        ),
        Mistake(
            "Softmax of added probabilities",
            lambda log_prior, log_likelihood: torch.softmax(log_prior.exp() + log_likelihood.exp(), dim=-1),
            "softmax takes exp itself, so it wants *logs*: give it log_prior + log_likelihood as they are.",
        ),
        Mistake(
            "Softmax taken twice",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, log_likelihood).softmax(-1),
            "The first softmax gives the posterior. A second one takes its probabilities for logs.",
        ),
        Mistake(
            "Prior and likelihood added as probabilities",
            lambda log_prior, log_likelihood: (
                (log_prior.exp() + log_likelihood.exp()) / (log_prior.exp() + log_likelihood.exp()).sum(-1, keepdim=True)
            ),
            "p(z) and p(x given z) are multiplied; it is their logs that are added.",
        ),
        Mistake(
            "The prior is not a log",
            lambda log_prior, log_likelihood: torch.softmax(log_prior.exp() + log_likelihood, dim=-1),
            "A probability is added to a log here. softmax wants logs: log_prior as it is given.",
        ),
        Mistake(
            "Two distributions added",
            lambda log_prior, log_likelihood: log_prior.softmax(-1) + log_likelihood.softmax(-1),
            "p(z) and p(x given z) are multiplied, and then normalized: one softmax, of the sum of their logs.",
        ),
        Mistake(
            "The logs are multiplied",
            lambda log_prior, log_likelihood: torch.softmax(log_prior * log_likelihood, dim=-1),
            "p(z) and p(x given z) are multiplied, so their logs are added.",
        ),
        Mistake(
            "Normalized each, then multiplied",
            lambda log_prior, log_likelihood: log_prior.softmax(-1) * log_likelihood.softmax(-1),
            "The product of two distributions does not add up to 1. Multiply first, by adding the logs, and normalize last.",
        ),
        Mistake(
            "The logs divided by their sum",
            lambda log_prior, log_likelihood: (log_prior + log_likelihood) / (log_prior + log_likelihood).sum(-1, keepdim=True),
            "It is probabilities that are divided by their sum. Take exp of the logs first; softmax does both.",
        ),
        Mistake(
            "The shifted logs divided by their sum",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1))
                / (log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1)).sum(-1)
            ),
            "Taking the largest log out is right, but then exp is missing: probabilities are divided by their sum, not logs.",
        ),
        Mistake(
            "The likelihood is left as a log",
            lambda log_prior, log_likelihood: log_prior.exp() * log_likelihood / (log_prior.exp() * log_likelihood).sum(-1),
            "A probability is multiplied with a log here. Add the two logs, then take the softmax.",
        ),
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood).exp() / (log_prior + log_likelihood).exp().sum(-1, keepdim=True)
            ),
            "Right on paper, but exp(-1000) is 0 to a computer. Subtract the largest log first; torch.softmax does.",
        ),
        Mistake(
            "Underflow, hidden by a small number in the divisor",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood).exp() / ((log_prior + log_likelihood).exp().sum(-1, keepdim=True) + 1e-12)
            ),
            "exp(-1000) is 0 to a computer, and 0 / 1e-12 is 0 for every state. Subtract the largest log first, or use "
            "torch.softmax.",
        ),
        Mistake(
            "Log probabilities where probabilities were asked",
            lambda log_prior, log_likelihood: torch.log_softmax(log_prior + log_likelihood, dim=-1),
            "These are the logs of the right answer: take exp, or use softmax in place of log_softmax.",
        ),
        Mistake(
            "The log joint",
            lambda log_prior, log_likelihood: log_prior + log_likelihood,
            "This is log p(z) + log p(x given z), the log of the joint. Normalize it over the states, with a softmax.",
        ),
        Mistake(
            "The log evidence",
            lambda log_prior, log_likelihood: torch.logsumexp(log_prior + log_likelihood, dim=-1),
            "This is log p(x), one number. The posterior has a probability for every state: exp(log joint - log p(x)).",
        ),
        Mistake(
            "A sigmoid in place of the softmax",
            lambda log_prior, log_likelihood: torch.sigmoid(log_prior + log_likelihood),
            "A sigmoid looks at each state alone. The states compete, and their probabilities add up to 1: use a softmax.",
        ),
        Mistake(
            "Only the likeliest state",
            lambda log_prior, log_likelihood: functional.one_hot(
                exact_posterior(log_prior, log_likelihood).argmax(-1), log_prior.shape[-1]
            ),
            "The posterior keeps a probability for every state, not only the best guess.",
        ),
    ),
)

# --- the importance-weighted bound ----------------------------------------------------------------------------------


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def _log_weights() -> list[Arguments]:
    return [
        doubles([[-1.0], [-3.0]]),
        doubles([[-1.0, 0.5, -2.0]]),
        doubles([[-2.0, -1.0], [-2.0, 0.5], [-2.0, -4.0]]),
        doubles([[-0.3, -1.2, 0.4], [-2.0, -0.7, 1.1]]),
        doubles([[-1000.0, -3.0], [-1002.0, -900.0], [-1001.0, -2.0]]),
        doubles([[1000.0, 2.0], [999.0, 1.0], [1001.0, 3.0]]),
    ]


def _drawn_log_weights(generator: Generator) -> Arguments:
    samples, batch = sizes(generator, 2, 1, 6)
    log_weights = numbers(generator, samples, batch, low=-4, high=2)
    if size(generator, 0, 1):  # each example has a likelihood of its own
        log_weights = log_weights + 1000 * whole(generator, batch, low=-1, high=1)
    return (log_weights,)


IMPORTANCE_WEIGHTED_BOUND = Exercise(
    task="log of the mean over samples of the weights p(x, z) / q(z given x): (samples, batch) logs to (batch,), in nats.",
    reference=importance_weighted_bound,
    cases=_log_weights,
    generate=_drawn_log_weights,
    lesson=lambda g: (2 * torch.randn(64, 50, generator=g) - 30,),
    gradients=("log_weights",),
    hints=(
        "The mean of K weights is their sum divided by K; in logs, the log of the sum minus log K.",
        "torch.logsumexp(logs, dim=...) is log(sum(exp(logs))) without overflow. Which dimension holds the samples?",
        "torch.logsumexp(log_weights, dim=0) - math.log(log_weights.shape[0])",
    ),
    mistakes=(
        Mistake(
            "The mean of the logs: this is the ELBO",
            lambda log_weights: log_weights.mean(0),
            "The log belongs outside the mean. With the log inside, more samples make the estimate calmer, never tighter.",
        ),
        Mistake(
            "The mean of all logs",
            lambda log_weights: log_weights.mean(),
            "This is the ELBO, averaged over the batch. The log belongs outside the mean over samples, and each example keeps "
            "its own bound, shape (batch,).",
        ),
        Mistake(
            "Missing - log K",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(len(log_weights)),
            "This is the log of the *sum*. Without dividing by K it grows with K for ever, past log p(x).",
        ),
        Mistake(
            "Added log K",
            lambda log_weights: importance_weighted_bound(log_weights) + 2 * math.log(len(log_weights)),
            "Dividing by K is subtracting log K.",
        ),
        Mistake(
            "Subtracted K, not its log",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(len(log_weights)) - len(log_weights),
            "In logs, dividing by K is subtracting log K.",
        ),
        Mistake(
            "The log of the sum divided by K",
            lambda log_weights: (importance_weighted_bound(log_weights) + math.log(len(log_weights))) / len(log_weights),
            "K divides the sum of the weights, inside the log. Outside, that is subtracting log K.",
        ),
        Mistake(
            "The logs divided by K",
            lambda log_weights: importance_weighted_bound(log_weights / len(log_weights)) + math.log(len(log_weights)),
            "K divides the weights, not their logs. In logs, that is subtracting log K.",
        ),
        Mistake(
            "The log of K to base 2",
            lambda log_weights: (
                importance_weighted_bound(log_weights) + math.log(len(log_weights)) - math.log2(len(log_weights))
            ),
            "The weights' logs are in nats, so log K must be the natural logarithm, math.log.",
        ),
        Mistake(
            "Averaged over the batch in place of the samples",
            lambda log_weights: importance_weighted_bound(log_weights.T),
            "Samples are dimension 0 here: combine the weights of one example, not one sample of each example.",
        ),
        Mistake(
            "Summed over the batch, with the samples' K",
            lambda log_weights: (
                importance_weighted_bound(log_weights.T) + math.log(log_weights.shape[1] / log_weights.shape[0])
            ),
            "K is right, but the sum must run over the samples, which are dimension 0.",
        ),
        Mistake(
            "Divided by the batch size",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(log_weights.shape[0] / log_weights.shape[1]),
            "K is the number of samples, log_weights.shape[0].",
        ),
        Mistake(
            "Divided by the number of all entries",
            lambda log_weights: importance_weighted_bound(log_weights) - math.log(log_weights.shape[1]),
            "K is the number of samples, log_weights.shape[0]; numel() counts the examples too.",
        ),
        Mistake(
            "Samples and examples in one mean",
            lambda log_weights: importance_weighted_bound(log_weights.reshape(-1, 1))[0],
            "Each example has a bound of its own: combine its samples only, dimension 0.",
        ),
        Mistake(
            "Underflow or overflow: log 0 is -inf, exp(1000) is inf",
            lambda log_weights: log_weights.exp().mean(0).log(),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.logsumexp takes the largest weight out first.",
        ),
        Mistake(
            "One maximum for all examples",
            lambda log_weights: log_weights.max() + (log_weights - log_weights.max()).exp().mean(0).log(),
            "An example far below the largest weight of the batch still becomes log 0. Each example needs its own maximum; "
            "torch.logsumexp takes it.",
        ),
        Mistake(
            "The maximum is not added back",
            lambda log_weights: importance_weighted_bound(log_weights) - log_weights.max(0).values,
            "The largest log weight was taken out for safety. It must be added again after the log.",
        ),
        Mistake(
            "log 0, hidden by a small number",
            lambda log_weights: (log_weights.exp().mean(0) + 1e-8).log(),
            "exp(-1000) is 0 to a computer, and the small number then stands for the whole bound. Use torch.logsumexp.",
        ),
        Mistake(
            "The log is forgotten",
            lambda log_weights: log_weights.exp().mean(0),
            "This is the mean weight. Its log is asked for, and exp(-1000) is 0 to a computer: torch.logsumexp.",
        ),
        Mistake(
            "Averaged over the batch too",
            lambda log_weights: importance_weighted_bound(log_weights).mean(),
            "Keep one bound for each example, shape (batch,).",
        ),
        Mistake(
            "Summed over the batch too",
            lambda log_weights: importance_weighted_bound(log_weights).sum(),
            "Keep one bound for each example, shape (batch,).",
        ),
        Mistake(
            "The loss, not the bound",
            lambda log_weights: -importance_weighted_bound(log_weights),
            "The bound on log p(x) is asked for. Its negative is what an optimizer would be given.",
        ),
        Mistake(
            "Only the best sample",
            lambda log_weights: log_weights.max(0).values,
            "The largest weight is not the mean weight. All K count: torch.logsumexp minus log K.",
        ),
        Mistake(
            "The logs averaged with the weights' shares",
            lambda log_weights: (log_weights.softmax(0) * log_weights).sum(0),
            "This averages the logs, heavy samples more. Average the weights themselves, then take the log.",
        ),
        Mistake(
            "A dimension of size 1 is left",
            lambda log_weights: importance_weighted_bound(log_weights)[None],
            "The values are right; keepdim=True leaves a dimension. Return the shape (batch,).",
        ),
    ),
)

EXERCISES = (
    POSTERIOR,
    IMPORTANCE_WEIGHTED_BOUND,
)

PREDICTIONS = (
    Prediction(
        "coin_bound",
        ("yes", "no"),
        answer="no",
        because="with q = p both terms on the right vanish, and it says that heads is certain.",
        wrong={
            "yes": (
                "It looks like the bound of the textbooks, and one is ready to trust it. But a bound must hold for every q, "
                "and q = p is the most harmless one."
            ),
        },
    ),
    Prediction(
        "moves_the_evidence",
        ("q", "decoder"),
        answer="decoder",
        because="the likelihood is part of the model; q only decides how much of log p(x) the bound sees.",
        wrong={
            "q": (
                "A better q raises the ELBO, so it looks as if log p(x) rose, too. But with the same decoder log p(x) stands "
                "still: what q changes is the gap below it."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_rising_elbo_means",
        question="In training the ELBO rises. Why does this not yet tell you that the model finds its data more probable?",
        model=(
            "The ELBO is $\\log p(x)$ minus the gap, the KL from $q$ to the posterior. It also rises when the encoder only "
            "comes closer to the posterior while $\\log p(x)$ stands still. Only a change of the decoder can make the data "
            "more probable."
        ),
        rubric=(
            "ELBO and gap add up to $\\log p(x)$;",
            "a better encoder closes the gap, and leaves $\\log p(x)$ as it is;",
            "what moves $\\log p(x)$ is the model, that is the decoder.",
        ),
    ),
)
