import math

import pytest
import torch
from torch import distributions

from vae_course.probability.estimators import importance_weighted_bound
from vae_course.text.batches import Pair, PairBatches, pad
from vae_course.text.conditional import AttentionDecoder, ConditionalTextVAE, SequenceToSequence, SourceReader
from vae_course.text.cures import Budget, fit
from vae_course.text.decoding import beam, greedy, sampled
from vae_course.text.evaluation import likelihood
from vae_course.text.models import TextSizes
from vae_course.text.objectives import NegativeElbo, free_bits, linear_annealing
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import seeded, seeded_module

SIZE = 7
SMALL = {"embedding": 5, "hidden": 6, "latent": 2}
SIZES = {"convolution": TextSizes(**SMALL), "lstm": TextSizes(**SMALL, encoder="lstm", skip=True)}
each_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
SOURCES = [[BOS, 4, 5, EOS], [BOS, 6, EOS], [BOS, EOS], [BOS, 4, 4, 6, 5, 6, EOS]]
TARGETS = [[BOS, 5, EOS], [BOS, 4, 4, 6, 5, EOS], [BOS, 6, 6, EOS], [BOS, EOS]]


def vae(sizes, seed=0):
    return _strong(seeded_module(seed, lambda: ConditionalTextVAE(SIZE, SIZE, sizes)))


def seq2seq(sizes, seed=0):
    return _strong(seeded_module(seed, lambda: SequenceToSequence(SIZE, SIZE, sizes)))


def _strong(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model.double()


def pair(rows):
    return Pair(pad([SOURCES[row] for row in rows]), pad([TARGETS[row] for row in rows]))


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_lstm_reader_is_torchs_bidirectional_lstm():
    reader = seeded_module(0, lambda: SourceReader(SIZE, SIZES["lstm"])).double()
    both = torch.nn.LSTM(5, 6, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for name, value in reader.forwards.named_parameters():
            getattr(both, name).copy_(value)
            getattr(both, f"{name}_reverse").copy_(getattr(reader.backwards, name))
    read = reader(pad(SOURCES))
    for row, source in enumerate(SOURCES):
        expected = torch.tanh(reader.both(both(reader.embedding(torch.tensor([source])))[0]))[0]
        assert torch.allclose(read.states[row, : len(source)], expected)
        assert torch.allclose(read.summary[row], expected.mean(0))


def test_the_convolution_reads_a_word_and_its_neighbours():
    reader = seeded_module(0, lambda: SourceReader(SIZE, SIZES["convolution"])).double()
    words = reader.embedding(torch.tensor(SOURCES[0]))
    nothing = torch.zeros(5, dtype=torch.float64)
    around = [nothing, *words, nothing]
    expected = torch.tanh(torch.stack([reader.windows(torch.cat(around[k : k + 3])) for k in range(4)]))
    assert torch.allclose(reader(pad(SOURCES)).states[0, :4], expected)


# --- attention --------------------------------------------------------------------------------------------------------


def test_attention_by_hand():
    model = seq2seq(SIZES["convolution"])
    decoder, batch = model.decoder, pair([0])
    source = model.reader(batch.source)
    state = [part[None] for part in decoder.first_memory(source, None)]
    outputs, _ = decoder.recurrent(decoder.embedding(batch.target[:, :-1]), state)
    for t, output in enumerate(outputs[0]):
        scores = torch.stack([decoder.query(output) @ state for state in source.states[0]]) / math.sqrt(6)
        seen = sum(weight * state for weight, state in zip(scores.softmax(0), source.states[0], strict=True))
        mixed = torch.tanh(decoder.mixed(torch.cat([output, seen])))
        expected = decoder.output.words(mixed) + decoder.output.never
        assert torch.allclose(model.writer(batch.source).logits(batch.target[:, :-1], None)[0, t], expected)


def test_the_decoder_looks_where_its_query_points():
    decoder = seeded_module(0, lambda: AttentionDecoder(SIZE, SIZES["convolution"], latent=0))
    with torch.no_grad():
        decoder.query.weight.mul_(1e4)  # all attention goes to the best match
    reader = seeded_module(1, lambda: SourceReader(SIZE, SIZES["convolution"]))
    source = reader(pad(SOURCES[3:]))
    memory = decoder.first_memory(source, None)
    words = decoder.embedding(torch.tensor([[BOS]]))
    logits = decoder(words, source, None, memory)[0]
    output = decoder.recurrent(words, tuple(part[None] for part in memory))[0][0, 0]
    best = (source.states[0] @ decoder.query(output)).argmax()
    only_best = source._replace(inside=torch.arange(len(SOURCES[3]))[None] == best)
    assert torch.allclose(decoder(words, only_best, None, memory)[0], logits, atol=1e-5)


# --- padding ----------------------------------------------------------------------------------------------------------


@each_size
def test_padding_changes_nothing(sizes):
    together, model, plain = pair([0, 1, 2, 3]), vae(sizes), seq2seq(sizes)
    z = torch.randn(3, 4, 2, generator=seeded(1), dtype=torch.float64)
    q = model.posterior(together)
    for row in range(4):
        alone = pair([row])
        assert torch.allclose(plain.log_likelihood(together)[row], plain.log_likelihood(alone)[0])
        assert torch.allclose(model.log_likelihood(together, z)[:, row], model.log_likelihood(alone, z[:, [row]])[:, 0])
        own = model.posterior(alone)
        for ours, theirs in ((q, own), (q.prior, own.prior)):
            assert torch.allclose(ours.mean[row], theirs.mean[0])
            assert torch.allclose(ours.log_var[row], theirs.log_var[0])
        assert torch.allclose(model.prior(together.source).mean[row], own.prior.mean[0])


# --- probability ------------------------------------------------------------------------------------------------------


@each_size
def test_writing_word_by_word_is_teacher_forcing(sizes):
    model, batch = vae(sizes), pair([0, 3])
    writer, z = model.writer(batch.source), torch.randn(2, 2, generator=seeded(1), dtype=torch.float64)
    forced, state = writer.logits(batch.target, z), writer.start(z, 2)
    for t in range(batch.target.shape[1]):
        logits, state = writer.step(batch.target[:, t], state)
        assert torch.allclose(logits, forced[:, t])
        state = state.rows(torch.tensor([0, 1]))
    turned, _ = writer.step(batch.target[[1, 0], 0], writer.start(z, 2).rows(torch.tensor([1, 0])))
    assert torch.allclose(turned, forced[[1, 0], 0])


def test_the_rate_is_torchs_kl_between_posterior_and_prior_given_the_source():
    q = vae(SIZES["convolution"]).posterior(pair([0, 1, 2, 3]))
    expected = distributions.kl_divergence(distributions.Normal(q.mean, q.std), distributions.Normal(q.prior.mean, q.prior.std))
    assert torch.allclose(q.kl_to_prior_per_dimension(), expected)
    assert torch.allclose(q.kl_to_prior(), expected.sum(-1))
    assert free_bits(10.0)(q) == 20  # the floor is under this rate, not under that to N(0, I)
    assert torch.allclose(free_bits(0.0)(q), expected.mean(0).sum())


@each_size
def test_the_importance_weighted_bound_meets_the_integral_over_z(sizes):
    sizes = TextSizes(**{**SMALL, "latent": 1}, encoder=sizes.encoder)
    model, batch = vae(sizes), pair([0, 1])
    prior = model.prior(batch.source)
    grid = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    z = prior.mean + prior.std * grid[:, None, None]
    weight = torch.exp(-0.5 * grid**2) / math.sqrt(2 * math.pi) * (grid[1] - grid[0])
    exact = (model.log_likelihood(batch, z).exp() * weight[:, None]).sum(0).log()
    rows = [importance_weighted_bound(model, batch, seeded(seed), samples=2000) for seed in range(20)]
    estimates = torch.stack(rows)
    error = estimates.std(0) / math.sqrt(20)
    assert ((estimates.mean(0) - exact).abs() < 4 * error + 1e-4).all()
    assert (error < 0.02).all()


def test_the_likelihood_of_pairs_comes_back_in_their_order():
    pairs = PairBatches(SOURCES, TARGETS, batch_size=3)
    for model in (vae(SIZES["lstm"]), seq2seq(SIZES["lstm"])):
        measured = likelihood(model, pairs, seeded(0), samples=400)
        assert measured.tokens == sum(len(target) - 1 for target in TARGETS)
        for row in range(4):
            if isinstance(model, SequenceToSequence):
                expected = -model.log_likelihood(pair([row]))[0]
                assert measured.nll[row] == pytest.approx(expected.item())
            else:
                assert measured.rate[row] == pytest.approx(model.posterior(pair([row])).kl_to_prior().item())
                bound = -importance_weighted_bound(model, pair([row]), seeded(1), 400)[0]
                assert measured.nll[row] == pytest.approx(bound.item(), abs=0.5)


def test_dropout_acts_only_with_noise():
    model = seq2seq(TextSizes(**SMALL, dropout=0.5, word_dropout=0.5))
    assert torch.equal(model.log_likelihood(pair([0, 1])), model.log_likelihood(pair([0, 1])))
    first, second, third = (model.loss(pair([0, 1]), seeded(seed))["loss"].item() for seed in (0, 0, 1))
    assert first == second != third


# --- learning ---------------------------------------------------------------------------------------------------------


def reversed_numbers(count, seed, words=3):
    """Sources and their reversal: whoever does not attend to the right word cannot write it."""
    words = torch.randint(4, SIZE, (count, words), generator=seeded(seed)).tolist()
    return [[BOS, *row, EOS] for row in words], [[BOS, *row[::-1], EOS] for row in words]


def test_sequence_to_sequence_learns_to_turn_sentences_round():
    sources, targets = reversed_numbers(200, 0)
    sizes = TextSizes(embedding=16, hidden=32, latent=2, encoder="lstm")
    model = seeded_module(0, lambda: SequenceToSequence(SIZE, SIZE, sizes))
    fit(model, PairBatches(sources, targets, 20), Budget(300, 20, 1e-2, checks=1), seed=0)
    sources, targets = reversed_numbers(40, 1)
    writer = model.writer(pad(sources))
    expected = [target[1:-1] for target in targets]
    for written in (greedy(writer, None, count=40), beam(writer, None, count=40, width=3)):
        assert sum(a == b for a, b in zip(written, expected, strict=True)) >= 38


def test_a_conditional_vae_keeps_in_z_what_the_source_does_not_say():
    """The target is the source or its reversal, by the toss of a coin: z holds the coin, ln 2 nats, and nothing else."""
    sources, targets = reversed_numbers(400, 0, words=2)
    coin = torch.rand(400, generator=seeded(2)) < 0.5
    targets = [source if heads else target for source, target, heads in zip(sources, targets, coin, strict=True)]
    sizes = TextSizes(embedding=16, hidden=32, latent=2)
    model = seeded_module(0, lambda: ConditionalTextVAE(SIZE, SIZE, sizes))
    objective = NegativeElbo(model, linear_annealing(200), free_bits(0.5))
    fit(objective, PairBatches(sources, targets, 20), Budget(500, 20, 1e-2, checks=1), seed=0)
    question = pad([[BOS, 4, 5, EOS]] * 400)
    z = model.prior(question).sample(seeded(3))
    written = [tuple(words) for words in greedy(model.writer(question), z)]
    heads, tails = written.count((4, 5)) / 400, written.count((5, 4)) / 400
    assert min(heads, tails) > 0.2  # one of them would be 0 if z were ignored
    assert heads + tails > 0.75
    likely = likelihood(model, PairBatches(sources, targets, 50), seeded(0), samples=50)
    toss = math.log(2) * sum(source[1] != source[2] for source in sources) / 400  # of two equal words there is no reversal
    assert toss - 0.1 < likely.nats_per_sentence.value < toss + 0.4
    assert likely.rate.mean() > 0.5


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_writer_writes_one_sentence_for_each_source():
    writer = seq2seq(SIZES["convolution"]).writer(pad(SOURCES))
    with pytest.raises(ValueError, match="expected one sentence for each of the 4 sources, got 2"):
        sampled(writer, None, seeded(0), count=2)
