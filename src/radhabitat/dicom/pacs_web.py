"""PACS by DICOMweb: QIDO-RS, WADO-RS, STOW-RS (httpx)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pydicom
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import DAMAGED, quietly
from radhabitat.dicom.pacs import Profile, Query, Step, Store, password_of
from radhabitat.errors import InputError

_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_FIXES = {
    401: "set `user` in [pacs] and its password",
    403: "have the right for it given to this user at the PACS",
    404: "correct the url in [pacs]; it often ends in /dicom-web or /rs",
    409: "the PACS keeps another object of this identifier, or not this kind",
}


def find(profile: Profile, query: Query) -> list[Dataset]:
    """Return the answers of a QIDO-RS search."""
    wanted, path = query.identifier(), "/studies"
    if query.study:
        path += f"/{query.study}/series"
    if query.series:
        path += f"/{query.series}/instances"
    asked = ("PatientID", "PatientName", "StudyDate", "ModalitiesInStudy", "Modality")
    values = {n: str(wanted.get(n) or "") for n in asked}
    parameters = {n: text for n, text in values.items() if text}
    parameters["includefield"] = "all" if query.series else "StudyDescription"
    if not query.series:
        count = "Series" if query.study else "Study"
        parameters["includefield"] += f",NumberOf{count}RelatedInstances"
    # Orthanc 1.10 takes %2A literally: wildcards stay as they are
    text = urlencode(parameters, safe="*?^,:", quote_via=quote)
    with _client(profile) as client:
        answer = _answer(client, "GET", f"{path}?{text}")
    if answer.status_code == 204 or not answer.content:
        return []
    with quietly():
        try:
            return [Dataset.from_json(one, lambda *_: b"") for one in answer.json()]
        except DAMAGED as error:
            raise InputError(
                "The PACS answers a search with something else than DICOM JSON",
                _FIXES[404],
            ) from error


def fetch(profile: Profile, query: Query, uids: Sequence[str], store: Store) -> None:
    """Retrieve images (none named: all) by WADO-RS, giving each to `store`."""
    series = f"/studies/{query.study}/series/{query.series}"
    paths = [f"{series}/instances/{uid}" for uid in uids] or [series]
    with _client(profile) as client:
        for path in paths:
            for content in _parts(client, path):
                store(_uid_of(content), content)


def send(profile: Profile, files: Sequence[Path]) -> Iterator[Path]:
    """Store files one by one by STOW-RS, giving each back when it is stored."""
    with _client(profile) as client:
        for path in files:
            content = path.read_bytes()
            mark = hashlib.sha256(content).hexdigest()
            head = f"--{mark}\r\nContent-Type: application/dicom\r\n\r\n"
            kind = f'multipart/related; type="application/dicom"; boundary={mark}'
            _answer(
                client,
                "POST",
                "/studies",
                headers={"Content-Type": kind, "Accept": "application/dicom+json"},
                content=head.encode() + content + f"\r\n--{mark}--\r\n".encode(),
            )
            yield path


def test(profile: Profile) -> Iterator[Step]:
    """Say step by step what works."""
    try:
        find(profile, Query(patient="radhabitat-nobody"))
    except InputError as error:
        yield Step(error.problem, False, error.fix)
        return
    yield Step(f"{profile.url} answers a search", True)


@contextmanager
def _client(profile: Profile) -> Iterator[httpx.Client]:
    login = (profile.user, password_of(profile)) if profile.user else None
    with httpx.Client(
        base_url=profile.url.rstrip("/"),
        auth=login,
        timeout=profile.timeout_s,
        headers={"Accept": "application/dicom+json"},
    ) as client:
        yield client


def _uid_of(content: bytes) -> str:
    """Return which image a file is; empty when it is none."""
    with quietly():
        try:
            tags = ["SOPInstanceUID"]
            return str(pydicom.dcmread(BytesIO(content), specific_tags=tags).get(*tags))
        except DAMAGED:
            return ""


def _parts(client: httpx.Client, path: str) -> Iterator[bytes]:
    """Give the parts of a multipart answer as they come in."""
    try:
        with client.stream("GET", path, headers={"Accept": _DICOM}) as answer:
            _check(answer, "GET", path)
            kind = answer.headers.get("Content-Type", "")
            mark = kind.split("boundary=")[-1].split(";")[0].strip().strip('"')
            end, held, searched = f"\r\n--{mark}".encode(), bytearray(b"\r\n"), 0
            for chunk in answer.iter_bytes():
                held += chunk
                while (stop := held.find(end, searched)) >= 0:
                    _, blank, content = held[:stop].partition(b"\r\n\r\n")
                    del held[: stop + len(end)]
                    searched = 0
                    if blank:
                        yield bytes(content)
                searched = max(0, len(held) - len(end))
    except (httpx.HTTPError, *DAMAGED) as error:
        raise _broken(client, error) from error


def _answer(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """Return the answer to a request; a refusal becomes an error with its cause."""
    try:
        answer = client.request(method, path, headers=headers, content=content)
    except httpx.HTTPError as error:
        raise _broken(client, error) from error
    _check(answer, method, path)
    return answer


def _check(answer: httpx.Response, method: str, path: str) -> None:
    code = answer.status_code
    if not answer.is_success:
        raise InputError(
            f"The PACS answers {code} {answer.reason_phrase} to {method} "
            f"{path.split('?')[0].split('/')[1]}",
            _FIXES.get(code, "ask the administrator of the PACS"),
        )


def _broken(client: httpx.Client, error: Exception) -> InputError:
    return InputError(
        f"The PACS at {client.base_url.host} cannot be reached or broke off: "
        f"{type(error).__name__}",
        "check the url in [pacs], the network, and the PACS; then try again",
    )
