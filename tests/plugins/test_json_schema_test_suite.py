"""The official JSON-Schema-Test-Suite, as jsonschema's source distribution brings it.

Fetched by pip and never kept here. Whatever jsonschema says of a case a contract must say, with
formats held; what a contract refuses on purpose is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import specification_with

from greenroom.plugins.suite_contract import Contract, load_contract
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DRAFTS: dict[str, Any] = {
    "draft4": jsonschema.Draft4Validator,
    "draft6": jsonschema.Draft6Validator,
    "draft7": jsonschema.Draft7Validator,
    "draft2019-09": jsonschema.Draft201909Validator,
    "draft2020-12": jsonschema.Draft202012Validator,
}
HOST = "localhost:1234"
ON_PURPOSE = (
    "must be a JSON object",
    "constrains anything",
    "is no draft",
    "is not a 'regex'",
    "is not a regular",
)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    name = f"jsonschema=={version('jsonschema')}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", name]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode:
        pytest.skip(f"the source of {name} cannot be had: {done.stderr[-300:]}")
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")
    [found] = folder.glob("*/json")
    return found


def groups(suite: Path, draft: str) -> Iterator[dict[str, Any]]:
    for file in sorted((suite / "tests" / draft).rglob("*.json")):
        yield from json.loads(file.read_text())


def dated(schema: Any, draft: str) -> Any:  # noqa: ANN401 - a JSON value
    own = DRAFTS[draft].META_SCHEMA["$schema"]
    return {"$schema": own, **schema} if isinstance(schema, dict) else schema


@pytest.mark.slow
@pytest.mark.parametrize("draft", DRAFTS)
def test_a_contract_says_of_each_case_what_jsonschema_says(
    draft: str, suite: Path, tmp_path: Path
) -> None:
    kind = DRAFTS[draft]

    def fetch(uri: str) -> bytes:
        return (suite / "remotes" / uri.removeprefix(f"http://{HOST}/")).read_bytes()

    def retrieve(uri: str) -> Resource[Any]:
        content = json.loads(fetch(uri))
        return Resource.from_contents(content, default_specification=specification)

    specification = specification_with(kind.META_SCHEMA["$schema"])
    counted: Counter[str] = Counter()
    for group in groups(suite, draft):
        schema = dated(group["schema"], draft)
        contract = loaded(tmp_path, schema, fetch)
        if contract is None:
            counted["refused on purpose"] += 1
            continue
        registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
        theirs = kind(schema, registry=registry, format_checker=kind.FORMAT_CHECKER)
        for test in group["tests"]:
            valid = contract.violations(test["data"]) == ()
            assert valid is theirs.is_valid(test["data"]), (group["description"], test)
            counted["right" if valid is test["valid"] else "formats and options"] += 1
    assert counted["right"] > 800
    assert counted["refused on purpose"] < 30
    assert counted["formats and options"] < 0.03 * counted["right"]


def loaded(folder: Path, schema: Any, fetch: Any) -> Contract | None:  # noqa: ANN401 - JSON, a function
    (folder / "s.json").write_text(json.dumps(schema))
    try:
        return load_contract(folder / "s.json", "s.json", hosts=(HOST,), fetch=fetch)
    except SettingsError as error:
        if not any(one in str(error) for one in ON_PURPOSE):
            raise
        return None
