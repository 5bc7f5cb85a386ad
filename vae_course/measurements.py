"""Full runs whose figures the lessons show: train, measure everything, and store it with its circumstances in data/results/."""

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sacrebleu
import torch

from vae_course.corpora import Corpus
from vae_course.cures import CURES, Budget, train_language_model, train_vae
from vae_course.decoding import sampled
from vae_course.evaluation import (
    Likelihood,
    ablation,
    active_units,
    device_of,
    encode,
    exact_nll,
    facts_kept,
    information,
    likelihood,
    reconstruction,
    share_in_language,
)
from vae_course.text_models import LanguageModel, TextSizes, TextVAE
from vae_course.training import seeded

Figures = dict[str, Any]
LANGUAGE_MODEL = "language model"
RESULTS = Path(__file__).resolve().parent.parent / "data" / "results"


def measure(
    corpus: Corpus,
    names: Sequence[str],
    *,
    sizes: TextSizes,
    budget: Budget,
    seed: int,
    samples: int,
    folder: Path,
    device: torch.device | None = None,
) -> list[Figures]:
    """Train every named cure ("language model" for the yardstick) on a corpus, and measure it on the test set.

    Each finished figure is kept in ``folder`` beside the checkpoints, so a stopped run goes on where it was.
    """
    unknown = set(names) - {LANGUAGE_MODEL, *CURES}
    if unknown:
        raise ValueError(f"no such cure: {', '.join(sorted(unknown))}; there are {LANGUAGE_MODEL}, {', '.join(CURES)}")
    rows = []
    for name in names:
        path = folder / f"{corpus.name}-{name.replace(' ', '-')}-{seed}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            figures = _measure_one(corpus, name, sizes, budget, seed, samples, path.with_suffix(".pt"), device)
            path.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        rows.append(json.loads(path.read_text(encoding="utf-8")))
    return rows


def _measure_one(
    corpus: Corpus,
    name: str,
    sizes: TextSizes,
    budget: Budget,
    seed: int,
    samples: int,
    checkpoint: Path,
    device: torch.device | None,
) -> Figures:
    train, test = corpus.encoded("train"), corpus.encoded("test")
    start = time.process_time()
    model: LanguageModel | TextVAE
    if name == LANGUAGE_MODEL:
        model, history = train_language_model(
            train, len(corpus.vocabulary), sizes=sizes, budget=budget, seed=seed, device=device, checkpoint=checkpoint
        )
    else:
        trained = train_vae(
            CURES[name],
            train,
            len(corpus.vocabulary),
            sizes=sizes,
            budget=budget,
            seed=seed,
            device=device,
            validation=corpus.encoded("validation"),
            checkpoint=checkpoint,
        )
        model, history = trained.model, trained.history
    seconds = time.process_time() - start
    figures: Figures = {
        "name": name,
        "paper": "" if name == LANGUAGE_MODEL else CURES[name].paper,
        "seed": seed,
        "cpu_seconds_of_training": round(seconds, 1),
        "history": {key: [round(value, 4) for value in values] for key, values in history.metrics.items()},
    }
    return figures | test_figures(model, corpus, test, samples)


def test_figures(model: LanguageModel | TextVAE, corpus: Corpus, test: list[list[int]], samples: int) -> Figures:
    """Everything that is measured of a model on encoded test sentences of ``corpus``; the truth too, where it is known."""
    measured = likelihood(model, test, seeded(0), samples)
    figures = _likelihood_figures(measured)
    if isinstance(model, TextVAE):
        figures |= _latent_figures(model, corpus, test)
    if corpus.language is not None:
        figures |= _truth_figures(model, corpus, measured)
    return figures


def _likelihood_figures(measured: Likelihood) -> Figures:
    nll = measured.nats_per_sentence
    figures: Figures = {
        "nll": nll.value,
        "nll_standard_error": nll.standard_error,
        "samples": measured.samples,
        "sentences": len(measured.nll),
        "tokens": measured.tokens,
        "perplexity": measured.perplexity,
    }
    if measured.rate is not None and measured.distortion is not None:
        figures |= {
            "negative_elbo": measured.negative_elbo.value,
            "rate": float(measured.rate.mean()),
            "distortion": float(measured.distortion.mean()),
        }
    return figures


def _latent_figures(model: TextVAE, corpus: Corpus, test: list[list[int]]) -> Figures:
    q = encode(model, test)
    divided, ablated = information(q, seeded(1)), ablation(model, test, seeded(2))
    rebuilt = reconstruction(model, test, corpus.vocabulary)
    figures: Figures = {
        "mutual_information": divided.mutual_information.value,
        "mutual_information_cap": divided.cap,
        "aggregate_kl": divided.aggregate_kl.value,
        "active_units": active_units(q.mean),
        "distortion_own_z": ablated.own.value,
        "distortion_shuffled_z": ablated.shuffled.value,
        "distortion_prior_z": ablated.prior.value,
        "exact_reconstructions": rebuilt.exact,
        "reconstruction_bleu": rebuilt.bleu,
    }
    if corpus.language is not None:
        originals = [corpus.vocabulary.decode(sentence) for sentence in test]
        figures["facts_kept"] = facts_kept(originals, rebuilt.sentences, corpus.language)
    return figures


def _truth_figures(model: LanguageModel | TextVAE, corpus: Corpus, measured: Likelihood) -> Figures:
    language = corpus.language
    assert language is not None
    above = measured.above(exact_nll(language, corpus.test))
    z = None
    if isinstance(model, TextVAE):
        z = encode(model, corpus.encoded("test")[:1000]).prior.sample(seeded(3)).to(device_of(model))
    written = sampled(model.decoder, z, seeded(4), count=None if z is not None else 1000)
    return {
        "nats_above_truth": above.value,
        "nats_above_truth_standard_error": above.standard_error,
        "samples_in_language": share_in_language([corpus.vocabulary.decode(row) for row in written], language),
    }


def store(path: Path, rows: list[Figures], *, corpus: Corpus, sizes: TextSizes, budget: Budget, command: str) -> None:
    """Write the figures with all that is needed to make them again."""
    document = {
        "corpus": corpus.name,
        "entropy": corpus.language.entropy if corpus.language is not None else None,
        "sizes": asdict(sizes),
        "budget": asdict(budget),
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "sacrebleu": sacrebleu.__version__},
        "device": "CPU, one thread",
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def stored(name: str) -> Figures:
    """The document ``data/results/<name>.json`` that ``store`` wrote. Raises ``FileNotFoundError`` if there is none."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; `vae-course measure {name}` makes it")
    document: Figures = json.loads(path.read_text(encoding="utf-8"))
    return document
