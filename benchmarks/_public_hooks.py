"""Hooks as they are published: short re-implementations of what each of them does.

Each reports to CodeDeploy with boto3, as its model does.
"""

from __future__ import annotations

_REPORT = """
def report(event, status):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
"""

REFERENCE = f"""
import json
import os
import urllib.request
import boto3
{_REPORT}
def length_of(body):
    # The published hook is JavaScript and reads `.length` of whatever JSON, or else text, came.
    try:
        body = json.loads(body)
    except ValueError:
        body = body.decode()
    if isinstance(body, dict):
        return body.get("length")
    return len(body) if isinstance(body, (str, list)) else None

def handler(event, context):
    try:
        with urllib.request.urlopen(os.environ["TARGET"] + "/api/trivia/all") as answer:
            right = answer.status == 200 and length_of(answer.read()) == 4
    except Exception:
        right = False
    report(event, "Succeeded" if right else "Failed")
"""
"""One GET of the test listener without a time-out; passes if the status is 200 and the body's
length is 4: the published hook of a trivia game's blue/green deployment (a length is JavaScript's).
"""

STATUS_IS_ENOUGH = f"""
import os
import boto3
import httpx
{_REPORT}
def handler(event, context):
    try:
        right = httpx.get(os.environ["TARGET"] + "/api/trivia/all", timeout=3).status_code == 200
    except Exception:
        right = False
    report(event, "Succeeded" if right else "Failed")
"""
"""One GET with a time-out, status 200 is enough: the validation hook of many tutorials."""

IN_PROCESS = f"""
import os
import boto3
import pytest
{_REPORT}
def handler(event, context):
    suites = os.path.join(os.environ["LAMBDA_TASK_ROOT"], "suites")
    try:
        status = "Succeeded" if pytest.main(["-p", "no:cacheprovider", suites]) == 0 else "Failed"
    except BaseException:
        status = "Failed"
    report(event, status)
"""
"""``pytest.main`` in the handler, its exit status is the verdict: tests as a deployment hook."""

IN_PROCESS_SUITE = """
import os
import httpx

def test_there_are_four_categories():
    answer = httpx.get(os.environ["TARGET"] + "/api/trivia/all")
    assert answer.status_code == 200
    assert len(answer.json()) == 4
"""
"""What such a hook's test asserts."""

BARE = f"""
import os
import boto3
import httpx
{_REPORT}
def handler(event, context):
    right = True
    with httpx.Client(base_url=os.environ["TARGET"], timeout=5) as client:
        for number in range(int(os.environ["CHECKS"])):
            answer = client.get(f"/items/{{number}}")
            right = right and answer.status_code == 200 and answer.json()["id"] == number
    report(event, "Succeeded" if right else "Failed")
"""
"""The least that checks anything: boto3 and httpx, CHECKS requests one after the other."""
