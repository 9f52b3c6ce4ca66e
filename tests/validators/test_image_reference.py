"""References to images: what Docker's grammar takes, and what it refuses."""

from __future__ import annotations

import pytest

from greenroom.validators.errors import SettingsError
from greenroom.validators.image_reference import parse_reference

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Trivia:1", "lower case"),
        ("example.test/Trivia", "lower case"),
        ("app:", "no tag"),
        ("app:.1", "no tag"),
        (f"app:{'a' * 129}", "no tag"),
        ("app@sha256:0a", "no digest"),
        (f"app@{DIGEST.upper()}", "no digest"),
        ("", "no repository"),
        ("app//web", "no repository"),
        ("https://example.test/app", "no re"),
        ("-bad.example.test/app", "no registry"),
        ("a" * 256, "longer than 255"),
        ("app name", "no repository"),
    ],
)
def test_what_is_no_reference_is_refused(text: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_reference(text)

    assert why in caught.value.explain()


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("alpine", "docker.io/library/alpine"),
        ("index.docker.io/alpine", "docker.io/library/alpine"),
        ("team/app:1", "docker.io/team/app:1"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/team/app:1.2-b_3", "localhost:5000/team/app:1.2-b_3"),
        ("[::1]:5000/app", "[::1]:5000/app"),
        ("Host/app", "Host/app"),
        (f"example.test/a__b/c-d@{DIGEST}", f"example.test/a__b/c-d@{DIGEST}"),
        (f"app:1@{DIGEST}", f"docker.io/library/app:1@{DIGEST}"),
    ],
)
def test_a_reference_is_read_with_its_defaults(text: str, whole: str) -> None:
    assert str(parse_reference(text)) == whole
