"""JSON of answers: read strictly, and validated against a JSON Schema that is compiled once."""

from __future__ import annotations

import functools
import json
import math
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.plugins.suite_files import Files
from greenroom.validators.http import Violation
from greenroom.validators.json_values import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greenroom.plugins.redaction import Redactor
    from greenroom.plugins.schema_compile import Compiled

_VIOLATIONS_MOST = 100


def read_json(body: bytes) -> Any:  # noqa: ANN401 - a JSON value
    """Read an answer's body as JSON by the letter; raises `ValueError` that says what is wrong.

    Refused, as no two readers agree on them: duplicate names, NaN and Infinity, numbers beyond what
    a double holds, text that is not UTF-8, and nesting too deep to walk.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class Compiling(Protocol):
    """Compiles a schema."""

    def __call__(self, *, ask: bool) -> Compiled | None:
        """Return the schema; None if that needs to ``ask`` a host, and it may not now."""


class Contract:
    """A JSON Schema that is compiled once; ``name`` is its path as the suite gives it."""

    def __init__(self, name: str, compiling: Compiling) -> None:
        self.name = name
        self._compiling = compiling
        self._lock = Lock()
        self._compiled = compiling(ask=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how it is validated: formats that nobody checks."""
        return self._compiled.notes if self._compiled is not None else ()

    def violations(self, value: Any) -> tuple[Violation, ...]:  # noqa: ANN401 - a JSON value
        """Return the ways in which ``value`` breaks the schema, at most 100.

        Raises `ServiceError` where a document that the schema refers to cannot be had.
        """
        compiled = self._ready()
        if compiled.fast is not None and compiled.fast(value):
            return ()
        errors = islice(compiled.validator.iter_errors(value), _VIOLATIONS_MOST)
        return tuple(
            Violation(
                "".join(f"/{part}" for part in error.absolute_path), cut(printable(error.message))
            )
            for error in errors
        )

    def _ready(self) -> Compiled:
        if self._compiled is None:
            with self._lock:  # several checks may be the first to need it
                known = self._compiling(ask=True)
            assert known is not None  # noqa: S101 - a host may be asked now
            self._compiled = known
        return self._compiled


class Contracts:
    """The contracts of one suite, by their paths from ``folder``, each compiled once.

    Their files must lie below ``root``, wherever links lead. ``snapshots`` writes them, where the
    run was asked to.
    """

    def __init__(self, folder: Path, root: Path, snapshots: Redactor | None = None) -> None:
        self.files = Files(folder, root)
        self.root = root
        self.snapshots = snapshots
        self._loaded: dict[tuple[str, tuple[str, ...]], Contract] = {}

    def load(self, name: str, hosts: tuple[str, ...] = ()) -> Contract:
        """Return the contract of this name, which may refer to ``hosts``; `SettingsError`."""
        if (name, hosts) not in self._loaded:
            path = self.files.path(name, "schema")
            self._loaded[name, hosts] = load_contract(path, name, self.root, hosts)
        return self._loaded[name, hosts]


def load_contract(
    path: Path,
    name: str,
    root: Path | None = None,
    hosts: tuple[str, ...] = (),
    fetch: Callable[[str], bytes] | None = None,
) -> Contract:
    """Compile the schema in ``path``; raises `SettingsError`.

    Its references lead to files below ``root`` (its own folder unless given) and to ``hosts``,
    which are asked by ``fetch`` when a value is first validated.
    """
    from greenroom.plugins import schema_compile  # noqa: PLC0415 - loads jsonschema: 150 ms

    source = schema_compile.source(path, root or path.parent, hosts, fetch)
    return Contract(name, functools.partial(schema_compile.compiled, source))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate name {twice!r}")
    return value


def _no_constant(name: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {cut(text, 20)} is too large")
    return number
