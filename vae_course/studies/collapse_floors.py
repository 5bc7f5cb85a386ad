"""The best that a decoder without z could do on the generated world, by the words that it sees: counted, nothing is trained.

A decoder that knows its place and the last words predicts no better than the share of each next word at that place behind these
words: what is left is a conditional entropy. The shares are counted in the training sentences.
"""

import math
from collections import Counter
from pathlib import Path

import torch

from vae_course.studies.collapse import TEST
from vae_course.studies.store import Figures, Run, contents
from vae_course.text.batches import Sentences
from vae_course.text.corpora import load
from vae_course.text.evaluation import exact_nll

NAME = "collapse_floors_world"
WINDOWS = {"none": 0, "1": 1, "2": 2}


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Count and store the figures, see ``store.Run``; returns the file. There are no ``steps``, and nothing is kept."""
    corpus = load("world", folder=folder)
    assert corpus.language is not None
    run = Run.of(NAME, __name__, {"corpus": contents(corpus)}, scratch=scratch, steps=steps, device=device)
    train, entropy = corpus.encoded("train"), corpus.language.entropy
    rows: list[Figures] = []
    for sees, words in WINDOWS.items():
        nats = least_nats(train, words)
        rows.append({"sees": sees, "nats": nats, "above_truth": nats - entropy})
    document = {
        "corpus": "world",
        "entropy": entropy,
        "counted_sentences": len(train),
        "test_sentences": TEST,
        "exact_nll_of_test": exact_nll(corpus.language, corpus.test[:TEST]).mean().item(),
        **run.made_by(),
        "rows": rows,
    }
    return run.store(document)


def least_nats(sentences: Sentences, words_seen: int) -> float:
    """The entropy of a sentence's words, each given its place and the words in view, summed; in nats, of encoded ``sentences``.

    Shares that are counted fit their sentences too well, which is mended to first order (Miller 1955): half a nat over all
    sentences for each kind of continuation beyond the first.
    """
    views: Counter[tuple[int, ...]] = Counter()
    continued: Counter[tuple[tuple[int, ...], int]] = Counter()
    for sentence in sentences:
        for place in range(1, len(sentence)):
            view = (place, *sentence[max(0, place - words_seen) : place])
            views[view] += 1
            continued[view, sentence[place]] += 1
    nats = sum(count * math.log(views[view] / count) for (view, _), count in continued.items())
    return (nats + (len(continued) - len(views)) / 2) / len(sentences)
