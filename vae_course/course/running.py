"""Notebooks run in kernels of their own, as the tests run them: one thread, no progress bars."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

from vae_course.course.jupyterlab import kernel_environment

CELL_TIMEOUT = 1800  # seconds; far above the slowest cell, so that only a hung kernel meets it
KERNEL: dict[str, Any] = {
    # Kernels listen on ports of this machine, which others on it can reach; unencrypted ones say so, once a lesson.
    "config": Config({"KernelManager": {"transport_encryption": "auto"}}),
    # What a kernel logs of itself, such as a traceback where it is told to end, is for nobody; cells' errors are not in it.
    "extra_arguments": ["--log-level=50"],
}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables, for the kernels started inside, and put them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def execute(notebook: NotebookNode, folder: Path) -> float:
    """Run a notebook in place, in ``folder``, as the tests do: on one thread and silently; return the seconds taken.

    They are the kernel's seconds of the processor, which other programs lengthen little; on Windows, of the clock.
    """
    start = _seconds()
    with environment(**(kernel_environment() | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"})):
        NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            **KERNEL,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return _seconds() - start


def _seconds() -> float:
    times = os.times()  # of this process's children those that have ended; Windows does not tell
    return time.perf_counter() if os.name == "nt" else times.children_user + times.children_system
