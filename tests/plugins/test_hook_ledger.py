"""The ledger of hook executions on S3 and DynamoDB: written once, claimed once, decided once."""

from __future__ import annotations

import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.plugins.aws_process import Aws, CallError
from greenroom.plugins.hook_ledger import Recorded, State, open_ledger
from greenroom.validators.errors import ServiceError, SettingsError
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenroom.plugins.hook_ledger import Claim, Ledger

KEY = "execution/1: ünsafe"
SHIP = Recorded(
    succeeded=True, verdict="ship", reasons=(), status="Succeeded", at="2026-01-01", by="first"
)
DIED = Recorded.failed("it died", at="2026-01-02", by="second")
RACERS = 200


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def claimed(ledger: Ledger, owner: str, *, ends: float = 1e10) -> Claim:
    return ledger.claim(KEY, owner=owner, lease_ends=ends, until=soon())


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with MotoServer() as server:
        yield server


@pytest.fixture(scope="module")
def aws(server: MotoServer) -> Iterator[Aws]:
    with Aws(server.environment, prepared=("s3", "dynamodb")) as aws:
        yield aws


@pytest.fixture(params=["s3", "s3-with-prefix", "dynamodb"])
def address(request: pytest.FixtureRequest, server: MotoServer) -> str:
    """A new, empty place."""
    name = f"ledger-{secrets.token_hex(8)}"
    if request.param == "dynamodb":
        return f"dynamodb://{server.table(name)}"
    return f"s3://{server.bucket(name)}{'/a/b' if request.param == 's3-with-prefix' else ''}"


@pytest.fixture
def ledger(address: str, aws: Aws) -> Ledger:
    return open_ledger(address, aws)


@pytest.mark.parametrize(
    "address", ["", "s3://", "s3://UPPER", "dynamodb://t", "dynamodb://a/b", "/var/x", "file://x"]
)
def test_an_address_of_another_kind_is_refused(address: str, aws: Aws) -> None:
    with pytest.raises(SettingsError, match="not a ledger's address") as caught:
        open_ledger(address, aws)
    assert "s3://bucket/prefix or dynamodb://table" in caught.value.hint


@pytest.mark.parametrize(
    "address", ["s3://no-such-bucket-here", "dynamodb://no-such-table"], ids=["s3", "dynamodb"]
)
def test_a_place_that_is_not_there_is_an_error_at_once(address: str, aws: Aws) -> None:
    with pytest.raises(CallError) as caught:
        open_ledger(address, aws).claim(KEY, owner="first", lease_ends=1e10, until=soon())
    assert caught.value.code in {"NoSuchBucket", "ResourceNotFoundException"}


def test_the_second_delivery_is_told_who_holds_the_execution_and_until_when(
    ledger: Ledger,
) -> None:
    assert ledger.read(KEY, until=soon()) is None
    assert claimed(ledger, "first", ends=1234.5) == (State.MINE, 1234.5, None, "first")
    assert claimed(ledger, "second") == (State.HELD, 1234.5, None, "first")
    assert ledger.recorded(KEY, until=soon()) is None


def test_the_same_owner_is_not_told_mine_twice(ledger: Ledger) -> None:
    assert claimed(ledger, "request-1").state is State.MINE
    assert claimed(ledger, "request-1").state is State.HELD


def test_the_first_verdict_stands(ledger: Ledger) -> None:
    claimed(ledger, "first")
    assert ledger.record(KEY, DIED, until=soon()) == DIED
    assert ledger.record(KEY, SHIP, until=soon()) == DIED
    assert claimed(ledger, "third") == (State.RECORDED, 0.0, DIED, "second")


def test_a_verdict_that_is_older_than_the_claim_forbids_the_run(ledger: Ledger) -> None:
    ledger.record(KEY, DIED, until=soon())
    assert claimed(ledger, "first").recorded == DIED


def test_keys_that_look_alike_are_different_executions(ledger: Ledger) -> None:
    keys = ["a/b", "a_b", "a:b", "A_b", "x" * 5000, "x" * 5001, "../a", ""]
    states = [ledger.claim(key, owner="o", lease_ends=1e10, until=soon()).state for key in keys]
    assert states == [State.MINE] * len(keys)


def test_what_was_handed_over_is_taken_over_once(ledger: Ledger) -> None:
    claimed(ledger, "function", ends=100)
    assert claimed(ledger, "build", ends=900).state is State.HELD
    for _ in range(2):  # handing over again changes nothing
        ledger.hand_over(KEY, owner="build", lease_ends=500, until=soon())
    assert claimed(ledger, "second") == (State.HELD, 500.0, None, "build")
    assert claimed(ledger, "build", ends=900) == (State.MINE, 900.0, None, "build")
    assert claimed(ledger, "build", ends=999).state is State.HELD


def test_the_ledger_tells_which_build_took_an_execution_over(ledger: Ledger) -> None:
    claimed(ledger, "function", ends=100)
    ledger.hand_over(KEY, owner="build", lease_ends=500, until=soon())
    assert ledger.taken_over(KEY, until=soon()) is None
    ledger.claim(KEY, owner="build", lease_ends=500, until=soon(), build="gates:1")
    ledger.claim(KEY, owner="build", lease_ends=900, until=soon(), build="gates:2")
    assert ledger.taken_over(KEY, until=soon()) == ("gates:1", 500.0)


def test_it_is_handed_over_to_one(ledger: Ledger) -> None:
    claimed(ledger, "function")
    ledger.hand_over(KEY, owner="build", lease_ends=500, until=soon())
    with pytest.raises(ServiceError, match="already handed over to somebody else"):
        ledger.hand_over(KEY, owner="another", lease_ends=500, until=soon())


def test_a_verdict_is_kept_within_bounds(ledger: Ledger) -> None:
    long = Recorded.failed("x" * 100_000, at="now", by="me")
    many = Recorded(**{**_fields(long), "reasons": ("y" * 5000,) * 50})
    kept = ledger.record(KEY, many, until=soon())
    assert [len(reason) for reason in kept.reasons] == [1000] * 20 + [11]
    assert kept.reasons[-1] == "and 30 more"
    assert ledger.recorded(KEY, until=soon()) == kept


def _fields(recorded: Recorded) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(recorded.to_json())
    return fields


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"succeeded": "yes", "verdict": "", "reasons": []}'],
)
def test_an_entry_of_somebody_else_is_an_error(text: str) -> None:
    with pytest.raises(ServiceError, match="not its own"):
        Recorded.from_json(text)


def test_a_succeeded_that_is_no_boolean_is_an_error() -> None:
    fields = {**_fields(SHIP), "succeeded": 1}
    with pytest.raises(ServiceError, match="succeeded is 1"):
        Recorded.from_json(json.dumps(fields))


@pytest.mark.slow
@pytest.mark.parametrize("address", ["s3", "dynamodb"], indirect=True)
def test_of_200_claims_at_once_exactly_one_is_mine(ledger: Ledger) -> None:
    ready = threading.Barrier(RACERS)

    def race(number: int) -> Claim:
        ready.wait()
        return claimed(ledger, f"delivery-{number}")

    with ThreadPoolExecutor(RACERS) as pool:
        claims = list(pool.map(race, range(RACERS)))
    [mine] = [claim for claim in claims if claim.state is State.MINE]
    assert {claim.owner for claim in claims} == {mine.owner}
    assert [claim.state for claim in claims].count(State.HELD) == RACERS - 1


def test_of_many_verdicts_at_once_one_stands_for_everybody(ledger: Ledger) -> None:
    ready = threading.Barrier(20)

    def race(number: int) -> Recorded:
        ready.wait()
        verdict = Recorded.failed(f"reason {number}", at="now", by=str(number))
        return ledger.record(KEY, verdict, until=soon())

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(race, range(20)))) == 1
