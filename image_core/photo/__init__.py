"""A photo file in and out, with its depth, alpha, profile, EXIF and orientation kept."""

from image_core.photo.atomic import write_atomically
from image_core.photo.decoded import with_channels
from image_core.photo.jpeg_coefficients import changed_coefficients
from image_core.photo.orientation import to_stored, to_upright
from image_core.photo.photo import Photo
from image_core.photo.reading import read_samples
from image_core.photo.saving import SUFFIXES, SaveReport, refuse_source

__all__ = [
    "SUFFIXES",
    "Photo",
    "SaveReport",
    "changed_coefficients",
    "read_samples",
    "refuse_source",
    "to_stored",
    "to_upright",
    "with_channels",
    "write_atomically",
]
