"""``course.py``: environments that were cut short, moved, or belong to others, and what is said."""

import importlib.util
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "course.py"
WORKS = "import sysconfig, pathlib; pathlib.Path(sysconfig.get_path('purelib'), 'course.pth').write_text({root!r} + '\\n')"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The script in a course of its own, whose installation is a line in a .pth file instead of a gigabyte."""
    specification = importlib.util.spec_from_file_location("course_script", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    place(module, tmp_path / "course", monkeypatch)
    return module


def place(module, root, monkeypatch):
    (root / "vae_course").mkdir(parents=True, exist_ok=True)
    (root / "vae_course" / "__init__.py").touch()
    for name in ("constraints.txt", "pyproject.toml"):
        (root / name).write_text("pins of one day")
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "ENVIRONMENT", root / ".venv")
    monkeypatch.setattr(module, "PYTHON", root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    monkeypatch.setattr(module, "INSTALL", ["-c", WORKS.format(root=str(root))])


@pytest.fixture
def made(monkeypatch):
    """How often an environment was made."""
    count, create = [], venv.create

    def counted(*arguments, **options):
        count.append(arguments)
        create(*arguments, **options)

    monkeypatch.setattr(venv, "create", counted)
    return count


def test_what_is_installed_is_not_installed_again(course, made, capsys):
    course.set_up()
    assert "Installing the course's packages" in capsys.readouterr().out
    course.set_up()
    assert capsys.readouterr().out == ""
    (course.ROOT / "constraints.txt").write_text("other pins")
    course.set_up()
    assert "Installing the course's packages" in capsys.readouterr().out
    assert len(made) == 1


def without_pip(course):
    venv.EnvBuilder(with_pip=False).create(course.ENVIRONMENT)


def with_a_python_that_is_gone(course):
    venv.EnvBuilder(with_pip=False, symlinks=True).create(course.ENVIRONMENT)
    course.PYTHON.unlink()
    course.PYTHON.symlink_to("/nowhere/python3")


def with_a_python_that_does_not_run(course):
    course.PYTHON.parent.mkdir(parents=True)
    course.PYTHON.write_text("no program of this machine")
    course.PYTHON.chmod(0o755)


def that_is_none_at_all(course):
    course.PYTHON.parent.mkdir(parents=True)
    course.PYTHON.symlink_to(sys.executable if sys.prefix == sys.base_prefix else Path(sys.base_prefix, "bin", "python3"))


@pytest.mark.skipif(os.name == "nt", reason="links and file modes")
@pytest.mark.parametrize(
    "leave", [without_pip, with_a_python_that_is_gone, with_a_python_that_does_not_run, that_is_none_at_all]
)
def test_an_environment_that_is_not_whole_is_made_anew(course, made, leave):
    leave(course)
    course.set_up()
    assert course.examined() == course.COMPLETE
    assert len(made) == 1


def test_an_environment_of_a_course_that_has_moved_is_made_anew(course, made, monkeypatch, tmp_path):
    course.set_up()
    (tmp_path / "course").rename(tmp_path / "elsewhere")
    place(course, tmp_path / "elsewhere", monkeypatch)
    course.set_up()
    assert len(made) == 2
    assert course.examined() == course.COMPLETE


def test_a_copy_of_a_course_gets_an_environment_of_its_own(course, made, monkeypatch, tmp_path):
    course.set_up()
    subprocess.run(["cp", "-a", tmp_path / "course", tmp_path / "copy"], check=True)
    place(course, tmp_path / "copy", monkeypatch)
    assert course.examined() == course.MOVED
    course.set_up()
    assert len(made) == 2


def test_an_installation_that_was_stopped_goes_on(course, made, monkeypatch, capsys):
    right = course.INSTALL
    monkeypatch.setattr(course, "INSTALL", ["-c", "print('no room'); raise SystemExit(3)"])
    with pytest.raises(
        SystemExit, match=r"The installation failed; its last words are above, all of them in .* Run this again"
    ):
        course.set_up()
    assert "no room" in capsys.readouterr().out
    monkeypatch.setattr(course, "INSTALL", right)
    course.set_up()
    assert course.examined() == course.COMPLETE
    assert len(made) == 1


def test_without_ensurepip_nothing_is_left_behind(course, monkeypatch):
    def fails(path, with_pip):
        venv.EnvBuilder(with_pip=False).create(path)
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr(venv, "create", fails)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        course.set_up()
    assert not course.ENVIRONMENT.exists()


def test_a_file_in_the_place_of_the_environment_is_not_deleted(course):
    course.ENVIRONMENT.write_text("mine")
    with pytest.raises(SystemExit, match=r"\.venv is no folder of this course's: move it away"):
        course.set_up()
    assert course.ENVIRONMENT.read_text() == "mine"


def test_pip_is_not_led_astray_by_a_users_configuration(course, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_USER", "1")
    seen = tmp_path / "seen"
    monkeypatch.setattr(course, "INSTALL", ["-c", f"import os; open({str(seen)!r}, 'w').write(os.environ['PIP_USER'])"])
    course.set_up()
    assert seen.read_text() == "0"


def test_ctrl_c_while_installing_is_no_traceback(course, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "set_up", interrupted)
    monkeypatch.setattr(sys, "argv", ["course.py", "lab"])
    with pytest.raises(SystemExit, match=r"Stopped\. The same command goes on from here\."):
        course.main()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["lab", "--help"]])
def test_help_installs_nothing(course, monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["course.py", *arguments])
    course.main()
    assert "python course.py lab" in capsys.readouterr().out
    assert not course.ENVIRONMENT.exists()


def test_options_reach_the_last_step_and_each_check_is_told(course, monkeypatch, capsys):
    became, ran = [], []

    def become(arguments):
        became.append(arguments)
        raise SystemExit(0)  # as nothing comes after it

    monkeypatch.setattr(course, "set_up", lambda: None)
    monkeypatch.setattr(course, "run", ran.append)
    monkeypatch.setattr(course, "become", become)
    monkeypatch.setattr(sys, "argv", ["course.py", "lab", "07", "--no-browser"])
    with pytest.raises(SystemExit):
        course.main()
    assert became == [["-m", "vae_course", "lab", "07", "--no-browser"]]
    monkeypatch.setattr(sys, "argv", ["course.py", "test", "-k", "lab"])
    course.main()
    assert ran == [*course.TEST[:-1], [*course.TEST[-1], "-k", "lab"]]
    told = capsys.readouterr().out
    assert "about a quarter of an hour" in told
    assert "3 of 4: mypy\n" in told


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_checking_ends_all_checks_with_a_line(tmp_path):
    # Many short sleeps: a signal that comes just before a long one would be seen only after it.
    sleeps = "import time; print(1, flush=True); [time.sleep(0.1) for _ in range(6000)]"
    waits = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])"
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import course; course.set_up = lambda: None;"
        f"course.PYTHON = sys.executable; course.TEST = [['-c', {waits!r}]]; sys.argv[1:] = ['test']; course.main()"
    )
    # Its session is as a terminal's, whose Ctrl-C reaches all in it.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    checking = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, **pipes)
    while checking.stdout.readline() != "1\n":
        pass
    os.killpg(checking.pid, signal.SIGINT)
    told, _ = checking.communicate(timeout=60)  # which waits for all that could still write there
    assert told == "\nStopped.\n"
    assert checking.returncode == 1
