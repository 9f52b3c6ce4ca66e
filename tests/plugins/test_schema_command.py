from __future__ import annotations

import json

import pytest

from greenroom.plugins.cli import main
from greenroom.plugins.schema_command import SCHEMAS, schema_text
from greenroom.validators.errors import GreenroomError


def test_a_schema_is_printed_as_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "suite"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Greenroom suite"


def test_without_a_name_the_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.split() == sorted(SCHEMAS)


def test_an_unknown_name_lists_the_valid_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "siute"]) == 4
    error = capsys.readouterr().err
    assert "there is no schema 'siute'" in error
    assert "use one of: rehearsal, run, settings, suite, timeline" in error


def test_a_schema_that_is_not_installed_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMAS, "suite", ("greenroom.plugins", "none.schema.json"))
    with pytest.raises(GreenroomError, match=r"the schema 'none\.schema\.json' is not installed"):
        schema_text("suite")
