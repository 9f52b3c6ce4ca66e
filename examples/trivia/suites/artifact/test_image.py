"""The image reference that is deployed must name one image for good."""

from __future__ import annotations

import os
import re

import pytest

pytestmark = pytest.mark.image


def test_the_image_reference_is_immutable() -> None:
    reference = os.environ["GREENROOM_RELEASE_IMAGE"]
    assert re.search(r"@sha256:[0-9a-f]{64}$", reference), (
        f"{reference} can mean another image tomorrow: deploy a digest"
    )
