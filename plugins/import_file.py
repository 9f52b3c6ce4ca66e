"""The file that is imported: read with limits, and told apart by what stands in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from greenroom.plugins.suite_contract import read_json
from greenroom.plugins.suite_yaml import Document, TreeReader, plain
from greenroom.validators.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
_JSON_MOST = 64 * MIB
_YAML_MOST = 4 * MIB
_YAML_NODES_MOST = 200_000
_DEPTH_MOST = 200


class Format(StrEnum):
    """What can be imported."""

    HAR = "har"
    OPENAPI = "openapi"
    POSTMAN = "postman"


@dataclass(frozen=True, slots=True)
class Source:
    """A file's content as plain values."""

    path: Path
    format: Format
    content: dict[str, Any]

    def error(self, message: str, hint: str = "") -> SettingsError:
        """Return an error about this file."""
        return SettingsError(f"{self.path}: {message}", hint=hint)


def read_source(path: Path, wanted: Format | None) -> Source:
    """Read the file to import; raises `SettingsError`. ``wanted`` is its format where given."""
    content = read_values(path)
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: it holds no object, but {type(content).__name__}", hint=_HINT)
    found = _format(content)
    if found is None:
        if "swagger" in content:
            raise SettingsError(
                f"{path}: OpenAPI 3.0 and 3.1 are read, not Swagger 2.0",
                hint="convert it to OpenAPI 3.1: most editors and generators can",
            )
        raise SettingsError(f"{path}: no format that can be imported", hint=_HINT)
    if wanted is not None and wanted is not found:
        raise SettingsError(f"{path}: it is of the format {found.value}, not {wanted.value}")
    return Source(path, found, content)


def read_values(path: Path) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON or YAML file's content; raises `SettingsError`.

    An error about JSON shows nothing of the text, which may hold secrets.
    """
    data = _bytes(path)
    text = data.decode("utf-8-sig", "replace").lstrip()
    if not text:
        raise SettingsError(f"{path}: the file is empty", hint=_HINT)
    value = _json(path, data) if text[0] in "{[" else _yaml(path, data)
    if _depth_exceeds(value, _DEPTH_MOST):
        raise SettingsError(f"{path}: nested deeper than {_DEPTH_MOST} levels")
    return value


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "it is no file" if path.exists() else "there is no such file"
            raise SettingsError(f"{path} cannot be read: {what}")
        with path.open("rb") as file:
            data = file.read(_JSON_MOST + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _JSON_MOST:
        raise SettingsError(
            f"{path} is larger than {_JSON_MOST // MIB} MiB",
            hint="export a shorter recording, or a part of the document",
        )
    return data


def _json(path: Path, data: bytes) -> Any:  # noqa: ANN401 - a JSON value
    try:
        return read_json(data)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise SettingsError(f"{place}: not valid JSON: {error.msg}", hint=_HINT) from None
    except ValueError as error:
        raise SettingsError(f"{path}: not valid JSON: {error}", hint=_HINT) from None


def _yaml(path: Path, data: bytes) -> Any:  # noqa: ANN401 - a JSON value
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}: neither JSON nor YAML: not UTF-8 at byte {error.start}"
        raise SettingsError(message, hint=_HINT) from None
    if len(data) > _YAML_MOST:
        raise SettingsError(
            f"{path} is YAML of more than {_YAML_MOST // MIB} MiB",
            hint=f"convert it to JSON, which is read up to {_JSON_MOST // MIB} MiB",
        )
    if not re.search(r"^['\"]?(openapi|swagger)['\"]?[ \t]*:", text, re.MULTILINE):
        raise SettingsError(f"{path}: no format that can be imported", hint=_HINT)
    document = Document(path, text)
    node = document.compose()
    if node is None:
        raise SettingsError(f"{path}: the file is empty", hint=_HINT)
    return plain(TreeReader(document, _YAML_NODES_MOST).node(node))


def _format(content: dict[str, Any]) -> Format | None:
    if isinstance(content.get("log"), dict) and "entries" in content["log"]:
        return Format.HAR
    if "openapi" in content:
        return Format.OPENAPI
    if isinstance(content.get("info"), dict) and isinstance(content.get("item"), list):
        return Format.POSTMAN
    return None


def _depth_exceeds(value: Any, most: int) -> bool:  # noqa: ANN401 - a JSON value
    level = [value]
    for _ in range(most):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


_HINT = "give a HAR file, an OpenAPI 3.0 or 3.1 document (JSON, YAML), or a Postman collection 2.x"
