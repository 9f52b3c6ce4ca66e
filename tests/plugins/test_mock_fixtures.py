"""The fixtures as a project uses them."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runs import TWO_WORKERS, Ran, environment, run

if TYPE_CHECKING:
    from pathlib import Path

ROUTES = "routes: [{get: '/users/{id}', json: {id: 1}}]"
SOURCE = """
import os

import boto3
import httpx
import pytest

@pytest.fixture
def users(mock_service):
    return mock_service("users.yaml")

def test_calls_it(users):
    httpx.get(f"{users.url}/users/3")
    users.assert_called("GET /users/{id}", times=1)

def test_calls_nothing(users): ...

def test_expects_nothing(users):
    users.expect_no_calls()

def test_starts_none(mock_service): ...

def test_asks_for_the_unknown(users):
    httpx.get(f"{users.url}/nothing")

def test_fails_first(users):
    assert 1 == 2

def test_reads_garbage(mock_service):
    mock_service("garbage.yaml")

def test_uses_aws(local_aws):
    boto3.client("s3").create_bucket(Bucket="abc")
    assert len(local_aws.calls()) == 1

def test_finds_it_empty(local_aws):
    assert boto3.client("s3").list_buckets()["Buckets"] == []

def test_calls_no_aws(local_aws): ...

def test_forgets_its_calls(local_aws):
    boto3.client("s3").create_bucket(Bucket="abc")
    local_aws.reset()

def test_is_not_led_there():
    assert "AWS_ENDPOINT_URL" not in os.environ

@pytest.fixture
def made_before():
    return boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

def test_goes_astray(made_before, local_aws):
    with pytest.raises(Exception):
        made_before.list_buckets()

def test_stays(local_aws_session):
    boto3.client("s3").create_bucket(Bucket="kept")
    assert os.environ["AWS_ENDPOINT_URL"] == local_aws_session.url
"""


@pytest.fixture(scope="module", params=[(), TWO_WORKERS], ids=["alone", "two-workers"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("mocks")
    (folder / "test_it.py").write_text(SOURCE)
    (folder / "users.yaml").write_text(ROUTES)
    (folder / "garbage.yaml").write_text("routes:\n  - got: /")
    return run(folder, *request.param)


@pytest.mark.parametrize(
    ("name", "outcome", "seen"),
    [
        ("test_calls_nothing", "inconclusive", "nobody called the mock service users"),
        ("test_starts_none", "inconclusive", "asked for mock_service and started none"),
        ("test_asks_for_the_unknown", "failed", "GET /nothing: answered 404"),
        ("test_fails_first", "failed", "assert 1 == 2"),
        ("test_reads_garbage", "failed", "garbage.yaml:2:5: unknown key 'got' in a route"),
        ("test_calls_it", "passed", "calls of GET /users/{id} at users 1"),
        ("test_expects_nothing", "passed", "it passed"),
        ("test_uses_aws", "passed", "it passed"),
        ("test_goes_astray", "failed", "calls to the real AWS 1: GET s3.amazonaws.com"),
        ("test_finds_it_empty", "passed", "it passed"),
        ("test_calls_no_aws", "inconclusive", "asked for local_aws and called nothing there"),
        ("test_forgets_its_calls", "passed", "it passed"),
        ("test_stays", "passed", "it passed"),
    ],
)
def test_a_check_says_what_its_mocks_saw(ran: Ran, name: str, outcome: str, seen: str) -> None:
    check = ran.check(name)
    assert (check["outcome"], ran.code) == (outcome, 1)
    assert seen in check["finding"]["seen"]


def _amounts(check: dict[str, Any]) -> dict[str, int]:
    return {item["what"]: item["amount"] for item in check["evidence"]}


def test_calls_are_evidence(ran: Ran) -> None:
    check = ran.check("test_calls_it")
    assert _amounts(check) == {"calls to mock services": 1, "test body": 1}
    [exchange] = check["exchanges"]
    assert exchange["request"]["address"] == "mock users"
    assert exchange["response"]["body"] == '{"id": 1}'
    assert _amounts(ran.check("test_uses_aws"))["calls to the local AWS"] == 1


def test_an_unused_mock_fails_without_greenroom_taking_part(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(ROUTES)
    (tmp_path / "test_it.py").write_text("def test_a(mock_service): mock_service('users.yaml')")
    result = run(tmp_path, report=None)
    assert result.code == 1
    assert "nobody called the mock service users" in result.out


@pytest.mark.parametrize("fixture", ["local_aws", "local_aws_session", "mock_service"])
def test_a_missing_package_names_the_extra(tmp_path: Path, fixture: str) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\nfor name in ('moto', 'werkzeug'): sys.modules[name] = None\n"
    )
    (tmp_path / "test_it.py").write_text(f"def test_a({fixture}): ...")
    result = run(tmp_path, report=None)
    assert result.code == 1
    assert "is not installed" in result.out
    assert "hint: pip install 'greenroom[mocks]'" in result.out


def test_a_run_without_mocks_loads_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        dedent("""
        import sys
        def test_a():
            loaded = {"moto", "werkzeug", "boto3", "jsonschema"} & set(sys.modules)
            assert not loaded
            assert not [name for name in sys.modules if name.startswith("greenroom.plugins.mock")]
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "greenroom.plugins.pytest_plugin", "--greenroom"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
