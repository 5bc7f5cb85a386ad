import math
from collections import Counter
from itertools import product

import pytest

from vae_course.training import seeded
from vae_course.world.languages import WORLD, splits
from vae_course.world.noise import BESIDE, Channel, corrected, normalized, posterior, wrong

VOCABULARY = frozenset(("cat", "car", "was", "were", "a", "I", ".", "été"))
SENTENCE = ("a", "cat", "was", ".")


def test_the_keys_beside_a_key():
    assert set(BESIDE["g"]) == set("fhtyvb")
    assert set(BESIDE["q"]) == set("wa")
    assert set(BESIDE["m"]) == set("njk")
    assert all(key in BESIDE[other] for key, others in BESIDE.items() for other in others)


def test_the_misspellings_of_a_word_by_hand():
    found = Channel(VOCABULARY).misspellings("cat")
    neighbours = len(BESIDE["c"]) + len(BESIDE["a"]) + len(BESIDE["t"])
    total = 0.2 + 0.2 + 0.15 + 0.25  # no word is taken for "cat" for its sound
    assert found["cst"] == pytest.approx(0.2 / total / neighbours)
    assert found["at"] == found["ct"] == found["ca"] == pytest.approx(0.2 / total / 3)
    assert found["ccat"] == pytest.approx(0.15 / total / 3)
    looks_alike = {"car", "a"} & set(found)
    assert found["car"] == pytest.approx(0.25 / total / len(looks_alike) + (0.2 / total / neighbours) * ("r" in BESIDE["t"]))
    assert "cat" not in found
    assert sum(found.values()) == pytest.approx(1)
    assert Channel(VOCABULARY).misspellings("was")["were"] >= 0.2 / 2
    assert Channel(VOCABULARY).misspellings(".") == {}


def test_what_may_be_written_for_a_sentence_has_probability_1():
    channel = Channel(VOCABULARY, miswritten=0.2, swapped=0.3)
    meant = ("cat", ".", "a")
    forms = sorted({form for word in meant for form in (word, *channel.misspellings(word))})
    total = sum(math.exp(channel.log_probability(written, meant)) for written in product(forms, repeat=3))
    assert total == pytest.approx(1)
    assert channel.log_probability(("cat", "."), meant) == -math.inf
    assert channel.log_probability(("dog", ".", "a"), meant) == -math.inf


def test_what_is_written_is_written_as_often_as_it_should_be():
    channel, draws = Channel(VOCABULARY, miswritten=0.3, swapped=0.4), 20_000
    counts = Counter(channel.write([("was", ".", "a")] * draws, seeded(0)))
    assert len(counts) > 100
    for written, count in counts.most_common(40):
        p = math.exp(channel.log_probability(written, ("was", ".", "a")))
        assert count == pytest.approx(draws * p, abs=4.5 * math.sqrt(draws * p * (1 - p)))


def test_a_channel_without_noise_changes_nothing():
    channel = Channel(VOCABULARY, miswritten=0, swapped=0)
    assert channel.write([SENTENCE] * 5, seeded(0)) == [SENTENCE] * 5
    assert channel.log_probability(SENTENCE, SENTENCE) == 0


# --- Bayes ----------------------------------------------------------------------------------------------------------


def written_sentences(count, channel):
    meant = splits("english")["test"][:count]
    return meant, channel.write(meant, seeded(0))


@pytest.fixture(scope="module")
def channel():
    return Channel(frozenset(WORLD.english.grammar.words()), miswritten=0.15, swapped=0.3)


def test_the_readings_of_a_lattice_are_those_that_the_grammar_recognizes(channel):
    """By brute force: every path through the likeliest two words of each place, recognized one by one."""
    for written in written_sentences(200, channel)[1]:
        lattice = [dict(sorted(place.items(), key=lambda w: -w[1])[:2]) for place in channel.lattices(written)[0][0]]
        paths = math.prod(map(len, lattice))
        if not 1 < paths < 3000:
            continue
        expected = {}
        for meant in product(*lattice):
            if (log_p := WORLD.english.log_probability(meant)) > -math.inf:
                expected[meant] = log_p + sum(place[word] for place, word in zip(lattice, meant, strict=True))
        found = WORLD.english.readings(lattice)
        assert found == pytest.approx(expected)
        if len(found) > 1:
            return
    pytest.fail("no lattice with several readings was tried")


def test_the_posterior_is_bayes_rule(channel):
    meant, written = written_sentences(60, channel)
    several = 0
    for truth, what in zip(meant, written, strict=True):
        found = posterior(channel, WORLD.english, what)
        joint = {
            sentence: math.exp(WORLD.english.log_probability(sentence) + channel.log_probability(what, sentence))
            for sentence in found
        }
        total = sum(joint.values())
        assert found == pytest.approx({sentence: p / total for sentence, p in joint.items()})
        assert list(found.values()) == sorted(found.values(), reverse=True)
        assert truth in found
        several += len(found) > 1
    assert several > 10


def test_the_posterior_is_right_as_often_as_it_says(channel):
    """Over sentences that grammar and channel wrote, where no other is calibrated and none is right more often."""
    meant, written = written_sentences(250, channel)
    found = [posterior(channel, WORLD.english, what) for what in written]
    right = sum(corrected(p, what) == truth for p, what, truth in zip(found, written, meant, strict=True)) / 250
    said = [next(iter(p.values())) for p in found]
    error = math.sqrt(sum(p * (1 - p) for p in said)) / 250
    assert right == pytest.approx(sum(said) / 250, abs=4 * error)
    assert 0.8 < right < 1
    told = [p for what, f in zip(written, found, strict=True) for p in wrong(f, what)]
    truly = [m != w for truth, what in zip(meant, written, strict=True) for m, w in zip(truth, what, strict=True)]
    error = math.sqrt(sum(p * (1 - p) for p in told))
    assert sum(truly) == pytest.approx(sum(told), abs=4 * error)


def test_where_nothing_can_have_been_meant(channel):
    written = ("colourless", "green", "ideas")
    found = posterior(channel, WORLD.english, written)
    assert found == normalized({}) == {}
    assert corrected(found, written) == written
    assert wrong(found, written) == [1.0] * 3


def test_errors():
    for options in ({"miswritten": 1.0}, {"miswritten": -0.1}, {"swapped": 1.5}):
        with pytest.raises(ValueError, match="expected a probability of at least 0 and below 1"):
            Channel(VOCABULARY, **options)


def test_a_slip_is_another_word_of_the_same_kind():
    found = Channel(frozenset(("morning", "evening"))).misspellings("morning")
    kinds = {"neighbour": 0.2, "dropped": 0.2, "doubled": 0.15, "confused": 0.2, "mistaken": 0.25, "slip": 0.25}
    assert found["evening"] == pytest.approx((kinds["slip"] + kinds["mistaken"]) / sum(kinds.values()))
    assert Channel(frozenset(("morning", "noon"))).misspellings("morning").get("evening", 0) == 0
