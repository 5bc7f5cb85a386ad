"""Translation: two sides of a text, scores of translations, and the best that words chosen independently can do, exactly.

The models are in ``text``: with attention in ``conditional``, all words at once in ``parallel``, one latent for several
languages in ``shared_latent``. A text is a tuple of tokens.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sacrebleu
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from torch import Generator, Tensor

from vae_course.text import corpora
from vae_course.text.batches import PairBatches, SentenceBatches, Sentences, in_order
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.corpora import Corpus, HowToCut, PairCorpus, TokenKind
from vae_course.text.decoding import beam
from vae_course.text.files import Column
from vae_course.text.vocabulary import Characters, Subwords, Tokenizer, Words
from vae_course.training import device_of
from vae_course.world.grammar import Floats, Language, Recognized, Tokens
from vae_course.world.languages import LANGUAGE_NAMES, WORLD


def sides(
    name: str | Path,
    languages: tuple[str, str] | None = None,
    tokens: tuple[HowToCut, HowToCut] = ("auto", "auto"),
    *,
    subwords: int = 2 * corpora.SUBWORDS,
    folder: str | Path | None = None,
    columns: tuple[Column, Column] | None = None,
    least: int = 1,
) -> tuple[Corpus, Corpus]:
    """Sources and targets as two corpora whose sentences belong together, row by row; ``name`` as in ``corpora.pairs``.

    ``tokens`` and ``subwords``: as in ``sides_of``. ``folder``, ``columns``, ``least`` and what is raised: as in
    ``corpora.pairs``, and for each side as in ``corpora.load``.
    """
    pairs = corpora.pairs(name, languages=languages, folder=folder, columns=columns, least=least)
    known = (languages or LANGUAGE_NAMES[:2]) if name == "world" else None
    return sides_of(pairs, tokens, subwords, known)


def sides_of(
    pairs: PairCorpus,
    tokens: tuple[HowToCut, HowToCut] = ("auto", "auto"),
    subwords: int = 2 * corpora.SUBWORDS,
    languages: tuple[str, str] | None = None,
) -> tuple[Corpus, Corpus]:
    """The two sides of ``pairs``, cut.

    ``tokens``: "word", "character", "subword" or "auto" for each side, as in ``corpora.load``; ``subwords``: how many to learn,
    for both sides together (Sennrich 2016). ``languages``: the world's, where the sentences are of it.
    """
    texts = [[[pair[side] for pair in part] for part in (pairs.train, pairs.validation, pairs.test)] for side in (0, 1)]
    chosen = [corpora.chosen_kind(pairs.name, kind, train) for kind, (train, _, _) in zip(tokens, texts, strict=True)]
    cut = [train for (kind, _), (train, _, _) in zip(chosen, texts, strict=True) if kind == "subword"]
    learned = Subwords.train(itertools.chain(*cut), subwords) if cut else Words()
    tokenizers: dict[TokenKind, Tokenizer] = {"word": Words(), "character": Characters(), "subword": learned}
    known = [WORLD[language] for language in languages] if languages else [None, None]
    made = [
        corpora.corpus_of(pairs.name, parts, tokenizers[kind], language, "; ".join(filter(None, [pairs.source, why])))
        for language, (kind, why), parts in zip(known, chosen, texts, strict=True)
    ]
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


LANGUAGES = ("english", "chinese", "french")


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


def most_similar(asked: Sequence[Tokens], known: Sequence[Tokens], chunk: int = 500) -> tuple[NDArray[np.int64], Floats]:
    """For each sentence the number of the known one that shares the largest part of its words, and that part (Jaccard index).

    Of equals the first. Both results are (asked,); ``chunk`` sentences at a time are compared with all known ones.
    """
    vectorizer = CountVectorizer(analyzer=set, dtype=np.float64).fit(known)
    columns, sizes = vectorizer.transform(known).T.tocsr(), np.array([len(set(tokens)) for tokens in known])
    numbers, parts = [], []
    for first in range(0, len(asked), chunk):
        some = asked[first : first + chunk]
        shared = (vectorizer.transform(some) @ columns).toarray()
        either = np.array([len(set(tokens)) for tokens in some])[:, None] + sizes - shared
        part = shared / np.maximum(either, 1)
        numbers.append(part.argmax(1))
        parts.append(part.max(1))
    return np.concatenate(numbers), np.concatenate(parts)


# --- translating with a trained model ---------------------------------------------------------------------------------


@torch.no_grad()
def translated(
    model: SequenceToSequence | ConditionalTextVAE, sources: Sentences, width: int, longest: int = 60, batch_size: int = 64
) -> list[list[int]]:
    """Encoded ``sources`` in the other language by beam search of ``width``, nats per token compared; z is the prior's mean."""
    written: list[list[int]] = [[] for _ in sources]
    for rows, tokens in in_order(sources, batch_size, device_of(model)):
        z = model.prior(tokens).mean if isinstance(model, ConditionalTextVAE) else None
        count = len(tokens) if z is None else None
        for row, words in zip(rows.tolist(), beam(model.writer(tokens), z, count, width, longest, 1.0), strict=True):
            written[row] = words
    return written


def nearest(source: Corpus, target: Corpus) -> list[Tokens]:
    """For each test sentence the translation of the training sentence that shares most of its words, or characters."""
    apart = list if isinstance(source.tokenizer, Characters) else str.split
    known, asked = ([tuple(apart(source.tokenizer.join(tokens))) for tokens in part] for part in (source.train, source.test))
    return [target.train[number] for number in most_similar(asked, known)[0]]
