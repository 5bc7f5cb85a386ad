"""Lines of text as words with the space around them, errors made in them on purpose, and corrections counted as edits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from nltk.metrics.distance import edit_distance_align
from torch import Generator

from vae_course.applications.correction import f_score
from vae_course.world.grammar import Tokens

TOKEN = re.compile(r"(\s*)(\w+(?:['’.-]\w+)*|[^\w\s])")
PLAIN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # a word that may be misspelled: of letters alone

# Words that are taken for one another though each is a word: of one sound, or nearly of one.
_CONFUSED = """their there they're; its it's; your you're; to too two; then than; of off; loose lose; affect effect;
accept except; advice advise; whether weather; were where we're; who's whose; quite quiet; passed past; principal principle;
hear here; know no; knew new; right write; by buy bye; brake break; peace piece; plain plane; week weak; whole hole;
site sight cite; course coarse; desert dessert; complement compliment; lead led; sea see; son sun; threw through; wait weight;
hour our; one won; for four; meat meet; road rode; sail sale; some sum; tail tale; waist waste; weather whether; choose chose;
breath breathe; cloth clothe; device devise; ensure insure; farther further; later latter; moral morale; personal personnel;
stationary stationery; a an; is are; was were; has have; this these; that those; in on; at on; he she; him her"""
CONFUSED: dict[str, tuple[str, ...]] = {}
for _group in _CONFUSED.split(";"):
    for _word in _group.split():
        CONFUSED[_word] = (*CONFUSED.get(_word, ()), *(other for other in _group.split() if other != _word))


# What is often left out, or put in where it does not belong.
LITTLE = tuple(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "by",
        "from",
        "and",
        "or",
        "that",
        "is",
        "are",
        "was",
        "be",
        "it",
        "as",
        "not",
    ]
)


# --- words and the space around them ------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A line's words and signs, in lower case and as they were written, with the white space before each, and what ends it."""

    words: Tokens
    written: Tokens
    spaces: Tokens
    end: str


def cut(line: str) -> Line:
    """The words and signs of a line; ``pasted`` puts them together again."""
    found = list(TOKEN.finditer(line))
    written = tuple(match[2] for match in found)
    end = line[found[-1].end() :] if found else line
    return Line(tuple(word.lower() for word in written), written, tuple(match[1] for match in found), end)


class Reading(NamedTuple):
    """A word that was meant, and the number of the written one that it stands for; none where it was left out."""

    place: int | None
    word: str


def pasted(line: Line, meant: Sequence[Reading]) -> str:
    """The line with the words that were ``meant``, in the case, and with the space, of those that they stand for."""
    result = ""
    for place, word in meant:
        if place is None:
            result += (" " if result else "") + (word if result else word.capitalize())
        else:
            space = line.spaces[place] if result or place == 0 else ""
            if not space and result and PLAIN.fullmatch(word) and result[-1].isalnum():
                space = " "  # after a word that was put in
            result += space + _in_the_case_of(line.written[place], word)
    return result + line.end


def marked(line: Line, meant: Sequence[Reading]) -> str:
    """The line as it was written, with each change as [written>meant]."""
    standing = {reading.place: reading.word for reading in meant if reading.place is not None}
    before: dict[int, list[str]] = {}  # words that were put in, by the written word that they stand before
    waiting: list[str] = []
    for reading in meant:
        if reading.place is None:
            waiting.append(reading.word)
        elif waiting:
            before[reading.place], waiting = waiting, []
    result = ""
    for place, (word, written, space) in enumerate(zip(line.words, line.written, line.spaces, strict=True)):
        put_in = "".join(f" [>{one}]" for one in before.get(place, ()))
        kept = standing.get(place, "")
        result += put_in + space + (written if kept == word else f"[{written}>{_in_the_case_of(written, kept)}]")
    return result + "".join(f" [>{one}]" for one in waiting) + line.end


def _in_the_case_of(written: str, word: str) -> str:
    if word == written.lower():
        return written
    if written.isupper() and len(written) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if written[:1].isupper() else word


# --- errors on purpose --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noise:
    """Makes errors in right text: in words that have ``forms`` (misspellings) or ``others`` (words taken for them).

    ``misspelled``, ``confused``: the probabilities of these. ``left_out``: that of each of the ``little`` words to be left out.
    ``put_in``: that of one of them, or of a word said twice, at any place.
    """

    forms: Mapping[str, Sequence[str]]
    others: Mapping[str, Sequence[str]]
    little: Sequence[str]
    misspelled: float = 0.06
    confused: float = 0.04
    left_out: float = 0.05
    put_in: float = 0.01

    def __call__(self, sentences: Sequence[Tokens], generator: Generator) -> list[Tokens]:
        """The sentences with errors."""
        return [tuple(self._written(sentence, generator)) for sentence in sentences]

    def _written(self, sentence: Tokens, generator: Generator) -> Iterator[str]:
        chances = torch.rand((len(sentence), 4), generator=generator).tolist()
        for word, (how, which, doubled, little) in zip(sentence, chances, strict=True):
            if word in self.little and how > 1 - self.left_out:
                continue
            forms, others = self.forms.get(word, ()), self.others.get(word, ())
            if forms and how < self.misspelled:
                word = forms[int(which * len(forms))]
            elif others and self.misspelled < how < self.misspelled + self.confused:
                word = others[int(which * len(others))]
            yield word
            if doubled < self.put_in and PLAIN.fullmatch(word):
                yield word if little < 0.5 else self.little[int(which * len(self.little))]


# --- corrections as edits -----------------------------------------------------------------------------------------------

Edit = tuple[int, int, Tokens]  # from this written word, up to that one, these are put


REPLACED = 1.5  # what a replaced word costs, one left out or put in being 1: so that equal words find one another


def edits(written: Tokens, meant: Tokens) -> set[Edit]:
    """What was changed, a span of written words each, by the cheapest alignment of words (Levenshtein 1966)."""
    found: set[Edit] = set()
    put_in: dict[int, list[str]] = {}
    for (i, k), (j, m) in pairwise(edit_distance_align(written, meant, substitution_cost=REPLACED)):
        if i == j:
            put_in.setdefault(i, []).append(meant[k])
        elif k == m:
            found.add((i, j, ()))
        elif written[i] != meant[k]:
            found.add((i, j, (meant[k],)))
    return found | {(place, place, tuple(words)) for place, words in put_in.items()}


@dataclass(frozen=True)
class Counts:
    """Edits that were made, those of them that are right, and those that should have been made."""

    made: int
    right: int
    wanted: int

    @property
    def precision(self) -> float:
        """The share of right ones among those made; 1 where none was made."""
        return self.right / self.made if self.made else 1.0

    @property
    def recall(self) -> float:
        """The share of the wanted that was made."""
        return self.right / max(1, self.wanted)

    @property
    def f_half(self) -> float:
        """F0.5, in which precision counts twice as much as recall."""
        return f_score(self.precision, self.recall, 0.5)


KINDS = ("non-words", "real words", "left out", "put in", "said twice")


def counted(
    written: Sequence[Tokens], said: Sequence[Tokens], meant: Sequence[Tokens], known: frozenset[str]
) -> dict[str, Counts]:
    """``Counts`` of each of ``KINDS`` and of "all"; a written word that is not among the ``known`` is a non-word.

    An edit is right if a wanted one has the same span and puts the same words there, as M2 and ERRANT count (Dahlmeier & Ng
    2012; Bryant 2017), without their merging of neighbours.
    """
    totals = {kind: [0, 0, 0] for kind in (*KINDS, "all")}
    for before, after, truth in zip(written, said, meant, strict=True):
        made, wanted = edits(before, after), edits(before, truth)
        for place, group in enumerate((made, made & wanted, wanted)):
            for edit in group:
                totals[_kind(edit, before, known)][place] += 1
                totals["all"][place] += 1
    return {kind: Counts(*numbers) for kind, numbers in totals.items()}


def _kind(edit: Edit, written: Tokens, known: frozenset[str]) -> str:
    start, end, words = edit
    if start == end:
        return "left out"
    if not words:
        near = written[max(0, start - 1) : start] + written[end : end + 1]
        return "said twice" if written[start] in near else "put in"
    return "real words" if all(word in known for word in written[start:end]) else "non-words"
