"""What is measured of a trained text model: likelihood, information in z, collapse, reconstruction, and language."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sacrebleu
import torch
from torch import Generator, Tensor

from vae_course.probability.distributions import Gaussian, TextPosterior, VonMisesFisher
from vae_course.probability.estimators import Estimate, importance_weighted_bound
from vae_course.text.batches import PairBatches, Sentences, count_tokens, in_order
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.decoding import greedy
from vae_course.text.models import LanguageModel, TextVAE
from vae_course.text.vocabulary import Vocabulary
from vae_course.world.grammar import Language, Tokens

# --- likelihood -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Likelihood:
    """How well a model predicts each of N sentences, in nats; all tensors (N,) of float64, in the sentences' order.

    ``nll`` is exact for a language model, and for a VAE the importance-weighted estimate with ``samples`` draws, which is never
    too low on average. ``rate`` and ``distortion`` add up to the negative ELBO. ``tokens``: words and one ``<eos>`` a sentence.
    ``weighted``: how many sentences were importance weighted, where it was not all (see ``likelihood_from_some``).
    """

    nll: Tensor
    tokens: int
    samples: int = 0
    rate: Tensor | None = None
    distortion: Tensor | None = None
    weighted: int | None = None

    @property
    def nats_per_sentence(self) -> Estimate:
        """The mean NLL, with its standard error over sentences."""
        return Estimate.of(self.nll)

    @property
    def nats_per_token(self) -> float:
        """NLL / predicted tokens."""
        return float(self.nll.sum()) / self.tokens

    @property
    def perplexity(self) -> float:
        """exp(NLL / predicted tokens)."""
        return math.exp(self.nats_per_token)

    @property
    def negative_elbo(self) -> Estimate:
        """The mean of rate + distortion. Raises ``ValueError`` for a model without z."""
        if self.rate is None or self.distortion is None:
            raise ValueError("this likelihood is of a model without z: it has no ELBO, its NLL is exact")
        return Estimate.of(self.rate + self.distortion)

    def above(self, exact: Tensor) -> Estimate:
        """Mean of NLL - ``exact`` (N,), sentence by sentence: nats lost to the truth. The pairing makes its error small."""
        if exact.shape != self.nll.shape:
            raise ValueError(f"exact: expected one NLL a sentence, {tuple(self.nll.shape)}, got {tuple(exact.shape)}")
        return Estimate.of(self.nll - exact)


@torch.no_grad()
def likelihood(
    model: LanguageModel | TextVAE | SequenceToSequence | ConditionalTextVAE,
    sentences: Sentences | PairBatches,
    generator: Generator,
    samples: int = 100,
    batch_size: int = 64,
) -> Likelihood:
    """Measure a model on encoded ``sentences``: ``samples`` draws of z for each NLL (Burda 2016), one for the ELBO.

    A model of targets given sources takes ``PairBatches``, whose own batch size counts; its NLL is of the targets.
    """
    targets = sentences.targets if isinstance(sentences, PairBatches) else sentences
    columns = {name: torch.empty(len(targets), dtype=torch.float64) for name in ("nll", "rate", "distortion")}
    for rows, tokens, numbers in _batches(sentences, batch_size, device_of(model)):
        if isinstance(model, LanguageModel | SequenceToSequence):
            columns["nll"][rows] = -model.log_likelihood(tokens).double().cpu()
            continue
        q = model.posterior(tokens)
        columns["rate"][rows] = q.kl_to_prior().double().cpu()
        columns["distortion"][rows] = -model.log_likelihood(tokens, q.sample(generator)).double().cpu()
        # Logits that stay in the processor's cache are worth more than large batches of samples.
        chunk = max(1, 4_000_000 // (numbers * model.vocabulary_size))
        columns["nll"][rows] = -importance_weighted_bound(model, tokens, generator, samples, chunk).double().cpu()
    if isinstance(model, LanguageModel | SequenceToSequence):
        return Likelihood(columns["nll"], count_tokens(targets))
    return Likelihood(columns["nll"], count_tokens(targets), samples, columns["rate"], columns["distortion"])


def likelihood_from_some(model: TextVAE, sentences: Sentences, generator: Generator, samples: int, some: int) -> Likelihood:
    """``likelihood`` for large test sets: the ELBO of all ``sentences``, importance weights of ``some``, evenly spread.

    By how much the weighted NLL of these lies below their negative ELBO, on average, is taken off everybody's. That
    difference varies little from sentence to sentence, so the mean NLL is nearly as sure as if all had been weighted.
    Raises ``ValueError`` unless 2 <= some <= len(sentences).
    """
    if not 2 <= some <= len(sentences):
        raise ValueError(f"some: expected 2 to {len(sentences)} sentences, got {some}")
    whole = likelihood(model, sentences, generator, samples=1)
    spread = torch.linspace(0, len(sentences) - 1, some).round().long().tolist()
    part = likelihood(model, [sentences[row] for row in spread], generator, samples)
    saved = part.negative_elbo.value - part.nats_per_sentence.value
    assert whole.rate is not None  # a VAE's always is
    assert whole.distortion is not None
    return replace(whole, nll=whole.rate + whole.distortion - saved, samples=samples, weighted=some)


def _batches(sentences: Sentences | PairBatches, batch_size: int, device: torch.device) -> Iterator[tuple[Tensor, Any, int]]:
    """Rows, what a model reads of them, and how many numbers there are to predict, pads included."""
    if isinstance(sentences, PairBatches):
        yield from ((rows, pair, pair.target.numel()) for rows, pair in sentences.in_order())
    else:
        yield from ((rows, tokens, tokens.numel()) for rows, tokens in in_order(sentences, batch_size, device))


def exact_nll(language: Language, sentences: Sequence[Tokens]) -> Tensor:
    """-log p(sentence) under the grammar that wrote the sentences, in nats, (sentences,); infinite outside the language."""
    return torch.tensor([-language.log_probability(sentence) for sentence in sentences], dtype=torch.float64)


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a model's weights are."""
    return next(model.parameters()).device


# --- information in z -----------------------------------------------------------------------------------------------


@torch.no_grad()
def encode(model: TextVAE, sentences: Sentences, batch_size: int = 256) -> TextPosterior:
    """q(z given sentence) of every sentence, (sentences, latent), on the CPU, row i belonging to sentence i."""
    parts: list[TextPosterior] = []
    order = []
    for rows, tokens in in_order(sentences, batch_size, device_of(model)):
        parts.append(model.posterior(tokens))
        order.append(rows)
    back = torch.cat(order).argsort()
    means = torch.cat([part.mean for part in parts]).cpu()[back]
    if isinstance(parts[0], VonMisesFisher):  # one concentration for all
        return VonMisesFisher(means, parts[0].concentration)
    return Gaussian(means, torch.cat([part.log_var for part in parts if isinstance(part, Gaussian)]).cpu()[back])


@dataclass(frozen=True)
class Information:
    """How a rate divides: rate = ``mutual_information`` + ``aggregate_kl`` (Hoffman & Johnson 2016), in nats.

    ``mutual_information`` is between z and *which* of the N sentences it came from, so it is at most ``cap`` = ln N.
    ``aggregate_kl`` is KL(q(z) to p(z)), with the aggregate posterior q(z) = 1/N sum_i q(z given x_i).
    """

    mutual_information: Estimate
    aggregate_kl: Estimate
    cap: float


@torch.no_grad()
def information(q: TextPosterior, generator: Generator, chunk: int = 64) -> Information:
    """Divide the rate of the *whole* set q (N, latent) into information and mismatch, with one draw of z for each sentence.

    I = E[log q(z given x) - log q(z)]; every draw is compared with all N posteriors. Inside batches of 32 the result
    could never exceed ln 32.
    """
    if isinstance(q, Gaussian):
        q = Gaussian(q.mean.double(), q.log_var.double())
    else:
        q = VonMisesFisher(q.direction.double(), q.concentration)
    z = q.sample(generator)
    log_own = q.log_density(z)
    log_aggregate = torch.cat([q.log_density(part[:, None]).logsumexp(-1) for part in z.split(chunk)]) - math.log(len(z))
    return Information(
        Estimate.of(log_own - log_aggregate), Estimate.of(log_aggregate - q.prior.log_density(z)), math.log(len(z))
    )


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """How many coordinates' posterior means (N, latent) have a variance above ``threshold`` over the corpus (Burda 2016)."""
    return int((means.var(dim=0) > threshold).sum())


@dataclass(frozen=True)
class Ablation:
    """Distortion in nats per sentence when the decoder gets the sentence's own z, another sentence's, or one from the prior."""

    own: Estimate
    shuffled: Estimate
    prior: Estimate


@torch.no_grad()
def ablation(model: TextVAE, sentences: Sentences, generator: Generator, batch_size: int = 256) -> Ablation:
    """Three distortions of the same sentences; if they agree the decoder ignores z, whatever the rate."""
    q = encode(model, sentences)
    z = {"own": q.sample(generator)}
    circle = torch.randperm(len(sentences), generator=generator)
    z["shuffled"] = z["own"][circle.roll(1)[circle.argsort()]]  # from one's neighbour, so that nobody gets their own
    z["prior"] = q.prior.sample(generator)
    result = {name: torch.empty(len(sentences), dtype=torch.float64) for name in z}
    for rows, tokens in in_order(sentences, batch_size, device_of(model)):
        for name, draws in z.items():
            result[name][rows] = -model.log_likelihood(tokens, draws[rows].to(tokens.device)).double().cpu()
    return Ablation(**{name: Estimate.of(values) for name, values in result.items()})


# --- reconstruction and language --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reconstruction:
    """Greedy reconstructions from the posterior means: the share that is exactly the sentence, and BLEU (0-100, sacrebleu)."""

    sentences: list[Tokens]
    exact: float
    bleu: float


def reconstruction(model: TextVAE, sentences: Sentences, vocabulary: Vocabulary) -> Reconstruction:
    """Encode, take the posterior's mean (for a point on a sphere its direction), and decode greedily."""
    originals = [vocabulary.decode(sentence) for sentence in sentences]
    z = encode(model, sentences).mean.to(device_of(model))
    longest = max(map(len, sentences))
    written = [vocabulary.decode(row) for part in z.split(512) for row in greedy(model.decoder, part, longest=longest)]
    exact = sum(a == b for a, b in zip(originals, written, strict=True)) / len(originals)
    # Both sides are tokenized already, and alike.
    bleu = sacrebleu.corpus_bleu(
        [" ".join(w) for w in written], [[" ".join(o) for o in originals]], tokenize="none", force=True
    )
    return Reconstruction(written, exact, bleu.score)


def share_in_language(sentences: Sequence[Tokens], language: Language) -> float:
    """The share of ``sentences`` that the grammar accepts. Raises ``ValueError`` without sentences."""
    if not sentences:
        raise ValueError("sentences: expected at least one")
    return sum(language.recognize(sentence) is not None for sentence in sentences) / len(sentences)


def facts_kept(originals: Sequence[Tokens], written: Sequence[Tokens], language: Language) -> dict[str, float]:
    """For each factor, the share of ``written`` that states it as its original does; outside the language nothing is kept.

    Raises ``ValueError`` without originals, and if one is not in the language.
    """
    if not originals:
        raise ValueError("originals: expected at least one sentence")
    kept = dict.fromkeys((factor.name for factor in language.prior.factors), 0)
    for number, (original, copy) in enumerate(zip(originals, written, strict=True)):
        truth, found = language.recognize(original), language.recognize(copy)
        if truth is None:
            raise ValueError(f"original {number} is not a sentence of {language.name}: {' '.join(original)}")
        for name in kept:
            kept[name] += found is not None and found.facts[name] == truth.facts[name]
    return {name: count / len(originals) for name, count in kept.items()}


@torch.no_grad()
def posterior_means(model: TextVAE, tokens: Tensor, points: int = 31) -> Tensor:
    """Where a model of one latent puts each sentence (He 2019): the means of p(z given x) and q(z given x), (2, sentences).

    The first is Bayes' rule on a grid of ``points`` from -4 to 4, prior N(0, 1). Raises ``ValueError`` for more latents.
    """
    if model.sizes.latent != 1:
        raise ValueError(f"model: a grid needs one latent, got {model.sizes.latent}")
    grid = torch.linspace(-4, 4, points, device=tokens.device)
    log_likelihood = model.log_likelihood(tokens, grid[:, None, None].expand(-1, len(tokens), 1))
    weights = torch.softmax(log_likelihood - grid[:, None].square() / 2, dim=0)
    return torch.stack([(weights * grid[:, None]).sum(0), model.posterior(tokens).mean[:, 0]]).cpu()
