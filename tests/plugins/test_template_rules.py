from __future__ import annotations

import pytest

from greenroom.validators.errors import SettingsError
from greenroom.validators.template import HookLimits
from greenroom.validators.template_rules import RULES, choose_rules
from tests.support.templates import (
    DIGEST,
    REPORTS,
    group,
    judged,
    sam,
    service,
    spec,
    stage_hook,
    task,
)

ALARMED = "{Type: Canary10Percent5Minutes, Alarms: [!Ref A]}"
ELEVEN = ", ".join(f"{{Name: a{n}}}" for n in range(11))
LAMBDA_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:check"
ROLE_ARN = "arn:aws:iam::123456789012:role/ecs-hooks"
STAGE = '"lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]'
HOOK = f'"hookTargetArn": "{LAMBDA_ARN}", "roleArn": "{ROLE_ARN}"'
ROLLED = "AutoRollbackConfiguration: {Enabled: true, Events: [%s]}"
BOTH = ROLLED % "DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM"
CODE = "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: %s}}}}"
WATCHED = "AlarmConfiguration: {Enabled: true, Alarms: [{Name: a}]}"
MINUTE = HookLimits({"BeforeAllowTraffic": 60.0}, reserve_s=20.0, answer_within_s=3000.0)
LATE = HookLimits(answer_within_s=3600.0)

MET = {
    "GR-T010": sam(hook="FunctionName: !Sub 'CodeDeployHook_${AWS::StackName}'"),
    "GR-T011": sam(hook="DeploymentPreference: {Enabled: false}"),
    "GR-T012": sam(hook="Timeout: 80"),
    "GR-T013": sam(),
    "GR-T014": sam(hook="Environment: {Variables: {VERSION: !Ref Bot.Version}}"),
    "GR-T015": sam(hook=REPORTS),
    "GR-T020": sam(preference=ALARMED),
    "GR-T021": group(WATCHED),
    "GR-T022": group(f"{WATCHED}, {BOTH}"),
    "GR-T023": service("DeploymentCircuitBreaker: {Enable: true, Rollback: true}"),
    "GR-T030": task("registry.example/api:build-4711"),
    "GR-T031": task(f"registry.example/api@{DIGEST}"),
    "GR-T040": spec(),
    "GR-T041": spec("{BeforeInstall: check}"),
    "GR-T042": spec("{AfterAllowTestTraffic: check}"),
    "GR-T043": spec(),
    "GR-T050": stage_hook(f"{{{HOOK}, {STAGE}}}"),
    "GR-T051": stage_hook(f"{{{HOOK}, {STAGE}}}"),
}

BROKEN = {
    "T010-other-name": (sam(hook="FunctionName: check"), "Check is named check, not CodeDeploy"),
    "T010-no-name": (sam(), "Check has no FunctionName"),
    "T010-by-name": (sam().replace("!Ref Check", "check"), "check is named check"),
    "T010-by-arn": (
        sam().replace("!Ref Check", f"'{LAMBDA_ARN}:3'"),
        "is named check, not CodeDeployHook_",
    ),
    "T010-group": (
        group("").replace("CodeDeployHook_check", "check"),
        "Check is named check",
    ),
    "T011-own": (
        sam(hook="DeploymentPreference: {Type: AllAtOnce}"),
        "Check has a DeploymentPreference of its own",
    ),
    "T011-globals": (
        sam(top="Globals: {Function: {DeploymentPreference: {Type: AllAtOnce}}}"),
        "Check has a DeploymentPreference of its own",
    ),
    "T012-default": (sam(), "the Timeout of Check is 3 s, but its suite may take 60 s"),
    "T012-globals": (sam(top="Globals: {Function: {Timeout: 79}}"), "Timeout of Check is 79 s"),
    "T013-late": (sam(), "Check is to answer within 3600 s, but CodeDeploy waits 3,600 s"),
    "T014-sam": (
        sam(hook="Environment: {Variables: {A: !Ref Bot.Alias}}"),
        "Check refers to Bot.Alias",
    ),
    "T014-generated": (sam(hook="Description: !Sub '${BotAliaslive}'"), "refers to BotAliaslive"),
    "T014-alias": (
        group("").replace("CodeDeployHook_check", "CodeDeployHook_check, Description: !Ref Live"),
        "Check refers to Live",
    ),
    "T015-none": (sam(), "the role of Check does not allow codedeploy:Put"),
    "T015-other": (
        sam(hook="Policies: [AWSLambdaVPCAccessExecutionRole, {S3ReadPolicy: {BucketName: b}}]"),
        "it can never report",
    ),
    "T020-sam": (sam(), "no alarm watches the traffic shift of Bot"),
    "T020-off": (group("AlarmConfiguration: {Enabled: false, Alarms: [{Name: a}]}"), "of Group"),
    "T020-ecs": (service("Strategy: CANARY"), "no alarm watches the traffic shift of Api"),
    "T021-eleven": (
        group(f"AlarmConfiguration: {{Enabled: true, Alarms: [{ELEVEN}]}}"),
        "Group has 11 alarms; CodeDeploy takes 10",
    ),
    "T022-none": (group(""), "Group is not rolled back on DEPLOYMENT_FAILURE"),
    "T022-off": (
        group("AutoRollbackConfiguration: {Enabled: false, Events: [DEPLOYMENT_FAILURE]}"),
        "Group is not rolled back on DEPLOYMENT_FAILURE",
    ),
    "T022-alarm": (
        group(f"{WATCHED}, {ROLLED % 'DEPLOYMENT_FAILURE'}"),
        "Group is not rolled back on DEPLOYMENT_STOP_ON_ALARM",
    ),
    "T023-none": (service(""), "neither the circuit breaker nor alarms roll Api back"),
    "T023-half": (
        service("DeploymentCircuitBreaker: {Enable: true, Rollback: false}"),
        "neither the circuit breaker nor alarms",
    ),
    "T030-latest": (task("registry.example/api:latest"), "the tag latest moves"),
    "T030-none": (task("registry.example:5000/api"), "has no tag: that is latest"),
    "T030-digest": (task("api@sha256:abc"), "its digest is none of sha256"),
    "T030-compose": ("services: {db: {image: 'postgres:stable'}}", "the tag stable moves"),
    "T030-lambda": (
        CODE % "!Sub '${AWS::AccountId}.ecr/api:prod'",
        "the tag prod moves",
    ),
    "T031-tag": (task("api:4711"), "api:4711 is named by a tag"),
    "T040-version": (spec(version=""), "the AppSpec has no version"),
    "T040-other-version": (spec(version="version: 2.0"), "version is 2.0, not 0.0"),
    "T040-kind": (spec(kind="S3::Bucket"), "Type is AWS::S3::Bucket"),
    "T040-none": ("version: 0.0\nhooks: []\nResources: []", "names 0 resources, not one"),
    "T040-section": ("version: 0.0\nos: linux\nhooks: {}\nhook: {}", "has no section hook"),
    "T040-os": ("version: 0.0\nos: plan9\nhooks: {}", "os is plan9"),
    "T040-no-os": ("version: 0.0\nfiles: []\nResources: []", "the AppSpec has no os"),
    "T041-misspelt": (spec("{AfterAllowTestTrafic: check}"), "no lifecycle event AfterAllowTestT"),
    "T042-lambda": (
        spec("{BeforeInstall: check}", kind="Lambda::Function"),
        "no hook runs at BeforeInstall on Lambda",
    ),
    "T043-placeholder": (
        spec().replace("<TASK_DEFINITION>", "<TASKDEF>"),
        "nobody fills in TaskDefinition <TASKDEF>",
    ),
    "T043-container": (
        spec().replace("ContainerName: api, ", ""),
        "Target has no LoadBalancerInfo.ContainerName",
    ),
    "T043-no-definition": (
        spec().replace("TaskDefinition: <TASK_DEFINITION>, ", ""),
        "Target has no TaskDefinition",
    ),
    "T043-same-version": (
        spec(kind="Lambda::Function").replace("TargetVersion: '2'", "TargetVersion: '1'"),
        "CurrentVersion and TargetVersion are both 1",
    ),
    "T043-no-alias": (
        spec(kind="Lambda::Function").replace("Alias: live, ", ""),
        "Target has no Alias",
    ),
    "T050-no-role": (
        stage_hook(f'{{"hookTargetArn": "{LAMBDA_ARN}", {STAGE}}}'),
        "RoleArn is not given",
    ),
    "T050-no-arn": (
        stage_hook(f'{{"hookTargetArn": "check", "roleArn": "{ROLE_ARN}", {STAGE}}}'),
        "HookTargetArn is check, not a Lambda function's ARN",
    ),
    "T051-none": (stage_hook(f"{{{HOOK}}}"), "has no LifecycleStages"),
    "T051-misspelt": (
        stage_hook(f'{{{HOOK}, "lifecycleStages": ["AfterAllowTestTraffic"]}}'),
        "names the stage AfterAllowTestTraffic",
    ),
}

UNKNOWN = {
    "T010-role-elsewhere": (sam(preference="{Type: AllAtOnce, Role: !Ref R}"), "role that deploys"),
    "T010-name-parameter": (sam(hook="FunctionName: !Ref Name"), "is named ${…}"),
    "T011-conditional": (
        sam(hook="DeploymentPreference: {Enabled: !If [a, true, false]}"),
        "whether Check has a DeploymentPreference",
    ),
    "T012-parameter": (sam(hook="Timeout: !Ref T"), "the Timeout of Check"),
    "T015-role-elsewhere": (sam(hook="Role: !Ref R"), "what the role of Check allows"),
    "T015-policy-elsewhere": (sam(hook="Policies: [!Ref P]"), "what the role of Check allows"),
    "T020-conditional": (
        sam(preference="{Type: AllAtOnce2, Alarms: !If [a, [b], [c]]}"),
        "whether alarms watch the deployment of Bot",
    ),
    "T022-unsaid": (
        group("AutoRollbackConfiguration: {Events: [DEPLOYMENT_FAILURE]}"),
        "on what Group is rolled back",
    ),
    "T022-group-elsewhere": (
        group(BOTH).replace("!Ref Group", "other"),
        "on what Live is rolled back",
    ),
    "T023-parameter": (
        service("DeploymentCircuitBreaker: {Enable: true, Rollback: !Ref R}"),
        "on what Api is rolled back",
    ),
    "T030-parameter": (task("<IMAGE1_NAME>"), "the tag or digest of ${…}"),
    "T030-variable": ("services: {api: {image: 'api:${TAG}'}}", "the tag or digest of api:${…}"),
    "T042-no-platform": (
        "version: 0.0\nResources: []\nHooks: [{BeforeInstall: x}]",
        "the platform is unknown",
    ),
    "T050-parameter": (
        service("LifecycleHooks: [{HookTargetArn: !Ref F, RoleArn: !Ref R}]"),
        "HookTargetArn is known at the deployment only",
    ),
    "T051-parameter": (
        service("LifecycleHooks: [{LifecycleStages: !Ref Stages}]"),
        "the stages of a lifecycle hook of Api",
    ),
}


def rule_of(case: str) -> str:
    return f"GR-{case.partition('-')[0]}"


def limits(case: str) -> HookLimits:
    return LATE if case.startswith("T013") else MINUTE


@pytest.mark.parametrize(("rule", "text"), MET.items(), ids=MET)
def test_what_keeps_a_rule_is_judged_and_gives_no_result(rule: str, text: str) -> None:
    linted = judged(text, rule, limits=MINUTE)
    assert linted.judged > 0
    assert (linted.results, linted.unknown) == ((), ())


@pytest.mark.parametrize(
    ("rule", "text", "message"),
    [(rule_of(case), *given) for case, given in BROKEN.items()],
    ids=BROKEN,
)
def test_what_breaks_a_rule_is_a_result_with_its_place(
    rule: str, text: str, message: str, request: pytest.FixtureRequest
) -> None:
    case = request.node.callspec.id
    linted = judged(text, rule, limits=limits(case))
    assert [message in one.message for one in linted.results].count(True) == 1
    assert all(one.id == rule and one.location and one.location.line for one in linted.results)
    assert all(one.advice and one.link and one.fingerprint for one in linted.results)


@pytest.mark.parametrize(
    ("rule", "text", "note"),
    [(rule_of(case), *given) for case, given in UNKNOWN.items()],
    ids=UNKNOWN,
)
def test_what_only_the_deployment_knows_is_told_and_no_result(
    rule: str, text: str, note: str
) -> None:
    linted = judged(text, rule, limits=MINUTE)
    assert linted.results == ()
    assert any(note in one and one.startswith(f"{rule} not judged: ") for one in linted.unknown)


def test_every_rule_has_a_passing_and_a_failing_example() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids)) == list(MET)
    assert set(ids) == {rule_of(case) for case in BROKEN}


ALLOWING = {
    "wildcard": "Policies: {Statement: {Effect: Allow, Action: 'codedeploy:Put*', Resource: x}}",
    "everything": "Policies: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}",
    "not-action": "Policies: {Statement: [{Effect: Allow, NotAction: 's3:*', Resource: '*'}]}",
    "managed": "Policies: [arn:aws:iam::aws:policy/AWSCodeDeployFullAccess]",
    "name-of-a-managed-one": "Policies: AdministratorAccess",
}


@pytest.mark.parametrize("policies", ALLOWING.values(), ids=ALLOWING)
def test_a_hook_may_report_by_any_policy_that_allows_it(policies: str) -> None:
    assert judged(sam(hook=policies), "GR-T015").judged == 1


ROLE = """
Resources:
  Check:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: CodeDeployHook_check, Role: {Fn::GetAtt: [Role, Arn]}}
  Role:
    Type: AWS::IAM::Role
    Properties: {ManagedPolicyArns: [{Fn::Join: ["", ["arn:", {Ref: AWS::Partition},
      ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]]}]}
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [{Ref: Role}]
      PolicyDocument: {Statement: [{Effect: Allow, Resource: "*", Action: ["%s"]}]}
"""


@pytest.mark.parametrize(
    ("action", "results"),
    [("codedeploy:PutLifecycleEventHookExecutionStatus", 0), ("codedeploy:GetDeployment", 1)],
    ids=["report", "another"],
)
def test_the_policy_that_the_cdk_attaches_to_a_role_counts(action: str, results: int) -> None:
    linted = judged(ROLE % action, "GR-T015")
    assert (linted.judged, len(linted.results)) == (1, results)


@pytest.mark.parametrize(
    ("role", "judgements"),
    [("AWSCodeDeployRoleForLambda", 1), ("AWSCodeDeployRoleForECS", 0)],
    ids=["limited", "any-function"],
)
def test_names_are_judged_where_the_role_is_limited_to_them(role: str, judgements: int) -> None:
    assert judged(group("", role=role), "GR-T010").judged == judgements


ELSEWHERE = """
Resources:
  Fn::ForEach::Bots: [Name, [a, b], {"Bot${Name}": {Type: AWS::Serverless::Function}}]
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: other.yaml}}
"""


def test_what_other_files_and_loops_hold_is_told_to_be_unjudged() -> None:
    assert judged(ELSEWHERE, "GR-T020").unknown == (
        "no rule judges what Fn::ForEach::Bots makes: t.yaml:3:3",
        "no rule judges the stack Nested, which is another template: t.yaml:4:3",
    )


UNSURE = {
    "statement": "Policies: {Statement: !If [a, b, c]}",
    "each-statement": "Policies: {Statement: [!If [a, b, c]]}",
    "one-of-them": "Policies: {Statement: [!Ref S]}",
    "action": "Policies: {Statement: {Effect: Allow, Action: !Ref A}}",
    "not-action": "Policies: {Statement: {Effect: Allow, NotAction: !Ref A}}",
    "document": "Policies: [!Ref Own]",
}
OWN = "\n  Own: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: !Ref D}}\n"


@pytest.mark.parametrize("policies", UNSURE.values(), ids=UNSURE)
def test_a_policy_that_is_known_at_the_deployment_only_is_not_judged(policies: str) -> None:
    linted = judged(sam(hook=policies).rstrip() + OWN, "GR-T015")
    assert (linted.judged, len(linted.unknown)) == (0, 1)


REFUSING = {
    "deny": "Policies: {Statement: {Effect: Deny, Action: '*'}}",
    "not-this": "Policies: {Statement: {Effect: Allow, NotAction: 'codedeploy:*'}}",
}


@pytest.mark.parametrize("policies", REFUSING.values(), ids=REFUSING)
def test_a_policy_that_allows_something_else_does_not_count(policies: str) -> None:
    assert len(judged(sam(hook=policies), "GR-T015").results) == 1


SHIFTING = {
    "blue-green": ("DeploymentStyle: {DeploymentType: BLUE_GREEN}", 1),
    "ecs": ("DeploymentConfigName: CodeDeployDefault.ECSCanary10Percent5Minutes", 1),
    "own-configuration": ("DeploymentConfigName: !Ref C", 1),
    "all-at-once": ("DeploymentConfigName: CodeDeployDefault.LambdaAllAtOnce", 0),
}


@pytest.mark.parametrize(("properties", "results"), SHIFTING.values(), ids=SHIFTING)
def test_a_deployment_group_that_shifts_traffic_needs_alarms(properties: str, results: int) -> None:
    assert len(judged(group(properties), "GR-T020").results) == results


def test_a_deployment_group_of_servers_in_place_needs_no_alarms() -> None:
    servers = "Resources: {G: {Type: AWS::CodeDeploy::DeploymentGroup, Properties: {}}}"
    assert judged(servers, "GR-T020").judged == 0


ECS_ALARMS = {
    "given": ("Alarms: {Enable: true, Rollback: true, AlarmNames: [a]}", 0, 0),
    "off": ("Alarms: {Enable: false, Rollback: true, AlarmNames: [a]}", 1, 0),
    "parameter": ("Alarms: {Enable: true, Rollback: true, AlarmNames: !Ref A}", 0, 1),
}


@pytest.mark.parametrize(("alarms", "results", "unknown"), ECS_ALARMS.values(), ids=ECS_ALARMS)
def test_a_blue_green_service_needs_alarms_that_are_on(
    alarms: str, results: int, unknown: int
) -> None:
    linted = judged(service(f"Strategy: BLUE_GREEN, {alarms}"), "GR-T020")
    assert (len(linted.results), len(linted.unknown)) == (results, unknown)


def test_globals_lists_are_added_to_a_functions_own() -> None:
    preference = "{Function: {DeploymentPreference: {Alarms: [a]}}}"
    text = sam(preference=ALARMED, top=f"Globals: {preference}")
    assert judged(text, "GR-T020").results == ()


def test_the_hook_of_an_ecs_service_needs_time_and_no_right_to_report() -> None:
    hook = "{HookTargetArn: !GetAtt Check.Arn, LifecycleStages: [PRE_PRODUCTION_TRAFFIC_SHIFT]}"
    text = service(f"LifecycleHooks: [{hook}]") + "  Check: {Type: AWS::Lambda::Function}\n"
    assert len(judged(text, "GR-T012", limits=MINUTE).results) == 1
    assert judged(text, "GR-T015").judged == 0


JOINED = "!Join ['', [CodeDeployHook_, !Ref Stage]]"
NAMES = {"join": JOINED, "sub-of-a-list": "!Sub ['CodeDeployHook_${a}', {a: b}]"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_whose_beginning_is_known_is_judged(name: str) -> None:
    assert judged(sam(hook=f"FunctionName: {name}"), "GR-T010").judged == 1


def test_no_value_is_nothing() -> None:
    text = sam(preference="{Type: Canary10Percent5Minutes, Alarms: [!Ref 'AWS::NoValue']}")
    assert len(judged(text, "GR-T020").results) == 1


def test_a_tag_made_of_the_content_counts_as_fixed() -> None:
    assert judged(task(f"cdk-assets:{'0a' * 32}"), "GR-T031").results == ()


def test_a_service_that_codedeploy_deploys_is_judged_by_its_group() -> None:
    controller = "DeploymentController: {Type: CODE_DEPLOY},"
    assert judged(service("", controller), "GR-T023").judged == 0


def test_a_hook_that_waits_for_a_person_needs_no_function() -> None:
    assert judged(stage_hook(f'{{"targetType": "PAUSE", {STAGE}}}'), "GR-T050").judged == 0


def test_a_hook_whose_function_and_role_are_of_the_template_has_them() -> None:
    hook = "{HookTargetArn: !GetAtt F.Arn, RoleArn: !Sub '${R.Arn}'}"
    linted = judged(service(f"LifecycleHooks: [{hook}]"), "GR-T050")
    assert (linted.judged, linted.results, linted.unknown) == (2, (), ())


def test_no_alarms_are_asked_for_where_no_traffic_is_shifted() -> None:
    assert judged(sam(preference="{Type: AllAtOnce}"), "GR-T020").judged == 0
    assert judged(service("Strategy: ROLLING"), "GR-T020").judged == 0


def test_a_suite_that_cannot_end_within_an_invocation_is_told() -> None:
    linted = judged(sam(hook="Timeout: 900"), "GR-T012", limits=HookLimits({"": 890.0}))
    assert "hand the suite off" in linted.results[0].message


@pytest.mark.parametrize(
    ("chosen", "message"),
    [((("GR-T999",), ()), "no rule 'GR-T999'"), ((("GR-T010",), ("GR-T010",)), "no rule is left")],
    ids=["unknown", "none-left"],
)
def test_a_choice_of_rules_that_leaves_none_is_refused(
    chosen: tuple[tuple[str, ...], tuple[str, ...]], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        choose_rules(*chosen)
