import base64
import html
import re

import pytest

from vae_course.course.widgets import Chooser, Explorer, Slider, TextBox
from vae_course.figures import base, divergences


def draw(option):
    if option == "broken":
        raise RuntimeError("out of <nats>")
    height = {"a": 1.0, "b": 2.0}[option]
    return base.bars([option], [height], title="t", y_label="y (nats)", words=f"the bar of {option}")


def shows(widget, picture):
    """Whether a widget shows a picture, with its words for those who do not see it, no wider than it is."""
    found = re.fullmatch(
        r'<img alt="(.*)" width="(\d+)" style="max-width: 100%" src="data:image/png;base64,(.*)">', widget.image.value
    )
    words, width, source = html.unescape(found[1]), int(found[2]), base64.b64decode(found[3])
    return (words, width, source) == (picture.words, picture.width, picture.png())


@pytest.fixture
def chooser():
    return Chooser(draw, ["a", "b", "broken"], label="the cure", button="Train")


def test_a_chooser_draws_only_when_its_button_is_pressed(chooser):
    assert shows(chooser, draw("a"))
    chooser.choice.value = "b"
    assert shows(chooser, draw("a"))
    chooser.button.click()
    assert shows(chooser, draw("b"))
    assert chooser.words.value == "the bar of b"
    assert not chooser.button.disabled


def test_a_failure_is_shown_and_the_button_works_again(chooser, caplog):
    chooser.choice.value = "broken"
    chooser.button.click()
    assert "RuntimeError" in caplog.text  # where widgets log what their callbacks raise
    assert chooser.words.value == "broken: RuntimeError: out of &lt;nats&gt;"
    chooser.choice.value = "b"
    chooser.button.click()
    assert chooser.words.value == "the bar of b"


def test_a_chooser_carries_its_static_picture(chooser, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("vae_course.course.widgets.display", lambda data, metadata, raw: shown.append((data, metadata)))
    chooser._ipython_display_()
    ((bundle, metadata),) = shown
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "the bar of a"
    assert metadata["image/png"]["width"] == draw("a").width
    assert capsys.readouterr().out == "In JupyterLab: the cure, and a button: Train.\n"


def test_nothing_to_choose_from_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        Chooser(draw, [], label="l", button="b")


def test_a_text_box_draws_what_was_typed_when_its_button_is_pressed(capsys):
    box = TextBox(draw, "a", label="written", button="Correct")
    assert not box.text.continuous_update  # a value changes on Enter only, not with each letter
    box.text.value = "b"
    assert shows(box, draw("b"))
    box.image.value = "as it was"
    box.button.click()
    assert box.image.value == "as it was"  # it is drawn already
    assert box.words.value == "the bar of b"
    box._ipython_display_()
    assert capsys.readouterr().out.endswith("In JupyterLab: written, and a button: Correct.\n")
    with pytest.raises(ValueError, match="some text to begin with"):
        TextBox(draw, " ", label="l", button="b")


def test_what_was_typed_is_no_markup():
    box = TextBox(draw, "a", label="written", button="Correct")
    with pytest.raises(KeyError):
        box.text.value = "<b>"
    assert box.words.value.startswith("&lt;b&gt;: KeyError")


def test_the_words_of_a_picture_are_no_markup():
    def quotes(text):
        return base.bars(["a"], [1.0], title="t", y_label="y", words=f'you typed "{text}"')

    box = TextBox(quotes, "a", label="written", button="Correct")
    box.text.value = "<b>x</b>"
    assert box.words.value == "you typed &quot;&lt;b&gt;x&lt;/b&gt;&quot;"
    assert shows(box, quotes("<b>x</b>"))


def test_an_explorer_redraws_when_a_slider_moves(capsys):
    explorer = Explorer(
        divergences.two_gaussians, mean=Slider("mean of q", -3, 3, 1.5, 0.1), std=Slider("std", 0.2, 3, 0.5, 0.1)
    )
    words = explorer.words.value
    assert shows(explorer, divergences.two_gaussians(1.5, 0.5))
    explorer.controls["mean"].value = -1.0
    assert shows(explorer, divergences.two_gaussians(-1.0, 0.5))
    assert explorer.words.value != words
    number, handle = explorer.box.children[0].children
    assert number.description == "mean of q"
    handle.value = 2.0  # moved with the mouse
    assert number.value == 2.0
    assert shows(explorer, divergences.two_gaussians(2.0, 0.5))
    handle.value = 1.7999999999999998  # or with the arrow keys
    assert number.value == 1.8
    explorer._ipython_display_()
    assert capsys.readouterr().out.endswith("Sliders in JupyterLab: mean of q; std.\n")
    Explorer(lambda std: divergences.two_gaussians(0.0, std), std=Slider("std", 0.2, 3, 0.5, 0.1))._ipython_display_()
    assert capsys.readouterr().out.endswith("Slider in JupyterLab: std.\n")


def test_an_explorer_carries_its_static_picture(monkeypatch):
    shown = []
    monkeypatch.setattr("vae_course.course.widgets.display", lambda data, metadata, raw: shown.append((data, metadata)))
    Explorer(
        divergences.two_gaussians, mean=Slider("mean", -3, 3, 1.5, 0.1), std=Slider("std", 0.2, 3, 0.5, 0.1)
    )._ipython_display_()
    ((bundle, _),) = shown
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
