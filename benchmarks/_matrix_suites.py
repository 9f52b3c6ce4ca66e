"""Suites that go wrong, as the fault matrix has them: what is in the function, and who it checks.

A test file gets ``passes=True`` only where every test in it really passes.
"""

from __future__ import annotations

from benchmarks._matrix_fault import LONG_S, SHORT_S, Fault, Target
from tests.support import servers

_PASSING = "def test_answers():\n    assert 2 + 2 == 4\n"
_TEST = "suites/test_it.py"


def _test(text: str) -> dict[str, str]:
    return {_TEST: text}


def _body(*lines: str) -> dict[str, str]:
    """Return a file with one test of these lines."""
    return _test("\n".join(["def test_it():", *(f"    {line}" for line in lines), ""]))


def _declarative(*checks: str) -> dict[str, str]:
    head = ["version: 1", "name: items", "stage: environment"]
    return {"suites/items.suite.yaml": "\n".join([*head, "checks:", *checks, ""])}


_ITEMS = _declarative(
    "  - {name: lists two items, timeout: 1s, http: {get: /items}, "
    "expect: {status: 200, json: {$: {length: 2}}}}"
)
_HOG = "import time; hog = b'x' * (250 << 20); time.sleep(2)"
_FORGED = (
    "import json, os, pathlib, sys",
    "told = [a for a in sys.argv if a.startswith('--greenroom-report=')][0]",
    "path = pathlib.Path(told.partition('=')[2], 'run.json')",
    "record = {'schema': 'greenroom.run/1', 'run_id': 'another', 'checks': [], 'complete': True}",
    "record |= {'started': '2026-01-01T00:00:00+00:00', 'verdict': 'ship'}",
    "path.write_text(json.dumps(record))",
    "os.kill(os.getpid(), 9)",
)
_BOMB = (
    "import subprocess",
    "bomb = 'bomb() { [ $1 -eq 0 ] || { bomb $(($1-1)) & bomb $(($1-1)) & }; sleep 60; }; bomb 5'",
    "subprocess.run(['sh', '-c', bomb])  # 63 shells, each of them asleep",
)
_SMALL_DISK = """
import os
import subprocess

os.makedirs("/tmp/greenroom-small", exist_ok=True)
subprocess.run(
    ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "/tmp/greenroom-small"], check=True
)
os.environ["TMPDIR"] = "/tmp/greenroom-small"
os.environ["GREENROOM_HOOK_REPORT"] = "/tmp/greenroom-small/reports"

from greenroom.plugins.hook import handler
"""
"""A handler whose /tmp has 256 KiB: the mount is the sandbox's own."""

CONTROL = Fault("the suite passes (control)", _test(_PASSING), passes=True)

_DYING = (
    Fault("a test fails", _body("assert 2 + 2 == 5"), why=r"assert \(2 \+ 2\) == 5"),
    Fault("os._exit(0)", _body("import os", "os._exit(0)"), why=r"os\._exit\(0\) was called"),
    Fault("os._exit(1)", _body("import os", "os._exit(1)"), why=r"os\._exit\(1\) was called"),
    Fault("sys.exit(0)", _body("import sys", "sys.exit(0)"), why="SystemExit: 0"),
    Fault(
        'pytest.exit("x", 0)',
        _body("import pytest", "pytest.exit('x', 0)"),
        why=r"pytest\.exit was called",
    ),
    Fault("segmentation fault", _body("import ctypes", "ctypes.string_at(0)"), why="signal 11"),
    Fault("kill -9", _body("import os", "os.kill(os.getpid(), 9)"), why="signal 9"),
    Fault("kill -9 of its process group", _body("import os", "os.killpg(0, 9)"), why="signal 9"),
    Fault(
        "endless recursion in C",
        _test(
            "import sys\n\nclass Endless:\n    def __repr__(self):\n        return repr(self)\n\n"
            "def test_it():\n    sys.setrecursionlimit(10**8)\n    repr(Endless())\n"
        ),
        why="signal 11|RecursionError",
    ),
)
_HANGING = (
    Fault("hangs", _body("import time", "time.sleep(60)"), timeout_s=SHORT_S, why="deadline"),
    Fault(
        "hangs and ignores SIGTERM",
        _body(
            "import signal, time",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "time.sleep(60)",
        ),
        timeout_s=SHORT_S,
        why="deadline",
    ),
    Fault(
        "stops itself with SIGSTOP",
        _body("import os, signal", "os.kill(os.getpid(), signal.SIGSTOP)"),
        timeout_s=SHORT_S,
        why="deadline",
    ),
    Fault(
        "a regular expression that holds the GIL",
        _body("import re", "re.match(r'(a+)+$', 'a' * 64 + 'b')"),
        timeout_s=SHORT_S,
        why="deadline",
    ),
    Fault("a bounded fork bomb", _body(*_BOMB), timeout_s=SHORT_S, why="deadline"),
)
_GREEDY = (
    Fault(
        "takes all memory",
        _body("hog = []", "while True:", "    hog.append(b'x' * 8388608)"),
        why="MemoryError",
    ),
    Fault(
        "its children take all memory",
        _test(
            f"import subprocess, sys\n\nHOG = {_HOG!r}\n\ndef test_it():\n"
            "    hogs = [subprocess.Popen([sys.executable, '-c', HOG]) for _ in range(3)]\n"
            "    assert [hog.wait() for hog in hogs] == [0, 0, 0]\n"
        ),
        needs_function=True,
        why="-9",
    ),
    Fault(
        "floods the log with 40 MB and passes",
        _body("import os", "for _ in range(640):", "    os.write(2, b'x' * 65535 + b'\\n')"),
        passes=True,
    ),
    Fault(
        "fills the disk",
        {
            "small.py": _SMALL_DISK,
            **_body(
                "import tempfile",
                "with open(tempfile.mkstemp()[1], 'wb', buffering=0) as hog:",
                "    try:",
                "        while hog.write(b'x' * 4096):",
                "            pass",
                "    except OSError:",
                "        pass  # full, and nobody noticed",
            ),
        },
        handler="small.handler",
        needs_function=True,
        why="No space left",
    ),
)
_EMPTY = (
    Fault("no test at all", _test("value = 4\n"), why="evidence: 0"),
    Fault("an empty suite folder", {"suites/.keep": ""}, why="evidence: 0"),
    Fault("no suite folder", {}, why="not found: suites"),
    Fault(
        "every test is skipped",
        _test("import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n"),
        why="skipped: later",
    ),
    Fault(
        "the marker expression selects nothing",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_ARGS": "suites -m smoke"},
        why="evidence: 0",
    ),
)
_BROKEN = (
    Fault(
        "the test file cannot be imported",
        _test("import no_such_module_here\n" + _PASSING),
        why="no_such_module_here",
    ),
    Fault(
        "conftest.py is broken",
        {"suites/conftest.py": "raise ValueError\n", _TEST: _PASSING},
        why="exit status 4",
    ),
    Fault(
        "conftest.py calls sys.exit(0)",
        {"suites/conftest.py": "import sys\nsys.exit(0)\n", _TEST: _PASSING},
        why="no run record",
    ),
    Fault(
        "conftest.py hides the failures",
        {
            "suites/conftest.py": (
                "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
            ),
            **_body("assert 2 + 2 == 5"),
        },
        why=r"assert \(2 \+ 2\) == 5",
    ),
    Fault(
        "the suite file is no YAML",
        {"suites/items.suite.yaml": "checks: [\n"},
        why="not valid YAML",
    ),
    Fault(
        "a variable of the suite is not set",
        _declarative("  - {name: a, http: {get: '/${env.NOWHERE}'}, expect: {status: 200}}"),
        why="NOWHERE} is not set",
    ),
    Fault(
        "an option of a plugin that is not loaded",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_ARGS": "suites -n2"},
        why="unrecognized arguments: -n2",
    ),
    Fault(
        "the settings name an unknown lifecycle event",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_EVENT": "AfterLunch"},
        why="AfterLunch",
    ),
    Fault(
        "the settings file is no TOML",
        {"greenroom.toml": "[hook\n", _TEST: _PASSING},
        own_settings=True,
        why=r"greenroom\.toml",
    ),
)
_DECEIVING = (
    Fault("leaves another run's record, which ships", _body(*_FORGED), why="signal 9"),
    Fault(
        "removes the report folder",
        _body(
            "import pathlib, shutil, sys",
            "told = [a for a in sys.argv if a.startswith('--greenroom-report=')][0]",
            "shutil.rmtree(pathlib.Path(told.partition('=')[2]))",
        ),
        why="no run record",
    ),
    Fault(
        "closes every file",
        _body("import os", "os.closerange(0, 256)"),
        why="no run record|did not finish|INTERNAL|Bad file descriptor",
    ),
    Fault(
        "closes its output and passes",
        _body("import os", "os.close(1)", "os.close(2)"),
        passes=True,
    ),
    Fault(
        "passes and leaves a thread",
        _body("import threading, time", "threading.Thread(target=time.sleep, args=(60,)).start()"),
        passes=True,
    ),
    Fault(
        "passes and leaves a child that holds its output",
        _body("import subprocess", "subprocess.Popen(['sleep', '60'], start_new_session=True)"),
        passes=True,
    ),
)


def _json(value: object, status: int = 200) -> Target:
    return lambda: servers.serving(lambda _: servers.json_reply(value, status))


_TARGETS = (
    Fault("the target answers right", _ITEMS, passes=True, target=_json([1, 2])),
    Fault("the target answers wrong", _ITEMS, target=_json([1, 2, 3]), why="length 3"),
    Fault(
        "the target answers 500",
        _ITEMS,
        target=_json([1, 2], 500),
        why="status 500",
        timeout_s=LONG_S,
    ),
    Fault("nobody listens at the target", _ITEMS, why="connection refused", timeout_s=LONG_S),
    Fault(
        "the target is silent",
        _ITEMS,
        target=lambda: servers.hostile(servers.silent),
        why="timed out",
        timeout_s=LONG_S,
    ),
    Fault(
        "the target drips",
        _ITEMS,
        target=lambda: servers.hostile(servers.drip_body),
        why="timed out",
        timeout_s=LONG_S,
    ),
    Fault(
        "the target resets",
        _ITEMS,
        target=lambda: servers.hostile(servers.reset_in_body),
        why="connection broke",
        timeout_s=LONG_S,
    ),
)

SUITE_FAULTS = (
    CONTROL,
    *_DYING,
    *_HANGING,
    *_GREEDY,
    *_EMPTY,
    *_BROKEN,
    *_DECEIVING,
    *_TARGETS,
)
