"""Full runs whose figures the lessons show: train, measure everything, and store it with its circumstances in data/results/."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import joblib
import torch
from tqdm import tqdm

from vae_course.applications.generation import distinct_n, self_bleu, share_different, share_new
from vae_course.probability.estimators import Estimate
from vae_course.studies.store import LANGUAGE_MODEL, Figures, Run, contents
from vae_course.text.corpora import Corpus, TokenKind, load
from vae_course.text.cures import CURES, WITH_OTHER_ENCODERS, Budget, train_language_model, train_vae
from vae_course.text.decoding import greedy, sampled
from vae_course.text.evaluation import (
    Likelihood,
    ablation,
    active_units,
    encode,
    exact_nll,
    facts_kept,
    information,
    information_bounds,
    likelihood,
    likelihood_from_some,
    reconstruction,
    share_in_language,
    without_mismatch,
)
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.training import Checkpoint, device_of, seeded
from vae_course.world.grammar import Language


@dataclass(frozen=True)
class Study:
    """What one results file holds: models by name on a corpus, with one size and one budget, under several seeds.

    ``own_seeds``: those of models that have not the study's ``seeds``. ``defended``: on how many test sentences draws from the
    prior are tried beside the encoder's (see ``_weighted``). ``others``: of how many training sentences the posteriors narrow
    the bounds of the information.
    """

    corpus: str
    names: tuple[str, ...]
    sizes: TextSizes
    budget: Budget
    seeds: tuple[int, ...] = (0,)
    samples: int = 100  # importance samples of each NLL
    weighted: int | None = None  # how many test sentences are importance weighted; None: all (``likelihood_from_some``)
    tokens: TokenKind = "word"
    min_count: int = 1  # of a token in the training text; what is rarer is unknown
    own_seeds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    defended: int = 0
    others: int = 0

    def parts(self) -> list[tuple[int, str]]:
        """(seed, name) of every model to train: all names under the first seed, then under the next."""
        seeds = {name: self.own_seeds.get(name, self.seeds) for name in self.names}
        every = dict.fromkeys(seed for name in self.names for seed in seeds[name])
        return [(seed, name) for seed in sorted(every) for name in self.names if seed in seeds[name]]


# A hundred words need no more than 32 numbers each, and generalize better so.
WORLD_SIZES, WORLD_BUDGET = TextSizes(embedding=32), Budget(steps=4_000, learning_rate=6e-3, checks=40)
# Of the Penn Treebank, as papers train.
THIRTY_EPOCHS = Study(
    "ptb",
    (LANGUAGE_MODEL, "pretraining + free bits a unit"),
    TextSizes(embedding=256, hidden=512, latent=32, encoder="lstm", dropout=0.5, cutoffs=(1_000, 4_000)),
    Budget(steps=40_000, learning_rate=2e-3, checks=40),
    samples=500,
    weighted=800,
    defended=400,
)
EVERY_CURE = CURES | WITH_OTHER_ENCODERS
STUDIES = {
    # About a minute of one thread to train a model and half a minute to measure it; importance weighting and lagging inference
    # take many times that. Three seeds; five of the two that all others are held against.
    "cures_world": Study(
        "world",
        (LANGUAGE_MODEL, *EVERY_CURE),
        WORLD_SIZES,
        WORLD_BUDGET,
        seeds=(0, 1, 2),
        samples=50,
        own_seeds=dict.fromkeys((LANGUAGE_MODEL, "plain"), (0, 1, 2, 3, 4)),
        defended=400,
        others=16_000,
    ),
    # Is collapse the rule? These two under five seeds; at most a minute of one thread on a quiet machine.
    "seeds_world": Study(
        "world", (LANGUAGE_MODEL, "plain"), WORLD_SIZES, Budget(steps=12_000, learning_rate=6e-3), seeds=(0, 1, 2, 3, 4)
    ),
    # About five minutes of one thread a model.
    "long_world": Study(
        "world",
        ("window of four words + many free bits",),
        TextSizes(embedding=32),
        Budget(steps=40_000, learning_rate=5e-3),
        samples=500,
    ),
    # About twenty minutes of one thread a model, three epochs and a half: far from convergence, so with little dropout.
    "ptb": Study(
        "ptb",
        (LANGUAGE_MODEL, "pretraining + free bits", "batch-normalized means", "annealing", "plain", "cyclical annealing"),
        TextSizes(embedding=256, hidden=256, latent=32, encoder="lstm", dropout=0.1, cutoffs=(1_000, 4_000)),
        Budget(steps=9_000, batch_size=16, learning_rate=2e-3, checks=10),
        weighted=400,
    ),
    # An hour of one thread for the language model, an hour and a half for the VAE.
    "ptb_long": THIRTY_EPOCHS,
    # The same with half the width, and one floor for all of z: half an hour, and three quarters.
    "ptb_narrow": replace(
        THIRTY_EPOCHS, names=(LANGUAGE_MODEL, "pretraining + free bits"), sizes=replace(THIRTY_EPOCHS.sizes, hidden=256)
    ),
    # About two minutes of one thread a model. Characters seen only once are unknown: they could not be learned.
    "tang": Study(
        "tang_quatrains",
        (LANGUAGE_MODEL, "plain", "pretraining + free bits"),
        TextSizes(embedding=128, hidden=192, latent=32, dropout=0.3, cutoffs=(1_000,)),
        Budget(steps=3_000, learning_rate=4e-3, checks=10),
        weighted=200,
        tokens="character",
        min_count=2,
    ),
}


def measure(
    name: str,
    *,
    scratch: Path,
    folder: Path | None = None,
    steps: int | None = None,
    device: torch.device | None = None,
    processes: int = 1,
) -> Path:
    """Run the study ``name`` and store its figures, see ``store.Run``; returns the file.

    Finished figures and checkpoints are kept in ``scratch``, so a run that was stopped goes on where it was. ``folder`` holds
    the real corpora (see ``corpora.load``), ``steps`` replaces the study's own. ``processes``: how many models are trained at a
    time, each with as many threads as this process has. Raises ``ValueError`` for an unknown name, and for what lies in
    ``scratch`` and is not of this run.
    """
    if name not in STUDIES:
        raise ValueError(f"no study {name!r}; there are {', '.join(STUDIES)}")
    study = STUDIES[name]
    budget = study.budget if steps is None else replace(study.budget, steps=steps)
    corpus = load(study.corpus, tokens=study.tokens, min_count=study.min_count, folder=folder)
    # Of names and seeds each part has its own, so that a study to which some are added need not begin anew.
    settings = asdict(replace(study, budget=budget, names=(), seeds=(), own_seeds={})) | {"corpus": contents(corpus)}
    run = Run.of(name, __name__, settings, scratch=scratch, steps=steps, own_steps=study.budget.steps, device=device)

    def measured(seed: int, model: str) -> Figures:
        part = f"{budget.steps}-{model.replace(' ', '-')}-{seed}"
        own = {"model": model, "seed": seed}
        checkpoint = run.checkpoint(part, **own)
        return run.kept(part, lambda: _measure_one(corpus, model, study, budget, seed, checkpoint, device), **own)

    parts = study.parts()
    with joblib.parallel_config(backend="loky", inner_max_num_threads=torch.get_num_threads()):
        made = joblib.Parallel(n_jobs=processes, return_as="generator")(joblib.delayed(measured)(*part) for part in parts)
        rows = list(tqdm(made, total=len(parts), desc="models measured", unit="model", leave=False, disable=processes == 1))
    document = _circumstances(corpus, study, budget) | run.made_by() | {"paired": paired(rows)}
    return run.store(document | {"rows": [{key: row[key] for key in row if key != NLL_OF_EACH} for row in rows]})


NLL_OF_EACH = "nll_of_each"  # of the test sentences; kept in scratch, and in the document only as what follows from it


def paired(rows: list[Figures]) -> Figures:
    """How sure differences of the models' mean NLLs are: all NLLs are of the same test sentences, in the same order.

    "names", and for each of these the standard errors over sentences, in nats, of its difference from those before it: those
    of an NLL that is the mean of its seeds. See ``tables.difference``.
    """
    of_names: dict[str, list[list[float]]] = {}
    for row in rows:
        of_names.setdefault(row["name"], []).append(row[NLL_OF_EACH])
    nll = torch.stack([torch.tensor(seeds, dtype=torch.float64).mean(0) for seeds in of_names.values()])
    errors = [[Estimate.of(nll[i] - nll[j]).standard_error for j in range(i)] for i in range(len(nll))]
    return {"names": list(of_names), "standard_errors": [[round(error, 5) for error in before] for before in errors]}


def _measure_one(
    corpus: Corpus,
    name: str,
    study: Study,
    budget: Budget,
    seed: int,
    checkpoint: Checkpoint,
    device: torch.device | None,
) -> Figures:
    train, test = corpus.encoded("train"), corpus.encoded("test")
    model: LanguageModel | TextVAE
    if name == LANGUAGE_MODEL:
        model, history = train_language_model(
            train, len(corpus.vocabulary), sizes=study.sizes, budget=budget, seed=seed, device=device, checkpoint=checkpoint
        )
        seconds = sum(history["cpu_seconds"])
    else:
        trained = train_vae(
            EVERY_CURE[name],
            train,
            len(corpus.vocabulary),
            sizes=study.sizes,
            budget=budget,
            seed=seed,
            device=device,
            validation=corpus.encoded("validation"),
            checkpoint=checkpoint,
        )
        model, history, seconds = trained.model, trained.history, trained.seconds
    figures: Figures = {
        "name": name,
        "paper": "" if name == LANGUAGE_MODEL else EVERY_CURE[name].paper,
        "setting": "" if name == LANGUAGE_MODEL else EVERY_CURE[name].setting,
        "seed": seed,
        "cpu_seconds_of_training": round(seconds, 1),
        "history": {key: [round(value, 4) for value in values] for key, values in history.metrics.items()},
    }
    if climbed := history.metrics.get("information_at_most"):  # asked at each check while the encoder is aggressive
        figures["aggressive_steps"] = len(climbed) * budget.steps // budget.checks
    if corpus.language is None:
        figures |= _variety_figures(model, corpus, test)
    measured, weights = _weighted(model, test, study)
    others = train[:: max(1, len(train) // study.others)][: study.others] if study.others else []
    figures |= _figures_of(model, corpus, test, measured, others) | weights
    return figures | {NLL_OF_EACH: [round(nll, 4) for nll in measured.nll.tolist()]}


def _weighted(model: LanguageModel | TextVAE, test: list[list[int]], study: Study) -> tuple[Likelihood, Figures]:
    """The NLL of test sentences, and what tells whether to trust it.

    The importance weights' effective sample size shows one kind of failure. Another, a posterior so narrow that all draws
    agree in missing most of p(x), is shown by a second proposal only: on ``study.defended`` sentences as many draws from the
    prior are added to the encoder's. Where that lowers the NLL by more than ``FAILS`` nats, and by four standard errors, the
    encoder fails as a proposal, and the NLL is measured with four times the draws, half of them from the prior. It is an upper
    bound in any case, on average; there it is no more than that.
    """
    if study.weighted is not None and isinstance(model, TextVAE):
        measured = likelihood_from_some(model, test, seeded(0), study.samples, study.weighted)
    else:
        measured = likelihood(model, test, seeded(0), study.samples)
    if measured.effective is None or not isinstance(model, TextVAE):
        return measured, {}
    figures = {"proposal": "encoder", "proposal_fails": measured.share_below(FEW) > 0.05} | _weights(measured)
    if not study.defended:
        return measured, figures
    part = likelihood(model, test[: study.defended], seeded(5), 2 * study.samples, from_prior=study.samples)
    lowered = Estimate.of(measured.nll[: study.defended] - part.nll)
    figures |= {"lowered_by_defence": lowered.value, "lowered_by_defence_standard_error": lowered.standard_error}
    if lowered.value > max(FAILS, 4 * lowered.standard_error):
        figures |= {"nll_by_encoder": measured.nats_per_sentence.value, "proposal_fails": True}
        measured = likelihood(model, test, seeded(0), 4 * study.samples, from_prior=2 * study.samples)
        figures |= {"proposal": "half encoder, half prior"} | _weights(measured)
    return measured, figures


FAILS = 0.05  # nats that a better proposal gains
FEW = 3.0  # draws that count, of all


def _weights(measured: Likelihood) -> Figures:
    """Of a likelihood that was importance weighted: how many draws count, on average, and how often only a few."""
    assert measured.effective is not None
    return {
        "effective_sample_size": float(measured.effective.mean()),
        "share_with_few_effective_samples": measured.share_below(FEW),
    }


def _figures_of(
    model: LanguageModel | TextVAE,
    corpus: Corpus,
    test: list[list[int]],
    measured: Likelihood,
    others: Sequence[list[int]],
) -> Figures:
    """Everything that is measured of a model on encoded test sentences of ``corpus``; the truth too, where it is known.

    ``measured``: their likelihood. ``others``: further sentences, whose posteriors narrow the bounds of the information.
    """
    figures = _likelihood_figures(measured)
    if isinstance(model, TextVAE):
        figures |= _latent_figures(model, corpus, test, others)
    if corpus.language is not None:
        figures |= _truth_figures(model, corpus, corpus.language, test, measured)
    return figures


def _likelihood_figures(measured: Likelihood) -> Figures:
    nll = measured.nats_per_sentence
    figures: Figures = {
        "nll": nll.value,
        "nll_standard_error": nll.standard_error,
        "samples": measured.samples,
        "sentences": len(measured.nll),
        "weighted_sentences": measured.weighted or len(measured.nll),
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


def _latent_figures(model: TextVAE, corpus: Corpus, test: list[list[int]], others: Sequence[list[int]]) -> Figures:
    q = encode(model, test)
    divided, ablated = information(q, seeded(1)), ablation(model, test, seeded(2))
    bounds = information_bounds(q, seeded(1), encode(model, others) if others else None)
    # What the two estimators say at this rate and this number of sentences of a model whose q(z) is exactly the prior.
    biased = information(without_mismatch(q, seeded(6)), seeded(7))
    rebuilt = reconstruction(model, test, corpus.vocabulary)
    figures: Figures = {
        "mutual_information": divided.mutual_information.value,
        "mutual_information_cap": divided.cap,
        "aggregate_kl": divided.aggregate_kl.value,
        "mutual_information_without_mismatch": biased.mutual_information.value,
        "aggregate_kl_without_mismatch": biased.aggregate_kl.value,
        "information_at_least": bounds.lower.value,
        "information_at_most": min(bounds.upper.value, bounds.rate),
        "information_standard_error": max(bounds.lower.standard_error, bounds.upper.standard_error),
        "information_among": bounds.sentences,
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


def _truth_figures(
    model: LanguageModel | TextVAE, corpus: Corpus, language: Language, test: list[list[int]], measured: Likelihood
) -> Figures:
    above = measured.above(exact_nll(language, corpus.test))
    z = None
    if isinstance(model, TextVAE):
        z = encode(model, test[:1000]).prior.sample(seeded(3)).to(device_of(model))
    written = sampled(model.decoder, z, seeded(4), count=None if z is not None else 1000)
    return {
        "nats_above_truth": above.value,
        "nats_above_truth_standard_error": above.standard_error,
        "samples_in_language": share_in_language([corpus.vocabulary.decode(row) for row in written], language),
    }


def _variety_figures(model: LanguageModel | TextVAE, corpus: Corpus, test: list[list[int]]) -> Figures:
    """Where no grammar is known: how varied and how new is what is written, beside as many real sentences (at most 1,000)."""
    real = corpus.test[:1000]
    z = None
    if isinstance(model, TextVAE):
        z = encode(model, test[:1000]).prior.sample(seeded(3)).to(device_of(model))
    count = len(real) if z is None else None
    drawn = [corpus.vocabulary.decode(row) for row in sampled(model.decoder, z, seeded(4), count=count)]
    without_chance = [corpus.vocabulary.decode(row) for row in greedy(model.decoder, z, count=count)]
    return {
        "written": len(real),
        "distinct_2": distinct_n(drawn, 2),
        "distinct_2_real": distinct_n(real, 2),
        "self_bleu": self_bleu(drawn),
        "self_bleu_real": self_bleu(real),
        "share_new": share_new(drawn, set(corpus.train)),
        "greedy_different": share_different(without_chance),
    }


def _circumstances(corpus: Corpus, study: Study, budget: Budget) -> Figures:
    """All that is needed to make the figures again."""
    return {
        "corpus": corpus.name,
        "entropy": corpus.language.entropy if corpus.language is not None else None,
        "sizes": asdict(study.sizes),
        "budget": asdict(budget),
        "samples": study.samples,
        "tokens": study.tokens,
        "min_count": study.min_count,
        "seeds": list(study.seeds),
        "own_seeds": {name: list(seeds) for name, seeds in study.own_seeds.items()},
        "defended": study.defended,
        "others": study.others,
    }
