"""The world, against a full enumeration of its sentences that uses the rules' tree only, none of their methods."""

import hashlib
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from typer.testing import CliRunner

from vae_course.course.cli import app
from vae_course.training import seeded
from vae_course.world.grammar import By, Choice, Sequence, Text
from vae_course.world.languages import FACTS, LANGUAGE_NAMES, SPLIT_SIZES, WORLD, split_facts, splits

DATA = Path(__file__).parents[2] / "data"
NAMES = [factor.name for factor in FACTS.factors]

every_language = pytest.mark.parametrize("name", LANGUAGE_NAMES)


# --- all facts, by one product of tables ------------------------------------------------------------------------------


@cache
def joint_table():
    """p(facts) as an array with an axis a factor, in the order of ``NAMES``."""
    letters = dict(zip(NAMES, "pamtclh", strict=True))  # person, action, mood, thing, colour, (p)lace, (h)our
    tables, axes = [], []
    for factor in FACTS.factors:
        keys = [""] if factor.parent is None else next(f.values for f in FACTS.factors if f.name == factor.parent)
        table = np.array([factor.weights[key] for key in keys])
        table = table / table.sum(1, keepdims=True)
        tables.append(table[0] if factor.parent is None else table)
        axes.append(letters[factor.name] if factor.parent is None else letters[factor.parent] + letters[factor.name])
    return np.einsum(f"{','.join(axes)}->{''.join(letters.values())}", *tables)


@cache
def possible_worlds():
    """Every possible world: names of values (worlds,) a factor, and log-probabilities (worlds,)."""
    table = joint_table()
    indices = np.nonzero(table)
    columns = {factor.name: np.array(factor.values)[k] for factor, k in zip(FACTS.factors, indices, strict=True)}
    return columns, np.log(table[indices])


# --- all sentences ----------------------------------------------------------------------------------------------------
# A sentence, as it is read (its words with separators), is its polynomial hash sum_k c_k B^(n-k) mod 2^64 with a random
# number c for each character, so that h(ab) = h(a) B^len(b) + h(b). Two hashes that differ prove two sentences that differ.

BASE = 0x9E3779B97F4A7C15


@cache
def character_number(character):
    return int.from_bytes(hashlib.sha256(character.encode()).digest()[:8], "big")


def hash_of(tokens, separator):
    """The hash and B^length, exact integers mod 2^64."""
    number, power = 0, 1
    for character in "".join(token + separator for token in tokens):
        number = (number * BASE + character_number(character)) % 2**64
        power = power * BASE % 2**64
    return number, power


def ways(node, facts, separator):
    """Each way through the tree, as arrays over worlds: log-probability (-inf where this way does not exist), hash, power.

    ``facts`` holds an array (worlds,) of values a factor; what does not depend on the facts has one row for all worlds.
    """
    match node:
        case Text(tokens):
            number, power = hash_of(tokens, separator)
            yield np.zeros(1), np.array([number], np.uint64), np.array([power], np.uint64)
        case Choice(options, probabilities):
            for option, probability in zip(options, probabilities, strict=True):
                for log_p, number, power in ways(option, facts, separator):
                    yield log_p + math.log(probability), number, power
        case Sequence(parts):
            *before, last = [list(ways(part, facts, separator)) for part in parts]
            yield from joined(before, last)
        case By(factor, branches):
            yield from branched(facts[factor], branches, facts, separator)


def joined(before, last):
    *earlier, previous = before or [[]]
    starts = joined(earlier, previous) if before else [(np.zeros(1), np.zeros(1, np.uint64), np.ones(1, np.uint64))]
    for log_p, number, power in starts:
        for log_q, more, more_power in last:
            yield log_p + log_q, number * more_power + more, power * more_power


def branched(values, branches, facts, separator):
    chosen = {value: values == value for value in np.unique(values)}
    of_branch = {
        value: list(ways(branches[value], {name: column[there] for name, column in facts.items()}, separator))
        for value, there in chosen.items()
    }
    for k in range(max(map(len, of_branch.values()))):
        way = np.full(len(values), -np.inf), np.zeros(len(values), np.uint64), np.zeros(len(values), np.uint64)
        for value, found in of_branch.items():
            if k < len(found):
                for array, part in zip(way, found[k], strict=True):
                    array[chosen[value]] = part
        yield way


@dataclass
class Enumerated:
    """What the enumeration of a language found: pairs (facts, wording), and sentences that differ as they are read."""

    pairs: int
    sentences: int
    probability: float
    entropy: float


@cache
def enumerated(name):
    """Walk through every pair of facts and wording; up to 75 million, of which only the hashes are kept (600 MB)."""
    language = WORLD[name]
    columns, log_facts = possible_worlds()
    hashes = np.empty(language.sentence_count, np.uint64)  # a claim that is put to the test: all must fit, none be left
    pairs, probability, entropy = 0, [], []
    for log_wording, number, _ in ways(language.grammar, columns, language.separator):
        log_p = (log_facts + log_wording)[there := np.isfinite(log_wording)]
        p = np.exp(log_p)
        hashes[pairs : pairs + len(p)] = np.broadcast_to(number, there.shape)[there]
        pairs += len(p)
        probability.append(p.sum())
        entropy.append(-(p @ log_p))
    hashes = hashes[:pairs]
    hashes.sort()
    sentences = 1 + int((hashes[1:] != hashes[:-1]).sum())
    return Enumerated(pairs, sentences, math.fsum(probability), math.fsum(entropy))


@every_language
def test_no_two_facts_or_wordings_share_a_sentence(name):
    found = enumerated(name)
    assert found.sentences == found.pairs == WORLD[name].sentence_count


@every_language
def test_the_entropy_is_that_of_all_sentences(name):
    """Of pairs of facts and wording, that is: the test above shows that these are the sentences."""
    found = enumerated(name)
    assert found.probability == pytest.approx(1, abs=1e-10)
    assert WORLD[name].entropy == pytest.approx(found.entropy, abs=1e-9)


@every_language
def test_given_another_language_only_the_wording_is_left(name):
    facts_entropy = -(joint_table()[joint_table() > 0] * np.log(joint_table()[joint_table() > 0])).sum()
    assert WORLD.facts.entropy == pytest.approx(facts_entropy, abs=1e-10)
    for other in LANGUAGE_NAMES:
        left = WORLD[name].conditional_entropy(WORLD[other])
        assert left == pytest.approx(enumerated(name).entropy - facts_entropy, abs=1e-9)


# --- facts ------------------------------------------------------------------------------------------------------------


def test_the_possible_worlds_and_their_probabilities_are_those_of_the_product_of_tables():
    table = np.zeros_like(joint_table())
    table[tuple(FACTS.worlds.T)] = np.exp(FACTS.log_probabilities)
    assert len(FACTS.worlds) == np.count_nonzero(joint_table()) == len(np.unique(FACTS.worlds, axis=0))
    assert np.allclose(table, joint_table(), rtol=1e-12, atol=0)


def test_the_facts_of_train_have_the_frequencies_of_the_tables():
    """Each factor beside its parent: all that the distribution says, as every factor depends on one other."""
    rows = split_facts()["train"]
    for column, factor in enumerate(FACTS.factors):
        axes = sorted({column} | ({NAMES.index(factor.parent)} if factor.parent else set()))
        expected = joint_table().sum(axis=tuple(set(range(len(NAMES))) - set(axes))) * len(rows)
        counts = np.zeros_like(expected)
        np.add.at(counts, tuple(rows[:, axis] for axis in axes), 1)
        assert counts[expected == 0].sum() == 0
        assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 1e-3, factor.name


# --- sentences that were written by hand --------------------------------------------------------------------------------

FACTS_BY_HAND = dict(
    person="girl", action="lost", mood="sad", thing="lamp", colour="green", place="park", time="evening"
)  # fmt: skip
BY_HAND = {
    "english": "before dinner the girl was gloomy and mislaid a lantern that was emerald under some trees",
    "chinese": "女孩 很 伤心 ， 天黑 后 在 公园 丢失 了 一 盏 绿色 的 灯 。",
    "french": "en soirée , triste , la fillette a égaré une lampe verte au parc .",
    "story": "birds sang in the park . the sun was going down . there was a girl . the girl could not find a lantern . "
    "its colour was green . gloomy was how the girl felt .",
}


@every_language
def test_a_sentence_written_by_hand_is_recognized(name):
    assert WORLD[name].recognize(tuple(BY_HAND[name].split())).facts == FACTS_BY_HAND


def test_the_probability_of_a_sentence_worked_out_by_hand():
    facts = 4 / (4 + 5 + 3 + 6 + 4 + 5 + 7 + 6)  # a baker
    facts *= 8 / (8 + 4 + 3 + 2 + 0 + 2)  # a baker bought
    facts *= 8 / (8 + 2 + 3 + 4)  # who bought is happy
    facts *= 8 / (2 + 5 + 3 + 8 + 4 + 6 + 7 + 5)  # bought a clock
    facts *= 2 / (4 + 2 + 3 + 5 + 1 + 6)  # a blue clock
    facts *= 8 / (2 + 8 + 2 + 3 + 4 + 1)  # a baker at the market
    facts *= 4 / (8 + 4 + 2 + 0)  # the market at noon
    wording = 0.25 * 0.85 * (1 / 7) * (6 / 7) * 0.15 * (6 / 7) * (1 / 7) * (6 / 7) * (6 / 7)
    sentence = "at noon the cheerful baker bought a clock that was azure at the market"
    assert WORLD.english.log_probability(tuple(sentence.split())) == pytest.approx(math.log(facts * wording))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("english", "the baker happy bought a red boat at the market at noon"),  # swapped
        ("english", "the happy baker bought a boat at the market at noon"),  # no colour
        ("english", "the happy baker bought a red boat at the market"),  # no time
        ("english", "the happy baker bought a red boat at the market at noon at noon"),
        ("english", "the happy bakers bought a red boat at the market at noon"),  # an unknown word
        ("english", "the happy baker bought a red boat at the market last night"),  # the market is closed
        ("english", "the happy baker repaired a red boat at the market at noon"),  # bakers repair nothing
        ("chinese", "中午 ， 高兴 的 面包师 在 市场 买 了 一 辆 红色 的 船 。"),  # measure word of a bicycle
        ("chinese", "中午 ， 高兴 的 面包师 在 市场 买 了 一 艘 红色 的 船"),
        ("french", "la fillette fatigué a vendu un bateau noir à midi au port ."),  # feminine person, masculine mood
        ("french", "le fermier fatiguée a vendu un bateau noir au port à midi ."),
        ("french", "le fermier fatigué a vendu un bateau noire au port à midi ."),
        ("french", "le fermier fatigué a vendu une chaise noir au port à midi ."),
        ("french", "le fermier fatigué a vendu une bateau noir au port à midi ."),
        ("story", "it was dark and late . the market was crowded . there was a baker . the baker bought a boat . "
         "the boat was red . the baker felt happy ."),  # the market is closed
        ("story", "the market was crowded . it was the middle of the day . there was a baker . the girl bought a boat . "
         "the boat was red . the baker felt happy ."),  # two persons
    ],
)  # fmt: skip
def test_wrong_sentences_are_not_recognized(name, sentence):
    assert WORLD[name].recognize(tuple(sentence.split())) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("english", "the happy baker bought a red boat at the market at noon"),
        ("chinese", "中午 ， 高兴 的 面包师 在 市场 买 了 一 艘 红色 的 船 。"),
        ("french", "la fillette fatiguée a vendu un bateau noir au port à midi ."),
        ("french", "le fermier fatigué a vendu une chaise noire au port à midi ."),
        ("story", "the market was crowded . it was the middle of the day . there was a baker . the baker bought a boat . "
         "the boat was red . the baker felt happy ."),
    ],
)  # fmt: skip
def test_the_right_forms_of_the_wrong_sentences_are_recognized(name, sentence):
    assert WORLD[name].recognize(tuple(sentence.split())) is not None


def test_french_words_agree():
    """By a list of word forms that knows nothing of the rules' tables."""
    feminine = {"heureuse", "contente", "fatiguée", "fière", "bleue", "verte", "blanche", "noire"}
    masculine = {"heureux", "content", "fatigué", "fier", "bleu", "vert", "blanc", "noir"}
    women = {"institutrice", "peintre", "fillette", "grand-mère"}
    for sentence in splits("french")["test"]:
        words = set(sentence)
        cut = next(k for k, word in enumerate(sentence) if word in ("un", "une"))
        assert not set(sentence[cut:]) & (masculine if sentence[cut] == "une" else feminine), sentence
        assert not set(sentence[:cut]) & (masculine if words & women else feminine), sentence
        assert (sentence[cut] == "une") == bool(words & {"lampe", "horloge", "pendule", "chaise"}), sentence


# --- sampled sentences --------------------------------------------------------------------------------------------------


@every_language
def test_sampled_sentences_give_back_their_facts_and_the_probability_of_the_walk(name):
    language, rows = WORLD[name], split_facts()["test"][:25]
    for row, sentence in zip(rows, splits(name)["test"], strict=False):
        facts = {factor.name: factor.values[k] for factor, k in zip(FACTS.factors, row, strict=True)}
        worlds = {factor: np.array([value]) for factor, value in facts.items()}
        walked = {int(number[0]): float(log_p[0]) for log_p, number, _ in ways(language.grammar, worlds, language.separator)}
        expected = math.log(joint_table()[tuple(row)]) + walked[hash_of(sentence, language.separator)[0]]
        recognized = language.recognize(sentence)
        assert recognized.facts == facts
        assert recognized.log_probability == pytest.approx(expected, abs=1e-10)


@every_language
def test_altered_sentences_are_rejected(name):
    """Dropping a word or swapping two neighbours leaves the language, except that "ce matin" is right beside "tôt ce matin"."""
    for sentence in splits(name)["validation"][:100]:
        for k in range(len(sentence)):
            shorter = sentence[:k] + sentence[k + 1 :]
            assert sentence[k] == "tôt" or WORLD[name].recognize(shorter) is None, shorter
            if k and sentence[k] != sentence[k - 1]:
                swapped = (*sentence[: k - 1], sentence[k], sentence[k - 1], *sentence[k + 1 :])
                assert WORLD[name].recognize(swapped) is None, swapped


@every_language
def test_wordings_have_the_frequencies_of_the_walk(name):
    language, row = WORLD[name], split_facts()["test"][0]
    worlds = {factor.name: np.array([factor.values[k]]) for factor, k in zip(FACTS.factors, row, strict=True)}
    walked = {int(number[0]): math.exp(log_p[0]) for log_p, number, _ in ways(language.grammar, worlds, language.separator)}
    draws = 20_000
    sentences = language.write(np.tile(row, (draws, 1)), seeded(0))
    counts = Counter(hash_of(sentence, language.separator)[0] for sentence in sentences)
    assert set(counts) <= set(walked)
    common = [number for number, p in walked.items() if p * draws >= 5]
    observed, expected = [counts[number] for number in common], [walked[number] * draws for number in common]
    rest = draws - sum(observed), draws - sum(expected)  # the rare ones together
    if rest[1] > 1:
        observed, expected = [*observed, rest[0]], [*expected, rest[1]]
    assert chisquare(observed, expected, sum_check=False).pvalue > 1e-3


@every_language
def test_the_mean_surprise_of_the_test_set_is_the_entropy(name):
    surprise = -np.array([WORLD[name].log_probability(sentence) for sentence in splits(name)["test"]])
    standard_error = surprise.std(ddof=1) / math.sqrt(len(surprise))
    assert abs(surprise.mean() - enumerated(name).entropy) < 3.5 * standard_error


def test_a_generator_decides_the_sentences_and_nothing_else_is_seeded():
    state = torch.random.get_rng_state()
    assert WORLD.english.sample(50, seeded(1)) == WORLD.english.sample(50, seeded(1))
    assert WORLD.english.sample(50, seeded(1)) != WORLD.english.sample(50, seeded(2))
    assert torch.equal(torch.random.get_rng_state(), state)


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_english_is_small():
    english, train = WORLD.english, splits("english")["train"]
    assert {len(sentence) for sentence in train} == {11, 12, 13, 14, 15, 16}
    assert len(english.grammar.words()) == 97
    assert {word for sentence in train for word in sentence} == english.grammar.words()


@every_language
def test_the_splits_are_parallel_and_state_the_same_facts(name):
    """So the English sentence is a summary of the story: it states the same seven facts."""
    assert {split: len(sentences) for split, sentences in splits(name).items()} == SPLIT_SIZES
    for split in ("validation", "test"):
        named = FACTS.named(split_facts()[split])
        for k, sentence in enumerate(splits(name)[split]):
            assert WORLD[name].recognize(sentence).facts == {factor: named[factor][k] for factor in NAMES}


def test_the_languages_choose_their_wordings_apart_from_one_another():
    """Chinese and French need equally many choices, so that equal seeds would give row by row equal numbers for both."""
    chinese = ["，" in sentence[1:3] for sentence in splits("chinese")["test"]]  # time first
    french = [sentence[0] in ("ce", "tôt", "à", "vers", "en", "cette") for sentence in splits("french")["test"]]
    both = np.mean(np.logical_and(chinese, french))
    assert both == pytest.approx(np.mean(chinese) * np.mean(french), abs=4 * math.sqrt(0.25 / 4000))


def test_an_unknown_language_is_named_beside_the_known_ones():
    for attempt in (lambda: WORLD["german"], lambda: splits("german")):
        with pytest.raises(KeyError, match="no language 'german'; the world is told in english, chinese, french, story"):
            attempt()


# --- what is stored of it -----------------------------------------------------------------------------------------------


def test_the_stored_data_are_made_anew_byte_for_byte(tmp_path):
    result = CliRunner().invoke(app, ["corpus", "--output", str(tmp_path / "world")])
    assert result.exit_code == 0, result.output
    written = {path.name: path.read_bytes() for path in (tmp_path / "world").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (DATA / "world").iterdir()}
    assert result.output.split() == [
        str(tmp_path / "world" / name) for name in ("validation.txt", "test.txt", "checksums.json")
    ]


def test_the_stored_texts_have_the_stored_checksums_and_entropies():
    stored = json.loads((DATA / "world" / "checksums.json").read_text())
    for split in ("validation", "test"):
        content = (DATA / "world" / f"{split}.txt").read_bytes()
        assert hashlib.sha256(content).hexdigest() == stored["english"]["splits"][split]["sha256"]
        assert content.decode().splitlines() == [" ".join(sentence) for sentence in splits("english")[split]]
    for name in LANGUAGE_NAMES:
        found = enumerated(name)
        assert stored[name]["sentences"] == found.sentences
        assert stored[name]["sentence_entropy"] == pytest.approx(found.entropy, abs=2e-9)
        for split, share in stored[name]["also_in_train"].items():
            train = Counter(splits(name)["train"])
            assert share == np.mean([train[sentence] > 0 for sentence in splits(name)[split]])


def test_the_data_card_says_what_is_stored():
    stored = json.loads((DATA / "world" / "checksums.json").read_text())
    card = (DATA / "README.md").read_text(encoding="utf-8")
    for name in LANGUAGE_NAMES:
        s = stored[name]
        expected = [
            f"{s['words']}",
            f"{s['sentences']:,}",
            f"{stored['facts']['entropy']:.3f} + {s['wording_entropy']:.3f} = {s['sentence_entropy']:.3f}",
            f"{s['also_in_train']['validation']:.1%}",
            f"{s['also_in_train']['test']:.1%}",
        ]
        (row,) = re.findall(rf"^\| {name} \| (.+) \|$", card, re.MULTILINE)
        assert row.split(" | ") == expected
    assert f"{stored['facts']['worlds']:,} possible worlds" in card
    assert f"{stored['facts']['also_in_train']['test']:.1%} of the test sentences state facts that occur in train" in card
    for factor in FACTS.factors:
        (row,) = re.findall(rf"^\| {factor.name} \| (.+) \|$", card, re.MULTILINE)
        assert row.split(" | ") == [", ".join(factor.values), factor.parent or "nothing"]
