"""Exercises of lesson 05: a VAE piece by piece, from encoder to training step; when to stop; pixels drawn; hidden weights."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.kinds import ModuleExercise, UpdateExercise, start_of
from vae_course.exercises.making import doubles, flags, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction
from vae_course.probability.distributions import standard_normal, standard_uniform
from vae_course.training import seeded

# --- the encoder, a module --------------------------------------------------------------------------------------------


class GaussianEncoder(nn.Module):
    def __init__(self, inputs: int, hidden: int, latent: int):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.mean = nn.Linear(hidden, latent)
        self.log_var = nn.Linear(hidden, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.relu(self.hidden(x))
        return self.mean(features), self.log_var(features)


class _HeadsSwapped(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return log_var, mean


class _NoReLU(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.hidden(x)
        return self.mean(features), self.log_var(features)


class _ReLUBefore(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.hidden(torch.relu(x))
        return self.mean(features), self.log_var(features)


class _ReLUOnTheHeads(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return torch.relu(mean), torch.relu(log_var)


class _ReLUOnLogVar(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return mean, torch.relu(log_var)


class _ReLUOnTheMean(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return torch.relu(mean), log_var


class _Tanh(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.tanh(self.hidden(x))
        return self.mean(features), self.log_var(features)


class _Sigmoid(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.sigmoid(self.hidden(x))
        return self.mean(features), self.log_var(features)


class _Variance(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return mean, log_var.exp()


class _Std(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return mean, (log_var / 2).exp()


class _Softplus(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = super().forward(x)
        return mean, functional.softplus(log_var)


class _OneHead(GaussianEncoder):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, _ = super().forward(x)
        return mean, mean


class _OnlyTheMean(GaussianEncoder):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)[0]


def _drawn_layers(generator: Generator) -> Arguments:
    batch, *layers = sizes(generator, 4, low=1, high=6)
    return (*layers, numbers(generator, batch, layers[0]).float())


GAUSSIAN_ENCODER = ModuleExercise(
    task="A module GaussianEncoder(inputs, hidden, latent): a linear layer with ReLU, then two linear heads, mean and log_var.",
    reference=GaussianEncoder,
    cases=lambda: [(2, 3, 1, torch.tensor([[1.0, -1.0]])), (3, 4, 2, torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, -1.0]]))],
    generate=_drawn_layers,
    lesson=lambda g: (64, 128, 2, torch.rand(128, 64, generator=g).round()),
    building=3,
    named=("hidden", "mean", "log_var"),
    hints=(
        "Three linear layers: one from the inputs to the hidden features, and from these one for each of the two heads.",
        "The features are relu of the first layer's output. Both heads read the same features, and need no activation.",
        "self.hidden = nn.Linear(inputs, hidden), two of nn.Linear(hidden, latent), and forward returns the pair of "
        "what they give.",
    ),
    mistakes=(
        Mistake(
            "The heads swapped", _HeadsSwapped, "First the mean, then log_var: whoever unpacks the pair relies on the order."
        ),
        Mistake("No ReLU", _NoReLU, "Without it the two linear layers are one linear layer, and the encoder cannot bend."),
        Mistake("ReLU before the first layer", _ReLUBefore, "ReLU belongs after the hidden layer, on its output."),
        Mistake(
            "ReLU on the heads", _ReLUOnTheHeads, "A mean and a log_var may be negative. ReLU belongs on the hidden layer only."
        ),
        Mistake(
            "ReLU on the mean",
            _ReLUOnTheMean,
            "So no code could be centred below 0. A mean may be any number, as it comes.",
        ),
        Mistake("ReLU on log_var", _ReLUOnLogVar, "So no variance could be below 1. A logarithm may be any number."),
        Mistake("Tanh in place of ReLU", _Tanh, "It would learn as well, but here ReLU was asked."),
        Mistake("Sigmoid in place of ReLU", _Sigmoid, "It would learn, slowly, but here ReLU was asked."),
        Mistake(
            "The variance in place of its logarithm", _Variance, "Leave log_var as it is: whoever needs the variance takes exp."
        ),
        Mistake(
            "The standard deviation in place of log_var", _Std, "Leave log_var as it is; the sample takes exp(log_var / 2)."
        ),
        Mistake("Softplus on log_var", _Softplus, "softplus makes numbers positive; a logarithm need not be."),
        Mistake("One head for both", _OneHead, "mean and log_var need weights of their own: two layers."),
        Mistake("Only the mean", _OnlyTheMean, "Return both: mean, log_var."),
    ),
)

# --- a likelihood from logits ---------------------------------------------------------------------------------------


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    return -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def _logits_and_pixels() -> list[Arguments]:
    return [
        doubles([[0.0]], [[1.0]]),
        doubles([[2.0, -1.0]], [[1.0, 0.0]]),
        doubles([[1.0], [-2.0], [0.5]], [[0.0], [0.0], [1.0]]),
        doubles([[2.0, -1.0, 0.5], [0.3, 1.5, -2.0]], [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]),
        doubles([[1000.0, -1000.0], [1000.0, -1000.0]], [[1.0, 0.0], [0.0, 1.0]]),
    ]


def _drawn_logits_and_pixels(generator: Generator) -> Arguments:
    """In half of the draws some logits are 1000 or -1000, the others as a decoder usually gives them."""
    batch, pixels = sizes(generator, 2, 1, 6)
    logits, x = numbers(generator, batch, pixels, low=-3, high=3), flags(generator, batch, pixels).double()
    if size(generator, 0, 1):
        logits = torch.where(flags(generator, batch, pixels, share=0.3), 1000 * logits.sign(), logits)
    return logits, x


def _lesson_logits_and_pixels(generator: Generator) -> Arguments:
    return 2 * torch.randn(128, 64, generator=generator), flags(generator, 128, 64).float()


def _naive(logits: Tensor, x: Tensor, smallest: float = 0.0) -> Tensor:
    ink = torch.sigmoid(logits).clamp(smallest, 1 - smallest)
    return (x * ink.log() + (1 - x) * (1 - ink).log()).sum(-1)


def _clipped(smallest: float) -> Mistake:
    return Mistake(
        f"Probabilities clipped at {smallest:g}",
        lambda logits, x: _naive(logits, x, smallest),
        f"A wrong pixel at logit 1000 costs 1000 nats; clipping, or adding a small number before the log, charges "
        f"{-math.log(smallest):.0f} and gives no gradient. Stay in logs: functional.logsigmoid(logits).",
    )


BERNOULLI_LOG_LIKELIHOOD = Exercise(
    task="log p(x given z) of binary pixels x from a decoder's logits, both (batch, pixels), to (batch,), in nats per image.",
    reference=bernoulli_log_likelihood,
    cases=_logits_and_pixels,
    generate=_drawn_logits_and_pixels,
    lesson=_lesson_logits_and_pixels,
    gradients=("logits",),
    hints=(
        "A pixel with ink counts log sigmoid(logit), one without ink counts log(1 - sigmoid(logit)) = log sigmoid(-logit).",
        "Pixels are independent given z, so their logs add: sum over the last dimension, and over no other.",
        "functional.binary_cross_entropy_with_logits(logits, x, reduction='none') is a pixel's log *with a minus*, safe "
        "at 1000.",
    ),
    mistakes=(
        Mistake(
            "Sigmoid first, then binary_cross_entropy",
            lambda logits, x: -functional.binary_cross_entropy(logits.sigmoid(), x, reduction="none").sum(-1),
            "torch cuts the log off at -100 there, so a pixel that is off by 1000 costs only 100. Use "
            "functional.binary_cross_entropy_with_logits on the logits.",
        ),
        Mistake(
            "Sigmoid first, then torch's Bernoulli",
            lambda logits, x: torch.distributions.Bernoulli(probs=logits.sigmoid()).log_prob(x).sum(-1),
            "torch clips the probabilities there, so a pixel that is off by 1000 costs too little. Give it logits=logits.",
        ),
        Mistake(
            "log 0: unstable for large logits",
            _naive,
            "Right on paper, but sigmoid(1000) is exactly 1 to a computer, and log(1 - 1) is -inf (and 0 times that, nan). "
            "Stay in logs: functional.logsigmoid(logits) and functional.logsigmoid(-logits).",
        ),
        Mistake(
            "The log of an underflowed probability",
            lambda logits, x: torch.where(x > 0.5, torch.sigmoid(logits), 1 - torch.sigmoid(logits)).log().sum(-1),
            "Right on paper, but sigmoid(-1000) is 0 to a computer, and its log is -inf. "
            "Stay in logs: functional.logsigmoid(logits) and functional.logsigmoid(-logits).",
        ),
        *map(_clipped, (1e-6, 1e-7, 1e-8, 1e-10, 1e-12)),
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
            "Averaged over the batch too",
            lambda logits, x: bernoulli_log_likelihood(logits, x).mean(),
            "Keep one value for each image: .sum(-1), and no mean.",
        ),
        Mistake(
            "Mean over everything",
            lambda logits, x: bernoulli_log_likelihood(logits, x).mean() / x.shape[-1],
            "torch's losses average over all entries unless told otherwise: reduction='none', then .sum(-1).",
        ),
        Mistake(
            "Summed over the images, not the pixels",
            lambda logits, x: bernoulli_log_likelihood(logits.mT, x.mT),
            "Dimension 0 holds the images. Sum over the pixels, dimension -1.",
        ),
        Mistake(
            "Not summed over the pixels",
            lambda logits, x: bernoulli_log_likelihood(logits[..., None], x[..., None]),
            "This is one value for each pixel. The logs of an image's pixels add: .sum(-1).",
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
            "Logits given to torch's Bernoulli as probabilities",
            lambda logits, x: torch.distributions.Bernoulli(logits).log_prob(x).sum(-1),
            "Its first argument is the probabilities, from 0 to 1. Say that these are logits: Bernoulli(logits=logits).",
        ),
        Mistake(
            "logits and x swapped",
            lambda logits, x: bernoulli_log_likelihood(x, logits),
            "torch's losses take what the model says first, and the truth second.",
        ),
        Mistake(
            "Forgot the pixels without ink",
            lambda logits, x: bernoulli_log_likelihood(torch.where(x > 0, logits, -1e6), x),  # -1e6: certain, costs nothing
            "A pixel without ink is evidence too: it counts (1 - x) log(1 - p).",
        ),
        Mistake(
            "Forgot the pixels with ink",
            lambda logits, x: bernoulli_log_likelihood(torch.where(x > 0, 1e6, logits), x),
            "A pixel with ink counts too: x log p.",
        ),
        Mistake(
            "Ink and no ink swapped",
            lambda logits, x: bernoulli_log_likelihood(-logits, x),
            "sigmoid(logit) is the probability of *ink*, x = 1: x goes with log p, and 1 - x with log(1 - p).",
        ),
        Mistake(
            "x is not used",
            lambda logits, x: bernoulli_log_likelihood(logits, torch.ones_like(x)),
            "This is the log-likelihood of ink everywhere. A pixel without ink counts log(1 - p).",
        ),
        Mistake(
            "The pixels without ink subtracted",
            lambda logits, x: (x * functional.logsigmoid(logits) - (1 - x) * functional.logsigmoid(-logits)).sum(-1),
            "The two terms are added: for each pixel one of them is 0.",
        ),
        Mistake(
            "1 - log p in place of log(1 - p)",
            lambda logits, x: (x * functional.logsigmoid(logits) + (1 - x) * (1 - functional.logsigmoid(logits))).sum(-1),
            "The log is taken of 1 - p. Without rounding that is functional.logsigmoid(-logits).",
        ),
        Mistake(
            "1 - logit in place of minus the logit",
            lambda logits, x: (x * functional.logsigmoid(logits) + (1 - x) * functional.logsigmoid(1 - logits)).sum(-1),
            "1 - sigmoid(logit) is sigmoid(-logit), not sigmoid(1 - logit).",
        ),
        Mistake(
            "- log p in place of log(1 - p)",
            lambda logits, x: ((2 * x - 1) * functional.logsigmoid(logits)).sum(-1),
            "A pixel without ink counts log(1 - p), which is functional.logsigmoid(-logits): the minus belongs inside.",
        ),
        Mistake(
            "The logs are forgotten",
            lambda logits, x: (x * torch.sigmoid(logits) + (1 - x) * torch.sigmoid(-logits)).sum(-1),
            "This adds probabilities. Independent events multiply, so it is their logs that add.",
        ),
        Mistake(
            "Not normalized",
            lambda logits, x: (x * logits).sum(-1),
            "A logit is not yet a log probability: the log of both possibilities' weights, softplus(logit), is taken off.",
        ),
        Mistake(
            "Squared error",
            lambda logits, x: -(x - torch.sigmoid(logits)).square().sum(-1),
            "That is, up to constants, the log-likelihood of a Gaussian. Pixels that are ink or no ink are Bernoulli.",
        ),
        Mistake(
            "Softmax over the pixels",
            lambda logits, x: (x * functional.log_softmax(logits, dim=-1)).sum(-1),
            "A softmax spreads one drop of ink over all pixels. Here every pixel decides for itself: a sigmoid each.",
        ),
    ),
)

# --- the loss of a VAE ----------------------------------------------------------------------------------------------


def negative_elbo(distortion: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
    return (distortion + rate).mean()


def _encoded_batches() -> list[Arguments]:
    return [
        doubles([2.0], [[1.0]], [[0.0]]),
        doubles([4.0, 1.0, 0.0], [[0.0], [0.0], [2.0]], [[0.0], [0.0], [0.0]]),
        doubles([2.0], [[0.5, 1.0]], [[0.5, 1.5]]),
        doubles([3.0], [[1.0, -2.0]], [[0.5, -1.0]]),
        doubles([1.0, 2.0, 6.0], [[0.0, 1.0], [0.5, 2.0], [-1.0, 0.3]], [[0.0, 0.2], [-1.0, -2.0], [0.4, -0.5]]),
    ]


def _drawn_encoded_batch(generator: Generator) -> Arguments:
    batch, latent = sizes(generator, 2, 1, 6)
    distortion = numbers(generator, batch, low=-2, high=9)
    return distortion, numbers(generator, batch, latent), numbers(generator, batch, latent, low=-3, high=2)


def _lesson_encoded_batch(generator: Generator) -> Arguments:
    mean, log_var = torch.randn(2, 128, 16, generator=generator)
    return 30 * torch.rand(128, generator=generator), mean, log_var - 1


def _terms(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


NEGATIVE_ELBO = Exercise(
    task="The loss of a batch, -ELBO in nats per image: distortion (batch,), mean and log_var (batch, latent), to one number.",
    reference=negative_elbo,
    cases=_encoded_batches,
    generate=_drawn_encoded_batch,
    lesson=_lesson_encoded_batch,
    gradients=("distortion", "mean", "log_var"),
    hints=(
        "ELBO = -distortion - rate, and a loss is minimized: -ELBO = distortion + rate.",
        "rate is the KL of kl_to_standard_normal, summed over the latent dimension: shape (batch,), like distortion.",
        "0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1) is the rate. Add the distortion, then average over "
        "the batch.",
    ),
    mistakes=(
        Mistake(
            "KL averaged over the latent dimensions",
            lambda distortion, mean, log_var: negative_elbo(distortion * mean.shape[1], mean, log_var) / mean.shape[1],
            "Sum over the latent dimension before the mean over the batch; a plain .mean() divides the KL by their number.",
        ),
        Mistake(
            "KL subtracted",
            lambda distortion, mean, log_var: -negative_elbo(-distortion, mean, log_var),
            "Minimizing distortion - rate *rewards* a large KL. The ELBO subtracts both; the loss adds both.",
        ),
        Mistake(
            "Distortion subtracted",
            lambda distortion, mean, log_var: negative_elbo(-distortion, mean, log_var),
            "The distortion is *minus* the log-likelihood already. The loss adds both, distortion and rate.",
        ),
        Mistake(
            "The ELBO itself, not its negative",
            lambda distortion, mean, log_var: -negative_elbo(distortion, mean, log_var),
            "An optimizer minimizes. Give it -ELBO = distortion + rate.",
        ),
        Mistake(
            "Sum over the batch",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, log_var) * len(mean),
            "Average over the images, so that the loss and its gradient do not grow with the batch size.",
        ),
        Mistake(
            "KL summed over the batch as well",
            lambda distortion, mean, log_var: negative_elbo(distortion / len(mean), mean, log_var) * len(mean),
            "Distortion is averaged over the batch, so the rate must be too; else its weight is the batch size.",
        ),
        Mistake(
            "Distortion summed over the batch",
            lambda distortion, mean, log_var: negative_elbo(distortion * len(mean), mean, log_var),
            "The rate is averaged over the batch, so the distortion must be too; else its weight is the batch size.",
        ),
        Mistake(
            "KL summed over the batch, averaged over the latent dimensions",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion * mean.shape[1] / len(mean), mean, log_var) * len(mean) / mean.shape[1]
            ),
            "It is the other way round: the KL is summed over the latent dimensions, .sum(-1), and averaged over the batch.",
        ),
        Mistake(
            "KL summed over dimension 0",
            lambda distortion, mean, log_var: (distortion + _terms(mean, log_var).sum(0)).mean(),
            "Dimension 0 holds the images. The KL is summed over the latent dimensions, .sum(-1): (batch,), like distortion.",
        ),
        Mistake(
            "KL not summed over the latent dimensions",
            lambda distortion, mean, log_var: (distortion + _terms(mean, log_var)).mean(),
            "distortion is (batch,) and the KL's terms are (batch, latent): sum these over the latent dimension first.",
        ),
        Mistake(
            "Distortion counted once for each latent dimension",
            lambda distortion, mean, log_var: negative_elbo(distortion * mean.shape[1], mean, log_var),
            "An image has one distortion: sum the KL's terms over the latent dimension before the distortion is added.",
        ),
        Mistake(
            "One loss for each image",
            lambda distortion, mean, log_var: torch.stack(
                [negative_elbo(distortion[k : k + 1], mean[k : k + 1], log_var[k : k + 1]) for k in range(len(mean))]
            ),
            "The loss is one number: average over the images at the end.",
        ),
        Mistake(
            "Missing 1/2",
            lambda distortion, mean, log_var: 2 * negative_elbo(distortion / 2, mean, log_var),
            "The KL of Gaussians has a factor 1/2 in front; without it the KL has weight 2.",
        ),
        Mistake(
            "Missing - 1",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, log_var) + 0.5 * mean.shape[1],
            "The KL has a - 1 in each latent dimension, so that it is 0 for mean 0 and log_var 0.",
        ),
        Mistake(
            "Missing - log_var",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, log_var) + 0.5 * log_var.sum(-1).mean(),
            "The KL subtracts log_var. Without it nothing keeps the variance from shrinking to 0.",
        ),
        Mistake(
            "Missing exp(log_var)",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, log_var) - 0.5 * log_var.exp().sum(-1).mean(),
            "The KL contains the variance, exp(log_var). Without it nothing keeps the variance from growing.",
        ),
        Mistake(
            "Missing mean squared",
            lambda distortion, mean, log_var: negative_elbo(distortion, torch.zeros_like(mean), log_var),
            "The KL grows with mean^2: codes far from 0 are charged for.",
        ),
        Mistake(
            "The mean is not squared",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, torch.zeros_like(mean), log_var) + 0.5 * mean.sum(-1).mean()
            ),
            "The KL has mean^2 in it: far to the left costs as much as far to the right.",
        ),
        Mistake(
            "log_var added",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, log_var) + log_var.sum(-1).mean(),
            "The KL *subtracts* log_var: a small variance is charged for.",
        ),
        Mistake(
            "No KL term",
            lambda distortion, mean, log_var: negative_elbo(distortion, torch.zeros_like(mean), torch.zeros_like(log_var)),
            "This is an autoencoder with noise in the middle. Add the rate.",
        ),
        Mistake(
            "No distortion",
            lambda distortion, mean, log_var: negative_elbo(torch.zeros_like(distortion), mean, log_var),
            "This is the rate alone, which is smallest where the codes say nothing. Add the distortion.",
        ),
        Mistake(
            "The KL's arguments swapped",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean * torch.exp(-0.5 * log_var), -log_var),
            "This is KL(N(0, I) from q). The rate is the KL of q from N(0, I): q comes first.",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, 2 * log_var),
            "exp(log_var) is already the variance; do not double log_var.",
        ),
        Mistake(
            "The variance squared",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, mean, log_var) + 0.5 * ((2 * log_var).exp() - log_var.exp()).sum(-1).mean()
            ),
            "exp(log_var) is the variance already, std^2. Do not square it again.",
        ),
        Mistake(
            "The standard deviation in place of the variance",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, mean, log_var) + 0.5 * (torch.exp(0.5 * log_var) - log_var.exp()).sum(-1).mean()
            ),
            "exp(log_var / 2) is the standard deviation. The KL contains its square, the variance exp(log_var).",
        ),
        Mistake(
            "log_var halved",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean, 0.5 * log_var),
            "exp(log_var) is the variance, which the KL contains; only for the standard deviation is log_var halved.",
        ),
        Mistake(
            "log_var read as the variance",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, mean, torch.zeros_like(log_var)) + 0.5 * (log_var - 1 - log_var.log()).sum(-1).mean()
            ),
            "log_var is the log of the variance, and may be negative: the variance is exp(log_var), and its log is log_var.",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, mean, torch.zeros_like(log_var))
                + 0.5 * (log_var.square() - 1 - log_var.square().log()).sum(-1).mean()
            ),
            "log_var is the log of the variance, and may be negative: the variance is exp(log_var), and its log is log_var.",
        ),
        Mistake(
            "log_var read as the standard deviation, with a log of negative numbers",
            lambda distortion, mean, log_var: (
                negative_elbo(distortion, mean, torch.zeros_like(log_var))
                + 0.5 * (log_var.square() - 1 - 2 * log_var.log()).sum(-1).mean()
            ),
            "log_var is the log of the variance, and may be negative: the variance is exp(log_var), and its log is log_var.",
        ),
        Mistake(
            "log_var given to torch's Normal as the standard deviation",
            lambda distortion, mean, log_var: (
                distortion
                + torch.distributions.kl_divergence(
                    torch.distributions.Normal(mean, log_var), torch.distributions.Normal(torch.zeros_like(mean), 1.0)
                ).sum(-1)
            ).mean(),
            "torch's Normal takes the standard deviation, which is positive: torch.exp(0.5 * log_var).",
        ),
        Mistake(
            "The distortion is detached",
            lambda distortion, mean, log_var: negative_elbo(distortion.detach(), mean, log_var),
            "The value is right, but no gradient reaches the decoder: do not detach the distortion.",
        ),
        Mistake(
            "The rate is detached",
            lambda distortion, mean, log_var: negative_elbo(distortion, mean.detach(), log_var.detach()),
            "The value is right, but the encoder is not charged for the rate: do not detach mean and log_var.",
        ),
    ),
)

# --- a step of training, an update ------------------------------------------------------------------------------------


def training_step(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, x: Tensor, generator: Generator) -> Tensor:
    mean, log_var = encoder(x)
    z = mean + torch.exp(log_var / 2) * standard_normal(mean.shape, generator, like=mean)
    loss = negative_elbo(-bernoulli_log_likelihood(decoder(z), x), mean, log_var)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _step(
    sampled: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda mean, log_var, noise: mean + torch.exp(log_var / 2) * noise,
    loss_of: Callable[[Tensor, Tensor, Tensor], Tensor] = negative_elbo,
    order: str = "zero backward step",
    decoded: Callable[[Tensor], Tensor] = lambda logits: logits,
    drawn: Callable[[Tensor, Generator], Tensor] = lambda mean, generator: standard_normal(mean.shape, generator, like=mean),
) -> Callable[..., Tensor]:
    """A training step in which one thing may be otherwise."""

    def step(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, x: Tensor, generator: Generator) -> Tensor:
        mean, log_var = encoder(x)
        z = sampled(mean, log_var, drawn(mean, generator))
        loss = loss_of(-bernoulli_log_likelihood(decoded(decoder(z)), x), mean, log_var)
        do: dict[str, Callable[[], object]]
        do = {"zero": optimizer.zero_grad, "backward": loss.backward, "step": optimizer.step}
        for name in order.split():
            do[name]()
        return loss.detach()

    return step


def _with_rate(weight: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return lambda distortion, mean, log_var: (distortion + weight * _terms(mean, log_var).sum(-1)).mean()


def _start(x: Tensor, latent: int, seed: int) -> Arguments:
    encoder = start_of(lambda: GaussianEncoder(x.shape[1], 5, latent), seed, like=x)
    decoder = start_of(lambda: nn.Linear(latent, x.shape[1]), seed + 1, like=x)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.1)
    return encoder, decoder, optimizer, x, seeded(seed)


def _drawn_ink(generator: Generator) -> Arguments:
    batch, pixels, latent = sizes(generator, 3, low=2, high=6)
    return flags(generator, batch, pixels).double(), latent, size(generator, 0, 99)


TRAINING_STEP = UpdateExercise(
    task="One step on a batch x of zeros and ones: encode, sample, decode, -ELBO, zero_grad, backward, step. Returns the loss.",
    reference=training_step,
    cases=lambda: [(torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64), 2, 0)],
    generate=_drawn_ink,
    lesson=lambda g: (torch.rand(128, 64, generator=g).round(), 2, 0),
    start=_start,
    made_from=("x", "latent", "seed"),
    hints=(
        "In this order: encode, draw z, decode, price what came out, and go one step down the slope.",
        "z is the sample of lesson 03, of standard_normal(mean.shape, generator, like=mean). The distortion is minus "
        "bernoulli_log_likelihood(decoder(z), x), and the price is negative_elbo.",
        "The last three lines in this order: optimizer.zero_grad(), loss.backward(), optimizer.step(). Return loss.detach().",
    ),
    mistakes=(
        Mistake("No zero_grad", _step(order="backward step"), "Gradients add up from step to step unless they are put back."),
        Mistake(
            "The weights do not move",
            _step(order="zero backward"),
            "After the call they are what they were. Three lines, in this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "The mean in place of a sample", _step(lambda mean, log_var, noise: mean), "Without noise this is no VAE: add it."
        ),
        Mistake(
            "Noise with variance in place of standard deviation",
            _step(lambda mean, log_var, noise: mean + log_var.exp() * noise),
            "exp(log_var) is the variance. A sample is mean + exp(log_var / 2) * noise.",
        ),
        Mistake(
            "log_var taken for the standard deviation",
            _step(lambda mean, log_var, noise: mean + log_var * noise),
            "A sample is mean + exp(log_var / 2) * noise.",
        ),
        Mistake(
            "Uniform noise",
            _step(drawn=lambda mean, generator: standard_uniform(mean.shape, generator, like=mean)),
            "q is a Gaussian, and so the noise is drawn from N(0, 1): standard_normal, or torch.randn with the generator.",
        ),
        Mistake(
            "Uniform noise around 0",
            _step(drawn=lambda mean, generator: 2 * standard_uniform(mean.shape, generator, like=mean) - 1),
            "q is a Gaussian, and so the noise is drawn from N(0, 1): standard_normal, or torch.randn with the generator.",
        ),
        Mistake(
            "The same noise for all images",
            _step(drawn=lambda mean, generator: standard_normal((1, mean.shape[1]), generator, like=mean)),
            "Each image has a draw of its own, so the noise has the shape of mean: (batch, latent).",
        ),
        Mistake(
            "The same noise for all coordinates",
            _step(drawn=lambda mean, generator: standard_normal((len(mean), 1), generator, like=mean)),
            "Each coordinate of z has noise of its own, so the noise has the shape of mean: (batch, latent).",
        ),
        Mistake("Noise of width 1", _step(lambda mean, log_var, noise: mean + noise), "Scale the noise by exp(log_var / 2)."),
        Mistake(
            "The sample cut from the graph",
            _step(lambda mean, log_var, noise: (mean + torch.exp(log_var / 2) * noise).detach()),
            "With detach, the distortion no longer teaches the encoder anything.",
        ),
        Mistake(
            "Sigmoid before the likelihood",
            _step(decoded=torch.sigmoid),
            "The decoder gives logits, and bernoulli_log_likelihood takes the sigmoid itself. Give it the logits as they are.",
        ),
        Mistake(
            "No KL term", _step(loss_of=_with_rate(0.0)), "This trains an autoencoder with noise. Add the rate: negative_elbo."
        ),
        Mistake("KL subtracted", _step(loss_of=_with_rate(-1.0)), "The loss adds the rate. negative_elbo does it."),
        Mistake("KL counted twice", _step(loss_of=_with_rate(2.0)), "The rate has weight 1 in the ELBO."),
        Mistake(
            "The log-likelihood in place of the distortion",
            _step(loss_of=lambda distortion, mean, log_var: negative_elbo(-distortion, mean, log_var)),
            "The distortion is *minus* the log-likelihood.",
        ),
        Mistake(
            "The ELBO, not its negative",
            _step(loss_of=lambda distortion, mean, log_var: -negative_elbo(distortion, mean, log_var)),
            "An optimizer minimizes: give it -ELBO.",
        ),
        Mistake(
            "Sum over the batch",
            _step(loss_of=lambda distortion, mean, log_var: len(distortion) * negative_elbo(distortion, mean, log_var)),
            "Average over the images, or the step grows with the batch.",
        ),
    ),
)

# --- when to stop -----------------------------------------------------------------------------------------------------


def epochs_since_best(losses: Tensor) -> Tensor:
    return len(losses) - 1 - losses.argmin()


def _curves() -> list[Arguments]:
    return [
        doubles([2.5]),
        doubles([4.0, 2.5, 3.5]),
        doubles([4.0, 2.5, 3.0, 2.75]),
        doubles([5.0, 4.0, 3.0, 3.25, 3.5]),
        doubles([5.0, 4.5, 4.0, 1.5]),
        doubles([4.0, 2.5, 2.5, 3.0]),
    ]


def _drawn_curve(generator: Generator) -> Arguments:
    """Some losses may be equal."""
    count = size(generator, 2, 9)
    return (1 + whole(generator, count, low=0, high=12).double() / 4,)


def _lesson_curve(generator: Generator) -> Arguments:
    return (18 + torch.randperm(120, generator=generator).float() / 64,)


def _rises_in_a_row(losses: Tensor) -> Tensor:
    rises = 0
    while rises < len(losses) - 1 and bool(losses[-1 - rises] > losses[-2 - rises]):
        rises += 1
    return torch.tensor(rises, device=losses.device)


EPOCHS_SINCE_BEST = Exercise(
    task="From the validation losses so far, (epochs,), the newest last: how many epochs ago the (first) lowest was.",
    reference=epochs_since_best,
    cases=_curves,
    generate=_drawn_curve,
    lesson=_lesson_curve,
    plain_number=True,
    hints=(
        "Where is the lowest loss, and where is the newest? Both are places in the list, counted from 0.",
        "losses.argmin() is the place of the lowest, and len(losses) - 1 that of the newest.",
        "The answer is the difference of the two places: 0 where the newest loss is the best.",
    ),
    mistakes=(
        Mistake(
            "One too many",
            lambda losses: epochs_since_best(losses) + 1,
            "Places are counted from 0, so the newest is at len(losses) - 1. Where it is the best, the answer is 0.",
        ),
        Mistake(
            "The place of the best",
            lambda losses: losses.argmin(),
            "That is counted from the first epoch. The answer is counted back from the newest one.",
        ),
        Mistake(
            "The number of the best epoch",
            lambda losses: losses.argmin() + 1,
            "That is counted from the first epoch. The answer is counted back from the newest one.",
        ),
        Mistake(
            "Epochs since the worst",
            lambda losses: epochs_since_best(-losses),
            "A loss is better the lower it is: argmin, not argmax.",
        ),
        Mistake(
            "The last of equal losses",
            lambda losses: losses.flip(0).argmin(),
            "An equal loss is no progress. Of equal ones the first counts, or a training that stands still never ends.",
        ),
        Mistake(
            "The lowest loss",
            lambda losses: losses.min(),
            "That is a loss, in nats. The answer is a number of epochs: not the minimum but its place, argmin.",
        ),
        Mistake(
            "How far the newest is above the best",
            lambda losses: losses[-1] - losses.min(),
            "That is a difference in nats. The answer is a number of epochs: not the minimum but its place, argmin.",
        ),
        Mistake(
            "Rises in a row",
            _rises_in_a_row,
            "A loss may go down again and still be above its best. Count from the lowest of all, not from the last rise.",
        ),
        Mistake(
            "Epochs that were worse than the best",
            lambda losses: torch.tensor(len(losses) - 1, device=losses.device),
            "This counts all other epochs. Only those after the best one count.",
        ),
        Mistake(
            "Epochs that were worse than the newest",
            lambda losses: (losses > losses[-1]).sum(),
            "Compare with the best loss, not with the newest, and count the epochs after it.",
        ),
        Mistake(
            "Epochs that were better than the newest",
            lambda losses: (losses < losses[-1]).sum(),
            "The best one may lie further back than others that are better, too. Look for its place: argmin.",
        ),
    ),
)

# --- pixels drawn -----------------------------------------------------------------------------------------------------


def draw_pixels(logits: Tensor, uniform: Tensor) -> Tensor:
    return (uniform < logits.sigmoid()).to(logits.dtype)


def _logits_and_uniform() -> list[Arguments]:
    return [
        doubles([[0.0]], [[0.25]]),
        doubles([[2.0, 2.0]], [[0.8, 0.95]]),
        doubles([[-1.0, -1.0, 0.2], [0.5, -2.0, 3.0]], [[0.2, 0.3, 0.4], [0.7, 0.05, 0.9]]),
        doubles([[0.2, 0.8], [-3.0, 1.5], [1.0, -0.4]], [[0.5, 0.75], [0.02, 0.9], [0.6, 0.45]]),
    ]


def _drawn_logits_and_uniform(generator: Generator) -> Arguments:
    """No number so near to its probability that rounding decides."""
    count, pixels = sizes(generator, 2, 2, 6)
    logits = numbers(generator, count, pixels, low=-3, high=3)
    uniform = torch.rand(count, pixels, generator=generator, dtype=torch.float64)
    uniform = torch.where((uniform - logits.sigmoid()).abs() < 0.01, (uniform + 0.5) % 1, uniform)
    return logits, uniform.mul(1000).round() / 1000


def _lesson_logits_and_uniform(generator: Generator) -> Arguments:
    return 3 * torch.randn(10, 64, generator=generator), torch.rand(10, 64, generator=generator)


DRAW_PIXELS = Exercise(
    task="Pixels drawn from a decoder's logits (images, pixels), by uniform numbers of the same shape: 0s and 1s.",
    reference=draw_pixels,
    cases=_logits_and_uniform,
    generate=_drawn_logits_and_uniform,
    lesson=_lesson_logits_and_uniform,
    hints=(
        "A pixel whose probability of ink is 0.3 should get ink in three of ten draws.",
        "A uniform number is below 0.3 three times in ten. The probability of ink is the sigmoid of the logit.",
        "Compare: uniform < logits.sigmoid(). Then make zeros and ones of it, with .to(logits.dtype).",
    ),
    mistakes=(
        Mistake(
            "The mean image, not a draw from it",
            lambda logits, uniform: logits.sigmoid(),
            "These are the probabilities. A drawn pixel is ink or no ink: compare each with its uniform number.",
        ),
        Mistake(
            "Rounded, not drawn",
            lambda logits, uniform: (logits > 0).to(logits.dtype),
            "This is each pixel's likelier value, the same each time. Drawn, ink of probability 0.3 comes three times in ten.",
        ),
        Mistake(
            "Compared with the logits",
            lambda logits, uniform: (uniform < logits).to(logits.dtype),
            "A logit may be any number. The probability of ink is its sigmoid.",
        ),
        Mistake(
            "The comparison turned round",
            lambda logits, uniform: 1 - draw_pixels(logits, uniform),
            "A uniform number is *below* 0.9 nine times in ten, so below the probability there is ink.",
        ),
        Mistake(
            "A coin for each pixel",
            lambda logits, uniform: draw_pixels(torch.zeros_like(logits), uniform),
            "Each pixel has a probability of its own: compare with logits.sigmoid(), not with 1/2.",
        ),
        Mistake(
            "Softmax over the pixels",
            lambda logits, uniform: (uniform < logits.softmax(dim=-1)).to(logits.dtype),
            "A softmax spreads one drop of ink over all pixels. Every pixel decides for itself: a sigmoid each.",
        ),
        Mistake(
            "Ink and no ink swapped in the sigmoid",
            lambda logits, uniform: draw_pixels(-logits, uniform),
            "sigmoid(logits) is the probability of ink, and sigmoid(-logits) that of no ink.",
        ),
        Mistake(
            "exp in place of sigmoid",
            lambda logits, uniform: (uniform < logits.exp()).to(logits.dtype),
            "exp of a logit is the odds of ink, p / (1 - p), which may be above 1. The probability is the sigmoid.",
        ),
        Mistake(
            "Sigmoid applied twice",
            lambda logits, uniform: draw_pixels(logits.sigmoid(), uniform),
            "One sigmoid turns a logit into a probability; after a second one no pixel is ever below 1/2.",
        ),
        Mistake(
            "Noise added to the mean image",
            lambda logits, uniform: logits.sigmoid() + uniform,
            "A pixel is ink or no ink. The uniform number decides which: compare it with the probability.",
        ),
        Mistake(
            "Noise multiplied with the mean image",
            lambda logits, uniform: logits.sigmoid() * uniform,
            "A pixel is ink or no ink. The uniform number decides which: compare it with the probability.",
        ),
        Mistake(
            "The sum rounded",
            lambda logits, uniform: (logits.sigmoid() + uniform).round(),
            "The sum goes up to 2. Do not add the uniform number to the probability: ink is where it lies below it.",
        ),
        Mistake(
            "The product rounded",
            lambda logits, uniform: (logits.sigmoid() * uniform).round(),
            "A product of both is above 1/2 too seldom. Compare the two: ink is where uniform is below the probability.",
        ),
        Mistake(
            "The difference, not its sign",
            lambda logits, uniform: logits.sigmoid() - uniform,
            "Where this is above 0 there is ink, and elsewhere none: make ones and zeros of it.",
        ),
        Mistake(
            "Ink where the uniform number is above 1 - p",
            lambda logits, uniform: (uniform > 1 - logits.sigmoid()).to(logits.dtype),
            "It draws ink just as often, so it samples rightly too. Here, as in the lesson, let uniform *below* p be ink.",
        ),
        Mistake(
            "Probabilities where there is ink",
            lambda logits, uniform: logits.sigmoid() * draw_pixels(logits, uniform),
            "Where ink is drawn the pixel is 1, however unlikely it was.",
        ),
        Mistake(
            "Minus one for no ink",
            lambda logits, uniform: 2 * draw_pixels(logits, uniform) - 1,
            "No ink is 0, as in the data.",
        ),
    ),
)

# --- the weight hidden in two means ---------------------------------------------------------------------------------


def kl_weight_of_means(pixels: Tensor, latent: Tensor) -> Tensor:
    return pixels / latent


def _sizes() -> list[Arguments]:
    return [
        doubles(64.0, 1.0),
        doubles(64.0, 16.0),
        doubles([8.0], [8.0]),
        doubles([3.0, 9.0], [5.0, 4.0]),
        doubles([784.0, 784.0], [2.0, 64.0]),
    ]


def _drawn_sizes(generator: Generator) -> Arguments:
    """Numbers of any shape; latents may outnumber the pixels."""
    shape = sizes(generator, size(generator, 0, 3), 1, 4)
    return whole(generator, *shape, low=2, high=99).double(), whole(generator, *shape, low=1, high=64).double()


def _lesson_sizes(generator: Generator) -> Arguments:
    return whole(generator, 200, low=64, high=784).float(), whole(generator, 200, low=1, high=64).float()


KL_WEIGHT_OF_MEANS = Exercise(
    task="A loss adds the mean over pixels of the distortion to the mean over latents of the KL. Its weight on the rate.",
    reference=kl_weight_of_means,
    cases=_sizes,
    generate=_drawn_sizes,
    lesson=_lesson_sizes,
    hints=(
        "Write the loss with the sums that belong there: D / pixels + R / latent.",
        "A loss times a positive constant has the same minimum. Multiply so that D stands alone.",
        "Times pixels: D + (pixels / latent) R.",
    ),
    mistakes=(
        Mistake(
            "Upside down",
            lambda pixels, latent: kl_weight_of_means(latent, pixels),
            "Dividing the *distortion* by the pixels weakens it, so the rate's relative weight grows with the pixels. This is "
            "the weight on D where R has weight 1.",
        ),
        Mistake(
            "Forgot that the KL was averaged too",
            lambda pixels, latent: kl_weight_of_means(pixels, latent) * latent,
            "That is right where the KL is summed. Here it is divided by the number of latent dimensions as well.",
        ),
        Mistake(
            "Multiplied the two sizes",
            lambda pixels, latent: kl_weight_of_means(pixels, latent) * latent.square(),
            "The KL's own mean *divides* its weight by the latent dimensions.",
        ),
        Mistake(
            "Only the KL's mean counted",
            lambda pixels, latent: kl_weight_of_means(torch.ones_like(pixels), latent),
            "The distortion is divided by the pixels as well: multiply the whole loss by pixels to see it stand alone.",
        ),
        Mistake(
            "Only the distortion's mean counted, as a divisor",
            lambda pixels, latent: kl_weight_of_means(torch.ones_like(pixels), pixels),
            "1 / pixels is the factor on D. Multiply the loss by pixels, so that D has weight 1, and see what R is given.",
        ),
        Mistake(
            "The number of latent dimensions",
            lambda pixels, latent: kl_weight_of_means(latent.square(), latent),
            "The mean divides the KL by the latent dimensions, and multiplying the loss by pixels multiplies it again.",
        ),
        Mistake(
            "Both divide",
            lambda pixels, latent: kl_weight_of_means(pixels, latent) / pixels.square(),
            "The pixels divide the *distortion*. Multiply the loss by pixels, so that D has weight 1: R is multiplied too.",
        ),
        Mistake(
            "The sizes subtracted",
            lambda pixels, latent: pixels - latent,
            "Both sizes are divisors in the loss, so a quotient of them remains: multiply D / pixels + R / latent by pixels.",
        ),
        Mistake(
            "The sizes added",
            lambda pixels, latent: pixels + latent,
            "Both sizes are divisors in the loss, so a quotient of them remains: multiply D / pixels + R / latent by pixels.",
        ),
        Mistake(
            "One weight for all",
            lambda pixels, latent: pixels.sum() / latent.sum(),
            "The arguments may hold several programs' sizes. Each has a weight of its own: the same shape comes back.",
        ),
        Mistake(
            "A share of the sum",
            lambda pixels, latent: pixels / (pixels + latent),
            "The weights need not add up to 1: D has weight 1, and R has what is left when the loss is multiplied by pixels.",
        ),
        Mistake(
            "The latent share of the sum",
            lambda pixels, latent: latent / (pixels + latent),
            "The weights need not add up to 1: D has weight 1, and R has what is left when the loss is multiplied by pixels.",
        ),
        Mistake(
            "No weight at all",
            lambda pixels, latent: kl_weight_of_means(latent, latent),
            "The two means divide by different numbers, so they do not cancel, unless there are as many latents as pixels.",
        ),
        Mistake(
            "Divided without the remainder",
            lambda pixels, latent: pixels // latent,
            "A weight need not be whole: divide with /, not with //.",
        ),
        Mistake(
            "Rounded",
            lambda pixels, latent: kl_weight_of_means(pixels, latent).round(),
            "A weight need not be whole: leave it as it is.",
        ),
        Mistake(
            "64 pixels written in",
            lambda pixels, latent: kl_weight_of_means(torch.full_like(pixels, 64), latent),
            "The function is given the number of pixels: use it, for MNIST has 784.",
        ),
        Mistake(
            "784 pixels written in",
            lambda pixels, latent: kl_weight_of_means(torch.full_like(pixels, 784), latent),
            "The function is given the number of pixels: use it, for our little digits have 64.",
        ),
    ),
)

# --- the weight hidden in a standard deviation ------------------------------------------------------------------------


def kl_weight_of_sigma(believed_std: Tensor, pixel_std: Tensor) -> Tensor:
    return (believed_std / pixel_std).square()


def _stds() -> list[Arguments]:
    return [
        doubles(0.5, 0.25),
        doubles(0.75, 0.75),
        doubles([0.6, 1.5], [0.3, 2.0]),
        doubles([[0.1], [3.0], [0.7]], [[0.4], [0.2], [0.35]]),
    ]


def _drawn_stds(generator: Generator) -> Arguments:
    shape = sizes(generator, size(generator, 0, 3), 1, 4)
    return numbers(generator, *shape, low=0.1, high=3), numbers(generator, *shape, low=0.1, high=3)


def _lesson_stds(generator: Generator) -> Arguments:
    return 0.1 + torch.rand(50, generator=generator), 0.1 + torch.rand(50, generator=generator)


KL_WEIGHT_OF_SIGMA = Exercise(
    task="The loss ||error||^2 / (2 believed_std^2) + R, while pixels are off by pixel_std: the KL weight that this is.",
    reference=kl_weight_of_sigma,
    cases=_stds,
    generate=_drawn_stds,
    lesson=_lesson_stds,
    hints=(
        "As with the means: multiply the whole loss by a number, so that the first term is the right one.",
        "The right first term is ||error||^2 / (2 pixel_std^2). Which factor makes it of ||error||^2 / (2 believed_std^2)?",
        "The factor believed_std^2 / pixel_std^2; and R is multiplied by it too.",
    ),
    mistakes=(
        Mistake(
            "Upside down",
            lambda believed_std, pixel_std: kl_weight_of_sigma(pixel_std, believed_std),
            "Whoever believes in more noise than there is makes errors cheap, and so the rate dear: its weight is above 1.",
        ),
        Mistake(
            "Not squared",
            lambda believed_std, pixel_std: believed_std / pixel_std,
            "The loss divides by the *square* of a standard deviation, so the weight is a quotient of squares.",
        ),
        Mistake(
            "The upside-down root",
            lambda believed_std, pixel_std: pixel_std / believed_std,
            "The factor that turns 1 / believed_std^2 into 1 / pixel_std^2 has believed_std^2 above and pixel_std^2 below.",
        ),
        Mistake(
            "For plain squared error only",
            lambda believed_std, pixel_std: kl_weight_of_sigma(torch.full_like(believed_std, math.sqrt(0.5)), pixel_std),
            "That is right where the loss is the plain squared error. In general the program's own believed_std counts.",
        ),
        Mistake(
            "Only the believed noise counted",
            lambda believed_std, pixel_std: kl_weight_of_sigma(believed_std, torch.ones_like(pixel_std)),
            "The weight compares two losses: divide by pixel_std^2 as well.",
        ),
        Mistake(
            "The factor two of one side only",
            lambda believed_std, pixel_std: 2 * kl_weight_of_sigma(believed_std, pixel_std),
            "Both terms have the same 2 below, so it cancels.",
        ),
        Mistake(
            "The factor two of the other side only",
            lambda believed_std, pixel_std: kl_weight_of_sigma(believed_std, pixel_std) / 2,
            "Both terms have the same 2 below, so it cancels.",
        ),
        Mistake(
            "The squares subtracted",
            lambda believed_std, pixel_std: believed_std.square() - pixel_std.square(),
            "Both squares divide, so a quotient of them remains.",
        ),
        Mistake(
            "The squares multiplied",
            lambda believed_std, pixel_std: (believed_std * pixel_std).square(),
            "Multiplying by believed_std^2 leaves ||error||^2 / 2. To make the first term right, divide by pixel_std^2 too.",
        ),
        Mistake(
            "To the fourth power",
            lambda believed_std, pixel_std: kl_weight_of_sigma(believed_std, pixel_std).square(),
            "The arguments are standard deviations, not variances: square them once.",
        ),
    ),
)

EXERCISES = (
    GAUSSIAN_ENCODER,
    BERNOULLI_LOG_LIKELIHOOD,
    NEGATIVE_ELBO,
    TRAINING_STEP,
    EPOCHS_SINCE_BEST,
    DRAW_PIXELS,
    KL_WEIGHT_OF_MEANS,
    KL_WEIGHT_OF_SIGMA,
)

PREDICTIONS = (
    Prediction(
        "what_is_left_of_the_rate",
        ("about a third", "about a tenth", "nothing"),
        answer="nothing",
        because="at that price no nat of z saves as much as it costs, not even the first, so the encoder stops sending.",
        wrong={
            "about a third": "A much smaller weight leaves about so much. Here a nat has to save 64 nats to be worth it.",
            "about a tenth": (
                "One expects a dear thing to be bought sparingly. But the first nat of z saves only a few nats of distortion, "
                "and where it costs 64, none is bought."
            ),
        },
    ),
    Prediction(
        "reported_sum_without_the_half",
        ("lower", "about the same", "higher"),
        answer="lower",
        because=(
            "below 1 a variance is smaller than its std, so the decoder gets less noise than the rate is computed for. The "
            "distortion falls, but the rate that so little noise would cost is not charged: their sum is no -ELBO."
        ),
        wrong={
            "about the same": (
                "One may expect the encoder to make up for it, with another log_var. But the rate is still computed for the "
                "log_var as it is, and so for another noise than the decoder gets: the two terms no longer belong together."
            ),
            "higher": (
                "It is the worse program, so one expects the worse loss. But its loss no longer bounds anything: it charges "
                "for one noise and uses a smaller one."
            ),
        },
    ),
    Prediction(
        "row_without_noise",
        ("A", "B", "C", "D"),
        answer="C",
        because=(
            "where no noise is added, std 1 is free and blurs nothing, and small means still tell the images apart: little "
            'rate, little distortion. A is "variance as std", B sees the input, and D has no KL.'
        ),
        wrong={
            "A": (
                "Its encoder pays rate for a std below 1. It does so because noise is in its way, though less than it is "
                'charged for: A is "variance as std". Without noise, std 1 is free.'
            ),
            "B": (
                "Std 1 and hardly any distortion fit. But its rate is 0, so z says nothing, and what tells the decoder of the "
                "image must lie beside z: B sees the input. Without noise z is needed still, and its means cost a little."
            ),
            "D": (
                "Its std is nearly 0, so it has rid itself of a noise that is there. The rate of that is huge, but it is not "
                "in the loss: D has no KL. With a KL and without noise, std would be 1."
            ),
        },
    ),
    Prediction(
        "best_of_three",
        ("mixture", "chain", "VAE"),
        answer="chain",
        because=(
            "it predicts each pixel from all those before it, and the pixels of a stroke say much about one another. Given a "
            "stencil, or two noisy numbers, each pixel is drawn for itself."
        ),
        wrong={
            "mixture": (
                "A stencil has the shape of a whole digit, and the chain is only a logistic regression. But within a stencil "
                "each pixel is drawn for itself, without a look at its neighbours."
            ),
            "VAE": (
                "It has the largest networks, and its plane is handsome. But two numbers must do, and through noise: they tell "
                "the decoder less of a digit than a choice among many stencils does."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_mean_does",
        question=(
            "A program takes the mean of the error over pixels where the ELBO has the sum. Why does its $z$ fall silent, "
            "and why does the loss not show it?"
        ),
        model=(
            "A mean over pixels is the sum divided by their number, and that has the same minimum as the sum with the rate "
            "multiplied by that number. A nat of $z$ then costs far more than it saves, so the encoder goes back to the prior "
            "and sends nothing. The loss falls all the same, since the decoder still learns what an average image looks like."
        ),
        rubric=(
            "the mean acts as a KL weight as large as the number of pixels;",
            "at that price no nat of $z$ pays for itself, so the rate goes to zero;",
            "the loss falls nevertheless: look at the rate, at the encoder's standard deviation, or at the reconstructions.",
        ),
    ),
)
