"""What a hook keeps out of its log and its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom.plugins.hook_secrets import hook_redactor

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "AWS_SECRET_ACCESS_KEY": "credential-1",
    "AWS_SESSION_TOKEN": "credential-2",
    "API_KEY": "named-1",
    "OTHER": "plain-1",
    "GREENROOM_TARGET": "https://user:password-1@test.example.org/?token=token-1&page=page-1",
}
SAID = "credential-1 credential-2 named-1 plain-1 password-1 token-1 page-1"


def test_credentials_named_secrets_and_the_targets_own_are_removed(tmp_path: Path) -> None:
    (tmp_path / "greenroom.toml").write_text('secrets = ["API_KEY", "UNSET"]')
    words = hook_redactor(tmp_path, ENVIRON).text(SAID).split()
    assert [word for word in words if word != "[redacted]"] == ["plain-1", "page-1"]


@pytest.mark.parametrize("text", ["secrets = [", 'secrets = "API_KEY"', "secrets = [1]", ""])
def test_wrong_settings_name_no_secret_and_hide_the_credentials_still(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "greenroom.toml").write_text(text)
    assert "credential" not in hook_redactor(tmp_path, ENVIRON).text(SAID)
    assert "named-1" in hook_redactor(tmp_path, ENVIRON).text(SAID)


@pytest.mark.parametrize("target", ["http://[::1", "target = 5"])
def test_a_target_that_is_no_address_hides_nothing(tmp_path: Path, target: str) -> None:
    (tmp_path / "greenroom.toml").write_text("target = 5")
    assert not hook_redactor(tmp_path, {"GREENROOM_TARGET": target}).active
