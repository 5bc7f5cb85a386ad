"""What a lesson asks its reader to predict: choices, guesses, what came out."""

import pytest

from vae_course import exercises
from vae_course.exercises import Prediction, calls, catalogue, predict, reveal

COIN = Prediction("coin", ("yes", "no"), answer="no", because="it is fair.")
SHARE = Prediction("share", ("30 %", "60 %", "80 %"), answer="30 %", because="so.")
NUMBER = Prediction("number", ("3", "10", "97"), answer="3", because="of grammar.")
WORDS = Prediction("words", ("q", "a decoder"), answer="q", because="<x>.", otherwise="decoders do.")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(catalogue, "all_predictions", lambda: {p.name: p for p in (COIN, SHARE, NUMBER, WORDS)})


def test_without_a_guess_it_asks_and_shows_how_to_answer(capsys):
    assert predict("coin") is None
    assert capsys.readouterr().out == 'What do you expect: "yes" or "no"? Write it in, as in predict("coin", "yes").\n'
    predict("number")
    assert '"3", "10" or "97"?' in capsys.readouterr().out


@pytest.mark.parametrize("guess", [30, "30", "30%", " 30  % "])
def test_a_guess_may_be_written_as_one_likes(guess, capsys):
    assert predict("share", guess) == "30 %"
    assert predict("words", "A  Decoder") == "a decoder"
    assert capsys.readouterr().out == 'Your guess: "30 %".\nYour guess: "a decoder".\n'
    reveal("share", guess, 0.34)
    assert capsys.readouterr().out == 'As you guessed: "30 %", because so.\n'


def test_what_is_none_of_the_choices_is_told_and_is_no_guess(capsys):
    assert predict("coin", "perhaps") is None
    assert capsys.readouterr().out == '\'perhaps\' is none of the choices. They are "yes" and "no".\n'


def test_a_reader_who_guessed_sees_what_came_out_at_once(capsys):
    reveal("coin", "no", False)
    reveal("coin", "yes", False)
    reveal("number", 10, 2.97)
    assert capsys.readouterr().out.splitlines() == [
        'As you guessed: "no", because it is fair.',
        'You guessed "yes". It is "no", because it is fair.',
        'You guessed "10". It is "3", because of grammar.',
    ]


def test_a_reader_who_did_not_finds_it_folded(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(calls, "display", lambda data, raw: shown.append(data))
    reveal("words", None, "q")
    folded = "<details><summary>The answer, after your guess</summary>&quot;q&quot;, because &lt;x&gt;.</details>"
    assert shown == [{"text/html": folded, "text/plain": 'The answer: "q", because <x>.'}]
    assert capsys.readouterr().out == ""


def test_another_outcome_than_the_courses_is_told_as_such(capsys):
    reveal("words", "q", "a decoder")
    reveal("coin", "yes", True)
    assert capsys.readouterr().out.splitlines() == [
        'You guessed "q". It is "a decoder", because decoders do.',
        'As you guessed: "yes" here. The course found "no", because it is fair.',
    ]


@pytest.mark.parametrize(
    ("prediction", "value", "outcome"),
    [
        (COIN, True, "yes"),
        (COIN, "NO", "no"),
        (SHARE, 0.44, "30 %"),
        (SHARE, 0.46, "60 %"),
        (SHARE, 1, "80 %"),
        (NUMBER, 2.97, "3"),
        (NUMBER, 6, "3"),
        (NUMBER, 7, "10"),
        (NUMBER, "97", "97"),
    ],
)
def test_a_computed_value_comes_to_a_choice(prediction, value, outcome):
    assert prediction.outcome(value) == outcome


@pytest.mark.parametrize(("prediction", "value"), [(COIN, "maybe"), (NUMBER, True), (WORDS, "decoder")])
def test_a_value_that_is_no_choice_is_an_error_that_names_them(prediction, value):
    with pytest.raises(ValueError, match=f"{prediction.name}: expected one of .*got"):
        prediction.outcome(value)


@pytest.mark.parametrize(("choices", "answer"), [(("yes", "no"), "perhaps"), (("yes",), "yes"), (("30 %", "30%"), "30 %")])
def test_choices_are_several_and_the_answer_is_one_of_them(choices, answer):
    with pytest.raises(ValueError, match="the answer among them"):
        Prediction("bad", choices, answer=answer, because="of that.")


def test_an_unknown_name_is_told_with_the_close_ones():
    with pytest.raises(ValueError, match=r"there is no prediction 'coins'; did you mean coin\?"):
        predict("coins")
    with pytest.raises(ValueError, match="the same name in predict and in reveal"):
        reveal("zzz", None, "no")


def test_a_name_is_for_one_prediction_only(monkeypatch):
    monkeypatch.undo()
    catalogue.all_predictions.cache_clear()
    monkeypatch.setattr(catalogue, "predictions_by_lesson", lambda: {1: (COIN,), 2: (COIN,)})
    with pytest.raises(ValueError, match="'coin' is the name of two"):
        catalogue.all_predictions()


def test_reasons_are_sentences_that_follow_because(monkeypatch):
    monkeypatch.undo()
    for prediction in exercises.catalogue.all_predictions().values():
        for reason in filter(None, (prediction.because, prediction.otherwise)):
            assert reason[0].islower() or reason.startswith(("GAN", "VAE")), prediction.name
            assert reason.endswith("."), prediction.name
