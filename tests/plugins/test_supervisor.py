"""Supervised suites: what counts as a verdict, and that nothing survives or leaks."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.processes import family
from greenroom.plugins.suite_process import Suite, absolute, command_of, environment_of
from greenroom.plugins.supervisor import Ending, Supervised, attempt, supervise
from greenroom.validators.errors import SettingsError
from greenroom.validators.record import RunRecord
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSING = "def test_it():\n    assert True\n"
FORGE = """
import json, os, pathlib, time
def test_it():
    report = pathlib.Path({report!r})
    record = json.loads(pathlib.Path({shipped!r}).read_text())
    {change}
    part = report / "forged"
    part.write_text(json.dumps(record))
    part.replace(report / "run.json")
    {end}
"""
OWN_ID = 'record["run_id"] = os.environ["GREENROOM_SUPERVISED_RUN"]'


@pytest.fixture
def suite(tmp_path: Path) -> Callable[[str], Suite]:
    """Make a suite of one file."""
    (tmp_path / "work").mkdir()

    def make(text: str) -> Suite:
        (tmp_path / "test_it.py").write_text(text)
        return Suite(
            arguments=("test_it.py",),
            root=tmp_path,
            report=tmp_path / "report",
            work=tmp_path / "work",
            environment=os.environ,
        )

    return make


@pytest.fixture
def run(suite: Callable[[str], Suite]) -> Callable[[str], Supervised]:
    return lambda text: supervise(suite(text), seconds=30)


def test_a_passing_suite_ships_without_a_reason(run: Callable[[str], Supervised]) -> None:
    result = run(PASSING)
    assert (result.verdict, result.reasons) == (Verdict.SHIP, ())
    assert (result.ending, result.exit_status) == (Ending.EXITED, 0)
    assert result.record
    assert result.record.is_file()


def test_a_stale_record_never_ships(suite: Callable[[str], Suite], tmp_path: Path) -> None:
    supervise(suite(PASSING), seconds=30)
    result = supervise(replace(suite(PASSING), arguments=("-p", "no_such_plugin")), seconds=30)
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert "the suite left no run record" in result.reasons
    assert result.record is None
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["pytest.log"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("test_it.py", "-n2"), "unrecognized arguments: -n2"),
        (("test_it.py", "-o", "required_plugins=pytest-xdist"), "Missing required plugins"),
        (("missing.py",), "file or directory not found: missing.py"),
    ],
    ids=["option-of-a-plugin", "required-plugin", "no-such-file"],
)
def test_an_unusable_command_line_is_explained_and_hints_at_plugins(
    suite: Callable[[str], Suite], arguments: tuple[str, ...], complaint: str
) -> None:
    result = supervise(replace(suite(PASSING), arguments=arguments), seconds=30)
    assert (result.verdict, result.exit_status) == (Verdict.COULD_NOT_DECIDE, 4)
    assert complaint in " ".join(result.reasons)
    assert "add -p NAME" in result.reasons[-1]


def test_a_plugin_that_is_named_is_loaded(suite: Callable[[str], Suite]) -> None:
    with_xdist = replace(suite(PASSING), arguments=("-p", "xdist", "-n1", "test_it.py"))
    assert supervise(with_xdist, seconds=30).reasons == ()


def test_a_run_within_the_suite_is_another_run(run: Callable[[str], Supervised]) -> None:
    """Else its record could stand for that of a suite that died after it."""
    result = run("""
import os, pathlib, subprocess, sys
def test_it(tmp_path, pytestconfig):
    inner = tmp_path / "test_inner.py"
    inner.write_text("def test_inner(): pass")
    report = pytestconfig.getoption("greenroom_report")
    subprocess.run([sys.executable, "-m", "pytest", "-p", "greenroom.plugins.pytest_plugin",
                    str(inner), f"--greenroom-report={report}"], check=True)
    os.kill(os.getpid(), 9)
""")
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert "the run record is another run's" in result.reasons


def test_what_tells_a_record_from_others_is_its_run_id_alone(
    run: Callable[[str], Supervised],
) -> None:
    result = run(PASSING)
    assert result.record
    record = RunRecord.loads(result.record.read_bytes())
    page = (result.record.parent / "report.html").read_text()
    assert record.release == {}
    assert page.count(record.run_id) == 1


@pytest.mark.parametrize(
    ("change", "end", "reason"),
    [
        ("pass", "os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("pass", "time.sleep(0)", "another run wrote into the report folder"),
        (OWN_ID, "os.kill(os.getpid(), 9)", "killed by signal 9"),
        ('record["complete"] = False;' + OWN_ID, "os.kill(os.getpid(), 9)", "record"),
    ],
    ids=["another-run-s-then-kill", "another-run-s-then-pass", "its-own-then-kill", "edited"],
)
def test_a_record_written_by_the_suite_ships_nothing_it_did_not_prove(
    suite: Callable[[str], Suite], tmp_path: Path, change: str, end: str, reason: str
) -> None:
    supervise(replace(suite(PASSING), report=tmp_path / "earlier"), seconds=30)
    shipped = str(tmp_path / "earlier" / "run.json")
    report = str(tmp_path / "report")
    text = FORGE.format(report=report, shipped=shipped, change=change, end=end)
    result = supervise(suite(text), seconds=30)
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert reason in " ".join(result.reasons)


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        ("os.mkfifo(path)", "not a file"),
        ("path.write_text('{')", "not JSON"),
        ("path.write_text('[' * 100000)", "cannot be read"),
        ("path.mkdir()", "not a file"),
        ("None", "left no run record"),
    ],
    ids=["a-pipe", "cut-short", "nested", "a-folder", "nothing"],
)
def test_whatever_else_stands_in_the_record_s_place_is_no_record(
    run: Callable[[str], Supervised], tmp_path: Path, leave: str, reason: str
) -> None:
    path = str(tmp_path / "report" / "run.json")
    result = run(
        f"import os, pathlib\npath = pathlib.Path({path!r})\n"
        f"def test_it():\n    path.unlink()\n    {leave}\n    os.kill(os.getpid(), 9)\n"
    )
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert reason in " ".join(result.reasons)


def test_a_good_record_with_a_bad_exit_does_not_ship(run: Callable[[str], Supervised]) -> None:
    result = run(f"import atexit, os\natexit.register(os.kill, os.getpid(), 9)\n{PASSING}")
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert result.reasons == ("pytest was killed by signal 9 (Killed)",)


def test_the_deadline_leaves_time_for_a_record_that_says_what_was_running(
    suite: Callable[[str], Suite],
) -> None:
    result = supervise(suite("import time\ndef test_it():\n    time.sleep(60)\n"), seconds=2)
    assert result.ending is Ending.TIMED_OUT
    assert result.reasons[0] == "the suite did not finish before its deadline"
    assert "while running test_it.py::test_it" in " ".join(result.reasons)


def test_cancellation_ends_the_run(suite: Callable[[str], Suite], tmp_path: Path) -> None:
    cancel = threading.Event()
    mark = tmp_path / "started"
    text = f"import time, pathlib\ndef test_it():\n    pathlib.Path({str(mark)!r}).touch()\n"
    results: list[Supervised] = []
    described = suite(text + "    time.sleep(60)\n")
    thread = threading.Thread(
        target=lambda: results.append(supervise(described, seconds=50, cancel=cancel))
    )
    thread.start()
    while not mark.exists():
        time.sleep(0.01)
    cancel.set()
    thread.join()
    assert results[0].ending is Ending.INTERRUPTED
    assert results[0].reasons[0] == "the run was interrupted"


def test_no_process_survives_not_even_one_that_left_family_and_session(
    run: Callable[[str], Supervised], tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    result = run(f"""
import subprocess, sys, time, pathlib
def test_it():
    subprocess.Popen([sys.executable, "-c", '''
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("{pid}.part", "w").write(str(os.getpid()))
        os.rename("{pid}.part", "{pid}")
        time.sleep(60)
'''])
    while not pathlib.Path("{pid}").exists():
        time.sleep(0.01)
""")
    assert result.verdict is Verdict.SHIP
    assert not family(int(pid.read_text()))


def test_more_output_than_the_log_takes_stops_nobody(suite: Callable[[str], Suite]) -> None:
    text = "def test_it():\n    for _ in range(100): print('x' * 100_000)\n    print('the end')\n"
    loud = replace(suite(text), arguments=("test_it.py", "-s"))
    result = supervise(loud, seconds=30)
    assert result.verdict is Verdict.SHIP
    assert result.log
    log = result.log.read_text()
    assert "bytes left out]" in log
    assert "the end" in log
    assert len(log) < 5 * 1024 * 1024


def test_what_lingers_after_a_complete_record_is_ended(run: Callable[[str], Supervised]) -> None:
    result = run(
        "import threading, time\ndef test_it():\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    assert (result.verdict, result.ending) == (Verdict.SHIP, Ending.LINGERED)


def test_a_system_without_waitid_is_served_too(
    run: Callable[[str], Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "waitid")
    assert run(PASSING).verdict is Verdict.SHIP


def test_a_suite_may_remove_its_own_report_folder(
    run: Callable[[str], Supervised], tmp_path: Path
) -> None:
    result = run(
        "import os, shutil\ndef test_it():\n"
        f"    shutil.rmtree({str(tmp_path / 'report')!r})\n    os.kill(os.getpid(), 9)\n"
    )
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert "the suite left no run record" in result.reasons


def test_memory_is_bounded(suite: Callable[[str], Suite]) -> None:
    hog = suite("def test_it():\n    hog = bytearray(1 << 30)\n")
    result = supervise(replace(hog, memory_kib=256 * 1024), seconds=30)
    assert result.verdict is Verdict.DO_NOT_SHIP
    assert "MemoryError" in result.reasons[0]


def test_home_and_current_folder_are_the_work_folder(
    run: Callable[[str], Supervised], tmp_path: Path
) -> None:
    work = str(tmp_path / "work")
    result = run(
        "import os, tempfile\ndef test_it():\n"
        f"    assert (os.getcwd(), os.environ['HOME'], tempfile.gettempdir()) == ({work!r},) * 3\n"
    )
    assert result.reasons == ()


def test_an_unusable_description_becomes_a_reason() -> None:
    def describe() -> Suite:
        raise SettingsError("no such thing", hint="make one")

    result = attempt(describe, seconds=5)
    assert result.verdict is Verdict.COULD_NOT_DECIDE
    assert result.reasons == ("no such thing\n  hint: make one",)
    assert result.ending is Ending.NOT_STARTED


def test_credentials_and_misleading_variables_are_withheld(suite: Callable[[str], Suite]) -> None:
    environment = {
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_PROFILE": "p",
        "AWS_REGION": "r",
        "PYTEST_ADDOPTS": "-x",
        "TRIVIA_URL": "http://127.0.0.1",
    }
    described = replace(suite(PASSING), environment=environment, passed=("AWS_PROFILE",))
    given = environment_of(described, "id")
    assert set(environment) & set(given) == {"AWS_PROFILE", "AWS_REGION", "TRIVIA_URL"}
    assert given["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == given["CI"] == "1"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (["suites"], ["{root}/suites"]),
        (["suites::test_it"], ["{root}/suites::test_it"]),
        (["-k", "suites"], ["-k", "suites"]),
        (["--ignore=suites"], ["--ignore={root}/suites"]),
        (["--ignore", "suites"], ["--ignore", "{root}/suites"]),
        (["--deselect=suites"], ["--deselect=suites"]),
        (["missing", "-v"], ["missing", "-v"]),
    ],
    ids=["folder", "node-id", "words", "option=path", "option-path", "deselect", "missing"],
)
def test_paths_become_absolute_and_words_stay(
    tmp_path: Path, given: list[str], made: list[str]
) -> None:
    (tmp_path / "suites").mkdir()
    assert absolute(given, tmp_path) == [item.format(root=tmp_path) for item in made]


@pytest.mark.parametrize(
    ("arguments", "added"),
    [((), True), (("-k", "smoke"), True), (("a.py",), False), (("--pyargs", "x"), False)],
    ids=["nothing", "words-only", "a-path", "a-package"],
)
def test_without_a_place_the_whole_root_is_collected(
    suite: Callable[[str], Suite], arguments: tuple[str, ...], *, added: bool
) -> None:
    described = replace(suite(PASSING), arguments=arguments)
    assert (str(described.root) in command_of(described)) is added
