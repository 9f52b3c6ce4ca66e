"""What a run under the plugin shows and writes, and when the plugin keeps out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.pytest_plugin import MARKERS
from greenroom.validators.record import RunRecord
from greenroom.validators.vocabulary import Kind
from tests.support.runs import ALONE, TWO_WORKERS, Ran, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

everywhere = pytest.mark.parametrize(
    "workers", [pytest.param(ALONE, id="alone"), pytest.param(TWO_WORKERS, id="two-workers")]
)
PASSING = "def test_a(): pass"


def ran(folder: Path, source: str, *arguments: str, report: str | None = "out") -> Ran:
    (folder / "test_it.py").write_text(dedent(source))
    return run(folder, "test_it.py", *arguments, report=report)


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# What a shipping run leaves


@everywhere
def test_a_run_that_proved_what_was_expected_ships(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    result = ran(tmp_path, PASSING, "--greenroom-expect", "unit=1", *workers)
    assert (result.code, result.verdict) == (0, "ship")
    assert (result.record["complete"], result.reasons) == (True, "")
    assert " greenroom: SHIP " in result.out
    assert f"report: {result.folder / 'report.html'}" in result.out
    assert {path.name for path in result.folder.iterdir()} == {
        "events.jsonl",
        "junit.xml",
        "report.html",
        "run.json",
    }


@everywhere
def test_a_record_reads_back_as_what_was_run(tmp_path: Path, workers: tuple[str, ...]) -> None:
    source = """
    import pytest
    @pytest.mark.smoke
    @pytest.mark.api
    @pytest.mark.gate("warn")
    @pytest.mark.parametrize("n", [1, 2])
    def test_a(n): pass
    @pytest.mark.stage("environment")
    def test_b(): pass
    """
    result = ran(tmp_path, source, "--greenroom-release", "revision=v7", *workers)
    record = RunRecord.loads((result.folder / "run.json").read_bytes())
    by_name = {check.name: check for check in record.checks}
    assert sorted(by_name) == ["test_a[1]", "test_a[2]", "test_b"]
    first = by_name["test_a[1]"]
    assert (first.kind, first.stage, first.gate) == ("smoke", "environment", "warn")
    assert (first.tags, str(first.source)) == (("api",), "test_it.py:3")
    assert (by_name["test_b"].kind, by_name["test_b"].stage) == ("unit", "environment")
    assert record.release == {"revision": "v7"}


def test_events_tell_the_run_as_it_went(tmp_path: Path) -> None:
    result = ran(tmp_path, PASSING)
    names = [event["event"] for event in result.events]
    assert names == [
        "run-started",
        "collected",
        "check-started",
        "check-finished",
        "run-finished",
    ]
    assert result.events[-1]["verdict"] == "ship"


@everywhere
def test_a_failure_is_shown_with_all_that_a_person_needs(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    source = """
    def test_a():
        seen = 5
        assert seen == 4, "five categories"
    """
    result = ran(tmp_path, source, *workers)
    assert (result.code, result.verdict) == (1, "do-not-ship")
    for shown in (
        " greenroom: DO NOT SHIP ",
        " 1. unit: test_a: AssertionError: five categories",
        "      limit     the test to pass",
        "      evidence  1 test body (pytest",
        "      source    test_it.py:2",
        "rerun:  pytest test_it.py::test_a",
    ):
        assert shown in result.out


@pytest.mark.parametrize(
    ("source", "code", "verdict"),
    [
        ("@pytest.mark.gate('warn')\ndef test_b(): assert 0", 0, "ship"),
        ("@pytest.mark.gate('info')\ndef test_b(): pytest.skip('x')", 0, "ship"),
        ("@pytest.mark.gate('block')\ndef test_b(): assert 0", 1, "do-not-ship"),
    ],
    ids=["warn", "info", "block"],
)
def test_only_a_blocking_check_keeps_the_gate_shut(
    tmp_path: Path, source: str, code: int, verdict: str
) -> None:
    result = ran(tmp_path, f"import pytest\n{PASSING}\n{source}")
    assert (result.code, result.verdict) == (code, verdict)


def test_an_environment_that_cannot_be_reached_is_an_error_not_a_failure(tmp_path: Path) -> None:
    source = """
    import pytest
    @pytest.mark.smoke
    def test_a(target): target.get("/")
    @pytest.mark.smoke
    def test_b(): open("/no/such/file")
    def test_c(): open("/no/such/file")
    """
    result = ran(tmp_path, source, "--greenroom-target", "http://127.0.0.1:9")
    outcomes = [result.check(f"test_{name}")["outcome"] for name in "abc"]
    assert outcomes == ["error", "error", "failed"]


# Fixtures


@everywhere
def test_the_targets_exchanges_are_evidence_and_recorded(
    tmp_path: Path, workers: tuple[str, ...], address: str
) -> None:
    source = """
    import pytest
    @pytest.mark.smoke
    def test_a(target):
        assert target.get("/health", headers={"Authorization": "Bearer abc"}).text == "fine"
    """
    result = ran(tmp_path, source, "--greenroom-target", address, *workers)
    check = result.check("test_a")
    assert result.verdict == "ship"
    assert [(e["amount"], e["what"]) for e in check["evidence"]][1] == (1, "responses")
    [exchange] = check["exchanges"]
    assert exchange["request"]["url"] == f"{address}/health"
    assert exchange["response"]["body"] == "fine"
    assert "Bearer abc" not in json.dumps(result.record)


def test_a_target_that_is_not_set_is_an_error_that_says_how(tmp_path: Path) -> None:
    result = ran(tmp_path, "def test_a(target): target.get('/')")
    assert result.verdict == "could-not-decide"
    assert "--greenroom-target URL" in result.reasons


@everywhere
def test_a_verified_finding_is_the_checks_own(tmp_path: Path, workers: tuple[str, ...]) -> None:
    source = """
    from greenroom import Evidence, Finding, Rule
    proof = (Evidence("rows", 3, "psql", "16", "2026-11-23T00:00:00+00:00"),)
    def test_a(verify):
        verify(Finding.judged((Rule("rows", ">= 1", "3", True),), proof))
    def test_b(verify):
        verify(Finding.judged((Rule("rows", ">= 5", "3", False),), proof, advice="load more"))
    def test_c(verify):
        verify(Finding.judged((Rule("rows", ">= 0", "0", True),), ()))
    """
    result = ran(tmp_path, source, *workers)
    outcomes = [result.check(f"test_{name}")["outcome"] for name in "abc"]
    assert outcomes == ["passed", "failed", "inconclusive"]
    failed = result.check("test_b")
    assert failed["finding"]["advice"] == "load more"
    assert failed["finding"]["rules"] == [
        {"rule": "rows", "limit": ">= 5", "observed": "3", "met": False}
    ]
    assert "3 rows (psql 16)" in result.out


def test_a_finding_cannot_be_swallowed(tmp_path: Path) -> None:
    source = """
    from greenroom import Finding, Rule
    def test_a(verify):
        try: verify(Finding.judged((Rule("rows", ">= 5", "3", False),), ()))
        except Exception: pass
    """
    assert ran(tmp_path, source).verdict == "do-not-ship"


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("expekt = 1", "unknown key expekt"),
        ("expect = 1", "expect is not a table"),
        ("[expect]\nsmoke = 0", "expect: smoke is 0"),
        ("[expect]\nsmoke = true", "expect: smoke is True"),
        ("[expect]\nsmok = 1", "unknown kind or stage 'smok'"),
        ("target = 3", "target is 3, not a text"),
        ("[release]\nrevision = 3", "release.revision is 3, not a text"),
        ("secrets = 'A'", "secrets is not a list of names"),
        ("waivers = 1", "waivers is not a list"),
        ("[[waivers]]\ncheck = 'a'", "waivers[0]: reason is missing"),
        ("[[waivers]]\ncheck = 'a'\nreason = 'b'\nexpires = 'soon'", "expires is 'soon'"),
        ("[expect", "greenroom.toml"),
    ],
)
def test_wrong_settings_are_refused_at_the_start(
    tmp_path: Path, settings: str, message: str
) -> None:
    (tmp_path / "greenroom.toml").write_text(settings)
    result = ran(tmp_path, PASSING)
    assert result.code == 4
    assert message in result.out
    assert "hint: " in result.out
    assert result.verdict == "could-not-decide"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--greenroom-expect", "smoke"), "expected NAME=VALUE"),
        (("--greenroom-expect", "smoke=many"), "smoke is 'many'"),
        (("--greenroom-release", "=v7"), "expected NAME=VALUE"),
        (("--greenroom-settings", "none.toml"), "none.toml: cannot be read"),
    ],
)
def test_wrong_options_are_refused_at_the_start(
    tmp_path: Path, option: tuple[str, str], message: str
) -> None:
    result = ran(tmp_path, PASSING, *option)
    assert result.code == 4
    assert message in result.out


@pytest.mark.parametrize("marker", ["gate()", "gate('bloc')", "stage('prod')"])
@everywhere
def test_a_marker_that_means_nothing_is_refused(
    tmp_path: Path, workers: tuple[str, ...], marker: str
) -> None:
    result = ran(tmp_path, f"import pytest\n@pytest.mark.{marker}\n{PASSING}", *workers)
    assert result.code != 0
    assert result.verdict == "could-not-decide"
    assert "use one of: " in result.out


def test_the_command_line_wins_over_environment_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.greenroom.release]\na = 'file'\nb = 'file'\nc = 'file'"
    )
    monkeypatch.setenv("GREENROOM_RELEASE_B", "environment")
    monkeypatch.setenv("GREENROOM_RELEASE_C", "environment")
    result = ran(tmp_path, PASSING, "--greenroom-release", "c=line")
    assert result.record["release"] == {"a": "file", "b": "environment", "c": "line"}


@pytest.mark.parametrize(("days", "verdict"), [(0, "ship"), (-1, "do-not-ship")])
def test_a_waiver_holds_through_its_last_day(tmp_path: Path, days: int, verdict: str) -> None:
    last = datetime.now(UTC).date() + timedelta(days=days)
    (tmp_path / "greenroom.toml").write_text(
        f"[[waivers]]\ncheck = '*test_b'\nreason = 'known'\nexpires = {last}"
    )
    result = ran(tmp_path, f"{PASSING}\ndef test_b(): assert 0")
    assert result.verdict == verdict
    check = result.check("test_b")
    if days < 0:
        assert (check["waiver"], result.code) == (None, 1)
        assert f"its waiver expired on {last}" in check["finding"]["advice"]
    else:
        assert (check["waiver"]["reason"], result.code) == ("known", 0)


@everywhere
def test_a_secret_reaches_no_output(
    tmp_path: Path, workers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    (tmp_path / "greenroom.toml").write_text("secrets = ['API_KEY']")
    source = """
    import os
    def test_a():
        print("key", os.environ["API_KEY"])
        assert os.environ["API_KEY"] == "other"
    """
    result = ran(tmp_path, source, "--greenroom-release", "key=hunter2-hunter2", *workers)
    assert result.verdict == "do-not-ship"
    written = [path.read_text() for path in result.folder.iterdir()]
    assert not [text for text in (result.out, *written) if "hunter2-hunter2" in text]
    assert "[redacted]" in result.out


def test_credentials_in_the_targets_address_reach_no_output(tmp_path: Path) -> None:
    address = "http://user:hunter2@127.0.0.1:9/?token=hunter3"
    source = "def test_a(target): target.get('/')"
    result = ran(tmp_path, source, "--greenroom-target", address)
    written = [path.read_text() for path in result.folder.iterdir()]
    assert not [text for text in (result.out, *written) if "hunter" in text]


def test_a_message_of_megabytes_is_cut_once(tmp_path: Path) -> None:
    result = ran(tmp_path, "def test_a(): raise ValueError('x' * 5_000_000)", "--tb=no")
    assert "(5,000,012 characters in all)" in result.check("test_a")["finding"]["seen"]
    assert (result.folder / "run.json").stat().st_size < 100_000
    assert (result.folder / "report.html").stat().st_size < 200_000


def test_a_failure_with_secrets_keeps_its_line_in_the_short_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    (tmp_path / "greenroom.toml").write_text("secrets = ['API_KEY']")
    source = "def test_a():\n    key = 'hunter2-hunter2'\n    assert 5 == 4, key"
    result = ran(tmp_path, source)
    assert "FAILED test_it.py::test_a - AssertionError: [redacted]" in result.out


@pytest.mark.parametrize("target", ["notaurl", "localhost:80", "ftp://x", "http://"])
def test_a_target_that_is_no_address_is_refused_at_the_start(tmp_path: Path, target: str) -> None:
    result = ran(tmp_path, PASSING, "--greenroom-target", target)
    assert result.code == 4
    assert "target: it is not an address" in result.out


# When the plugin keeps out


def test_a_project_that_does_not_use_greenroom_sees_nothing_of_it(tmp_path: Path) -> None:
    result = ran(tmp_path, "import pytest\n@pytest.mark.skip\ndef test_a(): pass", report=None)
    assert result.code == 0
    assert "greenroom" not in result.out.replace("greenroom.plugins", "")


@pytest.mark.parametrize("place", ["pytest.ini", "conftest.py"])
@pytest.mark.parametrize("marker", ["integration", "gate", "stage"])
def test_a_projects_own_marker_of_the_same_name_is_its_own(
    tmp_path: Path, place: str, marker: str
) -> None:
    registered = {
        "pytest.ini": f"[pytest]\nmarkers =\n  {marker}: ours",
        "conftest.py": "def pytest_configure(config):\n"
        f"    config.addinivalue_line('markers', '{marker}(x): ours')",
    }
    (tmp_path / place).write_text(registered[place])
    source = f"import pytest\n@pytest.mark.{marker}(1)\n@pytest.mark.skip\ndef test_a(): pass"
    result = ran(tmp_path, source, report=None)
    assert (result.code, "greenroom: " in result.out) == (0, False)


def test_a_mere_mention_of_greenroom_wakes_nobody(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("# see tool.greenroom\n[project]\nname = 'x'")
    result = ran(tmp_path, "import pytest\n@pytest.mark.skip\ndef test_a(): pass", report=None)
    assert (result.code, "greenroom: " in result.out) == (0, False)


@everywhere
@pytest.mark.parametrize(
    ("wake", "arguments"),
    [
        ("marker", ()),
        ("gate", ()),
        ("stage", ()),
        ("option", ("--greenroom",)),
        ("file", ()),
        ("table", ()),
        ("environment", ()),
    ],
)
def test_a_marker_setting_or_option_gives_the_run_a_verdict(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
    wake: str,
    arguments: tuple[str, ...],
) -> None:
    if wake == "file":
        (tmp_path / "greenroom.toml").touch()
    elif wake == "table":
        (tmp_path / "pyproject.toml").write_text("[tool.greenroom]")
    elif wake == "environment":
        monkeypatch.setenv("GREENROOM_TARGET", "http://127.0.0.1:9")
    marks = {
        "marker": "@pytest.mark.smoke",
        "gate": "@pytest.mark.gate('block')",
        "stage": "@pytest.mark.stage('artifact')",
    }
    mark = marks.get(wake, "")
    source = f"import pytest\n{mark}\n{PASSING}\n@pytest.mark.skip\ndef test_b(): pass"
    result = ran(tmp_path, source, *arguments, *workers, report=None)
    assert result.code == 7
    assert "greenroom: COULD NOT DECIDE" in result.out
    assert "unconditional skip" in result.out


def test_a_file_that_breaks_before_the_plugin_wakes_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "test_a_broken.py").write_text("import no_such_module")
    source = "import pytest\n@pytest.mark.smoke\ndef test_a(): pass"
    arguments = ("test_a_broken.py", "--continue-on-collection-errors")
    result = ran(tmp_path, source, *arguments, report=None)
    assert result.code == 7
    assert "collection error in test_a_broken.py" in result.out


def test_every_kind_is_a_registered_marker() -> None:
    assert list(MARKERS) == [kind.value for kind in Kind]


def test_items_that_share_a_node_id_are_checks_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items): items.append(items[0])"
    )
    result = ran(tmp_path, PASSING)
    ids = [check["id"] for check in result.record["checks"]]
    assert ids == ["test_it.py::test_a", "test_it.py::test_a#2"]
    assert result.verdict == "ship"


def test_a_verdict_is_printed_even_where_pytest_prints_no_summary(tmp_path: Path) -> None:
    result = ran(tmp_path, "import pytest\ndef test_a(): pytest.exit('x', 77)")
    assert result.code == 77
    assert "greenroom: COULD NOT DECIDE" in result.out


def test_a_document_that_cannot_be_rendered_cannot_ship(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import greenroom.reports.html as html\nhtml.render = lambda record: 1 / 0"
    )
    result = ran(tmp_path, PASSING)
    assert (result.code, result.verdict) == (7, "could-not-decide")
    assert "a document was not written: ZeroDivisionError" in result.reasons
