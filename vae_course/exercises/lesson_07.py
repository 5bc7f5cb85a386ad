"""Exercises of lesson 07: batches, the cost of a sentence, z beside words, the loss, writing, costs over z, useful draws."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, distributions
from torch.nn import functional

from vae_course.exercises.attempts import Arguments, Attempt, NotComparableError, Observation
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction
from vae_course.text.vocabulary import BOS, EOS, PAD


def _drawn_tokens(generator: Generator, batch: int, time: int, vocabulary: int) -> Tensor:
    """Sentences in no order of their lengths, of no word at least: <bos>, words (<unk> among them), <eos>, pads."""
    ends, places = whole(generator, batch, 1, low=1, high=time - 1), torch.arange(time)
    tokens = whole(generator, batch, time, low=3, high=vocabulary - 1)
    tokens[:, 0] = BOS
    tokens = torch.where(places == ends, EOS, tokens)
    return torch.where(places > ends, PAD, tokens)


def _predicted(tokens: Tensor) -> Tensor:
    """(batch,): how many tokens of each sentence a model predicts."""
    return (tokens[:, 1:] != PAD).sum(1)


def _without_eos(tokens: Tensor) -> Tensor:
    return tokens.masked_fill(tokens == EOS, PAD)


# --- results that are numbers of words ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class WordsExercise(Exercise):
    """An exercise whose result is the numbers of words, (batch, time): whole ones, with which nothing is to be computed."""

    general: ClassVar = ()

    def run(self, answer: Callable[..., Any], arguments: Arguments) -> Any:  # noqa: ANN401 - whatever an answer returns
        """Use it, and look whether what it returns may be put into an embedding."""
        result = answer(*arguments)
        if isinstance(result, list):
            told = "your function returned a list, expected a torch tensor"
            raise NotComparableError(
                f"{told}: torch.tensor(...) makes one of lists of numbers, torch.stack of rows that are tensors"
            )
        if isinstance(result, Tensor) and result.dtype != torch.int64:
            told = f"your function returned {result.dtype}, but numbers of words are whole ones, torch.int64"
            how = "torch.full((rows, columns), 0) is of that kind; torch.zeros and torch.ones need dtype=torch.int64"
            raise NotComparableError(f"{told}: {how}")
        return result


# --- a batch ----------------------------------------------------------------------------------------------------------


def to_batch(sentences: Sequence[Sequence[int]]) -> Tensor:
    longest = max(len(sentence) for sentence in sentences)
    batch = torch.full((len(sentences), longest + 2), 0)
    for row, sentence in enumerate(sentences):
        numbers = [1, *sentence, 2]
        batch[row, : len(numbers)] = torch.tensor(numbers)
    return batch


def _drawn_sentences(generator: Generator, count: int, longest: int, vocabulary: int) -> list[list[int]]:
    """Sentences in no order of their lengths, which are not all the same."""
    lengths = [1, longest, *(size(generator, 1, longest) for _ in range(count - 2))]
    order = torch.randperm(count, generator=generator).tolist()
    return [whole(generator, lengths[k], low=3, high=vocabulary - 1).tolist() for k in order]


def _rows(sentences: Sequence[Sequence[int]], first: Sequence[int], last: Sequence[int], filled: int = PAD) -> Tensor:
    """Rows that begin with ``first``, end with ``last``, and are filled up on the right."""
    rows = [[*first, *sentence, *last] for sentence in sentences]
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filled] * (longest - len(row))] for row in rows])


def _padded_before(sentences: Sequence[Sequence[int]], bos_first: bool) -> Tensor:
    longest = max(len(sentence) for sentence in sentences)
    rows = []
    for sentence in sentences:
        pads = [PAD] * (longest - len(sentence))
        rows.append([BOS, *pads, *sentence, EOS] if bos_first else [*pads, BOS, *sentence, EOS])
    return torch.tensor(rows)


def _eos_last(sentences: Sequence[Sequence[int]]) -> Tensor:
    batch = to_batch([*sentences])
    return torch.cat([batch.masked_fill(batch == EOS, PAD)[:, :-1], torch.full((len(batch), 1), EOS)], 1)


TO_BATCH = WordsExercise(
    task="Sentences, lists of numbers, as one tensor of whole numbers (batch, longest + 2): <bos>, the sentence, <eos>, pads.",
    reference=to_batch,
    cases=lambda: [([[4]],), ([[5, 4]],), ([[7, 8], [9]],), ([[5], [6, 7, 8], [9, 4]],)],
    generate=lambda g: (_drawn_sentences(g, size(g, 2, 5), size(g, 2, 6), 12),),
    lesson=lambda g: (_drawn_sentences(g, 32, 17, 101),),
    hints=(
        "How wide must the rectangle be? As wide as the longest sentence, and <bos> and <eos> need a place each.",
        "Begin with a rectangle full of <pad>, and write each sentence, between 1 and 2, into the beginning of its row.",
        "batch = torch.full((len(sentences), longest + 2), 0), then for each row, with numbers = [1, *sentence, 2]: "
        "batch[row, : len(numbers)] = torch.tensor(numbers).",
    ),
    mistakes=(
        Mistake(
            "No <bos>",
            lambda sentences: _rows(sentences, [], [EOS]),
            "Each row begins with 1, so that the first word has something to follow.",
        ),
        Mistake(
            "No <eos>",
            lambda sentences: _rows(sentences, [BOS], []),
            "Each sentence ends with 2, or no model could learn where to stop.",
        ),
        Mistake(
            "Neither <bos> nor <eos>",
            lambda sentences: _rows(sentences, [], []),
            "A row is 1, the sentence, 2, and then pads.",
        ),
        Mistake(
            "<bos> and <eos> exchanged",
            lambda sentences: _rows(sentences, [EOS], [BOS]),
            "1 is <bos>, at the beginning; 2 is <eos>, at the end.",
        ),
        Mistake(
            "<eos> behind the pads",
            _eos_last,
            "<eos> comes right after the last word. Behind the pads, a model would have to predict them to get there.",
        ),
        Mistake(
            "Filled up with <eos>",
            lambda sentences: _rows(sentences, [BOS], [EOS], filled=EOS),
            "Then a short sentence would seem to end several times. Fill up with 0, <pad>, which costs nothing.",
        ),
        Mistake(
            "Filled up with <bos>",
            lambda sentences: _rows(sentences, [BOS], [EOS], filled=BOS),
            "Fill up with 0, <pad>.",
        ),
        Mistake(
            "Filled up with -1",
            lambda sentences: _rows(sentences, [BOS], [EOS], filled=-1),
            "No word has the number -1, and an embedding cannot look it up. <pad> is 0.",
        ),
        Mistake(
            "Filled up with <unk>",
            lambda sentences: _rows(sentences, [BOS], [EOS], filled=3),
            "3 stands for a word that is not known. Fill up with 0, <pad>.",
        ),
        Mistake(
            "Pads on the left",
            lambda sentences: _padded_before(sentences, bos_first=False),
            "Here pads stand on the right, so that all sentences begin at place 0.",
        ),
        Mistake(
            "Pads between <bos> and the first word",
            lambda sentences: _padded_before(sentences, bos_first=True),
            "Here pads stand on the right, behind <eos>.",
        ),
        Mistake(
            "The first word overwritten",
            lambda sentences: _rows([sentence[1:] for sentence in sentences], [BOS], [EOS]),
            "<bos> needs a place of its own: the words begin at place 1.",
        ),
        Mistake(
            "The last word overwritten",
            lambda sentences: _rows([sentence[:-1] for sentence in sentences], [BOS], [EOS]),
            "<eos> needs a place of its own, behind the last word.",
        ),
        Mistake(
            "Time first",
            lambda sentences: to_batch([*sentences]).T,
            "A row is a sentence: (batch, time). Here the sentences stand in columns.",
        ),
        Mistake(
            "Sorted by length",
            lambda sentences: to_batch(sorted(sentences, key=len)),
            "Row k holds sentence k: leave the sentences in their order.",
        ),
        Mistake(
            "A place too many",
            lambda sentences: functional.pad(to_batch([*sentences]), (0, 1)),
            "The longest sentence needs no pad: the width is its length and 2 more.",
        ),
        # The same as the first three, in a rectangle of the right width.
        Mistake(
            "No <bos>",
            lambda sentences: functional.pad(_rows(sentences, [], [EOS]), (0, 1)),
            "Each row begins with 1, so that the first word has something to follow.",
        ),
        Mistake(
            "No <eos>",
            lambda sentences: _rows(sentences, [BOS], [PAD]),
            "Each sentence ends with 2, or no model could learn where to stop.",
        ),
        Mistake(
            "Neither <bos> nor <eos>",
            lambda sentences: functional.pad(_rows(sentences, [], []), (0, 2)),
            "A row is 1, the sentence, 2, and then pads.",
        ),
        Mistake(
            "<pad> in place of <bos>",
            lambda sentences: _rows(sentences, [PAD], [EOS]),
            "Each row begins with 1, <bos>. 0 is <pad>.",
        ),
    ),
)

# --- the cost of a sentence -----------------------------------------------------------------------------------------


def sentence_nll(logits: Tensor, tokens: Tensor) -> Tensor:
    inputs, targets = logits[:, :-1], tokens[:, 1:]
    nats = functional.cross_entropy(inputs.flatten(0, 1), targets.flatten(), reduction="none")
    return (nats.view(targets.shape) * (targets != 0)).sum(1)


def _logits(*shape: int) -> Tensor:
    """Numbers between -2 and 2 without any order in them, the same on every machine."""
    return 2 * torch.sin(1.7 * torch.arange(1, math.prod(shape) + 1, dtype=torch.float64).square()).reshape(shape)


def _batches() -> list[Arguments]:
    return [
        (_logits(1, 3, 6), torch.tensor([[BOS, 4, EOS]])),
        (_logits(1, 4, 6), torch.tensor([[BOS, 4, 5, EOS]])),
        (_logits(2, 2, 5), torch.tensor([[BOS, EOS], [BOS, EOS]])),
        (_logits(2, 4, 6), torch.tensor([[BOS, 5, 4, EOS], [BOS, 4, EOS, PAD]])),
        # as many targets as words in the vocabulary, so that a forgotten transpose goes unnoticed by torch
        (_logits(2, 5, 4), torch.tensor([[BOS, EOS, PAD, PAD, PAD], [BOS, 3, 3, EOS, PAD]])),
        (_logits(3, 5, 6), torch.tensor([[BOS, 4, 5, 4, EOS], [BOS, 5, EOS, PAD, PAD], [BOS, 3, 4, EOS, PAD]])),
    ]


def _drawn_batch(generator: Generator) -> Arguments:
    batch, time, vocabulary = sizes(generator, 3, 4, 7)
    return numbers(generator, batch, time, vocabulary), _drawn_tokens(generator, batch, time, vocabulary)


def _nats(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def _shifted_nats(logits: Tensor, tokens: Tensor) -> Tensor:
    return _nats(logits[:, :-1], tokens[:, 1:])


def _masked_nats(logits: Tensor, tokens: Tensor) -> Tensor:
    return _shifted_nats(logits, tokens) * (tokens[:, 1:] != PAD)


def _masked(log_p: Tensor, tokens: Tensor) -> Tensor:
    """(batch,): what stands in (batch, time, vocabulary) at the targets, summed without pads."""
    targets = tokens[:, 1:]
    return (log_p[:, :-1].gather(2, targets[..., None])[..., 0] * (targets != PAD)).sum(1)


def _one_more(batch: Tensor, at_end: bool) -> Tensor:
    """With one place more, which the shift by one drops again."""
    return torch.cat([batch, batch[:, :1]] if at_end else [batch[:, :1], batch], 1)


SENTENCE_NLL = Exercise(
    task="-log p of each sentence: logits (batch, time, vocabulary), row t for the token after t; tokens; to (batch,) in nats.",
    reference=sentence_nll,
    cases=_batches,
    generate=_drawn_batch,
    lesson=lambda g: (torch.randn(32, 16, 101, generator=g), _drawn_tokens(g, 32, 16, 101)),
    gradients=("logits",),
    hints=(
        "The last row of logits is about a token that is not there, and the first token, <bos>, is never predicted. Drop both: "
        "then row and target stand at the same place.",
        "functional.cross_entropy takes dimension 1 for the vocabulary, so transpose the logits. Unless told otherwise it "
        "averages: reduction='none' keeps each word's nats.",
        "Cut first: inputs = logits[:, :-1], targets = tokens[:, 1:]. Then functional.cross_entropy(inputs.transpose(1, 2), "
        "targets, reduction='none') is (batch, time - 1). Set the places where the target is 0, <pad>, to zero, and sum over "
        "time.",
    ),
    mistakes=(
        Mistake(
            "Inputs and targets not shifted",
            lambda logits, tokens: sentence_nll(_one_more(logits, at_end=True), _one_more(tokens, at_end=False)),
            "The row at place t has seen the word at t; asked for that same word, a model only learns to repeat it. The "
            "target is the next one: logits[:, :-1] against tokens[:, 1:].",
        ),
        Mistake(
            "Shifted the wrong way",
            lambda logits, tokens: sentence_nll(_one_more(logits[:, 1:], at_end=True), _one_more(tokens[:, :-1], at_end=False)),
            "Here each row is scored against the word *before* it, <bos> among them. Turn it round: logits[:, :-1] against "
            "tokens[:, 1:].",
        ),
        Mistake(
            "<bos> dropped on both sides",
            lambda logits, tokens: sentence_nll(_one_more(logits[:, 1:], at_end=True), _one_more(tokens[:, 1:], at_end=False)),
            "Row and token stand at the same place again, without a shift. The row at place t is about token t + 1: drop the "
            "*last* row of logits and the *first* token.",
        ),
        Mistake(
            "The last place dropped on both sides",
            lambda logits, tokens: sentence_nll(
                _one_more(logits[:, :-1], at_end=True), _one_more(tokens[:, :-1], at_end=False)
            ),
            "Row and token stand at the same place again, without a shift. The row at place t is about token t + 1: drop the "
            "*last* row of logits and the *first* token.",
        ),
        Mistake(
            "The first word not counted",
            lambda logits, tokens: sentence_nll(logits[:, 1:], tokens[:, 1:]),
            "One place too many is cut. Row 0, which has seen <bos> only, is about the first word: logits[:, :-1] against "
            "tokens[:, 1:].",
        ),
        Mistake(
            "Pads counted",
            lambda logits, tokens: _shifted_nats(logits, tokens).sum(1),
            "A sentence's cost must not depend on the length of its neighbours in the batch. Leave out the targets that are 0.",
        ),
        Mistake(
            "The pads' mask is shifted",
            lambda logits, tokens: (_shifted_nats(logits, tokens) * (tokens[:, :-1] != PAD)).sum(1),
            "The mask must come from the targets, tokens[:, 1:]. Yours, from the inputs, lets a pad of each sentence through.",
        ),
        Mistake(
            "<eos> left out, and the pads counted",
            lambda logits, tokens: (_shifted_nats(logits, tokens) * (tokens[:, 1:] != EOS)).sum(1),
            "<pad> is 0; 2 is <eos>, which belongs to the sentence. Leave out the targets that are 0.",
        ),
        Mistake(
            "The logits masked in place of the nats",
            lambda logits, tokens: _shifted_nats(
                torch.where(_one_more(tokens[:, 1:], at_end=True)[..., None] != PAD, logits, 0), tokens
            ).sum(1),
            "Logits that are all 0 mean a fair choice among all words, which costs log(vocabulary) and not 0. Set the nats to "
            "zero where the target is <pad>.",
        ),
        Mistake(
            "<eos> not counted",
            lambda logits, tokens: sentence_nll(logits, _without_eos(tokens)),
            "Without <eos> the probabilities of all sentences do not sum to 1: to say that it ends here is part of a sentence.",
        ),
        Mistake(
            "Mean over words in place of a sum",
            lambda logits, tokens: sentence_nll(logits, tokens) / _predicted(tokens),
            "log p(sentence) is the *sum* of its words' logs. The mean is nats per token, another quantity.",
        ),
        Mistake(
            "Mean over words and <bos>",
            lambda logits, tokens: sentence_nll(logits, tokens) / (tokens != PAD).sum(1),
            "log p(sentence) is the *sum* of its words' logs, without a division.",
        ),
        Mistake(
            "Mean over time in place of a sum",
            lambda logits, tokens: sentence_nll(logits, tokens) / (tokens.shape[1] - 1),
            "log p(sentence) is the *sum* of its words' logs. A mean over time divides by the length of the longest sentence.",
        ),
        Mistake(
            "Mean over all words of the batch",
            lambda logits, tokens: sentence_nll(logits, tokens).sum() / _predicted(tokens).sum(),
            "cross_entropy averages unless told otherwise. reduction='none' keeps the words' nats; sum those of each sentence.",
        ),
        Mistake(
            "Mean over all places of the batch, pads too",
            lambda logits, tokens: _shifted_nats(logits, tokens).mean(),
            "cross_entropy averages unless told otherwise. reduction='none' keeps each word's nats; leave out the pads, and "
            "sum those of each sentence.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda logits, tokens: sentence_nll(logits, tokens).sum(),
            "Keep one number for each sentence: .sum(1).",
        ),
        Mistake(
            "Summed over the batch in place of time",
            lambda logits, tokens: _masked_nats(logits, tokens).sum(0),
            "Dimension 0 holds the sentences. Sum over the words of each, dimension 1.",
        ),
        Mistake(
            "Not summed: one number for each word",
            lambda logits, tokens: _masked_nats(logits, tokens),
            "These are the words' nats. A sentence's cost is their sum over time.",
        ),
        Mistake(
            "Not summed: one long row of words",
            lambda logits, tokens: _masked_nats(logits, tokens).flatten(),
            "These are the words' nats, of all sentences in one row. Give them back the shape (batch, time - 1), then sum over "
            "time.",
        ),
        Mistake(
            "The transpose forgotten",
            lambda logits, tokens: (
                functional.cross_entropy(logits[:, :-1], tokens[:, 1:], reduction="none") * (tokens[:, 1:] != PAD)
            ).sum(1),
            "cross_entropy takes dimension 1 for the vocabulary, and here that is time. Give it logits.transpose(1, 2).",
        ),
        Mistake(
            "The transpose forgotten, and pads counted",
            lambda logits, tokens: functional.cross_entropy(logits[:, :-1], tokens[:, 1:], reduction="none").sum(1),
            "cross_entropy takes dimension 1 for the vocabulary, and here that is time. Give it logits.transpose(1, 2), and "
            "leave out the targets that are 0.",
        ),
        Mistake(
            "The transpose forgotten, and nothing shifted",
            lambda logits, tokens: functional.cross_entropy(logits, tokens, reduction="none").sum(1),
            "cross_entropy takes dimension 1 for the vocabulary, and here that is time. Give it logits.transpose(1, 2), and "
            "shift: the logits without their last row, the tokens without <bos>.",
        ),
        Mistake(
            "reshape in place of transpose",
            lambda logits, tokens: (
                functional.cross_entropy(
                    logits[:, :-1].reshape(len(logits), logits.shape[2], -1), tokens[:, 1:], reduction="none"
                )
                * (tokens[:, 1:] != PAD)
            ).sum(1),
            "reshape and view keep the order of the numbers in memory, so words and times get mixed up. "
            "transpose(1, 2) exchanges the dimensions.",
        ),
        Mistake(
            "cross_entropy's arguments swapped",
            lambda logits, tokens: functional.cross_entropy(
                tokens[:, 1:], logits[:, :-1].transpose(1, 2), reduction="none"
            ).sum(1),
            "cross_entropy takes the logits first, then the targets.",
        ),
        Mistake(
            "Logits added up as if they were log probabilities",
            lambda logits, tokens: -_masked(logits, tokens),
            "Logits become log probabilities by log_softmax over the vocabulary; cross_entropy does it for you.",
        ),
        Mistake(
            "Probabilities added up, without a log",
            lambda logits, tokens: -_masked(logits.softmax(-1), tokens),
            "Probabilities of words are multiplied, so it is their *logs* that add up. Take log_softmax, or cross_entropy.",
        ),
        Mistake(
            "log of the sum of the probabilities",
            lambda logits, tokens: -_masked(logits.softmax(-1), tokens).log(),
            "Probabilities of words are multiplied, not added: first the log of each, then the sum.",
        ),
        Mistake(
            "softmax before cross_entropy",
            lambda logits, tokens: sentence_nll(logits.softmax(-1), tokens),
            "cross_entropy expects logits, and applies log_softmax itself. Applied twice, it flattens every distribution.",
        ),
        Mistake(
            "log_softmax over time",
            lambda logits, tokens: -_masked(logits.log_softmax(1), tokens),
            "At each place the probabilities of all *words* sum to 1: normalize over the vocabulary, dimension -1.",
        ),
        Mistake(
            "log_softmax over time, without the last place",
            lambda logits, tokens: -_masked(_one_more(logits[:, :-1].log_softmax(1), at_end=True), tokens),
            "At each place the probabilities of all *words* sum to 1: normalize over the vocabulary, dimension -1.",
        ),
        Mistake(
            "log_softmax over the batch",
            lambda logits, tokens: -_masked(logits.log_softmax(0), tokens),
            "At each place the probabilities of all *words* sum to 1: normalize over the vocabulary, dimension -1.",
        ),
        Mistake(
            "Wrong sign",
            lambda logits, tokens: -sentence_nll(logits, tokens),
            "This is log p, which is never positive. NLL is minus that, and cross_entropy has the minus already.",
        ),
    ),
)

# --- z beside the words -----------------------------------------------------------------------------------------------


def z_at_every_word(vectors: Tensor, z: Tensor) -> Tensor:
    repeated = z[:, None, :].expand(-1, vectors.shape[1], -1)
    return torch.cat([vectors, repeated], dim=2)


def _vectors_and_codes() -> list[Arguments]:
    return [
        doubles([[[1.0, 2.0]]], [[7.0]]),
        doubles([[[1.0], [2.0], [3.0]]], [[7.0, 8.0]]),
        doubles([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]], [[7.0, 8.0], [9.0, 0.5]]),
    ]


def _drawn_vectors(generator: Generator) -> Arguments:
    batch, time, embedding, latent = sizes(generator, 4, 2, 6)
    return numbers(generator, batch, time, embedding), numbers(generator, batch, latent)


def _only_at(vectors: Tensor, z: Tensor, place: int) -> Tensor:
    """z beside the word at one place, and zeros beside all others."""
    there = (torch.arange(vectors.shape[1], device=z.device) == place % vectors.shape[1])[None, :, None]
    return torch.cat([vectors, z[:, None, :] * there], dim=2)


Z_AT_EVERY_WORD = Exercise(
    task="z (batch, latent) beside each word's vector (batch, time, embedding): (batch, time, embedding + latent), z behind.",
    reference=z_at_every_word,
    cases=_vectors_and_codes,
    generate=_drawn_vectors,
    lesson=lambda g: (torch.randn(32, 15, 32, generator=g), torch.randn(32, 16, generator=g)),
    gradients=("vectors", "z"),
    hints=(
        "z has no dimension of time. Each sentence's z is needed once for each of its places.",
        "z[:, None] is (batch, 1, latent). expand repeats it along time; torch.cat puts two tensors side by side.",
        "torch.cat([vectors, z[:, None].expand(-1, vectors.shape[1], -1)], dim=2).",
    ),
    mistakes=(
        Mistake(
            "z before the vectors",
            lambda vectors, z: torch.cat([z[:, None].expand(-1, vectors.shape[1], -1), vectors], dim=2),
            "First the word's vector, then z: whoever copies weights from one model to another relies on the order.",
        ),
        Mistake(
            "z beside the first word only",
            lambda vectors, z: _only_at(vectors, z, 0),
            "An LSTM may have forgotten it at the end. Put the same z at every place.",
        ),
        Mistake(
            "z beside the last word only",
            lambda vectors, z: _only_at(vectors, z, -1),
            "That comes too late for all words before. Put the same z at every place.",
        ),
        Mistake(
            "Sentences mixed up",
            lambda vectors, z: torch.cat(
                [vectors, z.repeat(vectors.shape[1], 1).view(len(z), vectors.shape[1], z.shape[1])], dim=2
            ),
            "repeat puts whole batches behind one another, so that a row gets other sentences' z. Use z[:, None].expand(...), "
            "or repeat_interleave.",
        ),
        Mistake(
            "The first sentence's z for all",
            lambda vectors, z: z_at_every_word(vectors, z[:1].expand(len(z), -1)),
            "Each sentence has a z of its own: row k of z belongs to row k of vectors.",
        ),
        Mistake(
            "The mean z for all",
            lambda vectors, z: z_at_every_word(vectors, z.mean(0, keepdim=True).expand(len(z), -1)),
            "Each sentence has a z of its own: row k of z belongs to row k of vectors.",
        ),
        Mistake("Only z", lambda vectors, z: z_at_every_word(vectors[..., :0], z), "The words' vectors are needed too."),
        Mistake("Only the vectors", lambda vectors, z: z_at_every_word(vectors, z[:, :0]), "z is needed too."),
        Mistake(
            "z cut from the graph",
            lambda vectors, z: z_at_every_word(vectors, z.detach()),
            "The value is right, but through detach, .data or torch.tensor(...) the decoder teaches the encoder nothing.",
        ),
        Mistake(
            "z has no dimension of time yet",
            lambda vectors, z: torch.cat([vectors, z], dim=2),
            "torch.cat joins tensors of equally many dimensions, and z has one fewer: z[:, None] is (batch, 1, latent). Then "
            "expand repeats it, once for each word.",
        ),
        Mistake(
            "z stands once, not at every word",
            lambda vectors, z: torch.cat([vectors, z[:, None]], dim=2),
            "z[:, None] has a single place in time, and a sentence has many. Repeat it: .expand(-1, vectors.shape[1], -1).",
        ),
        Mistake(
            "One long row for each sentence",
            lambda vectors, z: torch.cat([vectors.flatten(1), z], dim=1),
            "Keep the dimension of time: at each place stand the word's vector and z.",
        ),
    ),
)

# --- the loss of a text VAE -----------------------------------------------------------------------------------------


def text_vae_loss(logits: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor, kl_weight: float) -> Tensor:
    distortion = sentence_nll(logits, tokens)
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
    return (distortion + kl_weight * rate).mean()


def _encoded_batches() -> list[Arguments]:
    def tensor(rows: object) -> Tensor:
        return torch.tensor(rows, dtype=torch.float64)

    return [
        (_logits(1, 3, 6), torch.tensor([[BOS, 5, EOS]]), tensor([[1.0]]), tensor([[0.3]]), 1.0),
        (_logits(2, 2, 5), torch.tensor([[BOS, EOS], [BOS, EOS]]), tensor([[1.0], [0.0]]), tensor([[0.5], [0.8]]), 1.0),
        (_logits(1, 4, 6), torch.tensor([[BOS, 5, EOS, PAD]]), tensor([[1.0, -2.0]]), tensor([[0.5, -1.0]]), 0.5),
        (
            _logits(3, 5, 8),
            torch.tensor([[BOS, 5, EOS, PAD, PAD], [BOS, 5, 6, 7, EOS], [BOS, 6, 7, EOS, PAD]]),
            tensor([[0.0, 1.0], [0.5, 2.0], [-1.0, 0.3]]),
            tensor([[0.0, 0.2], [-1.0, -2.0], [0.4, -0.5]]),
            0.25,
        ),
    ]


def _drawn_codes(generator: Generator) -> Arguments:
    batch, time, latent, vocabulary = sizes(generator, 4, 2, 7)
    codes = numbers(generator, batch, latent), numbers(generator, batch, latent)
    tokens = _drawn_tokens(generator, batch, time, vocabulary + 3)
    return numbers(generator, batch, time, vocabulary + 3), tokens, *codes, size(generator, 1, 8) / 8


def _lesson_codes(generator: Generator) -> Arguments:
    tokens = _drawn_tokens(generator, 32, 16, 101)
    codes = torch.randn(32, 16, generator=generator), -1 + torch.randn(32, 16, generator=generator)
    return torch.randn(32, 16, 101, generator=generator), tokens, *codes, 0.5


def _rates(mean: Tensor, log_var: Tensor) -> Tensor:
    """(batch, latent)"""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


Parts = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, float], Tensor]


def _of_parts(loss: Parts) -> Callable[..., Tensor]:
    """A loss made of each word's nats, pads' nats 0 (batch, time - 1); tokens; the KL's terms (batch, latent); and the rest."""

    def made(logits: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor, kl_weight: float) -> Tensor:
        return loss(_masked_nats(logits, tokens), tokens, _rates(mean, log_var), mean, log_var, kl_weight)

    return made


def _with_terms(terms: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """The loss with other terms of the KL, (batch, latent) of mean and log_var, twice over: the half is taken here."""

    def made(logits: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor, kl_weight: float) -> Tensor:
        return (sentence_nll(logits, tokens) + kl_weight * 0.5 * terms(mean, log_var).sum(1)).mean()

    return made


def _with_costs(costs: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """The loss with other costs of the sentences, (batch,) of logits and tokens."""

    def made(logits: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor, kl_weight: float) -> Tensor:
        return (costs(logits, tokens) + kl_weight * _rates(mean, log_var).sum(1)).mean()

    return made


def _normal_with(std: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The KL by torch's distributions, with a standard deviation of log_var."""

    def made(logits: Tensor, tokens: Tensor, mean: Tensor, log_var: Tensor, kl_weight: float) -> Tensor:
        prior = distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
        rate = distributions.kl_divergence(distributions.Normal(mean, std(log_var)), prior)
        return (sentence_nll(logits, tokens) + kl_weight * rate.sum(1)).mean()

    return made


DISGUISE = (
    "The words' nats are divided by their number, the KL is not: a KL weight of the sentence's length in disguise, and the way "
    "to a collapsed VAE. Sum over words."
)

TEXT_VAE_LOSS = Exercise(
    task="The loss in nats per sentence, one number: the distortion of logits and tokens, and kl_weight times the rate of mean "
    "and log_var (batch, latent).",
    reference=text_vae_loss,
    cases=_encoded_batches,
    generate=_drawn_codes,
    lesson=_lesson_codes,
    gradients=("logits", "mean", "log_var"),
    hints=(
        "Two costs for each sentence: what its words cost, and what its z costs.",
        "sentence_nll(logits, tokens) is the distortion, (batch,). The rate is the KL of lesson 05, summed over the latent "
        "dimensions: (batch,) too.",
        "rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1). Add kl_weight * rate to the distortion, then "
        "average over the batch.",
    ),
    mistakes=(
        Mistake(
            "Pads counted",
            _with_costs(lambda logits, tokens: _shifted_nats(logits, tokens).sum(1)),
            "The decoder would be paid to write <pad> well. sentence_nll leaves out the places where tokens[:, 1:] is 0.",
        ),
        Mistake(
            "<eos> not counted",
            _with_costs(lambda logits, tokens: sentence_nll(logits, _without_eos(tokens))),
            "To end is a prediction like any other: keep the place where tokens[:, 1:] is 2.",
        ),
        Mistake(
            "Logits and targets not shifted",
            _with_costs(lambda logits, tokens: sentence_nll(_one_more(logits, at_end=True), _one_more(tokens, at_end=False))),
            "The row at place t has seen the word at t and is about the next one. sentence_nll does the shift.",
        ),
        Mistake(
            "Mean over words, KL per sentence",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum() / _predicted(tokens).sum() + w * kl.sum(1).mean()),
            DISGUISE,
        ),
        Mistake(
            "Mean over each sentence's words, KL per sentence",
            _with_costs(lambda logits, tokens: sentence_nll(logits, tokens) / _predicted(tokens)),
            DISGUISE,
        ),
        Mistake(
            "Mean over time, KL per sentence",
            _with_costs(lambda logits, tokens: sentence_nll(logits, tokens) / (tokens.shape[1] - 1)),
            "The words' nats are divided by the length of the longest sentence, the KL is not: a KL weight of that length in "
            "disguise. Sum over words.",
        ),
        Mistake(
            "Mean over words and pads, KL per sentence",
            _with_costs(lambda logits, tokens: _shifted_nats(logits, tokens).mean(1)),
            "A plain .mean() of the cross entropy, as many programs have it: pads count, and the KL gets a weight of the "
            "sentence's length. Mask the pads, then sum over words.",
        ),
        Mistake(
            "Nats per word in place of nats per sentence",
            lambda logits, tokens, mean, log_var, kl_weight: (
                text_vae_loss(logits, tokens, mean, log_var, kl_weight) * (len(tokens) / _predicted(tokens).sum())
            ),
            "Both terms are divided by the number of words. That is the ELBO per word; average over the sentences only.",
        ),
        Mistake(
            "KL averaged over the latent dimensions",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(
                logits, tokens, mean, log_var, kl_weight / mean.shape[1]
            ),
            "A KL of independent dimensions is the *sum* of theirs. The mean makes it cheaper, and the result no bound.",
        ),
        Mistake(
            "KL averaged over the batch, kept for each dimension",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum(1).mean() + w * kl.mean(0)),
            "A KL of independent dimensions is the *sum* of theirs, and the loss is one number.",
        ),
        Mistake(
            "KL summed over the batch",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(
                logits, tokens, mean, log_var, kl_weight * len(mean)
            ),
            "The distortion is averaged over sentences, so the KL must be too; else its weight is the batch size.",
        ),
        Mistake(
            "Distortion summed over the batch",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum() + w * kl.sum(1).mean()),
            "The KL is averaged over sentences, so the distortion must be too; else the KL hardly weighs.",
        ),
        Mistake(
            "Summed over the sentences",
            lambda logits, tokens, mean, log_var, kl_weight: (
                text_vae_loss(logits, tokens, mean, log_var, kl_weight) * len(tokens)
            ),
            "The loss is per sentence: average over the batch, or the step grows with the batch size.",
        ),
        Mistake(
            "One number for each sentence",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum(1) + w * kl.sum(1)),
            "These are the sentences' costs. The loss is their mean.",
        ),
        Mistake(
            "The KL not averaged over the sentences",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum(1).mean() + w * kl.sum(1)),
            "The distortion is one number, the KL still one for each sentence. Average both.",
        ),
        Mistake(
            "The distortion not averaged over the sentences",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: nats.sum(1) + w * kl.sum(1).mean()),
            "The KL is one number, the distortion still one for each sentence. Average both.",
        ),
        Mistake(
            "kl_weight not used",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, log_var, 1.0),
            "The rate is multiplied by kl_weight.",
        ),
        Mistake(
            "kl_weight on both terms",
            lambda logits, tokens, mean, log_var, kl_weight: kl_weight * text_vae_loss(logits, tokens, mean, log_var, 1.0),
            "Only the rate is multiplied by kl_weight, not the distortion.",
        ),
        Mistake(
            "kl_weight on the distortion",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: (w * nats.sum(1) + kl.sum(1)).mean()),
            "It is the rate that is multiplied by kl_weight.",
        ),
        Mistake(
            "kl_weight and 1 - kl_weight",
            _of_parts(lambda nats, tokens, kl, mean, log_var, w: ((1 - w) * nats.sum(1) + w * kl.sum(1)).mean()),
            "The distortion always has weight 1.",
        ),
        Mistake(
            "KL subtracted",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, log_var, -kl_weight),
            "The ELBO subtracts the rate; its negative, which we minimize, adds it.",
        ),
        Mistake(
            "Distortion subtracted",
            _with_costs(lambda logits, tokens: -sentence_nll(logits, tokens)),
            "sentence_nll is minus log p already, a cost like the KL: both are added.",
        ),
        Mistake(
            "The ELBO, not its negative",
            lambda logits, tokens, mean, log_var, kl_weight: -text_vae_loss(logits, tokens, mean, log_var, kl_weight),
            "The ELBO is to be maximized. The loss is minus that: distortion plus rate, both positive.",
        ),
        Mistake(
            "No KL: an autoencoder",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, log_var, 0.0),
            "Nothing would keep the codes near the prior. Add the rate.",
        ),
        Mistake(
            "No distortion: only the KL",
            _with_costs(lambda logits, tokens: 0 * sentence_nll(logits, tokens)),
            "Nothing would make the decoder write the sentence. Add sentence_nll.",
        ),
        Mistake(
            "Missing 1/2 in the KL",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, log_var, 2 * kl_weight),
            "The KL to the standard normal is *half* of mean^2 + variance - 1 - log variance. Without the half it is doubled.",
        ),
        Mistake(
            "Missing -1 in the KL",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - log_var),
            "mean^2 + variance - 1 - log variance: the 1 makes the KL 0 where the posterior is the prior.",
        ),
        Mistake(
            "-1 once, not in each latent dimension",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - log_var - 1 / mean.shape[1]),
            "Each latent dimension has a -1 of its own in the KL: subtract it before the sum.",
        ),
        Mistake(
            "+ log_var in the KL",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - 1 + log_var),
            "Here the KL falls for ever as the variance goes to 0. The log variance is *subtracted*.",
        ),
        Mistake(
            "The log variance missing in the KL",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - 1),
            "mean^2 + variance - 1 - log variance: without its last term nothing keeps the variance from going to 0.",
        ),
        Mistake(
            "The variance missing in the KL",
            _with_terms(lambda mean, log_var: mean.square() - 1 - log_var),
            "mean^2 + variance - 1 - log variance: without the variance itself it may grow for ever.",
        ),
        Mistake(
            "exp forgotten: log_var where the variance belongs",
            _with_terms(lambda mean, log_var: mean.square() + log_var - 1 - log_var),
            "The variance is exp(log_var). Without exp it cancels against - log_var, and nothing is left of it.",
        ),
        Mistake(
            "The mean not squared",
            _with_terms(lambda mean, log_var: mean + log_var.exp() - 1 - log_var),
            "The KL has the *square* of the mean: a code on either side of 0 costs.",
        ),
        Mistake(
            "log_var read as the variance",
            _with_terms(lambda mean, log_var: mean.square() + log_var - 1 - log_var.log()),
            "log_var is the logarithm of the variance, and may be negative. The variance is log_var.exp(), its log log_var.",
        ),
        Mistake(
            "log_var read as the standard deviation",
            _with_terms(lambda mean, log_var: mean.square() + log_var.square() - 1 - log_var.square().log()),
            "log_var is the logarithm of the *variance*, and may be negative. The standard deviation is exp(log_var / 2).",
        ),
        Mistake(
            "log_var read as the standard deviation, and its log taken",
            _with_terms(lambda mean, log_var: mean.square() + log_var.square() - 1 - 2 * log_var.log()),
            "log_var is the logarithm of the *variance*, and may be negative: another log of it is nan. The standard deviation "
            "is exp(log_var / 2).",
        ),
        Mistake(
            "log_var given to Normal for the standard deviation",
            _normal_with(lambda log_var: log_var),
            "Normal wants the standard deviation, which is exp(log_var / 2); log_var may be negative.",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, 2 * log_var, kl_weight),
            "exp(log_var) is the *variance*. The standard deviation is exp(log_var / 2).",
        ),
        Mistake(
            "exp(log_var) squared, its log not",
            _with_terms(lambda mean, log_var: mean.square() + (2 * log_var).exp() - 1 - log_var),
            "exp(log_var) is the *variance*, std^2 already: it is not squared again.",
        ),
        Mistake(
            "Twice log_var for the log variance",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - 1 - 2 * log_var),
            "log_var is the log of the variance, so it is log std^2 already: it is not taken twice.",
        ),
        Mistake(
            "The standard deviation where the variance belongs",
            _with_terms(lambda mean, log_var: mean.square() + (log_var / 2).exp() - 1 - log_var),
            "exp(log_var / 2) is the standard deviation. The KL has its square, the variance: exp(log_var).",
        ),
        Mistake(
            "The standard deviation and its log",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits, tokens, mean, log_var / 2, kl_weight),
            "exp(log_var / 2) is the standard deviation, and log_var / 2 its log. The KL has the variance, exp(log_var), and "
            "log_var.",
        ),
        Mistake(
            "The log of the standard deviation where the log variance belongs",
            _with_terms(lambda mean, log_var: mean.square() + log_var.exp() - 1 - log_var / 2),
            "log std^2 is the log variance, log_var itself, and not its half.",
        ),
        Mistake(
            "KL the wrong way round",
            _with_terms(lambda mean, log_var: (1 + mean.square()) * (-log_var).exp() - 1 + log_var),
            "That is the KL from the prior to the posterior. The rate is KL(q || prior): the posterior comes first.",
        ),
        Mistake(
            "The logits are detached",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(logits.detach(), tokens, mean, log_var, kl_weight),
            "The value is right, but the decoder learns nothing: detach cuts the gradient through its logits.",
        ),
        Mistake(
            "The KL is detached",
            lambda logits, tokens, mean, log_var, kl_weight: text_vae_loss(
                logits, tokens, mean.detach(), log_var.detach(), kl_weight
            ),
            "The value is right, but the KL does not pull on the encoder: its gradient is cut.",
        ),
    ),
)

# --- greedy writing ---------------------------------------------------------------------------------------------------


@torch.no_grad()
def _greedy_from(
    decoder: Callable[[Tensor, Tensor], Tensor],
    z: Tensor,
    longest: int,
    first: int = BOS,
    read: Callable[[Tensor], Tensor] = lambda tokens: tokens,
    choose: Callable[[Tensor], Tensor] = lambda logits: logits[:, -1].argmax(1),
    before: bool = False,
) -> Tensor:
    """Greedy writing in which one thing may be otherwise; with what it began with."""
    tokens = torch.full((len(z), 1), first, device=z.device)
    for _ in range(longest):
        word = choose(decoder(read(tokens), z))[:, None]
        tokens = torch.cat([word, tokens] if before else [tokens, word], 1)
    return tokens


def write_greedily(decoder: Callable[[Tensor, Tensor], Tensor], z: Tensor, longest: int) -> Tensor:
    tokens = torch.full((len(z), 1), 1, device=z.device)
    with torch.no_grad():
        for _ in range(longest):
            logits = decoder(tokens, z)
            next_word = logits[:, -1].argmax(dim=1)
            tokens = torch.cat([tokens, next_word[:, None]], dim=1)
    return tokens[:, 1:]


def _from_rows_of_pads(decoder: Callable[[Tensor, Tensor], Tensor], z: Tensor, longest: int) -> Tensor:
    """All places are there from the start, and the last one is asked for the next word: a pad."""
    tokens = torch.full((len(z), longest + 1), PAD, device=z.device)
    tokens[:, 0] = BOS
    for place in range(longest):
        tokens[:, place + 1] = decoder(tokens, z)[:, -1].argmax(1)
    return tokens[:, 1:]


def _joined_without_time(decoder: Callable[[Tensor, Tensor], Tensor], z: Tensor, longest: int) -> Tensor:
    """A row of new words, (batch,), is to be put behind the columns of the tokens: torch refuses in the first turn."""
    tokens = torch.full((len(z), 1), BOS, device=z.device)
    for _ in range(longest):
        tokens = torch.cat([tokens, decoder(tokens, z)[:, -1].argmax(1)], 1)
    return tokens[:, 1:]


def _all_places_behind(decoder: Callable[[Tensor, Tensor], Tensor], z: Tensor, longest: int) -> Tensor:
    """The last place is not taken out, so the tokens double in each turn, until the decoder refuses."""
    tokens = torch.full((len(z), 1), BOS, device=z.device)
    for _ in range(longest):
        tokens = torch.cat([tokens, decoder(tokens, z).argmax(2)], 1)
    return tokens[:, 1:]


MOST_TOKENS = 512  # of a sentence that a decoder reads, as the lesson's decoder of windows


@dataclass(frozen=True)
class untrained_decoder:  # its name is shown to the reader as a function's is
    """A decoder whose logits depend on all tokens so far, on their order, and on z."""

    vocabulary: int

    def __call__(self, tokens: Tensor, z: Tensor) -> Tensor:
        """(batch, time), (batch, latent) to (batch, time, vocabulary). Raises ``IndexError`` for more tokens than it knows."""
        if tokens.shape[1] > MOST_TOKENS:  # or tokens that double in each turn would fill the memory
            raise IndexError(f"the decoder was given sentences of {tokens.shape[1]} tokens, and reads {MOST_TOKENS} at most")
        places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
        so_far = ((tokens + 1) * places + tokens.square()).cumsum(1).double()  # + 1: a pad is read too
        told = (z.double() * torch.arange(1, z.shape[1] + 1, device=z.device)).sum(1)
        words = torch.arange(1, self.vocabulary + 1, device=tokens.device).double()
        return torch.sin(0.7 * so_far[:, :, None] + 1.7 * words.square() + 3 * told[:, None, None])


@dataclass(frozen=True)
class WritingExercise(WordsExercise):
    """What is written after an <eos> does not matter, so it is not compared."""

    def run(self, answer: Callable[..., Any], arguments: Arguments) -> Any:  # noqa: ANN401 - whatever an answer returns
        """Use it, and put pads behind each <eos>."""
        result = super().run(answer, arguments)
        if not isinstance(result, Tensor) or result.dim() != 2:
            return result
        ended = (result == EOS).cumsum(1) - (result == EOS).long() > 0
        return result.masked_fill(ended, PAD)

    def _named(self, observed: Sequence[Observation], cases: Sequence[Arguments]) -> str | None:
        """Also whoever stopped early, at an <eos> of one row or of the last one to end."""
        wanted = [self.observe(self.reference, case)["result"] for case in cases]
        if all(_stopped(o.get("result"), want) for o, want in zip(observed, wanted, strict=True)):
            return (
                "Stopped at <eos>. The sentences end at different places: write `longest` words in every row, whatever they "
                "are. decode cuts off what comes after an <eos>."
            )
        return super()._named(observed, cases)

    def _difference_told(self, attempt: Attempt, case: Arguments, number: int, got: Observation, want: Observation) -> str:
        """Also what greedy means, to whoever draws the words."""
        told = super()._difference_told(attempt, case, number, got, want)
        if "another result each time" in told:
            told += " Greedy writing draws nothing: it takes the likeliest word, argmax."
        return told


def _stopped(got: object, want: object) -> bool:
    """Whether it is all of ``want``, or its beginning up to a place where a row ends, with that <eos> or without it."""
    if not isinstance(got, Tensor) or not isinstance(want, Tensor) or got.dim() != 2 or len(got) != len(want):
        return False
    written = got.shape[1]
    at_its_end = (want[:, max(written - 1, 0) : written + 1] == EOS).any()
    return torch.equal(got, want[:, :written]) and (written == want.shape[1] or bool(at_its_end))


WRITE_GREEDILY = WritingExercise(
    task="For each z (batch, latent) `longest` words, each the likeliest next one by decoder(tokens, z), from <bos> on: "
    "numbers (batch, longest), on the device of z, without <bos>.",
    reference=write_greedily,
    cases=lambda: [
        (untrained_decoder(7), torch.tensor([[0.5]]), 1),
        (untrained_decoder(9), torch.tensor([[0.5, -1.0]]), 4),
        (untrained_decoder(9), torch.tensor([[0.5], [0.8], [-0.4]]), 6),
    ],
    generate=lambda g: (untrained_decoder(size(g, 12, 30)), numbers(g, size(g, 2, 5), size(g, 1, 4)), size(g, 2, 7)),
    lesson=lambda g: (untrained_decoder(101), torch.randn(50, 16, generator=g), 19),
    hints=(
        "Begin with a column of <bos>, one for each z. Which of the decoder's logits are about the next word?",
        "The last ones: logits[:, -1], (batch, vocabulary). Take the likeliest word of each row, and put it behind the tokens "
        "that the decoder reads in the next turn.",
        "tokens = torch.full((len(z), 1), 1, device=z.device), and then longest times: next_word = decoder(tokens, z)[:, -1]"
        ".argmax(dim=1); tokens = torch.cat([tokens, next_word[:, None]], dim=1). At the end, tokens[:, 1:].",
    ),
    mistakes=(
        Mistake(
            "The <bos> kept",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest),
            "It was given, not written: return tokens[:, 1:].",
        ),
        Mistake(
            "The <bos> kept, and a word too few",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest - 1),
            "longest words are to be written, and the <bos> is none of them: return tokens[:, 1:].",
        ),
        Mistake(
            "A word too few",
            lambda decoder, z, longest: write_greedily(decoder, z, longest - 1),
            "longest words are to be written, besides the <bos> at the beginning.",
        ),
        Mistake(
            "A word too many",
            lambda decoder, z, longest: write_greedily(decoder, z, longest + 1),
            "longest words are to be written.",
        ),
        Mistake(
            "Only the last word is read",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, read=lambda tokens: tokens[:, -1:])[:, 1:],
            "The decoder must read all that was written so far, not the last word alone: it keeps nothing between two calls.",
        ),
        Mistake(
            "The same word each time",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, read=lambda tokens: tokens[:, :1])[:, 1:],
            "Either the decoder reads nothing but <bos> each time, or you take logits[:, 0], which are about the first word. "
            "Put each new word behind the tokens that the decoder reads next, and take logits[:, -1].",
        ),
        Mistake(
            "All words at once, from <bos> alone",
            lambda decoder, z, longest: decoder(torch.full((len(z), longest), BOS, device=z.device), z).argmax(2),
            "Here the decoder reads one <bos> after the other, and none of its own words. Ask it for one word at a time, put "
            "that behind the tokens, and let it read all of them again.",
        ),
        Mistake(
            "The <bos> is not read",
            lambda decoder, z, longest: _greedy_from(
                decoder, z, longest, read=lambda tokens: tokens[:, 1:] if tokens.shape[1] > 1 else tokens
            )[:, 1:],
            "A sentence begins with <bos>, in each turn: only at the end is it left out.",
        ),
        Mistake(
            "The unlikeliest word",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, choose=lambda logits: logits[:, -1].argmin(1))[:, 1:],
            "argmin takes the word that fits worst. The likeliest has the largest logit.",
        ),
        Mistake(
            "One word for all rows",
            lambda decoder, z, longest: _greedy_from(
                decoder, z, longest, choose=lambda logits: logits[:, -1].argmax().expand(len(logits))
            )[:, 1:],
            "argmax() without a dimension looks for the largest logit of the whole batch, and counts through all rows. Each "
            "sentence has a likeliest word of its own: argmax(dim=1).",
        ),
        Mistake(
            "The words of all places put behind",
            _all_places_behind,
            "In each turn the decoder has a word for *every* place, and all of them are put behind the tokens, which double. "
            "Only the last place is about the next word: logits[:, -1].",
        ),
        Mistake(
            "The mean of all places",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, choose=lambda logits: logits.mean(1).argmax(1))[
                :, 1:
            ],
            "Only the logits of the last place are about the next word.",
        ),
        Mistake(
            "The new word has no dimension of time yet",
            _joined_without_time,
            "torch.cat joins tensors of equally many dimensions, and the new words are (batch,). next_word[:, None] is "
            "(batch, 1), a column that can be put behind the tokens.",
        ),
        Mistake(
            "The logits of a pad",
            _from_rows_of_pads,
            "In rows that are full of pads at first, the last place is a pad until the end. The logits about the next word are "
            "those of the last word so far: logits[:, t] in turn t, counted from 0.",
        ),
        Mistake(
            "Begins with <pad>",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, first=PAD)[:, 1:],
            "In training each sentence began with <bos>, which is 1. torch.zeros gives <pad>.",
        ),
        Mistake(
            "Begins with <eos>",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, first=EOS)[:, 1:],
            "In training each sentence began with <bos>, which is 1; 2 is <eos>.",
        ),
        Mistake(
            "New words put before the old ones",
            lambda decoder, z, longest: _greedy_from(decoder, z, longest, before=True)[:, :-1],
            "A sentence is read from left to right: torch.cat([tokens, next_word[:, None]], dim=1).",
        ),
        Mistake(
            "z is not used",
            lambda decoder, z, longest: write_greedily(decoder, torch.zeros_like(z), longest),
            "Then every sentence is the same. Give the decoder z in each turn.",
        ),
        Mistake(
            "The first z for all",
            lambda decoder, z, longest: write_greedily(decoder, z[:1].expand(len(z), -1), longest),
            "Row k of z belongs to sentence k.",
        ),
        Mistake(
            "One sentence only",
            lambda decoder, z, longest: write_greedily(decoder, z[:1], longest),
            "Write a sentence for every z, a row for each: not the first alone.",
        ),
        Mistake(
            "Time first",
            lambda decoder, z, longest: write_greedily(decoder, z, longest).T,
            "A row is a sentence: (batch, longest).",
        ),
    ),
)

# --- costs without z ---------------------------------------------------------------------------------------------------


def costs_over_z(costs: Tensor) -> Tensor:
    log_p_given_z = -costs.cumsum(dim=2)
    log_p = torch.logsumexp(log_p_given_z, dim=0) - math.log(len(costs))
    before = functional.pad(log_p[:, :-1], (1, 0))
    return before - log_p


def _costs_given_z() -> list[Arguments]:
    return [
        doubles([[[0.5]], [[0.5]]]),
        # the example of the lesson: the smallest that tells the weights before a word from those after it, or after the last
        doubles([[[math.log(2), math.log(2)]], [[math.log(4), math.log(4)]]]),
        doubles([[[0.5, 1.0, 3.0]]]),
        doubles([[[0.5, 2.0, 0.25]], [[3.0, 0.125, 1.0]]]),
        doubles([[[0.5, 2.0], [1.0, 0.0]], [[3.0, 0.125], [0.5, 0.0]], [[1.0, 1.5], [2.5, 0.0]]]),
        doubles([[[900.0, 800.0], [0.5, 1.0]], [[901.0, 799.0], [0.25, 3.0]]]),  # exp of minus that is 0 to a computer
    ]


def _drawn_costs(generator: Generator) -> Arguments:
    draws, batch, places = sizes(generator, 3, 2, 6)
    return (numbers(generator, draws, batch, places, low=0, high=4),)


def _of_beginnings(costs: Tensor) -> Tensor:
    """-log p of the first 1, 2, ... words, (batch, places)."""
    return costs_over_z(costs).cumsum(1)


def _log_weights_before(costs: Tensor) -> Tensor:
    """For each word the log weight of each draw, by how well it fits the words before: (draws, batch, places)."""
    return functional.pad(-costs.cumsum(2)[:, :, :-1], (1, 0)).log_softmax(0)


def _along_sentences(costs: Tensor) -> Tensor:
    """As ``costs_over_z``, with the costs of other sentences added up in place of those of words before."""
    log_p = torch.logsumexp(-costs.cumsum(1), 0) - math.log(len(costs))
    return functional.pad(log_p[:, :-1], (1, 0)) - log_p


_UNDERFLOW = "exp(-900) is 0 to a computer. Stay with logarithms: torch.logsumexp(..., dim=0)."
_BEGINNINGS = (
    "The words before tell something about z, so that not all draws count alike for the next word. Average the probabilities "
    "of *beginnings*, and take the ratio of two."
)
_KNOW_THE_SENTENCE = (
    "Your weights know too much: they are those of the whole sentence at every place. The weight of a draw for word t "
    "comes from the words *before* t, so it changes from word to word; for the first word all draws weigh the same."
)
_KNOW_TOO_MUCH = (
    "Your weights know too much: they count the word whose cost is asked for. The weight of a draw for word t comes from the "
    "words *before* t; for the first word all draws weigh the same."
)

COSTS_OVER_Z = Exercise(
    task="-log p of each word given the words before, (batch, places), from its costs given z, (draws, batch, places), each "
    "draw with a z from the prior. Also where exp of minus the costs rounds to 0.",
    reference=costs_over_z,
    cases=_costs_given_z,
    generate=_drawn_costs,
    lesson=lambda g: (3 * torch.rand(64, 30, 16, generator=g),),
    hints=(
        "Begin with log p of the *beginnings* given z: a beginning of t words costs what its words cost together. cumsum "
        "adds them up along the places.",
        "The probability of a beginning is the mean of its probabilities over the draws. In logs: logsumexp over the draws, "
        "and minus the log of their number.",
        "log_p = torch.logsumexp(-costs.cumsum(dim=2), dim=0) - math.log(len(costs)). A word's cost is log p of the beginning "
        "before it, 0 for the empty one: functional.pad(log_p[:, :-1], (1, 0)) - log_p.",
    ),
    mistakes=(
        Mistake(
            "The mean of the costs",
            lambda costs: costs.mean(0),
            "It is the probabilities that are averaged, not their logs; and not those of single words, but of beginnings.",
        ),
        Mistake(
            "Each word by itself",
            lambda costs: math.log(len(costs)) - torch.logsumexp(-costs, 0),
            _BEGINNINGS,
        ),
        Mistake(
            "Each word by itself, and underflow",
            lambda costs: -(-costs).exp().mean(0).log(),
            f"{_BEGINNINGS} And {_UNDERFLOW}",
        ),
        Mistake(
            "The draws weighted by the word itself too",
            lambda costs: -torch.logsumexp((-costs.cumsum(2)).log_softmax(0) - costs, 0),
            _KNOW_TOO_MUCH,
        ),
        Mistake(
            "The draws weighted by the word itself too, and underflow",
            lambda costs: -((-costs.cumsum(2)).softmax(0) * (-costs).exp()).sum(0).log(),
            f"{_KNOW_TOO_MUCH} And {_UNDERFLOW}",
        ),
        Mistake(
            "The draws weighted by the word itself too, and underflow",
            lambda costs: -(((-costs.cumsum(2)).exp() * (-costs).exp()).sum(0) / (-costs.cumsum(2)).exp().sum(0)).log(),
            f"{_KNOW_TOO_MUCH} And {_UNDERFLOW}",
        ),
        Mistake(
            "The draws weighted by the whole sentence",
            lambda costs: -torch.logsumexp((-costs.sum(2, keepdim=True)).log_softmax(0) - costs, 0),
            _KNOW_THE_SENTENCE,
        ),
        Mistake(
            "The draws weighted by the whole sentence, and underflow",
            lambda costs: -((-costs.sum(2, keepdim=True)).softmax(0) * (-costs).exp()).sum(0).log(),
            f"{_KNOW_THE_SENTENCE} And {_UNDERFLOW}",
        ),
        Mistake(
            "The weighted mean of the costs",
            lambda costs: (_log_weights_before(costs).exp() * costs).sum(0),
            "The weights are right, but it is the probabilities that they average, not the costs: take exp(-cost) first, and "
            "minus the log of the mean afterwards.",
        ),
        Mistake(
            "The costs of beginnings",
            _of_beginnings,
            "These are the costs of the first t words together. The cost of word t is what it adds to them.",
        ),
        Mistake(
            "The costs of beginnings, and underflow",
            lambda costs: -(-costs.cumsum(2)).exp().mean(0).log(),
            f"These are the costs of the first t words together. The cost of word t is what it adds to them. And {_UNDERFLOW}",
        ),
        Mistake(
            "Added up over the sentences in place of the words",
            _along_sentences,
            "cumsum(dim=1) adds the costs of one sentence to those of the next. A beginning is made of the words of one "
            "sentence: its places are dimension 2.",
        ),
        Mistake(
            "The number of draws forgotten",
            lambda costs: costs_over_z(costs) - math.log(len(costs)) * (torch.arange(costs.shape[2]) == 0),
            "logsumexp is the log of a sum, and wanted is a mean: take off the log of the number of draws. (It cancels at all "
            "places but the first.)",
        ),
        Mistake(
            "The first word has no cost",
            lambda costs: costs_over_z(costs)[:, 1:],
            "The first word has a cost too: before it stands the empty beginning, whose probability is 1, and log 1 = 0.",
        ),
        Mistake(
            "The first word costs nothing",
            lambda costs: costs_over_z(costs) * (torch.arange(costs.shape[2]) > 0),
            "Before the first word stands the empty beginning, whose probability is 1: log 1 = 0, and not log p of the first "
            "word.",
        ),
        Mistake(
            "Underflow: exp of the log probabilities is 0",
            lambda costs: (
                functional.pad((-costs.cumsum(2)).exp().mean(0).log()[:, :-1], (1, 0)) - (-costs.cumsum(2)).exp().mean(0).log()
            ),
            "Right on paper, but exp(-1700) is 0 to a computer. logsumexp takes care of that.",
        ),
        Mistake(
            "Underflow: exp of the log probabilities is 0",
            lambda costs: -(_log_weights_before(costs).exp() * (-costs).exp()).sum(0).log(),
            f"Right on paper, and your weights are right too, but {_UNDERFLOW}",
        ),
        Mistake(
            "The sentences averaged in place of the draws",
            lambda costs: costs_over_z(costs.transpose(0, 1)),
            "Dimension 0 holds the draws: average over them, for each sentence by itself.",
        ),
        Mistake(
            "The costs taken for log probabilities",
            lambda costs: costs_over_z(-costs),
            "A cost is *minus* log p: turn the sign before logsumexp.",
        ),
    ),
)

# --- how many draws count ---------------------------------------------------------------------------------------------


def effective_sample_size(log_weights: Tensor) -> Tensor:
    weights = (log_weights - log_weights.amax(dim=0)).exp()
    return weights.sum(dim=0).square() / weights.square().sum(dim=0)


def _weighted_draws() -> list[Arguments]:
    return [
        doubles([[-14.0]]),
        doubles([[-14.0], [-15.0]]),
        doubles([[-2.0, 0.5], [-1.0, 1.5], [-3.0, 1.0]]),
        doubles([[-14.0, -12.0, -13.0], [-14.0, -22.0, -12.5]]),
        doubles([[-1500.0], [-1501.0], [-1500.5]]),
        doubles([[-1500.0, -20.0], [-1503.0, -21.0]]),
        doubles([[-1000.0], [-2000.0], [-1000.0]]),  # so far apart that exp overflows above the smallest, not above their mean
        doubles([[-3000.0, -20.0], [-1500.0, -21.0]]),  # so far apart that exp overflows above their mean
        doubles([[900.0, -20.0], [901.0, -21.0], [899.5, -20.5]]),
    ]


def _drawn_weights(generator: Generator) -> Arguments:
    """Of short sentences, and of one or the other text so long that its probability rounds to 0."""
    draws, batch = sizes(generator, 2, 2, 6)
    long = -1000.0 * whole(generator, batch, low=0, high=1) * (size(generator, 0, 2) == 0)
    return (long + numbers(generator, draws, batch, low=-9, high=-5),)


def _weights(log_weights: Tensor) -> Tensor:
    return (log_weights - log_weights.amax(dim=0)).exp()


def _less(log_weights: Tensor, largest: Tensor) -> Tensor:
    """The effective sample size, with ``largest`` taken off the log weights."""
    weights = (log_weights - largest).exp()
    return weights.sum(0).square() / weights.square().sum(0)


def _never_by_zero(added: float) -> Mistake:
    """A small number added below, so that nothing is divided by 0."""

    def function(log_weights: Tensor) -> Tensor:
        weights = log_weights.exp()
        return weights.sum(0).square() / (weights.square().sum(0) + added)

    return Mistake(
        "A small number added below",
        function,
        "It keeps 0 / 0 from becoming nan, but the answer there is not 0: exp(-1500) is 0 to a computer, and of weights that "
        "are all 0 nothing can be told. Take each sentence's largest log weight off first: then no sum is 0, and nothing "
        "has to be added.",
    )


EFFECTIVE_SAMPLE_SIZE = Exercise(
    task="(sum of the weights)^2 / (sum of the squared weights) over the draws, from log weights (draws, batch), to (batch,). "
    "Also where exp of them rounds to 0.",
    reference=effective_sample_size,
    cases=_weighted_draws,
    generate=_drawn_weights,
    lesson=lambda g: (-14 + 2 * torch.randn(256, 60, generator=g),),
    hints=(
        "Multiply all weights by the same number: what happens to the fraction? So you may choose a number that keeps exp "
        "from rounding to 0. (Or stay with logarithms: what are the logs of both sums?)",
        "Take the largest log weight of each sentence off before exp: the largest weight is then 1, and the fraction is what "
        "it was.",
        "weights = (log_weights - log_weights.amax(dim=0)).exp(). Then weights.sum(dim=0).square() over "
        "weights.square().sum(dim=0).",
    ),
    mistakes=(
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_weights: log_weights.exp().sum(0).square() / log_weights.exp().square().sum(0),
            "Right on paper, but exp(-1500) is 0 to a computer, and exp(900) is inf. Take each sentence's largest log weight "
            "off first: it cancels.",
        ),
        Mistake(
            "The mean taken off in place of the largest",
            lambda log_weights: (
                (log_weights - log_weights.mean(0)).exp().sum(0).square()
                / (log_weights - log_weights.mean(0)).exp().square().sum(0)
            ),
            "It cancels too, but where log weights lie far apart, exp of the largest is inf: log weights of -3000 and -1500 "
            "lie 750 from their mean. Take off the largest: then no weight is above 1.",
        ),
        Mistake(
            "The smallest taken off in place of the largest",
            lambda log_weights: (
                (log_weights - log_weights.amin(0)).exp().sum(0).square()
                / (log_weights - log_weights.amin(0)).exp().square().sum(0)
            ),
            "It cancels too, but where log weights lie far apart, exp of the largest is inf. Take off the largest: then no "
            "weight is above 1.",
        ),
        Mistake(
            "softmax over the batch in place of the draws",
            lambda log_weights: 1 / log_weights.softmax(1).square().sum(0),
            "Dimension 0 holds the draws: the weights of each sentence are to be set in proportion to each other, "
            "softmax(dim=0).",
        ),
        Mistake(
            "The largest weight of the whole batch taken off",
            lambda log_weights: (
                (log_weights - log_weights.max()).exp().sum(0).square()
                / (log_weights - log_weights.max()).exp().square().sum(0)
            ),
            "Next to a short sentence's weights a long one's still round to 0. Take off each sentence's own largest, "
            "amax(dim=0).",
        ),
        Mistake(
            "The largest weight over the batch taken off",
            lambda log_weights: _less(log_weights, log_weights.amax(dim=1, keepdim=True)),
            "amax(dim=1) is the largest of each *draw*, over the sentences. It does not cancel in a sum over the draws. Take "
            "off the largest of each sentence, over its draws: amax(dim=0).",
        ),
        Mistake(
            "The largest weight over the batch taken off",
            lambda log_weights: _less(log_weights, log_weights.amax(dim=1)),
            "amax(dim=1) is the largest of each *draw*, over the sentences. It does not cancel in a sum over the draws. Take "
            "off the largest of each sentence, over its draws: amax(dim=0).",
        ),
        *map(_never_by_zero, (1e-30, 1e-20, 1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-6)),
        Mistake(
            "The logs taken for the weights",
            lambda log_weights: log_weights.sum(0).square() / log_weights.square().sum(0),
            "These are logarithms. The weights are their exp.",
        ),
        Mistake(
            "The logs taken for the weights, the largest taken off",
            lambda log_weights: (
                (log_weights - log_weights.amax(0)).sum(0).square() / (log_weights - log_weights.amax(0)).square().sum(0)
            ),
            "These are logarithms still. The weights are their exp.",
        ),
        Mistake(
            "Upside down",
            lambda log_weights: 1 / effective_sample_size(log_weights),
            "With equal weights it should be the number of draws: the square of the sum stands above.",
        ),
        Mistake(
            "A share of the draws",
            lambda log_weights: effective_sample_size(log_weights) / len(log_weights),
            "This is the share of the draws that counts, from 0 to 1. Asked is their number: sums, not means.",
        ),
        Mistake(
            "Over the batch in place of the draws",
            lambda log_weights: effective_sample_size(log_weights.T),
            "Dimension 0 holds the draws: sum over them, for each sentence by itself.",
        ),
        Mistake(
            "All sentences together",
            lambda log_weights: _weights(log_weights).sum().square() / _weights(log_weights).square().sum(),
            "Each sentence has weights of its own: sum over dimension 0 only.",
        ),
        Mistake(
            "The sum is not squared",
            lambda log_weights: _weights(log_weights).sum(0) / _weights(log_weights).square().sum(0),
            "Square the sum above, else the result depends on what the weights are multiplied with.",
        ),
        Mistake(
            "The weights are not squared",
            lambda log_weights: _weights(log_weights).sum(0).square() / _weights(log_weights).sum(0),
            "Below stands the sum of the *squares*. (With the largest weight at 1, yours is 1 over the largest share: another "
            "measure of the same thing.)",
        ),
        Mistake(
            "The squares of the sums twice",
            lambda log_weights: _weights(log_weights).sum(0).square() / _weights(log_weights).sum(0).square(),
            "Above: first the sum, then the square. Below: first the square of each weight, then the sum.",
        ),
        Mistake(
            "exp of the entropy",
            lambda log_weights: torch.exp(-(log_weights.softmax(0) * log_weights.log_softmax(0)).sum(0)),
            "That is the perplexity of the weights, another measure of the same thing. Asked is (sum w)^2 / sum w^2.",
        ),
        Mistake(
            "The sum below is of weights, not of their squares",
            lambda log_weights: (2 * torch.logsumexp(log_weights, 0) - torch.logsumexp(log_weights, 0)).exp(),
            "Below stands the sum of the *squared* weights, and the log of w^2 is 2 log w: torch.logsumexp(2 * log_weights, "
            "dim=0).",
        ),
        Mistake(
            "The sum above is not squared, in logs",
            lambda log_weights: (torch.logsumexp(log_weights, 0) - torch.logsumexp(2 * log_weights, 0)).exp(),
            "Above stands the *square* of the sum, and the log of a square is twice the log: 2 * torch.logsumexp(log_weights, "
            "dim=0).",
        ),
        Mistake(
            "The logs squared",
            lambda log_weights: (2 * torch.logsumexp(log_weights, 0) - torch.logsumexp(log_weights.square(), 0)).exp(),
            "It is the weight that is squared below, not its logarithm: the log of w^2 is 2 log w.",
        ),
        Mistake(
            "The log of the sum squared",
            lambda log_weights: (torch.logsumexp(log_weights, 0).square() - torch.logsumexp(2 * log_weights, 0)).exp(),
            "It is the sum that is squared above, not its logarithm: the log of a square is *twice* the log.",
        ),
        Mistake(
            "The log of it",
            lambda log_weights: effective_sample_size(log_weights).log(),
            "2 logsumexp(log w) - logsumexp(2 log w) is the logarithm of what is asked. Take exp.",
        ),
    ),
)

EXERCISES = (TO_BATCH, SENTENCE_NLL, Z_AT_EVERY_WORD, TEXT_VAE_LOSS, WRITE_GREEDILY, COSTS_OVER_Z, EFFECTIVE_SAMPLE_SIZE)

PREDICTIONS = (
    Prediction(
        "perplexity_of_the_truth",
        ("3", "10", "97"),
        answer="3",
        because="the grammar fixes many words outright, and a fact has only a few values.",
        wrong={
            "10": (
                "Where a fact is told there may well be so many choices, or nearly. But all tokens are counted, those that "
                "the grammar settles as well."
            ),
            "97": (
                "So unsure is one who knows the words and nothing of the grammar. The words before rule out nearly all others."
            ),
        },
    ),
    Prediction(
        "sentences_of_a_thousand_z",
        ("a few", "about 100", "more than 300"),
        answer="a few",
        because="the decoder has learned to write without z. Why, lesson 08 asks.",
        wrong={
            "about 100": "A decoder that listened a little might do that. This one hardly listens.",
            "more than 300": (
                "There are millions of sentences, and 1,000 z; a decoder that listened to z would write about as many. This "
                "one hardly listens."
            ),
        },
    ),
    Prediction(
        "whom_z_helps",
        ("two words", "two and four words", "all windows", "all of them"),
        answer="two and four words",
        because=(
            "z can tell them what their words and their place leave open: whether the time was told first, and the person, "
            "on whom the place depends. Eight words and the place leave little of that open, and the LSTM reads all."
        ),
        wrong={
            "two words": (
                "It would be so if four words and the place told all that matters. But what comes next also depends on words "
                "that stand farther back."
            ),
            "all windows": (
                "What is not seen may still be known. Eight words do not show a time that was told first, but together with "
                "the place they nearly always tell of it. So z has little left to tell."
            ),
            "all of them": (
                "As z knows the whole sentence, it may be expected to help everybody. But what it tells of words to come costs "
                "as much as those words; only what the decoder has missed or forgotten is worth the price."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "a_bound_beside_an_nll",
        question=(
            "A table sets the negative ELBO of a VAE beside the NLL of a language model, and the VAE's is higher. Why does "
            "that not show that the VAE is the worse model?"
        ),
        model=(
            "The negative ELBO is the VAE's own NLL plus what its encoder misses, the KL from $q$ to the posterior. So the "
            "NLL lies somewhere below, and it may lie below the language model's. Many weighted samples tighten the bound, "
            "but a bound it remains."
        ),
        rubric=(
            "$-$ELBO is an upper bound on the NLL;",
            "the excess is the encoder's gap, and says nothing of how well the model knows the data;",
            "to compare, tighten the bound with samples, and say that it is one.",
        ),
    ),
)
