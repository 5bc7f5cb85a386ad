"""Translation of one's own pairs: a sequence-to-sequence model with attention, over subwords or characters.

Without z, for where the source says nearly all, z earns nothing (lesson 13): the conditional VAE scores alike on such pairs and
takes half as long again. One model may learn several languages: which one is wanted stands as a word before the text (Johnson
2017).
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import sacrebleu
import torch
from torch import Tensor

from vae_course.applications.own.folder import Kept
from vae_course.applications.own.memory import Memory
from vae_course.applications.own.sides import Side, subwords_for
from vae_course.applications.own.task import Score, file_settings, file_told, shortened
from vae_course.applications.translation import nearest, sides_of, translated
from vae_course.text import corpora
from vae_course.text.batches import PairBatches
from vae_course.text.conditional import SequenceToSequence
from vae_course.text.corpora import Corpus, PairCorpus, TokenKind
from vae_course.text.cures import Budget, fit
from vae_course.text.files import PAIR, Column, read_records
from vae_course.text.models import TextSizes
from vae_course.training import Checkpoint, EarlyStopping, History, seeded_module

# A few thousand pairs are soon learned by heart: a smaller model, more dropout, fewer steps.
FEW = 10_000
SMALL = TextSizes(embedding=192, hidden=192, encoder="lstm", dropout=0.4, tied=True)
LARGE = TextSizes(embedding=256, hidden=256, encoder="lstm", dropout=0.3, tied=True)
SMALL_BUDGET = Budget(steps=3_000, batch_size=64, learning_rate=3e-3, checks=20)
LARGE_BUDGET = Budget(steps=6_000, batch_size=64, learning_rate=2e-3, checks=20)
QUICK_STEPS = 400
SUBWORDS = (500, 8_000)  # at least and at most, for both sides together
VALIDATED = 200  # validation pairs that are translated after each part of the training
WIDTH = 5
TIED = "decoder.output.words.weight"  # the same tensor as the decoder's embedding
LEAST = 10  # validation pairs, and test pairs: with fewer a score says nothing


@dataclass(frozen=True)
class Translator:
    """A trained model with both its sides, and a memory.

    ``longest``: tokens after which a translation is cut. ``languages``: those that it translates into, if it is several; then
    each text to be translated begins with the name of one, see ``into``.
    """

    model: SequenceToSequence
    source: Side
    target: Side
    longest: int
    memory: Memory
    languages: tuple[str, ...] = ()

    def into(self, language: str | None, texts: Sequence[str]) -> list[str]:
        """``texts`` with the ``language`` that is wanted before each, as the model reads them; without one as they are.

        Raises ``ValueError`` for a language that it does not know, or where it knows several and none is named.
        """
        known = " or ".join(self.languages)
        if language is None and self.languages:
            raise ValueError(f"the model translates into several languages; choose one: --into {known}")
        if language is not None and language not in self.languages:
            raise ValueError(f"--into {language}: the model translates into {known or 'one language only; leave it out'}")
        return [asked_for(text, language or "") for text in texts]

    def __call__(self, texts: Sequence[str], width: int = WIDTH) -> list[str]:
        """Each text in the other language: looked up, or else by beam search. One without any words stays as it is."""
        result = list(texts)
        asked = {row: text for row, text in enumerate(texts) if text.strip()}
        for row, found in zip(list(asked), self.memory.found(list(asked.values())), strict=True):
            if found is not None:
                result[row] = found
                del asked[row]
        for row, written in zip(asked, self.written(list(asked.values()), width), strict=True):
            result[row] = written
        return result

    def written(self, texts: Sequence[str], width: int = WIDTH) -> list[str]:
        """What the model makes of each text, by beam search; nothing is looked up."""
        if not texts:
            return []
        encoded = [self.source.encode(text) for text in texts]
        return [self.target.text(row) for row in translated(self.model, encoded, width, self.longest)]

    def kept(self) -> tuple[Mapping[str, Tensor], Mapping[str, str], Mapping[str, Any]]:
        """See ``task.Application``."""
        weights = self.model.state_dict()
        if self.model.sizes.tied:  # it is there under two names, and a file of tensors wants it once
            del weights[TIED]
        files = {
            "source.json": self.source.to_json(),
            "target.json": self.target.to_json(),
            "memory.json": self.memory.to_json(),
        }
        return weights, files, {"sizes": asdict(self.model.sizes), "longest": self.longest, "languages": list(self.languages)}

    @classmethod
    def of(cls, kept: Kept, device: torch.device | None = None) -> "Translator":
        """The same again. Raises ``ValueError`` for weights of other sizes."""
        source, target = (Side.from_json(kept.files[name]) for name in ("source.json", "target.json"))
        sizes = TextSizes(**kept.settings["sizes"])
        model = seeded_module(0, lambda: SequenceToSequence(len(source.vocabulary), len(target.vocabulary), sizes))
        model.load_state_dict({TIED: kept.weights["decoder.embedding.weight"], **kept.weights})
        memory = Memory.from_json(kept.files["memory.json"])
        languages = tuple(kept.settings["languages"])
        return cls(model.to(device).eval(), source, target, kept.settings["longest"], memory, languages)


def mark(language: str) -> str:
    """What stands before a text that is to be translated into a language of several."""
    return f"<{language}> " if language else ""


def asked_for(text: str, language: str) -> str:
    """A text with the language that it is to be translated into before it; a blank one stays as it is."""
    return mark(language) + text if text.strip() else text


@dataclass(frozen=True)
class Translation:
    """Pairs of a file, cut and split, with the sizes and the budget that suit their number."""

    file: Path
    source: Corpus
    target: Corpus
    sizes: TextSizes
    budget: Budget
    usual_steps: int
    longest: int
    languages: tuple[str, ...]
    told: Sequence[str]
    application: ClassVar[str] = "translate"

    @property
    def settings(self) -> Mapping[str, Any]:
        """See ``task.Task``."""
        return {
            **file_settings(self.file),
            "pairs": {split: len(getattr(self.source, split)) for split in corpora.SPLITS},
            "cut": [Side.of(side).cut for side in (self.source, self.target)],
            "vocabularies": [len(side.vocabulary) for side in (self.source, self.target)],
            "longest": self.longest,
            "languages": self.languages,
            "sizes": asdict(self.sizes),
            "budget": asdict(self.budget),
        }

    def trained(self, checkpoint: Checkpoint, device: torch.device | None) -> tuple[Translator, History]:
        """Train; of all checks the weights with the best chrF on validation pairs are kept (Popovic 2015).

        Then see on validation pairs what is better looked up.
        """
        model = seeded_module(
            0, lambda: SequenceToSequence(len(self.source.vocabulary), len(self.target.vocabulary), self.sizes)
        ).to(device)
        source, target = Side.of(self.source), Side.of(self.target)
        memory = Memory(*self._texts("train"), by_characters=source.cut == "characters", share=2.0)
        translator = Translator(model, source, target, self.longest, memory, self.languages)
        read, write = self.source.encoded("train"), self.target.encoded("train")
        short = [k for k in range(len(read)) if max(len(read[k]), len(write[k])) <= self.longest + 2]
        batches = PairBatches([read[k] for k in short], [write[k] for k in short], self.budget.batch_size, device)
        asked, expected = (texts[:VALIDATED] for texts in self._texts("validation"))

        def validate() -> float:
            return -chrf(translator.written(asked, width=1), expected)

        stopping = EarlyStopping(validate, patience=self.budget.checks)  # none before the end: the learning rate falls to 0
        history = fit(model, batches, self.budget, seed=0, checkpoint=checkpoint, early_stopping=stopping)
        asked, expected = self._texts("validation")
        memory = memory.chosen(asked, translator.written(asked), lambda found: chrf(found, expected))
        return replace(translator, memory=memory), history

    def scores(self, application: Translator) -> list[Score]:
        """See ``task.Task``."""
        asked, expected = self._texts("test")
        similar = [self.target.tokenizer.join(tokens) for tokens in nearest(self.source, self.target)]
        found, written = application.memory.found(asked), application.written(asked)
        systems = {"the translation of the most similar training text": similar}
        if any(one is not None for one in found):
            systems["the model, with nothing looked up"] = written
        systems["the model"] = [one or other for one, other in zip(found, written, strict=True)]
        scores: list[Score] = []
        for language in self.languages or ("",):
            rows = [row for row, text in enumerate(asked) if text.startswith(mark(language))]
            meant, unspaced = [expected[row] for row in rows], self.is_unspaced(language)
            for name, written in systems.items():
                figures = scored([written[row] for row in rows], meant, unspaced)
                if name == "the model":
                    figures["looked up, %"] = 100 * sum(found[row] is not None for row in rows) / len(rows)
                scores.append((f"{name}, {language}" if language else name, figures))
        return scores

    def is_unspaced(self, language: str = "") -> bool:
        """Whether BLEU has to count characters, in a language."""
        sources, targets = self._texts("train")
        return _kind([b for a, b in zip(sources, targets, strict=True) if a.startswith(mark(language))]) == "character"

    def _texts(self, split: corpora.SplitName) -> tuple[list[str], list[str]]:
        source, target = (
            [side.tokenizer.join(tokens) for tokens in getattr(side, split)] for side in (self.source, self.target)
        )
        return source, target


def prepared(file: Path, columns: Sequence[Column] | None = None, quick: bool = False) -> Translation:
    """Read a file of pairs (see ``files.read_records``), and choose how they are cut, and sizes and budget by their number.

    ``columns``: of a table; that of the sources, then that of the translations, or several, one for each language.
    Raises ``ValueError``, with path and line, for what cannot be used.
    """
    languages = tuple(map(str, columns[1:])) if columns and len(columns) > 2 else ()
    pairs = _pairs(file, columns, languages)
    kinds = _kind([source for source, _ in pairs.train]), _kind([target for _, target in pairs.train])
    cut = [pair[side] for pair in pairs.train for side in (0, 1) if kinds[side] == "subword"]
    source, target = sides_of(pairs, kinds, subwords_for(cut, *SUBWORDS))
    sizes, budget = (SMALL, SMALL_BUDGET) if len(pairs.train) < FEW else (LARGE, LARGE_BUDGET)
    usual_steps = budget.steps
    if quick:
        budget = shortened(budget, QUICK_STEPS)
    lengths = sorted(max(len(a), len(b)) for a, b in zip(source.train, target.train, strict=True))
    longest = min(200, max(20, lengths[math.ceil(0.98 * len(lengths)) - 1]))
    told = _told(file, pairs.source, source, target, sum(length > longest for length in lengths), longest)
    return Translation(file, source, target, sizes, budget, usual_steps, longest, languages, told)


def _pairs(file: Path, columns: Sequence[Column] | None, languages: Sequence[str]) -> PairCorpus:
    """The pairs of a file; of several languages those of each, a source with all its translations in the same split."""
    if not columns or not languages:
        chosen = (columns[0], columns[1]) if columns else None
        return corpora.pairs(file, columns=chosen, least=LEAST)
    found = [corpora.pairs(file, columns=(columns[0], column), least=LEAST) for column in columns[1:]]

    def merged(split: corpora.SplitName) -> list[corpora.TextPair]:
        rows = zip(*(getattr(pairs, split) for pairs in found), strict=True)
        return [(asked_for(a, language), b) for row in rows for language, (a, b) in zip(languages, row, strict=True)]

    told = "; ".join(dict.fromkeys(pairs.source for pairs in found))
    return PairCorpus(found[0].name, merged("train"), merged("validation"), merged("test"), told)


def _kind(texts: Sequence[str]) -> TokenKind:
    kind, _ = corpora.token_kind(texts)
    return "character" if kind == "character" else "subword"


def _told(file: Path, read: str, source: Corpus, target: Corpus, too_long: int, longest: int) -> list[str]:
    lines = [file_told(file, {split: getattr(source, split) for split in corpora.SPLITS}, read)]
    for name, side in (("source", source), ("target", target)):
        lines.append(f"{name}: cut into {Side.of(side).cut}, {len(side.vocabulary):,} different ones")
    if too_long:
        lines.append(f"{too_long:,} training pairs are not used, for they are longer than {longest} tokens")
    return lines


# --- scores -------------------------------------------------------------------------------------------------------------


def chrf(written: Sequence[str], expected: Sequence[str]) -> float:
    """chrF of a set, 0 to 100 (Popovic 2015), by sacrebleu."""
    return float(sacrebleu.corpus_chrf(list(written), [list(expected)]).score)


def scored(written: Sequence[str], expected: Sequence[str], unspaced: bool) -> dict[str, float]:
    """BLEU and chrF by sacrebleu, as it cuts text itself ("13a"; "zh" for ``unspaced`` text; Post 2018), and exact ones."""
    # force: no warning where a person's text has spaces before its full stops
    bleu = sacrebleu.corpus_bleu(list(written), [list(expected)], tokenize="zh" if unspaced else "13a", force=True)
    same = sum(itertools.starmap(str.__eq__, zip(written, expected, strict=True)))
    return {"BLEU": bleu.score, "chrF": chrf(written, expected), "exactly right, %": 100 * same / len(expected)}


def on_file(application: Translator, file: Path, columns: tuple[Column, ...] | None = None) -> list[Score]:
    """The figures on pairs of a file that was not trained on, after those of the sources as they are.

    Where the model knows several languages, ``columns`` are those of the source and of one language or more, by their names.
    """
    if application.languages and columns is None:
        raise ValueError(
            f"{file}: name the column of the source and those of languages: --columns A,{application.languages[0]}"
        )
    scores: list[Score] = []
    for column in columns[1:] if columns and application.languages else [None]:
        chosen = columns if column is None or columns is None else (columns[0], column)
        records = read_records(file, PAIR, chosen).records
        sources, expected = ([pair[side] for _, pair in records] for side in (0, 1))
        language = None if column is None else str(column)
        rows = {"the source as it is": sources, "the model": application(application.into(language, sources))}
        unspaced = _kind(expected) == "character"
        for name, written in rows.items():
            scores.append((f"{name}, {language}" if language else name, scored(written, expected, unspaced)))
    return scores
