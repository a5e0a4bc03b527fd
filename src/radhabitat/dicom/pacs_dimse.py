"""PACS by DIMSE: C-FIND, C-GET, C-MOVE, C-STORE, C-ECHO (pynetdicom)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from radhabitat.dicom.contours import STRUCTURES
from radhabitat.dicom.frames import IMAGE_CLASSES
from radhabitat.dicom.headers import quietly
from radhabitat.dicom.pacs import Profile, Query, Step, Store
from radhabitat.dicom.segmentation import LABELMAP, SEGMENTATION
from radhabitat.errors import InputError

_FIND = StudyRootQueryRetrieveInformationModelFind
_GET = StudyRootQueryRetrieveInformationModelGet
_MOVE = StudyRootQueryRetrieveInformationModelMove
_STORED = sorted({*IMAGE_CLASSES, SEGMENTATION, LABELMAP, STRUCTURES})
_PLAIN = [str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)]
# lossless JPEG, JPEG-LS, JPEG 2000, RLE: received as they are stored
_COMPRESSED = [f"1.2.840.10008.1.2.{tail}" for tail in ("4.70", "4.80", "4.90", "5")]
_PENDING = (0xFF00, 0xFF01)
# DICOM PS3.8 9.3.4: source and reason of a rejection -> (what, cure)
_REJECTED = {
    (1, 3): ("does not know our AE title {calling}", "have it registered at the PACS"),
    (1, 7): (
        "is not called {called}",
        "correct `called`, the AE title of the PACS, in [pacs]",
    ),
    (3, 1): ("is busy", "try again later"),
    (3, 2): ("has too many connections", "try again later"),
}


def find(profile: Profile, query: Query) -> list[Dataset]:
    """Return the answers of a C-FIND."""
    found = []
    with _associated(profile, [_FIND]) as association:
        for status, answer in association.send_c_find(query.identifier(), _FIND):
            code = _status(status, "query")
            if code in _PENDING and answer is not None:
                found.append(answer)
            elif code != 0:
                raise _refused("query", status)
    return found


def fetch(profile: Profile, query: Query, uids: Sequence[str], store: Store) -> None:
    """Retrieve images (none named: all) by C-GET or C-MOVE, giving each to `store`."""
    wanted = query.identifier()
    if uids:
        wanted.SOPInstanceUID = list(uids)
    else:
        wanted.QueryRetrieveLevel = "SERIES"
        del wanted.SOPInstanceUID

    def keep(event: evt.Event) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        content = _file(event.context.transfer_syntax, event.request)
        return 0x0000 if store(uid, content) else 0x0122

    if profile.retrieve == "move":
        _move(profile, wanted, keep)
        return
    roles = [build_role(uid, scp_role=True) for uid in _STORED]
    handlers = [(evt.EVT_C_STORE, keep)]
    with _associated(profile, [_GET, *_STORED], roles, handlers) as association:
        for status, _ in association.send_c_get(wanted, _GET):
            if _status(status, "retrieve") not in (0, 0xB000, *_PENDING):
                raise _refused("retrieve", status)


def send(profile: Profile, files: Sequence[Path]) -> Iterator[Path]:
    """Store files by C-STORE, giving each back when it is stored."""
    with quietly():
        heads = [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
    kinds = {(str(h.SOPClassUID), str(h.file_meta.TransferSyntaxUID)) for h in heads}
    if len(kinds) > 128:
        raise InputError("There are too many kinds of files", "send fewer at once")
    with _associated(profile, sorted(kinds)) as association:
        for path in files:
            status = association.send_c_store(path)
            if _status(status, "storing") not in (0, 0xB000, 0xB006, 0xB007):
                raise _refused("storing", status)
            yield path


def test(profile: Profile) -> Iterator[Step]:
    """Say step by step what works."""
    place = f"{profile.host}:{profile.port}"
    try:
        socket.create_connection(
            (profile.host, profile.port), profile.timeout_s
        ).close()
    except OSError as error:
        cause = "nothing listens there" if isinstance(error, ConnectionError) else error
        yield Step(
            f"{place} cannot be reached: {cause}",
            False,
            "correct host and port in [pacs], start the PACS, or open the firewall",
        )
        return
    yield Step(f"{place} answers", True)
    for name, what in (("echo", _echo), ("query", _probe)):
        try:
            what(profile)
        except InputError as error:
            yield Step(error.problem, False, error.fix)
            return
        yield Step(f"it accepts our {name}", True)


def _echo(profile: Profile) -> None:
    with _associated(profile, [Verification]) as association:
        status = association.send_c_echo()
        if _status(status, "echo") != 0:
            raise _refused("echo", status)


def _probe(profile: Profile) -> None:
    """Ask for a patient that nobody has: some servers answer an echo, not a query."""
    find(profile, Query(patient="radhabitat-nobody"))


def _move(profile: Profile, wanted: Dataset, keep: Callable[[evt.Event], int]) -> None:
    entity = AE(ae_title=profile.calling)
    for uid in _STORED:
        entity.add_supported_context(uid, [*_PLAIN, *_COMPRESSED])
    server = entity.start_server(
        (profile.receive_host, profile.receive_port),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    try:
        with _associated(profile, [_MOVE]) as association:
            for status, _ in association.send_c_move(wanted, profile.calling, _MOVE):
                if _status(status, "retrieve") not in (0, 0xB000, *_PENDING):
                    raise InputError(
                        f"The PACS could not send to {profile.calling}, port "
                        f"{profile.receive_port} (status {_code(status)})",
                        "have our AE title, address and port registered at the PACS, "
                        'or set retrieve = "get" in [pacs]',
                    )
    finally:
        server.shutdown()


@contextmanager
def _associated(
    profile: Profile,
    contexts: Sequence[str | tuple[str, str]],
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
) -> Iterator[Association]:
    """Give an open association; a refusal becomes an error with its cause."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs identifiers
    entity = AE(ae_title=profile.calling)
    entity.acse_timeout = entity.dimse_timeout = profile.timeout_s
    entity.network_timeout = entity.connection_timeout = profile.timeout_s
    for context in contexts:
        if isinstance(context, tuple):
            entity.add_requested_context(*context)
            continue
        entity.add_requested_context(context, _PLAIN)
        if roles and context in _STORED:
            for syntax in _COMPRESSED:
                entity.add_requested_context(context, syntax)
    association = entity.associate(
        profile.host,
        profile.port,
        ae_title=profile.called,
        ext_neg=list(roles),
        evt_handlers=list(handlers),
    )
    if not association.is_established:
        raise _not_associated(association, profile)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _not_associated(association: Association, profile: Profile) -> InputError:
    place = f"The PACS at {profile.host}:{profile.port}"
    answer = association.acceptor.primitive
    if association.is_rejected and answer is not None:
        reason = (answer.result_source, answer.diagnostic)
        what, fix = _REJECTED.get(
            reason, (f"rejects us (reason {reason})", "ask its administrator")
        )
        names = {"called": profile.called, "calling": profile.calling}
        return InputError(f"{place} {what.format(**names)}", fix)
    return InputError(
        f"{place} closes the connection, or nothing listens there",
        "radhabitat pacs test tells more; check host, port and TLS",
    )


def _status(status: Dataset, what: str) -> int:
    """Return a status; an empty one means that the connection broke off."""
    if "Status" not in status:
        raise InputError(
            f"The PACS broke off the {what}", "try again, or ask its administrator"
        )
    return int(status.Status)


def _refused(what: str, status: Dataset) -> InputError:
    comment = f": {status.ErrorComment}" if status.get("ErrorComment") else ""
    return InputError(
        f"The PACS refuses the {what} (status {_code(status)}{comment})",
        "have the right for it given to our AE title at the PACS",
    )


def _code(status: Dataset) -> str:
    return f"0x{int(status.Status):04X}"


def _file(syntax: str, request: Any) -> bytes:  # noqa: ANN401 (untyped library)
    """Return a Part 10 file of a data set as it was received."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = request.AffectedSOPClassUID
    meta.MediaStorageSOPInstanceUID = request.AffectedSOPInstanceUID
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta)
    return buffer.getvalue() + bytes(request.DataSet.getvalue())
