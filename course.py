"""Set up the course and use it, with nothing but Python 3.11 or newer:

    python course.py lab        open the lessons in JupyterLab; lab 07 opens lesson 07
    python course.py test       run every check that continuous integration runs (about a quarter of an hour)

The first time, this makes a virtual environment in .venv and installs the pinned packages there (a few minutes).
"""

from __future__ import annotations  # so that a Python that is too old comes as far as being told so

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)
INSTALL = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-c", "constraints.txt", "-e", ".[dev]"]
LAB = ["-m", "vae_course", "lab"]
TEST = [
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
    ["-m", "pytest", "--numprocesses=2", "--dist=loadfile"],  # a notebook's cells share a kernel: one worker a file
]


def pins() -> str:
    """What an installation was made from."""
    return hashlib.sha256((ROOT / "constraints.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def set_up() -> None:
    """Make the environment and install the pinned packages, unless that was done here for these very pins."""
    done, state = ENVIRONMENT / "installed-pins", examined()
    if state == COMPLETE and done.exists() and done.read_text(encoding="utf-8") == pins():
        return
    print(f"Installing the course's packages into {ENVIRONMENT} (about 1.6 GB; a few minutes the first time)", flush=True)
    if state in (BROKEN, MOVED):
        make_environment()
    install()
    done.write_text(pins(), encoding="utf-8")


COMPLETE, EMPTY, MOVED = 10, 11, 12  # exit statuses that no error gives
BROKEN = 13
EXAMINE = f"""
import importlib.util, os, pip, sys
if sys.version_info < {OLDEST} or sys.prefix == sys.base_prefix:
    sys.exit({BROKEN})
found = importlib.util.find_spec("vae_course")
if found is None:
    sys.exit({EMPTY})
sys.exit({COMPLETE} if os.path.samefile(os.path.dirname(os.path.dirname(found.origin)), sys.argv[1]) else {MOVED})
"""


def examined() -> int:
    """The environment's state, told by its own Python: one that does not run, is too old or has no pip is broken.

    Moved is one that has the course in another place, or has lost it: an environment's scripts name the folder they are for.
    """
    if not PYTHON.exists():  # nor does a link to a Python that is gone
        return BROKEN
    try:  # in a folder from which the course is not found by itself
        state = subprocess.run(
            [PYTHON, "-c", EXAMINE, ROOT], cwd=ENVIRONMENT, stderr=subprocess.DEVNULL, check=False
        ).returncode
    except OSError:  # a Python of another kind of machine
        return BROKEN
    if state == EMPTY and (ENVIRONMENT / "installed-pins").exists():
        return MOVED
    return state if state in (COMPLETE, EMPTY, MOVED) else BROKEN


def make_environment() -> None:
    """Make the virtual environment anew."""
    if ENVIRONMENT.is_symlink() or ENVIRONMENT.is_file():
        sys.exit(f"{ENVIRONMENT} is no folder of this course's: move it away, and run this again.")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    try:
        venv.create(ENVIRONMENT, with_pip=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        sys.exit(
            "This Python cannot make virtual environments with pip. On Debian and Ubuntu: "
            "apt install python3-venv; elsewhere install Python from its own site. Then run this again."
        )
    except OSError as error:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        sys.exit(f"{ENVIRONMENT} cannot be made: {error}. Make room there, or copy the course to a folder of yours.")


def install() -> None:
    """Install the packages; a line shows that it is alive, and the end of pip's own words why it failed."""
    log = ENVIRONMENT / "installation.log"
    # A user's own configuration of pip may say "user = true", which no virtual environment allows.
    settings = os.environ | {"PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    start = time.monotonic()
    with (
        log.open("wb") as words,
        subprocess.Popen([PYTHON, *INSTALL], cwd=ROOT, env=settings, stdout=words, stderr=words) as pip,
    ):
        while pip.poll() is None:
            time.sleep(0.2)
            show(f"{time.monotonic() - start:4.0f} s  {last_line(log)}")
    show("")
    if pip.returncode != 0:
        print(log.read_text(encoding="utf-8", errors="replace")[-3000:])
        sys.exit(f"The installation failed; its last words are above, all of them in {log}. Run this again to go on.")
    print(f"Installed in {time.monotonic() - start:.0f} seconds.", flush=True)


def last_line(log: Path) -> str:
    """The last line of a file that grows."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def show(line: str) -> None:
    """Put ``line`` in place of the last one, where a person looks at a terminal."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:{width}}\r", end="", flush=True)


def run(arguments: list[str]) -> None:
    """Run the environment's Python; leave with its exit status if it fails.

    Ctrl-C ends it and all that it started. These are out of reach of the key itself, so that not each of them says so; on
    Windows they do.
    """
    with subprocess.Popen([PYTHON, *arguments], cwd=ROOT, start_new_session=True) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            if os.name == "nt":
                process.terminate()
            else:
                with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                    os.killpg(process.pid, signal.SIGTERM)
            raise
    if status != 0:
        sys.exit(status)


def test(options: list[str]) -> None:
    """Run all checks, one after the other; ``options`` go to the last."""
    print("All checks together take about a quarter of an hour.")
    for number, arguments in enumerate(TEST, 1):
        print(f"{number} of {len(TEST)}: {' '.join(arguments[1:])}", flush=True)
        run([*arguments, *(options if arguments is TEST[-1] else [])])


def become(arguments: list[str]) -> NoReturn:
    """Go on as the environment's Python, so that Ctrl-C reaches nobody else."""
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(PYTHON, [str(PYTHON), *arguments])
    # Windows cannot replace a process; there Ctrl-C reaches all of a terminal, and this one waits for the other's end.
    with subprocess.Popen([PYTHON, *arguments]) as process:
        while True:
            try:
                sys.exit(process.wait())
            except KeyboardInterrupt:
                continue


def main() -> None:
    """Check the request, set up, run it; options after the command go to its last step."""
    if sys.version_info < OLDEST:
        sys.exit(f"The course needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    command, options = sys.argv[1:2], sys.argv[2:]
    if {"-h", "--help"} & set(sys.argv[1:3]):
        print(__doc__)
        return
    if command not in (["lab"], ["test"]):
        sys.exit(__doc__)
    try:
        set_up()
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command goes on from here.")
    if command == ["lab"]:
        become([*LAB, *options])
    try:
        test(options)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")


if __name__ == "__main__":
    main()
