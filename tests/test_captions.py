import math

import pytest
import torch

from vae_course.captions import SpellingChannel, edit_scores, misspelled
from vae_course.correction import noisy_channel
from vae_course.spelling import EditChannel
from vae_course.text_models import LanguageModel, TextSizes
from vae_course.training import seeded, seeded_module
from vae_course.vocabulary import Vocabulary

WORDS = ("their", "there", "dog", "a", "runs")
EDITS = EditChannel.counted([("thier", "their"), ("beleif", "belief"), ("feild", "field"), ("dogg", "dog")])


def test_words_are_misspelled_as_often_as_asked():
    forms = {"dog": ["dogg", "dgo"]}
    written = misspelled([("a", "dog", "runs")] * 4000, forms, 0.25, seeded(0))
    shares = [sum(s[1] == form for s in written) / 4000 for form in ("dog", "dogg", "dgo")]
    assert shares == pytest.approx([0.75, 0.125, 0.125], abs=4.5 * math.sqrt(0.75 * 0.25 / 4000))
    assert all(s[0] == "a" and s[2] == "runs" for s in written)


def test_a_known_word_stays_and_an_unknown_one_has_candidates():
    channel = SpellingChannel(WORDS, EDITS, stay=-9.0, count=2)
    written = ("thier", "dog")
    channel.learn([written])
    ((lattice, log_order),) = channel.lattices(written)
    assert log_order == 0
    assert lattice[1] == {"dog": 0.0}
    assert set(lattice[0]) == {"thier", "their", "there"}
    assert lattice[0]["thier"] == -9
    assert lattice[0]["their"] == pytest.approx(EDITS([("thier", "their")]).item())
    assert channel.without_context(written) == ("their", "dog")
    assert SpellingChannel(WORDS, EDITS, 0.0, 2, channel.memory).without_context(written) == written


def test_it_serves_the_noisy_channel():
    vocabulary = Vocabulary.build([WORDS])
    model = seeded_module(0, lambda: LanguageModel(len(vocabulary), TextSizes(embedding=4, hidden=5)))
    channel = SpellingChannel(WORDS, EDITS, stay=-50.0, count=2)
    channel.learn([("thier", "dog")])
    (found,) = noisy_channel(model, vocabulary, channel, [("thier", "dog")])
    joint = {}
    for first, log_p in channel.memory["thier"].items():
        tokens = torch.tensor([vocabulary.encode((first, "dog"))])
        joint[first, "dog"] = math.exp(log_p + model.log_likelihood(tokens).item())
    total = sum(joint.values())
    assert found["their", "dog"] == pytest.approx(joint["their", "dog"] / total, rel=1e-4)


def test_edits_are_scored_by_hand():
    meant = [("a", "dog"), ("a", "dog"), ("their", "dog")]
    written = [("a", "dogg"), ("a", "dog"), ("thier", "dgo")]
    said = [("a", "dog"), ("a", "runs"), ("there", "dog")]
    scores = edit_scores(said, written, meant)
    precision, recall = 2 / 4, 2 / 3
    assert scores["precision"] == pytest.approx(precision)
    assert scores["recall"] == pytest.approx(recall)
    assert scores["f_half"] == pytest.approx(1.25 * precision * recall / (0.25 * precision + recall))
    assert scores["whole"] == pytest.approx(1 / 3)
    assert scores["spoiled"] == 1
