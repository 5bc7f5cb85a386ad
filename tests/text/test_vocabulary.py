import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, strategies as st

from vae_course.text.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Characters, Subwords, Vocabulary, Words

SENTENCES = [("b", "a", "c"), ("a", "b"), ("a", "d"), ("<unk>", "a", "e")]


def test_words_are_in_order_of_frequency_and_ties_in_order_of_spelling():
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.words == ("<pad>", "<bos>", "<eos>", "<unk>", "a", "b", "c", "d", "e")
    assert tuple(map(vocabulary.words.index, SPECIAL)) == (PAD, BOS, EOS, UNK)
    assert len(vocabulary) == 9
    assert vocabulary == Vocabulary.build(reversed(SENTENCES))
    assert repr(vocabulary) == "Vocabulary of 9: <pad> <bos> <eos> <unk> a b c d ..."


@given(st.lists(st.lists(st.sampled_from("abcdefg")), min_size=1), st.integers(1, 4), st.integers(5, 9))
def test_limits_keep_the_most_frequent(sentences, min_count, max_size):
    counts = Counter(word for sentence in sentences for word in sentence)
    enough = {word for word, count in counts.items() if count >= min_count}
    if not enough:
        message = f"no word occurs {min_count} times or more" if min_count > 1 else "there is no word but the special ones"
        with pytest.raises(ValueError, match=message):
            Vocabulary.build(sentences, min_count, max_size)
        return
    kept = set(Vocabulary.build(sentences, min_count, max_size).words) - set(SPECIAL)
    assert len(kept) == min(len(enough), max_size - 4)
    assert kept <= enough
    assert min(counts[word] for word in kept) >= max([counts[word] for word in enough - kept], default=0)


def test_encode_and_decode():
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.encode(("a", "zebra", "b")) == [BOS, 4, UNK, 5, EOS]
    assert vocabulary.encode(()) == [BOS, EOS]
    assert vocabulary.decode([BOS, 4, UNK, 5, EOS, PAD, 4]) == ("a", "<unk>", "b")
    assert vocabulary.decode([4, PAD, 5]) == ("a", "b")


@given(st.lists(st.sampled_from("abcde"), max_size=9))
def test_decoding_restores_known_words(tokens):
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.decode(vocabulary.encode(tokens)) == tuple(tokens)


def test_special_words_in_a_text_are_unknown():
    vocabulary = Vocabulary.build([*SENTENCES, ("<pad>", "<eos>", "<bos>")])
    assert len(vocabulary) == 9
    assert vocabulary.encode(SPECIAL) == [BOS, UNK, UNK, UNK, UNK, EOS]
    assert not any(word in vocabulary for word in SPECIAL)
    assert "a" in vocabulary
    assert "zebra" not in vocabulary


def test_share_unknown():
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.share_unknown([("a", "zebra"), ("<unk>", "b", "c")]) == pytest.approx(2 / 5)
    assert vocabulary.share_unknown([()]) == 0


def test_vocabulary_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="expected <pad> <bos> <eos> <unk> first"):
        Vocabulary(("a", "b"))
    with pytest.raises(ValueError, match="expected each once, but 'a' is there more often"):
        Vocabulary((*SPECIAL, "a", "a"))
    with pytest.raises(ValueError, match="min_count >= 1 and max_size > 4, got 0 and None"):
        Vocabulary.build(SENTENCES, min_count=0)
    with pytest.raises(ValueError, match="got 1 and 4"):
        Vocabulary.build(SENTENCES, max_size=4)
    with pytest.raises(ValueError, match="no word occurs 9 times or more among 6 different ones"):
        Vocabulary.build(SENTENCES, min_count=9)
    with pytest.raises(TypeError, match="split into tokens, got the text 'a cat'"):
        Vocabulary.build(["a cat"])
    vocabulary = Vocabulary.build(SENTENCES)
    with pytest.raises(TypeError, match="split into tokens, got the text 'a cat'"):
        vocabulary.encode("a cat")
    for number in (-1, 9):
        with pytest.raises(ValueError, match=f"expected numbers from 0 to 8, got {number}"):
            vocabulary.decode([number])


# --- tokenizers -----------------------------------------------------------------------------------------------------

TEXTS = ["the cat sat on the mat", "the hat of the cat", "小猫在睡觉", "a café <unk>"] * 3
TOKENIZERS = {"words": Words(), "characters": Characters(), "subwords": Subwords.train(TEXTS, 60)}
normalized = st.one_of(st.text(), st.text("the cat <unk>小猫 ▁")).map(lambda text: " ".join(text.split()))


@pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS.keys())
@given(text=normalized)
def test_joining_restores_the_text(tokenizer, text):
    tokens = tokenizer.split(text)
    assert tokenizer.join(tokens) == text
    assert all(tokens)


def test_words_and_characters():
    assert Words().split(" the  cat\tsat\n") == ("the", "cat", "sat")
    assert Characters().split("小猫 a") == ("小", "猫", " ", "a")


def test_subwords_are_the_frequent_pieces():
    """ " the" and "at" are by far the most frequent strings of these texts, so they are learned, then "cat"."""
    subwords = TOKENIZERS["subwords"]
    assert subwords.split("the cat") == (" the", " cat")
    assert subwords.split("") == ()
    assert len({token for text in TEXTS for token in subwords.split(text)}) <= 60


def test_training_subwords_twice_gives_the_same():
    again = Subwords.train(TEXTS, 60)
    assert again.model.get_vocab() == TOKENIZERS["subwords"].model.get_vocab()


def test_an_unknown_character_is_a_token_without_a_number():
    subwords = TOKENIZERS["subwords"]
    vocabulary = Vocabulary.build(map(subwords.split, TEXTS))
    tokens = subwords.split("the Ω")
    assert tokens == (" the", " ", "Ω")
    assert vocabulary.encode(tokens)[-2] == UNK


def test_subwords_need_room_for_every_character():
    characters = len(set("".join(TEXTS)))
    with pytest.raises(
        ValueError, match=rf"size: expected at least \d+, one for each different character .* got {characters - 9}"
    ):
        Subwords.train(TEXTS, characters - 9)
    with pytest.raises(ValueError, match="size: expected at least 1, got 0"):
        Subwords.train(TEXTS, 0)


def test_importing_the_module_does_not_import_the_subword_library():
    code = (
        "import sys, vae_course.text.corpora; print([m for m in ('tokenizers', 'datasets', 'sacrebleu') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
