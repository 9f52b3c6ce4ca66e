"""One event delivered many times at once: one suite runs, and everybody hears the same."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from benchmarks._deliveries import Load, deliver
from greenroom.plugins.aws_process import Aws
from greenroom.plugins.hook_ledger import State, open_ledger
from greenroom.plugins.hook_ledger_wait import await_verdict, settle
from tests.support.ledgers import SHIP
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.plugins.hook_ledger import Recorded

DELIVERIES = 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ledger", "passes", "status"),
    [("s3", True, "Succeeded"), ("dynamodb", False, "Failed")],
    ids=["passes", "fails"],
)
def test_duplicates_run_one_suite_and_report_one_status(
    tmp_path: Path,
    ledger: str,
    passes: bool,  # noqa: FBT001 - a parameter of cases
    status: str,
) -> None:
    load = Load(functions=2, threads=4, timeout_s=60, suite_s=2, passes=passes, ledger=ledger)
    duplicates = deliver(load, tmp_path)
    assert duplicates.problems(status) == []
    assert duplicates.claims["mine"] == 1


@pytest.mark.slow
def test_200_deliveries_at_once_run_one_suite_and_agree() -> None:
    ran: list[str] = []
    ready = threading.Barrier(DELIVERIES)

    def delivery(number: int) -> Recorded | None:
        owner, until = f"delivery-{number}", time.monotonic() + 50
        ready.wait()
        claim = ledger.claim("e-1", owner=owner, lease_ends=time.time() + 50, until=until)
        if claim.state is State.MINE:
            ran.append(owner)
            time.sleep(1)
            return settle(ledger, "e-1", SHIP, until=until)
        return claim.recorded or await_verdict(ledger, "e-1", by=owner, until=until, held=claim)

    with MotoServer() as moto, Aws(moto.environment, prepared=("s3",)) as aws:
        ledger = open_ledger(f"s3://{moto.bucket(f'ledger-{secrets.token_hex(8)}')}", aws)
        with ThreadPoolExecutor(DELIVERIES) as pool:
            verdicts = list(pool.map(delivery, range(DELIVERIES)))
    assert len(ran) == 1
    assert verdicts == [SHIP] * DELIVERIES
