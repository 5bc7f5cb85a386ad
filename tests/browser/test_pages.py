"""The pages of the stored lessons in a real browser: nothing too wide, everything readable, in light, in dark and on paper.

Run by ``pytest -m browser``, with playwright installed and a Chromium on the path.
"""

import pytest
from typer.testing import CliRunner

from vae_course.course.cli import app
from vae_course.course.lessons import all_lessons

pytestmark = pytest.mark.browser
PAGES = [*(lesson.name for lesson in all_lessons()), "index"]
WIDTHS = {"phone": 360, "desk": 1280}

UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"

# Every text that is seen, with its contrast to the ground below it as WCAG 2 defines it, and whether it is large.
CONTRASTS = """() => {
  const dot = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const light = colour => {  // the luminance, and how opaque
    if (!known.has(colour)) {
      dot.clearRect(0, 0, 1, 1); dot.fillStyle = colour; dot.fillRect(0, 0, 1, 1);
      const [red, green, blue, opaque] = [...dot.getImageData(0, 0, 1, 1).data].map(value => value / 255);
      const [r, g, b] = [red, green, blue].map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      known.set(colour, [0.2126 * r + 0.7152 * g + 0.0722 * b, opaque]);
    }
    return known.get(colour);
  };
  const ground = element => {
    const [luminance, opaque] = light(getComputedStyle(element).backgroundColor);
    return opaque > 0 ? luminance : ground(element.parentElement);
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [less, more] = [light(style.color)[0], ground(element)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    found.push({ratio: (more + 0.05) / (less + 0.05), large, text: texts.currentNode.data.trim().slice(0, 40)});
  }
  return found;
}"""

# What can be scrolled sideways and cannot be reached by keyboard.
OUT_OF_REACH = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.tabIndex < 0)
  .map(e => e.outerHTML.slice(0, 80))"""

# Code and tables that are wider than their place.
CUT_OFF = """() => [...document.querySelectorAll('pre, .wide')]
  .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 80))"""

# Lines of outputs, no longer than asked for, that are broken: what is taller than its lines are many.
BROKEN_LINES = """longest => [...document.querySelectorAll('.jp-OutputArea pre')].filter(pre => {
  const lines = pre.textContent.replace(/\\n$/, '').split('\\n');
  const style = getComputedStyle(pre);
  const room = pre.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  return pre.checkVisibility() && Math.max(...lines.map(line => line.length)) <= longest
    && room > (lines.length + 0.5) * parseFloat(style.lineHeight);
}).map(pre => pre.textContent.slice(0, 80))"""

# The mean letters in a line, for each paragraph of some length.
LINES = """() => [...document.querySelectorAll('.jp-RenderedMarkdown > p')].flatMap(p => {
  const range = document.createRange();
  range.selectNodeContents(p);
  const lines = Math.round(range.getBoundingClientRect().height / parseFloat(getComputedStyle(p).lineHeight));
  return lines >= 4 && !p.querySelector('math') ? [p.textContent.length / lines] : [];
})"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pages")
    result = CliRunner().invoke(app, ["pages", "--output", str(made)])
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def show(browser, folder):
    """Opens a page; says afterwards whether it asked for anything but itself."""
    asked = []
    opened = []

    def show(name, width=1280, scheme="light"):
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append(tab)
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto((folder / f"{name}.html").as_uri())
        tab.evaluate(UNFOLD)
        return tab

    yield show
    for tab in opened:
        tab.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_never_wider_than_the_screen_and_what_scrolls_in_it_can_be_reached_by_keyboard(show, name):
    for width in WIDTHS.values():
        tab = show(name, width=width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate(OUT_OF_REACH) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out_from_its_ground(show, name, scheme):
    texts = show(name, scheme=scheme).evaluate(CONTRASTS)
    assert len(texts) > 30
    assert [text for text in texts if text["ratio"] < (3 if text["large"] else 4.5)] == []


def paper(tab):
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


def test_dark_is_dark_pictures_keep_white_paper_and_print_is_light(show):
    tab = show("02_kl_divergence", scheme="dark")
    assert paper(tab) != "rgb(255, 255, 255)"
    pictures = tab.locator("img")
    for k in range(pictures.count()):
        style = pictures.nth(k).evaluate("e => [getComputedStyle(e).backgroundColor, parseFloat(getComputedStyle(e).padding)]")
        assert style[0] == "rgb(255, 255, 255)"
        assert style[1] >= 4
    tab.emulate_media(media="print", color_scheme="dark")
    assert paper(tab) == "rgb(255, 255, 255)"
    assert paper(show("index", scheme="light")) == "rgb(255, 255, 255)"


def test_a_wide_picture_keeps_a_readable_width_on_a_phone_and_fits_a_desk(show):
    for device, width in WIDTHS.items():
        tab = show("12_summarization", width=width)
        pictures = tab.locator(".picture")
        boxes = pictures.evaluate_all("found => found.map(e => [e.clientWidth, e.scrollWidth, e.firstChild.clientWidth])")
        assert len(boxes) >= 2
        if device == "phone":
            assert all(box <= width and shown >= 490 for box, _, shown in boxes)
        else:
            assert all(scrolled <= box for box, scrolled, _ in boxes)


@pytest.mark.parametrize("name", ["02_kl_divergence", "07_text_vae", "13_translation"])
def test_on_paper_nothing_is_cut_off(show, name):
    tab = show(name, width=680)  # A4 between its margins
    tab.emulate_media(media="print")
    assert tab.evaluate(CUT_OFF) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 680
    assert not tab.locator("nav").first.is_visible()


@pytest.mark.parametrize("media", ["screen", "print"])
def test_no_formula_scrolls_up_and_down(show, media):
    tab = show("03_reparameterization", width=680)
    tab.emulate_media(media=media)
    heights = tab.locator(".wide").evaluate_all("found => found.map(e => [e.scrollHeight, e.clientHeight])")
    assert len(heights) >= 5
    assert all(whole <= shown for whole, shown in heights)


def test_on_paper_the_answers_are_unfolded(show):
    tab = show("03_reparameterization", width=680)
    model_answer = tab.locator(".jp-MarkdownCell details ul").first
    model_answer.evaluate("e => { e.closest('details').open = false; }")
    assert not model_answer.evaluate("e => e.checkVisibility()")
    tab.emulate_media(media="print")
    assert model_answer.evaluate("e => e.checkVisibility()")


@pytest.mark.parametrize("name", ["09_preventing_collapse", "11_generation", "12_summarization"])
def test_on_paper_a_table_of_120_columns_keeps_its_lines(show, name):
    tab = show(name, width=680)
    tab.emulate_media(media="print")
    broken = tab.evaluate(BROKEN_LINES, 122)
    assert broken == []


def test_lines_of_prose_are_of_a_length_that_reads_well(show):
    for lesson in ("02_kl_divergence", "07_text_vae"):
        lengths = show(lesson).evaluate(LINES)
        assert len(lengths) >= 3
        assert 45 <= min(lengths) <= max(lengths) <= 85


def test_one_walks_through_the_whole_course_by_its_links(show):
    tab = show(PAGES[0])
    assert tab.get_by_role("navigation", name="Lessons, above").count() == 1
    walked = [tab.title()]
    while tab.get_by_role("link", name="Next lesson").count():
        tab.get_by_role("link", name="Next lesson").last.click()
        walked.append(tab.title())
    assert walked == [lesson.title for lesson in all_lessons()]
    tab.get_by_role("link", name="All lessons").first.click()
    assert tab.get_by_role("link").count() == len(walked)
