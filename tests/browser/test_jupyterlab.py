"""JupyterLab as ``vae-course lab`` starts it, in a real browser: its controls, and what is left of them the next day."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vae_course.course.lessons import times_told
from vae_course.course.storing import METADATA

pytestmark = pytest.mark.browser
CELLS = (
    """from vae_course.course import Chooser, Explorer, Slider, TextBox
from vae_course.figures import base, divergences

def bar(name):
    return base.bars([name], [1.0], title="t", y_label="y", words=f"the bar of {name}")
""",
    """mean, std = Slider("mean of q", -3, 3, 1, 0.1), Slider("std of q", 0.2, 3, 0.5, 0.1)
Explorer(divergences.two_gaussians, mean=mean, std=std)""",
    'Chooser(bar, ["one", "two"], label="the cure", button="Train")',
    'TextBox(bar, "start", label="written", button="Correct")',
)
LEARNING = (
    """import math
from vae_course.exercises import check, predict, progress, reveal""",
    'guess = predict("kl_both_ways")',
    'reveal("kl_both_ways", guess, "fair to loaded")',
    """def to_bits(nats):
    return ...


to_bits = check(to_bits)""",
    "print(progress.report())",
)
PICTURES = ".jp-OutputArea img"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of JupyterLab, started on a course of two lessons: one with each kind of control, one to learn with."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks").mkdir()
    header = new_markdown_cell(f"# 00 · Does it work?\n\n{times_told(5, 7)}")
    for name, cells in {"00_works": CELLS, "01_learns": LEARNING}.items():
        notebook = new_notebook(cells=[header, *map(new_code_cell, cells)], metadata=METADATA)
        nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    start = (
        "import pathlib; from vae_course.course import cli, lessons;"
        f"lessons.NOTEBOOKS = pathlib.Path({str(root / 'notebooks')!r}); lessons.NAMES = ('00_works', '01_learns');"
        f"cli.app(['lab', '--no-browser', '--port={port}', '--allow-root', '--IdentityProvider.token='])"
    )
    places = {f"JUPYTER_{name}_DIR": str(root / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", start], env=os.environ | places, **quiet) as process:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"{address}/api")
                break
            time.sleep(0.2)
        yield address
        process.terminate()


def opened(browser, server, lesson="00_works", **options):
    page = browser.new_page(viewport={"width": 1300, "height": 1000}, **options)
    page.goto(f"{server}/lab/workspaces/{lesson}/tree/{lesson}.ipynb")  # nothing else is open in it
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_timeout(2000)  # its menus come a little later
    return page


def choose(page, menu, entry):
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).first.click()


def words(page):
    return [picture.get_attribute("alt") for picture in page.query_selector_all(PICTURES)]


def eventually(page, what):
    for _ in range(60):
        if what():
            return
        page.wait_for_timeout(250)
    raise AssertionError(words(page))


def test_controls_work_by_keyboard_and_are_there_when_the_notebook_is_opened_again(browser, server):
    page = opened(browser, server)
    choose(page, "Run", "Run All Cells")
    page.wait_for_selector("img[alt='the bar of start']", timeout=120_000)
    number = page.get_by_label("mean of q")
    number.fill("-2")
    number.press("Enter")
    eventually(page, lambda: words(page)[0].startswith("q = N(-2, 0.5²)"))
    page.locator("[role=slider]").first.press("ArrowRight")
    eventually(page, lambda: words(page)[0].startswith("q = N(-1.9, 0.5²)"))
    assert number.input_value() == "-1.9"
    page.get_by_label("the cure").press("ArrowDown")
    assert page.get_by_label("the cure").input_value() == "two"
    page.get_by_role("button", name="Train").click()
    page.get_by_label("written").fill("<b>x</b>")
    page.get_by_label("written").press("Enter")
    eventually(page, lambda: words(page)[1:] == ["the bar of two", "the bar of <b>x</b>"])
    assert page.get_by_text("the bar of <b>x</b>").count() == 1  # as it was typed, and no markup
    for picture in page.query_selector_all(PICTURES):
        assert picture.bounding_box()["width"] <= int(picture.get_attribute("width"))
    shown = words(page)
    choose(page, "File", "Save Notebook")
    page.wait_for_timeout(3000)
    choose(page, "Kernel", "Shut Down Kernel")
    page.wait_for_timeout(1000)
    page.close()
    again = opened(browser, server)
    eventually(again, lambda: words(again) == shown)
    assert again.get_by_label("mean of q").input_value() == "-1.9"
    assert "model not found" not in again.content()
    again.close()


def test_a_guess_is_clicked_an_exercise_solved_and_progress_seen(browser, server):
    page = opened(browser, server, "01_learns")
    choose(page, "Run", "Run All Cells")
    page.get_by_text("lesson 00: 0 of 2 done").wait_for(timeout=120_000)
    assert page.get_by_text("The answer, after your guess").count() == 1
    choices = page.locator("input[type=radio]")
    assert choices.count() == 2
    assert not any(choice.is_checked() for choice in choices.all())
    choices.first.focus()
    page.keyboard.press("Space")
    page.get_by_text("You guessed").wait_for(timeout=30_000)
    assert page.get_by_text("tosses do pay").count() == 1  # why one may think so
    stub = page.locator(".jp-CodeCell", has_text="def to_bits")
    assert stub.get_by_text("not attempted yet").count() == 1
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    for line in ("def to_bits(nats):", "return nats / math.log(2)"):  # the editor indents by itself
        page.keyboard.type(line)
        page.keyboard.press("Enter")
    page.keyboard.press("Backspace")
    page.keyboard.type("to_bits = check(to_bits)")
    page.keyboard.press("Control+Enter")
    stub.get_by_text("Exercise 0.1: correct.").wait_for(timeout=60_000)
    page.locator(".jp-CodeCell", has_text="print(progress.report())").locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.get_by_text("lesson 00: 1 of 2 done").wait_for(timeout=30_000)
    page.close()


def test_it_follows_the_systems_light_or_dark_and_asks_nothing(browser, server):
    for scheme in ("light", "dark"):
        page = opened(browser, server, color_scheme=scheme)
        eventually(page, lambda: page.evaluate("document.body.dataset.jpThemeLight") == str(scheme == "light").lower())  # noqa: B023
        assert page.get_by_text("Would you like to").count() == 0  # get news, for example
        assert page.get_by_text("Nbgrader").count() == 0  # a teacher's panels
        page.close()
