"""Corpora larger than memory: cut into tokens once, kept as numbers in files, and read from there batch by batch.

The files are Arrow's, made by Hugging Face's ``datasets``: the system maps them into memory, and holds only what is in use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from vae_course.text.batches import SentenceBatches
from vae_course.text.corpora import datasets_for
from vae_course.text.vocabulary import Tokenizer, Vocabulary

WINDOW = 65_536  # sentences that are in memory at a time


@dataclass(frozen=True)
class LargeText:
    """A file with a sentence in each line, of any size, with what ``datasets`` makes of it in ``folder``.

    Raises ``ValueError`` where there is no such file.
    """

    file: Path
    tokenizer: Tokenizer
    folder: Path

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise ValueError(f"{self.file}: there is no such file; expected a text with a sentence in each line")

    def vocabulary(self, max_size: int, min_count: int = 1) -> Vocabulary:
        """Its words, counted as it is read; see ``Vocabulary.build``."""
        texts = (row["text"] for row in self._lines())
        return Vocabulary.build(map(self.tokenizer.split, texts), min_count=min_count, max_size=max_size)

    def encoded(self, vocabulary: Vocabulary) -> Any:  # noqa: ANN401 - a datasets.Dataset
        """Every sentence as ``Vocabulary.encode`` gives it, in the column "numbers" of a data set.

        Lines without text are left out. What lies in the folder already, of the same file, tokenizer and vocabulary, is taken
        as it is.
        """
        datasets = datasets_for(self.file)

        def numbers(rows: dict[str, list[str]]) -> dict[str, list[list[int]]]:
            texts = (text for text in rows["text"] if text.strip())
            return {"numbers": [vocabulary.encode(self.tokenizer.split(text)) for text in texts]}

        lines = self._lines()
        return lines.map(
            numbers,
            batched=True,
            remove_columns=["text"],
            features=datasets.Features({"numbers": datasets.List(datasets.Value("int32"))}),
            # Of the function itself it would hash what the vocabulary has cached meanwhile.
            new_fingerprint=datasets.fingerprint.Hasher.hash([lines._fingerprint, vocabulary.words, self.tokenizer]),
            desc="tokens",
        )

    def _lines(self) -> Any:  # noqa: ANN401
        datasets = datasets_for(self.file)
        return datasets.load_dataset("text", data_files=str(self.file), split="train", cache_dir=str(self.folder))


@dataclass(frozen=True)
class MappedBatches:
    """``SentenceBatches`` of what ``LargeText.encoded`` gave, for ``training.train``, with one ``window`` in memory at a time.

    In each epoch the windows come in random order. Inside one, sentences are shuffled and batched as there. So neighbours in
    the file are seen in the same part of an epoch: a file whose order means something is better shuffled first.
    """

    sentences: Any  # a datasets.Dataset
    batch_size: int
    device: torch.device | None = None
    window: int = WINDOW

    def __post_init__(self) -> None:
        if len(self.sentences) == 0 or self.batch_size < 1 or self.window < 1:
            given = f"{len(self.sentences)}, {self.batch_size} and {self.window}"
            raise ValueError(f"expected sentences, batch_size >= 1 and window >= 1, got {given}")

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sentences), self.window)
        return whole * -(-self.window // self.batch_size) + -(-rest // self.batch_size)

    def epoch(self, generator: Generator) -> Iterator[Tensor]:
        """The batches (batch, time) of one epoch, on ``device``."""
        starts = range(0, len(self.sentences), self.window)
        for number in torch.randperm(len(starts), generator=generator).tolist():
            part = self.sentences[starts[number] : starts[number] + self.window]["numbers"]
            yield from SentenceBatches(part, self.batch_size, self.device).epoch(generator)
