"""What the tests of the hook share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
