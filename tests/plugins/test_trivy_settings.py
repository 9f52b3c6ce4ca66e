"""The table [trivy] is read whole, or refused by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from greenroom.plugins.trivy_settings import TrivySettings, read_trivy
from greenroom.validators.errors import SettingsError


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"max_ages": "7d"}, "unknown key max_ages"),
        ({"cache": " "}, "trivy.cache is ' '"),
        ({"max_age": "7"}, "trivy.max_age is '7'"),
        ({"max_age": "0d"}, "trivy.max_age is '0d'"),
        ({"min_size": 5}, "trivy.min_size is 5"),
        ({"offline": "yes"}, "trivy.offline is 'yes'"),
        ({"database": "--x, y"}, "not a list of repositories"),
        ({"database": 1}, "not a list of repositories"),
        ({"server": "localhost"}, "trivy.server is 'localhost'"),
        ({"token_env": "a b"}, "trivy.token_env is 'a b'"),
    ],
    ids=["key", "blank", "no-unit", "zero", "number", "flag", "flags", "list", "server", "name"],
)
def test_a_wrong_table_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_trivy(table, "greenroom.toml")
    assert said in str(caught.value)


def test_a_table_is_read() -> None:
    table = {
        "cache": "/var/trivy",
        "max_age": "12h",
        "min_size": "1MiB",
        "database": "mirror.example/trivy-db:2",
    }
    assert read_trivy(table, "greenroom.toml") == TrivySettings(
        cache=Path("/var/trivy"),
        max_age_h=12,
        min_size=1024 * 1024,
        database=("mirror.example/trivy-db:2",),
    )


@pytest.mark.parametrize(
    ("environ", "folder"),
    [({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/trivy"), ({"HOME": "/h"}, "/h/.cache/trivy")],
    ids=["xdg", "home"],
)
def test_the_cache_is_trivys_own(environ: dict[str, str], folder: str) -> None:
    assert read_trivy(None, "").cache_folder(environ) == Path(folder)
