"""Fetching 40 MR images of 256 x 256 from Orthanc: DICOMweb against C-GET and C-MOVE.

Orthanc binds all interfaces, so run it and this in a network of their own:
unshare --map-root-user --net --pid --fork sh -c 'ip link set lo up;
Orthanc CONFIG.json & python benchmarks/pacs_fetch.py SERIES_FOLDER'
with DicomPort 4242, HttpPort 8042, the DICOMweb plugin, and RADHABITAT (127.0.0.1,
port 11112) among DicomModalities.
"""

import sys
import tempfile
import time
from pathlib import Path

from radhabitat.dicom.pacs import Profile, Query, fetch, find, send, test_connection

DIMSE = Profile(port=4242, called="ORTHANC", receive_host="127.0.0.1")
WAYS = {
    "DICOMweb": Profile(url="http://127.0.0.1:8042/dicom-web"),
    "C-GET": DIMSE,
    "C-MOVE": DIMSE.model_copy(update={"retrieve": "move"}),
}


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return
    while not all(step.good for step in test_connection(DIMSE)):
        time.sleep(0.2)
    files = sorted(Path(sys.argv[1]).rglob("*.dcm"))[:40]
    for name in ("DICOMweb", "C-GET"):
        start = time.perf_counter()
        count = send(WAYS[name], files)
        print(f"send {name:10}{count:4} images {time.perf_counter() - start:6.2f} s")
    (study,) = find(DIMSE, Query())
    query = Query(study=str(study.StudyInstanceUID))
    for _ in range(3):
        for name, profile in WAYS.items():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                count = fetch(profile, query, Path(folder))
                seconds = time.perf_counter() - start
            print(f"fetch {name:10}{count:4} images {seconds:6.2f} s")


if __name__ == "__main__":
    main()
