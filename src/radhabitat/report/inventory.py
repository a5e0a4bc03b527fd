"""What a run is made of: every file with its hash, every library with its licence."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from radhabitat.files.store import sha256_of, sha256_of_file
from radhabitat.report.content import ReportContent
from radhabitat.report.wording import RESEARCH_ONLY

LICENSE_WORDS = 80
KEPT_APART = ("resamples",)
"""Folders of results/ that are working files, not results."""


def manifest(
    content: ReportContent, folder: Path, except_for: Path
) -> dict[str, object]:
    """Return settings, versions, and the hash of every file of the results.

    Args:
        content: Of the report.
        folder: results/.
        except_for: The manifest itself.
    """
    files = sorted(
        f
        for f in folder.rglob("*")
        if f.is_file()
        and f != except_for
        and f.relative_to(folder).parts[0] not in KEPT_APART
        and not f.name.startswith(".")
    )
    settings = content.settings.model_dump(mode="json")
    return {
        "study": content.title,
        "purpose": RESEARCH_ONLY,
        "radhabitat": content.version,
        "python": platform.python_version(),
        "provenance": dict(content.provenance),
        "settings_sha256": sha256_of(settings),
        "settings": settings,
        "files": {f.relative_to(folder).as_posix(): sha256_of_file(f) for f in files},
    }


def software() -> dict[str, object]:
    """Return the installed libraries that RadHabitat stands on (CycloneDX 1.5).

    Only what it asks for, and what these ask for; not all that lies in the environment.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = ["radhabitat"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another system, or an extra
            continue
        waiting += [
            _plain(line)
            for line in found[name].requires or ()
            if "extra ==" not in line
        ]
    components = [_component(found[name]) for name in sorted(found)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": components,
    }


def _plain(requirement: str) -> str:
    """Return the name in "scikit-learn>=1.6; python_version > '3'"."""
    name = requirement
    for mark in " ;<>=!~[(":
        name = name.partition(mark)[0]
    return name.lower().replace("_", "-")


def _component(one: metadata.Distribution) -> dict[str, object]:
    name, version = one.metadata["Name"], one.version
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name.lower()}@{version}",
        "licenses": [{"license": {"name": _license(one)}}],
    }


def _license(one: metadata.Distribution) -> str:
    known = one.metadata.get_all("License-Expression") or []
    classes = one.metadata.get_all("Classifier") or []
    known += [c.rpartition(" :: ")[2] for c in classes if c.startswith("License ::")]
    known += (one.metadata.get_all("License") or ["unknown"])[:1]
    return str(known[0]).splitlines()[0][:LICENSE_WORDS]
