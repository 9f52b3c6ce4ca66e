"""Secrets of every kind, in everything that a run reads and is told: none is in what it leaves."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.support.runs import run
from tests.support.servers import Reply, hostile, json_reply, refused_url, serving

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runs import Ran
    from tests.support.servers import Asked

NAMES = (
    *("header", "cookie", "query", "parameter", "path", "body", "form", "multipart"),
    *("basic", "bearer", "captured", "redirect", "location", "schema", "pattern", "tcp"),
    *("set_cookie", "token_header", "refused", "environment", "exception", "local", "subtest"),
    *("printed", "logged", "skipped", "xfailed", "fixture", "target", "plain_client"),
)
SECRETS = {name: f"{name.replace('_', '')}7Qx9Zk" for name in NAMES}
"""What is looked for, in whatever it is wrapped; it looks alike in every escape."""
ADDRESSES = ("query", "path", "redirect", "schema", "pattern", "captured", "plain_client")
"""What stands in an address as it is, and comes back in other forms."""
SENT = ("header", "cookie", "parameter", "body", "form", "bearer", "location", "set_cookie")
TOLD = {
    f"S_{name.upper()}": core + ("/=~!" if name in ADDRESSES else '/=~!&"<>%+')
    for name, core in SECRETS.items()
}
"""The values of the environment's variables; what a server makes up is not among them."""
MADE_UP = ("captured", "location", "set_cookie", "token_header")
"""What only the server knows, and what a name or the suite gives away as a secret."""

SUITE = """\
version: 1
name: planted
target: TARGET
defaults: {max_body: 64KiB}
checks:
  - name: header
    http: {get: /echo, headers: {x-custom: "${secret.S_HEADER}", cookie: "id=${secret.S_COOKIE}"}}
    expect: {status: 404, json: {"$.headers['x-custom']": other, $.headers.cookie: {length: 1}}}
  - name: query
    http: {get: "/echo?q=${secret.S_QUERY}&api_key=PARAMETER"}
    expect: {status: 404, json: {$.path: other}, headers: {x-path: {matches: none}}}
  - name: path
    http: {get: "/echo/${secret.S_PATH}"}
    expect: {json: {$.path: {one_of: ["${secret.S_PATH}", other]}}}
  - name: body
    http: {post: /echo, json: {"${secret.S_BODY}": ["${secret.S_BODY}"]}}
    expect: {json: {$.body: {contains: "x${secret.S_BODY}"}}}
  - name: form
    http: {post: /echo, form: {f: "${secret.S_FORM}"}}
    expect: {json: {$.body: ""}}
  - name: multipart
    http: {post: /echo, multipart: {m: "${secret.S_MULTIPART}"}, compress: gzip}
    expect: {status: 404}
  - name: basic
    auth: {basic: {user: probe, password: "${env.S_BASIC}"}}
    http: {get: /echo}
    expect: {json: {$.headers.authorization: none}}
  - name: bearer
    auth: {bearer: "${env.S_BEARER}"}
    http: {get: /echo}
    expect: {json: {$.headers.authorization: none}}
  - name: captured
    steps:
      - http: {get: /login}
        expect: {status: 200}
        capture: {token: {json: $.issued, secret: true}}
      - http: {get: "/echo?q=${capture.token}"}
        expect: {json: {$.path: none}}
    teardown:
      - {http: {get: "/echo?q=${capture.token}"}, expect: {status: 404}}
  - name: redirect
    http: {get: "/moved?to=${secret.S_REDIRECT}"}
    expect: {headers: {location: /elsewhere}}
  - name: redirect followed
    http: {get: "/moved?to=${secret.S_REDIRECT}", follow_redirects: true}
    expect: {status: 404}
  - name: cookies
    http: {get: /login}
    expect: {status: 404, headers: {set-cookie: none, x-auth-token: none}}
  - name: schema
    http: {get: "/echo?s=${secret.S_SCHEMA}"}
    expect: {schema: c.schema.json}
  - name: pattern
    http: {get: "/text?s=${secret.S_PATTERN}"}
    expect: {json: {$.a: 1}}
  - name: tcp
    timeout: 300ms
    tcp: {host: 127.0.0.1, port: TCP, send: "${secret.S_TCP}", receives: never}
"""
REFUSED = """\
version: 1
name: refused
target: TARGET
checks:
  - name: refused
    http: {get: "/${secret.S_REFUSED}"}
    expect: {status: 200}
  - name: refused steps
    setup: [{http: {get: "/${secret.S_REFUSED}"}, expect: {status: 200}}]
    steps: [{http: {get: "/"}, expect: {status: 200}}]
"""
TESTS = """\
import logging, os, sys
import httpx, pytest
SAID = {name: os.environ["S_" + name.upper()] for name in (
    "environment", "exception", "local", "printed", "logged", "skipped", "xfailed", "fixture",
    "plain_client", "subtest")}

def test_environment():
    assert SAID["environment"] == dict(SAID)

def test_exception():
    try:
        raise ValueError(SAID["exception"])
    except ValueError as cause:
        raise RuntimeError(f"behind: {SAID['exception']}") from cause

def test_local():
    kept = SAID["local"]
    assert len(kept) == 0

def test_printed():
    print(SAID["printed"], repr(SAID["printed"]))
    print(SAID["printed"], file=sys.stderr)

def test_printed_and_failed():
    print(SAID["printed"])
    raise AssertionError

def test_logged():
    logging.getLogger("app").warning("using %s", SAID["logged"])

def test_logged_and_failed():
    logging.getLogger("app").warning("using %s", SAID["logged"])
    raise AssertionError

def test_skipped():
    pytest.skip(SAID["skipped"])

@pytest.mark.xfail(reason=SAID["xfailed"])
def test_xfailed():
    raise AssertionError(SAID["xfailed"])

@pytest.fixture
def broken():
    raise OSError(SAID["fixture"])

def test_fixture(broken):
    pass

def test_subtest(subtests):
    with subtests.test(msg=SAID["subtest"]):
        assert SAID["subtest"] == ""

def test_target(target):
    assert target.get("/echo?token=" + SAID["plain_client"]).json() == SAID["plain_client"]

def test_plain_client(target):
    with httpx.Client() as plain:
        url = str(target.base_url).rpartition("@")[2].removesuffix("/")
        plain.get(f"http://{url.removeprefix('http://')}/echo?token=" + SAID["plain_client"])
    raise AssertionError
"""


def made_up(name: str) -> str:
    return TOLD[f"S_{name.upper()}"].replace('"', "")


def answer(asked: Asked) -> Reply:
    url = urlsplit(asked.path)
    given = {name: values[0] for name, values in parse_qs(url.query).items()}
    match url.path:
        case "/login":
            headers = {
                "Set-Cookie": f"sid={made_up('set_cookie')}; Path=/",
                "X-Auth-Token": made_up("token_header"),
            }
            return Reply(json.dumps({"issued": made_up("captured")}).encode(), headers=headers)
        case "/moved":
            to = f"/echo?to={given['to']}&code=1&token={SECRETS['location']}"
            return Reply(status=302, headers={"Location": to})
        case "/text":
            return Reply(f"<p>{given['s']}</p>".encode())
        case _:
            # A cookie that a server sets and then repeats elsewhere is its own to give away.
            headers = {name: of for name, of in asked.headers.items() if "sid=" not in of}
            told = {
                "headers": headers,
                "path": given or asked.path,
                "body": asked.body.decode("utf-8", "replace"),
            }
            return json_reply(told, 200) if "x" not in given else json_reply(None)


def echo(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(connection.recv(4096))


@dataclass(frozen=True)
class Left:
    """What a run left: its outputs by name."""

    ran: Ran
    outputs: dict[str, str]
    asked: str


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("planted")
    patch = pytest.MonkeyPatch()
    for name, value in TOLD.items():
        if name.removeprefix("S_").lower() not in MADE_UP:
            patch.setenv(name, value)
    with serving(answer) as server, hostile(echo) as tcp:
        write_project(folder, server.url, tcp.rpartition(":")[2])
        address = server.url.replace("//", f"//probe:{SECRETS['target']}@")
        ran = run(
            folder,
            f"--greenroom-target={address}",
            *("-rA", "-l", "--log-level=DEBUG", "--log-cli-level=INFO"),
            *("-o", "junit_logging=all", "--junitxml=out/own.xml"),
        )
    patch.undo()
    return Left(ran, {"terminal": ran.out} | outputs_in(ran.folder), unquote(str(server.asked)))


def write_project(folder: Path, url: str, port: str) -> None:
    suite = SUITE.replace("TARGET", url).replace("port: TCP", f"port: {port}")
    (folder / "a.suite.yaml").write_text(suite.replace("PARAMETER", SECRETS["parameter"]))
    (folder / "b.suite.yaml").write_text(REFUSED.replace("TARGET", refused_url()))
    (folder / "c.schema.json").write_text(
        json.dumps({"properties": {"path": {"enum": [1]}, "headers": {"maxProperties": 1}}})
    )
    (folder / "test_planted.py").write_text(TESTS)
    secrets = [name for name in TOLD if name.removeprefix("S_").lower() not in MADE_UP]
    (folder / "greenroom.toml").write_text(f"secrets = {json.dumps(secrets)}\n")


def outputs_in(folder: Path) -> dict[str, str]:
    found = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    for number, packed in enumerate(re.findall(r"[A-Za-z0-9+/]{80,}={0,2}", found["report.html"])):
        found[f"report.html, part {number}"] = unpacked(packed)
    return found


def unpacked(text: str) -> str:
    """Return what a piece of base64 holds, compressed or not."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return ""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(octets, window).decode("utf-8", "replace")
        except zlib.error:
            continue
    return octets.decode("utf-8", "replace")


def forms(secret: str) -> Iterator[str]:
    """Every form of a secret's letters and digits; percent, JSON and HTML leave them alone."""
    yield secret
    yield secret.encode().hex()
    for offset in range(3):
        coded = base64.b64encode(b" " * offset + secret.encode()).decode()
        yield coded[4 if offset else 0 : -4]


def test_the_run_came_to_all_of_it(left: Left) -> None:
    checks = left.ran.record["checks"]
    assert checks, left.ran.out
    assert len(checks) == SUITE.count("- name:") + 2 + TESTS.count("def test_")
    named = {check["name"]: check["outcome"] for check in checks}
    assert {name for name, outcome in named.items() if outcome == "passed"} == {
        "test_printed",
        "test_logged",
    }
    assert {"run.json", "events.jsonl", "report.html", "junit.xml", "own.xml"} <= {*left.outputs}


@pytest.mark.parametrize("name", [*ADDRESSES, *SENT])
def test_a_secret_was_really_sent(left: Left, name: str) -> None:
    assert SECRETS[name] in left.asked


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_secret_is_in_nothing_that_a_run_leaves(left: Left, name: str) -> None:
    found = {
        output: [text[max(at - 120, 0) : at + 60] for at in positions(text, form)][:3]
        for output, text in left.outputs.items()
        for form in forms(SECRETS[name])
        if form in text
    }
    assert not found


def positions(text: str, form: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(form), text)]
