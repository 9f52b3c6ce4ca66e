from __future__ import annotations

import importlib
import pkgutil
import traceback
from typing import TYPE_CHECKING

import pytest

import greenroom
from greenroom.validators import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


def descendants(error: type[errors.GreenroomError]) -> Iterator[type[errors.GreenroomError]]:
    yield error
    for child in error.__subclasses__():
        yield from descendants(child)


for module in pkgutil.walk_packages(greenroom.__path__, "greenroom."):
    if "locust" not in module.name and not module.name.endswith(".demo"):
        importlib.import_module(module.name)
EVERY = list(descendants(errors.GreenroomError))


PLAIN = [error for error in EVERY if error.__init__ is errors.GreenroomError.__init__]
BY_NAME = pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)


@BY_NAME
def test_every_error_stands_in_the_tree_with_its_exit_code(
    error: type[errors.GreenroomError],
) -> None:
    assert errors.__doc__ is not None
    (line,) = (line for line in errors.__doc__.splitlines() if f" {error.__name__} " in line)
    assert f"exit {error.exit_code}" in line


@BY_NAME
def test_every_error_is_documented_and_public(error: type[errors.GreenroomError]) -> None:
    assert error.__doc__
    assert error.__module__.startswith("greenroom.")
    assert not error.__name__.startswith("_")


@BY_NAME
def test_every_error_ends_a_command_with_neither_success_nor_a_verdict(
    error: type[errors.GreenroomError],
) -> None:
    assert error.exit_code not in {0, 1, 7}


@pytest.mark.parametrize("error", PLAIN, ids=lambda error: error.__name__)
def test_every_error_shows_its_hint(error: type[errors.GreenroomError]) -> None:
    raised = error("no such file: x.yaml", hint="give a path that exists")
    assert raised.explain() == "no such file: x.yaml\n  hint: give a path that exists"
    assert error("no such file").explain() == "no such file"
    assert traceback.format_exception_only(raised)[1:] == ["hint: give a path that exists\n"]
