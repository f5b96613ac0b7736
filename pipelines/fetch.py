"""`benchmart fetch`: public sources at a pinned commit, every file by its checksum."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipelines.console import Reporter
from pipelines.digest import sha256
from pipelines.errors import BenchmartError, InputError
from pipelines.suggest import did_you_mean

MANIFESTS = Path(__file__).with_name("public")
TIMEOUT_S = 30
RETRIES = 2


@dataclass(frozen=True)
class PublicSource:
    """A published set of tables, as it was at one commit.

    Attributes
    ----------
    files
        By the name under which a file is kept: its path at the publisher and its SHA-256.
    """

    name: str
    licence: str
    base_url: str
    files: dict[str, tuple[str, str]]

    def url(self, file: str, mirror: str | None) -> str:
        """Where a file is found: at the publisher, or under its own name on a mirror."""
        if mirror:
            return f"{mirror.rstrip('/')}/{quote(file)}"
        return f"{self.base_url}/{quote(self.files[file][0])}"


def public_sources() -> list[str]:
    """Names of the sources that can be fetched."""
    return sorted(path.stem for path in MANIFESTS.glob("*.json"))


def public_source(name: str) -> PublicSource:
    """A source by its name.

    Raises
    ------
    InputError
        For an unknown one, naming what may be meant.
    """
    known = public_sources()
    if name not in known:
        raise InputError(f"unknown source '{name}'{did_you_mean(name, known, listed=len(known))}")
    text = (MANIFESTS / f"{name}.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    files = {file: (entry[0], entry[1]) for file, entry in manifest["files"].items()}
    return PublicSource(name, manifest["licence"], manifest["base_url"], files)


def fetch(source: PublicSource, directory: Path, mirror: str | None, reporter: Reporter) -> int:
    """Download what is missing or differs; gives the number of files that were downloaded.

    Every file is checked before it is put in its place, so an interrupted download is resumed by
    asking again, and nothing is asked of the network when all is there.

    Raises
    ------
    BenchmartError
        When a file cannot be had, or is not what it was at the pinned commit.
    """
    missing = [file for file in source.files if not _is_there(source, file, directory)]
    if missing:
        # with a network library behind it
        import pooch

        logging.getLogger("pooch").setLevel(logging.ERROR)
        downloader = pooch.HTTPDownloader(timeout=TIMEOUT_S)
        registry = pooch.create(
            path=directory,
            base_url="",
            registry={file: f"sha256:{source.files[file][1]}" for file in missing},
            urls={file: source.url(file, mirror) for file in missing},
            retry_if_failed=RETRIES,
        )
        with reporter.counted(missing, len(missing), "files") as counted:
            for number, file in enumerate(counted):
                try:
                    registry.fetch(file, downloader=downloader)
                except (OSError, ValueError) as error:
                    raise BenchmartError(
                        f"{source.url(file, mirror)}: {_reason(error)};"
                        f" {number} of {len(missing)} files came, run again for the rest"
                    ) from None
    return len(missing)


def _is_there(source: PublicSource, file: str, directory: Path) -> bool:
    path = directory / file
    return path.is_file() and sha256(path) == source.files[file][1]


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "is not the file of the pinned commit (its checksum differs)"
    return " ".join(str(error).split())[:300]
