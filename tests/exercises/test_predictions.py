"""What a lesson asks its reader to predict: choices, guesses typed and clicked, what came out."""

import subprocess
import sys

import ipywidgets
import pytest

from vae_course import exercises
from vae_course.exercises import Prediction, calls, catalogue, predict, questions, reveal
from vae_course.exercises.lesson_09 import FOUR
from vae_course.studies import store, tables

COIN = Prediction("coin", ("yes", "no"), answer="no", because="it is fair.", wrong={"yes": "It <may> seem so."})
SHARE = Prediction("share", ("30 %", "60 %", "80 %"), answer="30 %", because="so.", wrong={"60 %": "A.", "80 %": "B."})
NUMBER = Prediction("number", ("3", "10", "97"), answer="3", because="of grammar.", wrong={"10": "Ten.", "97": "All."})
WORDS = Prediction(
    "words", ("q", "a decoder"), answer="q", because="<x>.", wrong={"a decoder": "Never."}, otherwise="decoders do."
)
MANY = Prediction("many", tuple("abcdefgh"), answer="a", because="so.", wrong=dict.fromkeys("bcdefgh", "No."))
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(catalogue, "all_predictions", lambda: {p.name: p for p in (COIN, SHARE, NUMBER, WORDS, MANY)})
    monkeypatch.setattr(questions, "_asked", {})
    monkeypatch.setattr(questions, "_outcomes", {})


@pytest.fixture
def asked(monkeypatch):
    """What a prediction's question is displayed as, and the question itself."""
    shown = []

    def display(thing, raw=False):
        if raw:
            shown.append(thing)
        else:
            thing._ipython_display_()

    monkeypatch.setattr(questions, "display", display)

    def ask(name):
        assert predict(name) is None
        return shown.pop(), questions._asked[name]

    return ask


@pytest.fixture
def folded(monkeypatch):
    """What ``reveal`` folds away."""
    shown = []
    monkeypatch.setattr(calls, "display", lambda data, raw: shown.append(data))
    return shown


def test_without_a_guess_it_asks_and_says_how_to_answer_where_nothing_can_be_clicked(asked):
    bundle, _ = asked("coin")
    assert set(bundle) == {VIEW, "text/plain"}
    assert bundle["text/plain"] == 'What do you expect: "yes" or "no"? Write it in place of the dots: predict("coin", "...")'
    assert '"3", "10" or "97"?' in asked("number")[0]["text/plain"]


def test_choices_are_buttons_with_a_name_and_none_is_chosen_yet(asked):
    bundle, question = asked("share")
    assert bundle[VIEW]["model_id"] == question.box.model_id
    assert question.box.children == (question.control, question.words)
    assert type(question.control) is ipywidgets.RadioButtons
    assert question.control.options == ("30 %", "60 %", "80 %")
    assert question.control.description == question.control.tooltip == "What do you expect?"
    assert question.guess is None
    assert question.words.value == ""


def test_many_choices_are_a_list_that_opens(asked):
    _, question = asked("many")
    assert type(question.control) is ipywidgets.Dropdown
    assert question.guess is None


def test_a_click_is_a_guess(asked, capsys):
    _, question = asked("coin")
    question.control.value = "yes"
    assert question.words.value == "Your guess: &quot;yes&quot;."
    reveal("coin", None, False)
    told = 'You guessed "yes". It is "no", because it is fair. Why not "yes"? It <may> seem so.'
    assert capsys.readouterr().out == f"{told}\n"
    assert question.words.value == told.replace('"', "&quot;").replace("<may>", "&lt;may&gt;")


def test_a_typed_guess_goes_before_a_clicked_one(asked, capsys):
    _, question = asked("coin")
    question.control.value = "yes"
    reveal("coin", "no", False)
    assert capsys.readouterr().out.startswith("As you guessed")


def test_a_click_after_the_answer_was_revealed_shows_the_verdict(asked, folded):
    _, question = asked("coin")
    reveal("coin", None, False)
    assert len(folded) == 1
    question.control.value = "no"
    assert question.words.value == "As you guessed: &quot;no&quot;, because it is fair."
    question.control.value = "yes"
    assert question.words.value.startswith("You guessed &quot;yes&quot;.")


def test_asked_again_the_guess_is_open_and_the_answer_still_known(asked, folded):
    _, first = asked("coin")
    first.control.value = "yes"
    reveal("coin", None, False)
    _, question = asked("coin")
    reveal("coin", None, False)
    assert len(folded) == 1
    question.control.value = "no"
    assert question.words.value.startswith("As you guessed")


def test_without_a_question_an_answer_is_folded(folded):
    reveal("coin", None, False)
    assert len(folded) == 1


def test_widgets_wait_until_a_question_is_asked():
    code = "import sys; from vae_course.exercises import check, predict, reveal; print('ipywidgets' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


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
        'You guessed "yes". It is "no", because it is fair. Why not "yes"? It <may> seem so.',
        'You guessed "10". It is "3", because of grammar. Why not "10"? Ten.',
    ]


def test_a_reader_who_did_not_finds_it_folded(folded, capsys):
    reveal("words", None, "q")
    told = "<details><summary>The answer, after your guess</summary>&quot;q&quot;, because &lt;x&gt;.</details>"
    assert folded == [{"text/html": told, "text/plain": 'The answer: "q", because <x>.'}]
    assert capsys.readouterr().out == ""


def test_another_outcome_than_the_courses_is_told_as_such(capsys):
    """And no guess is explained away: on a text of the reader's it may have been a good one."""
    reveal("words", "q", "a decoder")
    reveal("coin", "yes", True)
    reveal("number", "97", 10)
    assert capsys.readouterr().out.splitlines() == [
        'You guessed "q". It is "a decoder", because decoders do.',
        'As you guessed: "yes" here. The course found "no", because it is fair.',
        'You guessed "97". It is "10" here. The course found "3", because of grammar.',
    ]


def test_a_guess_that_is_no_choice_is_told_without_a_reason(capsys):
    reveal("coin", "perhaps", False)
    assert capsys.readouterr().out == 'You guessed "perhaps". It is "no", because it is fair.\n'


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
        Prediction("bad", choices, answer=answer, because="of that.", wrong={})


@pytest.mark.parametrize("wrong", [{}, {"a": "A."}, {"a": "A.", "b": "B.", "c": "C."}, {"a": "A.", "d": "D."}])
def test_each_wrong_choice_has_a_text_and_no_other(wrong):
    with pytest.raises(ValueError, match="a text for each choice but the answer"):
        Prediction("bad", ("a", "b", "c"), answer="c", because="of that.", wrong=wrong)


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


def test_wrong_choices_are_explained_in_a_sentence_or_two(monkeypatch):
    monkeypatch.undo()
    for prediction in exercises.catalogue.all_predictions().values():
        for text in prediction.wrong.values():
            assert text[0].isupper(), prediction.name
            assert text.endswith("."), prediction.name
            assert 60 < len(text) < 260, prediction.name


def test_what_is_said_of_wrong_cures_is_what_the_stored_run_found():
    """All four speak, one cannot be afforded, and of the others the answer has the most information."""
    rows = store.stored("cures_world")["rows"]
    told, nll = tables.over_seeds(rows, tables.information), tables.over_seeds(rows, "nll")
    for name in FOUR:
        assert told[name].mean > 1  # what the lesson asks of a z that is used
    affordable = [name for name in FOUR if nll[name].mean - nll["language model"].mean < 0.25]
    assert affordable == list(FOUR[:3])
    assert max(affordable, key=lambda name: told[name].mean) == "pretraining + free bits"
    assert max(FOUR, key=lambda name: told[name].mean) == "pretraining + many free bits"
