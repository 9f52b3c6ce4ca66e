from __future__ import annotations

import pytest

from greenroom.plugins.suite_variables import UnresolvedError
from tests.support.suites import HEAD, check, refusal, variables

GIVEN = variables(URL="http://h", API_KEY="s3cr3t", EMPTY="")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${env.URL}/x", "http://h/x"),
        ("${settings.size}${settings.size}", "44"),
        ("${release.image}", "app@sha256:1"),
        ("${env.EMPTY}", ""),
        ("$${env.URL}", "${env.URL}"),
        ("$5 and {env.URL}", "$5 and {env.URL}"),
    ],
    ids=["none", "env", "twice", "release", "empty-env", "escaped", "no-variable"],
)
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert GIVEN.fill(text) == filled


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${env.NONE}", "${env.NONE} is not set", "set the environment variable NONE"),
        ("${secret.EMPTY}", "${secret.EMPTY} is empty", "environment variable EMPTY"),
        ("${settings.x}", "${settings.x} is not set", "--greenroom-set x=VALUE; known: size"),
        ("${release.x}", "${release.x} is not set", "known: image"),
        ("${URL}", "'${URL}' is not a variable", "${env.X}"),
        ("${other.URL}", "'${other.URL}' is not a variable", "${secret.X}"),
        ("${env.URL", "'${env.URL' is not a variable", "${env.X}"),
        ("${}", "'${}' is not a variable", "${env.X}"),
    ],
    ids=["env", "secret", "settings", "release", "no-source", "source", "unclosed", "empty"],
)
def test_one_without_a_value_is_an_error(text: str, message: str, hint: str) -> None:
    with pytest.raises(UnresolvedError) as caught:
        GIVEN.fill(f"a {text}")
    assert str(caught.value) == message
    assert hint in caught.value.hint
    assert caught.value.offset == 2


def test_a_secret_becomes_known_to_the_redactor() -> None:
    given = variables(API_KEY="s3cr3t")
    assert given.fill("Bearer ${secret.API_KEY}") == "Bearer s3cr3t"
    assert given.redactor.text("s3cr3t") == "[redacted]"


def test_variables_stand_in_paths_headers_bodies_and_expected_texts() -> None:
    given = variables(A="x")
    one = check(
        '{json: {$.a: "${env.A}", $.b: {one_of: [1, "${env.A}"]}}, headers: {x-a: "${env.A}"}}',
        http='{post: "/${env.A}", headers: {x-a: "${env.A}"}, json: {a: ["${env.A}", 1]}}',
        given=given,
    )
    assert one.request.path == "/x"
    assert one.request.content == b'{"a": ["x", 1]}'
    assert ("x-a", "x") in one.request.headers
    assert [rule.expectation.argument for rule in one.expect.json] == ["x", [1, "x"]]
    assert one.expect.headers[0].expectation.argument == "x"


@pytest.mark.parametrize("key", ["name", "gate", "timeout"])
def test_variables_stand_nowhere_else(key: str) -> None:
    text = f'{HEAD}  - {{{key}: "${{env.A}}", http: {{get: /}}, expect: {{status: 200}}}}\n'
    assert "a.suite.yaml:4:" in refusal(text, variables(A="x"))


def test_an_unresolved_variable_is_shown_at_its_place() -> None:
    text = f"{HEAD}  - name: c\n    http: {{get: '/${{env.NONE}}'}}\n    expect: {{status: 200}}\n"
    assert refusal(text).splitlines()[:3] == [
        "a.suite.yaml:5:17: ${env.NONE} is not set",
        "  5 |     http: {get: '/${env.NONE}'}",
        "    |                 ^",
    ]
