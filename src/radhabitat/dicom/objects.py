"""Results as DICOM objects: habitats as SEG, measurements as SR (TID 1500)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import highdicom as hd
import numpy as np
import pydicom
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from radhabitat.dicom.headers import quietly
from radhabitat.dicom.volumes import DicomVolume
from radhabitat.errors import ImageError

SCHEME = "99RADHABITAT"
CATEGORY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
MASS = Code("4147007", "SCT", "Mass")
_NO_UNITS = Code("1", "UCUM", "no units")
_UNITS = {
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm²": Code("mm2", "UCUM", "square millimeter"),
    "mm³": Code("mm3", "UCUM", "cubic millimeter"),
    "1/mm": Code("/mm", "UCUM", "per millimeter"),
}


class Value(NamedTuple):
    """One measurement of a region.

    Attributes:
        name: What was measured, on which sequence.
        value: The number.
        unit: mm, mm², mm³, 1/mm; else none.
        ibsi: Identifier of the feature in IBSI's manual, if it has one.
    """

    name: str
    value: float
    unit: str = ""
    ibsi: str = ""


@dataclass(frozen=True, eq=False)
class Region:
    """One segment.

    Attributes:
        name: "Tumor", or "Habitat 1" ...
        array: bool, shape (i, j, k) of the volume it lies on.
        color: Red, green, blue, 0 to 255.
        values: Its measurements.
    """

    name: str
    array: NDArray[np.bool_]
    color: tuple[int, int, int]
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Who makes the objects, and when their content was made.

    Attributes:
        version: Of RadHabitat.
        when: Of the computation; the same computation gives the same bytes.
        risks: Name of a model and its event -> the patient's risk, 0 to 1.
    """

    version: str
    when: datetime
    risks: Mapping[str, float]


def result_objects(
    volume: DicomVolume, regions: Sequence[Region], origin: Origin
) -> tuple[bytes, bytes]:
    """Return the files of a DICOM SEG and of an SR that refers to it.

    Args:
        volume: The series that the regions lie on.
        regions: First the tumor, then its habitats.
        origin: Who, when, and the risks.

    Raises:
        ImageError: The series lacks what a DICOM object must repeat of it.
    """
    with quietly():
        try:
            paths = dict.fromkeys(frame.path for frame in volume.frames)
            sources = [_source(path) for path in paths]
            content = b"".join(np.packbits(r.array).tobytes() for r in regions)
            content += repr([(r.name, r.values) for r in regions]).encode()
            uids = _Uids(f"{sources[0].SOPInstanceUID}|".encode() + content)
            seg = _segmentation(sources, volume, regions, (origin, uids))
            report = _report(seg, sources, regions, (origin, uids))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ImageError(
                f"No DICOM object can be made of {volume.title}: "
                f"{' '.join(str(error).split())[:160]}",
                "import the original series again, or use the .seg.nrrd",
            ) from error
        organization = uids("dimensions")
        files = [_file(data, origin, organization) for data in (seg, report)]
    return files[0], files[1]


def _source(path: Path) -> Dataset:
    """Read an image; what its frames share must be where highdicom looks for it."""
    data = pydicom.dcmread(path, stop_before_pixels=True)
    frames = data.get("PerFrameFunctionalGroupsSequence")
    if frames:
        shared = data.SharedFunctionalGroupsSequence[0]
        for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
            setattr(shared, name, shared.get(name) or frames[0][name].value)
    return data


class _Uids:
    """Identifiers that follow from the content."""

    def __init__(self, content: bytes) -> None:
        self.seed = hashlib.sha256(content).digest()

    def __call__(self, purpose: str) -> str:
        digest = hashlib.sha256(self.seed + purpose.encode()).digest()
        return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def _segmentation(
    sources: Sequence[Dataset],
    volume: DicomVolume,
    regions: Sequence[Region],
    made: tuple[Origin, _Uids],
) -> hd.seg.Segmentation:
    origin, uids = made
    algorithm = hd.AlgorithmIdentificationSequence(
        name="RadHabitat",
        version=origin.version,
        family=codes.cid7162.ArtificialIntelligence,
    )
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=region.name,
            segmented_property_category=CATEGORY,
            segmented_property_type=_type(region.name),
            algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
            algorithm_identification=algorithm,
            tracking_uid=uids(region.name),
            tracking_id=region.name,
            display_color=CIELabColor.from_rgb(*region.color),
        )
        for number, region in enumerate(regions, start=1)
    ]
    # (slice, row, column, segment); LPS+ mm
    array = np.stack([r.array.transpose(2, 1, 0) for r in regions], axis=-1)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.affine
    channel = hd.ChannelDescriptor("SegmentNumber", is_custom=False)
    placed = hd.Volume(
        array=array.astype(np.uint8),
        affine=affine[:, [2, 1, 0, 3]],
        coordinate_system="PATIENT",
        frame_of_reference_uid=sources[0].FrameOfReferenceUID,
        channels={channel: range(1, len(regions) + 1)},
    )
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=placed,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=descriptions,
        series_instance_uid=uids("seg series"),
        series_number=9001,
        sop_instance_uid=uids("seg"),
        instance_number=1,
        manufacturer="RadHabitat",
        manufacturer_model_name="radhabitat",
        software_versions=origin.version,
        device_serial_number="0",
        content_label="HABITATS",
        content_description="Tumor and habitats. Research use only",
        content_creator_name="RadHabitat",
        series_description="Tumor habitats (research)",
    )


def _report(
    seg: hd.seg.Segmentation,
    sources: Sequence[Dataset],
    regions: Sequence[Region],
    made: tuple[Origin, _Uids],
) -> hd.sr.Comprehensive3DSR:
    origin, uids = made
    who = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uids("device"), name="RadHabitat"
    )
    observer = hd.sr.ObserverContext(codes.DCM.Device, who)
    groups = [
        hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=hd.sr.TrackingIdentifier(
                uid=uids(region.name), identifier=region.name
            ),
            referenced_segment=hd.sr.ReferencedSegment.from_segmentation(
                seg, segment_number=number
            ),
            finding_type=_type(region.name),
            finding_category=CATEGORY,
            algorithm_id=hd.sr.AlgorithmIdentification("RadHabitat", origin.version),
            measurements=[
                *map(_measurement, region.values),
                *(_risks(origin) if number == 1 else ()),
            ],
        )
        for number, region in enumerate(regions, start=1)
    ]
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=Code("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    return hd.sr.Comprehensive3DSR(
        evidence=[seg, *sources],
        content=content,
        series_instance_uid=uids("report series"),
        series_number=9002,
        sop_instance_uid=uids("report"),
        instance_number=1,
        manufacturer="RadHabitat",
        is_complete=True,
        series_description="Tumor habitat measurements (research)",
    )


def _type(name: str) -> Code:
    if name == "Tumor":
        return MASS
    return Code(name.upper().replace(" ", "")[:16], SCHEME, f"Tumor {name.lower()}")


def _measurement(value: Value) -> hd.sr.Measurement:
    if value.ibsi:
        name = Code(value.ibsi, "IBSI", value.name[:64])
    elif value.name == "Volume":
        name = codes.SCT.Volume
    else:
        mark = hashlib.sha256(value.name.encode()).hexdigest()[:8].upper()
        name = Code(f"RH-{mark}", SCHEME, value.name[:64])
    return hd.sr.Measurement(
        name=name,
        value=float(f"{value.value:.10g}"),
        unit=_UNITS.get(value.unit, _NO_UNITS),
    )


def _risks(origin: Origin) -> list[hd.sr.Measurement]:
    return [
        _measurement(Value(f"Risk ({name})", risk))
        for name, risk in origin.risks.items()
    ]


def _file(data: Dataset, origin: Origin, organization: str) -> bytes:
    """Return the bytes of an object, with the time of the computation in it."""
    day, time = f"{origin.when:%Y%m%d}", f"{origin.when:%H%M%S}"
    for name in ("Content", "InstanceCreation", "Series"):
        if f"{name}Date" in data:
            setattr(data, f"{name}Date", day)
            setattr(data, f"{name}Time", time)
    for item in data.get("ContributingEquipmentSequence") or ():
        item.ContributionDateTime = day + time
    dimensions = (
        *(data.get("DimensionOrganizationSequence") or ()),
        *(data.get("DimensionIndexSequence") or ()),
    )
    for item in dimensions:
        item.DimensionOrganizationUID = organization
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
