"""The models of text: a language model, and a variational autoencoder around the same decoder.

All read a batch of token numbers (batch, time), ``<bos> w1 ... wn <eos>`` and then ``<pad>``; padding is never counted.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course.probability.distributions import TextPosterior, standard_uniform
from vae_course.text.posteriors import GaussianHead, Head
from vae_course.text.vocabulary import BOS, PAD, SPECIAL, UNK
from vae_course.training import Metrics


@dataclass(frozen=True)
class TextSizes:
    """The sizes of a text model and the few choices in its architecture.

    ``z_to``: where the decoder gets z: at every "steps", as its first "state" (Bowman 2016), "both", or "neither".
    ``context``: how many preceding words the decoder sees: None for all (recurrent), 0 for none (a blind decoder).
    ``dropout`` acts on the decoder's word vectors and outputs; ``word_dropout`` hides input words as ``<unk>`` (Bowman 2016).
    ``skip`` adds a direct path from z to the output layer (Dieng 2019). ``tied`` shares word vectors with the output layer.
    ``cutoffs``: for large vocabularies an adaptive softmax (Grave 2017), as exact a distribution and several times quicker;
    words beyond each of these ranks, the rarer ones, are grouped and get shorter vectors.
    """

    embedding: int = 128
    hidden: int = 128
    latent: int = 16
    cell: Literal["lstm", "gru"] = "lstm"
    encoder: Literal["convolution", "lstm", "pooled lstm"] = "convolution"
    z_to: Literal["both", "steps", "state", "neither"] = "both"
    context: int | None = None
    dropout: float = 0.0
    word_dropout: float = 0.0
    skip: bool = False
    tied: bool = False
    cutoffs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, options in {
            "cell": ("lstm", "gru"),
            "encoder": ("convolution", "lstm", "pooled lstm"),
            "z_to": ("both", "steps", "state", "neither"),
        }.items():
            if getattr(self, name) not in options:
                raise ValueError(f"{name}: expected one of {', '.join(options)}, got {getattr(self, name)!r}")
        for name in ("dropout", "word_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a share between 0 and 1, got {getattr(self, name)}")
        if min(self.embedding, self.hidden, self.latent) < 1 or (self.context is not None and self.context < 0):
            raise ValueError(f"sizes must be at least 1 and context at least 0, got {self}")
        if self.tied and self.embedding != self.hidden:
            raise ValueError(f"tied: needs embedding = hidden, got {self.embedding} and {self.hidden}")
        if self.tied and self.cutoffs:
            raise ValueError("tied: an adaptive softmax's vectors have several lengths and cannot be shared; give no cutoffs")
        if list(self.cutoffs) != sorted({cutoff for cutoff in self.cutoffs if cutoff > len(SPECIAL)}):
            raise ValueError(f"cutoffs: expected rising ranks above the {len(SPECIAL)} special words', got {self.cutoffs}")


# --- decoders -------------------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What a decoder carries from one word to the next while it writes: a row a sentence in z and in each of ``memory``."""

    z: Tensor | None
    memory: tuple[Tensor, ...]

    def rows(self, chosen: Tensor) -> "Step":
        """The state of the sentences ``chosen`` (indices), in their order; a sentence may be chosen twice."""
        return Step(None if self.z is None else self.z[chosen], tuple(part[chosen] for part in self.memory))


class Decoder(Protocol):
    """p(word given the words before it, and z)."""

    def logits(self, inputs: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """Teacher forcing: ``inputs`` (batch, time), z (batch, latent) -> (batch, time, vocabulary). ``noise``: for dropout."""
        ...

    def log_probabilities(self, inputs: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """log p of each of ``targets`` (batch, time), the words that follow ``inputs``, in nats; 0 for ``<pad>``."""
        ...

    def start(self, z: Tensor | None, count: int) -> Step:
        """The state before the first word of ``count`` sentences."""
        ...

    def step(self, inputs: Tensor, state: Step) -> tuple[Tensor, Step]:
        """One word on: ``inputs`` (batch,), the last words written -> logits (batch, vocabulary) of the next, and the state."""
        ...


def chosen(logits: Tensor, targets: Tensor) -> Tensor:
    """log p of ``targets`` (batch, time) under logits (batch, time, vocabulary), in nats; 0 where a target is ``<pad>``."""
    nll = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="none")
    return -nll.view(targets.shape)


class Output(nn.Module):
    """From the decoder's features (batch, time, hidden) to the next word, z's own path included where there is one."""

    never: Tensor
    words: nn.Linear | nn.AdaptiveLogSoftmaxWithLoss

    def __init__(self, vocabulary_size: int, sizes: TextSizes, latent: int, embedding: nn.Embedding):
        super().__init__()
        self.dropout = sizes.dropout
        # <pad> and <bos> never follow a word: with no probability for them, that of all sentences sums to 1.
        if sizes.cutoffs:
            # The common words' own vectors are whole, each further group's half as long as those of the group before.
            self.words = nn.AdaptiveLogSoftmaxWithLoss(
                sizes.hidden, vocabulary_size, list(sizes.cutoffs), div_value=2.0, head_bias=True
            )
            with torch.no_grad():
                self.words.head.bias[[PAD, BOS]] = -1e9  # their gradient is 0, so they stay there
        else:
            self.words = nn.Linear(sizes.hidden, vocabulary_size)
        if sizes.tied:
            self.words.weight = embedding.weight
        self.skip = nn.Linear(latent, sizes.hidden, bias=False) if sizes.skip and latent else None
        never = torch.zeros(vocabulary_size)
        never[[PAD, BOS]] = -torch.inf
        self.register_buffer("never", never, persistent=False)

    def forward(self, features: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        """Logits of all words, (batch, time, vocabulary)."""
        features = self._completed(features, z, noise)
        if isinstance(self.words, nn.Linear):
            return functional.linear(features, self.words.weight, self.words.bias + self.never)
        log_p: Tensor = self.words.log_prob(features.flatten(0, 1)).view(*features.shape[:2], -1)
        log_p[..., [PAD, BOS]] = -torch.inf  # in place: adding ``never`` would copy all words' numbers
        return log_p

    def log_probabilities(self, features: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        """See ``Decoder``. An adaptive softmax looks at a group of rarer words only where the target is in it."""
        if isinstance(self.words, nn.Linear):
            return chosen(self(features, z, noise), targets)
        inside = targets != PAD
        counted = self.words(self._completed(features, z, noise)[inside], targets[inside]).output
        return torch.zeros_like(features[..., 0]).masked_scatter(inside, counted)

    def _completed(self, features: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        if self.skip is not None and z is not None:
            features = features + self.skip(z)[:, None]
        return dropped(features, self.dropout, noise)


class RecurrentDecoder(nn.Module):
    """An LSTM or GRU that sees all words before, and z at every step, as its first state, or both (Bowman 2016)."""

    def __init__(self, vocabulary_size: int, sizes: TextSizes, latent: int):
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        self.z_at_steps = latent > 0 and sizes.z_to in ("both", "steps")
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[sizes.cell]
        self.recurrent = cell(sizes.embedding + (latent if self.z_at_steps else 0), sizes.hidden, batch_first=True)
        self.first_state = nn.Linear(latent, sizes.hidden) if latent and sizes.z_to in ("both", "state") else None
        self.output = Output(vocabulary_size, sizes, latent, self.embedding)

    def logits(self, inputs: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        logits: Tensor = self.output(self._features(inputs, z, noise), z, noise)
        return logits

    def log_probabilities(self, inputs: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        return self.output.log_probabilities(self._features(inputs, z, noise), targets, z, noise)

    def _features(self, inputs: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        words = dropped(self.embedding(with_words_dropped(inputs, self.sizes.word_dropout, noise)), self.sizes.dropout, noise)
        return self._run(words, z, self.start(z, len(inputs)).memory)[0]

    def start(self, z: Tensor | None, count: int) -> Step:
        """See ``Decoder``. An LSTM's first cell is W z + b and its first output tanh of that, as in texar and Li 2019."""
        if self.first_state is not None and z is not None:
            cell = self.first_state(z)
        else:
            cell = self.embedding.weight.new_zeros(count, self.sizes.hidden)
        return Step(z, (torch.tanh(cell), cell) if self.sizes.cell == "lstm" else (torch.tanh(cell),))

    def step(self, inputs: Tensor, state: Step) -> tuple[Tensor, Step]:
        """See ``Decoder``."""
        features, memory = self._run(self.embedding(inputs)[:, None], state.z, state.memory)
        return self.output(features, state.z, None)[:, 0], Step(state.z, memory)

    def _run(self, words: Tensor, z: Tensor | None, memory: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        if self.z_at_steps and z is not None:
            words = torch.cat([words, z[:, None].expand(-1, words.shape[1], -1)], dim=-1)
        layers = tuple(part[None] for part in memory)  # torch's recurrent layers want their number first
        if self.sizes.cell == "lstm":
            features, layers = self.recurrent(words, layers)
        else:
            features, *layers = self.recurrent(words, layers[0])
        return features, tuple(part[0] for part in layers)


class WindowDecoder(nn.Module):
    """A decoder that sees its position, z, and only the last ``context`` words; with 0 it is blind.

    What it cannot see in the words it must get from z: weaker decoders are the plainest cure of collapse (Yang 2017).
    """

    longest = 512

    def __init__(self, vocabulary_size: int, sizes: TextSizes, latent: int):
        super().__init__()
        self.sizes = sizes
        self.context = sizes.context or 0
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        self.position = nn.Embedding(self.longest, sizes.hidden)
        self.words_in = nn.Linear(self.context * sizes.embedding, sizes.hidden) if self.context else None
        self.z_in = nn.Linear(latent, sizes.hidden, bias=False) if latent and sizes.z_to != "neither" else None
        self.between = nn.Linear(sizes.hidden, sizes.hidden)
        self.output = Output(vocabulary_size, sizes, latent, self.embedding)

    def logits(self, inputs: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``. Raises ``ValueError`` for more than ``longest`` words, as ``step`` does."""
        logits: Tensor = self.output(self._features(inputs, z, noise), z, noise)
        return logits

    def log_probabilities(self, inputs: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        return self.output.log_probabilities(self._features(inputs, z, noise), targets, z, noise)

    def _features(self, inputs: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        self._check_length(inputs.shape[1])
        inputs = with_words_dropped(inputs, self.sizes.word_dropout, noise)
        positions = torch.arange(inputs.shape[1], device=inputs.device)
        # Word t sees words t - context + 1 ... t: before the first there is padding.
        padded = functional.pad(inputs, (max(self.context - 1, 0), 0), value=PAD)
        windows = padded.unfold(1, self.context, 1) if self.context else inputs.new_empty(*inputs.shape, 0)
        return self._features_of(windows, positions, z, noise)

    def start(self, z: Tensor | None, count: int) -> Step:
        """See ``Decoder``: memory is the window (batch, context) and the position (batch,), the same for all."""
        device = self.embedding.weight.device
        window = torch.full((count, self.context), PAD, device=device)
        return Step(z, (window, torch.zeros(count, dtype=torch.long, device=device)))

    def step(self, inputs: Tensor, state: Step) -> tuple[Tensor, Step]:
        """See ``Decoder``."""
        window, position = state.memory
        self._check_length(int(position[0]) + 1)
        window = torch.cat([window, inputs[:, None]], dim=1)[:, 1:]
        logits = self.output(self._features_of(window[:, None], position[:1], state.z, None), state.z, None)
        return logits[:, 0], Step(state.z, (window, position + 1))

    def _check_length(self, words: int) -> None:
        if words > self.longest:
            raise ValueError(f"inputs: a window decoder knows {self.longest} positions, got {words} words")

    def _features_of(self, windows: Tensor, positions: Tensor, z: Tensor | None, noise: Generator | None) -> Tensor:
        features = self.position(positions)[None].expand(len(windows), -1, -1)
        if self.words_in is not None:
            words = dropped(self.embedding(windows), self.sizes.dropout, noise).flatten(2)
            features = features + self.words_in(words)
        if self.z_in is not None and z is not None:
            features = features + self.z_in(z)[:, None]
        completed: Tensor = features + functional.relu(self.between(functional.relu(features)))
        return completed


def _decoder(vocabulary_size: int, sizes: TextSizes, latent: int) -> RecurrentDecoder | WindowDecoder:
    kind = RecurrentDecoder if sizes.context is None else WindowDecoder
    return kind(vocabulary_size, sizes, latent)


def dropped(values: Tensor, share: float, noise: Generator | None) -> Tensor:
    """Dropout (Srivastava 2014) whose noise comes from a passed generator; none without one."""
    if not share or noise is None:
        return values
    kept = standard_uniform(tuple(values.shape), noise, values) >= share
    return values * kept / (1 - share) if share < 1 else values * 0


def with_words_dropped(inputs: Tensor, share: float, noise: Generator | None) -> Tensor:
    """Input words (batch, time) replaced by ``<unk>`` with probability ``share``, never ``<bos>`` (Bowman 2016)."""
    if not share or noise is None:
        return inputs
    chosen = torch.rand(inputs.shape, generator=noise).to(inputs.device) < share
    return torch.where(chosen & (inputs != BOS), UNK, inputs)


def log_likelihood_of(decoder: Decoder, tokens: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
    """log p(words and ``<eos>`` given z), summed over each sentence, in nats: (batch,). Padding counts nothing."""
    return decoder.log_probabilities(tokens[:, :-1], tokens[:, 1:], z, noise).sum(1)


# --- language model ---------------------------------------------------------------------------------------------------


class LanguageModel(nn.Module):
    """p(sentence) = product of p(word given the words before it): the decoder alone (Mikolov 2010)."""

    def __init__(self, vocabulary_size: int, sizes: TextSizes | None = None):
        super().__init__()
        self.sizes = sizes or TextSizes()
        self.decoder = _decoder(vocabulary_size, self.sizes, latent=0)

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Exact log p(sentence) in nats, (batch,)."""
        return log_likelihood_of(self.decoder, tokens, None)

    def loss(self, tokens: Tensor, generator: Generator) -> Metrics:
        """NLL in nats per sentence (summed over words, mean over the batch), to be passed to ``training.Update``."""
        return {"loss": -log_likelihood_of(self.decoder, tokens, None, generator).mean()}


# --- encoders ---------------------------------------------------------------------------------------------------------


class ConvolutionEncoder(nn.Module):
    """Windows of three words, then the maximum and the mean over the sentence (after Kim 2014). Quick on a CPU.

    Pooling over the sentence is a cure of collapse in itself, see ``PooledLstmEncoder``.
    """

    def __init__(self, vocabulary_size: int, sizes: TextSizes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        self.windows = nn.Linear(3 * sizes.embedding, sizes.hidden)
        self.features: int = 2 * sizes.hidden

    def forward(self, tokens: Tensor) -> Tensor:
        """``tokens`` (batch, time) -> (batch, features)."""
        tokens = functional.pad(tokens, (0, max(0, 3 - tokens.shape[1])), value=PAD)  # sentences of no words
        words = self.embedding(tokens)
        windows = torch.cat([words[:, :-2], words[:, 1:-1], words[:, 2:]], dim=-1)
        # A window that ends in padding holds nothing that the one before it does not; a sentence of no words has features 0.
        inside = (tokens[:, 2:] != PAD)[..., None]
        hidden = functional.relu(self.windows(windows)) * inside
        mean = hidden.sum(1) / inside.sum(1).clamp_min(1)
        return torch.cat([hidden.amax(1), mean], dim=-1)


class LstmEncoder(nn.Module):
    """An LSTM's last output, at each sentence's own end (Bowman 2016)."""

    def __init__(self, vocabulary_size: int, sizes: TextSizes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, sizes.embedding)
        self.recurrent = nn.LSTM(sizes.embedding, sizes.hidden, batch_first=True)
        self.features: int = sizes.hidden

    def forward(self, tokens: Tensor) -> Tensor:
        """``tokens`` (batch, time) -> (batch, features)."""
        outputs, _ = self.recurrent(self.embedding(tokens))
        last = (tokens != PAD).sum(1) - 1
        features: Tensor = outputs[torch.arange(len(tokens), device=tokens.device), last]
        return features


class PooledLstmEncoder(LstmEncoder):
    """The maximum over all of an LSTM's outputs, feature by feature: a cure of collapse in itself (Long 2019).

    Sentences differ more in such features than in a last output, in which their beginnings have faded.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """``tokens`` (batch, time) -> (batch, features)."""
        outputs, _ = self.recurrent(self.embedding(tokens))
        return torch.where((tokens != PAD)[..., None], outputs, -torch.inf).amax(1)


ENCODERS: dict[str, type[ConvolutionEncoder | LstmEncoder]] = {
    "convolution": ConvolutionEncoder,
    "lstm": LstmEncoder,
    "pooled lstm": PooledLstmEncoder,
}


def encoder_of(vocabulary_size: int, sizes: TextSizes) -> ConvolutionEncoder | LstmEncoder:
    """The encoder that ``sizes`` ask for."""
    return ENCODERS[sizes.encoder](vocabulary_size, sizes)


# --- the text VAE -----------------------------------------------------------------------------------------------------


class TextVAE(nn.Module):
    """q(z given sentence) by an encoder, p(sentence given z) by a decoder that also sees the words before (Bowman 2016).

    ``head`` makes the posterior from the encoder's features; the default is a diagonal Gaussian.
    """

    def __init__(self, vocabulary_size: int, sizes: TextSizes | None = None, head: Head | None = None):
        super().__init__()
        self.sizes = sizes or TextSizes()
        self.vocabulary_size = vocabulary_size
        self.encoder = encoder_of(vocabulary_size, self.sizes)
        self.head = (head or GaussianHead()).built(self.encoder.features, self.sizes.latent)
        self.reset_decoder()

    def reset_decoder(self) -> "TextVAE":
        """Give the decoder new random weights, from torch's global generator as any layer (see ``training.seeded_module``).

        Returns itself.
        """
        decoder = _decoder(self.vocabulary_size, self.sizes, self.sizes.latent)
        self.decoder = decoder.to(self.encoder.embedding.weight)  # where, and of the type that, the encoder is
        return self

    def posterior(self, tokens: Tensor) -> TextPosterior:
        """The encoder's q(z given sentence), (batch, latent)."""
        posterior: TextPosterior = self.head(self.encoder(tokens))
        return posterior

    def log_likelihood(self, tokens: Tensor, z: Tensor, noise: Generator | None = None) -> Tensor:
        """log p(sentence given z) in nats. ``z``: (..., batch, latent). Returns (..., batch). ``noise``: for dropout."""
        count = math.prod(z.shape[:-2])
        repeated = tokens.repeat(count, 1)
        return log_likelihood_of(self.decoder, repeated, z.flatten(0, -2), noise).view(z.shape[:-1])
