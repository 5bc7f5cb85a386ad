"""A prediction put to the reader: in JupyterLab as choices to click, and wherever else as a line that says how to type one."""

import html

from IPython.display import display

from vae_course.exercises.predictions import Prediction
from vae_course.exercises.telling import wrapped

BUTTONS = 6  # choices; more of them go into a list that opens

_asked: dict[str, "Question"] = {}  # as each prediction was asked last, by its name
_outcomes: dict[str, str] = {}  # what came out, by the same name


class Question:
    """Choices to click, none of them chosen yet. Below them stands the guess and, once it is known, what came out."""

    def __init__(self, prediction: Prediction):
        import ipywidgets  # takes a while, and who types a guess needs none

        self.prediction = prediction
        kind = ipywidgets.RadioButtons if len(prediction.choices) <= BUTTONS else ipywidgets.Dropdown
        self.control = kind(
            options=prediction.choices,
            value=None,
            description="What do you expect?",
            tooltip="What do you expect?",
            style={"description_width": "initial"},
            layout={"width": "max-content"},
        )
        self.words = ipywidgets.HTML()
        self.box = ipywidgets.VBox([self.control, self.words])
        self.control.observe(self.answer, "value")

    @property
    def guess(self) -> str | None:
        """The choice that was clicked, if any."""
        chosen: str | None = self.control.value
        return chosen

    def answer(self, change: object = None) -> None:
        """Write below the choices what can be said of the guess by now."""
        outcome = _outcomes.get(self.prediction.name)
        if self.guess is not None:
            told = f'Your guess: "{self.guess}".' if outcome is None else self.prediction.verdict(self.guess, outcome)
            self.words.value = html.escape(told)

    def _ipython_display_(self) -> None:
        typed = f'predict("{self.prediction.name}", "...")'  # dots, since a choice as an example might be the answer
        told = wrapped(f"What do you expect: {self.prediction.listed()}? Write it in place of the dots: {typed}")
        display({**self.box._repr_mimebundle_(), "text/plain": told}, raw=True)


def ask(prediction: Prediction) -> None:
    """Put the question; a guess at an earlier one is forgotten, what came out is not."""
    question = _asked[prediction.name] = Question(prediction)
    display(question)


def told_outcome(prediction: Prediction, outcome: str) -> str | None:
    """Let the question know what came out, for guesses to come as well; return the one that was clicked already, if any."""
    _outcomes[prediction.name] = outcome
    question = _asked.get(prediction.name)
    if question is None:
        return None
    question.answer()
    return question.guess
