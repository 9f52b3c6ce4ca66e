"""What the roles of a template allow, as far as it tells.

Sources: IAM's policy elements (Effect, Action with ``*`` and ``?``), SAM's ``Policies`` property,
and CodeDeploy's managed policies (AWSCodeDeployRoleForLambda and …Limited may invoke functions
named CodeDeployHook_* alone, as may AWSCodeDeployRoleForECSLimited).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from greenroom.plugins.suite_yaml import Mapping, Scalar, Sequence
from greenroom.plugins.template_nodes import entries, get, intrinsic, items, logical, text, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Map

    from greenroom.plugins.suite_yaml import Node

REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"
INVOKE = "lambda:InvokeFunction"
_LIMITED = {
    "AWSCodeDeployRoleForLambda",
    "AWSCodeDeployRoleForLambdaLimited",
    "AWSCodeDeployRoleForECSLimited",
}
_ALL = {"AdministratorAccess", "PowerUserAccess"}
_REPORTS = {*_ALL, "AWSCodeDeployFullAccess"}
_INNOCENT = ("AWSLambda", "AmazonS3", "AmazonDynamoDB", "AmazonSSM", "AmazonSQS", "AmazonSNS")
_INNOCENT_TOO = ("AWSXRay", "AWSXray", "CloudWatch", "SecretsManager")
_INVOKES = {*_ALL, "AWSLambda_FullAccess", "AWSLambdaRole"}
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


class Roles:
    """The roles and policies among ``resources`` (logical id to node)."""

    def __init__(self, resources: Map[str, Node]) -> None:
        self._resources = resources

    def function_allows(self, name: str, properties: Node | None, action: str) -> bool | None:
        """Tell whether the role of the function ``name`` allows ``action``."""
        if (role := get(properties, "Role")) is not None:
            return self.role_allows(role, action)
        policies = get(properties, "Policies")
        listed = policies.items if isinstance(policies, Sequence) else (policies,)
        own = [self._policy_allows(one, action) for one in listed if one is not None]
        return _any([*own, *self._attached(f"{name}Role", action)])

    def role_allows(self, role: Node, action: str) -> bool | None:
        """Tell whether a role of the template allows ``action``; None for any other role."""
        name = logical(role)
        resource = self._resources.get(name)
        if resource is None:
            return None
        properties = get(resource, "Properties")
        listed = items(get(properties, "Policies"))
        managed = items(get(properties, "ManagedPolicyArns"))
        if listed is None or managed is None:
            return _any([None, *self._attached(name, action)])
        own = (_document_allows(get(one, "PolicyDocument"), action) for one in listed)
        given = (self._policy_allows(one, action) for one in managed)
        return _any([*own, *given, *self._attached(name, action)])

    def limited(self, role: Node | None) -> bool | None:
        """Tell whether a deployment's role may invoke functions named CodeDeployHook_* alone."""
        resource = self._resources.get(logical(role))
        if role is None or resource is None:
            return None
        managed = items(get(resource, "Properties", "ManagedPolicyArns"))
        if managed is None:
            return None
        if not any(_managed_name(one) in _LIMITED for one in managed):
            return False
        more = self.role_allows(role, INVOKE)
        return None if more is None else not more

    def _attached(self, role: str, action: str) -> Iterator[bool | None]:
        for resource in self._resources.values():
            if word(get(resource, "Type")) not in _POLICIES:
                continue
            properties = get(resource, "Properties")
            roles = [*(items(get(properties, "Roles")) or ()), get(properties, "RoleName")]
            if role and any(logical(one) == role for one in roles):
                yield _document_allows(get(properties, "PolicyDocument"), action)

    def _policy_allows(self, policy: Node, action: str) -> bool | None:
        """Judge an item of SAM's Policies or of ManagedPolicyArns."""
        if isinstance(policy, Mapping) and not intrinsic(policy):
            return get(policy, "Statement") is not None and _document_allows(policy, action)
        resource = self._resources.get(logical(policy))
        if resource is not None:
            return _document_allows(get(resource, "Properties", "PolicyDocument"), action)
        name = _managed_name(policy)
        if name in (_REPORTS if action == REPORT else _INVOKES):
            return True
        known = name in _LIMITED or name.startswith((*_INNOCENT, *_INNOCENT_TOO))
        return False if known else None


def _managed_name(policy: Node) -> str:
    found = text(policy)
    return "" if found is None else found.tail.rpartition("/")[2]


def _document_allows(document: Node | None, action: str) -> bool | None:
    if document is None or intrinsic(document):
        return None
    statement = get(document, "Statement")
    listed = (statement,) if isinstance(statement, Mapping) else items(statement)
    if listed is None:
        return None
    return _any(_statement_allows(one, action) for one in listed)


def _statement_allows(statement: Node, action: str) -> bool | None:
    if not entries(statement):
        return None
    if word(get(statement, "Effect")) != "Allow":
        return False
    if (refused := get(statement, "NotAction")) is not None:
        named = _matches(refused, action)
        return None if named is None else not named
    return _matches(get(statement, "Action"), action)


def _matches(actions: Node | None, action: str) -> bool | None:
    listed = (actions,) if isinstance(actions, Scalar) else items(actions)
    if listed is None:
        return None
    patterns = [word(one) for one in listed]
    return _any(
        None if pattern is None else fnmatchcase(action.lower(), pattern.lower())
        for pattern in patterns
    )


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Return True for one that allows, else None for one unknown, else False."""
    given = tuple(answers)
    if any(given):
        return True
    return None if None in given else False
