"""A twin has the weights that it was given, each in its place."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from vae_course.text.batches import pad
from vae_course.text.corpora import corpus_of
from vae_course.text.counting import beside_counting
from vae_course.text.evaluation import likelihood
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.twins import (
    ByHand,
    EarlyStopping,
    Steps,
    by_hand_beside_counting,
    history_of_looks,
    twin_language_model,
    twin_vae,
)
from vae_course.text.vocabulary import Characters
from vae_course.training import seeded, seeded_module

TOKENS = pad([[1, 4, 5, 2], [1, 6, 2]])
Z = torch.tensor([[0.5, -1.0], [2.0, 0.1]])


@pytest.mark.parametrize("context", [None, 2])
def test_a_language_models_twin_gives_sentences_the_same_cost(context):
    sizes = TextSizes(embedding=3, hidden=5, latent=2, z_to="steps", context=context)
    model = seeded_module(0, lambda: LanguageModel(7, sizes))
    twin = twin_language_model(model.decoder, 7, sizes)
    assert torch.equal(twin.log_likelihood(TOKENS), model.log_likelihood(TOKENS))
    assert not any(weights.requires_grad for weights in twin.parameters())
    with torch.no_grad():
        next(model.parameters()).add_(1)
    assert not torch.equal(twin.log_likelihood(TOKENS), model.log_likelihood(TOKENS))  # a copy, not the same weights


def encoder_as_in_the_lesson(vae):
    """With a layer for the mean and one for the log variance."""
    weight, bias = [weights for name, weights in vae.named_parameters() if name.startswith("head")]
    halves = [SimpleNamespace(weight=weight[k : k + 2], bias=bias[k : k + 2]) for k in (0, 2)]
    return SimpleNamespace(
        embedding=vae.encoder.embedding, windows=vae.encoder.windows, to_mean=halves[0], to_log_var=halves[1]
    )


@pytest.mark.parametrize("context", [None, 2])
def test_a_vaes_twin_reads_and_writes_the_same(context):
    sizes = TextSizes(embedding=3, hidden=5, latent=2, z_to="steps", context=context)
    vae = seeded_module(0, lambda: TextVAE(7, sizes))
    twin = twin_vae(encoder_as_in_the_lesson(vae), vae.decoder, 7, sizes)
    assert torch.equal(twin.posterior(TOKENS).mean, vae.posterior(TOKENS).mean)
    assert torch.equal(twin.posterior(TOKENS).log_var, vae.posterior(TOKENS).log_var)
    assert torch.equal(twin.log_likelihood(TOKENS, Z), vae.log_likelihood(TOKENS, Z))


def test_weights_of_another_shape_are_refused():
    model = seeded_module(0, lambda: LanguageModel(7, TextSizes(embedding=1, hidden=5)))
    with pytest.raises(ValueError, match=r"expected weights of shape \(7, 3\), got \(7, 1\)"):
        twin_language_model(model.decoder, 7, TextSizes(embedding=3, hidden=5))


def test_the_best_look_is_counted_from_the_first_step():
    early = history_of_looks(200, [3.0, 2.0, 2.5], every=20)  # after 160, 180 and 200 steps
    assert (early.epochs, early.steps, early.best_epoch) == (10, 200, 9)
    assert history_of_looks(105, [3.0, 2.0, 2.5, 2.6, 2.7], every=20).best_epoch == 2


def test_without_a_look_the_training_is_one_epoch_and_none_is_best():
    history = history_of_looks(7, [], every=20, metrics={"rate": [1.0, 2.0]})
    assert (history.epochs, history.steps, history.best_epoch) == (1, 7, None)
    assert history["rate"] == [1.0, 2.0]


def small_vae():
    return seeded_module(0, lambda: TextVAE(7, TextSizes(embedding=3, hidden=5, latent=2, z_to="steps")))


def test_without_held_out_sentences_all_steps_are_taken():
    steps = Steps(small_vae(), 7)
    assert list(steps) == [0, 1, 2, 3, 4, 5, 6]
    assert (steps.history(rate=[0.5]).steps, steps.history(rate=[0.5])["rate"]) == (7, [0.5])


def test_held_out_sentences_end_the_steps_and_the_best_weights_come_back(monkeypatch):
    costs = iter([3.0, 2.0, *[2.5] * 20])
    monkeypatch.setattr(Steps, "_cost", lambda self: next(costs))
    model = small_vae()
    weights = next(model.parameters())
    start = weights.detach().clone()
    steps = Steps(model, 200, [[1, 4, 5, 2], [1, 6, 2]], first_look=25)
    for _ in steps:
        with torch.no_grad():
            weights.add_(1)
    assert steps.taken == 120  # looks after 30, 40 (the best), ..., and no better one in eight
    assert torch.allclose(weights, start + 40)
    assert steps.history().best_epoch == 4


@pytest.mark.parametrize("kind", [LanguageModel, TextVAE])
def test_a_look_is_at_what_the_held_out_sentences_cost(kind):
    model, held_out = seeded_module(0, lambda: kind(7, TextSizes(embedding=3, hidden=5, latent=2))), [[1, 4, 5, 2], [1, 6, 2]]
    steps = Steps(model, 20, held_out)
    assert list(steps) == list(range(9))  # nothing learned: the first look is the best, and eight more are waited for
    priced = likelihood(model, held_out, seeded(0), samples=1)
    cost = priced.nats_per_sentence if kind is LanguageModel else priced.negative_elbo
    assert steps.stopping.losses == [cost.value] * 9
    assert model.training


def test_the_weights_of_the_best_look_come_back_when_patience_runs_out():
    first, second = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    stopping = EarlyStopping([first, second], patience=2)
    ends = []
    for number, loss in enumerate([3.0, 1.0, 2.0, 1.0]):  # as low once more is no better
        for model in (first, second):
            torch.nn.init.constant_(model.weight, number)
        ends.append(stopping.look(loss))
    assert ends == [False, False, False, True]
    stopping.put_best_back()
    assert first.weight.item() == second.weight.item() == 1
    assert stopping.losses == [3.0, 1.0, 2.0, 1.0]


def test_without_a_look_the_weights_stay():
    model = torch.nn.Linear(1, 1)
    before = model.weight.item()
    EarlyStopping([model]).put_best_back()
    assert model.weight.item() == before


def test_what_a_reader_built_stands_beside_counting_as_the_packages_models_do():
    own = corpus_of("names", [["anna", "hanna", "nan"], ["nana"], ["anan", "nah"]], Characters(), None, "names")
    size, sizes = len(own.vocabulary), TextSizes(embedding=3, hidden=5, latent=2, z_to="steps")
    model = seeded_module(0, lambda: LanguageModel(size, replace(sizes, context=2)))
    vae = seeded_module(0, lambda: TextVAE(size, sizes))
    by_hand = {
        "window": ByHand(model.decoder, 40, [2.0, 1.0], context=2),
        "with z": ByHand(vae.decoder, 60, [1.0, 2.0], encoder_as_in_the_lesson(vae)),
    }
    trained = {
        "window": (model, history_of_looks(40, [2.0, 1.0], 20)),
        "with z": (vae, history_of_looks(60, [1.0, 2.0], 20)),
    }
    assert by_hand_beside_counting(by_hand, own, sizes, every=20) == beside_counting(trained, own)
