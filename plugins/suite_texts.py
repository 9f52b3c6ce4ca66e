"""Reads what a suite expects of texts that are no JSON: of one, or of a list without order.

Grammar::

    one  = TEXT | {equals | contains | matches: TEXT, one_of: [TEXT, …], exists: true | false}
    list = TEXTS | {equals | contains: TEXTS, matches: TEXT, one_of: [TEXT, …], count: AMOUNT}
    TEXTS = TEXT | [TEXT, …]

A text alone means ``equals``, a list alone, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.suite_operators import read_expectation
from greenroom.plugins.suite_yaml import Mapping, Sequence
from greenroom.validators.json_values import Expectation, Operator
from greenroom.validators.texts import TextRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node

TEXT_OPERATORS = (
    Operator.EQUALS,
    Operator.CONTAINS,
    Operator.MATCHES,
    Operator.ONE_OF,
    Operator.EXISTS,
)
LIST_OPERATORS = (
    Operator.EQUALS,
    Operator.CONTAINS,
    Operator.MATCHES,
    Operator.ONE_OF,
    Operator.COUNT,
)


def read_text_rules(
    fields: Fields, node: Node, name: str, operators: tuple[Operator, ...] = TEXT_OPERATORS
) -> tuple[TextRule, ...]:
    """Read what is expected of the one text ``name``."""
    if not isinstance(node, Mapping):
        return (TextRule(name, Expectation(Operator.EQUALS, fields.filled(node, name))),)
    found = fields.mapping(node, name, operators)
    return tuple(
        TextRule(name, read_expectation(fields, Operator(key), entry.value))
        for key, entry in found.items()
    )


def read_list_rules(
    fields: Fields, node: Node, name: str, plain: Callable[[str], str] = str
) -> tuple[TextRule, ...]:
    """Read what is expected of the list ``name``; ``plain`` gives a text the form of its items."""
    if not isinstance(node, Mapping):
        return (TextRule(name, Expectation(Operator.EQUALS, _sorted(fields, node, name, plain))),)
    rules: list[TextRule] = []
    for key, entry in fields.mapping(node, name, LIST_OPERATORS).items():
        match Operator(key):
            case Operator.EQUALS:
                wanted: list[object] = [_sorted(fields, entry.value, name, plain)]
            case Operator.CONTAINS:
                wanted = list(_texts(fields, entry.value, name, plain))
            case Operator.ONE_OF:
                fields.items(entry.value, key)
                wanted = [_texts(fields, entry.value, name, plain)]
            case operator:
                wanted = [read_expectation(fields, operator, entry.value).argument]
        rules += [TextRule(name, Expectation(Operator(key), one)) for one in wanted]
    return tuple(rules)


def _texts(fields: Fields, node: Node, name: str, plain: Callable[[str], str]) -> list[str]:
    listed = fields.items(node, name) if isinstance(node, Sequence) else (node,)
    return [plain(fields.filled(item, name)) for item in listed]


def _sorted(fields: Fields, node: Node, name: str, plain: Callable[[str], str]) -> list[str]:
    return sorted(_texts(fields, node, name, plain))
