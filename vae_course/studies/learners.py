"""Learners' English, corrected by a language model and a channel that have seen no corrected sentence.

The sentences, with four corrections each, are JFLEG's development set (Napoles 2017). Neither these nor what the language model
reads belong to the course. Misspelled words are mended first (``spelling.SpellingChannel``). Then articles, prepositions and
forms of words are tried, and changed where that makes the sentence likelier by more than a price (Bryant & Briscoe 2018).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from nltk.tokenize import NLTKWordTokenizer

from vae_course.applications import spelling
from vae_course.applications.correction import gleu, likeliest
from vae_course.applications.spelling import SpellingChannel
from vae_course.studies.store import Figures, Run, digest
from vae_course.text import corpora
from vae_course.text.cures import Budget, train_language_model
from vae_course.text.evaluation import likelihood
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded
from vae_course.world.grammar import Tokens

NAME = "jfleg"
SIZES = TextSizes(embedding=192, hidden=256, dropout=0.2, cutoffs=(1_000, 5_000))
BUDGET = Budget(steps=8_000, learning_rate=3e-3)

# --- single changes ---------------------------------------------------------------------------------------------------

Kind = Literal["article put in", "other article", "other preposition", "other form"]
Prices = dict[Kind, float]
KINDS: tuple[Kind, ...] = get_args(Kind)
ARTICLES = ("a", "an", "the")
PREPOSITIONS = ("about", "at", "by", "for", "from", "in", "into", "of", "on", "to", "with")
IRREGULAR = (
    ("is", "are", "was", "were", "be", "been", "being"),
    ("have", "has", "had", "having"),
    ("do", "does", "did", "done", "doing"),
    ("this", "these"),
    ("that", "those"),
    ("much", "many"),
    ("other", "another", "others"),
)


def word_forms(words: Collection[str]) -> dict[str, list[str]]:
    """For each word the others of ``words`` that are a form of the same one, as its spelling tells.

    "walk" has "walks", "walked", "walking"; "city" has "cities". Endings that make another kind of word, such as -er, are
    left out. A word without other forms has no entry.
    """
    families = [set(group) & set(words) for group in IRREGULAR]
    for word in words:
        stem = word[:-1] if word.endswith(("e", "y")) else word
        ending = {"e": ("es", "ed", "ing"), "y": ("ies", "ied", "ying")}.get(word[-1:], ("s", "es", "ed", "ing"))
        if len(word) > 2 and word.isalpha():
            families.append({word} | {stem + end for end in ending if stem + end in words} | ({word + "s"} & set(words)))
    forms: dict[str, set[str]] = {}
    for family in families:
        for word in family:
            forms.setdefault(word, set()).update(family - {word})
    return {word: sorted(others) for word, others in forms.items() if others}


def changes(sentence: Tokens, forms: Mapping[str, Sequence[str]]) -> list[tuple[Kind, Tokens]]:
    """Every sentence that differs from this one by one article, preposition or form of a word (see ``word_forms``)."""
    found: list[tuple[Kind, Tokens]] = []
    for place, word in enumerate(sentence):
        before, after = sentence[:place], sentence[place + 1 :]
        if word in ARTICLES:
            found += [("other article", (*before, other, *after)) for other in ARTICLES if other != word]
            found.append(("other article", (*before, *after)))
            continue
        if word in PREPOSITIONS:
            found += [("other preposition", (*before, other, *after)) for other in PREPOSITIONS if other != word]
        found += [("other form", (*before, other, *after)) for other in forms.get(word, ())]
        if word.isalpha() and before[-1:] not in {(article,) for article in ARTICLES}:
            found += [("article put in", (*before, article, word, *after)) for article in ARTICLES]
    return found


@dataclass(frozen=True)
class Change:
    """A sentence with one change of a ``kind``, and by how many nats it is likelier than it was before."""

    kind: Kind
    sentence: Tokens
    gain: float


def gains(
    model: LanguageModel, vocabulary: Vocabulary, sentences: Sequence[Tokens], forms: Mapping[str, Sequence[str]]
) -> list[list[Change]]:
    """Each sentence's ``changes``, weighed by the language model."""
    tried = [changes(sentence, forms) for sentence in sentences]
    encoded = [vocabulary.encode(sentence) for sentence in chain(sentences, (new for row in tried for _, new in row))]
    nll = iter(likelihood(model, encoded, seeded(0), batch_size=256).nll.tolist())
    now = [next(nll) for _ in sentences]
    return [[Change(kind, new, before - next(nll)) for kind, new in row] for before, row in zip(now, tried, strict=True)]


def cheapest(sentence: Tokens, weighed: Sequence[Change], prices: Prices) -> Tokens:
    """The sentence with the change that gains most above the price of its kind; as it is, if none gains more than that."""
    best = max(weighed, key=lambda change: change.gain - prices[change.kind], default=None)
    return best.sentence if best and best.gain > prices[best.kind] else sentence


def as_written(said: Tokens, written: Tokens) -> Tokens:
    """A correction in small letters with the capitals that were ``written``: in words that stayed, and at the beginning."""
    small, result = [word.lower() for word in written], list[str]()
    for _, a, b, c, d in SequenceMatcher(a=small, b=said, autojunk=False).get_opcodes():
        old, new = written[a:b], said[c:d]
        as_many = len(old) == len(new)
        result += [_cased(word, old[k]) if as_many else word for k, word in enumerate(new)]
    if result and written and written[0][:1].isupper():
        result[0] = result[0][:1].upper() + result[0][1:]
        if len(result) > 1 and result[1] == written[0] != "I" and small[0] != said[0]:
            result[1] = small[0]  # an article came before it
    return tuple(result)


def _cased(word: str, old: str) -> str:
    return old if word == old.lower() else word.capitalize() if old[:1].isupper() else word


# --- the study --------------------------------------------------------------------------------------------------------

STAYS = (-60.0, -30.0, -20.0, -16.0, -13.0)  # how dear it is to leave an unknown word as it is, in nats
PRICES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, math.inf)  # of a change, in nats
HALVES = (slice(0, None, 2), slice(1, None, 2))  # what is tuned on one half of the sentences is used on the other
ROUNDS = 3  # a sentence is changed in at most as many places

Lines = list[Tokens]


@dataclass(frozen=True)
class Learners:
    """What learners have ``written``, and of each sentence four corrections."""

    written: Lines
    references: list[list[Tokens]]

    def score(self, said: Lines, part: slice) -> float:
        """GLEU of corrections in small letters of the sentences in ``part``."""
        written = self.written[part]
        return gleu([as_written(*pair) for pair in zip(said, written, strict=True)], written, self.references[part])

    def row(self, name: str, said: Lines) -> Figures:
        """What is stored of a system: GLEU, the share of sentences that it changed, and of those that are one of the four."""
        cased = [as_written(*pair) for pair in zip(said, self.written, strict=True)]
        changed = [a != b for a, b in zip(cased, self.written, strict=True)]
        right = [a in four for a, four in zip(cased, self.references, strict=True)]
        share = {"changed": float(np.mean(changed)), "as_a_reference": float(np.mean(right))}
        return {"name": name, "gleu": gleu(cased, self.written, self.references), **share}


def english(folder: Path | None = None) -> Lines:
    """What the language model reads: the English of Tatoeba, the Penn Treebank and the compression sets, in small letters.

    Tokenized as JFLEG is, by the rules of the Penn Treebank; each sentence once. Raises as ``corpora.load``.
    """
    split = NLTKWordTokenizer().tokenize
    plain = [text for text, _ in corpora.pairs("tatoeba_en_zh", folder=folder).train] + corpora.compression_texts(folder)
    spoken = [tuple(word.lower() for word in split(text)) for text in plain]
    return list(dict.fromkeys([*spoken, *corpora.load("ptb", folder=folder).train]))


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train the language model, correct JFLEG and store the scores, see ``store.Run``; returns the file.

    A stopped run goes on from the checkpoint in ``scratch``; ``folder`` holds the corpora, ``steps`` replaces the study's own.
    Raises ``ValueError`` for a checkpoint that is not of this run.
    """
    budget = BUDGET if steps is None else replace(BUDGET, steps=steps)
    text, data = english(folder), Learners(*map(list, zip(*corpora.learners(folder), strict=True)))
    vocabulary = Vocabulary.build(text, min_count=2)
    settings = {"text": digest(text), "vocabulary": len(vocabulary), "sizes": asdict(SIZES), "budget": asdict(budget)}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=BUDGET.steps, device=device)
    model, history = train_language_model(
        [vocabulary.encode(sentence) for sentence in text],
        len(vocabulary),
        sizes=SIZES,
        budget=budget,
        device=device,
        checkpoint=run.checkpoint(f"{budget.steps}"),
    )
    rows, tuned = corrected_rows(model, vocabulary, data)
    document = {
        "corpus": "JFLEG, development set (Napoles 2017; CC BY-NC-SA 4.0)",
        "sentences": len(data.written),
        "text": "Tatoeba (English side), Penn Treebank, sentences of Google's and Gigaword's compression sets",
        "tokens": sum(map(len, text)),
        "vocabulary": len(vocabulary),
        "sizes": asdict(SIZES),
        "budget": asdict(budget),
        "cpu_seconds_of_training": round(sum(history["cpu_seconds"])),
        "tuned": tuned,
        **run.made_by(),
        "rows": rows,
    }
    return run.store(document)


def corrected_rows(model: LanguageModel, vocabulary: Vocabulary, data: Learners) -> tuple[list[Figures], Figures]:
    """The scores of every system, worst first, and the settings that were chosen, those of each half on the other one."""
    small = [tuple(word.lower() for word in sentence) for sentence in data.written]
    channel = _spelling_channel(vocabulary, data.written)
    channel.learn(small)
    alone = {stay: [replace(channel, stay=stay).without_context(sentence) for sentence in small] for stay in STAYS}
    read = {stay: likeliest(model, vocabulary, replace(channel, stay=stay), small) for stay in STAYS}
    (counted, stay_alone), (spelled, stay) = by_halves(alone, data), by_halves(read, data)
    grammar, prices = _changed(model, vocabulary, spelled, data)
    said = {
        "untouched": small,
        "most similar word": channel.most_similar(small),
        "counted edits": counted,
        "language model + counted edits": spelled,
        "the same, then single changes": grammar,
    }
    human = [
        gleu([four[k] for four in data.references], data.written, [[*four[:k], *four[k + 1 :]] for four in data.references])
        for k in range(4)
    ]
    people: Figures = {"name": "a correction, by the other three", "gleu": float(np.mean(human))}
    rows = [data.row(name, lines) for name, lines in said.items()]
    return [*rows, people], {"stay": stay, "stay_without_model": stay_alone, "prices": prices}


def _spelling_channel(vocabulary: Vocabulary, written: Lines) -> SpellingChannel:
    """A channel that knows the words of the language model and of codespell, and has counted codespell's misspellings.

    It leaves alone what has a capital within a sentence, which is a name, and what has other signs than letters.
    """
    found = spelling.misspellings()
    dictionary = {word.lower() for word in found.dictionary if " " not in word}
    names = {word.lower() for sentence in written for word in sentence[1:] if word[:1].isupper()}
    signs = {word.lower() for sentence in written for word in sentence if not word.isalpha()}
    words = sorted(dictionary | names | signs | set(vocabulary.ordinary_words))
    return SpellingChannel(words, spelling.EditChannel.counted(found.train), stay=0.0)


def by_halves(tried: Mapping[float, Lines], data: Learners) -> tuple[Lines, list[float]]:
    """Each half of the sentences as the setting has them that scores best on the *other* half, and these two settings."""
    best = [max(tried, key=lambda setting: data.score(tried[setting][other], other)) for other in reversed(HALVES)]
    said: Lines = [()] * len(data.written)
    for half, setting in zip(HALVES, best, strict=True):
        said[half] = tried[setting][half]
    return said, best


def _changed(model: LanguageModel, vocabulary: Vocabulary, said: Lines, data: Learners) -> tuple[Lines, Figures]:
    """Sentences after up to ``ROUNDS`` changes, and the price of each kind of change, for each half from the other."""
    forms = word_forms(vocabulary.ordinary_words)
    weighed = gains(model, vocabulary, said, forms)
    prices: tuple[Prices, Prices] = ({}, {})
    for kind in KINDS:
        only = dict.fromkeys(KINDS, math.inf)
        tried = {price: [cheapest(*pair, only | {kind: price}) for pair in zip(said, weighed, strict=True)] for price in PRICES}
        for half, price in zip(prices, by_halves(tried, data)[1], strict=True):
            half[kind] = price
    priced = [prices[k % 2] for k in range(len(said))]  # as ``HALVES`` are
    result = [cheapest(*row) for row in zip(said, weighed, priced, strict=True)]
    unsettled = [k for k, (now, before) in enumerate(zip(result, said, strict=True)) if now != before]
    for _ in range(ROUNDS - 1):
        again = gains(model, vocabulary, [result[k] for k in unsettled], forms) if unsettled else []
        new = {k: cheapest(result[k], row, priced[k]) for k, row in zip(unsettled, again, strict=True)}
        unsettled = [k for k in unsettled if new[k] != result[k]]
        result = [new.get(k, sentence) for k, sentence in enumerate(result)]
    # A kind of change that is never worth its price has none: infinity is no number in JSON.
    return result, {kind: [half[kind] if math.isfinite(half[kind]) else None for half in prices] for kind in KINDS}
