"""Summaries of groups of one's own texts, and of long documents passage by passage: means of codes, the best of them.

The mean code of every subset of a group is written out (Iso 2021). The written sentence that shares most words with the group
is taken if it shares more of them than the group's own most similar text, the medoid, does with the others. By how much more is
chosen on validation groups, for the best of many sentences is easily the best by chance.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from vae_course.applications.own import sentences
from vae_course.applications.own.folder import Kept
from vae_course.applications.own.groups import Group, passages, read_groups
from vae_course.applications.own.sentences import CHEAP, Sentences
from vae_course.applications.own.sides import Side
from vae_course.applications.own.task import Score, file_settings, file_told
from vae_course.applications.summarization import overlap, rouge, subset_means, subsets, word_counts
from vae_course.text import corpora
from vae_course.text.cures import Budget
from vae_course.text.files import Column
from vae_course.training import Checkpoint, History
from vae_course.world.grammar import Tokens

MOST = 6  # texts of a group whose codes are averaged, 2^6 - 1 subsets; of more texts those that are most like all
LEAST = 10  # groups for test
TESTED = 300
MEDOID = "the medoid: the text most like all"
MARGINS = (1.0, 0.2, 0.1, 0.05, 0.02, 0.0)  # of ROUGE-1, by which a written sentence has to be better; 1: never


@dataclass(frozen=True)
class Summary:
    """What was written for a group, and whether it is none of the group's own texts."""

    text: str
    is_new: bool


@dataclass(frozen=True)
class Choice:
    """A group's medoid and the best sentence that was written for it, and how much better the sentence is, in ROUGE-1."""

    medoid: str
    written: str
    lead: float

    def made(self, margin: float) -> str:
        """The sentence where it leads by more than ``margin``, else the medoid."""
        return self.written if self.lead > margin else self.medoid


@dataclass(frozen=True)
class Summarizer:
    """A trained text VAE that writes the mean of codes, and takes it where it leads by more than ``margin``."""

    sentences: Sentences
    margin: float = 0.0

    def __call__(self, groups: Sequence[Group]) -> list[str]:
        """A summary of each group; of a document a sentence for each of its passages."""
        return [" ".join(one.text for one in self.summaries(group)) for group in groups]

    def summaries(self, group: Group) -> list[Summary]:
        """Of a document several, one for each passage."""
        if not group.is_document:
            return [self.summary(group.texts)]
        return [self.summary(passage) for passage in passages(group.texts, MOST)]

    def summary(self, texts: Sequence[str]) -> Summary:
        """Of one group of texts."""
        best = self.choice(texts).made(self.margin)
        return Summary(best, best not in texts)

    def choice(self, texts: Sequence[str]) -> Choice:
        """What there is to choose between for a group."""
        among = self.likeness_to_others(texts)
        chosen = among.argsort(descending=True, stable=True)[:MOST].tolist()
        codes = self.sentences.codes([texts[row] for row in chosen])
        written = self.sentences.written(subset_means(codes, subsets(len(chosen))))
        likeness = self.likeness(written, texts)
        return Choice(texts[int(among.argmax())], written[int(likeness.argmax())], float(likeness.max() - among.max()))

    def likeness(self, written: Sequence[str], texts: Sequence[str]) -> Tensor:
        """ROUGE-1 of each written text to the texts of a group, on average: (written,)."""
        return self._overlaps(written, texts).mean(1)

    def likeness_to_others(self, texts: Sequence[str]) -> Tensor:
        """The same of each text of a group to the others, (texts,): to itself it would be 1, an advantage none written has."""
        if len(texts) == 1:
            return torch.ones(1, dtype=torch.float64)
        overlaps = self._overlaps(texts, texts)
        return (overlaps.sum(1) - overlaps.diagonal()) / (len(texts) - 1)

    def words(self, text: str) -> Tokens:
        """What is compared: words in lower case, or characters."""
        return tuple(text.replace(" ", "")) if self.sentences.side.cut == "characters" else tuple(text.lower().split())

    def _overlaps(self, first: Sequence[str], second: Sequence[str]) -> Tensor:
        """ROUGE-1 of every pair, (first, second)."""
        rows = [self.words(text) for text in (*first, *second)]
        numbers = {word: number for number, word in enumerate(sorted({word for row in rows for word in row}))}
        counts = word_counts([[numbers[word] for word in row] for row in rows], max(1, len(numbers))).double()
        return overlap(counts[: len(first), None], counts[None, len(first) :])

    def kept(self) -> tuple[Mapping[str, Tensor], Mapping[str, str], Mapping[str, Any]]:
        """See ``task.Application``."""
        weights, files, settings = self.sentences.kept()
        return weights, files, {**settings, "margin": self.margin}

    @classmethod
    def of(cls, kept: Kept, device: torch.device | None = None) -> "Summarizer":
        """The same again."""
        return cls(Sentences.of(kept, device), kept.settings["margin"])


# --- from a file --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summarization:
    """Groups of a file, split."""

    file: Path
    groups: Mapping[corpora.SplitName, Sequence[Group]]
    side: Side
    budget: Budget
    usual_steps: int
    told: Sequence[str]
    application: ClassVar[str] = "summarize"

    @property
    def settings(self) -> Mapping[str, Any]:
        """See ``task.Task``."""
        return {
            **file_settings(self.file),
            "groups": {split: len(self.groups[split]) for split in corpora.SPLITS},
            "cut": self.side.cut,
            "vocabulary": len(self.side.vocabulary),
            "budget": asdict(self.budget),
        }

    def trained(self, checkpoint: Checkpoint, device: torch.device | None) -> tuple[Summarizer, History]:
        """Train on single texts: no summary is needed for that. Then see on validation groups when to take what is written."""
        texts = {split: [text for group in self.groups[split] for text in group.texts] for split in corpora.SPLITS}
        found, history = sentences.trained(CHEAP, self.side, texts, self.budget, checkpoint, device)
        return fitting(Summarizer(found), self.groups["validation"]), history

    def scores(self, application: Summarizer) -> list[Score]:
        """See ``task.Task``."""
        return scored(application, self.groups["test"])


def prepared(file: Path, quick: bool = False) -> Summarization:
    """Read a file of groups, see ``groups.read_groups``. Raises ``ValueError``, with path and line, for what cannot be used."""
    found = read_groups(file)
    split = corpora.split_by_key(found, [hashlib.sha256("\n".join(group.texts).encode()).hexdigest() for group in found], file)
    if len(split["test"]) < LEAST:
        raise ValueError(
            f"{file}: has {len(found):,} groups or documents, which leave {len(split['test'])} to be scored on; "
            f"expected at least {20 * LEAST:,}"
        )
    texts = [text for group in split["train"] for text in group.texts]
    side = sentences.side_of(texts)
    documents = sum(group.is_document for group in found)
    told = [
        f"{file_told(file, split)}; {documents:,} are documents, the others groups of texts; {len(texts):,} texts to train on",
        f"cut into {side.cut}, {len(side.vocabulary):,} different ones",
    ]
    budget = sentences.budget_for(quick)
    return Summarization(file, split, side, budget, sentences.BUDGET.steps, told)


def fitting(summarizer: Summarizer, groups: Sequence[Group]) -> Summarizer:
    """The summarizer with the margin that does best on validation groups; of equals the largest."""
    tried = referenced(groups)
    choices = [[summarizer.choice(part) for part in parts] for parts, _ in tried]

    def gained(margin: float) -> float:
        lines = [" ".join(one.made(margin) for one in parts) for parts in choices]
        return sum(float(summarizer.likeness([line], [meant])) for line, (_, meant) in zip(lines, tried, strict=True))

    return replace(summarizer, margin=max(MARGINS, key=gained) if tried else 0.0)


def referenced(groups: Sequence[Group]) -> list[tuple[list[list[str]], str]]:
    """Groups, or the passages of documents, with what a summary is compared with.

    That is the file's summaries, or, where it has none, the last text of each group of three or more, which is then left out.
    """
    tried = [(group, group.summary) for group in groups if group.summary]
    if not tried:
        tried = [(group._replace(texts=group.texts[:-1]), group.texts[-1]) for group in groups if len(group.texts) > 2]
    parts = [passages(group.texts, MOST) if group.is_document else [group.texts] for group, _ in tried[:TESTED]]
    return [(part, meant) for part, (_, meant) in zip(parts, tried, strict=False)]


def scored(application: Summarizer, groups: Sequence[Group]) -> list[Score]:
    """ROUGE of summaries: against those of the file, or, where it has none, of all texts but the last against the last one."""
    tried = referenced(groups)
    if not tried:
        raise ValueError("no group of the test part has a summary, or three texts, so nothing can be scored")
    expected = [application.words(reference) for _, reference in tried]
    rows: dict[str, list[str]] = {MEDOID: [], "the model": []}
    new: list[bool] = []
    for parts, _ in tried:
        choices = [application.choice(part) for part in parts]
        written = [one.made(application.margin) for one in choices]
        new += [one not in part for one, part in zip(written, parts, strict=True)]
        rows[MEDOID].append(" ".join(one.medoid for one in choices))
        rows["the model"].append(" ".join(written))
    scores: list[Score] = []
    for name, lines in rows.items():
        found = rouge([application.words(line) for line in lines], expected)
        figures = {kind: 100 * float(values.mean()) for kind, values in found.items()}
        scores.append((name, {**figures, "written anew, %": 100 * sum(new) / len(new) if name == "the model" else 0.0}))
    return scores


def on_file(application: Summarizer, file: Path, columns: tuple[Column, ...] | None = None) -> list[Score]:
    """The same of a file that was not trained on. Raises ``ValueError`` where columns are chosen: groups have none."""
    if columns is not None:
        raise ValueError(f"{file}: a file of groups or documents has no columns to choose; leave --columns out")
    return scored(application, read_groups(file))
