from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from greenroom.rehearsal.alarms import Watched
from greenroom.rehearsal.settings import RehearsalSettings
from greenroom.rehearsal.traffic import TimeBasedCanary
from greenroom.validators.errors import SettingsError

EXAMPLE = Path(__file__).parents[2] / "examples" / "trivia"
LEAST = """
name = "x"
appspec = "appspec.yaml"
original = "v1"
service.command = ["{python}", "-m", "x", "--port={port}", "{revision}"]
artifact.arguments = ["suites"]
load.paths = ["/"]
[functions]
[revisions.v1]
"""


def read(folder: Path, text: str) -> RehearsalSettings:
    (folder / "rehearsal.toml").write_text(text)
    return RehearsalSettings.load_from(folder)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        pytest.param("name = ", "rehearsal.toml: ", "TOML", id="no-toml"),
        pytest.param(LEAST + "[lod]", "'lod' was unexpected", "name, appspec,", id="unknown-key"),
        pytest.param(
            LEAST + "colour = 'red'", "revisions.v1: .*'colour'", "environment, release", id="deep"
        ),
        pytest.param(
            LEAST.replace('name = "x"', ""), "'name' is a required", "name, appspec", id="missing"
        ),
        pytest.param(
            LEAST + "[deployment]\nbake_min = 'long'",
            "deployment.bake_min: 'long' is not of type",
            "greenroom schema rehearsal",
            id="type",
        ),
        pytest.param(
            LEAST.replace('l = "v1"', 'l = "v2"'),
            "original: unknown",
            "v1",
            id="blue",
        ),
        pytest.param(
            'replacement = "v2"\n' + LEAST, "replacement: unknown revision 'v2'", "v1", id="green"
        ),
        pytest.param(
            LEAST + "[deployment]\nconfiguration = 'Odd'",
            "unknown deployment configuration 'Odd'",
            "CodeDeployDefault.ECSAllAtOnce",
            id="configuration",
        ),
        pytest.param(
            LEAST + "[[alarms]]\nname = 'a'\ncondition = 'p95 > 1s'",
            "limit in % on error_rate",
            "error_rate > 5%",
            id="alarm",
        ),
    ],
)
def test_a_wrong_file_names_the_key_and_what_is_valid(
    tmp_path: Path, text: str, problem: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        read(tmp_path, text)
    assert hint in caught.value.hint


def test_a_folder_without_the_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"rehearsal\.toml does not exist"):
        RehearsalSettings.load_from(tmp_path)


def test_an_unknown_revision_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown revision 'v9'") as caught:
        read(tmp_path, LEAST).revision("v9")
    assert caught.value.hint == "use one of: v1"


def test_the_least_file_has_defaults_and_paths_below_its_folder(tmp_path: Path) -> None:
    settings = read(tmp_path, LEAST)
    assert settings.appspec == tmp_path / "appspec.yaml"
    assert settings.replacement is settings.original
    assert (settings.load.rate, settings.deployment.time_scale, settings.alarms) == (50, 60, ())
    command = settings.service.filled(port=8, revision="v1")
    assert command[1:] == ("-m", "x", "--port=8", "v1")


def test_configurations_functions_and_alarms_are_read(tmp_path: Path) -> None:
    more = """
    [deployment]
    configuration = "Mine"
    [configurations.Mine]
    type = "TimeBasedCanary"
    percent = 20
    interval_min = 2
    [[alarms]]
    name = "a"
    condition = "error_rate > 1%"
    of = "production"
    """
    settings = read(tmp_path, LEAST.replace("[functions]", "functions.f = {timeout_s = 9}") + more)
    assert settings.configurations == {"Mine": TimeBasedCanary(20, 2)}
    assert settings.functions["f"].timeout_s == 9
    assert settings.alarms[0].of is Watched.PRODUCTION


def test_a_revision_tells_suites_its_name_and_release() -> None:
    told = RehearsalSettings.load_from(EXAMPLE).revision("broken").release_variables()
    assert told["GREENROOM_RELEASE_REVISION"] == "broken"
    assert "@sha256:" in told["GREENROOM_RELEASE_IMAGE"]


@pytest.mark.parametrize("name", ["rehearsal", "timeline"])
def test_the_shipped_schemas_are_schemas(name: str) -> None:
    path = Path(__file__).parents[2] / "rehearsal" / f"{name}.schema.json"
    Draft202012Validator.check_schema(json.loads(path.read_text()))
