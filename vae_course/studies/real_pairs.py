"""Translation of real text: a sequence-to-sequence model and a conditional VAE at equal budgets, scored on a whole test set.

``vae-course measure multi30k_de`` trains both and stores their figures; of the corpora that are no part of the course no
sentence is stored.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vae_course.applications.translation import nearest, scores, sides, translated
from vae_course.studies import tables
from vae_course.studies.store import Figures, Run, contents, stored
from vae_course.studies.tables import Columns
from vae_course.text.batches import PairBatches, Sentences, in_order
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.corpora import Corpus, TokenKind
from vae_course.text.cures import Budget, fit
from vae_course.text.decoding import greedy
from vae_course.text.evaluation import likelihood
from vae_course.text.models import TextSizes
from vae_course.text.objectives import NegativeElbo, free_bits, linear_annealing
from vae_course.text.vocabulary import Characters
from vae_course.training import Checkpoint, device_of, seeded, seeded_module
from vae_course.world.grammar import Tokens

NEAREST, PLAIN, VAE = "most similar sentence in train", "sequence to sequence", "conditional VAE"
Model = SequenceToSequence | ConditionalTextVAE
SIZES = TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm", dropout=0.3, tied=True)
BUDGET = Budget(steps=6_000, batch_size=64, learning_rate=2e-3, checks=12)


@dataclass(frozen=True)
class RealStudy:
    """What one results file holds: both models on pairs of real text, with one size and one budget.

    ``subwords``: how many are learned from the sides that are cut into them, for both together. ``longest``: training pairs
    with more tokens than this on a side are left out, and translations are cut there. ``width``: of the beam.
    """

    corpus: str
    languages: tuple[str, str] | None
    tokens: tuple[TokenKind, TokenKind] = ("subword", "subword")
    subwords: int = 5_000
    longest: int = 60
    sizes: TextSizes = SIZES
    budget: Budget = BUDGET
    width: int = 5
    samples: int = 20  # importance samples of a NLL
    weighted: int = 300  # test sentences whose NLL is measured
    shown: int = 0  # how many translations are stored, of text that the course may show


# A few thousand short strings: smaller models, more dropout, and still an overfit.
STRINGS = TextSizes(embedding=192, hidden=192, latent=32, encoder="lstm", dropout=0.4, tied=True)
STRINGS_BUDGET = Budget(steps=3_000, batch_size=64, learning_rate=3e-3, checks=6)
STUDIES = {
    "jupyterlab_zh": RealStudy(
        "jupyterlab", ("en", "zh"), ("subword", "character"), 1_500, sizes=STRINGS, budget=STRINGS_BUDGET, shown=6
    ),
    "jupyterlab_fr": RealStudy("jupyterlab", ("en", "fr"), subwords=1_500, sizes=STRINGS, budget=STRINGS_BUDGET, shown=6),
    "multi30k_de": RealStudy("multi30k", ("en", "de")),
    "multi30k_fr": RealStudy("multi30k", ("en", "fr")),
    "tatoeba_zh": RealStudy("tatoeba_en_zh", None, ("subword", "character"), longest=40),
}


def measure(
    name: str, *, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None
) -> Path:
    """Run the study ``name`` and store its figures, see ``store.Run``; returns the file.

    Finished rows and checkpoints are kept in ``scratch``, so a run that was stopped goes on where it was. ``folder`` holds the
    corpora, ``steps`` replaces the study's own. Raises ``ValueError`` for an unknown name, and for what lies in ``scratch`` and
    is not of this run.
    """
    if name not in STUDIES:
        raise ValueError(f"no study {name!r}; there are {', '.join(STUDIES)}")
    study = STUDIES[name]
    budget = study.budget if steps is None else replace(study.budget, steps=steps)
    source, target = sides(study.corpus, study.languages, study.tokens, subwords=study.subwords, folder=folder)
    settings = asdict(replace(study, budget=budget)) | {"corpus": {"source": contents(source), "target": contents(target)}}
    run = Run.of(name, __name__, settings, scratch=scratch, steps=steps, own_steps=study.budget.steps, device=device)

    def measured(system: str) -> Figures:
        part = f"{budget.steps}-{system.replace(' ', '-')}"
        checkpoint = run.checkpoint(part, model=system)
        return run.kept(part, lambda: _row(system, source, target, study, budget, checkpoint, device), model=system)

    rows = [measured(system) for system in (NEAREST, PLAIN, VAE)]
    document = _circumstances(study, budget, source, target) | run.made_by()
    return run.store(document | {"rows": rows})


# --- training ---------------------------------------------------------------------------------------------------------


def trained(
    system: str,
    source: Corpus,
    target: Corpus,
    study: RealStudy,
    budget: Budget,
    *,
    checkpoint: Path | Checkpoint | None = None,
    device: torch.device | None = None,
) -> tuple[Model, float]:
    """``PLAIN`` or ``VAE`` after its budget, and the processor seconds that took. ``checkpoint``: to save to and go on from."""
    read, write = source.encoded("train"), target.encoded("train")
    short = [k for k in range(len(read)) if max(len(read[k]), len(write[k])) <= study.longest]
    batches = PairBatches([read[k] for k in short], [write[k] for k in short], budget.batch_size, device)
    sizes = len(source.vocabulary), len(target.vocabulary), study.sizes
    model: Model = seeded_module(0, lambda: (SequenceToSequence if system == PLAIN else ConditionalTextVAE)(*sizes)).to(device)
    objective: Any = model
    if isinstance(model, ConditionalTextVAE):
        objective = NegativeElbo(model, linear_annealing(max(1, budget.steps // 2)), free_bits(0.1)).to(device)
    history = fit(objective, batches, budget, seed=0, checkpoint=checkpoint)
    return model, sum(history["cpu_seconds"])


# --- what the lesson shows ----------------------------------------------------------------------------------------------

TITLES = {
    "jupyterlab_zh": "English to Chinese (strings of JupyterLab)",
    "jupyterlab_fr": "English to French (strings of JupyterLab)",
    "multi30k_de": "English to German (Multi30k)",
    "multi30k_fr": "English to French (Multi30k)",
    "tatoeba_zh": "English to Chinese (Tatoeba)",
}
COLUMNS: Columns = {
    "BLEU": ("bleu", ".1f"),
    "chrF": ("chrf", ".1f"),
    "NLL": ("nll", ".1f"),
    "-ELBO": ("negative_elbo", ".1f"),
    "minutes": (lambda row: row["cpu_seconds_of_training"] / 60 if "cpu_seconds_of_training" in row else None, ".0f"),
}


def table(name: str) -> str:
    """The stored figures of a study, a line a system; says so where it was not measured yet."""
    try:
        document = stored(name)
    except FileNotFoundError:
        return f"{TITLES[name]}: not measured yet (`vae-course measure {name}`)"
    pairs, steps = document["pairs"], document["budget"]["steps"]
    head = f"{TITLES[name]}: {pairs['train']:,} pairs, {steps:,} steps, {pairs['test']:,} test sentences, one reference each"
    return f"{head}\n{tables.table(document['rows'], COLUMNS)}"


# --- scoring ----------------------------------------------------------------------------------------------------------


def _scored(written: Sequence[Tokens], target: Corpus) -> dict[str, float]:
    """BLEU and chrF of translations of the test set; BLEU counts characters where the target is cut into them, else words."""

    def counted(tokens: Tokens) -> Tokens:
        text = target.tokenizer.join(tokens)
        return tuple(text.replace(" ", "")) if isinstance(target.tokenizer, Characters) else tuple(text.split())

    return asdict(scores([counted(tokens) for tokens in written], [[counted(tokens) for tokens in target.test]]))


def _shown(written: Sequence[Tokens], target: Corpus, count: int) -> Figures:
    """The share of the test set that is exactly right, and the first ``count`` translations."""
    exact = [tokens == expected for tokens, expected in zip(written, target.test, strict=True)]
    said = {"said": [target.tokenizer.join(tokens) for tokens in written[:count]]} if count else {}
    return {"exact": sum(exact) / len(exact)} | said


def _row(
    system: str,
    source: Corpus,
    target: Corpus,
    study: RealStudy,
    budget: Budget,
    checkpoint: Checkpoint,
    device: torch.device | None,
) -> Figures:
    if system == NEAREST:
        found = nearest(source, target)
        return {"name": system} | _scored(found, target) | _shown(found, target, study.shown)
    model, seconds = trained(system, source, target, study, budget, checkpoint=checkpoint, device=device)
    question, answer = source.encoded("test"), target.encoded("test")
    by_width = {width: translated(model, question, width, study.longest) for width in (1, study.width)}
    said = {width: [target.vocabulary.decode(row) for row in written] for width, written in by_width.items()}
    asked = PairBatches(question[: study.weighted], answer[: study.weighted], 16, device)
    measured = likelihood(model, asked, seeded(0), study.samples)
    figures: Figures = {"name": system, "cpu_seconds_of_training": round(seconds, 1)}
    figures |= _scored(said[study.width], target) | {"greedy": _scored(said[1], target)}
    figures |= _shown(said[study.width], target, study.shown)
    figures |= {"nll": measured.nats_per_sentence.value, "perplexity": measured.perplexity, "nll_sentences": len(measured.nll)}
    if isinstance(model, ConditionalTextVAE) and measured.rate is not None:
        figures |= {"negative_elbo": measured.negative_elbo.value, "rate": float(measured.rate.mean())}
        figures["different_of_ten"] = different(model, question[: study.weighted], rounds=10, longest=study.longest)
    return figures


@torch.no_grad()
def different(model: ConditionalTextVAE, sources: Sentences, rounds: int, longest: int = 60, batch_size: int = 64) -> float:
    """How many different translations ``rounds`` draws of z from the prior give, written greedily: the mean over sources."""
    total, noise = 0, seeded(0)
    for _, tokens in in_order(sources, batch_size, device_of(model)):
        prior, writer = model.prior(tokens), model.writer(tokens)
        tries = [greedy(writer, prior.sample(noise), longest=longest) for _ in range(rounds)]
        total += sum(len(set(map(tuple, found))) for found in zip(*tries, strict=True))
    return total / len(sources)


def _circumstances(study: RealStudy, budget: Budget, source: Corpus, target: Corpus) -> Figures:
    """All that is needed to make the figures again."""
    return {
        "corpus": study.corpus,
        "source": source.source,
        "languages": study.languages,
        "tokens": study.tokens,
        "vocabularies": [len(side.vocabulary) for side in (source, target)],
        "pairs": {split: len(getattr(source, split)) for split in ("train", "validation", "test")},
        "sizes": asdict(study.sizes),
        "budget": asdict(budget),
        "width": study.width,
    }
