"""What the tests of the hook share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.aws_process import Aws
from tests.support.aws import AwsEndpoint
from tests.support.codedeploy import CodeDeployEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeDeployEndpoint]:
    """An endpoint that accepts, and that boto3 in this process will call."""
    with CodeDeployEndpoint() as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        yield endpoint


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[Aws, AwsEndpoint]]:
    """One process that calls AWS, and the endpoint that it calls, for all tests of a module."""
    with AwsEndpoint({}) as service:
        environ = {**os.environ, **service.environment}
        with Aws(environ, prepared=("codedeploy", "ecs", "codepipeline"), patience_s=0.5) as aws:
            yield aws, service


@pytest.fixture
def aws(wire: tuple[Aws, AwsEndpoint]) -> Aws:
    """What the hook calls AWS through."""
    return wire[0]


@pytest.fixture
def service(wire: tuple[Aws, AwsEndpoint]) -> Iterator[AwsEndpoint]:
    """The endpoint that ``aws`` calls; the test says what it answers."""
    wire[1].answer({})
    yield wire[1]
    assert not wire[1].problems
