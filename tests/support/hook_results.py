"""What became of a hook event, for tests of those who tell it."""

from __future__ import annotations

from greenroom.plugins.hook_result import HookResult, Seconds
from greenroom.plugins.reporting import Answer, Told
from greenroom.validators.vocabulary import Verdict

LINK = "https://reports.example.org/d-1"
RESULT = HookResult(
    answer=Answer(
        succeeded=False,
        verdict=Verdict.DO_NOT_SHIP,
        reasons=("smoke: answers: status 500", "no smoke"),
        link=LINK,
    ),
    told=Told(to="CodeDeploy", status="Failed"),
    event="AfterAllowTestTraffic",
    application="trivia-api",
    deployment="d-1",
    execution_id="execution-1",
    ending="exited",
    exit_status=1,
    record="/reports/execution-1/run.json",
    checks=4,
    failed=1,
    seconds=Seconds(suite=2.5, report=0.25, hook=3.0),
)
