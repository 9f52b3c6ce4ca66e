"""``when:`` of a suite or check: whether it is meant for this run.

::

    when: {settings.environment: [staging, test]}
    when: {release.event: {not: BeforeAllowTraffic}}

A variable that is not set is an error: a check never falls away because of a misspelt name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.suite_variables import UnresolvedError
from greenroom.plugins.suite_yaml import Mapping, Sequence

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

_NOT = "not"


def unmet(fields: Fields, node: Node) -> str:
    """Return the first condition of ``when:`` that does not hold, in words; empty if all do."""
    met = [_unmet(fields, entry) for entry in fields.entries(node, "when")]
    return next(filter(None, met), "")


def _unmet(fields: Fields, entry: Entry) -> str:
    if entry.key.startswith("secret."):
        raise fields.error(entry.place, "a condition cannot be about a secret", "use settings.X")
    node, meant = entry.value, True
    if isinstance(node, Mapping):
        found = fields.mapping(node, f"the condition {entry.key}", (_NOT,))
        node, meant = found[_NOT].value, False
    listed = fields.items(node, entry.key) if isinstance(node, Sequence) else (node,)
    wanted = [fields.filled(item, f"a value of {entry.key}") for item in listed]
    try:
        value = fields.variables.fill(f"${{{entry.key}}}")
    except UnresolvedError as error:
        raise fields.error(entry.place, str(error), error.hint) from None
    if (value in wanted) is meant:
        return ""
    return f"{entry.key} is {value}, {'not ' if meant else 'one of '}{' or '.join(wanted)}"
