"""Witnesses and Bayes against enumeration; scores against rouge-score, counts by hand and the grammar's own wordings."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch

from vae_course import training
from vae_course.applications import summarization
from vae_course.text.decoding import greedy
from vae_course.text.factors import UNREADABLE
from vae_course.text.models import TextSizes, TextVAE
from vae_course.world.grammar import Factor, FactPrior
from vae_course.world.languages import FACTS, WORLD

# A small world: who, then what (nobody of kind "a" does "run"), then where, which depends on who.
PRIOR = FactPrior(
    (
        Factor("who", ("a", "b"), {"": (3, 1)}),
        Factor("what", ("run", "sit", "eat"), {"a": (0, 1, 1), "b": (2, 1, 1)}, "who"),
        Factor("where", ("in", "out"), {"a": (1, 4), "b": (1, 1)}, "who"),
    )
)
WHO = {0: 3 / 4, 1: 1 / 4}
WHAT = {0: {0: 0, 1: 1 / 2, 2: 1 / 2}, 1: {0: 1 / 2, 1: 1 / 4, 2: 1 / 4}}
WHERE = {0: {0: 1 / 5, 1: 4 / 5}, 1: {0: 1 / 2, 1: 1 / 2}}
ENGLISH = WORLD.english


def told(true, report, forgets):
    """p(report given the true facts) in the small world, written out."""
    probability = forgets * WHO[report[0]] + (1 - forgets) * (true[0] == report[0])
    for table, t, r in ((WHAT, true[1], report[1]), (WHERE, true[2], report[2])):
        usual = table[report[0]]
        possible = usual[t] > 0  # else the true value cannot follow what was told of "who"
        probability *= forgets * usual[r] + (1 - forgets) * (t == r) if possible else usual[r]
    return probability


def prior(facts):
    return WHO[facts[0]] * WHAT[facts[0]][facts[1]] * WHERE[facts[0]][facts[2]]


def channel(witness, report, true):
    return math.exp(sum(table[value] for table, value in zip(witness.log_channel(np.array(report)), true, strict=True)))


WORLDS = [facts for facts in product(range(2), range(3), range(2)) if prior(facts) > 0]


@pytest.mark.parametrize("forgets", [0.2, 0.7])
def test_the_channel_is_what_is_written_out_and_sums_to_one_over_all_reports(forgets):
    witness = summarization.Witness(PRIOR, forgets)
    for true in WORLDS:
        probabilities = [channel(witness, report, true) for report in WORLDS]
        assert probabilities == pytest.approx([told(true, report, forgets) for report in WORLDS])
        assert sum(probabilities) == pytest.approx(1)


def test_reports_are_drawn_from_the_channel():
    witness, count = summarization.Witness(PRIOR, 0.4), 40_000
    for true in ((1, 0, 0), (0, 2, 1)):
        reports = witness.reports(np.array([true]), count, training.seeded(1))
        assert reports.shape == (1, count, 3)
        found = Counter(map(tuple, reports[0].tolist()))
        assert set(found) <= set(WORLDS)
        for report in WORLDS:
            p = told(true, report, 0.4)
            assert abs(found[report] / count - p) < 4.5 * math.sqrt(p * (1 - p) / count), (true, report)


def test_each_event_has_its_own_reports():
    rows = FACTS.sample(50, training.seeded(0))
    reports = summarization.Witness(FACTS, 1e-9).reports(rows, 3, training.seeded(1))
    assert (reports == rows[:, None]).all()


def test_all_reports_are_possible_worlds():
    rows = FACTS.sample(200, training.seeded(0))
    reports = summarization.Witness(FACTS, 0.5).reports(rows, 4, training.seeded(1)).reshape(-1, 7)
    possible = {tuple(row) for row in FACTS.worlds.tolist()}
    assert all(tuple(row) in possible for row in reports.tolist())


def test_the_joint_and_the_bayes_summary_are_those_of_enumeration():
    witness = summarization.Witness(PRIOR, 0.5)
    for reports in (((0, 1, 1), (1, 0, 0), (1, 0, 1)), ((0, 2, 0),), ((1, 1, 0), (0, 1, 1))):
        joint = {facts: prior(facts) * math.prod(told(facts, report, 0.5) for report in reports) for facts in WORLDS}
        rows = [tuple(row) for row in PRIOR.worlds.tolist()]
        found = np.exp(witness.log_joint(np.array(reports)))
        assert found.tolist() == pytest.approx([joint[row] for row in rows])
        assert tuple(witness.bayes_summary(np.array(reports))) == max(joint, key=joint.get)


def test_no_rule_has_all_facts_right_more_often_than_bayes():
    rows = FACTS.sample(300, training.seeded(3))
    witness = summarization.Witness(FACTS, 0.35)
    reports = witness.reports(rows, 4, training.seeded(4))
    bayes = np.stack([witness.bayes_summary(four) for four in reports])
    right = [(chosen == rows).all(1).mean() for chosen in (bayes, summarization.majority(reports), reports[:, 0])]
    assert right[0] > right[1] + 0.03
    assert right[1] > right[2] + 0.1


@pytest.mark.parametrize("forgets", [0, 1, -0.1, 1.5])
def test_a_witness_forgets_with_a_probability(forgets):
    with pytest.raises(ValueError, match="forgets: expected a probability between 0 and 1"):
        summarization.Witness(PRIOR, forgets)


def test_the_majority_is_per_fact_and_the_first_of_equals():
    reports = np.array([[[3, 1, 5], [2, 1, 6], [2, 4, 7]], [[0, 0, 1], [1, 1, 1], [2, 0, 0]]])
    assert summarization.majority(reports).tolist() == [[2, 1, 5], [0, 0, 1]]
    assert summarization.majority(reports[0]).tolist() == [2, 1, 5]


def test_the_medoid_is_nearest_to_all_others():
    assert summarization.medoid(torch.tensor([[0.0, 1, 5], [1, 0, 3], [5, 3, 0]])) == 1
    distances = torch.rand(40, 6, 6, generator=training.seeded(0))
    expected = [min(range(6), key=lambda k, d=d: sum(d[k])) for d in distances.tolist()]
    assert summarization.medoid(distances).tolist() == expected


def test_the_subsets_are_all_and_the_last_has_all():
    masks = summarization.subsets(4)
    assert {tuple(row) for row in masks.tolist()} == set(product((0, 1), repeat=4)) - {(0, 0, 0, 0)}
    assert len(masks) == 15
    assert masks[-1].tolist() == [1, 1, 1, 1]
    assert masks[2**3 - 2].tolist() == [1, 1, 1, 0]  # the first three
    with pytest.raises(ValueError, match="1 to 12"):
        summarization.subsets(13)


def test_means_of_subsets_are_means():
    codes = torch.randn(5, 3, 2, generator=training.seeded(0))
    masks = summarization.subsets(3)
    found = summarization.subset_means(codes, masks)
    assert found.shape == (5, 7, 2)
    for event, k in product(range(5), range(7)):
        chosen = [codes[event, place] for place in range(3) if masks[k, place]]
        torch.testing.assert_close(found[event, k], torch.stack(chosen).mean(0))


def test_writing_in_parts_is_writing_at_once():
    model = training.seeded_module(0, lambda: TextVAE(12, TextSizes(embedding=4, hidden=8, latent=3, context=2))).eval()
    z = 5 * torch.randn(7, 3, generator=training.seeded(0))
    written = summarization.written_from(model.decoder, z, longest=6, chunk=3)
    assert written == greedy(model.decoder, z, longest=6)
    assert len({tuple(row) for row in written}) > 1


def test_words_are_counted():
    sentences = [[4, 5, 4], [6], [], [5, 5, 5, 7]]
    assert summarization.word_counts(sentences, 8).tolist() == [[Counter(s)[word] for word in range(8)] for s in sentences]


def test_overlap_is_rouge_1():
    first, second = (ENGLISH.sample(100, training.seeded(k)) for k in (0, 1))
    words = {word: number for number, word in enumerate(sorted(ENGLISH.grammar.words()))}
    counts = [summarization.word_counts([[words[w] for w in s] for s in part], len(words)) for part in (first, second)]
    torch.testing.assert_close(summarization.overlap(*counts).double(), summarization.rouge(first, second)["ROUGE-1"])


def test_overlap_by_hand():
    first, second = torch.tensor([[2.0, 1, 0], [0, 0, 0]]), torch.tensor([1.0, 1, 3])
    assert summarization.overlap(first, second).tolist() == pytest.approx([2 * 2 / 8, 0])
    assert summarization.overlap(torch.zeros(3), torch.zeros(3)).item() == 0


def test_rouge_by_hand():
    written, reference = ("a", "cat", "sat", "a", "a"), ("a", "b", "cat", "sat", "here", "a")
    found = summarization.rouge([written], [reference])
    assert found["ROUGE-1"].item() == pytest.approx(2 * 4 / 11)  # a a cat sat
    assert found["ROUGE-2"].item() == pytest.approx(2 * 1 / 9)  # cat sat
    assert found["ROUGE-L"].item() == pytest.approx(2 * 4 / 11)  # a cat sat a
    reversed_words = summarization.rouge([reference[::-1]], [reference])
    assert reversed_words["ROUGE-1"].item() == 1
    assert reversed_words["ROUGE-2"].item() == 0


def test_rouge_takes_tokens_as_they_are():
    assert summarization.rouge([("修好", "了")], [("修好", "灯")])["ROUGE-1"].item() == pytest.approx(0.5)


def test_different_summaries_are_counted_text_by_text_and_only_those_that_are_fine():
    written = [("a",), ("x",), ("b",), ("x",), ("a",), ("y",), ("c",), ("y",)]  # texts take turns
    fine = torch.tensor([True, True, True, True, True, True, False, True])
    assert summarization.different(written, fine, texts=2).tolist() == [2, 2]
    assert summarization.different(written, torch.ones(8, dtype=torch.bool), texts=2).tolist() == [3, 2]
    assert summarization.different(written, torch.zeros(8, dtype=torch.bool), texts=4).tolist() == [0] * 4
    for arguments in ((written[:7], fine[:7], 2), (written, fine[:7], 2)):
        with pytest.raises(ValueError, match="whole rounds of 2 summaries"):
            summarization.different(*arguments)


def test_invented_facts_by_hand():
    reports = torch.tensor([[[0, 1, 2], [0, 3, 2]], [[0, 1, 2], [1, 3, 2]], [[0, 0, 0], [0, 0, 0]]])
    stated = torch.tensor([[0, 3, 2], [2, 1, 1], [UNREADABLE] * 3])
    assert summarization.invented(stated, reports).tolist() == [0, 2, 0]


def test_one_word_is_replaced_and_a_fact_is_wrong():
    sentences = ENGLISH.sample(30, training.seeded(0))
    for before, after in zip(sentences, summarization.one_fact_wrong(sentences, ENGLISH, training.seeded(1)), strict=True):
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
        was, now = ENGLISH.recognize(before).facts, ENGLISH.recognize(after).facts
        assert sum(was[name] != now[name] for name in was) == 1
    with pytest.raises(ValueError, match="expected a sentence of english"):
        summarization.one_fact_wrong([("the", "kite")], ENGLISH, training.seeded(0))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (("a", "cat", ".", "it", "slept", "."), ("a", "cat")),
        (("A", "cat.", "It", "slept."), ("A", "cat.")),
        (tuple("他来了。她走了。"), tuple("他来了")),
        ((" a", " cat", " .", " b"), (" a", " cat")),
        (("no", "end"), ("no", "end")),
        ((".", "a", "!", "b"), (".", "a")),
        ((), ()),
    ],
)
def test_a_lead_is_the_first_sentence(text, first):
    assert summarization.first_sentence(text) == first
