"""What a claim is worth when the way to the ledger is broken: one writer, or an error."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.aws_process import Aws, CallError
from greenroom.plugins.hook_ledger import State, open_ledger
from greenroom.validators.errors import ServiceError
from tests.support.aws import Fault, FaultProxy, Pass, Refusal, Unheard
from tests.support.ledgers import SHIP
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.hook_ledger import Ledger
    from tests.support.aws import Script

KEY = "e-1"
PASS = Pass()
CONFLICT = Refusal("ConditionalRequestConflict", "At least one precondition", status=409)
BUSY = Refusal("TransactionConflictException", "Transaction is ongoing for the item")


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with MotoServer() as server:
        yield server


@contextmanager
def broken(moto: MotoServer, kind: str, write: Script, read: Script = PASS) -> Iterator[Ledger]:
    """Return a ledger whose writes and reads come across ``write`` and ``read``."""
    name = f"faults-{secrets.token_hex(8)}"
    place = moto.bucket(name) if kind == "s3" else moto.table(name)
    scripts: dict[str, Script] = {"^PUT|PutItem": write, "^GET|GetItem": read}
    with (
        FaultProxy(moto.url, scripts) as proxy,
        Aws(proxy.environment, prepared=(kind,), patience_s=1) as aws,
    ):
        yield open_ledger(f"{kind}://{place}", aws)


@pytest.mark.parametrize("kind", ["s3", "dynamodb"])
@pytest.mark.parametrize(
    "fault",
    [Fault.THROTTLE, Fault.FAIL, Fault.RESET, Fault.DENY, CONFLICT, BUSY],
    ids=["throttle", "500", "reset", "denied", "s3-conflict", "dynamodb-conflict"],
)
def test_what_passes_is_tried_again(moto: MotoServer, kind: str, fault: Fault) -> None:
    with broken(moto, kind, [fault, PASS], [fault, PASS]) as ledger:
        claim = ledger.claim(KEY, owner="first", lease_ends=1e10, until=soon())
        assert claim.state is State.MINE


@pytest.mark.parametrize("kind", ["s3", "dynamodb"])
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.FAIL, Fault.SILENT])
def test_a_claim_whose_answer_was_lost_is_known_as_ones_own(
    moto: MotoServer, kind: str, fault: Fault
) -> None:
    with broken(moto, kind, [Unheard(fault, PASS), PASS]) as ledger:
        first = ledger.claim(KEY, owner="request-1", lease_ends=1e10, until=soon())
        second = ledger.claim(KEY, owner="request-1", lease_ends=1e10, until=soon())
    assert (first.state, second.state) == (State.MINE, State.HELD)


@pytest.mark.parametrize("kind", ["s3", "dynamodb"])
def test_a_verdict_whose_answer_was_lost_stands(moto: MotoServer, kind: str) -> None:
    with broken(moto, kind, [Unheard(Fault.RESET, PASS), PASS]) as ledger:
        assert ledger.record(KEY, SHIP, until=soon()) == SHIP


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.SILENT, Fault.DENY])
@pytest.mark.parametrize("kind", ["s3", "dynamodb"])
def test_a_ledger_out_of_reach_is_an_error_in_time(
    moto: MotoServer, kind: str, fault: Fault
) -> None:
    with broken(moto, kind, fault) as ledger, pytest.raises(CallError) as caught:
        ledger.claim(KEY, owner="first", lease_ends=1e10, until=soon(1.5))
    assert caught.value.again


def test_a_write_that_somebody_else_answered_is_no_claim_and_no_verdict(moto: MotoServer) -> None:
    with broken(moto, "dynamodb", Fault.GARBAGE) as ledger:
        with pytest.raises(ServiceError, match="not by AWS"):
            ledger.claim(KEY, owner="first", lease_ends=1e10, until=soon())
        with pytest.raises(ServiceError, match="not by AWS"):
            ledger.record(KEY, SHIP, until=soon())


def test_an_object_that_s3_does_not_speak_of_needs_the_right_to_list(moto: MotoServer) -> None:
    with broken(moto, "s3", PASS, Fault.DENY) as ledger, pytest.raises(CallError) as caught:
        ledger.read(KEY, until=soon(4))
    assert "s3:GetObject" in caught.value.hint
    assert "s3:ListBucket" in caught.value.hint
