import math
from itertools import product

import pytest
import torch
from torch.nn import functional

from vae_course.text.batches import SentenceBatches, pad
from vae_course.text.models import (
    ConvolutionEncoder,
    LanguageModel,
    TextSizes,
    TextVAE,
    WindowDecoder,
    dropped,
    with_words_dropped,
)
from vae_course.text.objectives import NegativeElbo
from vae_course.text.posteriors import VonMisesFisherHead
from vae_course.text.vocabulary import BOS, EOS, PAD, UNK
from vae_course.training import Update, seeded, seeded_module, train

A, B, C = 4, 5, 6  # the three words of the vocabulary
WORDS = (UNK, A, B, C)
SIZE = 7
SENTENCES = [
    [BOS, A, EOS],
    [BOS, EOS],
    [BOS, C, B, A, B, C, C, EOS],
    [BOS, B, UNK, A, EOS],
]
SMALL = {"embedding": 5, "hidden": 5, "latent": 2}

SIZES = {
    "lstm, z at both": TextSizes(**SMALL),
    "lstm, z at steps": TextSizes(**SMALL, z_to="steps"),
    "lstm, z as state": TextSizes(**SMALL, z_to="state", encoder="lstm"),
    "lstm, skip, tied": TextSizes(**SMALL, skip=True, tied=True),
    "gru, z at both": TextSizes(**SMALL, cell="gru"),
    "gru, z as state": TextSizes(**SMALL, cell="gru", z_to="state", encoder="lstm"),
    "gru, z nowhere": TextSizes(**SMALL, cell="gru", z_to="neither"),
    "blind": TextSizes(**SMALL, context=0),
    "window of 1": TextSizes(**SMALL, context=1, encoder="lstm"),
    "window of 3, skip": TextSizes(**SMALL, context=3, skip=True),
    "lstm, skip, adaptive softmax": TextSizes(**SMALL, skip=True, cutoffs=(5, 6)),
    "window of 1, adaptive softmax": TextSizes(**SMALL, context=1, cutoffs=(5,)),
}
each_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)


def enlarged(build, seed=0):
    """A model in double precision with weights large enough that every path into it shows."""
    model = seeded_module(seed, build).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def vae(sizes, seed=0, head=None):
    return enlarged(lambda: TextVAE(SIZE, sizes, head), seed)


def language_model(sizes, seed=0):
    return enlarged(lambda: LanguageModel(SIZE, sizes), seed)


def latents(*shape):
    return torch.randn(*shape, 2, generator=seeded(5), dtype=torch.float64)


# --- log p(sentence) ------------------------------------------------------------------------------------------------


@each_size
def test_a_padded_batch_is_its_sentences_one_by_one(sizes):
    model, language, z = vae(sizes), language_model(sizes), latents(len(SENTENCES))
    one_by_one = torch.cat([model.log_likelihood(torch.tensor([s]), z[i : i + 1]) for i, s in enumerate(SENTENCES)])
    assert torch.allclose(model.log_likelihood(pad(SENTENCES), z), one_by_one)
    one_by_one = torch.cat([language.log_likelihood(torch.tensor([s])) for s in SENTENCES])
    assert torch.allclose(language.log_likelihood(pad(SENTENCES)), one_by_one)
    assert language.loss(pad(SENTENCES), seeded(0))["loss"].item() == pytest.approx(-one_by_one.mean().item())


@each_size
def test_log_likelihood_is_the_sum_of_the_words_log_probabilities(sizes):
    """Word by word, each time from the beginning of the sentence alone."""
    model, z = vae(sizes), latents(len(SENTENCES))
    for sentence, own_z, log_likelihood in zip(SENTENCES, z, model.log_likelihood(pad(SENTENCES), z).tolist(), strict=True):
        total = 0.0
        for k in range(1, len(sentence)):
            p = model.decoder.logits(torch.tensor([sentence[:k]]), own_z[None])[0, -1].softmax(-1)
            total += math.log(p[sentence[k]].item())
        assert log_likelihood == pytest.approx(total)


@each_size
def test_sentences_of_all_lengths_have_total_probability_1(sizes):
    """All sentences of up to 3 words, and all beginnings of 4, which is what else can happen."""
    model = seeded_module(0, lambda: TextVAE(SIZE, sizes)).double()  # small weights: both are likely
    z = latents(1)
    total = 0.0
    for length in range(4):
        whole = torch.tensor([[BOS, *words, EOS] for words in product(WORDS, repeat=length)])
        total += model.log_likelihood(whole, z.expand(len(whole), -1)).exp().sum().item()
    begun = torch.tensor([[BOS, *words] for words in product(WORDS, repeat=4)])
    going_on = model.log_likelihood(begun, z.expand(len(begun), -1)).exp().sum().item()
    assert 0.1 < total < 0.9
    assert total + going_on == pytest.approx(1)


@pytest.mark.parametrize("cutoffs", [(), (5, 6)], ids=["plain softmax", "adaptive softmax"])
def test_pads_and_beginnings_stay_without_probability_in_training(cutoffs):
    model = seeded_module(0, lambda: LanguageModel(SIZE, TextSizes(**SMALL, cutoffs=cutoffs)))
    update = Update.adam(model, model.loss, learning_rate=0.1)
    train(update, SentenceBatches(SENTENCES, batch_size=2), epochs=3, generator=seeded(0))
    p = model.decoder.logits(pad(SENTENCES)[:, :-1], None).softmax(-1)
    assert p[..., [PAD, BOS]].max() == 0
    assert torch.allclose(p.sum(-1), torch.ones(4, 7))


@pytest.mark.parametrize("head", [None, VonMisesFisherHead(5.0)])
def test_several_draws_of_z_are_scored_as_one_by_one(head):
    model, tokens = vae(SIZES["lstm, z at both"], head=head), pad(SENTENCES)
    z = model.posterior(tokens).sample(seeded(1), 3)
    assert z.shape == (3, 4, 2)
    together = model.log_likelihood(tokens, z)
    assert torch.allclose(together, torch.stack([model.log_likelihood(tokens, draw) for draw in z]))
    assert torch.equal(model.log_likelihood(tokens, z.view(3, 1, 4, 2)).view(3, 4), together)


# --- encoders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", ["convolution", "lstm", "pooled lstm"])
def test_a_code_does_not_depend_on_the_padding_beside_it(encoder):
    model = vae(TextSizes(**SMALL, encoder=encoder))
    q = model.posterior(functional.pad(pad(SENTENCES), (0, 3), value=PAD))
    for row, sentence in enumerate(SENTENCES):
        alone = model.posterior(torch.tensor([sentence]))
        assert torch.allclose(q.mean[row], alone.mean[0])
        assert torch.allclose(q.log_var[row], alone.log_var[0])


def test_convolution_features_by_hand():
    encoder = vae(TextSizes(**SMALL)).encoder
    assert isinstance(encoder, ConvolutionEncoder)
    for sentence in SENTENCES:
        words = [encoder.embedding.weight[number] for number in sentence]
        hidden = [
            torch.relu(encoder.windows.weight @ torch.cat(words[k : k + 3]) + encoder.windows.bias)
            for k in range(len(sentence) - 2)
        ] or [torch.zeros(5, dtype=torch.float64)]
        expected = torch.cat([torch.stack(hidden).amax(0), torch.stack(hidden).mean(0)])
        assert torch.allclose(encoder(torch.tensor([sentence]))[0], expected)


def test_pooled_features_are_the_largest_of_all_states():
    encoder = vae(TextSizes(**SMALL, encoder="pooled lstm")).encoder
    for row, sentence in enumerate(SENTENCES):
        state, seen = None, []
        for word in sentence:
            output, state = encoder.recurrent(encoder.embedding(torch.tensor([[word]])), state)
            seen.append(output[0, 0])
        assert torch.allclose(encoder(pad(SENTENCES))[row], torch.stack(seen).max(0).values)


def test_lstm_features_are_its_last_state():
    encoder = vae(TextSizes(**SMALL, encoder="lstm")).encoder
    for row, sentence in enumerate(SENTENCES):
        _, (last, _) = encoder.recurrent(encoder.embedding(torch.tensor([sentence])))
        assert torch.allclose(encoder(pad(SENTENCES))[row], last[0, 0])


# --- decoders -------------------------------------------------------------------------------------------------------


@each_size
def test_one_step_after_another_gives_the_logits_of_teacher_forcing(sizes):
    inputs, z = torch.tensor([[BOS, A, C, C, B, A], [BOS, B, B, A, UNK, C]]), latents(2)
    for decoder, given in ((vae(sizes).decoder, z), (language_model(sizes).decoder, None)):
        state, logits = decoder.start(given, 2), []
        for k in range(inputs.shape[1]):
            step, state = decoder.step(inputs[:, k], state)
            logits.append(step)
        assert torch.allclose(torch.stack(logits, dim=1), decoder.logits(inputs, given))


@pytest.mark.parametrize("context", [0, 1, 2, 3])
def test_a_window_decoder_sees_the_last_words_and_its_place_only(context):
    decoder, z = vae(TextSizes(**SMALL, context=context)).decoder, latents(1)
    inputs = torch.tensor([[BOS, A, C, B, B, A]])
    logits = decoder.logits(inputs, z)
    for place in range(1, 6):
        changed = inputs.clone()
        changed[0, place] = C if inputs[0, place] != C else A
        same = (decoder.logits(changed, z) == logits).all(-1)[0]
        assert same.tolist() == [not place <= t < place + context for t in range(6)]
    # The same words elsewhere: the place alone makes the difference.
    repeated = decoder.logits(torch.full((1, 6), A), z)
    assert not torch.allclose(repeated[0, 4], repeated[0, 5])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_recurrent_decoder_sees_every_word_before_and_none_after(cell):
    decoder, z = vae(TextSizes(**SMALL, cell=cell)).decoder, latents(1)
    inputs = torch.tensor([[BOS, A, C, B, B, A]])
    changed = inputs.clone()
    changed[0, 2] = A
    same = (decoder.logits(changed, z) == decoder.logits(inputs, z)).all(-1)[0]
    assert same.tolist() == [True, True, False, False, False, False]


def changes_with_z(decoder):
    inputs, z = torch.tensor([[BOS, A, C]]), latents(2)
    return not torch.allclose(decoder.logits(inputs, z[:1]), decoder.logits(inputs, z[1:]))


@pytest.mark.parametrize("context", [None, 0, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_z_reaches_the_decoder_where_it_should(context, cell):
    sizes = {**SMALL, "context": context, "cell": cell}
    assert not changes_with_z(vae(TextSizes(**sizes, z_to="neither")).decoder)
    for z_to in ("steps", "state", "both"):
        assert changes_with_z(vae(TextSizes(**sizes, z_to=z_to)).decoder)
    skipping = vae(TextSizes(**sizes, z_to="neither", skip=True)).decoder
    assert changes_with_z(skipping)
    skipping.output.skip.weight.data.zero_()
    assert not changes_with_z(skipping)


def test_the_skip_path_is_linear_in_z_and_the_same_at_every_word():
    decoder, z = vae(TextSizes(**SMALL, z_to="neither", skip=True)).decoder, latents(1)
    inputs = torch.tensor([[BOS, A, C, B]])
    gained = decoder.logits(inputs, z) - decoder.logits(inputs, torch.zeros_like(z))
    expected = decoder.output.words.weight @ decoder.output.skip.weight @ z[0]
    assert torch.allclose(gained[0, :, EOS:], expected[EOS:].expand(4, -1))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_z_is_the_first_state_at_the_steps_or_both(cell):
    decoder = vae(TextSizes(**SMALL, cell=cell, z_to="state")).decoder
    assert decoder.recurrent.input_size == 5
    decoder.first_state.weight.data.zero_()
    assert not changes_with_z(decoder)
    decoder = vae(TextSizes(**SMALL, cell=cell, z_to="steps")).decoder
    assert decoder.first_state is None
    decoder.recurrent.weight_ih_l0.data[:, 5:] = 0  # the columns of z
    assert not changes_with_z(decoder)
    decoder = vae(TextSizes(**SMALL, cell=cell, z_to="both")).decoder
    decoder.first_state.weight.data.zero_()
    assert changes_with_z(decoder)
    decoder.recurrent.weight_ih_l0.data[:, 5:] = 0
    assert not changes_with_z(decoder)


def test_the_first_state_by_hand():
    z = latents(3)
    for cell in ("lstm", "gru"):
        decoder = vae(TextSizes(**SMALL, cell=cell)).decoder
        expected = z @ decoder.first_state.weight.T + decoder.first_state.bias
        memory = decoder.start(z, 3).memory
        assert torch.allclose(memory[0], torch.tanh(expected))
        if cell == "lstm":
            assert torch.allclose(memory[1], expected)
        assert all((part == 0).all() for part in language_model(TextSizes(**SMALL, cell=cell)).decoder.start(None, 3).memory)


def test_tied_weights_are_one_parameter_that_stays_one():
    free, tied = vae(TextSizes(**SMALL)), vae(TextSizes(**SMALL, tied=True))
    count = [sum(p.numel() for p in model.decoder.parameters()) for model in (free, tied)]
    assert count[0] - count[1] == SIZE * 5
    update = Update.adam(tied, lambda tokens, generator: {"loss": -tied.log_likelihood(tokens, latents(4)).mean()})
    before = tied.decoder.embedding.weight.clone()
    update.loss(pad(SENTENCES), seeded(0))["loss"].backward()
    update.optimizer.step()
    assert not torch.equal(tied.decoder.embedding.weight, before)
    assert torch.equal(tied.decoder.embedding.weight, tied.decoder.output.words.weight)


def test_a_window_decoder_refuses_more_words_than_it_has_places_for(monkeypatch):
    monkeypatch.setattr(WindowDecoder, "longest", 3)
    decoder, z = vae(TextSizes(**SMALL, context=2)).decoder, latents(1)
    assert decoder.logits(torch.full((1, 3), A), z).shape == (1, 3, SIZE)
    with pytest.raises(ValueError, match="inputs: a window decoder knows 3 positions, got 4 words"):
        decoder.logits(torch.full((1, 4), A), z)
    state = decoder.start(z, 1)
    for _ in range(3):
        _, state = decoder.step(torch.tensor([A]), state)
    with pytest.raises(ValueError, match="inputs: a window decoder knows 3 positions, got 4 words"):
        decoder.step(torch.tensor([A]), state)


def test_a_reset_decoder_is_new_where_and_of_the_type_that_the_model_is():
    model = vae(TextSizes(**SMALL))
    encoder = [p.clone() for p in model.encoder.parameters()]
    decoder = [p.clone() for p in model.decoder.parameters()]
    model.reset_decoder()
    assert all(torch.equal(a, b) for a, b in zip(encoder, model.encoder.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(decoder, model.decoder.parameters(), strict=True))
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    meta = TextVAE(SIZE, TextSizes(**SMALL)).to("meta")
    meta.reset_decoder()
    assert {p.device.type for p in meta.parameters()} == {"meta"}


# --- noise ----------------------------------------------------------------------------------------------------------


def test_dropped_words_are_unknown_ones_and_never_the_beginning():
    inputs = torch.tensor([[BOS, A, B, C]]).expand(5000, -1)
    hidden = with_words_dropped(inputs, 0.3, seeded(0))
    assert (hidden[:, 0] == BOS).all()
    changed = hidden != inputs
    assert (hidden[changed] == UNK).all()
    share = changed[:, 1:].double().mean(0)
    assert ((share - 0.3).abs() < 4 * math.sqrt(0.3 * 0.7 / 5000)).all()
    assert with_words_dropped(inputs, 0.3, None) is inputs
    assert with_words_dropped(inputs, 0.0, seeded(0)) is inputs


@pytest.mark.parametrize("context", [None, 2])
def test_with_all_words_dropped_the_decoder_sees_only_unknown_ones(context):
    model, z = vae(TextSizes(**SMALL, context=context, word_dropout=1.0)), latents(1)
    inputs = torch.tensor([[BOS, A, B, C]])
    unknown = torch.tensor([[BOS, UNK, UNK, UNK]])
    assert torch.equal(model.decoder.logits(inputs, z, seeded(0)), model.decoder.logits(unknown, z))
    assert not torch.allclose(model.decoder.logits(inputs, z), model.decoder.logits(unknown, z))


def test_dropout_keeps_the_mean_and_zeroes_its_share():
    values = torch.full((40_000,), 2.0, dtype=torch.float64)
    result = dropped(values, 0.25, seeded(0))
    assert sorted(set(result.tolist())) == pytest.approx([0, 2 / 0.75])
    assert (result == 0).double().mean().item() == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 40_000))
    assert dropped(values, 0.25, None) is values
    assert dropped(values, 0.0, seeded(0)) is values
    assert (dropped(values, 1.0, seeded(0)) == 0).all()


@pytest.mark.parametrize("context", [None, 2])
def test_noise_comes_from_the_generator_alone(context):
    """And without one there is none, in training mode neither."""
    sizes = TextSizes(**SMALL, context=context, dropout=0.5, word_dropout=0.5)
    model, z, inputs = vae(sizes).train(), latents(1), torch.tensor([[BOS, A, B, C]])
    quiet = vae(TextSizes(**SMALL, context=context))
    before = torch.get_rng_state()
    assert torch.equal(model.decoder.logits(inputs, z), quiet.decoder.logits(inputs, z))
    first, second, other = (model.decoder.logits(inputs, z, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.allclose(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("context", [None, 2])
def test_dropout_acts_on_word_vectors_and_on_outputs(context):
    """With everything dropped only the bias of the output layer is left."""
    model, z = vae(TextSizes(**SMALL, context=context, dropout=1.0)), latents(1)
    logits = model.decoder.logits(torch.tensor([[BOS, A, B]]), z, seeded(0))
    assert torch.allclose(logits[..., EOS:], model.decoder.output.words.bias[EOS:].expand(1, 3, -1))
    assert torch.isneginf(logits[..., :EOS]).all()  # <pad> and <bos> never follow
    model.decoder.output.dropout = 0.0
    logits = [model.decoder.logits(torch.tensor([[BOS, word, word]]), z, seeded(0)) for word in (A, B)]
    assert torch.equal(*logits)
    quiet = [model.decoder.logits(torch.tensor([[BOS, word, word]]), z) for word in (A, B)]
    assert not torch.allclose(*(logits[..., EOS:] for logits in quiet))


def test_the_losses_use_dropout_and_the_measurements_do_not():
    model, tokens = language_model(TextSizes(**SMALL, word_dropout=0.5)), pad(SENTENCES)
    assert model.loss(tokens, seeded(0))["loss"] != model.loss(tokens, seeded(1))["loss"]
    assert torch.equal(model.log_likelihood(tokens), model.log_likelihood(tokens))


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"cell": "rnn"}, "cell: expected one of lstm, gru, got 'rnn'"),
        ({"encoder": "gru"}, "encoder: expected one of convolution, lstm, pooled lstm, got 'gru'"),
        ({"z_to": "all"}, "z_to: expected one of both, steps, state, neither, got 'all'"),
        ({"dropout": 1.5}, "dropout: expected a share between 0 and 1, got 1.5"),
        ({"word_dropout": -0.1}, "word_dropout: expected a share between 0 and 1, got -0.1"),
        ({"dropout": math.nan}, "dropout: expected a share between 0 and 1, got nan"),
        ({"embedding": 0}, r"sizes must be at least 1 and context at least 0, got TextSizes\(embedding=0"),
        ({"hidden": -1}, "sizes must be at least 1"),
        ({"latent": 0}, "sizes must be at least 1"),
        ({"context": -1}, "context at least 0"),
        ({"embedding": 3, "hidden": 4, "tied": True}, "tied: needs embedding = hidden, got 3 and 4"),
    ],
)
def test_sizes_that_make_no_model_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        TextSizes(**sizes)


# --- what makes it fast -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cutoffs", [(), (50, 100)], ids=["whole softmax", "adaptive softmax"])
def test_products_at_medium_precision_give_nearly_the_same_loss_and_gradients(cutoffs):
    """Where the processor has bfloat16; elsewhere they are the same."""
    sizes = TextSizes(embedding=64, hidden=64, latent=8, encoder="lstm", cutoffs=cutoffs)
    objective = NegativeElbo(seeded_module(0, lambda: TextVAE(200, sizes)))
    words = torch.randint(4, 200, (32, 20), generator=seeded(1))
    tokens = torch.cat([torch.full((32, 1), BOS), words, torch.full((32, 1), EOS)], dim=1)

    def measured(precision):
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision)
        try:
            objective.zero_grad()
            loss = objective.loss(tokens, seeded(2))["loss"]
            loss.backward()
        finally:
            torch.set_float32_matmul_precision(before)
        return loss.item(), torch.cat([weight.grad.flatten() for weight in objective.parameters()])

    (loss, gradients), (medium_loss, medium_gradients) = measured("highest"), measured("medium")
    assert medium_loss == pytest.approx(loss, rel=2e-4)
    assert torch.cosine_similarity(gradients, medium_gradients, dim=0) > 0.9999
    assert medium_gradients.norm().item() == pytest.approx(gradients.norm().item(), rel=1e-3)
