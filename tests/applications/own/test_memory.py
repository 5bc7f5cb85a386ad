"""A translation memory: what is looked up, from which likeness on, kept and read again."""

import pytest

from vae_course.applications.own.memory import SHARES, Memory
from vae_course.applications.own.translate import chrf

SOURCES = ["open the file", "close the file now", "print"]
TARGETS = ["ouvrir le fichier", "fermer le fichier maintenant", "imprimer"]


def memory(share, by_characters=False):
    return Memory(SOURCES, TARGETS, by_characters, share)


def test_what_is_alike_enough_is_found():
    asked = ["open  the file", "open the door", "close the file", "draw"]
    # Shares of words in common: 1, 2 of 4, 3 of 4, none.
    assert memory(1.0).found(asked) == [TARGETS[0], None, None, None]
    assert memory(0.75).found(asked) == [TARGETS[0], None, TARGETS[1], None]
    assert memory(0.5).found(asked) == [TARGETS[0], TARGETS[0], TARGETS[1], None]
    assert memory(2.0).found(asked) == [None] * 4
    assert memory(0.5).found([]) == []


def test_texts_without_spaces_are_compared_by_characters():
    chinese = Memory(["打开文件", "关闭文件"], ["open", "close"], True, 0.6)
    assert chinese.found(["打开文件夹", "删除"]) == ["open", None]


def test_the_share_is_the_one_that_judges_best_and_none_where_nothing_helps():
    asked, meant = ["open the file", "open the door", "print"], [TARGETS[0], "ouvrir la porte", TARGETS[2]]
    wrong_words = ["xx", "ouvrir la porte", "yy"]
    chosen = memory(2.0).chosen(asked, wrong_words, lambda found: chrf(found, meant))
    assert chosen.share == max(share for share in SHARES if share > 0.5)  # the largest of the equally good ones
    assert chosen.found(asked) == [TARGETS[0], None, TARGETS[2]]
    assert memory(0.5).chosen(asked, meant, lambda found: chrf(found, meant)).share > 1


def test_it_is_kept_without_pairs_where_none_is_looked_up():
    for share in (0.6, 1.0):
        assert Memory.from_json(memory(share).to_json()) == memory(share)
    nothing = memory(2.0).to_json()
    assert "fichier" not in nothing
    assert Memory.from_json(nothing).found(["print"]) == [None]
    with pytest.raises(KeyError):
        Memory.from_json("{}")
