import itertools
import math

import pytest
import sacrebleu
import torch

from vae_course import measurements, translation
from vae_course.batches import Pair, PairBatches, SentenceBatches, pad
from vae_course.corpora import Corpus
from vae_course.cures import Budget, fit
from vae_course.decoding import greedy
from vae_course.estimators import Estimate
from vae_course.exercises import find
from vae_course.grammar import By, Choice, Factor, FactPrior, Language, Text
from vae_course.objectives import NegativeElbo, constant, free_bits, linear_annealing
from vae_course.text_models import TextSizes, log_likelihood_of
from vae_course.training import seeded, seeded_module
from vae_course.translation import END, Groups, ParallelTextVAE, ParallelTranslator, SharedElbo, SharedLatent
from vae_course.vocabulary import BOS, EOS, Vocabulary, Words
from vae_course.world import WORLD, splits

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)
SOURCES = [[BOS, 4, 5, EOS], [BOS, 6, EOS], [BOS, EOS], [BOS, 4, 4, 6, 5, 6, EOS]]
TARGETS = [[BOS, 5, EOS], [BOS, 4, 4, 6, 5, EOS], [BOS, 6, 6, EOS], [BOS, EOS]]
PAIR = Pair(pad(SOURCES), pad(TARGETS))
CHINESE = splits("chinese")["test"][:30]


def parallel(longest=8, seed=0):
    return seeded_module(seed, lambda: ParallelTextVAE(SIZE, SIZE, SMALL, longest)).double()


# --- sides and scores ---------------------------------------------------------------------------------------------------


def test_the_sides_of_the_world_tell_the_same_facts():
    source, target = translation.sides("world")
    assert (source.language, target.language) == (WORLD.english, WORLD.chinese)
    for one, other in zip(source.test[:20], target.test[:20], strict=True):
        assert WORLD.english.recognize(one).facts == WORLD.chinese.recognize(other).facts


def test_the_sides_of_a_file_have_vocabularies_of_their_own(tmp_path):
    file = tmp_path / "mine.tsv"
    file.write_text("".join(f"a b{k}\tc d{k} e\n" for k in range(40)), encoding="utf-8")
    source, target = translation.sides(file, tokens=("word", "character"))
    assert source.language is None
    assert len(source.train) == len(target.train) == 36
    assert "c" not in source.vocabulary
    assert target.tokenizer.join(target.test[0]).replace("c d", "a b").removesuffix(" e") == " ".join(source.test[0])


def test_scores_are_sacrebleus_with_every_reference_set():
    written = [("a", "b", "c", "d", "e"), ("a", "c", "c", "d")]
    references = [[("a", "b", "c", "d"), ("a", "d", "c", "d")], [("a", "b", "x", "d", "e"), ("a", "c", "c", "d")]]
    found = translation.scores(written, references)
    lines = [[" ".join(tokens) for tokens in row] for row in references]
    bleu = sacrebleu.metrics.BLEU(tokenize="none", force=True).corpus_score([" ".join(w) for w in written], lines)
    assert found.bleu == pytest.approx(bleu.score)
    assert found.bleu > translation.scores(written, references[:1]).bleu
    assert translation.scores(written, [written]) == translation.Scores(pytest.approx(100), pytest.approx(100))
    with pytest.raises(ValueError, match="sets of 2, got \\[1\\]"):
        translation.scores(written, [references[0][:1]])


def test_the_exercises_put_together_are_sacrebleus_scores():
    rounds = [[("the", "sad", "girl", "sold", "a", "hat"), ("a", "red", "hat", "a", "red")]]
    references = [("the", "sad", "girl", "sold", "the", "red", "hat"), ("a", "red", "red", "hat", "a", "red", "hat")]
    matches, bleu = find("12.1").reference, find("12.2").reference
    counted = [sum(matches(w, r, n) for w, r in zip(rounds[0], references, strict=True)) for n in range(1, 5)]
    matched, total = torch.stack(counted).double().T
    lengths = (torch.tensor(float(sum(map(len, texts)))).double() for texts in (rounds[0], references))
    expected = translation.scores(rounds[0], [references])
    assert bleu(matched, total, *lengths).item() == pytest.approx(expected.bleu)
    spelled = [["".join(tokens) for tokens in texts] for texts in (rounds[0], references)]
    rows = [sum(matches(tuple(w), tuple(r), n) for w, r in zip(*spelled, strict=True)) for n in range(1, 7)]
    there = [sum(len(r) - n + 1 for r in spelled[1]) for n in range(1, 7)]
    matched, total = torch.stack(rows).double().T
    assert find("12.5").reference(matched, total, torch.tensor(there).double()).item() == pytest.approx(expected.chrf)


def test_other_wordings_state_the_same_facts_and_are_right():
    others, _ = translation.other_wordings(CHINESE, WORLD.chinese, seeded(0), count=2)
    assert others != CHINESE
    assert translation.right(others, CHINESE, WORLD.chinese).all()
    assert not translation.right(others[1:] + others[:1], CHINESE, WORLD.chinese).any()
    assert translation.right([()] * 30, CHINESE, WORLD.chinese).sum() == 0
    assert 0 < translation.right(others, CHINESE, None).sum() < 30  # word for word
    with pytest.raises(ValueError, match="reference 0 is not a sentence of chinese"):
        translation.right([("a",)], [("a",)], WORLD.chinese)
    with pytest.raises(ValueError, match="got 1 and 30"):
        translation.right([()], CHINESE, None)


def test_the_nats_of_a_wording_are_those_of_its_enumeration():
    for tokens, nats in zip(CHINESE[:5], translation.wording_nats(CHINESE[:5], WORLD.chinese).tolist(), strict=True):
        facts = WORLD.chinese.recognize(tokens).facts
        table = dict(WORLD.chinese.grammar.wordings(facts))
        assert nats == pytest.approx(-table[tokens])
        assert sum(map(math.exp, table.values())) == pytest.approx(1)
    nats = translation.wording_nats(splits("chinese")["test"][:1500], WORLD.chinese)
    assert Estimate.of(nats).standard_errors_from(WORLD.chinese.conditional_entropy(WORLD.english)) < 3.5


def test_different_right_translations_are_counted_once_and_only_if_right():
    a, b = translation.other_wordings(CHINESE[:1], WORLD.chinese, seeded(1), count=2)
    assert a != b
    wrong = CHINESE[1:2]
    assert translation.different_right([a, a, b, wrong], CHINESE[:1], WORLD.chinese) == 2
    assert translation.different_right([a * 2, b + wrong], [CHINESE[0]] * 2, WORLD.chinese) == 1.5


# --- places that decide independently -----------------------------------------------------------------------------------


def test_places_apart_by_hand():
    """One fact told as "a b" or, one time in four, as "b a c": the shares, their price and what comes of them."""
    prior = FactPrior((Factor("x", ("only",), {"": (1.0,)}),))
    branch = Choice((Text(("a", "b")), Text(("b", "a", "c"))), (0.75, 0.25))
    language = Language("toy", prior, By("x", {"only": branch}))
    (found,) = translation.apart([("a", "b")], language)
    assert found.shares == [{"a": 0.75, "b": 0.25}, {"b": 0.75, "a": 0.25}, {END: 0.75, "c": 0.25}, {END: 1.0}]
    coin = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert found.nats == pytest.approx(3 * coin)  # every place pays for the order that one coin decides
    assert found.likeliest == ("a", "b")
    assert found.right_when_drawn == pytest.approx(0.75**3 + 0.25**3)
    with pytest.raises(ValueError, match="reference 0 is not a sentence of toy"):
        translation.apart([("a",)], language)


@pytest.mark.parametrize("name", ["chinese", "french"])
def test_places_apart_are_those_of_very_many_drawn_wordings(name):
    language = WORLD[name]
    sentence = splits(name)["test"][0]
    (found,) = translation.apart([sentence], language)
    drawn = [rows[0] for rows in translation.other_wordings([sentence], language, seeded(3), count=4000)]
    for place, share in enumerate(found.shares):
        here = [(*tokens, END)[place] for tokens in drawn if place <= len(tokens)]
        for word, probability in share.items():
            spread = math.sqrt(probability * (1 - probability) / len(here)) + 1e-9
            assert abs(here.count(word) / len(here) - probability) < 4.5 * spread
    entropy = translation.wording_nats([sentence], language)
    assert found.nats > 5 * entropy.item()
    enumerated = {tokens: p for tokens, p in language.grammar.wordings(language.recognize(sentence).facts)}
    price = [
        -math.exp(p) * math.log(math.prod(found.shares[k][word] for k, word in enumerate((*tokens, END))))
        for tokens, p in enumerated.items()
    ]
    assert found.nats == pytest.approx(sum(price))


def test_the_likeliest_words_are_right_in_english_and_never_in_french():
    for name, share in (("english", 1.0), ("french", 0.0)):
        sentences = splits(name)["test"][:12]
        written = [one.likeliest for one in translation.apart(sentences, WORLD[name])]
        assert translation.right(written, sentences, WORLD[name]).double().mean().item() == share


# --- all words at once --------------------------------------------------------------------------------------------------


def test_what_is_written_at_once_has_probabilities_that_sum_to_one():
    model = parallel(longest=3)
    source, z = pad(SOURCES[:1]), torch.randn(1, 2, generator=seeded(1), dtype=torch.float64)
    total = 0.0
    for length in range(3):
        for words in itertools.product(range(3, SIZE), repeat=length):
            total += model.log_likelihood(Pair(source, torch.tensor([[BOS, *words, EOS]])), z).exp().item()
    unended = torch.tensor([[BOS, 4, 4, 4]])  # three places: what has not ended by then
    logits = model.writer(source).logits(unended[:, :3], z).softmax(-1)[0]
    assert total + (1 - logits[:, EOS]).prod().item() == pytest.approx(1)


def test_places_do_not_see_each_others_words():
    model = parallel()
    z = model.prior(PAIR.source).mean
    logits = model.writer(PAIR.source).logits(PAIR.target, z)
    assert torch.equal(logits, model.writer(PAIR.source).logits(torch.full_like(PAIR.target, 3), z))
    assert not torch.allclose(logits[:, 0], logits[:, 1])  # but they know which place they are
    other = model.writer(PAIR.source).logits(PAIR.target, z + 1)
    assert not torch.allclose(logits, other)


@pytest.mark.parametrize("kind", ["with z", "without z"])
def test_at_once_is_greedy(kind):
    if kind == "with z":
        model = parallel(seed=6)
        z = model.prior(PAIR.source).sample(seeded(2))
    else:
        model, z = seeded_module(6, lambda: ParallelTranslator(SIZE, SIZE, SMALL, 8)).double(), None
    with torch.no_grad():
        model.decoder.output.words.weight.mul_(20)  # so that sentences differ
    writer = model.writer(PAIR.source)
    written = writer.at_once(z)
    assert written == greedy(writer, z, None if kind == "with z" else 4, longest=8)
    assert len(set(map(tuple, written))) > 1
    assert min(map(len, written)) < 8
    with pytest.raises(ValueError, match="one sentence for each of the 4 sources, got 2"):
        writer.start(None, 2)
    with pytest.raises(ValueError, match="knows 8 places, got number 8"):
        writer.logits(torch.zeros(4, 9, dtype=torch.long), z)


def test_padding_of_either_side_changes_nothing():
    model, plain = parallel(), seeded_module(0, lambda: ParallelTranslator(SIZE, SIZE, SMALL, 8)).double()
    z = torch.randn(3, 4, 2, generator=seeded(1), dtype=torch.float64)
    together = model.log_likelihood(PAIR, z)
    for row in range(4):
        alone = Pair(pad(SOURCES[row : row + 1]), pad(TARGETS[row : row + 1]))
        assert torch.allclose(together[:, row], model.log_likelihood(alone, z[:, [row]])[:, 0])
        assert torch.allclose(plain.log_likelihood(PAIR)[row], plain.log_likelihood(alone)[0])


def test_z_lets_the_places_agree_where_without_it_they_mix():
    """The target is "4 5" or "5 4" whatever the source: half of what independent places write is neither."""
    coin = torch.rand(400, generator=seeded(2)) < 0.5
    sources, targets = [[BOS, 6, EOS]] * 400, [[BOS, 4, 5, EOS] if heads else [BOS, 5, 4, EOS] for heads in coin]
    batches, sizes = PairBatches(sources, targets, 20), TextSizes(embedding=8, hidden=24, latent=1)
    blind = seeded_module(0, lambda: ParallelTranslator(SIZE, SIZE, sizes, 4))
    fit(blind, batches, Budget(120, 20, 1e-2, checks=1), seed=0)
    pair = Pair(pad(sources), pad(targets))
    assert -blind.log_likelihood(pair).mean().item() == pytest.approx(2 * math.log(2), abs=0.05)  # each place pays for itself
    model = seeded_module(0, lambda: ParallelTextVAE(SIZE, SIZE, sizes, 4))
    fit(NegativeElbo(model, linear_annealing(100), free_bits(0.1)), batches, Budget(300, 20, 1e-2, checks=1), seed=0)
    z = model.prior(pair.source).sample(seeded(3))
    written = [tuple(row) for row in model.writer(pair.source).at_once(z)]
    share = {order: written.count(order) / 400 for order in ((4, 5), (5, 4))}
    assert min(share.values()) > 0.2
    assert sum(share.values()) > 0.8
    again = [tuple(row) for row in model.refined(pair.source, [list(row) for row in written])]
    assert sum(row in share for row in again) >= sum(row in share for row in written)


# --- one latent for several languages -----------------------------------------------------------------------------------


def shared():
    return seeded_module(0, lambda: SharedLatent({"english": SIZE, "chinese": SIZE, "french": 9}, SMALL)).double()


def test_the_shared_objective_by_hand():
    model, group = shared(), {"english": PAIR.source, "chinese": PAIR.target}
    loss = SharedElbo(model, constant(0.5)).loss([group], seeded(5))
    noise, distortion, rate = seeded(5), 0.0, 0.0
    read = {language: model.vaes[language].posterior(tokens) for language, tokens in group.items()}
    for reader in group:
        z = read[reader].sample(noise)
        for writer, tokens in group.items():
            distortion -= log_likelihood_of(model.vaes[writer].decoder, tokens, z).mean() / 2
        rate += read[reader].kl_to_prior().mean() / 2
    expected = {"distortion": distortion, "rate": rate, "loss": distortion + 0.5 * rate}
    assert {name: value.item() for name, value in loss.items()} == pytest.approx({k: v.item() for k, v in expected.items()})


def test_a_sentence_without_a_partner_is_the_elbo_of_its_own_vae():
    model = shared()
    alone = SharedElbo(model, constant(0.7)).loss([{"french": PAIR.target}], seeded(1))
    own = NegativeElbo(model.vaes["french"], constant(0.7)).loss(PAIR.target, seeded(1))
    assert alone["loss"].item() == pytest.approx(own["loss"].item())
    both = SharedElbo(model, constant(0.7)).loss([{"french": PAIR.target}] * 2, seeded(1))
    assert both["loss"] > 1.5 * alone["loss"]  # groups add


def test_groups_hold_one_batch_of_each_kind_and_go_on_for_ever():
    pairs, single = PairBatches(SOURCES, TARGETS, 2), SentenceBatches(SOURCES[:3], 1)
    groups = Groups([(("english", "chinese"), pairs), (("english",), single)], steps=7)
    steps = list(groups.epoch(seeded(0)))
    assert len(steps) == len(groups) == 7
    for both, one in steps:
        assert (set(both), set(one)) == ({"english", "chinese"}, {"english"})
        assert both["english"].shape[0] == both["chinese"].shape[0] == 2
        for source, target in zip(both["english"].tolist(), both["chinese"].tolist(), strict=True):
            rows = [[n for n in row if n] for row in (source, target)]
            assert TARGETS[SOURCES.index(rows[0])] == rows[1]


def test_languages_that_never_met_can_translate():
    """Three languages of two words, each with numbers of its own; b and c are only ever paired with a."""
    facts = torch.randint(3, (300, 2), generator=seeded(0)).tolist()
    told = {name: [[BOS, *(word + 4 + k for word in row), EOS] for row in facts] for k, name in enumerate(("a", "b", "c"))}
    half = {name: (rows[:150], rows[150:]) for name, rows in told.items()}
    kinds = [(("a", other), PairBatches(half["a"][k], half[other][k], 15)) for k, other in enumerate(("b", "c"))]
    sizes = TextSizes(embedding=8, hidden=24, latent=6, context=0)
    model, history = translation.train_shared(kinds, {"a": 9, "b": 9, "c": 9}, sizes, 250, learning_rate=1e-2)
    assert history.steps == 250
    for source, target in (("b", "c"), ("c", "b"), ("a", "b")):
        written = model.translate(told[source][:60], source, target, longest=4)
        right = sum(row == expected[1:-1] for row, expected in zip(written, told[target][:60], strict=True))
        assert right >= 54, (source, target)


def test_a_language_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="expected one of english, chinese, french, got 'latin'"):
        shared().translate(SOURCES, "latin", "english")


def test_the_two_pairs_share_no_facts():
    sentences = {name: [(f"{name}{k}",) for k in range(10)] for name in ("english", "chinese", "french")}
    texts = {name: Corpus("few", rows, [], [], Vocabulary.build(rows), Words(), None, "") for name, rows in sentences.items()}
    kinds, sizes = translation.two_pairs(texts)
    assert sizes == dict.fromkeys(texts, 14)
    assert [names for names, _ in kinds] == [("english", "chinese"), ("english", "french")]
    for (names, batches), half in zip(kinds, (slice(0, 5), slice(5, 10)), strict=True):
        assert (batches.sources, batches.targets) == tuple(texts[name].encoded("train")[half] for name in names)


# --- what is stored -----------------------------------------------------------------------------------------------------


def test_themost_similar_sentence_shares_most_words():
    others = [("a", "b", "c"), ("a", "d"), ("e",), ()]
    assert [translation.most_similar(tokens, others) for tokens in (("b", "a"), ("d",), ("e", "x"))] == [0, 1, 2]


def test_what_is_stored_is_complete():
    stored = measurements.stored(translation.NAME)
    assert stored["command"] == "vae-course measure translation_world"
    runs = [(row["pairs"], row["seed"], row["name"]) for row in stored["few_pairs"]]
    assert runs == list(itertools.product((50, 100, 300, 1000), (0, 1, 2), translation.FEW_PAIRS))
    directions = [(row["seed"], row["source"], row["target"]) for row in stored["directions"]]
    assert directions == list(itertools.product((0, 1), translation.LANGUAGES, translation.LANGUAGES))  # as the lesson reads it
