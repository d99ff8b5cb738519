"""Small captures and runs on disk, written with numpy and Pillow alone."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image

from nerf.picture_store import PictureStore

WIDTH, HEIGHT = 24, 16


def looking_in(number, views):
    """A pose on a circle of radius 3 at height 1, looking at the origin (OpenGL)."""
    angle = 2 * np.pi * number / views
    eye = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.0])
    back = eye / np.linalg.norm(eye)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(back, right), back, eye], axis=1)
    return pose


def write_capture(folder, *, views, suffix=".png", size=(WIDTH, HEIGHT), **head):
    """Write a capture of noise pictures, ``images/0001…``, and return their samples."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(3)
    pictures, frames = [], []
    for number in range(views):
        name = f"images/{number + 1:04}{suffix}"
        pictures.append(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))
        Image.fromarray(pictures[-1]).save(folder / name)
        frames.append({"file_path": name, "transform_matrix": looking_in(number, views).tolist()})
    meta = {
        **{"camera_model": "OPENCV", "w": size[0], "h": size[1]},
        **{"fl_x": 30.0, "fl_y": 31.0, "cx": size[0] / 2, "cy": size[1] / 2, "k1": 0.0},
        **head,
        "frames": frames,
    }
    (folder / "transforms.json").write_text(json.dumps(meta))
    return pictures


def middle_region(width=WIDTH, height=HEIGHT):
    """An 8-bit alpha: full in the middle, half on a rim."""
    region = np.zeros((height, width), np.uint8)
    region[4:12, 6:18] = 128
    region[5:11, 7:17] = 255
    return region


def write_run(run, data, originals, *, edited, missing=(), names=None, **changes):
    """Write what a run leaves for tools without torch.

    Args:
        run: Its folder.
        data: The capture.
        originals: Of the training views, at the trained size.
        edited: Numbers (from 0) of the training views with an edit: their region turned blue.
        missing: Numbers of those in which the target was not seen.
        names: Of the training views.
        changes: To the record.

    Returns:
        The training views' pictures as they are then.
    """
    run.mkdir(parents=True)
    (run / "config.yml").write_text("!!python/object: not read\n")
    pictures, regions = PictureStore(run / "edits"), PictureStore(run / "regions")
    height, width = originals[0].shape[:2]
    region = middle_region(width, height)
    now, views = [], []
    for number, original in enumerate(originals):
        picture = original.copy()
        if number in edited:
            picture[region > 0] = (10, 20, 250)
        now.append(picture)
        views.append(
            {
                "name": names[number] if names else f"images/{number + 1:04}.png",
                "edited": pictures.put(picture) if number in edited else None,
                "region": None if number in missing else [regions.put(region)],
            }
        )
    plan = {"instruction": "make it blue", "steps": [], "processor": "rules", "caption": ""}
    record = {
        **{"version": 1, "instruction": "make it blue", "plan": plan, "editor": "classic"},
        **{"seed": 5, "phase": "done", "round": 1, "step": 900, "data": str(data)},
        **{"width": width, "height": height, "views": views},
        **changes,
    }
    (run / "edits").mkdir(exist_ok=True)
    (run / "edits" / "record.json").write_text(json.dumps(record))
    return now
