"""The table of probes in the documentation is the one of the code, and its examples are read."""

from __future__ import annotations

import re
from pathlib import Path

from greenroom.validators.security import Group
from greenroom.validators.security_probes import GROUPS, PROBES
from tests.support.runs import run
from tests.support.suites import read, variables
from tests.support.weak import any_method, hard

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


def table() -> str:
    head = "\n| id | looks for | severity | CWE, OWASP | sends | a result needs | fix |\n"
    return "".join(
        f"\n### {group.value}\n{head}|---|---|---|---|---|---|---|\n{rows(group)}"
        for group in Group
    )


def rows(group: Group) -> str:
    return "".join(
        f"| {one.id} | {one.title} | {one.severity.value} "
        f"| [CWE-{one.cwe}]({one.link}), {', '.join(one.owasp)} "
        f"| {one.sends} | {one.needs} | {one.fix} |\n"
        for one in GROUPS[group]
    )


def test_the_table_of_probes_is_the_one_of_the_code() -> None:
    _, _, shown = DOCUMENT.read_text("utf-8").partition("## The probes\n")
    assert shown == table()


def test_the_number_of_probes_in_the_changelog_is_right() -> None:
    assert f"sends {len(PROBES)} built-in probes" in (
        DOCUMENT.parents[1] / "CHANGELOG.md"
    ).read_text("utf-8")


def test_the_suite_of_the_documentation_is_read() -> None:
    [suite] = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert len(read(suite, variables(TOKEN="t")).checks) == 2  # noqa: S106 - no real one


def test_the_python_of_the_documentation_runs(tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (tmp_path / "test_it.py").write_text(
        code.replace('"/api"', '"/"').replace(
            "\n\ndef test", "\nimport pytest\n\n@pytest.mark.security\ndef test"
        )
    )
    with any_method(hard()) as url:
        ran = run(tmp_path, "--greenroom-target", url)
    assert ran.verdict == "ship"
    [check] = ran.record["checks"]
    assert {one["tool"] for one in check["evidence"]} >= {"GR-S020", "GR-S021", "GR-S022"}
