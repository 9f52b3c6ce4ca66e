"""Nothing but this machine, and what the settings name, may be loaded or attacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.allowed import Allowed, Traffic, read_allowed
from greenroom.validators.errors import SettingsError
from tests.support.runs import run
from tests.support.servers import json_reply, serving

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED = Allowed(security=("https://green.example.com", "https://*.test.example.com:8443"))


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.com/",
        "http://green.example.com",
        "https://green.example.com:8443",
        "https://green.example.com.evil.example",
        "https://user@evil.example/https://green.example.com",
        "https://test.example.com:8443",
        "http://10.0.0.1",
        "https://evil.example\\.test.example.com:8443",
        "https://evil.example%2f.test.example.com:8443",
    ],
)
def test_an_address_that_nobody_named_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="is not marked as a target that security checks"):
        ALLOWED.require(Traffic.SECURITY, address)


@pytest.mark.parametrize(
    "address",
    [
        "https://green.example.com/path",
        "HTTPS://GREEN.example.com:443",
        "https://a.test.example.com:8443/",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:80",
    ],
)
def test_a_named_address_and_this_machine_are_allowed(address: str) -> None:
    ALLOWED.require(Traffic.SECURITY, address)


def test_what_may_be_attacked_may_not_be_loaded_for_that() -> None:
    with pytest.raises(SettingsError, match="load checks") as caught:
        ALLOWED.require(Traffic.LOAD, "https://green.example.com/x")
    assert 'load = ["https://green.example.com"]' in caught.value.hint


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"attack": []}, "unknown key attack"),
        ({"load": []}, "no.* list of origins"),
        ({"load": "https://a"}, "no.* list of origins"),
        ({"load": ["https://*"]}, "is no origin"),
        ({"load": ["https://*com"]}, "is no origin"),
        ({"load": ["https://green*"]}, "is no origin"),
        ({"load": ["https://10.0.0.*"]}, "is no origin"),
        ({"load": ["https://*.."]}, "is no origin"),
        ({"load": ["https://a/b"]}, "is no origin"),
        ({"load": ["a.example"]}, "is no origin"),
    ],
)
def test_a_table_that_allows_too_much_is_refused(table: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_allowed(table, "greenroom.toml")


def test_a_table_of_origins_is_read() -> None:
    assert read_allowed({"load": ["http://[fd00::1]:80"]}, "").load == ("http://[fd00::1]:80",)


LOADING = """
import pytest

@pytest.mark.load
def test_load(target):
    target.get("/")

@pytest.mark.smoke
def test_smoke(target):
    target.base_url
"""


def test_a_test_of_kind_load_gets_no_client_of_a_target_that_nobody_named(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(LOADING)
    ran = run(tmp_path, "--greenroom-target", "http://green.example.com")
    assert ran.check("test_load")["outcome"] == "error"
    assert ran.check("test_smoke")["outcome"] == "inconclusive"
    assert "is not marked as a target that load checks may be sent to" in ran.out
    assert '[allow] load = ["http://green.example.com"]' in ran.out


def test_a_test_of_kind_load_may_load_this_machine(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(LOADING)
    with serving(lambda _: json_reply({})) as server:
        ran = run(tmp_path, "--greenroom-target", server.url)
    assert ran.check("test_load")["outcome"] == "passed"
