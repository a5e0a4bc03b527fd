from __future__ import annotations

import json
import stat

import dicom_samples as samples
import numpy as np
import pydicom
import pytest
from pydicom.sequence import Sequence

from radhabitat.dicom import read_volumes
from radhabitat.dicom.deidentify import Deidentifier
from radhabitat.errors import InputError
from radhabitat.files.importing import import_folder
from radhabitat.files.masks import read_mask

PLANTED = (
    *("ZHANG^SAN", "张三", "MRN0012345", "19560312", "20230714", "Anywhere Hospital"),
    *("Dr^House", "ACC778899", "Street 17", "STATION7", "13800138000", "某某医院"),
    *("SERIAL4711", "secret note", "OVERLAYNAME", "1.2.840.999.1", "0420Y"),
)


def plant(file, k, phase):
    """Put identifiers everywhere, also nested, private and in Chinese."""
    file.SpecificCharacterSet = "GB18030"
    file.PatientName, file.PatientID = "ZHANG^SAN=张三", "MRN0012345"
    file.PatientBirthDate, file.PatientAge, file.PatientSex = "19560312", "092Y", "M"
    file.StudyDate = file.SeriesDate = file.AcquisitionDate = "20230714"
    file.AcquisitionTime, file.StudyTime = f"10{phase:02d}00", "095500"
    file.InstitutionName, file.InstitutionAddress = "某某医院", "Street 17"
    file.ReferringPhysicianName, file.OperatorsName = "Dr^House", "Dr^House"
    file.AccessionNumber, file.StudyID = "ACC778899", "ACC778899"
    file.StationName, file.DeviceSerialNumber = "STATION7", "SERIAL4711"
    file.PatientTelephoneNumbers = "13800138000"
    file.PatientComments = file.ImageComments = "secret note of 张三"
    file.StudyDescription = "MR Abdomen Anywhere Hospital"
    file.SeriesDescription = "t1_vibe_张三_ZHANG^SAN +C 70 SEC 门脉期 MRN0012345"
    file.ContrastBolusAgent = "Gadovist for ZHANG^SAN"
    file.Manufacturer, file.ManufacturerModelName = "UIH", "uMR 770"
    file.StudyInstanceUID, file.FrameOfReferenceUID = "1.2.840.999.1", "1.2.840.999.1.3"
    file.BodyPartExamined = "ZHANG SAN"
    code = samples.item(
        CodeValue="MRN0012345",
        CodingSchemeDesignator="99LOCAL",
        CodeMeaning="张三",
        RequestedProcedureDescription="secret note",
        ReferencedSOPInstanceUID="1.2.840.999.1.9",
        PersonName="ZHANG^SAN",
    )
    file.AnatomicRegionSequence = Sequence([code])
    file.RequestAttributesSequence = Sequence([code])
    file.ReferencedImageSequence = Sequence([code])
    file.PerformedProtocolCodeSequence = Sequence([code])
    block = file.private_block(0x0029, "ZHANG^SAN PRIVATE", create=True)
    block.add_new(0x10, "LO", "张三")
    block.add_new(0x11, "SQ", Sequence([code]))
    file.add_new(0x60000022, "LO", "OVERLAYNAME")
    file.add_new(0x60003000, "OW", b"OVERLAYNAME\0")
    file.preamble = b"ZHANG^SAN MRN0012345".ljust(128, b"\0")
    file.file_meta.SourceApplicationEntityTitle = "STATION7"


def leaks(content: bytes) -> list[str]:
    return [
        text
        for text in PLANTED
        if any(
            text.encode(code) in content for code in ("utf-8", "gb18030", "utf-16le")
        )
    ]


def everything(folder) -> list:
    return [p for p in sorted(folder.rglob("*")) if p.is_file()]


@pytest.fixture
def imported(tmp_path):
    source = samples.series(tmp_path / "ZHANG_SAN", phases=2, edit=plant)
    report = import_folder(source, tmp_path / "out", key=tmp_path / "key")
    return tmp_path, report


def test_no_planted_identifier_is_left_in_any_file_or_name(imported):
    folder, report = imported
    files = everything(folder / "out")
    assert (report.written, len(report.patients), len(files)) == (12, 1, 13)
    assert any(leaks(p.read_bytes()) for p in everything(folder / "ZHANG_SAN"))
    for file in files:
        assert leaks(file.read_bytes()) == []
        name = str(file.relative_to(folder)).replace("-", " ")
        assert leaks(name.encode()) == []
        assert "张" not in name
        assert "ZHANG" not in name


def test_voxels_places_times_and_phases_stay(imported):
    folder, _ = imported
    volumes = read_volumes(folder / "out")
    assert len(volumes) == 2
    for phase, volume in enumerate(volumes):
        read = volume.read()
        np.testing.assert_array_equal(read.array, samples.picture(phase))
        np.testing.assert_allclose(read.grid.affine, samples.affine_ras(), atol=1e-6)
        assert read.time_s == 36000 + phase * 60
        assert volume.description == "t1 vibe +C 70SEC 门脉 期"
        assert volume.frames[0].agent


def test_headers_say_what_was_done_and_dates_keep_their_distance(imported):
    folder, report = imported
    file = next(p for p in everything(folder / "out") if p.suffix == ".dcm")
    data = pydicom.dcmread(file)
    assert data.PatientIdentityRemoved == "YES"
    assert data.PatientName == data.PatientID == next(iter(report.patients))
    assert (data.PatientAge, data.PatientSex) == ("090Y", "M")
    assert data.StudyDate == data.AcquisitionDate != "20230714"
    assert data.ContrastBolusAgent == "Gadovist"
    codes = [c.CodeValue for c in data.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]
    told = json.loads((folder / "out/deidentification.json").read_text())
    assert (told["images"], told["patients"], told["left_out"]) == (12, 1, {})


def test_the_same_key_gives_the_same_bytes_and_another_key_others(imported):
    folder, report = imported
    source = folder / "ZHANG_SAN"
    import_folder(source, folder / "again", key=folder / "key")
    other = import_folder(source, folder / "other", key=folder / "key2")
    assert {p.name: p.read_bytes() for p in everything(folder / "out")} == {
        p.name: p.read_bytes() for p in everything(folder / "again")
    }
    assert other.patients.isdisjoint(report.patients)
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600


def test_a_mask_still_belongs_to_its_image(tmp_path):
    values = np.zeros(samples.SHAPE, dtype=np.uint8)
    values[1:3, 1:3, 1:4] = 1
    samples.series(tmp_path / "in/image", edit=plant)
    path = samples.segmentation(tmp_path / "in/seg.dcm", {1: values})
    data = pydicom.dcmread(path)
    data.PatientID, data.FrameOfReferenceUID = "MRN0012345", "1.2.840.999.1.3"
    data.SegmentSequence[0].SegmentLabel = "Tumor of ZHANG"
    data.save_as(path)
    import_folder(tmp_path / "in", tmp_path / "out", key=tmp_path / "key")
    (volume,) = read_volumes(tmp_path / "out")
    file = next((tmp_path / "out").rglob("*SEG/*.dcm"))
    mask, _ = read_mask(file, on=volume.read(), labels=("Tumor",))
    assert mask.voxels == 12


def test_pictures_that_may_show_names_are_left_out_and_counted(tmp_path):
    def edit(file, k, phase):
        file.PatientID = "MRN0012345"
        if k == 0:
            file.BurnedInAnnotation = "YES"
        elif k == 1:
            file.ConversionType = "WSD"
        elif k == 2:
            file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        elif k == 3:
            file.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]

    samples.series(tmp_path / "in", edit=edit)
    (tmp_path / "in/notes.txt").write_text("MRN0012345")
    last = max(read_volumes(tmp_path / "in"), key=lambda v: len(v.frames))
    good = last.frames[-1].path
    (tmp_path / "in/copy.dcm").write_bytes(good.read_bytes())
    report = import_folder(tmp_path / "in", tmp_path / "out", key=tmp_path / "key")
    assert report.written == 2
    assert sum(report.refused.values()) == 6
    assert report.refused["text burned into the picture"] == 1
    assert report.refused["secondary capture (a picture may show names)"] == 2


def test_key_and_links_never_lie_beside_the_images(tmp_path):
    source = samples.series(tmp_path / "in", edit=plant)
    out = tmp_path / "out"
    with pytest.raises(InputError, match="The key key would lie"):
        import_folder(source, out, key=out / "key")
    links = tmp_path / "links.csv"
    report = import_folder(source, out, key=tmp_path / "key", links=links)
    assert links.read_text() == (
        f"pseudonym,original\n{next(iter(report.patients))},MRN0012345\n"
    )
    assert stat.S_IMODE(links.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="lie in each other"):
        import_folder(out, out / "x", key=tmp_path / "key")


def test_the_key_is_not_shown():
    assert "secret" not in repr(Deidentifier(b"secret secret secret"))


def test_enhanced_files_keep_their_frames(tmp_path):
    path = samples.enhanced(tmp_path / "in/a.dcm")
    data = pydicom.dcmread(path)
    data.PatientID = "MRN0012345"
    data.save_as(path)
    import_folder(tmp_path / "in", tmp_path / "out", key=tmp_path / "key")
    volumes = read_volumes(tmp_path / "out")
    wanted = samples.picture(1) * 2.5 - 7
    np.testing.assert_array_equal(volumes[1].read().array, wanted)
