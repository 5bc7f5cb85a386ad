"""A Chromium for all tests that look."""

import shutil

import pytest


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium or Chrome on the path")
    with playwright.sync_playwright() as running:
        # Chromium refuses its sandbox to root, as in a container; what it opens is our own.
        started = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()
