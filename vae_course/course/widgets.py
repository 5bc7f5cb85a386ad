"""Sliders and choices on top of the same pictures that a printed page shows.

``interact`` is not used: it can hang a run that has no browser. A control here only redraws an image.
"""

import base64
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
    """A picture below its controls, and without a kernel the picture that they start with; ``told`` names them in words.

    What is shown is saved with the notebook, where JupyterLab is set to save widgets, as ``vae-course lab`` sets it.
    """

    def __init__(self, start: Picture, controls: Sequence[ipywidgets.Widget], told: str):
        self.start, self.told = start, told
        self.image = ipywidgets.HTML(_marked_up(start))  # ipywidgets' own Image takes no alternative text
        self.words = ipywidgets.HTML(html.escape(start.words))
        self.box = ipywidgets.VBox([*controls, self.image, self.words])

    def _show(self, picture: Picture) -> None:
        self.image.value, self.words.value = _marked_up(picture), html.escape(picture.words)

    def _ipython_display_(self) -> None:
        widget_view = self.box._repr_mimebundle_()
        display({**widget_view, **self.start.mime_bundle()}, metadata=self.start.metadata(), raw=True)
        print(f"{self.told}.")


def _marked_up(picture: Picture) -> str:
    """A picture as HTML: with its words for those who do not see it, in its own size, or smaller where there is less room."""
    source = base64.b64encode(picture.png()).decode()
    words = html.escape(picture.words, quote=True)
    return f'<img alt="{words}" width="{picture.width}" style="max-width: 100%" src="data:image/png;base64,{source}">'


class Explorer(_Controlled):
    """A picture with a slider for each argument of ``draw``, a pure function that returns a ``Picture``.

    In JupyterLab the sliders move. Where no widget can run (a printed page, a code host, a grader) the same output shows
    the picture at the sliders' start.
    """

    def __init__(self, draw: Callable[..., Picture], **sliders: Slider):
        self.draw = draw
        handles = {name: _handle(slider) for name, slider in sliders.items()}
        self.controls = {name: _number(slider) for name, slider in sliders.items()}
        several = "s" if len(sliders) > 1 else ""
        told = f"Slider{several} in JupyterLab: {'; '.join(slider.label for slider in sliders.values())}"
        rows = [ipywidgets.HBox([self.controls[name], handles[name]]) for name in sliders]
        super().__init__(self.picture(), rows, told)
        for name, control in self.controls.items():
            # The arrow keys move a handle by sums of steps, such as 1.7999999999999998.
            ipywidgets.link((control, "value"), (handles[name], "value"), transform=(float, lambda value: round(value, 9)))
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


def _number(slider: Slider) -> ipywidgets.BoundedFloatText:
    """A slider's value as a number with its label, to be typed or stepped through with the arrow keys."""
    return ipywidgets.BoundedFloatText(
        value=slider.start,
        min=slider.low,
        max=slider.high,
        step=slider.step,
        description=slider.label,
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )


def _handle(slider: Slider) -> ipywidgets.FloatSlider:
    """The slider itself. Its handle can be given no name, so that the number beside it is what a screen reader announces."""
    return ipywidgets.FloatSlider(
        value=slider.start, min=slider.low, max=slider.high, step=slider.step, readout=False, layout={"width": "16em"}
    )
