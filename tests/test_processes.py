"""Several processes that train one model, against one process, against shares averaged by hand, killed and gone on."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vae_course import processes
from vae_course.processes import Team
from vae_course.text.batches import Pair, SentenceBatches
from vae_course.text.cures import Budget, fit
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo
from vae_course.text.vocabulary import BOS, EOS
from vae_course.training import Update, seeded, seeded_module, train

# --- one process's part -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("rows", [3, 4, 7])
def test_the_weighted_means_of_shares_are_the_mean_of_the_batch(rows, size):
    values = torch.randn(rows, 2, generator=seeded(0), dtype=torch.float64)
    shares = [Team(number, size).share(Pair(values, 3 * values)) for number in range(size)]
    assert sorted(len(share.source) for share, _ in shares)[0] >= 1
    torch.testing.assert_close(sum(weight * share.source.mean(0) for share, weight in shares) / size, values.mean(0))
    assert all(isinstance(share, Pair) and torch.equal(share.target, 3 * share.source) for share, _ in shares)


def test_a_batch_that_is_too_small_to_be_shared_is_refused():
    with pytest.raises(ValueError, match="a batch of 2 cannot be shared among 3 processes"):
        Team(0, 3).share(torch.zeros(2, 5))


def test_each_process_draws_noise_of_its_own_from_what_all_have_in_common():
    noise = [torch.randn(3, generator=Team(number, 2).noise(seeded(7))) for number in (0, 0, 1)]
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])


def test_alone_nothing_changes():
    generator, values = seeded(0), torch.ones(2)
    alone = Team.joined()
    assert alone == Team()
    assert alone.noise(generator) is generator
    assert alone.share(values) == (values, 1.0)
    alone.average([values])
    assert values.tolist() == [1, 1]
    assert alone.leaders(math.pi) == math.pi
    alone.others_end()


# --- two processes ----------------------------------------------------------------------------------------------------

TEXT = [[BOS, *(4 + (7 * k + 3 * j) % 11 for j in range(1 + k % 5)), EOS] for k in range(61)]
SIZES = TextSizes(embedding=8, hidden=8, latent=3)
BUDGET = Budget(steps=24, batch_size=7, learning_rate=1e-2, checks=4)


def language_model():
    """With groups of rare words, of which many batches have none: their weights are not moved then."""
    return seeded_module(1, lambda: LanguageModel(15, replace(SIZES, cutoffs=(8, 12))))


def vae():
    return NegativeElbo(seeded_module(2, lambda: TextVAE(15, SIZES)))


def told(model, history):
    return {
        "metrics": history.metrics,
        "best": history.best_epoch,
        "weights": [w.flatten().tolist() for w in model.parameters()],
    }


def of_one_process(tmp_path, build=language_model):
    model = build()
    return told(
        model, fit(model, SentenceBatches(TEXT, 7), BUDGET, seed=3, early_stopping=TEXT[:9], checkpoint=tmp_path / "one")
    )


def work(folder, mode):
    """What each of the processes does: run as a program, see below."""
    folder = Path(folder)
    number = int(os.environ["RANK"])
    if mode == "apart":  # a loss that moves a weight by itself, in one process only
        model = language_model()

        def moving(tokens, generator):
            with torch.no_grad():
                model.decoder.output.words.head.bias[5] += number
            return model.loss(tokens, generator)

        train(Update.adam(model, moving), SentenceBatches(TEXT, 7), epochs=1, generator=seeded(0))
    builds = {"vae": vae}
    model = builds.get(mode, language_model)()

    def fails(history):
        if mode == "killed" and history.epochs == 3 and number == 1:
            os.kill(os.getpid(), 9)
        history.metrics.setdefault("cpu_seconds", []).append(0.0)

    history = fit(
        model,
        SentenceBatches(TEXT, 7),
        BUDGET,
        seed=3,
        after_check=fails,
        early_stopping=TEXT[:9] if mode != "vae" else (),
        checkpoint=folder / "checkpoint" if mode != "vae" else None,
    )
    (folder / f"{mode}-{number}.json").write_text(json.dumps(told(model, history)))


def of_two_processes(folder, mode):
    processes.together(2, [sys.executable, __file__, str(folder), mode])
    return [json.loads((folder / f"{mode}-{number}.json").read_text()) for number in range(2)]


def assert_close(found, expected, metrics):
    for name in metrics:
        assert found["metrics"][name] == pytest.approx(expected["metrics"][name], rel=1e-5), name
    for ours, theirs in zip(found["weights"], expected["weights"], strict=True):
        assert ours == pytest.approx(theirs, abs=2e-5)


def test_two_processes_give_the_losses_of_one_and_so_they_do_when_killed_and_begun_again(tmp_path, capfd):
    expected = of_one_process(tmp_path)
    with pytest.raises(RuntimeError, match="one of 2 processes failed"):
        of_two_processes(tmp_path, "killed")
    assert not list(tmp_path.glob("killed-*.json"))
    capfd.readouterr()
    gone_on = of_two_processes(tmp_path, "gone on")
    assert capfd.readouterr().out.count("4/4") <= 1  # one of them shows its progress
    for found in gone_on:
        assert_close(found, expected, ["loss", "validation"])
        assert found["best"] == expected["best"]
    assert gone_on[0]["weights"] == gone_on[1]["weights"]


def test_a_vae_in_two_processes_is_the_mean_of_its_shares_each_with_noise_of_its_own(tmp_path):
    found, other = of_two_processes(tmp_path, "vae")
    assert found["weights"] == other["weights"]
    model, common = vae(), seeded(3)
    optimizer = torch.optim.Adam(model.parameters(), lr=BUDGET.learning_rate)
    stream, losses = SentenceBatches(TEXT, 7), []
    for check in range(4):
        first = int(torch.randint(2**62, (), generator=common.clone_state()))
        noise, total = [seeded(first), seeded(first + 1)], 0.0
        for step, tokens in zip(range(6), stream.epoch(common), strict=False):
            rate = BUDGET.learning_rate * 0.5 * (1 + math.cos(math.pi * (6 * check + step) / 24))
            optimizer.param_groups[0]["lr"] = rate
            parts = [model.loss(tokens[number::2], noise[number])["loss"] * len(tokens[number::2]) for number in range(2)]
            loss = sum(parts) / len(tokens)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            total += loss.item() / 6
        losses.append(total)
    assert found["metrics"]["loss"] == pytest.approx(losses, rel=1e-5)


def test_weights_that_are_no_longer_the_same_are_told(tmp_path, capfd):
    with pytest.raises(RuntimeError, match="one of 2 processes failed"):
        of_two_processes(tmp_path, "apart")
    assert "the processes' weights are no longer the same" in capfd.readouterr().err


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_trains_in_two_processes_and_one_of_them_speaks(tmp_path):
    lines = [
        f"{who} {does} a {what} {when}"
        for who in "abcdefgh"
        for does in ("saw", "took")
        for what in ("cap", "mug", "pen")
        for when in ("now", "then", "again", "today", "soon")
    ]
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "vae_course", "train", "correct", str(file), "--to", str(tmp_path / "m"), "--quick"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    ended = subprocess.run([*command, "--devices", "2"], capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("scoring on the test part") == 1
    assert ended.stdout.count("The model is in") == 1
    assert (tmp_path / "m" / "model.json").exists()
    refused = subprocess.run([*command, "--devices", "2"], capture_output=True, text=True, env=environment, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("holds a trained model already") == 1


if __name__ == "__main__":
    work(*sys.argv[1:])
