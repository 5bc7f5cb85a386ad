"""Real text with real misspellings: image captions, words of which are replaced by what people made of them.

The captions are Multi30k's English side, which is not part of the course; the misspellings are codespell's. A language model
of the captions and a channel of counted edits correct them, held against a spelling checker without context.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Generator

from vae_course.applications import spelling
from vae_course.applications.correction import f_score, likeliest, precision_recall, restored
from vae_course.applications.spelling import SpellingChannel
from vae_course.studies.store import Figures, Run, contents
from vae_course.text import corpora
from vae_course.text.cures import Budget, train_language_model
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded
from vae_course.world.grammar import Tokens

NAME = "correction_captions"
SIZES = TextSizes(embedding=96, hidden=160, dropout=0.2)
BUDGET = Budget(steps=700, batch_size=32, learning_rate=4e-3)
COUNT = 400  # sentences of validation, and of test


def misspelled(
    sentences: Sequence[Tokens], forms: Mapping[str, Sequence[str]], share: float, generator: Generator
) -> list[Tokens]:
    """Each word that has misspelled ``forms`` replaced by one of them, with probability ``share``."""
    result = []
    for sentence in sentences:
        chances = torch.rand((2, len(sentence)), generator=generator, dtype=torch.float64).T.tolist()
        words = [
            forms[word][int(choice * len(forms[word]))] if word in forms and chance < share else word
            for word, (chance, choice) in zip(sentence, chances, strict=True)
        ]
        result.append(tuple(words))
    return result


def edit_scores(corrections: Sequence[Tokens], written: Sequence[Tokens], meant: Sequence[Tokens]) -> dict[str, float]:
    """Precision, recall and F0.5 of changed words, a change counting if it makes the word as meant, and whole sentences."""
    changed = hits = errors = 0
    for said, before, truth in zip(corrections, written, meant, strict=True):
        for a, b, c in zip(said, before, truth, strict=True):
            changed, hits, errors = changed + (a != b), hits + (a != b and a == c), errors + (b != c)
    precision, recall = precision_recall(hits, changed, errors)
    whole = restored(corrections, written, meant)
    return {
        "precision": precision,
        "recall": recall,
        "f_half": f_score(precision, recall, 0.5),
        "whole": whole.whole,
        "spoiled": whole.spoiled,
    }


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train the language model, correct 400 captions and store the scores, see ``store.Run``; returns the file.

    A stopped run goes on from the checkpoint in ``scratch``; ``folder`` holds the captions, ``steps`` replaces the study's own.
    Raises ``ValueError`` for a checkpoint that is not of this run.
    """
    budget = BUDGET if steps is None else replace(BUDGET, steps=steps)
    text = corpora.load("multi30k", language="en", min_count=3, folder=folder)
    found = spelling.misspellings()
    forms: dict[str, list[str]] = {}
    for form, word in found.train:
        if word in text.vocabulary and form not in text.vocabulary and " " not in form:
            forms.setdefault(word, []).append(form)
    # The channel has counted the misspellings of other words only.
    edits = spelling.EditChannel.counted([pair for pair in found.train if pair[1] not in text.vocabulary])
    meant = {"validation": text.validation[:COUNT], "test": text.test[:COUNT]}
    written = {name: misspelled(rows, forms, 0.15, seeded(k)) for k, (name, rows) in enumerate(meant.items())}
    settings = {"corpus": contents(text), "sizes": asdict(SIZES), "budget": asdict(budget)}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=BUDGET.steps, device=device)
    model, history = train_language_model(
        text.encoded("train"),
        len(text.vocabulary),
        sizes=SIZES,
        budget=budget,
        device=device,
        checkpoint=run.checkpoint(f"{budget.steps}"),
    )
    wrong = (a != b for w, m in zip(written["test"], meant["test"], strict=True) for a, b in zip(w, m, strict=True))
    document = {
        "sizes": asdict(SIZES),
        "budget": asdict(budget),
        "nats_per_sentence_in_training": history.last("loss"),
        "sentences": COUNT,
        "wrong_words": sum(wrong),
        "unknown_right_words": sum(word not in text.vocabulary for sentence in meant["test"] for word in sentence),
        **run.made_by(),
        "rows": _rows(model, text.vocabulary, edits, written, meant),
    }
    return run.store(document)


def _rows(
    model: LanguageModel,
    vocabulary: Vocabulary,
    edits: spelling.EditChannel,
    written: Mapping[str, list[Tokens]],
    meant: Mapping[str, list[Tokens]],
) -> list[Figures]:
    known = SpellingChannel(vocabulary.ordinary_words, edits, stay=0.0)
    for sentences in written.values():
        known.learn(sentences)

    def corrections(split: str, stay: float, context: bool) -> list[Tokens]:
        channel = replace(known, stay=stay)  # which remembers the same candidates
        if not context:
            return [channel.without_context(sentence) for sentence in written[split]]
        return likeliest(model, vocabulary, channel, written[split])

    rows: list[Figures] = [{"name": "untouched", **edit_scores(written["test"], written["test"], meant["test"])}]
    similar = known.most_similar(written["test"])
    rows.append({"name": "most similar word", **edit_scores(similar, written["test"], meant["test"])})
    for name, context in (("counted edits", False), ("language model + counted edits", True)):
        # How dear it is to leave an unknown word as it is, chosen on validation.
        tries = {stay: corrections("validation", stay, context) for stay in (-30.0, -20.0, -16.0, -13.0, -10.0, -7.0)}
        judged = {stay: edit_scores(rows_, written["validation"], meant["validation"]) for stay, rows_ in tries.items()}
        best = max(judged, key=lambda stay: judged[stay]["f_half"])
        rows.append(
            {"name": name, "stay": best, **edit_scores(corrections("test", best, context), written["test"], meant["test"])}
        )
    return rows
