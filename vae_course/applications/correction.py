"""Finding and mending errors: texts with errors, a trained model as the source of a noisy channel, and the scores of both."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.applications import translation
from vae_course.probability.distributions import TextPosterior
from vae_course.text import corpora
from vae_course.text.batches import Pair, PairBatches, in_order, pad
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.corpora import Corpus, HowToCut, SplitName
from vae_course.text.cures import Budget, fit
from vae_course.text.decoding import greedy
from vae_course.text.models import LanguageModel, TextSizes, TextVAE, encoder_of
from vae_course.text.objectives import NegativeElbo, linear_annealing
from vae_course.text.vocabulary import BOS, EOS, Vocabulary
from vae_course.training import History, device_of, seeded, seeded_module
from vae_course.world.grammar import Tokens
from vae_course.world.noise import Channel, Posterior, Readable, corrected, normalized


@dataclass(frozen=True)
class Errors:
    """Sentences as they were meant and, row by row, as they were ``written``, with a channel that makes such errors."""

    meant: Corpus
    written: Mapping[SplitName, list[Tokens]]
    channel: Channel

    def wrong(self, split: SplitName) -> Tensor:
        """Which written words of a split are wrong, sentence after sentence: (words,) of bool. See ``wrong_words``."""
        rows = zip(self.written[split], getattr(self.meant, split), strict=True)
        return torch.tensor([flag for written, meant in rows for flag in wrong_words(written, meant)])


def errors(name: str | Path, *, train: int = 30_000, held_out: int = 500, tokens: HowToCut = "auto") -> Errors:
    """Errors by name: "world", miswritten by a known ``Channel``, or pairs (written, meant) of a file, see ``corpora.pairs``.

    Of the world, the first ``train`` sentences are miswritten, and of validation and test ``held_out`` each; ``meant`` has as
    many. For a file the channel keeps the forms of errors that the world has, and takes how often they happen from ``train``;
    ``tokens`` says how it is cut, as in ``corpora.load``.
    """
    if name == "world":
        text = corpora.load("world")
        counts: dict[SplitName, int] = {"train": train, "validation": held_out, "test": held_out}
        meant = {split: getattr(text, split)[:count] for split, count in counts.items()}
        channel = Channel(frozenset(text.vocabulary.ordinary_words))
        written = {split: channel.write(rows, seeded(k)) for k, (split, rows) in enumerate(meant.items())}
        kept = Corpus(
            text.name,
            meant["train"],
            meant["validation"],
            meant["test"],
            text.vocabulary,
            text.tokenizer,
            text.language,
            text.source,
        )
        return Errors(kept, written, channel)
    source, target = translation.sides(name, tokens=(tokens, tokens))
    written = {"train": source.train, "validation": source.validation, "test": source.test}
    for split in ("validation", "test"):
        rows, kinds = written[split], {a != b for a, b in zip(written[split], getattr(target, split), strict=True)}
        if len(kinds) < 2:
            raise ValueError(
                f"{name}: of its {len(rows)} {split} pairs (5 % of all) {'all are' if True in kinds else 'none is'} wrong; "
                "to be scored, some must be and some not: give more pairs, some hundreds at least, and right sentences too"
            )
    return Errors(target, written, _channel_of(written["train"], target))


def _channel_of(written: Sequence[Tokens], meant: Corpus) -> Channel:
    """How often words are miswritten and neighbours swapped, counted in pairs of as many words (one error more of each)."""
    pairs = [(w, m) for w, m in zip(written, meant.train, strict=True) if len(w) == len(m)]
    swapped = [sorted(w) == sorted(m) and w != m for w, m in pairs]
    wrong = [flag for (w, m), swap in zip(pairs, swapped, strict=True) if not swap for flag in wrong_words(w, m)]
    shares = [(sum(flags) + 1) / (len(flags) + 2) for flags in (wrong, swapped)]
    return Channel(frozenset(meant.vocabulary.ordinary_words), *shares)


def wrong_words(written: Tokens, meant: Tokens) -> list[bool]:
    """For each written word, whether another was meant in its place.

    Sentences of different lengths are aligned first: right are the words of their common blocks (``difflib``).
    """
    if len(written) == len(meant):
        return [a != b for a, b in zip(written, meant, strict=True)]
    right = {
        block.a + k
        for block in SequenceMatcher(a=written, b=meant, autojunk=False).get_matching_blocks()
        for k in range(block.size)
    }
    return [place not in right for place in range(len(written))]


# --- correctors -------------------------------------------------------------------------------------------------------


def nearest_words(written: Sequence[Tokens], dictionary: Sequence[str]) -> list[Tokens]:
    """Each word that is not in the dictionary replaced by the one most like it: a spelling checker without context."""
    known, memory = set(dictionary), dict[str, str]()

    def mended(word: str) -> str:
        if word not in memory:
            memory[word] = word if word in known else next(iter(get_close_matches(word, dictionary, n=1, cutoff=0)), word)
        return memory[word]

    return [tuple(mended(word) for word in sentence) for sentence in written]


@dataclass(frozen=True)
class _Beam:
    """A beginning of what may have been meant: its log-weight so far, its words, and the order of words that it reads."""

    log_weight: float
    words: Tokens
    order: int
    row: int  # of the decoder's state


def noisy_channel(
    model: LanguageModel, vocabulary: Vocabulary, channel: Readable, written: Sequence[Tokens], width: int = 10
) -> list[Posterior]:
    """p(meant | written) with a language model in the grammar's place: the ``width`` likeliest readings that a beam finds.

    All sentences of one length are searched at once, word by word. Raises ``ValueError`` for a ``width`` below 1.
    """
    if width < 1:
        raise ValueError(f"width: expected at least 1, got {width}")
    found: list[Posterior] = [{} for _ in written]
    rows = sorted(range(len(written)), key=lambda row: len(written[row]))
    for _, group in groupby(rows, key=lambda row: len(written[row])):
        same_length = list(group)
        for row, readings in zip(
            same_length, _search(model, vocabulary, channel, [written[k] for k in same_length], width), strict=True
        ):
            found[row] = readings
    return found


def likeliest(model: LanguageModel, vocabulary: Vocabulary, channel: Readable, written: Sequence[Tokens]) -> list[Tokens]:
    """The likeliest reading of each sentence that ``noisy_channel`` finds; as it was written where there is none."""
    found = noisy_channel(model, vocabulary, channel, written)
    return [corrected(readings, sentence) for readings, sentence in zip(found, written, strict=True)]


@torch.no_grad()
def _search(
    model: LanguageModel, vocabulary: Vocabulary, channel: Readable, written: Sequence[Tokens], width: int
) -> list[Posterior]:
    lattices = [channel.lattices(sentence) for sentence in written]
    number = {
        word: vocabulary.encode((word,))[1]
        for orders in lattices
        for lattice, _ in orders
        for place in lattice
        for word in place
    }
    device = device_of(model)
    state, last = model.decoder.start(None, len(written)), torch.full((len(written),), BOS, device=device)
    beams = [[_Beam(log_p, (), k, row) for k, (_, log_p) in enumerate(orders)] for row, orders in enumerate(lattices)]
    for place in range(len(written[0])):
        logits, state = model.decoder.step(last, state)
        log_p = logits.double().log_softmax(-1).cpu().numpy()
        beams = [_longer(beams[k], lattices[k], place, log_p, number, width) for k in range(len(written))]
        parents = [beam.row for kept in beams for beam in kept]
        last = torch.tensor([number[beam.words[-1]] for kept in beams for beam in kept], device=device)
        state = state.rows(torch.tensor(parents, device=device))
        counter = iter(range(len(parents)))
        beams = [[_Beam(beam.log_weight, beam.words, beam.order, next(counter)) for beam in kept] for kept in beams]
    logits, _ = model.decoder.step(last, state)
    end = logits.double().log_softmax(-1)[:, EOS].cpu().numpy()
    return [normalized(_summed(kept, end)) for kept in beams]


def _longer(
    beams: Sequence[_Beam],
    orders: Sequence[tuple[Sequence[Mapping[str, float]], float]],
    place: int,
    log_p: np.ndarray,
    number: Mapping[str, int],
    width: int,
) -> list[_Beam]:
    """The likeliest beginnings that are one word longer."""
    longer = (
        _Beam(beam.log_weight + log_weight + float(log_p[beam.row, number[word]]), (*beam.words, word), beam.order, beam.row)
        for beam in beams
        for word, log_weight in orders[beam.order][0][place].items()
    )
    return heapq.nlargest(width, longer, key=lambda beam: beam.log_weight)


def _summed(beams: Sequence[_Beam], end: np.ndarray) -> dict[Tokens, float]:
    """Log-weights of the readings, of which one may have been found in several orders."""
    logs: dict[Tokens, float] = {}
    for beam in beams:
        log = beam.log_weight + float(end[beam.row])
        logs[beam.words] = float(np.logaddexp(logs.get(beam.words, -math.inf), log))
    return logs


def rescored(
    found: Sequence[Posterior],
    written: Sequence[Tokens],
    channel: Channel,
    log_prior: Callable[[Sequence[Tokens]], Tensor],
) -> list[Posterior]:
    """The same readings under another source model: p(meant | written) in proportion to channel times prior.

    ``log_prior``: sentences -> log p(sentence) in nats, (sentences,), such as a VAE's importance-weighted estimate.
    ``found``: readings from ``noisy_channel`` with the same channel, or from ``noise.posterior``.
    """
    readings = [(row, meant) for row, posterior in enumerate(found) for meant in posterior]
    log_p = log_prior([meant for _, meant in readings]).tolist()
    lattices = [channel.lattices(sentence) for sentence in written]
    logs: list[dict[Tokens, float]] = [{} for _ in found]
    for (row, meant), prior in zip(readings, log_p, strict=True):
        ways = [
            log_order + sum(place.get(word, -math.inf) for place, word in zip(lattice, meant, strict=True))
            for lattice, log_order in lattices[row]
        ]
        logs[row][meant] = prior + float(np.logaddexp.reduce(ways))
    return [normalized(row) for row in logs]


class DenoisingVAE(TextVAE):
    """Reads what was written into z and writes what was meant from z alone: everything must pass through the bottleneck.

    Batches are ``Pair``s (written, meant); after denoising autoencoders (Vincent 2008), with a prior on z (Im 2017).
    """

    def __init__(self, written_vocabulary: int, meant_vocabulary: int, sizes: TextSizes | None = None):
        super().__init__(meant_vocabulary, sizes)
        self.encoder = encoder_of(written_vocabulary, self.sizes)

    def posterior(self, pair: Pair) -> TextPosterior:  # type: ignore[override]
        """q(z given written), (batch, latent)."""
        return super().posterior(pair.source)

    def log_likelihood(self, pair: Pair, z: Tensor, noise: Generator | None = None) -> Tensor:  # type: ignore[override]
        """log p(meant given z), as ``TextVAE``'s."""
        return super().log_likelihood(pair.target, z, noise)


@dataclass(frozen=True)
class Restored:
    """Shares of sentences: ``whole`` of all that are then as meant, ``mended`` of the wrong ones, ``spoiled`` of the right."""

    whole: float
    mended: float
    spoiled: float


def restored(corrected: Sequence[Tokens], written: Sequence[Tokens], meant: Sequence[Tokens]) -> Restored:
    """Judge corrections by what was meant. Raises ``ValueError`` for other lengths, or if nothing, or all, is wrong."""
    if not len(corrected) == len(written) == len(meant):
        raise ValueError(
            f"expected a correction and a truth for each sentence, got {len(corrected)}, {len(written)}, {len(meant)}"
        )
    good = torch.tensor([tuple(a) == tuple(b) for a, b in zip(corrected, meant, strict=True)])
    wrong = torch.tensor([tuple(a) != tuple(b) for a, b in zip(written, meant, strict=True)])
    if not 0 < int(wrong.sum()) < len(wrong):
        raise ValueError("written: expected some sentences with errors and some without")
    whole, mended, kept = (float(part.double().mean()) for part in (good, good[wrong], good[~wrong]))
    return Restored(whole, mended, 1 - kept)


def gleu(said: Sequence[Tokens], written: Sequence[Tokens], references: Sequence[Sequence[Tokens]], draws: int = 500) -> float:
    """GLEU of corrections, 0 to 100: BLEU that charges for n-grams which should have been changed (Napoles 2015, 2016).

    Of the n-grams that ``said`` shares with a reference those are taken away that it shares with what was ``written`` and that
    the reference has not. Each sentence's reference is drawn among its own, all with as many, and ``draws`` scores of the whole
    set averaged. As in the authors' program the score of a set is 0 if it shares no n-gram of one length, 1 to 4, with the
    references, or has none. Raises ``ValueError`` unless there are as many sentences of each, and as many references.
    """
    if not 0 < len(said) == len(written) == len(references):
        raise ValueError(
            f"expected a correction and references for each sentence, got {len(said)}, {len(written)}, {len(references)}"
        )
    numbers = sorted({len(several) for several in references})
    if len(numbers) > 1 or numbers == [0]:
        raise ValueError(f"references: expected as many for each sentence, one at least, got {numbers}")
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, got {draws}")
    rows = zip(said, written, references, strict=True)
    counts = np.array([[_gleu_counts(new, old, reference) for reference in several] for new, old, several in rows], float)
    chosen = np.random.default_rng(0).integers(counts.shape[1], size=(draws, len(counts)))
    totals = counts[np.arange(len(counts)), chosen].sum(1)
    length, expected, *by_n = totals.T
    with np.errstate(divide="ignore", invalid="ignore"):  # where a total is 0, as is then the score
        logs = np.log(np.divide(by_n[0::2], by_n[1::2])).mean(0)
        scores = np.exp(np.minimum(0, 1 - expected / length) + logs)
    return 100 * float(np.where((totals > 0).all(1), scores, 0).mean())


def _gleu_counts(said: Tokens, written: Tokens, reference: Tokens) -> list[int]:
    """Both lengths; then for n = 1 to 4 how many n-grams count, and how many there are."""
    counts = [len(said), len(reference)]
    for n in range(1, 5):
        new, old, right = (Counter(zip(*(text[k:] for k in range(n)))) for text in (said, written, reference))  # noqa: B905
        wrong = Counter({gram: count for gram, count in old.items() if gram not in right})
        counts += [max(0, (new & right).total() - (new & wrong).total()), new.total()]
    return counts


# --- detection --------------------------------------------------------------------------------------------------------


@torch.no_grad()
def surprisals(model: LanguageModel, vocabulary: Vocabulary, written: Sequence[Tokens]) -> list[Tensor]:
    """-log p(word given the words before it) of every word, in nats: (words,) for each sentence, ``<eos>`` left out."""
    encoded = [vocabulary.encode(sentence) for sentence in written]
    result: list[Tensor] = [torch.empty(0)] * len(written)
    for rows, tokens in in_order(encoded, 256, device_of(model)):
        logits = model.decoder.logits(tokens[:, :-1], None)
        nats = functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none").cpu()
        for row, values in zip(rows.tolist(), nats, strict=True):
            result[row] = values[: len(written[row])].clone()
    return result


@dataclass(frozen=True)
class Detection:
    """How well scores tell wrong from right: ``auroc`` needs no threshold, the others are at ``threshold``."""

    auroc: float
    threshold: float
    precision: float
    recall: float

    @property
    def f_half(self) -> float:
        """F0.5: precision counts twice as much as recall, since a false alarm costs a writer more than a miss."""
        return f_score(self.precision, self.recall, beta=0.5)


def precision_recall(hits: int, flagged: int, wrong: int) -> tuple[float, float]:
    """``hits`` as a share of all that were ``flagged``, and of all that are ``wrong``; 0 where there are none."""
    return hits / max(1, flagged), hits / max(1, wrong)


def f_score(precision: float, recall: float, beta: float) -> float:
    """(1 + beta^2) precision recall / (beta^2 precision + recall) (van Rijsbergen 1979); 0 where both are 0."""
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def detection(scores: Tensor, wrong: Tensor, threshold: float) -> Detection:
    """Judge ``scores`` (n,), high for what seems wrong, by the truth ``wrong`` (n,) of bool; flagged from ``threshold`` on.

    Raises ``ValueError`` unless there are words of both kinds.
    """
    if scores.shape != wrong.shape or not 0 < int(wrong.sum()) < len(wrong):
        raise ValueError(
            f"expected a score and a truth for each word, some of them wrong and some right, got {len(scores)} and {len(wrong)}"
        )
    flagged = scores >= threshold
    precision, recall = precision_recall(int((flagged & wrong).sum()), int(flagged.sum()), int(wrong.sum()))
    return Detection(float(roc_auc_score(wrong.numpy(), scores.numpy())), threshold, precision, recall)


def best_threshold(scores: Tensor, wrong: Tensor, beta: float = 0.5) -> float:
    """The threshold with the highest F_beta: to be chosen on *validation* sentences, and then left alone."""
    order = scores.argsort(descending=True, stable=True)
    hits = wrong[order].cumsum(0).double()
    flagged = torch.arange(1, len(scores) + 1)
    f = (1 + beta**2) * hits / (beta**2 * wrong.sum() + flagged)  # F_beta in counts: both precision and recall divide hits
    # Equal scores are flagged together, so only the last of them can be a threshold.
    last = torch.cat([scores[order][1:] != scores[order][:-1], torch.ones(1, dtype=torch.bool)])
    return float(scores[order][f.where(last, -1).argmax()])


# --- correctors that learn from pairs -----------------------------------------------------------------------------------

Corrector = SequenceToSequence | ConditionalTextVAE | DenoisingVAE
SIZES = TextSizes(embedding=64, hidden=96, latent=16)
BOTTLENECK = TextSizes(embedding=64, hidden=128, latent=64)


def trained(
    kind: type[Corrector],
    pairs: "Encoded",
    budget: Budget,
    sizes: TextSizes,
    seed: int,
    device: torch.device | None = None,
    early_stopping: tuple[Sequence[Tokens], Sequence[Tokens]] = ((), ()),
) -> tuple[Any, History]:
    """Train a model of the target side of ``pairs`` given the source side; one with z by the ELBO, its KL weight rising to 1.

    A ``DenoisingVAE``'s weight rises to 0.05 only: what its z loses, nobody can restore. ``early_stopping``: held-out
    sentences (written, meant) that end the training when they cost no less, see ``cures.fit``.
    """
    model = seeded_module(seed, lambda: kind(len(pairs.source), len(pairs.target), sizes)).to(device)
    objective: Any = model
    if not isinstance(model, SequenceToSequence):
        final = 0.05 if isinstance(model, DenoisingVAE) else 1.0
        objective = NegativeElbo(model, linear_annealing(budget.rise(0.5), final)).to(device)
    stopping = PairBatches(*pairs.encode(*early_stopping), 64, device) if early_stopping[0] else ()
    return model, fit(
        objective, PairBatches(*pairs.rows, budget.batch_size, device), budget, seed=seed, early_stopping=stopping
    )


@torch.no_grad()
def corrections(model: Corrector, pairs: "Encoded", written: Sequence[Tokens]) -> list[Tokens]:
    """What a trained corrector writes, word by the likeliest word; z, where there is one, is its distribution's mean."""
    sources = pad([pairs.source.encode(sentence) for sentence in written], device_of(model))
    if isinstance(model, DenoisingVAE):
        rows = greedy(model.decoder, model.posterior(Pair(sources, sources)).mean)
    elif isinstance(model, ConditionalTextVAE):
        rows = greedy(model.writer(sources), model.prior(sources).mean)
    else:
        rows = greedy(model.writer(sources), None, len(written))
    return [pairs.target.decode(row) for row in rows]


@dataclass(frozen=True)
class Encoded:
    """Pairs of sentences as numbers, ``rows`` (sources, targets), with the vocabulary of each side."""

    source: Vocabulary
    target: Vocabulary
    rows: tuple[list[list[int]], list[list[int]]]

    @classmethod
    def of(cls, sources: Sequence[Tokens], targets: Sequence[Tokens], target: Vocabulary | None = None) -> "Encoded":
        """Vocabularies are built from the sentences, unless that of the targets is given."""
        pairs = cls(Vocabulary.build(sources), target or Vocabulary.build(targets), ([], []))
        return replace(pairs, rows=pairs.encode(sources, targets))

    def encode(self, sources: Sequence[Tokens], targets: Sequence[Tokens]) -> tuple[list[list[int]], list[list[int]]]:
        """Other pairs of sentences as numbers."""
        return [self.source.encode(row) for row in sources], [self.target.encode(row) for row in targets]
