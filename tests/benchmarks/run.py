"""How fast the course's models are, beside the plain way: ``python tests/benchmarks/run.py``.

Each comparison runs A and B in turns in one process, since a machine's speed drifts; a ratio is of two neighbouring turns. One
thread is timed by the processor's clock, which other programs do not disturb; several threads and GPUs by the wall's. The text
is made up, with the lengths and the word frequencies of English news, so that a fresh clone has it.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch
from made_up import memory, sentences_of
from plain import PlainTextVAE, batches_of_one_length, nll, step, write
from scale import of_corpora, of_processes
from torch import Tensor

from vae_course.text.batches import SentenceBatches
from vae_course.text.decoding import beam, greedy, sampled
from vae_course.text.evaluation import likelihood
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo
from vae_course.text.vocabulary import PAD
from vae_course.training import Update, find_device, seeded, seeded_module

Work = Callable[[], int]  # does something, and says how much: tokens, sentences
CUTOFFS = (1_000, 4_000)


# --- clocks and tables --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Units a second of A and of B, turn by turn."""

    what: str
    unit: str
    a: Sequence[float]
    b: Sequence[float]
    target: float | None = None

    @property
    def ratios(self) -> list[float]:
        """A over B in each pair of turns."""
        return [first / second for first, second in zip(self.a, self.b, strict=True)]

    def __str__(self) -> str:
        ratios = self.ratios
        aim = f"   aim {self.target:g}" if self.target else ""
        rates = f"{statistics.median(self.a):>12,.0f} {statistics.median(self.b):>12,.0f}"
        spread = f"{statistics.median(ratios):>8.2f}  [{min(ratios):.2f} - {max(ratios):.2f}]"
        return f"{self.what:58}{rates}{spread}   {self.unit}{aim}"


def rate(work: Work, device: torch.device) -> float:
    """Units of work a second."""
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    done = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return done / (clock() - start)


def compared(
    what: str, unit: str, a: Work, b: Work, device: torch.device, turns: int, target: float | None = None
) -> Comparison:
    """A and B in turns, after one turn each that is not counted."""
    rate(a, device), rate(b, device)
    rates = [(rate(a, device), rate(b, device)) for _ in range(turns)]
    found = Comparison(what, unit, *map(list, zip(*rates, strict=True)), target)
    print(found, flush=True)
    return found


# --- training -----------------------------------------------------------------------------------------------------------


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Products of float32 matrices at "highest", "high" or "medium" precision."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def endless(batches: SentenceBatches) -> Iterator[Tensor]:
    """Batch after batch."""
    generator = seeded(0)
    while True:
        yield from batches.epoch(generator)


def our_training(
    text: Sequence[Sequence[int]], vocabulary: int, sizes: TextSizes, device: torch.device, steps: int, batch: int = 32
) -> Work:
    """So many steps of the package's own loop body; returns the tokens that were predicted."""
    return our_model_in_training(text, vocabulary, sizes, device, steps, batch)[1]


def our_model_in_training(
    text: Sequence[Sequence[int]], vocabulary: int, sizes: TextSizes, device: torch.device, steps: int, batch: int = 32
) -> tuple[TextVAE, Work]:
    """The model, and what trains it."""
    model = seeded_module(0, lambda: TextVAE(vocabulary, sizes)).to(device).train()
    objective = NegativeElbo(model)
    update, noise = Update.adam(objective, objective.loss, 1e-3, max_norm=5.0), seeded(1)
    stream = endless(SentenceBatches(text, batch, device))

    def work() -> int:
        done = 0
        for _ in range(steps):
            tokens = next(stream)
            update.optimizer.zero_grad()
            objective.loss(tokens, noise)["loss"].backward()
            torch.nn.utils.clip_grad_norm_(objective.parameters(), 5.0)
            update.optimizer.step()
            done += int((tokens[:, 1:] != PAD).sum())
        return done

    return model, work


def plain_training(text: Sequence[Sequence[int]], vocabulary: int, sizes: TextSizes, device: torch.device, steps: int) -> Work:
    """So many steps of the plain loop."""
    torch.manual_seed(0)
    model = PlainTextVAE(vocabulary, sizes.embedding, sizes.hidden, sizes.latent, sizes.dropout).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = [batch.to(device) for batch in batches_of_one_length(text, 32, seeded(0))]
    place = 0

    def work() -> int:
        nonlocal place
        done = 0
        for _ in range(steps):
            tokens = batches[place % len(batches)]
            place += 1
            step(model, optimizer, tokens)
            done += tokens[1:].numel()
        return done

    return work


LEVERS = (
    ("none", (), "highest"),
    ("adaptive softmax", CUTOFFS, "highest"),
    ("products at medium precision", (), "medium"),
    ("both", CUTOFFS, "medium"),
)


def of_training(device: torch.device, turns: int, threads: Sequence[int]) -> list[Comparison]:
    """Tokens a second against the plain loop, with each lever; and against one's own on fewer threads."""
    vocabulary, found = 10_000, []
    text = sentences_of(6_000, vocabulary)
    for hidden, steps, target in ((256, 12, 3.0), (1024, 4, 2.5)):
        sizes = TextSizes(embedding=256 if hidden == 256 else 512, hidden=hidden, latent=32, encoder="lstm", dropout=0.5)
        adaptive = replace(sizes, cutoffs=CUTOFFS)
        plain = plain_training(text, vocabulary, sizes, device, steps)
        for lever, cutoffs, name in LEVERS:
            chosen = replace(sizes, cutoffs=cutoffs)
            ours = at_precision(name, our_training(text, vocabulary, chosen, device, steps))
            what = f"training {sizes.embedding}/{hidden}/32, levers: {lever}"
            found.append(compared(what, "tokens/s", ours, plain, device, turns, target if lever == "both" else None))
        if len(threads) > 1 and device.type == "cpu":
            ours = our_training(text, vocabulary, adaptive, device, steps)
            more, one = (on_threads(count, ours) for count in (max(threads), 1))
            what = f"training {sizes.embedding}/{hidden}/32, {max(threads)} threads against 1"
            found.append(compared(what, "tokens/s", more, one, torch.device("meta"), turns, 1.7 if hidden == 256 else None))
    return found


def of_peak(device: torch.device, comparisons: Sequence[Comparison]) -> dict[str, float]:
    """The training's rate of operations, with the whole softmax, over that of ``torch.mm`` on large matrices.

    It may be above 1: the recurrent layers are oneDNN's, which on some processors is faster than what ``torch.mm`` takes.
    """
    found = {}
    for lever, name in (("none", "highest"), ("products at medium precision", "medium")):
        with precision(name):
            peak = products(device)
        for embedding, hidden in ((256, 256), (512, 1024)):
            reader = 4 * hidden * (embedding + hidden)
            writer = 4 * hidden * (embedding + 32 + hidden)
            # A product is two operations; backward there are twice as many as forward.
            a_token = 3 * 2 * (reader + writer + hidden * 10_000)
            what = f"training {embedding}/{hidden}/32, levers: {lever}"
            rates = next(one.a for one in comparisons if one.what == what)
            found[what] = statistics.median(rates) * a_token / peak
            print(f"{what:58}{found[what]:>12.0%} of torch.mm's {peak / 1e9:,.0f} GFLOP/s", flush=True)
    return found


def products(device: torch.device, size: int = 1024) -> float:
    """Floating-point operations a second of products of square matrices, the best of five."""
    a = torch.randn(size, size, device=device)

    def work() -> int:
        for _ in range(10):
            torch.mm(a, a)
        return 10 * 2 * size**3

    rate(work, device)
    return max(rate(work, device) for _ in range(5))


def of_learning(device: torch.device, steps: int = 200) -> dict[str, float]:
    """The negative ELBO on held-out sentences, nats a sentence, after equal steps with each lever."""
    vocabulary = 10_000
    text, held_out = sentences_of(6_000, vocabulary), sentences_of(500, vocabulary, seed=9)
    sizes = TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm")
    found = {}
    for lever, cutoffs, name in LEVERS:
        model, work = our_model_in_training(text, vocabulary, replace(sizes, cutoffs=cutoffs), device, steps)
        at_precision(name, work)()
        found[lever] = likelihood(model.eval(), held_out, seeded(0), 1).negative_elbo.value
        print(f"-ELBO after {steps} steps, levers: {lever:30}{found[lever]:>10.2f}", flush=True)
    return found


def at_precision(name: str, work: Work) -> Work:
    """The same work, with float32 products of that precision."""

    def done() -> int:
        with precision(name):
            return work()

    return done


def on_threads(count: int, work: Work) -> Work:
    """The same work, on so many threads."""

    def done() -> int:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            return work()
        finally:
            torch.set_num_threads(before)

    return done


# --- measuring and writing ----------------------------------------------------------------------------------------------


def of_measuring(device: torch.device, turns: int) -> list[Comparison]:
    """Importance-weighted NLL: sentences times draws a second, against one sentence at a time."""
    vocabulary, draws = 10_000, 500
    text = sentences_of(8, vocabulary, seed=3)
    sizes = TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm")
    torch.manual_seed(0)
    plain = PlainTextVAE(vocabulary, 256, 256, 32, dropout=0.0).to(device).eval()
    found = []
    for lever, cutoffs, name in (LEVERS[0], LEVERS[1], LEVERS[3]):
        model = seeded_module(0, partial(TextVAE, vocabulary, replace(sizes, cutoffs=cutoffs))).to(device).eval()

        def ours(model: TextVAE = model) -> int:
            likelihood(model, text, seeded(0), draws)
            return len(text) * draws

        def one_by_one() -> int:
            for sentence in text:
                nll(plain, sentence, draws, device)
            return len(text) * draws

        what, target = f"NLL by {draws} draws, levers: {lever}", 6.0 if lever == "both" else None
        found.append(compared(what, "draws/s", at_precision(name, ours), one_by_one, device, turns, target))
    return found


def of_writing(device: torch.device, turns: int) -> list[Comparison]:
    """Sentences a second, many at once, against the plain model's one at a time; a beam against its likeliest words."""
    vocabulary, longest, count = 10_000, 20, 64
    sizes = TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm", cutoffs=CUTOFFS)
    model = seeded_module(0, lambda: TextVAE(vocabulary, sizes)).to(device).eval()
    torch.manual_seed(0)
    plain = PlainTextVAE(vocabulary, 256, 256, 32, dropout=0.0).to(device).eval()
    z = torch.randn(count, 32, generator=seeded(1)).to(device)

    def one_by_one(nucleus: float | None) -> int:
        for row in z[:8]:
            write(plain, row[None], longest, nucleus)
        return 8

    ways: dict[str, Callable[[], object]] = {
        "greedy": lambda: greedy(model.decoder, z, longest=longest),
        "nucleus 0.9": lambda: sampled(model.decoder, z, seeded(0), nucleus=0.9, longest=longest),
        "beam of 5": lambda: beam(model.decoder, z, width=5, longest=longest),
    }

    def counted(way: Callable[[], object]) -> Work:
        def work() -> int:
            way()
            return count

        return work

    return [
        compared(
            f"writing, {name}, levers: {lever}",
            "sentences/s",
            at_precision(precision_of_products, counted(way)),
            partial(one_by_one, 0.9 if name == "nucleus 0.9" else None),
            device,
            turns,
            target,
        )
        for lever, precision_of_products, target in (("adaptive softmax", "highest", None), ("both", "medium", 10.0))
        for name, way in ways.items()
    ]


# --- what grows, and what it costs to begin ------------------------------------------------------------------------------


def of_growth(device: torch.device, turns: int) -> dict[str, dict[str, float]]:
    """Tokens a second as batch, vocabulary and length grow, the median of some turns."""
    found: dict[str, dict[str, float]] = {"batch": {}, "vocabulary": {}, "length": {}}
    for name, values in (("batch", (16, 64, 256, 1024)), ("vocabulary", (1_000, 10_000, 50_000)), ("length", (10, 50, 200))):
        for value in values:
            chosen = {"batch": 32, "vocabulary": 10_000, "length": 21} | {name: value}
            sizes = TextSizes(
                embedding=256, hidden=256, latent=32, encoder="lstm", cutoffs=(500,) if value == 1_000 else CUTOFFS
            )
            text = sentences_of(max(64, 2 * chosen["batch"]), chosen["vocabulary"], chosen["length"])
            work = our_training(text, chosen["vocabulary"], sizes, device, 2, chosen["batch"])
            rate(work, device)
            found[name][f"{value:,}"] = statistics.median(rate(work, device) for _ in range(turns))
        cells = ", ".join(f"{value}: {tokens:,.0f}" for value, tokens in found[name].items())
        print(f"tokens/s by {name:50} {cells}", flush=True)
    return found


def of_memory() -> dict[str, float]:
    """By how much the memory of a process grows at most in some steps of training, in MiB."""
    found = {}
    for vocabulary, length in ((1_000, 20), (50_000, 20), (10_000, 10), (10_000, 200)):
        command = [sys.executable, __file__, "--peak", str(vocabulary), str(length)]
        found[f"{vocabulary:,} words, length {length}"] = float(subprocess.check_output(command, text=True))
    for name, mebibytes in found.items():
        print(f"memory of training, {name:45} {mebibytes:>8,.0f} MiB", flush=True)
    return found


def peak(vocabulary: int, length: int) -> float:
    """How much the memory of this process grows at most in three steps of training, in MiB. On Linux only."""
    text = sentences_of(96, vocabulary, length)
    sizes = TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm", cutoffs=(500,) if vocabulary == 1_000 else CUTOFFS)
    work = our_training(text, vocabulary, sizes, torch.device("cpu"), 3)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak so far, of the imports, is forgotten
    before = memory()["RSS"]
    work()
    return memory()["HWM"] - before


def of_beginning(turns: int) -> dict[str, float]:
    """Seconds until the package is imported, and until a command has answered; medians."""
    commands = {
        "import vae_course": ([sys.executable, "-c", "import vae_course"], [sys.executable, "-c", "pass"], 0.1),
        "vae-course --help": ([sys.executable, "-m", "vae_course", "--help"], None, 0.5),
        "vae-course list": ([sys.executable, "-m", "vae_course", "list"], None, 0.5),
    }
    found = {}
    for name, (command, less, aim) in commands.items():
        found[name] = _seconds(command, turns) - (_seconds(less, turns) if less else 0)
        print(f"{name:58}{found[name]:>12.2f} s   aim at most {aim:g}", flush=True)
    return found


def _seconds(command: Sequence[str], turns: int) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(turns))


# --- the command --------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", default="1,2", help="the first for all comparisons, the largest against it")
    parser.add_argument("--turns", type=int, default=5, help="of each comparison")
    parser.add_argument("--to", type=Path, help="a JSON file for all figures")
    parser.add_argument("--peak", nargs=2, type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak:
        print(peak(*chosen.peak))
        return
    device, threads = find_device(chosen.device), [int(count) for count in chosen.threads.split(",")]
    torch.set_num_threads(threads[0])
    print(f"torch {torch.__version__}, {platform.machine()}, {chosen.device}, {threads[0]} thread(s)")
    print(f"{'A against B':58}{'A':>12} {'B':>12}{'A / B':>8}")
    comparisons = [*of_training(device, chosen.turns, threads), *of_measuring(device, chosen.turns)]
    comparisons += of_writing(device, chosen.turns)
    document = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.processor() or platform.machine(), "device": chosen.device, "threads": threads},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "comparisons": [asdict(one) | {"ratio": statistics.median(one.ratios)} for one in comparisons],
        "share_of_peak": of_peak(device, comparisons) if device.type == "cpu" else {},
        "negative_elbo": of_learning(device),
        "two_processes": of_processes(chosen.turns),
        "corpora": of_corpora(),
        "tokens_per_second": of_growth(device, chosen.turns),
        "memory_mebibytes": of_memory(),
        "seconds": of_beginning(chosen.turns),
    }
    if chosen.to:
        chosen.to.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
