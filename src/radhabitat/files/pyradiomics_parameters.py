"""PyRadiomics' parameter files: read, or refused by the name that is not supported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from radhabitat.errors import SettingsError
from radhabitat.features.names import FAMILIES
from radhabitat.features.prepare import Preparation
from radhabitat.settings import FeatureSettings, FilterKind, FilterSettings

_KINDS: dict[str, FilterKind] = {
    "LoG": "log",
    "Wavelet": "wavelet",
    "Gradient": "gradient",
    "Square": "square",
    "SquareRoot": "squareroot",
    "Logarithm": "logarithm",
    "Exponential": "exponential",
    "LBP2D": "lbp2d",
    "LBP3D": "lbp3d",
}
_UNITS: dict[str, Literal["intensity", "share of maximum", "sigma"]] = {
    "absolute": "intensity",
    "relative": "share of maximum",
    "sigma": "sigma",
}


class _OfImage(BaseModel):
    """What each image type may set for itself; a Literal is all that we support."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    binWidth: Annotated[float, Field(gt=0)] | None = None
    binCount: Annotated[int, Field(ge=2, le=1024)] | None = None
    sigma: tuple[float, ...] = ()
    wavelet: str = "coif1"
    level: int = 1
    start_level: int = 0
    gradientUseSpacing: Literal[True] = True
    lbp2DRadius: float = 1.0
    lbp2DSamples: int = 8
    lbp2DMethod: Literal["uniform"] = "uniform"
    lbp3DIcosphereRadius: float = 1.0
    lbp3DLevels: int = 2
    lbp3DIcosphereSubdivision: int = 1
    force2Ddimension: Literal[0] = 0


class _Setting(_OfImage):
    """What holds for all image types."""

    label: Annotated[int, Field(ge=1)] | None = None
    minimumROIDimensions: Annotated[int, Field(ge=1, le=3)] = 2
    minimumROISize: Annotated[int, Field(ge=1)] | None = None
    resegmentRange: Annotated[tuple[float, ...], Field(max_length=2)] | None = None
    resegmentMode: Literal["absolute", "relative", "sigma"] = "absolute"
    resegmentShape: Literal[False] = False
    voxelArrayShift: float = 0.0
    normalize: bool = False
    normalizeScale: Annotated[float, Field(gt=0)] = 1.0
    removeOutliers: Annotated[float, Field(gt=0)] | None = None
    resampledPixelSpacing: tuple[float, float, float] | None = None
    interpolator: (
        Literal["sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian"]
        | None
    ) = "sitkBSpline"
    padDistance: Annotated[int, Field(ge=0)] = 5
    preCrop: Literal[False] = False
    force2D: Literal[False] = False
    distances: tuple[Literal[1]] = (1,)
    symmetricalGLCM: Literal[True] = True
    weightingNorm: Literal[None] = None
    gldm_a: Literal[0] = 0
    label_channel: Literal[0] = 0
    # without effect: a mask is always carried to the image's grid
    correctMask: bool = False
    geometryTolerance: float | None = None
    additionalInfo: bool = True
    enableCExtensions: bool = True


class _File(BaseModel):
    """The whole file; `voxelSetting` counts for feature maps only."""

    model_config = ConfigDict(extra="forbid")

    setting: _Setting | None = None
    imageType: dict[str, _OfImage | None] | None = None
    featureClass: dict[str, tuple[str, ...] | None] | None = None
    voxelSetting: dict[str, Any] | None = None


@dataclass(frozen=True)
class Parameters:
    """What features to extract, and how.

    Attributes:
        settings: Discretization, mode, resegmentation and filters.
        preparation: Normalization and resampling before.
        wanted: `shape_Sphericity`, `glcm_Contrast` ...; None: all.
        original: Whether the image without filter is wanted.
        label: The label of the mask to describe; None: each.
        more_voxels_than: Smaller regions are refused.
        least_axes: So are regions that extend along fewer axes.
    """

    settings: FeatureSettings = field(default_factory=FeatureSettings)
    preparation: Preparation = field(default_factory=Preparation)
    wanted: frozenset[str] | None = None
    original: bool = True
    label: int | None = None
    more_voxels_than: int = 0
    least_axes: int = 0


def read_parameters(path: Path) -> Parameters:
    """Read a PyRadiomics parameter file (YAML or JSON).

    Raises:
        SettingsError: It is damaged, or asks for what is not supported: named, with
            what to do.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _parameters(_File.model_validate(given or {}))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"The parameter file {path.name} cannot be read: "
            + " ".join(str(error).split()),
            "give a PyRadiomics parameter file (YAML or JSON)",
        ) from None
    except ValidationError as error:
        raise _explain(error, path.name) from None
    except SettingsError as error:
        raise SettingsError(f"{path.name}: {error.problem}", error.fix) from None


def _explain(error: ValidationError, source: str) -> SettingsError:
    first = error.errors()[0]
    names = [str(part) for part in first["loc"]]
    where, name = ".".join(names) or "the file", names[-1] if names else ""
    if first["type"] == "extra_forbidden":
        known = {**_Setting.model_fields, **_File.model_fields}
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? otherwise " if near else ""
        return SettingsError(f"{source}: {where} is not supported", f"{hint}remove it")
    if first["type"] in ("literal_error", "none_required"):
        wanted = first.get("ctx", {}).get("expected", "null")
        return SettingsError(
            f"{source}: {where} = {first['input']!r} is not supported",
            f"only {wanted} is: set that, or remove the line",
        )
    return SettingsError(
        f"{source}: {where}: {first['msg']} (found {first['input']!r})",
        "correct that value",
    )


def _parameters(file: _File) -> Parameters:
    setting = file.setting or _Setting()
    images = {"Original": None} if file.imageType is None else file.imageType
    _check_known(images, ["Original", *_KINDS], "imageType")
    shared = setting.model_dump(include=set(_OfImage.model_fields), exclude_unset=True)
    own = {
        name: _OfImage(**{**shared, **(i.model_dump(exclude_unset=True) if i else {})})
        for name, i in images.items()
    }
    return Parameters(
        settings=FeatureSettings(
            **_bins(own.get("Original", setting)),
            resegment=setting.resegmentRange or (),
            resegment_unit=_UNITS[setting.resegmentMode],
            intensity_shift=setting.voxelArrayShift,
            filters=tuple(_filter(n, i) for n, i in own.items() if n != "Original"),
        ),
        preparation=Preparation(
            normalize=setting.normalize,
            outliers=setting.removeOutliers,
            scale=setting.normalizeScale,
            spacing_mm=setting.resampledPixelSpacing or ()
            if setting.interpolator
            else (),
            interpolator=setting.interpolator or "",
            margin=setting.padDistance,
        ),
        wanted=_wanted(file.featureClass),
        original="Original" in own,
        label=setting.label,
        more_voxels_than=setting.minimumROISize or 0,
        least_axes=setting.minimumROIDimensions,
    )


def _bins(image: _OfImage) -> dict[str, Any]:
    """Return a count, which comes first, or a width; PyRadiomics' default is 25."""
    if image.binCount is not None:
        return {"bin_count": image.binCount}
    return {"bin_width": image.binWidth or 25.0}


def _filter(name: str, image: _OfImage) -> FilterSettings:
    if name == "LoG" and not image.sigma:
        raise SettingsError("LoG has no sigma", "give sigma: [1.0, 3.0], in mm")
    plane = name == "LBP2D"
    return FilterSettings(
        kind=_KINDS[name],
        sigma_mm=image.sigma or (1.0,),
        wavelet=image.wavelet,
        levels=image.level,
        start_level=image.start_level,
        radius=image.lbp2DRadius if plane else image.lbp3DIcosphereRadius,
        samples=image.lbp2DSamples,
        harmonics=image.lbp3DLevels,
        subdivisions=image.lbp3DIcosphereSubdivision,
        **_bins(image),
    )


def _wanted(classes: dict[str, tuple[str, ...] | None] | None) -> frozenset[str] | None:
    if classes is None:
        return None
    _check_known(classes, FAMILIES, "featureClass")
    wanted: set[str] = set()
    for family, names in classes.items():
        _check_known(names or (), FAMILIES[family], f"featureClass.{family}")
        wanted.update(f"{family}_{name}" for name in names or FAMILIES[family])
    return frozenset(wanted)


def _check_known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    for name in set(names) - set(known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? otherwise " if near else ""
        raise SettingsError(f"{where}.{name} is not supported", f"{hint}remove it")
