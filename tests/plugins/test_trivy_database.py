"""A database that is absent, old, small or unreadable is an error; one that is due is fetched."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.shared_cache import SharedCache, only_one
from greenroom.plugins.trivy_command import Program, Runner
from greenroom.plugins.trivy_database import usable_database
from greenroom.validators.errors import ServiceError, ToolError
from tests.support.scans import ADVISORIES, Scans
from tests.support.vulndb import write_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC)


def runner(folder: Path, program: str = "exit 1", **settings: object) -> Runner:
    """Return a runner whose Trivy is a script."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    scans = Scans(folder)
    own = replace(scans.settings, **settings)  # type: ignore[arg-type] # a test's own choice
    return Runner(Program(path, "0.76.0"), own, scans.place, folder, folder / "trivy")


def metadata(folder: Path, **changes: object) -> None:
    path = folder / "trivy" / "db" / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_no_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is no vulnerability database"):
        usable_database(runner(tmp_path), NOW)


def test_a_database_without_its_file_is_an_error(tmp_path: Path) -> None:
    write_database(tmp_path / "trivy", ADVISORIES)
    (tmp_path / "trivy" / "db" / "trivy.db").unlink()
    with pytest.raises(ToolError, match="there is no vulnerability database"):
        usable_database(runner(tmp_path), NOW)


def test_a_database_of_the_future_is_an_error(tmp_path: Path) -> None:
    write_database(tmp_path / "trivy", ADVISORIES, updated=NOW + timedelta(days=400))
    with pytest.raises(ToolError, match="still to come"):
        usable_database(runner(tmp_path), NOW)


def test_an_old_database_is_an_error(tmp_path: Path) -> None:
    write_database(tmp_path / "trivy", ADVISORIES, updated=NOW - timedelta(days=8))
    with pytest.raises(ToolError, match="8 d 0 h old; at most 7 d 0 h are accepted"):
        usable_database(runner(tmp_path), NOW)


def test_a_small_database_is_an_error(tmp_path: Path) -> None:
    write_database(tmp_path / "trivy", ADVISORIES)
    with pytest.raises(ToolError, match="at least 10,000,000 are expected"):
        usable_database(runner(tmp_path, min_size=10_000_000), NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no JSON"), ("[]", "holds no metadata"), ("{}", "says 'None' for a time")],
    ids=["cut", "a-list", "no-time"],
)
def test_unreadable_metadata_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    write_database(tmp_path / "trivy", ADVISORIES)
    (tmp_path / "trivy" / "db" / "metadata.json").write_text(text)
    with pytest.raises(ToolError, match=said):
        usable_database(runner(tmp_path), NOW)


def test_times_as_go_writes_them_are_read(tmp_path: Path) -> None:
    write_database(tmp_path / "trivy", ADVISORIES)
    day = f"{NOW:%Y-%m-%d}"
    metadata(tmp_path, UpdatedAt=f"{day}T00:00:00.123456789Z")
    assert usable_database(runner(tmp_path), NOW).facts.updated == f"{day}T00:00:00+00:00"


def test_a_database_that_cannot_be_fetched_is_an_error(tmp_path: Path) -> None:
    starter = runner(tmp_path, "echo no route >&2; exit 1", offline=False)
    with pytest.raises(ToolError, match=r"cannot be fetched: exit status 1: no route"):
        usable_database(starter, NOW)


def test_the_log_of_trivy_is_told_without_times_and_levels(tmp_path: Path) -> None:
    line = "2026-11-23T12:57:48Z\\tFATAL\\tFatal error\\trun error: no such host"
    starter = runner(tmp_path, f"printf '{line}' >&2; exit 1", offline=False)
    with pytest.raises(ToolError, match=r"exit status 1: run error: no such host") as caught:
        usable_database(starter, NOW)
    assert "[trivy] database" in caught.value.hint


def test_a_database_is_fetched_from_the_mirrors_once(tmp_path: Path) -> None:
    write_database(tmp_path / "mirror", ADVISORIES)
    fetch = f'echo "$@" >> {tmp_path}/calls; cp -r {tmp_path}/mirror/db {tmp_path}/trivy/'
    starter = runner(tmp_path, fetch, offline=False, database=("mirror.example/db:2",))
    first = usable_database(starter, NOW)
    again = usable_database(starter, NOW)
    assert first.facts.source == "mirror.example/db:2"
    assert first.identity == again.identity
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert "--download-db-only" in call
    assert "--db-repository=mirror.example/db:2" in call


def test_a_lock_that_another_holds_is_waited_for_to_the_end_of_the_time(tmp_path: Path) -> None:
    with (
        only_one(tmp_path / "lock", 0, "a test"),
        pytest.raises(ToolError, match="still busy with a test"),
        only_one(tmp_path / "lock", 0, "a test"),
    ):
        pass  # pragma: no cover - never entered


@contextmanager
def trivy_server(answer: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_tells_its_database(tmp_path: Path) -> None:
    told = {"Version": 2, "UpdatedAt": NOW.isoformat()}
    with trivy_server(json.dumps({"VulnerabilityDB": told})) as url:
        known = usable_database(runner(tmp_path, server=url), NOW)
    assert (known.facts.version, known.facts.source) == ("2", url)


@pytest.mark.parametrize(
    "answer", ["{}", '{"VulnerabilityDB": "new"}', "[" * 100_000], ids=["none", "text", "deep"]
)
def test_a_server_that_does_not_is_an_error(tmp_path: Path, answer: str) -> None:
    with trivy_server(answer) as url, pytest.raises(ServiceError, match="does not tell"):
        usable_database(runner(tmp_path, server=url), NOW)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "key": ["other"], "value": 1}'])
def test_a_cache_entry_that_is_not_whole_is_none(tmp_path: Path, text: str) -> None:
    cache = SharedCache(tmp_path)
    cache.put(("a", 1), {"x": 1})
    assert cache.get(("a", 1)) == {"x": 1}
    (entry,) = tmp_path.iterdir()
    entry.write_text(text)
    assert cache.get(("a", 1)) is None
