"""Bodies of requests: what is sent of forms, files and parts, and what is refused."""

from __future__ import annotations

import gzip
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins import suite_files
from greenroom.plugins.suite_files import Files
from greenroom.validators.errors import SettingsError
from greenroom.validators.vocabulary import Outcome
from tests.support.asking import asking
from tests.support.servers import Asked, Reply, serving
from tests.support.suites import refusal, with_check

if TYPE_CHECKING:
    from email.message import Message

OK = "expect: {status: 200}"


def sent(http: str, folder: Path = Path(), **environment: str) -> Asked:
    """Return what a server was asked by one check."""
    with asking(folder, **environment) as ask, serving(lambda _: Reply()) as server:
        assert ask(f"http: {http}, {OK}", server.url).outcome is Outcome.PASSED
    return server.asked[0]


def parts_of(asked: Asked) -> list[Message]:
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + asked.body).get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if not isinstance(part, str)]


def test_a_file_that_is_too_large_is_refused_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite_files, "FILE_MOST", 10)
    (tmp_path / "a.bin").write_bytes(b"x" * 11)
    error = refusal(with_check("http: {post: /, file: a.bin}\n    expect: {}"), folder=tmp_path)
    assert "a.suite.yaml:5:" in error
    assert "the file a.bin is larger than" in error


def test_a_suites_files_have_a_limit_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite_files, "FILES_MOST", 10)
    for name in "ab":
        (tmp_path / name).write_bytes(b"123456")
    files = Files(tmp_path, tmp_path)
    assert files.content("a") == files.content("a") == b"123456"
    with pytest.raises(SettingsError, match="with b the suite's files are larger"):
        files.content("b")


def test_a_link_out_of_the_root_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "secret")
    text = with_check("http: {post: /, file: link}\n    expect: {}")
    error = refusal(text, folder=tmp_path / "root")
    assert "the file link is outside" in error


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(SettingsError, match="cannot read the file a: Permission denied"):
        Files(tmp_path, tmp_path).content("a")


def test_a_form_is_coded_as_browsers_do() -> None:
    asked = sent("{post: /, form: {a b: 'c&d=e', n: [1.10, true], é: ''}}")
    assert asked.body == b"a+b=c%26d%3De&n=1.10&n=true&%C3%A9="
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_file_is_the_whole_body_with_its_type(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\x00")
    asked = sent("{put: /, file: a.csv}", tmp_path)
    assert (asked.body, asked.headers["content-type"]) == (b"\xff\x00", "text/csv")
    (tmp_path / "a.csv.gz").write_bytes(b"x")
    asked = sent("{put: /, file: a.csv.gz}", tmp_path)
    assert asked.headers["content-type"] == "application/octet-stream"
    own = "{put: /, file: a.csv, headers: {Content-Type: text/x}}"
    assert sent(own, tmp_path).headers["content-type"] == "text/x"


def test_parts_are_values_and_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.json").write_bytes(b"{}")
    files = '[{file: d/a.json}, {file: d/a.json, name: "b\\"\\r\\n.txt", type: text/x}]'
    asked = sent(f"{{post: /, multipart: {{n: [1, two], f: {files}}}}}", tmp_path)
    one, two, plain, named = parts_of(asked)
    assert [one.get_payload(), two.get_payload()] == ["1", "two"]
    assert one["Content-Disposition"] == 'form-data; name="n"'
    assert plain["Content-Disposition"] == 'form-data; name="f"; filename="a.json"'
    assert (plain["Content-Type"], plain.get_payload()) == ("application/json", "{}")
    assert named["Content-Disposition"] == 'form-data; name="f"; filename="b%22%0D%0A.txt"'
    assert named["Content-Type"] == "text/x"


def test_the_same_parts_are_the_same_bytes_and_others_are_not() -> None:
    first, again = (sent("{post: /, multipart: {a: b}}") for _ in range(2))
    other = sent("{post: /, multipart: {a: c}}")
    assert first.body == again.body
    assert first.headers["content-type"] != other.headers["content-type"]


def test_a_body_is_compressed_and_recorded_as_it_was(tmp_path: Path) -> None:
    with asking(tmp_path) as ask, serving(lambda _: Reply()) as server:
        ask(f"http: {{post: /, json: {{a: 1}}, compress: gzip}}, {OK}", server.url)
        (exchange,) = ask.exchanges
    (asked,) = server.asked
    assert gzip.decompress(asked.body) == b'{"a": 1}'
    assert asked.headers["content-encoding"] == "gzip"
    assert asked.headers["content-type"] == "application/json"
    assert exchange["request"]["body"] == '{"a": 1}'


def test_what_only_says_that_it_is_gzip_is_recorded_too() -> None:
    with asking() as ask, serving(lambda _: Reply()) as server:
        ask(f"http: {{post: /, body: x, headers: {{content-encoding: gzip}}}}, {OK}", server.url)
        assert ask.exchanges[0]["request"]["body"] == "x"


@pytest.mark.parametrize(
    "http",
    [
        '{post: /, form: {a: "${secret.KEY}"}}',
        '{post: /, multipart: {a: "${secret.KEY}"}}',
        '{post: /, json: "${secret.KEY}", compress: gzip}',
        '{get: /, query: {a: "${secret.KEY}"}}',
        '{get: /, cookies: {a: "${secret.KEY}"}}',
    ],
    ids=["form", "multipart", "compressed", "query", "cookie"],
)
def test_a_secret_of_a_request_is_in_no_output(http: str) -> None:
    def echo(asked: Asked) -> Reply:
        told = f"{asked.path} {asked.body!r} {asked.headers}"
        return Reply(told.encode(), 500, {"X-Echo": asked.path})

    with asking(KEY="s3cr3t/v4lue") as ask, serving(echo) as server:
        expect = "{json: {$.a: 1}, headers: {x-echo: a}}"
        finding = ask(f"http: {http}, expect: {expect}", server.url)
        shown = f"{finding}{finding.to_json()}{ask.exchanges}"
    assert finding.outcome is Outcome.FAILED
    assert "s3cr3t" not in shown
    assert "v4lue" not in shown
