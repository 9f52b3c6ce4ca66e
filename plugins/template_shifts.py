"""Facts of the deployments that a CloudFormation or SAM template sets up, and of its functions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from greenroom.plugins.template_iam import REPORT, Roles
from greenroom.plugins.template_nodes import (
    entries,
    flag,
    get,
    intrinsic,
    items,
    located,
    logical,
    mentions,
    merged,
    number,
    text,
    word,
)
from greenroom.validators.template import Engine, Function, Hook, Shift, Text
from greenroom.validators.template_shift_rules import ROLLBACK_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.suite_yaml import Entry, Node

SAM_FUNCTION = "AWS::Serverless::Function"
_FUNCTIONS = ("AWS::Lambda::Function", SAM_FUNCTION)
_GROUP = "AWS::CodeDeploy::DeploymentGroup"
_TIMEOUT_S = 3.0
_SAM_HOOKS = (("PreTraffic", "BeforeAllowTraffic"), ("PostTraffic", "AfterAllowTraffic"))
_ALIAS_HOOKS = (
    ("BeforeAllowTrafficHook", "BeforeAllowTraffic"),
    ("AfterAllowTrafficHook", "AfterAllowTraffic"),
)


@dataclass(frozen=True)
class Stack:
    """A CloudFormation template; SAM's Globals are merged into its functions."""

    file: str
    root: Node

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The resources by their logical ids."""
        return {entry.key: entry for entry in entries(get(self.root, "Resources"))}

    @cached_property
    def roles(self) -> Roles:
        """What its roles allow."""
        return Roles({name: entry.value for name, entry in self.entries.items()})

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its Lambda functions by their logical ids."""
        shifted = {name for name, _, _ in self._aliases()}
        return {
            name: self._function(name, kind, shifted)
            for name, kind in self.kinds()
            if kind in _FUNCTIONS
        }

    def kinds(self, *wanted: str) -> Iterator[tuple[str, str]]:
        """Yield each resource's logical id and type, of the ``wanted`` types alone if any."""
        for name, entry in self.entries.items():
            kind = word(get(entry.value, "Type")) or ""
            if not wanted or kind in wanted:
                yield name, kind

    def properties(self, name: str) -> Node | None:
        """Return a resource's properties, with what Globals add to a SAM function's."""
        resource = self.entries[name].value
        own = get(resource, "Properties")
        if word(get(resource, "Type")) == SAM_FUNCTION:
            return merged(own, get(self.root, "Globals", "Function"))
        return own

    def hook(self, event: str, target: Node) -> Hook:
        """Return the hook that calls ``target`` at ``event``."""
        return Hook(
            event,
            located(self.file, target.place),
            text(target) or Text((None,)),
            self.functions.get(logical(target)),
        )

    def shifts(self) -> Iterator[Shift]:
        """Yield every deployment by CodeDeploy that the template sets up."""
        for name, _ in self.kinds(SAM_FUNCTION):
            yield from self._sam(name)
        groups = [name for name, _ in self.kinds(_GROUP)]
        for group in groups:
            yield self._group(group)
        for _, alias, update in self._aliases():
            if logical(get(update, "DeploymentGroupName")) not in groups:
                yield self._unknown_group(alias, update)

    def _function(self, name: str, kind: str, shifted: set[str]) -> Function:
        properties = self.properties(name)
        preference = get(properties, "DeploymentPreference") if kind == SAM_FUNCTION else None
        own = _is_on(preference)
        return Function(
            name=name,
            at=located(self.file, self.entries[name].place),
            function_name=text(get(properties, "FunctionName")),
            timeout_s=number(get(properties, "Timeout"), _TIMEOUT_S),
            preference=True if name in shifted else own,
            may_report=self.roles.function_allows(name, properties, REPORT),
            mentions=frozenset(mentions(properties)),
        )

    def _aliases(self) -> Iterator[tuple[str, str, Node]]:
        """Yield each alias that CodeDeploy shifts: its function, its id, its update policy."""
        for name, _ in self.kinds("AWS::Lambda::Alias"):
            resource = self.entries[name].value
            update = get(resource, "UpdatePolicy", "CodeDeployLambdaAliasUpdate")
            if update is not None:
                yield logical(get(resource, "Properties", "FunctionName")), name, update

    def _sam(self, name: str) -> Iterator[Shift]:
        properties = self.properties(name)
        preference = get(properties, "DeploymentPreference")
        on = _is_on(preference)
        if on is False:
            return
        kind = word(get(preference, "Type"))
        alias = word(get(properties, "AutoPublishAlias")) or ""
        hooks = get(preference, "Hooks")
        role = get(preference, "Role")
        yield Shift(
            name=name,
            at=located(self.file, self.entries[name].place),
            engine=Engine.SAM,
            gradual=None if on is None or kind is None else kind != "AllAtOnce",
            alarms=_count(get(preference, "Alarms")),
            rollback=ROLLBACK_EVENTS,
            limited_role=True if role is None else self.roles.limited(role),
            hooks=tuple(self._hooks(hooks, _SAM_HOOKS)),
            aliases=frozenset({f"{name}.Alias", f"{name}Alias{alias}"}),
        )

    def _hooks(self, node: Node | None, names: tuple[tuple[str, str], ...]) -> Iterator[Hook]:
        for key, event in names:
            if (target := get(node, key)) is not None:
                yield self.hook(event, target)

    def _group(self, name: str) -> Shift:
        properties = self.properties(name)
        mine = [
            (alias, update)
            for _, alias, update in self._aliases()
            if logical(get(update, "DeploymentGroupName")) == name
        ]
        return Shift(
            name=name,
            at=located(self.file, self.entries[name].place),
            engine=Engine.CODEDEPLOY,
            gradual=_gradual(properties, lambda_alias=bool(mine)),
            alarms=_alarms(get(properties, "AlarmConfiguration")),
            rollback=_rollback(get(properties, "AutoRollbackConfiguration")),
            limited_role=self.roles.limited(get(properties, "ServiceRoleArn")),
            hooks=tuple(hook for _, update in mine for hook in self._hooks(update, _ALIAS_HOOKS)),
            aliases=frozenset(alias for alias, _ in mine),
        )

    def _unknown_group(self, alias: str, update: Node) -> Shift:
        return Shift(
            name=alias,
            at=located(self.file, self.entries[alias].place),
            engine=Engine.CODEDEPLOY,
            gradual=None,
            alarms=None,
            rollback=None,
            limited_role=None,
            hooks=tuple(self._hooks(update, _ALIAS_HOOKS)),
            aliases=frozenset({alias}),
        )


def _is_on(preference: Node | None) -> bool | None:
    """Tell whether a DeploymentPreference is in force: it is, unless Enabled is false."""
    if preference is None:
        return False
    return None if intrinsic(preference) else flag(get(preference, "Enabled"), default=True)


def _count(alarms: Node | None) -> int | None:
    listed = items(alarms)
    return None if listed is None else len(listed)


def _alarms(configuration: Node | None) -> int | None:
    if configuration is None:
        return 0
    match flag(get(configuration, "Enabled"), default=None):
        case True:
            return _count(get(configuration, "Alarms"))
        case False:
            return 0
        case None:
            return None


def _rollback(configuration: Node | None) -> frozenset[str] | None:
    if configuration is None:
        return frozenset()
    match flag(get(configuration, "Enabled"), default=None):
        case True:
            listed = items(get(configuration, "Events"))
            words = None if listed is None else [word(one) for one in listed]
            if words is None or None in words:
                return None
            return frozenset(one for one in words if one)
        case False:
            return frozenset()
        case None:
            return None


def _gradual(properties: Node | None, *, lambda_alias: bool) -> bool | None:
    """Tell whether a deployment group shifts traffic; EC2's plain deployments in place do not."""
    style = word(get(properties, "DeploymentStyle", "DeploymentType"))
    configuration = word(get(properties, "DeploymentConfigName"))
    if configuration is None or style is None:
        return True if lambda_alias or style == "BLUE_GREEN" else None
    if "LambdaAllAtOnce" in configuration:
        return False
    by_name = any(part in configuration for part in ("Canary", "Linear", "ECS"))
    return lambda_alias or by_name or style == "BLUE_GREEN"
