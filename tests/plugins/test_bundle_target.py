from __future__ import annotations

import sys

import pytest
from packaging.markers import Marker

from greenroom.plugins.bundle_target import target
from greenroom.validators.errors import SettingsError


@pytest.mark.parametrize(
    ("python", "architecture", "message"),
    [
        ("3.10", "x86_64", "Lambda has no Python 3.10 that Greenroom runs on"),
        ("3.12", "aarch64", "Lambda has no architecture aarch64 that Greenroom runs on"),
    ],
)
def test_what_lambda_does_not_have_is_refused(python: str, architecture: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        target(python, architecture)
    assert caught.value.hint.startswith("choose one of: ")


def test_without_a_version_it_is_the_running_one() -> None:
    assert target().python == "{}.{}".format(*sys.version_info)


@pytest.mark.parametrize(
    ("python", "newest"), [("3.11", "manylinux_2_26_x86_64"), ("3.13", "manylinux_2_34_x86_64")]
)
def test_wheels_need_no_newer_glibc_than_the_runtime_has(python: str, newest: str) -> None:
    platforms = target(python).platforms
    assert platforms[0] == newest
    assert platforms[-1] == "manylinux2014_x86_64"


def test_arm_is_aarch64_to_wheels() -> None:
    assert all(tag.endswith("_aarch64") for tag in target("3.12", "arm64").platforms)


@pytest.mark.parametrize(
    "marker",
    [
        'python_version < "3.13"',
        'python_full_version >= "3.12.3"',
        'sys_platform == "linux" and platform_machine == "aarch64"',
        'platform_python_implementation != "PyPy"',
    ],
)
def test_markers_are_the_functions_own(marker: str) -> None:
    assert Marker(marker).evaluate(target("3.12", "arm64").markers)
