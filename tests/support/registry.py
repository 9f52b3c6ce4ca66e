"""A real image registry (Debian's docker-registry) on 127.0.0.1, with all in memory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support import oci

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_CONFIG = """\
version: 0.1
log: {level: info, formatter: json, accesslog: {disabled: true}}
storage: {inmemory: {}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
"""
_LISTENS = re.compile(r"listening on 127\.0\.0\.1:([0-9]+)")
_PROGRAM = "docker-registry"


@dataclass(frozen=True)
class Registry:
    """A running registry; ``host`` is how references name it."""

    host: str
    client: httpx.Client

    def push(self, content: oci.Image | oci.Index, name: str) -> str:
        """Push an image or index as ``repository:tag``, moving the tag; return its digest."""
        repository, _, tag = name.partition(":")
        if isinstance(content, oci.Index):
            for image in content.images:
                self.push(image, f"{repository}:{image.digest}")
        else:
            for blob in content.blobs:
                self._push_blob(repository, blob)
        self._put(f"/v2/{repository}/manifests/{tag}", content.manifest, content.media_type)
        return content.digest

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest and every tag of it."""
        self.client.delete(f"/v2/{repository}/manifests/{digest}").raise_for_status()

    def _push_blob(self, repository: str, blob: bytes) -> None:
        begun = self.client.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
        place = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": oci.digest(blob)})
        self._put(str(place), blob, "application/octet-stream")

    def _put(self, url: str, content: bytes, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        self.client.put(url, content=content, headers=headers).raise_for_status()


@contextmanager
def local_registry() -> Iterator[Registry]:
    """Serve an empty registry; a machine without the program skips, a CI fails."""
    if not shutil.which(_PROGRAM):
        reason = f"{_PROGRAM} is not installed: make registry (Debian package {_PROGRAM})"
        _absent(reason)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yml"
        config.write_text(_CONFIG)
        process = subprocess.Popen(
            [_PROGRAM, "serve", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
        )
        try:
            host = f"127.0.0.1:{_port(process)}"
            with httpx.Client(base_url=f"http://{host}", trust_env=False, timeout=60) as client:
                yield Registry(host, client)
        finally:
            process.kill()
            process.wait()


def _absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if found := _LISTENS.search(line):
            # It logs every request: unread, its log would stop it.
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return int(found[1])
    raise AssertionError(f"{_PROGRAM} ended: {''.join(said)}")


def _drain(stream: IO[str]) -> None:
    with stream:
        stream.read()
