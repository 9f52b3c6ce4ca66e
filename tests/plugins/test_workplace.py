"""Where checks of the artifact work: their patterns, and the folder of what costs time."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.plugins.workplace import cache_folder, matching
from greenroom.validators.errors import SettingsError


def test_a_pattern_finds_files_in_order(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "c.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in matching(tmp_path, "*.py")] == ["a.py", "b.py"]


@pytest.mark.parametrize("pattern", ["", "/etc/*"], ids=["empty", "absolute"])
def test_what_is_no_pattern_is_an_error_of_the_settings(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no pattern"):
        matching(tmp_path, pattern)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"GREENROOM_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/greenroom"),
        ({"HOME": "/h"}, "/h/.cache/greenroom"),
    ],
    ids=["given", "xdg", "home"],
)
def test_the_cache_is_where_the_environment_says(environ: dict[str, str], folder: str) -> None:
    assert cache_folder(environ) == Path(folder)
