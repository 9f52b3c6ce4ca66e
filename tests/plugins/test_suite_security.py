"""The built-in penetration probes, at services with every weakness and with none."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from greenroom.plugins import suite_security
from greenroom.plugins.allowed import Allowed
from greenroom.plugins.redaction import Redactor
from greenroom.plugins.schema_command import schema_text
from greenroom.plugins.security_auth import AuthOrder, RateOrder
from greenroom.plugins.security_run import SecurityOrder
from greenroom.plugins.suite_model import WorkCheck
from greenroom.plugins.suite_security import SecurityWork
from greenroom.plugins.suite_yaml import Document, plain
from greenroom.validators.errors import GreenroomError, ServiceError, SettingsError
from greenroom.validators.security import STRICT, Group
from greenroom.validators.security_probes import GROUPS, PROBES
from greenroom.validators.vocabulary import Kind, Outcome, Stage
from tests.support.certificates import context_of, issued, write_authority
from tests.support.runs import run
from tests.support.servers import Asked, Reply, closes, hostile, refused_url, reset_in_body, serving
from tests.support.sites import place_at
from tests.support.suites import read, refusal, variables, with_check
from tests.support.weak import HARD, PAGE, any_method, hard, weak

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.validators.finding import Finding
    from tests.support.servers import Behaviour

SCHEMA = json.loads(schema_text("suite"))
OWN = json.loads(files("greenroom.plugins").joinpath("check_security.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HTTPS = (("X-Forwarded-Proto", "https"),)
RIGHT = (("Authorization", "Bearer right-token-of-the-test"),)
FULL = SecurityOrder(
    headers=HTTPS, auth=AuthOrder(("/admin",), RIGHT), rate=RateOrder("/login", 10)
)
TLS_ONLY = {probe.id for probe in GROUPS[Group.TLS]}
WEAK = SecurityOrder(
    paths=("/", "/plain"),
    headers=HTTPS,
    auth=AuthOrder(("/admin", "/open")),
    rate=RateOrder("/", 5),
)


def probe(behave: Callable[[Asked], Reply], order: SecurityOrder = FULL, **place: Any) -> Finding:  # noqa: ANN401 - as place_at
    with any_method(behave) as url, place_at(url, seconds=30, **place) as here:
        return SecurityWork(order).run(here)


def ids(finding: Finding) -> set[str]:
    return {result.id for result in finding.results}


def proven(finding: Finding) -> set[str]:
    return {item.tool for item in finding.evidence if item.amount}


@pytest.fixture(scope="module")
def attacked() -> Finding:
    return probe(weak(), WEAK)


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = []
    probe(weak(), WEAK, exchanges=exchanges)
    return exchanges


@pytest.mark.parametrize("name", sorted(set(PROBES) - TLS_ONLY - {"GR-S022", "GR-S091"}))
def test_each_weakness_is_found(attacked: Finding, name: str) -> None:
    [result, *_] = [one for one in attacked.results if one.id == name]
    assert f"CWE-{PROBES[name].cwe}" in result.message
    assert result.advice == PROBES[name].fix
    assert attacked.outcome is Outcome.FAILED


def test_what_was_found_is_told_without_what_it_gives_away(
    attacked: Finding, recorded: list[dict[str, Any]]
) -> None:
    told = f"{attacked}{json.dumps(attacked.to_json())}{json.dumps(recorded)}"
    assert "hunter2" not in told
    assert "s3cr3t-value" not in told
    assert "[redacted]" in told


def test_the_requests_are_bounded_and_each_is_recorded(recorded: list[dict[str, Any]]) -> None:
    assert 100 < len(recorded) < 200
    assert all(len(one["response"]["body"]) <= 512 for one in recorded if one["response"])


def test_a_service_without_weakness_passes_on_what_each_probe_examined() -> None:
    finding = probe(hard())
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert finding.results == ()
    assert proven(finding) == set(PROBES) - TLS_ONLY


def test_what_was_not_there_to_examine_is_told_and_is_no_evidence() -> None:
    bare = {"X-Content-Type-Options": "nosniff", "Content-Type": "application/json"}
    order = SecurityOrder(groups=(Group.COOKIES, Group.HEADERS))
    finding = probe(lambda _: Reply(b"{}", 200, bare), order)
    assert finding.outcome is Outcome.PASSED
    assert proven(finding) == {"GR-S004"}
    assert "GR-S010 Cookie without Secure: not examined: no such cookie was set" in finding.notes


def test_nothing_examined_is_inconclusive() -> None:
    finding = probe(hard(), SecurityOrder(groups=(Group.TLS,)))
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_a_service_that_answers_everything_alike_is_neither_found_nor_silent() -> None:
    finding = probe(lambda _: Reply(PAGE.encode(), 200, HARD), replace(FULL, auth=None, rate=None))
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert {"GR-S041", "GR-S042", "GR-S043"}.isdisjoint(proven(finding))
    assert any("a random path is answered 2xx" in note for note in finding.notes)


def test_a_page_that_looks_like_every_file_tells_nothing() -> None:
    page = b"\n[core]\nref: refs/heads/a\n1\n"
    finding = probe(lambda _: Reply(page, 200, HARD), SecurityOrder(groups=(Group.FILES,)))
    assert finding.results == ()
    assert "GET /.git/config: a random path is answered with what is looked for" in str(finding)


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [("PUT", 404, 201), ("PUT", 404, 200), ("DELETE", 404, 204), ("POST", 404, 204)],
    ids=["put-creates", "put-is-accepted", "delete-is-accepted", "override"],
)
def test_a_method_that_says_it_did_is_found(method: str, before: int, after: int) -> None:
    def answer(asked: Asked) -> Reply:
        as_if = asked.headers.get("x-method-override", asked.method)
        wanted = "DELETE" if method == "POST" else method
        if asked.path == "/":
            return Reply(PAGE.encode(), 200, HARD)
        return Reply(b"", after if as_if == wanted else before, HARD)

    expected = {"PUT": {"GR-S041"}, "DELETE": {"GR-S042", "GR-S044"}}
    expected["POST"] = expected["DELETE"]
    assert ids(probe(answer, SecurityOrder(groups=(Group.METHODS,)))) == expected[method]


def test_a_server_that_hangs_up_on_a_method_refuses_it() -> None:
    behave = hard()

    def answer(asked: Asked) -> Reply:
        if asked.method in {"CONNECT", "TRACE"}:
            raise ConnectionAbortedError
        return behave(asked)

    finding = probe(answer, SecurityOrder(groups=(Group.METHODS,)))
    assert finding.outcome is Outcome.PASSED
    assert {"GR-S040", "GR-S043"} <= proven(finding)


@pytest.mark.parametrize("header", ["Location", "Set-Cookie"])
def test_a_host_that_is_believed_in_a_header_is_found(header: str) -> None:
    def answer(asked: Asked) -> Reply:
        host = asked.headers.get("x-forwarded-host")
        return Reply(b"", 200, HARD | ({header: f"//{host}/"} if host else {}))

    assert "GR-S061" in ids(probe(answer, SecurityOrder(groups=(Group.HOST,))))


def test_a_path_that_leads_outside_is_found() -> None:
    def answer(asked: Asked) -> Reply:
        outside = asked.path.endswith("greenroom.invalid/%2e%2e")
        return Reply(b"", 308 if outside else 200, HARD | {"Location": "//greenroom.invalid/"})

    finding = probe(answer, SecurityOrder(groups=(Group.REDIRECTS,)))
    assert "the path leads to //greenroom.invalid/" in str(finding)


def test_a_service_whose_every_answer_differs_cannot_be_told_from_one_that_leaks() -> None:
    counter = iter(range(10_000))

    def answer(asked: Asked) -> Reply:
        word = "abcdefghij"[next(counter) % 10]
        refused = asked.path == "/admin" and asked.method == "GET"
        return Reply(word.encode(), 401 if refused else 200, HARD)

    order = SecurityOrder(groups=(Group.AUTH,), auth=AuthOrder(("/admin",)))
    finding = probe(answer, order)
    assert finding.results == ()
    assert "another answer each time" in str(finding)


@pytest.mark.parametrize("behave", [closes, reset_in_body], ids=["closes", "resets"])
def test_a_service_that_breaks_connections_was_not_observed(behave: Behaviour) -> None:
    with hostile(behave) as url, place_at(url) as place, pytest.raises(ServiceError, match="none"):
        SecurityWork(FULL).run(place)


def test_a_service_that_is_down_was_not_observed() -> None:
    with place_at(refused_url()) as place, pytest.raises(ServiceError, match="refused"):
        SecurityWork(FULL).run(place)


@pytest.mark.parametrize("status", [500, 503, 404, 403, 429])
def test_a_service_that_answers_errors_alone_was_not_observed(status: int) -> None:
    with pytest.raises(ServiceError, match=f"answered {status}"):
        probe(lambda _: Reply(b"", status, HARD))


def test_a_probe_of_which_every_request_failed_is_an_error() -> None:
    behave = hard()

    def answer(asked: Asked) -> Reply:
        return Reply(b"", 502) if "origin" in asked.headers else behave(asked)

    finding = probe(answer)
    assert finding.outcome is Outcome.ERROR
    assert "GR-S020 Any origin is trusted" in str(finding)
    assert "GET /: answered 502" in str(finding)


def test_a_service_that_begins_to_refuse_was_not_examined() -> None:
    behave, asked_so_far = hard(), [0]

    def answer(asked: Asked) -> Reply:
        asked_so_far[0] += 1
        return Reply(b"blocked", 403) if asked_so_far[0] > 40 else behave(asked)

    finding = probe(answer, replace(FULL, auth=None, rate=None))
    assert finding.outcome is Outcome.ERROR
    assert "answered 403 after the probes, 200 before" in str(finding)


@pytest.mark.parametrize("bound", ["requests", "time"])
def test_probes_beyond_their_bounds_are_an_error(bound: str) -> None:
    order = replace(FULL, most=20) if bound == "requests" else FULL
    seconds = 30 if bound == "requests" else 0.03
    with any_method(hard()) as url, place_at(url, seconds=seconds) as place:
        try:
            said = str(SecurityWork(order).run(place))
        except GreenroomError as error:
            said = str(error)
    assert "requests were not sent" in said or "within" in said


def test_a_target_that_nobody_allowed_is_not_attacked() -> None:
    with (
        place_at("https://shop.example.com") as place,
        pytest.raises(SettingsError, match="not marked as a target that security checks"),
    ):
        SecurityWork(FULL).run(place)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (AuthOrder(("/none",)), "GET /none: answered 404, which is no refusal"),
        (AuthOrder(("/none",), RIGHT), "GET /none: answered 404 with the credentials of auth"),
        (AuthOrder(("/admin",), (("Authorization", "Bearer x"),)), "GET /admin: answered 401 with"),
    ],
    ids=["no-credentials", "not-there", "wrong-credentials"],
)
def test_a_path_that_is_not_known_to_exist_proves_no_refusal(order: AuthOrder, said: str) -> None:
    finding = probe(hard(), SecurityOrder(groups=(Group.AUTH,), auth=order))
    assert finding.outcome is Outcome.ERROR
    assert said in str(finding)


@pytest.mark.parametrize(
    "location",
    ["/admin/", "/en/admin", "https://shop.example.com/admin?x=1", "/Admin"],
    ids=["slash", "language", "host", "case"],
)
def test_a_redirect_to_another_spelling_is_no_refusal(location: str) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/admin"):
            return Reply(b"", 302, {**HARD, "Location": location})
        return Reply(PAGE.encode(), 200, HARD)

    finding = probe(answer, SecurityOrder(groups=(Group.AUTH,), auth=AuthOrder(("/admin",))))
    assert finding.outcome is Outcome.ERROR
    assert "GET /admin: answered 302, to another spelling of it" in str(finding)


@pytest.mark.parametrize("status", [302, 401, 403])
def test_a_service_that_refuses_whatever_it_is_asked_is_told(status: int) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(PAGE.encode(), 200 if asked.path == "/" else status, HARD)

    finding = probe(answer, SecurityOrder(groups=(Group.FILES,)))
    assert f"a random path is answered {status}: of paths that are" in " ".join(finding.notes)


def test_a_redirect_to_a_page_for_logging_in_is_a_refusal() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/":
            return Reply(PAGE.encode(), 200, HARD)
        return Reply(b"", 302, {**HARD, "Location": "/login?next=/admin"})

    finding = probe(answer, SecurityOrder(groups=(Group.AUTH,), auth=AuthOrder(("/admin",))))
    assert finding.outcome is Outcome.PASSED, str(finding)


def test_credentials_of_the_check_do_not_reach_probes_without() -> None:
    order = SecurityOrder(headers=RIGHT, groups=(Group.AUTH,), auth=AuthOrder(("/admin",)))
    exchanges: list[dict[str, Any]] = []
    redactor = Redactor(["Bearer right-token-of-the-test"])
    finding = probe(hard(), order, redactor=redactor, exchanges=exchanges)
    assert finding.outcome is Outcome.PASSED, str(finding)
    assert "right-token" not in json.dumps(exchanges)


def test_a_token_whose_signature_is_not_verified_is_found() -> None:
    jwt = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLXRoZS10ZXN0"

    def answer(asked: Asked) -> Reply:
        known = ".eyJzdWIiOiJhIn0." in asked.headers.get("authorization", "")
        return Reply(b"in" if known else b"no", 200 if known or asked.path == "/" else 401, HARD)

    auth = AuthOrder(("/admin",), (("Authorization", jwt),))
    finding = probe(answer, SecurityOrder(groups=(Group.AUTH,), auth=auth))
    assert ids(finding) == {"GR-S081"}


def test_a_limit_that_a_header_evades_is_found() -> None:
    counts: dict[str, int] = {}

    def answer(asked: Asked) -> Reply:
        client = asked.headers.get("x-forwarded-for", "peer")
        counts[client] = counts.get(client, 0) + 1
        return Reply(b"", 429 if counts[client] > 5 else 200, HARD)

    order = SecurityOrder(groups=(Group.RATE_LIMIT,), rate=RateOrder("/", 20))
    assert ids(probe(answer, order)) == {"GR-S091"}


def test_a_limit_on_a_path_that_does_not_exist_is_an_error() -> None:
    order = SecurityOrder(groups=(Group.RATE_LIMIT,), rate=RateOrder("/none", 20))
    assert probe(hard(), order).outcome is Outcome.ERROR


def test_a_wildcard_with_credentials_is_found() -> None:
    headers = {
        **HARD,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
    }
    order = SecurityOrder(groups=(Group.CORS,))
    assert ids(probe(lambda _: Reply(b"", 200, headers), order)) == {"GR-S022"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Refresh": "0; url=//next.greenroom.invalid/"}, b""),
        ({}, b"<meta http-equiv=refresh content='0; url=https://next.greenroom.invalid/'>"),
    ],
    ids=["refresh", "meta"],
)
def test_a_redirect_that_is_no_status_is_found(headers: dict[str, str], body: bytes) -> None:
    def answer(asked: Asked) -> Reply:
        outside = "next=//" in asked.path
        return Reply(body if outside else b"", 200, HARD | (headers if outside else {}))

    assert ids(probe(answer, SecurityOrder(groups=(Group.REDIRECTS,)))) == {"GR-S060"}


def test_a_redirect_to_the_own_host_is_followed_to_its_page() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/":
            return Reply(b"", 302, {**HARD, "Location": "/home?x=1"})
        return Reply(PAGE.encode(), 200, {"Content-Type": "text/html"})

    finding = probe(answer, SecurityOrder(groups=(Group.HEADERS,)))
    assert {result.location.file for result in finding.results if result.location} == {"/home?x=1"}


def test_a_path_that_gives_no_page_is_told() -> None:
    finding = probe(
        hard(), SecurityOrder(groups=(Group.HEADERS,), paths=("/", "/none"), headers=HTTPS)
    )
    assert "GET /none: answered 404: not examined" in finding.notes


@pytest.mark.parametrize("old", [False, True], ids=["modern", "old"])
def test_what_tls_accepts_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, old: bool
) -> None:
    least = ssl.TLSVersion.TLSv1 if old else ssl.TLSVersion.TLSv1_2
    context = context_of(tmp_path, issued(), least=least)
    monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    with any_method(hard()) as plain, any_method(hard(), context) as url, place_at(url) as place:
        order = SecurityOrder(
            groups=(Group.TLS, Group.HEADERS), plain_http=plain if old else refused_url()
        )
        finding = SecurityWork(order).run(place)
    assert proven(finding) >= TLS_ONLY, str(finding)
    assert ids(finding) == (TLS_ONLY - {"GR-S033"} if old else set()), str(finding)


def test_a_certificate_that_nobody_trusts_is_found(tmp_path: Path) -> None:
    context = context_of(tmp_path, issued())
    with any_method(hard(), context) as url, place_at(url) as place:
        finding = SecurityWork(replace(FULL, plain_http=refused_url())).run(place)
    assert finding.outcome is Outcome.FAILED
    assert ids(finding) == {"GR-S033"}
    assert "the target answers none of the paths with 2xx" in str(finding)


def test_a_server_that_speaks_no_tls_was_not_observed() -> None:
    with (
        any_method(hard()) as url,
        place_at(url.replace("http:", "https:")) as place,
        pytest.raises(ServiceError, match="TLS failed"),
    ):
        SecurityWork(FULL).run(place)


def test_plain_http_beside_an_unusual_port_must_be_named(tmp_path: Path) -> None:
    context = context_of(tmp_path, issued())
    order = SecurityOrder(groups=(Group.TLS,))
    with any_method(hard(), context) as url, place_at(url) as place:
        finding = SecurityWork(order).run(place)
    assert any("give `plain_http` its address" in note for note in finding.notes)


def test_plain_http_elsewhere_is_not_asked_unless_it_is_allowed() -> None:
    allow = Allowed(security=("https://127.0.0.1",))
    order = SecurityOrder(groups=(Group.TLS, Group.HEADERS), plain_http="http://shop.example.com")
    finding = probe(hard(), order, allow=allow)
    assert any("http://shop.example.com is not marked" in note for note in finding.notes)


def test_waived_results_and_probes_left_out_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text(
        "version: 1\nwaivers:\n  - {id: GR-S005, reason: framed on purpose, expires: 2999-01-01}\n"
        "  - {id: GR-S099, reason: none, expires: 2999-01-01}\n"
    )
    order = SecurityOrder(groups=(Group.HEADERS,), left_out=("GR-S002",))
    page = {"Content-Type": "text/html"}
    with (
        serving(lambda _: Reply(b"x", 200, page)) as server,
        place_at(server.url, root=tmp_path) as place,
    ):
        finding = SecurityWork(order, waivers="accepted.yaml").run(place)
    assert finding.outcome is Outcome.PASSED
    assert "left out: GR-S002" in finding.notes
    assert any("unused waiver: GR-S099" in note for note in finding.notes)


COMPLETE = with_check(
    "security: {probes: all, paths: [/, /login], headers: {x-forwarded-proto: https}, "
    "auth: {paths: [/admin], headers: {authorization: '${env.T}'}, methods: [POST]}, "
    "rate_limit: {path: /login, requests: 30, method: POST}, plain_http: http://a.example, "
    "except: [GR-S012], waivers: w.yaml, max_requests: 300}\n    expect: [high == 0]"
)
BEYOND_A_SCHEMA = {"path", "nothing-left", "auth-unused", "auth-absent", "plain", "unknown-probe"}
"""What only the parser sees: other keys, other grammars."""
REFUSED = {
    "unknown-group": ("{probes: [header]}", "a probe"),
    "probes-text": ("{probes: some}", "probes must be all or a list"),
    "text": ("some", "security must be all or a list"),
    "unknown-probe": ("{except: [GR-S999]}", "there is no probe 'GR-S999'"),
    "path": ("{paths: [login]}", "must start with /"),
    "nothing-left": (
        "{probes: [host], except: [GR-S061]}", "every probe is left out"
    ),
    "auth-unused": ("{probes: [host], auth: {paths: [/a]}}", "auth is given, and not among probes"),
    "auth-absent": ("{probes: [auth]}", "probes name auth, which is not given"),
    "auth-no-paths": ("{auth: {methods: [POST]}}", "auth has no 'paths'"),
    "method": ("{auth: {paths: [/a], methods: [post]}}", "'post' is no method"),
    "rate": ("{rate_limit: {path: /, requests: 5000}}", "requests must be a whole number"),
    "plain": ("{plain_http: 'https://a'}", "plain_http must be an http:// origin"),
    "most": ("{max_requests: 1}", "max_requests must be a whole number"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_in_a_suite_is_refused(text: str, said: str) -> None:
    assert said in refusal(with_check(f"security: {text}"))


@pytest.mark.parametrize("name", sorted(set(REFUSED) - BEYOND_A_SCHEMA))
def test_the_schema_refuses_what_the_parser_refuses(name: str) -> None:
    text = with_check(f"security: {REFUSED[name][0]}")
    assert list(VALIDATOR.iter_errors(plain(Document(Path("a"), text).read())))


def test_the_schema_knows_every_key_and_accepts_what_the_parser_accepts() -> None:
    [_, form] = OWN["anyOf"]
    assert set(form["properties"]) == set(suite_security.SECURITY_KEYS)
    assert set(form["properties"]["auth"]["properties"]) == set(suite_security.AUTH_KEYS)
    assert set(form["properties"]["rate_limit"]["properties"]) == set(suite_security.RATE_KEYS)
    assert form["properties"]["probes"]["anyOf"][1]["items"]["enum"] == list(Group)
    VALIDATOR.validate(plain(Document(Path("a"), COMPLETE).read()))


def test_a_suite_says_all_of_it() -> None:
    [check] = read(COMPLETE, variables(T="t")).checks
    assert isinstance(check, WorkCheck)
    assert (check.kind, check.stage, check.timeout_s) == (Kind.SECURITY, Stage.ENVIRONMENT, 120)
    assert check.work == SecurityWork(
        SecurityOrder(
            paths=("/", "/login"),
            headers=(("x-forwarded-proto", "https"),),
            auth=AuthOrder(("/admin",), (("authorization", "t"),), ("POST",)),
            rate=RateOrder("/login", 30, "POST"),
            plain_http="http://a.example",
            left_out=("GR-S012",),
            most=300,
        ),
        (replace(STRICT[1]),),
        "w.yaml",
    )


def test_a_suite_of_one_word_runs(tmp_path: Path) -> None:
    with any_method(hard()) as url:
        (tmp_path / "a.suite.yaml").write_text(
            f"version: 1\nname: s\ntarget: {url}\nchecks:\n  - name: attacked\n    security: all\n"
        )
        ran = run(tmp_path)
    assert ran.verdict == "ship"
    assert {"answers", "cookies"} <= {one["what"] for one in ran.check("attacked")["evidence"]}
