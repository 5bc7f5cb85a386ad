import io
import warnings

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from vae_course.figures import fonts
from vae_course.figures.base import Picture, new_figure, styled


@pytest.fixture
def only_fonts_of_matplotlib(monkeypatch):
    """The fonts that are there wherever matplotlib is."""
    bundled = [entry for entry in fonts._regular_fonts() if "mpl-data" in entry.fname]
    monkeypatch.setattr(fonts, "_regular_fonts", lambda: bundled)
    fonts._found.cache_clear()
    yield
    fonts._found.cache_clear()


def with_texts(*texts):
    figure = Figure()
    return figure, [figure.text(0.1, 0.1, text) for text in texts]


def test_each_text_gets_the_fonts_that_have_its_letters(only_fonts_of_matplotlib):
    figure, (plain, accented, foreign) = with_texts("cat", "élève → ✓", "a\u0250\u2a74")
    lacked = [c for c in foreign.get_text() if not has("DejaVu Sans", c)]
    before = plain.get_fontfamily()
    assert fonts.lend_letters(figure) == ""
    assert plain.get_fontfamily() == accented.get_fontfamily() == before
    first, *others = foreign.get_fontfamily()
    assert first == "DejaVu Sans"
    assert lacked
    assert all(any(has(family, character) for family in others) for character in lacked)


def has(family, character):
    path = font_manager.findfont(font_manager.FontProperties(family=family))
    return bool(font_manager.get_font(path).get_char_index(ord(character)))


@styled
def named(name):
    figure, (axes,) = new_figure()
    axes.bar([0], [1])
    axes.set_xticks([0], [name])
    return Picture(figure, "A bar.")


def test_what_no_font_has_is_said_below_the_picture_and_nowhere_else(only_fonts_of_matplotlib, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = named("a 🍕 \U00013000")
        picture.png()
    said = "Boxes stand for letters that no font of this machine has (U+13000, U+1F355); install a font that has them."
    assert picture.words == f"A bar. {said}"
    assert " ".join(picture.figure.get_supxlabel().split()) == said
    assert capsys.readouterr().err == ""


def test_letters_that_are_there_leave_the_picture_as_it_was():
    picture = named("הילד")
    assert picture.words == "A bar."
    assert picture.figure.get_supxlabel() == ""


def test_characters_that_only_join_others_need_no_letter(only_fonts_of_matplotlib):
    figure, _ = with_texts("❤\ufe0f", "a\u200db", "c\U000e0041")
    assert fonts.lend_letters(figure) == ""


def test_right_to_left_text_is_drawn_from_right_to_left():
    """Aleph and tav in logical order look like tav and aleph drawn from left to right."""
    assert drawn("אבגת") == drawn("\u202dתגבא\u202c") != drawn("תגבא")


def drawn(text):
    figure = Figure(figsize=(1, 0.5))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    fonts.lend_letters(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=100)
    return buffer.getvalue()
