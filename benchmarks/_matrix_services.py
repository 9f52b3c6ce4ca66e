"""Services and deliveries that go wrong around a suite that passes, or fails."""

from __future__ import annotations

from benchmarks._matrix_fault import LONG_S, Deliveries, Fault
from tests.support.faults import After, Pass, Unheard
from tests.support.faults import Fault as Wrong

_COUNTED = """
import os
import pathlib

def test_answers():
    with pathlib.Path(os.environ["RUNS"]).open("a") as runs:
        runs.write("run\\n")
    assert 2 + 2 == {four}
"""
_PASSING = {"suites/test_it.py": _COUNTED.format(four=4)}
_FAILS = r"assert \(2 \+ 2\) == 5"
_FAILING = {"suites/test_it.py": _COUNTED.format(four=5)}

_ONCE = (
    Fault(
        "throttled twice",
        _PASSING,
        passes=True,
        service=lambda ok: [Wrong.THROTTLE, Wrong.THROTTLE, ok],
    ),
    Fault(
        "throttled twice, the suite fails",
        _FAILING,
        why=_FAILS,
        service=lambda ok: [Wrong.THROTTLE, Wrong.THROTTLE, ok],
    ),
    Fault("HTTP 500 twice", _PASSING, passes=True, service=lambda ok: [Wrong.FAIL, Wrong.FAIL, ok]),
    Fault(
        "access denied three times",
        _PASSING,
        passes=True,
        service=lambda ok: [Wrong.DENY, Wrong.DENY, Wrong.DENY, ok],
    ),
    Fault("silent once", _PASSING, passes=True, service=lambda ok: [Wrong.SILENT, ok]),
    Fault("drips once", _PASSING, passes=True, service=lambda ok: [Wrong.DRIP, ok]),
    Fault("resets once", _PASSING, passes=True, service=lambda ok: [Wrong.RESET, ok]),
    Fault("a proxy's page once", _PASSING, passes=True, service=lambda ok: [Wrong.GARBAGE, ok]),
    Fault(
        "each answer takes half a second", _PASSING, passes=True, service=lambda ok: After(0.5, ok)
    ),
    Fault(
        "takes the report, its answer is lost",
        _PASSING,
        passes=True,
        service=lambda ok: [Unheard(Wrong.RESET, ok), ok],
    ),
)
_FOR_LONG = tuple(
    Fault(
        f"{what} until the event is delivered again",
        _PASSING,
        passes=True,
        first_delivery=fault,
        timeout_s=LONG_S,
    )
    for what, fault in {
        "silent": Wrong.SILENT,
        "HTTP 500": Wrong.FAIL,
        "access denied": Wrong.DENY,
    }.items()
)
_DELIVERED = (
    Fault("delivered again after the answer", _PASSING, passes=True, deliveries=Deliveries.AGAIN),
    Fault(
        "delivered again after the answer, the suite fails",
        _FAILING,
        why=_FAILS,
        deliveries=Deliveries.AGAIN,
    ),
    Fault("delivered twice at once", _PASSING, passes=True, deliveries=Deliveries.TWICE_AT_ONCE),
)

_STORAGE = (
    Fault(
        "the ledger answers 500 once",
        _PASSING,
        passes=True,
        storage={"PUT .*/claim": [Wrong.FAIL, Pass()]},
    ),
    Fault(
        "the ledger is silent",
        _PASSING,
        why="not answered in time|timed out|ReadTimeout",
        storage={"/matrix": Wrong.SILENT},
        timeout_s=LONG_S,
    ),
    Fault(
        "the ledger denies access",
        _PASSING,
        why="AccessDenied",
        storage={"/matrix": Wrong.DENY},
        timeout_s=LONG_S,
    ),
    Fault(
        "the upload of the report is silent",
        _PASSING,
        passes=True,
        storage={"/reports/": Wrong.SILENT},
        variables={"GREENROOM_HOOK_UPLOAD": "s3://matrix/reports"},
        timeout_s=LONG_S,
    ),
)

SERVICE_FAULTS = (*_ONCE, *_FOR_LONG, *_DELIVERED, *_STORAGE)
