"""Sliders and choices on top of the same pictures that a printed page shows.

``interact`` is not used: it can hang a run that has no browser. A control here only redraws an image.
"""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets
from IPython.display import display

from vae_course.figures.base import Picture


@dataclass(frozen=True)
class Slider:
    """One slider: its label (with the unit), its range, where it starts, and its step."""

    label: str
    low: float
    high: float
    start: float
    step: float


class _Controlled:
    """A picture below its controls, and without a kernel the picture that they start with; ``told`` names them in words."""

    def __init__(self, start: Picture, controls: Sequence[ipywidgets.Widget], told: str):
        self.start, self.told = start, told
        self.image = ipywidgets.Image(value=start.png(), format="png", width=start.width)
        self.words = ipywidgets.HTML(start.words)
        self.box = ipywidgets.VBox([*controls, self.image, self.words])

    def _show(self, picture: Picture) -> None:
        self.image.value, self.image.width, self.words.value = picture.png(), str(picture.width), picture.words

    def _ipython_display_(self) -> None:
        widget_view = self.box._repr_mimebundle_()
        display({**widget_view, **self.start.mime_bundle()}, metadata=self.start.metadata(), raw=True)
        print(f"{self.told}.")


class Explorer(_Controlled):
    """A picture with a slider for each argument of ``draw``, a pure function that returns a ``Picture``.

    In JupyterLab the sliders move. Where no widget can run (a printed page, a code host, a grader) the same output shows
    the picture at the sliders' start.
    """

    def __init__(self, draw: Callable[..., Picture], **sliders: Slider):
        self.draw = draw
        self.controls = {name: _control(slider) for name, slider in sliders.items()}
        told = f"Sliders in JupyterLab: {'; '.join(slider.label for slider in sliders.values())}"
        super().__init__(self.picture(), list(self.controls.values()), told)
        for control in self.controls.values():
            control.observe(self._redraw, names="value")

    def picture(self) -> Picture:
        """The picture at the sliders' present values."""
        return self.draw(**{name: control.value for name, control in self.controls.items()})

    def _redraw(self, change: object) -> None:
        self._show(self.picture())


class _OnDemand(_Controlled):
    """A picture of a control's value, drawn when a button is pressed: for what takes too long to follow every change."""

    control: ipywidgets.ValueWidget

    def __init__(self, draw: Callable[[str], Picture], start: str, *, label: str, button: str):
        self.draw = draw
        self.button = ipywidgets.Button(description=button)
        controls = ipywidgets.HBox([self.control, self.button])
        super().__init__(draw(start), [controls], f"In JupyterLab: {label}, and a button: {button}")
        self.button.on_click(self._redraw)

    def _redraw(self, button: object) -> None:
        chosen = self.control.value
        self.button.disabled, self.words.value = True, html.escape(f"{chosen}: at work ...")
        try:
            picture = self.draw(chosen)
        except Exception as error:
            # What is raised in a button's callback only reaches a log that few readers know of.
            self.words.value = html.escape(f"{chosen}: {type(error).__name__}: {error}")
            raise
        finally:
            self.button.disabled = False
        self._show(picture)


class Chooser(_OnDemand):
    """A picture for one of several options, drawn when a button is pressed.

    ``draw`` is a pure function of the option that returns a ``Picture``. The first option's is drawn at once: where no widget
    can run the output shows that.
    """

    def __init__(self, draw: Callable[[str], Picture], options: Sequence[str], *, label: str, button: str):
        if not options:
            raise ValueError("options: expected at least one, got none")
        style = {"description_width": "initial"}
        self.control = self.choice = ipywidgets.Dropdown(options=list(options), description=label, style=style)
        super().__init__(draw, options[0], label=label, button=button)


class TextBox(_OnDemand):
    """A picture of whatever is typed into a box, drawn on Enter or when a button is pressed; ``start`` is drawn at first."""

    def __init__(self, draw: Callable[[str], Picture], start: str, *, label: str, button: str):
        if not start.strip():
            raise ValueError("start: expected some text to begin with, got none")
        layout, style = {"width": "48em"}, {"description_width": "initial"}
        self.control = self.text = ipywidgets.Text(
            value=start, description=label, layout=layout, style=style, continuous_update=False
        )
        super().__init__(draw, start, label=label, button=button)
        # With continuous_update off, a value changes on Enter, or when the box is left, as it is for the button.
        self.drawn = start
        self.text.observe(self._redraw, "value")

    def _redraw(self, event: object) -> None:
        if self.text.value != self.drawn:  # else the button was pressed after the box had been left
            super()._redraw(event)
            self.drawn = self.text.value


def _control(slider: Slider) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=slider.start,
        min=slider.low,
        max=slider.high,
        step=slider.step,
        description=slider.label,
        style={"description_width": "initial"},
        layout={"width": "28em"},
    )
