"""The study ``correction_world``: what the lesson on correction shows without training it.

Correctors that learn from pairs with more steps, with few real pairs and errors made by a model, and real misspellings.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from vae_course.applications import spelling
from vae_course.applications.correction import (
    BOTTLENECK,
    SIZES,
    Corrector,
    DenoisingVAE,
    Encoded,
    Errors,
    corrections,
    errors,
    restored,
    trained,
)
from vae_course.studies.store import Figures, Run, contents, digest
from vae_course.text.batches import pad
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.cures import Budget
from vae_course.text.decoding import greedy, sampled
from vae_course.training import device_of, seeded
from vae_course.world.grammar import Tokens
from vae_course.world.noise import corrected, posterior

NAME = "correction_world"
FEW = 1_000  # real pairs
SEEDS = (0, 1)  # of what is made from few pairs
LONGER = 3_000  # steps


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train and score what the lesson only shows, and store it, see ``store.Run``; returns the file.

    Finished parts are kept in ``scratch``. It needs no ``folder``; ``steps`` replaces those of the longer trained correctors.
    Raises ``ValueError`` for a part that is not of this run.
    """
    data = errors("world", held_out=400)
    language = data.meant.language
    assert language is not None
    best = [corrected(posterior(data.channel, language, tokens), tokens) for tokens in data.written["test"]]
    longer = LONGER if steps is None else steps
    sizes = {"sizes": asdict(SIZES), "bottleneck": asdict(BOTTLENECK)}
    settings = {"corpus": contents(data.meant), "written": digest(data.written), **sizes}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=LONGER, device=device)
    few = [run.kept(f"few-{seed}", partial(_few_pairs, data, seed, device=device), pairs=FEW, seed=seed) for seed in SEEDS]
    words = digest(asdict(spelling.misspellings()))
    document = {
        "optimum": restored(best, data.written["test"], data.meant.test).whole,
        "longer": run.kept(f"{longer}", partial(_longer_trained, data, longer, device), steps=longer)["rows"],
        "few_pairs": [row for part in few for row in part["rows"]],
        "misspellings": run.kept("misspellings", _misspellings, words=words)["rows"],
        **run.made_by(),
    }
    return run.store(document)


def _longer_trained(data: Errors, steps: int, device: torch.device | None) -> Figures:
    """The correctors that learn from pairs, with four times and more the lesson's steps."""
    pairs = Encoded.of(data.written["train"], data.meant.train, data.meant.vocabulary)
    kinds: dict[str, type[Corrector]]
    kinds = {"sequence to sequence": SequenceToSequence, "conditional VAE": ConditionalTextVAE, "denoising VAE": DenoisingVAE}
    rows = []
    for name, kind in kinds.items():
        sizes = BOTTLENECK if kind is DenoisingVAE else SIZES
        model, _ = trained(kind, pairs, Budget(steps, 32, 8e-3, checks=1), sizes, 0, device)
        said = corrections(model, pairs, data.written["test"])
        rows.append({"name": name, "steps": steps, **asdict(restored(said, data.written["test"], data.meant.test))})
    return {"rows": rows}


def _few_pairs(data: Errors, seed: int, more: int = 15_000, steps: int = 1_000, device: torch.device | None = None) -> Figures:
    """A corrector trained on ``FEW`` real pairs, alone and with errors by models trained on the same few (after Wan 2020)."""
    written, meant = data.written["train"][:FEW], data.meant.train[:FEW]
    clean, other = data.meant.train[FEW : FEW + more], data.written["train"][FEW : FEW + more]
    backwards = Encoded.of(meant, written)
    budget, sizes = Budget(steps, 32, 1e-2, checks=1), replace(SIZES, dropout=0.2)
    plain, _ = trained(SequenceToSequence, backwards, budget, sizes, seed, device)
    vae, _ = trained(ConditionalTextVAE, backwards, budget, sizes, seed, device)
    added: dict[str, tuple[list[Tokens], list[Tokens]]] = {
        f"{FEW:,} real pairs": ([], []),
        "... and errors made without z, words drawn": (_made(plain, backwards, clean, seed, False), clean),
        "... and errors made with z drawn, then greedy": (_made(vae, backwards, clean, seed, True), clean),
        "... and errors made with z and words drawn": (_made(vae, backwards, clean, seed, False), clean),
        "... and as many more real pairs": (other, clean),
    }
    rows = []
    for name, (errors_made, right) in added.items():
        pairs = Encoded.of([*written, *errors_made], [*meant, *right], data.meant.vocabulary)
        model, _ = trained(SequenceToSequence, pairs, budget, sizes, seed, device)
        said = corrections(model, pairs, data.written["test"])
        changed = sum(a != b for a, b in zip(errors_made, right, strict=True)) / max(1, len(right))
        score = restored(said, data.written["test"], data.meant.test)
        rows.append({"name": name, "seed": seed, "changed": changed, **asdict(score)})
    return {"rows": rows}


@torch.no_grad()
def _made(
    model: SequenceToSequence | ConditionalTextVAE, pairs: Encoded, clean: Sequence[Tokens], seed: int, likeliest: bool
) -> list[Tokens]:
    """Errors in ``clean`` sentences by a model of written given meant; z, where there is one, is drawn from its prior."""
    generator, rows = seeded(seed), []
    for start in range(0, len(clean), 500):
        sources = pad([pairs.source.encode(sentence) for sentence in clean[start : start + 500]], device_of(model))
        z = model.prior(sources).sample(generator) if isinstance(model, ConditionalTextVAE) else None
        count = None if z is not None else len(sources)
        writer = model.writer(sources)
        rows += greedy(writer, z, count) if likeliest else sampled(writer, z, generator, count)
    return [pairs.target.decode(row) for row in rows]


def _misspellings(steps: int = 4_000, count: int = 20) -> Figures:
    """Real misspellings of words that were not trained on: the most similar word, and two channels of ``count`` candidates."""
    found = spelling.misspellings()
    written = [form for form, _ in found.test]
    words = spelling.candidates(written, found.dictionary, count)
    there = sum(meant in row for (_, meant), row in zip(found.test, words, strict=True)) / len(words)
    choices = {
        "most similar word": [spelling.most_similar_word(form, row) for form, row in zip(written, words, strict=True)],
        "counted edits": spelling.reranked(written, words, spelling.EditChannel.counted(found.train)),
        "neural channel": spelling.reranked(written, words, spelling.neural_channel(found.train, steps)),
    }
    shares = {name: spelling.share_found(row, found.test) for name, row in choices.items()}
    shares["meant word among the candidates"] = there
    return {"rows": [{"name": name, "found": share, "words": len(written)} for name, share in shares.items()]}
