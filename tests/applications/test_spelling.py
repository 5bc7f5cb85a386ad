import math

import pytest
import torch

from vae_course.applications import spelling
from vae_course.applications.correction import likeliest, noisy_channel
from vae_course.applications.spelling import (
    EditChannel,
    SpellingChannel,
    candidates,
    edits,
    most_similar_word,
    reranked,
    share_found,
)
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded_module

DICTIONARY = ["receive", "relieve", "recipe", "their", "three", "then"]


@pytest.mark.parametrize(
    ("written", "meant", "expected"),
    [
        ("the", "the", []),
        ("hte", "the", [("", "th", "ht")]),
        ("recieve", "receive", [("c", "ei", "ie")]),
        ("acommodate", "accommodate", [("a", "c", "")]),
        ("moorning", "morning", [("m", "", "o")]),
        ("kat", "cat", [("", "c", "k")]),
        ("", "ab", [("", "a", ""), ("a", "b", "")]),
        ("ab", "", [("", "", "a"), ("", "", "b")]),
    ],
)
def test_edits_by_hand(written, meant, expected):
    assert edits(written, meant) == expected


def distance(a, b):
    """Restricted Damerau distance, by its recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    options = [distance(a[:-1], b) + 1, distance(a, b[:-1]) + 1, distance(a[:-1], b[:-1]) + (a[-1] != b[-1])]
    if len(a) > 1 and len(b) > 1 and a[-2:] == b[-2:][::-1]:
        options.append(distance(a[:-2], b[:-2]) + 1)
    return min(options)


def test_edits_are_as_few_as_possible():
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        a, b = (
            "".join(
                "abc"[k] for k in torch.randint(3, (int(torch.randint(1, 6, (1,), generator=generator)),), generator=generator)
            )
            for _ in range(2)
        )
        found = edits(a, b)
        assert len(found) == distance(b, a)
        assert len(a) - len(b) == sum(len(new) - len(old) for _, old, new in found)
        if len(found) == 1:
            assert a in {b[:k] + found[0][2] + b[k + len(found[0][1]) :] for k in range(len(b) + 1)}


def test_counted_edits_score_by_hand():
    pairs = [("hte", "the"), ("hten", "then"), ("tehir", "their"), ("thee", "three")]
    channel = EditChannel.counted(pairs)
    assert channel.exact["", "th", "ht"] == 2
    assert channel.plain["th", "ht"] == 2
    seen, unseen = channel([("hte", "the"), ("xhe", "the")]).tolist()
    assert seen == pytest.approx(math.log((2 + 0.02 * 2 + 0.1) / 4))
    assert unseen == pytest.approx(math.log(0.1 / 4))
    assert channel([("the", "the")]).tolist() == [0.0]


def test_candidates_share_most_ngrams():
    found = candidates(["recieve", "thier"], DICTIONARY, count=2)
    assert found[0] == ["receive", "relieve"] or found[0][0] in ("receive", "relieve")
    assert len(found) == 2
    assert all(len(row) == 2 for row in found)
    # By hand: padded " then " and " them ": shared n-grams over all of both.
    grams = lambda word: {f" {word} "[k : k + n] for n in (1, 2, 3) for k in range(len(word) + 3 - n)}  # noqa: E731
    best = max(DICTIONARY, key=lambda w: 2 * len(grams(w) & grams("them")) / (len(grams(w)) + len(grams("them"))))
    assert candidates(["them"], DICTIONARY, count=1) == [[best]]


def test_the_likeliest_candidate_is_taken():
    scores = {"receive": -1.0, "relieve": -2.0, "their": -5.0, "three": -4.0}
    found = reranked(
        ["recieve", "thre"],
        [["relieve", "receive"], ["their", "three"]],
        lambda pairs: torch.tensor([scores[meant] for _, meant in pairs]),
    )
    assert found == ["receive", "three"]
    assert share_found(found, [("recieve", "receive"), ("thre", "there")]) == 0.5
    assert most_similar_word("recieve", DICTIONARY) in ("receive", "relieve")


def test_the_words_to_be_judged_by_were_not_trained_on():
    data = spelling.misspellings()
    seen = {meant for _, meant in data.train}
    assert len(data.test) > 500
    assert not any(meant in seen for _, meant in data.test)
    assert all(meant in set(data.dictionary) for _, meant in data.test)


def test_a_neural_channel_gives_log_probabilities_in_the_order_of_the_pairs():
    pairs = [("ab", "a"), ("b", "bb"), ("aab", "ab"), ("a", "b")]
    channel = spelling.neural_channel(pairs, steps=20)
    together = channel(pairs)
    assert (together < 0).all()
    assert together.tolist() == pytest.approx([channel([pair]).item() for pair in pairs], rel=1e-4)


# --- in a sentence ----------------------------------------------------------------------------------------------------

WORDS = ("their", "there", "dog", "a", "runs")
EDITS = EditChannel.counted([("thier", "their"), ("beleif", "belief"), ("feild", "field"), ("dogg", "dog")])


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
    assert channel.most_similar([written, ("dog",)]) == [("their", "dog"), ("dog",)]
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
    assert likeliest(model, vocabulary, channel, [("thier", "dog")]) == [max(joint, key=joint.__getitem__)]
