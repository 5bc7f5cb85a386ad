"""Exercises of lesson 06: the two losses of a GAN, and the discriminator that no other can beat."""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import flags, numbers, size, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

SMALL = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)  # what readers add to a probability, so that its log be finite


def _drawn_logits(generator: Generator, batch: int) -> Tensor:
    """Moderate ones, and now and then one of 1000 or -1000.

    None is exactly 0: there relu(a) + log1p(exp(-abs(a))), a right form of softplus, has a slope that torch does not find.
    """
    moderate = numbers(generator, batch, low=-4, high=4) + 0.005
    huge = torch.where(flags(generator, batch), 1000.0, -1000.0)
    return torch.where(flags(generator, batch, share=0.15), huge, moderate)


# --- the discriminator's loss ---------------------------------------------------------------------------------------


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()


def _logit_pairs() -> list[Arguments]:
    rows = [
        ([0.5], [0.5]),
        ([1.0], [-2.0]),
        ([0.5, 2.0, -1.0], [-1.5, 0.3, 1.0]),
        ([1000.0, 3.0], [-1000.0, -1.0]),
        ([-1000.0, 3.0], [1000.0, -1.0]),
    ]
    return [(torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)) for real, fake in rows]


def _drawn_pair(generator: Generator) -> Arguments:
    batch = size(generator, 2, 7)
    return _drawn_logits(generator, batch), _drawn_logits(generator, batch)


def _sure(logits: Tensor, sign: int) -> Tensor:
    """Logits of a discriminator that is quite sure, so that their half of the loss is 0."""
    return torch.full_like(logits, sign * torch.inf)


def _real_half(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return discriminator_loss(real_logits, _sure(fake_logits, -1))


def _small_added(small: float) -> Mistake:
    def added(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return -(real_logits.sigmoid() + small).log().mean() - (1 - fake_logits.sigmoid() + small).log().mean()

    told = "Adding a small number, or clamping, hides the log of 0: a logit of -1000 costs 1000 nats, and must keep its "
    return Mistake(f"{small:.0e} added inside the log", added, told + "gradient. softplus(-a) is -log sigmoid(a), exactly.")


DISCRIMINATOR_LOSS = Exercise(
    task="From the logits of real and of fake examples, each (batch,): mean -log D(real) + mean -log(1 - D(fake)), in nats. "
    "Logits may be as far out as 1000 or -1000.",
    reference=discriminator_loss,
    cases=_logit_pairs,
    generate=_drawn_pair,
    lesson=lambda g: (1.2 * torch.randn(256, generator=g), 1.2 * torch.randn(256, generator=g)),
    gradients=("real_logits", "fake_logits"),
    hints=(
        "D = sigmoid(logit), and 1 - sigmoid(logit) = sigmoid(-logit). So both halves are -log sigmoid of something.",
        "torch.nn.functional.softplus(-a) is -log sigmoid(a), and stays finite for any logit.",
        "One half is softplus(-real_logits).mean(); the other has the opposite sign inside. Add them.",
    ),
    mistakes=(
        Mistake(
            "Labels swapped",
            lambda real_logits, fake_logits: discriminator_loss(-real_logits, -fake_logits),
            "You reward the discriminator for calling real examples fake. Real ones have label 1: -log D(real).",
        ),
        Mistake(
            "The generated examples have label 1 too",
            lambda real_logits, fake_logits: discriminator_loss(real_logits, -fake_logits),
            "Here the discriminator earns by calling everything real. A generated example costs -log(1 - D), and "
            "1 - sigmoid(a) = sigmoid(-a): the sign inside is not that of the real ones.",
        ),
        Mistake(
            "The real examples have label 0 too",
            lambda real_logits, fake_logits: discriminator_loss(-real_logits, fake_logits),
            "Here the discriminator earns by calling everything fake. A real example costs -log D, which falls as its logit "
            "rises.",
        ),
        Mistake(
            "Forgot the generated examples",
            lambda real_logits, fake_logits: discriminator_loss(real_logits, _sure(fake_logits, -1)),
            "Only half of the loss is there. A discriminator that says 'real' to everything would be perfect.",
        ),
        Mistake(
            "Forgot the real examples",
            lambda real_logits, fake_logits: discriminator_loss(_sure(real_logits, 1), fake_logits),
            "Only half of the loss is there. A discriminator that says 'fake' to everything would be perfect.",
        ),
        Mistake(
            "The generated examples' half subtracted",
            lambda real_logits, fake_logits: (
                2 * _real_half(real_logits, fake_logits) - discriminator_loss(real_logits, fake_logits)
            ),
            "A minus is missing or too many: both halves are -log of a probability, never negative, and they are added.",
        ),
        Mistake(
            "The real examples' half subtracted",
            lambda real_logits, fake_logits: (
                discriminator_loss(real_logits, fake_logits) - 2 * _real_half(real_logits, fake_logits)
            ),
            "A minus is missing: both halves are -log of a probability, never negative, and they are added.",
        ),
        Mistake(
            "Infinite far from 0: sigmoid or exp first, then log",
            lambda real_logits, fake_logits: -real_logits.sigmoid().log().mean() - (1 - fake_logits.sigmoid()).log().mean(),
            "Right on paper, but far from 0 a sigmoid rounds to 0 or 1, whose log is -inf, and exp(1000) is inf. "
            "softplus(-a) is -log sigmoid(a), safe everywhere.",
        ),
        Mistake(
            "Infinite far from 0, in the generated examples' half",
            lambda real_logits, fake_logits: (
                discriminator_loss(real_logits, _sure(fake_logits, -1)) - (1 - fake_logits.sigmoid()).log().mean()
            ),
            "The half of the real ones is safe. In the other, 1 - sigmoid(a) rounds to 0 far out, and its log is -inf: "
            "1 - sigmoid(a) = sigmoid(-a), so softplus(a) or minus logsigmoid(-a).",
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
        *map(_small_added, SMALL),
        Mistake(
            "Sigmoid applied twice",
            lambda real_logits, fake_logits: discriminator_loss(real_logits.sigmoid(), fake_logits.sigmoid()),
            "The with-logits losses and softplus contain the sigmoid already; give them the logits as they are.",
        ),
        Mistake(
            "The logit taken for the probability",
            lambda real_logits, fake_logits: -real_logits.log().mean() - (1 - fake_logits).log().mean(),
            "A logit is any number, so its log may not exist. D is its sigmoid; softplus(-a) is -log sigmoid(a).",
        ),
        Mistake(
            "binary_cross_entropy of the logits themselves",
            lambda real_logits, fake_logits: (
                functional.binary_cross_entropy(real_logits, torch.ones_like(real_logits))
                + functional.binary_cross_entropy(fake_logits, torch.zeros_like(fake_logits))
            ),
            "That function wants probabilities, between 0 and 1. For logits there is binary_cross_entropy_with_logits.",
        ),
        Mistake(
            "Logits and labels exchanged",
            lambda real_logits, fake_logits: (
                functional.binary_cross_entropy_with_logits(torch.ones_like(real_logits), real_logits)
                + functional.binary_cross_entropy_with_logits(torch.zeros_like(fake_logits), fake_logits)
            ),
            "torch's losses take the logits first, then the labels.",
        ),
        Mistake(
            "1 - log D where log(1 - D) was asked",
            lambda real_logits, fake_logits: (
                functional.softplus(-real_logits).mean() - 1 - functional.softplus(-fake_logits).mean()
            ),
            "The 1 belongs inside the log: 1 - sigmoid(a) = sigmoid(-a), so log(1 - D) is logsigmoid of minus the logit.",
        ),
        Mistake(
            "Sum where a mean was asked",
            lambda real_logits, fake_logits: discriminator_loss(real_logits, fake_logits) * len(real_logits),
            "Average over the batch, or the step grows with the batch size.",
        ),
        Mistake(
            "One number for each example",
            lambda real_logits, fake_logits: functional.softplus(-real_logits) + functional.softplus(fake_logits),
            "A loss is one number: average each half over the batch.",
        ),
        Mistake(
            "Mean of D before the log",
            lambda real_logits, fake_logits: -real_logits.sigmoid().mean().log() - (1 - fake_logits.sigmoid()).mean().log(),
            "Each example has a cost of its own, -log D(x): first the log, then the mean.",
        ),
        Mistake(
            "No log: probabilities in place of nats",
            lambda real_logits, fake_logits: (1 - real_logits.sigmoid()).mean() + fake_logits.sigmoid().mean(),
            "That is how often a coin with the discriminator's odds would be wrong. The loss has logs: -log D and -log(1 - D).",
        ),
        Mistake(
            "No log, and no cost but a reward",
            lambda real_logits, fake_logits: -real_logits.sigmoid().mean() - (1 - fake_logits.sigmoid()).mean(),
            "The loss has logs: -log D(real) and -log(1 - D(fake)). A probability without its log is flat where D is sure.",
        ),
        Mistake(
            "The hinge loss",
            lambda real_logits, fake_logits: functional.relu(1 - real_logits).mean() + functional.relu(1 + fake_logits).mean(),
            "Many large GANs use it, but it is no log-likelihood: here each logit passes through -log sigmoid.",
        ),
        Mistake(
            "The squares of a least-squares GAN",
            lambda real_logits, fake_logits: (
                (real_logits.sigmoid() - 1).square().mean() + fake_logits.sigmoid().square().mean()
            ),
            "Squared errors of D are no nats. The loss is -log D(real) and -log(1 - D(fake)).",
        ),
        Mistake(
            "The critic of a Wasserstein GAN",
            lambda real_logits, fake_logits: fake_logits.mean() - real_logits.mean(),
            "There the plain outputs are subtracted. Here each logit passes through -log sigmoid.",
        ),
        Mistake(
            "Wrong sign",
            lambda real_logits, fake_logits: -discriminator_loss(real_logits, fake_logits),
            "This is the value that the discriminator maximizes. A loss is minimized: turn the sign, and it is never negative.",
        ),
        Mistake(
            "Averaged the two halves",
            lambda real_logits, fake_logits: 0.5 * discriminator_loss(real_logits, fake_logits),
            "Some libraries do this; here the halves are added, so that the equilibrium is 2 ln 2 = 1.386 and not 0.693.",
        ),
        Mistake(
            "The generated logits are detached",
            lambda real_logits, fake_logits: discriminator_loss(real_logits, fake_logits.detach()),
            "The value is right, but the discriminator learns nothing from the generated examples. It is the *examples* that "
            "its step detaches from the generator, before it sees them, and not its own logits.",
        ),
    ),
)

# --- the generator's loss -------------------------------------------------------------------------------------------


def generator_loss(fake_logits: Tensor) -> Tensor:
    return functional.softplus(-fake_logits).mean()


def _fake_logits() -> list[Arguments]:
    rows = [[0.5], [-3.0], [1.0, -2.0], [0.5, -4.0, 2.0], [-1000.0, 1.0], [1000.0, -1.0]]
    return [(torch.tensor(row, dtype=torch.float64),) for row in rows]


def _small_added_to_fakes(small: float) -> Mistake:
    told = "Adding a small number, or clamping, hides the log of 0: a logit of -1000 costs 1000 nats, and must keep its "
    return Mistake(
        f"{small:.0e} added inside the log",
        lambda fake_logits: -(fake_logits.sigmoid() + small).log().mean(),
        told + "gradient. softplus(-a) is -log sigmoid(a), exactly.",
    )


GENERATOR_LOSS = Exercise(
    task="The non-saturating loss of the generator from the logits of its examples (batch,): mean -log D(fake), in nats. "
    "Logits may be as far out as 1000 or -1000.",
    reference=generator_loss,
    cases=_fake_logits,
    generate=lambda g: (_drawn_logits(g, size(g, 2, 7)),),
    lesson=lambda g: (1.2 * torch.randn(256, generator=g),),
    gradients=("fake_logits",),
    hints=(
        "The generator wants its examples to be called real. Which label is that?",
        "It is the first half of the discriminator's loss, with generated examples in place of the real ones.",
        "-log sigmoid(a) is torch.nn.functional.softplus(-a). Average over the batch.",
    ),
    mistakes=(
        Mistake(
            "The saturating form",
            lambda fake_logits: -generator_loss(-fake_logits),
            "This minimizes log(1 - D(fake)), the minimax form. Where D is sure (D near 0) its gradient vanishes, just "
            "when the generator needs it most. Minimize -log D(fake).",
        ),
        Mistake(
            "The saturating form, sigmoid first",
            lambda fake_logits: (1 - fake_logits.sigmoid()).log().mean(),
            "This minimizes log(1 - D(fake)), the minimax form, whose gradient vanishes where D is near 0; and far out the log "
            "becomes -inf. Minimize -log D(fake): softplus of minus the logit.",
        ),
        Mistake(
            "The log of the sigmoid, without the minus",
            lambda fake_logits: fake_logits.sigmoid().log().mean(),
            "log D(fake) is to be maximized, so its negative is the loss; and far out the log of a sigmoid is -inf. "
            "softplus(-a) is -log sigmoid(a), safe everywhere.",
        ),
        Mistake(
            "Sigmoid first, then binary_cross_entropy",
            lambda fake_logits: functional.binary_cross_entropy(fake_logits.sigmoid(), torch.ones_like(fake_logits)),
            "torch cuts the log off at -100 there, so far logits all cost 100 and lose their gradient. Use softplus, or "
            "functional.binary_cross_entropy_with_logits on the logits.",
        ),
        Mistake(
            "Infinite far from 0: sigmoid or exp first, then log",
            lambda fake_logits: -fake_logits.sigmoid().log().mean(),
            "Right on paper, but far from 0 a sigmoid rounds to 0 or 1, whose log is -inf, and exp(1000) is inf. "
            "softplus(-a) is -log sigmoid(a), safe everywhere.",
        ),
        *map(_small_added_to_fakes, SMALL),
        Mistake(
            "Sigmoid applied twice",
            lambda fake_logits: generator_loss(fake_logits.sigmoid()),
            "The with-logits losses and softplus contain the sigmoid already; give them the logits as they are.",
        ),
        Mistake(
            "The logit taken for the probability",
            lambda fake_logits: -fake_logits.log().mean(),
            "A logit is any number, so its log may not exist. D is its sigmoid; softplus(-a) is -log sigmoid(a).",
        ),
        Mistake(
            "The discriminator's own loss",
            lambda fake_logits: generator_loss(-fake_logits),
            "With label 0 the generator would help the discriminator. It wants label 1.",
        ),
        Mistake(
            "The discriminator's own loss, sigmoid first",
            lambda fake_logits: -(1 - fake_logits.sigmoid()).log().mean(),
            "With label 0 the generator would help the discriminator. It wants label 1: minimize -log D(fake), by softplus, "
            "since the log of a sigmoid is -inf far out.",
        ),
        Mistake(
            "binary_cross_entropy of the logits themselves",
            lambda fake_logits: functional.binary_cross_entropy(fake_logits, torch.ones_like(fake_logits)),
            "That function wants probabilities, between 0 and 1. For logits there is binary_cross_entropy_with_logits.",
        ),
        Mistake(
            "Logits and labels exchanged",
            lambda fake_logits: functional.binary_cross_entropy_with_logits(torch.ones_like(fake_logits), fake_logits),
            "torch's losses take the logits first, then the labels.",
        ),
        Mistake(
            "Both labels at once",
            lambda fake_logits: generator_loss(fake_logits) + generator_loss(-fake_logits),
            "That is the discriminator's loss with generated examples in both halves. The generator's has one half: "
            "-log D(fake).",
        ),
        Mistake(
            "Wrong sign",
            lambda fake_logits: -generator_loss(fake_logits),
            "log D(fake) is to be maximized, so its negative is the loss.",
        ),
        Mistake(
            "Sum where a mean was asked",
            lambda fake_logits: generator_loss(fake_logits) * len(fake_logits),
            "Average over the batch, or the step grows with the batch size.",
        ),
        Mistake(
            "One number for each example",
            lambda fake_logits: functional.softplus(-fake_logits),
            "A loss is one number: average over the batch.",
        ),
        Mistake(
            "Mean of D before the log",
            lambda fake_logits: -fake_logits.sigmoid().mean().log(),
            "Each example has a cost of its own, -log D(x): first the log, then the mean.",
        ),
        Mistake(
            "Mean of the logits before the loss",
            lambda fake_logits: functional.softplus(-fake_logits.mean()),
            "The examples that are called fake must not be offset by those called real: first -log D of each, then the mean.",
        ),
        Mistake(
            "Detached from the graph",
            lambda fake_logits: generator_loss(fake_logits.detach()),
            "The value is right, but no gradient reaches the generator. Only the discriminator's step detaches the fakes.",
        ),
        Mistake(
            "The logit taken for the loss",
            lambda fake_logits: -fake_logits.mean(),
            "That is the Wasserstein GAN's generator loss. Here a logit passes through -log sigmoid.",
        ),
        Mistake(
            "1 - D where -log D was asked",
            lambda fake_logits: (1 - fake_logits.sigmoid()).mean(),
            "1 - D(fake) is a probability, not nats, and it is flat where D is sure. The loss is -log D(fake).",
        ),
        Mistake(
            "1 - log D",
            lambda fake_logits: 1 + generator_loss(fake_logits),
            "The 1 is too much: the loss is -log D(fake). In log(1 - D), which is another loss, the 1 stands inside the log.",
        ),
        Mistake(
            "D where -log D was asked",
            lambda fake_logits: fake_logits.sigmoid().mean(),
            "To minimize D(fake) is what the discriminator wants. The generator's loss is -log D(fake).",
        ),
        Mistake(
            "The square of a least-squares GAN",
            lambda fake_logits: (fake_logits.sigmoid() - 1).square().mean(),
            "A squared error of D is no nats, and it is flat where D is sure. The loss is -log D(fake).",
        ),
        Mistake(
            "-D where -log D was asked",
            lambda fake_logits: -fake_logits.sigmoid().mean(),
            "The log is missing: D(fake) itself is flat where D is sure. The loss is -log D(fake), which is never negative.",
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
        ([-0.5, -1.5, 1.0], [-1.5, -1.0, 0.5]),
        ([-2000.0, -1000.0], [-2001.0, -1000.0]),
    ]
    return [(torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)) for p, q in rows]


def _drawn_densities(generator: Generator) -> Arguments:
    """Moderate ones, and such that both round to 0. None lies between: there a small number added below does no harm."""
    points = size(generator, 2, 7)
    both = -1000 * flags(generator, points, share=0.3) * whole(generator, points, low=1, high=3)
    return tuple(both + numbers(generator, points, low=-2, high=2) for _ in range(2))


OPTIMAL_DISCRIMINATOR = Exercise(
    task="D(x) = p(x) / (p(x) + q(x)) from the log densities of data and generator, (points,) each; safe where both are tiny.",
    reference=optimal_discriminator,
    cases=_log_densities,
    generate=_drawn_densities,
    lesson=lambda g: (-4 * torch.rand(200, generator=g), -4 * torch.rand(200, generator=g)),
    hints=(
        "Far from everything, p and q both round to 0, and 0 / 0 is nan. Stay with their logs for as long as you can.",
        "Divide numerator and denominator by p: D = 1 / (1 + q / p), and q / p = exp(log_q - log_p).",
        "1 / (1 + exp(-a)) is torch.sigmoid(a). What is a here?",
    ),
    mistakes=(
        Mistake(
            "Data and generator swapped",
            lambda log_p, log_q: optimal_discriminator(log_q, log_p),
            "D is the probability of *real*: where only the data have density, it is 1.",
        ),
        Mistake(
            "The ratio of the densities",
            lambda log_p, log_q: (log_p - log_q).exp(),
            "p / q may be anything from 0 to infinity. The share of real examples at x is p / (p + q).",
        ),
        Mistake(
            "The ratio of the densities, upside down",
            lambda log_p, log_q: (log_q - log_p).exp(),
            "q / p may be anything from 0 to infinity. The share of real examples at x is p / (p + q).",
        ),
        Mistake(
            "The ratio as a logit",
            lambda log_p, log_q: torch.sigmoid((log_p - log_q).exp()),
            "The logit of D is log p - log q, without exp: sigmoid contains it.",
        ),
        Mistake(
            "The difference of the densities as a logit",
            lambda log_p, log_q: torch.sigmoid(log_p.exp() - log_q.exp()),
            "The logit of D is the difference of the *logs*: sigmoid(log_p - log_q).",
        ),
        Mistake(
            "0 / 0 became nan",
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()),
            "exp(-1000) rounds to 0. Take the difference of the logs first: D = sigmoid(log_p - log_q).",
        ),
        Mistake(
            "0 / 0 made one half",
            lambda log_p, log_q: (log_p.exp() / (log_p.exp() + log_q.exp())).nan_to_num(0.5),
            "Where both densities round to 0 their ratio is still well defined, and seldom 1. Take the difference of the logs.",
        ),
        Mistake(
            "A small number hides the underflow",
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp() + 1e-8),
            "Adding 1e-8 below (or replacing nan) gives 0 there, which is wrong: the ratio is well defined. "
            "Take the difference of the logs.",
        ),
        Mistake(
            "A small number in both places",
            lambda log_p, log_q: (log_p.exp() + 1e-8) / (log_p.exp() + log_q.exp() + 1e-8),
            "Adding 1e-8 above and below gives 1 where both densities are tiny: the ratio is well defined there. "
            "Take the difference of the logs.",
        ),
        Mistake(
            "The log of the sum underflows",
            lambda log_p, log_q: (log_p - (log_p.exp() + log_q.exp()).log()).exp(),
            "exp(-1000) rounds to 0, so log(p + q) becomes -inf. torch.logaddexp(log_p, log_q) takes it without leaving the "
            "logs.",
        ),
        Mistake(
            "The logit instead of the probability",
            lambda log_p, log_q: log_p - log_q,
            "log p - log q is what the network puts out. D is its sigmoid.",
        ),
        Mistake(
            "The log of the probability",
            lambda log_p, log_q: optimal_discriminator(log_p, log_q).log(),
            "log p - log(p + q) is log D. One exp is missing.",
        ),
        Mistake(
            "Ratio of the logs",
            lambda log_p, log_q: log_p / (log_p + log_q),
            "These are log densities; p and q themselves are added: p / (p + q).",
        ),
        Mistake(
            "Exp of the ratio of the logs",
            lambda log_p, log_q: (log_p / (log_p + log_q)).exp(),
            "exp does not pass through a division or a sum: exp(log_p + log_q) is p times q. The share is p / (p + q).",
        ),
        Mistake(
            "The logs added where subtracted",
            lambda log_p, log_q: optimal_discriminator(log_p, -log_q),
            "log p + log q is the log of a product. The logit of D is the log of the ratio p / q: a difference.",
        ),
        Mistake(
            "The logs added in the denominator",
            lambda log_p, log_q: (-log_q).exp(),
            "log_p + log_q is the log of the product p q. The log of the sum p + q is torch.logaddexp(log_p, log_q).",
        ),
        Mistake(
            "The densities multiplied where added",
            lambda log_p, log_q: log_p.exp() / (log_p + log_q).exp(),
            "exp(log_p + log_q) is the product p q. The sum p + q is log_p.exp() + log_q.exp(), and its log torch.logaddexp.",
        ),
        Mistake(
            "log p divided by the log of the sum",
            lambda log_p, log_q: log_p / torch.logaddexp(log_p, log_q),
            "A ratio of densities is a *difference* of logs: exp(log_p - log(p + q)).",
        ),
        Mistake(
            "Ratio of the logs as a logit",
            lambda log_p, log_q: torch.sigmoid(log_p / log_q),
            "The log of a ratio is a *difference* of logs: the logit of D is log_p - log_q.",
        ),
        Mistake(
            "The log of the denominator only",
            lambda log_p, log_q: torch.logaddexp(log_p, log_q),
            "That is log(p + q). D is p divided by it: exp(log_p - log(p + q)).",
        ),
        Mistake(
            "Both probabilities",
            lambda log_p, log_q: torch.stack([optimal_discriminator(log_p, log_q), optimal_discriminator(log_q, log_p)]),
            "Both shares are here, real and generated. D is the first of them, (points,).",
        ),
        Mistake(
            "Only the data's density",
            lambda log_p, log_q: optimal_discriminator(log_p, 0 * log_q),
            "D weighs the data against the generator: log_q must come in too.",
        ),
        Mistake(
            "The densities taken for their logs",
            lambda log_p, log_q: optimal_discriminator(log_p.log(), log_q.log()),
            "log_p and log_q are logs already; another log of a negative number is nan.",
        ),
        Mistake(
            "A verdict in place of a probability",
            lambda log_p, log_q: (log_p > log_q).to(log_p.dtype),
            "D is not 0 or 1 but the share of real examples at x; where p = q it is one half.",
        ),
        Mistake(
            "Normalized over the points",
            lambda log_p, log_q: torch.softmax(log_p - log_q, 0),
            "Each point has a D of its own: it weighs p against q there, and the points need not add up to 1.",
        ),
    ),
)

EXERCISES = (DISCRIMINATOR_LOSS, GENERATOR_LOSS, OPTIMAL_DISCRIMINATOR)

PREDICTIONS = (
    Prediction(
        "published_first",
        ("VAE", "GAN"),
        answer="VAE",
        because="it was on arXiv half a year before the GAN.",
        wrong={
            "GAN": ("The story is often told in that order. But the GAN's own paper cites both papers on VAEs as recent work."),
        },
    ),
    Prediction(
        "modes_lost",
        ("VAE", "GAN"),
        answer="GAN",
        because="with momentum each player runs past an opponent that has moved on.",
        wrong={
            "VAE": (
                "It does suffer from the wrong momentum: its loss ends worse and wilder. But it goes down a single slope, "
                "with nobody to chase, and each training point that it explains badly calls it back."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_gans_loss_tells",
        question="You may stop a VAE's training by its loss, but you must judge a GAN by its samples. Why?",
        model=(
            "A VAE's two networks go down one loss, a bound on how probable the data are, so lower is better. A GAN's two "
            "losses measure its players against each other. The discriminator's stays near the same value when the samples "
            "are perfect and when the discriminator is merely lazy."
        ),
        rubric=(
            "a VAE has one loss, which both networks lower, and it is about the data;",
            "each of a GAN's losses depends on how good the opponent is;",
            "so the same value can go with good and with poor samples.",
        ),
    ),
)
