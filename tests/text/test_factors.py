"""Information, gaps, probes and moves, each against a truth found another way: integration, construction, or counting."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from sklearn.metrics import mutual_info_score

from vae_course.text import corpora, factors
from vae_course.text.vocabulary import Vocabulary, Words
from vae_course.training import seeded
from vae_course.world.languages import WORLD

ENGLISH = WORLD.english


def draws(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def corpus_of(sentences, language=None):
    tokens = [tuple(sentence.split()) for sentence in sentences]
    return corpora.Corpus("some", tokens, tokens, tokens, Vocabulary.build(tokens), Words(), language, "here")


def world_factors():
    return factors.factors_of(corpus_of(["a b"], ENGLISH))


# --- factors ----------------------------------------------------------------------------------------------------------


def test_the_facts_read_off_are_those_that_were_written():
    rows = ENGLISH.prior.sample(200, seeded(1))
    sentences = ENGLISH.write(rows, seeded(2))
    facts = world_factors()
    assert facts.names == [factor.name for factor in ENGLISH.prior.factors]
    assert facts.table(sentences).tolist() == rows.tolist()
    assert facts.say(sentences[0]) == " ".join(values[k] for values, k in zip(facts.values.values(), rows[0], strict=True))


def test_a_sentence_outside_the_language_is_marked():
    facts = world_factors()
    assert facts.table([("no", "such", "sentence")]).tolist() == [[factors.UNREADABLE] * 7]
    assert facts.say(("no", "such", "sentence")) == "not in the language"


def test_possible_is_what_the_prior_gives_a_probability():
    facts = world_factors()
    generator = seeded(3)
    verdicts = set()
    for _ in range(300):
        row = [int(torch.randint(len(values), (), generator=generator)) for values in facts.values.values()]
        named = {name: values[k] for (name, values), k in zip(facts.values.items(), row, strict=True)}
        verdict = ENGLISH.prior.log_probability(named) > -math.inf
        assert facts.possible(row) == verdict
        verdicts.add(verdict)
    assert verdicts == {True, False}


def test_of_any_other_text_length_and_common_words_are_known():
    facts = factors.factors_of(corpus_of(["a", "a b", "a b c", "a c d e", "b c d e f", "a b d e f g"]))
    # c, d and e are in three of the six sentences, b in four, a in five.
    assert facts.names == ["length", '"c"', '"d"', '"e"', '"b"']
    assert facts.table([("a", "x", "y"), ("a", "c", "d", "e"), tuple("abcdefg")]).tolist() == [
        [0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0],
        [2, 1, 1, 1, 1],
    ]
    assert facts.possible([0, 1, 1, 1, 1])


# --- mutual information ---------------------------------------------------------------------------------------------------


def test_information_of_counts_is_scikit_learns():
    counts = torch.tensor([[3, 0, 5], [1, 7, 0]])
    a, b = zip(*[(i, j) for i in range(2) for j in range(3) for _ in range(int(counts[i, j]))], strict=True)
    assert factors.mutual_information_of_counts(counts).item() == pytest.approx(mutual_info_score(a, b))


def test_information_of_counts_at_its_ends():
    independent = torch.tensor([1, 3])[:, None] * torch.tensor([2, 5, 1])
    assert factors.mutual_information_of_counts(independent).item() == pytest.approx(0, abs=1e-12)
    assert factors.mutual_information_of_counts(torch.diag(torch.tensor([2, 2, 4]))).item() == pytest.approx(
        0.5 * math.log(2) + 0.5 * math.log(4)
    )


def test_bins_are_equally_full_and_in_order():
    codes = draws(1000, 3)
    bins = factors.equal_bins(codes, 20)
    for column in range(3):
        assert torch.bincount(bins[:, column]).tolist() == [50] * 20
        assert (bins[:, column][codes[:, column].argsort()].diff() >= 0).all()


def test_information_in_a_gaussian_coordinate_is_that_of_the_integral():
    """The factor is fair, the coordinate N(-1, 1) or N(1, 1): I = h(mixture) - h(N) by numerical integration."""
    labels = torch.randint(2, (200_000,), generator=seeded(0))
    codes = draws(200_000, 1) + (2 * labels[:, None] - 1)

    def density(x):
        return 0.5 * scipy.stats.norm.pdf(x, -1) + 0.5 * scipy.stats.norm.pdf(x, 1)

    mixture, _ = scipy.integrate.quad(lambda x: -density(x) * math.log(density(x)), -12, 12)
    exact = mixture - 0.5 * math.log(2 * math.pi * math.e)
    found = factors.mutual_information(codes, labels[:, None], bins=100).item()
    # Bins lose a little information; the standard error of 200,000 sentences is about 0.001.
    assert found == pytest.approx(exact, abs=0.004)
    assert factors.mutual_information(codes, labels[:, None], bins=4).item() < found


def test_the_bias_of_unrelated_codes_is_the_one_that_is_documented():
    labels = torch.randint(8, (4000, 50), generator=seeded(1))
    null = factors.mutual_information(draws(4000, 20), labels).flatten()
    # 2 n I is nearly chi-squared with 19 * 7 degrees of freedom (Wilks 1938).
    degrees = 19 * 7
    standard_error = math.sqrt(2 * degrees) / 8000 / math.sqrt(len(null))
    assert null.mean().item() == pytest.approx(degrees / 8000, abs=4 * standard_error + 0.02 * degrees / 8000)


def test_tables_without_observations_are_refused():
    with pytest.raises(ValueError, match="table: expected one row at least, got none"):
        factors.entropies(torch.zeros(0, 2, dtype=torch.long))
    with pytest.raises(
        ValueError, match=r"counts: expected an observation at least in each table, got \(2, 3\) with one of none"
    ):
        factors.mutual_information_of_counts(torch.zeros(2, 3))
    assert factors.mutual_information_of_counts(torch.zeros(0, 2, 3)).shape == (0,)


def test_entropies_are_those_of_the_observed_shares():
    table = torch.tensor([[0, 1], [0, 1], [1, 1], [2, 1]])
    assert factors.entropies(table).tolist() == pytest.approx([1.5 * math.log(2), 0])


def test_each_code_needs_its_row():
    with pytest.raises(ValueError, match="got 3 codes and 2 rows"):
        factors.mutual_information(draws(3, 1), torch.zeros(2, 1, dtype=torch.long))


# --- the gap --------------------------------------------------------------------------------------------------------------


def two_factors_on_two_axes(n=20_000):
    table = torch.randint(2, (n, 2), generator=seeded(5))
    return 6.0 * table + draws(n, 2, seed=6), table


def gap(codes, table):
    return factors.mutual_information_gap(factors.mutual_information(codes, table), factors.entropies(table))


def test_a_code_with_an_axis_for_each_factor_has_a_gap_of_nearly_one():
    assert (gap(*two_factors_on_two_axes()) > 0.97).all()


def test_turned_by_an_eighth_the_same_code_has_next_to_no_gap():
    codes, table = two_factors_on_two_axes()
    c = math.sqrt(0.5)
    assert (gap(codes @ torch.tensor([[c, c], [-c, c]], dtype=torch.float64), table) < 0.03).all()


def test_the_gap_is_the_lead_over_the_second_and_0_without_entropy():
    information = torch.tensor([[0.4, 0.1], [0.1, 0.1], [0.3, 0.1]])
    assert factors.mutual_information_gap(information, torch.tensor([0.5, 0.0])).tolist() == pytest.approx([0.2, 0.0])


def test_rotations_keep_lengths_and_favour_no_direction():
    rotations = torch.stack([factors.random_rotation(3, seeded(number)) for number in range(2000)])
    identity = torch.eye(3, dtype=torch.float64)
    assert torch.allclose(rotations @ rotations.mT, identity.expand_as(rotations), atol=1e-12)
    # A uniform direction's coordinate is uniform on (-1, 1) in three dimensions (Archimedes).
    for place in ((0, 0), (1, 2), (2, 2)):
        assert scipy.stats.kstest(rotations[:, *place].numpy(), "uniform", args=(-1, 2)).pvalue > 1e-3


def test_the_aligned_rotation_finds_axes_that_a_rotation_hid():
    codes, table = two_factors_on_two_axes()
    codes = torch.cat([codes, draws(len(codes), 3, seed=7)], dim=1)
    hidden = codes @ factors.random_rotation(5, seeded(8)).T
    facts = factors.Factors({"one": ("no", "yes"), "two": ("no", "yes")}, read=lambda tokens: None)
    rotation = factors.aligned_rotation(factors.effects(hidden, table, facts))
    assert torch.allclose(rotation @ rotation.T, torch.eye(5, dtype=torch.float64), atol=1e-12)
    assert (gap(hidden, table) < 0.5).all()
    assert (gap(hidden @ rotation.T, table) > 0.95).all()
    with pytest.raises(ValueError, match="2 factors cannot each have an axis in 1 dimensions"):
        factors.aligned_rotation([draws(2, 1), draws(2, 1)])


# --- probes ---------------------------------------------------------------------------------------------------------------


def test_a_probe_reaches_the_accuracy_and_the_nats_of_bayes_rule():
    """N(-1, 1) against N(1, 1): the best reader is logistic, right with probability Phi(1), and tells all of I."""
    labels = torch.randint(2, (40_000,), generator=seeded(0))
    codes = draws(40_000, 1) + (2 * labels[:, None] - 1)
    codes = torch.cat([codes, draws(40_000, 2, seed=1)], dim=1)
    found = factors.probe(codes[:20_000], labels[:20_000], codes[20_000:], labels[20_000:])
    assert found.accuracy.standard_errors_from(scipy.stats.norm.cdf(1)) < 3.5

    def density(x):
        return 0.5 * scipy.stats.norm.pdf(x, -1) + 0.5 * scipy.stats.norm.pdf(x, 1)

    mixture, _ = scipy.integrate.quad(lambda x: -density(x) * math.log(density(x)), -12, 12)
    exact = mixture - 0.5 * math.log(2 * math.pi * math.e)
    assert found.nats.standard_errors_from(exact) < 3.5
    assert found.nats.value == pytest.approx(exact, abs=0.02)


def test_a_probe_is_scored_on_test_rows_only():
    labels = torch.randint(2, (60,), generator=seeded(3))
    codes = draws(60, 50, seed=4)  # as many features as rows to learn by heart, and no information
    found = factors.probe(codes[:30], labels[:30], codes[30:], labels[30:])
    assert found.accuracy.value < 0.85
    assert found.nats.value < 0.1


def test_the_majority_is_trainings_and_is_scored_on_test():
    found = factors.probe(draws(4, 1), torch.tensor([0, 1, 1, 1]), draws(4, 1), torch.tensor([0, 0, 0, 1]))
    assert found.majority == 0.25


def test_a_value_that_training_lacks_costs_nats_but_not_infinitely_many():
    only_one = factors.probe(draws(3, 1), torch.tensor([1, 1, 1]), draws(4, 1), torch.tensor([1, 1, 1, 2]))
    assert only_one.accuracy.value == 0.75
    own = np.log([0.999 + 0.001 / 3] * 3 + [0.001 / 3])
    share = np.log([0.75] * 3 + [0.25])
    assert only_one.nats.value == pytest.approx((own - share).mean())


def test_a_bag_holds_words_without_order_or_special_ones():
    assert factors.bag_of_words([[1, 5, 4, 5, 2], [1, 3, 2]], 6).tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0]]


# --- moves ----------------------------------------------------------------------------------------------------------------

TWO = factors.Factors({"one": ("a", "b", "c"), "two": ("d", "e")}, read=lambda tokens: None)


def correlated(n=6000):
    """Codes that add up a part for each value and a little noise; the second factor follows the first in 9 of 10."""
    one = torch.randint(3, (n,), generator=seeded(0))
    two = torch.where(torch.rand(n, generator=seeded(1)) < 0.9, one.clamp_max(1), torch.randint(2, (n,), generator=seeded(2)))
    parts = draws(3, 4, seed=3), draws(2, 4, seed=4)
    return parts[0][one] + parts[1][two] + 0.01 * draws(n, 4, seed=5), torch.stack([one, two], dim=1), parts


def test_class_means_are_the_plain_means():
    codes, table, _ = correlated()
    one, two = factors.class_means(codes, table, TWO)
    assert torch.allclose(one[2], codes[table[:, 0] == 2].mean(0))
    assert torch.allclose(two[0], codes[table[:, 1] == 0].mean(0))
    assert one.shape == (3, 4)


def test_effects_are_the_parts_that_the_codes_were_made_of():
    codes, table, parts = correlated()
    for found, part in zip(factors.effects(codes, table, TWO), parts, strict=True):
        assert torch.allclose(found[1] - found[0], part[1] - part[0], atol=0.003)
    plain = factors.class_means(codes, table, TWO)[0]
    assert not torch.allclose(plain[1] - plain[0], parts[0][1] - parts[0][0], atol=0.3)


def test_wishes_are_possible_and_change_one_fact():
    facts = world_factors()
    table = torch.tensor(ENGLISH.prior.sample(300, seeded(1)))
    table[7] = factors.UNREADABLE
    wish = factors.wishes(facts, table, seeded(2))
    assert wish.rows.tolist() == [row for row in range(300) if row != 7]
    changed = table[wish.rows].scatter(1, wish.factor[:, None], wish.target[:, None])
    assert (changed != table[wish.rows]).sum(1).tolist() == [1] * 299
    assert all(facts.possible(row) for row in changed.tolist())
    assert torch.equal(table[wish.rows].gather(1, wish.factor[:, None])[:, 0], wish.source)
    assert set(wish.factor.tolist()) == set(range(7))
    with pytest.raises(ValueError, match="no row is readable"):
        factors.wishes(facts, table[7:8], seeded(0))


def test_steps_lead_from_source_to_target():
    vectors = [torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[10.0], [30.0]])]
    wish = factors.Wishes(*torch.tensor([[0, 0, 2, 1], [3, 1, 1, 0]]).T)
    assert wish.steps(vectors).tolist() == [[-4.0], [-20.0]]


def test_a_wish_is_granted_and_the_rest_kept_fact_by_fact():
    before = torch.tensor([[0, 0], [1, 1], [2, 0]])
    wish = factors.Wishes(*torch.tensor([[0, 0, 0, 1], [1, 0, 1, 2], [2, 1, 0, 1], [0, 0, 0, 1]]).T)
    after = torch.tensor([[1, 1], [1, 1], [-1, -1], [1, 0]])
    came_true, kept = factors.granted(wish, before, after)
    assert came_true.tolist() == [True, False, False, True]
    assert kept.tolist() == [False, True, False, True]


def test_crossing_counts_only_facts_that_differ_on_readable_paths():
    u = factors.UNREADABLE
    start, middle, end = [[0, 1], [2, 2], [0, 0]], [[0, 1], [5, u], [1, 1]], [[1, 1], [3, 4], [u, u]]
    as_start, as_end, neither = factors.crossing(torch.tensor([start, middle, end]))
    assert as_start.tolist() == pytest.approx([1, 1 / 3, 0])
    assert as_end.tolist() == pytest.approx([0, 0, 1])
    assert neither.tolist() == pytest.approx([0, 2 / 3, 0])
