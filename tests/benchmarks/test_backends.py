"""What public hooks and ours report of hostile backends, under the real Lambda runtime client."""

from __future__ import annotations

import pytest

from benchmarks._backends import BACKENDS, DRIP, OURS, SILENT, SUBJECTS, THEIRS, Backend, judged
from benchmarks._invocation import sandbox_is_allowed

FOOLED_BY = {"[null,null,null,null]", "a text of length 4", '{"length": 4}'}
HUNG_BY = {SILENT, DRIP}
AMPLE_S = 30
SHORT_S = 4

pytestmark = pytest.mark.slow
on_each_backend = pytest.mark.parametrize(
    "backend", [pytest.param(backend, id=backend.name) for backend in BACKENDS]
)


@pytest.fixture(scope="module")
def sandbox() -> bool:
    return sandbox_is_allowed()


@on_each_backend
def test_ours_is_never_wrong_and_never_silent(backend: Backend, *, sandbox: bool) -> None:
    outcome = judged(backend, OURS, sandbox=sandbox, timeout_s=AMPLE_S)
    assert (outcome.status, outcome.tries, outcome.late) == (backend.status, 1, False)


@on_each_backend
def test_the_reference_hook_is_fooled_by_three_and_hung_by_two(
    backend: Backend, *, sandbox: bool
) -> None:
    outcome = judged(backend, THEIRS, sandbox=sandbox, timeout_s=SHORT_S)
    fooled = "Succeeded" if backend.name in FOOLED_BY else backend.status
    assert outcome.status == (None if backend.name in HUNG_BY else fooled)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_hook_takes_the_right_answer(subject: str, *, sandbox: bool) -> None:
    outcome = judged(BACKENDS[0], subject, sandbox=sandbox, timeout_s=AMPLE_S)
    assert outcome.status == "Succeeded"
