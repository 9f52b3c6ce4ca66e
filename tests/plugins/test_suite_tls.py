"""Certificates and protocols of real servers, as suites and Python look at them."""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.target_settings import Address
from greenroom.plugins.tls import Asked, observe_tls
from greenroom.plugins.tls_certificate import read_certificate
from greenroom.plugins.tls_hello import offered
from greenroom.validators.errors import ServiceError, SettingsError, ToolError
from greenroom.validators.tls import Protocol, judge_tls
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support import servers
from tests.support.certificates import (
    Issued,
    authority,
    context_of,
    issued,
    serving_tls,
    write_authority,
)
from tests.support.servers import hostile, refused_url
from tests.support.sites import place_at
from tests.support.works import soon, work_check, work_of

if TYPE_CHECKING:
    import socket
    import threading
    from pathlib import Path

    from greenroom.validators.finding import Finding

V = ssl.TLSVersion
GOOD = issued()


def finding_at(peer: Address, folder: Path, expect: str = "", more: str = "") -> Finding:
    """Run the check of a suite on the server at ``peer``."""
    write_authority(folder)
    given = f"{{host: {peer.host}, port: {peer.port}, ca: ca.pem{more}}}"
    work = work_of(f"tls: {given}", expect)
    with place_at(root=folder, seconds=5) as place:
        return work.run(place)


def rules(finding: Finding) -> dict[str, tuple[bool | None, str]]:
    return {rule.rule: (rule.met, rule.observed) for rule in finding.rules}


@pytest.mark.parametrize(
    ("shown", "missed", "observed"),
    [
        (issued(days=(-30, -2)), "chain", "certificate has expired"),
        (issued(days=(2, 30)), "chain", "certificate is not yet valid"),
        (issued(self_signed=True), "chain", "self-signed certificate"),
        (issued("other.example", "*.example"), "name", "for other.example, *.example"),
    ],
    ids=["expired", "not-yet-valid", "self-signed", "wrong-host"],
)
def test_a_bad_certificate_fails_with_the_exact_reason(
    tmp_path: Path, shown: Issued, missed: str, observed: str
) -> None:
    with serving_tls(context_of(tmp_path, shown)) as peer:
        finding = finding_at(peer, tmp_path)
    assert finding.outcome is Outcome.FAILED
    assert rules(finding)[missed] == (False, observed)
    other = {"chain": "name", "name": "chain"}[missed]
    assert rules(finding)[other][0] is True


def test_an_authority_that_is_not_trusted_fails(tmp_path: Path) -> None:
    with serving_tls(context_of(tmp_path, GOOD)) as peer:
        facts = observe_tls(Asked(peer), soon())
    assert judge_tls(facts).outcome is Outcome.FAILED
    assert facts.chain.said == "unable to get local issuer certificate"


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    shown = issued("other.example", days=(-9, -1))
    with serving_tls(context_of(tmp_path, shown)) as peer:
        seen = rules(finding_at(peer, tmp_path, '{days_left: ">= 14"}'))
    assert [name for name, (met, _) in seen.items() if met is False] == [
        *("chain", "name", "validity", "days_left")
    ]


def test_nobody_listening_is_not_observed(tmp_path: Path) -> None:
    peer = Address("127.0.0.1", int(refused_url().rpartition(":")[2]))
    with pytest.raises(ServiceError, match="accepts no connection: Connection refused"):
        finding_at(peer, tmp_path)


@pytest.mark.parametrize(
    ("behave", "said"),
    [(servers.not_http, "wrong version number"), (servers.closes, "does no TLS handshake")],
    ids=["another-protocol", "closes"],
)
def test_a_server_that_speaks_no_tls_is_not_observed(
    tmp_path: Path, behave: servers.Behaviour, said: str
) -> None:
    with hostile(behave) as url, pytest.raises(ServiceError, match=said):
        finding_at(Address("127.0.0.1", int(url.rpartition(":")[2])), tmp_path)


def test_a_silent_server_costs_no_more_than_the_checks_time(tmp_path: Path) -> None:
    with (
        hostile(servers.silent) as url,
        place_at(root=tmp_path, seconds=0.2) as place,
        pytest.raises(ServiceError, match="does no TLS handshake"),
    ):
        work_of(f"tls: '{url.removeprefix('http://')}'").run(place)


def test_an_authoritys_file_that_is_none_is_the_settings_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    asked = Asked(Address("127.0.0.1", 1), ca=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match="holds no certificates"):
        observe_tls(asked, soon())


def test_without_the_library_no_certificate_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(tmp_path, GOOD)  # made with the library
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with (
        serving_tls(context) as peer,
        pytest.raises(ToolError) as caught,
    ):
        finding_at(peer, tmp_path)
    assert caught.value.hint == "install greenroom[probes]"


def test_a_certificate_that_is_none_cannot_be_read() -> None:
    with pytest.raises(ServiceError, match="certificate cannot be read"):
        read_certificate(b"none")


def test_an_authoritys_own_certificate_is_made_for_no_name(tmp_path: Path) -> None:
    with serving_tls(context_of(tmp_path, authority())) as peer:
        finding = finding_at(peer, tmp_path)
    assert rules(finding)["name"] == (False, "for no name")


def test_a_server_that_wants_to_know_its_client_is_not_observed(tmp_path: Path) -> None:
    context = context_of(tmp_path, GOOD, most=V.TLSv1_2)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(write_authority(tmp_path))
    with serving_tls(context) as peer, pytest.raises(ServiceError) as caught:
        finding_at(peer, tmp_path)
    assert "ask for a client's certificate" in caught.value.hint


def test_old_protocols_are_really_offered(tmp_path: Path) -> None:
    old = context_of(tmp_path, GOOD, least=V.TLSv1, most=V.TLSv1_2)
    with serving_tls(old) as peer:
        finding = finding_at(peer, tmp_path, "{refuses: [SSLv3, TLSv1, TLSv1.1, TLSv1.2]}")
    assert finding.outcome is Outcome.FAILED
    assert rules(finding)["TLSv1"] == rules(finding)["TLSv1.2"] == (False, "accepted")
    assert rules(finding)["SSLv3"] == (True, "refused: handshake failure")


def test_a_server_of_an_old_protocol_alone_fails_for_that(tmp_path: Path) -> None:
    old = context_of(tmp_path, GOOD, least=V.TLSv1_1, most=V.TLSv1_1)
    with serving_tls(old) as peer:
        finding = finding_at(peer, tmp_path, '{protocol: ">= TLSv1.2"}')
    assert finding.outcome is Outcome.FAILED
    assert rules(finding)["handshake"] == (False, "tlsv1 alert protocol version")
    assert rules(finding)["protocol"] == (False, "TLSv1.1")
    assert rules(finding)["chain"] == (None, "not observed")


WHOLE = """{
  days_left: ">= 14", key_bits: ">= 256", time: "< 5s", protocol: ">= TLSv1.2",
  refuses: [TLSv1, TLSv1.1], alpn: h2, cipher: {matches: "ECDHE-.*GCM.*"}, key: EC,
  names: {contains: 127.0.0.1, count: 1}, issuer: {contains: Authority}, signature: sha256,
  subject: CN=server}"""


def test_a_good_server_passes_with_its_handshakes_as_evidence(tmp_path: Path) -> None:
    context = context_of(tmp_path, GOOD, most=V.TLSv1_2, alpn=("h2",))
    with serving_tls(context) as peer:
        finding = finding_at(peer, tmp_path, WHOLE, ", alpn: [h2, http/1.1]")
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert rules(finding)["TLSv1"] == (True, "refused: protocol version")
    assert finding.evidence[0].amount == 3
    assert str(peer) in finding.evidence[0].what


def test_a_name_is_asked_for_whatever_the_host(tmp_path: Path) -> None:
    with serving_tls(context_of(tmp_path, issued("api.example"))) as peer:
        finding = finding_at(peer, tmp_path, "", ", name: api.example")
        other = finding_at(peer, tmp_path, "", ", name: www.example")
    assert (finding.outcome, other.outcome) == (Outcome.PASSED, Outcome.FAILED)


def test_the_targets_host_is_looked_at_unless_another_is_given(tmp_path: Path) -> None:
    write_authority(tmp_path)
    with (
        serving_tls(context_of(tmp_path, GOOD)) as peer,
        place_at(f"https://{peer}/api", root=tmp_path) as place,
    ):
        assert work_of("tls: {ca: ca.pem}").run(place).outcome is Outcome.PASSED
        assert work_of("tls: target").run(place).outcome is Outcome.FAILED


def test_a_functions_version_has_no_host() -> None:
    with place_at("lambda://a:1") as place, pytest.raises(SettingsError, match="no host"):
        work_of("tls: target").run(place)


@pytest.mark.parametrize(
    ("reply", "met", "said"),
    [
        (bytes.fromhex("15030100020228"), True, "refused: handshake failure"),
        (bytes.fromhex("15030100020250"), None, "not observed: alert 80"),
        (bytes.fromhex("16030300060200000003") + b"\3", True, "refused: another version was"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", None, "not observed: the answer is none of TLS"),
        (b"\x15\3", None, "not observed: the answer is none of TLS"),
        (b"", True, "refused: the connection was closed"),
    ],
    ids=["refused", "internal-error", "other-version", "http", "cut", "closed"],
)
def test_only_a_refusal_is_taken_for_one(reply: bytes, met: bool | None, said: str) -> None:  # noqa: FBT001 - part of the table
    def behave(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(reply)

    with hostile(behave) as url:
        peer = Address("127.0.0.1", int(url.rpartition(":")[2]))
        seen = offered(peer, "localhost", Protocol.TLS1, soon())
    assert seen.met is met
    assert seen.said.startswith(said)


def test_a_silent_server_was_not_seen_to_refuse() -> None:
    with hostile(servers.silent) as url:
        peer = Address("127.0.0.1", int(url.rpartition(":")[2]))
        assert offered(peer, "localhost", Protocol.TLS1, soon(0.1)).met is None


def test_a_check_of_tls_is_one_of_security() -> None:
    check = work_check("tls: a.example")
    assert (check.kind, check.stage) == (Kind.SECURITY, Stage.ENVIRONMENT)
    assert not check.work.alone
