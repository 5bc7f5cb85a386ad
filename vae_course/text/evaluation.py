"""What is measured of a trained text model: likelihood, information in z, collapse, reconstruction, and language."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sacrebleu
import torch
from torch import Generator, Tensor

from vae_course.probability.distributions import Gaussian, TextPosterior, VonMisesFisher
from vae_course.probability.estimators import Estimate, importance_weighted
from vae_course.text.batches import PairBatches, Sentences, count_tokens, in_order
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.decoding import greedy
from vae_course.text.models import LanguageModel, TextVAE
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import device_of
from vae_course.world.grammar import Language, Tokens

# --- likelihood -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Likelihood:
    """How well a model predicts each of N sentences, in nats; all tensors (N,) of float64, in the sentences' order.

    ``nll`` is exact for a language model, and for a VAE the importance-weighted estimate with ``samples`` draws, which is never
    too low on average. ``rate`` and ``distortion`` add up to the negative ELBO. ``tokens``: words and one ``<eos>`` a sentence.
    ``weighted``: how many sentences were importance weighted, where it was not all (see ``likelihood_from_some``).
    ``effective``: the effective sample size of each sentence's weights, of at most ``samples``. Where it is near 1 the proposal
    failed, and the NLL is no estimate but a bound that may be far above.
    """

    nll: Tensor
    tokens: int
    samples: int = 0
    rate: Tensor | None = None
    distortion: Tensor | None = None
    weighted: int | None = None
    effective: Tensor | None = None

    def share_below(self, effective: float) -> float:
        """The share of sentences whose effective sample size is below ``effective``.

        Raises ``ValueError`` for a model without z, whose NLL is exact.
        """
        if self.effective is None:
            raise ValueError("this likelihood is of a model without z: its NLL is exact, there are no weights")
        return float((self.effective < effective).double().mean())

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
    from_prior: int = 0,
) -> Likelihood:
    """Measure a model on encoded ``sentences``: ``samples`` draws of z for each NLL (Burda 2016), one for the ELBO.

    A model of targets given sources takes ``PairBatches``, whose own batch size counts; its NLL is of the targets.
    ``from_prior`` of the draws come from the prior, not from the encoder, see ``estimators.importance_weighted``.
    """
    targets = sentences.targets if isinstance(sentences, PairBatches) else sentences
    columns = {name: torch.empty(len(targets), dtype=torch.float64) for name in ("nll", "rate", "distortion", "effective")}
    for rows, tokens, numbers in _batches(sentences, batch_size, device_of(model)):
        if isinstance(model, LanguageModel | SequenceToSequence):
            columns["nll"][rows] = -model.log_likelihood(tokens).double().cpu()
            continue
        q = model.posterior(tokens)
        columns["rate"][rows] = q.kl_to_prior().double().cpu()
        columns["distortion"][rows] = -model.log_likelihood(tokens, q.sample(generator)).double().cpu()
        # Logits that stay in the processor's cache are worth more than large batches of samples. An adaptive softmax computes
        # those of the common words, and few others.
        logits = model.sizes.cutoffs[0] if model.sizes.cutoffs else model.vocabulary_size
        chunk = max(1, 4_000_000 // (numbers * logits))
        weighted = importance_weighted(model, tokens, generator, samples, chunk, from_prior)
        columns["nll"][rows] = -weighted.bound.double().cpu()
        columns["effective"][rows] = weighted.effective.double().cpu()
    if isinstance(model, LanguageModel | SequenceToSequence):
        return Likelihood(columns["nll"], count_tokens(targets))
    rate, distortion, effective = columns["rate"], columns["distortion"], columns["effective"]
    return Likelihood(columns["nll"], count_tokens(targets), samples, rate, distortion, effective=effective)


def likelihood_from_some(model: TextVAE, sentences: Sentences, generator: Generator, samples: int, some: int) -> Likelihood:
    """``likelihood`` for large test sets: the ELBO of all ``sentences``, importance weights of ``some``, evenly spread.

    By how much the weighted NLL of these lies below their negative ELBO, on average, is taken off everybody's; ``effective``
    is of these only, (some,). That
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
    return replace(whole, nll=whole.rate + whole.distortion - saved, samples=samples, weighted=some, effective=part.effective)


def _batches(sentences: Sentences | PairBatches, batch_size: int, device: torch.device) -> Iterator[tuple[Tensor, Any, int]]:
    """Rows, what a model reads of them, and how many numbers there are to predict, pads included."""
    if isinstance(sentences, PairBatches):
        yield from ((rows, pair, pair.target.numel()) for rows, pair in sentences.in_order())
    else:
        yield from ((rows, tokens, tokens.numel()) for rows, tokens in in_order(sentences, batch_size, device))


def exact_nll(language: Language, sentences: Sequence[Tokens]) -> Tensor:
    """-log p(sentence) under the grammar that wrote the sentences, in nats, (sentences,); infinite outside the language."""
    return torch.tensor([-language.log_probability(sentence) for sentence in sentences], dtype=torch.float64)


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
    ``aggregate_kl`` is KL(q(z) to p(z)), with the aggregate posterior q(z) = 1/N sum_i q(z given x_i). Of these N sentences
    both are unbiased. Of the source they came from they are not: the nearer the rate comes to ln N, the more is missing from
    the first and found in the second. ``information_bounds`` and ``without_mismatch`` tell how much.
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
    q = _doubled(q)
    z = q.sample(generator)
    log_own = q.log_density(z)
    log_aggregate = torch.cat([q.log_density(part[:, None]).logsumexp(-1) for part in z.split(chunk)]) - math.log(len(z))
    return Information(
        Estimate.of(log_own - log_aggregate), Estimate.of(log_aggregate - q.prior.log_density(z)), math.log(len(z))
    )


@dataclass(frozen=True)
class InformationBounds:
    """Two estimates, in nats, between which the mutual information of z and sentence lies on average (Poole 2019, section 2).

    Both compare draws of z with the posteriors of ``sentences`` sentences from the same source. ``lower`` counts a draw's own
    posterior among these, so it is at most ``cap`` = ln(sentences), as ``Information.mutual_information``. ``upper`` leaves the
    own one out: it has no cap, and may exceed the rate, which is an upper bound too. ``aggregate_kl`` is what they leave of the
    rate for KL(q(z) to p(z)): (at least, at most).
    """

    lower: Estimate
    upper: Estimate
    rate: float
    sentences: int

    @property
    def cap(self) -> float:
        """What ``lower`` can be at most."""
        return math.log(self.sentences)

    @property
    def aggregate_kl(self) -> tuple[float, float]:
        """Smallest and largest mismatch of q(z) and p(z) that the bounds allow, never below 0."""
        return max(0.0, self.rate - self.upper.value), max(0.0, self.rate - self.lower.value)


@torch.no_grad()
def information_bounds(
    q: TextPosterior, generator: Generator, others: TextPosterior | None = None, chunk: int = 64
) -> InformationBounds:
    """Bounds of the information that z has about a sentence of the source, with one draw of z for each of q (N, latent).

    ``others`` (M, latent): posteriors of further sentences of the same source, which narrow the bounds and raise the lower
    one's cap from ln N to ln(N + M). Raises ``ValueError`` for fewer than two sentences, or for ``others`` of another kind.
    """
    if len(q.mean) < 2:
        raise ValueError(f"q: leaving one's own posterior out needs two at least, got {len(q.mean)}")
    among = _joined(_doubled(q), None if others is None else _doubled(others))
    q = _doubled(q)
    z = q.sample(generator)
    lower, upper, count = [], [], len(among.mean)
    log_own = q.log_density(z)
    for rows in torch.arange(len(z)).split(chunk):
        log_density = _log_densities(among, z[rows])  # (chunk, N + M)
        place, own = torch.arange(len(rows)), log_own[rows]
        log_density[place, rows] = own  # directly, since the narrowest posteriors lose digits in products of matrices
        lower.append(own - log_density.logsumexp(1) + math.log(count))
        log_density[place, rows] = -math.inf
        upper.append(own - log_density.logsumexp(1) + math.log(count - 1))
    return InformationBounds(Estimate.of(torch.cat(lower)), Estimate.of(torch.cat(upper)), float(q.kl_to_prior().mean()), count)


def _doubled(q: TextPosterior) -> TextPosterior:
    if isinstance(q, Gaussian):
        return Gaussian(q.mean.double(), q.log_var.double())
    return VonMisesFisher(q.direction.double(), q.concentration)


def _joined(q: TextPosterior, others: TextPosterior | None) -> TextPosterior:
    if others is None:
        return q
    if isinstance(q, Gaussian) and isinstance(others, Gaussian):
        return Gaussian(torch.cat([q.mean, others.mean]), torch.cat([q.log_var, others.log_var]))
    if isinstance(q, VonMisesFisher) and isinstance(others, VonMisesFisher) and q.concentration == others.concentration:
        return VonMisesFisher(torch.cat([q.direction, others.direction]), q.concentration)
    raise ValueError(f"others: expected posteriors of the kind of q, {type(q).__name__}, got {type(others).__name__}")


def _log_densities(q: TextPosterior, z: Tensor) -> Tensor:
    """log q_j(z_i), (draws, posteriors): as ``log_density``, by products of matrices, many times quicker. In float64 only."""
    if not isinstance(q, Gaussian):
        return q.log_density(z[:, None])
    precision = (-q.log_var).exp()
    constant = -0.5 * (math.log(2 * math.pi) + q.log_var + q.mean.square() * precision).sum(-1)
    return constant + z @ (q.mean * precision).T - 0.5 * z.square() @ precision.T


def without_mismatch(q: TextPosterior, generator: Generator) -> TextPosterior:
    """Posteriors with the rates of q (N, latent) whose aggregate is *exactly* the prior: what estimators say of these is bias.

    Gaussian: coordinate d has the mean rate r_d of q's. Its std is exp(-r_d) for all sentences, and its means are drawn from
    N(0, 1 - std^2), so that a draw of z is one of N(0, 1), and the information is the rate, sum_d r_d. Von Mises-Fisher: the
    directions are drawn uniformly. ``information`` of the result has the rate as its true mutual information and 0 as its true
    ``aggregate_kl``; by how much it misses them, at this rate and this N, is the bias of the estimator for want of sentences.
    """
    if isinstance(q, VonMisesFisher):
        return VonMisesFisher(q.prior.sample(generator), q.concentration)
    rates = q.kl_to_prior_per_dimension().mean(0).clamp_min(0)
    std = (-rates).exp()
    means = (1 - std.square()).clamp_min(0).sqrt() * Gaussian.standard(q.mean).sample(generator)
    return Gaussian(means, (-2 * rates).expand_as(means))


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


def writing_shares(sentences: Sequence[Tokens], seen: Collection[Tokens], language: Language | None) -> dict[str, Estimate]:
    """Of what a writer wrote: the shares that are accepted, that are accepted and new, and that differ from all before.

    Accepted is what the grammar of ``language`` reads, new what is not among ``seen``. Without a language nobody can say what
    is accepted, and only the shares of what is new and different are told. Raises ``ValueError`` for fewer than two sentences.
    """
    accepted = [language is None or language.recognize(sentence) is not None for sentence in sentences]
    new = [sentence not in seen for sentence in sentences]
    so_far: set[Tokens] = set()
    different = []
    for sentence in sentences:
        different.append(sentence not in so_far)
        so_far.add(sentence)
    accepted_and_new = [a and b for a, b in zip(accepted, new, strict=True)]  # a slip is no new sentence
    columns = {"accepted": accepted, "accepted and new": accepted_and_new, "different": different}
    if language is None:
        columns = {"new": new, "different": different}
    return {name: Estimate.of(torch.tensor(column, dtype=torch.float64)) for name, column in columns.items()}


def refused(sentences: Sequence[Tokens], language: Language) -> tuple[list[Tokens], list[Tokens]]:
    """What the language refuses, by the reason: no sentence by its grammar, and a sentence of facts that never go together."""
    ungrammatical: list[Tokens] = []
    impossible: list[Tokens] = []
    for sentence in sentences:
        if language.recognize(sentence) is None:
            read = any(parse.end == len(sentence) for parse in language.grammar.parse(sentence, 0, {}))
            (impossible if read else ungrammatical).append(sentence)
    return ungrammatical, impossible


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
