"""A translation memory: pairs that were trained on, looked up for texts that are nearly one of them.

Interfaces and manuals say the same things again with small changes. There the translation of nearly the same text may be better
than any that a small model writes, so translators' tools look texts up before they translate them. How alike is alike enough is
chosen on validation pairs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vae_course.applications.translation import most_similar
from vae_course.world.grammar import Tokens

# The share of words in common (Jaccard index) from which a text may be looked up. Below one half it is another text.
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Memory:
    """Sources with their translations, and the share of words from which they are looked up; above 1 none is."""

    sources: Sequence[str]
    targets: Sequence[str]
    by_characters: bool  # what is compared of sources without spaces
    share: float

    def found(self, texts: Sequence[str]) -> list[str | None]:
        """For each text the translation of one that is alike enough, or None."""
        if self.share > 1 or not texts:
            return [None] * len(texts)
        return self._from(self.share, self._most_similar(texts))

    def chosen(self, asked: Sequence[str], written: Sequence[str], judge: Callable[[Sequence[str]], float]) -> "Memory":
        """The same with the share that ``judge`` likes best, when what is found takes the place of what was ``written``.

        Of equals the largest; where nothing found is better than all that was written, one above 1.
        """
        best, most, similar = 2.0, judge(written), self._most_similar(asked)
        for share in sorted(SHARES, reverse=True):
            score = judge([one or other for one, other in zip(self._from(share, similar), written, strict=True)])
            if score > most:
                best, most = share, score
        return replace(self, share=best)

    def _most_similar(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """For each text the translation of the most similar one, and the share of words that the two have in common."""
        numbers, shares = most_similar([self._words(text) for text in texts], [self._words(text) for text in self.sources])
        return [(self.targets[number], part) for number, part in zip(numbers.tolist(), shares.tolist(), strict=True)]

    @staticmethod
    def _from(share: float, similar: Sequence[tuple[str, float]]) -> list[str | None]:
        """What is alike enough."""
        return [target if part >= share else None for target, part in similar]

    def _words(self, text: str) -> Tokens:
        return tuple("".join(text.split())) if self.by_characters else tuple(text.split())

    def to_json(self) -> str:
        """All of it, as it is kept in a file; without pairs where none is looked up."""
        pairs = list(zip(self.sources, self.targets, strict=True)) if self.share <= 1 else []
        return json.dumps({"share": self.share, "by_characters": self.by_characters, "pairs": pairs}, ensure_ascii=False)

    @classmethod
    def from_json(cls, content: str) -> "Memory":
        """The same again. Raises ``ValueError`` or ``KeyError`` for what ``to_json`` did not make."""
        kept = json.loads(content)
        sources, targets = ([pair[side] for pair in kept["pairs"]] for side in (0, 1))
        return cls(sources, targets, kept["by_characters"], kept["share"])
