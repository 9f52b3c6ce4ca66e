"""Files that a suite names: by their paths from its folder, below pytest's root folder."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path

from greenroom.validators.errors import SettingsError

FILE_MOST = 10 * 1024 * 1024
FILES_MOST = 64 * 1024 * 1024
_LARGE = "they are held in memory: send a larger one from a test in Python"


class Files:
    """The files of one suite; they must lie below ``root``, wherever links lead."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self._root = root
        self._read: dict[str, bytes] = {}

    def path(self, name: str, what: str) -> Path:
        """Return the path of the file that is the suite's ``what``; raises `SettingsError`."""
        path = self.folder / name
        # Not Path.resolve(), which raises its own errors for a link that leads to itself.
        if not Path(realpath(path)).is_relative_to(realpath(self._root)):
            raise SettingsError(
                f"the {what} {name} is outside {self._root}",
                hint=f"keep {what}s below pytest's root folder (--rootdir), links included",
            )
        return path

    def content(self, name: str) -> bytes:
        """Return what a file to be sent holds, read once; raises `SettingsError`."""
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> bytes:
        path = self.path(name, "file")
        try:
            if not path.is_file():
                raise SettingsError(
                    f"there is no file {name}", hint="the path starts at the suite's folder"
                )
            with path.open("rb") as file:
                content = file.read(FILE_MOST + 1)
        except OSError as error:
            raise SettingsError(f"cannot read the file {name}: {error.strerror}") from error
        if len(content) > FILE_MOST:
            raise SettingsError(f"the file {name} is larger than {_mib(FILE_MOST)}", hint=_LARGE)
        if sum(map(len, self._read.values())) + len(content) > FILES_MOST:
            raise SettingsError(
                f"with {name} the suite's files are larger than {_mib(FILES_MOST)}", hint=_LARGE
            )
        return content


def _mib(size: int) -> str:
    return f"{size // (1024 * 1024)} MiB"
