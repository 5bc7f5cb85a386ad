"""What the benchmarks have in common: a made-up text, and the memory of this process."""

import re
from pathlib import Path

import torch

from vae_course.text.vocabulary import BOS, EOS, SPECIAL
from vae_course.training import seeded


def sentences_of(count: int, vocabulary: int, length: float = 21.0, seed: int = 0) -> list[list[int]]:
    """Made-up sentences: numbers of words by Zipf's law, lengths spread as in news around ``length``."""
    generator = seeded(seed)
    ranks = torch.arange(1, vocabulary - len(SPECIAL) + 1, dtype=torch.float64)
    lengths = (length * torch.empty(count).log_normal_(-0.12, 0.5, generator=generator)).round().clamp(3, 4 * length).long()
    words = torch.multinomial(1 / ranks, int(lengths.sum()), replacement=True, generator=generator) + len(SPECIAL)
    return [[BOS, *part.tolist(), EOS] for part in words.split(lengths.tolist())]


def memory() -> dict[str, float]:
    """Of this process, files in use included, in MiB: "RSS" now, "HWM" at most. On Linux only.

    (The most that getrusage tells is the parent's, if that was larger.)
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return {name: int(size) / 1024 for name, size in re.findall(r"Vm(HWM|RSS):\s+(\d+) kB", status)}
