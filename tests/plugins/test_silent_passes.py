"""What ends with exit status 0 under bare pytest, or leaves no word: never a green here."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.support.runs import ALONE, LIMIT_S, PLUGINS, TWO_WORKERS, Ran, environment, run

if TYPE_CHECKING:
    from pathlib import Path

everywhere = pytest.mark.parametrize(
    "workers", [pytest.param(ALONE, id="alone"), pytest.param(TWO_WORKERS, id="two-workers")]
)

SILENT = {
    "no-tests": ("", (), "passed on evidence"),
    "all-skipped": (
        """
        import pytest
        pytestmark = pytest.mark.skip(reason="later")
        def test_a(): pass
        def test_b(): pass
        """,
        (),
        "skipped: later",
    ),
    "skipped-file": (
        "import pytest; pytest.skip('not here', allow_module_level=True)",
        (),
        "skipped: not here",
    ),
    "all-xfail": (
        """
        import pytest
        @pytest.mark.xfail(reason="known")
        def test_a(): assert 0
        """,
        (),
        "expected to fail: known",
    ),
    "xpass": (
        """
        import pytest
        @pytest.mark.xfail(strict=False, reason="unsure")
        def test_a(): pass
        """,
        (),
        "expected to fail: unsure",
    ),
    "all-deselected": ("def test_a(): pass", ("-k", "nothing"), "passed on evidence"),
    "one-blocking-skipped": (
        """
        import pytest
        def test_a(): pass
        def test_b(): pytest.skip("no database")
        """,
        (),
        "test_b (inconclusive): skipped: no database",
    ),
    "expected-kind-missing": (
        "def test_a(): pass",
        ("--greenroom-expect", "smoke=1"),
        "smoke checks that ran: 0, expected >= 1",
    ),
    "expected-kind-too-few": (
        "def test_a(): pass",
        ("--greenroom-expect", "unit=2"),
        "unit checks that ran: 1, expected >= 2",
    ),
    "expected-stage-missing": (
        "def test_a(): pass",
        ("--greenroom-expect", "environment=1"),
        "environment checks that ran: 0, expected >= 1",
    ),
    "collection-error-passed-over": (
        "def test_a(): pass",
        ("test_broken.py", "test_it.py", "--continue-on-collection-errors"),
        "collection error in test_broken.py: ModuleNotFoundError",
    ),
    "os-exit": (
        """
        import os
        def test_a(): pass
        def test_b(): os._exit(0)
        def test_c(): pass
        """,
        (),
        "test_b",
    ),
    "pytest-exit": (
        """
        import pytest
        def test_a(): pass
        def test_b(): pytest.exit("x", 0)
        """,
        (),
        "test_b",
    ),
    "zero-subtests": (
        """
        def test_a(subtests):
            for answer in []:
                with subtests.test(answer):
                    assert answer
        """,
        (),
        "no subtest ran",
    ),
    "a-skipped-subtest": (
        """
        import pytest
        def test_a(subtests):
            with subtests.test("one"): pass
            with subtests.test("two"): pytest.skip("not now")
        """,
        (),
        "1 of 2 were skipped",
    ),
    "failing-teardown": (
        """
        import pytest
        @pytest.fixture
        def database():
            yield
            raise RuntimeError("still open")
        def test_a(database): pass
        """,
        (),
        "test_a (error): RuntimeError: still open",
    ),
    "failing-set-up": (
        """
        import pytest
        @pytest.fixture
        def database(): raise RuntimeError("not there")
        def test_a(database): pass
        """,
        (),
        "test_a (error): RuntimeError: not there",
    ),
    "target-not-asked": (
        """
        import pytest
        @pytest.mark.smoke
        def test_a(target): pass
        """,
        ("--greenroom-target", "http://127.0.0.1:9"),
        "sent it no request",
    ),
    "only-a-warning-passed": (
        """
        import pytest
        @pytest.mark.gate("warn")
        def test_a(): pass
        """,
        (),
        "blocking checks that passed on evidence: 0, expected >= 1",
    ),
    "unittest-async-body-that-never-ran": (
        """
        import unittest
        class TestIt(unittest.TestCase):
            async def test_a(self): assert 0
        """,
        ("-W", "ignore"),
        "test_a (inconclusive): its body was never run",
    ),
    "unittest-generator-body-that-never-ran": (
        """
        import unittest
        class TestIt(unittest.TestCase):
            def test_a(self):
                yield
                assert 0
        """,
        ("-W", "ignore"),
        "test_a (inconclusive): its body was never run",
    ),
    "a-verdict-returned-instead-of-asserted": (
        "def test_a(): return False",
        ("-W", "default"),
        "test_a (inconclusive): it returned something",
    ),
    "unittest-subtests-all-skipped": (
        """
        import unittest
        class TestIt(unittest.TestCase):
            def test_a(self):
                for i in range(3):
                    with self.subTest(i=i): self.skipTest("later")
        """,
        (),
        "3 of 3 were skipped",
    ),
    "a-subtest-of-a-fixture-that-failed": (
        """
        import pytest
        @pytest.fixture
        def seeded(subtests):
            for n in range(2):
                with subtests.test(n=n): assert n == 0
        def test_a(seeded, subtests):
            with subtests.test("body"): pass
        @pytest.mark.gate("info")
        def test_b(): assert 0
        """,
        (),
        "test_a: 1 of 3 failed: assert 1 == 0",
    ),
    "a-subtest-of-a-fixture-that-was-skipped": (
        """
        import pytest
        @pytest.fixture
        def seeded(subtests):
            with subtests.test("seed"): pytest.skip("later")
        def test_a(seeded): pass
        """,
        (),
        "1 of 1 were skipped",
    ),
    "a-gate-lowered-by-the-test-itself": (
        """
        import pytest
        def test_a(): pass
        def test_b(request):
            request.node.add_marker(pytest.mark.gate("info"))
            assert 0
        """,
        (),
        "test_b: assert 0",
    ),
    "a-finding-that-is-none": (
        "def test_a(verify): verify(None)",
        (),
        "TypeError: verify takes a greenroom.Finding, not NoneType",
    ),
    "exec": (
        """
        import os
        def test_a(): pass
        def test_b(): os.execv("/bin/true", ["true"])
        """,
        (),
        "test_b",
    ),
    "exit-in-a-process-pool": (
        """
        import os
        def test_a():
            if os.fork() == 0: os._exit(0)
            os.wait()
            raise SystemExit(0)
        """,
        (),
        "SystemExit",
    ),
}


def ran(folder: Path, source: str, *arguments: str) -> Ran:
    (folder / "test_broken.py").write_text("import no_such_module")
    (folder / "test_it.py").write_text(dedent(source))
    named = () if "test_it.py" in arguments else ("test_it.py",)
    return run(folder, *named, *arguments)


@everywhere
@pytest.mark.parametrize(("source", "arguments", "reason"), SILENT.values(), ids=SILENT)
def test_a_run_that_proved_nothing_does_not_ship(
    tmp_path: Path, workers: tuple[str, ...], source: str, arguments: tuple[str, ...], reason: str
) -> None:
    result = ran(tmp_path, source, *arguments, *workers)
    assert result.code != 0
    assert result.verdict in {"could-not-decide", "do-not-ship"}
    assert reason in result.reasons
    assert "greenroom: SHIP" not in result.out
    assert result.verdict.replace("-", " ").upper() in result.out


@everywhere
def test_a_failed_subtest_fails_its_passing_test(tmp_path: Path, workers: tuple[str, ...]) -> None:
    source = "def test_a(subtests):\n    with subtests.test('two'): assert 1 == 2"
    result = ran(tmp_path, source, *workers)
    assert (result.code, result.verdict) == (1, "do-not-ship")
    assert "1 of 1 failed: assert 1 == 2" in result.reasons


@everywhere
def test_a_run_stopped_by_maxfail_names_what_has_no_result(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    source = "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_a(n): assert n != 0"
    result = ran(tmp_path, source, "--maxfail=1", *workers)
    assert (result.code, result.verdict) == (1, "do-not-ship")
    assert "stopped early: stopping after 1 failures" in result.reasons
    assert "selected but without a result" in result.reasons


@everywhere
def test_maxfail_on_a_mere_warning_still_could_not_decide(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    source = """
    import pytest
    @pytest.mark.gate("warn")
    def test_a(): assert 0
    def test_b(): pass
    """
    result = ran(tmp_path, source, "--maxfail=1", *workers)
    assert result.verdict == "could-not-decide"
    assert result.code != 0


@everywhere
def test_a_collection_error_names_the_file(tmp_path: Path, workers: tuple[str, ...]) -> None:
    result = ran(tmp_path, "def test_a(): pass", "test_broken.py", "test_it.py", *workers)
    assert result.verdict == "could-not-decide"
    assert result.code not in {0, 1}
    assert "collection error in test_broken.py: ModuleNotFoundError" in result.reasons


def test_a_killed_worker_is_an_error_of_the_check_it_ran(tmp_path: Path) -> None:
    source = (
        "import os, signal\ndef test_a(): os.kill(os.getpid(), signal.SIGKILL)\ndef test_b(): 0"
    )
    result = ran(tmp_path, source, *TWO_WORKERS)
    assert (result.code, result.verdict) == (7, "could-not-decide")
    assert result.check("test_a")["outcome"] == "error"
    assert "crashed while running" in result.reasons


def test_a_killed_run_leaves_an_unfinished_record_and_its_events(tmp_path: Path) -> None:
    source = "import os\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), 9)"
    result = ran(tmp_path, source)
    assert result.code == -signal.SIGKILL
    assert (result.record["complete"], result.verdict) == (False, "could-not-decide")
    assert [event["event"] for event in result.events][-1] == "check-started"
    assert result.events[-1]["id"] == "test_it.py::test_b"


@everywhere
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_in_the_middle_ends_with_a_record_that_names_it(
    tmp_path: Path, workers: tuple[str, ...], number: signal.Signals
) -> None:
    (tmp_path / "test_it.py").write_text(
        "import time, pathlib\ndef test_a(): pathlib.Path('begun').touch(); time.sleep(30)"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGINS, "--greenroom-report=out", *workers],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=LIMIT_S)
    result = Ran(process.returncode, out, tmp_path / "out")
    assert (result.code, result.verdict) == (2, "could-not-decide")
    assert number.name in result.reasons
    assert "COULD NOT DECIDE" in out


@everywhere
def test_an_unwritable_report_folder_is_refused_at_the_start(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    (tmp_path / "test_it.py").write_text("def test_a(): pass")
    (tmp_path / "file").touch()
    result = run(tmp_path, *workers, report="file/out")
    assert result.code == 4
    assert "could not be written" in result.out
    assert "--greenroom-report" in result.out


@everywhere
def test_a_disk_that_fills_up_in_the_middle_cannot_ship(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "events.jsonl").symlink_to("/dev/full")
    result = ran(tmp_path, "def test_a(): pass", *workers)
    assert result.code == 7
    assert "No space left on device" in result.reasons
    assert not (folder / "report.html").exists()


@everywhere
def test_a_folder_that_goes_away_in_the_middle_cannot_ship(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    source = "import shutil\ndef test_a(): shutil.rmtree('out')"
    result = ran(tmp_path, source, *workers)
    assert result.code == 7
    assert "could not be written" in result.out
    assert not (result.folder / "run.json").exists()


@everywhere
@pytest.mark.parametrize(
    "option", ["--collect-only", "--setup-only", "--setup-plan", "--help", "--fixtures"]
)
def test_a_run_of_no_test_gives_no_verdict(
    tmp_path: Path, workers: tuple[str, ...], option: str
) -> None:
    result = ran(tmp_path, "def test_a(): pass", option, *workers)
    assert "greenroom: " not in result.out
    assert not result.folder.exists()


def test_a_forked_child_cannot_answer_for_the_run(tmp_path: Path) -> None:
    source = """
    import os, time
    child = None
    def test_a():
        global child
        child = os.fork()
    def test_b():
        if child == 0: time.sleep(0.3)
        else: assert 0
    def test_c():
        if child: os.waitpid(child, 0)
    """
    result = ran(tmp_path, source)
    assert (result.code, result.verdict) == (1, "do-not-ship")
    assert "greenroom: SHIP" not in result.out
    assert [event["event"] for event in result.events].count("run-finished") == 1


def test_two_runs_into_one_folder_cannot_ship(tmp_path: Path) -> None:
    source = """
    import os, subprocess, sys
    def test_a():
        if "INNER" not in os.environ:
            command = [sys.executable, "-m", "pytest", "-p", "greenroom.plugins.pytest_plugin"]
            inner = {"INNER": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **os.environ}
            subprocess.run([*command, "--greenroom-report=out", __file__], env=inner, check=True)
    """
    result = ran(tmp_path, source)
    assert (result.code, result.verdict) == (7, "could-not-decide")
    assert "another run wrote into the report folder" in result.reasons


def test_an_earlier_green_does_not_outlive_wrong_settings(tmp_path: Path) -> None:
    assert ran(tmp_path, "def test_a(): pass").verdict == "ship"
    (tmp_path / "greenroom.toml").write_text("targt = 'http://localhost'")
    result = ran(tmp_path, "def test_a(): pass")
    assert result.code == 4
    assert result.verdict == "could-not-decide"
    assert "unknown key targt" in result.reasons


@everywhere
@pytest.mark.parametrize("hook", ["pytest_sessionfinish", "pytest_terminal_summary"])
@pytest.mark.parametrize(
    "end",
    ["pytest.exit('x', 0)", "pytest.exit('x', 5)", "raise SystemExit(0)", "1 / 0"],
    ids=["exit-0", "exit-5", "system-exit", "error"],
)
def test_a_run_whose_end_breaks_does_not_ship(
    tmp_path: Path, workers: tuple[str, ...], hook: str, end: str
) -> None:
    (tmp_path / "conftest.py").write_text(
        f"import os, pytest\ndef {hook}():\n    if 'PYTEST_XDIST_WORKER' not in os.environ: {end}"
    )
    passing = ran(tmp_path, "def test_a(): pass", *workers)
    assert passing.verdict == "could-not-decide"
    assert passing.code != 0
    assert "the end of the run broke" in passing.reasons
    failing = ran(tmp_path, "def test_a(): assert 0", *workers)
    assert (failing.verdict, failing.code != 0) == ("do-not-ship", True)


@pytest.mark.parametrize(
    ("hook", "code"),
    [
        ("def pytest_sessionfinish(session): session.exitstatus = 9", 9),
        ("def pytest_sessionfinish(session): session.testsfailed = 0; session.exitstatus = 0", 0),
    ],
    ids=["worse", "better"],
)
def test_another_plugins_exit_status_can_only_make_it_worse(
    tmp_path: Path, hook: str, code: int
) -> None:
    (tmp_path / "conftest.py").write_text(hook)
    passing = ran(tmp_path, "def test_a(): pass")
    assert passing.code == code
    assert passing.verdict == ("could-not-decide" if code else "ship")
    failing = ran(tmp_path, "def test_a(): assert 0")
    assert (failing.code, failing.verdict) == (1, "do-not-ship")


COUNTING = """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    result = yield
    session.testsfailed += 1
    return result
"""


@pytest.mark.parametrize(
    "hook",
    [
        "def pytest_sessionfinish(session): session.exitstatus = 1",
        COUNTING,
    ],
    ids=["status", "count"],
)
def test_a_failure_that_nobody_recorded_is_not_explained_by_one_that_was(
    tmp_path: Path, hook: str
) -> None:
    (tmp_path / "conftest.py").write_text(hook)
    source = """
    import pytest
    def test_a(): pass
    @pytest.mark.gate("info")
    def test_b(): assert 0
    """
    result = ran(tmp_path, source)
    assert (result.code, result.verdict) == (7, "could-not-decide")
    assert "pytest ended with exit status 1" in result.reasons


def test_leaving_at_the_very_end_does_not_change_the_answer(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("def pytest_unconfigure(): raise SystemExit(0)")
    result = ran(tmp_path, "def test_a(): assert 0")
    assert (result.code, result.verdict) == (1, "do-not-ship")


def test_a_run_that_is_called_off_before_it_begins_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\ndef pytest_configure(): pytest.exit('not today', 0)"
    )
    result = ran(tmp_path, "def test_a(): pass")
    assert (result.code, result.verdict) == (7, "could-not-decide")


def test_an_earlier_green_does_not_outlive_a_conftest_that_leaves(tmp_path: Path) -> None:
    assert ran(tmp_path, "def test_a(): pass").verdict == "ship"
    (tmp_path / "conftest.py").write_text("raise SystemExit(0)")
    result = ran(tmp_path, "def test_a(): pass")
    assert not (result.folder / "run.json").exists()


@pytest.mark.parametrize("option", ["report", "target", "settings"])
def test_an_option_left_empty_is_refused(tmp_path: Path, option: str) -> None:
    (tmp_path / "test_it.py").write_text("def test_a(): pass")
    result = run(tmp_path, f"--greenroom-{option}=", report=None)
    assert result.code == 4
