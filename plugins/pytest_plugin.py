"""The pytest plugin: options, markers, fixtures, and when Greenroom takes part in a run.

It is inert unless a greenroom option, setting, marker or suite file is used. This module is loaded
in every project where Greenroom is installed, so it imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import gc
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    import httpx

    from greenroom.plugins.mock_aws import LocalAws
    from greenroom.plugins.mock_service import MockService
    from greenroom.plugins.probes import Probe
    from greenroom.plugins.recorder import Recorder
    from greenroom.validators.finding import Finding

MARKERS = {
    "unit": "a check of the artifact: its code alone",
    "static": "a check of the artifact: static analysis",
    "image": "a check of the artifact: its container image",
    "template": "a check of the artifact: its infrastructure templates",
    "smoke": "a check of the environment: it answers at all",
    "integration": "a check of the environment: it works with its dependencies",
    "contract": "a check of the environment: it answers in the agreed form",
    "load": "a check of the environment: it holds under load",
    "security": "a check of the environment: it refuses what it must",
    "monitor": "a check of the environment: what its monitoring says",
}
_OTHER_MARKERS = {
    "gate(level)": "what a check that did not pass does: block (default), warn or info",
    "stage(name)": "artifact or environment, where it is not the kind's own",
}
_MARKER_LINES = [f"{name}: {meaning}" for name, meaning in (MARKERS | _OTHER_MARKERS).items()]
SUITE = (".suite.yaml", ".suite.yml")
_NO_RUN = (
    "collectonly",
    "setuponly",
    "setupplan",
    "showfixtures",
    "show_fixtures_per_test",
    "markers",
    "help",
    "version",
    "cacheshow",
)
"""Options under which pytest runs no test: there is no verdict to give."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option group."""
    group = parser.getgroup("greenroom", "deployment validation (greenroom)")
    group.addoption(
        "--greenroom", action="store_true", help="record this run as checks and give a verdict"
    )
    group.addoption("--greenroom-report", metavar="DIR", help="write the run's documents to DIR")
    group.addoption(
        "--greenroom-update-snapshots",
        action="store_true",
        help="write the snapshots of declarative checks instead of comparing with them",
    )
    group.addoption("--greenroom-target", metavar="URL", help="the address of what is checked")
    group.addoption(
        "--greenroom-ready",
        metavar="PATH",
        help="before the first check, wait until the target answers PATH (below 500, unless set)",
    )
    group.addoption(
        "--greenroom-settings",
        metavar="FILE",
        help="settings (default: greenroom.toml, or [tool.greenroom] in pyproject.toml)",
    )
    for name, what in (
        ("release", "a fact of the release (revision, image, application, environment, ...)"),
        ("set", "a variable of declarative suites (${settings.NAME})"),
        ("expect", "the least number of checks of a kind or stage that must run"),
    ):
        metavar = "KIND=N" if name == "expect" else "NAME=VALUE"
        group.addoption(
            f"--greenroom-{name}", action="append", default=[], metavar=metavar, help=what
        )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Remove an earlier run's record before any code of the project can end this one."""
    given = early_config.known_args_namespace
    folder = given.greenroom_report or os.environ.get("GREENROOM_REPORT")
    runs = not any(getattr(given, name, None) for name in _NO_RUN)
    if folder and runs and "PYTEST_XDIST_WORKER" not in os.environ:
        with contextlib.suppress(OSError):  # said when the folder is written to
            os.unlink(os.path.join(folder, "run.json"))  # noqa: PTH108, PTH118 - no import at start


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; take part if an option or a setting asks for it."""
    for line in _MARKER_LINES:
        config.addinivalue_line("markers", line)
    if any(config.getoption(name, None) for name in _NO_RUN):
        return
    if _is_asked_for(config):
        _take_part(config)
    else:
        config.pluginmanager.register(_Dormant(config), "greenroom-dormant")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.suite.yaml`` and ``*.suite.yml`` files."""
    if not file_path.name.endswith(SUITE):
        return None
    from greenroom.plugins.suite_items import SuiteFile  # noqa: PLC0415 - only for suites

    _wake(parent.config)
    return SuiteFile.of(parent, file_path)


def pytest_collection_finish() -> None:
    """Spare a supervised run, which somebody waits for, the collector's walks over what stays.

    Modules and collected tests live as long as the process; pytest looks for garbage at its end
    several times over. What the tests themselves leave is still found.
    """
    if "GREENROOM_SUPERVISED_RUN" in os.environ:
        gc.freeze()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """Return an httpx client bound to the target; its exchanges are recorded with the check."""
    from greenroom.plugins.recording import recording_of  # noqa: PLC0415 - only where used
    from greenroom.plugins.target import proven_client, refuse_load  # noqa: PLC0415 - only where used

    refuse_load(request.node)
    recording = recording_of(request.node)
    recording.target_requested = True
    with proven_client(request.config, recording) as client:
        yield client


@pytest.fixture
def probe(request: pytest.FixtureRequest) -> Probe:
    """Return what looks below HTTP: at connections, names, certificates and functions."""
    from greenroom.plugins.probes import probe_of  # noqa: PLC0415 - only where used

    return probe_of(request)


@pytest.fixture
def verify(request: pytest.FixtureRequest) -> Callable[[Finding], Finding]:
    """Return a function that records a finding, and fails the test unless it passed."""
    from greenroom.plugins.recording import recording_of  # noqa: PLC0415 - only where used

    return recording_of(request.node).verify


@pytest.fixture
def mock_service(request: pytest.FixtureRequest) -> Generator[Callable[[str], MockService]]:
    """Return a function that starts a mock service from a file; its calls become evidence."""
    from greenroom.plugins.mock_fixtures import mock_services  # noqa: PLC0415 - only where used

    with mock_services(request) as start:
        yield start


@pytest.fixture
def local_aws(request: pytest.FixtureRequest) -> Generator[LocalAws]:
    """Return a local AWS, empty for each test, that the environment leads to."""
    from greenroom.plugins import mock_fixtures  # noqa: PLC0415 - only where used

    with mock_fixtures.local_aws(request) as service:
        yield service


@pytest.fixture(scope="session")
def local_aws_session(pytestconfig: pytest.Config) -> Generator[LocalAws]:
    """Return a local AWS whose state is kept; the environment leads there until the end."""
    from greenroom.plugins import mock_fixtures  # noqa: PLC0415 - only where used

    with mock_fixtures.local_aws_session(pytestconfig) as service:
        yield service


def _is_asked_for(config: pytest.Config) -> bool:
    options = ("", "_report", "_target", "_ready", "_settings", "_release", "_set", "_expect")
    return (
        any(config.getoption(f"greenroom{name}") not in (None, False, []) for name in options)
        or any(name.startswith("GREENROOM_") for name in os.environ)
        or (config.rootpath / "greenroom.toml").is_file()
        or _has_table(config.rootpath / "pyproject.toml")
    )


def _has_table(path: Path) -> bool:
    """Look before parsing: most projects do not use Greenroom, and their start shall stay fast."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    if b"greenroom" not in content:
        return False
    import tomllib  # noqa: PLC0415 - see above

    return "greenroom" in tomllib.loads(content.decode()).get("tool", {})


def _take_part(config: pytest.Config) -> Recorder | None:
    """Register what observes tests here and, in the process that decides, what records them."""
    from greenroom.plugins.taking_part import take_part  # noqa: PLC0415 - loads the core

    return take_part(config)


def _wake(config: pytest.Config) -> None:
    dormant = config.pluginmanager.get_plugin("greenroom-dormant")
    if isinstance(dormant, _Dormant):
        dormant.wake()


class _Dormant:
    """Waits in a run that did not ask for Greenroom until a marker or a suite file does.

    A marker that the project itself registered is the project's own and wakes nobody.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failures = 0
        self._reports: list[pytest.CollectReport] = []
        self._ids: list[str] = []

    def wake(self) -> Recorder | None:
        """Take part from now on, with what has been seen so far."""
        self._config.pluginmanager.unregister(self)
        recorder = _take_part(self._config)
        if recorder is not None:
            recorder.failures = self._failures
            for report in self._reports:
                recorder.pytest_collectreport(report)
            if self._ids:
                recorder.select(self._ids)
        return recorder

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what a recorder would want to know."""
        if not report.passed:
            self._reports.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Wake up if a test carries one of our markers."""
        ours = self._our_markers()
        if any(mark.name in ours for item in items for mark in item.iter_markers()):
            self.wake()

    def _our_markers(self) -> frozenset[str]:
        lines = list(self._config.getini("markers"))
        for line in _MARKER_LINES:
            lines.remove(line)
        theirs = {line.partition(":")[0].partition("(")[0].strip() for line in lines}
        return frozenset({*MARKERS, "gate", "stage"} - theirs)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Keep what xdist's workers selected; the first check that one sends tells more."""
        self._ids = self._ids or list(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Wake up in xdist's controller when a worker sends a check."""
        if hasattr(report, "greenroom") and (recorder := self.wake()) is not None:
            recorder.pytest_runtest_logreport(report)
        elif report.failed and not hasattr(report, "wasxfail"):
            self._failures += 1
