"""Finding and mending errors: a trained model as the source of a noisy channel, a dictionary, and the scores of detection."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from vae_course.batches import in_order
from vae_course.evaluation import device_of
from vae_course.grammar import Tokens
from vae_course.noise import Channel, Posterior, normalized
from vae_course.text_models import LanguageModel
from vae_course.vocabulary import BOS, EOS, Vocabulary

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
    model: LanguageModel, vocabulary: Vocabulary, channel: Channel, written: Sequence[Tokens], width: int = 10
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


@torch.no_grad()
def _search(
    model: LanguageModel, vocabulary: Vocabulary, channel: Channel, written: Sequence[Tokens], width: int
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
    hits = int((flagged & wrong).sum())
    precision = hits / int(flagged.sum()) if flagged.any() else 0.0
    return Detection(float(roc_auc_score(wrong.numpy(), scores.numpy())), threshold, precision, hits / int(wrong.sum()))


def best_threshold(scores: Tensor, wrong: Tensor, beta: float = 0.5) -> float:
    """The threshold with the highest F_beta: to be chosen on *validation* sentences, and then left alone."""
    order = scores.argsort(descending=True, stable=True)
    hits = wrong[order].cumsum(0).double()
    flagged = torch.arange(1, len(scores) + 1, dtype=torch.float64)
    precision, recall = hits / flagged, hits / wrong.sum()
    f = (1 + beta**2) * precision * recall / (beta**2 * precision + recall).clamp_min(1e-12)
    # Equal scores are flagged together, so only the last of them can be a threshold.
    last = torch.cat([scores[order][1:] != scores[order][:-1], torch.ones(1, dtype=torch.bool)])
    return float(scores[order][f.where(last, -1).argmax()])
