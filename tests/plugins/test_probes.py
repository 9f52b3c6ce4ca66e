"""The probes of suites in Python tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.probes import Probe
from greenroom.validators.dns import judge_dns
from greenroom.validators.errors import SettingsError
from greenroom.validators.functions import judge_invocation
from greenroom.validators.tcp import judge_tcp
from greenroom.validators.tls import judge_tls
from greenroom.validators.vocabulary import Outcome
from tests.support.certificates import context_of, issued, serving_tls, write_authority
from tests.support.functions import environment, functions, returning
from tests.support.names import serving_names
from tests.support.runs import run
from tests.support.servers import Reply, serving
from tests.support.sites import place_at

if TYPE_CHECKING:
    from pathlib import Path

TEST = """
from greenroom.validators.tcp import judge_tcp

def test_listens(probe, verify):
    facts = probe.tcp("{peer}", send="GET / HTTP/1.0\\r\\n\\r\\n", receives="200 OK")
    assert "200 OK" in facts.text
    verify(judge_tcp(facts))
"""


def test_another_answer_than_the_wanted_one_is_judged_so() -> None:
    with serving(lambda _: Reply()) as server, place_at() as place:
        peer = server.url.removeprefix("http://")
        asked = "GET / HTTP/1.0\r\n\r\n"
        facts = Probe(place.site).tcp(peer, send=asked, receives="404", most=12)
    assert judge_tcp(facts).outcome is Outcome.FAILED
    assert facts.text == "HTTP/1.1 200"


def test_who_asserts_by_himself_has_the_evidence_too() -> None:
    with serving(lambda _: Reply()) as server, place_at() as place:
        probe = Probe(place.site)
        probe.tcp(server.url.removeprefix("http://"))
    assert [evidence.amount for evidence in probe.seen] == [1]


def test_what_is_sent_without_an_expected_answer_is_refused() -> None:
    with place_at() as place, pytest.raises(SettingsError, match="proves nothing"):
        Probe(place.site).tcp("127.0.0.1:1", send="PING")


@pytest.mark.parametrize("peer", ["a.example", "a b:80", "[::1:80", "a:0", "a..b:80"])
def test_what_is_no_peer_is_refused(peer: str) -> None:
    with place_at() as place, pytest.raises(SettingsError, match="is not HOST:PORT"):
        Probe(place.site).tcp(peer)


def test_a_type_that_nobody_knows_is_refused() -> None:
    with place_at() as place, pytest.raises(SettingsError, match="unknown value 'ANY'"):
        Probe(place.site).dns("a.example", "ANY")


def test_names_and_certificates_are_observed_and_judged(tmp_path: Path) -> None:
    zone = {"a.example.": ("9 A 127.0.0.1",)}
    with (
        serving_names(zone) as names,
        serving_tls(context_of(tmp_path, issued())) as peer,
        place_at(f"https://{peer}") as place,
    ):
        probe = Probe(place.site)
        assert judge_dns(probe.dns("a.example", server=str(names))).outcome is Outcome.PASSED
        ca = write_authority(tmp_path)
        facts = probe.tls(ca=ca, refuses=["TLSv1"])
        assert judge_tls(facts).outcome is Outcome.PASSED
        assert judge_tcp(probe.tcp(str(peer))).outcome is Outcome.PASSED


def test_a_function_is_invoked_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanges: list[dict[str, object]] = []
    with functions({"Trivia:8": returning(4)}) as server:
        for name, value in environment(server.url, "eu-west-1").items():
            monkeypatch.setenv(name, value)
        with place_at("lambda://Trivia:8", exchanges=exchanges) as place:
            seen = Probe(place.site).function({"number": 2})
    assert (seen.payload, seen.executed, len(exchanges)) == (b"4", "8", 1)
    assert all(rule.met for rule in judge_invocation(seen))


def test_a_test_is_given_a_probe_by_its_name(tmp_path: Path) -> None:
    with serving(lambda _: Reply()) as server:
        peer = server.url.removeprefix("http://")
        (tmp_path / "test_probe.py").write_text(TEST.replace("{peer}", peer))
        ran = run(tmp_path)
    [check] = ran.record["checks"]
    assert (ran.verdict, check["outcome"]) == ("ship", "passed")
    assert peer in check["evidence"][0]["what"]
