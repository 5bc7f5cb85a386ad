"""The world: who did what to which thing, where, when and in what mood, told in English, Chinese and French, and as a story.

Seven factors depend on one another (nobody repairs a hat, the school is closed in the evening). Each language adds free
choices of wording. A sentence determines its facts, so all entropies are exact:
H(sentence) = H(facts) + H(wording given facts).
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Generator

from vae_course.whole_files import make_folder, write_whole
from vae_course.world.grammar import By, Choice, Factor, FactPrior, Language, Node, Sequence, Text, Tokens

# --- the facts ------------------------------------------------------------------------------------------------------

PEOPLE = ("baker", "doctor", "farmer", "sailor", "teacher", "painter", "girl", "grandmother")
MOODS = ("happy", "sad", "tired", "proud")
ACTIONS = ("bought", "sold", "lost", "found", "repaired", "borrowed")
THINGS = ("boat", "bicycle", "lamp", "clock", "kite", "chair", "hat", "basket")
COLOURS = ("red", "blue", "green", "white", "yellow", "black")
PLACES = ("harbour", "market", "school", "station", "park", "library")
TIMES = ("morning", "noon", "evening", "night")


def _weights(parent: tuple[str, ...], rows: str) -> dict[str, tuple[float, ...]]:
    """A table of weights: a row of digits for each value of the parent, a digit for each value of the child."""
    return {value: tuple(float(digit) for digit in row) for value, row in zip(parent, rows.split(), strict=True)}


# Each row belongs to one value of the parent, each digit to one value of the child; 0 says that it never happens.
FACTS = FactPrior(
    (
        Factor("person", PEOPLE, _weights(("",), "45364576")),
        Factor("action", ACTIONS, _weights(PEOPLE, "843202 514035 391143 342272 326317 580522 327318 624144"), "person"),
        Factor("mood", MOODS, _weights(ACTIONS, "8234 3624 0931 9225 2278 5632"), "action"),
        Factor("thing", THINGS, _weights(ACTIONS, "25384675 83625241 01247182 22264728 79674200 18426152"), "action"),
        Factor("colour", COLOURS, _weights(THINGS, "584803 917265 216820 423516 872361 325448 604258 128362"), "thing"),
        Factor("place", PLACES, _weights(PEOPLE, "282341 226428 582140 830601 028324 624153 316382 151447"), "person"),
        Factor("time", TIMES, _weights(PLACES, "7242 8420 5700 4364 2663 3740"), "place"),
    )
)

# --- writing grammars briefly ----------------------------------------------------------------------------------------


def _text(words: str) -> Text:
    return Text(tuple(words.split()))


def _node(part: "Node | str") -> Node:
    """A string becomes fixed words; "boat|ship" a choice in which the first wording is six times as likely as any other."""
    if isinstance(part, Node):
        return part
    if "|" not in part:
        return _text(part)
    first, *others = part.split("|")
    total = 6 + len(others)
    return Choice(tuple(_text(option) for option in (first, *others)), (6 / total, *[1 / total] * len(others)))


def _line(*parts: "Node | str") -> Sequence:
    return Sequence(tuple(_node(part) for part in parts))


def _by(factor: str, *branches: "Node | str") -> By:
    """A branch for each value of the factor, in the factor's order."""
    values = FACTS[factor].values
    return By(factor, {value: _node(branch) for value, branch in zip(values, branches, strict=True)})


def _either(probability: float, one: Node, other: Node) -> Choice:
    return Choice((one, other), (probability, 1 - probability))


def _agreeing(factor: str, with_factor: str, groups: Mapping[str, int], *forms: str) -> By:
    """Words for ``factor`` that agree with another: "heureux/heureuse" has a form for each group of its values."""
    branches = {value: _by(factor, *(_inflected(form, groups[value]) for form in forms)) for value in FACTS[with_factor].values}
    return By(with_factor, branches)


def _inflected(form: str, group: int) -> str:
    """The wordings of ``form``, each in the inflection of ``group``: "a/b|c" is "a|c" in group 0, "b|c" in group 1."""
    return "|".join(options[min(group, len(options) - 1)] for options in (word.split("/") for word in form.split("|")))


# --- English --------------------------------------------------------------------------------------------------------


def _english() -> Node:
    person = _by("person", "baker", "doctor|physician", "farmer", "sailor|seaman", "teacher|schoolmistress", "painter|artist",
                 "girl", "grandmother|granny")  # fmt: skip
    mood = _by("mood", "happy|cheerful", "sad|gloomy", "tired|weary", "proud|satisfied")
    action = _by("action", "bought|purchased", "sold", "lost|mislaid", "found|discovered", "repaired|mended", "borrowed")
    thing = _by("thing", "boat|dinghy", "bicycle|bike", "lamp|lantern", "clock|timepiece", "kite", "chair|stool", "hat|cap",
                "basket|hamper")  # fmt: skip
    colour = _by("colour", "red|scarlet", "blue|azure", "green|emerald", "white", "yellow|golden", "black|dark")
    place = _by("place", "at the harbour|near the ships", "at the market|between the stalls", "at school|outside the classroom",
                "at the station|by the trains", "in the park|under some trees", "in the library|among old books")  # fmt: skip
    time = _by(
        "time", "this morning|at sunrise", "at noon|after lunch", "this evening|before dinner", "last night|towards midnight"
    )
    subject = _either(0.85, _line("the", mood, person), _line("the", person, "was", mood, "and"))
    what = _either(0.85, _line("a", colour, thing), _line("a", thing, "that was", colour))
    last, first = _line(subject, action, what, place, time), _line(time, subject, action, what, place)
    return _either(0.75, last, first)


# --- Chinese: words separated here, joined for reading ----------------------------------------------------------------


def _chinese() -> Node:
    person = _by("person", "面包师", "医生", "农民", "水手", "老师", "画家", "女孩", "奶奶")
    mood = _by("mood", "高兴|开心", "难过|伤心", "疲惫", "自豪|骄傲")
    action = _by("action", "买 了", "卖 了", "弄丢 了|丢失 了", "找到 了|发现 了", "修好 了", "借 了")
    counted = _by("thing", "一 艘", "一 辆", "一 盏", "一 座|一 个", "一 只", "一 把", "一 顶", "一 个|一 只")
    thing = _by("thing", "船", "自行车|单车", "灯", "钟", "风筝", "椅子", "帽子", "篮子")
    colour = _by("colour", "红色 的", "蓝色 的", "绿色 的", "白色 的", "黄色 的", "黑色 的")
    place = _by("place", "在 港口", "在 市场", "在 学校", "在 车站", "在 公园", "在 图书馆")
    time = _by("time", "今天 早上|今天 一早", "中午", "今天 晚上|天黑 后", "昨天 夜里")
    subject = _either(0.6, _line(mood, "的", person), _line(person, "很", mood, "，"))
    what = _line(counted, colour, thing)
    first, second = _line(time, "，", subject, place, action, what, "。"), _line(subject, time, place, action, what, "。")
    return _either(0.65, first, second)


# --- French: adjectives and articles agree --------------------------------------------------------------------------

_FEMININE = {"teacher": 1, "painter": 1, "girl": 1, "grandmother": 1, "lamp": 1, "clock": 1, "chair": 1}
_PERSON_GENDER = {value: _FEMININE.get(value, 0) for value in PEOPLE}
_THING_GENDER = {value: _FEMININE.get(value, 0) for value in THINGS}


def _french() -> Node:
    person = _by(
        "person",
        "le boulanger",
        "le médecin",
        "le fermier",
        "le marin",
        "l' institutrice",
        "la peintre",
        "la fillette",
        "la grand-mère",
    )
    mood = _agreeing(
        "mood", "person", _PERSON_GENDER, "heureux/heureuse|content/contente", "triste", "fatigué/fatiguée", "fier/fière"
    )
    action = _by("action", "a acheté", "a vendu", "a perdu|a égaré", "a trouvé|a découvert", "a réparé", "a emprunté")
    thing = _by(
        "thing",
        "un bateau",
        "un vélo",
        "une lampe",
        "une horloge|une pendule",
        "un cerf-volant",
        "une chaise",
        "un chapeau",
        "un panier",
    )
    colour = _agreeing(
        "colour", "thing", _THING_GENDER, "rouge", "bleu/bleue", "vert/verte", "blanc/blanche", "jaune", "noir/noire"
    )
    place = _by(
        "place", "au port|sur le quai", "au marché", "à l' école", "à la gare", "dans le parc|au parc", "à la bibliothèque"
    )
    time = _by("time", "ce matin|tôt ce matin", "à midi|vers midi", "ce soir|en soirée", "cette nuit")
    subject = _either(0.6, _line(person, mood), _line(mood, ",", person))
    what = _line(thing, colour)
    last, first = _line(subject, action, what, place, time, "."), _line(time, ",", subject, action, what, place, ".")
    return _either(0.55, last, first)


# --- a story: the same facts, one or two to a sentence ----------------------------------------------------------------


def _story() -> Node:
    person = _by("person", "baker", "doctor", "farmer", "sailor", "teacher", "painter", "girl", "grandmother")
    thing = _by("thing", "boat", "bicycle|bike", "lamp|lantern", "clock", "kite", "chair", "hat|cap", "basket")
    colour = _by("colour", "red", "blue", "green", "white", "yellow", "black")
    mood = _by("mood", "happy|cheerful", "sad|gloomy", "tired|weary", "proud")
    where = _by("place", "the harbour was full of ships", "the market was crowded",
                "the school was quiet|nobody else was at the school",
                "a train had just left the station", "birds sang in the park", "the library smelled of old books")  # fmt: skip
    when = _by(
        "time",
        "the sun had just come up|the day was still young",
        "it was the middle of the day",
        "the sun was going down",
        "it was dark and late|the stars were out",
    )
    did = _by("action", "bought|paid good money for", "sold|found a buyer for", "lost|could not find", "found|came upon",
              "repaired|worked for hours to mend", "borrowed|asked a friend for")  # fmt: skip
    scene = _either(0.5, _line(when, ".", where, "."), _line(where, ".", when, "."))
    who = _either(0.6, _line("there was a", person, "."), _line("a", person, "was there ."))
    deed = _line("the", person, did, "a", thing, ".")
    look = _either(0.6, _line("the", thing, "was", colour, "."), _line("its colour was", colour, "."))
    feeling = _either(0.6, _line("the", person, "felt", mood, "."), _line(mood, "was how the", person, "felt ."))
    return _either(0.7, _line(scene, who, deed, look, feeling), _line(who, scene, deed, look, feeling))


# --- the world and its splits -----------------------------------------------------------------------------------------

SPLIT_SIZES = {"train": 100_000, "validation": 2_000, "test": 4_000}
LANGUAGE_NAMES = ("english", "chinese", "french", "story")
SEED = 1_000


@dataclass(frozen=True)
class World:
    """The facts and the four ways to tell them; ``english`` is the one-sentence summary of ``story``."""

    facts: FactPrior
    english: Language
    chinese: Language
    french: Language
    story: Language

    def __getitem__(self, name: str) -> Language:
        if name not in LANGUAGE_NAMES:
            raise KeyError(f"no language {name!r}; the world is told in {', '.join(LANGUAGE_NAMES)}")
        language: Language = getattr(self, name)
        return language


WORLD = World(
    FACTS,
    Language("english", FACTS, _english()),
    Language("chinese", FACTS, _chinese(), separator=""),
    Language("french", FACTS, _french()),
    Language("story", FACTS, _story()),
)


@cache
def split_facts() -> Mapping[str, NDArray[np.int64]]:
    """The facts of the course's train, validation and test sets, always the same: (sentences, factors), indices of values."""
    return {name: FACTS.sample(size, Generator().manual_seed(SEED + k)) for k, (name, size) in enumerate(SPLIT_SIZES.items())}


@cache
def splits(language: str) -> Mapping[str, list[Tokens]]:
    """One sentence for each row of ``split_facts``, so that the languages are parallel.

    The sets are drawn independently, as the entropy assumes, so that some test sentences are also in train.
    """
    seed = SEED * (2 + LANGUAGE_NAMES.index(WORLD[language].name))
    return {
        name: WORLD[language].write(facts, Generator().manual_seed(seed + k))
        for k, (name, facts) in enumerate(split_facts().items())
    }


def checksum(sentences: list[Tokens]) -> str:
    """SHA-256 of the sentences, one a line, words separated by a space, in UTF-8."""
    return hashlib.sha256(_lines(sentences).encode()).hexdigest()


def _lines(sentences: list[Tokens]) -> str:
    return "".join(" ".join(tokens) + "\n" for tokens in sentences)


# --- what is stored of it ---------------------------------------------------------------------------------------------


def describe() -> dict[str, object]:
    """The world's numbers: how many worlds and sentences, exact entropies in nats, overlap with train, checksums."""
    rows = {split: [tuple(row) for row in facts.tolist()] for split, facts in split_facts().items()}
    facts = {"worlds": len(FACTS.worlds), "entropy": round(FACTS.entropy, 9), "also_in_train": _also_in_train(rows)}
    return {"command": "vae-course corpus", "facts": facts, **{name: _describe(WORLD[name]) for name in LANGUAGE_NAMES}}


def _describe(language: Language) -> dict[str, object]:
    sets = splits(language.name)
    return {
        "words": len(language.grammar.words()),
        "sentences": language.sentence_count,
        "wording_entropy": round(language.wording_entropy, 9),
        "sentence_entropy": round(language.entropy, 9),
        "also_in_train": _also_in_train(sets),
        "splits": {split: {"count": len(sentences), "sha256": checksum(sentences)} for split, sentences in sets.items()},
    }


def _also_in_train(sets: Mapping[str, Collection[object]]) -> dict[str, float]:
    """The share of validation and of test that occurs in train too."""
    train = set(sets["train"])
    return {split: sum(item in train for item in sets[split]) / len(sets[split]) for split in ("validation", "test")}


def write_data(folder: Path) -> list[Path]:
    """Write English validation and test, a sentence a line, and ``checksums.json``, which is ``describe``; return the paths.

    Raises ``OSError``, with the path, for a file that cannot be written; it stays as it was.
    """
    make_folder(folder)
    texts = {f"{split}.txt": _lines(splits("english")[split]) for split in ("validation", "test")}
    texts["checksums.json"] = json.dumps(describe(), indent=1) + "\n"
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]
