"""Whatever goes wrong while a file is written, what was there before stays, and nothing half-written lies beside it."""

import errno
import os

import pytest

from vae_course.whole_files import make_folder, write_whole


@pytest.fixture
def path(tmp_path):
    written = tmp_path / "folder" / "figures.json"
    write_whole(written, "old\n")
    return written


def fails(monkeypatch, name, error):
    def failing(*arguments, **options):
        raise error

    monkeypatch.setattr(os, name, failing)


def test_text_and_bytes_are_written_as_they_are_and_nothing_is_left_beside_them(path):
    write_whole(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write_whole(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
    ],
)
def test_after_a_failure_the_old_file_is_whole(path, monkeypatch, step, error, told):
    fails(monkeypatch, step, error)
    with pytest.raises(type(error), match=f"figures.json: cannot be written: {told}"):
        write_whole(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_run_stopped_in_between_leaves_the_old_file(path, monkeypatch):
    fails(monkeypatch, "fsync", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_text_that_cannot_be_encoded_costs_nothing(path):
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "old\n"


def test_a_file_that_may_only_be_read_is_left_alone(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda file, mode: False)  # whoever is root may write everything
    with pytest.raises(PermissionError, match=r"figures\.json: cannot be written: it may only be read"):
        write_whole(path, "new\n")
    assert path.read_text() == "old\n"


def test_a_file_where_a_folder_should_be_is_named(path):
    for below in (path, path / "deeper"):
        with pytest.raises(NotADirectoryError, match=r"figures\.json is a file, not a folder"):
            make_folder(below)
        with pytest.raises(NotADirectoryError, match=r"new\.json: cannot be written: .*figures\.json is a file"):
            write_whole(below / "new.json", "new\n")
    assert path.read_text() == "old\n"


def test_a_folder_is_made_and_tried(tmp_path, monkeypatch):
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a").rglob("*")) == [tmp_path / "a" / "b"]
    monkeypatch.chdir(tmp_path)
    make_folder(type(tmp_path)("c/d"))
    assert (tmp_path / "c" / "d").is_dir()

    def full(**options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(OSError, match="b: cannot be written: No space left on device"):
        make_folder(tmp_path / "a" / "b")
