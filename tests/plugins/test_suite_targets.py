"""Checks that are asked at each place behind the target's load balancer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from greenroom.plugins.http import Connections, Limits, client_of
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.suite_targets import run_at_each
from greenroom.plugins.target_settings import Address
from greenroom.plugins.targets import Behind
from greenroom.validators.finding import Rule
from greenroom.validators.vocabulary import Outcome
from tests.support.runs import run
from tests.support.servers import Reply, refused_url, serving
from tests.support.suites import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from greenroom.plugins.suite_model import HttpCheck
    from greenroom.validators.finding import Finding
    from tests.support.servers import Served

TARGET = "http://api.example.invalid/base"
PROVEN = "answered_by: {header: x-revision, equals: v2}"
NEW = Reply(b"ok", headers={"X-Revision": "v2"})
OLD = Reply(b"ok", headers={"X-Revision": "v1"})


class Places:
    """Servers that stand behind a load balancer."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.served: list[Served] = []
        self.exchanges: list[dict[str, Any]] = []

    def add(self, reply: Reply) -> Address:
        served = self._stack.enter_context(serving(lambda _: reply))
        self.served.append(served)
        return place(served.url)

    def ask(
        self, one: HttpCheck, *addresses: Address, doubt: Rule | None = None, target: str = TARGET
    ) -> Finding:
        connections = Connections()
        self._stack.callback(connections.close)
        redactor = Redactor()

        def client_at(address: Address) -> httpx.Client:
            sender = connections.sender_at(target, address)
            return client_of(sender, redactor, self.exchanges.append, Limits(one.timeout_s))

        behind = Behind(addresses, doubt, advice="register targets" if doubt else "")
        return run_at_each(one, target, behind, client_at, redactor)


def place(url: str, scheme: str = "") -> Address:
    return Address("127.0.0.1", urlsplit(url).port or 0, scheme)


@pytest.fixture
def places() -> Iterator[Places]:
    with ExitStack() as stack:
        yield Places(stack)


def each(more: str = "") -> HttpCheck:
    return check(http="{get: /all?a=b, at: each-target}", more=more)


def test_no_address_is_an_error_and_no_pass(places: Places) -> None:
    finding = places.ask(each(), doubt=Rule("targets", "at least one", "none", None))
    assert finding.outcome is Outcome.ERROR
    assert (finding.expected, finding.seen) == ("targets at least one", "targets none")
    assert finding.advice == "register targets"
    assert finding.evidence == ()


def test_one_of_them_that_misses_fails_and_is_named(places: Places) -> None:
    good, bad = places.add(NEW), places.add(Reply(b"", 500))
    finding = places.ask(each(), good, bad)
    assert finding.outcome is Outcome.FAILED
    assert finding.seen == f"at {bad}: status 500"
    assert [(rule.rule, rule.met) for rule in finding.rules] == [
        (f"status at {good}", True),
        (f"status at {bad}", False),
    ]


def test_one_of_them_that_runs_the_old_revision_fails_and_is_counted(places: Places) -> None:
    first, old, second = places.add(NEW), places.add(OLD), places.add(NEW)
    finding = places.ask(each(PROVEN), first, old, second)
    assert finding.outcome is Outcome.FAILED
    assert finding.expected == "answered by revision v2 (header x-revision)"
    assert finding.seen == f"at {old}: answered by revision v1"
    assert [(item.amount, item.what) for item in finding.evidence] == [
        (2, f"targets of revision v2 ({first}, {second})"),
        (1, f"targets of revision v1 ({old})"),
    ]


def test_one_of_them_out_of_reach_is_an_error(places: Places) -> None:
    good, gone = places.add(NEW), place(refused_url())
    finding = places.ask(each(), good, gone)
    assert finding.outcome is Outcome.ERROR
    assert finding.seen.startswith(f"at {gone}: connection refused")
    assert finding.evidence[0].amount == 1


def test_one_that_is_not_healthy_leaves_the_others_answers_in_doubt(places: Places) -> None:
    ill = Rule("targets", "all healthy", "10.0.0.9:80 initial", None)
    finding = places.ask(each(PROVEN), places.add(NEW), doubt=ill)
    assert finding.outcome is Outcome.ERROR
    assert finding.seen == "targets 10.0.0.9:80 initial"
    assert finding.evidence[0].amount == 1
    failing = places.ask(each(PROVEN), places.add(OLD), doubt=ill)
    assert failing.outcome is Outcome.FAILED


def test_all_of_them_are_asked_by_the_targets_name(places: Places) -> None:
    first, second = places.add(NEW), places.add(NEW)
    finding = places.ask(each(PROVEN), first, second)
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence[0].amount == 2
    asked = [request for served in places.served for request in served.asked]
    assert [one.headers["host"] for one in asked] == ["api.example.invalid"] * 2
    assert [one.path for one in asked] == ["/base/all?a=b"] * 2
    sent = [exchange["request"] for exchange in places.exchanges]
    assert [one["address"] for one in sent] == [str(first), str(second)]
    assert {one["url"] for one in sent} == {f"{TARGET}/all?a=b"}


def test_an_address_may_speak_plain_http_behind_a_target_that_does_not(places: Places) -> None:
    address = places.add(NEW)
    plain = Address(address.host, address.port, "http")
    target = "https://api.example.invalid:8443"
    assert places.ask(each(), plain, target=target).outcome is Outcome.PASSED
    assert places.served[0].asked[0].headers["host"] == "api.example.invalid:8443"
    assert places.ask(each(), address, target=target).outcome is Outcome.ERROR


def test_many_misses_are_told_in_few_words(places: Places) -> None:
    bad = [places.add(Reply(b"", 500)) for _ in range(7)]
    assert places.ask(each(), *bad).seen.endswith("; and 2 more")


SUITE = """\
version: 1
name: s
checks:
  - {name: c, http: {get: /, at: each-target}, expect: {status: 200}}
"""


@pytest.mark.parametrize(
    ("target", "settings", "verdict", "words"),
    [
        ("http://api.example.invalid", "[targets]\naddresses = [{}]", "ship", ""),
        ("http://api.example.invalid", "", "could-not-decide", "targets none"),
        ("lambda://f:8", "", "could-not-decide", "targets a function's version"),
    ],
    ids=["addresses", "none", "function"],
)
def test_the_settings_say_what_stands_behind_the_target(
    tmp_path: Path, target: str, settings: str, verdict: str, words: str
) -> None:
    (tmp_path / "a.suite.yaml").write_text(SUITE)
    with serving(lambda _: NEW) as server:
        addresses = f'"{urlsplit(server.url).netloc}"'
        (tmp_path / "greenroom.toml").write_text(settings.format(addresses))
        result = run(tmp_path, "--greenroom-target", target)
    assert result.verdict == verdict
    assert words in result.reasons
