"""TLS of the client: whom it trusts, who it says it is, and what it refuses."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization as form

from greenroom.plugins.client_tls import UNVERIFIED, Tls, read_tls
from greenroom.plugins.http import Connections, client
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome
from tests.support.asking import asking
from tests.support.runs import run
from tests.support.servers import Reply, serving
from tests.support.suites import read, refusal, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Served

CHECKED = "{name: c, http: {get: /}, expect: {status: 200}}"
CHECK = "http: {get: /}, expect: {status: 200}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with authorities and certificates: those of a server, of a client, of others."""
    folder = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other.pem")
    server, host = authority.issue_cert("127.0.0.1", "localhost"), authority.issue_cert("a.example")
    server.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    host.private_key_and_cert_chain_pem.write_to_path(folder / "host.pem")
    for name, issuer in (("client", authority), ("stranger", other)):
        made = issuer.issue_cert("client@a.example")
        made.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        made.cert_chain_pems[0].write_to_path(folder / f"{name}-cert.pem")
        made.private_key_pem.write_to_path(folder / f"{name}-key.pem")
    return folder


def context(files: Path, name: str, *, mutual: bool = False) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files / f"{name}.pem")
    if mutual:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(files / "ca.pem")
    return made


@pytest.fixture(scope="module")
def plain(files: Path) -> Iterator[Served]:
    """A server with a right certificate."""
    with serving(lambda _: Reply(), context(files, "server")) as server:
        yield server


@pytest.fixture(scope="module")
def mutual(files: Path) -> Iterator[Served]:
    """A server that asks for its clients' certificates."""
    with serving(lambda _: Reply(), context(files, "server", mutual=True)) as server:
        yield server


def tls_of(files: Path, **given: Any) -> Tls:  # noqa: ANN401 - the fields of Tls
    return Tls(**given).below(files)


def test_an_unknown_authority_is_an_error_with_the_reason(files: Path, plain: Served) -> None:
    for tls in (Tls(), tls_of(files, ca="other.pem")):
        with asking() as ask:
            finding = ask(CHECK, plain.url, tls)
        assert finding.outcome is Outcome.ERROR
        assert "TLS failed" in finding.seen
        assert "unable to get local issuer certificate" in finding.seen or "self" in finding.seen
        assert "ca" in finding.advice


def test_the_right_authority_passes(files: Path, plain: Served) -> None:
    with asking() as ask:
        assert ask(CHECK, plain.url, tls_of(files, ca="ca.pem")).outcome is Outcome.PASSED


def test_a_certificate_of_another_host_is_an_error(files: Path) -> None:
    with asking() as ask, serving(lambda _: Reply(), context(files, "host")) as server:
        finding = ask(CHECK, server.url, tls_of(files, ca="ca.pem"))
    assert finding.outcome is Outcome.ERROR
    assert "certificate is not valid for '127.0.0.1'" in finding.seen


@pytest.mark.parametrize("own", ["", "stranger.pem"], ids=["none", "of-a-stranger"])
def test_a_server_that_wants_a_client_certificate_refuses(
    files: Path, mutual: Served, own: str
) -> None:
    with asking() as ask:
        finding = ask(CHECK, mutual.url, tls_of(files, ca="ca.pem", client_cert=own))
    assert finding.outcome is Outcome.ERROR
    assert finding.seen.startswith(("TLS failed", "connection broke", "answer is not valid HTTP"))


@pytest.mark.parametrize(
    "own",
    [
        {"client_cert": "client.pem"},
        {"client_cert": "client-cert.pem", "client_key": "client-key.pem"},
    ],
    ids=["one-file", "two-files"],
)
def test_a_client_certificate_lets_in(files: Path, mutual: Served, own: dict[str, str]) -> None:
    with asking() as ask:
        finding = ask(CHECK, mutual.url, tls_of(files, ca="ca.pem", **own))
    assert finding.outcome is Outcome.PASSED


def test_connections_are_not_shared_between_settings(files: Path, plain: Served) -> None:
    with asking() as ask:
        assert ask(CHECK, plain.url, tls_of(files, ca="ca.pem")).outcome is Outcome.PASSED
        assert ask(CHECK, plain.url, tls_of(files, ca="other.pem")).outcome is Outcome.ERROR


def test_a_client_certificate_and_insecurity_stay_with_their_host(
    files: Path, mutual: Served
) -> None:
    away = mutual.url.replace("127.0.0.1", "localhost")
    lead = Reply(status=302, headers={"Location": away})
    text = "http: {get: /, follow_redirects: true}, expect: {status: 200}"
    with asking() as ask, serving(lambda _: lead, context(files, "server")) as server:
        own = tls_of(files, ca="ca.pem", client_cert="client.pem")
        assert ask(text, server.url, own).outcome is Outcome.ERROR
        assert ask(CHECK, away, own).outcome is Outcome.PASSED
        insecure = ask(text, server.url, Tls(insecure=True))
    assert insecure.outcome is Outcome.ERROR
    assert "CERTIFICATE_VERIFY_FAILED" in insecure.seen


def test_insecure_never_holds_for_another_machine(plain: Served) -> None:
    tls = Tls(insecure=True)
    assert tls.at(plain.url) == tls
    assert tls.at("https://a.example") == Tls()
    with pytest.raises(SettingsError, match="for this machine's own addresses alone"):
        tls.require_fit("https://a.example")


@pytest.mark.parametrize(
    ("place", "verified"),
    [(Address("127.0.0.1", 1), False), (Address("::1", 1), False), (Address("192.0.2.1", 1), True)],
    ids=["here", "here-by-ipv6", "elsewhere"],
)
def test_insecure_never_holds_for_a_place_behind_that_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, place: Address, *, verified: bool
) -> None:
    asked: list[bool] = []

    def context(tls: Tls) -> ssl.SSLContext:
        asked.append(not tls.insecure)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(Tls, "context", context)
    connections = Connections(Tls(insecure=True))
    connections.sender_at("https://localhost", place)
    connections.close()
    assert asked == [verified]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"cacert": "x"}, "unknown key cacert in [tls]"),
        ({"ca": 1}, "ca in [tls] must be a path"),
        ({"ca": ""}, "ca in [tls] must be a path"),
        ({"insecure": "yes"}, "insecure in [tls] must be true or false"),
        ({"client_key": "k"}, "a client_key and no client_cert"),
        ({"ca": "a", "insecure": True}, "ca and insecure"),
    ],
    ids=["unknown", "number", "empty", "flag", "key-alone", "both"],
)
def test_a_wrong_table_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_tls(table, "greenroom.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ("{ca: none.pem}", "ca: "),
        ("{ca: client-key.pem}", "client-key.pem holds no certificate"),
        ("{client_cert: none.pem}", "No such file or directory"),
        ("{client_cert: ca.pem}", "holds no certificate and key"),
        ("{client_cert: client-cert.pem, client_key: stranger-key.pem}", "does not fit its key"),
        ("{client_key: client-key.pem}", "a client_key and no client_cert"),
        ("{verify: false}", "unknown key 'verify' in tls"),
        ("{insecure: true}", "insecure is for this machine's own addresses alone"),
    ],
    ids=["absent", "key-as-ca", "no-cert", "no-key", "mismatch", "key-alone", "verify", "insecure"],
)
def test_wrong_files_of_a_suite_are_refused_at_their_place(
    files: Path, tls: str, said: str
) -> None:
    text = f"version: 1\nname: s\ntarget: https://a.example\ntls: {tls}\nchecks: [{CHECKED}]\n"
    error = refusal(text, folder=files)
    assert error.startswith("a.suite.yaml:4:")
    assert said in error


def test_a_key_with_a_password_is_refused_and_asks_nobody(files: Path, tmp_path: Path) -> None:
    key = form.load_pem_private_key((files / "client-key.pem").read_bytes(), None)
    hidden = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"pass")
    )
    (tmp_path / "key.pem").write_bytes(hidden)
    with pytest.raises(SettingsError, match="without a password"):
        Tls(client_cert=f"{files}/client-cert.pem", client_key=f"{tmp_path}/key.pem").context()


def test_a_suite_says_its_own(files: Path) -> None:
    text = f"version: 1\nname: s\ntls: {{ca: ca.pem}}\nchecks: [{CHECKED}]\n"
    assert read(text, folder=files).tls == Tls(ca=str(files / "ca.pem"))


def test_the_documentations_example_is_a_suite(files: Path, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "requests.md"
    example = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    for folder, name, content in (
        ("certs", "ca.pem", (files / "ca.pem").read_bytes()),
        ("data", "rows.csv", b"a,b"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
    head = "version: 1\nname: s\n"
    given = variables(TOKEN="t0ken", CERTS=str(files))  # noqa: S106 - planted
    found = read(head + example, given, tmp_path)
    assert found.tls is not None
    assert [check.name for check in found.checks] == [
        "takes a table",
        "refuses who gives no token",
    ]


def test_settings_hold_for_every_client(files: Path, plain: Served) -> None:
    connections = Connections(tls_of(files, ca="ca.pem"))
    with client(plain.url, connections, Redactor(), lambda _: None) as http:
        assert http.get("/").status_code == 200
    connections.close()


def test_a_run_trusts_as_its_settings_say_and_a_finding_tells_what_was_not_verified(
    tmp_path: Path, files: Path, plain: Served
) -> None:
    settings = tmp_path / "greenroom.toml"
    settings.write_text(f'target = "{plain.url}"\n[tls]\nca = "ca.pem"\n')
    for name, own in (("trusts", ""), ("insecure", "tls: {insecure: true}\n")):
        check = CHECKED.replace("name: c", f"name: {name}")
        text = f"version: 1\nname: s\n{own}checks: [{check}]\n"
        (tmp_path / f"{name}.suite.yaml").write_text(text)
    refused = run(tmp_path)
    assert refused.code == pytest.ExitCode.USAGE_ERROR
    assert "tls: ca: " in refused.out
    (tmp_path / "ca.pem").write_bytes((files / "ca.pem").read_bytes())
    ran = run(tmp_path)
    assert ran.code == 0, ran.out
    assert ran.check("insecure")["finding"]["notes"] == [UNVERIFIED]
    assert "notes" not in ran.check("trusts")["finding"]
