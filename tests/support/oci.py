"""Container images in plain Python: layers of files, images, indexes, layouts and archives.

Everything is deterministic: the same files have the same digests on every machine.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_DOCKER_TYPES = {
    MANIFEST: DOCKER_MANIFEST,
    INDEX: DOCKER_LIST,
    _CONFIG: "application/vnd.docker.container.image.v1+json",
    _LAYER: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


@dataclass(frozen=True)
class Image:
    """One image for one platform; ``layers`` are the compressed blobs, lowest first."""

    config: bytes
    layers: tuple[bytes, ...]
    platform: str = "linux/amd64"
    docker: bool = False

    @property
    def media_type(self) -> str:
        return _media_type(MANIFEST, docker=self.docker)

    @property
    def manifest(self) -> bytes:
        layers = [_blob(_media_type(_LAYER, docker=self.docker), layer) for layer in self.layers]
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": self.media_type,
                "config": _blob(_media_type(_CONFIG, docker=self.docker), self.config),
                "layers": layers,
            }
        )

    @property
    def digest(self) -> str:
        return digest(self.manifest)

    @property
    def blobs(self) -> tuple[bytes, ...]:
        return (self.config, *self.layers)


@dataclass(frozen=True)
class Index:
    """One image for each of several platforms."""

    images: tuple[Image, ...]
    docker: bool = False

    @property
    def media_type(self) -> str:
        return _media_type(INDEX, docker=self.docker)

    @property
    def manifest(self) -> bytes:
        manifests = [
            _blob(image.media_type, image.manifest) | {"platform": _platform(image.platform)}
            for image in self.images
        ]
        content = {"schemaVersion": 2, "mediaType": self.media_type, "manifests": manifests}
        return _json(content)

    @property
    def digest(self) -> str:
        return digest(self.manifest)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(files: Mapping[str, str | bytes]) -> bytes:
    """Return the compressed layer of ``files`` (content by path without a leading slash)."""
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as archive:
        for path, content in sorted(files.items()):
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(spool.getvalue(), mtime=0)


def truncated(blob: bytes) -> bytes:
    """Return the first half of a layer: the digest of an image with it is right all the same."""
    return blob[: len(blob) // 2]


def image(*layers: bytes, platform: str = "linux/amd64", docker: bool = False) -> Image:
    """Return an image of ``layers``, the lowest first."""
    content = _platform(platform) | {
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_diff_id(blob) for blob in layers]},
    }
    return Image(_json(content), layers, platform, docker)


def debian(packages: Mapping[str, str], version: str = "12") -> dict[str, str]:
    """Return the files by which a scanner knows Debian and its packages (versions by name)."""
    return {
        "etc/debian_version": f"{version}.1\n",
        "etc/os-release": f'ID=debian\nVERSION_ID="{version}"\nNAME="Debian GNU/Linux"\n',
        "var/lib/dpkg/status": "\n".join(_dpkg(*package) for package in packages.items()),
    }


def alpine(packages: Mapping[str, str], version: str = "3.22") -> dict[str, str]:
    """Return the files by which a scanner knows Alpine and its packages (versions by name)."""
    return {
        "etc/alpine-release": f"{version}.1\n",
        "etc/os-release": f'ID=alpine\nVERSION_ID={version}.1\nNAME="Alpine Linux"\n',
        "lib/apk/db/installed": "".join(_apk(*package) for package in packages.items()),
    }


def pip(packages: Mapping[str, str]) -> dict[str, str]:
    """Return installed Python packages (versions by name)."""
    folder = "usr/lib/python3/site-packages"
    return {
        f"{folder}/{name}-{version}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        for name, version in packages.items()
    }


def npm(packages: Mapping[str, str]) -> dict[str, str]:
    """Return installed Node packages (versions by name)."""
    return {
        f"app/node_modules/{name}/package.json": json.dumps({"name": name, "version": version})
        for name, version in packages.items()
    }


def write_layout(folder: Path, tags: Mapping[str, Image | Index]) -> Path:
    """Write an OCI layout with an image or index under each of ``tags``; return its folder."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for content in tags.values():
        for blob in _all_blobs(content):
            (blobs / digest(blob).removeprefix("sha256:")).write_bytes(blob)
    manifests = [
        _blob(content.media_type, content.manifest)
        | {"annotations": {"org.opencontainers.image.ref.name": tag}}
        for tag, content in tags.items()
    ]
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": manifests}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def write_archive(path: Path, content: Image, name: str = "local/test:1") -> Path:
    """Write what ``docker save`` writes of one image; return its path."""
    config = f"{digest(content.config).removeprefix('sha256:')}.json"
    layers = {f"{index}/layer.tar": blob for index, blob in enumerate(content.layers)}
    manifest = _json([{"Config": config, "RepoTags": [name], "Layers": list(layers)}])
    with tarfile.open(path, "w") as archive:
        for member, data in {config: content.config, **layers, "manifest.json": manifest}.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def _all_blobs(content: Image | Index) -> Sequence[bytes]:
    if isinstance(content, Image):
        return (content.manifest, *content.blobs)
    return (content.manifest, *(blob for image in content.images for blob in _all_blobs(image)))


def _diff_id(blob: bytes) -> str:
    try:
        return digest(gzip.decompress(blob))
    except (EOFError, OSError):  # a damaged layer has the digest of what is there
        return digest(blob)


def _blob(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _platform(text: str) -> dict[str, Any]:
    names = ("os", "architecture", "variant")
    return dict(zip(names, text.split("/"), strict=False))


def _media_type(oci: str, *, docker: bool) -> str:
    return _DOCKER_TYPES[oci] if docker else oci


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def _dpkg(name: str, version: str) -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody\n"
        f"Architecture: amd64\nVersion: {version}\nDescription: a package\n"
    )


def _apk(name: str, version: str) -> str:
    return f"P:{name}\nV:{version}\nA:x86_64\no:{name}\nL:MIT\nT:a package\n\n"
