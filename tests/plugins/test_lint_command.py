from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.cli import main
from tests.support.templates import sam, spec, task

if TYPE_CHECKING:
    from pathlib import Path

BAD = {
    "missing": (None, "t.yaml: GR-T001 error cannot be read: No such file"),
    "empty": (b"", "t.yaml:1:1: GR-T001 error the file is empty"),
    "latin-1": (b"a: \xe4", "t.yaml:1:4: GR-T001 error not UTF-8"),
    "tab": (b"a:\n\tb: 1", "t.yaml:2:1: GR-T001 error not valid YAML"),
    "no-kind": (b"a: 1", "t.yaml:1:1: GR-T001 error no template of a known kind"),
    "list": (b"[1]", "t.yaml:1:1: GR-T001 error no template of a known kind"),
    "no-resources": (b"Resources: {}", "a CloudFormation template without resources"),
    "folder": (b"/", "t.yaml: GR-T001 error no file is there"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*arguments: str) -> int:
    return main(["lint", "--no-cfn-lint", *arguments])


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_said_at_its_place_and_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], data: bytes | None, said: str
) -> None:
    (folder / "good.yaml").write_text(spec())
    if data == b"/":
        (folder / "t.yaml").mkdir()
    elif data is not None:
        (folder / "t.yaml").write_bytes(data)
    assert lint("good.yaml", "t.yaml") == 2
    assert said in capsys.readouterr().out


def test_what_no_rule_applies_to_is_not_clean(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}")
    assert lint("t.yaml") == 2
    assert "nothing was judged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [(), ("--select", "GR-T999", "t.yaml"), ("--unknown", "t.yaml"), ("/nowhere/*.yaml",)],
    ids=["no-file", "unknown-rule", "unknown-option", "absolute-pattern"],
)
def test_wrong_usage_ends_with_4(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "t.yaml").write_text(spec())
    assert lint(*arguments) == 4


def test_results_are_told_in_the_order_of_the_file_with_their_fixes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.yaml").write_text(sam(hook="FunctionName: CodeDeployHook_check"))
    assert lint("t.yaml") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("t.yaml:4:3: GR-T020 error no alarm")
    assert lines[1].startswith("  fix: give DeploymentPreference.Alarms")
    assert lines[2].startswith("t.yaml:9:3: GR-T015 error the role of Check")
    assert "rules on 2 resources of t.yaml (greenroom lint" in lines[-1]


def test_rules_can_be_selected_and_ignored(folder: Path) -> None:
    (folder / "t.json").write_text(task("api:4711"))
    assert lint("t.json") == 1
    assert lint("t.json", "--ignore", "GR-T031") == 0
    assert lint("t.json", "--select", "GR-T030") == 0


def test_a_folder_of_the_cdk_is_linted_with_its_nested_assemblies(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nested = folder / "cdk.out" / "assembly-prod"
    nested.mkdir(parents=True)
    (nested / "api.template.json").write_text(json.dumps({"Resources": SERVICE}))
    (folder / "cdk.out" / "manifest.json").write_text("{}")
    assert lint("cdk.out") == 1
    assert "cdk.out/assembly-prod/api.template.json:1:16: GR-T023" in capsys.readouterr().out


SERVICE = {"Api": {"Type": "AWS::ECS::Service", "Properties": {}}}


def test_the_hooks_settings_are_the_budget(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.yaml").write_text(sam(hook="Timeout: 60"))
    budget = '[hook.events.BeforeAllowTraffic]\nsuites = ["s"]\nbudget = "60s"\n'
    (folder / "greenroom.toml").write_text(f'[hook]\nreserve = "5s"\n{budget}')
    assert lint("t.yaml", "--select", "GR-T012") == 1
    assert "suite may take 60 s and 5 s are for the answer" in capsys.readouterr().out


def test_sarif_is_written_whole_and_holds_what_could_not_be_read(folder: Path) -> None:
    (folder / "appspec.yaml").write_text(spec("{Befor: x}"))
    assert lint("appspec.yaml", "none.yaml", "--sarif", "out.sarif") == 2
    (run,) = json.loads((folder / "out.sarif").read_text())["runs"]
    assert [one["ruleId"] for one in run["results"]] == ["GR-T041", "GR-T001"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert [path.name for path in folder.iterdir() if "part" in path.name] == []


def test_a_sarif_file_that_cannot_be_written_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "appspec.yaml").write_text(spec())
    assert lint("appspec.yaml", "--sarif", "nowhere/out.sarif") == 2
    assert "nowhere/out.sarif could not be written" in capsys.readouterr().err
