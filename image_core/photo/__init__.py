"""A photo file in and out, with its depth, alpha, profile, EXIF and orientation kept."""

from image_core.photo.atomic import write_atomically
from image_core.photo.decoded import with_channels
from image_core.photo.orientation import to_stored, to_upright
from image_core.photo.photo import Photo
from image_core.photo.reading import read_samples
from image_core.photo.saving import SaveReport

__all__ = [
    "Photo",
    "SaveReport",
    "read_samples",
    "to_stored",
    "to_upright",
    "with_channels",
    "write_atomically",
]
