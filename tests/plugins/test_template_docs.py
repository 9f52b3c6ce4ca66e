from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.validators.template_rules import RULES
from tests.support.suites import read

if TYPE_CHECKING:
    from greenroom.validators.template import TemplateRule

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_page_lists_every_rule_as_it_is(rule: TemplateRule) -> None:
    row = f"| [{rule.id}]({rule.source}) | {rule.level.value} | {rule.title} |"
    assert f"{row} {rule.reason} | {rule.fix} |" in PAGE


def test_the_page_lists_no_other_rule() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(("| GR-", "| [GR-"))]
    assert len(rows) == len(RULES) + 1


def test_the_suite_of_the_page_can_be_read() -> None:
    text = PAGE.partition("```yaml\n")[2].partition("```")[0]
    (check,) = read(text).checks
    assert check.name == "the deployment is set up to be stopped"
