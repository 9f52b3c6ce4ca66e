"""Questions to a real name server, as suites and Python ask them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.dns_lookup import look_up
from greenroom.plugins.suite_dns import DnsWork
from greenroom.plugins.target_settings import Address
from greenroom.validators.dns import RecordType, judge_dns
from greenroom.validators.errors import ServiceError, ToolError
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support.names import BROKEN, REFERRED, serving_names
from tests.support.servers import refused_url
from tests.support.sites import place_at
from tests.support.works import soon, work_check, work_of

if TYPE_CHECKING:
    from greenroom.validators.finding import Finding

ZONE = {
    "api.example.": ("60 A 10.0.0.2", "60 A 10.0.0.1", "60 AAAA 2001:DB8::1"),
    "www.example.": ("30 CNAME api.example.",),
    "example.": (
        '300 TXT "v=spf1 " "-all"',
        "300 MX 10 Mail.Example.",
        "300 NS ns1.example.",
        '300 CAA 0 issue "ca.example"',
    ),
    "_sip._tcp.example.": ("300 SRV 0 5 5060 sip.example.",),
    "1.0.0.10.in-addr.arpa.": ("300 PTR api.example.",),
}


def finding_of(what: str, expect: str = "") -> Finding:
    """Run the check of a suite about ``NAME TYPE``."""
    name, asked = what.split()
    with serving_names(ZONE) as server, place_at() as place:
        line = f'dns: {{name: {name}, type: {asked}, server: "{server}"}}'
        return work_of(line, expect).run(place)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no.example A", "the name does not exist (NXDOMAIN)"),
        ("example A", "the name exists, and has no record of this type"),
    ],
    ids=["no-name", "no-record"],
)
def test_a_name_that_is_answered_as_not_there_fails(what: str, said: str) -> None:
    finding = finding_of(what, "{values: 10.0.0.1, ttl: '>= 60'}")
    assert finding.outcome is Outcome.FAILED
    assert said in finding.seen
    assert finding.evidence[0].amount == 1


def test_a_server_that_fails_was_not_asked_with_success() -> None:
    with pytest.raises(ServiceError, match="SERVFAIL"):
        finding_of(f"{BROKEN} A")


@pytest.mark.parametrize("expect", ["", "{exists: false}"], ids=["there", "gone"])
def test_a_server_that_refers_to_others_said_nothing_of_the_name(expect: str) -> None:
    with pytest.raises(ServiceError, match="neither has this zone nor asks for others"):
        finding_of(f"{REFERRED} A", expect)


def test_nobody_listening_is_not_observed() -> None:
    server = Address("127.0.0.1", int(refused_url().rpartition(":")[2]))
    with pytest.raises(ServiceError, match=r"no answer about api\.example A"):
        look_up("api.example", RecordType.A, soon(0.2), server)


def test_a_server_whose_own_name_is_unknown_is_not_observed() -> None:
    with pytest.raises(ServiceError, match=r"name server ns\.invalid:53 has no address"):
        look_up("a.example", RecordType.A, soon(2), Address("ns.invalid", 53))


def test_without_the_library_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(ToolError) as caught:
        look_up("api.example", RecordType.A, soon(), Address("127.0.0.1", 53))
    assert caught.value.hint == "install greenroom[probes]"


@pytest.mark.parametrize(
    ("what", "expect"),
    [
        ("api.example A", "{values: 10.0.0.1}"),
        ("api.example A", "{values: {contains: [10.0.0.1, none]}}"),
        ("api.example A", "{values: {one_of: [10.0.0.1, 10.0.0.3]}}"),
        ("api.example A", "{values: {matches: '10[.]0[.]0[.]1'}}"),
        ("api.example A", "{values: {count: '> 2'}}"),
        ("api.example A", "{ttl: '>= 61'}"),
        ("api.example A", "{time: < 1us}"),
        ("api.example A", "{exists: false}"),
    ],
    ids=["equals", "contains", "one-of", "matches", "count", "ttl", "time", "exists"],
)
def test_each_expectation_that_is_missed_fails(what: str, expect: str) -> None:
    assert finding_of(what, expect).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("what", "expect"),
    [
        ("api.example A", ""),
        ("api.example. A", "{values: [10.0.0.1, 10.0.0.2], ttl: == 60, time: < 5s}"),
        ("API.example A", "{values: {contains: 10.0.0.1, count: 2, matches: '10[.].*'}}"),
        ("api.example A", "{values: {one_of: [10.0.0.1, 10.0.0.2, 10.0.0.3]}, ttl: <= 60s}"),
        ("api.example AAAA", "{values: '2001:db8:0::1'}"),
        ("www.example CNAME", "{values: API.example.}"),
        ("www.example A", "{values: {contains: [10.0.0.1, 10.0.0.2]}, ttl: == 30}"),
        ("example TXT", "{values: v=spf1 -all}"),
        ("example MX", "{values: 10 mail.example}"),
        ("example CAA", "{values: '0 issue \"ca.example\"'}"),
        ("_sip._tcp.example SRV", "{values: 0 5 5060 sip.example}"),
        ("10.0.0.1 PTR", "{values: {equals: [api.example]}}"),
        ("no.example A", "{exists: false}"),
    ],
)
def test_an_answer_that_is_expected_passes(what: str, expect: str) -> None:
    finding = finding_of(what, expect)
    assert finding.outcome is Outcome.PASSED, str(finding)


def test_many_values_are_shown_in_part() -> None:
    zone = {"a.example.": tuple(f"9 A 10.0.1.{number}" for number in range(12))}
    with serving_names(zone) as server:
        facts = look_up("a.example", RecordType.A, soon(), server)
    assert facts.shown.endswith(", and 2 more")
    assert judge_dns(facts).outcome is Outcome.PASSED
    assert facts.server == str(server)


def test_a_check_of_the_dns_is_one_of_smoke() -> None:
    check = work_check("dns: {name: a.example, server: ns.example}")
    assert (check.kind, check.stage) == (Kind.SMOKE, Stage.ENVIRONMENT)
    assert isinstance(check.work, DnsWork)
    assert (check.work.server, check.work.alone) == (Address("ns.example", 53), False)
