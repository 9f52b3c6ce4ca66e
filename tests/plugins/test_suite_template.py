from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, cast

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from greenroom.plugins.suite_model import WorkCheck
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome
from tests.silent.rows_template import workplace
from tests.support.suites import read, refusal, variables, with_check
from tests.support.templates import spec, task

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.suite_template import TemplateWork
    from greenroom.validators.finding import Finding

ALL = "{files: ['*.json', '*.yaml'], cfn_lint: false}"


def work(template: str, more: str = "") -> TemplateWork:
    suite = read(with_check(f"template: {template}{more}"), variables(DEPLOY="deploy"))
    check = suite.checks[0]
    assert isinstance(check, WorkCheck)
    return cast("TemplateWork", check.work)


def judged(folder: Path, template: str = ALL, more: str = "") -> Finding:
    return work(template, more).run(workplace(folder))


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    (tmp_path / "task.json").write_text(task("api:4711"))
    (tmp_path / "appspec.yaml").write_text(spec())
    return tmp_path


REFUSED = {
    "no-files": ("{cfn_lint: false}", "template has no 'files'"),
    "files-empty": ("{files: []}", "files is empty"),
    "unknown-key": ("{files: [a], rule: {}}", "unknown key 'rule' in template"),
    "unknown-rule": ("{files: [a], rules: {ignore: [GR-T999]}}", "there is no rule 'GR-T999'"),
    "flag": ("{files: [a], cfn_lint: maybe}", "cfn_lint must be true or false"),
    "waivers-listed": ("{files: [a], waivers: [b]}", "waivers must be a text"),
}


@pytest.mark.parametrize(("template", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_when_the_suite_is_read(
    template: str, message: str
) -> None:
    assert message in refusal(with_check(f"template: {template}"))


def test_an_unknown_metric_is_refused() -> None:
    more = "\n    expect: [erors == 0]"
    assert "unknown metric 'erors'" in refusal(with_check(f"template: {ALL}{more}"))


NEVER = {
    "no-match": ({}, Outcome.ERROR, "no file is there"),
    "empty": ({"t.yaml": ""}, Outcome.ERROR, "t.yaml:1:1: the file is empty"),
    "no-resources": ({"t.yaml": "Resources: {}"}, Outcome.ERROR, "without resources"),
    "unknown-kind": ({"t.yaml": "a: 1"}, Outcome.ERROR, "no template of a known kind"),
    "nothing-applies": (
        {"t.yaml": "Resources: {B: {Type: AWS::S3::Bucket}}"},
        Outcome.INCONCLUSIVE,
        "no rule applies",
    ),
    "one-unreadable": ({"a.yaml": spec(), "t.yaml": "a: ["}, Outcome.ERROR, "t.yaml:1:5: not vali"),
    "failed-first": (
        {"appspec.yaml": spec("{X: y}"), "t.yaml": "a: ["},
        Outcome.FAILED,
        "GR-T041 in appspec.yaml:4:10",
    ),
}


@pytest.mark.parametrize(("files", "outcome", "said"), NEVER.values(), ids=NEVER)
def test_what_was_not_judged_whole_never_passes(
    tmp_path: Path, files: dict[str, str], outcome: Outcome, said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    finding = judged(tmp_path, "{files: ['*.yaml'], cfn_lint: false}")
    assert finding.outcome is outcome
    assert said in str(finding)


def test_templates_pass_on_evidence_of_what_was_judged(tmp_path: Path) -> None:
    (tmp_path / "appspec.yaml").write_text(spec("{BeforeInstall: check}"))
    finding = judged(tmp_path, "{files: [appspec.yaml], cfn_lint: false}")
    assert finding.outcome is Outcome.PASSED
    assert "4 judgements by 18 rules on 3 resources of appspec.yaml" in str(finding)


def test_each_rule_that_was_broken_has_its_fix(tmp_path: Path) -> None:
    (tmp_path / "appspec.yaml").write_text(spec("{X: y}"))
    one = judged(tmp_path, "{files: [appspec.yaml], cfn_lint: false}")
    assert one.advice.startswith("correct the name")
    (tmp_path / "task.json").write_text(task("api:latest"))
    two = judged(tmp_path, "{files: [appspec.yaml, task.json], cfn_lint: false}").advice
    assert "GR-T041: correct the name" in two
    assert "GR-T030: name the image by its digest" in two


def test_warnings_fail_unless_expected(tagged: Path) -> None:
    assert judged(tagged).outcome is Outcome.FAILED
    assert judged(tagged, more="\n    expect: error == 0").outcome is Outcome.PASSED


def test_a_rule_can_be_left_out(tagged: Path) -> None:
    ignoring = ALL.replace("cfn_lint", "rules: {ignore: [GR-T031]}, cfn_lint")
    assert judged(tagged, ignoring).outcome is Outcome.PASSED


def test_a_waiver_holds_until_its_day_and_is_told_afterwards(tagged: Path) -> None:
    waiver = "{id: GR-T031, reason: a mirror, expires: 2026-11-23, path: '*.json'}"
    (tagged / "waivers").write_text(f"version: 1\nwaivers: [{waiver}]\n")
    waiving = work(ALL.replace("cfn_lint", "waivers: waivers, cfn_lint"))
    assert waiving.run(workplace(tagged)).outcome is Outcome.PASSED
    late = waiving.run(replace(workplace(tagged), today=date(2026, 11, 24)))
    assert late.outcome is Outcome.FAILED
    assert "expired waiver: GR-T031 until 2026-11-23 (waivers:2)" in str(late)


def test_a_waiver_file_that_is_not_there_is_an_error(tagged: Path) -> None:
    with pytest.raises(SettingsError, match=r"waivers: none\.yaml does not exist"):
        judged(tagged, ALL.replace("cfn_lint", "waivers: none.yaml, cfn_lint"))


def test_what_could_not_be_judged_is_noted(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text(task("api:${TAG}"))
    (tmp_path / "appspec.yaml").write_text(spec())
    finding = judged(tmp_path)
    assert finding.outcome is Outcome.PASSED
    assert "note: GR-T030 not judged: task.json:1:69" in str(finding)


def test_files_may_hold_variables() -> None:
    assert work("{files: ['${env.DEPLOY}/t.yaml']}").files == ("deploy/t.yaml",)


SCHEMA = {
    "whole": (
        "{files: [a], rules: {ignore: [GR-T031]}, cfn_lint: false, waivers: w.yaml}",
        True,
    ),
    "no-files": ("{}", False),
    "rule": ("{files: [a], rules: {ignore: [T31]}}", False),
}


@pytest.mark.parametrize(("template", "valid"), SCHEMA.values(), ids=SCHEMA)
def test_the_schema_knows_what_the_reader_does(template: str, valid: bool) -> None:  # noqa: FBT001 - a case
    text = files("greenroom.plugins").joinpath("check_template.schema.json").read_text("utf-8")
    given = YAML(typ="safe").load(template)
    assert Draft202012Validator(json.loads(text)).is_valid(given) is valid


def test_a_folder_of_the_cdk_stands_for_its_templates(tmp_path: Path) -> None:
    service = {"Api": {"Type": "AWS::ECS::Service", "Properties": {}}}
    nested = tmp_path / "cdk.out" / "assembly-prod"
    nested.mkdir(parents=True)
    (nested / "api.template.json").write_text(json.dumps({"Resources": service}))
    (tmp_path / "cdk.out" / "manifest.json").write_text("{}")
    finding = judged(tmp_path, "{files: [cdk.out], cfn_lint: false}")
    places = {result.location.file for result in finding.results if result.location}
    assert finding.outcome is Outcome.FAILED
    assert places == {"cdk.out/assembly-prod/api.template.json"}
