"""What test_orthanc.py runs beside Orthanc, in a network namespace of their own."""

import json
import sys
import time
from pathlib import Path

from radhabitat.dicom.pacs import Profile, Query, fetch, find, send, test_connection

WEB = Profile(url="http://127.0.0.1:8042/dicom-web")
DIMSE = Profile(port=4242, called="ORTHANC", receive_host="127.0.0.1")
WAYS = {
    "web": WEB,
    "get": DIMSE,
    "move": DIMSE.model_copy(update={"retrieve": "move"}),
}


def main(work):
    files = sorted((work / "series").glob("*.dcm"))
    for _ in range(100):
        if all(step.good for step in test_connection(DIMSE)):
            break
        time.sleep(0.2)
    told = {"sent": send(DIMSE, files[:3]) + send(WEB, files[3:])}
    stranger = DIMSE.model_copy(update={"calling": "STRANGER"})
    told["stranger"] = [(s.what, s.good) for s in test_connection(stranger)]
    for name, profile in WAYS.items():
        # the DICOMweb plugin of Orthanc 1.10 finds no name beyond ASCII
        by = {"patient": "MRN*"} if name == "web" else {"name": "张*"}
        (study,) = find(profile, Query(**by))
        nobody = find(profile, Query(name="李*"))
        start = time.perf_counter()
        count = fetch(profile, Query(study=str(study.StudyInstanceUID)), work / name)
        seconds = time.perf_counter() - start
        told[name] = [str(study.PatientID), len(nobody), count, round(seconds, 2)]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
