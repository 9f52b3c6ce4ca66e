"""The JSON Schema for editors and the parser must agree: on each key, and on what is valid."""

# ruff: noqa: FBT003 - booleans are among the values that a document may hold

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.plugins import (
    client_tls,
    suite_auth,
    suite_body,
    suite_checks,
    suite_defaults,
    suite_expect,
    suite_openapi,
    suite_operators,
    suite_parser,
    suite_request,
    suite_snapshot,
    suite_steps,
)
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.errors import SettingsError
from greenroom.validators.json_values import JsonType, Operator
from greenroom.validators.vocabulary import Gate, Kind, Stage
from tests.plugins.test_suite_parser import (
    AUTH_ERRORS,
    CHECK_ERRORS,
    EXPECT_ERRORS,
    HTTP_ERRORS,
    SUITE_ERRORS,
)
from tests.support.suites import HEAD, read, variables, with_check

SCHEMA = json.loads(schema_text("suite"))
DEFS = SCHEMA["$defs"]
EXPECT = DEFS["expect"]["properties"]
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
BEYOND_A_SCHEMA = {
    *("between-order", "openapi-absent", "mask-text", "version", "version-deep", "leading-zero"),
    *("same-name", "json-bad-path", "json-no-path", "schema-absent", "two-kinds"),
    *("target-no-url", "target-user", "target-port", "target-blank", "target-function"),
    *("file-absent", "file-outside", "file-folder", "cookie-twice", "encoding-twice"),
    *("proof-credential", "proof-path", "proof-unresolved"),
}
"""What only the parser sees: other lines, other files, other grammars."""
REFUSED = {
    **{f"suite-{name}": text for name, (text, _) in SUITE_ERRORS.items()},
    **{f"check-{name}": f"{HEAD}  - {text}\n" for name, (text, _) in CHECK_ERRORS.items()},
    **{
        f"http-{name}": with_check(f"http: {text}\n    expect: {{status: 200}}")
        for name, (text, _) in HTTP_ERRORS.items()
    },
    **{
        f"auth-{name}": with_check(f"auth: {text}\n    http: {{get: /}}\n    expect: {{}}")
        for name, (text, _) in AUTH_ERRORS.items()
    },
    **{
        f"expect-{name}": with_check(f"http: {{get: /}}\n    expect: {text}")
        for name, (text, _) in EXPECT_ERRORS.items()
    },
}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("properties", "keys"),
    [
        (SCHEMA["properties"], suite_parser.SUITE_KEYS),
        (SCHEMA["properties"]["defaults"]["properties"], suite_defaults.DEFAULT_KEYS),
        (DEFS["check"]["properties"], suite_checks.CHECK_KEYS),
        (DEFS["steps_check"]["properties"], suite_steps.STEPS_KEYS),
        (DEFS["step"]["properties"], suite_steps.STEP_KEYS),
        (DEFS["capture"]["anyOf"][1]["properties"], suite_steps.CAPTURE_KEYS),
        (DEFS["retry"]["properties"], suite_defaults.RETRY_KEYS),
        (DEFS["http"]["properties"], suite_request.HTTP_KEYS),
        (DEFS["part"]["anyOf"][1]["properties"], suite_body.PART_KEYS),
        (DEFS["auth"]["anyOf"][1]["properties"], suite_auth.AUTH_KEYS),
        (SCHEMA["properties"]["tls"]["properties"], client_tls.TLS_KEYS),
        (DEFS["answered_by"]["properties"], suite_request.ANSWERED_BY_KEYS),
        (DEFS["expect"]["properties"], suite_expect.EXPECT_KEYS),
        (DEFS["json_operators"]["properties"], tuple(Operator)),
        (DEFS["header_operators"]["properties"], suite_operators.HEADER_OPERATORS),
        (DEFS["text_operators"]["properties"], suite_operators.TEXT_OPERATORS),
        (EXPECT["schema"]["anyOf"][1]["properties"], suite_expect.SCHEMA_KEYS),
        (EXPECT["openapi"]["anyOf"][1]["properties"], suite_openapi.OPENAPI_KEYS),
        (EXPECT["snapshot"]["anyOf"][1]["properties"], suite_snapshot.SNAPSHOT_KEYS),
    ],
    ids=[
        *("suite", "defaults", "check", "steps", "step", "capture", "retry", "http"),
        *("part", "auth", "tls", "answered_by", "expect", "json", "header", "text"),
        *("contract", "openapi", "snapshot"),
    ],
)
def test_the_schema_has_each_key_of_the_parser(
    properties: dict[str, Any], keys: tuple[str, ...]
) -> None:
    assert set(properties) == {str(key) for key in keys}


@pytest.mark.parametrize(
    ("names", "choices"),
    [
        (SCHEMA["properties"]["stage"]["enum"], Stage),
        (DEFS["check"]["properties"]["kind"]["anyOf"][0]["enum"], Kind),
        (DEFS["check"]["properties"]["gate"]["anyOf"][0]["enum"], Gate),
        (DEFS["json_operators"]["properties"]["type"]["anyOf"][0]["enum"], JsonType),
        (DEFS["tag"]["anyOf"][0]["not"]["enum"], suite_checks.RESERVED_TAGS),
    ],
    ids=["stage", "kind", "gate", "type", "reserved-tags"],
)
def test_the_schema_has_each_name_of_a_closed_set(names: list[str], choices: Any) -> None:  # noqa: ANN401 - an enum or a set
    assert set(names) == {str(choice) for choice in choices}


@pytest.mark.parametrize(
    "text",
    [text for name, text in REFUSED.items() if name.partition("-")[2] not in BEYOND_A_SCHEMA],
    ids=[name for name in REFUSED if name.partition("-")[2] not in BEYOND_A_SCHEMA],
)
def test_what_the_parser_refuses_an_editor_marks(text: str) -> None:
    assert not VALIDATOR.is_valid(plain(Document(Path("a"), text).read()))


def mixed(*values: object) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


durations = mixed("5s", "500ms", "1m", "1.5s", "0s", "5", 5, "5 s", "1h", True)
headers = st.dictionaries(
    mixed("X-A", "a", "a b", ""), mixed("v", 1, 1.5, True, None, "é", "a\nb"), max_size=2
)
retries = st.fixed_dictionaries(
    {},
    optional={
        "attempts": mixed(1, 10, 0, 11, "3", 2.0),
        "delay": durations,
        "on": st.lists(mixed("connect", 502, "503", 504, 500, None), max_size=2),
        "extra": mixed(1),
    },
)
auths = mixed(
    "none",
    "x",
    None,
    {"bearer": "${env.A}"},
    {"bearer": "a"},
    {"basic": {"user": 5, "password": "${env.A}"}},
    {"api_key": {"header": "a", "value": "x${env.A}"}},
    {"api_key": {"value": "${env.A}"}},
    {"sigv4": {"service": "lambda"}},
    {"sigv4": {"service": "L"}},
    {},
)
proofs = st.fixed_dictionaries(
    {"equals": mixed("v2", 8, True, " ", None)},
    optional={"header": mixed("x-revision", "a b", 5), "json": mixed("$.revision", "", 5)},
)
operators = st.fixed_dictionaries(
    {},
    optional={
        "equals": mixed(1, None, {"a": 1}, [1]),
        "one_of": mixed([1], [], 1),
        "type": mixed("string", "null", "text", None),
        "length": mixed(4, ">= 1", "== 1", "1", -1, "> 1s", "> -1", "> 5_", "> 1_0"),
        "matches": mixed("a+", 1, "(", None),
        "at_most": mixed(1, 1.5, "1", True),
        "exists": mixed(True, "yes"),
        "between": mixed([1, 2], [2, 2.5], [1], ["1", 2], 1),
        "unordered": mixed([], [1], 1),
        "none_of": mixed([1], [], None),
        "not": mixed(1, [], {"matches": "a"}, {"type": "null"}, {"count": 1}, {}),
    },
)
expectations = st.fixed_dictionaries(
    {},
    optional={
        "status": mixed(200, "2xx", [200, "4xx"], [], 99, 600, "6xx", "200", True, None),
        "time": mixed(
            "< 500ms", "<= 2s", "<1us", "< 5", "> 5s", "< 5%", 5, "< 1_0.5s", "< 5_s", "< 1.0_s"
        ),
        "size": mixed("< 64KiB", ">0B", "== 1_0 MiB", "< 5", "< 5s", 5, "< -1B"),
        "headers": st.dictionaries(mixed("a", "a b"), mixed("x", 1, None, [1]) | operators),
        "cookies": st.dictionaries(mixed("a", "a b"), mixed("x", 1, None, [1]) | operators),
        "text": mixed("x", 1, None, [1]) | operators,
        "snapshot": mixed("a.txt", "/a", "", {"file": "a.json", "mask": ["$.a"]}, {"mask": ["$"]}),
        "json": st.dictionaries(mixed("$", "$.a", "$[*].b"), mixed(1, None, [1]) | operators),
    },
)
requests = st.fixed_dictionaries(
    {"get": mixed("/", "/a?b=c", "a", "//x", "/#", "/\t", 1, None)},
    optional={
        "post": mixed("/"),
        "headers": headers,
        "json": mixed(1, None, {"a": [1]}),
        "body": mixed("x", 1, None, [1]),
        "form": mixed({"a": 1}, {}, {"a": [True, "x"]}, {"a": None}, {"a": {}}),
        "compress": mixed("gzip", "br"),
        "query": mixed({"a b": ["é"]}, {"a": []}, 1),
        "cookies": mixed({"a": "b"}, {"a b": "c"}, {"a": "b c"}, {"a": True}, {"a": 'b"'}),
        "accept_encoding": mixed("gzip", ["identity"], [], "br"),
        "http2": mixed(True, "yes"),
        "follow_redirects": mixed(
            True, False, "true", {}, {"most": 2}, {"most": 21}, {"hosts": "same"}, {"hosts": ["h"]}
        ),
        "at": mixed("each-target", "all", None),
    },
)
checks = st.fixed_dictionaries(
    {
        "name": mixed("a", "a b", "", "a::b", "a\nb", 5),
        "http": st.just({"get": "/"}) | requests,
        "expect": st.just({"status": 200}) | expectations,
    },
    optional={
        "tags": st.lists(mixed("x", "smoke", "skip", "a b", 1), max_size=1),
        "kind": mixed("load", "unknown"),
        "gate": mixed("warn", "open", None),
        "timeout": durations,
        "max_body": mixed("1B", "0KiB", "2MiB", "1MB", 5),
        "retry": retries,
        "answered_by": proofs,
        "auth": auths,
        "load": mixed({"users": 1}),
    },
)
suites = st.fixed_dictionaries(
    {
        "version": st.just(1) | mixed(1, 2, "1", True, 1.0),
        "name": mixed("s", "s", "s", "", None),
        "checks": st.lists(checks, max_size=1),
    },
    optional={
        "stage": mixed("artifact", "production"),
        "target": mixed("http://h", 5),
        "defaults": st.fixed_dictionaries({}, optional={"timeout": durations, "headers": headers}),
        "extra": mixed(1),
    },
)


def _parses(text: str) -> str:
    """Return why the parser refuses ``text``, or nothing."""
    try:
        read(text, variables(A="a"))
    except SettingsError as error:
        return error.explain()
    return ""


@given(suites)
def test_an_editor_and_the_parser_agree_on_any_document(document: Any) -> None:  # noqa: ANN401 - any JSON
    text = json.dumps(document)  # JSON is YAML 1.2
    refused = _parses(text)
    marked = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]
    assert bool(refused) == bool(marked), (text, refused, marked)


def checked_by_an_editor(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Have check-jsonschema, which editors' language servers agree with, look at a suite."""
    (folder / "suite.schema.json").write_text(schema_text("suite"))
    (folder / "a.suite.yaml").write_text(text)
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [str(tool), "--schemafile", "suite.schema.json", "a.suite.yaml"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_check_jsonschema_takes_the_suite_of_the_docs(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "suites.md"
    text = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    done = checked_by_an_editor(tmp_path, text)
    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


def test_check_jsonschema_marks_a_key_that_there_is_not(tmp_path: Path) -> None:
    done = checked_by_an_editor(tmp_path, with_check("htp: {get: /}\n    expect: {status: 200}"))
    assert done.returncode == 1
    assert "'htp'" in done.stdout
