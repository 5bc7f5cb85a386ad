"""What tests of several rooms share."""

import pytest
import simulated_device

from vae_course.training import find_device

PICTURES = [
    ["a red dog runs on grass", "the red dog runs on grass", "a red dog runs", "a dog runs on", "dog runs"],
    ["two girls sing a song today", "two girls sing a song", "the girls sing well", "two girls sing", "girls sing"],
    ["an old man sleeps at home", "the old man sleeps well", "an old man sleeps", "a man sleeps", "man sleeps"],
]


@pytest.fixture
def pictures():
    """Five captions of each of three pictures."""
    return PICTURES


@pytest.fixture
def captions_folder(tmp_path):
    """A folder with ``PICTURES`` as a corpus of captions, the same in all splits."""
    (tmp_path / "flickr_captions").mkdir()
    for split in ("train", "val", "test"):
        for place in range(5):
            text = "".join(five[place] + "\n" for five in PICTURES)
            (tmp_path / "flickr_captions" / f"{split}.{place + 1}.en").write_text(text, encoding="utf-8")
    return tmp_path


def vae(name, seed, nll, rate, distortion, information, person):
    return {
        "name": name,
        "seed": seed,
        "nll": nll,
        "nats_above_truth": nll - 14.5,
        "rate": rate,
        "distortion": distortion,
        "negative_elbo": rate + distortion,
        "mutual_information": information,
        "samples": 100,
        "facts_kept": {"person": person, "thing": 0.4},
    }


ROWS = [
    {"name": "language model", "seed": 0, "nll": 15.0, "nats_above_truth": 0.5},
    vae("quiet", 0, 15.1, 0.5, 14.7, 0.4, 0.2),
    vae("loud", 0, 16.0, 6.0, 11.0, 4.0, 1.0),
    vae("quiet", 1, 15.3, 0.7, 14.9, 0.6, 0.4),
]


@pytest.fixture
def model_rows():
    """What studies store of three models, one of them under two seeds; the truth is known."""
    return ROWS


@pytest.fixture
def rows_without_truth():
    """The same three models of a text whose truth nobody knows."""
    return [{key: value for key, value in row.items() if key != "nats_above_truth"} for row in ROWS]


@pytest.fixture(scope="session")
def place(request):
    """The accelerator that tests use: a pretended one, or with ``--device cuda`` the machine's own."""
    if request.config.getoption("--device") == "cuda":
        return find_device("cuda")
    return simulated_device.install()
