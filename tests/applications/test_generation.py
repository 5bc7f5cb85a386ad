"""Variety, novelty, coverage and both perplexities: against hand-worked examples, brute force, sacrebleu and nltk."""

import math
import random

import numpy as np
import pytest
import sacrebleu
import torch
from hypothesis import given, strategies as st
from nltk.translate import bleu_score

from vae_course.applications import generation
from vae_course.text.cures import Budget
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded, seeded_module
from vae_course.world.grammar import By, Choice, Factor, FactPrior, Language, Sequence as Line, Text
from vae_course.world.languages import WORLD, splits

CATS = [tuple(line.split()) for line in ("the cat sat", "the cat ran", "the cat sat")]
# Few words, some sentences alike, some shorter than four words, none of them once: ties and clipped counts occur.
SENTENCES = st.lists(st.lists(st.sampled_from("abc"), min_size=0, max_size=9).map(tuple), min_size=2, max_size=7)


def random_sentences(count, seed, shortest=4):
    chance = random.Random(seed)
    return [tuple(chance.choices("abcde", k=chance.randint(shortest, 9))) for _ in range(count)]


# --- distinct-n -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "share"), [(1, 4 / 9), (2, 3 / 6), (3, 2 / 3)])
def test_distinct_n_of_three_cats(n, share):
    assert generation.distinct_n(CATS, n) == pytest.approx(share)


def test_no_ngram_crosses_from_one_sentence_to_the_next():
    assert generation.distinct_n([("a", "b"), ("a", "b")], 2) == 1 / 2  # b a is none
    assert generation.ngrams(("a", "b", "c"), 2) == [("a", "b"), ("b", "c")]
    assert generation.ngrams(("a", "b"), 3) == []


def test_the_share_falls_with_the_number_of_sentences():
    real = splits("english")["test"]
    assert generation.distinct_n(real[:100], 2) > 2 * generation.distinct_n(real[:1000], 2)


@pytest.mark.parametrize(("sentences", "n"), [([], 1), ([("a",)], 2), ([()], 1)])
def test_distinct_n_needs_an_ngram(sentences, n):
    with pytest.raises(ValueError, match=f"at least one of {n} words"):
        generation.distinct_n(sentences, n)


def test_ngrams_have_at_least_one_word():
    with pytest.raises(ValueError, match="n: expected at least 1, got 0"):
        generation.distinct_n(CATS, 0)


# --- self-BLEU ------------------------------------------------------------------------------------------------------


def one_by_one(sentences):
    """Each sentence with all others as references, by sacrebleu itself."""
    bleu = sacrebleu.BLEU(tokenize="none", effective_order=True, force=True)
    joined = [" ".join(sentence) for sentence in sentences]
    scores = [bleu.sentence_score(own, joined[:k] + joined[k + 1 :]).score for k, own in enumerate(joined)]
    return sum(scores) / len(scores)


@given(SENTENCES)
def test_self_bleu_is_sacrebleus_mean_over_sentences(sentences):
    assert generation.self_bleu(sentences) == pytest.approx(one_by_one(sentences), abs=1e-9)


def test_self_bleu_is_sacrebleus_on_the_corpus():
    real = splits("english")["test"][:60]
    assert generation.self_bleu(real) == pytest.approx(one_by_one(real), abs=1e-9)


def test_self_bleu_is_nltks_without_smoothing():
    """Where every sentence shares a 4-gram with another one, smoothing has nothing to do."""
    sentences = [(*"abcd", *rest) for rest in random_sentences(12, seed=1)]
    scores = [bleu_score.sentence_bleu(sentences[:k] + sentences[k + 1 :], own) for k, own in enumerate(sentences)]
    assert generation.self_bleu(sentences) == pytest.approx(100 * sum(scores) / len(scores))


def test_alike_is_100_and_nothing_shared_is_0():
    assert generation.self_bleu([tuple("abcde")] * 3) == pytest.approx(100)
    assert generation.self_bleu([tuple("abcde"), tuple("fghij")]) == 0


def test_a_sentence_is_not_its_own_reference_but_its_double_is():
    a, b = tuple("abcde"), tuple("fghij")
    assert generation.self_bleu([a, b, a]) == pytest.approx(200 / 3)


def test_self_bleu_needs_two():
    with pytest.raises(ValueError, match="at least 2, got 1"):
        generation.self_bleu([("a",)])


# --- new, different, covered ------------------------------------------------------------------------------------------


def test_new_and_different_are_counted_by_sentence():
    assert generation.share_new(CATS, {("the", "cat", "sat")}) == pytest.approx(1 / 3)
    assert generation.share_different(CATS) == pytest.approx(2 / 3)
    assert generation.share_different(splits("english")["test"][:1]) == 1


@pytest.mark.parametrize(
    "measure",
    [lambda s: generation.share_new(s, set()), generation.share_different, lambda s: generation.coverage(s, WORLD.english)],
)
def test_shares_need_sentences(measure):
    with pytest.raises(ValueError, match="expected at least one"):
        measure([])


def test_two_tosses_of_a_coin_show_a_side_and_a_half():
    assert generation.expected_different(np.array([0.5, 0.5]), 2) == pytest.approx(1.5)
    assert generation.expected_different(np.array([1.0]), 5) == pytest.approx(1)
    assert generation.expected_different(np.array([0.2, 0.8]), 0) == 0
    # 1 - (1 - p) ** n itself would lose all digits
    assert generation.expected_different(np.array([1e-17] * 2 + [1 - 2e-17]), 10) == pytest.approx(1 + 2e-16, abs=1e-18)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 4))
def test_expected_different_by_enumeration(weights, draws):
    p = np.array(weights) / sum(weights)
    total = 0.0
    for outcome in np.ndindex(*[len(p)] * draws):
        total += math.prod(p[list(outcome)]) * len(set(outcome))
    assert generation.expected_different(p, draws) == pytest.approx(total)


@pytest.mark.parametrize(("p", "draws"), [([0.5, 0.4], 1), ([1.5, -0.5], 1), ([], 1), ([1.0], -1)])
def test_expected_different_needs_probabilities(p, draws):
    with pytest.raises(ValueError, match="sum to 1"):
        generation.expected_different(np.array(p), draws)


def coin():
    """Two facts; each can be said in two ways, one of which says the facts in the other order."""
    side = Factor("side", ("heads", "tails"), {"": (3, 1)})
    hand = Factor("hand", ("left", "right"), {"": (1, 1)})
    one, two = (By(f.name, {value: Text((value,)) for value in f.values}) for f in (side, hand))
    return Language("coin", FactPrior((side, hand)), Choice((Line((one, two)), Line((two, one))), (0.5, 0.5)))


def test_coverage_counts_facts_not_wordings_and_nothing_outside_the_language():
    written = [("heads", "left"), ("left", "heads"), ("tails", "right"), ("tails", "tails")]
    p = [3 / 8, 3 / 8, 1 / 8, 1 / 8]
    expected = sum(1 - (1 - q) ** 4 for q in p)
    assert generation.coverage(written, coin()) == pytest.approx(2 / expected)


def test_the_truth_covers_what_is_expected_of_it():
    measured = [generation.coverage(WORLD.english.sample(500, seeded(seed)), WORLD.english) for seed in range(4)]
    assert np.mean(measured) == pytest.approx(1, abs=0.006)
    assert generation.coverage([splits("english")["test"][0]] * 500, WORLD.english) < 0.003


# --- perplexity -------------------------------------------------------------------------------------------------------


def test_forward_nats_are_those_of_the_sentences_inside_the_language():
    written = [("heads", "left"), ("tails", "tails"), ("right", "tails")]
    found = generation.forward_nats(written, coin(), Vocabulary.build(written))
    assert found.tolist() == pytest.approx([-math.log(3 / 16), -math.log(1 / 16)])


def test_forward_nats_by_a_language_model_are_its_own_for_every_sentence():
    written = [("heads", "left"), ("tails",), ("right", "tails", "heads")]
    vocabulary = Vocabulary.build(written)
    model = seeded_module(0, lambda: LanguageModel(len(vocabulary), TextSizes(embedding=4, hidden=4)))
    found = generation.forward_nats(written, model, vocabulary)
    for sentence, nats in zip(written, found.tolist(), strict=True):
        tokens = torch.tensor([vocabulary.encode(sentence)])
        log_p = model.decoder.logits(tokens[:, :-1], None).log_softmax(-1).gather(-1, tokens[:, 1:, None])
        assert nats == pytest.approx(-log_p.sum().item(), rel=1e-5)


@pytest.fixture(scope="module")
def learned():
    """Reverse likelihoods by what was learned from: real text, one sentence again and again, real text without its nights."""
    real = splits("english")
    vocabulary = Vocabulary.build(real["train"][:6000])
    no_night = [s for s in real["train"][:5000] if not {"night", "midnight"} & set(s)]
    test = [vocabulary.encode(sentence) for sentence in real["test"][:300]]
    budget = Budget(steps=120, batch_size=32, learning_rate=2e-2, checks=1)
    texts = {"real": real["train"][:3000], "again": real["train"][:1] * 3000, "no night": no_night[:3000]}
    return {name: generation.reverse(text, test, vocabulary, budget=budget) for name, text in texts.items()}, real["test"][:300]


def test_reverse_perplexity_is_high_for_text_that_lacks_something(learned):
    found, test = learned
    real = found["real"].nats_per_sentence.value
    assert WORLD.english.entropy < real < found["no night"].nats_per_sentence.value - 0.5
    assert found["again"].nats_per_sentence.value > real + 20
    night = np.array([bool({"night", "midnight"} & set(sentence)) for sentence in test])
    lost = (found["no night"].nll - found["real"].nll).numpy()
    assert lost[night].mean() > 2 > lost[~night].mean()
    assert found["real"].perplexity == pytest.approx(math.exp(real * 300 / sum(len(s) + 1 for s in test)))
