"""Runs a check of several steps: each binds what those before captured, asks, and is judged."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from jsonpath_rfc9535 import JSONPathError

from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_run import asked, redacted
from greenroom.validators.errors import SettingsError
from greenroom.validators.evidence import proves
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.http import Answer
from greenroom.validators.json_values import cut, printable
from greenroom.validators.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.suite_model import Capture, Step, StepsCheck

_NOT_RUN = "not run"


def run_steps(
    check: StepsCheck,
    target: str,
    client: httpx.Client,
    redactor: Redactor,
    sleep: Callable[[float], None] = time.sleep,
) -> Finding:
    """Return the check's finding, without any secret; ``client`` keeps cookies between the steps.

    A failed step fails the check; what its setup or teardown misses is *error*: it is not what was
    to be examined.
    """
    flow = _Flow(check, target, client, redactor, sleep)
    ready = flow.run(check.setup, "setup")
    flow.run(check.steps, "", so_far=ready)
    flow.tear_down(check.teardown)
    return redacted(flow.finding(), redactor)


@dataclass(slots=True)
class _Flow:
    check: StepsCheck
    target: str
    client: httpx.Client
    redactor: Redactor
    sleep: Callable[[float], None]
    captured: dict[str, Any] = field(default_factory=dict)
    found: list[tuple[str, Finding]] = field(default_factory=list)
    """Each step's name and its finding; those of setup and teardown are never *failed*."""

    def run(self, steps: Sequence[Step], part: str, *, so_far: bool = True) -> bool:
        """Run ``steps`` until one does not pass; tell whether all passed."""
        passed = so_far
        for number, step in enumerate(steps, 1):
            name = _named(part, number, step)
            if passed:
                passed = self._step(step, name, own=not part)
            else:
                self._note(
                    name, Rule(name, "to be run", f"{_NOT_RUN}: one before did not pass", None)
                )
        return passed

    def tear_down(self, steps: Sequence[Step]) -> None:
        """Run every step whose values are known, whatever happened before."""
        for number, step in enumerate(steps, 1):
            name = _named("teardown", number, step)
            missing = [one for one in step.needs if one not in self.captured]
            if not missing:
                self._step(step, name, own=False)
            elif all(finding.outcome is Outcome.PASSED for _, finding in self.found):
                seen = f"{_NOT_RUN}: {', '.join(missing)} was never captured"
                self._note(name, Rule(name, "to be run", seen, None))

    def finding(self) -> Finding:
        """Return one finding over all steps, whose rules are named by their step."""
        rules = tuple(
            replace(rule, rule=f"{name}: {rule.rule}" if rule.rule != name else name)
            for name, finding in self.found
            for rule in finding.rules
        )
        evidence = tuple(item for _, finding in self.found for item in finding.evidence)
        notes = tuple(f"{name}: {one}" for name, finding in self.found for one in finding.notes)
        advice = next((finding.advice for _, finding in self.found if finding.advice), "")
        return Finding.judged(rules, evidence, advice=advice, notes=notes)

    def _step(self, step: Step, name: str, *, own: bool) -> bool:
        try:
            bound = step.bind({one: self.captured[one] for one in step.needs})
        except SettingsError as error:
            self._note(name, Rule(name, "to be asked", str(error).partition("\n")[0], None))
            return False
        if bound.answered_by is None:
            bound = replace(bound, answered_by=self.check.answered_by)
        finding, outcome = asked(bound, self.target, self.client, self.sleep)
        if finding.outcome is Outcome.PASSED and isinstance(outcome, Answer):
            kept = tuple(self._keep(capture, outcome) for capture in step.captures)
            finding = Finding.judged((*finding.rules, *kept), finding.evidence, notes=finding.notes)
        self.found.append((name, finding if own else _unseen(finding)))
        return finding.outcome is Outcome.PASSED

    def _note(self, name: str, rule: Rule) -> None:
        self.found.append((name, Finding.judged((rule,), ())))

    def _keep(self, capture: Capture, answer: Answer) -> Rule:
        """Keep what ``capture`` finds; a rule that is not met says what there was instead."""
        name = f"capture {capture.name}"
        values = _values(capture, answer, self.client)
        if isinstance(values, str):
            return Rule(name, str(capture), values, None)
        if len(values) != 1:
            seen = f"{len(values)} values" if values else "nothing"
            return Rule(name, f"one value of {capture}", seen, met=False)
        self.captured[capture.name] = values[0]
        if capture.secret:
            self.redactor.add(values[0] if isinstance(values[0], str) else json.dumps(values[0]))
            return Rule(name, f"one value of {capture}", "a secret", met=True)
        return Rule(name, f"one value of {capture}", cut(printable(str(values[0]))), met=True)


def _named(part: str, number: int, step: Step) -> str:
    return f"{part} {number} ({step.name})".strip() if part else f"{number} ({step.name})"


def _unseen(finding: Finding) -> Finding:
    """Return the finding of a step that is not what is examined: its misses are *error*."""
    if finding.outcome is Outcome.PASSED and proves(finding.evidence):
        return finding
    rules = tuple(replace(rule, met=None) if rule.met is False else rule for rule in finding.rules)
    return Finding.judged(rules, finding.evidence, advice=finding.advice, notes=finding.notes)


def _values(capture: Capture, answer: Answer, client: httpx.Client) -> list[Any] | str:
    """Return what ``capture`` finds in ``answer``; a text says why it could not look."""
    if capture.header:
        value = answer.header(capture.header)
        return [] if value is None else [value]
    if capture.cookie:
        return [one.value for one in client.cookies.jar if one.name == capture.cookie]
    if capture.text is not None:
        found = capture.text.search(answer.body.decode("utf-8", "replace"))
        return [] if found is None or found[1] is None else [found[1]]
    try:
        value = read_json(answer.body)
        return [] if capture.query is None else list(capture.query.find(value).values())
    except (ValueError, RecursionError, JSONPathError) as error:
        return f"the body is no JSON that can be searched: {cut(printable(str(error)))}"
