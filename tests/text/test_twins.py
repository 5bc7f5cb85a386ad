"""A twin has the weights that it was given, each in its place."""

from types import SimpleNamespace

import pytest
import torch

from vae_course.text.batches import pad
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.twins import history_of_looks, twin_language_model, twin_vae
from vae_course.training import seeded_module

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


@pytest.mark.parametrize("context", [None, 2])
def test_a_vaes_twin_reads_and_writes_the_same(context):
    sizes = TextSizes(embedding=3, hidden=5, latent=2, z_to="steps", context=context)
    vae = seeded_module(0, lambda: TextVAE(7, sizes))
    weight, bias = [weights for name, weights in vae.named_parameters() if name.startswith("head")]
    halves = [SimpleNamespace(weight=weight[k : k + 2], bias=bias[k : k + 2]) for k in (0, 2)]
    encoder = SimpleNamespace(
        embedding=vae.encoder.embedding, windows=vae.encoder.windows, to_mean=halves[0], to_log_var=halves[1]
    )
    twin = twin_vae(encoder, vae.decoder, 7, sizes)
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
