"""The study ``translation_world``: what lesson 13 on translation shows without training it.

All words at once with z and without, one latent between three languages, and how few pairs each model needs.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vae_course.applications.translation import LANGUAGES, apart, other_wordings, right, scores, share_right, sides, two_pairs
from vae_course.studies.store import Figures, Run, digest
from vae_course.text import corpora
from vae_course.text.batches import PairBatches, SentenceBatches, pad
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.cures import Budget, fit
from vae_course.text.decoding import greedy
from vae_course.text.models import TextSizes
from vae_course.text.objectives import NegativeElbo, free_bits, linear_annealing
from vae_course.text.parallel import ParallelTextVAE, ParallelTranslator
from vae_course.text.shared_latent import train_shared
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import seeded, seeded_module
from vae_course.world.languages import WORLD, splits

NAME = "translation_world"
SMALL = TextSizes(embedding=64, hidden=64, latent=16)
SHARED = TextSizes(embedding=64, hidden=128, latent=32, context=2)
# Few pairs: two models without z, and one latent with and without further text. The first, third and fourth are equally wide.
PLAIN, NARROW = "sequence to sequence", "sequence to sequence, half as wide"
PAIRS_ONLY, AND_TEXT = "one latent, pairs only", "one latent, and text without pairs"
FEW_PAIRS = (PLAIN, NARROW, PAIRS_ONLY, AND_TEXT)


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Train and score what the lesson only shows, half an hour on one core, and store it; returns the file.

    What is finished is kept in ``scratch``, model by model. It needs no ``folder``, its models have ``steps`` of their own
    each, and it computes where its small models are fastest, on a CPU. Raises ``ValueError`` for other wishes, and for a part
    that is not of this run.
    """
    if steps is not None or (device is not None and device.type != "cpu"):
        raise ValueError(f"{NAME}: its models have steps of their own and run on a CPU; leave --steps out, and --device cpu")
    texts = {language: digest(dict(splits(language))) for language in LANGUAGES}
    settings = {"texts": texts, "small": asdict(SMALL), "shared": asdict(SHARED)}
    run = Run.of(NAME, __name__, settings, scratch=scratch, device=device)

    def rows(part: str, make: Callable[..., Figures], *choices: Iterable[Any]) -> list[Figures]:
        chosen = list(itertools.product(*choices))
        names = ["-".join([part, *map(str, choice)]).replace(" ", "-") for choice in chosen]
        return [run.kept(name, partial(make, *choice), chosen=choice) for name, choice in zip(names, chosen, strict=True)]

    document = {
        "at_once": rows("at-once", _at_once, LANGUAGES, (0,)),
        "directions": [row for part in rows("directions", _directions, (0, 1)) for row in part["rows"]],
        "few_pairs": rows("few-pairs", _few_pairs, (50, 100, 300, 1_000), (0, 1, 2), FEW_PAIRS),
        **run.made_by(),
    }
    return run.store(document)


def _trained(
    model: SequenceToSequence | ConditionalTextVAE, batches: PairBatches, budget: Budget, seed: int
) -> SequenceToSequence | ConditionalTextVAE:
    objective: Any = model
    if isinstance(model, ConditionalTextVAE):
        objective = NegativeElbo(model, linear_annealing(budget.steps // 2), free_bits(0.1))
    fit(objective, batches, budget, seed=seed)
    return model


def _at_once(language: str, seed: int, steps: int = 2_000, count: int = 500) -> Figures:
    """All words at once into ``language``, with z and without it, beside what independent places can do at best."""
    source, target = sides("world", ("chinese" if language == "english" else "english", language))
    rows, answer = PairBatches(source.encoded("train"), target.encoded("train"), 32), target.test[:count]
    question, sizes = pad(source.encoded("test")[:count]), TextSizes(embedding=32, hidden=96, latent=16)
    words, longest = (len(source.vocabulary), len(target.vocabulary)), max(map(len, rows.targets))
    plain = seeded_module(seed, lambda: SequenceToSequence(*words, sizes))
    _trained(plain, rows, Budget(320, 32, 1e-2, checks=1), seed)  # the reader is learned word by word (Gu 2018)
    blind = seeded_module(seed, lambda: ParallelTranslator(*words, sizes, longest))
    vae = seeded_module(seed, lambda: ParallelTextVAE(*words, sizes, longest))
    for model in (blind, vae):
        model.reader.load_state_dict(plain.reader.state_dict())
        _trained(model, rows, Budget(steps, 32, 8e-3, checks=1), seed)
    with torch.no_grad():
        first = vae.writer(question).at_once(vae.prior(question).sample(seeded(seed)))
        found = {
            "without z": blind.writer(question).at_once(None),
            "z drawn": first,
            "one look back": vae.refined(question, first),
            "prior mean": vae.writer(question).at_once(vae.prior(question).mean),
        }
    best = apart(answer, WORLD[language])
    likeliest = right([one.likeliest for one in best], answer, WORLD[language])
    return {
        "language": language,
        "seed": seed,
        "steps": steps,
        "right": {name: share_right(written, answer, target) for name, written in found.items()},
        "likeliest words apart": float(likeliest.double().mean()),
        "nats apart": sum(one.nats for one in best) / len(best),
    }


def _few_pairs(pairs: int, seed: int, name: str, steps: int = 500, count: int = 500) -> Figures:
    """English to Chinese from few ``pairs``, by the model ``name`` of ``FEW_PAIRS``: the share right."""
    source, target = sides("world")
    read, write = source.encoded("train"), target.encoded("train")
    question, answer = source.encoded("test")[:count], target.test[:count]
    rows, words = PairBatches(read[:pairs], write[:pairs], 32), (len(source.vocabulary), len(target.vocabulary))
    if name in (PLAIN, NARROW):
        sizes = replace(SMALL, hidden=SHARED.hidden if name == PLAIN else SMALL.hidden, dropout=0.2)
        plain = seeded_module(seed, lambda: SequenceToSequence(*words, sizes))
        _trained(plain, rows, Budget(steps, 32, 1e-2, checks=1), seed)
        written = greedy(plain.writer(pad(question)), None, count)
    else:
        kinds: list[tuple[tuple[str, ...], PairBatches | SentenceBatches]] = [(("english", "chinese"), rows)]
        if name == AND_TEXT:
            kinds.append((("english",), SentenceBatches(read[50_000:70_000], 32)))
            kinds.append((("chinese",), SentenceBatches(write[70_000:90_000], 32)))  # of other facts than the English ones
        sizes_of = dict(zip(LANGUAGES[:2], words, strict=True))
        shared, _ = train_shared(kinds, sizes_of, replace(SHARED, dropout=0.2), steps, seed=seed)
        written = shared.translate(question, *LANGUAGES[:2])
    return {"pairs": pairs, "seed": seed, "name": name, "right": share_right(written, answer, target)}


def _directions(seed: int, steps: int = 1000, count: int = 500) -> Figures:
    """Every language into every other by one latent; Chinese and French never met. Also by way of English."""
    texts = {language: corpora.load("world", language=language) for language in LANGUAGES}
    model, _ = train_shared(*two_pairs(texts), SHARED, steps, seed=seed)
    rows = []
    for source, target in itertools.product(LANGUAGES, repeat=2):
        there = texts[target]
        question, references = texts[source].encoded("test")[:count], there.test[:count]
        written = model.translate(question, source, target)
        said = [there.vocabulary.decode(row) for row in written]
        (drawn,) = other_wordings(references, WORLD[target], seeded(seed))
        row = {"seed": seed, "source": source, "target": target, "right": share_right(written, references, there)}
        row |= asdict(scores(said, [references])) | {"par": asdict(scores(drawn, [references]))}
        row["said"] = [[there.tokenizer.join(tokens) for tokens in part[:2]] for part in (texts[source].test, said)]
        if "english" not in (source, target) and source != target:
            middle = [[BOS, *words, EOS] for words in model.translate(question, source, "english")]
            row["by way of English"] = share_right(model.translate(middle, "english", target), references, there)
        rows.append(row)
    return {"rows": rows}
