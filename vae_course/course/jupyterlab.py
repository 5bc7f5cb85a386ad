"""JupyterLab as the course starts it, and what every kernel of the course finds in its environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from vae_course.exercises import progress

# Defaults for JupyterLab: no news from the network, the system's light or dark, widgets whose state is saved, none of
# nbgrader's panels, which are for teachers. A reader's own settings go before them.
SETTINGS = Path(__file__).parent / "jupyter"


def kernel_environment() -> dict[str, str]:
    """Environment variables for kernels: the course's own Python, and one thread, unless ``OMP_NUM_THREADS`` asks for more.

    No progress is kept in them, though a terminal of JupyterLab may have started them: that is for a reader's own work.

    Measured on two cores: idle, a lesson takes 34 seconds with one thread and with two, its models being small. Beside four
    other programs another takes 33 seconds with one, 144 with two, which wait for one another in loops, as OpenMP's do,
    and so keep busy cores from what they wait for. (``OMP_WAIT_POLICY=PASSIVE`` cures that as well, 30 seconds, but an idle
    machine pays: the first takes 53.)
    """
    return {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        progress.VARIABLE: "",
        # Before kernels that a user has installed for other Pythons under the same name.
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PATH": os.pathsep.join([f"{sys.prefix}/share/jupyter", *filter(None, [os.environ.get("JUPYTER_PATH")])]),
    }


def start(folder: Path, lesson: str, options: Sequence[str], keep: Path | None = None) -> NoReturn:
    """Become JupyterLab, opened at a lesson (a file's name) in ``folder``; ``options`` go to it as they are.

    ``keep`` is the file in which its kernels keep the reader's progress.
    """
    command = [
        *(sys.executable, "-m", __name__),
        "-y",  # Ctrl-C stops it, without a question
        f"--ServerApp.root_dir={folder}",  # whatever a user's own configuration says
        f"--LabApp.default_url=/lab/tree/{lesson}",  # so that the printed address opens the lesson too
        *options,
    ]
    paths = [str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    environment = os.environ | kernel_environment() | {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
    environment[progress.VARIABLE] = str(keep or "")
    become(command, environment, folder)


def become(command: list[str], environment: dict[str, str], folder: Path) -> NoReturn:
    """Run ``command`` in place of this process, so that Ctrl-C and other signals reach nobody else."""
    os.chdir(folder)
    if os.name != "nt":
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    # Windows cannot replace a process; there Ctrl-C reaches all of a terminal, and this one waits for the other's end.
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                sys.exit(process.wait())
            except KeyboardInterrupt:
                continue


def main() -> None:
    """JupyterLab itself, which Ctrl-C ends with a line also while it starts.

    While modules are imported nothing can be left behind, and an exception might be caught anywhere: there the process just
    ends. Afterwards JupyterLab heeds Ctrl-C itself, as soon as it can.
    """
    told = "\nStopped while JupyterLab was starting."

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, f"{told}\n".encode())
        os._exit(128 + number)

    before = signal.signal(signal.SIGINT, end)
    from jupyterlab import labapp

    signal.signal(signal.SIGINT, before)
    try:
        sys.exit(labapp.main())
    except KeyboardInterrupt:
        print(told, file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
