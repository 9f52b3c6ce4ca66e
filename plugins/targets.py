"""What stands behind the target's load balancer: addresses, from the settings or a target group."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.plugins.aws import explained, hint_of_suite
from greenroom.plugins.target_settings import Address
from greenroom.validators.errors import ServiceError
from greenroom.validators.finding import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.plugins.target_settings import Targets

_CONNECT_S = 2.0
_READ_S = 5.0
_HEALTHY = "healthy"
_LEAVING = frozenset({"draining", "unhealthy.draining"})
_SCHEMES = {"HTTP": "http", "HTTPS": "https"}
_NONE = Rule("targets", "at least one", "none", None)


@dataclass(frozen=True, slots=True)
class Behind:
    """The addresses to ask; ``doubt`` is a rule not met where they are not all that there are."""

    addresses: tuple[Address, ...] = ()
    doubt: Rule | None = None
    advice: str = ""


ONE_PLACE = Behind(
    doubt=Rule("targets", "behind a load balancer", "a function's version", None),
    advice="leave out `at: each-target`: the version is invoked itself",
)


@dataclass(frozen=True, slots=True)
class Registered:
    """One target as its target group knows it; ``state`` is ELB's word."""

    address: Address
    state: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.address} {self.state}" + (f" ({self.reason})" if self.reason else "")


def behind(targets: Targets) -> Behind:
    """Return what stands behind the target, asking the target group if there is one."""
    if targets.target_group:
        return _of_group(targets.target_group)
    if targets.addresses:
        return Behind(targets.addresses)
    hint = "give [targets] addresses or target_group in the settings, or GREENROOM_TARGETS"
    return Behind(doubt=_NONE, advice=hint)


def reachable(registered: Sequence[Registered]) -> Behind:
    """Return the healthy ones; one that is neither healthy nor leaving leaves a doubt."""
    staying = [target for target in registered if target.state not in _LEAVING]
    if not staying:
        return Behind(doubt=_NONE, advice="register targets, or correct the target group")
    ill = [str(target) for target in staying if target.state != _HEALTHY]
    doubt = Rule("targets", "all healthy", ", ".join(ill), None) if ill else None
    healthy = tuple(target.address for target in staying if target.state == _HEALTHY)
    advice = "look at the target group's health check; [ready] can wait for the target"
    return Behind(healthy, doubt, advice if ill else "")


def _of_group(arn: str) -> Behind:
    try:
        group, found = _described(arn)
    except ServiceError as error:
        return Behind(doubt=Rule("targets", "known", str(error), None), advice=error.hint)
    kind = group.get("TargetType", "ip")
    if kind != "ip":
        rule = Rule("targets", "registered by IP address", f"registered by {kind}", None)
        return Behind(doubt=rule, advice="give [targets] addresses in the settings")
    scheme = _SCHEMES.get(group.get("Protocol", ""), "")
    return reachable([_registered(target, scheme) for target in found])


def _described(arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return ELB's description of a target group and the health of its targets."""
    from greenroom.plugins.aws_worker import Clients, Limits  # noqa: PLC0415 - where it is asked

    with closing(Clients(Limits(_CONNECT_S, _READ_S))) as clients:
        client = clients.get("elbv2", arn.split(":")[3])
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - it is there

        action = "DescribeTargetGroups"
        try:
            [group] = client.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
            action = "DescribeTargetHealth"
            health = client.describe_target_health(TargetGroupArn=arn)
        except (BotoCoreError, ClientError) as error:
            told = explained(error, f"elasticloadbalancing:{action}")
            raise ServiceError(str(told), hint=hint_of_suite(told)) from error
    return group, health["TargetHealthDescriptions"]


def _registered(target: dict[str, Any], scheme: str) -> Registered:
    health = target["TargetHealth"]
    place = target["Target"]
    return Registered(
        Address(place["Id"], place["Port"], scheme), health["State"], health.get("Reason", "")
    )
