"""Exercises of lesson 11: variety in two measures, temperature, the nucleus, and what a beam prefers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sacrebleu
import torch
from torch import Generator, Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, flags, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

Words = tuple[str, ...]


def _split(*lines: str) -> list[Words]:
    return [tuple(line.split()) for line in lines]


def _drawn_words(generator: Generator, length: int, vocabulary: Sequence[str]) -> Words:
    return tuple(vocabulary[k] for k in whole(generator, length, high=len(vocabulary) - 1).tolist())


def _variants(name: str, message: str, *functions: Callable[..., Any]) -> tuple[Mistake, ...]:
    """One mistake in the several ways in which it is written."""
    return tuple(Mistake(name, function, message) for function in functions)


# --- distinct-n -----------------------------------------------------------------------------------------------------


def distinct_n(sentences: Sequence[Words], n: int) -> Tensor:
    found = [tuple(words[i : i + n]) for words in sentences for i in range(len(words) - n + 1)]
    return torch.tensor(len(set(found)) / len(found))


def _texts() -> list[Arguments]:
    return [
        (_split("a cat sleeps", "a dog sleeps"), 1),
        (_split("a cat and a cat", "a cat sleeps now", "the cat and a dog"), 2),
        (_split("is it a cat", "it is a cat", "it is a cat and a cat", "a cat is it"), 2),
        (_split("a cat and a dog sleep", "a cat and a dog run", "now a cat and a dog sleep"), 3),
        (_split("it was", "the cat sleeps now", "a", "the cat sleeps now"), 3),
        (_split("every day the cat sleeps"), 4),
        (_split("a ba b", "ab a"), 2),
    ]


def _drawn_text(generator: Generator) -> Arguments:
    """Few words, some of them parts of others, so that n-grams come again; some sentences are shorter than n."""
    count, n = sizes(generator, 2)
    sentences = [_drawn_words(generator, size(generator, 0, 8), ("a", "b", "ab", "ba", "c")) for _ in range(count)]
    place = size(generator, 0, count - 1)
    sentences[place] = _drawn_words(generator, n + size(generator, 1, 3), ("a", "b", "ab", "ba"))
    if flags(generator, 1, share=0.3):
        sentences.append(sentences[place])
    return sentences, n


def _long_text(generator: Generator) -> Arguments:
    vocabulary = [f"word{k}" for k in range(40)]
    return [_drawn_words(generator, size(generator, 6, 14), vocabulary) for _ in range(200)], 2


def _ngrams(words: Sequence[str], n: int) -> list[Words]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _all(sentences: Iterable[Sequence[str]], n: int) -> list[Words]:
    return [ngram for words in sentences for ngram in _ngrams(words, n)]


def _share(found: Sequence[object], total: int | None = None) -> Tensor:
    return torch.tensor(len(set(found)) / (len(found) if total is None else total))


def _mean(scores: Sequence[float]) -> Tensor:
    return torch.tensor(sum(scores) / len(scores))


def _shares(sentences: Sequence[Words], n: int) -> list[float]:
    """That of each sentence which has an n-gram."""
    return [_share(_ngrams(words, n)).item() for words in sentences if len(words) >= n]


def _only_once(sentences: Sequence[Words], n: int) -> int:
    return sum(count == 1 for count in Counter(_all(sentences, n)).values())


def _unfinished(words: Words, n: int) -> list[Words]:
    return [words[i : i + n] for i in range(len(words))]


DISTINCT_N = Exercise(
    task="distinct-n of a list of sentences (tuples of words): different n-grams over all n-grams, of all of them together. "
    "A sentence shorter than n words has none; at least one sentence is longer.",
    reference=distinct_n,
    cases=_texts,
    generate=_drawn_text,
    lesson=_long_text,
    hints=(
        "The n-grams of all sentences make one pile. How many are there, and how many different ones?",
        "The n-grams of one sentence are words[i : i + n] for i from 0 to len(words) - n. set(...) drops what is there twice.",
        "With all of them in one list, as tuples: torch.tensor(len(set(found)) / len(found)).",
    ),
    mistakes=(
        *_variants(
            "Averaged over sentences",
            "One sentence seldom repeats itself, so this is near 1 even if all sentences are alike. "
            "Count over all sentences together.",
            lambda sentences, n: torch.stack([distinct_n([words], n) for words in sentences]).mean(),
            lambda sentences, n: _mean(_shares(sentences, n)),
            lambda sentences, n: torch.tensor(sum(_shares(sentences, n)) / len(sentences)),
        ),
        Mistake(
            "Different ones of each sentence, added up",
            lambda sentences, n: torch.tensor(
                sum(len(set(_ngrams(words, n))) for words in sentences) / len(_all(sentences, n))
            ),
            "An n-gram that two sentences have is counted twice. Put the n-grams of all sentences into one set.",
        ),
        Mistake(
            "n-grams across the border of two sentences",
            lambda sentences, n: distinct_n([tuple(word for words in sentences for word in words)], n),
            "The last word of a sentence and the first of the next are no n-gram: nobody wrote them together. "
            "Cut each sentence for itself.",
        ),
        Mistake(
            "The last n-gram of each sentence is missing",
            lambda sentences, n: distinct_n([words[:-1] for words in sentences], n),
            "A sentence of 3 words has 2 bigrams: range(len(words) - n + 1).",
        ),
        Mistake(
            "Shorter pieces at the ends",
            lambda sentences, n: _share([piece for words in sentences for piece in _unfinished(words, n)]),
            "words[i : i + n] has fewer than n words where the sentence ends. Begin no later than at len(words) - n.",
        ),
        Mistake(
            "Pieces side by side",
            lambda sentences, n: _share([piece for words in sentences for piece in _ngrams(words, n)[::n]]),
            "n-grams overlap: 'a b c' has the bigrams 'a b' and 'b c'. Move on by one word, not by n.",
        ),
        Mistake(
            "n-grams of n + 1 words",
            lambda sentences, n: distinct_n(sentences, n + 1),
            "The end of a slice is not part of it: words[i : i + n] has n words.",
        ),
        Mistake(
            "Single words, whatever n is",
            lambda sentences, n: distinct_n(sentences, 1),
            "This is distinct-1. Use n: runs of n neighbouring words.",
        ),
        Mistake(
            "All lengths up to n",
            lambda sentences, n: _share([ngram for k in range(1, n + 1) for ngram in _all(sentences, k)]),
            "distinct-n looks at one length only: runs of exactly n words.",
        ),
        Mistake(
            "Letters, not words",
            lambda sentences, n: _share(_all([" ".join(words) for words in sentences], n)),
            "These are runs of n characters. A sentence is a tuple of words already: cut the tuple, not a joined text.",
        ),
        Mistake(
            "Words run into one another",
            lambda sentences, n: _share(["".join(ngram) for ngram in _all(sentences, n)]),
            "Joined without a space, 'a ba' and 'ab a' become the same. Keep n-grams as tuples.",
        ),
        Mistake(
            "Divided by the number of words",
            lambda sentences, n: distinct_n(sentences, n) * len(_all(sentences, n)) / sum(map(len, sentences)),
            "Li 2016 did so too. We divide by the number of n-grams, so that 1 means that no n-gram is there twice.",
        ),
        Mistake(
            "Divided by the number of sentences",
            lambda sentences, n: distinct_n(sentences, n) * len(_all(sentences, n)) / len(sentences),
            "That grows with the sentences' length. Divide by the number of n-grams.",
        ),
        Mistake(
            "Divided by the number of different words",
            lambda sentences, n: distinct_n(sentences, n) * len(_all(sentences, n)) / len(set(_all(sentences, 1))),
            "That compares runs of n words with single words. Divide by the number of all n-grams.",
        ),
        *_variants(
            "Only n-grams that occur once",
            "An n-gram that is there five times is still one different n-gram: count len(set(found)).",
            lambda sentences, n: torch.tensor(_only_once(sentences, n) / len(_all(sentences, n))),
            lambda sentences, n: torch.tensor(_only_once(sentences, n) / len(set(_all(sentences, n)))),
        ),
        Mistake(
            "Counted, not divided",
            lambda sentences, n: distinct_n(sentences, n) * len(_all(sentences, n)),
            "More text has more different n-grams. Divide by the number of all.",
        ),
        Mistake(
            "Different sentences",
            lambda sentences, n: _share(sentences),
            "This is the share of different *sentences*. Two that differ in one word share most of their n-grams: count these.",
        ),
        *_variants(
            "The order of words is lost",
            "'is it' and 'it is' are different bigrams: keep the words in their order, in a tuple.",
            lambda sentences, n: _share([tuple(sorted(ngram)) for ngram in _all(sentences, n)]),
            lambda sentences, n: _share([frozenset(ngram) for ngram in _all(sentences, n)]),
        ),
        Mistake(
            "The share that is repeated",
            lambda sentences, n: 1 - distinct_n(sentences, n),
            "This is 1 - distinct-n. Variety is the share that is different.",
        ),
        Mistake(
            "Doubles of a sentence dropped first",
            lambda sentences, n: distinct_n(list(dict.fromkeys(sentences)), n),
            "A sentence that is there twice is what makes a text less varied: its n-grams count each time.",
        ),
        Mistake(
            "Only the first sentence",
            lambda sentences, n: distinct_n(sentences[:1], n),
            "Only the first sentence is looked at; is the return inside the loop? Gather the n-grams of all sentences.",
        ),
        Mistake(
            "Only the last sentence",
            lambda sentences, n: distinct_n(sentences[-1:], n),
            "Each sentence overwrites the one before. Add its n-grams to one list that lives outside the loop.",
        ),
    ),
)

# --- self-BLEU ------------------------------------------------------------------------------------------------------

Bleu = Callable[[object, Iterable[object]], float]
_SCORER = sacrebleu.BLEU(tokenize="none", effective_order=True, force=True)


class NotASentenceError(TypeError):
    """``bleu`` got a hypothesis that is no tuple of words."""


class NotAListError(TypeError):
    """``bleu`` got references that are no list of sentences."""


class NoReferencesError(ValueError):
    """``bleu`` got an empty list of references."""


def bleu(hypothesis: object, references: Iterable[object]) -> float:
    """0-100, of one sentence; the reader is given it. Sentences that are strings are taken, too."""
    if not _is_sentence(hypothesis):
        raise NotASentenceError("bleu(hypothesis, references): the hypothesis, which comes first, is one tuple of words")
    others = list(references)
    if (isinstance(references, str | tuple) and _is_sentence(references)) or not all(map(_is_sentence, others)):
        raise NotAListError("bleu(hypothesis, references): the references are a list of sentences, even if it is only one")
    if not others:
        raise NoReferencesError("bleu(hypothesis, references): the list of references is empty")
    return float(_SCORER.sentence_score(_joined(hypothesis), [_joined(other) for other in others]).score)


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, tuple | list) and all(isinstance(word, str) for word in value))


def _joined(sentence: Any) -> str:  # noqa: ANN401 - a string, or words
    return sentence if isinstance(sentence, str) else " ".join(sentence)


def self_bleu(sentences: list[Words], bleu: Bleu) -> Tensor:
    scores = [bleu(own, sentences[:i] + sentences[i + 1 :]) for i, own in enumerate(sentences)]
    return torch.tensor(sum(scores) / len(scores))


def _written() -> list[Arguments]:
    return [
        (_split("a cat sleeps in the park", "a dog sleeps in the park", "a cat sleeps at home"), bleu),
        (_split("a cat sleeps in the park", "now a cat sleeps", "a cat sleeps in the park", "the dog ran to the park"), bleu),
        (_split("we saw a red kite", "a red kite was seen there by us", "they saw a blue kite there", "it was a kite"), bleu),
        (_split("the dog sleeps now", "the dog sleeps now"), bleu),
        (_split("a dog ran", "the dog sleeps in the park"), bleu),
    ]


def _drawn_sentences(generator: Generator) -> Arguments:
    vocabulary = ("a", "the", "dog", "cat", "ran", "sleeps", "now")
    sentences = [_drawn_words(generator, size(generator, 2, 9), vocabulary) for _ in range(size(generator, 3, 5))]
    if flags(generator, 1, share=0.4):
        sentences.insert(size(generator, 0, len(sentences)), sentences[size(generator, 0, len(sentences) - 1)])
    return sentences, bleu


def _many_sentences(generator: Generator) -> Arguments:
    return [_drawn_words(generator, size(generator, 6, 14), [f"word{k}" for k in range(30)]) for _ in range(16)], bleu


def _scores(sentences: list[Words], bleu: Bleu) -> list[float]:
    return [bleu(own, sentences[:i] + sentences[i + 1 :]) for i, own in enumerate(sentences)]


def _pairs(sentences: Sequence[Words], bleu: Bleu) -> list[list[float]]:
    return [[bleu(own, [other]) for j, other in enumerate(sentences) if i != j] for i, own in enumerate(sentences)]


def _others_in_one(sentences: list[Words], bleu: Bleu) -> Tensor:
    others = [sentences[:i] + sentences[i + 1 :] for i in range(len(sentences))]
    return _mean([bleu(own, [sum(rest, ())]) for own, rest in zip(sentences, others, strict=True)])


SELF_BLEU = Exercise(
    task="self-BLEU of a list of sentences, two at least; bleu(hypothesis, references) scores one sentence against a list of "
    "others, 0-100.",
    reference=self_bleu,
    cases=_written,
    generate=_drawn_sentences,
    lesson=_many_sentences,
    hints=(
        "Each sentence is once the hypothesis. All the others, and not itself, are its references.",
        "The others by place, not by value: sentences[:i] + sentences[i + 1 :]. A double of the sentence stays in.",
        "Average the scores over the sentences, and wrap the mean in torch.tensor(...).",
    ),
    mistakes=(
        Mistake(
            "A sentence among its own references",
            lambda sentences, bleu: _mean([bleu(own, sentences) for own in sentences]),
            "Every sentence matches itself, so this is 100 for any text. Leave the sentence itself out.",
        ),
        Mistake(
            "Doubles left out of the references",
            lambda sentences, bleu: _mean([bleu(own, [other for other in sentences if other != own]) for own in sentences]),
            "other != own drops every copy of the sentence, and copies are just what self-BLEU is to find. "
            "Leave out one place, not one value.",
        ),
        Mistake(
            "Doubles counted once",
            lambda sentences, bleu: self_bleu(list(dict.fromkeys(sentences)), bleu),
            "A set of the sentences loses the copies, which are just what self-BLEU is to find. Keep the list as it is.",
        ),
        Mistake(
            "One reference at a time",
            lambda sentences, bleu: _mean([_mean(row).item() for row in _pairs(sentences, bleu)]),
            "This is the mean over pairs. A sentence patched together from several others looks new to each of them: "
            "give all others as references at once.",
        ),
        Mistake(
            "One reference at a time, itself too",
            lambda sentences, bleu: _mean([bleu(own, [other]) for own in sentences for other in sentences]),
            "This is the mean over pairs, with each sentence's 100 for matching itself. Give all the others as references at "
            "once, and leave the sentence itself out.",
        ),
        Mistake(
            "Each pair in one direction",
            lambda sentences, bleu: _mean(
                [bleu(own, [other]) for i, own in enumerate(sentences) for other in sentences[i + 1 :]]
            ),
            "These are pairs, and each sentence meets only those after it. Every sentence is the hypothesis once, and all the "
            "others are its references at once.",
        ),
        Mistake(
            "The most similar other alone",
            lambda sentences, bleu: _mean([max(row) for row in _pairs(sentences, bleu)]),
            "The best of one reference at a time misses what is patched together from two. Give all others at once.",
        ),
        Mistake(
            "Hypothesis and references swapped",
            lambda sentences, bleu: _mean([bleu(sentences[:i] + sentences[i + 1 :], own) for i, own in enumerate(sentences)]),
            "bleu takes the hypothesis first: one sentence, a tuple of words. The list of the others comes second.",
        ),
        Mistake(
            "One other sentence in place of a list",
            lambda sentences, bleu: torch.tensor([bleu(own, other) for own in sentences for other in sentences]),
            "The second argument of bleu is a list of sentences, not one sentence. Give all the others in one list.",
        ),
        *_variants(
            "Only one neighbour as reference",
            "One reference says little. Give all the others as references.",
            lambda sentences, bleu: _mean([bleu(own, [sentences[i - len(sentences) + 1]]) for i, own in enumerate(sentences)]),
            lambda sentences, bleu: _mean([bleu(own, [sentences[i - 1]]) for i, own in enumerate(sentences)]),
            lambda sentences, bleu: _mean([bleu(own, [sentences[i]]) for i, own in enumerate(sentences[:-1], 1)]),
        ),
        *_variants(
            "A sentence too many left out",
            "Only the sentence itself is left out. The slice after it begins at i + 1, the one before it ends at i: "
            "sentences[:i] + sentences[i + 1 :].",
            lambda sentences, bleu: _mean([bleu(own, sentences[:i] + sentences[i + 2 :]) for i, own in enumerate(sentences)]),
            lambda sentences, bleu: _mean(
                [bleu(own, sentences[: i - 1] + sentences[i + 1 :]) for i, own in enumerate(sentences)]
            ),
        ),
        Mistake(
            "The others joined to one long reference",
            _others_in_one,
            "In a joined text n-grams cross from one sentence to the next, and its length punishes every short hypothesis. "
            "Give a list of references.",
        ),
        Mistake(
            "Only the first sentence scored",
            lambda sentences, bleu: torch.tensor(bleu(sentences[0], sentences[1:])),
            "Every sentence takes its turn as the hypothesis; then average.",
        ),
        Mistake(
            "Only the last sentence scored",
            lambda sentences, bleu: torch.tensor(bleu(sentences[-1], sentences[:-1])),
            "Every sentence takes its turn as the hypothesis; then average.",
        ),
        Mistake(
            "A sentence without references",
            lambda sentences, bleu: _mean([bleu(own, sentences[:i]) for i, own in enumerate(sentences)]),
            "For one sentence the list of references is empty, so there is nothing to compare with. All the others are "
            "references, those before and those after it.",
        ),
        Mistake(
            "Only sentences before as references",
            lambda sentences, bleu: _mean([bleu(own, sentences[:i]) for i, own in enumerate(sentences) if i]),
            "Those that come later are references as well: sentences[:i] + sentences[i + 1 :].",
        ),
        Mistake(
            "Only sentences after as references",
            lambda sentences, bleu: _mean([bleu(own, sentences[i:]) for i, own in enumerate(sentences[:-1], 1)]),
            "Those that come before are references as well: sentences[:i] + sentences[i + 1 :].",
        ),
        Mistake(
            "The largest score",
            lambda sentences, bleu: torch.tensor(max(_scores(sentences, bleu))),
            "The largest score speaks of one sentence. Self-BLEU is the mean over all of them.",
        ),
        Mistake(
            "The smallest score",
            lambda sentences, bleu: torch.tensor(min(_scores(sentences, bleu))),
            "The smallest score speaks of one sentence. Self-BLEU is the mean over all of them.",
        ),
        Mistake(
            "The median score",
            lambda sentences, bleu: torch.tensor(_scores(sentences, bleu)).median(),
            "Self-BLEU is the mean of the scores.",
        ),
        Mistake(
            "The sum of the scores",
            lambda sentences, bleu: len(sentences) * self_bleu(sentences, bleu),
            "Divide by the number of sentences.",
        ),
        Mistake(
            "Divided by one less than their number",
            lambda sentences, bleu: self_bleu(sentences, bleu) * len(sentences) / (len(sentences) - 1),
            "There are as many scores as sentences; only each *list of references* is shorter by one. Divide by all.",
        ),
        Mistake(
            "Not averaged",
            lambda sentences, bleu: torch.tensor(_scores(sentences, bleu)),
            "These are the scores of the single sentences. Return their mean, one number.",
        ),
        Mistake(
            "From 0 to 1",
            lambda sentences, bleu: self_bleu(sentences, bleu) / 100,
            "bleu gives 0 to 100, and self-BLEU is told on that scale, too.",
        ),
        Mistake(
            "100 minus self-BLEU",
            lambda sentences, bleu: 100 - self_bleu(sentences, bleu),
            "Self-BLEU is high where all sentences are alike; the usual number is not turned round.",
        ),
    ),
)

# --- temperature ----------------------------------------------------------------------------------------------------


def tempered(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits / temperature, dim=-1)


def _logits() -> list[Arguments]:
    return [
        (double([[2.0, 0.0]]), 0.5),
        (double([[1.0, -1.0, 0.5], [0.0, 3.0, 0.0]]), 2.0),
        (double([[4.0, 1.0, -2.0], [0.5, 0.25, 0.0], [-1.0, -3.0, -1.5]]), 0.7),
        (double([[1.0], [-2.0]]), 1.0),
        (double([[9.0, 8.98], [-9.0, -9.0]]), 0.01),  # nearly greedy: exp(900) is infinite on a computer
        (double([[2.0, -2.0, 1.0]]), 10.0),
    ]


def _drawn_logits(generator: Generator) -> Arguments:
    batch, vocabulary = sizes(generator, 2, 2, 6)
    temperature = (0.4, 0.6, 0.8, 1.3, 2.0)[size(generator, 0, 4)]
    return numbers(generator, batch, vocabulary, low=-4, high=4), temperature


def _rescaled(weights: Tensor, dim: int = -1) -> Tensor:
    return weights / weights.sum(dim, keepdim=True)


TEMPERED = Exercise(
    task="Probabilities of the next word at a temperature: logits (batch, vocabulary), temperature > 0 to (batch, vocabulary).",
    reference=tempered,
    cases=_logits,
    generate=_drawn_logits,
    lesson=lambda g: (4 * torch.randn(128, 100, generator=g), 0.7),
    gradients=("logits",),
    hints=(
        "A temperature below 1 makes large differences between logits larger still.",
        "Divide the logits by it first; probabilities are made afterwards.",
        "torch.softmax over the last dimension makes each row of the divided logits add up to 1.",
    ),
    mistakes=(
        Mistake(
            "Applied to the probabilities",
            lambda logits, temperature: tempered(torch.softmax(logits, -1), temperature),
            "A softmax of probabilities is nearly flat, since they all lie between 0 and 1. Divide the *logits*, and take "
            "one softmax.",
        ),
        Mistake(
            "Softmax twice",
            lambda logits, temperature: torch.softmax(tempered(logits, temperature), -1),
            "A softmax of probabilities is nearly flat, since they all lie between 0 and 1. Take one softmax.",
        ),
        Mistake(
            "Probabilities divided",
            lambda logits, temperature: tempered(logits, 1.0) / temperature,
            "These no longer add up to 1, and their ratios are what they were. Divide the logits, before the softmax.",
        ),
        Mistake(
            "Divided before and after",
            lambda logits, temperature: tempered(logits, temperature) / temperature,
            "The temperature belongs to the logits only. After the softmax nothing is left to be divided.",
        ),
        Mistake(
            "Multiplied by the temperature",
            lambda logits, temperature: tempered(logits, 1 / temperature),
            "Then a high temperature sharpens. Divide by it: hot is flat, cold is peaked.",
        ),
        Mistake(
            "Raised to the power, not rescaled",
            lambda logits, temperature: tempered(logits, 1.0) ** (1 / temperature),
            "p ** (1 / temperature) is right up to a factor: divide by its sum, so that each row adds up to 1.",
        ),
        Mistake(
            "No temperature at all",
            lambda logits, temperature: tempered(logits, 1.0),
            "These are the probabilities at temperature 1. Adding a number to all logits changes nothing, nor does dividing "
            "all probabilities by one and rescaling: divide the logits by the temperature.",
        ),
        Mistake(
            "Not yet probabilities",
            lambda logits, temperature: logits / temperature,
            "These are logits still. Take their softmax.",
        ),
        Mistake(
            "Logits divided by their sum",
            lambda logits, temperature: _rescaled(logits / temperature),
            "Logits may be negative, so this gives no probabilities: take exp first. Softmax does both.",
        ),
        Mistake(
            "exp not rescaled",
            lambda logits, temperature: (logits / temperature).exp(),
            "exp makes them positive, but a row does not add up to 1 yet. Divide by its sum; softmax does both.",
        ),
        Mistake(
            "log-probabilities",
            lambda logits, temperature: torch.log_softmax(logits / temperature, -1),
            "These are logs. Take softmax in place of log_softmax.",
        ),
        Mistake(
            "log-probabilities divided",
            lambda logits, temperature: torch.log_softmax(logits, -1) / temperature,
            "These are logs, and no longer rescaled. Divide the logits, then take one softmax.",
        ),
        *_variants(
            "Softmax over the batch",
            "Words compete within their row: softmax over the last dimension, dim=-1.",
            lambda logits, temperature: tempered(logits.transpose(0, 1), temperature).transpose(0, 1),
            lambda logits, temperature: _rescaled((logits / temperature).exp(), 0),
        ),
        *_variants(
            "Softmax over batch and vocabulary together",
            "Each row is a distribution of its own and adds up to 1: softmax over the last dimension only.",
            lambda logits, temperature: tempered(logits.flatten(), temperature).view_as(logits),
            lambda logits, temperature: (logits / temperature).exp() / (logits / temperature).exp().sum(),
        ),
        Mistake(
            "Sigmoid in place of softmax",
            lambda logits, temperature: torch.sigmoid(logits / temperature),
            "A sigmoid judges each word for itself, and a row does not add up to 1. Exactly one word comes next: softmax.",
        ),
        Mistake(
            "Logits turned round",
            lambda logits, temperature: tempered(-logits, temperature),
            "The likeliest words have become the unlikeliest: leave out the minus sign.",
        ),
        Mistake(
            "The square of the temperature",
            lambda logits, temperature: tempered(logits, temperature**2),
            "Divide the logits once, by the temperature itself.",
        ),
        Mistake(
            "exp without taking the largest out",
            lambda logits, temperature: _rescaled((logits / temperature).exp()),
            "Right as long as logits / temperature is small. But exp(900) is infinite on a computer: torch.softmax takes the "
            "largest out first.",
        ),
        Mistake(
            "The sums of the rows without keepdim",
            lambda logits, temperature: (logits / temperature).exp() / (logits / temperature).exp().sum(-1),
            "A sum over the last dimension is (batch,) and does not divide row by row. Keep the dimension, or use softmax.",
        ),
        Mistake(
            "The likeliest word",
            lambda logits, temperature: logits.argmax(-1),
            "Asked for are the probabilities of all words. At any temperature above 0 each keeps some.",
        ),
        Mistake(
            "All on the likeliest word",
            lambda logits, temperature: torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0),
            "That is the limit where the temperature goes to 0. Above it each word keeps some probability.",
        ),
    ),
)

# --- the nucleus ----------------------------------------------------------------------------------------------------


def keep_nucleus(probabilities: Tensor, nucleus: float) -> Tensor:
    descending, words = probabilities.sort(descending=True)
    likelier = descending.cumsum(0) - descending
    kept = torch.where(likelier < nucleus, descending, 0)
    return torch.zeros_like(probabilities).scatter(0, words, kept / kept.sum())


def _distributions() -> list[Arguments]:
    return [
        (double([0.15, 0.55, 0.3]), 0.7),
        (double([0.06, 0.5, 0.04, 0.3, 0.1]), 0.85),
        (double([0.08, 0.8, 0.12]), 0.6),
        (double([0.25, 0.11, 0.14, 0.2, 0.12, 0.18]), 0.5),
        (double([0.25, 0.5, 0.25]), 0.5),  # met exactly by one word
        (double([0.125, 0.0, 0.5, 0.375]), 1.0),
        (double([0.125, 0.625, 0.0, 0.25]), 0.875),
        (double([1.0]), 0.3),
    ]


def _drawn_distribution(generator: Generator) -> Arguments:
    """Sixty-fourths, so that sums are exact in any order, and a threshold that is met exactly, or one just below or above.

    No two words are equally likely where the cut is.
    """
    while True:
        vocabulary = size(generator, 3, 8)
        cuts = whole(generator, vocabulary - 1, high=64).sort().values
        parts = torch.cat([cuts, torch.tensor([64])]) - torch.cat([torch.tensor([0]), cuts])
        descending = parts.sort(descending=True).values
        count = size(generator, 1, vocabulary - 1)
        if descending[count - 1] > descending[count]:
            met = descending[:count].sum().double()
            return parts.double() / 64, float(met / 64 - 1 / 128 * size(generator, 0, 1))


def _lesson_distribution(generator: Generator) -> Arguments:
    probabilities = torch.softmax(2 * torch.randn(100, generator=generator), 0)
    return probabilities, float(probabilities.sort(descending=True).values[: size(generator, 5, 30)].sum()) - 1e-3


def _kept(probabilities: Tensor, keep: Callable[[Tensor, Tensor], Tensor], descending: bool = True) -> Tensor:
    """Words kept where ``keep(their sorted probabilities, cumulative sum)``, not rescaled, at their own places."""
    ordered, words = probabilities.sort(descending=descending)
    chosen = torch.where(keep(ordered, ordered.cumsum(0)), ordered, 0)
    return torch.zeros_like(probabilities).scatter(0, words, chosen)


def _reaching(nucleus: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda ordered, total: total - ordered < nucleus


def _likeliest(probabilities: Tensor, count: int) -> Tensor:
    """The ``count`` likeliest words, rescaled."""
    return _rescaled(_kept(probabilities, lambda ordered, total: torch.arange(len(total), device=total.device) < count))


def _size_of_nucleus(probabilities: Tensor, nucleus: float) -> int:
    ordered = probabilities.sort(descending=True).values
    return int((ordered.cumsum(0) - ordered < nucleus).sum())


def _sorted_kept(probabilities: Tensor, nucleus: float) -> Tensor:
    return keep_nucleus(probabilities, nucleus).sort(descending=True).values


def _sorted_mask(probabilities: Tensor, nucleus: float) -> Tensor:
    ordered = probabilities.sort(descending=True).values
    return torch.where(ordered.cumsum(0) - ordered < nucleus, probabilities, 0)


def _flat(probabilities: Tensor, nucleus: float) -> Tensor:
    kept = (keep_nucleus(probabilities, nucleus) > 0).to(probabilities.dtype)
    return kept / kept.sum()


KEEP_NUCLEUS = Exercise(
    task="Keep the fewest likeliest words whose probability reaches the nucleus, rescaled to sum 1: (vocabulary,) to the same. "
    "The nucleus is a number above 0 and at most 1.",
    reference=keep_nucleus,
    cases=_distributions,
    generate=_drawn_distribution,
    lesson=_lesson_distribution,
    hints=(
        "Sort the probabilities in descending order, and add them up: cumsum.",
        "A word stays if the words likelier than it have not reached the nucleus yet: cumsum - its own < nucleus.",
        "zeros.scatter(0, words, values) puts sorted values back to their words' places. Divide by the sum.",
    ),
    mistakes=(
        *_variants(
            "The word that reaches the threshold is left out",
            "The words kept must *reach* the nucleus. With cumsum <= nucleus they fall short of it, and where the first word "
            "is large none is left. Compare the sum of the words *before*.",
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda ordered, total: total <= nucleus)),
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda ordered, total: total < nucleus)),
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda _, total: total <= nucleus)).nan_to_num(),
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda _, total: total < nucleus)).nan_to_num(),
            lambda probabilities, nucleus: _likeliest(
                probabilities, max(1, int((probabilities.sort(descending=True).values.cumsum(0) <= nucleus).sum()))
            ),
            lambda probabilities, nucleus: _likeliest(
                probabilities, max(1, int((probabilities.sort(descending=True).values.cumsum(0) < nucleus).sum()))
            ),
        ),
        Mistake(
            "Not rescaled",
            lambda probabilities, nucleus: torch.where(keep_nucleus(probabilities, nucleus) > 0, probabilities, 0),
            "What is left adds up to less than 1. Divide by its sum.",
        ),
        Mistake(
            "Divided by the nucleus",
            lambda probabilities, nucleus: torch.where(keep_nucleus(probabilities, nucleus) > 0, probabilities, 0) / nucleus,
            "The words kept add up to the nucleus or more. Divide by what they really add up to.",
        ),
        *_variants(
            "Sorted in ascending order",
            "This begins with the *unlikeliest* words. Sort with descending=True.",
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, _reaching(nucleus), descending=False)),
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda ordered, total: total <= nucleus, False)),
        ),
        Mistake(
            "In the order of the sorting",
            lambda probabilities, nucleus: _sorted_kept(probabilities, nucleus),
            "The right numbers at the wrong words: put each back to its own place, with scatter.",
        ),
        Mistake(
            "Put back the wrong way",
            lambda probabilities, nucleus: _sorted_kept(probabilities, nucleus)[probabilities.sort(descending=True).indices],
            "Indexing with the places from sort shuffles once more. To undo the sorting, write each value to its word's place: "
            "scatter.",
        ),
        Mistake(
            "The mask of the sorted words on the unsorted ones",
            lambda probabilities, nucleus: _rescaled(_sorted_mask(probabilities, nucleus)),
            "The mask belongs to the words in sorted order. Apply it there, then put the values back to their words' places.",
        ),
        Mistake(
            "Only the words that are kept",
            lambda probabilities, nucleus: _sorted_kept(probabilities, nucleus)[: _size_of_nucleus(probabilities, nucleus)],
            "The result has an entry for every word of the vocabulary, 0 for those outside: begin with torch.zeros_like.",
        ),
        Mistake(
            "A mask, not probabilities",
            lambda probabilities, nucleus: keep_nucleus(probabilities, nucleus) > 0,
            "This says which words are kept. Give them their probabilities, rescaled.",
        ),
        *_variants(
            "A threshold on each word",
            "The nucleus is about the *sum* of the likeliest words, not about each word's own probability.",
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities >= 1 - nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities > 1 - nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities >= nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities > nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities <= nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(
                torch.where(probabilities >= nucleus * probabilities.max(), probabilities, 0)
            ),
        ),
        *_variants(
            "A share of the vocabulary",
            "The nucleus is a share of *probability*: how many words reach it differs from case to case. Add up the likeliest.",
            lambda probabilities, nucleus: _likeliest(probabilities, max(1, int(nucleus * len(probabilities)))),
            lambda probabilities, nucleus: _likeliest(probabilities, -int(-nucleus * len(probabilities) // 1)),
        ),
        Mistake(
            "One word too many",
            lambda probabilities, nucleus: _likeliest(probabilities, _size_of_nucleus(probabilities, nucleus) + 1),
            "Stop as soon as the sum reaches the nucleus: the word after that is not needed.",
        ),
        Mistake(
            "A word more where the threshold is met exactly",
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda ordered, total: total - ordered <= nucleus)),
            "Where the words before add up to exactly the nucleus, it is reached: < nucleus, not <=.",
        ),
        Mistake(
            "One minus the nucleus",
            lambda probabilities, nucleus: keep_nucleus(probabilities, 1 - nucleus),
            "The words kept reach the nucleus itself. 1 - nucleus is what may be cut off.",
        ),
        Mistake(
            "The words outside",
            lambda probabilities, nucleus: _rescaled(torch.where(keep_nucleus(probabilities, nucleus) > 0, 0, probabilities)),
            "These are the words to be cut off. Keep the others.",
        ),
        Mistake(
            "All words kept alike",
            _flat,
            "Inside the nucleus a likelier word stays likelier: keep the probabilities, only rescale them.",
        ),
        *_variants(
            "A softmax in place of rescaling",
            "A softmax is for logits: of probabilities it is nearly flat, and it gives words outside the nucleus a probability "
            "again unless they are at minus infinity. Divide by the sum.",
            lambda probabilities, nucleus: torch.softmax(
                torch.where(keep_nucleus(probabilities, nucleus) > 0, probabilities, 0), 0
            ),
            lambda probabilities, nucleus: torch.softmax(
                torch.where(keep_nucleus(probabilities, nucleus) > 0, probabilities, -torch.inf), 0
            ),
            lambda probabilities, nucleus: torch.softmax(keep_nucleus(probabilities, nucleus), 0),
        ),
        *_variants(
            "Cut without sorting",
            "These are the first words of the vocabulary, not the likeliest. Sort first.",
            lambda probabilities, nucleus: _rescaled(
                torch.where(probabilities.cumsum(0) - probabilities < nucleus, probabilities, 0)
            ),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities.cumsum(0) <= nucleus, probabilities, 0)),
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities.cumsum(0) < nucleus, probabilities, 0)),
        ),
        Mistake(
            "The likeliest word alone",
            lambda probabilities, nucleus: _likeliest(probabilities, 1),
            "That is greedy. Go on down the list of words until their sum reaches the nucleus.",
        ),
        Mistake(
            "Nothing cut",
            lambda probabilities, nucleus: probabilities,
            "All words are still there, as they came. Set to 0 what lies outside the nucleus, and rescale.",
        ),
    ),
)

# --- what a beam prefers --------------------------------------------------------------------------------------------


def beam_score(log_p: Tensor, tokens: Tensor, power: float) -> Tensor:
    counts = tokens != 0
    return (log_p * counts).sum(1) / counts.sum(1) ** power


def _hypotheses() -> list[Arguments]:
    return [
        (double([[-1.0, -2.0, -0.5]]), torch.tensor([[4, 5, 2]]), 1.0),
        (double([[-1.0, -2.0, -0.5, -0.25], [-1.5, -0.75, -3.0, -4.0]]), torch.tensor([[4, 6, 5, 2], [7, 2, 0, 0]]), 0.7),
        (
            double([[-0.5, -1.0, -2.0], [-1.0, -0.25, -2.0], [-2.0, -1.0, -1.0]]),
            torch.tensor([[4, 5, 2], [5, 2, 0], [2, 0, 0]]),
            0.0,
        ),
        (double([[-3.0, -1.0]]), torch.tensor([[2, 0]]), 2.0),
        (double([[0.0, 0.0, -1.0], [0.0, -0.5, -1.0]]), torch.tensor([[5, 2, 0], [3, 4, 2]]), 1.0),
    ]


def _ended(generator: Generator, hypotheses: int, time: int, words: int) -> Tensor:
    """Rows of 1 to ``time`` tokens, the last one <eos>, then pads; one row at least is full."""
    lengths = whole(generator, hypotheses, low=1, high=time)
    lengths[size(generator, 0, hypotheses - 1)] = time
    places = torch.arange(1, time + 1)
    tokens = whole(generator, hypotheses, time, low=3, high=words)
    return torch.where(places < lengths[:, None], tokens, torch.where(places == lengths[:, None], 2, 0))


def _drawn_hypotheses(generator: Generator) -> Arguments:
    hypotheses, time = sizes(generator, 2, 2, 6)
    log_p = numbers(generator, hypotheses, time, low=-4, high=-0.05)
    return log_p, _ended(generator, hypotheses, time, 9), (0.0, 0.4, 0.7, 1.0, 1.5)[size(generator, 0, 4)]


def _beam(generator: Generator) -> Arguments:
    return -4 * torch.rand(40, 18, generator=generator), _ended(generator, 40, 18, 99), 0.7


def _mask(tokens: Tensor) -> Tensor:
    return tokens != 0


BEAM_SCORE = Exercise(
    task="The sum of log p over a hypothesis' tokens, <eos> (2) included and <pad> (0) not, over their number ** power.",
    reference=beam_score,
    cases=_hypotheses,
    generate=_drawn_hypotheses,
    lesson=_beam,
    hints=(
        "Only the tokens up to <eos> count; after it there are pads, whose log p means nothing.",
        "tokens != 0 is where a token counts. Multiply log_p by that mask, and sum over the places, dimension 1.",
        "mask.sum(1) is the number of tokens; divide by mask.sum(1) ** power.",
    ),
    mistakes=(
        Mistake(
            "Pads counted in the sum",
            lambda log_p, tokens, power: log_p.sum(1) / _mask(tokens).sum(1) ** power,
            "A short hypothesis pays for its pads. Leave out log p where tokens == 0.",
        ),
        Mistake(
            "Pads counted in the length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / tokens.shape[1] ** power,
            "All hypotheses get the same length, so the bias to short ones stays. Count each one's own tokens.",
        ),
        Mistake(
            "Pads counted in sum and length",
            lambda log_p, tokens, power: log_p.sum(1) / tokens.shape[1] ** power,
            "What stands after <eos> belongs to no hypothesis. Leave out the places where tokens == 0, in the sum and in "
            "the length.",
        ),
        Mistake(
            "<eos> not counted in the sum",
            lambda log_p, tokens, power: beam_score(log_p * (tokens != 2), tokens, power),
            "To stop is a decision with a price as well: log p of <eos> belongs to the sum.",
        ),
        Mistake(
            "<eos> not counted in the length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / (tokens > 2).sum(1) ** power,
            "<eos> is one of the tokens that the sum is over, so it counts in the length too.",
        ),
        Mistake(
            "<eos> not counted at all",
            lambda log_p, tokens, power: beam_score(log_p, torch.where(tokens == 2, 0, tokens), power),
            "To stop is a decision with a price as well: <eos> belongs to the sum and to the length.",
        ),
        Mistake(
            "<eos> left out, pads counted",
            lambda log_p, tokens, power: (log_p * (tokens != 2)).sum(1) / (tokens != 2).sum(1) ** power,
            "Just the other way round: <eos> (2) is a token of the hypothesis, <pad> (0) is none.",
        ),
        Mistake(
            "<eos> alone",
            lambda log_p, tokens, power: beam_score(log_p * (tokens == 2), tokens, power),
            "Every token of the hypothesis has its log p, not the last one only: sum where tokens != 0.",
        ),
        Mistake(
            "Only the last place",
            lambda log_p, tokens, power: log_p[:, -1] / _mask(tokens).sum(1) ** power,
            "Every token of the hypothesis has its log p: sum over all places that are no pads.",
        ),
        Mistake(
            "Unknown words left out",
            lambda log_p, tokens, power: beam_score(log_p, torch.where(tokens == 3, 0, tokens), power),
            "Number 3 is a token like any other. Only <pad>, number 0, is left out.",
        ),
        Mistake(
            "The length bias is left in",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0),
            "Every further word makes the sum smaller, so short hypotheses win. Divide by the length ** power.",
        ),
        Mistake(
            "Multiplied by the length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, -power),
            "log p is negative, so this punishes length twice. Divide.",
        ),
        Mistake(
            "Divided by power times the length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 1.0) / power,
            "power is an exponent: at 0 the length does not matter, at 1 it is a mean.",
        ),
        Mistake(
            "Always the mean",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 1.0),
            "The mean is the case power = 1. At power 0 the plain sum is asked for.",
        ),
        Mistake(
            "Mean over places, then divided again",
            lambda log_p, tokens, power: beam_score(log_p, tokens, power) / tokens.shape[1],
            "mean(1) divides already, and by the pads as well. Take the sum; the length ** power is all that it is divided by.",
        ),
        Mistake(
            "The power of the mean",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 1.0) ** power,
            "Only the length is raised to the power; a negative number to a broken power is not a number.",
        ),
        Mistake(
            "One divided by power as exponent",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 1 / power if power else torch.inf),
            "The exponent of the length is power itself: at 0 the length does not matter.",
        ),
        Mistake(
            "Google's length penalty",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / ((5 + _mask(tokens).sum(1)) / 6) ** power,
            "((5 + length) / 6) ** power is the penalty of Wu et al. 2016. Here it is the length itself ** power.",
        ),
        Mistake(
            "A token too many in the length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / (_mask(tokens).sum(1) + 1) ** power,
            "<bos> is not among the tokens. Count those that are there and are no pads.",
        ),
        Mistake(
            "The same length for all",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / _mask(tokens).sum() ** power,
            "This is the number of tokens of all hypotheses together. Count each one's own: .sum(1).",
        ),
        Mistake(
            "A penalty subtracted",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) - power * _mask(tokens).sum(1).log(),
            "The length ** power divides the sum itself. To subtract its log would be to divide the probability.",
        ),
        *_variants(
            "The product of the probabilities",
            "Stay with logs: a probability divided by a length compares nothing.",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0).exp() / _mask(tokens).sum(1) ** power,
            lambda log_p, tokens, power: log_p.exp().where(_mask(tokens), 1).prod(1) / _mask(tokens).sum(1) ** power,
        ),
        Mistake(
            "Probabilities added up",
            lambda log_p, tokens, power: beam_score(log_p.exp(), tokens, power),
            "Probabilities of words multiply, which is adding their logs: log_p needs no exp.",
        ),
        Mistake(
            "Weighted with the numbers of the tokens",
            lambda log_p, tokens, power: beam_score(log_p * tokens, tokens, power),
            "A token's number is only its name. Multiply by the mask tokens != 0.",
        ),
        Mistake(
            "Wrong dimension",
            lambda log_p, tokens, power: beam_score(log_p.T, tokens.T, power),
            "Dimension 0 holds the hypotheses. Sum over the places, dimension 1.",
        ),
        Mistake(
            "All hypotheses in one",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum() / _mask(tokens).sum() ** power,
            "Each hypothesis has a score of its own: sum over dimension 1 only.",
        ),
        Mistake(
            "Not summed",
            lambda log_p, tokens, power: log_p * _mask(tokens) / _mask(tokens).sum(1, keepdim=True) ** power,
            "A hypothesis gets one score: sum over its places, dimension 1.",
        ),
        Mistake(
            "Every sum with every length",
            lambda log_p, tokens, power: beam_score(log_p, tokens, 0.0) / _mask(tokens).sum(1, keepdim=True) ** power,
            "keepdim in one of the two makes a table of all combinations. Sum both with .sum(1): both are (hypotheses,).",
        ),
        Mistake(
            "The best score alone",
            lambda log_p, tokens, power: beam_score(log_p, tokens, power).max(),
            "Asked for are the scores of all hypotheses. The choice comes later.",
        ),
        Mistake(
            "The best hypothesis",
            lambda log_p, tokens, power: beam_score(log_p, tokens, power).argmax(),
            "Asked for are the scores of all hypotheses. The choice comes later.",
        ),
    ),
)

EXERCISES = (DISTINCT_N, SELF_BLEU, TEMPERED, KEEP_NUCLEUS, BEAM_SCORE)

PREDICTIONS = (
    Prediction(
        "new_real_sentences",
        ("15%", "50%", "85%"),
        answer="85%",
        because="there are 75 million sentences, and most of their probability is spread thinly.",
        wrong={
            "15%": (
                "So many training sentences sound like nearly all that can be said. But they hold the common ones and a few "
                "of the rare, and most of what is said is rare."
            ),
            "50%": (
                "Half is a fair guess as long as one does not reckon. But seven facts in a free wording seldom come together "
                "twice: most of what is said is rare."
            ),
        },
    ),
    Prediction(
        "likelier_sentences",
        ("real", "beam"),
        answer="beam",
        because="a search for likely sentences finds them; reality is mostly made of unlikely ones.",
        wrong={
            "real": (
                "Real sentences are what the truth itself says, so it ought to find them likely. But there are so many that "
                "each has only a little probability, and a search looks for the few that have much."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "why_search_is_dull",
        question="A beam finds sentences that are likelier than real ones. Why is this not what you want from a writer?",
        model=(
            "Each real sentence is rather unlikely, for there are so many of them that say something else. Text that sounds "
            "real must be as surprising as real text, and a search by its very aim finds what surprises least: the "
            "commonest facts in the commonest words."
        ),
        rubric=(
            "a real sentence is seldom among the likeliest, since there are so many others;",
            "good text is as surprising as real text, and not less;",
            "a search leaves out the rare facts and wordings, so variety is lost.",
        ),
    ),
)
