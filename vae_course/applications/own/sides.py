"""How a text was cut for a model, kept beside it: the tokenizer and the vocabulary of one side."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from vae_course.text.corpora import Corpus
from vae_course.text.vocabulary import UNK, Characters, Subwords, Tokenizer, Vocabulary, Words


@dataclass(frozen=True)
class Side:
    """From text to the numbers that a model reads, and from those that it writes to text."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary

    @classmethod
    def of(cls, corpus: Corpus) -> "Side":
        """That of a corpus."""
        return cls(corpus.tokenizer, corpus.vocabulary)

    def encode(self, text: str) -> list[int]:
        """The numbers of a text, white space made single spaces."""
        return self.vocabulary.encode(self.tokenizer.split(" ".join(text.split())))

    def text(self, ids: Sequence[int]) -> str:
        """The text of numbers that a model wrote."""
        return self.tokenizer.join(self.vocabulary.decode(ids))

    def unknown(self, texts: Sequence[str]) -> int:
        """How many tokens of ``texts`` the vocabulary does not have."""
        return sum(self.encode(text).count(UNK) for text in texts)

    @property
    def cut(self) -> str:
        """Into what a text is cut: "words", "characters" or "subwords"."""
        return {Words: "words", Characters: "characters", Subwords: "subwords"}[type(self.tokenizer)]

    def to_json(self) -> str:
        """All of it, as it is kept in a file."""
        learned = self.tokenizer.model.to_str() if isinstance(self.tokenizer, Subwords) else None
        return json.dumps({"cut": self.cut, "learned": learned, "words": self.vocabulary.words}, ensure_ascii=False)

    @classmethod
    def from_json(cls, content: str) -> "Side":
        """The same again. Raises ``ValueError`` or ``KeyError`` for what ``to_json`` did not make."""
        kept = json.loads(content)
        return cls(_tokenizer(kept["cut"], kept["learned"]), Vocabulary(tuple(kept["words"])))


def subwords_for(texts: Sequence[str], least: int, most: int) -> int:
    """How many subwords to learn: six times the square root of the words, ``least`` to ``most``, beside the characters.

    So a longer text gets more of them, and each is still seen often enough.
    """
    words = sum(len(text.split()) for text in texts)
    return len(set("".join(texts))) + min(most, max(least, round(6 * math.sqrt(words))))


def _tokenizer(cut: str, learned: str | None) -> Tokenizer:
    if cut == "subwords" and learned is not None:
        import tokenizers

        return Subwords(tokenizers.Tokenizer.from_str(learned))
    whole: dict[str, Tokenizer] = {"words": Words(), "characters": Characters()}
    return whole[cut]
