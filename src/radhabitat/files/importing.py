"""Importing DICOM: de-identified copies, the key and links kept elsewhere."""

from __future__ import annotations

import csv
import io
import os
import secrets
from pathlib import Path

from radhabitat.dicom.deidentify import Deidentifier
from radhabitat.dicom.importing import Report, import_dicom
from radhabitat.errors import InputError, StorageError
from radhabitat.files.store import write_bytes, write_json, write_text

REPORT = "deidentification.json"
DEFAULT_KEY = Path("~/.config/radhabitat/deidentification.key")


def import_folder(
    source: Path, out: Path, *, key: Path = DEFAULT_KEY, links: Path | None = None
) -> Report:
    """Copy a folder's DICOM images without identifiers, and write what was done.

    The same key gives the same pseudonyms, so that later images of a patient join the
    earlier ones. Without it, nobody can make or undo them.

    Args:
        source: Folder with the original files.
        out: Folder for the copies: patient/date/series/image.dcm.
        key: File with the secret; made when missing; outside of `out`.
        links: Table pseudonym -> original identifier to write, outside of `out`.

    Raises:
        InputError: Key or links would lie beside the images; nothing to import.
        StorageError: A file cannot be written.
    """
    for name, file in (("key", key), ("table of links", links)):
        if file is not None and _inside(file, out):
            raise InputError(
                f"The {name} {file.name} would lie in {out.name}, beside the images",
                "keep it in another folder, which is not shared with them",
            )
    if _inside(source, out) or _inside(out, source):
        raise InputError(
            f"{out.name} and {source.name} lie in each other",
            "write to a folder outside of the original images",
        )
    known: dict[str, str] = {}
    deidentifier = Deidentifier(_key(key.expanduser()))
    report = import_dicom(
        source,
        deidentifier,
        write=lambda path, data: write_bytes(out / path, data),
        link=known.setdefault,
    )
    write_json(out / REPORT, report.as_json())
    if links is not None:
        _write_links(links, known)
    return report


def _inside(file: Path, folder: Path) -> bool:
    return file.expanduser().resolve().is_relative_to(folder.expanduser().resolve())


def _key(file: Path) -> bytes:
    """Return the secret of a file, which only its owner may read; made when missing."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w") as stream:
                stream.write(secrets.token_hex(32))
        secret = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise StorageError(
            f"The key {file.name} cannot be read or made",
            "name a file of 64 hexadecimal digits, or one that does not exist yet",
        ) from error
    if len(secret) < 16:
        raise InputError(
            f"The key {file.name} has {len(secret)} bytes; at least 16 are wanted",
            "name a file that does not exist yet; a new key will be made",
        )
    return secret


def _write_links(file: Path, known: dict[str, str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["pseudonym", "original"])
    writer.writerows(sorted(known.items()))
    write_text(file, text.getvalue())
    file.chmod(0o600)
