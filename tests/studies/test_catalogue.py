"""The names that the command's help and its errors tell are those of the studies that exist."""

import importlib
from itertools import chain

import pytest
from typer.testing import CliRunner

from vae_course.course.cli import app
from vae_course.studies import catalogue
from vae_course.studies.store import PACKAGE, RESULTS

NAMES = set(chain(*catalogue.FAMILIES.values()))


def test_the_catalogue_names_every_study_that_a_module_measures():
    found = {}
    for path in (PACKAGE / "studies").glob("[a-z]*.py"):
        module = importlib.import_module(f"vae_course.studies.{path.stem}")
        if hasattr(module, "measure"):
            found[path.stem] = set(getattr(module, "STUDIES", None) or [module.NAME])
    assert found == {module: set(names) for module, names in catalogue.FAMILIES.items()}


def test_what_is_stored_is_of_these_studies():
    assert {path.stem for path in RESULTS.glob("*.json")} <= NAMES


def test_a_study_is_found_by_its_name():
    for name in NAMES:
        assert callable(catalogue.find(name))
    assert catalogue.find("tang").args == ("tang",)
    assert catalogue.find("jfleg").__module__ == "vae_course.studies.learners"


@pytest.mark.parametrize(("name", "close"), [("cure_world", "cures_world"), ("tatoeba", "tatoeba_zh"), ("nonsense", "")])
def test_an_unknown_study_is_told_with_all_there_are_the_close_ones_first(name, close):
    with pytest.raises(ValueError, match=f"there is no study '{name}'; there are {close}") as error:
        catalogue.find(name)
    assert set(str(error.value).partition("there are ")[2].split(", ")) == NAMES
    result = CliRunner().invoke(app, ["measure", name])
    assert (result.exit_code, result.output) == (2, f"{error.value}\n")


def test_help_names_them_all():
    told = CliRunner().invoke(app, ["measure", "--help"], env={"COLUMNS": "400"}).output
    assert all(name in told for name in NAMES)
