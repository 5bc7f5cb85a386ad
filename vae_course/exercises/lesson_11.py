"""Exercises of lesson 11: variety in two measures, temperature, the nucleus, and what a beam prefers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import sacrebleu
import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

Words = tuple[str, ...]


def _tensor(rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _split(*lines: str) -> list[Words]:
    return [tuple(line.split()) for line in lines]


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
    ]


def _ngrams(words: Sequence[str], n: int) -> list[Words]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _share(found: Sequence[object], total: int | None = None) -> Tensor:
    return torch.tensor(len(set(found)) / (len(found) if total is None else total))


def _all(sentences: Iterable[Sequence[str]], n: int) -> list[Words]:
    return [ngram for words in sentences for ngram in _ngrams(words, n)]


def _per_sentence(sentences: Sequence[Words], n: int) -> Tensor:
    return torch.stack([_share(_ngrams(words, n)) for words in sentences]).mean()


def _only_once(sentences: Sequence[Words], n: int) -> Tensor:
    found = _all(sentences, n)
    return torch.tensor(sum(count == 1 for count in Counter(found).values()) / len(found))


DISTINCT_N = Exercise(
    task="distinct-n of a list of sentences (tuples of words): different n-grams over all n-grams, of all of them together.",
    reference=distinct_n,
    cases=_texts,
    hints=(
        "The n-grams of one sentence are words[i : i + n] for i from 0 to len(words) - n.",
        "Put the n-grams of all sentences into one list; set(...) drops what is there twice. Tuples can go into a set.",
        "torch.tensor(len(set(found)) / len(found)).",
    ),
    mistakes=(
        Mistake(
            "Averaged over sentences",
            _per_sentence,
            "One sentence seldom repeats itself, so this is near 1 even if all sentences are alike. "
            "Count over all sentences together.",
        ),
        Mistake(
            "n-grams across the border of two sentences",
            lambda sentences, n: _share(_ngrams([word for words in sentences for word in words], n)),
            "The last word of a sentence and the first of the next are no n-gram: nobody wrote them together. "
            "Cut each sentence for itself.",
        ),
        Mistake(
            "The last n-gram of each sentence is missing",
            lambda sentences, n: _share([g for words in sentences for g in _ngrams(words, n)[:-1]]),
            "A sentence of 3 words has 2 bigrams: range(len(words) - n + 1).",
        ),
        Mistake(
            "Divided by the number of words",
            lambda sentences, n: _share(_all(sentences, n), sum(map(len, sentences))),
            "Li 2016 did so too. We divide by the number of n-grams, so that 1 means that no n-gram is there twice.",
        ),
        Mistake(
            "Divided by the number of sentences",
            lambda sentences, n: _share(_all(sentences, n), len(sentences)),
            "That grows with the sentences' length. Divide by the number of n-grams.",
        ),
        Mistake(
            "Only n-grams that occur once",
            _only_once,
            "An n-gram that is there five times is still one different n-gram: count len(set(found)).",
        ),
        Mistake(
            "Counted, not divided",
            lambda sentences, n: torch.tensor(float(len(set(_all(sentences, n))))),
            "More text has more different n-grams. Divide by the number of all.",
        ),
        Mistake(
            "Different sentences",
            lambda sentences, n: _share(sentences),
            "This is the share of different *sentences*. Two that differ in one word share most of their n-grams: count these.",
        ),
        Mistake(
            "The order of words is lost",
            lambda sentences, n: _share([tuple(sorted(g)) for g in _all(sentences, n)]),
            "'is it' and 'it is' are different bigrams: keep the words in their order, in a tuple.",
        ),
        Mistake(
            "The share that is repeated",
            lambda sentences, n: 1 - distinct_n(sentences, n),
            "This is 1 - distinct-n. Variety is the share that is different.",
        ),
    ),
)

# --- self-BLEU ------------------------------------------------------------------------------------------------------

Bleu = Callable[[Words, Sequence[Words]], float]


class _Bleu:
    """``bleu(hypothesis, references)``, 0-100, of one sentence; shown to the reader by its name."""

    def __call__(self, hypothesis: Words, references: Sequence[Words]) -> float:
        scorer = sacrebleu.BLEU(tokenize="none", effective_order=True, force=True)
        return scorer.sentence_score(" ".join(hypothesis), [" ".join(words) for words in references]).score

    def __repr__(self) -> str:
        return "bleu"


def self_bleu(sentences: list[Words], bleu: Bleu) -> Tensor:
    scores = [bleu(own, sentences[:i] + sentences[i + 1 :]) for i, own in enumerate(sentences)]
    return torch.tensor(sum(scores) / len(scores))


def _written() -> list[Arguments]:
    bleu = _Bleu()
    return [
        (_split("a cat sleeps in the park", "a dog sleeps in the park", "a cat sleeps at home"), bleu),
        (_split("a cat sleeps in the park", "now a cat sleeps", "a cat sleeps in the park", "the dog ran to the park"), bleu),
        (_split("we saw a red kite", "a red kite was seen there by us", "they saw a blue kite there", "it was a kite"), bleu),
    ]


def _mean(scores: Sequence[float]) -> Tensor:
    return torch.tensor(sum(scores) / len(scores))


def _pairs(sentences: Sequence[Words], bleu: Bleu) -> list[list[float]]:
    return [[bleu(own, [other]) for j, other in enumerate(sentences) if i != j] for i, own in enumerate(sentences)]


def _others_in_one(sentences: list[Words], bleu: Bleu) -> Tensor:
    others = [sentences[:i] + sentences[i + 1 :] for i in range(len(sentences))]
    return _mean([bleu(own, [sum(rest, ())]) for own, rest in zip(sentences, others, strict=True)])


SELF_BLEU = Exercise(
    task="self-BLEU of a list of sentences; bleu(hypothesis, references) scores one sentence against a list of others, 0-100.",
    reference=self_bleu,
    cases=_written,
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
            "One reference at a time",
            lambda sentences, bleu: _mean([_mean(row).item() for row in _pairs(sentences, bleu)]),
            "This is the mean over pairs. A sentence patched together from several others looks new to each of them: "
            "give all others as references at once.",
        ),
        Mistake(
            "The most similar other alone",
            lambda sentences, bleu: _mean([max(row) for row in _pairs(sentences, bleu)]),
            "The best of one reference at a time misses what is patched together from two. Give all others at once.",
        ),
        Mistake(
            "Hypothesis and references swapped",
            lambda sentences, bleu: _mean(
                [bleu(sentences[(i + 1) % len(sentences)], [own]) for i, own in enumerate(sentences)]
            ),
            "The sentence in question is the hypothesis, the first argument; the others are the references.",
        ),
        Mistake(
            "Only the next sentence as reference",
            lambda sentences, bleu: _mean([bleu(own, [sentences[i - len(sentences) + 1]]) for i, own in enumerate(sentences)]),
            "One reference says little. Give all the others as references.",
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
            "Only sentences before as references",
            lambda sentences, bleu: _mean([bleu(own, sentences[:i]) for i, own in enumerate(sentences) if i]),
            "Those that come later are references as well: sentences[:i] + sentences[i + 1 :].",
        ),
        Mistake(
            "The sum of the scores",
            lambda sentences, bleu: len(sentences) * self_bleu(sentences, bleu),
            "Divide by the number of sentences.",
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
        (_tensor([[2.0, 0.0]]), 0.5),
        (_tensor([[1.0, -1.0, 0.5], [0.0, 3.0, 0.0]]), 2.0),
        (_tensor([[4.0, 1.0, -2.0], [0.5, 0.25, 0.0], [-1.0, -3.0, -1.5]]), 0.7),
    ]


def _rescaled(weights: Tensor) -> Tensor:
    return weights / weights.sum(-1, keepdim=True)


TEMPERED = Exercise(
    task="Probabilities of the next word at a temperature: logits (batch, vocabulary), temperature > 0 to (batch, vocabulary).",
    reference=tempered,
    cases=_logits,
    hints=(
        "A temperature below 1 makes large differences between logits larger still.",
        "Divide the logits, then take the softmax.",
        "Each row must add up to 1: softmax over the last dimension.",
    ),
    mistakes=(
        Mistake(
            "Applied to the probabilities",
            lambda logits, temperature: torch.softmax(torch.softmax(logits, -1) / temperature, -1),
            "A softmax of probabilities is nearly flat, since they all lie between 0 and 1. Divide the *logits*, and take "
            "one softmax.",
        ),
        Mistake(
            "Probabilities divided",
            lambda logits, temperature: torch.softmax(logits, -1) / temperature,
            "These no longer add up to 1, and their ratios are what they were. Divide the logits, before the softmax.",
        ),
        Mistake(
            "Multiplied by the temperature",
            lambda logits, temperature: torch.softmax(logits * temperature, -1),
            "Then a high temperature sharpens. Divide by it: hot is flat, cold is peaked.",
        ),
        Mistake(
            "Raised to the power, not rescaled",
            lambda logits, temperature: torch.softmax(logits, -1) ** (1 / temperature),
            "p ** (1 / temperature) is right up to a factor: divide by its sum, so that each row adds up to 1.",
        ),
        Mistake(
            "No temperature at all",
            lambda logits, temperature: torch.softmax(logits, -1),
            "These are the probabilities at temperature 1. Divide the logits by the temperature first.",
        ),
        Mistake(
            "Not yet probabilities",
            lambda logits, temperature: logits / temperature,
            "These are logits still. Take their softmax.",
        ),
        Mistake(
            "log-probabilities",
            lambda logits, temperature: torch.log_softmax(logits / temperature, -1),
            "These are logs. Take softmax in place of log_softmax.",
        ),
        Mistake(
            "Softmax over the batch",
            lambda logits, temperature: torch.softmax(logits / temperature, 0),
            "Words compete within their row: softmax over the last dimension, dim=-1.",
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
        (_tensor([0.15, 0.55, 0.3]), 0.7),
        (_tensor([0.06, 0.5, 0.04, 0.3, 0.1]), 0.85),
        (_tensor([0.08, 0.8, 0.12]), 0.6),
        (_tensor([0.25, 0.11, 0.14, 0.2, 0.12, 0.18]), 0.5),
    ]


def _kept(probabilities: Tensor, keep: Callable[[Tensor, Tensor], Tensor], descending: bool = True) -> Tensor:
    """Words kept where ``keep(their sorted probabilities, cumulative sum)``, not rescaled, at their own places."""
    ordered, words = probabilities.sort(descending=descending)
    chosen = torch.where(keep(ordered, ordered.cumsum(0)), ordered, 0)
    return torch.zeros_like(probabilities).scatter(0, words, chosen)


def _reaching(nucleus: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda ordered, total: total - ordered < nucleus


def _left_sorted(probabilities: Tensor, nucleus: float) -> Tensor:
    return keep_nucleus(probabilities, nucleus).sort(descending=True).values


def _one_more(probabilities: Tensor, nucleus: float) -> Tensor:
    count = min(len(probabilities), int((keep_nucleus(probabilities, nucleus) > 0).sum()) + 1)
    return _rescaled(_kept(probabilities, lambda ordered, total: torch.arange(len(total)) < count))


def _flat(probabilities: Tensor, nucleus: float) -> Tensor:
    kept = (keep_nucleus(probabilities, nucleus) > 0).to(probabilities.dtype)
    return kept / kept.sum()


KEEP_NUCLEUS = Exercise(
    task="Keep the fewest likeliest words whose probability reaches the nucleus, rescaled to sum 1: (vocabulary,) to the same.",
    reference=keep_nucleus,
    cases=_distributions,
    hints=(
        "Sort the probabilities in descending order, and add them up: cumsum.",
        "A word stays if the words likelier than it have not reached the nucleus yet: cumsum - its own < nucleus.",
        "zeros.scatter(0, words, values) puts sorted values back to their words' places. Divide by the sum.",
    ),
    mistakes=(
        Mistake(
            "The word that reaches the threshold is left out",
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, lambda ordered, total: total <= nucleus)),
            "The words kept must *reach* the nucleus. With cumsum <= nucleus they fall short of it, and where the first word "
            "is large none is left. Compare the sum of the words *before*.",
        ),
        Mistake(
            "Not rescaled",
            lambda probabilities, nucleus: _kept(probabilities, _reaching(nucleus)),
            "What is left adds up to less than 1. Divide by its sum.",
        ),
        Mistake(
            "Sorted in ascending order",
            lambda probabilities, nucleus: _rescaled(_kept(probabilities, _reaching(nucleus), descending=False)),
            "This keeps the *unlikeliest* words. Sort with descending=True.",
        ),
        Mistake(
            "In the order of the sorting",
            _left_sorted,
            "The right numbers at the wrong words: put each back to its own place, with scatter.",
        ),
        Mistake(
            "A threshold on each word",
            lambda probabilities, nucleus: _rescaled(torch.where(probabilities >= 1 - nucleus, probabilities, 0)),
            "The nucleus is about the *sum* of the likeliest words, not about each word's own probability.",
        ),
        Mistake(
            "One word too many",
            _one_more,
            "Stop as soon as the sum reaches the nucleus: the word after that is not needed.",
        ),
        Mistake(
            "All words kept alike",
            _flat,
            "Inside the nucleus a likelier word stays likelier: keep the probabilities, only rescale them.",
        ),
        Mistake(
            "A softmax in place of rescaling",
            lambda probabilities, nucleus: torch.softmax(_kept(probabilities, _reaching(nucleus)), 0),
            "A softmax is for logits, and gives words outside the nucleus a probability again. Divide by the sum.",
        ),
        Mistake(
            "Cut without sorting",
            lambda probabilities, nucleus: _rescaled(
                torch.where(probabilities.cumsum(0) - probabilities < nucleus, probabilities, 0)
            ),
            "These are the first words of the vocabulary, not the likeliest. Sort first.",
        ),
    ),
)

# --- what a beam prefers --------------------------------------------------------------------------------------------


def beam_score(log_p: Tensor, tokens: Tensor, power: float) -> Tensor:
    counts = tokens != 0
    return (log_p * counts).sum(1) / counts.sum(1) ** power


def _hypotheses() -> list[Arguments]:
    return [
        (_tensor([[-1.0, -2.0, -0.5]]), torch.tensor([[4, 5, 2]]), 1.0),
        (_tensor([[-1.0, -2.0, -0.5, -0.25], [-1.5, -0.75, -3.0, -4.0]]), torch.tensor([[4, 6, 5, 2], [7, 2, 0, 0]]), 0.7),
        (
            _tensor([[-0.5, -1.0, -2.0], [-1.0, -0.25, -2.0], [-2.0, -1.0, -1.0]]),
            torch.tensor([[4, 5, 2], [5, 2, 0], [2, 0, 0]]),
            0.0,
        ),
    ]


def _mask(tokens: Tensor) -> Tensor:
    return tokens != 0


BEAM_SCORE = Exercise(
    task="The sum of log p over a hypothesis' tokens, <eos> (2) included and <pad> (0) not, over their number ** power.",
    reference=beam_score,
    cases=_hypotheses,
    hints=(
        "tokens != 0 is where a token counts; after <eos> there are only pads, whose log p means nothing.",
        "Multiply log_p by that mask, and sum over the places, dimension 1.",
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
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1) / tokens.shape[1] ** power,
            "All hypotheses get the same length, so the bias to short ones stays. Count each one's own tokens.",
        ),
        Mistake(
            "<eos> not counted in the sum",
            lambda log_p, tokens, power: (log_p * (tokens > 2)).sum(1) / _mask(tokens).sum(1) ** power,
            "To stop is a decision with a price as well: log p of <eos> belongs to the sum.",
        ),
        Mistake(
            "<eos> not counted in the length",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1) / (tokens > 2).sum(1) ** power,
            "<eos> is one of the tokens that the sum is over, so it counts in the length too.",
        ),
        Mistake(
            "The length bias is left in",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1),
            "Every further word makes the sum smaller, so short hypotheses win. Divide by the length ** power.",
        ),
        Mistake(
            "Multiplied by the length",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1) * _mask(tokens).sum(1) ** power,
            "log p is negative, so this punishes length twice. Divide.",
        ),
        Mistake(
            "Divided by power times the length",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1) / (_mask(tokens).sum(1) * power),
            "power is an exponent: at 0 the length does not matter, at 1 it is a mean.",
        ),
        Mistake(
            "The product of the probabilities",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1).exp() / _mask(tokens).sum(1) ** power,
            "Stay with logs: a probability divided by a length compares nothing.",
        ),
        Mistake(
            "Always the mean",
            lambda log_p, tokens, power: (log_p * _mask(tokens)).sum(1) / _mask(tokens).sum(1),
            "The mean is the case power = 1. At power 0 the plain sum is asked for.",
        ),
    ),
)

EXERCISES = (DISTINCT_N, SELF_BLEU, TEMPERED, KEEP_NUCLEUS, BEAM_SCORE)
