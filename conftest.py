"""For every test, of the package and of the notebooks: one thread, no progress bars, no network; a table of lesson times.

Which tests are run: those of ``pytest`` are quick. ``pytest -m slow`` runs lessons solved and every cell twice, and
``pytest --device sim`` (or ``cuda``) all lessons, and what tests the package there, on that device. ``pytest -m browser`` looks
at the lessons' pages, and at JupyterLab, in a browser.
"""

import os
import sys
from collections import defaultdict
from pathlib import Path

# Before torch is imported here or in a notebook's kernel: results do not depend on the number of cores, and two workers
# do not fight over two cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TQDM_DISABLE"] = "1"
os.environ["VAE_COURSE_PROGRESS"] = ""  # tests are no progress of a reader's

# Python imports this folder's sitecustomize at start-up, also in the kernels that notebooks run in.
NO_NETWORK = Path(__file__).parent / "tests" / "no_network"
os.environ["PYTHONPATH"] = os.pathsep.join([str(NO_NETWORK), *filter(None, [os.environ.get("PYTHONPATH")])])
sys.path.insert(0, str(NO_NETWORK))
sys.modules.pop("sitecustomize", None)  # a system may have its own; ours is meant
import sitecustomize  # noqa: E402, F401
from hypothesis import settings  # noqa: E402

# The same examples each time, and no limit on their time: a busy machine must not fail a test.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

pytest_plugins = ["stored_pictures"]
ONLY_WHEN_ASKED = ("slow", "browser")
LESSON_LIMIT = 45  # seconds on a CPU core


def pytest_addoption(parser):
    """Add ``--device``."""
    parser.addoption("--device", choices=["sim", "cuda"], help="run the lessons there, with tolerances for stored outputs")


def pytest_collection_modifyitems(config, items):
    """Leave out what was not asked for: slow tests, those in a browser, and what is for another device."""
    device, asked = config.getoption("--device"), config.getoption("-m")

    def is_wanted(item):
        for_a_device = item.get_closest_marker("on_device") is not None
        if device is not None:
            return for_a_device or "place" in getattr(item, "fixturenames", ())
        not_asked = [kind for kind in ONLY_WHEN_ASKED if kind not in asked]
        return not for_a_device and not any(item.get_closest_marker(kind) for kind in not_asked)

    left_out = [item for item in items if not is_wanted(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if is_wanted(item)]


PARTS = ("start", "import", "compute")  # of a lesson's seconds; what its end takes counts as compute


def pytest_terminal_summary(terminalreporter):
    """Show each lesson's seconds, as the tests ran it: its kernel's start, its first two cells, which import, and the rest."""
    elsewhere = terminalreporter.config.getoption("--device")
    seconds = defaultdict(lambda: dict.fromkeys(PARTS, 0.0))
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not hasattr(report, "duration"):
                continue
            name, _, cell = report.nodeid.partition("::")
            if name.endswith(".ipynb"):
                first = "import" if cell in ("Cell 0", "Cell 1") else "compute"
                seconds[Path(name).stem]["start" if report.when == "setup" else first] += report.duration
            for lesson in (value for key, value in report.user_properties if key == "lesson" and report.when == "call"):
                seconds[lesson]["compute"] += report.duration
    if seconds:
        terminalreporter.section(f"seconds per lesson{f' on {elsewhere}' if elsewhere else ''}")
        terminalreporter.write_line(f"{'':28}" + "".join(f"{part:>9}" for part in (*PARTS, "all")))
        for name, taken in sorted(seconds.items()):
            over = "  OVER THE LIMIT" if sum(taken.values()) > LESSON_LIMIT and not elsewhere else ""
            terminalreporter.write_line(_row(name, taken) + over)
        terminalreporter.write_line(_row("all", {part: sum(taken[part] for taken in seconds.values()) for part in PARTS}))


def _row(name, taken):
    return f"{name:28}" + "".join(f"{value:9.1f}" for value in (*taken.values(), sum(taken.values())))
