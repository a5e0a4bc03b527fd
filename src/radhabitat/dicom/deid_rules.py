"""What de-identification keeps, by attribute and by word; all else goes.

The basic profile (DICOM PS3.15 Annex E) lists what must go. Here it is turned round:
text stays only where this page names it, so that attributes nobody has listed yet,
private ones and free text cannot slip through.
"""

from __future__ import annotations

import re

from radhabitat.dicom.phase_words import VOCABULARY, words

PROFILE = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    (
        "113107",
        "Retain Longitudinal Temporal Information With Modified Dates Option",
    ),
    ("113108", "Retain Patient Characteristics Option"),
)
"""Codes of PS3.16 CID 7050."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


KEPT = _set(
    """Manufacturer ManufacturerModelName PatientAge CodingSchemeVersion
    CodingSchemeDesignator CodeValue CodeMeaning ContextIdentifier"""
)
"""Text that stays as it is: device and codes."""
CODED = _set(
    """AnatomicRegionSequence SegmentedPropertyTypeCodeSequence
    SegmentedPropertyCategoryCodeSequence ContrastBolusAgentSequence
    ContrastBolusAdministrationRouteSequence"""
)
"""Only below these a code may stay: they speak of anatomy, agent and segments."""
CLEANED = _set(
    """SeriesDescription StudyDescription ProtocolName BodyPartExamined
    ContrastBolusAgent ContrastBolusRoute SegmentLabel ROIName StructureSetLabel
    ContentLabel"""
)
"""Text of which only known words stay."""
DROPPED = _set(
    """PatientBirthDate PatientBirthTime IconImageSequence RequestAttributesSequence
    OriginalAttributesSequence ReferencedPatientSequence SmokingStatus
    PregnancyStatus DigitalSignaturesSequence MACParametersSequence
    InstanceCreationDate InstanceCreationTime EncryptedAttributesSequence
    OtherPatientIDsSequence BurnedInAnnotation LastMenstrualDate"""
)
"""What goes, whatever its kind."""
TEXT = _set("PN LO SH ST LT UT UC UR AE AS UN")
BYTES = _set("OB OW OF OD OL OV")
PIXELS = _set(
    """PixelData FloatPixelData DoubleFloatPixelData ExtendedOffsetTable
    ExtendedOffsetTableLengths"""
)

_SCHEMES = _set("SCT SRT SNM3 DCM FMA UMLS UCUM RADLEX")
_CHINESE = (
    "平扫|增强前|增强|动脉早期|动脉晚期|早动脉|晚动脉|动脉|门静脉|门脉|静脉|延迟|延时|平衡|肝胆|"
    "移行|过渡|晚期|早期|期|秒|分钟|分|肝|肿瘤|病灶|轴位|横断位|腹部|上腹"
)
_ALLOWED = VOCABULARY | frozenset(
    words(
        """ax axial tra transverse fs fatsat fat sat bh breath hold mr mri ct pet t1
        t1w t2w wi 3d 2d post gd gad ce cm contrast phase multi flex water spin echo
        gradient grappa caipi cs abdomen liver upper breast brain pelvis chest
        prostate thorax extremity tumor tumour lesion lesions hcc mass neoplasm viable
        necrosis normal peripheral zone reader gtv ctv ptv habitat habitats segment
        segmentation segmentations roi label mask contours kidney spleen vein vessel
        whole body gadovist gadavist gadobutrol gadoxetate primovist eovist dotarem
        gadoterate clariscan magnevist gadopentetate multihance gadobenate omniscan
        gadodiamide prohance gadoteridol iv intravenous agent series"""
    )
)
_TOKEN = re.compile(rf"{_CHINESE}|\+ ?c(?![a-z])|[a-z0-9]+", re.IGNORECASE)
_UNIT = "s|secs?|seconds?|mins?|minutes?|ml|mm"
_MEASURE = re.compile(rf"t[12]|p[1-4]|[1-9]\d{{0,2}}(?:{_UNIT})")
_SPLIT_UNIT = re.compile(
    rf"(?<!\d)(\d{{1,3}})[ _-]+(?=(?:{_UNIT})(?![a-z]))", re.IGNORECASE
)


def clean(text: str) -> str:
    """Return the known words of a description; names and numbers are none.

    Example:
        >>> clean("LAVA-Flex +C 70 SEC WANG^LI 0012345"), clean("张三动脉期")
        ('LAVA Flex +C 70SEC', '动脉 期')
    """
    joined = _SPLIT_UNIT.sub(r"\1", text)
    found = [match[0] for match in _TOKEN.finditer(joined)]
    return " ".join(token for token in found if _is_known(token))[:64].strip()


def _is_known(token: str) -> bool:
    lower = token.lower().replace(" ", "")
    plain = lower.isascii() and lower.isalnum()
    return not plain or lower in _ALLOWED or bool(_MEASURE.fullmatch(lower))


def is_standard_code(scheme: str) -> bool:
    """Tell whether a code is of a public terminology."""
    return scheme.strip() in _SCHEMES
