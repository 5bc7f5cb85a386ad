"""Generation from one's own text: sentences like those of a file, asked for by words that they shall hold, or by a label.

Words and labels are regions of the latent space: where the codes of the sentences lie that hold the word, or have the label.
What is asked for by words is written until it holds them, or until patience ends, which is told.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Generator, Tensor

from vae_course.applications.generation import share_different, share_new
from vae_course.applications.own import sentences
from vae_course.applications.own.folder import Kept
from vae_course.applications.own.sentences import KEEPING, Sentences
from vae_course.applications.own.sides import Side
from vae_course.applications.own.task import Score, file_settings, file_told
from vae_course.text import corpora
from vae_course.text.counting import CountedNgrams
from vae_course.text.cures import Budget
from vae_course.text.decoding import sampled
from vae_course.text.evaluation import likelihood
from vae_course.text.files import TEXT, Column, read_records
from vae_course.training import Checkpoint, History, device_of, seeded

WORD = re.compile(r"\w+(?:['’-]\w+)*")
LEAST = 10
SEEN, MOST_WORDS = 5, 3_000  # in how many texts a word must be to have a region; how many words have one
NUCLEUS = 0.9  # Holtzman 2020
PATIENCE = 20  # draws for each text that is asked for
DRAWS = 20  # importance samples of a NLL
TRIED = 200  # texts that are written to be scored


def words_in(text: str) -> set[str]:
    """The words of a text, in lower case."""
    return set(WORD.findall(text.lower()))


@dataclass(frozen=True)
class Regions:
    """Gaussians over codes, each of the texts that have something in common: names, and mean and std, both (names, latent)."""

    names: tuple[str, ...]
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, groups: Mapping[str, Sequence[int]], codes: Tensor) -> "Regions":
        """Of the rows of ``codes`` (texts, latent) that belong to each name."""
        rows = [codes[list(group)] for group in groups.values()]
        latent = codes.shape[1]
        mean = torch.stack([row.mean(0) for row in rows]) if rows else codes.new_empty(0, latent)
        std = torch.stack([row.std(0, correction=0) for row in rows]) if rows else codes.new_empty(0, latent)
        return cls(tuple(groups), mean, std)

    def between(self, names: Sequence[str], what: str) -> tuple[Tensor, Tensor]:
        """Mean and std of what lies between the regions of ``names``. Raises ``ValueError`` for a name that has none."""
        for name in names:
            if name not in self.names:
                more = ", ..." if len(self.names) > 8 else ""
                known = ", ".join(self.names[:8]) or "none"
                raise ValueError(f"{what}: {name!r} is not known well enough from the text; known are {known}{more}")
        rows = [self.names.index(name) for name in names]
        return self.mean[rows].mean(0), self.std[rows].square().mean(0).sqrt()


@dataclass(frozen=True)
class TextWriter:
    """A trained text VAE with the regions of all texts (its one name is ""), of words, and of labels."""

    sentences: Sentences
    everywhere: Regions
    words: Regions
    labels: Regions

    def write(
        self, count: int, generator: Generator, words: Sequence[str] = (), label: str | None = None, patience: int = PATIENCE
    ) -> list[str]:
        """``count`` texts, fewer where ``patience`` draws for each do not hold the ``words``.

        Raises ``ValueError`` for words or a label that the text does not have often enough.
        """
        asked = [word.lower() for word in words]
        regions = [self.words.between(asked, "words")] if asked else []
        if label is not None:
            regions.append(self.labels.between([label], "label"))
        regions = regions or [self.everywhere.between([""], "")]
        mean = torch.stack([one for one, _ in regions]).mean(0)
        std = torch.stack([one for _, one in regions]).square().mean(0).sqrt()
        found: list[str] = []
        for _ in range(patience if asked else 1):
            found += [text for text in self.drawn(mean, std, count, generator) if set(asked) <= words_in(text)]
            if len(found) >= count:
                break
        return found[:count]

    def drawn(self, mean: Tensor, std: Tensor, count: int, generator: Generator) -> list[str]:
        """``count`` texts of codes from N(mean, std^2), both (latent,), their tokens drawn from the likeliest."""
        z = mean + std * torch.randn((count, len(mean)), generator=generator)
        model, longest = self.sentences.model, self.sentences.longest
        rows = sampled(model.decoder, z.to(device_of(model)), generator, nucleus=NUCLEUS, longest=longest)
        return [self.sentences.side.text(row) for row in rows]

    def between(self, first: str, second: str, steps: int = 7) -> list[str]:
        """The likeliest texts on the straight line from one text's code to the other's, both ends among them."""
        start, end = self.sentences.codes([first, second])
        return self.sentences.written(torch.stack([torch.lerp(start, end, float(at)) for at in torch.linspace(0, 1, steps)]))

    def kept(self) -> tuple[Mapping[str, Tensor], Mapping[str, str], Mapping[str, Any]]:
        """See ``task.Application``."""
        weights, files, settings = self.sentences.kept()
        regions = {"everywhere": self.everywhere, "words": self.words, "labels": self.labels}
        more = {f"{name}.{part}": getattr(one, part) for name, one in regions.items() for part in ("mean", "std")}
        names = {name: one.names for name, one in regions.items()}
        return {**weights, **more}, files, {**settings, "regions": names}

    @classmethod
    def of(cls, kept: Kept, device: torch.device | None = None) -> "TextWriter":
        """The same again."""
        regions = [
            Regions(tuple(kept.settings["regions"][name]), kept.weights[f"{name}.mean"], kept.weights[f"{name}.std"])
            for name in ("everywhere", "words", "labels")
        ]
        return cls(Sentences.of(kept, device), *regions)


# --- from a file --------------------------------------------------------------------------------------------------------

Labelled = tuple[str, str]  # a text and its label, "" without labels


@dataclass(frozen=True)
class Generation:
    """Texts of a file, split, with their labels where they have some."""

    file: Path
    rows: Mapping[corpora.SplitName, Sequence[Labelled]]
    side: Side
    budget: Budget
    usual_steps: int
    told: Sequence[str]
    application: ClassVar[str] = "generate"

    @property
    def settings(self) -> Mapping[str, Any]:
        """See ``task.Task``."""
        return {
            **file_settings(self.file),
            "texts": {split: len(self.rows[split]) for split in corpora.SPLITS},
            "cut": self.side.cut,
            "vocabulary": len(self.side.vocabulary),
            "budget": asdict(self.budget),
        }

    def texts(self, split: corpora.SplitName) -> list[str]:
        """Without their labels."""
        return [text for text, _ in self.rows[split]]

    def trained(self, checkpoint: Checkpoint, device: torch.device | None) -> tuple[TextWriter, History]:
        """Train, and find the regions of words and labels among the codes of the training texts."""
        texts = {split: self.texts(split) for split in corpora.SPLITS}
        found, history = sentences.trained(KEEPING, self.side, texts, self.budget, checkpoint, device)
        codes = found.codes(texts["train"])
        holding, labelled = defaultdict(list), defaultdict(list)
        for row, (text, label) in enumerate(self.rows["train"]):
            for word in words_in(text):
                holding[word].append(row)
            if label:
                labelled[label].append(row)
        common = sorted((word for word in holding if len(holding[word]) >= SEEN), key=lambda word: (-len(holding[word]), word))
        words = Regions.of({word: holding[word] for word in common[:MOST_WORDS]}, codes)
        everywhere = Regions.of({"": range(len(codes))}, codes)
        return TextWriter(found, everywhere, words, Regions.of(labelled, codes)), history

    def scores(self, application: TextWriter) -> list[Score]:
        """See ``task.Task``: nats a text, new and different texts, and how often what was asked for comes at the first draw."""
        train, test = self.texts("train"), self.texts("test")
        words_of_test, cut = [words_in(text) for text in test], self.side.tokenizer.split
        encode = self.side.encode
        trigrams = CountedNgrams.of([encode(text) for text in train], 3, len(self.side.vocabulary))
        tested = [encode(text) for text in test]
        priced = likelihood(application.sentences.model, tested, seeded(0), DRAWS)
        written = [cut(text) for text in application.write(TRIED, seeded(1))]
        figures = {
            "nats a text": priced.nats_per_sentence.value,
            "new, %": 100 * share_new(written, {cut(text) for text in train}),
            "different, %": 100 * share_different(written),
        }
        asked = [word for word in application.words.names if len(word) > 3][:50]
        if asked:
            held = [word in words_in(text) for word in asked for text in application.write(4, seeded(2), [word], patience=1)]
            figures["words asked for, %"] = 100 * sum(held) / (4 * len(asked))
        if application.labels.names:
            figures["labels asked for, %"] = 100 * self._labels_right(application)
        unasked = {"nats a text": float(trigrams.nll(tested).mean())}
        if asked:
            unasked["words asked for, %"] = (
                100 * sum(word in words for word in asked for words in words_of_test) / (len(asked) * len(test))
            )
        if application.labels.names:
            counts = Counter(label for _, label in self.rows["train"])
            unasked["labels asked for, %"] = 100 / len(counts)
        return [("counted trigrams, or not asked", unasked), ("the model", figures)]

    def _labels_right(self, application: TextWriter) -> float:
        """The share of texts asked for by a label that a classifier of words gives this label."""
        texts, labels = zip(*self.rows["train"], strict=True)
        classifier = make_pipeline(CountVectorizer(binary=True), LogisticRegression(max_iter=1_000)).fit(texts, labels)
        right = [
            float((classifier.predict(application.write(50, seeded(3), label=label)) == label).mean())
            for label in application.labels.names
        ]
        return sum(right) / len(right)


def prepared(file: Path, column: Column | None = None, label: Column | None = None, quick: bool = False) -> Generation:
    """Read a file of texts, one a line; with ``label`` a table or JSON, that column or field of which says what each is.

    Raises ``ValueError``, with path and line, for what cannot be used.
    """
    if label is None:
        corpus = corpora.load(file, column=column, least=LEAST)
        rows = {split: [(corpus.tokenizer.join(one), "") for one in getattr(corpus, split)] for split in corpora.SPLITS}
        source = corpus.source
    else:
        pairs = corpora.pairs(file, columns=(column if column is not None else "text", label), least=LEAST)
        rows, source = {split: list(getattr(pairs, split)) for split in corpora.SPLITS}, pairs.source
    side = sentences.side_of([text for text, _ in rows["train"]])
    told = [
        file_told(file, rows, source),
        f"cut into {side.cut}, {len(side.vocabulary):,} different ones",
    ]
    if label is not None:
        told.append(
            "labels: "
            + ", ".join(f"{name} ({count:,})" for name, count in Counter(one for _, one in rows["train"]).most_common())
        )
    budget = sentences.budget_for(quick)
    return Generation(file, rows, side, budget, sentences.BUDGET.steps, told)


def on_file(application: TextWriter, file: Path, columns: tuple[Column, ...] | None = None) -> list[Score]:
    """What the texts of a file that was not trained on cost."""
    side = application.sentences.side
    texts = [side.encode(text) for _, (text,) in read_records(file, TEXT, columns).records]
    priced = likelihood(application.sentences.model, texts, seeded(0), DRAWS)
    return [("the model", {"nats a text": priced.nats_per_sentence.value, "perplexity per token": priced.perplexity})]
