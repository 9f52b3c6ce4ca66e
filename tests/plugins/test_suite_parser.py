from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_checks import CHECK_KEYS
from greenroom.plugins.suite_contract import Contracts
from greenroom.plugins.suite_model import RETRIED, Retry
from greenroom.plugins.suite_parser import SUITE_KEYS, parse_suite
from greenroom.plugins.suite_variables import Variables
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Gate, Kind, Stage
from tests.support.suites import (
    HEAD,
    TARGET,
    check,
    http_checks,
    read,
    refusal,
    variables,
    with_check,
)

if TYPE_CHECKING:
    from greenroom.plugins.suite_model import Suite

CHECK = "checks: [{name: c, http: {get: /}, expect: {status: 200}}]\n"


def suite(head: str) -> Suite:
    return read(f"{head}\n{CHECK}")


SUITE_ERRORS = {
    "no-mapping": ("[1]", ":1:1: the suite must be a mapping"),
    "no-version": (f"name: s\n{CHECK}", ":1:1: the suite has no 'version'"),
    "other-version": (f"version: 2\nname: s\n{CHECK}", ":1:10: version must be a whole number, 1"),
    "no-name": (f"version: 1\n{CHECK}", "the suite has no 'name'"),
    "name-no-text": (f"version: 1\nname: 5\n{CHECK}", ":2:7: name must be a text"),
    "no-checks": ("version: 1\nname: s", "the suite has no 'checks'"),
    "empty-checks": ("version: 1\nname: s\nchecks: []", ":3:9: checks is empty"),
    "checks-no-list": ("version: 1\nname: s\nchecks: {a: 1}", ":3:9: checks must be a list"),
    "unknown-stage": (f"version: 1\nname: s\nstage: prod\n{CHECK}", "unknown value 'prod'"),
    "unknown-key": (f"version: 1\nname: s\nchekcs: 1\n{CHECK}", "unknown key 'chekcs'"),
    "target-no-url": (f"version: 1\nname: s\ntarget: host\n{CHECK}", "must be an http://"),
    "target-user": (f"version: 1\nname: s\ntarget: http://u:p@h\n{CHECK}", "must have no user"),
    "target-port": (f"version: 1\nname: s\ntarget: http://h:x\n{CHECK}", "is not a URL"),
    "target-function": (
        f"version: 1\nname: s\ntarget: lambda://f:$LATEST\n{CHECK}",
        "names no version",
    ),
    "target-blank": (f'version: 1\nname: s\ntarget: "http://h/ x"\n{CHECK}', "holds blanks"),
    "defaults-empty": (f"version: 1\nname: s\ndefaults: {{}}\n{CHECK}", "defaults is empty"),
    "check-no-mapping": (f"{HEAD}  - x", ":4:5: the check must be a mapping"),
    "same-name": (
        f"{HEAD}  - {{name: c, http: {{get: /}}, expect: {{status: 200}}}}\n" * 1
        + "  - {name: c, http: {get: /}, expect: {status: 200}}\n",
        ":5:5: a check named 'c' stands in line 4 already",
    ),
}
OK = "http: {get: /}, expect: {status: 200}"
CHECK_ERRORS = {
    "no-name": (f"{{{OK}}}", "the check has no 'name'"),
    "name-with-colons": (f'{{name: "a::b", {OK}}}', "cannot hold '::'"),
    "name-of-two-lines": (f'{{name: "a\\nb", {OK}}}', "must be one line"),
    "no-http": ("{name: c, expect: {status: 200}}", "the check has no 'http'"),
    "no-expect": ("{name: c, http: {get: /}}", "the check expects nothing"),
    "empty-expect": ("{name: c, http: {get: /}, expect: {}}", "the check expects nothing"),
    "null-expect": ("{name: c, http: {get: /}, expect: }", "expect must be a mapping"),
    "load": ("{name: c, load: {users: 5}}", "has no 'load' checks"),
    "alarm": ("{name: c, alarm: {name: x}}", "has no 'alarm' checks"),
    "two-works": ("{name: c, static: ruff, unit: {command: x}}", "several kinds: static, unit"),
    "work-and-http": ("{name: c, http: {get: /}, static: ruff}", "several kinds: http, static"),
    "tag-skip": (f"{{name: c, tags: [skip], {OK}}}", "'skip' cannot be a tag"),
    "tag-blank": (f'{{name: c, tags: ["a b"], {OK}}}', "'a b' cannot be a tag"),
    "two-kinds": (f"{{name: c, tags: [smoke, contract], {OK}}}", "the tags name 2 kinds"),
    "unknown-kind": (f"{{name: c, kind: smok, {OK}}}", "unknown value 'smok'"),
    "unknown-gate": (f"{{name: c, gate: [block], {OK}}}", "unknown value 'a list or mapping'"),
    "timeout": (f"{{name: c, timeout: 5, {OK}}}", "timeout must be a duration such as 500ms"),
    "timeout-zero": (f"{{name: c, timeout: 0s, {OK}}}", "timeout must be a duration"),
    "max-body": (f"{{name: c, max_body: 1MB, {OK}}}", "max_body must be a size such as"),
    "retry-on-500": (f"{{name: c, retry: {{on: [500]}}, {OK}}}", "cannot retry on '500'"),
    "retry-attempts": (f"{{name: c, retry: {{attempts: 11}}, {OK}}}", "from 1 to 10"),
    "retry-true": (f"{{name: c, retry: {{attempts: true}}, {OK}}}", "a whole number"),
    "proof-nowhere": (f"{{name: c, answered_by: {{equals: v2}}, {OK}}}", "give one of the two"),
    "proof-twice": (
        f"{{name: c, answered_by: {{header: a, json: $, equals: v2}}, {OK}}}",
        "in a header or in a JSON field",
    ),
    "proof-header": (f"{{name: c, answered_by: {{header: 'a b'}}, {OK}}}", "not a header's name"),
    "proof-credential": (
        f"{{name: c, answered_by: {{header: x-token, equals: v2}}, {OK}}}",
        "taken for a credential",
    ),
    "proof-path": (
        f"{{name: c, answered_by: {{json: 'a', equals: v2}}, {OK}}}",
        "'a' is not a JSONPath",
    ),
    "proof-empty": (
        f"{{name: c, answered_by: {{header: a, equals: ' '}}, {OK}}}",
        "the revision that must answer is empty",
    ),
    "proof-unresolved": (
        f"{{name: c, answered_by: {{header: a}}, {OK}}}",
        "${release.revision} is not set",
    ),
}
HTTP_ERRORS = {
    "no-method": ("{headers: {a: b}}", "must have one method, found none"),
    "two-methods": ("{get: /, post: /}", "must have one method, found get, post"),
    "unknown-method": ("{fetch: /}", "unknown key 'fetch' in http"),
    "absolute-address": ("{get: 'http://other/'}", "must start with /"),
    "fragment": ("{get: '/#a'}", "must start with /"),
    "path-null": ("{get: }", "the path must be a text"),
    "json-and-body": ("{post: /, json: 1, body: x}", "http has both json and body"),
    "form-and-file": ("{post: /, form: {a: 1}, file: x}", "http has both form and file"),
    "form-empty": ("{post: /, form: {}}", "form is empty"),
    "form-null": ("{post: /, form: {a: }}", "form a must be a text"),
    "form-nested": ("{post: /, form: {a: {b: c}}}", "form a must be a text"),
    "part-null": ("{post: /, multipart: {a: }}", "multipart a must be a text"),
    "part-no-file": ("{post: /, multipart: {a: {name: x}}}", "the part a has no 'file'"),
    "part-type": ("{post: /, multipart: {a: {file: x, type: text}}}", "'text' is no content type"),
    "file-absent": ("{post: /, file: none.txt}", "there is no file none.txt"),
    "file-outside": ("{post: /, file: ../x}", "the file ../x is outside"),
    "file-folder": ("{post: /, file: .}", "there is no file ."),
    "compress-none": ("{get: /, compress: gzip}", "there is no body to compress"),
    "compress-kind": ("{post: /, json: 1, compress: br}", "compress must be gzip"),
    "query-list": ("{get: /, query: [a]}", "query must be a mapping"),
    "query-values": ("{get: /, query: {a: []}}", "a is empty"),
    "cookie-name": ("{get: /, cookies: {'a b': c}}", "'a b' is not a cookie's name"),
    "cookie-value": ("{get: /, cookies: {a: 'b; c'}}", "cookie a can hold no blank"),
    "cookie-twice": ("{get: /, cookies: {a: b}, headers: {Cookie: c}}", "both cookies and the"),
    "encoding": ("{get: /, accept_encoding: br}", "accept_encoding must be any of"),
    "encoding-twice": (
        "{get: /, accept_encoding: gzip, headers: {Accept-Encoding: gzip}}",
        "both accept_encoding and the header Accept-Encoding",
    ),
    "http2": ("{get: /, http2: yes}", "http2 must be true or false"),
    "follow-most": ("{get: /, follow_redirects: {most: 21}}", "from 1 to 20"),
    "follow-hosts": ("{get: /, follow_redirects: {hosts: all}}", "hosts must be same, any, or"),
    "follow-host": ("{get: /, follow_redirects: {hosts: ['h/x']}}", "'h/x' is no host"),
    "follow-empty": ("{get: /, follow_redirects: {}}", "follow_redirects is empty"),
    "at-following-few": (
        "{get: /, at: each-target, follow_redirects: {most: 2}}",
        "at: each-target follows no redirects",
    ),
    "header-name": ("{get: /, headers: {'a b': c}}", "'a b' is not a header's name"),
    "header-lines": ('{get: /, headers: {a: "b\\r\\nc: d"}}', "must be one line of ASCII"),
    "header-not-ascii": ("{get: /, headers: {a: é}}", "must be one line of ASCII"),
    "header-null": ("{get: /, headers: {a: }}", "header a must be a text"),
    "follow": ("{get: /, follow_redirects: 1}", "follow_redirects must be true or false"),
    "at-all": ("{get: /, at: all}", "at must be each-target"),
    "at-following": (
        "{get: /, at: each-target, follow_redirects: true}",
        "at: each-target follows no redirects",
    ),
}
AUTH_ERRORS = {
    "word": ("off", "auth must be none or one of: basic, bearer, api_key, sigv4"),
    "null": ("~", "auth must be none or one of"),
    "empty": ("{}", "auth is empty"),
    "two": ("{bearer: '${secret.T}', sigv4: {service: lambda}}", "auth must be one kind"),
    "unknown": ("{digest: {user: a}}", "unknown key 'digest' in auth"),
    "bearer-literal": ("{bearer: hunter2}", "bearer is written out in the suite"),
    "bearer-escaped": ("{bearer: '$${hunter2}'}", "bearer is written out in the suite"),
    "password-literal": ("{basic: {user: a, password: 1}}", "password is written out"),
    "password-none": ("{basic: {user: a}}", "basic has no 'password'"),
    "user-colon": ("{basic: {user: 'a:b', password: '${secret.T}'}}", "user can hold no :"),
    "key-places": ("{api_key: {header: a, query: b, value: '${secret.T}'}}", "needs one place"),
    "key-no-place": ("{api_key: {value: '${secret.T}'}}", "api_key needs one place"),
    "key-name": ("{api_key: {header: 'a b', value: '${secret.T}'}}", "is not a header's name"),
    "key-literal": ("{api_key: {query: a, value: hunter2}}", "value is written out"),
    "sign-no-service": ("{sigv4: {region: x}}", "sigv4 has no 'service'"),
    "sign-service": ("{sigv4: {service: API}}", "service must be AWS's name"),
    "sign-role": ("{sigv4: {service: lambda, role: admin}}", "role must be a role's ARN"),
}
EXPECT_ERRORS = {
    "unknown": ("{statsu: 200}", "did you mean 'status'? valid keys: status, time"),
    "status-range": ("{status: 99}", "from 100 to 599"),
    "status-text": ("{status: ok}", "a status (or a class such as 2xx)"),
    "status-none": ("{status: []}", "status is empty"),
    "time-number": ("{time: 5}", "time must be a text"),
    "time-unit": ("{time: < 5}", "time must be below a duration"),
    "time-above": ("{time: '> 5ms'}", "time must be below a duration"),
    "time-words": ("{time: fast}", "'fast' is not a limit for time"),
    "headers-empty": ("{headers: {}}", "headers is empty"),
    "header-name": ("{headers: {'a b': c}}", "is not a header's name"),
    "header-operator": ("{headers: {a: {length: 1}}}", "unknown key 'length'"),
    "json-empty": ("{json: {}}", "json is empty"),
    "json-no-path": ("{json: {a: 1}}", "'a' is not a JSONPath"),
    "json-bad-path": ("{json: {'$[': 1}}", "'$[' is not a JSONPath"),
    "operator": ("{json: {$: {size: 4}}}", "valid keys: equals, one_of, type, length"),
    "no-operator": ("{json: {$: {}}}", "the expectation of $ is empty"),
    "type": ("{json: {$: {type: text}}}", "unknown value 'text'"),
    "length": ("{json: {$: {length: -1}}}", "length must be a whole number"),
    "length-unit": ("{json: {$: {length: '> 4ms'}}}", "a plain number without a unit"),
    "length-underscore": ("{json: {$: {length: '> 5_'}}}", "'> 5_' is not a limit for length"),
    "time-underscore": ("{time: < 5_s}", "'< 5_s' is not a limit for time"),
    "length-words": ("{json: {$: {length: four}}}", "'four' is not a limit for length"),
    "pattern": ("{json: {$: {matches: '('}}}", "not a regular expression"),
    "exists": ("{json: {$: {exists: yes}}}", "exists must be true or false"),
    "at-least": ("{json: {$: {at_least: '3'}}}", "at_least must be a number"),
    "one-of": ("{json: {$: {one_of: 3}}}", "one_of must be a list"),
    "size-unit": ("{size: < 5}", "size needs a unit"),
    "size-number": ("{size: 5}", "size must be a text"),
    "cookie-name": ("{cookies: {'a b': c}}", "is not a cookie's name"),
    "cookie-operator": ("{cookies: {a: {count: 1}}}", "unknown key 'count'"),
    "text-operator": ("{text: {exists: true}}", "unknown key 'exists' in the expectation of text"),
    "text-list": ("{text: [a]}", "the expected text must be a text"),
    "between-one": ("{json: {$: {between: [1]}}}", "between needs two numbers"),
    "between-order": ("{json: {$: {between: [2, 1]}}}", "the lower one first"),
    "between-text": ("{json: {$: {between: ['1', 2]}}}", "between must be a number"),
    "unordered": ("{json: {$: {unordered: 3}}}", "unordered must be a list"),
    "not-operator": ("{json: {$: {not: {count: 1}}}}", "valid keys: equals, contains, matches"),
    "not-type": ("{headers: {a: {not: {type: string}}}}", "unknown key 'type'"),
    "version": ("{json: {$.v: 1.10}}", 'quote a version: "1.10"; write 1.1 where the number'),
    "version-deep": ("{json: {$: {one_of: [{a: [2.00]}]}}}", "2.00 is read as the number 2.0"),
    "leading-zero": ("{json: {$: {contains: 007}}}", "007 is read as the number 7"),
    "json-variable": ("""{json: {"$['${env.X}']": {exists: false}}}""", "holds no variable"),
    "contains-nothing": ("{text: {contains: ''}}", "contains is empty: everything meets it"),
    "contains-no-member": ("{json: {$: {contains: {}}}}", "contains is empty: everything meets"),
    "contains-not": ("{json: {$: {not: {contains: ''}}}}", "contains is empty"),
    "schema-keys": ("{schema: {path: a.json}}", "unknown key 'path' in schema"),
    "schema-file": ("{schema: {remote: [a]}}", "schema has no 'file'"),
    "schema-host": ("{schema: {file: a.json, remote: ['https://h']}}", "'https://h' is no host"),
    "openapi-absolute": ("{openapi: /etc/x}", "a path from the suite's folder"),
    "openapi-absent": ("{openapi: none.yaml}", "cannot read the OpenAPI document none.yaml"),
    "openapi-keys": ("{openapi: {document: a, id: b}}", "unknown key 'id' in openapi"),
    "snapshot-absolute": ("{snapshot: /etc/x}", "a path from the suite's folder"),
    "snapshot-mask": ("{snapshot: {file: a.json, mask: []}}", "mask is empty"),
    "snapshot-path": ("{snapshot: {file: a.json, mask: [a]}}", "'a' is not a JSONPath"),
    "mask-text": ("{snapshot: {file: a.txt, mask: [$.a]}}", "mask is for a snapshot of JSON"),
    "schema-absolute": ("{schema: /etc/x}", "a path from the suite's folder"),
    "schema-absent": ("{schema: none.json}", "cannot read the schema none.json"),
}


@pytest.mark.parametrize(("text", "message"), SUITE_ERRORS.values(), ids=SUITE_ERRORS.keys())
def test_a_wrong_suite_is_refused(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(("text", "message"), CHECK_ERRORS.values(), ids=CHECK_ERRORS.keys())
def test_a_wrong_check_is_refused(text: str, message: str) -> None:
    assert message in refusal(f"{HEAD}  - {text}\n")


@pytest.mark.parametrize(("text", "message"), HTTP_ERRORS.values(), ids=HTTP_ERRORS.keys())
def test_a_wrong_request_is_refused(text: str, message: str) -> None:
    error = refusal(with_check(f"http: {text}\n    expect: {{status: 200}}"))
    assert message in error
    assert error.startswith("a.suite.yaml:5:")


@pytest.mark.parametrize(("text", "message"), AUTH_ERRORS.values(), ids=AUTH_ERRORS.keys())
def test_a_wrong_auth_is_refused_and_shows_no_password(text: str, message: str) -> None:
    more = "http: {get: /}\n    expect: {status: 200}"
    error = refusal(with_check(f"auth: {text}\n    {more}"), variables(T="t0ken"))
    assert message in error
    assert error.startswith("a.suite.yaml:5:")
    assert "hunter2" not in error


@pytest.mark.parametrize(("text", "message"), EXPECT_ERRORS.values(), ids=EXPECT_ERRORS.keys())
def test_a_wrong_expectation_is_refused(text: str, message: str) -> None:
    error = refusal(with_check(f"http: {{get: /}}\n    expect: {text}"))
    assert message in error
    assert error.startswith("a.suite.yaml:6:")


def test_an_unknown_key_lists_the_valid_ones() -> None:
    assert f"valid keys: {', '.join(SUITE_KEYS)}" in refusal("version: 1\nnmae: s")
    assert f"valid keys: {', '.join(CHECK_KEYS)}" in refusal(f"{HEAD}  - {{zzz: 1}}")


def test_all_wrong_checks_are_reported_together() -> None:
    error = refusal(
        f"{HEAD}  - {{name: a, http: {{get: /}}}}\n  - {{name: b, {OK}}}\n  - {{name: c, htp: 1}}\n"
    )
    assert "a.suite.yaml:4:5: the check expects nothing" in error
    assert "a.suite.yaml:6:15: unknown key 'htp'" in error
    assert "a.suite.yaml:5:" not in error


def test_a_suite_without_any_target_is_refused() -> None:
    text = f"version: 1\nname: s\n{CHECK}"
    with pytest.raises(SettingsError, match="has no target") as caught:
        parse_suite(text, Path("a"), Contracts(Path(), Path()), variables(), None)
    assert "--greenroom-target" in caught.value.hint
    with pytest.raises(SettingsError, match="the settings' target must be an http"):
        parse_suite(text, Path("a"), Contracts(Path(), Path()), variables(), "host:80")


def test_a_suite_says_its_own_target_before_the_settings() -> None:
    assert suite("version: 1\nname: s\ntarget: https://h/base/").target == "https://h/base"
    assert suite("version: 1\nname: s").target == TARGET


def test_the_least_check_has_sensible_defaults() -> None:
    one = check("{time: < 1s}")
    assert (one.kind, one.gate, one.tags) == (Kind.INTEGRATION, Gate.BLOCK, ())
    assert (one.timeout_s, one.max_body, one.retry) == (10.0, 1024 * 1024, Retry(attempts=1))
    assert str(one.expect.status) == "2xx"
    assert one.line == 4
    assert not one.request.follow_redirects


def test_a_check_overrides_the_defaults() -> None:
    text = (
        "version: 1\nname: s\nstage: artifact\n"
        "defaults:\n"
        "  {timeout: 5s, max_body: 64KiB, headers: {X-A: a, X-B: b}, retry: {attempts: 2}}\n"
        "checks:\n"
        "  - {name: c, timeout: 1m, max_body: 2MiB, retry: {delay: 20ms, on: [connect, 503]},\n"
        "     http: {put: /, headers: {x-b: 1.10}}, expect: {status: [201, 2xx]}}\n"
        "  - {name: d, tags: [smoke, x], gate: warn, http: {get: /}, expect: {status: 200}}\n"
    )
    found = read(text)
    first, second = http_checks(found)
    assert (first.timeout_s, first.max_body) == (60.0, 2 * 1024 * 1024)
    assert first.retry == Retry(3, 0.02, frozenset({"connect", "503"}))
    assert first.request.headers == (("X-A", "a"), ("x-b", "1.10"))
    assert (second.timeout_s, second.retry.attempts, second.retry.on) == (5.0, 2, RETRIED)
    assert (first.kind, second.kind, second.gate) == (Kind.UNIT, Kind.SMOKE, Gate.WARN)
    assert found.stage is Stage.ARTIFACT


def test_defaults_prove_the_revision_and_a_check_says_otherwise() -> None:
    text = (
        "version: 1\nname: s\n"
        "defaults: {answered_by: {header: x-revision, equals: '${env.R}'}}\n"
        "checks:\n"
        f"  - {{name: c, {OK}}}\n"
        f"  - {{name: d, answered_by: {{json: $.build, equals: 7}}, {OK}}}\n"
    )
    first, second = http_checks(read(text, variables(R="v2")))
    assert first.answered_by is not None
    assert second.answered_by is not None
    assert first.answered_by.limit == "revision v2 (header x-revision)"
    assert second.answered_by.limit == "revision 7 (json $.build)"


def test_the_revision_of_the_release_must_not_be_empty() -> None:
    empty = Variables({}, {}, {"revision": ""}, Redactor())
    error = refusal(f"{HEAD}  - {{name: c, answered_by: {{header: a}}, {OK}}}\n", empty)
    assert error.startswith("a.suite.yaml:4:")
    assert "the revision that must answer is empty" in error


def test_a_functions_version_can_be_a_target() -> None:
    given = "lambda://Trivia_Api:8/v1/?payload=alb"
    assert suite(f"version: 1\nname: s\ntarget: {given}").target == given


def test_a_kind_can_be_said_beside_tags_that_name_two() -> None:
    assert check(more="tags: [smoke, contract]\n    kind: contract").kind is Kind.CONTRACT


@pytest.mark.parametrize(
    ("http", "content", "content_type"),
    [
        ("{post: /, json: {a: [1, é]}}", '{"a": [1, "é"]}', "application/json"),
        ("{post: /, json: null}", "null", "application/json"),
        ("{post: /, body: a=b}", "a=b", "text/plain; charset=utf-8"),
        ("{post: /, body: 1.10}", "1.10", "text/plain; charset=utf-8"),
        ("{post: /, body: x, headers: {content-type: a/b}}", "x", "a/b"),
    ],
    ids=["json", "json-null", "text", "number-as-written", "own-type"],
)
def test_a_body_is_sent_with_its_type(http: str, content: str, content_type: str) -> None:
    request = check(http=http).request
    assert request.content == content.encode()
    assert {name.lower(): value for name, value in request.headers} == {
        "content-type": content_type
    }


def test_a_plain_value_means_equals_and_operators_are_each_a_rule() -> None:
    one = check("{json: {$.a: [1], $.b: {length: '>= 1', type: array}}}")
    limits = [(rule.path, rule.expectation.limit) for rule in one.expect.json]
    assert limits == [
        ("$.a", "equals [1]"),
        ("$.b", "length >= 1"),
        ("$.b", "type array"),
    ]


def test_the_documentations_example_is_a_suite(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "suites.md"
    example = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "categories.schema.json").write_text('{"type": "array"}')
    given = variables(TRIVIA_URL="http://h", API_KEY="s3cr3t")
    found = read(example, given, tmp_path)
    assert [one.kind for one in found.checks] == [Kind.CONTRACT, Kind.INTEGRATION]
