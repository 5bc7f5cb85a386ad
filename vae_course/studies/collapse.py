"""What the collapse of a text VAE depends on: the words that its decoder sees, and the optimizer.

Three kinds of rows, all on the generated world, under several seeds. "decoder": VAE and language model around decoders that
see 0, 1, 2 or all preceding words. "optimizer": a decoder that sees two, at several learning rates and lengths of training.
"continued": the same decoder, trained long at the larger learning rate, and from there as long at the smaller one.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path

import torch

from vae_course.studies.store import Figures, Run, contents
from vae_course.text.batches import SentenceBatches
from vae_course.text.corpora import Corpus, load
from vae_course.text.cures import CURES, Budget, fit, train_language_model, train_vae
from vae_course.text.evaluation import exact_nll, likelihood
from vae_course.text.models import TextSizes, TextVAE
from vae_course.training import seeded

NAME = "collapse_world"
# The decoders, by the words before that they see. One that sees all is recurrent, as in lesson 07.
DECODERS = {
    "none": TextSizes(embedding=48, hidden=48, context=0),
    "1": TextSizes(embedding=48, hidden=48, context=1),
    "2": TextSizes(embedding=48, hidden=48, context=2),
    "all": TextSizes(embedding=32, hidden=64, z_to="steps"),
}
BUDGET = Budget(steps=1_200, learning_rate=4e-3)
LENGTHS, RATES = (600, 1_200, 3_000), (4e-3, 1e-2)
SEEDS = (0, 1, 2)
TEST, WEIGHTED = 1_000, 300  # test sentences: measured, importance weighted


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train all models, measure them and store the figures, see ``store.Run``; returns the file.

    What is finished is kept in ``scratch``, so a run that was stopped goes on where it was. ``steps`` replaces the length of
    the trainings of the rows "decoder", and is the only one of the rows "optimizer" and "continued".
    """
    budget = BUDGET if steps is None else replace(BUDGET, steps=steps)
    corpus = load("world", folder=folder)
    settings = {"corpus": contents(corpus), "budget": asdict(budget), "test": [TEST, WEIGHTED]}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=BUDGET.steps, device=device)

    make: dict[str, Callable[[], Figures]] = {}
    for seed, seen in product(SEEDS, DECODERS):
        make[f"decoder-{seen}-{seed}"] = partial(_decoder, corpus, seen, budget, seed, device)
    for seed, rate, length in product(SEEDS, RATES, LENGTHS if steps is None else (steps,)):
        one = replace(BUDGET, steps=length, learning_rate=rate)
        make[f"optimizer-{rate:g}-{length}-{seed}"] = partial(_optimizer, corpus, one, seed, device)
    longest = replace(BUDGET, steps=LENGTHS[-1] if steps is None else steps)
    for seed in SEEDS:
        make[f"continued-{longest.steps}-{seed}"] = partial(_continued, corpus, longest, seed, device)
    rows = [run.kept(f"{budget.steps}-{part}", figures) for part, figures in make.items()]
    document = {
        "corpus": "world",
        "entropy": corpus.language.entropy if corpus.language else None,
        "sizes": {seen: asdict(sizes) for seen, sizes in DECODERS.items()},
        "budget": asdict(budget),
        "test_sentences": TEST,
        "weighted_sentences": WEIGHTED,
        **run.made_by(),
        "rows": rows,
    }
    return run.store(document)


def _decoder(corpus: Corpus, seen: str, budget: Budget, seed: int, device: torch.device | None) -> Figures:
    """A VAE and a language model around the same kind of decoder, on the same sentences, trained alike."""
    train, test, words = corpus.encoded("train"), corpus.encoded("test"), len(corpus.vocabulary)
    sizes = DECODERS[seen]
    vae = train_vae(CURES["plain"], train, words, sizes=sizes, budget=budget, seed=seed, device=device).model
    alone, _ = train_language_model(train, words, sizes=sizes, budget=budget, seed=seed, device=device)
    with_z = likelihood(vae, test[:WEIGHTED], seeded(seed), samples=20)
    without = likelihood(alone, test[:WEIGHTED], seeded(seed))
    saved = without.above(with_z.nll)  # paired, sentence by sentence
    figures: Figures = {"kind": "decoder", "sees": seen, "seed": seed}
    assert corpus.language is not None
    assert with_z.rate is not None
    exact = exact_nll(corpus.language, corpus.test[:WEIGHTED])
    return figures | {
        "rate": _mean(with_z.rate),
        "negative_elbo": with_z.negative_elbo.value,
        "vae_above_truth": with_z.above(exact).value,
        "language_model_above_truth": without.above(exact).value,
        "saved_by_z": saved.value,
        "saved_by_z_standard_error": saved.standard_error,
    }


def _optimizer(corpus: Corpus, budget: Budget, seed: int, device: torch.device | None) -> Figures:
    """A VAE whose decoder sees two words."""
    vae = _sees_two(corpus, budget, seed, device)
    figures = {"kind": "optimizer", "seed": seed, "learning_rate": budget.learning_rate, "steps": budget.steps}
    return figures | _rate_and_loss(vae, corpus, seed)


def _continued(corpus: Corpus, budget: Budget, seed: int, device: torch.device | None) -> Figures:
    """The same VAE at the larger learning rate, then from its weights at the smaller one, on sentences in another order."""
    smaller, larger = (replace(budget, learning_rate=rate) for rate in sorted(RATES))
    vae = _sees_two(corpus, larger, seed, device)
    before = _rate_and_loss(vae, corpus, seed)
    batches = SentenceBatches(corpus.encoded("train"), smaller.batch_size, device)
    fit(CURES["plain"].objective(vae, batches, smaller).to(device), batches, smaller, seed=seed + len(SEEDS))
    figures = {"kind": "continued", "seed": seed, "steps": budget.steps, "before": before}
    return figures | _rate_and_loss(vae, corpus, seed)


def _sees_two(corpus: Corpus, budget: Budget, seed: int, device: torch.device | None) -> TextVAE:
    train, words = corpus.encoded("train"), len(corpus.vocabulary)
    return train_vae(CURES["plain"], train, words, sizes=DECODERS["2"], budget=budget, seed=seed, device=device).model


def _rate_and_loss(vae: TextVAE, corpus: Corpus, seed: int) -> Figures:
    measured = likelihood(vae, corpus.encoded("test")[:TEST], seeded(seed), samples=1)
    assert measured.rate is not None
    return {"rate": _mean(measured.rate), "negative_elbo": measured.negative_elbo.value}


def _mean(values: torch.Tensor) -> float:
    return values.mean().item()
