"""Suites that go wrong, as the fault matrix has them: what is in the function, and who it checks.

A test file gets ``passes=True`` only where every test in it really passes.
"""

from __future__ import annotations

from benchmarks._matrix_fault import SHORT_S, Fault, Target
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
    "path.write_text(json.dumps({'schema': 'greenroom.run/1', 'run_id': 'another', 'checks': [],"
    " 'started': '2026-01-01T00:00:00+00:00', 'verdict': 'ship', 'complete': True}))",
    "os._exit(0)",
)
_BOMB = (
    "import os, time",
    "for _ in range(6):  # 64 processes, each of them a pytest",
    "    os.fork()",
    "time.sleep(60)",
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
    Fault("a test fails", _body("assert 2 + 2 == 5")),
    Fault("os._exit(0)", _body("import os", "os._exit(0)")),
    Fault("os._exit(1)", _body("import os", "os._exit(1)")),
    Fault("sys.exit(0)", _body("import sys", "sys.exit(0)")),
    Fault('pytest.exit("x", 0)', _body("import pytest", "pytest.exit('x', 0)")),
    Fault("segmentation fault", _body("import ctypes", "ctypes.string_at(0)")),
    Fault("kill -9", _body("import os", "os.kill(os.getpid(), 9)")),
    Fault("kill -9 of its process group", _body("import os", "os.killpg(0, 9)")),
    Fault(
        "endless recursion in C",
        _test(
            "import sys\n\nclass Endless:\n    def __repr__(self):\n        return repr(self)\n\n"
            "def test_it():\n    sys.setrecursionlimit(10**8)\n    repr(Endless())\n"
        ),
    ),
)
_HANGING = (
    Fault("hangs", _body("import time", "time.sleep(60)"), timeout_s=SHORT_S),
    Fault(
        "hangs and ignores SIGTERM",
        _body(
            "import signal, time",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "time.sleep(60)",
        ),
        timeout_s=SHORT_S,
    ),
    Fault(
        "stops itself with SIGSTOP",
        _body("import os, signal", "os.kill(os.getpid(), signal.SIGSTOP)"),
        timeout_s=SHORT_S,
    ),
    Fault(
        "a regular expression that holds the GIL",
        _body("import re", "re.match(r'(a+)+$', 'a' * 64 + 'b')"),
        timeout_s=SHORT_S,
    ),
    Fault("a bounded fork bomb", _body(*_BOMB), timeout_s=SHORT_S),
)
_GREEDY = (
    Fault(
        "takes all memory",
        _body("hog = []", "while True:", "    hog.append(b'x' * 8388608)"),
    ),
    Fault(
        "its children take all memory",
        _test(
            f"import subprocess, sys\n\nHOG = {_HOG!r}\n\ndef test_it():\n"
            "    hogs = [subprocess.Popen([sys.executable, '-c', HOG]) for _ in range(3)]\n"
            "    assert [hog.wait() for hog in hogs] == [0, 0, 0]\n"
        ),
        needs_function=True,
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
    ),
)
_EMPTY = (
    Fault("no test at all", _test("value = 4\n")),
    Fault("an empty suite folder", {"suites/.keep": ""}),
    Fault("no suite folder", {}),
    Fault(
        "every test is skipped",
        _test("import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n"),
    ),
    Fault(
        "the marker expression selects nothing",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_ARGS": "suites -m smoke"},
    ),
)
_BROKEN = (
    Fault("the test file cannot be imported", _test("import no_such_module_here\n" + _PASSING)),
    Fault("conftest.py is broken", {"suites/conftest.py": "raise ValueError\n", _TEST: _PASSING}),
    Fault(
        "conftest.py calls sys.exit(0)",
        {"suites/conftest.py": "import sys\nsys.exit(0)\n", _TEST: _PASSING},
    ),
    Fault(
        "conftest.py hides the failures",
        {
            "suites/conftest.py": (
                "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
            ),
            **_body("assert 2 + 2 == 5"),
        },
    ),
    Fault("the suite file is no YAML", {"suites/items.suite.yaml": "checks: [\n"}),
    Fault(
        "a variable of the suite is not set",
        _declarative("  - {name: a, http: {get: '/${env.NOWHERE}'}, expect: {status: 200}}"),
    ),
    Fault(
        "an option of a plugin that is not loaded",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_ARGS": "suites -n2"},
    ),
    Fault(
        "the settings name an unknown lifecycle event",
        _test(_PASSING),
        variables={"GREENROOM_HOOK_EVENT": "AfterLunch"},
    ),
    Fault(
        "the settings file is no TOML",
        {"greenroom.toml": "[hook\n", _TEST: _PASSING},
        own_settings=True,
    ),
)
_DECEIVING = (
    Fault("leaves another run's record, which ships", _body(*_FORGED)),
    Fault(
        "removes the report folder",
        _body(
            "import pathlib, shutil, sys",
            "told = [a for a in sys.argv if a.startswith('--greenroom-report=')][0]",
            "shutil.rmtree(pathlib.Path(told.partition('=')[2]))",
        ),
    ),
    Fault("closes every file", _body("import os", "os.closerange(0, 256)")),
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
    Fault("the target answers wrong", _ITEMS, target=_json([1, 2, 3])),
    Fault("the target answers 500", _ITEMS, target=_json([1, 2], 500)),
    Fault("nobody listens at the target", _ITEMS),
    Fault("the target is silent", _ITEMS, target=lambda: servers.hostile(servers.silent)),
    Fault("the target drips", _ITEMS, target=lambda: servers.hostile(servers.drip_body)),
    Fault("the target resets", _ITEMS, target=lambda: servers.hostile(servers.reset_in_body)),
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
