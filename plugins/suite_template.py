"""The check ``template``: templates judged by our rules and by cfn-lint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.plugins.suite_limits import read_limits
from greenroom.plugins.template_lint import Order, look
from greenroom.plugins.waiver_file import read_waivers
from greenroom.validators.errors import SettingsError
from greenroom.validators.evidence import proves
from greenroom.validators.finding import Finding, Rule
from greenroom.validators.result import State, count_metrics, worst_first
from greenroom.validators.result_waiver import waive
from greenroom.validators.static import METRICS, STRICT
from greenroom.validators.template_rules import choose_rules
from greenroom.validators.vocabulary import Outcome
from greenroom.validators.words import few

if TYPE_CHECKING:
    from datetime import date

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node
    from greenroom.plugins.template_lint import Look
    from greenroom.plugins.workplace import Workplace
    from greenroom.validators.result import Result
    from greenroom.validators.result_waiver import ResultWaiver
    from greenroom.validators.template import TemplateRule
    from greenroom.validators.threshold import Threshold

KEYS = ("files", "rules", "waivers", "cfn_lint")


@dataclass(frozen=True, slots=True)
class TemplateWork:
    """A check of templates; ``files`` are files, folders of the CDK and patterns below the root.

    ``waivers`` is the path of a waiver file, empty for none.
    """

    files: tuple[str, ...]
    rules: tuple[TemplateRule, ...]
    waivers: str
    cfn_lint: bool
    limits: tuple[Threshold, ...] = STRICT

    @property
    def alone(self) -> bool:
        """Others may work meanwhile."""
        return False

    def run(self, place: Workplace) -> Finding:
        """Lint and judge; raises `GreenroomError` where cfn-lint or the waivers cannot be read."""
        waivers = read_waivers(place.path(self.waivers, "waivers")) if self.waivers else ()
        order = Order(self.files, self.rules, self.cfn_lint)
        return self.judge(look(order, place), waivers, place.today)

    def judge(self, seen: Look, waivers: tuple[ResultWaiver, ...], today: date) -> Finding:
        """Judge what was seen.

        failed if a limit is missed; else error if a file could not be read; else inconclusive if
        nothing was judged; else passed.
        """
        waived = waive(seen.results, waivers, today)
        notes = (*waived.notes, *seen.notes)
        results = worst_first(waived.results)
        if not proves(seen.evidence) and not seen.problems and not results:
            return Finding(
                Outcome.INCONCLUSIVE,
                "templates that a rule applies to",
                "no rule applies to what these files hold",
                evidence=seen.evidence,
                advice="name the templates that set up the deployment, or run cfn-lint as well",
                notes=notes,
            )
        examined = sum(one.amount for one in seen.evidence) or 1
        metrics = count_metrics(results, examined)
        rules = (*(limit.judge(metrics) for limit in self.limits), *_read_all(seen))
        advice = _fixes((*results, *seen.problems))
        return Finding.judged(rules, seen.evidence, advice=advice, results=results, notes=notes)


def _fixes(results: tuple[Result, ...]) -> str:
    """Return the fix of each rule that has an open result, the worst first."""
    fixes = {one.id: one.advice for one in results if one.state is State.OPEN and one.advice}
    if len(fixes) == 1:
        return next(iter(fixes.values()))
    return few([f"{name}: {fix}" for name, fix in fixes.items()], between="; ")


def _read_all(seen: Look) -> tuple[Rule, ...]:
    if not seen.problems:
        return ()
    shown = [f"{one.location}: {one.message}" for one in seen.problems]
    return (Rule("files", "all read", few(shown, between="; "), None),)


def read_template(fields: Fields, node: Node, expect: Node | None) -> TemplateWork:
    """Read the value of ``template`` and of ``expect``; raises `SettingsError` at its place."""
    keys = fields.mapping(node, "template", KEYS)
    files = fields.items(fields.required(keys, "files", node, "template"), "files")
    return TemplateWork(
        files=tuple(fields.filled(file, "a file") for file in files),
        rules=_rules(fields, keys),
        waivers=fields.filled(keys["waivers"].value, "waivers") if "waivers" in keys else "",
        cfn_lint="cfn_lint" not in keys or fields.flag(keys["cfn_lint"].value, "cfn_lint"),
        limits=STRICT if expect is None else read_limits(fields, expect, METRICS),
    )


def _rules(fields: Fields, keys: dict[str, Entry]) -> tuple[TemplateRule, ...]:
    if "rules" not in keys:
        return choose_rules()
    node = keys["rules"].value
    lists = {
        name: [fields.text(item, "a rule's id") for item in fields.items(entry.value, name)]
        for name, entry in fields.mapping(node, "rules", ("select", "ignore")).items()
    }
    try:
        return choose_rules(lists.get("select", ()), lists.get("ignore", ()))
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None
