"""What holds for each check of a suite that does not say otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from greenroom.plugins.suite_model import RETRIED, Defaults, Retry
from greenroom.plugins.suite_request import joined, read_answered_by, read_headers
from greenroom.plugins.suite_yaml import Scalar

if TYPE_CHECKING:
    from greenroom.plugins.suite_fields import Fields
    from greenroom.plugins.suite_yaml import Entry, Node

DEFAULT_KEYS = ("timeout", "max_body", "headers", "retry", "answered_by", "auth")
RETRY_KEYS = ("attempts", "delay", "on")
ATTEMPTS_MOST = 10


def read_defaults(fields: Fields, node: Node) -> Defaults:
    """Read a ``defaults`` mapping."""
    return merged(fields, Defaults(), fields.mapping(node, "defaults", DEFAULT_KEYS))


def merged(fields: Fields, defaults: Defaults, found: dict[str, Entry]) -> Defaults:
    """Return ``defaults`` with what ``found`` says otherwise."""
    if "timeout" in found:
        seconds = fields.seconds(found["timeout"].value, "timeout")
        defaults = replace(defaults, timeout_s=seconds)
    if "max_body" in found:
        octets = fields.octets(found["max_body"].value, "max_body")
        defaults = replace(defaults, max_body=octets)
    if "retry" in found:
        defaults = replace(defaults, retry=_retry(fields, found["retry"].value))
    if "headers" in found:
        headers = joined(defaults.headers, read_headers(fields, found["headers"].value))
        defaults = replace(defaults, headers=headers)
    if "answered_by" in found:
        proof = read_answered_by(fields, found["answered_by"].value)
        defaults = replace(defaults, answered_by=proof)
    if "auth" in found:
        from greenroom.plugins.suite_auth import read_auth  # noqa: PLC0415 - few suites have any

        defaults = replace(defaults, auth=read_auth(fields, found["auth"].value))
    return defaults


def _retry(fields: Fields, node: Node) -> Retry:
    found = fields.mapping(node, "retry", RETRY_KEYS)
    retry = Retry(attempts=3)
    if "attempts" in found:
        attempts = fields.whole(found["attempts"].value, "attempts", 1, ATTEMPTS_MOST)
        retry = replace(retry, attempts=attempts)
    if "delay" in found:
        retry = replace(retry, delay_s=fields.seconds(found["delay"].value, "delay"))
    if "on" in found:
        listed = fields.items(found["on"].value, "on")
        retry = replace(retry, on=frozenset(_retried(fields, item) for item in listed))
    return retry


def _retried(fields: Fields, node: Node) -> str:
    raw = node.raw if isinstance(node, Scalar) else ""
    if raw not in RETRIED:
        raise fields.error(
            node.place,
            f"cannot retry on {raw!r}: only transport is tried again, never a wrong answer",
            f"use any of: {', '.join(sorted(RETRIED))}",
        )
    return raw
