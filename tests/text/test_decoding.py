import math
from collections import Counter
from itertools import product

import pytest
import torch

from vae_course.text import decoding
from vae_course.text.decoding import beam, greedy, sampled
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.vocabulary import BOS, EOS, PAD, UNK
from vae_course.training import seeded, seeded_module

A, B = 4, 5
WRITABLE = (UNK, A, B)
SMALL = {"embedding": 5, "hidden": 6, "latent": 2}
SIZES = {
    "lstm": TextSizes(**SMALL),
    "gru": TextSizes(**SMALL, cell="gru", z_to="state"),
    "blind": TextSizes(**SMALL, context=0),
    "window": TextSizes(**SMALL, context=2, skip=True),
}
each_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)


def decoder(sizes, seed=0, language_model=False):
    """Weights large enough to make decided choices, and <pad> and <bos> the likeliest words of all."""
    build = (lambda: LanguageModel(6, sizes)) if language_model else (lambda: TextVAE(6, sizes))
    result = seeded_module(seed, build).double().decoder
    with torch.no_grad():
        for parameter in result.parameters():
            parameter.mul_(3)
        result.output.words.bias[[PAD, BOS]] = 20.0
    return result


def latents(count):
    return torch.randn(count, 2, generator=seeded(5), dtype=torch.float64)


def next_words(model, words, z):
    """log p(next word) by teacher forcing from the beginning, over what may be written: {word: log p}."""
    logits = model.logits(torch.tensor([[BOS, *words]]), z)[0, -1]
    choices = (EOS, *WRITABLE)
    return dict(zip(choices, logits[list(choices)].log_softmax(-1).tolist(), strict=True))


def by_hand(model, z, longest):
    words = []
    while len(words) < longest:
        p = next_words(model, words, z)
        best = max(p, key=p.get)
        if best == EOS:
            break
        words.append(best)
    return words


@each_size
def test_greedy_takes_the_likeliest_word_each_time(sizes):
    model, z = decoder(sizes), latents(12)
    expected = [by_hand(model, row[None], longest=7) for row in z]
    assert greedy(model, z, longest=7) == expected
    assert len({len(words) for words in expected}) > 1, "sentences of one length test too little"
    assert len(set(map(tuple, expected))) > 1


@each_size
def test_greedy_writes_for_a_language_model_too(sizes):
    model = decoder(sizes, seed=1, language_model=True)
    assert greedy(model, None, count=3, longest=5) == [by_hand(model, None, longest=5)] * 3


@each_size
@pytest.mark.parametrize("temperature", [1.0, 0.6, 3.0])
def test_sampled_frequencies_are_the_exact_probabilities(sizes, temperature):
    model, z, draws = decoder(sizes), latents(1), 6000
    drawn = sampled(model, z.expand(draws, -1), seeded(0), temperature=temperature, longest=3)
    counts = Counter(map(tuple, drawn))
    total = 0.0
    for length in range(4):
        for words in product(WRITABLE, repeat=length):
            probability = 1.0
            for k in range(min(length + 1, 3)):  # the third word is the last, whatever comes next
                p = next_words(model, words[:k], z)
                heated = {word: math.exp(log_p / temperature) for word, log_p in p.items()}
                probability *= heated[(*words, EOS)[k]] / sum(heated.values())
            total += probability
            expected, error = draws * probability, math.sqrt(draws * probability * (1 - probability))
            assert abs(counts[words] - expected) <= 4.5 * error + 1, words
    assert total == pytest.approx(1)


@pytest.mark.parametrize("nucleus", [0.3, 0.7, 0.95])
def test_a_nucleus_is_the_fewest_likeliest_words_that_reach_it(nucleus):
    model, z, draws = decoder(SIZES["lstm"], seed=4), latents(4), 4000
    kept_counts = set()
    for row in z:
        drawn = Counter(
            (*words, EOS)[0] for words in sampled(model, row.expand(draws, -1), seeded(0), nucleus=nucleus, longest=1)
        )
        p = {word: math.exp(log_p) for word, log_p in next_words(model, [], row[None]).items()}
        kept: dict[int, float] = {}
        for word in sorted(p, key=p.get, reverse=True):
            if sum(kept.values()) >= nucleus:
                break
            kept[word] = p[word]
        kept_counts.add(len(kept))
        assert set(drawn) == set(kept)
        for word, probability in kept.items():
            expected = probability / sum(kept.values())
            assert drawn[word] / draws == pytest.approx(expected, abs=4.5 * math.sqrt(expected * (1 - expected) / draws) + 1e-3)
    assert max(kept_counts) < 4 or nucleus == 0.95


# --- beam search --------------------------------------------------------------------------------------------------


def score(model, words, z, longest, power):
    """log p of a sentence by teacher forcing / its predicted tokens ** power; one that is cut at ``longest`` has no <eos>."""
    tokens = [*words, EOS][:longest]
    return sum(next_words(model, words[:k], z)[token] for k, token in enumerate(tokens)) / len(tokens) ** power


@each_size
@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all_sentences(sizes, power):
    model, z = decoder(sizes), latents(6)
    everything = [words for length in range(4) for words in product(WRITABLE, repeat=length)]
    expected = [max(everything, key=lambda words, row=row: score(model, words, row[None], 3, power)) for row in z]
    assert [tuple(words) for words in beam(model, z, width=40, longest=3, length_power=power)] == expected


@each_size
def test_a_beam_of_one_is_greedy(sizes):
    model, z = decoder(sizes), latents(12)
    narrow, by_hand_greedy = beam(model, z, width=1, longest=7), greedy(model, z, longest=7)
    for narrow_row, greedy_row, code in zip(narrow, by_hand_greedy, z, strict=True):
        # Greedy stops at the first <eos> that is likeliest; a beam goes on if the rest may still be likelier.
        better = score(model, narrow_row, code[None], 7, 0) - score(model, greedy_row, code[None], 7, 0)
        assert narrow_row == greedy_row or better > 0


def test_a_wider_beam_finds_likelier_sentences_and_length_power_longer_ones():
    model, z = decoder(SIZES["gru"], seed=5), latents(40)
    found = {width: beam(model, z, width=width, longest=6) for width in (1, 3, 30)}
    totals = {
        width: sum(score(model, words, row[None], 6, 0) for words, row in zip(rows, z, strict=True))
        for width, rows in found.items()
    }
    assert totals[1] < totals[3] <= totals[30]
    lengths = {power: sum(map(len, beam(model, z, width=30, longest=6, length_power=power))) for power in (0.0, 1.0)}
    assert lengths[0.0] < lengths[1.0]


def test_sentences_of_one_call_are_drawn_independently():
    model = decoder(SIZES["lstm"], seed=2, language_model=True)
    drawn = [tuple(words) for words in sampled(model, None, seeded(1), count=4000, longest=1)]
    share = drawn[0::2].count((A,)) / 2000
    both = sum(pair == ((A,), (A,)) for pair in zip(drawn[0::2], drawn[1::2], strict=True)) / 2000
    assert 0.05 < share < 0.95
    assert both == pytest.approx(share**2, abs=4 * math.sqrt(share**2 / 2000))


def test_nothing_is_written_after_the_end_nor_beyond_the_longest():
    model, z = decoder(SIZES["lstm"]), latents(300)
    drawn = sampled(model, z, seeded(3), longest=4)
    assert {word for words in drawn for word in words} == set(WRITABLE)  # neither <pad> nor <bos> nor <eos>
    assert {len(words) for words in drawn} == {0, 1, 2, 3, 4}
    model.output.words.bias.data[EOS] = 1e4
    assert sampled(model, z[:3], seeded(3)) == greedy(model, z[:3]) == [[], [], []]
    model.output.words.bias.data[EOS] = -1e4
    assert [len(words) for words in greedy(model, z[:3], longest=9)] == [9, 9, 9]
    assert [len(words) for words in sampled(model, z[:3], seeded(3), longest=9)] == [9, 9, 9]


def test_one_seed_draws_one_text_and_leaves_the_global_state_alone():
    model, before = decoder(SIZES["lstm"]), torch.get_rng_state()
    first, second, other = (sampled(model, latents(50), seeded(seed)) for seed in (1, 1, 2))
    assert first == second != other
    assert torch.equal(torch.get_rng_state(), before)


def test_writing_uses_no_dropout():
    noisy = decoder(TextSizes(**SMALL, dropout=0.5, word_dropout=0.5))
    assert greedy(noisy, latents(12), longest=7) == greedy(decoder(SIZES["lstm"]), latents(12), longest=7)


@pytest.mark.parametrize("temperature", [1e-4, 1e-20, 1e-39, 1e-300])
def test_cold_draws_are_greedy(temperature):
    model, z = decoder(SIZES["lstm"]), latents(12)
    assert sampled(model, z, seeded(0), temperature=temperature, longest=7) == greedy(model, z, longest=7)


@pytest.mark.parametrize("nucleus", [0.1, 0.9])
@pytest.mark.parametrize("spread", [1.0, 4.0])
def test_a_nucleus_of_ten_thousand_words_is_the_fewest_that_reach_it(spread, nucleus):
    probabilities = torch.softmax(spread * torch.randn(3, 10_000, generator=seeded(2)), -1)
    for row, inside in zip(probabilities, decoding._nucleus_of(probabilities, nucleus), strict=True):
        likeliest = row.double().argsort(descending=True)
        fewest = int((row.double()[likeliest].cumsum(0) < nucleus).sum()) + 1
        found = int((inside > 0).sum())
        assert abs(found - fewest) <= 1  # sums of thousands, in float32
        assert set(inside.nonzero()[:, 0].tolist()) == set(likeliest[:found].tolist())
        assert torch.equal(inside[inside > 0], row[inside > 0])


def test_words_that_are_as_likely_as_the_last_of_a_nucleus_belong_to_it():
    found = decoding._nucleus_of(torch.tensor([[0.125, 0.5, 0.125, 0.25], [0.25, 0.25, 0.25, 0.25]]), 0.8)
    assert found.tolist() == [[0.125, 0.5, 0.125, 0.25], [0.25, 0.25, 0.25, 0.25]]
    assert decoding._nucleus_of(torch.tensor([[0.125, 0.5, 0.125, 0.25]]), 0.75).tolist() == [[0, 0.5, 0, 0.25]]


@pytest.mark.parametrize("nucleus", [1e-3, 1e-40, 1e-300])
def test_draws_from_a_tiny_nucleus_are_greedy(nucleus):
    model, z = decoder(SIZES["lstm"]), latents(12)
    assert sampled(model, z, seeded(0), nucleus=nucleus, longest=7) == greedy(model, z, longest=7)


def test_errors():
    model = decoder(SIZES["lstm"])
    for call in (
        lambda: greedy(model, None),
        lambda: greedy(model, latents(2), count=2),
        lambda: sampled(model, None, seeded(0)),
        lambda: sampled(model, latents(2), seeded(0), count=2),
    ):
        with pytest.raises(ValueError, match=r"expected either z .* or without z the count of sentences"):
            call()
    for temperature in (0.0, -1.0, math.nan, math.inf):
        message = rf"temperature: expected a positive, finite number, got {temperature}; for the likeliest words use greedy"
        with pytest.raises(ValueError, match=message):
            sampled(model, latents(2), seeded(0), temperature=temperature)
    for nucleus in (0.0, -1.0, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"nucleus: expected a probability above 0 and at most 1"):
            sampled(model, latents(2), seeded(0), nucleus=nucleus)
    with pytest.raises(ValueError, match=r"width: expected at least 1, got 0"):
        beam(model, latents(2), width=0)
    for power in (-0.5, 11.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"length_power: expected a number from 0 to 10, got {power}"):
            beam(model, latents(2), length_power=power)
    for write in (greedy, beam):
        with pytest.raises(ValueError, match="expected count >= 0 and longest >= 1, got 2 and 0"):
            write(model, latents(2), longest=0)
        with pytest.raises(ValueError, match="expected count >= 0 and longest >= 1, got -1 and 60"):
            write(model, None, count=-1)
    assert greedy(decoder(SIZES["lstm"], language_model=True), None, count=0) == []
    assert sampled(decoder(SIZES["lstm"], language_model=True), None, seeded(0), count=0, nucleus=0.5) == []
    assert beam(decoder(SIZES["lstm"], language_model=True), None, count=0) == []
