"""The checker is strict: a small change of a reference is found wrong, or is as right and says for which reason."""

import inspect

import mutants
import pytest

from vae_course.exercises import all_exercises, attempts, core

FUNCTIONS = [exercise for exercise in all_exercises().values() if inspect.isfunction(exercise.reference)]


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.name)
def test_no_wrong_mutant_is_accepted(exercise, monkeypatch):
    monkeypatch.setattr(attempts, "TIME_LIMIT", 2.0)
    monkeypatch.setattr(core.Exercise, "_named", lambda self, observed, cases: None)  # the names make no difference here
    count, survivors = mutants.accepted(exercise)
    assert count >= 4
    reasons = mutants.equivalent().get(exercise.name, {})
    assert set(survivors) == set(reasons)  # so that a reason goes when its mutant is found wrong
    assert all(len(reason) > 20 for reason in reasons.values())


def test_a_lax_exercise_would_be_found_out(monkeypatch):
    """With its first input alone, on which the KL's parts are 0, an exercise accepts what it should not."""
    monkeypatch.setattr(core.Exercise, "inputs", lambda self, seed=0: list(self.cases())[:1])
    monkeypatch.setattr(core.Exercise, "_named", lambda self, observed, cases: None)
    _, survivors = mutants.accepted(all_exercises()["kl_to_standard_normal"])
    assert survivors
