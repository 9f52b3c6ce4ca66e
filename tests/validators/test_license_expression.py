"""A licence that is denied is found in every expression that needs it."""

from __future__ import annotations

import pytest

from greenroom.validators.license_expression import is_denied


@pytest.mark.parametrize(
    "expression",
    [
        "AGPL-3.0-only",
        "agpl-3.0-only",
        "(MIT AND AGPL-3.0-only)",
        "MIT AND (BSD-3-Clause AND AGPL-3.0-only)",
        "AGPL-3.0-only OR AGPL-3.0-or-later",
        "MIT AND (AGPL-3.0-only OR SSPL-1.0)",
        "AGPL-3.0-only WITH an-exception",
        "(MIT OR AGPL-3.0-only",
        "AGPL-3.0-only OR",
        "MIT, AGPL-3.0-only",
        "(" * 500 + "AGPL-3.0-only" + ")" * 500,
    ],
)
def test_what_cannot_be_used_without_is_denied(expression: str) -> None:
    assert is_denied(expression, ("agpl-*", "SSPL-*"))


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "(MIT OR AGPL-3.0-only)",
        "MIT AND (BSD-3-Clause OR AGPL-3.0-only)",
        "(MIT AND ISC) OR AGPL-3.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "",
    ],
)
def test_what_can_be_used_without_is_not(expression: str) -> None:
    assert not is_denied(expression, ("AGPL-*",))
