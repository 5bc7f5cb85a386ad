import time

import pytest
import torch
from torch import nn

from vae_course.text.batches import PairBatches, SentenceBatches, count_tokens, in_order, pad, predicted
from vae_course.text.vocabulary import BOS, EOS, PAD
from vae_course.training import Update, seeded, train


def sentences_of(lengths, seed=0):
    """Sentences of random words 4 to 19, with so many numbers, <bos> and <eos> included."""
    generator = seeded(seed)
    return [[BOS, *torch.randint(4, 20, (n - 2,), generator=generator).tolist(), EOS] for n in lengths]


def random_sentences(count, shortest, longest, seed=1):
    return sentences_of(torch.randint(shortest, longest + 1, (count,), generator=seeded(seed)).tolist())


SMALL = random_sentences(50, 2, 12)
NORMAL = torch.randn(42_068, generator=seeded(2)) * 10 + 22  # about as long as in the Penn Treebank


def unpad(tokens):
    return [[number for number in row if number != PAD] for row in tokens.tolist()]


def test_pad():
    tokens = pad([[BOS, 7, EOS], [BOS, EOS], [BOS, 7, 8]])
    assert tokens.tolist() == [[1, 7, 2], [1, 2, 0], [1, 7, 8]]
    assert tokens.dtype == torch.int64
    for bad in ([], [[1], []]):
        with pytest.raises(ValueError, match="expected at least one, and in each at least one number"):
            pad(bad)


def test_an_epoch_holds_every_sentence_once():
    batches = SentenceBatches(SMALL, 8)
    epoch = list(batches.epoch(seeded(0)))
    assert len(epoch) == len(batches) == 7
    assert sorted(len(tokens) for tokens in epoch) == [7, 7, 7, 7, 7, 7, 8]  # never one left over alone
    assert sorted(row for tokens in epoch for row in unpad(tokens)) == sorted(SMALL)
    for tokens in epoch:
        assert torch.equal(tokens, pad(unpad(tokens)))  # padded behind, and no further than the longest


def test_a_generator_state_gives_the_same_batches_and_goes_on_to_others():
    batches, generator = SentenceBatches(SMALL, 8), seeded(3)
    first = list(batches.epoch(generator))
    state = generator.get_state()
    second = list(batches.epoch(generator))
    assert all(torch.equal(a, b) for a, b in zip(first, batches.epoch(seeded(3)), strict=True))
    generator.set_state(state)
    assert all(torch.equal(a, b) for a, b in zip(second, SentenceBatches(SMALL, 8).epoch(generator), strict=True))
    assert [tokens.shape for tokens in first] != [tokens.shape for tokens in second]  # the order of the batches


def test_sentences_of_one_length_meet_others_in_each_epoch():
    batches, generator = SentenceBatches(sentences_of([6] * 40), 4), seeded(4)
    together = [{frozenset(map(tuple, tokens.tolist())) for tokens in batches.epoch(generator)} for _ in range(2)]
    assert len(together[0] & together[1]) == 0


@pytest.mark.parametrize(
    ("sentences", "limit"),
    [
        (random_sentences(20_000, 6, 16), 0.01),
        (sentences_of(NORMAL.clamp(1, 80).long().add(2).tolist()), 0.02),
        (random_sentences(42_068, 3, 82), 0.02),
    ],
    ids=["short", "treebank", "uniform"],
)
def test_there_is_next_to_no_padding(sentences, limit):
    batches = SentenceBatches(sentences, 64)
    padding = sum(int((tokens == PAD).sum()) for tokens in batches.epoch(seeded(5)))
    numbers = sum(tokens.numel() for tokens in batches.epoch(seeded(5)))
    assert batches.padding_share == pytest.approx(padding / numbers, abs=1e-12)
    assert batches.padding_share < limit
    assert repr(batches).endswith(f"of 64, {padding / numbers:.1%} padding")


def test_padding_share_by_hand():
    assert SentenceBatches(sentences_of([2, 3, 3, 5]), 2).padding_share == pytest.approx(3 / 16)


def test_an_epoch_is_fast():
    batches, generator = SentenceBatches(random_sentences(20_000, 6, 16), 64), seeded(6)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        for _ in batches.epoch(generator):
            pass
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1


def test_in_order_brings_results_back_into_the_order_of_the_sentences():
    result = torch.full((len(SMALL),), -1)
    longest = 0
    for rows, tokens in in_order(SMALL, 8):
        assert unpad(tokens) == [SMALL[row] for row in rows]
        assert tokens.shape[1] >= longest
        longest = tokens.shape[1]
        result[rows] = tokens.sum(1)
    assert result.tolist() == [sum(sentence) for sentence in SMALL]


def test_what_is_predicted():
    tokens = pad([[BOS, 7, 8, EOS], [BOS, EOS]])
    assert predicted(tokens).tolist() == [[True, True, True], [True, False, False]]
    assert count_tokens([[BOS, 7, 8, EOS], [BOS, EOS]]) == 4


class Bigrams(nn.Module):
    """A fixed random table of logits: each word's next one."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.randn((20, 20), generator=seeded(7), dtype=torch.float64))

    def nats(self, tokens):
        """The negative log-likelihood of each sentence (batch,)."""
        log_p = self.logits.log_softmax(-1)[tokens[:, :-1], tokens[:, 1:]]
        return -(log_p * predicted(tokens)).sum(1)

    def loss(self, tokens, generator):
        return {"loss": self.nats(tokens).mean()}


def test_padding_changes_no_likelihood_and_no_count():
    model, result = Bigrams(), torch.zeros(len(SMALL), dtype=torch.float64)
    counted = 0
    with torch.no_grad():
        one_by_one = torch.stack([model.nats(torch.tensor([sentence]))[0] for sentence in SMALL])
        for rows, tokens in in_order(SMALL, 16):
            result[rows] = model.nats(tokens)
            counted += int(predicted(tokens).sum())
        epoch = sum(model.nats(tokens).sum() for tokens in SentenceBatches(SMALL, 16).epoch(seeded(8)))
    torch.testing.assert_close(result, one_by_one, rtol=1e-14, atol=0)
    torch.testing.assert_close(epoch, one_by_one.sum(), rtol=1e-13, atol=0)
    assert counted == count_tokens(SMALL) == sum(len(sentence) - 1 for sentence in SMALL)


def test_training_takes_sentence_batches_and_resumes_exactly(tmp_path):
    def run(epochs, checkpoint=None):
        model = Bigrams()
        history = train(
            Update.adam(model, model.loss, learning_rate=0.1),
            SentenceBatches(SMALL, 8),
            epochs=epochs,
            generator=seeded(9),
            checkpoint=checkpoint,
        )
        return model.logits, history.metrics

    logits, metrics = run(4)
    run(2, tmp_path / "run.pt")
    resumed_logits, resumed_metrics = run(4, tmp_path / "run.pt")
    assert torch.equal(logits, resumed_logits)
    assert metrics == resumed_metrics
    assert metrics["loss"][-1] < metrics["loss"][0]


@pytest.mark.parametrize("bad", [[7, EOS], [BOS, 7], [BOS], [], [BOS, PAD, EOS], [BOS, EOS, 7, EOS]])
def test_what_is_no_sentence_is_named(bad):
    sentences = [[BOS, 7, EOS], bad]
    for use in (lambda: SentenceBatches(sentences, 2), lambda: list(in_order(sentences, 2)), lambda: count_tokens(sentences)):
        with pytest.raises(ValueError, match=r"sentence 1: expected the numbers 1 \(<bos>\), words, 2 \(<eos>\)"):
            use()


def test_empty_batches_are_refused():
    with pytest.raises(ValueError, match="expected at least one, got none"):
        SentenceBatches([], 4)
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        SentenceBatches(SMALL, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_batches_are_the_same_on_the_gpu():
    device = torch.device("cuda")
    here, there = SentenceBatches(SMALL, 8), SentenceBatches(SMALL, 8, device)
    for a, b in zip(here.epoch(seeded(0)), there.epoch(seeded(0)), strict=True):
        assert b.device.type == "cuda"
        assert torch.equal(a, b.cpu())
    result = torch.zeros(len(SMALL), dtype=torch.int64, device=device)
    for rows, tokens in in_order(SMALL, 8, device):
        result[rows] = tokens.sum(1)
    assert result.tolist() == [sum(sentence) for sentence in SMALL]


# --- pairs ------------------------------------------------------------------------------------------------------------


def numbered_pairs(count):
    """Sources and targets of many lengths; both spell the pair's own number, so that a mix-up shows."""
    lengths = torch.randint(1, 9, (2, count), generator=seeded(7)).tolist()
    return tuple([[BOS, *[10 + row] * lengths[side][row], EOS] for row in range(count)] for side in (0, 1))


def test_an_epoch_has_each_pair_once_and_source_and_target_stay_together():
    sources, targets = numbered_pairs(101)
    pairs = PairBatches(sources, targets, batch_size=8)
    seen = []
    batches = list(pairs.epoch(seeded(0)))
    for batch in batches:
        assert len(batch.source) == len(batch.target) <= 8
        assert torch.equal(batch.source[:, 1], batch.target[:, 1])
        for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
            number = source[1] - 10
            assert [n for n in source if n != PAD] == sources[number]
            assert [n for n in target if n != PAD] == targets[number]
            seen.append(number)
    assert sorted(seen) == list(range(101))
    assert len(batches) == len(pairs) == 13
    targets_area = sum(batch.target.numel() for batch in batches)
    assert sum(map(len, targets)) / targets_area > 0.93
    assert [b.target.tolist() for b in pairs.epoch(seeded(1))] != [b.target.tolist() for b in batches]


def test_pairs_in_order_say_which_they_are():
    sources, targets = numbered_pairs(30)
    rows = []
    for chosen, batch in PairBatches(sources, targets, batch_size=7).in_order():
        assert (batch.source[:, 1] - 10).tolist() == chosen.tolist()
        rows += chosen.tolist()
    assert sorted(rows) == list(range(30))


def test_unequal_numbers_of_sources_and_targets_are_refused():
    sources, targets = numbered_pairs(3)
    with pytest.raises(ValueError, match="expected a target for each source, got 3 and 2"):
        PairBatches(sources, targets[:2], batch_size=2)
