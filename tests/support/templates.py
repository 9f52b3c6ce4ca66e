"""Small templates in tests, and what our rules say of them."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from greenroom.plugins.template_facts import facts_of
from greenroom.plugins.template_kinds import kind_of
from greenroom.plugins.template_yaml import parse_template
from greenroom.validators.template import HookLimits, lint
from greenroom.validators.template_rules import choose_rules

if TYPE_CHECKING:
    from greenroom.validators.template import Linted

DIGEST = "sha256:" + "a" * 64
REPORTS = (
    "Policies: [{Statement: [{Effect: Allow, Resource: '*', "
    "Action: codedeploy:PutLifecycleEventHookExecutionStatus}]}]"
)


def judged(text: str, rule: str, shown: str = "t.yaml", limits: HookLimits | None = None) -> Linted:
    """Return what ``rule`` alone says of a text."""
    root = parse_template(dedent(text), shown)
    kind = kind_of(root, shown)
    assert kind is not None
    return lint([facts_of(shown, kind, root)], choose_rules([rule]), limits or HookLimits())


def sam(
    *, preference: str = "{Type: Canary10Percent5Minutes}", hook: str = "", top: str = ""
) -> str:
    """Return a SAM template: Bot is shifted with ``preference``, Check is its hook."""
    body = preference.strip("{}")
    return f"""\
Transform: AWS::Serverless-2016-10-31
{top}
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      DeploymentPreference: {{{body}, Hooks: {{PreTraffic: !Ref Check}}}}
  Check:
    Type: AWS::Serverless::Function
    Properties: {{{hook}}}
"""


def group(properties: str, *, role: str = "AWSCodeDeployRoleForLambda") -> str:
    """Return a template of a deployment group, its alias with the hook Check, and its role."""
    return f"""\
Resources:
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties: {{ServiceRoleArn: !GetAtt Role.Arn, {properties}}}
  Role:
    Type: AWS::IAM::Role
    Properties: {{ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/service-role/{role}']}}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {{FunctionName: !Ref Bot}}
    UpdatePolicy:
      CodeDeployLambdaAliasUpdate:
        DeploymentGroupName: !Ref Group
        BeforeAllowTrafficHook: !Ref Check
  Bot: {{Type: AWS::Lambda::Function}}
  Check:
    Type: AWS::Lambda::Function
    Properties: {{FunctionName: CodeDeployHook_check}}
"""


def service(configuration: str, more: str = "") -> str:
    """Return a template of an ECS service that ECS itself deploys."""
    return f"""\
Resources:
  Api:
    Type: AWS::ECS::Service
    Properties: {{{more} DeploymentConfiguration: {{{configuration}}}}}
"""


def stage_hook(hook: str) -> str:
    """Return an ECS service definition, as `aws ecs create-service` takes it, with one hook."""
    return f'{{"serviceName": "api", "deploymentConfiguration": {{"lifecycleHooks": [{hook}]}}}}'


def task(image: str) -> str:
    """Return an ECS task definition of one container."""
    return f'{{"family": "api", "containerDefinitions": [{{"name": "api", "image": "{image}"}}]}}'


def spec(hooks: str = "", *, version: str = "version: 0.0", kind: str = "ECS::Service") -> str:
    """Return an AppSpec of one resource."""
    properties = {
        "ECS::Service": "{TaskDefinition: <TASK_DEFINITION>, "
        "LoadBalancerInfo: {ContainerName: api, ContainerPort: 80}}",
        "Lambda::Function": "{Name: bot, Alias: live, CurrentVersion: '1', TargetVersion: '2'}",
    }
    return f"""\
{version}
Resources:
  - Target: {{Type: "AWS::{kind}", Properties: {properties.get(kind, "{}")}}}
Hooks: [{hooks}]
"""
