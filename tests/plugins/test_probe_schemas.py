"""The schema for editors and the parser must agree on what dns, lambda, tcp and tls can say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from greenroom.plugins import suite_dns, suite_lambda, suite_tcp, suite_texts, suite_tls
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.suite_variables import Variables
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.dns import RecordType
from tests.support.project import ROOT
from tests.support.suites import read, refusal
from tests.support.works import with_work, work_of

SCHEMA = json.loads(schema_text("suite"))
DEFS = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
LAMBDA = 'lambda: {function: "a:1"}'
DNS = "dns: {name: a.example}"
TLS = "tls: a.example"
REFUSED = {
    "tcp-no-port": ("tcp: a.example", "", "tcp must be HOST:PORT"),
    "tcp-url": ("tcp: http://a.example:80", "", "tcp must be HOST:PORT"),
    "tcp-receives-nothing": (
        "tcp: {host: a, port: 80, receives: ''}",
        "",
        "contains is empty: everything meets it",
    ),
    "tls-contains-nothing": ("tls: a.example", "{issuer: {contains: ''}}", "contains is empty"),
    "tcp-list": ("tcp: [a, 80]", "", "tcp must be a text"),
    "tcp-no-host": ("tcp: {port: 80}", "", "has no 'host'"),
    "tcp-port": ("tcp: {host: a, port: 70000}", "", "from 1 to 65535"),
    "tcp-host": ("tcp: {host: a b, port: 80}", "", "host must be a name or an address"),
    "tcp-key": ("tcp: {host: a, port: 80, sends: x}", "", "did you mean 'send'?"),
    "tcp-send-alone": ("tcp: {host: a, port: 80, send: x}", "", "send without receives"),
    "tcp-most-alone": ("tcp: {host: a, port: 80, most: 1KiB}", "", "most without receives"),
    "tcp-most": ("tcp: {host: a, port: 80, receives: x, most: 1}", "", "most must be a size"),
    "tcp-exists": ("tcp: {host: a, port: 80, receives: {exists: true}}", "", "unknown key"),
    "tcp-pattern": ("tcp: {host: a, port: 80, receives: {matches: (}}", "", "not a regular"),
    "dns-no-name": ("dns: {type: A}", "", "has no 'name'"),
    "dns-name": ("dns: {name: a..example}", "", "is not a name of the DNS"),
    "dns-type": ("dns: {name: a, type: ANY}", "", "unknown value 'ANY'"),
    "dns-server": ("dns: {name: a, server: 'udp://a'}", "", "server must be HOST:PORT"),
    "dns-empty": (DNS, "{}", "expect is empty"),
    "dns-key": (DNS, "{value: 10.0.0.1}", "did you mean 'values'?"),
    "dns-values": (DNS, "{values: []}", "values is empty"),
    "dns-one-of": (DNS, "{values: {one_of: 10.0.0.1}}", "one_of must be a list"),
    "dns-count": (DNS, "{values: {count: some}}", "'some' is not a limit for count"),
    "dns-operator": (DNS, "{values: {exists: true}}", "unknown key 'exists'"),
    "dns-ttl": (DNS, "{ttl: 60}", "ttl must be a text"),
    "dns-ttl-unit": (DNS, "{ttl: '>= 60%'}", "wrong unit for ttl"),
    "dns-time": (DNS, "{time: '< 5'}", "wrong unit for time"),
    "dns-nothing": (DNS, "{exists: false, ttl: '>= 60'}", "where nothing exists"),
    "tls-empty": ("tls: {}", "", "tls is empty"),
    "tls-url": ("tls: https://a.example", "", "tls must be HOST:PORT"),
    "tls-port": ("tls: {port: 0}", "", "from 1 to 65535"),
    "tls-name": ("tls: {name: .example}", "", "name must be a name or an address"),
    "tls-alpn": ("tls: {alpn: h2}", "", "alpn must be a list"),
    "tls-days": (TLS, "{days_left: '>= 14s'}", "wrong unit for days_left"),
    "tls-days-number": (TLS, "{days_left: 14}", "days_left must be a text"),
    "tls-protocol": (TLS, "{protocol: '>= TLS1.2'}", "unknown value 'TLS1.2'"),
    "tls-protocol-below": (TLS, "{protocol: '< TLSv1.2'}", "unknown value '< TLSv1.2'"),
    "tls-refuses": (TLS, "{refuses: [TLSv1.3]}", "must have one"),
    "tls-refuses-text": (TLS, "{refuses: TLSv1}", "refuses must be a list"),
    "tls-cipher": (TLS, "{cipher: {length: 4}}", "unknown key 'length'"),
    "tls-key": (TLS, "{days: '> 1'}", "unknown key 'days'"),
    "lambda-empty": ("lambda: {}", "", "lambda is empty"),
    "lambda-latest": ("lambda: {function: a}", "", "names no version"),
    "lambda-path": ("lambda: {function: 'a:1/b'}", "", "NAME:VERSION or ARN:VERSION alone"),
    "lambda-key": ("lambda: {payload: {}}", "", "unknown key 'payload'"),
    "lambda-status": (LAMBDA, "{status: 200}", "unknown key 'status'"),
    "lambda-json": (LAMBDA, "{json: {}}", "json is empty"),
    "lambda-time": (LAMBDA, "{time: '> 1s'}", "time must be below a duration"),
    "lambda-error": (LAMBDA, "{error: ''}", "error is empty"),
    "lambda-version": (LAMBDA, "{version: [1]}", "version must be a text"),
}
ACCEPTED = {
    "tcp-text": ("tcp: a.example:80", ""),
    "tcp-six": ("tcp: '[::1]:80'", "time < 1s"),
    "tcp-six-apart": ("tcp: {host: '::1', port: 80}", ""),
    "tcp-number": ("tcp: {host: 10.0.0.1, port: 80, receives: 1}", ""),
    "dns-underscore": ("dns: {name: _dmarc.a.example., type: TXT}", "{values: v=DMARC1}"),
    "dns-address": ("dns: {name: '2001:db8::1', type: PTR, server: '[::1]'}", "{ttl: '> 1s'}"),
    "dns-lists": (DNS, "{values: {equals: [10.0.0.1], contains: 10.0.0.1, count: 1}}"),
    "tls-target": ("tls: target", ""),
    "tls-port": ("tls: 'a.example:8443'", "{protocol: TLSv1.3, names: [a.example]}"),
    "tls-equal": (TLS, "{protocol: == TLSv1.2, alpn: {exists: false}}"),
    "lambda-arn": (
        "lambda: {function: 'arn:aws:lambda:eu-west-1:123456789012:function:a:live', event: null}",
        "{version: 8, error: none}",
    ),
    "lambda-address": ("lambda: {function: 'lambda://a:1', event: [1]}", ""),
}


def marked(text: str) -> list[str]:
    """Return what an editor marks in a suite."""
    return [
        error.message for error in VALIDATOR.iter_errors(plain(Document(Path("a"), text).read()))
    ]


@pytest.mark.parametrize(("line", "expect", "said"), REFUSED.values(), ids=list(REFUSED))
def test_what_the_parser_refuses_an_editor_marks(line: str, expect: str, said: str) -> None:
    text = with_work(line, expect)
    assert said in refusal(text)
    assert marked(text)


@pytest.mark.parametrize(("line", "expect"), ACCEPTED.values(), ids=list(ACCEPTED))
def test_what_the_parser_accepts_no_editor_marks(line: str, expect: str) -> None:
    work_of(line, expect)
    assert not marked(with_work(line, expect))


@pytest.mark.parametrize(
    "line", ['tcp: "${env.PEER}"', 'tls: "${env.PEER}"', 'dns: {name: "${env.NAME}"}']
)
def test_no_editor_marks_a_variable(line: str) -> None:
    assert not marked(with_work(line))


@pytest.mark.parametrize(
    ("properties", "keys"),
    [
        (DEFS["tcp"]["anyOf"][1], suite_tcp.TCP_KEYS),
        (DEFS["dns"], suite_dns.DNS_KEYS),
        (DEFS["dns"]["$defs"]["expect"], suite_dns.DNS_EXPECT_KEYS),
        (DEFS["tls"]["anyOf"][1], suite_tls.TLS_KEYS),
        (DEFS["tls"]["$defs"]["expect"], suite_tls.TLS_EXPECT_KEYS),
        (DEFS["lambda"], suite_lambda.LAMBDA_KEYS),
        (DEFS["lambda"]["$defs"]["expect"], suite_lambda.LAMBDA_EXPECT_KEYS),
    ],
    ids=["tcp", "dns", "dns-expect", "tls", "tls-expect", "lambda", "lambda-expect"],
)
def test_the_schema_has_each_key_of_the_parser(
    properties: dict[str, Any], keys: tuple[str, ...]
) -> None:
    assert set(properties["properties"]) == set(keys)


def test_the_schema_has_each_type_of_record_and_each_operator() -> None:
    assert DEFS["dns"]["properties"]["type"]["anyOf"][0]["enum"] == list(RecordType)
    values = DEFS["dns"]["$defs"]["expect"]["properties"]["values"]["anyOf"][2]
    assert set(values["properties"]) == set(suite_texts.LIST_OPERATORS)
    cipher = DEFS["tls"]["$defs"]["expect"]["properties"]["cipher"]["anyOf"][1]
    assert set(cipher["properties"]) == set(suite_texts.TEXT_OPERATORS)


def test_the_documented_suite_is_one_for_the_parser_and_an_editor() -> None:
    page = (ROOT / "docs" / "probes.md").read_text()
    text = page.partition("```yaml\n")[2].partition("```")[0]
    given = Variables({"DATABASE": "db.internal:5432"}, {}, {"version": "8"}, Redactor())
    assert len(read(text, given).checks) == 6
    assert not marked(text)
