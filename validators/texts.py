"""Texts that were observed, one or a list of them, and the pure functions that judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.validators.json_values import Operator, judge_values

if TYPE_CHECKING:
    from greenroom.validators.finding import Rule
    from greenroom.validators.json_values import Expectation


@dataclass(frozen=True, slots=True)
class TextRule:
    """What is expected of the text, or the list of texts, that is called ``name``."""

    name: str
    expectation: Expectation


def judge_text(rule: TextRule, text: str) -> Rule:
    """Judge one text; an empty one stands for none, and meets little but ``exists: false``."""
    return judge_values(rule.name, rule.expectation, (text,) if text else ())


def judge_texts(rule: TextRule, texts: tuple[str, ...]) -> Rule:
    """Judge a list of texts whose order means nothing.

    ``equals`` (its argument a sorted list) is about all of them, ``contains`` asks for one of them,
    and each of them must meet any other operator.
    """
    whole = rule.expectation.operator in {Operator.EQUALS, Operator.CONTAINS}
    return judge_values(rule.name, rule.expectation, (sorted(texts),) if whole else texts)
