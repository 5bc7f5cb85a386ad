"""Exercises of lesson 06: the two losses of a GAN, and the discriminator that no other can beat."""

import torch
from torch import Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

# --- the discriminator's loss ---------------------------------------------------------------------------------------


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()


def _logit_pairs() -> list[Arguments]:
    rows = [
        ([0.0], [0.0]),
        ([1.0], [-2.0]),
        ([0.5, 2.0, -1.0], [-1.5, 0.3, 1.0]),
        ([1000.0, 3.0], [-1000.0, -1.0]),
        ([-1000.0, 3.0], [1000.0, -1.0]),
    ]
    return [(torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)) for real, fake in rows]


DISCRIMINATOR_LOSS = Exercise(
    task="From the logits of real and of fake examples, each (batch,): mean -log D(real) + mean -log(1 - D(fake)), in nats.",
    reference=discriminator_loss,
    cases=_logit_pairs,
    gradients=("real_logits", "fake_logits"),
    hints=(
        "D = sigmoid(logit), and 1 - sigmoid(logit) = sigmoid(-logit). So both halves are -log sigmoid of something.",
        "torch.nn.functional.softplus(-a) is -log sigmoid(a), and stays finite for any logit.",
        "One half is softplus(-real_logits).mean(); the other has the opposite sign inside. Add them.",
    ),
    mistakes=(
        Mistake(
            "Labels swapped",
            lambda real_logits, fake_logits: functional.softplus(real_logits).mean() + functional.softplus(-fake_logits).mean(),
            "You reward the discriminator for calling real examples fake. Real ones have label 1: -log D(real).",
        ),
        Mistake(
            "Forgot the generated examples",
            lambda real_logits, fake_logits: functional.softplus(-real_logits).mean(),
            "Only half of the loss is there. A discriminator that says 'real' to everything would be perfect.",
        ),
        Mistake(
            "Forgot the real examples",
            lambda real_logits, fake_logits: functional.softplus(fake_logits).mean(),
            "Only half of the loss is there. A discriminator that says 'fake' to everything would be perfect.",
        ),
        Mistake(
            "Sigmoid first, then log",
            lambda real_logits, fake_logits: -real_logits.sigmoid().log().mean() - (1 - fake_logits.sigmoid()).log().mean(),
            "Far from 0 the sigmoid rounds to 0 or 1 and its log to -inf. softplus(-a) is -log sigmoid(a), safe everywhere.",
        ),
        Mistake(
            "Sigmoid first, then binary_cross_entropy",
            lambda real_logits, fake_logits: (
                functional.binary_cross_entropy(real_logits.sigmoid(), torch.ones_like(real_logits))
                + functional.binary_cross_entropy(fake_logits.sigmoid(), torch.zeros_like(fake_logits))
            ),
            "torch cuts the log off at -100 there, so far logits all cost 100 and lose their gradient. Use softplus, or "
            "functional.binary_cross_entropy_with_logits on the logits.",
        ),
        Mistake(
            "Sigmoid applied twice",
            lambda real_logits, fake_logits: (
                functional.softplus(-real_logits.sigmoid()).mean() + functional.softplus(fake_logits.sigmoid()).mean()
            ),
            "The with-logits losses and softplus contain the sigmoid already; give them the logits as they are.",
        ),
        Mistake(
            "Sum where a mean was asked",
            lambda real_logits, fake_logits: functional.softplus(-real_logits).sum() + functional.softplus(fake_logits).sum(),
            "Average over the batch, or the step grows with the batch size.",
        ),
        Mistake(
            "Wrong sign",
            lambda real_logits, fake_logits: (
                -(functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean())
            ),
            "This is the value that the discriminator maximizes. A loss is minimized: turn the sign, and it is never negative.",
        ),
        Mistake(
            "Averaged the two halves",
            lambda real_logits, fake_logits: (
                0.5 * (functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean())
            ),
            "Some libraries do this; here the halves are added, so that the equilibrium is 2 ln 2 = 1.386 and not 0.693.",
        ),
    ),
)

# --- the generator's loss -------------------------------------------------------------------------------------------


def generator_loss(fake_logits: Tensor) -> Tensor:
    return functional.softplus(-fake_logits).mean()


def _fake_logits() -> list[Arguments]:
    rows = [[0.0], [-3.0], [1.0, -2.0], [0.5, -4.0, 2.0], [-1000.0, 1.0]]
    return [(torch.tensor(row, dtype=torch.float64),) for row in rows]


GENERATOR_LOSS = Exercise(
    task="The non-saturating loss of the generator from the logits of its examples (batch,): mean -log D(fake), in nats.",
    reference=generator_loss,
    cases=_fake_logits,
    gradients=("fake_logits",),
    hints=(
        "The generator wants its examples to be called real. Which label is that?",
        "It is the first half of the discriminator's loss, with generated examples in place of the real ones.",
        "-log sigmoid(a) is torch.nn.functional.softplus(-a). Average over the batch.",
    ),
    mistakes=(
        Mistake(
            "The saturating form",
            lambda fake_logits: -functional.softplus(fake_logits).mean(),
            "This minimizes log(1 - D(fake)), the minimax form. Where D is sure (D near 0) its gradient vanishes, just "
            "when the generator needs it most. Minimize -log D(fake).",
        ),
        Mistake(
            "Sigmoid first, then binary_cross_entropy",
            lambda fake_logits: functional.binary_cross_entropy(fake_logits.sigmoid(), torch.ones_like(fake_logits)),
            "torch cuts the log off at -100 there, so far logits all cost 100 and lose their gradient. Use softplus, or "
            "functional.binary_cross_entropy_with_logits on the logits.",
        ),
        Mistake(
            "The discriminator's own loss",
            lambda fake_logits: functional.softplus(fake_logits).mean(),
            "With label 0 the generator would help the discriminator. It wants label 1.",
        ),
        Mistake(
            "Wrong sign",
            lambda fake_logits: -functional.softplus(-fake_logits).mean(),
            "log D(fake) is to be maximized, so its negative is the loss.",
        ),
        Mistake(
            "Sum where a mean was asked",
            lambda fake_logits: functional.softplus(-fake_logits).sum(),
            "Average over the batch, or the step grows with the batch size.",
        ),
        Mistake(
            "Sigmoid first, then log",
            lambda fake_logits: -fake_logits.sigmoid().log().mean(),
            "Far from 0 the sigmoid rounds to 0 and its log to -inf. softplus(-a) is -log sigmoid(a), safe everywhere.",
        ),
        Mistake(
            "Detached from the graph",
            lambda fake_logits: functional.softplus(-fake_logits.detach()).mean(),
            "The value is right, but no gradient reaches the generator. Only the discriminator's step detaches the fakes.",
        ),
        Mistake(
            "The logit taken for the loss",
            lambda fake_logits: -fake_logits.mean(),
            "That is the Wasserstein GAN's generator loss. Here a logit passes through -log sigmoid.",
        ),
        Mistake(
            "D where -log D was asked",
            lambda fake_logits: (1 - fake_logits.sigmoid()).mean(),
            "1 - D(fake) is a probability, not nats, and it is flat where D is sure. The loss is -log D(fake).",
        ),
    ),
)

# --- the optimal discriminator --------------------------------------------------------------------------------------


def optimal_discriminator(log_p: Tensor, log_q: Tensor) -> Tensor:
    return torch.sigmoid(log_p - log_q)


def _log_densities() -> list[Arguments]:
    rows = [
        ([-1.0], [-1.0]),
        ([-1.0], [-2.0]),
        ([-0.5, -3.0, 1.0], [-1.5, -1.0, 0.5]),
        ([-2000.0, -1000.0], [-2001.0, -1000.0]),
    ]
    return [(torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)) for p, q in rows]


OPTIMAL_DISCRIMINATOR = Exercise(
    task="D(x) = p(x) / (p(x) + q(x)) from the log densities of data and generator, (points,) each; safe where both are tiny.",
    reference=optimal_discriminator,
    cases=_log_densities,
    hints=(
        "Far from everything, p and q both round to 0, and 0 / 0 is nan. Stay with their logs for as long as you can.",
        "Divide numerator and denominator by p: D = 1 / (1 + q / p), and q / p = exp(log_q - log_p).",
        "1 / (1 + exp(-a)) is torch.sigmoid(a).",
    ),
    mistakes=(
        Mistake(
            "Data and generator swapped",
            lambda log_p, log_q: torch.sigmoid(log_q - log_p),
            "D is the probability of *real*: where only the data have density, it is 1.",
        ),
        Mistake(
            "The ratio of the densities",
            lambda log_p, log_q: (log_p - log_q).exp(),
            "p / q may be anything from 0 to infinity. The share of real examples at x is p / (p + q).",
        ),
        Mistake(
            "0 / 0 became nan",
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()),
            "exp(-1000) rounds to 0. Take the difference of the logs first: D = sigmoid(log_p - log_q).",
        ),
        Mistake(
            "The logit instead of the probability",
            lambda log_p, log_q: log_p - log_q,
            "log p - log q is what the network puts out. D is its sigmoid.",
        ),
        Mistake(
            "A small number hides the underflow",
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp() + 1e-8),
            "Adding 1e-8 below avoids nan and gives 0, which is wrong: the ratio is well defined there. "
            "Take the difference of the logs.",
        ),
        Mistake(
            "Ratio of the logs",
            lambda log_p, log_q: log_p / (log_p + log_q),
            "These are log densities; p and q themselves are added: p / (p + q).",
        ),
    ),
)

EXERCISES = (DISCRIMINATOR_LOSS, GENERATOR_LOSS, OPTIMAL_DISCRIMINATOR)
