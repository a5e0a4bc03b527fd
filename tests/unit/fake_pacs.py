"""Two small PACS on the loopback, over a folder of DICOM files, that can break off."""

from __future__ import annotations

import fnmatch
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import pydicom
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    build_context,
    evt,
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

SERVICES = (
    Verification,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
IGNORED = ("QueryRetrieveLevel", "SpecificCharacterSet", "ModalitiesInStudy")
WEB_ANSWERS = ("PatientID", "PatientName", "StudyDate", "Modality")
KEYS = {
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}


class Archive:
    """Files, what was asked for, what was stored."""

    def __init__(self, folder: Path, *, break_after: int | None = None) -> None:
        self.files = {}
        for path in sorted(folder.rglob("*.dcm")):
            self.files[path] = pydicom.dcmread(path)
        self.break_after = break_after
        self.sent: list[str] = []
        self.stored: list[Dataset] = []
        self.queries: list[Dataset] = []

    def matching(self, query: Dataset) -> list[Dataset]:
        return [d for d in self.files.values() if self._matches(d, query)]

    @staticmethod
    def _matches(data: Dataset, query: Dataset) -> bool:
        for element in query:
            ignored = (
                "QueryRetrieveLevel",
                "SpecificCharacterSet",
                "ModalitiesInStudy",
            )
            if element.keyword in ignored or element.keyword.startswith("Number"):
                continue
            wanted = element.value if element.VM > 1 else [element.value]
            wanted = [str(w) for w in wanted if w]
            have = str(data.get(element.keyword, ""))
            if wanted and not any(fnmatch.fnmatch(have, w) for w in wanted):
                return False
        return True

    def breaks(self) -> bool:
        """Tell, once, that the connection is to be cut now."""
        if self.break_after is None or len(self.sent) < self.break_after:
            return False
        self.break_after = None
        return True


def answers(archive: Archive, query: Dataset, level: str) -> list[Dataset]:
    """One row per image: a client must make them unique."""
    rows = []
    for data in archive.matching(query):
        row = Dataset()
        row.SpecificCharacterSet = "ISO_IR 192"
        for element in query:
            if element.keyword != "SpecificCharacterSet":
                setattr(row, element.keyword, data.get(element.keyword, ""))
        row.QueryRetrieveLevel = level
        setattr(row, KEYS[level], data[KEYS[level]].value)
        rows.append(row)
    return rows


class Dimse:
    """The handlers of a DIMSE server."""

    def __init__(self, archive: Archive, *, find: bool, peers) -> None:
        self.archive, self.allowed, self.peers = archive, find, peers or {}

    def find(self, event):
        query = event.identifier
        self.archive.queries.append(query)
        if not self.allowed:
            yield 0xA700, None
            return
        for row in answers(self.archive, query, query.QueryRetrieveLevel):
            yield 0xFF00, row

    def get(self, event):
        found = self.archive.matching(event.identifier)
        yield len(found)
        for data in found:
            if self.archive.breaks():
                event.assoc.abort()
                return
            self.archive.sent.append(data.SOPInstanceUID)
            yield 0xFF00, data

    def move(self, event):
        place = self.peers.get(event.move_destination)
        if place is None:
            yield None, None
            return
        found = self.archive.matching(event.identifier)
        kinds = {(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for d in found}
        contexts = [build_context(*kind) for kind in sorted(kinds)]
        yield (*place, {"contexts": contexts})
        yield from self.get(event)

    def store(self, event):
        self.archive.stored.append(event.dataset)
        return 0x0000


@contextmanager
def dimse_pacs(archive: Archive, *, allow=("RADHABITAT",), find=True, peers=None):
    entity = AE(ae_title="TESTPACS")
    entity.require_called_aet = True
    entity.require_calling_aet = list(allow)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(
            context.abstract_syntax, ALL_TRANSFER_SYNTAXES, scp_role=True, scu_role=True
        )
    for service in SERVICES:
        entity.add_supported_context(service)
    dimse = Dimse(archive, find=find, peers=peers)
    handlers = [
        (evt.EVT_C_FIND, dimse.find),
        (evt.EVT_C_GET, dimse.get),
        (evt.EVT_C_MOVE, dimse.move),
        (evt.EVT_C_STORE, dimse.store),
    ]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


class Web(BaseHTTPRequestHandler):
    """The handlers of a DICOMweb server."""

    protocol_version = "HTTP/1.1"
    archive: Archive
    status = 200

    def log_message(self, *_):
        pass

    def reply(self, content: bytes, kind: str, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        if self.status != 200:
            self.reply(b"", "text/plain", self.status)
            return
        url = urlparse(self.path)
        parts = unquote(url.path).strip("/").split("/")[1:]
        uids = dict(zip(parts[::2], parts[1::2], strict=False))
        query = Dataset()
        for name in WEB_ANSWERS:
            setattr(query, name, "")
        for name, values in parse_qs(url.query).items():
            if name != "includefield":
                setattr(query, name, values[0])
        query.StudyInstanceUID = uids.get("studies", "")
        query.SeriesInstanceUID = uids.get("series", "")
        query.SOPInstanceUID = uids.get("instances", "")
        self.archive.queries.append(query)
        if "multipart" in self.headers["Accept"]:
            self.images(query)
            return
        level = {1: "STUDY", 3: "SERIES", 5: "IMAGE"}[len(parts)]
        rows = [r.to_json_dict() for r in answers(self.archive, query, level)]
        self.reply(json.dumps(rows).encode(), "application/dicom+json")

    def images(self, query):
        found = self.archive.matching(query)
        files = {id(data): path for path, data in self.archive.files.items()}
        content = {id(d): files[id(d)].read_bytes() for d in found}
        head = b"--xyz\r\nContent-Type: application/dicom\r\n\r\n"
        length = sum(len(head) + len(c) + 2 for c in content.values()) + 7
        self.send_response(200)
        kind = 'multipart/related; type="application/dicom"; boundary="xyz"'
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for data in found:
            if self.archive.breaks():
                self.close_connection = True
                return
            self.archive.sent.append(data.SOPInstanceUID)
            self.wfile.write(head + content[id(data)] + b"\r\n")
        self.wfile.write(b"--xyz--")

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        mark = re.search(r"boundary=(\S+)", self.headers["Content-Type"])[1]
        body = content.split(b"\r\n\r\n", 1)[1]
        part = body.rsplit(f"\r\n--{mark}--".encode(), 1)[0]
        self.archive.stored.append(pydicom.dcmread(DicomBytesIO(part)))
        self.reply(b"{}", "application/dicom+json")


@contextmanager
def web_pacs(archive: Archive, *, status: int = 200):
    handler = type("Handler", (Web,), {"archive": archive, "status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
