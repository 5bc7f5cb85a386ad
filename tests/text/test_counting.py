import math
from collections import Counter
from itertools import product

import pytest
import torch

from vae_course.text.conditional import SequenceToSequence
from vae_course.text.corpora import corpus_of
from vae_course.text.counting import CountedNgrams, beside_counting
from vae_course.text.evaluation import likelihood
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.vocabulary import BOS, EOS, PAD, UNK, Words
from vae_course.training import History, seeded, seeded_module

A, B = 4, 5
SENTENCES = [[BOS, A, B, EOS], [BOS, A, A, EOS], [BOS, B, EOS]]
SIZES = TextSizes(embedding=4, hidden=6, latent=3)
PREDICTED = (EOS, UNK, A, B)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_after_every_context_the_probabilities_sum_to_one(order):
    ngrams = CountedNgrams.of(SENTENCES, order, 6)
    for length in range(4):
        for before in product((UNK, A, B), repeat=length):
            total = sum(ngrams.probability(token, (BOS, *before)) for token in PREDICTED)
            assert total == pytest.approx(1)


def test_unigrams_and_bigrams_by_hand():
    # Eight tokens are predicted: EOS and A three times each, B twice; three kinds.
    unigrams = CountedNgrams.of(SENTENCES, 1, 6)
    assert unigrams.probability(A, [BOS]) == pytest.approx((3 + 3 / 4) / (8 + 3))
    assert unigrams.probability(UNK, [BOS, A, B]) == pytest.approx((3 / 4) / (8 + 3))
    # After A: B, A and EOS once each.
    bigrams = CountedNgrams.of(SENTENCES, 2, 6)
    assert bigrams.probability(B, [BOS, B, A]) == pytest.approx((1 + 3 * unigrams.probability(B, [])) / (3 + 3))
    # After <unk> nothing was seen: the unigram counts.
    assert bigrams.probability(B, [BOS, UNK]) == pytest.approx(unigrams.probability(B, []))


def test_the_cost_of_a_sentence_is_the_sum_over_its_tokens():
    trigrams = CountedNgrams.of(SENTENCES, 3, 6)
    row = SENTENCES[1]
    expected = [
        -sum(math.log(trigrams.probability(row[k], row[:k])) for k in (1, 2, 3)),
        -math.log(trigrams.probability(EOS, [BOS])),
    ]
    assert trigrams.nll([row, [BOS, EOS]]).tolist() == pytest.approx(expected)


def test_with_much_text_bigrams_come_to_the_truth():
    """A chain of two letters whose entropy rate is known: smoothing must not keep the counts from it."""
    stay, generator, long = 0.9, seeded(0), 40_000
    moves = torch.rand(long, generator=generator) > stay
    letters = (moves.long().cumsum(0) % 2 + A).tolist()
    text = [[BOS, *letters, EOS]]
    entropy = -(stay * math.log(stay) + (1 - stay) * math.log(1 - stay))
    cost = CountedNgrams.of(text, 2, 6).nll(text).item() / (long + 1)
    assert cost == pytest.approx(entropy, rel=0.02)
    assert CountedNgrams.of(text, 1, 6).nll(text).item() / (long + 1) == pytest.approx(math.log(2), rel=0.01)


def test_an_order_below_one_is_refused():
    with pytest.raises(ValueError, match="order: expected at least 1, got 0"):
        CountedNgrams.of(SENTENCES, 0, 6)


# --- beside a model -----------------------------------------------------------------------------------------------------

LINES = [f"the {colour} {thing} fell" for colour in ("red", "blue", "green") for thing in ("cup", "hat", "kite", "pen")]


def own_text(train=LINES, test=LINES[:3]):
    return corpus_of("mine.txt", [list(train), LINES[:2], list(test)], Words(), None, "a file of yours")


def history(epochs=10, best=4):
    return History(epochs, 100, {"loss": [1.0] * epochs}, best)


def row_of(told, name):
    (line,) = [line for line in told.split("\n") if line.startswith(name)]
    return line.split()


def test_the_table_has_the_perplexities_of_both_splits_and_the_passes():
    text = own_text()
    model = seeded_module(0, lambda: LanguageModel(len(text.vocabulary), SIZES))
    told = beside_counting({"language model": (model, history())}, text, batch_size=6)
    found = [likelihood(model, text.encoded(split), seeded(0)).perplexity for split in ("train", "test")]
    # The weights kept are those of epoch 4 of 10, after 40 of 100 steps with 6 sentences of 12 each.
    assert row_of(told, "language model  ") == ["language", "model", *(f"{value:.1f}" for value in found), "40", "20.0"]
    counts = Counter(token for row in text.encoded("train") for token in row[1:])
    total, kinds, size = counts.total(), len(counts), len(text.vocabulary) - 2
    for column, split in ((2, "train"), (3, "test")):
        tokens = [token for row in text.encoded(split) for token in row[1:]]
        nats = -sum(math.log((counts[token] + kinds / size) / (total + kinds)) for token in tokens) / len(tokens)
        assert row_of(told, "unigrams, counted")[column] == f"{math.exp(nats):.1f}"
    assert told.startswith(
        f"Your text, beside counting: 12 sentences to train on, 3 to test on, {len(text.vocabulary)} different tokens"
    )
    assert told.endswith("With only 3 test sentences all these figures are rough.")


def test_a_model_that_counting_outdoes_is_said_to_be():
    text = own_text()
    model = seeded_module(0, lambda: LanguageModel(len(text.vocabulary), SIZES))  # untrained
    told = beside_counting({"language model": (model, history())}, text)
    assert "That is worse, and more steps did not help: to count is as good as this model, on this text." in told
    told = beside_counting({"language model": (model, history(best=10))}, text)
    assert "That is worse, but it was still getting better when its steps were used up." in told


def test_what_may_be_luck_is_not_called_worse_or_better():
    text = own_text(test=["the red cup fell", "the hat", "blue kite fell"])
    trigrams = CountedNgrams.of(text.encoded("train"), 3, len(text.vocabulary)).nll(text.encoded("test"))
    mean = trigrams.mean().item()
    told = beside_counting({"model": (Priced(len(text.vocabulary), lambda tokens: mean), history())}, text)
    assert "model, nats a test sentence above trigrams: 0.0000 ± " in told.replace("-0.0", "0.0")
    assert "That is not clearly better, and more steps did not help" in told


class Priced(LanguageModel):
    """Gives a sentence the cost that ``nats`` has for its number of tokens, <bos> and <eos> included."""

    def __init__(self, size, nats):
        super().__init__(size, SIZES)
        self.nats = nats

    def log_likelihood(self, tokens):
        return -torch.tensor([self.nats(int((row != PAD).sum())) for row in tokens])


def test_a_model_that_knows_more_than_trigrams_is_said_to():
    text = own_text(test=LINES)
    told = beside_counting({"language model": (Priced(len(text.vocabulary), lambda tokens: 0.5), history())}, text)
    trigrams = CountedNgrams.of(text.encoded("train"), 3, len(text.vocabulary)).nll(text.encoded("test"))
    difference = f"{0.5 - trigrams.mean():.4f} ± {trigrams.std() / len(trigrams) ** 0.5:.4f}"
    assert f"language model, nats a test sentence above trigrams: {difference}. So it has learned what counting cannot." in told
    assert "far better" not in told


def test_a_text_that_is_known_far_better_than_new_sentences_is_said_to_be_too_small():
    text = own_text(test=[f"the {thing} fell over the hat" for thing in ("cup", "hat")])  # longer than all of train
    by_heart = Priced(len(text.vocabulary), lambda tokens: 1.0 if tokens == 6 else 30.0)
    told = beside_counting({"language model": (by_heart, history())}, text)
    assert "That is worse, and it knows its training text far better than new sentences: this text is too small" in told
    and_more = Priced(len(text.vocabulary), lambda tokens: 0.01 if tokens == 6 else 9.0)
    told = beside_counting({"language model": (and_more, history())}, text)
    assert "So it has learned what counting cannot. (And it knows its training text far better.)" in told


def test_models_with_z_are_bounded_and_pairs_are_read():
    text = own_text()
    size = len(text.vocabulary)
    told = beside_counting({"VAE": (seeded_module(0, lambda: TextVAE(size, SIZES)), history())}, text)
    assert "VAE, at most" in told
    model = seeded_module(0, lambda: SequenceToSequence(size, size, SIZES))
    told = beside_counting({"translator": (model, history())}, text, source=text)
    assert told.startswith("Your text, beside counting: 12 pairs to train on")
    assert row_of(told, "translator  ")[3:] == ["40", "106.7"]
