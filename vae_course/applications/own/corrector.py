"""What was probably meant by what was written: a search with a language model as the prior and a channel of errors.

The noisy channel of lesson 15 (Kernighan, Church & Gale 1990; Brill & Moore 2000), which also takes words for one another that
are both words, and puts in or takes out little ones.
"""

import heapq
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from vae_course.applications import spelling
from vae_course.applications.own import errors
from vae_course.applications.own.errors import CONFUSED, PLAIN, Reading
from vae_course.applications.own.folder import Kept
from vae_course.text.models import LanguageModel, Step, TextSizes
from vae_course.text.vocabulary import BOS, EOS, Vocabulary
from vae_course.training import device_of, seeded_module
from vae_course.world.grammar import Tokens

CANDIDATES = 12  # of a non-word
WIDTH, PUT_IN = 8, 3  # beginnings that are kept; of them with a word put in at one place


@dataclass(frozen=True)
class Channel:
    """How easily errors are believed in, all in nats: what leaving a non-word costs, and what each other change costs.

    ``inf``: such a change is never made.
    """

    leave: float
    take_for: float = math.inf
    put_in: float = math.inf
    take_out: float = math.inf
    said_twice: float = math.inf  # what taking out a word costs that was said twice


NEVER = Channel(leave=0.0)


@dataclass(frozen=True)
class Words:
    """What is known of words: the ``vocabulary`` of the language model, all that are ``right``, and the ``little`` ones.

    ``edits``: how people misspell, counted.
    """

    vocabulary: Vocabulary
    right: frozenset[str]
    little: tuple[str, ...]
    edits: spelling.EditChannel

    @property
    def plain(self) -> list[str]:
        """The vocabulary's words of letters alone."""
        return [word for word in self.vocabulary.ordinary_words if PLAIN.fullmatch(word)]

    def to_json(self) -> str:
        """All of it, as it is kept in a file."""
        kept = {
            "words": self.vocabulary.words,
            "right": sorted(self.right),
            "little": self.little,
            "edits": [[*edit, count] for edit, count in sorted(self.edits.exact.items())],
            "pairs": self.edits.pairs,
        }
        return json.dumps(kept, ensure_ascii=False)

    @classmethod
    def from_json(cls, content: str) -> "Words":
        """The same again. Raises ``ValueError`` or ``KeyError`` for what ``to_json`` did not make."""
        kept = json.loads(content)
        exact = Counter({(before, meant, written): count for before, meant, written, count in kept["edits"]})
        plain: Counter[spelling.WordPair] = Counter()
        for (_, meant, written), count in exact.items():
            plain[meant, written] += count
        edits = spelling.EditChannel(exact, plain, kept["pairs"])
        return cls(Vocabulary(tuple(kept["words"])), frozenset(kept["right"]), tuple(kept["little"]), edits)

    def neighbours(self) -> dict[str, tuple[str, ...]]:
        """For each word of the vocabulary those that are easily written for it: of one sound, or one edit away."""
        words = self.plain
        # Two words that are one edit apart have a form in common: what is left of each when a letter goes, or when none does.
        shorter: defaultdict[str, list[str]] = defaultdict(list)
        for word in words:
            if len(word) > 2:
                for form in {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}:
                    shorter[form].append(word)
        found: dict[str, set[str]] = {word: {o for o in CONFUSED.get(word, ()) if o in self.vocabulary} for word in words}
        for group in shorter.values():
            for word in group:
                found[word] |= {other for other in group if other != word and len(spelling.edits(other, word)) == 1}
        return {word: tuple(sorted(others)) for word, others in found.items() if others}


# --- the search ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _States:
    """The decoder after some beginnings, a row each: its state, and log p(next word), (rows, vocabulary) on the CPU."""

    state: Step
    log_p: Tensor

    @classmethod
    def after(cls, model: LanguageModel, state: Step, words: Sequence[int]) -> "_States":
        """One word on."""
        logits, state = model.decoder.step(torch.tensor(words, device=device_of(model)), state)
        return cls(state, logits.float().log_softmax(-1).cpu())

    def rows(self, chosen: Sequence[int]) -> "_States":
        """Those of the beginnings ``chosen``."""
        rows = torch.tensor(chosen, dtype=torch.long)
        return _States(self.state.rows(rows.to(self.state.memory[0].device)), self.log_p[rows])

    def joined(self, other: "_States") -> "_States":
        """Their rows, then those of ``other``."""
        memory = tuple(torch.cat(parts) for parts in zip(self.state.memory, other.state.memory, strict=True))
        return _States(Step(None, memory), torch.cat([self.log_p, other.log_p]))


@dataclass(frozen=True)
class _Beginning:
    """What may have been meant so far, its log-weight, and the row of the decoder's states that it has led to.

    ``unread``: the last word of it, where the decoder has not read that yet.
    """

    log_weight: float
    meant: tuple[Reading, ...]
    row: int
    unread: str = ""


def _likeliest(beginnings: Iterable[_Beginning], count: int) -> list[_Beginning]:
    return heapq.nlargest(count, beginnings, key=lambda one: one.log_weight)


@dataclass
class Corrector:
    """A trained language model with what is known of words, and a channel."""

    model: LanguageModel
    words: Words
    channel: Channel = NEVER

    def __post_init__(self) -> None:
        self.others = self.words.neighbours()
        # Remembers the candidates of non-words, with the log-scores of their edits.
        self._misspelled = spelling.SpellingChannel(self.words.plain, self.words.edits, stay=0.0, count=CANDIDATES)
        self._little = [self._number(word) for word in self.words.little]

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Each text as it was probably meant."""
        lines = [errors.cut(text) for text in texts]
        meant = self._read([line.words for line in lines])
        return [errors.pasted(line, readings) for line, readings in zip(lines, meant, strict=True)]

    def marked(self, texts: Sequence[str]) -> list[str]:
        """Each text as it was written, with the changes marked, see ``errors.marked``."""
        lines = [errors.cut(text) for text in texts]
        meant = self._read([line.words for line in lines])
        return [errors.marked(line, readings) for line, readings in zip(lines, meant, strict=True)]

    def corrected(self, sentences: Sequence[Tokens]) -> list[Tokens]:
        """The same for texts that are cut already."""
        return [tuple(word for _, word in readings) for readings in self._read(sentences)]

    def most_similar(self, sentences: Sequence[Tokens]) -> list[Tokens]:
        """Each non-word replaced by the known word that is most like it: a spelling checker without context."""
        self._look_up(sentences)
        return self._misspelled.most_similar(sentences)

    def _read(self, sentences: Sequence[Tokens], batch_size: int = 32) -> list[tuple[Reading, ...]]:
        """The likeliest reading of each that the search finds, those of about equal length at once."""
        self._look_up(sentences)
        found: list[tuple[Reading, ...]] = [()] * len(sentences)
        order = sorted((row for row, words in enumerate(sentences) if words), key=lambda row: len(sentences[row]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            for row, meant in zip(rows, self._search([sentences[row] for row in rows]), strict=True):
                found[row] = meant
        return found

    @torch.no_grad()
    def _search(self, sentences: Sequence[Tokens]) -> list[tuple[Reading, ...]]:
        """Beginnings that stand for one written word more each time; in the end the likeliest of each sentence."""
        done: list[tuple[Reading, ...]] = [()] * len(sentences)
        start = self.model.decoder.start(None, len(sentences))
        states = _States.after(self.model, start, [BOS] * len(sentences))
        kept = {row: [_Beginning(0.0, (), row)] for row in range(len(sentences))}
        place = 0
        while kept:
            for row in [row for row in kept if place == len(sentences[row])]:
                ended = {one.log_weight + float(states.log_p[one.row, EOS]): one for one in kept.pop(row)}
                done[row] = ended[max(ended)].meant
            states, tried = self._with_a_word_put_in(states, kept)
            longer = {row: self._longer(tried[row], sentences[row], place, states.log_p) for row in kept}
            states, kept = self._moved_on(states, {row: _likeliest(found, WIDTH) for row, found in longer.items()})
            place += 1
        return done

    def _with_a_word_put_in(
        self, states: _States, kept: Mapping[int, list[_Beginning]]
    ) -> tuple[_States, Mapping[int, list[_Beginning]]]:
        """The beginnings, and beside them the likeliest of those that go on with a little word which nobody wrote."""
        if self.channel.put_in == math.inf or not kept:
            return states, kept
        tried = {}
        for row, beginnings in kept.items():
            tries = []
            for one in beginnings:
                for word, log_p in zip(self.words.little, states.log_p[one.row, self._little].tolist(), strict=True):
                    log_weight = one.log_weight - self.channel.put_in + log_p
                    tries.append(_Beginning(log_weight, (*one.meant, Reading(None, word)), one.row, unread=word))
            tried[row] = [*beginnings, *_likeliest(tries, PUT_IN)]
        return self._moved_on(states, tried)

    def _longer(self, beginnings: Sequence[_Beginning], sentence: Tokens, place: int, log_p: Tensor) -> Iterator[_Beginning]:
        """Each beginning with each reading of the next written word."""
        readings = self._readings(sentence, place)
        numbers = [self._number(word) for word in readings]
        for one in beginnings:
            prior = log_p[one.row, numbers].tolist()
            for (word, log_weight), log_prior in zip(readings.items(), prior, strict=True):
                if word:
                    meant = (*one.meant, Reading(place, word))
                    yield _Beginning(one.log_weight + log_weight + log_prior, meant, one.row, unread=word)
                else:
                    yield replace(one, log_weight=one.log_weight + log_weight)

    def _moved_on(
        self, states: _States, beginnings: Mapping[int, list[_Beginning]]
    ) -> tuple[_States, dict[int, list[_Beginning]]]:
        """The states after all beginnings: the decoder reads what it has not read yet."""
        flat = [one for found in beginnings.values() for one in found]
        if not flat:
            return states, {}
        order = sorted(range(len(flat)), key=lambda k: bool(flat[k].unread))  # first those that need no step
        still = [flat[k].row for k in order if not flat[k].unread]
        moved = [flat[k] for k in order if flat[k].unread]
        after = states.rows(still)
        if moved:
            before = states.rows([one.row for one in moved]).state
            after = after.joined(_States.after(self.model, before, [self._number(one.unread) for one in moved]))
        place = {k: number for number, k in enumerate(order)}
        numbers = iter(range(len(flat)))
        return after, {
            row: [replace(one, row=place[next(numbers)], unread="") for one in found] for row, found in beginnings.items()
        }

    # --- what a written word may stand for

    def _readings(self, sentence: Tokens, place: int) -> dict[str, float]:
        """What a written word may stand for, "" for nothing, with the log-weight of the channel."""
        word = sentence[place]
        if self._is_no_word(word):
            return {word: -self.channel.leave, **self._misspelled.memory[word]}
        found = {word: 0.0}
        for other in self.others.get(word, ()):
            found[other] = -self.channel.take_for - math.log(len(self.others[other]))
        near = sentence[max(0, place - 1) : place + 2]
        # Beside a word that the model has never seen it cannot tell whether a little word belongs there.
        if word in self.words.little and all(one in self.words.vocabulary for one in near):
            found[""] = -self.channel.take_out
        if place and word == sentence[place - 1]:
            found[""] = max(-self.channel.said_twice, found.get("", -math.inf))
        return {reading: log for reading, log in found.items() if log > -math.inf}

    def _look_up(self, sentences: Sequence[Tokens]) -> None:
        """Find the candidates of all non-words at once."""
        self._misspelled.learn([tuple(filter(self._is_no_word, sentence)) for sentence in sentences])

    def _is_no_word(self, word: str) -> bool:
        return bool(PLAIN.fullmatch(word)) and word not in self.words.right

    def _number(self, word: str) -> int:
        return self.words.vocabulary.encode((word,))[1]

    def kept(self) -> tuple[Mapping[str, Tensor], Mapping[str, str], Mapping[str, Any]]:
        """See ``task.Application``."""
        settings = {"sizes": asdict(self.model.sizes), "channel": asdict(self.channel)}
        return self.model.state_dict(), {"words.json": self.words.to_json()}, settings

    @classmethod
    def of(cls, kept: Kept, device: torch.device | None = None) -> "Corrector":
        """The same again."""
        words = Words.from_json(kept.files["words.json"])
        sizes = TextSizes(**{**kept.settings["sizes"], "cutoffs": tuple(kept.settings["sizes"]["cutoffs"])})
        model = seeded_module(0, lambda: LanguageModel(len(words.vocabulary), sizes))
        model.load_state_dict(kept.weights)
        return cls(model.to(device).eval(), words, Channel(**kept.settings["channel"]))
