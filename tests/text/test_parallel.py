import itertools
import math

import pytest
import torch

from vae_course.text.batches import Pair, PairBatches, pad
from vae_course.text.cures import Budget, fit
from vae_course.text.decoding import greedy
from vae_course.text.models import TextSizes
from vae_course.text.objectives import NegativeElbo, free_bits, linear_annealing
from vae_course.text.parallel import ParallelTextVAE, ParallelTranslator
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import seeded, seeded_module

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)
SOURCES = [[BOS, 4, 5, EOS], [BOS, 6, EOS], [BOS, EOS], [BOS, 4, 4, 6, 5, 6, EOS]]
TARGETS = [[BOS, 5, EOS], [BOS, 4, 4, 6, 5, EOS], [BOS, 6, 6, EOS], [BOS, EOS]]
PAIR = Pair(pad(SOURCES), pad(TARGETS))


def parallel(longest=8, seed=0):
    return seeded_module(seed, lambda: ParallelTextVAE(SIZE, SIZE, SMALL, longest)).double()


def test_what_is_written_at_once_has_probabilities_that_sum_to_one():
    model = parallel(longest=3)
    source, z = pad(SOURCES[:1]), torch.randn(1, 2, generator=seeded(1), dtype=torch.float64)
    total = 0.0
    for length in range(3):
        for words in itertools.product(range(3, SIZE), repeat=length):
            total += model.log_likelihood(Pair(source, torch.tensor([[BOS, *words, EOS]])), z).exp().item()
    unended = torch.tensor([[BOS, 4, 4, 4]])  # three places: what has not ended by then
    logits = model.writer(source).logits(unended[:, :3], z).softmax(-1)[0]
    assert total + (1 - logits[:, EOS]).prod().item() == pytest.approx(1)


def test_places_do_not_see_each_others_words():
    model = parallel()
    z = model.prior(PAIR.source).mean
    logits = model.writer(PAIR.source).logits(PAIR.target, z)
    assert torch.equal(logits, model.writer(PAIR.source).logits(torch.full_like(PAIR.target, 3), z))
    assert not torch.allclose(logits[:, 0], logits[:, 1])  # but they know which place they are
    other = model.writer(PAIR.source).logits(PAIR.target, z + 1)
    assert not torch.allclose(logits, other)


@pytest.mark.parametrize("kind", ["with z", "without z"])
def test_at_once_is_greedy(kind):
    if kind == "with z":
        model = parallel(seed=6)
        z = model.prior(PAIR.source).sample(seeded(2))
    else:
        model, z = seeded_module(6, lambda: ParallelTranslator(SIZE, SIZE, SMALL, 8)).double(), None
    with torch.no_grad():
        model.decoder.output.words.weight.mul_(20)  # so that sentences differ
    writer = model.writer(PAIR.source)
    written = writer.at_once(z)
    assert written == greedy(writer, z, None if kind == "with z" else 4, longest=8)
    assert len(set(map(tuple, written))) > 1
    assert min(map(len, written)) < 8
    with pytest.raises(ValueError, match="one sentence for each of the 4 sources, got 2"):
        writer.start(None, 2)
    with pytest.raises(ValueError, match="knows 8 places, got number 8"):
        writer.logits(torch.zeros(4, 9, dtype=torch.long), z)


def test_padding_of_either_side_changes_nothing():
    model, plain = parallel(), seeded_module(0, lambda: ParallelTranslator(SIZE, SIZE, SMALL, 8)).double()
    z = torch.randn(3, 4, 2, generator=seeded(1), dtype=torch.float64)
    together = model.log_likelihood(PAIR, z)
    for row in range(4):
        alone = Pair(pad(SOURCES[row : row + 1]), pad(TARGETS[row : row + 1]))
        assert torch.allclose(together[:, row], model.log_likelihood(alone, z[:, [row]])[:, 0])
        assert torch.allclose(plain.log_likelihood(PAIR)[row], plain.log_likelihood(alone)[0])


def test_z_lets_the_places_agree_where_without_it_they_mix():
    """The target is "4 5" or "5 4" whatever the source: half of what independent places write is neither."""
    coin = torch.rand(400, generator=seeded(2)) < 0.5
    sources, targets = [[BOS, 6, EOS]] * 400, [[BOS, 4, 5, EOS] if heads else [BOS, 5, 4, EOS] for heads in coin]
    batches, sizes = PairBatches(sources, targets, 20), TextSizes(embedding=8, hidden=24, latent=1)
    blind = seeded_module(0, lambda: ParallelTranslator(SIZE, SIZE, sizes, 4))
    fit(blind, batches, Budget(120, 20, 1e-2, checks=1), seed=0)
    pair = Pair(pad(sources), pad(targets))
    assert -blind.log_likelihood(pair).mean().item() == pytest.approx(2 * math.log(2), abs=0.05)  # each place pays for itself
    model = seeded_module(0, lambda: ParallelTextVAE(SIZE, SIZE, sizes, 4))
    fit(NegativeElbo(model, linear_annealing(100), free_bits(0.1)), batches, Budget(300, 20, 1e-2, checks=1), seed=0)
    z = model.prior(pair.source).sample(seeded(3))
    written = [tuple(row) for row in model.writer(pair.source).at_once(z)]
    share = {order: written.count(order) / 400 for order in ((4, 5), (5, 4))}
    assert min(share.values()) > 0.2
    assert sum(share.values()) > 0.8
    again = [tuple(row) for row in model.refined(pair.source, [list(row) for row in written])]
    assert sum(row in share for row in again) >= sum(row in share for row in written)
