"""Writing with a decoder: the likeliest word each time, or a draw from p(word)."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from vae_course.text_models import Decoder
from vae_course.vocabulary import BOS, EOS, PAD

Choose = Callable[[Tensor], Tensor]  # logits (batch, vocabulary) -> words (batch,)


@torch.no_grad()
def greedy(decoder: Decoder, z: Tensor | None, count: int | None = None, longest: int = 60) -> list[list[int]]:
    """The likeliest next word, again and again: one sentence for each z (batch, latent), or ``count`` without z.

    Returns token numbers without ``<bos>`` and ``<eos>``; a sentence that does not end is cut at ``longest`` words.
    """
    return _written(decoder, z, count, longest, lambda logits: logits.argmax(-1))


@torch.no_grad()
def sampled(
    decoder: Decoder,
    z: Tensor | None,
    generator: Generator,
    count: int | None = None,
    temperature: float = 1.0,
    longest: int = 60,
) -> list[list[int]]:
    """Draw each next word from softmax(logits / temperature), at 1 from the model's own p(word). Otherwise as ``greedy``."""
    if not temperature > 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature}; for the likeliest words use greedy")

    def draw(logits: Tensor) -> Tensor:
        probabilities = torch.softmax(logits.float() / temperature, dim=-1).to(generator.device)
        return torch.multinomial(probabilities, 1, generator=generator)[:, 0].to(logits.device)

    return _written(decoder, z, count, longest, draw)


def _written(decoder: Decoder, z: Tensor | None, count: int | None, longest: int, choose: Choose) -> list[list[int]]:
    if (z is None) == (count is None):
        raise ValueError("expected either z (batch, latent), or without z the count of sentences")
    count = len(z) if z is not None else int(count or 0)
    state = decoder.start(z, count)
    device = next(iter(state.memory)).device
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
