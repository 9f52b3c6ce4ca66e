"""Reads ``expect`` of the checks whose expectations are thresholds: ``["critical == 0"]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Scalar
from greenroom.validators.errors import SettingsError
from greenroom.validators.threshold import Dimension, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Collection

    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Node
    from greenroom.validators.threshold import Threshold

_EXAMPLES = {
    Dimension.COUNT: ">= 60",
    Dimension.RATIO: "< 1%",
    Dimension.SIZE: "< 64KiB",
    Dimension.TIME: "< 500ms",
}


def read_limits(fields: Fields, node: Node, known: Collection[str]) -> tuple[Threshold, ...]:
    """Read one threshold, or a list of them; each metric must be one of ``known``."""
    listed = (node,) if isinstance(node, Scalar) else fields.items(node, "expect")
    return tuple(_limit(fields, item, known) for item in listed)


def read_limit_of(
    fields: Fields, node: Node, metric: str, dimensions: Collection[Dimension]
) -> Threshold:
    """Read a comparison with ``metric``, such as ``">= 14"``, in one of the ``dimensions``."""
    text = fields.text(node, metric)
    form = f'write a comparison such as "{_EXAMPLES[next(iter(dimensions))]}"'
    try:
        limit = parse_threshold(f"{metric} {text}")
    except SettingsError:
        raise fields.error(node.place, f"{text!r} is not a limit for {metric}", form) from None
    if limit.dimension not in dimensions:
        raise fields.error(node.place, f"{text!r} has the wrong unit for {metric}", form)
    return limit


def _limit(fields: Fields, node: Node, known: Collection[str]) -> Threshold:
    text = fields.text(node, "a threshold")
    try:
        limit = parse_threshold(text)
    except SettingsError as error:
        raise fields.error(node.place, str(error), error.hint) from None
    if limit.metric not in known:
        metrics = ", ".join(sorted(known))
        raise fields.error(node.place, f"unknown metric {limit.metric!r}", f"metrics: {metrics}")
    return limit
