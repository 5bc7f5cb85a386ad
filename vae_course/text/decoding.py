"""Writing with a decoder: the likeliest word each time, a draw from p(word), or a search for the likeliest sentence."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from vae_course.probability.estimators import COLDEST
from vae_course.text.models import Decoder, Step
from vae_course.text.vocabulary import BOS, EOS, PAD

Choose = Callable[[Tensor], Tensor]  # logits (batch, vocabulary) -> words (batch,)


@torch.no_grad()
def greedy(decoder: Decoder, z: Tensor | None, count: int | None = None, longest: int = 60) -> list[list[int]]:
    """The likeliest next word, again and again: one sentence for each z (batch, latent), or ``count`` without z.

    Returns token numbers without ``<bos>`` and ``<eos>``; a sentence that does not end is cut at ``longest`` words.
    Raises ``ValueError`` for options that make no sense, as the others do.
    """
    return _written(decoder, z, count, longest, lambda logits: logits.argmax(-1))


@torch.no_grad()
def sampled(
    decoder: Decoder,
    z: Tensor | None,
    generator: Generator,
    count: int | None = None,
    temperature: float = 1.0,
    nucleus: float = 1.0,
    longest: int = 60,
) -> list[list[int]]:
    """Draw each next word from softmax(logits / temperature), at 1 from the model's own p(word). Otherwise as ``greedy``.

    With ``nucleus`` below 1 only from the likeliest words: the fewest whose probability reaches it (Holtzman 2020).
    Towards a temperature of 0, or a nucleus of 0, the likeliest word alone is left.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(
            f"temperature: expected a positive, finite number, got {temperature}; for the likeliest words use greedy"
        )
    if not 0 < nucleus <= 1:
        raise ValueError(f"nucleus: expected a probability above 0 and at most 1, got {nucleus}")

    def draw(logits: Tensor) -> Tensor:
        probabilities = torch.softmax(logits.float() / max(temperature, COLDEST), dim=-1).to(generator.device)
        if nucleus < 1:
            return _passed(_nucleus_of(probabilities, nucleus), generator).to(logits.device)
        return torch.multinomial(probabilities, 1, generator=generator)[:, 0].to(logits.device)

    return _written(decoder, z, count, longest, draw)


def _nucleus_of(probabilities: Tensor, nucleus: float) -> Tensor:
    """Set to 0 what lies outside the nucleus; a word belongs to it if those likelier do not reach ``nucleus`` yet.

    Words that are exactly as likely as its last one belong to it, too.
    """
    # numpy sorts ten times faster than torch does on the CPU.
    descending = torch.from_numpy(np.sort(probabilities.cpu().numpy())).to(probabilities).flip(-1)
    inside = descending.cumsum(-1) - descending < nucleus
    inside[..., 0] = True  # also where the nucleus is too small for the dtype, and 0 < 0 is asked
    least = descending.where(inside, 1).amin(-1, keepdim=True)
    return probabilities.where(probabilities >= least, 0)


def _passed(weights: Tensor, generator: Generator) -> Tensor:
    """Draw a word of each text by its share of ``weights`` (texts, words): where their running sum passes a random part of all.

    torch.multinomial draws a random number for every word, which takes longer than all the rest; this draws one for every text.
    """
    running = weights.double().cumsum(-1)
    part = torch.rand(len(weights), 1, dtype=running.dtype, device=running.device, generator=generator) * running[:, -1:]
    return torch.searchsorted(running, part, right=True)[:, 0]


@torch.no_grad()
def beam(
    decoder: Decoder, z: Tensor | None, count: int | None = None, width: int = 5, longest: int = 60, length_power: float = 0.0
) -> list[list[int]]:
    """Search for the likeliest sentence: keep the ``width`` likeliest beginnings, word by word. Otherwise as ``greedy``.

    A sentence's score is its log-probability, ``<eos>`` included, divided by (its predicted tokens) ** ``length_power``:
    0 favours short sentences, 1 compares nats per token, and 10 is the most that is taken.
    """
    if width < 1:
        raise ValueError(f"width: expected at least 1, got {width}")
    if not 0 <= length_power <= 10:  # below 0 the search would end too soon, far above 10 all scores round to 0
        raise ValueError(f"length_power: expected a number from 0 to 10, got {length_power}")
    state, count = _start(decoder, z, count, longest)
    device = state.memory[0].device
    state = state.rows(torch.arange(count, device=device).repeat_interleave(width))
    scores = torch.full((count, width), -torch.inf, device=device)
    scores[:, 0] = 0  # all beams begin alike: one is enough
    words = torch.full((count * width,), BOS, device=device)
    written = words.new_empty(count, width, 0)
    best: list[list[int]] = [[] for _ in range(count)]
    best_scores = torch.full((count,), -torch.inf, device=device)
    for length in range(1, longest + 1):
        logits, state = decoder.step(words, state)
        log_p = logits.float().log_softmax(-1).view(count, width, logits.shape[-1])
        _keep_best(best, best_scores, (scores + log_p[..., EOS]) / length**length_power, written)
        going = (scores[..., None] + log_p).index_fill(-1, torch.tensor([EOS], device=device), -torch.inf)
        scores, chosen = going.flatten(1).topk(width)
        parents, words = chosen // log_p.shape[-1], chosen % log_p.shape[-1]
        if (scores[:, 0] / longest**length_power <= best_scores).all():  # no longer one can be better: log-probabilities fall
            break
        written = torch.cat([written.gather(1, parents[..., None].expand(-1, -1, written.shape[-1])), words[..., None]], dim=-1)
        state = state.rows((parents + width * torch.arange(count, device=device)[:, None]).flatten())
        words = words.flatten()
    else:  # these are cut
        _keep_best(best, best_scores, scores / longest**length_power, written)
    return best


def _keep_best(best: list[list[int]], best_scores: Tensor, scores: Tensor, written: Tensor) -> None:
    """Put into ``best`` the sentences of the beam (count, width, words) that are better than what is there, ``scores``."""
    top, beams = scores.max(1)
    for row in (top > best_scores).nonzero()[:, 0].tolist():
        best[row] = written[row, beams[row]].tolist()
    best_scores.copy_(top.maximum(best_scores))


def _start(decoder: Decoder, z: Tensor | None, count: int | None, longest: int) -> tuple[Step, int]:
    if (z is None) == (count is None):
        raise ValueError("expected either z (batch, latent), or without z the count of sentences")
    count = len(z) if z is not None else int(count or 0)
    if count < 0 or longest < 1:
        raise ValueError(f"expected count >= 0 and longest >= 1, got {count} and {longest}")
    return decoder.start(z, count), count


def _written(decoder: Decoder, z: Tensor | None, count: int | None, longest: int, choose: Choose) -> list[list[int]]:
    state, count = _start(decoder, z, count, longest)
    device = state.memory[0].device
    words = torch.full((count,), BOS, device=device)
    written, going = [], torch.ones(count, dtype=torch.bool, device=device)
    for _ in range(longest):
        logits, state = decoder.step(words, state)
        words = choose(logits)
        going = going & (words != EOS)
        if not going.any():
            break
        written.append(torch.where(going, words, PAD))
    if not written:
        return [[] for _ in range(count)]
    return [[word for word in row if word != PAD] for row in torch.stack(written, dim=1).tolist()]
