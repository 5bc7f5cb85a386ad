"""What grows with the corpus, and what several processes gain; each figure comes from processes of its own, see ``run``."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from made_up import memory, sentences_of

from vae_course import processes
from vae_course.text.batches import FixedSteps, SentenceBatches, predicted
from vae_course.text.cures import Budget, fit
from vae_course.text.mapped import LargeText, MappedBatches
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Words
from vae_course.training import seeded, seeded_module

SIZES = TextSizes(embedding=64, hidden=64)  # small, so that reading counts
BATCH = 64


def written(file: Path, sentences: int, vocabulary: int = 10_000) -> None:
    """A made-up text of so many sentences, written a piece at a time."""
    with file.open("w", encoding="utf-8") as to:
        for start in range(0, sentences, 10_000):
            for numbers in sentences_of(min(10_000, sentences - start), vocabulary, length=10.0, seed=start):
                to.write(" ".join(f"w{number}" for number in numbers[1:-1]) + "\n")


def one_corpus(sentences: int) -> dict[str, float]:
    """Seconds to tokenize it, tokens a second in training, and the largest memory of this process, in MiB."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "corpus.txt"
        written(file, sentences)
        start = time.process_time()
        text = LargeText(file, Words(), Path(folder))
        vocabulary = text.vocabulary(max_size=8_000)
        batches = MappedBatches(text.encoded(vocabulary), BATCH)
        prepared = time.process_time() - start
        model = seeded_module(0, lambda: LanguageModel(len(vocabulary), SIZES))
        start, steps = time.process_time(), 300
        tokens = sum(int(predicted(batch).sum()) for batch in FixedSteps(batches, steps).epoch(seeded(0)))  # type: ignore[arg-type]
        read = time.process_time() - start
        fit(model, batches, Budget(steps=100, batch_size=BATCH, checks=1), seed=0)  # type: ignore[arg-type]
    return {
        "microseconds a sentence to tokenize": 1e6 * prepared / sentences,
        "tokens a second read": tokens / read,
        "MiB at most": memory()["HWM"],
    }


def of_corpora() -> dict[str, dict[str, float]]:
    """Corpora of ten thousand sentences, a hundred thousand, and a million."""
    found = {}
    for sentences in (10_000, 100_000, 1_000_000):
        answer = subprocess.check_output([sys.executable, __file__, "corpus", str(sentences)], text=True, env=quiet())
        found[f"{sentences:,}"] = json.loads(answer.splitlines()[-1])
        cells = ", ".join(f"{name}: {value:,.1f}" for name, value in found[f"{sentences:,}"].items())
        print(f"corpus of {sentences:>9,} sentences   {cells}", flush=True)
    return found


def one_team(file: Path) -> None:
    """Train in this process, one of a team; the first writes how many seconds it took."""
    torch.set_num_threads(1)
    sizes = TextSizes(embedding=256, hidden=256)
    text = sentences_of(640, 2_000)
    model = seeded_module(0, lambda: LanguageModel(2_000, sizes))
    budget, batches = Budget(steps=20, batch_size=64, checks=1), SentenceBatches(text, 64)
    fit(model, batches, budget, seed=0)
    start = time.perf_counter()
    fit(model, batches, budget, seed=0)
    if processes.Team.joined().leads:
        file.write_text(str(time.perf_counter() - start), encoding="utf-8")


def of_processes(turns: int) -> dict[str, float]:
    """How many times as fast two processes train as one, at the same batch; wall-clock time, in turns."""
    ratios = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "seconds"
        for _ in range(turns):
            seconds = []
            for count in (1, 2):
                os.environ |= quiet()
                processes.together(count, [sys.executable, __file__, "team", str(file)])
                seconds.append(float(file.read_text(encoding="utf-8")))
            ratios.append(seconds[0] / seconds[1])
    ratios.sort()
    median = ratios[len(ratios) // 2]
    print(f"{'training in 2 processes against 1':58}{median:>33.2f}  [{ratios[0]:.2f} - {ratios[-1]:.2f}]", flush=True)
    return {"median": median, "least": ratios[0], "largest": ratios[-1]}


def quiet() -> dict[str, str]:
    """The environment of a process that shows no progress and takes one thread."""
    return dict(os.environ) | {"TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    if sys.argv[1] == "corpus":
        print(json.dumps(one_corpus(int(sys.argv[2]))))
    else:
        one_team(Path(sys.argv[2]))
