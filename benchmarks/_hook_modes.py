"""What a suite, or the endpoint that it is reported to, can do to a hook."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.codedeploy import Answer


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to go right or wrong: ``suite`` is a test file, ``answers`` the endpoint's script.

    ``status`` is what has to be reported.
    """

    name: str
    status: str
    suite: str
    answers: tuple[Answer, ...] = (Answer.ACCEPT,)


_PASSING = "def test_answers():\n    assert 2 + 2 == 4\n"
_SUITE_MODES = {
    "failing test": "def test_answers():\n    assert 2 + 2 == 5\n",
    "os._exit(1)": "import os\ndef test_it():\n    os._exit(1)\n",
    "os._exit(0)": "import os\ndef test_it():\n    os._exit(0)\n",
    "segmentation fault": "import ctypes\ndef test_it():\n    ctypes.string_at(0)\n",
    "kill -9": "import os\ndef test_it():\n    os.kill(os.getpid(), 9)\n",
    "regex that holds the GIL": (
        "import re\ndef test_it():\n    re.match(r'(a+)+$', 'a' * 64 + 'b')\n"
    ),
    "memory hog": (
        "def test_it():\n    hog = []\n    while True:\n        hog.append(b'x' * 8388608)\n"
    ),
    "memory hogs as children": (
        "import subprocess, sys\nHOG = 'import time; hog = b\"x\" * (250 << 20); time.sleep(2)'\n"
        "def test_it():\n"
        "    hogs = [subprocess.Popen([sys.executable, '-c', HOG]) for _ in range(3)]\n"
        "    assert [hog.wait() for hog in hogs] == [0, 0, 0]\n"
    ),
    "hang": "import time\ndef test_it():\n    time.sleep(60)\n",
    "hang, SIGTERM ignored": (
        "import signal, time\ndef test_it():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)\n"
    ),
    'pytest.exit("x", 0)': "import pytest\ndef test_it():\n    pytest.exit('x', 0)\n",
    "sys.exit(0)": "import sys\ndef test_it():\n    sys.exit(0)\n",
    "zero tests": "value = 4\n",
    "all skipped": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n",
    "import error": "import no_such_module_here\ndef test_it():\n    pass\n",
}
_LEFT_OVER = {
    "left-over thread": (
        "import threading, time\ndef test_it():\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
    ),
    "left-over child with stdout": (
        "import subprocess\ndef test_it():\n"
        "    subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
    ),
}
_REPORT_MODES = {
    "report: already completed": (Answer.ALREADY_COMPLETED,),
    "report: throttled twice": (Answer.THROTTLE, Answer.THROTTLE, Answer.ACCEPT),
    "report: reset once": (Answer.RESET, Answer.ACCEPT),
    "report: silent": (Answer.SILENT,),
    "report: always 500": (Answer.FAIL,),
}

MODES = (
    Mode("passing (control)", "Succeeded", _PASSING),
    *(Mode(name, "Failed", suite) for name, suite in _SUITE_MODES.items()),
    *(Mode(name, "Succeeded", suite) for name, suite in _LEFT_OVER.items()),
    *(Mode(name, "Succeeded", _PASSING, answers) for name, answers in _REPORT_MODES.items()),
)
