"""Translation: writing all words at once, one latent for several languages, and the scores of both.

The models with attention, with and without z, are in ``conditional``. A text is a tuple of tokens, a batch token numbers
(batch, time).
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sacrebleu
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course import corpora
from vae_course.batches import FixedSteps, Pair, PairBatches, SentenceBatches, Sentences, pad
from vae_course.conditional import ConditionalTextVAE, SequenceToSequence, Source
from vae_course.corpora import Corpus, TokenKind
from vae_course.cures import Budget, fit
from vae_course.decoding import greedy
from vae_course.distributions import Gaussian
from vae_course.grammar import Language, Recognized, Tokens
from vae_course.measurements import kept, made_by, write
from vae_course.objectives import NegativeElbo, Schedule, free_bits, linear_annealing
from vae_course.text_models import Output, Step, TextSizes, TextVAE, chosen, log_likelihood_of
from vae_course.training import History, Metrics, Update, seeded, seeded_module, train
from vae_course.vocabulary import BOS, EOS, Characters, Subwords, Tokenizer, Vocabulary, Words
from vae_course.world import LANGUAGE_NAMES, WORLD

# --- two sides of a text ----------------------------------------------------------------------------------------------


def sides(
    name: str | Path,
    languages: tuple[str, str] | None = None,
    tokens: tuple[TokenKind, TokenKind] = ("word", "word"),
    *,
    subwords: int | None = None,
    folder: str | Path | None = None,
) -> tuple[Corpus, Corpus]:
    """Sources and targets as two corpora whose sentences belong together, row by row; ``name`` as in ``corpora.pairs``.

    ``tokens``: "word", "character" or "subword" for each side; ``subwords``: how many to learn, for both sides together
    (Sennrich 2016). ``folder`` and what is raised: as in ``corpora.pairs``; also ``ValueError`` for a missing ``subwords``.
    """
    if "subword" in tokens and subwords is None:
        raise ValueError("subwords: say how many are to be learned, for example subwords=4000")
    pairs = corpora.pairs(name, languages=languages, folder=folder)
    cut = [[pair[side] for pair in pairs.train] for side, kind in enumerate(tokens) if kind == "subword"]
    learned = Subwords.train(itertools.chain(*cut), subwords) if cut and subwords is not None else Words()
    tokenizers: dict[TokenKind, Tokenizer] = {"word": Words(), "character": Characters(), "subword": learned}
    known = (languages or LANGUAGE_NAMES[:2]) if name == "world" else (None, None)
    made = []
    for side, (language, kind) in enumerate(zip(known, tokens, strict=True)):
        tokenizer = tokenizers[kind]
        train, validation, test = (
            [tokenizer.split(pair[side]) for pair in part] for part in (pairs.train, pairs.validation, pairs.test)
        )
        truth = WORLD[language] if language else None
        made.append(Corpus(str(name), train, validation, test, Vocabulary.build(train), tokenizer, truth, pairs.source))
    return made[0], made[1]


# --- scores -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scores:
    """BLEU (Papineni 2002) and chrF (Popovic 2015) of a whole set, both 0 to 100, by sacrebleu (Post 2018)."""

    bleu: float
    chrf: float


def scores(written: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> Scores:
    """``written``: one translation a source. ``references``: one or more sets of reference translations, each as long.

    BLEU counts the tokens as they are. Raises ``ValueError`` for sets of other lengths.
    """
    if not references or any(len(row) != len(written) for row in references):
        raise ValueError(f"references: expected one or more sets of {len(written)}, got {[len(row) for row in references]}")
    said = [" ".join(tokens) for tokens in written]
    expected = [[" ".join(tokens) for tokens in row] for row in references]
    bleu = sacrebleu.corpus_bleu(said, expected, tokenize="none", force=True).score
    return Scores(bleu, sacrebleu.corpus_chrf(said, expected).score)


def other_wordings(sentences: Sequence[Tokens], language: Language, generator: Generator, count: int = 1) -> list[list[Tokens]]:
    """``count`` times a new wording of each sentence's facts, drawn from the grammar: references, or a faultless translator.

    Raises ``ValueError`` for a sentence that is not in the language.
    """
    values = {factor.name: factor.values for factor in language.prior.factors}
    rows = [[names.index(facts[name]) for name, names in values.items()] for facts in _facts(sentences, language)]
    return [language.write(np.array(rows), generator) for _ in range(count)]


def wording_nats(sentences: Sequence[Tokens], language: Language) -> Tensor:
    """-log p(wording given facts) of each sentence, in nats, (sentences,): what a sentence of the same facts leaves open.

    Raises ``ValueError`` for a sentence that is not in the language.
    """
    read = _read(sentences, language)
    return torch.tensor([language.prior.log_probability(one.facts) - one.log_probability for one in read], dtype=torch.float64)


def right(written: Sequence[Tokens], references: Sequence[Tokens], language: Language | None) -> Tensor:
    """Which translations state every fact of their reference, in any wording: (sentences,) of bool.

    Without a ``language`` nobody can say; then only the reference itself, word for word, counts.
    """
    if len(written) != len(references):
        raise ValueError(f"expected a translation for each reference, got {len(written)} and {len(references)}")
    if language is None:
        return torch.tensor([tuple(a) == tuple(b) for a, b in zip(written, references, strict=True)])
    truth = _facts(references, language)
    return torch.tensor([_states(tokens, facts, language) for tokens, facts in zip(written, truth, strict=True)])


def share_right(written: Sequence[Sequence[int]], references: Sequence[Tokens], target: Corpus) -> float:
    """The share of encoded translations that are ``right`` for their references in ``target``'s language."""
    said = [target.vocabulary.decode(row) for row in written]
    return float(right(said, references, target.language).double().mean())


def _states(tokens: Tokens, facts: dict[str, str], language: Language) -> bool:
    found = language.recognize(tokens)
    return found is not None and found.facts == facts


def _facts(sentences: Sequence[Tokens], language: Language) -> list[dict[str, str]]:
    return [one.facts for one in _read(sentences, language)]


def _read(sentences: Sequence[Tokens], language: Language) -> list[Recognized]:
    found = [language.recognize(tokens) for tokens in sentences]
    for number, one in enumerate(found):
        if one is None:
            raise ValueError(f"reference {number} is not a sentence of {language.name}: {' '.join(sentences[number])}")
    return [one for one in found if one is not None]


def different_right(rounds: Sequence[Sequence[Tokens]], references: Sequence[Tokens], language: Language | None) -> float:
    """How many *different* right translations several rounds of writing have found, the mean over sources."""
    found = [list(dict.fromkeys(tries)) for tries in zip(*rounds, strict=True)]
    owners = [reference for reference, tries in zip(references, found, strict=True) for _ in tries]
    return int(right(list(itertools.chain.from_iterable(found)), owners, language).sum()) / len(found)


# --- places that decide independently -----------------------------------------------------------------------------------

END = "<eos>"


@dataclass(frozen=True)
class Apart:
    """The best that places can do which choose their words independently, given a sentence's facts: exact, by enumeration.

    No product over places fits the wordings of the facts better than the product of each place's own shares of words.
    """

    shares: list[dict[str, float]]  # for each place: p(word there), the end of the sentence among them, if it is reached
    nats: float  # expected -log p(wording) under their product: what independent places pay for a sentence at least
    likeliest: Tokens  # each place's likeliest word
    right_when_drawn: float  # probability that words drawn place by place make a wording of the facts


def apart(sentences: Sequence[Tokens], language: Language) -> list[Apart]:
    """What independent places can do at best for the facts of each sentence.

    Raises ``ValueError`` for a sentence that is not in the language.
    """
    return [_apart(list(language.grammar.wordings(facts))) for facts in _facts(sentences, language)]


def _apart(wordings: Sequence[tuple[Tokens, float]]) -> Apart:
    ended = [((*tokens, END), math.exp(log_probability)) for tokens, log_probability in wordings]
    shares = []
    for place in range(max(len(tokens) for tokens, _ in ended)):
        here: dict[str, float] = {}
        for tokens, probability in ended:
            if place < len(tokens):
                here[tokens[place]] = here.get(tokens[place], 0.0) + probability
        reached = sum(here.values())
        shares.append({word: probability / reached for word, probability in here.items()})
    logs = [sum(math.log(share[word]) for word, share in zip(tokens, shares, strict=False)) for tokens, _ in ended]
    likeliest = tuple(itertools.takewhile(lambda word: word != END, (max(share, key=share.__getitem__) for share in shares)))
    nats = -sum(probability * log for (_, probability), log in zip(ended, logs, strict=True))
    drawn = dict(zip((tokens for tokens, _ in ended), logs, strict=True))  # each wording once
    return Apart(shares, nats, likeliest, sum(map(math.exp, drawn.values())))


# --- all words at once --------------------------------------------------------------------------------------------------


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


# --- one latent for several languages -----------------------------------------------------------------------------------

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


# --- what the lesson shows without training it ------------------------------------------------------------------------

NAME = "translation_world"
SMALL = TextSizes(embedding=64, hidden=64, latent=16)
SHARED = TextSizes(embedding=64, hidden=128, latent=32, context=2)
LANGUAGES = ("english", "chinese", "french")
Row = dict[str, Any]
# Few pairs: two models without z, and one latent with and without further text. The first, third and fourth are equally wide.
PLAIN, NARROW = "sequence to sequence", "sequence to sequence, half as wide"
PAIRS_ONLY, AND_TEXT = "one latent, pairs only", "one latent, and text without pairs"
FEW_PAIRS = (PLAIN, NARROW, PAIRS_ONLY, AND_TEXT)


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train and score what the lesson only shows, half an hour on one core, and store it; returns the file.

    What is finished is kept in ``scratch``, model by model. It needs no ``folder``, its models have ``steps`` of their own
    each, and it computes where its small models are fastest, on a CPU. Raises ``ValueError`` for other wishes.
    """
    if steps is not None or (device is not None and device.type != "cpu"):
        raise ValueError(f"{NAME}: its models have steps of their own and run on a CPU; leave --steps out, and --device cpu")

    def rows(part: str, make: Callable[..., Row], *choices: Iterable[Any]) -> list[Row]:
        settings = list(itertools.product(*choices))
        names = ["-".join([NAME, part, *map(str, setting)]).replace(" ", "-") for setting in settings]
        return [kept(scratch / f"{name}.json", partial(make, *row)) for name, row in zip(names, settings, strict=True)]

    document = {
        "at_once": rows("at-once", _at_once, LANGUAGES, (0,)),
        "directions": [row for part in rows("directions", _directions, (0, 1)) for row in part["rows"]],
        "few_pairs": rows("few-pairs", _few_pairs, (50, 100, 300, 1_000), (0, 1, 2), FEW_PAIRS),
        **made_by(NAME, steps, device),
    }
    return write(NAME, document)


def _trained(
    model: SequenceToSequence | ConditionalTextVAE, batches: PairBatches, budget: Budget, seed: int
) -> SequenceToSequence | ConditionalTextVAE:
    objective: Any = model
    if isinstance(model, ConditionalTextVAE):
        objective = NegativeElbo(model, linear_annealing(budget.steps // 2), free_bits(0.1))
    fit(objective, batches, budget, seed=seed)
    return model


def _at_once(language: str, seed: int, steps: int = 2_000, count: int = 500) -> Row:
    """All words at once into ``language``, with z and without it, beside what independent places can do at best."""
    source, target = sides("world", ("chinese" if language == "english" else "english", language))
    rows, answer = PairBatches(source.encoded("train"), target.encoded("train"), 32), target.test[:count]
    question, sizes = pad(source.encoded("test")[:count]), TextSizes(embedding=32, hidden=96, latent=16)
    words, longest = (len(source.vocabulary), len(target.vocabulary)), max(map(len, rows.targets))
    plain = seeded_module(seed, lambda: SequenceToSequence(*words, sizes))
    _trained(plain, rows, Budget(320, 32, 1e-2, checks=1), seed)  # the reader is learned word by word (Gu 2018)
    blind = seeded_module(seed, lambda: ParallelTranslator(*words, sizes, longest))
    vae = seeded_module(seed, lambda: ParallelTextVAE(*words, sizes, longest))
    for model in (blind, vae):
        model.reader.load_state_dict(plain.reader.state_dict())
        _trained(model, rows, Budget(steps, 32, 8e-3, checks=1), seed)
    with torch.no_grad():
        first = vae.writer(question).at_once(vae.prior(question).sample(seeded(seed)))
        found = {
            "without z": blind.writer(question).at_once(None),
            "z drawn": first,
            "one look back": vae.refined(question, first),
            "prior mean": vae.writer(question).at_once(vae.prior(question).mean),
        }
    best = apart(answer, WORLD[language])
    likeliest = right([one.likeliest for one in best], answer, WORLD[language])
    return {
        "language": language,
        "seed": seed,
        "steps": steps,
        "right": {name: share_right(written, answer, target) for name, written in found.items()},
        "likeliest words apart": float(likeliest.double().mean()),
        "nats apart": sum(one.nats for one in best) / len(best),
    }


def _few_pairs(pairs: int, seed: int, name: str, steps: int = 500, count: int = 500) -> Row:
    """English to Chinese from few ``pairs``, by the model ``name`` of ``FEW_PAIRS``: the share right."""
    source, target = sides("world")
    read, write = source.encoded("train"), target.encoded("train")
    question, answer = source.encoded("test")[:count], target.test[:count]
    rows, words = PairBatches(read[:pairs], write[:pairs], 32), (len(source.vocabulary), len(target.vocabulary))
    if name in (PLAIN, NARROW):
        sizes = replace(SMALL, hidden=SHARED.hidden if name == PLAIN else SMALL.hidden, dropout=0.2)
        plain = seeded_module(seed, lambda: SequenceToSequence(*words, sizes))
        _trained(plain, rows, Budget(steps, 32, 1e-2, checks=1), seed)
        written = greedy(plain.writer(pad(question)), None, count)
    else:
        kinds: list[tuple[tuple[str, ...], PairBatches | SentenceBatches]] = [(("english", "chinese"), rows)]
        if name == AND_TEXT:
            kinds.append((("english",), SentenceBatches(read[50_000:70_000], 32)))
            kinds.append((("chinese",), SentenceBatches(write[70_000:90_000], 32)))  # of other facts than the English ones
        sizes_of = dict(zip(LANGUAGES[:2], words, strict=True))
        shared, _ = train_shared(kinds, sizes_of, replace(SHARED, dropout=0.2), steps, seed=seed)
        written = shared.translate(question, *LANGUAGES[:2])
    return {"pairs": pairs, "seed": seed, "name": name, "right": share_right(written, answer, target)}


def _directions(seed: int, steps: int = 1000, count: int = 500) -> Row:
    """Every language into every other by one latent; Chinese and French never met. Also by way of English."""
    texts = {language: corpora.load("world", language=language) for language in LANGUAGES}
    model, _ = train_shared(*two_pairs(texts), SHARED, steps, seed=seed)
    rows = []
    for source, target in itertools.product(LANGUAGES, repeat=2):
        there = texts[target]
        question, references = texts[source].encoded("test")[:count], there.test[:count]
        written = model.translate(question, source, target)
        said = [there.vocabulary.decode(row) for row in written]
        (drawn,) = other_wordings(references, WORLD[target], seeded(seed))
        row = {"seed": seed, "source": source, "target": target, "right": share_right(written, references, there)}
        row |= asdict(scores(said, [references])) | {"par": asdict(scores(drawn, [references]))}
        row["said"] = [[there.tokenizer.join(tokens) for tokens in part[:2]] for part in (texts[source].test, said)]
        if "english" not in (source, target) and source != target:
            middle = [[BOS, *words, EOS] for words in model.translate(question, source, "english")]
            row["by way of English"] = share_right(model.translate(middle, "english", target), references, there)
        rows.append(row)
    return {"rows": rows}


def two_pairs(
    texts: Mapping[str, Corpus], batch_size: int = 32, device: torch.device | None = None
) -> tuple[list[tuple[tuple[str, ...], PairBatches | SentenceBatches]], dict[str, int]]:
    """English with Chinese, and English with French, each from a half of the training set of its own; and vocabulary sizes.

    So no fact was ever told to the model in Chinese and in French.
    """
    english, chinese, french = (texts[language].encoded("train") for language in LANGUAGES)
    half = len(english) // 2
    return [
        (("english", "chinese"), PairBatches(english[:half], chinese[:half], batch_size, device)),
        (("english", "french"), PairBatches(english[half:], french[half:], batch_size, device)),
    ], {language: len(text.vocabulary) for language, text in texts.items()}


def most_similar(tokens: Tokens, others: Sequence[Tokens]) -> int:
    """The number of the sentence that shares the largest part of its words with ``tokens`` (Jaccard index)."""
    words = set(tokens)
    return max(range(len(others)), key=lambda k: len(words & set(others[k])) / len(words | set(others[k])))
