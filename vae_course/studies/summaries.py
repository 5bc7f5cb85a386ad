"""The study ``flickr``: four of a picture's five captions into one, by means of codes of a text VAE, beside simpler rules."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import torch

from vae_course.applications.summarization import medoid, overlap, rouge, subset_means, subsets, word_counts, written_from
from vae_course.studies.store import Run, digest
from vae_course.text.batches import SentenceBatches
from vae_course.text.corpora import captions
from vae_course.text.cures import Budget, fit
from vae_course.text.evaluation import encode
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo, linear_annealing
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded_module
from vae_course.world.grammar import Tokens

NAME = "flickr"
# About five minutes of one thread a model; words beyond the 1,000 most frequent are looked at only where needed.
CAPTION_SIZES = TextSizes(embedding=96, hidden=192, latent=128, cutoffs=(1_000,))
CAPTION_BUDGET = Budget(14_000, 32, 4e-3, checks=20)
CAPTION_WORDS = 4_000  # of the vocabulary; the others are unknown
CAPTION_MODELS = {"autoencoder": 0.0, "KL weight 0.15": 0.15}


def measure(*, scratch: Path, folder: Path | None = None, steps: int | None = None, device: torch.device | None = None) -> Path:
    """Four captions of a picture into one, the fifth being the reference; trained on single captions, without summaries.

    Returns the file, see ``store.Run``. A stopped run goes on from the checkpoints in ``scratch``; ``folder`` holds the
    captions, ``steps`` replaces the study's own. Raises ``ValueError`` for a checkpoint that is not of this run.
    """
    budget = CAPTION_BUDGET if steps is None else replace(CAPTION_BUDGET, steps=steps)
    corpus = captions(folder)
    alone = [caption for five in corpus["train"] for caption in five]
    vocabulary = Vocabulary.build(alone, max_size=CAPTION_WORDS)
    four, references = [five[:4] for five in corpus["test"]], [five[4] for five in corpus["test"]]
    settings = {"text": digest(alone), "vocabulary": CAPTION_WORDS, "sizes": asdict(CAPTION_SIZES), "budget": asdict(budget)}
    run = Run.of(NAME, __name__, settings, scratch=scratch, steps=steps, own_steps=CAPTION_BUDGET.steps, device=device)
    said = _without_a_model(four)
    seconds = {}
    for name, kl_weight in CAPTION_MODELS.items():
        model = seeded_module(0, lambda: TextVAE(len(vocabulary), CAPTION_SIZES)).to(device)
        objective = NegativeElbo(model, linear_annealing(budget.steps // 2, final=kl_weight)).to(device)
        batches = SentenceBatches([vocabulary.encode(caption) for caption in alone], budget.batch_size, device)
        checkpoint = run.checkpoint(f"{budget.steps}-{name.replace(' ', '-')}", kl_weight=kl_weight)
        history = fit(objective, batches, budget, seed=0, checkpoint=checkpoint)
        seconds[name] = round(sum(history["cpu_seconds"]))
        said |= {f"{rule}, {name}": lines for rule, lines in by_codes(model, vocabulary, four).items()}
    rows = [{"name": name, **_caption_scores(lines, references)} for name, lines in said.items()]  # no sentence is kept
    document = {
        "corpus": "Flickr30k captions (Young 2014), test pictures; the fifth, shortest caption is the reference",
        "pictures": len(four),
        "sizes": asdict(CAPTION_SIZES),
        "budget": asdict(budget),
        "rouge-score": version("rouge-score"),
        "cpu_seconds_of_training": seconds,
        **run.made_by(),
        "rows": rows,
    }
    return run.store(document)


def by_codes(model: TextVAE, vocabulary: Vocabulary, groups: Sequence[Sequence[Tokens]]) -> dict[str, list[Tokens]]:
    """A summary of each group of texts, all groups of one size: by the mean of all codes, and by the best subset's mean.

    Best is what has the highest ROUGE-1 with the texts, on average over them (Iso 2021).
    """
    count, size = len(groups[0]), len(vocabulary)
    texts = [vocabulary.encode(text) for group in groups for text in group]
    masks = subsets(count)
    codes = encode(model, texts).mean.view(len(groups), count, -1)
    rows = written_from(model.decoder, subset_means(codes, masks).flatten(0, 1), longest=40)
    told = word_counts([text[1:-1] for text in texts], size).view(len(groups), 1, count, size)
    tried = [word_counts(rows[k : k + len(masks)], size) for k in range(0, len(rows), len(masks))]
    best = torch.stack([overlap(one[:, None], two).mean(1) for one, two in zip(tried, told, strict=True)]).argmax(1)
    places = {"mean of all": torch.full_like(best, len(masks) - 1), "best subset": best}
    return {
        rule: [vocabulary.decode(rows[len(masks) * k + place]) for k, place in enumerate(chosen.tolist())]
        for rule, chosen in places.items()
    }


def _without_a_model(four: Sequence[Sequence[Tokens]]) -> dict[str, list[Tokens]]:
    """Each caption by its place, and the medoid: the one that shares most words with the others."""
    said = {f"caption {place + 1}": [group[place] for group in four] for place in range(4)}
    medoids = []
    for group in four:
        numbers = {word: number for number, word in enumerate(sorted({word for caption in group for word in caption}))}
        counts = word_counts([[numbers[word] for word in caption] for caption in group], len(numbers))
        medoids.append(group[int(medoid(1 - overlap(counts[:, None], counts[None])))])
    return said | {"medoid": medoids}


def _caption_scores(written: Sequence[Tokens], references: Sequence[Tokens]) -> dict[str, float]:
    scores = {name: round(values.mean().item(), 4) for name, values in rouge(written, references).items()}
    return scores | {"words": round(sum(map(len, written)) / len(written), 2)}
