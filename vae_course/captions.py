"""Real text with real misspellings: image captions, words of which are replaced by what people made of them.

The captions are Multi30k's English side, which is not part of the course; the misspellings are codespell's. A language model
of the captions and a channel of counted edits correct them, held against a spelling checker without context.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Generator

from vae_course import corpora, spelling
from vae_course.correction import f_score, noisy_channel, restored
from vae_course.cures import Budget, train_language_model
from vae_course.grammar import Tokens
from vae_course.noise import corrected
from vae_course.spelling import SpellingChannel
from vae_course.text_models import TextSizes
from vae_course.training import seeded
from vae_course.vocabulary import UNK

RESULTS = Path(__file__).resolve().parent.parent / "data" / "results" / "correction_captions.json"


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
    precision, recall = hits / max(1, changed), hits / max(1, errors)
    whole = restored(corrections, written, meant)
    return {
        "precision": precision,
        "recall": recall,
        "f_half": f_score(precision, recall, 0.5),
        "whole": whole.whole,
        "spoiled": whole.spoiled,
    }


def measure(path: Path = RESULTS, steps: int = 700, count: int = 400, scratch: Path | None = None) -> None:
    """Some minutes on one core, and it goes on where it was: ``VAE_COURSE_DATA=... python -m vae_course.captions``."""
    text = corpora.load("multi30k", language="en", min_count=3)
    found = spelling.misspellings()
    words = text.vocabulary.words[UNK + 1 :]
    forms: dict[str, list[str]] = {}
    for form, word in found.train:
        if word in text.vocabulary and form not in text.vocabulary and " " not in form:
            forms.setdefault(word, []).append(form)
    # The channel has counted the misspellings of other words only.
    edits = spelling.EditChannel.counted([pair for pair in found.train if pair[1] not in text.vocabulary])
    meant = {"validation": text.validation[:count], "test": text.test[:count]}
    written = {name: misspelled(rows, forms, 0.15, seeded(k)) for k, (name, rows) in enumerate(meant.items())}
    sizes, checkpoint = TextSizes(embedding=96, hidden=160, dropout=0.2), (scratch or Path("executed/captions")) / "model.pt"
    model, history = train_language_model(
        text.encoded("train"), len(text.vocabulary), sizes=sizes, budget=Budget(steps, 32, 4e-3), checkpoint=checkpoint
    )

    def corrections(split: str, stay: float, context: bool) -> list[Tokens]:
        channel = SpellingChannel(words, edits, stay)
        channel.learn(written[split])
        if not context:
            return [channel.without_context(sentence) for sentence in written[split]]
        read = noisy_channel(model, text.vocabulary, channel, written[split], width=10)
        return [corrected(p, sentence) for p, sentence in zip(read, written[split], strict=True)]

    rows: list[dict[str, Any]] = [{"name": "untouched", **edit_scores(written["test"], written["test"], meant["test"])}]
    nearest = SpellingChannel(words, edits, -math.inf)
    nearest.learn(written["test"])
    similar = {word: spelling.most_similar(word, list(row)) for word, row in nearest.memory.items()}
    said = [tuple(similar.get(word, word) for word in sentence) for sentence in written["test"]]
    rows.append({"name": "most similar word", **edit_scores(said, written["test"], meant["test"])})
    for name, context in (("counted edits", False), ("language model + counted edits", True)):
        # How dear it is to leave an unknown word as it is, chosen on validation.
        tries = {stay: corrections("validation", stay, context) for stay in (-30.0, -20.0, -16.0, -13.0, -10.0, -7.0)}
        judged = {stay: edit_scores(rows_, written["validation"], meant["validation"]) for stay, rows_ in tries.items()}
        best = max(judged, key=lambda stay: judged[stay]["f_half"])
        rows.append(
            {"name": name, "stay": best, **edit_scores(corrections("test", best, context), written["test"], meant["test"])}
        )
    document = {
        "command": "python -m vae_course.captions",
        "torch": torch.__version__.partition("+")[0],
        "steps": steps,
        "nats_per_sentence_in_training": history.last("loss"),
        "sentences": count,
        "wrong_words": sum(
            a != b for w, m in zip(written["test"], meant["test"], strict=True) for a, b in zip(w, m, strict=True)
        ),
        "unknown_right_words": sum(word not in text.vocabulary for sentence in meant["test"] for word in sentence),
        "rows": rows,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def stored() -> dict[str, Any]:
    """What ``measure`` has stored."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    measure()
