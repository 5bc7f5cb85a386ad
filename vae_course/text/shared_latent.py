"""One latent for several languages: whatever reads, whatever writes (Shi 2019)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from vae_course.probability.distributions import Gaussian
from vae_course.text.batches import FixedSteps, Pair, PairBatches, SentenceBatches, Sentences, pad
from vae_course.text.decoding import greedy
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import Schedule, linear_annealing
from vae_course.training import History, Metrics, Update, seeded, seeded_module, train

Group = Mapping[str, Tensor]  # language -> token numbers (batch, time): the same sentences, told in each of the languages


class SharedLatent(nn.Module):
    """A text VAE for each language, all around one z: whatever reads, whatever writes (mixture of experts, Shi 2019).

    ``vocabularies``: language -> size of its vocabulary.
    """

    def __init__(self, vocabularies: Mapping[str, int], sizes: TextSizes):
        super().__init__()
        self.vaes = nn.ModuleDict({language: TextVAE(size, sizes) for language, size in vocabularies.items()})

    def vae(self, language: str) -> TextVAE:
        """The reader and writer of ``language``. Raises ``ValueError`` for one that the model does not know."""
        if language not in self.vaes:
            raise ValueError(f"language: expected one of {', '.join(self.vaes)}, got {language!r}")
        return self.vaes[language]  # type: ignore[return-value]

    def posterior(self, language: str, tokens: Tensor) -> Gaussian:
        """q(z given a sentence of ``language``), (batch, latent)."""
        q = self.vae(language).posterior(tokens)
        assert isinstance(q, Gaussian)
        return q

    @torch.no_grad()
    def translate(self, sentences: Sentences, source: str, target: str, longest: int = 60) -> list[list[int]]:
        """Read encoded ``sentences`` in one language, write greedily in another, from the posterior's mean."""
        tokens = pad(sentences, next(self.parameters()).device)
        return greedy(self.vae(target).decoder, self.posterior(source, tokens).mean, longest=longest)


class SharedElbo(nn.Module):
    """What a ``SharedLatent`` minimizes, over groups of sentences that say the same in one or more languages (Shi 2019).

    Each language of a group reads, and from its z all of them are written, its own too: distortion + kl_weight * rate, the mean
    over who reads. Because each writer understands all readers that it has met, they learn to put a fact into the same place.
    """

    step: Tensor

    def __init__(self, model: SharedLatent, kl_weight: Schedule):
        super().__init__()
        self.model, self.kl_weight = model, kl_weight
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def loss(self, groups: Sequence[Group], generator: Generator) -> Metrics:
        """The sum over groups, in nats per sentence; counts the step."""
        parts = [self._parts(group, generator) for group in groups]
        distortion, rate = (torch.stack(column).sum() for column in zip(*parts, strict=True))
        loss = distortion + self.kl_weight(int(self.step)) * rate
        self.step += 1
        return {"loss": loss, "distortion": distortion, "rate": rate}

    def _parts(self, group: Group, generator: Generator) -> tuple[Tensor, Tensor]:
        distortion, rate = [], []
        for language, tokens in group.items():
            q = self.model.posterior(language, tokens)
            z = q.sample(generator)
            written = [self.model.vae(other).log_likelihood(told, z, generator) for other, told in group.items()]
            distortion.append(-torch.stack(written).sum(0).mean())
            rate.append(q.kl_to_prior().mean())
        return torch.stack(distortion).mean(), torch.stack(rate).mean()


@dataclass(frozen=True)
class Groups:
    """Batches for ``SharedElbo``, one of each kind at a step. ``kinds``: languages, and the batches of their texts."""

    kinds: Sequence[tuple[tuple[str, ...], PairBatches | SentenceBatches]]
    steps: int

    def __len__(self) -> int:
        return self.steps

    def epoch(self, generator: Generator) -> Iterator[list[Group]]:
        """``steps`` lists of groups, each kind shuffled anew as often as needed."""
        streams = [FixedSteps(batches, self.steps).epoch(generator) for _, batches in self.kinds]
        for parts in zip(*streams, strict=True):
            texts = [part if isinstance(part, Pair) else (part,) for part in parts]
            yield [dict(zip(names, text, strict=True)) for (names, _), text in zip(self.kinds, texts, strict=True)]


def train_shared(
    kinds: Sequence[tuple[tuple[str, ...], PairBatches | SentenceBatches]],
    vocabularies: Mapping[str, int],
    sizes: TextSizes,
    steps: int,
    *,
    learning_rate: float = 6e-3,
    kl_weight: float = 0.5,
    seed: int = 0,
    device: torch.device | None = None,
) -> tuple[SharedLatent, History]:
    """Train a ``SharedLatent`` on ``steps`` batches of each of the ``kinds``; weight of the KL rises in the first half."""
    model = seeded_module(seed, lambda: SharedLatent(vocabularies, sizes)).to(device)
    objective = SharedElbo(model, linear_annealing(max(1, steps // 2), kl_weight)).to(device)
    update = Update.adam(objective, objective.loss, learning_rate, decay_over=steps, max_norm=5.0)
    parts = min(10, steps)
    return model, train(update, Groups(kinds, steps // parts), epochs=parts, generator=seeded(seed))
