import pytest
import torch

from vae_course.text import shared_latent
from vae_course.text.batches import Pair, PairBatches, SentenceBatches, pad
from vae_course.text.models import TextSizes, log_likelihood_of
from vae_course.text.objectives import NegativeElbo, constant
from vae_course.text.parallel import ParallelTextVAE
from vae_course.text.shared_latent import Groups, SharedElbo, SharedLatent
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import seeded, seeded_module

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)
SOURCES = [[BOS, 4, 5, EOS], [BOS, 6, EOS], [BOS, EOS], [BOS, 4, 4, 6, 5, 6, EOS]]
TARGETS = [[BOS, 5, EOS], [BOS, 4, 4, 6, 5, EOS], [BOS, 6, 6, EOS], [BOS, EOS]]
PAIR = Pair(pad(SOURCES), pad(TARGETS))


def parallel(longest=8, seed=0):
    return seeded_module(seed, lambda: ParallelTextVAE(SIZE, SIZE, SMALL, longest)).double()


def shared():
    return seeded_module(0, lambda: SharedLatent({"english": SIZE, "chinese": SIZE, "french": 9}, SMALL)).double()


def test_the_shared_objective_by_hand():
    model, group = shared(), {"english": PAIR.source, "chinese": PAIR.target}
    loss = SharedElbo(model, constant(0.5)).loss([group], seeded(5))
    noise, distortion, rate = seeded(5), 0.0, 0.0
    read = {language: model.vaes[language].posterior(tokens) for language, tokens in group.items()}
    for reader in group:
        z = read[reader].sample(noise)
        for writer, tokens in group.items():
            distortion -= log_likelihood_of(model.vaes[writer].decoder, tokens, z).mean() / 2
        rate += read[reader].kl_to_prior().mean() / 2
    expected = {"distortion": distortion, "rate": rate, "loss": distortion + 0.5 * rate}
    assert {name: value.item() for name, value in loss.items()} == pytest.approx({k: v.item() for k, v in expected.items()})


def test_a_sentence_without_a_partner_is_the_elbo_of_its_own_vae():
    model = shared()
    alone = SharedElbo(model, constant(0.7)).loss([{"french": PAIR.target}], seeded(1))
    own = NegativeElbo(model.vaes["french"], constant(0.7)).loss(PAIR.target, seeded(1))
    assert alone["loss"].item() == pytest.approx(own["loss"].item())
    both = SharedElbo(model, constant(0.7)).loss([{"french": PAIR.target}] * 2, seeded(1))
    assert both["loss"] > 1.5 * alone["loss"]  # groups add


def test_groups_hold_one_batch_of_each_kind_and_go_on_for_ever():
    pairs, single = PairBatches(SOURCES, TARGETS, 2), SentenceBatches(SOURCES[:3], 1)
    groups = Groups([(("english", "chinese"), pairs), (("english",), single)], steps=7)
    steps = list(groups.epoch(seeded(0)))
    assert len(steps) == len(groups) == 7
    for both, one in steps:
        assert (set(both), set(one)) == ({"english", "chinese"}, {"english"})
        assert both["english"].shape[0] == both["chinese"].shape[0] == 2
        for source, target in zip(both["english"].tolist(), both["chinese"].tolist(), strict=True):
            rows = [[n for n in row if n] for row in (source, target)]
            assert TARGETS[SOURCES.index(rows[0])] == rows[1]


def test_languages_that_never_met_can_translate():
    """Three languages of two words, each with numbers of its own; b and c are only ever paired with a."""
    facts = torch.randint(3, (300, 2), generator=seeded(0)).tolist()
    told = {name: [[BOS, *(word + 4 + k for word in row), EOS] for row in facts] for k, name in enumerate(("a", "b", "c"))}
    half = {name: (rows[:150], rows[150:]) for name, rows in told.items()}
    kinds = [(("a", other), PairBatches(half["a"][k], half[other][k], 15)) for k, other in enumerate(("b", "c"))]
    sizes = TextSizes(embedding=8, hidden=24, latent=6, context=0)
    model, history = shared_latent.train_shared(kinds, {"a": 9, "b": 9, "c": 9}, sizes, 250, learning_rate=1e-2)
    assert history.steps == 250
    for source, target in (("b", "c"), ("c", "b"), ("a", "b")):
        written = model.translate(told[source][:60], source, target, longest=4)
        right = sum(row == expected[1:-1] for row, expected in zip(written, told[target][:60], strict=True))
        assert right >= 54, (source, target)


def test_a_language_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="expected one of english, chinese, french, got 'latin'"):
        shared().translate(SOURCES, "latin", "english")
