"""Short ways to read suite texts in tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_model import HttpCheck
from greenroom.plugins.suite_parser import parse_suite
from greenroom.plugins.suite_variables import Variables
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from greenroom.plugins.suite_model import Suite

TARGET = "http://127.0.0.1:9"
HEAD = "version: 1\nname: s\nchecks:\n"


def variables(**environment: str) -> Variables:
    return Variables(environment, {"size": "4"}, {"image": "app@sha256:1"}, Redactor())


def read(
    text: str,
    given: Variables | None = None,
    folder: Path = Path(),
    root: Path | None = None,
) -> Suite:
    contracts = Contracts(folder, root or folder)
    return parse_suite(text, Path("a.suite.yaml"), contracts, given or variables(), TARGET)


def check(
    expect: str = "{status: 200}",
    *,
    http: str = "{get: /}",
    more: str = "",
    folder: Path = Path(),
    given: Variables | None = None,
) -> HttpCheck:
    """Read a suite of one check."""
    body = f"  - name: c\n    http: {http}\n    expect: {expect}\n"
    suite = read(HEAD + body + (f"    {more}\n" if more else ""), given, folder)
    return http_checks(suite)[0]


def http_checks(suite: Suite) -> tuple[HttpCheck, ...]:
    """Return the checks that ask a target."""
    return tuple(check for check in suite.checks if isinstance(check, HttpCheck))


def with_check(lines: str) -> str:
    """Return a suite of one check that goes on with ``lines``."""
    return f"{HEAD}  - name: c\n    {lines}\n"


def refusal(
    text: str,
    given: Variables | None = None,
    folder: Path = Path(),
    root: Path | None = None,
) -> str:
    """Return the whole text of the error that ``text`` is refused with."""
    with pytest.raises(SettingsError) as caught:
        read(text, given, folder, root)
    return caught.value.explain()
