import math

import pytest
import sacrebleu
import torch

from vae_course.applications import translation
from vae_course.applications.translation import END
from vae_course.exercises import find
from vae_course.probability.estimators import Estimate
from vae_course.text.corpora import Corpus, PairCorpus
from vae_course.text.models import TextSizes
from vae_course.text.parallel import ParallelTextVAE
from vae_course.text.vocabulary import Vocabulary, Words
from vae_course.training import seeded, seeded_module
from vae_course.world.grammar import By, Choice, Factor, FactPrior, Language, Text
from vae_course.world.languages import WORLD, splits

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)
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
    matches, bleu = find("matches").reference, find("bleu").reference
    counted = [sum(matches(w, r, n) for w, r in zip(rounds[0], references, strict=True)) for n in range(1, 5)]
    matched, total = torch.stack(counted).double().T
    lengths = (torch.tensor(float(sum(map(len, texts)))).double() for texts in (rounds[0], references))
    expected = translation.scores(rounds[0], [references])
    assert bleu(matched, total, *lengths).item() == pytest.approx(expected.bleu)
    spelled = [["".join(tokens) for tokens in texts] for texts in (rounds[0], references)]
    rows = [sum(matches(tuple(w), tuple(r), n) for w, r in zip(*spelled, strict=True)) for n in range(1, 7)]
    there = [sum(len(r) - n + 1 for r in spelled[1]) for n in range(1, 7)]
    matched, total = torch.stack(rows).double().T
    assert find("chrf").reference(matched, total, torch.tensor(there).double()).item() == pytest.approx(expected.chrf)


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


def test_the_two_pairs_share_no_facts():
    sentences = {name: [(f"{name}{k}",) for k in range(10)] for name in ("english", "chinese", "french")}
    texts = {name: Corpus("few", rows, [], [], Vocabulary.build(rows), Words(), None, "") for name, rows in sentences.items()}
    kinds, sizes = translation.two_pairs(texts)
    assert sizes == dict.fromkeys(texts, 14)
    assert [names for names, _ in kinds] == [("english", "chinese"), ("english", "french")]
    for (names, batches), half in zip(kinds, (slice(0, 5), slice(5, 10)), strict=True):
        assert (batches.sources, batches.targets) == tuple(texts[name].encoded("train")[half] for name in names)


def test_the_most_similar_sentence_shares_most_words():
    known = [("a", "b", "c"), ("a", "d"), ("e",), ()]
    numbers, parts = translation.most_similar([("b", "a"), ("d",), ("e", "x"), ("y",)], known, chunk=3)
    assert numbers.tolist() == [0, 1, 2, 0]
    assert parts.tolist() == [2 / 3, 1 / 2, 1 / 2, 0]


def test_the_most_similar_sentence_is_that_of_the_jaccard_index():
    words = torch.randint(12, (60, 6), generator=seeded(0)).tolist()
    known, asked = ([tuple(map(str, row)) for row in part] for part in (words[:40], words[40:]))
    numbers, parts = translation.most_similar(asked, known)
    for tokens, number, part in zip(asked, numbers, parts, strict=True):
        each = [len(set(tokens) & set(other)) / len(set(tokens) | set(other)) for other in known]
        assert (number, part) == (each.index(max(each)), max(each))


def test_texts_without_spaces_are_compared_by_their_characters(tmp_path):
    pairs = [("猫在家", "a"), ("狗在外面", "b"), ("我们走了", "c")]
    corpus = PairCorpus("few", pairs, pairs[:1], [("狗在家外面", "b")], "")
    source, target = translation.sides_of(corpus, ("character", "word"))
    assert translation.nearest(source, target) == [("b",)]


def test_too_few_pairs_for_what_is_asked_are_refused(tmp_path):
    path = tmp_path / "few.tsv"
    path.write_text("".join(f"a {k}\tb {k}\n" for k in range(29)), encoding="utf-8")
    assert len(translation.sides(path)[1].test) == 1
    with pytest.raises(ValueError, match="has 29 pairs, which leave 1 for validation or test; expected at least 2"):
        translation.sides(path, least=2)
