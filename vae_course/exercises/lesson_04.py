"""Exercises of lesson 04: Bayes' rule in logs, the importance-weighted bound, a likelihood from logits, the loss of a VAE."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensors(*rows: object) -> Arguments:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


# --- the exact posterior --------------------------------------------------------------------------------------------


def exact_posterior(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    return torch.softmax(log_prior + log_likelihood, dim=-1)


def _states() -> list[Arguments]:
    half, third = math.log(1 / 2), math.log(1 / 3)
    return [
        _tensors([half, half], [math.log(0.8), math.log(0.2)]),
        _tensors([math.log(0.7), math.log(0.3)], [math.log(0.1), math.log(0.8)]),
        _tensors([math.log(0.6), math.log(0.3), math.log(0.1)], [-1.0, -2.0, -0.5]),
        _tensors([third, third, third], [-1000.0, -1001.0, -1003.0]),
    ]


POSTERIOR = Exercise(
    task="The posterior p(z given x) of every state, (states,), from log p(z) and log p(x given z), both (states,).",
    reference=exact_posterior,
    cases=_states,
    hints=(
        "Bayes: p(z) p(x given z), divided by the sum of that over the states. In logs the product is a sum.",
        "The exp of log p(x given z) is 0 to a computer for a picture of many pixels. Subtract the largest log first.",
        "torch.softmax(logs, dim=-1) does all of it: subtracts the largest, takes exp, divides by the sum.",
    ),
    mistakes=(
        Mistake(
            "Forgot the prior",
            lambda log_prior, log_likelihood: torch.softmax(log_likelihood, dim=-1),
            "You probably normalized the likelihood alone. Rare states stay rare: add log_prior before the softmax.",
        ),
        Mistake(
            "Forgot the likelihood",
            lambda log_prior, log_likelihood: torch.softmax(log_prior, dim=-1),
            "This is the prior, what was believed before x was seen. Add log_likelihood.",
        ),
        Mistake(
            "Not normalized",
            lambda log_prior, log_likelihood: (log_prior + log_likelihood).exp(),
            "This is the joint p(z) p(x given z); it sums to p(x). Divide by its sum over the states.",
        ),
        Mistake(
            "Softmax of probabilities",
            lambda log_prior, log_likelihood: torch.softmax((log_prior + log_likelihood).exp(), dim=-1),
            "softmax takes exp itself, so it wants *logs*. Fed with probabilities, it makes everything nearly equal.",
        ),
        Mistake(
            "Prior and likelihood added as probabilities",
            lambda log_prior, log_likelihood: (
                (log_prior.exp() + log_likelihood.exp()) / (log_prior.exp() + log_likelihood.exp()).sum(-1, keepdim=True)
            ),
            "p(z) and p(x given z) are multiplied; it is their logs that are added.",
        ),
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood).exp() / (log_prior + log_likelihood).exp().sum(-1, keepdim=True)
            ),
            "Right on paper, but exp(-1000) is 0 to a computer. Subtract the largest log first; torch.softmax does.",
        ),
        Mistake(
            "Log probabilities where probabilities were asked",
            lambda log_prior, log_likelihood: torch.log_softmax(log_prior + log_likelihood, dim=-1),
            "These are the logs of the right answer: take exp, or use softmax in place of log_softmax.",
        ),
    ),
)

# --- the importance-weighted bound ----------------------------------------------------------------------------------


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def _log_weights() -> list[Arguments]:
    return [
        _tensors([[-1.0], [-3.0]]),
        _tensors([[-2.0, -1.0], [-2.0, 0.5], [-2.0, -4.0]]),
        _tensors([[-0.3, -1.2, 0.4], [-2.0, -0.7, 1.1]]),
        _tensors([[-1000.0, -3.0], [-1002.0, -900.0], [-1001.0, -2.0]]),
    ]


IMPORTANCE_WEIGHTED_BOUND = Exercise(
    task="log of the mean over samples of the weights p(x, z) / q(z given x): (samples, batch) logs to (batch,), in nats.",
    reference=importance_weighted_bound,
    cases=_log_weights,
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
            "Missing - log K",
            lambda log_weights: torch.logsumexp(log_weights, dim=0),
            "This is the log of the *sum*. Without dividing by K it grows with K for ever, past log p(x).",
        ),
        Mistake(
            "Added log K",
            lambda log_weights: torch.logsumexp(log_weights, dim=0) + math.log(len(log_weights)),
            "Dividing by K is subtracting log K.",
        ),
        Mistake(
            "Averaged over the batch in place of the samples",
            lambda log_weights: torch.logsumexp(log_weights, dim=1) - math.log(log_weights.shape[1]),
            "Samples are dimension 0 here: combine the weights of one example, not one sample of each example.",
        ),
        Mistake(
            "Divided by the batch size",
            lambda log_weights: torch.logsumexp(log_weights, dim=0) - math.log(log_weights.shape[1]),
            "K is the number of samples, log_weights.shape[0].",
        ),
        Mistake(
            "Underflow: log 0 became -inf",
            lambda log_weights: log_weights.exp().mean(0).log(),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.logsumexp takes the largest weight out first.",
        ),
        Mistake(
            "Averaged over the batch too",
            lambda log_weights: (torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))).mean(),
            "Keep one bound for each example, shape (batch,).",
        ),
    ),
)

# --- a likelihood from logits ---------------------------------------------------------------------------------------


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    return -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def _logits_and_pixels() -> list[Arguments]:
    return [
        _tensors([[0.0]], [[1.0]]),
        _tensors([[2.0, -1.0]], [[1.0, 0.0]]),
        _tensors([[2.0, -1.0, 0.5], [0.3, 1.5, -2.0]], [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]),
        _tensors([[1000.0, -1000.0], [1000.0, -1000.0]], [[1.0, 0.0], [0.0, 1.0]]),
    ]


def _naive(logits: Tensor, x: Tensor, smallest: float = 0.0) -> Tensor:
    ink = torch.sigmoid(logits).clamp(smallest, 1 - smallest)
    return (x * ink.log() + (1 - x) * (1 - ink).log()).sum(-1)


BERNOULLI_LOG_LIKELIHOOD = Exercise(
    task="log p(x given z) of binary pixels x from a decoder's logits, both (batch, pixels), to (batch,), in nats per image.",
    reference=bernoulli_log_likelihood,
    cases=_logits_and_pixels,
    hints=(
        "A pixel with ink counts log sigmoid(logit), one without ink counts log(1 - sigmoid(logit)) = log sigmoid(-logit).",
        "Pixels are independent given z, so their logs add: sum over the last dimension, and over no other.",
        "functional.logsigmoid, or functional.binary_cross_entropy_with_logits with reduction='none', are safe at 1000.",
    ),
    mistakes=(
        Mistake(
            "Sigmoid first, then binary_cross_entropy",
            lambda logits, x: -functional.binary_cross_entropy(logits.sigmoid(), x, reduction="none").sum(-1),
            "torch cuts the log off at -100 there, so a pixel that is off by 1000 costs only 100. Use "
            "functional.binary_cross_entropy_with_logits on the logits.",
        ),
        Mistake(
            "log 0: unstable for large logits",
            _naive,
            "Right on paper, but sigmoid(1000) is exactly 1 to a computer, and log(1 - 1) is -inf (and 0 times that, nan). "
            "Stay in logs: functional.logsigmoid(logits) and functional.logsigmoid(-logits).",
        ),
        Mistake(
            "Clipped the probabilities",
            lambda logits, x: _naive(logits, x, smallest=1e-7),
            "A wrong pixel at logit 1000 costs 1000 nats; clipping at 1e-7 charges 16 and gives no gradient. Stay in logs.",
        ),
        Mistake(
            "Mean over pixels where a sum was asked",
            lambda logits, x: bernoulli_log_likelihood(logits, x) / x.shape[-1],
            "Independent pixels add their nats. A mean divides by their number, and so weakens this term against the KL.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda logits, x: bernoulli_log_likelihood(logits, x).sum(),
            "Keep one value for each image: .sum(-1).",
        ),
        Mistake(
            "Mean over everything",
            lambda logits, x: -functional.binary_cross_entropy_with_logits(logits, x),
            "torch's losses average over all entries unless told otherwise: reduction='none', then .sum(-1).",
        ),
        Mistake(
            "Wrong sign",
            lambda logits, x: -bernoulli_log_likelihood(logits, x),
            "Cross entropy is *minus* the log-likelihood. A log of a probability is never positive.",
        ),
        Mistake(
            "Sigmoid applied twice",
            lambda logits, x: bernoulli_log_likelihood(torch.sigmoid(logits), x),
            "A function that ends in _with_logits takes the sigmoid itself. Give it the logits as they are.",
        ),
        Mistake(
            "Logits read as probabilities",
            lambda logits, x: (x * logits.log() + (1 - x) * (1 - logits).log()).sum(-1),
            "A logit may be any number, 1000 or -1000; the probability of ink is its sigmoid.",
        ),
        Mistake(
            "Forgot the pixels without ink",
            lambda logits, x: (x * functional.logsigmoid(logits)).sum(-1),
            "A pixel without ink is evidence too: it counts (1 - x) log(1 - p).",
        ),
    ),
)

# --- the loss of a VAE ----------------------------------------------------------------------------------------------


def negative_elbo(distortion: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
    return (distortion + rate).mean()


def _encoded_batches() -> list[Arguments]:
    return [
        _tensors([2.0], [[1.0]], [[0.0]]),
        _tensors([3.0], [[1.0, -2.0]], [[0.5, -1.0]]),
        _tensors([1.0, 2.0, 6.0], [[0.0, 1.0], [0.5, 2.0], [-1.0, 0.3]], [[0.0, 0.2], [-1.0, -2.0], [0.4, -0.5]]),
    ]


def _terms(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


NEGATIVE_ELBO = Exercise(
    task="The loss of a batch, -ELBO in nats per image: distortion (batch,), mean and log_var (batch, latent), to one number.",
    reference=negative_elbo,
    cases=_encoded_batches,
    gradients=("distortion", "mean", "log_var"),
    hints=(
        "ELBO = -distortion - rate, and a loss is minimized: -ELBO = distortion + rate.",
        "rate is the KL of kl_to_standard_normal, summed over the latent dimension: shape (batch,), like distortion.",
        "Add the two for each image, then average over the batch.",
    ),
    mistakes=(
        Mistake(
            "KL averaged over the latent dimensions",
            lambda distortion, mean, log_var: distortion.mean() + _terms(mean, log_var).mean(),
            "Sum over the latent dimension before the mean over the batch; a plain .mean() divides the KL by their number.",
        ),
        Mistake(
            "KL subtracted",
            lambda distortion, mean, log_var: (distortion - _terms(mean, log_var).sum(-1)).mean(),
            "Minimizing distortion - rate *rewards* a large KL. The ELBO subtracts both; the loss adds both.",
        ),
        Mistake(
            "The ELBO itself, not its negative",
            lambda distortion, mean, log_var: -negative_elbo(distortion, mean, log_var),
            "An optimizer minimizes. Give it -ELBO = distortion + rate.",
        ),
        Mistake(
            "Sum over the batch",
            lambda distortion, mean, log_var: (distortion + _terms(mean, log_var).sum(-1)).sum(),
            "Average over the images, so that the loss and its gradient do not grow with the batch size.",
        ),
        Mistake(
            "KL summed over the batch as well",
            lambda distortion, mean, log_var: distortion.mean() + _terms(mean, log_var).sum(),
            "Distortion is averaged over the batch, so the rate must be too; else its weight is the batch size.",
        ),
        Mistake(
            "Missing 1/2",
            lambda distortion, mean, log_var: (distortion + 2 * _terms(mean, log_var).sum(-1)).mean(),
            "The KL of Gaussians has a factor 1/2 in front; without it the KL has weight 2.",
        ),
        Mistake(
            "No KL term",
            lambda distortion, mean, log_var: distortion.mean(),
            "This is an autoencoder with noise in the middle. Add the rate.",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda distortion, mean, log_var: (distortion + _terms(mean, 2 * log_var).sum(-1)).mean(),
            "exp(log_var) is already the variance; do not double log_var.",
        ),
    ),
)

# --- the weight hidden in two means ---------------------------------------------------------------------------------


def kl_weight_of_means(pixels: Tensor, latent: Tensor) -> Tensor:
    return pixels / latent


def _sizes() -> list[Arguments]:
    return [_tensors(64.0, 1.0), _tensors(64.0, 16.0), _tensors([784.0, 784.0], [2.0, 64.0])]


KL_WEIGHT_OF_MEANS = Exercise(
    task="A loss adds the mean over pixels of the distortion to the mean over latents of the KL. Its weight on the rate.",
    reference=kl_weight_of_means,
    cases=_sizes,
    hints=(
        "Write the loss with the sums that belong there: D / pixels + R / latent.",
        "A loss times a positive constant has the same minimum. Multiply so that D stands alone.",
        "Times pixels: D + (pixels / latent) R.",
    ),
    mistakes=(
        Mistake(
            "Upside down",
            lambda pixels, latent: latent / pixels,
            "Dividing the *distortion* by the pixels weakens it, so the rate's relative weight grows with the pixels.",
        ),
        Mistake(
            "Forgot that the KL was averaged too",
            lambda pixels, latent: pixels + 0 * latent,
            "That is right where the KL is summed. Here it is divided by the number of latent dimensions as well.",
        ),
        Mistake(
            "Multiplied the two sizes",
            lambda pixels, latent: pixels * latent,
            "The KL's own mean *divides* its weight by the latent dimensions.",
        ),
        Mistake(
            "Only the KL's mean counted",
            lambda pixels, latent: 1 / latent + 0 * pixels,
            "The distortion is divided by the pixels as well: multiply the whole loss by pixels to see it stand alone.",
        ),
    ),
)

EXERCISES = (POSTERIOR, IMPORTANCE_WEIGHTED_BOUND, BERNOULLI_LOG_LIKELIHOOD, NEGATIVE_ELBO, KL_WEIGHT_OF_MEANS)
