"""What counting alone makes of a text, as a yardstick for what is trained on a text of one's own, and a plain verdict."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vae_course.probability.estimators import Estimate
from vae_course.text.batches import PairBatches, Sentences, count_tokens
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.corpora import Corpus, SplitName
from vae_course.text.evaluation import Likelihood, likelihood
from vae_course.text.models import LanguageModel, TextVAE
from vae_course.training import History, device_of, seeded

Model = LanguageModel | TextVAE | SequenceToSequence | ConditionalTextVAE
Context = tuple[int, ...]
NEVER_PREDICTED = 2  # <pad> and <bos>
MEASURED = 500  # sentences of train, evenly spread, that train's perplexities are measured on
FEW = 200  # test sentences; with fewer all figures are rough


@dataclass(frozen=True)
class CountedNgrams:
    """A language model by counting: how often each token followed the ``order`` - 1 tokens before it, fewer mixed in.

    What is counted for an order holds all that the lower ones need.

    Interpolated Witten-Bell smoothing (Witten & Bell 1991, method C, as Chen & Goodman 1998 describe it): where a context was
    seen n times, followed by t different tokens,

        p(w given context) = (count(context, w) + t p(w given the context without its first token)) / (n + t),

    and below the empty context all tokens that can be predicted are equally likely. It has nothing to tune.
    """

    order: int
    vocabulary_size: int
    followers: Mapping[Context, Counter[int]]

    @classmethod
    def of(cls, sentences: Sentences, order: int, vocabulary_size: int) -> "CountedNgrams":
        """Count encoded ``sentences``. Raises ``ValueError`` for an order below 1."""
        if order < 1:
            raise ValueError(f"order: expected at least 1, got {order}")
        followers: defaultdict[Context, Counter[int]] = defaultdict(Counter)
        for sentence in sentences:
            for place in range(1, len(sentence)):
                for length in range(min(order, place + 1)):
                    followers[tuple(sentence[place - length : place])][sentence[place]] += 1
        return cls(order, vocabulary_size, dict(followers))

    def probability(self, token: int, before: Sequence[int]) -> float:
        """p(``token`` given the tokens ``before`` it, of which the last ``order`` - 1 count)."""
        p = 1 / (self.vocabulary_size - NEVER_PREDICTED)
        for length in range(min(self.order, len(before) + 1)):
            seen = self.followers.get(tuple(before[len(before) - length :]))
            if seen is None:  # nor was any longer one
                break
            p = (seen[token] + len(seen) * p) / (seen.total() + len(seen))
        return p

    def nll(self, sentences: Sentences) -> Tensor:
        """-log p of each encoded sentence, ``<eos>`` included, in nats: (sentences,) of float64."""
        rows = [[self.probability(row[place], row[:place]) for place in range(1, len(row))] for row in sentences]
        return torch.stack([-torch.tensor(row, dtype=torch.float64).log().sum() for row in rows])


def beside_counting(
    models: Mapping[str, tuple[Model, History]], text: Corpus, *, batch_size: int = 32, source: Corpus | None = None
) -> str:
    """Models trained on a text of one's own, beside unigrams and trigrams: perplexities, passes, and whether it was enough.

    ``models``: by name, each with the history of its training in batches of ``batch_size``. ``source``: what models of ``text``
    given another text read. The NLL of models with z is a bound, by 20 draws, and called so.
    """
    size, train_size = len(text.vocabulary), len(text.train)
    train, test = _Part.of(text, source, "train", MEASURED), _Part.of(text, source, "test", 2 * MEASURED)
    lines = [
        f"Your text, beside counting: {train_size:,} {'pairs' if source else 'sentences'} to train on, "
        f"{len(text.test):,} to test on, {size:,} different tokens",
        _row("perplexity per token", "train", "test", "steps", "passes"),
    ]
    trigrams = CountedNgrams.of(text.encoded("train"), 3, size)
    for name, ngrams in {"unigrams": replace(trigrams, order=1), "trigrams": trigrams}.items():
        priced = [Likelihood(ngrams.nll(part.written), count_tokens(part.written)) for part in (train, test)]
        lines.append(_row(f"{name}, counted", *(f"{one.perplexity:,.1f}" for one in priced)))
    yardstick, verdicts = trigrams.nll(test.written), []
    for name, (model, history) in models.items():
        on_train, on_test = train.priced_by(model), test.priced_by(model)
        steps = history.steps * (history.best_epoch or history.epochs) // history.epochs
        bound = name if on_test.rate is None else f"{name}, at most"
        columns = f"{on_train.perplexity:,.1f}", f"{on_test.perplexity:,.1f}", f"{steps:,}"
        lines.append(_row(bound, *columns, f"{steps * batch_size / train_size:.1f}"))
        verdicts.append(_verdict(name, on_train, on_test, on_test.above(yardstick), history))
    if len(text.test) < FEW:
        verdicts.append(f"With only {len(text.test):,} test sentences all these figures are rough.")
    return "\n".join(lines + verdicts)


def _row(name: str, *columns: str) -> str:
    return f"{name:34}" + "".join(f"{column:>10}" for column in columns)


@dataclass(frozen=True)
class _Part:
    """The sentences of a split that are measured, alone or with what they are to be written from."""

    written: Sentences
    given: Sentences | None

    @classmethod
    def of(cls, text: Corpus, source: Corpus | None, split: SplitName, most: int) -> "_Part":
        """At most ``most`` of them, evenly spread."""
        written = text.encoded(split)
        step = -(-len(written) // most)
        return cls(written[::step], source.encoded(split)[::step] if source is not None else None)

    def priced_by(self, model: Model) -> Likelihood:
        """Their likelihood under ``model``."""
        if self.given is None:
            return likelihood(model, self.written, seeded(0), samples=20)
        return likelihood(model, PairBatches(self.given, self.written, 64, device_of(model)), seeded(0), samples=20)


def _verdict(name: str, on_train: Likelihood, on_test: Likelihood, above_trigrams: Estimate, history: History) -> str:
    """Whether a model that was trained knows more of a text than its trigrams tell, in a sentence or two."""
    overfitted = on_test.nats_per_token - on_train.nats_per_token > 1
    margin = 2 * above_trigrams.standard_error
    told = "worse" if above_trigrams.value - margin > 0 else "not clearly better"
    if above_trigrams.value + margin < 0:
        said = "So it has learned what counting cannot." + " (And it knows its training text far better.)" * overfitted
    elif history.best_epoch in (None, history.epochs):
        said = f"That is {told}, but it was still getting better when its steps were used up."
    elif overfitted:
        said = (
            f"That is {told}, and it knows its training text far better than new sentences: this text is too small for it. "
            "What it writes, and what is measured of it below, says little."
        )
    else:
        said = f"That is {told}, and more steps did not help: to count is as good as this model, on this text."
    return f"{name}, nats a test sentence above trigrams: {above_trigrams}. {said}"
