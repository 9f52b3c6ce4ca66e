"""Lints template files: reads each, tells its kind, judges it by our rules and by cfn-lint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from greenroom.plugins.hook_settings import hook_settings
from greenroom.plugins.template_facts import facts_of, limits_of
from greenroom.plugins.template_kinds import SYNTHESISED, found_in, kind_of
from greenroom.plugins.template_yaml import read_template
from greenroom.plugins.workplace import matching
from greenroom.validators.errors import SettingsError, ToolError
from greenroom.validators.evidence import Evidence
from greenroom.validators.result import Level, Location, Result, fingerprint_of
from greenroom.validators.template import TOOL, TemplateKind, lint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.static import StaticFacts
    from greenroom.validators.template import Linted, TemplateFacts, TemplateRule

UNREADABLE = "GR-T001"
"""The id of what cannot be read at all."""
_CFN_LINT = "cfn-lint"
_WITHOUT = "or go without it: cfn_lint: false (greenroom lint --no-cfn-lint)"
_PATTERN = re.compile(r"[*?\[]")
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+):(?P<column>\d+))?: (?P<said>.*)")


@dataclass(frozen=True, slots=True)
class Order:
    """What is linted, by what: ``files`` are files, folders of the CDK, patterns below a root."""

    files: tuple[str, ...]
    rules: tuple[TemplateRule, ...]
    cfn_lint: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: results, what could not be read (results of GR-T001), and the evidence.

    ``notes`` are what rules could not judge.
    """

    results: tuple[Result, ...]
    problems: tuple[Result, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[str, ...]


def look(order: Order, place: Workplace) -> Look:
    """Lint the files of ``order`` below ``place``; raises `ToolError` and `SettingsError`."""
    facts: list[TemplateFacts] = []
    problems: list[Result] = []
    for name in order.files:
        for shown, path in _found(name, place.root):
            one = None if path is None else _read(path, shown)
            if isinstance(one, Result) or one is None:
                problems.append(one or _problem(Location(shown), _NOTHING))
            else:
                facts.append(one)
    linted = lint(facts, order.rules, limits_of(hook_settings(place.root, {})))
    cfn = _cfn_lint(facts, place) if order.cfn_lint else None
    if cfn is not None:
        problems += [_problem(Location(_CFN_LINT), said) for said in cfn.problems]
    return Look(
        (*linted.results, *(cfn.results if cfn else ())),
        tuple(problems),
        tuple(_evidence(order, facts, linted, cfn)),
        linted.unknown,
    )


_NOTHING = f"no file is there (of a folder, files that end in {SYNTHESISED})"


def _found(name: str, root: Path) -> Iterator[tuple[str, Path | None]]:
    """Yield the files that ``name`` means, as they are shown; None for none."""
    pattern = _PATTERN.search(name) and not (root / name).exists()
    paths = matching(root, name) if pattern else [root / name]
    found = [file for path in paths for file in found_in(path)]
    for file in found:
        yield (str(file.relative_to(root)) if file.is_relative_to(root) else str(file)), file
    if not found:
        yield name, None


def _read(path: Path, shown: str) -> TemplateFacts | Result:
    try:
        root = read_template(path, shown)
    except SettingsError as error:
        return _problem(*_placed(str(error), shown), error.hint)
    kind = kind_of(root, shown)
    at = Location(shown, root.place.line, root.place.column)
    if kind is None:
        known = ", ".join(TemplateKind)
        return _problem(at, "no template of a known kind", f"known are: {known}")
    facts = facts_of(shown, kind, root)
    return facts if facts.resources else _problem(at, f"a {kind.value} without resources")


def _placed(message: str, shown: str) -> tuple[Location, str]:
    found = _PLACE.match(message.splitlines()[0])
    if found is None:
        return Location(shown), message
    return Location(shown, int(found["line"] or 0), int(found["column"] or 0)), found["said"]


def _problem(at: Location, said: str, hint: str = "") -> Result:
    return Result(
        id=UNREADABLE,
        message=said,
        level=Level.ERROR,
        severity=Level.ERROR.severity,
        tool=TOOL,
        location=at,
        advice=hint,
        fingerprint=fingerprint_of(UNREADABLE, at.file, said),
    )


def _cfn_lint(facts: Sequence[TemplateFacts], place: Workplace) -> StaticFacts | None:
    from greenroom.plugins.static_run import KnownOrder, observe_static  # noqa: PLC0415 - if asked
    from greenroom.plugins.static_tools import KNOWN  # noqa: PLC0415 - as above

    files = {one.file for one in facts if one.kind is TemplateKind.CLOUDFORMATION}
    if not files:
        return None
    try:
        cfn = observe_static(KnownOrder(KNOWN[_CFN_LINT], tuple(files)), place)
    except ToolError as error:
        raise ToolError(str(error), hint=f"{error.hint}; {_WITHOUT}") from error
    if cfn.examined < len(files) and not cfn.problems:
        raise ToolError(
            f"cfn-lint scanned {cfn.examined} of {len(files)} templates",
            hint=f"its own settings may leave files out: run it by hand; {_WITHOUT}",
        )
    return cfn


def _evidence(
    order: Order, facts: Sequence[TemplateFacts], linted: Linted, cfn: StaticFacts | None
) -> Iterator[Evidence]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    resources = sum(one.resources for one in facts)
    files = ", ".join(dict.fromkeys(one.file for one in facts)) or "no file"
    what = f"judgements by {len(order.rules)} rules on {resources} resources of {files}"
    yield Evidence(what, linted.judged, TOOL, version("greenroom"), at)
    if cfn is not None:
        yield Evidence("templates", cfn.examined, cfn.tool, cfn.version, cfn.at)
