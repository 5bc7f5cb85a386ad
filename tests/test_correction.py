import math
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.metrics import fbeta_score, precision_score, recall_score

from vae_course.correction import best_threshold, detection, f_score, nearest_words, noisy_channel, surprisals
from vae_course.noise import Channel
from vae_course.text_models import LanguageModel, TextSizes
from vae_course.training import seeded, seeded_module
from vae_course.vocabulary import Vocabulary

VOCABULARY = Vocabulary.build([("cat", "car", "was", "were", "a", ".")])
WORDS = VOCABULARY.words[4:]
CHANNEL = Channel(frozenset(WORDS), miswritten=0.2, swapped=0.3)
WRITTEN = [("a", "caf", "was"), ("were", "a", ".", "cat"), ("a", "cat", "wass"), ("cat",), ("a", "zebra", "was")]


@pytest.fixture(scope="module")
def model():
    result = seeded_module(0, lambda: LanguageModel(len(VOCABULARY), TextSizes(embedding=5, hidden=6))).double()
    with torch.no_grad():
        for parameter in result.parameters():
            parameter.mul_(3)
    return result


def log_likelihood(model, sentence):
    return model.log_likelihood(torch.tensor([VOCABULARY.encode(sentence)])).item()


def test_a_wide_beam_is_bayes_rule_over_all_sentences(model):
    """By enumeration of every sentence of as many words, most of which the channel cannot have made."""
    for written, found in zip(WRITTEN[:4], noisy_channel(model, VOCABULARY, CHANNEL, WRITTEN[:4], width=500), strict=True):
        joint = {}
        for meant in product(WORDS, repeat=len(written)):
            if (log_p := CHANNEL.log_probability(written, meant)) > -math.inf:
                joint[meant] = math.exp(log_p + log_likelihood(model, meant))
        total = sum(joint.values())
        assert len(joint) > 1
        assert found == pytest.approx({meant: p / total for meant, p in joint.items()})
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_narrow_beam_keeps_so_many_and_comes_back_in_order(model):
    found = noisy_channel(model, VOCABULARY, CHANNEL, WRITTEN, width=2)
    assert [len(next(iter(readings))) for readings in found] == list(map(len, WRITTEN))
    assert all(1 <= len(readings) <= 2 for readings in found)
    assert next(iter(found[4]))[1] == "zebra"  # nobody writes that for another word: it stays


def test_surprisals_are_the_models_own_word_by_word(model):
    for sentence, nats in zip(WRITTEN, surprisals(model, VOCABULARY, WRITTEN), strict=True):
        assert len(nats) == len(sentence)
        encoded = VOCABULARY.encode(sentence)
        for k in range(len(sentence)):
            logits = model.decoder.logits(torch.tensor([encoded[: k + 1]]), None)[0, -1]
            assert nats[k].item() == pytest.approx(-logits.log_softmax(-1)[encoded[k + 1]].item())


def test_the_nearest_word_of_a_dictionary():
    assert nearest_words([("a", "caat", "wass"), ("car",)], WORDS) == [("a", "cat", "was"), ("car",)]


# --- scores -----------------------------------------------------------------------------------------------------------


def scored(count=200, ties=True):
    wrong = torch.rand(count, generator=seeded(0)) < 0.2
    scores = torch.randn(count, generator=seeded(1)) + 1.5 * wrong
    return (scores * 2).round() / 2 if ties else scores, wrong


@pytest.mark.parametrize("ties", [True, False])
def test_detection_against_scikit_learn(ties):
    scores, wrong = scored(ties=ties)
    threshold = best_threshold(scores, wrong)
    measured = detection(scores, wrong, threshold)
    flagged = (scores >= threshold).numpy()
    assert measured.precision == pytest.approx(precision_score(wrong.numpy(), flagged))
    assert measured.recall == pytest.approx(recall_score(wrong.numpy(), flagged))
    assert measured.f_half == pytest.approx(fbeta_score(wrong.numpy(), flagged, beta=0.5))
    every = [fbeta_score(wrong.numpy(), (scores >= t).numpy(), beta=0.5) for t in scores.unique()]
    assert measured.f_half == pytest.approx(max(every))
    assert f_score(measured.precision, measured.recall, beta=2) == pytest.approx(fbeta_score(wrong.numpy(), flagged, beta=2))


def test_auroc_is_the_probability_that_wrong_scores_above_right():
    scores, wrong = scored()
    bad, good = scores[wrong].numpy()[:, None], scores[~wrong].numpy()
    expected = np.mean((bad > good) + 0.5 * (bad == good))
    assert detection(scores, wrong, 0.0).auroc == pytest.approx(expected)


def test_where_nothing_is_flagged_the_scores_are_0():
    scores, wrong = scored()
    measured = detection(scores, wrong, 1e9)
    assert measured.precision == measured.recall == measured.f_half == 0
    with pytest.raises(ValueError, match="some of them wrong and some right"):
        detection(scores, torch.zeros_like(wrong), 0.0)
    with pytest.raises(ValueError, match="width: expected at least 1, got 0"):
        noisy_channel(None, VOCABULARY, CHANNEL, WRITTEN, width=0)
