import torch

from vae_course.figures import latent_space
from vae_course.text.factors import Factors


def test_the_words_hold_the_moved_sentence_and_the_facts_that_changed():
    facts = Factors(
        {"who": ("cat", "dog"), "where": ("home", "park")},
        lambda tokens: [int("dog" in tokens), int("park" in tokens)],
    )
    words = latent_space.moved_sentence(
        lambda z: [("the", "dog" if x > 1 else "cat", "sleeps") for x in z[:, 0].tolist()],
        facts,
        torch.zeros(3, 2),
        torch.zeros(2),
        torch.eye(2),
        first=1.5,
        second=-1.0,
    ).words
    assert words == "Moved by 1.5 and -1, z is written as: the dog sleeps. Facts that changed: who: dog (was cat)."
