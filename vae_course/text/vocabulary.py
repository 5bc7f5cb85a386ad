"""From text to tokens and from tokens to numbers, and back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import tokenizers

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")  # at their own numbers


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows; a word's number is its place in ``words``, which begins with the four special ones.

    ``<pad>`` fills a batch up, ``<bos>`` and ``<eos>`` begin and end a sentence, ``<unk>`` stands for any other word.
    Text that spells a special one out is read as unknown, which is what a literal ``<unk>`` means in the Penn Treebank.
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.words[: len(SPECIAL)] != SPECIAL:
            raise ValueError(f"words: expected {' '.join(SPECIAL)} first, got {self.words[: len(SPECIAL)]}")
        twice = [word for word, count in Counter(self.words).items() if count > 1]
        if twice:
            raise ValueError(f"words: expected each once, but {twice[0]!r} is there more often")

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], min_count: int = 1, max_size: int | None = None) -> "Vocabulary":
        """The words that occur at least ``min_count`` times in ``sentences``, the most frequent first, ties by spelling.

        ``max_size`` is the largest size, the four special words included. Raises ``ValueError`` if no word is left.
        """
        if min_count < 1 or (max_size is not None and max_size <= len(SPECIAL)):
            raise ValueError(f"expected min_count >= 1 and max_size > {len(SPECIAL)}, got {min_count} and {max_size}")
        counts: Counter[str] = Counter()
        for sentence in sentences:
            if isinstance(sentence, str):
                raise TypeError(f"sentences: expected each split into tokens, got the text {sentence[:40]!r}")
            counts.update(sentence)
        known = [word for word, count in counts.items() if count >= min_count and word not in SPECIAL]
        if not known:
            told = f"no word occurs {min_count} times or more among {len(counts):,} different ones; lower min_count"
            raise ValueError(told if min_count > 1 else f"there is no word but the special ones, {' '.join(SPECIAL)}")
        known.sort(key=lambda word: (-counts[word], word))
        return cls((SPECIAL + tuple(known))[:max_size])

    @property
    def ordinary_words(self) -> tuple[str, ...]:
        """The words of the text itself: all but the four special ones."""
        return self.words[len(SPECIAL) :]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.ordinary_words, len(SPECIAL))}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Whether ``word`` has a number of its own; none of the special ones has."""
        return word in self._numbers

    def __repr__(self) -> str:
        return f"Vocabulary of {len(self):,}: {' '.join(self.words[:8])}{' ...' if len(self) > 8 else ''}"

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of a sentence's tokens, between ``BOS`` and ``EOS``; ``UNK`` for a word that is not known."""
        if isinstance(tokens, str):
            raise TypeError(f"tokens: expected a sentence split into tokens, got the text {tokens[:40]!r}")
        return [BOS, *(self._numbers.get(token, UNK) for token in tokens), EOS]

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The tokens of ``ids`` up to the first ``EOS``, no ``BOS`` or ``PAD``. Raises ``ValueError`` for no such number."""
        tokens = []
        for number in ids:
            if not 0 <= number < len(self):
                raise ValueError(f"ids: expected numbers from 0 to {len(self) - 1}, got {number}")
            if number == EOS:
                break
            if number not in (BOS, PAD):
                tokens.append(self.words[number])
        return tuple(tokens)

    def share_unknown(self, sentences: Iterable[Sequence[str]]) -> float:
        """The share of the tokens of ``sentences`` that encode to ``UNK``; 0 if there are no tokens."""
        known = [token in self for sentence in sentences for token in sentence]
        return 1 - sum(known) / len(known) if known else 0.0


# --- tokenizers -----------------------------------------------------------------------------------------------------


class Tokenizer(Protocol):
    """Splits text into tokens and joins them again: ``join(split(text)) == text`` if single spaces separate the words."""

    def split(self, text: str) -> tuple[str, ...]:
        """The tokens of ``text``."""

    def join(self, tokens: Sequence[str]) -> str:
        """The text that ``tokens`` spell."""


@dataclass(frozen=True)
class Words:
    """What white space separates."""

    def split(self, text: str) -> tuple[str, ...]:
        """The words of ``text``."""
        return tuple(text.split())

    def join(self, tokens: Sequence[str]) -> str:
        """The words with a space between them."""
        return " ".join(tokens)


@dataclass(frozen=True)
class Characters:
    """Every character (Unicode code point) is a token, a space too."""

    def split(self, text: str) -> tuple[str, ...]:
        """The characters of ``text``."""
        return tuple(text)

    def join(self, tokens: Sequence[str]) -> str:
        """The characters without anything between them."""
        return "".join(tokens)


@dataclass(frozen=True)
class Subwords:
    """Byte pair encoding (Gage 1994; Sennrich 2016): the most frequent pair within words becomes one token, again and again.

    A word keeps the space before it, and the first word gets one, so "a cat" may become (" a", " c", "at").
    A character that was not in the training text is a token of its own, for which the vocabulary has no number.
    """

    model: "tokenizers.Tokenizer"

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> "Subwords":
        """Learn at most ``size`` tokens from ``texts``. Raises ``ValueError`` if they have more different characters."""
        if size < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        import tokenizers
        from tokenizers import models, pre_tokenizers, trainers

        unknown = SPECIAL[UNK]
        model = tokenizers.Tokenizer(models.BPE(unk_token=unknown))
        model.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
        trainer = trainers.BpeTrainer(vocab_size=size + 1, special_tokens=[unknown], show_progress=False)
        model.train_from_iterator((f" {text}" for text in texts), trainer)
        learned = model.get_vocab_size() - 1  # without the unknown one
        if learned > size:
            raise ValueError(f"size: expected at least {learned}, one for each different character of the texts, got {size}")
        return cls(model)

    def split(self, text: str) -> tuple[str, ...]:
        """The subwords of ``text``, which spell it exactly, a space before it."""
        if not text:
            return ()
        spaced = f" {text}"
        # By offsets, not by the model's own names: it calls every character that it does not know "<unk>".
        return tuple(spaced[start:end] for start, end in self.model.encode(spaced).offsets)

    def join(self, tokens: Sequence[str]) -> str:
        """The text that ``tokens`` spell, without the space before it."""
        return "".join(tokens).removeprefix(" ")
