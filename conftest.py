"""For every test, of the package and of the notebooks: one thread, no progress bars, no network; a table of lesson times."""

import os
import sys
from collections import defaultdict
from pathlib import Path

# Before torch is imported here or in a notebook's kernel: results do not depend on the number of cores, and two workers
# do not fight over two cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TQDM_DISABLE"] = "1"

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

LESSON_LIMIT = 60  # seconds on two CPU cores


def pytest_terminal_summary(terminalreporter):
    """Show each lesson's seconds, as the tests ran it."""
    seconds = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            name = getattr(report, "nodeid", "").split("::")[0]
            if name.endswith(".ipynb") and hasattr(report, "duration"):
                seconds[Path(name).stem] += report.duration
    if seconds:
        terminalreporter.section("seconds per lesson")
        for name, taken in sorted(seconds.items()):
            terminalreporter.write_line(f"{name:28}{taken:6.1f} s{'  OVER THE LIMIT' if taken > LESSON_LIMIT else ''}")
