import hashlib
import json
import re
import sys
import types
from importlib.metadata import version

import pytest
from hypothesis import given, strategies as st

from vae_course.text import corpora
from vae_course.text.batches import count_tokens
from vae_course.text.corpora import SPLITS, load, pairs
from vae_course.text.vocabulary import UNK, Characters, Words
from vae_course.world.languages import WORLD, splits

PINNED = {"scikit-learn": "1.9.1", "torch": "2.13.0", "codespell": "2.4.3", "jupyterlab-language-pack-fr-FR": "4.5.post3"}
as_pinned = pytest.mark.skipif(
    version("numpy") != "2.4.6"
    or version("scipy") != "1.17.1"
    or any(version(package).partition("+")[0] != pin for package, pin in PINNED.items()),
    reason="the counts are those of the pinned versions on Python 3.11",
)


def counts(corpus):
    return [len(getattr(corpus, split)) for split in SPLITS]


def everything(corpus):
    return [item for split in SPLITS for item in getattr(corpus, split)]


@pytest.fixture
def write(tmp_path):
    """Write a file of text or bytes and return its path."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def lines(count, word="word"):
    return "".join(f"{word} number {i} .\n" for i in range(count))


# --- world ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_the_world_is_its_own_splits_and_knows_its_truth(language):
    corpus = load("world", language=language)
    by_split = splits(language)
    assert all(getattr(corpus, split) == by_split[split] for split in SPLITS)
    assert corpus.language is getattr(WORLD, language)
    assert corpus.language.recognize(corpus.test[0])
    assert {word for sentence in corpus.train for word in sentence} == set(corpus.vocabulary.ordinary_words)


def test_chinese_characters_are_written_without_spaces():
    corpus = load("world", language="chinese", tokens="character")
    assert corpus.test[0] == tuple("".join(splits("chinese")["test"][0]))
    assert load("world").language is WORLD.english


def test_pairs_of_the_world_are_parallel():
    corpus = pairs("world", languages=("story", "english"))
    assert counts(corpus) == [len(splits("english")[split]) for split in SPLITS]
    story, english = corpus.test[5]
    assert story.split() == list(splits("story")["test"][5])
    assert english.split() == list(splits("english")["test"][5])
    assert pairs("world").test[0][1] == " ".join(splits("chinese")["test"][0])


# --- installed packages ---------------------------------------------------------------------------------------------


def test_docstrings_become_plain_sentences():
    docstring = """Compute the `shape` of **many** arrays at once.

    This uses :func:`~numpy.linalg.svd` and the method of [1]_. It is based on
    ``Array`` objects, e.g. Lists [2]_.

    .. note:: This is a directive.

    >>> This().is_code()

    * This is an item of a list. It has a second sentence.

        What is indented is a quotation or code.

    It ends with an equation x = 2. It costs :math:`n^2` steps. A full stop ends it.

    Parameters
    ----------
    x : int
        This is the description of x.

    This paragraph still belongs to the parameters.

    Notes
    -----
    The notes are prose again. See torch.nn for more.
    """
    import inspect

    assert corpora._prose(inspect.cleandoc(docstring)) == (
        ["compute the shape of many arrays at once ."],
        [
            "it is based on array objects , e.g. lists .",
            "a full stop ends it .",
            "the notes are prose again .",
        ],
    )
    assert corpora._prose("No full stop at the end") == (["no full stop at the end ."], [])
    assert corpora._prose("f(x)\n\nReturns the value of it.") == ([], ["returns the value of it ."])
    google = "Do this and that.\n\nArgs:\n    x: This is the value of x.\n\nNot prose either, as it is under arguments."
    assert corpora._prose(google) == (["do this and that ."], [])


def test_docstrings_are_read_in_the_order_of_the_file(write):
    source = '''"""Module."""
class A:
    """One."""
    def f(self):
        """Two."""
        def inner():
            """Inside a function."""
    class B:
        """Three."""
if True:
    async def g():
        """Four."""
'''
    assert list(corpora._docstrings_in(write("source.py", source))) == ["One.", "Two.", "Three.", "Four."]


@as_pinned
def test_the_docstrings_of_the_pinned_versions():
    corpus, couples = load("docstrings"), pairs("docstrings")
    assert counts(corpus) == [16_277, 904, 904]
    assert counts(couples) == [3_266, 182, 182]
    assert "numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, torch 2.13.0" in corpus.source
    sentences = everything(corpus)
    assert len(set(sentences)) == len(sentences)
    assert all(4 <= len(sentence) <= 40 and sentence[-1] in ".?" for sentence in sentences)
    assert all(text == text.lower() for sentence in sentences for text in sentence)
    assert len({body for body, _ in everything(couples)}) == len(everything(couples))


@as_pinned
def test_the_interface_of_the_pinned_jupyterlab():
    chinese, french = pairs("jupyterlab"), pairs("jupyterlab", languages=("en", "fr"))
    assert counts(chinese) == counts(french) == [2_874, 160, 160]
    sources = [source for source, _ in everything(chinese)]
    assert sources == [source for source, _ in everything(french)]
    assert len(set(sources)) == len(sources)
    assert sum(len(source.split()) >= 4 for source in sources) == 1_486
    assert ("Close Tab", "关闭标签页") in everything(chinese)
    assert ("Close Tab", "Fermer l'onglet") in everything(french)
    assert ("关闭标签页", "Fermer l'onglet") in everything(pairs("jupyterlab", languages=("zh", "fr")))
    sentences = load("jupyterlab", language="zh", tokens="character")
    assert ["".join(tokens) for tokens in everything(sentences)] == [target for _, target in everything(chinese)]


@as_pinned
def test_the_pinned_codespell():
    corpus = pairs("codespell")
    assert counts(corpus) == [58_482, 3_249, 3_249]
    found = dict(everything(corpus))
    assert found["abbout"] == "about"  # of "about, abbot,"
    assert found["aboutit"] == "about it"
    assert not any("->" in misspelling or "," in misspelling + correction for misspelling, correction in found.items())
    with pytest.raises(ValueError, match=r'codespell: has words, not sentences; pairs\("codespell"\) gives'):
        load("codespell")


# --- corpora in a folder --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(write, tmp_path):
    """A folder in the layout of the real one, with a handful of lines."""
    for name, text in (("train", " the cat sat \n the dog <unk> \n"), ("valid", " the cat ran \n"), ("test", " a dog sat \n")):
        write(f"ptb/{name}.txt", text)
    for name, count in (("train", 3), ("val", 2), ("test2016", 1)):
        for language in ("en", "de", "fr"):
            write(f"multi30k/{name}.{language}", lines(count, language))
    return tmp_path


def test_penn_treebank(folder, monkeypatch):
    corpus = load("ptb", folder=folder)
    assert corpus.train == [("the", "cat", "sat"), ("the", "dog", "<unk>")]
    assert corpus.vocabulary.ordinary_words == ("the", "cat", "dog", "sat")
    assert corpus.encoded("train")[1][3] == UNK
    assert count_tokens(corpus.encoded("test")) == 4
    assert repr(corpus) == (
        "ptb: Penn Treebank (Marcus 1993), the 10,000 words of Mikolov 2010 (LDC text, research use); vocabulary 8\n"
        "     train: 2 sentences, 8 tokens with <eos>, 16.67% unknown\n"
        "validation: 1 sentences, 4 tokens with <eos>, 33.33% unknown\n"
        "      test: 1 sentences, 4 tokens with <eos>, 33.33% unknown"
    )
    monkeypatch.setenv("VAE_COURSE_DATA", str(folder))
    assert load("ptb") == corpus
    assert load("ptb", max_size=5 + 1).vocabulary.ordinary_words == ("the", "cat")
    with pytest.raises(ValueError, match=r'ptb: has no pairs; load\("ptb"\)'):
        pairs("ptb")
    with pytest.raises(ValueError, match=r"split: expected .* got 'dev'"):
        corpus.encoded("dev")


def test_multi30k(folder):
    assert load("multi30k", folder=folder, language="de").validation == [tuple(f"de number {i} .".split()) for i in range(2)]
    corpus = pairs("multi30k", folder=folder, languages=("fr", "en"))
    assert counts(corpus) == [3, 2, 1]
    assert corpus.train[2] == ("fr number 2 .", "en number 2 .")
    assert repr(corpus).endswith("pairs: 3 train, 2 validation, 1 test")
    assert pairs("multi30k", folder=folder).test == [("en number 0 .", "de number 0 .")]


def test_tang_quatrains(write, tmp_path, monkeypatch):
    poems = [f"春{sign}|夏|秋|冬" for sign in "甲乙丙丁戊己庚辛壬癸"]
    write("tang_quatrains/quatrains.txt", "\n".join(poems) + "\n\n")
    corpus = load("tang_quatrains", folder=tmp_path, tokens="character")
    assert counts(corpus) == [8, 1, 1]
    assert sorted("".join(poem) for part in (corpus.train, corpus.validation, corpus.test) for poem in part) == sorted(poems)
    assert corpus.train[0][2:] == tuple("|夏|秋|冬")
    assert corpus.language is None
    assert load("tang_quatrains", folder=tmp_path, tokens="character", min_count=2).vocabulary.ordinary_words == tuple(
        "|冬夏春秋"
    )
    with pytest.raises(ValueError, match=r'tang_quatrains: has no pairs; load\("tang_quatrains"\)'):
        pairs("tang_quatrains")
    monkeypatch.delenv("VAE_COURSE_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"Expected a folder with tang_quatrains/quatrains\.txt.* of four verses"):
        load("tang_quatrains")


def test_a_missing_folder_or_file_is_named(folder, monkeypatch):
    monkeypatch.delenv("VAE_COURSE_DATA", raising=False)
    with pytest.raises(
        FileNotFoundError, match=r"ptb: .* Expected a folder with ptb/train.txt, .*VAE_COURSE_DATA\. It is the pre"
    ):
        load("ptb")
    (folder / "multi30k" / "val.fr").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*val\.fr\. Expected .*multi30k/test2016\.fr"):
        load("multi30k", folder=folder, language="fr")


def test_misaligned_files_are_named_with_the_line(folder, write):
    write("multi30k/val.de", "de number 0 .\n")
    with pytest.raises(ValueError, match=r"val\.de, line 2: is missing or blank, but has text in the other file"):
        pairs("multi30k", folder=folder)
    write("multi30k/val.de", "\nde number 0 .\n")
    with pytest.raises(ValueError, match=r"val\.de, line 1: is missing or blank"):
        pairs("multi30k", folder=folder)


def test_languages_and_folders_are_checked(folder):
    with pytest.raises(ValueError, match="multi30k: expected 1 of the languages en, de, fr, got zh"):
        load("multi30k", folder=folder, language="zh")
    with pytest.raises(ValueError, match="jupyterlab: expected 2 of the languages en, zh, fr, got en and en"):
        pairs("jupyterlab", languages=("en", "en"))
    with pytest.raises(ValueError, match="ptb: is there in one form only, so no language is to be given, but got en"):
        load("ptb", folder=folder, language="en")
    with pytest.raises(ValueError, match=r"folder: only ptb, multi30k, .* are read from a folder, got it with world"):
        load("world", folder=folder)
    with pytest.raises(ValueError, match="column: only a file of yours has columns to choose from, got it with world"):
        load("world", column="text")
    with pytest.raises(ValueError, match="columns: only a file of yours has columns to choose from, got them with world"):
        pairs("world", columns=(1, 2))
    with pytest.raises(ValueError, match='expected "auto", "word", "character" or "subword", got \'letter\''):
        load("world", tokens="letter")


# --- files of the reader's own --------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([f"text {i}" for i in range(60)]), min_size=1, max_size=120), st.randoms())
def test_splits_are_a_partition_that_depends_on_the_texts_alone(texts, random):
    different = len(set(texts))
    if different < 3:
        with pytest.raises(ValueError, match=f"has {different} different texts, expected at least 3"):
            corpora.split_by_key(texts, texts, "it")
        return
    splits = corpora.split_by_key(texts, texts, "it")
    assert sorted(text for split in SPLITS for text in splits[split]) == sorted(texts)
    for split in SPLITS:  # in the order of the file, and no text on two sides
        assert splits[split] == [text for text in texts if text in set(splits[split])]
    held_out = max(1, round(0.05 * different))
    assert [len(set(splits[split])) for split in SPLITS] == [different - 2 * held_out, held_out, held_out]
    shuffled = random.sample(texts, len(texts))
    assert {split: sorted(part) for split, part in corpora.split_by_key(shuffled, shuffled, "it").items()} == {
        split: sorted(part) for split, part in splits.items()
    }


def test_a_text_file(write):
    path = write("mine.txt", lines(100))
    corpus = load(path)
    assert counts(corpus) == [90, 5, 5]
    assert sorted(everything(corpus)) == sorted(tuple(line.split()) for line in lines(100).splitlines())
    assert corpus == load(str(path))  # the same split again
    smallest = sorted(lines(100).splitlines(), key=lambda line: hashlib.sha256(line.encode()).hexdigest())[:5]
    assert sorted(corpus.test) == sorted(map(Words().split, smallest))  # so on every machine
    assert corpus.train == sorted(corpus.train, key=lambda tokens: int(tokens[2]))
    assert corpus.train != [tuple(line.split()) for line in lines(90).splitlines()]  # not just the beginning
    assert (corpus.language, corpus.source, corpus.name) == (None, "a file of yours", str(path))
    assert 0 < corpus.vocabulary.share_unknown(corpus.test) == 1 / 4  # every number is new


def test_byte_order_mark_line_ends_and_white_space_leave_no_trace(write):
    plain = load(write("mine.txt", lines(40)))
    text = lines(40).replace(" ", " \u2003").replace("\n", " \r\n\r\n  ")
    windows = load(write("windows.txt", b"\xef\xbb\xbf" + text.encode()))
    assert windows.train == plain.train
    assert windows.vocabulary == plain.vocabulary
    assert load(write("old.txt", lines(40).replace("\n", "\r"))).train == plain.train


def test_what_needs_more_sentences_than_a_file_has_says_so_with_both_numbers(write):
    def written(count):
        return write("few.txt", "\n".join(f"a {'b ' * k}c" for k in range(count)))

    message = r"few\.txt: has 69 lines with text, which leave 3 for validation or test; expected at least 4 .* 70 different"
    with pytest.raises(ValueError, match=message):
        load(written(69), least=4)
    assert len(load(written(70), least=4).test) == 4


def test_pairs_are_counted_too(tmp_path):
    path = tmp_path / "few.tsv"
    path.write_text("".join(f"a {k}\tb {k}\n" for k in range(29)), encoding="utf-8")
    message = (
        r"few\.tsv: has 29 pairs, which leave 1 for validation or test; expected at least 2 for each, .* 30 different pairs"
    )
    assert len(pairs(path).test) == 1
    with pytest.raises(ValueError, match=message):
        pairs(path, least=2)
    path.write_text("".join(f"a {k}\tb {k}\n" for k in range(30)), encoding="utf-8")  # as the README says
    assert len(pairs(path, least=2).test) == 2


@pytest.mark.parametrize("kind", ["character", "subword"])
def test_other_tokens_of_a_file(write, kind):
    path = write("mine.txt", lines(40, "小猫"))
    corpus = load(path, tokens=kind, max_size=None if kind == "character" else 40)
    assert [corpus.tokenizer.join(tokens) for tokens in corpus.train] == [" ".join(tokens) for tokens in load(path).train]
    assert len(corpus.vocabulary) <= 40
    if kind == "character":
        assert corpus.tokenizer == Characters()
        assert corpus.train[0][:2] == ("小", "猫")
    else:
        assert " number" in corpus.vocabulary
        assert corpus.tokenizer.model.get_vocab_size() == 40 - 4 + 1  # the special ones, and the unknown one here
        assert corpus.vocabulary.share_unknown(corpus.train) == 0


def test_subwords_are_two_thousand_or_as_many_as_asked_for_but_no_fewer_than_characters(write):
    path = write("mine.txt", lines(40))
    assert len(load(path, tokens="subword").vocabulary) <= 2000
    characters = {" ", *"".join(" ".join(tokens) for tokens in load(path).train)}
    with pytest.raises(ValueError, match=f"max_size: expected at least {len(characters) + 4}, .* got 5"):
        load(path, tokens="subword", max_size=5)
    assert len(load(path, tokens="subword", max_size=len(characters) + 4).vocabulary) <= len(characters) + 4


UNSPACED = ["今天我去了书店，天气很好。", "昨天她在家里看书，下雨了。", "明天他们要去海边。", "早上我喝了一杯热茶。"]


@pytest.mark.parametrize(
    ("texts", "kind", "why"),
    [
        (UNSPACED, "character", "no spaces between words"),
        (["วันนี้อากาศดีมาก ฉันไปตลาด", "เมื่อวานฝนตกหนักมากที่บ้าน"], "character", "no spaces between words"),
        (["Anna", "Bertram", "Cosima", "Anna", "Dagobert", "Emil"], "character", "single words"),
        (["今天 我 去 了 书店", "昨天 她 在 家里"], "word", ""),
        (["a cat sleeps", "a dog runs"], "word", ""),
        (["yes", "no", "no", "yes", "yes", "no"], "word", ""),
        (["we like 东京 very much", "the word 猫 means cat"], "word", ""),
    ],
)
def test_how_a_text_is_cut_is_seen_from_it(texts, kind, why):
    found, told = corpora.token_kind(texts)
    assert found == kind
    assert why in told
    assert bool(told) == (kind == "character")


def test_a_text_without_spaces_is_cut_into_characters_and_says_so(write):
    places, weathers = ("家", "校园", "书店", "海边", "公园"), ("很好", "下雨", "晴朗", "多云")
    texts = [f"{day}我去了{place}，天气{weather}。" for day in ("今天", "昨天") for place in places for weather in weathers]
    corpus = load(write("zh.txt", "\n".join(texts)))
    assert corpus.tokenizer == Characters()
    assert corpus.source == "a file of yours; cut into characters, for it has no spaces between words"
    assert corpus.vocabulary.share_unknown(corpus.test) < 0.1
    with pytest.raises(ValueError, match=r'zh\.txt: 100% of the words of its test part are not known .* tokens="character"'):
        load(write("zh.txt", "\n".join(texts)), tokens="word")


def test_of_too_many_different_words_the_most_frequent_are_known_and_that_is_said(write, monkeypatch):
    monkeypatch.setattr(corpora, "MOST_TOKENS", 12)
    text = "".join(f"the cat number {k} sat on the mat beside the number {k % 7}\n" for k in range(60))
    corpus = load(write("mine.txt", text))
    assert len(corpus.vocabulary) == 12 + 4
    assert re.search(r"of \d\d different tokens the 12 most frequent are known", corpus.source)
    assert len(load(write("mine.txt", text), max_size=40).vocabulary) == 40


def test_a_name_that_no_file_can_have_is_no_file():
    with pytest.raises(ValueError, match="is neither a file here nor one of"):
        load("x" * 300 + ".txt")


def test_columns_are_chosen_and_said(write):
    rows = "".join(f"{k}\tsource {k}\t{k}\ttarget {k}\n" for k in range(40))
    found = pairs(write("mine.tsv", rows))
    assert found.source == "a file of yours; columns 2 and 4 of 4"
    assert found.train[0][0].startswith("source")
    assert pairs(write("mine.tsv", rows), columns=(4, 2)).train[0][0].startswith("target")
    assert load(write("mine.tsv", rows), column=4).train[0][0] == "target"


def test_csv_and_json_lines_say_the_same_as_text(write):
    texts = [f'He said, "{line}"' for line in lines(40).splitlines()]
    plain = load(write("mine.txt", "\n".join(texts)))
    rows = "".join('{},"{}"\n'.format(i, text.replace('"', '""')) for i, text in enumerate(texts))
    objects = "\n\n".join(json.dumps({"text": text, "id": 7}) for text in texts)
    assert load(write("mine.csv", "id,text\n" + rows)).train == plain.train
    assert load(write("mine.jsonl", objects)).train == plain.train


def test_pairs_of_a_file(write):
    couples = [(f"source, {i}", f"target {i}") for i in range(40)]
    from_tsv = pairs(write("mine.tsv", "".join(f"{a}\t{b}\r\n\r\n" for a, b in couples)))
    assert counts(from_tsv) == [36, 2, 2]
    assert sorted(everything(from_tsv)) == sorted(couples)
    csv = "target,source\n" + "".join(f'{b},"{a}"\n' for a, b in couples)
    assert pairs(write("mine.csv", csv)).train == from_tsv.train
    assert (
        pairs(write("mine.jsonl", "\n".join(json.dumps({"source": a, "target": b}) for a, b in couples))).train
        == from_tsv.train
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", r"a\.txt: is empty"),
        ("a.txt", b"\xef\xbb\xbf", r"a\.txt: is empty"),
        ("a.txt", " \n\r\n\t\n", r"a\.txt: has only blank lines"),
        (
            "a.txt",
            "a café\nthe café".encode() + "\n\nbar\xe9".encode("latin-1"),
            r"a\.txt, line 4: the byte 0xe9 does not belong",
        ),
        ("a.txt", b"\xef\xbb\xbfgood\n\xff", r"a\.txt, line 2: the byte 0xff"),
        ("a.txt", "the cat".encode("utf-16"), r"a\.txt, line 1: the byte 0xff .*save it as UTF-8"),
        ("a.txt", "the\ncat".encode("utf-16-le"), r"a\.txt, line 1: the byte 0x00"),
        ("a.txt", "one\ntwo\n", r"a\.txt: has 2 different texts, expected at least 3"),
        ("a.txt", "same same\n" * 20, r"a\.txt: has 1 different texts"),
        ("a.txt", "a\na a\na a a\na a a a", r"a\.txt: 'a' is the only token in train, so there is nothing to model"),
        ("a.txt", "<unk> <pad>\n<eos>\n<bos> <bos>\n<pad>", r"a\.txt: there is no word but the special ones"),
        (
            "a.txt",
            "one\n\n" + "w " * 501 + "\n" + "w " * 731 + "\n" + "w " * 500,
            r"a\.txt, line 3: has 501 words, .*\(2 are too long",
        ),
        ("a.tsv", "a\tb\n", r"a\.tsv, line 1: has 2 columns without names; .* choose with column="),
        ("a.csv", "who,sentence\nx,the cat\n", r"a\.csv, line 1: has 2 columns without names"),
        ("a.csv", "id,text\n1,fine\n2,the cat, the dog\n", r"a\.csv, line 3: has 3 columns, where line 1 has 2; .* quote text"),
        ("a.csv", "id,text\n1,fine\n2\n", r"a\.csv, line 3: has 1 columns, where line 1 has 2"),
        ("a.csv", 'id,text\n1,fine\n2,"never closed\n', r"a\.csv, line 3: is not CSV \(unexpected end of data\)"),
        ("a.csv", "text\n", r"a\.csv: has no text under text"),
        ("a.jsonl", '{"text": "fine"}\n\n{"text": \n', r"a\.jsonl, line 3: is not JSON \(Expecting value at character"),
        (
            "a.jsonl",
            '{"text": "fine"}\n{"sentence": "the cat"}',
            r"a\.jsonl, line 2: expected an object with text under 'text'",
        ),
        ("a.jsonl", '{"text": 7}', r"a\.jsonl, line 1: expected an object with text"),
    ],
)
def test_bad_sentences_are_named_with_path_and_line(write, name, content, message):
    with pytest.raises(ValueError, match=message):
        load(write(name, content))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "a\tb\n\nno tab\n", r"a\.tsv, line 3: has 1 columns, where line 1 has 2; expected A cat sleeps\., a tab, Un"),
        ("a.tsv", "a\tb\na\tb\tc\n", r"a\.tsv, line 2: has 3 columns, where line 1 has 2"),
        ("a.tsv", "a\tb\na\t \n", r"a\.tsv, line 2: target is blank; every pair needs both"),
        ("a.tsv", "a\tb\n" + "w " * 501 + "\tb\n", r"a\.tsv, line 2: has 501 words"),
        ("a.csv", "source,target\na,b\n,b\n", r"a\.csv, line 3: source is blank"),
        ("a.jsonl", '{"source": "a"}', r"a\.jsonl, line 1: expected an object with text under 'source' and 'target'"),
        ("a.txt", "a b\n", r"a\.txt, line 1: has no second column"),
    ],
)
def test_bad_pairs_are_named_with_path_and_line(write, name, content, message):
    with pytest.raises(ValueError, match=message):
        pairs(write(name, content))


def test_characters_are_what_counts_in_a_text_of_characters(write):
    text = lines(20) + "x" * 501 + "\n"
    assert load(write("mine.txt", text)).tokenizer == Words()
    with pytest.raises(ValueError, match=r"mine\.txt, line 21: has 501 characters, expected at most 500"):
        load(write("mine.txt", text), tokens="character")


@pytest.mark.parametrize("read", [load, pairs])
def test_an_unknown_name_lists_the_known_ones(read, tmp_path):
    for name in ("wordl", tmp_path / "nothing.txt", tmp_path):
        with pytest.raises(
            ValueError, match="is neither a file here nor one of world, docstrings, jupyterlab, codespell, ptb, mul"
        ):
            read(name)


# --- Hugging Face ---------------------------------------------------------------------------------------------------


class Rows:
    """What of a datasets.Dataset is used."""

    def __init__(self, column, texts):
        self.column_names, self.texts = ["id", column], texts

    def __getitem__(self, column):
        assert column == self.column_names[1]
        return self.texts


@pytest.fixture
def hub(monkeypatch):
    """A stand-in for the package datasets, with two data sets."""
    sentences = [*lines(40).splitlines(), " \n"]
    stored = {
        "owner/split": {split: Rows("text", [f"{split}  one", f"{split} two"]) for split in SPLITS},
        "owner/whole": {"train": Rows("text", sentences), "test": Rows("text", ["left out"])},
        "owner/tables": {"train": Rows("table", [])},
        "owner/tests": {"test": Rows("text", ["a"])},
        "owner/long": {"train": Rows("text", ["fine", "w " * 501])},
    }
    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=stored.__getitem__))


def test_hugging_face(hub, write):
    corpus = load("hf:owner/split")
    assert corpus.validation == [("validation", "one"), ("validation", "two")]
    assert corpus.source == "a data set of Hugging Face"
    assert load("hf:owner/whole").train == load(write("mine.txt", lines(40))).train


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:owner/tables", "hf:owner/tables, train: expected a column 'text', got id, table"),
        ("hf:owner/tests", "hf:owner/tests: expected a split train, got test"),
        ("hf:owner/long", "hf:owner/long, train, row 1: has 501 words"),
        ("hf:owner", "expected \"hf:owner/name\", got 'hf:owner'"),
    ],
)
def test_a_data_set_that_cannot_be_used_is_named(hub, name, message):
    with pytest.raises(ValueError, match=message):
        load(name)
    with pytest.raises(ValueError, match="only load takes a Hugging Face name"):
        pairs(name)


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install -c constraints\.txt -e "\.\[corpora\]"'):
        load("hf:owner/name")


# --- captions ---------------------------------------------------------------------------------------------------------


def test_captions_come_five_a_picture(captions_folder, pictures):
    found = corpora.captions(captions_folder)
    assert list(found) == ["train", "validation", "test"]
    assert found["test"] == [[tuple(caption.split()) for caption in five] for five in pictures]


def test_captions_that_are_not_aligned_name_the_first_bad_line(captions_folder):
    short = captions_folder / "flickr_captions" / "test.3.en"
    short.write_text("a red dog runs\n\nan old man sleeps\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"test\.3\.en, line 2: is missing or blank"):
        corpora.captions(captions_folder)
    short.unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*test\.3\.en"):
        corpora.captions(captions_folder)
