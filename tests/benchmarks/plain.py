"""The opponent: a text VAE, its training loop, its importance weights and its writing, as one would first write them.

No pads and no tricks, but no folly either: batches of sentences of one length, torch's own LSTM, z beside every word and in the
first state, the softmax over the whole vocabulary.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course.text.vocabulary import BOS, EOS


class PlainTextVAE(nn.Module):
    """An LSTM reads, an LSTM writes. ``tokens`` are (time, batch), from <bos> to <eos>."""

    def __init__(self, vocabulary: int, embedding: int, hidden: int, latent: int, dropout: float):
        super().__init__()
        self.latent = latent
        self.read_words = nn.Embedding(vocabulary, embedding)
        self.reader = nn.LSTM(embedding, hidden)
        self.to_mean, self.to_log_var = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.write_words = nn.Embedding(vocabulary, embedding)
        self.first_state = nn.Linear(latent, hidden)
        self.writer = nn.LSTM(embedding + latent, hidden)
        self.to_logits = nn.Linear(hidden, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def posterior(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z given tokens), both (batch, latent)."""
        _, (last, _) = self.reader(self.read_words(tokens))
        return self.to_mean(last[0]), self.to_log_var(last[0])

    def state(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The writer's first state."""
        cell = self.first_state(z)[None]
        return torch.tanh(cell), cell

    def logits(self, words: Tensor, z: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Of the next words, (time, batch, vocabulary), and the state after them."""
        inputs = torch.cat([self.dropout(self.write_words(words)), z.expand(len(words), -1, -1)], dim=-1)
        outputs, state = self.writer(inputs, state)
        return self.to_logits(self.dropout(outputs)), state

    def log_likelihood(self, tokens: Tensor, z: Tensor) -> Tensor:
        """log p(tokens given z), (batch,)."""
        logits, _ = self.logits(tokens[:-1], z, self.state(z))
        nats = functional.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten(), reduction="none")
        return -nats.view(len(tokens) - 1, -1).sum(0)


def batches_of_one_length(sentences: Sequence[Sequence[int]], size: int, generator: Generator) -> list[Tensor]:
    """(time, batch) each, in random order, without any pad."""
    groups: dict[int, list[Sequence[int]]] = {}
    for sentence in sentences:
        groups.setdefault(len(sentence), []).append(sentence)
    found = [torch.tensor(group[k : k + size]).T for group in groups.values() for k in range(0, len(group), size)]
    return [found[k] for k in torch.randperm(len(found), generator=generator).tolist()]


def step(model: PlainTextVAE, optimizer: torch.optim.Optimizer, tokens: Tensor) -> Tensor:
    """One step on a batch; returns its negative ELBO, nats a sentence."""
    mean, log_var = model.posterior(tokens)
    z = mean + torch.randn_like(mean) * (log_var / 2).exp()
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
    loss = (rate - model.log_likelihood(tokens, z)).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()
    return loss.detach()


@torch.no_grad()
def log_weights(model: PlainTextVAE, sentence: Sequence[int], samples: int, device: torch.device) -> Tensor:
    """log of p(x, z) / q(z given x) of draws of z for one sentence, (samples,)."""
    tokens = torch.tensor(sentence, device=device)[:, None]
    mean, log_var = model.posterior(tokens)
    noise = torch.randn(samples, model.latent, device=device)
    z = mean + noise * (log_var / 2).exp()
    log_ratio = 0.5 * (noise.square() + log_var - z.square()).sum(1)  # log p(z) - log q(z given x)
    return model.log_likelihood(tokens.expand(-1, samples), z) + log_ratio


def nll(model: PlainTextVAE, sentence: Sequence[int], samples: int, device: torch.device) -> float:
    """The importance-weighted NLL of one sentence, in nats."""
    return math.log(samples) - float(log_weights(model, sentence, samples, device).logsumexp(0))


@torch.no_grad()
def write(model: PlainTextVAE, z: Tensor, longest: int, nucleus: float | None = None) -> list[int]:
    """One sentence of one z (1, latent): by the likeliest words, or drawn from the ``nucleus``."""
    word, state, written = torch.full((1, 1), BOS, device=z.device), model.state(z), []
    while len(written) < longest:
        logits, state = model.logits(word, z, state)
        word = logits[-1:].argmax(-1) if nucleus is None else drawn(logits[-1], nucleus)
        if word.item() == EOS:
            break
        written.append(int(word))
    return written


def drawn(logits: Tensor, nucleus: float) -> Tensor:
    """A word from the fewest likeliest that reach ``nucleus``: (1, vocabulary) to (1, 1)."""
    likeliest, words = logits.softmax(-1).sort(descending=True)
    likeliest = likeliest.where(likeliest.cumsum(-1) - likeliest < nucleus, 0)
    return words.gather(-1, torch.multinomial(likeliest, 1))
