"""Correction of one's own text: a language model of it, and a channel that is set on text with errors made on purpose."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch

from vae_course.applications import spelling
from vae_course.applications.own import errors
from vae_course.applications.own.corrector import Channel, Corrector, Words
from vae_course.applications.own.errors import PLAIN, Counts, Noise
from vae_course.applications.own.sentences import PATIENCE
from vae_course.applications.own.task import Score, file_settings, file_told, shortened
from vae_course.text import corpora
from vae_course.text.batches import SentenceBatches
from vae_course.text.cures import Budget, fit
from vae_course.text.files import PAIR, Column, read_records
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Characters, Vocabulary
from vae_course.training import Checkpoint, History, seeded, seeded_module
from vae_course.world.grammar import Tokens

SIZES = TextSizes(embedding=128, hidden=256, dropout=0.4, cutoffs=(1_000,))
FEW_WORDS = 2_000  # with fewer the whole softmax is as quick
BUDGET = Budget(steps=4_000, batch_size=32, learning_rate=3e-3, checks=20)
QUICK_STEPS = 500
MOST_WORDS = 10_000
LEAST = 10
TUNED = 300  # validation sentences on which the channel is set
TESTED = 500
PRECISE = 0.9  # the precision that changes of right words have to reach on validation
SIMILAR = "the most similar known word"


@dataclass(frozen=True)
class Correction:
    """Right text of a file, cut and split, with what is known of its words."""

    file: Path
    text: Mapping[corpora.SplitName, list[Tokens]]
    words: Words
    misspelled: Mapping[str, Mapping[str, Sequence[str]]]  # forms of words, for validation and for test
    sizes: TextSizes
    budget: Budget
    usual_steps: int
    told: Sequence[str]
    application: ClassVar[str] = "correct"

    @property
    def settings(self) -> Mapping[str, Any]:
        """See ``task.Task``."""
        return {
            **file_settings(self.file),
            "texts": {split: len(self.text[split]) for split in corpora.SPLITS},
            "vocabulary": len(self.words.vocabulary),
            "sizes": asdict(self.sizes),
            "budget": asdict(self.budget),
        }

    def trained(self, checkpoint: Checkpoint, device: torch.device | None) -> tuple[Corrector, History]:
        """Train the language model until held-out text costs no less, then set the channel."""
        vocabulary = self.words.vocabulary
        model = seeded_module(0, lambda: LanguageModel(len(vocabulary), self.sizes)).to(device)
        train, validation = ([vocabulary.encode(words) for words in self.text[split]] for split in ("train", "validation"))
        batches = SentenceBatches(train, self.budget.batch_size, device)
        history = fit(model, batches, self.budget, seed=0, checkpoint=checkpoint, early_stopping=validation, patience=PATIENCE)
        corrector = Corrector(model, self.words)
        meant = self.text["validation"][:TUNED]
        corrector.channel = fitting(corrector, self._noise("validation", corrector)(meant, seeded(1)), meant)
        return corrector, history

    def scores(self, application: Corrector) -> list[Score]:
        """See ``task.Task``: on test text with errors made on purpose, of misspellings that the channel has not counted."""
        meant = self.text["test"][:TESTED]
        return compared(application, self._noise("test", application)(meant, seeded(2)), meant)

    def _noise(self, split: corpora.SplitName, corrector: Corrector) -> Noise:
        return Noise(self.misspelled[split], corrector.others, self.words.little)


def prepared(file: Path, column: Column | None = None, quick: bool = False) -> Correction:
    """Read a file of right text, a sentence or a paragraph a line. Raises ``ValueError``, with path and line, for others."""
    corpus = corpora.load(file, column=column, least=LEAST)
    if isinstance(corpus.tokenizer, Characters):
        raise ValueError(f"{file}: has no spaces between words, or single words only; correction needs sentences of words")
    text = {split: [errors.cut(" ".join(words)).words for words in getattr(corpus, split)] for split in corpora.SPLITS}
    vocabulary = Vocabulary.build(text["train"], min_count=2, max_size=MOST_WORDS)
    little = little_words(vocabulary)
    pairs = corpora.pairs("codespell")
    right = frozenset(word for words in text["train"] for word in words) | {meant for _, meant in pairs.train}
    words = Words(vocabulary, right, little, spelling.EditChannel.counted(pairs.train))
    held_out = [*pairs.validation, *pairs.test]
    misspelled = {"validation": forms(words, pairs.train, seed=1), "test": forms(words, held_out, seed=2)}
    sizes = SIZES if len(vocabulary) > FEW_WORDS else replace(SIZES, cutoffs=())
    budget = shortened(BUDGET, QUICK_STEPS) if quick else BUDGET
    told = [
        file_told(file, text, corpus.source),
        f"{len(vocabulary):,} words and signs are known to the model; it may put in or take out: {' '.join(little)}",
    ]
    return Correction(file, text, words, misspelled, sizes, budget, BUDGET.steps, told)


def little_words(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Words that are put in and taken out: English ones, or, of a text that has few of these, its commonest short ones."""
    english = tuple(word for word in errors.LITTLE if word in vocabulary)
    if len(english) >= len(errors.LITTLE) / 2:
        return english
    return tuple(word for word in vocabulary.ordinary_words if PLAIN.fullmatch(word) and len(word) <= 3)[:20]


def forms(words: Words, pairs: Sequence[spelling.WordPair], seed: int) -> dict[str, list[str]]:
    """Misspellings of the vocabulary's words, none of them a word: those of ``pairs``, and of longer words two made up."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for written, meant in pairs:
        if meant in words.vocabulary and PLAIN.fullmatch(written) and written not in words.right:
            found[meant].append(written)
    generator = seeded(seed)
    for word in words.vocabulary.ordinary_words:
        if PLAIN.fullmatch(word) and len(word) > 3:
            for kind, where in torch.rand((2, 2), generator=generator).tolist():
                form = _slip(word, int(4 * kind), 1 + int(where * (len(word) - 2)))
                if form not in words.right:
                    found[word].append(form)
    return dict(found)


def _slip(word: str, kind: int, k: int) -> str:
    """A slip of the fingers after the letter ``k`` - 1: letters swapped, left out, doubled, or the one before it instead."""
    changed = (word[k + 1 : k + 2] + word[k], "", 2 * word[k], word[k - 1])[kind]
    return word[:k] + changed + word[k + (2 if kind == 0 else 1) :]


# --- setting the channel, and scores -------------------------------------------------------------------------------------

LEAVES = (20.0, 16.0, 13.0, 10.0, 7.0)
COSTS = (12.0, 10.0, 8.0, 6.0, 4.0, 2.0)
CHANGES = {"take_for": "real words", "said_twice": "said twice", "put_in": "left out", "take_out": "put in"}


def fitting(corrector: Corrector, written: Sequence[Tokens], meant: Sequence[Tokens]) -> Channel:
    """The channel for validation text with errors: non-words by F0.5, each other change as easily as is still ``PRECISE``."""

    def judged(channel: Channel) -> dict[str, Counts]:
        corrector.channel = channel  # what it knows of words, and has looked up, serves all channels
        return errors.counted(written, corrector.corrected(written), meant, corrector.words.right)

    leave = max(LEAVES, key=lambda nats: judged(Channel(nats))["non-words"].f_half)
    channel = Channel(leave)
    for name, kind in CHANGES.items():
        found = 0  # right changes
        for tried in (replace(channel, **{name: nats}) for nats in COSTS):
            counts = judged(tried)[kind]
            if counts.precision >= PRECISE and counts.right > found:
                channel, found = tried, counts.right
    return channel


def compared(corrector: Corrector, written: Sequence[Tokens], meant: Sequence[Tokens]) -> list[Score]:
    """The figures of a spelling checker without context, and of the corrector."""
    right = corrector.words.right
    return [
        (SIMILAR, scored(written, corrector.most_similar(written), meant, right)),
        ("the model", scored(written, corrector.corrected(written), meant, right)),
    ]


def on_file(application: Corrector, file: Path, columns: tuple[Column, ...] | None = None) -> list[Score]:
    """The same on the pairs of a file, as written and as meant."""
    records = read_records(file, PAIR, columns).records
    written, meant = ([errors.cut(pair[side]).words for _, pair in records] for side in (0, 1))
    return compared(application, written, meant)


def scored(
    written: Sequence[Tokens], said: Sequence[Tokens], meant: Sequence[Tokens], right: frozenset[str]
) -> dict[str, float]:
    """Precision and F0.5 of all edits, and of each kind of error that is there the share that was mended, in percent."""
    found = errors.counted(written, said, meant, right)
    whole = {"precision": 100 * found["all"].precision, "F0.5": 100 * found["all"].f_half}
    return whole | {f"{kind}, %": 100 * found[kind].recall for kind in errors.KINDS if found[kind].wanted}
