"""A small world of our own with ground truth: scenes, captures, and what edits make of them."""

from pocket.cameras import Camera, Orbit, look_at
from pocket.capture import Capture, write_capture
from pocket.render import Rendering, coverage, develop, render, trace
from pocket.scene import Lamp, Material, Scene, Thing
from pocket.table import table_scene

__all__ = [
    "Camera",
    "Capture",
    "Lamp",
    "Material",
    "Orbit",
    "Rendering",
    "Scene",
    "Thing",
    "coverage",
    "develop",
    "look_at",
    "render",
    "table_scene",
    "trace",
    "write_capture",
]
