"""Encoder against decoder: does an encoder that keeps up with the model keep z in use?

One latent, on the generated world, under several seeds. A seed's trainings begin from the same weights, and their decoders see
the same batches in the same order, with the same noise, at the same learning rates, which fall to 0. Only the encoder differs:
"plain", the aggressive encoder of He 2019, one that is aggressive at first only, and one that learns more slowly. The encoder's
own steps have batches and noise of their own. Beside these a language model: the decoder without z, on the same batches.

Of each: where encoder and model put sentences meanwhile, and what is left at the end. The plain training is made again from the
first seed's weights with the other seeds' batches and noise, which tells how much these alone move.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from vae_course.probability.estimators import Estimate
from vae_course.studies.store import Figures, Run, contents
from vae_course.text.batches import SentenceBatches, pad
from vae_course.text.corpora import Corpus, load
from vae_course.text.evaluation import Likelihood, encode, information, likelihood, posterior_means
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo
from vae_course.training import seeded, seeded_module


class Training(NamedTuple):
    """How the encoder is trained, beside the decoder."""

    ahead: float = 0.0  # of the decoder's steps, the share before which the encoder takes steps of its own
    speed: float = 1.0  # the encoder's learning rate over the decoder's


NAME = "collapse_race_world"
SIZES = TextSizes(embedding=16, hidden=48, latent=1, context=17)
STEPS, BATCH_SIZE, LEARNING_RATE = 2_000, 32, 1e-2  # steps of the decoder
INNER = 10  # steps of the aggressive encoder before each of the decoder
TRAININGS = {
    "plain": Training(),
    "aggressive": Training(ahead=1.0),
    "aggressive at first": Training(ahead=0.2),
    "slow encoder": Training(speed=0.2),
}
PLAIN, LANGUAGE_MODEL = "plain", "language model"
LOOKS = 25  # how often both means are computed
SEEDS = (0, 1, 2, 3, 4)
TEST, WATCHED = 1_000, 40  # test sentences: measured at the end, watched meanwhile
SAMPLES = 20  # draws of z for the NLL of a test sentence


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train all models, measure them and store the figures, see ``store.Run``; returns the file.

    What is finished is kept in ``scratch``, so a run that was stopped goes on where it was. ``steps`` replaces the decoder's.
    """
    corpus = load("world", folder=folder)
    taken = STEPS if steps is None else steps
    race = {"steps": taken, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "inner": INNER, "looks": LOOKS}
    settings = {"corpus": contents(corpus), "race": race, "test": [TEST, WATCHED, SAMPLES]}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=STEPS, device=device)

    def row(name: str, seed: int, order: int) -> Figures:
        make: Callable[[], Figures] = partial(_trained, corpus, name, taken, seed, order, device)
        return run.kept(f"{taken}-{seed}-{order}-{name.replace(' ', '-')}", make)

    rows = [row(name, seed, seed) for seed, name in product(SEEDS, (LANGUAGE_MODEL, *TRAININGS))]
    orders = [row(PLAIN, SEEDS[0], order) for order in SEEDS]
    document = {
        "corpus": "world",
        "entropy": corpus.language.entropy if corpus.language else None,
        "race": race,
        "trainings": {name: training._asdict() for name, training in TRAININGS.items()},
        "test_sentences": TEST,
        "watched_sentences": WATCHED,
        "samples": SAMPLES,
        **run.made_by(),
        "rows": _compared(rows),
        "orders": [_of_the_end(plain) for plain in orders],
    }
    return run.store(document)


def _trained(corpus: Corpus, name: str, steps: int, seed: int, order: int, device: torch.device | None) -> Figures:
    """One training, from the weights of ``seed``, with the batches and noise of ``order``."""
    train, test, words = corpus.encoded("train"), corpus.encoded("test")[:TEST], len(corpus.vocabulary)
    batches = SentenceBatches(train, BATCH_SIZE, device)
    about = {"seed": seed, "order": order, "name": name}
    if name == LANGUAGE_MODEL:
        alone = seeded_module(seed, lambda: LanguageModel(words, SIZES)).to(device)
        _train_alone(alone, batches, steps, order)
        return about | _sentence_by_sentence(likelihood(alone, test, seeded(0)))
    model = seeded_module(seed, lambda: TextVAE(words, SIZES)).to(device)
    seen = _race(model, batches, pad(test[:WATCHED], device), TRAININGS[name], steps, order)
    measured = likelihood(model, test, seeded(0), SAMPLES)
    assert measured.rate is not None
    spreads = seen.std(dim=2)  # (looks + 1, 2)
    meanwhile = {
        "spread_of_the_model": _rounded(spreads[:, 0]),
        "spread_of_the_encoder": _rounded(spreads[:, 1]),
        "correlation": _rounded(torch.stack([torch.corrcoef(both)[0, 1] for both in seen])),
    }
    told = information(encode(model, test), seeded(0)).mutual_information.value
    return about | meanwhile | {"rate": measured.rate.mean().item(), "information": told} | _sentence_by_sentence(measured)


def _train_alone(alone: LanguageModel, batches: SentenceBatches, steps: int, order: int) -> None:
    """The language model's training, on the batches that the decoder of a VAE would see."""
    optimizer = torch.optim.Adam(alone.parameters(), lr=LEARNING_RATE)
    stream = _endless(batches, seeded(order))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        _step(-alone.log_likelihood(next(stream)).mean(), optimizer)


def _race(model: TextVAE, batches: SentenceBatches, watched: Tensor, training: Training, steps: int, order: int) -> Tensor:
    """Train the model; returns both means of the watched sentences at each look, (looks + 1, 2, sentences)."""
    objective = NegativeElbo(model)
    of_the_encoder, of_the_decoder = [*model.encoder.parameters(), *model.head.parameters()], list(model.decoder.parameters())
    encoder, decoder = (torch.optim.Adam(some, lr=LEARNING_RATE) for some in (of_the_encoder, of_the_decoder))
    # Apart, so that more steps of the encoder change nothing in what the decoder sees.
    stream, noise = _endless(batches, seeded(order)), seeded(1_000 + order)
    own_stream, own_noise = _endless(batches, seeded(2_000 + order)), seeded(3_000 + order)
    seen = [posterior_means(model, watched)]
    for step in range(steps):
        decoder.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        encoder.param_groups[0]["lr"] = training.speed * decoder.param_groups[0]["lr"]
        aggressive = step < training.ahead * steps
        for _ in range(INNER if aggressive else 0):
            _step(objective.loss(next(own_stream), own_noise)["loss"], encoder)
        _step(objective.loss(next(stream), noise)["loss"], *([decoder] if aggressive else [encoder, decoder]))
        if (step + 1) * LOOKS // steps > step * LOOKS // steps:
            seen.append(posterior_means(model, watched))
    return torch.stack(seen)


def _sentence_by_sentence(measured: Likelihood) -> Figures:
    """NLL and -ELBO of each test sentence; without z the two are the same."""
    elbo = measured.nll if measured.rate is None or measured.distortion is None else measured.rate + measured.distortion
    return {"nll": measured.nll.tolist(), "negative_elbo": elbo.tolist()}


def _of_the_end(row: Figures) -> Figures:
    """A row with the means of what it has of each sentence."""
    return row | {name: Estimate.of(torch.tensor(row[name])).value for name in ("nll", "negative_elbo")}


def _compared(rows: list[Figures]) -> list[Figures]:
    """Means in place of the single sentences, and by how much each row differs from two others of its seed.

    Each difference, [mean, standard error], is one of pairs, sentence by sentence; ``nll_minus`` and ``negative_elbo_minus``.
    """
    of_seed = {(row["seed"], row["name"]): row for row in rows}
    compared = []
    for row in rows:
        differences: Figures = {}
        for kind in ("nll", "negative_elbo"):
            differences[f"{kind}_minus"] = {}
            for other in (LANGUAGE_MODEL, PLAIN):
                pairs = torch.tensor(row[kind]) - torch.tensor(of_seed[row["seed"], other][kind])
                found = Estimate.of(pairs)
                differences[f"{kind}_minus"][other] = [found.value, found.standard_error]
        compared.append(_of_the_end(row) | differences)
    return compared


def _endless(batches: SentenceBatches, generator: Generator) -> Iterator[Tensor]:
    while True:
        yield from batches.epoch(generator)


def _step(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
    """Move the weights of these optimizers, and no others."""
    weights = [weight for optimizer in optimizers for weight in optimizer.param_groups[0]["params"]]
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    for optimizer in optimizers:
        optimizer.step()


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
