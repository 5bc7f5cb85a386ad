import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import sacrebleu
import torch
from sklearn.metrics import fbeta_score, precision_score, recall_score

from vae_course.applications.correction import (
    DenoisingVAE,
    Encoded,
    best_threshold,
    corrections,
    detection,
    errors,
    f_score,
    gleu,
    nearest_words,
    noisy_channel,
    rescored,
    restored,
    surprisals,
    trained,
    wrong_words,
)
from vae_course.text.batches import Pair, PairBatches
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.cures import Budget
from vae_course.text.evaluation import likelihood
from vae_course.text.models import LanguageModel, TextSizes, log_likelihood_of
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded, seeded_module
from vae_course.world.noise import Channel

VOCABULARY = Vocabulary.build([("cat", "car", "was", "were", "a", ".")])
WORDS = VOCABULARY.ordinary_words
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


# --- texts with errors, and what corrects them ------------------------------------------------------------------------


def test_the_worlds_errors_belong_to_their_sentences_and_are_always_the_same():
    data = errors("world", train=50, held_out=40)
    assert [len(data.written[split]) for split in ("train", "validation", "test")] == [50, 40, 40]
    assert [len(getattr(data.meant, split)) for split in ("train", "validation", "test")] == [50, 40, 40]
    for written, meant in zip(data.written["test"], data.meant.test, strict=True):
        assert data.channel.log_probability(written, meant) > -math.inf
    assert data.written == errors("world", train=50, held_out=40).written
    flags = [a != b for w, m in zip(data.written["test"], data.meant.test, strict=True) for a, b in zip(w, m, strict=True)]
    assert data.wrong("test").tolist() == flags


def test_errors_of_a_file_and_the_channel_counted_in_them(tmp_path):
    file = tmp_path / "mine.tsv"
    rows = [(f"a cat {k}", f"a cat {k}") for k in range(30)]
    rows += [(f"a caat {k}", f"a cat {k}") for k in range(30, 60)] + [(f"cat a {k}", f"a cat {k}") for k in range(60, 90)]
    file.write_text("".join(f"{w}\t{m}\n" for w, m in rows), encoding="utf-8")
    data = errors(file)
    train = list(zip(data.written["train"], data.meant.train, strict=True))
    swapped = sum(w[0] == "cat" for w, _ in train)
    misspelled = sum(w[1] == "caat" for w, _ in train)
    assert data.channel.swapped == pytest.approx((swapped + 1) / (len(train) + 2))
    assert data.channel.miswritten == pytest.approx((misspelled + 1) / (3 * (len(train) - swapped) + 2))
    assert data.meant.language is None


@pytest.mark.parametrize(("written", "found"), [("a caat {}", "all are"), ("a cat {}", "none is")])
def test_a_file_whose_test_part_cannot_be_scored_is_refused(tmp_path, written, found):
    file = tmp_path / "mine.tsv"
    file.write_text("".join(f"{written.format(k)}\ta cat {k}\n" for k in range(40)), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"mine\.tsv: of its 2 validation pairs .* {found} wrong; .* give more pairs"):
        errors(file)


def test_wrong_words_are_aligned_where_lengths_differ():
    assert wrong_words(("a", "cat"), ("a", "car")) == [False, True]
    assert wrong_words(("the", "a", "cat", "sat"), ("a", "cat", "sat")) == [True, False, False, False]
    assert wrong_words(("a", "sat"), ("a", "cat", "sat")) == [False, False]


def test_rescored_by_the_same_prior_is_the_same_posterior_and_by_another_it_is_bayes_rule(model):
    found = noisy_channel(model, VOCABULARY, CHANNEL, WRITTEN, width=500)

    def own(sentences):
        return torch.tensor([log_likelihood(model, sentence) for sentence in sentences], dtype=torch.float64)

    for again, before in zip(rescored(found, WRITTEN, CHANNEL, own), found, strict=True):
        assert again == pytest.approx(before, abs=1e-9)
    other = rescored(
        found, WRITTEN, CHANNEL, lambda sentences: torch.tensor([float(s[0] == "a") for s in sentences], dtype=torch.float64)
    )
    for row, written in zip(other[:4], WRITTEN[:4], strict=True):
        joint = {m: math.exp((m[0] == "a") + CHANNEL.log_probability(written, m)) for m in row}
        assert row == pytest.approx({m: p / sum(joint.values()) for m, p in joint.items()})


def test_restored_by_hand():
    meant = [("a",), ("b",), ("c",), ("d",), ("e",)]
    written = [("a",), ("x",), ("y",), ("d",), ("v",)]
    found = restored([("a",), ("b",), ("c",), ("z",), ("w",)], written, meant)
    assert (found.whole, found.mended, found.spoiled) == pytest.approx((3 / 5, 2 / 3, 1 / 2))
    with pytest.raises(ValueError, match="got 1, 5, 5"):
        restored([("a",)], written, meant)
    with pytest.raises(ValueError, match="some sentences with errors and some without"):
        restored(meant, meant, meant)


@pytest.mark.parametrize("kind", [SequenceToSequence, ConditionalTextVAE, DenoisingVAE])
def test_each_corrector_learns_to_copy_two_sentences(kind):
    sentences = [("a", "cat"), ("were", "car", ".")] * 8
    pairs = Encoded.of([("A", "Cat"), ("Were", "Car", ".")] * 8, sentences)
    sizes = TextSizes(embedding=16, hidden=24, latent=4)
    model, history = trained(kind, pairs, Budget(80, 8, 3e-2, checks=1), sizes, seed=0)
    assert history.steps == 80
    assert corrections(model, pairs, [("Were", "Car", "."), ("A", "Cat")]) == [("were", "car", "."), ("a", "cat")]


def test_a_corrector_stops_where_held_out_sentences_cost_no_less():
    written, meant = [("A", "Cat"), ("Were", "Car", ".")] * 8, [("a", "cat"), ("were", "car", ".")] * 8
    pairs, sizes = Encoded.of(written, meant), TextSizes(embedding=16, hidden=24, latent=4)
    held_out = [("A", "Car")] * 2, [("a", "were")] * 2  # a word that never stands there: the surer, the dearer
    model, history = trained(SequenceToSequence, pairs, Budget(600, 8, 3e-2, checks=30), sizes, seed=0, early_stopping=held_out)
    asked = PairBatches(*pairs.encode(*held_out), 8)
    assert history.steps < 600
    assert likelihood(model, asked, seeded(0)).nats_per_sentence.value == pytest.approx(min(history["validation"]))


def test_a_denoising_vae_reads_the_one_and_writes_the_other():
    vae = seeded_module(0, lambda: DenoisingVAE(9, 7, TextSizes(embedding=4, hidden=5, latent=3)))
    one = Pair(torch.tensor([[1, 8, 2]]), torch.tensor([[1, 6, 5, 2]]))
    other = one._replace(target=torch.tensor([[1, 4, 2]]))
    q = vae.posterior(one)
    assert torch.equal(q.mean, vae.posterior(other).mean)
    z = q.sample(seeded(0))
    plain = log_likelihood_of(vae.decoder, one.target, z)
    assert torch.equal(vae.log_likelihood(one, z), plain)
    assert vae.log_likelihood(one, z) != vae.log_likelihood(other, z)


# --- GLEU -------------------------------------------------------------------------------------------------------------

REFERENCE = tuple(["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."])


def test_gleu_is_bleu_where_nothing_of_what_was_written_stands():
    said = tuple(["the", "quick", "red", "fox", "jumps", "over", "the", "lazy", "dog", "today", "."])
    bleu = sacrebleu.corpus_bleu([" ".join(said)], [[" ".join(REFERENCE)]], tokenize="none", smooth_method="none").score
    assert gleu([said], [("nothing", "alike")], [[REFERENCE]]) == pytest.approx(bleu)
    assert gleu([REFERENCE[:6]], [("nothing",)], [[REFERENCE]]) == pytest.approx(100 * math.exp(1 - 10 / 6))  # too short


def test_gleu_by_hand():
    """One wrong word that stays: its n-grams count against the sentence, each as one that is right and is lost."""
    written = tuple(["a", "b", "c", "d", "e", "f", "g"])
    meant = tuple(["x", "b", "c", "d", "e", "f", "g"])
    counts = [(6 - 1, 7), (5 - 1, 6), (4 - 1, 5), (3 - 1, 4)]
    expected = 100 * math.exp(sum(math.log(hits / all_) for hits, all_ in counts) / 4)
    assert gleu([written], [written], [[meant]]) == pytest.approx(expected)
    assert gleu([meant], [written], [[meant]]) == pytest.approx(100)
    assert gleu([("p", "q", "r", "s")], [written], [[meant]]) == 0


def test_gleu_draws_among_the_references():
    """The mean over all four choices of a reference for two sentences."""
    written = [("a", "b", "c", "d", "e"), ("f", "g", "h", "i", "j")]
    said = [("a", "b", "c", "d", "k"), ("f", "g", "h", "i", "l")]
    references = [[("a", "b", "c", "d", "k"), ("a", "b", "c", "d")], [("f", "g", "h", "i"), ("f", "g", "h", "i", "m")]]
    every = [gleu(said, written, [[first], [second]], draws=1) for first, second in product(*references)]
    assert max(every) - min(every) > 5
    assert gleu(said, written, references, draws=20_000) == pytest.approx(sum(every) / 4, abs=0.3)


def gleu_of_one(said, written, meant):
    """GLEU of a single sentence, gram by gram; as in the authors' program (Napoles 2015) 0 where any count is 0."""

    def grams(sentence, n):
        return Counter(zip(*(sentence[k:] for k in range(n)), strict=False))

    if not said or not meant:
        return 0.0
    logs = []
    for n in (1, 2, 3, 4):
        found, old, right = (grams(sentence, n) for sentence in (said, written, meant))
        gained = sum(min(count, right[gram]) for gram, count in found.items())
        lost = sum(min(count, old[gram]) for gram, count in found.items() if gram not in right)
        if gained <= lost:
            return 0.0
        logs.append(math.log((gained - lost) / found.total()))
    return 100 * math.exp(min(0, 1 - len(meant) / len(said)) + sum(logs) / 4)


@pytest.mark.parametrize("said", [("a", "b", "c"), ("a",), (), ("a", "b", "c", "d", "e"), ("a", "b", "c", "d")])
@pytest.mark.parametrize("meant", [("a", "b", "c"), (), ("a", "b", "c", "d", "f")])
def test_gleu_of_short_sentences_is_the_official_score(said, meant):
    """Without a sentence of four words there is no 4-gram to be right: 0. Twice the same sentence is no better."""
    written = ("a", "x", "c")
    expected = gleu_of_one(said, written, meant)
    assert (expected > 0) == (len(said) > 3 and len(meant) > 3)
    for times in (1, 2):
        assert gleu([said] * times, [written] * times, [[meant]] * times, draws=5) == pytest.approx(expected)


def test_gleu_refuses_what_it_cannot_draw_from():
    with pytest.raises(ValueError, match=r"references: expected as many for each sentence, one at least, got \[1, 2\]"):
        gleu([REFERENCE] * 2, [REFERENCE] * 2, [[REFERENCE], [REFERENCE, REFERENCE]])
    with pytest.raises(ValueError, match=r"references: .* got \[0\]"):
        gleu([REFERENCE], [REFERENCE], [[]])
    with pytest.raises(ValueError, match="draws: expected at least 1, got 0"):
        gleu([REFERENCE], [REFERENCE], [[REFERENCE]], draws=0)


def test_gleu_needs_references_for_each_sentence():
    with pytest.raises(ValueError, match="a correction and references for each sentence, got 1, 1, 0"):
        gleu([REFERENCE], [REFERENCE], [])
