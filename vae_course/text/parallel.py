"""Writing all words at once, with z and without it: no place of the sentence sees what another writes (Gu 2018, Shu 2020)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course.text.batches import Pair, pad
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence, Source
from vae_course.text.models import Output, Step, TextSizes, chosen, log_likelihood_of
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import Metrics


class ParallelDecoder(nn.Module):
    """Every place of the sentence decides on its own word, all at the same time: no place sees what another writes.

    p(target given source, z) is the product over places of p(word at this place given source, z), up to the first ``<eos>``
    (non-autoregressive: Gu 2018). A place knows its number, the source's summary and z, and attends to the source once.
    ``latent`` 0: without z.
    """

    def __init__(self, vocabulary_size: int, sizes: TextSizes, latent: int, longest: int = 64):
        super().__init__()
        self.longest = longest
        self.places = nn.Embedding(longest, sizes.hidden)
        self.whole = nn.Linear(sizes.hidden + latent, sizes.hidden)
        self.plan = nn.Linear(sizes.hidden, sizes.hidden)
        self.query = nn.Linear(sizes.hidden, sizes.hidden, bias=False)
        self.mixed = nn.Linear(2 * sizes.hidden, sizes.hidden)
        self.last = nn.Linear(sizes.hidden, sizes.hidden)
        self.output = Output(vocabulary_size, sizes, latent, nn.Embedding(vocabulary_size, sizes.embedding))
        nn.init.normal_(self.places.weight, std=3.0)  # so that places differ more than sentences do

    def forward(self, places: Tensor, source: Source, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """Numbers of places (places,), z (batch, latent) -> logits (batch, places, vocabulary).

        Raises ``ValueError`` for a place that the decoder does not know.
        """
        if int(places.max()) >= self.longest:
            raise ValueError(f"places: this decoder knows {self.longest} places, got number {int(places.max())}")
        whole = self.whole(source.summary if z is None else torch.cat([source.summary, z], dim=-1))
        features = functional.relu(self.places(places) + whole[:, None])
        features = features + functional.relu(self.plan(features))
        match = self.query(features) @ source.states.mT / math.sqrt(features.shape[-1])
        weights = match.masked_fill(~source.inside[:, None], -torch.inf).softmax(-1)
        mixed = functional.relu(self.mixed(torch.cat([features, weights @ source.states], dim=-1)))
        logits: Tensor = self.output(mixed + functional.relu(self.last(mixed)), z, noise)
        return logits


@dataclass(frozen=True)
class ParallelWriter:
    """A ``ParallelDecoder`` with its sources, as a ``Decoder`` like any other: it ignores the words that it is shown.

    So ``decoding`` can write with it word by word; ``at_once`` gives what ``greedy`` gives, in one step.
    """

    decoder: ParallelDecoder
    source: Source

    def logits(self, inputs: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``: only the number of ``inputs`` matters."""
        logits: Tensor = self.decoder(torch.arange(inputs.shape[1], device=inputs.device), self.source, z, noise)
        return logits

    def log_probabilities(self, inputs: Tensor, targets: Tensor, z: Tensor | None, noise: Generator | None = None) -> Tensor:
        """See ``Decoder``."""
        return chosen(self.logits(inputs, z, noise), targets)

    def start(self, z: Tensor | None, count: int) -> Step:
        """See ``Decoder``. Raises ``ValueError`` for a number of sentences other than that of sources."""
        if count != len(self.source.summary):
            raise ValueError(f"expected one sentence for each of the {len(self.source.summary)} sources, got {count}")
        return Step(z, (torch.zeros(count, dtype=torch.long, device=self.source.inside.device), *self.source))

    def step(self, inputs: Tensor, state: Step) -> tuple[Tensor, Step]:
        """See ``Decoder``: memory is the number of the place, the same for all, and the source."""
        place, *read = state.memory
        source = Source(*read)
        logits: Tensor = self.decoder(place[:1], source, state.z)
        return logits[:, 0], Step(state.z, (place + 1, *source))

    def at_once(self, z: Tensor | None) -> list[list[int]]:
        """The likeliest word at each place, up to the first ``<eos>``: one sentence a source, as from ``greedy``."""
        with torch.no_grad():
            places = torch.arange(self.decoder.longest, device=self.source.inside.device)
            rows = self.decoder(places, self.source, z).argmax(-1).tolist()
        return [row[: row.index(EOS)] if EOS in row else row for row in rows]


class ParallelTranslator(SequenceToSequence):
    """All words at once and no z: each word is right on average, with nothing to make them agree."""

    def __init__(self, source_vocabulary: int, target_vocabulary: int, sizes: TextSizes | None = None, longest: int = 64):
        super().__init__(source_vocabulary, target_vocabulary, sizes)
        self.decoder = ParallelDecoder(target_vocabulary, self.sizes, 0, longest)  # type: ignore[assignment]

    def writer(self, sources: Tensor, noise: Generator | None = None) -> ParallelWriter:
        """The decoder that writes from ``sources`` (batch, time)."""
        return ParallelWriter(self.decoder, self.reader(sources, noise))  # type: ignore[arg-type]

    def loss(self, pair: Pair, generator: Generator) -> Metrics:
        """See ``SequenceToSequence``."""
        return {"loss": -log_likelihood_of(self.writer(pair.source, generator), pair.target, None, generator).mean()}


class ParallelTextVAE(ConditionalTextVAE):
    """All words at once, given z (Shu 2020, with one z a sentence): z settles order and wording for all places together."""

    def __init__(self, source_vocabulary: int, target_vocabulary: int, sizes: TextSizes | None = None, longest: int = 64):
        super().__init__(source_vocabulary, target_vocabulary, sizes)
        self.decoder = ParallelDecoder(target_vocabulary, self.sizes, self.sizes.latent, longest)  # type: ignore[assignment]

    def writer(self, sources: Tensor) -> ParallelWriter:
        """The decoder that writes from ``sources`` (batch, time) and z."""
        return ParallelWriter(self.decoder, self.reader(sources))  # type: ignore[arg-type]

    def log_likelihood(self, pair: Pair, z: Tensor, noise: Generator | None = None) -> Tensor:
        """See ``ConditionalTextVAE``."""
        count = math.prod(z.shape[:-2])
        writer = ParallelWriter(self.decoder, self.reader(pair.source, noise).repeated(count))  # type: ignore[arg-type]
        return log_likelihood_of(writer, pair.target.repeat(count, 1), z.flatten(0, -2), noise).view(z.shape[:-1])

    @torch.no_grad()
    def refined(self, sources: Tensor, written: Sequence[Sequence[int]]) -> list[list[int]]:
        """Read what was written back into z and write again, from the mean of q(z given source, written) (Shu 2020)."""
        again = pad([[BOS, *words, EOS] for words in written], sources.device)
        return self.writer(sources).at_once(self.posterior(Pair(sources, again)).mean)
