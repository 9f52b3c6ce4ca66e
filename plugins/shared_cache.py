"""Values that processes share: one small file each, written at once, refused where unreadable."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.validators.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_FORMAT = 1
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class SharedCache:
    """JSON values by key in ``folder``, which anybody may delete; nothing is ever half written."""

    folder: Path

    def get(self, key: Sequence[object]) -> Any | None:  # noqa: ANN401 - a JSON value
        """Return the value of exactly this ``key``, or None."""
        try:
            entry = json.loads(self._path(key).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(entry, dict) or entry.get("format") != _FORMAT:
            return None
        return entry.get("value") if entry.get("key") == _plain(key) else None

    def put(self, key: Sequence[object], value: object) -> None:
        """Keep ``value``; a cache that cannot be written is none."""
        self.put_text(key, json.dumps(value).encode())

    def put_text(self, key: Sequence[object], value: bytes) -> None:
        """Keep the value that is ``value`` in JSON, which the caller has read without error."""
        path = self._path(key)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        head = json.dumps({"format": _FORMAT, "key": _plain(key)}).removesuffix("}").encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(b'%s, "value": %s}' % (head, value))
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def forget(self, age_s: float) -> None:
        """Remove what was kept longer than ``age_s`` ago."""
        oldest = time.time() - age_s
        for path in self.folder.glob("*.json"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, key: Sequence[object]) -> Path:
        return self.folder / f"{name_of(key)}.json"


def name_of(key: Sequence[object]) -> str:
    """Return a file's name for ``key``: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(_plain(key)).encode()).hexdigest()[:32]


@contextlib.contextmanager
def only_one(lock: Path, until: float, what: str) -> Iterator[None]:
    """Hold the file ``lock`` against other processes; a `ToolError` after ``until`` (monotonic)."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ToolError(
            f"{lock} cannot be written: {error.strerror}",
            hint="let it be written to, or name another folder: GREENROOM_CACHE, [trivy] cache",
        ) from error
    try:
        while not _locked(descriptor):
            if time.monotonic() >= until:
                raise ToolError(f"another process is still busy with {what}", hint="try again")
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _plain(key: Sequence[object]) -> list[str]:
    return [str(part) for part in key]
