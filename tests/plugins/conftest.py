from __future__ import annotations

import pytest

from tests.support.runs import environment


@pytest.fixture(autouse=True)
def _only_named_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
