import itertools

from vae_course.studies import store, translation
from vae_course.text.models import TextSizes
from vae_course.text.parallel import ParallelTextVAE
from vae_course.training import seeded_module

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)


def parallel(longest=8, seed=0):
    return seeded_module(seed, lambda: ParallelTextVAE(SIZE, SIZE, SMALL, longest)).double()


def test_what_is_stored_is_complete():
    stored = store.stored(translation.NAME)
    assert stored["command"] == "vae-course measure translation_world"
    runs = [(row["pairs"], row["seed"], row["name"]) for row in stored["few_pairs"]]
    assert runs == list(itertools.product((50, 100, 300, 1000), (0, 1, 2), translation.FEW_PAIRS))
    directions = [(row["seed"], row["source"], row["target"]) for row in stored["directions"]]
    assert directions == list(itertools.product((0, 1), translation.LANGUAGES, translation.LANGUAGES))  # as the lesson reads it
