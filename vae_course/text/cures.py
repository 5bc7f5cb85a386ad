"""Cures of posterior collapse, by name: what each changes in the model, in the objective, and in the order of training."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from vae_course.text.batches import FixedSteps, PairBatches, SentenceBatches, Sentences
from vae_course.text.conditional import SequenceToSequence
from vae_course.text.evaluation import encode, information_bounds, likelihood
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.objectives import (
    AggressiveEncoder,
    CapacityTarget,
    ImportanceWeighted,
    InfoVAE,
    NegativeElbo,
    Objective,
    Wasserstein,
    constant,
    cyclical_annealing,
    free_bits,
    free_bits_in_total,
    linear_annealing,
)
from vae_course.text.posteriors import BatchNormHead, CappedStdHead, GaussianHead, Head, VonMisesFisherHead
from vae_course.training import Checkpoint, EarlyStopping, History, Update, device_of, seeded, seeded_module, train


@dataclass(frozen=True)
class Budget:
    """How long and how fast to train: ``steps`` of ``batch_size`` sentences with Adam, the learning rate falling to 0."""

    steps: int = 6_000
    batch_size: int = 32
    learning_rate: float = 4e-3
    checks: int = 10  # parts into which the steps are cut: for the history, checkpoints, early stopping, He 2019's test
    longest_rise: int | None = None  # steps in which a KL weight has risen at the latest

    def rise(self, share: float) -> int:
        """How many steps a KL weight takes that rises over a ``share`` of them all: at least one, at most ``longest_rise``."""
        steps = max(1, round(share * self.steps))
        return steps if self.longest_rise is None else min(steps, self.longest_rise)

    def fitted(self, sentences: int) -> "Budget":
        """The same for a text of one's own with so many ``sentences`` to train on, to be ended by held-out ones.

        Those are asked after each pass through the text, and 32 times at least. A KL weight rises within the first pass, for
        until it has, nothing can be ended (see ``fit``): in more of them a small text is learned by heart.
        """
        a_pass = -(-sentences // self.batch_size)
        return replace(self, checks=min(self.steps, max(32, self.steps // a_pass)), longest_rise=a_pass)


MakeObjective = Callable[[TextVAE, SentenceBatches, Budget], Objective[TextVAE]]


@dataclass(frozen=True)
class Cure:
    """A way to train a text VAE: ``sizes`` are changes to the model, ``pretraining`` the share of steps as an autoencoder.

    ``setting`` says in words what was chosen where the method leaves a choice. After pretraining the decoder starts anew
    (Li 2019), so that it has to listen to the encoder from its first step.
    """

    name: str
    paper: str
    objective: MakeObjective
    head: Callable[[], Head] = GaussianHead
    sizes: dict[str, Any] = field(default_factory=dict)
    pretraining: float = 0.0
    setting: str = ""


def _elbo(**options: Any) -> MakeObjective:  # noqa: ANN401 - passed on to NegativeElbo
    return lambda model, batches, budget: NegativeElbo(model, **options)


def _annealed(share: float = 0.5, **options: Any) -> MakeObjective:  # noqa: ANN401
    return lambda model, batches, budget: NegativeElbo(model, linear_annealing(budget.rise(share)), **options)


def _cyclical(model: TextVAE, batches: SentenceBatches, budget: Budget) -> Objective[TextVAE]:
    return NegativeElbo(model, cyclical_annealing(budget.rise(0.2), cycles=4))


def _lagging(annealed: float = 0.0) -> MakeObjective:
    """The aggressive encoder; ``annealed``: the share of steps in which the KL weight rises."""

    def objective(model: TextVAE, batches: SentenceBatches, budget: Budget) -> Objective[TextVAE]:
        kl_weight = linear_annealing(budget.rise(annealed)) if annealed else constant()
        return AggressiveEncoder(model, batches, budget.learning_rate, kl_weight=kl_weight)

    return objective


def _capacity(nats: float) -> MakeObjective:
    """The target rises to ``nats`` over the first half of the steps."""
    return lambda model, batches, budget: CapacityTarget(model, linear_annealing(budget.rise(0.5), nats), strength=10.0)


def _wasserstein(weight: float) -> MakeObjective:
    return lambda model, batches, budget: Wasserstein(model, weight)


def _info_vae(alpha: float, scale: float) -> MakeObjective:
    return lambda model, batches, budget: InfoVAE(model, alpha, scale)


# Settings and papers that several share.
HALF = "weight 1 after half of the steps"
FIRST = "an autoencoder for 25 % of the steps; weight 1 after 55 %"
HIDDEN = "40 % of the words hidden"
EACH = "0.25 nats a unit"
PEAK = "encoder first, until an upper bound of the information has peaked"
TARGET = "reached after half of the steps; strength 10"
ONE_FLOOR = "a variation of Kingma 2016, one floor for z"
WINDOW = "a variation of Yang 2017, without dilation"
AHEAD = "a variation of He 2019, whose encoder is first for an epoch at least"
SKIP = "a variation of Dieng 2019, z to the output layer"

# A name says what is done, a paper whose method that is. Where ours is not the paper's, it is called a variation of it. The
# encoder of all of these pools over the sentence, which is a cure in itself (Long 2019): see WITH_OTHER_ENCODERS.
CURES = {
    cure.name: cure
    for cure in (
        Cure("plain", "Bowman 2016 without its cures", _elbo()),
        Cure("annealing", "Bowman 2016", _annealed(), setting=HALF),
        Cure("cyclical annealing", "Fu 2019", _cyclical, setting="4 cycles of a fifth of the steps, then weight 1"),
        Cure("word dropout", "Bowman 2016", _elbo(), sizes={"word_dropout": 0.4}, setting=HIDDEN),
        Cure("word dropout + annealing", "Bowman 2016", _annealed(), sizes={"word_dropout": 0.4}, setting=f"{HIDDEN}; {HALF}"),
        Cure("KL weight 0.5", "Alemi 2018", _elbo(kl_weight=constant(0.5))),
        Cure("free bits", "Kingma 2016", _elbo(penalty=free_bits(0.25)), setting=EACH),
        Cure("free bits + annealing", "Kingma 2016", _annealed(penalty=free_bits(0.25)), setting=f"{EACH}; {HALF}"),
        Cure("free bits in total", ONE_FLOOR, _elbo(penalty=free_bits_in_total(5.0)), setting="5 nats"),
        Cure(
            "free bits in total + annealing", ONE_FLOOR, _annealed(penalty=free_bits_in_total(5.0)), setting=f"5 nats; {HALF}"
        ),
        # The floor of "pretraining + free bits", without the pretraining.
        Cure(
            "more free bits in total + annealing",
            ONE_FLOOR,
            _annealed(penalty=free_bits_in_total(8.0)),
            setting=f"8 nats; {HALF}",
        ),
        Cure(
            "batch-normalized means",
            "Zhu 2020",
            _elbo(),
            head=lambda: BatchNormHead(0.6),
            setting="gamma 0.6, the spread of the means",
        ),
        Cure(
            "std capped",
            "a variation of delta-VAE (Razavi 2019), for one vector",
            _elbo(),
            head=lambda: CappedStdHead(5.0),
            setting="rate at least 5 nats",
        ),
        Cure("lagging inference", AHEAD, _lagging(), setting=PEAK),
        Cure("lagging inference + annealing", AHEAD, _lagging(annealed=0.5), setting=f"{PEAK}; {HALF}"),
        Cure(
            "pretraining + free bits",
            "Li 2019",
            _annealed(0.4, penalty=free_bits_in_total(8.0)),
            pretraining=0.25,
            setting=f"8 nats; {FIRST}",
        ),
        Cure(
            "pretraining + free bits a unit",
            "Li 2019, Kingma 2016",
            _annealed(0.4, penalty=free_bits(0.25)),
            pretraining=0.25,
            setting=f"{EACH}; {FIRST}",
        ),
        Cure(
            "pretraining + many free bits",
            "Li 2019",
            _annealed(0.4, penalty=free_bits_in_total(14.0)),
            pretraining=0.25,
            setting=f"14 nats; {FIRST}",
        ),
        Cure("capacity target 4", "Burgess 2018", _capacity(4.0), setting=TARGET),
        Cure("capacity target 8", "Burgess 2018", _capacity(8.0), setting=TARGET),
        Cure("window of four words", WINDOW, _elbo(), sizes={"context": 4}),
        Cure("window of four words + annealing", WINDOW, _annealed(), sizes={"context": 4}, setting=HALF),
        Cure(
            "window of four words + many free bits",
            "variations of Yang 2017 and Li 2019",
            _annealed(0.4, penalty=free_bits_in_total(12.0)),
            sizes={"context": 4},
            pretraining=0.25,
            setting=f"12 nats; {FIRST}",
        ),
        Cure("von Mises-Fisher, concentration 10", "Xu & Durrett 2018", _elbo(), head=lambda: VonMisesFisherHead(10.0)),
        Cure("von Mises-Fisher, concentration 20", "Xu & Durrett 2018", _elbo(), head=lambda: VonMisesFisherHead(20.0)),
        Cure("von Mises-Fisher, concentration 40", "Xu & Durrett 2018", _elbo(), head=lambda: VonMisesFisherHead(40.0)),
        Cure("Wasserstein, weight 30", "Tolstikhin 2018", _wasserstein(30.0)),
        Cure("Wasserstein, weight 100", "Tolstikhin 2018", _wasserstein(100.0)),
        Cure("Wasserstein, weight 1000", "Tolstikhin 2018", _wasserstein(1000.0)),
        Cure("InfoVAE, half of the KL", "Zhao 2019", _info_vae(0.5, 100.0), setting="their lambda 100"),
        Cure("InfoVAE, a tenth of the KL", "Zhao 2019", _info_vae(0.9, 100.0), setting="their lambda 100"),
        Cure("skip connections", SKIP, _elbo(), sizes={"skip": True}),
        Cure("skip connections + annealing", SKIP, _annealed(), sizes={"skip": True}, setting=HALF),
        Cure(
            "importance weighted",
            "Burda 2016",
            lambda model, batches, budget: ImportanceWeighted(model, samples=5),
            setting="5 samples",
        ),
    )
}


# Which of them are crossed with the encoder: each with annealing and without.
FACTORIAL = tuple(
    name
    for one in ("plain", "word dropout", "free bits", "free bits in total", "window of four words", "skip connections")
    for name in (one, "annealing" if one == "plain" else f"{one} + annealing")
)
WITH_OTHER_ENCODERS = {
    cure.name: cure
    for cure in (
        *(
            replace(CURES[name], name=f"{name}, last-state encoder", sizes=CURES[name].sizes | {"encoder": "lstm"})
            for name in FACTORIAL
        ),
        *(
            replace(
                CURES[name],
                name=f"{name}, pooled LSTM",
                paper=f"Long 2019, {CURES[name].paper}",
                sizes=CURES[name].sizes | {"encoder": "pooled lstm"},
            )
            for name in ("plain", "annealing")
        ),
    )
}


@dataclass(frozen=True)
class Trained:
    """A text VAE, what training it measured, and the processor seconds that took, pretraining included."""

    model: TextVAE
    history: History
    seconds: float


def train_vae(
    cure: Cure,
    sentences: Sentences,
    vocabulary_size: int,
    *,
    sizes: TextSizes | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    validation: Sentences = (),
    early_stopping: Sentences = (),
    patience: int = 3,
    checkpoint: Path | Checkpoint | None = None,
    after_check: Callable[[TextVAE, History], None] | None = None,
) -> Trained:
    """Train a text VAE by a cure on encoded ``sentences``.

    ``validation`` is needed by lagging inference only. ``early_stopping``: held-out sentences that end the training when it no
    longer gets better on them, and ``patience``: see ``fit``. ``checkpoint``: a file to save to and go on from.
    ``after_check(model, history)`` is called ``budget.checks`` times, evenly spread over the steps.
    """
    sizes, budget = replace(sizes or TextSizes(), **cure.sizes), budget or Budget()
    model = seeded_module(seed, lambda: TextVAE(vocabulary_size, sizes, cure.head())).to(device)
    batches = SentenceBatches(sentences, budget.batch_size, device)
    seconds = 0.0
    if cure.pretraining:
        budget, seconds = _pretrained(model, batches, cure, budget, seed, Checkpoint.of(checkpoint))
    objective = cure.objective(model, batches, budget).to(device)
    check = _Checks(objective, validation, after_check)
    history = fit(
        objective,
        batches,
        budget,
        seed=seed,
        checkpoint=checkpoint,
        after_check=check,
        early_stopping=early_stopping,
        patience=patience,
    )
    return Trained(model, history, seconds + sum(history["cpu_seconds"]))


def _pretrained(
    model: TextVAE, batches: SentenceBatches, cure: Cure, budget: Budget, seed: int, checkpoint: Checkpoint | None
) -> tuple[Budget, float]:
    """Train as an autoencoder, give the decoder new weights, and return the budget that is left and the seconds used."""
    steps = round(cure.pretraining * budget.steps)
    objective = NegativeElbo(model, constant(0.0)).to(device_of(model))
    update = Update.adam(objective, objective.loss, budget.learning_rate, max_norm=5.0)
    first = checkpoint.beside(".pretraining") if checkpoint else None
    history = train(
        update, FixedSteps(batches, steps), epochs=1, generator=seeded(seed), checkpoint=first, after_epoch=_Clock()
    )
    seeded_module(seed + 1, model.reset_decoder)
    return replace(budget, steps=budget.steps - steps), sum(history["cpu_seconds"])


def train_language_model(
    sentences: Sentences,
    vocabulary_size: int,
    *,
    sizes: TextSizes | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    early_stopping: Sentences = (),
    checkpoint: Path | Checkpoint | None = None,
) -> tuple[LanguageModel, History]:
    """The yardstick: the same decoder without z, trained alike."""
    budget = budget or Budget()
    model = seeded_module(seed, lambda: LanguageModel(vocabulary_size, sizes)).to(device)
    batches = SentenceBatches(sentences, budget.batch_size, device)
    return model, fit(model, batches, budget, seed=seed, checkpoint=checkpoint, early_stopping=early_stopping)


def fit(
    trained: Objective[Any] | LanguageModel | SequenceToSequence,
    batches: SentenceBatches | PairBatches,
    budget: Budget,
    *,
    seed: int,
    checkpoint: Path | Checkpoint | None = None,
    after_check: Callable[[History], None] | None = None,
    early_stopping: Sentences | PairBatches | EarlyStopping = (),
    patience: int = 3,
) -> History:
    """Spend a budget on anything that has a ``loss``: an objective with its model, or a model without z.

    ``checkpoint``: a file to save to and go on from. ``after_check`` is called ``budget.checks`` times, after each part.
    ``early_stopping``: held-out text, on which the negative ELBO (at KL weight 1, always with the same noise), or the NLL of a
    model without z, is measured after each part. Once the KL weight has come to its final value, ``patience`` parts in a row
    without a new best end the training, and the best weights are put back. Or an ``EarlyStopping`` that measures otherwise.
    """
    if isinstance(early_stopping, EarlyStopping):
        stopping: EarlyStopping | None = early_stopping
    else:
        stopping = _stopping(trained, early_stopping, budget, patience) if len(early_stopping) else None
    return train(
        Update.adam(trained, trained.loss, budget.learning_rate, decay_over=budget.steps, max_norm=5.0),
        FixedSteps(batches, max(1, budget.steps // budget.checks)),
        epochs=budget.checks,
        generator=seeded(seed),
        checkpoint=checkpoint,
        after_epoch=after_check or _Clock(),
        stopping=stopping,
    )


def _stopping(
    trained: Objective[Any] | LanguageModel | SequenceToSequence,
    held_out: Sentences | PairBatches,
    budget: Budget,
    patience: int,
) -> EarlyStopping:
    model = trained.model if isinstance(trained, Objective) else trained
    if not isinstance(held_out, PairBatches):
        held_out = held_out[:: -(-len(held_out) // 1000)]  # of many, a thousand are enough

    def validate() -> float:
        measured = likelihood(model, held_out, seeded(0), samples=1)
        return (measured.nats_per_sentence if measured.rate is None else measured.negative_elbo).value

    return EarlyStopping(validate, patience, _warmup(trained, budget))


def _warmup(trained: Objective[Any] | LanguageModel | SequenceToSequence, budget: Budget) -> int:
    """How many parts of the budget pass before the KL weight has come to the value that it keeps."""
    if not isinstance(trained, NegativeElbo):
        return 0
    weights = [trained.kl_weight(step) for step in range(budget.steps)]
    moving = max((step + 1 for step, weight in enumerate(weights) if weight != weights[-1]), default=0)
    return min(budget.checks - 1, -(-moving * budget.checks // budget.steps))


class _Clock:
    """Counts processor seconds into the history, part by part, so that a run that was resumed knows them all."""

    def __init__(self) -> None:
        self.last = time.process_time()

    def __call__(self, history: History) -> None:
        now = time.process_time()
        history.metrics.setdefault("cpu_seconds", []).append(now - self.last)
        self.last = now


class _Checks:
    """What happens between the parts of a training: the caller's own look at it, and the end of an encoder's aggression.

    That comes when the mutual information of z and validation sentences has stopped climbing (He 2019). He et al. look once an
    epoch, and estimate it inside batches, where it cannot exceed the log of their size (ln 32 = 3.47). An estimate with a cap
    stops climbing when it is at its cap, whatever the encoder does. So here it is the upper bound that leaves each sentence's
    own posterior out (``evaluation.InformationBounds.upper``), on all validation sentences, two thousand at most: it has no
    cap. It is asked at every check, and it takes ``patience`` checks without a new peak, since one alone may be noise.

    Two things follow, so this is a variation of He 2019. Without a cap the bound may lie far above what a sentence holds: while
    the rate is nearly free, posteriors are narrow, and the bound only says so, and falls as the KL weight rises. And checks may
    come far closer than epochs: in the study of all cures the encoder is ahead for a small part of the first epoch.
    """

    patience = 3

    def __init__(self, objective: Objective[TextVAE], validation: Sentences, after: Callable[[TextVAE, History], None] | None):
        if isinstance(objective, AggressiveEncoder) and len(validation) < 2:
            raise ValueError("lagging inference: needs validation sentences, to know when the encoder has caught up")
        self.objective, self.validation, self.after = objective, validation[:2000], after
        self.clock = _Clock()

    def __call__(self, history: History) -> None:
        if isinstance(self.objective, AggressiveEncoder) and self.objective.aggressive:
            measured = information_bounds(encode(self.objective.model, self.validation), seeded(history.epochs))
            climbed = history.metrics.setdefault("information_at_most", [])
            climbed.append(measured.upper.value)
            if len(climbed) - climbed.index(max(climbed)) > self.patience:
                self.objective.calm()
        self.clock(history)
        if self.after is not None:
            self.after(self.objective.model, history)
