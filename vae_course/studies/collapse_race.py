"""Encoder against decoder: does an encoder that keeps up with the model keep z in use?

One latent, on the generated world, under several seeds. Three trainings begin from the same weights and take the same number of
decoder steps: "plain", the aggressive encoder of He 2019, and one that is aggressive at first only. The learning rates of both
networks fall to 0. Of each: where encoder and model put sentences meanwhile, and what is left at the end.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

import torch
from torch import Generator, Tensor

from vae_course.studies.store import Figures, Run, contents
from vae_course.text.batches import SentenceBatches, pad
from vae_course.text.corpora import Corpus, load
from vae_course.text.evaluation import encode, information, likelihood, posterior_means
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo
from vae_course.training import seeded, seeded_module

NAME = "collapse_race_world"
SIZES = TextSizes(embedding=16, hidden=48, latent=1, context=17)
STEPS, BATCH_SIZE, LEARNING_RATE = 500, 32, 1e-2  # steps of the decoder
INNER = 10  # steps of the aggressive encoder before each of the decoder
# Of the decoder's steps, the share before which the encoder takes its own.
TRAININGS = {"plain": 0.0, "aggressive": 1.0, "aggressive at first": 0.2}
LOOKS = 25  # how often both means are computed
SEEDS = (0, 1, 2)
TEST, WATCHED = 1_000, 40  # test sentences: measured at the end, watched meanwhile


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train all models, measure them and store the figures, see ``store.Run``; returns the file.

    What is finished is kept in ``scratch``, so a run that was stopped goes on where it was. ``steps`` replaces the decoder's.
    """
    corpus = load("world", folder=folder)
    taken = STEPS if steps is None else steps
    race = {"steps": taken, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "inner": INNER, "looks": LOOKS}
    settings = {"corpus": contents(corpus), "race": race, "test": [TEST, WATCHED]}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=STEPS, device=device)
    rows = []
    for seed, name in product(SEEDS, TRAININGS):
        make: Callable[[], Figures] = partial(_trained, corpus, name, taken, seed, device)
        rows.append(run.kept(f"{taken}-{seed}-{name.replace(' ', '-')}", make))
    document = {
        "corpus": "world",
        "entropy": corpus.language.entropy if corpus.language else None,
        "race": race,
        "trainings": TRAININGS,
        "test_sentences": TEST,
        "watched_sentences": WATCHED,
        **run.made_by(),
        "rows": rows,
    }
    return run.store(document)


def _trained(corpus: Corpus, name: str, steps: int, seed: int, device: torch.device | None) -> Figures:
    """One training: the spreads (standard deviations over sentences) of both means, their correlation, and the last figures."""
    train, test, words = corpus.encoded("train"), corpus.encoded("test")[:TEST], len(corpus.vocabulary)
    watched = pad(test[:WATCHED], device)
    model = seeded_module(seed, lambda: TextVAE(words, SIZES)).to(device)
    objective = NegativeElbo(model)
    of_the_encoder, of_the_decoder = [*model.encoder.parameters(), *model.head.parameters()], list(model.decoder.parameters())
    encoder, decoder = (torch.optim.Adam(some, lr=LEARNING_RATE) for some in (of_the_encoder, of_the_decoder))
    generator = seeded(seed)
    stream = _endless(SentenceBatches(train, BATCH_SIZE, device), generator)
    seen = [posterior_means(model, watched)]
    for step in range(steps):
        for optimizer in (encoder, decoder):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        aggressive = step < TRAININGS[name] * steps
        for _ in range(INNER if aggressive else 0):
            _step(objective.loss(next(stream), generator)["loss"], encoder)
        _step(objective.loss(next(stream), generator)["loss"], *([decoder] if aggressive else [encoder, decoder]))
        if (step + 1) * LOOKS // steps > step * LOOKS // steps:
            seen.append(posterior_means(model, watched))
    measured = likelihood(model, test, seeded(seed), samples=1)
    assert measured.rate is not None
    spreads = torch.stack(seen).std(dim=2)  # (looks + 1, 2)
    return {
        "seed": seed,
        "name": name,
        "spread_of_the_model": _rounded(spreads[:, 0]),
        "spread_of_the_encoder": _rounded(spreads[:, 1]),
        "correlation": _rounded(torch.stack([torch.corrcoef(both)[0, 1] for both in seen])),
        "rate": measured.rate.mean().item(),
        "information": information(encode(model, test), seeded(seed)).mutual_information.value,
        "negative_elbo": measured.negative_elbo.value,
    }


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
