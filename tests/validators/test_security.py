"""What answers give away: headers, cookies, traces; and how probes are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.validators.result import Severity
from greenroom.validators.security import (
    Group,
    Hit,
    Probed,
    SecurityFacts,
    judge_security,
    results_of,
)
from greenroom.validators.security_answers import judge_cookies, judge_headers, judge_leaks
from greenroom.validators.security_probes import GROUPS, PROBES
from greenroom.validators.security_signatures import DATABASE_ERRORS, DEBUG_PAGES, FILES, TRACES
from greenroom.validators.vocabulary import Outcome
from tests.support.weak import page

if TYPE_CHECKING:
    from collections.abc import Iterable

TRACE_LINES = {
    "Python": '  File "/srv/app.py", line 3, in view',
    "Java": "\tat org.shop.Cart.add(Cart.java:17)",
    "Node": "    at Server.<anonymous> (/srv/app.js:1:185)",
    "PHP": "<b>Warning</b>: Undefined index: x in <b>/var/www/a.php</b> on line <b>3</b>",
    ".NET": "   at Shop.Cart.Add(String id) in C:\\src\\Cart.cs:line 12",
    "Go": "goroutine 34 [running]:",
    "Ruby": "app/models/cart.rb:12:in `add'",
}
DEBUG_LINES = {
    "Django": "You&#x27;re seeing this error because you have <code>DEBUG = True</code>",
    "Werkzeug": "<title>KeyError: x\n // Werkzeug Debugger</title>",
    "Laravel": "<script>window.ignite(data)</script>",
    "Symfony": '<a href="/_profiler/a1b2c3">',
    "Rails": "<title>Action Controller: Exception caught</title>",
    "Express": "<pre>TypeError: x is undefined<br> &nbsp; &nbsp;at f (/a.js:1:2)</pre>",
    "ASP.NET": "<h1>Server Error in '/' Application.</h1>",
    "Spring": "<html><body><h1>Whitelabel Error Page</h1>",
}
DATABASE_LINES = {
    "PostgreSQL": "psycopg2.errors.SyntaxError",
    "MySQL": "SQLSTATE[42000]: Syntax error",
    "SQLite": "sqlite3.OperationalError: near",
    "SQL Server": "Unclosed quotation mark after the character string ''.",
    "Oracle": "ORA-01756: quoted string not properly terminated",
    "an ORM": "sqlalchemy.exc.ProgrammingError",
}
PROSE = (
    "Look at (the file): line 3, in view of Warning: 3 items in your basket. We ship at 12:30:10 "
    "(see /help). Server Error? Call us. goroutine, DEBUG, Traceback. at least. app.rb app.go"
)
FILE_TEXTS = {
    "/.git/HEAD": "ref: refs/heads/main\n",
    "/.env": "A_KEY=1\n",
    "/.htpasswd": "admin:$apr1$abc$def\n",
    "/id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "/actuator/env": '{"propertySources": []}',
    "/phpinfo.php": "<title>PHP 8.3.1 - phpinfo()</title>",
    "/metrics": "# HELP up 1 if up\n",
    "/dump.sql": "-- MySQL dump 10.13\n",
    "/db.sqlite3": "SQLite format 3\x00",
}


def found(probed: Iterable[Probed]) -> set[str]:
    return {one.probe.id for one in probed if one.hits}


@pytest.mark.parametrize("name", TRACES)
def test_a_stack_trace_is_found(name: str) -> None:
    [hit] = next(iter(judge_leaks([page(f"<html>{TRACE_LINES[name]}")]))).hits
    assert hit.seen.startswith(f"{name}: ")


@pytest.mark.parametrize("name", DEBUG_PAGES)
def test_a_debug_page_is_found(name: str) -> None:
    [_, probed, *_] = judge_leaks([page(DEBUG_LINES[name])])
    assert [hit.seen.partition(":")[0] for hit in probed.hits] == [name]
    assert (probed.hits[0].severity is Severity.LOW) == (name == "Spring")


@pytest.mark.parametrize("name", DATABASE_ERRORS)
def test_an_error_of_a_database_is_found(name: str) -> None:
    assert found(judge_leaks([page(DATABASE_LINES[name])])) == {"GR-S052"}


def test_prose_gives_nothing_away() -> None:
    assert found(judge_leaks([page(PROSE, headers={"server": "nginx"})])) == set()
    assert not [file.path for file in FILES if file.content.search(PROSE)]


@pytest.mark.parametrize("path", FILE_TEXTS)
def test_a_file_is_known_by_its_content(path: str) -> None:
    assert [file.path for file in FILES if file.content.search(FILE_TEXTS[path])].count(path)


@pytest.mark.parametrize("value", ["nginx/1.27.0", "Apache/2.4"])
def test_a_banner_with_a_version_is_found(value: str) -> None:
    assert found(judge_leaks([page(headers={"server": value})])) == {"GR-S053"}


@pytest.mark.parametrize(
    ("probe", "headers"),
    [
        ("GR-S001", {"strict-transport-security": "max-age=600"}),
        ("GR-S003", {"content-security-policy": "default-src *"}),
        ("GR-S003", {"content-security-policy": "script-src 'self' 'unsafe-eval'"}),
        ("GR-S003", {"content-security-policy": "style-src 'self'"}),
        ("GR-S004", {"x-content-type-options": "sniff"}),
        ("GR-S005", {"x-frame-options": "ALLOW-FROM https://a.example"}),
        ("GR-S005", {"content-security-policy": "frame-ancestors *", "x-frame-options": "DENY"}),
        ("GR-S006", {"referrer-policy": "unsafe-url"}),
    ],
)
def test_a_header_that_does_not_protect_is_found(probe: str, headers: dict[str, str]) -> None:
    assert probe in found(judge_headers([page(headers=headers)], secure=True))


@pytest.mark.parametrize(
    ("probe", "headers"),
    [
        ("GR-S003", {"content-security-policy": "script-src 'nonce-a' 'unsafe-inline'"}),
        ("GR-S003", {"content-security-policy": "script-src 'strict-dynamic' https:"}),
        ("GR-S003", {"content-security-policy": "default-src 'self', script-src *"}),
        ("GR-S005", {"x-frame-options": "sameorigin"}),
        ("GR-S005", {"content-security-policy": "frame-ancestors 'self'; frame-ancestors *"}),
        ("GR-S006", {"referrer-policy": "unknown, no-referrer"}),
    ],
)
def test_a_header_that_protects_is_none(probe: str, headers: dict[str, str]) -> None:
    assert probe not in found(judge_headers([page(headers=headers)], secure=True))


def test_a_policy_in_the_page_is_one() -> None:
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'self'\">"
    assert "GR-S002" not in found(judge_headers([page(policy)], secure=True))


def test_an_api_needs_no_headers_of_pages() -> None:
    api = page(
        "{}", headers={"content-type": "application/json", "x-content-type-options": "nosniff"}
    )
    probed = {one.probe.id: one for one in judge_headers([api], secure=False)}
    assert found(probed.values()) == set()
    assert [name for name, one in probed.items() if one.examined] == ["GR-S004"]


@pytest.mark.parametrize(
    ("cookie", "probes"),
    [
        ("a=1; HttpOnly; SameSite=Lax", {"GR-S010"}),
        ("a=1; Secure; SameSite=Strict", {"GR-S011"}),
        ("a=1; Secure; HttpOnly", {"GR-S012"}),
        ("a=1; Secure; HttpOnly; SameSite=Perhaps", {"GR-S012"}),
        ("__Host-a=1; Secure; HttpOnly; SameSite=Lax; Path=/x", {"GR-S013"}),
        ("__Host-a=1; Secure; HttpOnly; SameSite=Lax; Path=/; Domain=a.b", {"GR-S013"}),
        ("csrftoken=1; Secure; SameSite=Lax", set()),
        ("a=; Max-Age=0", set()),
        ("__Secure-a=1; Secure; HttpOnly; SameSite=Lax", set()),
    ],
)
def test_a_cookie_is_judged_by_its_flags(cookie: str, probes: set[str]) -> None:
    assert found(judge_cookies([page(headers={"set-cookie": cookie})])) == probes


def test_a_cookie_for_other_sites_must_be_secure() -> None:
    [_, _, site, _] = judge_cookies(
        [page(headers={"set-cookie": "a=v4lue; HttpOnly; SameSite=None"})]
    )
    assert site.hits[0].severity is Severity.MEDIUM
    assert "v4lue" not in site.hits[0].seen


def facts(*probed: Probed, problems: tuple[str, ...] = ()) -> SecurityFacts:
    return SecurityFacts(probed, "1", "2026-01-01T00:00:00Z", problems)


def probed(examined: int, *failed: str, hits: tuple[Hit, ...] = (), whole: bool = False) -> Probed:
    return Probed(PROBES["GR-S080"], examined, "answers", hits, failed, "no cookie", whole)


HIT = Hit("GET /a", "/a", "answered 200")


@pytest.mark.parametrize(
    ("given", "outcome", "said"),
    [
        (facts(probed(3)), Outcome.PASSED, ""),
        (facts(probed(0)), Outcome.INCONCLUSIVE, "not examined: no cookie"),
        (facts(probed(0, "GET /: reset")), Outcome.ERROR, "none: GET /: reset"),
        (facts(probed(3, "GET /: reset")), Outcome.PASSED, ""),
        (facts(probed(3, "GET /: 404"), problems=("blocked",)), Outcome.ERROR, "blocked"),
        (facts(probed(3, "GET /: 404", whole=True)), Outcome.ERROR, "none: GET /: 404"),
        (facts(probed(3, hits=(HIT,))), Outcome.FAILED, "critical == 0"),
        (facts(probed(0, "reset", hits=(HIT,))), Outcome.FAILED, "require credentials there"),
    ],
    ids=["clean", "nothing", "reset", "partly", "blocked", "whole", "found", "found-and-reset"],
)
def test_a_probe_counts_by_what_it_examined(
    given: SecurityFacts, outcome: Outcome, said: str
) -> None:
    finding = judge_security(given)
    assert finding.outcome is outcome
    assert said in str(finding)


def test_results_of_one_probe_at_two_places_differ() -> None:
    both = (HIT, Hit("GET /b", "/b", "answered 200"))
    results = results_of(facts(probed(2, hits=both)))
    assert len({result.fingerprint for result in results}) == 2


def test_the_table_is_complete() -> None:
    assert set(GROUPS) == set(Group)
    assert all(GROUPS.values())
    assert list(PROBES) == sorted(PROBES)
    assert {file.probe for file in FILES} <= set(PROBES)
