"""Rehearses one deployment on this machine: artifact stage, deployment, documents.

Everything that is started is ended in all cases, interruption included.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greenroom.plugins.report_place import file_name
from greenroom.rehearsal.alarms import ErrorAlarm
from greenroom.rehearsal.api import CodeDeployApi
from greenroom.rehearsal.appspec import read_appspec
from greenroom.rehearsal.artifact import run_artifact_stage
from greenroom.rehearsal.client import create_deployment
from greenroom.rehearsal.clock import ScaledClock
from greenroom.rehearsal.dataplane import LocalPlane
from greenroom.rehearsal.engine import DeploymentGroup, Engine
from greenroom.rehearsal.envoy import find_binary
from greenroom.rehearsal.hooks import (
    EXECUTIONS,
    Addresses,
    LambdaHooks,
    check_functions,
    functions_of,
)
from greenroom.rehearsal.load import Load, Tally
from greenroom.rehearsal.records import (
    Took,
    collect,
    deployment_check,
    joined,
    relative,
    remove_empty,
)
from greenroom.rehearsal.timeline import judge, refused, timeline
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.rehearsal.appspec import AppSpec
    from greenroom.rehearsal.lifecycle import Snapshot
    from greenroom.rehearsal.load import Requests
    from greenroom.rehearsal.progress import Progress
    from greenroom.rehearsal.settings import RehearsalSettings, Revision
    from greenroom.validators.record import Check, RunRecord

_MINUTE_S = 60
_GIVE_UP_S = 5.0
_MARK = ".greenroom-rehearsal"
_PARTS = ("artifact", EXECUTIONS, "hooks", "logs")
_DOCUMENTS = ("run.json", "report.html", "timeline.json")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What to rehearse; documents go to ``folder``, from which an earlier run's are removed."""

    settings: RehearsalSettings
    revision: Revision
    time_scale: float
    folder: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rehearsal ended: its timeline, its record, its page, and how long it took."""

    timeline: dict[str, Any]
    record: RunRecord
    report: Path
    seconds: float

    @property
    def deployed(self) -> bool:
        """Whether the record ships; that the deployment succeeded is one of its checks."""
        return self.record.verdict is Verdict.SHIP


@dataclass(frozen=True, slots=True)
class _Stage:
    """What runs during a deployment."""

    plane: LocalPlane
    hooks: LambdaHooks
    engine: Engine
    api: CodeDeployApi
    clock: ScaledClock
    tally: Tally
    alarms: tuple[ErrorAlarm, ...]

    def counted(self) -> Requests:
        """Return the requests; of the two that saw green before the gate, the worse counts."""
        counts = self.tally.counts
        before = max(counts.replacement_before_gate, self.plane.replacement_before_gate())
        return replace(counts, replacement_before_gate=before)


def rehearse(rehearsal: Rehearsal, progress: Progress) -> Outcome:
    """Rehearse; raises `SettingsError` or `ToolError` if that is not possible."""
    settings, began, started = rehearsal.settings, time.monotonic(), _now()
    appspec = read_appspec(settings.appspec)
    check_functions(settings, appspec)
    find_binary()
    prepare(rehearsal.folder)
    progress.step("artifact stage")
    artifact = run_artifact_stage(settings, rehearsal.revision, rehearsal.folder / "artifact")
    parts, check = {"artifact": artifact}, None
    if artifact.verdict is Verdict.SHIP:
        progress.step("original starts")
        story, hooks, check = _deploy(rehearsal, appspec, progress)
        parts |= hooks
    else:
        reasons = "; ".join(reason.text for reason in artifact.decision().reasons)
        story = refused(f"{artifact.verdict.words}: {reasons}", rehearsal.revision.name)
    took = Took(started, _now(), time.monotonic() - began)
    record = joined(parts, check, relative(story, rehearsal.folder), took)
    report = write_documents(record, story, rehearsal.folder)
    return Outcome(story | {"report": str(report)}, record, report, took.seconds)


def _deploy(
    rehearsal: Rehearsal, appspec: AppSpec, progress: Progress
) -> tuple[dict[str, Any], dict[str, RunRecord], Check]:
    """Deploy to the end; return the timeline, the hooks' records and the deployment's check."""
    began = time.monotonic()
    with ExitStack() as stack:
        stage = _set_up(rehearsal, appspec, progress, stack)
        snapshot, requests = _perform(rehearsal, appspec, stage)
    executions = [
        (hook.event.value, rehearsal.folder / EXECUTIONS / function / file_name(execution))
        for hook, (function, execution) in zip(appspec.hooks, stage.hooks.executions, strict=False)
    ]
    runs = collect(executions, rehearsal.folder / "hooks")
    remove_empty(rehearsal.folder / EXECUTIONS)
    story = timeline(
        snapshot,
        requests,
        [run.to_json() for run in runs],
        revision=rehearsal.revision.name,
        real=stage.clock.real,
    )
    seen = [alarm.history() for alarm in stage.alarms]
    finding = judge(snapshot, requests, seen, at=_now())
    check = deployment_check(finding, time.monotonic() - began)
    return story, {run.event: run.record() for run in runs}, check


def _set_up(rehearsal: Rehearsal, appspec: AppSpec, progress: Progress, stack: ExitStack) -> _Stage:
    """Start everything but the deployment; ``stack`` ends it in the opposite order."""
    settings, tally = rehearsal.settings, Tally()
    clock = ScaledClock(rehearsal.time_scale)
    logs = rehearsal.folder / "logs"
    plane = LocalPlane(settings, rehearsal.revision, folder=logs, tally=tally)
    # What ends it is registered before it starts: an interruption in between leaks nothing.
    stack.callback(plane.close)
    plane.start()
    hooks = LambdaHooks(clock)
    stack.callback(hooks.close)
    alarms = tuple(ErrorAlarm(rule, tally) for rule in settings.alarms)
    engine = Engine(_group(settings, appspec, alarms), plane, hooks, clock, [progress.heard])
    api = stack.enter_context(CodeDeployApi(engine))
    at = Addresses(api.url, plane.envoy.test_url, plane.envoy.production_url)
    hooks.provide(
        functions_of(settings, appspec, rehearsal.revision, at=at, folder=rehearsal.folder)
    )
    return _Stage(plane, hooks, engine, api, clock, tally, alarms)


def _group(
    settings: RehearsalSettings, appspec: AppSpec, alarms: tuple[ErrorAlarm, ...]
) -> DeploymentGroup:
    deployment = settings.deployment
    return DeploymentGroup(
        application=settings.name,
        name=settings.name,
        appspec=appspec,
        config_name=deployment.configuration,
        configs=settings.configurations,
        alarms=alarms,
        hook_timeout_s=deployment.hook_timeout_min * _MINUTE_S,
        termination_wait_s=deployment.bake_min * _MINUTE_S,
    )


def _perform(rehearsal: Rehearsal, appspec: AppSpec, stage: _Stage) -> tuple[Snapshot, Requests]:
    """Deploy under load; return how it ended once hooks and requests in flight have ended too."""
    settings, envoy = rehearsal.settings, stage.plane.envoy
    with Load(envoy.production_url, settings.load, stage.tally):
        deployment_id = create_deployment(stage.api.url, settings.name, appspec)
        snapshot = _await_end(stage.engine, deployment_id, settings.deployment.limit_s)
        stage.hooks.join()
    return snapshot, stage.counted()


def _await_end(engine: Engine, deployment_id: str, seconds: float) -> Snapshot:
    """Wait for the end; whatever interrupts the wait stops the deployment first."""
    try:
        return engine.wait(deployment_id, seconds)
    except BaseException:
        with contextlib.suppress(Exception):
            engine.stop(deployment_id, rollback=False)
            engine.wait(deployment_id, _GIVE_UP_S)
        raise


def prepare(folder: Path) -> None:
    """Make ``folder`` ready: what an earlier rehearsal wrote is removed, so nothing stale stays.

    Raises `SettingsError` for a folder that holds anything else, or that cannot be written.
    """
    mark = folder / _MARK
    try:
        if folder.exists() and any(folder.iterdir()) and not mark.is_file():
            raise SettingsError(
                f"{folder} holds files that no rehearsal wrote", hint="name a new or empty folder"
            )
        for part in _PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
        for name in _DOCUMENTS:
            (folder / name).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text("Written by greenroom rehearse, which removes what it wrote earlier.\n")
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written: {error}", hint="name another folder for the report"
        ) from error


def write_documents(record: RunRecord, story: dict[str, Any], folder: Path) -> Path:
    """Write run.json, report.html and timeline.json; return the page's path."""
    from greenroom.reports import html  # noqa: PLC0415 - jinja2 is needed only at the end

    report = folder / "report.html"
    write_text(folder / "run.json", record.dumps())
    write_text(report, html.render(record))
    write_text(folder / "timeline.json", as_text(story | {"report": str(report)}))
    return report


def write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8; raises `ToolError` if that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(
            f"{path} cannot be written: {error}", hint="see to the disk's space and permissions"
        ) from error


def as_text(story: dict[str, Any]) -> str:
    """Return a timeline as JSON text."""
    return json.dumps(story, indent=1) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat()
