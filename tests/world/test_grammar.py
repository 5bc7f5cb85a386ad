"""Small grammars, against every sentence written out by hand or by a walk that shares no code with the package."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

from vae_course.training import seeded
from vae_course.world.grammar import By, Choice, Factor, FactPrior, Language, Sequence, Text

WEATHER = Factor("weather", ("sun", "rain"), {"": (3, 1)})
ANIMAL = Factor("animal", ("cat", "dog", "fish"), {"sun": (2, 1, 0), "rain": (1, 1, 2)}, "weather")
FACTS = FactPrior((WEATHER, ANIMAL))
WORLDS = {
    ("sun", "cat"): 1 / 2,
    ("sun", "dog"): 1 / 4,
    ("rain", "cat"): 1 / 16,
    ("rain", "dog"): 1 / 16,
    ("rain", "fish"): 1 / 8,
}


def text(words):
    return Text(tuple(words.split()))


WHEN = By("weather", {"sun": text("today"), "rain": Choice((text("in the rain"), text("outside")), (0.25, 0.75))})
WHO = By("animal", {"cat": Choice((text("a cat"), text("a kitten")), (0.9, 0.1)), "dog": text("a dog"), "fish": text("a fish")})
SLEEPS = Language(
    "sleeps", FACTS, Choice((Sequence((WHO, text("sleeps"), WHEN)), Sequence((WHEN, WHO, text("sleeps")))), (0.8, 0.2))
)
SENTENCES = {  # every sentence, and its probability worked out by hand
    "a cat sleeps today": 1 / 2 * 0.8 * 0.9,
    "a kitten sleeps today": 1 / 2 * 0.8 * 0.1,
    "today a cat sleeps": 1 / 2 * 0.2 * 0.9,
    "today a kitten sleeps": 1 / 2 * 0.2 * 0.1,
    "a dog sleeps today": 1 / 4 * 0.8,
    "today a dog sleeps": 1 / 4 * 0.2,
    "a cat sleeps in the rain": 1 / 16 * 0.8 * 0.9 * 0.25,
    "a cat sleeps outside": 1 / 16 * 0.8 * 0.9 * 0.75,
    "a kitten sleeps in the rain": 1 / 16 * 0.8 * 0.1 * 0.25,
    "a kitten sleeps outside": 1 / 16 * 0.8 * 0.1 * 0.75,
    "in the rain a cat sleeps": 1 / 16 * 0.2 * 0.9 * 0.25,
    "outside a cat sleeps": 1 / 16 * 0.2 * 0.9 * 0.75,
    "in the rain a kitten sleeps": 1 / 16 * 0.2 * 0.1 * 0.25,
    "outside a kitten sleeps": 1 / 16 * 0.2 * 0.1 * 0.75,
    "a dog sleeps in the rain": 1 / 16 * 0.8 * 0.25,
    "a dog sleeps outside": 1 / 16 * 0.8 * 0.75,
    "in the rain a dog sleeps": 1 / 16 * 0.2 * 0.25,
    "outside a dog sleeps": 1 / 16 * 0.2 * 0.75,
    "a fish sleeps in the rain": 1 / 8 * 0.8 * 0.25,
    "a fish sleeps outside": 1 / 8 * 0.8 * 0.75,
    "in the rain a fish sleeps": 1 / 8 * 0.2 * 0.25,
    "outside a fish sleeps": 1 / 8 * 0.2 * 0.75,
}


def entropy(probabilities):
    return -math.fsum(p * math.log(p) for p in probabilities)


# --- the walk: every way to state one world's facts -------------------------------------------------------------------


def walk(node, facts):
    """Pairs (tokens, probability), a pair for each way through the tree, equal tokens not merged."""
    match node:
        case Text(tokens):
            return [(tokens, 1.0)]
        case By(factor, branches):
            return walk(branches[facts[factor]], facts)
        case Choice(options, probabilities):
            return [(t, p * q) for option, p in zip(options, probabilities, strict=True) for t, q in walk(option, facts)]
        case Sequence((first, *rest)):
            return [(t + u, p * q) for t, p in walk(first, facts) for u, q in walk(Sequence(tuple(rest)), facts)]
        case Sequence(()):
            return [((), 1.0)]


def enumerate_language(language, worlds):
    """Every sentence with its probability; ``worlds`` gives the probability of each tuple of values."""
    names = [factor.name for factor in language.prior.factors]
    sentences = defaultdict(float)
    for values, probability in worlds.items():
        for tokens, p in walk(language.grammar, dict(zip(names, values, strict=True))):
            sentences[tokens] += probability * p
    return sentences


# --- facts ------------------------------------------------------------------------------------------------------------


def test_the_table_of_worlds_is_the_one_worked_out_by_hand():
    named = FACTS.named(FACTS.worlds)
    rows = zip(named["weather"].tolist(), named["animal"].tolist(), np.exp(FACTS.log_probabilities), strict=True)
    assert {(weather, animal): p for weather, animal, p in rows} == pytest.approx(WORLDS)
    assert FACTS.entropy == pytest.approx(entropy(WORLDS.values()))


def test_the_probability_of_a_world_and_of_one_that_cannot_be():
    for (weather, animal), p in WORLDS.items():
        facts = {"animal": animal, "weather": weather}
        assert FACTS.log_probability(facts) == pytest.approx(math.log(p))
        assert FACTS.row(facts) == (weather, animal)
    assert FACTS.log_probability({"weather": "sun", "animal": "fish"}) == -math.inf
    with pytest.raises(ValueError, match="animal: expected one of cat, dog, fish, got 'bird'"):
        FACTS.log_probability({"weather": "sun", "animal": "bird"})


def test_sampled_worlds_have_the_frequencies_of_the_table():
    named = FACTS.named(FACTS.sample(20_000, seeded(0)))
    counts = Counter(zip(named["weather"].tolist(), named["animal"].tolist(), strict=True))
    assert set(counts) == set(WORLDS)
    assert chisquare([counts[w] for w in WORLDS], [20_000 * p for p in WORLDS.values()]).pvalue > 1e-3


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ((ANIMAL, WEATHER), "animal: its parent 'weather' must be a factor that comes before it"),
        ((Factor("a", ("x", "y"), {"": (1, 1, 1)}),), r"a: expected 2 weights >= 0, not all of them 0; got \(1, 1, 1\) for ''"),
        ((Factor("a", ("x", "y"), {"": (2, -1)}),), "a: expected 2 weights >= 0"),
        ((Factor("a", ("x", "y"), {"": (0, 0)}),), "a: expected 2 weights >= 0"),
        (
            (WEATHER, Factor("a", ("x",), {"sun": (1,)}, "weather")),
            r"expected weights for \('sun', 'rain'\), got them for \('sun',",
        ),
    ],
)
def test_a_prior_that_cannot_be_is_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        FactPrior(factors)


def test_an_unknown_factor_is_named_beside_the_known_ones():
    with pytest.raises(KeyError, match="no factor 'season'; there are weather, animal"):
        FACTS["season"]
    with pytest.raises(KeyError, match="no factor 'season'; there are weather, animal"):
        Language("l", FACTS, Sequence((WHO, By("season", {"sun": text("a"), "rain": text("b")}))))


# --- sentences --------------------------------------------------------------------------------------------------------


def test_the_language_has_exactly_the_sentences_worked_out_by_hand():
    assert math.fsum(SENTENCES.values()) == pytest.approx(1)
    assert {" ".join(t): p for t, p in enumerate_language(SLEEPS, WORLDS).items()} == pytest.approx(SENTENCES)
    for sentence, probability in SENTENCES.items():
        assert SLEEPS.log_probability(tuple(sentence.split())) == pytest.approx(math.log(probability))
    assert SLEEPS.sentence_count == len(SENTENCES)
    assert SLEEPS.grammar.words() == {word for sentence in SENTENCES for word in sentence.split()}


def test_the_entropies_are_those_of_the_enumerated_sentences():
    assert SLEEPS.entropy == pytest.approx(entropy(SENTENCES.values()), abs=1e-12)
    assert SLEEPS.wording_entropy == pytest.approx(entropy(SENTENCES.values()) - entropy(WORLDS.values()), abs=1e-12)


def test_wordings_are_all_ways_to_state_the_facts():
    for weather, animal in WORLDS:
        facts = {"weather": weather, "animal": animal}
        found = {tokens: math.exp(log_p) for tokens, log_p in SLEEPS.grammar.wordings(facts)}
        assert found == pytest.approx(dict(walk(SLEEPS.grammar, facts)))


def test_a_sentence_gives_back_its_facts():
    assert SLEEPS.recognize(("outside", "a", "kitten", "sleeps")).facts == {"weather": "rain", "animal": "cat"}
    assert SLEEPS.recognize(["a", "dog", "sleeps", "today"]).facts == {"weather": "sun", "animal": "dog"}


@pytest.mark.parametrize(
    "sentence",
    ["", "a cat sleeps", "a cat sleeps today today", "a cat today sleeps", "a bird sleeps today", "a fish sleeps today"],
)
def test_what_is_not_in_the_language_is_not_recognized(sentence):
    """The last one is grammatical, but no fish is ever out in the sun."""
    assert SLEEPS.recognize(tuple(sentence.split())) is None
    assert SLEEPS.log_probability(tuple(sentence.split())) == -math.inf


def test_sampled_sentences_have_the_frequencies_worked_out_by_hand():
    counts = Counter(" ".join(tokens) for tokens in SLEEPS.sample(40_000, seeded(1)))
    assert set(counts) <= set(SENTENCES)
    assert chisquare([counts[s] for s in SENTENCES], [40_000 * p for p in SENTENCES.values()]).pvalue > 1e-3


def test_a_generator_decides_the_sentences():
    assert SLEEPS.sample(50, seeded(2)) == SLEEPS.sample(50, seeded(2))
    assert SLEEPS.sample(50, seeded(2)) != SLEEPS.sample(50, seeded(3))


# --- several readings -------------------------------------------------------------------------------------------------


def test_an_ambiguous_sentence_adds_its_readings_and_gives_the_likeliest_facts():
    def named(name):
        return Choice((text(name), text("it")), (0.5, 0.5))

    who = By("animal", {"cat": named("cat"), "dog": named("dog"), "fish": named("fish")})
    language = Language("it", FACTS, Sequence((By("weather", {"sun": text("warm"), "rain": text("wet")}), who)))
    expected = enumerate_language(language, WORLDS)
    for tokens, probability in expected.items():
        assert language.log_probability(tokens) == pytest.approx(math.log(probability))
    assert expected["warm", "it"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert language.recognize(("warm", "it")).facts == {"weather": "sun", "animal": "cat"}
    assert language.recognize(("wet", "it")).facts == {"weather": "rain", "animal": "fish"}


def test_two_ways_to_cut_a_sentence_add_up():
    either = Choice((text("a"), text("a a")), (0.3, 0.7))
    prior = FactPrior((Factor("only", ("x",), {"": (1,)}),))
    language = Language("a", prior, Sequence((By("only", {"x": text("")}), either, either)))
    found = [math.exp(language.log_probability(("a",) * count)) for count in (2, 3, 4)]
    assert found == pytest.approx([0.3 * 0.3, 2 * 0.3 * 0.7, 0.7 * 0.7])


TREES = st.recursive(
    st.lists(st.sampled_from("ab"), max_size=2).map(lambda words: Text(tuple(words))),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: Sequence(tuple(parts)))
        | st.tuples(inner, inner).map(lambda options: Choice(options, (0.25, 0.75)))
        | st.tuples(inner, inner).map(lambda nodes: By("weather", dict(zip(WEATHER.values, nodes, strict=True))))
        | st.tuples(inner, inner, inner).map(lambda nodes: By("animal", dict(zip(ANIMAL.values, nodes, strict=True))))
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_grammar_assigns_the_probabilities_of_the_walk_and_a_total_of_one(tree):
    """Ambiguous ones too: facts are stated by empty words here, so that sentences often share a reading."""
    silent = text("")
    stated = (By("weather", dict.fromkeys(WEATHER.values, silent)), By("animal", dict.fromkeys(ANIMAL.values, silent)))
    language = Language("any", FACTS, Sequence((*stated, tree)))
    expected = enumerate_language(language, WORLDS)
    found = {tokens: math.exp(language.log_probability(tokens)) for tokens in expected}
    assert found == pytest.approx(expected)
    assert math.fsum(found.values()) == pytest.approx(1)
    ways = [[p for _, p in walk(tree, dict(zip(("weather", "animal"), world, strict=True)))] for world in WORLDS]
    wording = math.fsum(p * entropy(q) for p, q in zip(WORLDS.values(), ways, strict=True))
    assert language.wording_entropy == pytest.approx(wording, abs=1e-12)
    assert language.sentence_count == sum(map(len, ways))
    assert set(language.sample(20, seeded(0))) <= set(expected)


# --- two languages ----------------------------------------------------------------------------------------------------


def test_conditional_entropy_is_that_of_the_enumerated_pairs():
    branches = {"cat": text("chat"), "dog": Choice((text("chien"), text("toutou")), (0.6, 0.4)), "fish": text("poisson")}
    other = Language(
        "other", FACTS, Sequence((By("weather", {"sun": text("soleil"), "rain": text("pluie")}), By("animal", branches)))
    )
    pairs = []
    for (weather, animal), probability in WORLDS.items():
        facts = {"weather": weather, "animal": animal}
        pairs += [probability * p * q for _, p in walk(SLEEPS.grammar, facts) for _, q in walk(other.grammar, facts)]
    of_other = entropy(enumerate_language(other, WORLDS).values())
    assert SLEEPS.conditional_entropy(other) == pytest.approx(entropy(pairs) - of_other, abs=1e-12)
    assert other.conditional_entropy(SLEEPS) == pytest.approx(entropy(pairs) - entropy(SENTENCES.values()), abs=1e-12)


def test_languages_of_different_worlds_have_no_conditional_entropy():
    elsewhere = Language("elsewhere", FactPrior((WEATHER,)), WHEN)
    with pytest.raises(ValueError, match="sleeps and elsewhere speak of different worlds"):
        SLEEPS.conditional_entropy(elsewhere)


# --- grammars that cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("probabilities", [(0.5, 0.4), (0.5,), (1.0, 0.0), (1.5, -0.5), (math.nan, 0.5)])
def test_probabilities_that_are_none_are_refused(probabilities):
    with pytest.raises(ValueError, match="probabilities: expected 2 positive ones that sum to 1, got"):
        Choice((text("a"), text("b")), probabilities)


def test_a_branch_too_few_or_too_many_is_refused():
    with pytest.raises(ValueError, match=r"weather: expected a branch for each of \('sun', 'rain'\), got \('sun',\)"):
        Language("l", FACTS, Sequence((By("weather", {"sun": text("a")}), WHO)))
    with pytest.raises(ValueError, match="weather: expected a branch for each of"):
        Language("l", FACTS, Sequence((By("weather", dict.fromkeys(("sun", "rain", "snow"), text("a"))), WHO)))


def test_a_grammar_that_may_leave_a_fact_out_is_refused():
    """Its sentences would not determine the facts, and the entropy would be wrong."""
    for grammar in (WHO, Choice((Sequence((WHO, WHEN)), WHO), (0.5, 0.5)), By("weather", {"sun": WHO, "rain": text("rain")})):
        with pytest.raises(ValueError, match=r"l: every sentence must state every fact, but some leave out (weather|animal)$"):
            Language("l", FACTS, grammar)
