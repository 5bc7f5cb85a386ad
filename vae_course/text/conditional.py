"""Models of one text given another, p(target given source): sequence to sequence, and a conditional VAE around the same parts.

Their batches are ``Pair``s of token numbers (batch, time). Both read the source into a vector for each token and one for the
whole, and write with a decoder that attends to it.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course.probability.distributions import Gaussian, GaussianGiven
from vae_course.text.batches import Pair
from vae_course.text.models import (
    Decoder,
    Output,
    Step,
    TextSizes,
    chosen,
    dropped,
    encoder_of,
    log_likelihood_of,
    with_words_dropped,
)
from vae_course.text.vocabulary import PAD
from vae_course.training import Metrics

# --- reading ----------------------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """A source as it was read: a vector a token, which of them are no pads, and a vector for the whole.

    ``states`` (batch, time, hidden), ``inside`` (batch, time), ``summary`` (batch, hidden).
    """

    states: Tensor
    inside: Tensor
    summary: Tensor

    def repeated(self, count: int) -> "Source":
        """All sources ``count`` times, one after another: (count * batch, ...)."""
        return Source(*(part.repeat(count, *[1] * (part.dim() - 1)) for part in self))


class SourceReader(nn.Module):
    """A vector for every token: of its window of three words ("convolution"), or of all words by two LSTMs ("lstm").

    The second is the encoder of Bahdanau et al. (2015), with LSTMs for their gated units.
    """

    def __init__(self, vocabulary_size: int, sizes: TextSizes):
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        if sizes.encoder == "convolution":
            self.windows = nn.Linear(3 * sizes.embedding, sizes.hidden)
        else:
            self.forwards = nn.LSTM(sizes.embedding, sizes.hidden, batch_first=True)
            self.backwards = nn.LSTM(sizes.embedding, sizes.hidden, batch_first=True)
            self.both = nn.Linear(2 * sizes.hidden, sizes.hidden)

    def forward(self, tokens: Tensor, noise: Generator | None = None) -> Source:
        """``tokens`` (batch, time) -> what the decoder attends to. ``noise``: for dropout."""
        inside = tokens != PAD
        # Pads are 0 in what is read, and the summary is a mean over tokens: so how many there are changes nothing.
        words = dropped(self.embedding(tokens), self.sizes.dropout, noise) * inside[..., None]
        states = torch.tanh(self._read(words, inside.sum(1))) * inside[..., None]
        return Source(states, inside, states.sum(1) / inside.sum(1, keepdim=True))

    def _read(self, words: Tensor, lengths: Tensor) -> Tensor:
        if self.sizes.encoder == "convolution":
            padded = functional.pad(words, (0, 0, 1, 1))
            return self.windows(torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], dim=-1))  # type: ignore[no-any-return]
        turned = _turned(self.backwards(_turned(words, lengths))[0], lengths)
        return self.both(torch.cat([self.forwards(words)[0], turned], dim=-1))  # type: ignore[no-any-return]


def _turned(rows: Tensor, lengths: Tensor) -> Tensor:
    """Each row (batch, time, size) turned round within its own length, what is behind it left in place."""
    steps = torch.arange(rows.shape[1], device=rows.device)
    places = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return rows.gather(1, places[..., None].expand_as(rows))


# --- writing ----------------------------------------------------------------------------------------------------------


class AttentionDecoder(nn.Module):
    """An LSTM that starts from the source's summary and z, sees z at every step, and attends to the source (Luong 2015).

    Attention follows the recurrent layer, so all steps of teacher forcing are computed at once. ``latent`` 0: without z.
    """

    def __init__(self, vocabulary_size: int, sizes: TextSizes, latent: int):
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        self.first_state = nn.Linear(sizes.hidden + latent, sizes.hidden)
        self.recurrent = nn.LSTM(sizes.embedding + latent, sizes.hidden, batch_first=True)
        self.query = nn.Linear(sizes.hidden, sizes.hidden, bias=False)
        self.mixed = nn.Linear(2 * sizes.hidden, sizes.hidden)
        self.output = Output(vocabulary_size, sizes, latent, self.embedding)

    def first_memory(self, source: Source, z: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state before the first word, each (batch, hidden)."""
        cell = self.first_state(_beside(source.summary, z))
        return torch.tanh(cell), cell

    def forward(
        self, words: Tensor, source: Source, z: Tensor | None, memory: tuple[Tensor, Tensor], noise: Generator | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Word vectors (batch, time, embedding) -> logits (batch, time, vocabulary) of the words after them, and the state."""
        steps = z[:, None].expand(-1, words.shape[1], -1) if z is not None else None
        features, (output, cell) = self.recurrent(_beside(words, steps), (memory[0][None], memory[1][None]))
        scores = self.query(features) @ source.states.mT / math.sqrt(features.shape[-1])
        weights = scores.masked_fill(~source.inside[:, None], -torch.inf).softmax(-1)
        mixed = torch.tanh(self.mixed(torch.cat([features, weights @ source.states], dim=-1)))
        return self.output(mixed, z, noise), (output[0], cell[0])


def _beside(first: Tensor, second: Tensor | None) -> Tensor:
    return first if second is None else torch.cat([first, second], dim=-1)


@dataclass(frozen=True)
class Writer:
    """An ``AttentionDecoder`` with the sources that it writes from: a ``Decoder`` like any other, for ``decoding``.

    It writes a sentence for each source; z, where the model has one, is (batch, latent), in their order.
    """

    decoder: AttentionDecoder
    source: Source

    def logits(self, inputs: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        sizes = self.decoder.sizes
        hidden = with_words_dropped(inputs, sizes.word_dropout, noise)
        words = dropped(self.decoder.embedding(hidden), sizes.dropout, noise)
        logits, _ = self.decoder(words, self.source, z, self.decoder.first_memory(self.source, z), noise)
        return logits  # type: ignore[no-any-return]

    def log_probabilities(self, inputs: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        return chosen(self.logits(inputs, z, noise), targets)

    def start(self, z: Tensor | None, count: int) -> Step:
        """See ``Decoder``. Raises ``ValueError`` for a number of sentences other than that of sources."""
        if count != len(self.source.summary):
            raise ValueError(f"expected one sentence for each of the {len(self.source.summary)} sources, got {count}")
        return Step(z, (*self.decoder.first_memory(self.source, z), *self.source))

    def step(self, inputs: Tensor, state: Step) -> tuple[Tensor, Step]:
        """See ``Decoder``: the sources travel in the state, so that its rows may be chosen."""
        output, cell, *read = state.memory
        source = Source(*read)
        words = self.decoder.embedding(inputs)[:, None]
        logits, memory = self.decoder(words, source, state.z, (output, cell))
        return logits[:, 0], Step(state.z, (*memory, *source))


# --- sequence to sequence ---------------------------------------------------------------------------------------------


class SequenceToSequence(nn.Module):
    """p(target given source) without z (Sutskever 2014; attention after Luong 2015)."""

    def __init__(self, source_vocabulary: int, target_vocabulary: int, sizes: TextSizes | None = None):
        super().__init__()
        self.sizes = sizes or TextSizes()
        self.vocabulary_size = target_vocabulary
        self.reader = SourceReader(source_vocabulary, self.sizes)
        self.decoder = AttentionDecoder(target_vocabulary, self.sizes, latent=0)

    def writer(self, sources: Tensor) -> Decoder:
        """The decoder that writes from ``sources`` (batch, time), to be passed to ``decoding``."""
        return Writer(self.decoder, self.reader(sources))

    def log_likelihood(self, pair: Pair) -> Tensor:
        """Exact log p(target given source) in nats, (batch,)."""
        return log_likelihood_of(self.writer(pair.source), pair.target, None)

    def loss(self, pair: Pair, generator: Generator) -> Metrics:
        """NLL in nats per target sentence (summed over words, mean over the batch), for ``training.Update``."""
        writer = Writer(self.decoder, self.reader(pair.source, generator))
        return {"loss": -log_likelihood_of(writer, pair.target, None, generator).mean()}


# --- conditional VAE ----------------------------------------------------------------------------------------------------


class ConditionalTextVAE(nn.Module):
    """p(z given source), p(target given source and z), and q(z given source and target) (Sohn 2015; Zhang 2016).

    The rate is KL(q(z given source, target) to p(z given source)): what the target says that the source does not.
    """

    def __init__(self, source_vocabulary: int, target_vocabulary: int, sizes: TextSizes | None = None):
        super().__init__()
        self.sizes = sizes or TextSizes()
        self.vocabulary_size = target_vocabulary
        self.reader = SourceReader(source_vocabulary, self.sizes)
        self.encoder = encoder_of(target_vocabulary, self.sizes)
        self.prior_head = nn.Linear(self.sizes.hidden, 2 * self.sizes.latent)
        self.posterior_head = nn.Linear(self.sizes.hidden + self.encoder.features, 2 * self.sizes.latent)
        self.decoder = AttentionDecoder(target_vocabulary, self.sizes, self.sizes.latent)

    def writer(self, sources: Tensor) -> Decoder:
        """The decoder that writes from ``sources`` (batch, time) and z, to be passed to ``decoding``."""
        return Writer(self.decoder, self.reader(sources))

    def prior(self, sources: Tensor) -> Gaussian:
        """p(z given source), (batch, latent)."""
        return self._prior(self.reader(sources))

    def _prior(self, source: Source) -> Gaussian:
        return Gaussian(*self.prior_head(source.summary).chunk(2, dim=-1))

    def posterior(self, pair: Pair) -> GaussianGiven:
        """q(z given source and target), (batch, latent), which knows p(z given source) as its prior."""
        source = self.reader(pair.source)
        features = torch.cat([source.summary, self.encoder(pair.target)], dim=-1)
        mean, log_var = self.posterior_head(features).chunk(2, dim=-1)
        return GaussianGiven(mean, log_var, self._prior(source))

    def log_likelihood(self, pair: Pair, z: Tensor, noise: Generator | None = None) -> Tensor:
        """log p(target given source, z) in nats. ``z``: (..., batch, latent). Returns (..., batch). ``noise``: for dropout."""
        count = math.prod(z.shape[:-2])
        writer = Writer(self.decoder, self.reader(pair.source, noise).repeated(count))
        return log_likelihood_of(writer, pair.target.repeat(count, 1), z.flatten(0, -2), noise).view(z.shape[:-1])
