"""Services and deliveries that go wrong around a suite that passes, or fails."""

from __future__ import annotations

from benchmarks._matrix_fault import SHORT_S, Deliveries, Fault
from tests.support.faults import After, Unheard
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
_FAILING = {"suites/test_it.py": _COUNTED.format(four=5)}

_ONCE = (
    Fault(
        "throttled twice", _PASSING, True, service=lambda ok: [Wrong.THROTTLE, Wrong.THROTTLE, ok]
    ),
    Fault(
        "throttled twice, the suite fails",
        _FAILING,
        service=lambda ok: [Wrong.THROTTLE, Wrong.THROTTLE, ok],
    ),
    Fault("HTTP 500 twice", _PASSING, True, service=lambda ok: [Wrong.FAIL, Wrong.FAIL, ok]),
    Fault(
        "access denied three times",
        _PASSING,
        True,
        service=lambda ok: [Wrong.DENY, Wrong.DENY, Wrong.DENY, ok],
    ),
    Fault("silent once", _PASSING, True, service=lambda ok: [Wrong.SILENT, ok]),
    Fault("drips once", _PASSING, True, service=lambda ok: [Wrong.DRIP, ok]),
    Fault("resets once", _PASSING, True, service=lambda ok: [Wrong.RESET, ok]),
    Fault("a proxy's page once", _PASSING, True, service=lambda ok: [Wrong.GARBAGE, ok]),
    Fault("each answer takes half a second", _PASSING, True, service=lambda ok: After(0.5, ok)),
    Fault(
        "takes the report, its answer is lost",
        _PASSING,
        True,
        service=lambda ok: [Unheard(Wrong.RESET, ok), ok],
    ),
)
_FOR_LONG = tuple(
    Fault(
        f"{what} until the event is delivered again",
        _PASSING,
        True,
        first_delivery=fault,
        timeout_s=SHORT_S,
    )
    for what, fault in {
        "silent": Wrong.SILENT,
        "HTTP 500": Wrong.FAIL,
        "access denied": Wrong.DENY,
    }.items()
)
_DELIVERED = (
    Fault("delivered again after the answer", _PASSING, True, deliveries=Deliveries.AGAIN),
    Fault(
        "delivered again after the answer, the suite fails", _FAILING, deliveries=Deliveries.AGAIN
    ),
    Fault("delivered twice at once", _PASSING, True, deliveries=Deliveries.TWICE_AT_ONCE),
)

SERVICE_FAULTS = (*_ONCE, *_FOR_LONG, *_DELIVERED)
