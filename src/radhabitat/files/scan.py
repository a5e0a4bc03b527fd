"""Finding patients in a folder: which files and DICOM folders are whose."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radhabitat.dicom import examination_of
from radhabitat.files.formats import is_image_name
from radhabitat.files.naming import content_of, is_mask_name, stem, words

_IGNORED = frozenset({"truth", "results", "__macosx"})
_CONTAINERS = words(
    "images image imgs data rawdata sourcedata nifti nii dicom patients cases "
    "original cropped"
)
_DATE = re.compile(r"(19|20)\d{6}")
_BIDS = re.compile(r"sub-[0-9A-Za-z]+")
_OURS = ("desc-preproc", "desc-habitats", "_label-tumor")


@dataclass(frozen=True)
class Item:
    """An image file, or a folder with DICOM files."""

    path: Path
    parts: tuple[str, ...]  # below the searched folder; a DICOM folder's ends with ""
    examination: str = ""  # Study Instance UID of a DICOM folder's first file


def find_items(folder: Path) -> list[Item]:
    """Return the images and DICOM folders below a folder, sorted."""
    items: list[Item] = []
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and f.lower() not in _IGNORED
        )
        here = Path(top)
        parts = here.relative_to(folder).parts
        images = [n for n in sorted(names) if is_image_name(here / n)]
        items.extend(
            Item(here / n, (*parts, n))
            for n in images
            if not n.startswith(".") and not any(part in n for part in _OURS)
        )
        others = sorted(set(names) - set(images))
        first = next((here / n for n in others if _is_dicom(here / n)), None)
        if first is not None:
            items.append(Item(here, (*parts, ""), examination_of(first)))
    return items


def group_by_patient(
    folder: Path, items: Sequence[Item]
) -> dict[str, list[tuple[Item, str]]]:
    """Return each patient's items and their names without the patient, sorted.

    Known arrangements: sub-X anywhere (BIDS), a folder per patient, a folder per
    phase with a file or folder per patient, one folder with PATIENT_PHASE files,
    and the folder of a single patient.
    """
    groups: dict[str, list[tuple[Item, str]]] = defaultdict(list)
    depth = _common_depth(items)
    name = items[0].parts[depth - 1] if depth else folder.resolve().name
    if depth > 1 and _DATE.fullmatch(name):  # PATIENT/DATE/series of a single patient
        name = items[0].parts[depth - 2]
    arrangement = _arrangement(items, depth)
    known = _below_phases(items, depth) if arrangement == "by phase" else set()
    flat = _flat_patients([i.parts[-1] for i in items if len(i.parts) == depth + 1])
    for item in items:
        whose = _of_bids(item.parts)
        parts = item.parts[depth:]
        if whose is None and len(parts) > 1 and arrangement == "by patient":
            whose = parts[0], "/".join(parts[1:])
        if whose is None and len(parts) > 1 and arrangement == "by phase":
            whose = _known(parts, known), "/".join([parts[0], *parts[2:]])
        if whose is None:
            whose = flat.get(parts[0], name), "/".join(parts)
        groups[whose[0]].append((item, whose[1]))
    return dict(sorted(groups.items()))


def _of_bids(parts: Sequence[str]) -> tuple[str, str] | None:
    for number, part in enumerate(parts[:-1]):
        if _BIDS.fullmatch(part):
            return part, "/".join(parts[number + 1 :])
    return None


def _arrangement(items: Sequence[Item], depth: int) -> str:
    """Return what the folders at a depth are: patients, phases, or one patient's."""
    tops = sorted({i.parts[depth] for i in items if len(i.parts) > depth + 1})
    if not tops:
        return "one folder"
    if _tell_contents(tops):
        return "by phase" if _below_phases(items, depth) else "one patient"
    return "one patient" if _share_an_examination(items, depth) else "by patient"


def _tell_contents(folders: Sequence[str]) -> bool:
    """Tell whether sibling folders are named after contents, not after patients."""
    kinds = [_kind(name) for name in folders]
    others = [kind for kind in kinds if kind != "mask"]
    different = all(kinds) and len(set(others)) == len(others)
    return different and (len(kinds) > 1 or not others)


def _kind(folder: str) -> str:
    if is_mask_name(folder):
        return "mask"
    return "images" if folder.lower() in _CONTAINERS else content_of(folder)


def _share_an_examination(items: Sequence[Item], depth: int) -> bool:
    """Tell whether two folders hold DICOM series of the same examination."""
    tops = {(i.examination, i.parts[depth]) for i in items if i.examination}
    return len({uid for uid, _ in tops}) < len(tops)


def _below_phases(items: Sequence[Item], depth: int) -> set[str]:
    """Return the names that occur below several phases: the patients."""
    pairs = {i.parts[depth : depth + 2] for i in items if len(i.parts) > depth + 1}
    bare = {(_bare(name, phase), phase) for phase, name in pairs}
    counts = Counter(name for name, _ in bare)
    # a name whose words all speak of contents is none of a patient
    patients = {name for name in counts if not all(map(_kind, words(name)))}
    return {name for name in patients if counts[name] > 1}


def _known(parts: Sequence[str], patients: set[str]) -> str:
    """Return the patient of PRE/P01_PRE.nii.gz or of mask/P01_tumor.nii.gz."""
    name = _bare(parts[1], parts[0])
    starts = [p for p in patients if re.match(rf"{re.escape(p)}([_\- ]|\Z)", name)]
    return max(starts, key=len, default=name)


def _bare(name: str, folder: str) -> str:
    """Return P01 of P01_PRE.nii.gz in the folder PRE."""
    name = stem(name)
    shorter = re.sub(rf"[_\- ]?{re.escape(folder)}$", "", name, flags=re.IGNORECASE)
    return shorter or name


def _common_depth(items: Sequence[Item]) -> int:
    """Return how many leading folders hold everything and name no patient."""
    depth = 0
    while all(len(item.parts) > depth + 2 for item in items):
        if len({item.parts[depth] for item in items}) > 1:
            break
        below = sorted({item.parts[depth + 1] for item in items})
        if _arrangement(items, depth + 1) == "one patient":
            break
        if len(below) == 1 and all(len(i.parts) == depth + 3 for i in items):
            # FOLDER/PATIENT/files: the last folder is the patient
            return depth + (items[0].parts[depth].lower() in _CONTAINERS)
        depth += 1
    return depth


def _flat_patients(names: Sequence[str]) -> dict[str, str]:
    """Tell patients apart that share one folder: P01_pre.nii.gz, P01_mask.nii.gz.

    The end of a name that several patients have is the phase; the rest is the
    patient. Returns file name -> patient; nothing when all files are of one.
    """
    ends = Counter(end for name in names for _, end in _cuts(name))
    patients = {
        name: next((start for start, end in _cuts(name) if ends[end] > 1), "")
        for name in names
    }
    counts = Counter(patients.values())
    several = len(counts) > 1 and "" not in counts and min(counts.values()) > 1
    return patients if several else {}


def _cuts(name: str) -> list[tuple[str, str]]:
    """Return the ways to cut a name into patient and content, longest content first."""
    bare = stem(name)
    marks = [match.start() for match in re.finditer(r"[_\- ]", bare)]
    cuts = [(bare[:mark], bare[mark + 1 :]) for mark in marks]
    return [(a, b) for a, b in cuts if content_of(b) and not b[0].isdigit()]


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
