"""Exercises of lesson 06: a GAN's losses and updates, the best discriminator, samples by mode, a diluted density."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.kinds import UpdateExercise, start_of
from vae_course.exercises.making import doubles, flags, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction
from vae_course.probability.distributions import standard_normal
from vae_course.training import seeded

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

# --- the discriminator's step ---------------------------------------------------------------------------------------


def discriminator_step(generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, real: Tensor, z: Tensor) -> Tensor:
    fake = generator(z).detach()
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _do(loss: Tensor, optimizer: Optimizer, order: str) -> Tensor:
    parts: dict[str, Callable[[], object]]
    parts = {"zero": optimizer.zero_grad, "backward": loss.backward, "step": optimizer.step}
    for name in order.split():
        parts[name]()
    return loss.detach()


IN_ORDER = "zero backward step"


def _discriminating(
    loss_of: Callable[[nn.Module, Tensor, Tensor], Tensor],
    order: str = IN_ORDER,
    fake_of: Callable[[nn.Module, Tensor], Tensor] = lambda generator, z: generator(z).detach(),
) -> Callable[..., Tensor]:
    """The discriminator's step in which one thing may be otherwise. ``loss_of``: of it, real examples and fakes."""

    def step(generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, real: Tensor, z: Tensor) -> Tensor:
        return _do(loss_of(discriminator, real, fake_of(generator, z)), optimizer, order)

    return step


def _leaving_frozen(step: Callable[..., Tensor], place: int) -> Callable[..., Tensor]:
    """A step that freezes one of its models before it, and does not thaw it."""

    def frozen(*live: Any) -> Tensor:  # noqa: ANN401 - models, an optimizer, tensors
        live[place].requires_grad_(False)
        return step(*live)

    return frozen


def _its_loss(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return discriminator_loss(discriminator(real), discriminator(fake))


def _its_loss_afterwards(
    generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, real: Tensor, z: Tensor
) -> Tensor:
    discriminator_step(generator, discriminator, optimizer, real, z)
    return _its_loss(discriminator, real, generator(z)).detach()


def _players(like: Tensor, latent: int, outputs: int, seed: int) -> tuple[nn.Module, nn.Module]:
    generator = start_of(lambda: nn.Linear(latent, outputs), seed, like=like)
    discriminator = start_of(
        lambda: nn.Sequential(nn.Linear(outputs, 5), nn.LeakyReLU(0.2), nn.Linear(5, 1), nn.Flatten(0)), seed + 1, like=like
    )
    return generator, discriminator


def _start_discriminating(real: Tensor, latent: int, seed: int) -> Arguments:
    generator, discriminator = _players(real, latent, real.shape[1], seed)
    z = standard_normal((len(real), latent), seeded(seed), like=real)
    return generator, discriminator, torch.optim.SGD(discriminator.parameters(), lr=0.3), real, z


def _drawn_real(generator: Generator) -> Arguments:
    batch, outputs, latent = sizes(generator, 3, low=2, high=6)
    return numbers(generator, batch, outputs), latent, size(generator, 0, 99)


DISCRIMINATOR_STEP = UpdateExercise(
    task="One step of the discriminator on real examples and on the generator's from z: generate, detach, discriminator_loss, "
    "zero_grad, backward, step. Returns the loss, detached.",
    reference=discriminator_step,
    cases=lambda: [(torch.tensor([[1.0, 0.5], [-0.5, 2.0]], dtype=torch.float64), 2, 0)],
    generate=_drawn_real,
    lesson=lambda g: (torch.randn(128, 2, generator=g), 2, 0),
    start=_start_discriminating,
    made_from=("real", "latent", "seed"),
    spared=(0,),
    strewn=(1,),  # the generator's step leaves gradients in the discriminator
    hints=(
        "Make fakes, let the discriminator judge both batches, compute your loss of exercise 6.1, and go one step.",
        "The fakes are generator(z).detach(): this step is the discriminator's alone. Its logits are discriminator(real) and "
        "discriminator(fake).",
        "loss = discriminator_loss(discriminator(real), discriminator(fake)), then optimizer.zero_grad(), loss.backward(), "
        "optimizer.step(). Return loss.detach().",
    ),
    mistakes=(
        Mistake(
            "The fakes are not detached",
            _discriminating(_its_loss, fake_of=lambda generator, z: generator(z)),
            "backward goes on into the generator, which is not moved in this step: work for nothing, and gradients that may "
            "be taken along later. Write generator(z).detach().",
        ),
        Mistake(
            "No zero_grad",
            _discriminating(_its_loss, order="backward step"),
            "backward adds to the gradients that are there already: put them back to zero before it.",
        ),
        Mistake(
            "Cleared after the step",
            _discriminating(_its_loss, order="backward step zero"),
            "The generator's update leaves gradients in the discriminator in between, and backward adds to them. Put them back "
            "to zero just before backward.",
        ),
        Mistake(
            "The generator is left frozen",
            _leaving_frozen(discriminator_step, place=0),
            "After your step no weight of it can be trained, so its own step cannot learn. The detach is enough: leave "
            "requires_grad as it is, or put it back to True at the end.",
        ),
        Mistake(
            "The weights do not move",
            _discriminating(_its_loss, order="zero backward"),
            "After the call they are what they were. Three lines, in this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "The step before the gradients",
            _discriminating(_its_loss, order="step zero backward"),
            "This goes by the gradients of the batch before. In this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "Real and fake exchanged",
            _discriminating(lambda discriminator, real, fake: _its_loss(discriminator, fake, real)),
            "The real examples' logits come first: discriminator_loss(discriminator(real), discriminator(fake)).",
        ),
        Mistake(
            "Uphill",
            _discriminating(lambda discriminator, real, fake: -_its_loss(discriminator, real, fake)),
            "The loss rises: the optimizer minimizes already, so no minus sign is needed.",
        ),
        Mistake(
            "Real examples in both places",
            _discriminating(lambda discriminator, real, fake: _its_loss(discriminator, real, real)),
            "The generator's examples do not occur: the second logits are discriminator(fake).",
        ),
        Mistake(
            "Fakes in both places",
            _discriminating(lambda discriminator, real, fake: _its_loss(discriminator, fake, fake)),
            "The real examples do not occur: the first logits are discriminator(real).",
        ),
        Mistake(
            "The generator's loss",
            _discriminating(lambda discriminator, real, fake: functional.softplus(-discriminator(fake)).mean()),
            "That teaches the discriminator to call fakes real. Its own loss is that of exercise 6.1.",
        ),
        Mistake(
            "Sigmoid before the loss",
            _discriminating(
                lambda discriminator, real, fake: discriminator_loss(
                    discriminator(real).sigmoid(), discriminator(fake).sigmoid()
                )
            ),
            "discriminator_loss takes logits: the sigmoid is inside it already.",
        ),
        Mistake(
            "The loss after the step",
            _its_loss_afterwards,
            "Return the loss from which the step was computed: it need not be computed twice.",
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

# --- the generator's step -------------------------------------------------------------------------------------------


def generator_step(generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, z: Tensor) -> Tensor:
    loss = generator_loss(discriminator(generator(z)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _generating(loss_of: Callable[[Tensor], Tensor], order: str = IN_ORDER, cut: bool = False) -> Callable[..., Tensor]:
    """The generator's step in which one thing may be otherwise. ``loss_of``: of the logits; ``cut``: fakes detached."""

    def step(generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, z: Tensor) -> Tensor:
        fake = generator(z).detach() if cut else generator(z)
        return _do(loss_of(discriminator(fake)), optimizer, order)

    return step


def _generators_loss_afterwards(generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer, z: Tensor) -> Tensor:
    generator_step(generator, discriminator, optimizer, z)
    return generator_loss(discriminator(generator(z))).detach()


def _start_generating(z: Tensor, outputs: int, seed: int) -> Arguments:
    generator, discriminator = _players(z, z.shape[1], outputs, seed)
    return generator, discriminator, torch.optim.SGD(generator.parameters(), lr=0.3), z


def _drawn_noise(generator: Generator) -> Arguments:
    batch, latent, outputs = sizes(generator, 3, low=2, high=6)
    return numbers(generator, batch, latent), outputs, size(generator, 0, 99)


GENERATOR_STEP = UpdateExercise(
    task="One step of the generator from noise z: generate, ask the discriminator, generator_loss, zero_grad, backward, step; "
    "the gradient passes through the discriminator, whose weights stay. Returns the loss, detached.",
    reference=generator_step,
    cases=lambda: [(torch.tensor([[1.0, 0.5], [-0.5, 2.0]], dtype=torch.float64), 3, 0)],
    generate=_drawn_noise,
    lesson=lambda g: (torch.randn(128, 2, generator=g), 2, 0),
    start=_start_generating,
    made_from=("z", "outputs", "seed"),
    hints=(
        "It is the discriminator's step with other fakes, another loss and another optimizer. Which of its lines must go?",
        "No detach here: the gradient must pass through the discriminator into the generator. No real examples either.",
        "loss = generator_loss(discriminator(generator(z))), then optimizer.zero_grad(), loss.backward(), optimizer.step(). "
        "Return loss.detach().",
    ),
    mistakes=(
        Mistake(
            "The weights do not move",
            _generating(generator_loss, cut=True),
            "After the call they are what they were. Two things can be the reason: step() is missing, or the fakes are "
            "detached here too, so that no gradient reaches the generator.",
        ),
        Mistake(
            "No zero_grad",
            _generating(generator_loss, order="backward step"),
            "backward adds to the gradients that are there already: put them back to zero before it.",
        ),
        Mistake(
            "The discriminator is left frozen",
            _leaving_frozen(generator_step, place=1),
            "You froze the discriminator and did not thaw it, so its own step cannot learn now. The optimizer moves the "
            "generator alone, so no freezing is needed; or put requires_grad back to True at the end.",
        ),
        Mistake(
            "The step before the gradients",
            _generating(generator_loss, order="step zero backward"),
            "This goes by the gradients of the batch before. In this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "Uphill",
            _generating(lambda logits: -generator_loss(logits)),
            "The loss rises: the optimizer minimizes already, so no minus sign is needed.",
        ),
        Mistake(
            "It helps the discriminator",
            _generating(lambda logits: generator_loss(-logits)),
            "This makes the fakes easier to tell. The generator wants them to be called real: generator_loss of the logits.",
        ),
        Mistake(
            "The saturating loss",
            _generating(lambda logits: -generator_loss(-logits)),
            "This minimizes log(1 - D), whose gradient vanishes where D is near 0. Call generator_loss.",
        ),
        Mistake(
            "Sigmoid before the loss",
            _generating(lambda logits: generator_loss(logits.sigmoid())),
            "generator_loss takes logits: the sigmoid is inside it already.",
        ),
        Mistake(
            "The loss after the step",
            _generators_loss_afterwards,
            "Return the loss from which the step was computed: it need not be computed twice.",
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

# --- samples by mode --------------------------------------------------------------------------------------------------


def mode_shares(samples: Tensor, centres: Tensor, reach: float) -> Tensor:
    distances = torch.cdist(samples, centres)
    at_mode = distances <= reach
    return at_mode.to(samples.dtype).mean(dim=0)


def _points_and_centres() -> list[Arguments]:
    two = [[0.0, 0.0], [20.0, 0.0]]
    return [
        (*doubles([[0.5, 0.0]], [[0.0, 0.0]]), 1.0),
        (*doubles([[3.0, 3.9], [20.0, 1.0], [10.0, 0.0], [0.0, 0.0]], two), 5.0),
        (*doubles([[3.0, 3.0], [20.5, 0.0], [19.0, 0.5], [21.0, 1.0], [-9.0, 3.0]], two), 3.5),
        (*doubles([[10.0, 0.0], [10.0, 1.0], [11.0, 0.0]], two), 2.0),  # all of them between the modes
    ]


def _drawn_points(generator: Generator) -> Arguments:
    modes, more = sizes(generator, 2, low=2, high=5)
    centres = torch.stack([10.0 * torch.arange(modes, dtype=torch.float64), numbers(generator, modes)], dim=1)
    chosen = whole(generator, modes + 2 * more, high=modes - 1)
    samples = centres[chosen] + numbers(generator, len(chosen), 2, low=-3, high=3)
    return samples, centres, 2.5


def _points_on_a_ring(generator: Generator) -> Arguments:
    angles = torch.arange(8) * torch.pi / 4
    centres = 2 * torch.stack([angles.cos(), angles.sin()], dim=1)
    chosen = whole(generator, 2000, high=7)
    return centres[chosen] + 0.2 * torch.randn(2000, 2, generator=generator), centres, 0.3


def _nearest(samples: Tensor, centres: Tensor) -> Tensor:
    one_hot = functional.one_hot(torch.cdist(samples, centres).argmin(dim=1), len(centres))
    return one_hot.to(samples.dtype).mean(dim=0)


MODE_SHARES = Exercise(
    task="The share of all samples (samples, dimension) that lie at each of the centres (modes, dimension): no further from it "
    "than reach. The centres are more than twice that apart, so no sample lies at two. Returns (modes,).",
    reference=mode_shares,
    cases=_points_and_centres,
    generate=_drawn_points,
    lesson=_points_on_a_ring,
    hints=(
        "First the distance of every sample from every centre, (samples, modes). Then: which of them are within reach?",
        "torch.cdist(samples, centres) gives the distances. A comparison gives True and False, and the mean of ones and zeros "
        "is a share.",
        "(distances <= reach).to(samples.dtype).mean(dim=0): over the samples, so that one number is left for each mode.",
    ),
    mistakes=(
        Mistake(
            "Numbers in place of shares",
            lambda samples, centres, reach: mode_shares(samples, centres, reach) * len(samples),
            "These are counts. A share is the count divided by the number of all samples.",
        ),
        Mistake(
            "Shares among the samples at modes",
            lambda samples, centres, reach: mode_shares(samples, centres, reach) / mode_shares(samples, centres, reach).sum(),
            "These add up to 1 always, so they hide what lies in the gaps. Divide by the number of all samples.",
        ),
        Mistake(
            "Every sample at its nearest mode",
            lambda samples, centres, reach: _nearest(samples, centres),
            "Samples in the gaps are counted too. One counts only within reach of the centre.",
        ),
        Mistake(
            "A square round each mode",
            lambda samples, centres, reach: ((samples[:, None] - centres).abs() <= reach).all(-1).to(samples.dtype).mean(dim=0),
            "This compares each coordinate by itself. The distance is the root of the summed squares: torch.cdist.",
        ),
        Mistake(
            "Distances along the axes",
            lambda samples, centres, reach: (torch.cdist(samples, centres, p=1) <= reach).to(samples.dtype).mean(dim=0),
            "This adds up absolute differences. The distance is the root of the summed squares: torch.cdist.",
        ),
        Mistake(
            "The squared distance",
            lambda samples, centres, reach: mode_shares(samples, centres, reach**0.5),
            "A squared distance is compared with the reach: take its root, or square the reach.",
        ),
        Mistake(
            "The samples beyond the reach",
            lambda samples, centres, reach: 1 - mode_shares(samples, centres, reach),
            "These are the samples that do *not* lie at each mode: turn the comparison round.",
        ),
        Mistake(
            "One number for all modes",
            lambda samples, centres, reach: mode_shares(samples, centres, reach).sum(),
            "This is the share at any mode. One number for each mode was asked: average over the samples, dim=0.",
        ),
        Mistake(
            "One number for each sample",
            lambda samples, centres, reach: (torch.cdist(samples, centres) <= reach).to(samples.dtype).mean(dim=1),
            "The mean goes over the wrong dimension: the samples are number 0, the modes stay.",
        ),
    ),
)

# --- a diluted density ------------------------------------------------------------------------------------------------


def diluted_log_density(log_model: Tensor, log_noise: Tensor, share: float) -> Tensor:
    from_model = math.log(share) + log_model
    from_noise = math.log(1 - share) + log_noise
    return torch.logaddexp(from_model, from_noise)


def _densities_to_dilute() -> list[Arguments]:
    return [
        (*doubles([0.5], [-1.0]), 0.25),
        (*doubles([1.5, -2.0, 0.0], [-0.5, 1.0, 0.0]), 0.25),
        (*doubles([-1000.0, 30.0, -1003.0], [-1002.0, -90.0, -1000.0]), 0.1),  # exp rounds to 0
        (*doubles([1000.0, 800.0], [999.0, 803.0]), 0.6),  # exp is inf
    ]


def _drawn_to_dilute(generator: Generator) -> Arguments:
    images = size(generator, 2, 6)
    share = (0.05, 0.1, 0.3, 0.7)[size(generator, 0, 3)]
    return numbers(generator, images, low=-3, high=3), numbers(generator, images, low=-3, high=3), share


def _diluted_out_of_the_logs(log_model: Tensor, log_noise: Tensor, share: float, small: float = 0.0) -> Tensor:
    return (share * log_model.exp() + (1 - share) * log_noise.exp() + small).log()


def _weighed(log_model: Tensor, log_noise: Tensor, of_model: float, of_noise: float) -> Tensor:
    """The logs of both parts added, with what is added to each log."""
    return torch.logaddexp(of_model + log_model, of_noise + log_noise)


DILUTED_LOG_DENSITY = Exercise(
    task="The log density of a model that draws from the first one with probability share, otherwise noise: "
    "log(share p + (1 - share) q) from log p and log q, (images,) each; safe where exp rounds to 0 or to inf.",
    reference=diluted_log_density,
    cases=_densities_to_dilute,
    generate=_drawn_to_dilute,
    lesson=lambda g: (30 + 20 * torch.randn(360, generator=g), -70 + 5 * torch.randn(360, generator=g), 0.01),
    hints=(
        "It is the densities that are mixed, each with its share, and not their logs. What becomes of a factor in front of a "
        "density when you take the log?",
        "log(share p) = log(share) + log p, and so for the noise with 1 - share. Both are logs of what has to be added.",
        "torch.logaddexp(a, b) is log(exp(a) + exp(b)), and never leaves the logs. share is a plain number: math.log(share).",
    ),
    mistakes=(
        Mistake(
            "The logs mixed in place of the densities",
            lambda log_model, log_noise, share: share * log_model + (1 - share) * log_noise,
            "A draw comes from one of the two, so it is their *densities* that are averaged, and the log is taken afterwards.",
        ),
        Mistake(
            "Out of the logs and back",
            _diluted_out_of_the_logs,
            "Right on paper, but exp(-1000) rounds to 0, whose log is -inf, and exp(1000) is inf. torch.logaddexp adds two "
            "densities without leaving their logs.",
        ),
        *(
            Mistake(
                f"{small:.0e} added inside the log",
                lambda log_model, log_noise, share, small=small: _diluted_out_of_the_logs(log_model, log_noise, share, small),
                "A small number added inside the log hides the underflow: a density of exp(-1000) has the log -1000. Stay "
                "with the logs: torch.logaddexp.",
            )
            for small in SMALL
        ),
        Mistake(
            "The shares exchanged",
            lambda log_model, log_noise, share: diluted_log_density(log_model, log_noise, 1 - share),
            "share is the model's, and the noise has the rest.",
        ),
        Mistake(
            "Without the shares",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, 0, 0),
            "p + q sums to 2 over all images, so it is no density. Weigh each by its share: add log(share) and log(1 - share).",
        ),
        Mistake(
            "The noise without its share",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, math.log(share), 0),
            "The weights do not add up to 1, so this is no density: the noise is drawn with probability 1 - share.",
        ),
        Mistake(
            "The model without its share",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, 0, math.log(1 - share)),
            "The weights do not add up to 1, so this is no density: the model is drawn from with probability share.",
        ),
        Mistake(
            "The share for both",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, math.log(share), math.log(share)),
            "The weights do not add up to 1, so this is no density: the noise is drawn with probability 1 - share.",
        ),
        Mistake(
            "0.01 in place of share",
            lambda log_model, log_noise, share: diluted_log_density(log_model, log_noise, 0.01),
            "0.01 is this lesson's example. The function is asked for any share.",
        ),
        Mistake(
            "Logs to the base 2",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, math.log2(share), math.log2(1 - share)),
            "The log densities are in nats, so the shares' logs must be natural ones, too: math.log.",
        ),
        Mistake(
            "Half and half",
            lambda log_model, log_noise, share: diluted_log_density(log_model, log_noise, 0.5),
            "The weights are share and 1 - share.",
        ),
        Mistake(
            "1 - log(share) for log(1 - share)",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, math.log(share), 1 - math.log(share)),
            "The noise has the share 1 - share: the 1 belongs inside the log.",
        ),
        Mistake(
            "-log(share) for log(1 - share)",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, math.log(share), -math.log(share)),
            "-log(share) is the log of 1 / share. The noise has the share 1 - share.",
        ),
        Mistake(
            "The shares multiply the logs",
            lambda log_model, log_noise, share: torch.logaddexp(share * log_model, (1 - share) * log_noise),
            "A factor in front of a density is an addition to its log: log(share p) = log(share) + log p.",
        ),
        Mistake(
            "The shares added without a log",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, share, 1 - share),
            "A factor in front of a density adds its *log*: log(share p) = log(share) + log p.",
        ),
        Mistake(
            "The logs of the shares subtracted",
            lambda log_model, log_noise, share: _weighed(log_model, log_noise, -math.log(share), -math.log(1 - share)),
            "Subtracting log(share) divides the density by its share. log(share p) = log(share) + log p.",
        ),
        Mistake(
            "The logs added",
            lambda log_model, log_noise, share: math.log(share) + log_model + math.log(1 - share) + log_noise,
            "A sum of logs is the log of a product. What is added here are densities: torch.logaddexp.",
        ),
        Mistake(
            "The floor in place of the density",
            lambda log_model, log_noise, share: math.log(share) + log_model,
            "That is the floor: what the model's part alone gives. The noise's part is added to it, by torch.logaddexp.",
        ),
        Mistake(
            "The noise's part only",
            lambda log_model, log_noise, share: math.log(1 - share) + log_noise,
            "The model's part is missing: log(share) + log_model, added by torch.logaddexp.",
        ),
        Mistake(
            "The larger part only",
            lambda log_model, log_noise, share: torch.maximum(math.log(share) + log_model, math.log(1 - share) + log_noise),
            "Where both parts matter the sum is larger than either: torch.logaddexp.",
        ),
        Mistake(
            "Added up along the wrong dimension",
            lambda log_model, log_noise, share: torch.logsumexp(
                torch.stack([math.log(share) + log_model, math.log(1 - share) + log_noise]), 1
            ),
            "This adds up the images, once for each part. The two parts are to be added, image by image: torch.stack puts "
            "them in dimension 0.",
        ),
        Mistake(
            "Added up over the images",
            lambda log_model, log_noise, share: torch.logsumexp(
                torch.stack([math.log(share) + log_model, math.log(1 - share) + log_noise]).flatten(), 0
            ),
            "Each image has a log density of its own: only its two parts are added, (images,).",
        ),
    ),
)

EXERCISES = (
    DISCRIMINATOR_LOSS,
    DISCRIMINATOR_STEP,
    GENERATOR_LOSS,
    GENERATOR_STEP,
    OPTIMAL_DISCRIMINATOR,
    MODE_SHARES,
    DILUTED_LOG_DENSITY,
)

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
        "falls_back_further",
        ("VAE", "GAN"),
        answer="GAN",
        because=(
            "under each of five seeds its least share at a mode fell nearly to 0, and the VAE's by a hundredth or two at most. "
            "With more momentum, we suppose, each player runs past an opponent that has moved on."
        ),
        wrong={
            "VAE": (
                "With the other momentum it leaves a little more in the gaps, and it kept all eight modes under five seeds. It "
                "goes down a single slope, with nobody to chase, and each training point that it explains badly calls it back."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_gans_loss_tells",
        question=(
            "A VAE's loss has fallen, and a GAN's two losses have stood still near 2 ln 2 and ln 2. What do you know now about "
            "each model's samples?"
        ),
        model=(
            "The VAE's loss is a bound: as it fell, the floor rose under the mean log density of the training examples. How "
            "its samples look is a further question, for a density can be good while most of its samples are bad, and the "
            "other way round. A low loss of the GAN's discriminator, on new data, would prove that its samples can be told "
            "from data; one near 2 ln 2 proves nothing, because it goes with perfect samples and with a lazy discriminator. So "
            "both are judged by samples: looked at, and counted."
        ),
        rubric=(
            "a VAE's loss is about its density of the training examples, and a bound: lower means a higher floor;",
            "a good density does not make good samples, nor good samples a good density;",
            "each of a GAN's losses depends on how good the opponent is, so these values go with good and with bad samples.",
        ),
    ),
)
