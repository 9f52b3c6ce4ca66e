"""What the fixtures `mock_service`, `local_aws` and `local_aws_session` do for one test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.recording import recording_of
from greenroom.plugins.settings import redactor_of
from greenroom.validators.errors import GreenroomError, ToolError
from greenroom.validators.finding import Finding
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greenroom.plugins.mock_aws import LocalAws
    from greenroom.plugins.mock_service import MockService
    from greenroom.plugins.recording import Recording
    from greenroom.plugins.redaction import Redactor

_INSTALL = "pip install 'greenroom[mocks]'"
_NONE_STARTED = Finding(
    Outcome.INCONCLUSIVE,
    "calls of a mock service",
    "asked for mock_service and started none",
    advice='start one: mock_service("users.yaml"), or do not ask for it',
)
_NOT_CALLED = Finding(
    Outcome.INCONCLUSIVE,
    "calls to the local AWS",
    "asked for local_aws and called nothing there",
    advice="call what the test is about, or do not ask for it",
)


@contextlib.contextmanager
def mock_services(request: pytest.FixtureRequest) -> Iterator[Callable[[str], MockService]]:
    """Give the function that starts mock services; at the end, judge and record their calls."""
    recording = recording_of(request.node)
    services: list[MockService] = []
    with _explained():
        _need("werkzeug")

    def start(file: str) -> MockService:
        from greenroom.plugins.mock_routes import read_api  # noqa: PLC0415 - loaded where used
        from greenroom.plugins.mock_service import MockService  # noqa: PLC0415 - as above

        path = _shortest(request.path.parent / file, request.config.rootpath)
        with _explained():
            service = MockService(read_api(path), recording.verify).start()
        services.append(service)
        return service

    failures = request.session.testsfailed
    try:
        yield start
    finally:
        for service in services:
            service.close()
    _record(services, recording, redactor_of(request.config))
    if request.session.testsfailed == failures:
        _judge(services, recording)


def _shortest(path: Path, root: Path) -> Path:
    """Return a path as people write it: from the project's folder, if it lies there."""
    with contextlib.suppress(ValueError):
        if root.samefile("."):
            return path.relative_to(root)
    return path


def _record(services: list[MockService], recording: Recording, redactor: Redactor) -> None:
    from greenroom.plugins.mock_record import calls_evidence  # noqa: PLC0415 - loaded where used

    for service in services:
        for served in service.served:
            recording.served.append(served.to_json(service.name, service.origin, redactor))
    if recording.served:
        recording.evidence.append(calls_evidence(len(recording.served)))


def _judge(services: list[MockService], recording: Recording) -> None:
    """Record every objection, and fail the test with them.

    A test that failed in its body says more about itself than its unused mocks do.
    """
    from greenroom.plugins.mock_record import judge_end  # noqa: PLC0415 - loaded where used

    found = [finding for service in services if (finding := judge_end(service))]
    found += [] if services else [_NONE_STARTED]
    recording.findings += found[1:]
    if found:
        recording.verify(found[0])


@contextlib.contextmanager
def local_aws(request: pytest.FixtureRequest) -> Iterator[LocalAws]:
    """Give the process's local AWS, emptied, with the environment leading there."""
    with _explained():
        service = _aws(request.config, _PER_TEST)
        service.reset()
        before = service.amount
    failures = request.session.testsfailed
    with service.in_environment() as refused:
        yield service
    recording = recording_of(request.node)
    with _explained():
        amount = service.amount - before
    _note_calls(recording, amount)
    if request.session.testsfailed > failures:
        return
    if refused:
        from greenroom.plugins.mock_escapes import judge_escapes  # noqa: PLC0415 - loaded where used

        recording.verify(judge_escapes(refused))
    elif not amount:
        recording.verify(_NOT_CALLED)


@contextlib.contextmanager
def local_aws_session(config: pytest.Config) -> Iterator[LocalAws]:
    """Give a local AWS of the session's own, whose state and environment stay until its end."""
    with _explained():
        service = _aws(config, _PER_SESSION)
    with service.in_environment():
        yield service


_PER_TEST: pytest.StashKey[LocalAws] = pytest.StashKey()
_PER_SESSION: pytest.StashKey[LocalAws] = pytest.StashKey()


def _aws(config: pytest.Config, key: pytest.StashKey[LocalAws]) -> LocalAws:
    """Return the server of this process (each of xdist's workers has its own), started once."""
    if (known := config.stash.get(key, None)) is None:
        _need("moto")
        from greenroom.plugins.mock_aws import LocalAws  # noqa: PLC0415 - loaded where used

        known = config.stash[key] = LocalAws.start()
        config.add_cleanup(known.close)
    return known


def _note_calls(recording: Recording, amount: int) -> None:
    from greenroom.plugins.mock_aws import aws_evidence  # noqa: PLC0415 - loaded where used

    if amount:
        recording.evidence.append(aws_evidence(amount))


def _need(package: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415 - only where used

    try:
        found = find_spec(package) is not None
    except ValueError:  # it is blocked
        found = False
    if not found:
        raise ToolError(f"{package} is not installed", hint=_INSTALL)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Show an error of ours with its hint."""
    try:
        yield
    except GreenroomError as error:
        raise pytest.UsageError(f"greenroom: {error.explain()}") from error
