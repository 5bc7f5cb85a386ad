"""The study ``beside_z``: the same decoder with z and without, trained alike, for decoders that see few words or all."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from vae_course.studies.store import Figures, Run, contents
from vae_course.text.corpora import Corpus, load
from vae_course.text.cures import CURES, Budget, train_language_model, train_vae
from vae_course.text.evaluation import exact_nll, likelihood
from vae_course.text.models import TextSizes
from vae_course.training import seeded

NAME = "beside_z"
SIZES = TextSizes(embedding=32, hidden=128, latent=16, z_to="steps")
BUDGET = Budget(1_000, 32, 1e-2)
LONGER = 4_000  # steps
SENTENCES, SAMPLES = 1_000, 50  # of the test set; draws of z for each NLL
# How many of the last words the decoder sees (None: all, by an LSTM), steps, seeds.
PAIRS = [(context, BUDGET.steps, seed) for context in (4, None) for seed in range(5)]
PAIRS += [(4, LONGER, seed) for seed in range(2)]
PAIRS += [(context, BUDGET.steps, seed) for context in (2, 8) for seed in range(3)]


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train language model and VAE for each of ``PAIRS``, and store by how much z helps; returns the file.

    See ``store.Run``: what is finished lies in ``scratch``. ``steps`` replaces both of the study's own numbers of steps.
    """
    corpus = load("world", folder=folder)
    settings = {"corpus": contents(corpus), "sizes": asdict(SIZES), "budget": asdict(BUDGET), "samples": SAMPLES}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=BUDGET.steps, device=device)
    rows = []
    for context, own_steps, seed in PAIRS:
        own = {"context": context, "steps": own_steps if run.steps is None else run.steps, "seed": seed}
        part = "-".join(str(value) for value in own.values())
        rows.append(own | run.kept(part, lambda own=own: _pair(corpus, device, **own), **own))  # type: ignore[misc]
    document = {
        "corpus": corpus.name,
        "sentences": SENTENCES,
        "samples": SAMPLES,
        "sizes": asdict(SIZES),
        "budget": asdict(BUDGET),
        **run.made_by(),
    }
    return run.store(document | {"rows": rows})


def _pair(corpus: Corpus, device: torch.device | None, context: int | None, steps: int, seed: int) -> Figures:
    """A language model and two VAEs on one kind of decoder, in nats per test sentence above the truth.

    "annealing": the KL weight rises from 0 to 1 in the first half of the steps; "plain": it is 1 throughout.
    """
    train, test, size = corpus.encoded("train"), corpus.encoded("test")[:SENTENCES], len(corpus.vocabulary)
    sizes, budget = replace(SIZES, context=context), replace(BUDGET, steps=steps)
    assert corpus.language is not None  # the world's is known
    exact = exact_nll(corpus.language, corpus.test[:SENTENCES])
    model, _ = train_language_model(train, size, sizes=sizes, budget=budget, seed=seed, device=device)
    without = likelihood(model, test, seeded(0))
    figures: Figures = {"without_z": without.above(exact).value}
    for name in ("annealing", "plain"):
        trained = train_vae(CURES[name], train, size, sizes=sizes, budget=budget, seed=seed, device=device)
        with_z = likelihood(trained.model, test, seeded(0), SAMPLES)
        assert with_z.rate is not None
        saved = without.above(with_z.nll)  # paired, sentence by sentence
        figures[name] = {
            "with_z": with_z.above(exact).value,
            "negative_elbo": with_z.negative_elbo.value - float(exact.mean()),
            "rate": float(with_z.rate.mean()),
            "z_saves": saved.value,
            "z_saves_standard_error": saved.standard_error,
        }
    return figures
