"""One interface to every text of the course: the generated world, texts inside installed packages, files of your own.

``load`` gives sentences, ``pairs`` gives texts that belong together. Only a name that begins with "hf:" may download.
"""

import ast
import codecs
import csv
import gettext
import hashlib
import importlib
import inspect
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal, TypeVar, get_args

from vae_course import world
from vae_course.grammar import Language, Tokens
from vae_course.vocabulary import SPECIAL, Characters, Subwords, Tokenizer, Vocabulary, Words

SplitName = Literal["train", "validation", "test"]
TokenKind = Literal["word", "character", "subword"]
Pair = tuple[str, str]
Item = TypeVar("Item")
Splits = Mapping[str, Sequence[Item]]

SPLITS: tuple[SplitName, ...] = get_args(SplitName)
NAMES = ("world", "docstrings", "jupyterlab", "codespell", "ptb", "multi30k")
LANGUAGES = {"world": world.LANGUAGE_NAMES, "jupyterlab": ("en", "zh", "fr"), "multi30k": ("en", "de", "fr")}
LONGEST = 500  # tokens in one sentence of a file of yours; more is a whole text on one line


@dataclass(frozen=True, repr=False)
class Corpus:
    """Sentences as tuples of tokens, in three splits, with the vocabulary of ``train``.

    ``language`` is the truth that generated them, where it is known; ``source`` says in a line where they come from.
    """

    name: str
    train: list[Tokens]
    validation: list[Tokens]
    test: list[Tokens]
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    language: Language | None
    source: str

    def encoded(self, split: SplitName) -> list[list[int]]:
        """The sentences of "train", "validation" or "test" as numbers, each ``<bos> w1 ... wn <eos>``."""
        if split not in SPLITS:
            raise ValueError(f'split: expected "train", "validation" or "test", got {split!r}')
        return [self.vocabulary.encode(sentence) for sentence in getattr(self, split)]

    def __repr__(self) -> str:
        lines = [f"{self.name}: {self.source}; vocabulary {len(self.vocabulary):,}"]
        for split in SPLITS:
            sentences: list[Tokens] = getattr(self, split)
            tokens = sum(len(sentence) + 1 for sentence in sentences)
            unknown = self.vocabulary.share_unknown(sentences)
            lines.append(f"{split:>10}: {len(sentences):,} sentences, {tokens:,} tokens with <eos>, {unknown:.2%} unknown")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class PairCorpus:
    """Pairs (source text, target text), in three splits; ``source`` says in a line where they come from."""

    name: str
    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    source: str

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, split)):,} {split}" for split in SPLITS)
        return f"{self.name}: {self.source}; pairs: {counts}"


def load(
    name: str | Path,
    *,
    tokens: TokenKind = "word",
    min_count: int = 1,
    max_size: int | None = None,
    language: str | None = None,
    folder: str | Path | None = None,
) -> Corpus:
    """Sentences by name, or of a file of your own, in three splits.

    ``name``: "world" (generated; ``language`` "english", "chinese", "french" or "story"), "docstrings" (of numpy, scipy,
    scikit-learn and torch), "jupyterlab" (its interface; ``language`` "en", "zh" or "fr"), "ptb" and "multi30k" (from
    ``folder``, by default the one that the environment variable VAE_COURSE_DATA names; ``language`` "en", "de" or "fr" for the
    second), "hf:owner/name" (a data set of Hugging Face with a column "text"), or a path: text with a sentence a line, ``.csv``
    with a column "text", ``.jsonl`` with a field "text", split 90/5/5.

    ``tokens``: "word" (what white space separates), "character", or "subword" (learned on ``train``, ``max_size`` of them).
    ``min_count`` and ``max_size`` limit the vocabulary, as in ``Vocabulary.build``.
    Raises ``FileNotFoundError`` for a missing folder and ``ValueError``, with path and line, for text that is not usable.
    """
    if tokens not in get_args(TokenKind):
        raise ValueError(f'tokens: expected "word", "character" or "subword", got {tokens!r}')
    if tokens == "subword" and max_size is None:
        raise ValueError("max_size: say how many subwords to learn, for example max_size=2000")
    texts, source = _texts(name, tokens, language, folder)
    tokenizer = _tokenizer(tokens, texts["train"], max_size)
    train, validation, test = ([tokenizer.split(text) for text in texts[split]] for split in SPLITS)
    vocabulary = Vocabulary.build(train, min_count, max_size)
    if len(vocabulary) == len(SPECIAL) + 1:
        raise ValueError(f"{name}: the only {tokens} is {vocabulary.words[-1]!r}, so there is nothing to model; check the text")
    truth: Language | None = getattr(world.WORLD, language or "english") if name == "world" else None
    return Corpus(str(name), train, validation, test, vocabulary, tokenizer, truth, source)


def pairs(
    name: str | Path, *, languages: tuple[str, str] | None = None, folder: str | Path | None = None
) -> PairCorpus:
    """Pairs (source text, target text) by name, or of a file of your own, in three splits.

    ``name``: "world", "jupyterlab" or "multi30k" (translation; ``languages`` as in ``load``, by default the first two; "story" to
    "english" in the world is a summary), "docstrings" (body, summary line), "codespell" (misspelling, correction), or a path: ``.tsv``
    with two columns, ``.csv`` or ``.jsonl`` with "source" and "target", split 90/5/5 by the source.
    Raises as ``load`` does.
    """
    _check_folder(name, folder)
    chosen = _languages(name, languages)
    if name == "world":
        sides = [{split: list(map(" ".join, world.splits(language)[split])) for split in SPLITS} for language in chosen]
        splits: Splits[Pair] = {split: list(zip(*(side[split] for side in sides), strict=True)) for split in SPLITS}
        source = WORLD_SOURCE
    elif name == "multi30k":
        splits, source = {split: _aligned(*(_data_file(name, split, folder, side) for side in chosen)) for split in SPLITS}, FROM_FOLDER[name].source
    elif name == "jupyterlab":
        first, second = map(_interface, chosen)
        splits, source = _split([(first[text], second[text]) for text in first if text in second], [text for text in first if text in second]), ""
    else:
        splits, source = {}, ""
    return PairCorpus(str(name), *(list(splits[split]) for split in SPLITS), source=source)
