"""Set up the course and use it, with nothing but Python 3.11 or newer:

    python course.py lab     open the lessons in JupyterLab
    python course.py test    run every check that continuous integration runs

The first time, this makes a virtual environment in .venv and installs the pinned packages there (a few minutes).
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt", "-e", ".[dev]"]
COMMANDS = {
    "lab": [["-m", "vae_course", "lab"]],
    "test": [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-m", "pytest", "--numprocesses=2", "--dist=loadfile"],  # a notebook's cells share a kernel: one worker a file
    ],
}


def run(arguments: list[str]) -> None:
    """Run the environment's Python; leave with its exit status if it fails."""
    status = subprocess.run([str(PYTHON), *arguments], cwd=ROOT, check=False).returncode
    if status != 0:
        sys.exit(status)


def set_up() -> None:
    """Make the environment and install the pinned packages, unless that was done for these very pins."""
    pins = hashlib.sha256((ROOT / "constraints.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    done = ENVIRONMENT / "installed-pins"
    if done.exists() and done.read_text() == pins:
        return
    print(f"Installing the course's packages into {ENVIRONMENT} (about 1.6 GB; a few minutes the first time)", flush=True)
    if not PYTHON.exists():
        try:
            venv.create(ENVIRONMENT, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit(
                "This Python cannot make virtual environments with pip. On Debian and Ubuntu: "
                "apt install python3-venv; elsewhere install Python from its own site. Then run this again."
            )
    run(INSTALL)
    done.write_text(pins)


def main() -> None:
    """Check the request, set up, run it; options after the command go to its last step."""
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may be asked to run this file
        sys.exit(f"The course needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    set_up()
    *before, last = COMMANDS[sys.argv[1]]
    for arguments in before:
        run(arguments)
    run([*last, *sys.argv[2:]])


if __name__ == "__main__":
    main()
