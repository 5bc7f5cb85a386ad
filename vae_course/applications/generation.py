"""What is written, taken as a whole: is it new, is it varied, does it cover the world, and what could one learn from it?

Every measure of variety falls as more sentences are looked at, so compare equal numbers only. Sentences are tuples of tokens.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import sacrebleu
import torch
from torch import Tensor

from vae_course.text.batches import Sentences
from vae_course.text.cures import Budget, train_language_model
from vae_course.text.evaluation import Likelihood, exact_nll, likelihood
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded
from vae_course.world.grammar import Floats, Language, Tokens

LONGEST_NGRAM = 4  # as in BLEU


def ngrams(sentence: Tokens, n: int) -> list[Tokens]:
    """The runs of ``n`` tokens inside a sentence, in order; none where it is shorter than that."""
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    return [tuple(sentence[start : start + n]) for start in range(len(sentence) - n + 1)]


def distinct_n(sentences: Sequence[Tokens], n: int) -> float:
    """Different n-grams / n-grams, counted over all ``sentences`` together; an n-gram lies inside one sentence.

    Li 2016 divide by the number of words; by that of n-grams the largest value is 1 for every n.
    Raises ``ValueError`` if no sentence has ``n`` words.
    """
    found = [ngram for sentence in sentences for ngram in ngrams(sentence, n)]
    if not found:
        raise ValueError(f"sentences: expected at least one of {n} words or more")
    return len(set(found)) / len(found)


# --- self-BLEU ------------------------------------------------------------------------------------------------------


def self_bleu(sentences: Sequence[Tokens]) -> float:
    """The mean BLEU (0-100) of every sentence with *all others* as its references (Zhu 2018): high if all are alike.

    Each BLEU is sacrebleu's, of one sentence, with exponential smoothing and effective order. The counts are gathered for
    all sentences at once, so that the time grows with their number and not with its square.
    """
    if len(sentences) < 2:
        raise ValueError(f"sentences: expected at least 2, got {len(sentences)}: a sentence needs others to be compared with")
    counts = [[Counter(ngrams(sentence, n)) for n in range(1, LONGEST_NGRAM + 1)] for sentence in sentences]
    most = [_two_largest([one[k] for one in counts]) for k in range(LONGEST_NGRAM)]
    lengths = Counter(map(len, sentences))
    scores = []
    for number, sentence in enumerate(sentences):
        matched = [
            sum(min(count, _largest_elsewhere(most[k][ngram], number)) for ngram, count in counts[number][k].items())
            for k in range(LONGEST_NGRAM)
        ]
        total = [max(0, len(sentence) - k) for k in range(LONGEST_NGRAM)]
        closest = _closest_length(len(sentence), lengths)
        bleu = sacrebleu.BLEU.compute_bleu(matched, total, len(sentence), closest, smooth_method="exp", effective_order=True)
        scores.append(bleu.score)
    return sum(scores) / len(scores)


Largest = tuple[int, int, int]  # the largest count, whose it is, and the largest of all others


def _two_largest(counts: Sequence[Counter[Tokens]]) -> dict[Tokens, Largest]:
    found: dict[Tokens, Largest] = {}
    for number, counter in enumerate(counts):
        for ngram, count in counter.items():
            first, owner, second = found.get(ngram, (0, -1, 0))
            found[ngram] = (count, number, first) if count > first else (first, owner, max(second, count))
    return found


def _largest_elsewhere(largest: Largest, number: int) -> int:
    first, owner, second = largest
    return second if owner == number else first


def _closest_length(length: int, lengths: Counter[int]) -> int:
    """The length of another sentence that is nearest to ``length``, the shorter of two as near (Papineni 2002)."""
    others = [other for other, count in lengths.items() if count > (other == length)]
    return min(others, key=lambda other: (abs(other - length), other))


# --- new, and all there is --------------------------------------------------------------------------------------------


def share_new(sentences: Sequence[Tokens], seen: Collection[Tokens]) -> float:
    """The share of ``sentences`` that are not among those ``seen`` in training (a set is quick)."""
    if not sentences:
        raise ValueError("sentences: expected at least one")
    return sum(sentence not in seen for sentence in sentences) / len(sentences)


def share_different(sentences: Sequence[Tokens]) -> float:
    """Different sentences / sentences."""
    if not sentences:
        raise ValueError("sentences: expected at least one")
    return len(set(sentences)) / len(sentences)


def expected_different(probabilities: Floats, draws: int) -> float:
    """How many different values ``draws`` independent draws show on average: sum of 1 - (1 - p) ** draws. (values,)."""
    p = torch.as_tensor(probabilities, dtype=torch.float64)
    if draws < 0 or p.numel() == 0 or bool((p < 0).any()) or abs(float(p.sum()) - 1) > 1e-6:
        raise ValueError(f"expected probabilities that sum to 1 and draws >= 0, got a sum of {float(p.sum())} and {draws}")
    return float(-torch.expm1(draws * torch.log1p(-p.clamp_max(1 - 1e-16))).sum())


def coverage(sentences: Sequence[Tokens], language: Language) -> float:
    """Different combinations of facts in ``sentences`` / how many as many true sentences show on average.

    About 1 for the truth itself, in which some combinations are frequent too. What is outside the language covers nothing.
    """
    if not sentences:
        raise ValueError("sentences: expected at least one")
    recognized = [language.recognize(sentence) for sentence in sentences]
    found = {language.prior.row(reading.facts) for reading in recognized if reading is not None}
    probabilities = torch.tensor(language.prior.log_probabilities).exp().numpy()
    return len(found) / expected_different(probabilities, len(sentences))


# --- perplexity, forward and reverse ------------------------------------------------------------------------------------


def forward_nats(sentences: Sequence[Tokens], truth: Language | LanguageModel, vocabulary: Vocabulary) -> Tensor:
    """-log p of written sentences under the truth, in nats: (sentences,), or fewer, for those outside a language are left out.

    Outside -log p is infinite, so this needs the share inside beside it. Where no grammar is known, ``truth`` is a language
    model of the corpus. Low is not good in itself: real sentences have the entropy on average, and likelier ones are duller.
    """
    if isinstance(truth, LanguageModel):
        return likelihood(truth, [vocabulary.encode(sentence) for sentence in sentences], seeded(0)).nll
    nll = exact_nll(truth, sentences)
    return nll[nll.isfinite()]


READER = TextSizes(embedding=32, hidden=64)
LESSONS = Budget(steps=200, batch_size=32, learning_rate=2e-2, checks=1)


def reverse(
    written: Sequence[Tokens],
    test: Sentences,
    vocabulary: Vocabulary,
    *,
    seed: int = 0,
    budget: Budget = LESSONS,
    device: torch.device | None = None,
) -> Likelihood:
    """What a language model that learned from ``written`` text alone makes of real, encoded ``test`` sentences (Zhao 2018).

    Its ``perplexity`` is the reverse perplexity. It is high if the text is wrong, and if it lacks what real text has. The model
    is small and its training short, so compare with the same for as much real text.
    """
    encoded = [vocabulary.encode(sentence) for sentence in written]
    model, _ = train_language_model(encoded, len(vocabulary), sizes=READER, budget=budget, seed=seed, device=device)
    return likelihood(model, test, seeded(seed))
