"""``insitu demo --video``: a clip of our own edited by both routes on a CPU, from nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from video.clip import Clip
    from video.truth import ClipTruth

INSTRUCTION = "make the red ball blue"
PATTERN = "fill the red ball with stripes"
_SHOWN = (0, 17, 21, 34)  # frames on the sheet: free, half hidden, most hidden, free again


def video_demo(folder: Path) -> int:
    """Render a clip, edit it, prove it, measure it, and write before beside after.

    Args:
        folder: Where all of it goes; exists.

    Returns:
        The exit code. The last line printed is the sheet's path.
    """
    from image_core.local_editor import LocalEditor
    from insitu.bars import bars_shown
    from insitu.extras import need_extra

    need_extra("video", "av", "decord", "scenedetect")
    from pocket.clip import ClipSettings, write_clip
    from video.clip import Clip
    from video.edit import edit_clip
    from video.survey import VideoRequest
    from video.truth import read_truth
    from video.verification import verify_clip

    made = write_clip(folder / "clip", ClipSettings())
    truth = read_truth(made.folder)
    print(f"{made.clip}: {len(truth.times)} frames rendered here, with sound and the truth")
    outputs = []
    for name, instruction in (("blue", INSTRUCTION), ("stripes", PATTERN)):
        began = time.monotonic()
        output = folder / f"{name}.mkv"
        request = VideoRequest(output=output, instruction=instruction, codec="ffv1")
        with bars_shown("text") as progress, Clip.open(made.clip) as clip:
            edited = edit_clip(LocalEditor.default(), clip, request, progress=progress)
        proof = verify_clip(output)
        print(f'"{instruction}" ({edited.survey.route} route, {time.monotonic() - began:.0f} s)')
        print(f"  proved: all {proof.compared:,} samples outside the region equal the source's")
        print(f"  result: {output}")
        outputs.append(output)
    _print_numbers(truth, outputs[0])
    print(_write_sheet(truth, made.clip, outputs, folder / "demo_video.png"))
    return 0


def _print_numbers(truth: ClipTruth, output: Path) -> None:
    import numpy as np

    from video.clip import Clip
    from video.verification import mask_clip_path

    shares = []
    for frame in Clip.open(mask_clip_path(output)).planes():
        found = frame.planes.arrays[0] > 127
        true = truth.mask(frame.index) > 0.5
        shares.append(float((found & true).sum() / max(1, (found | true).sum())))
    print(f"region against the truth: IoU {np.mean(shares):.2f}, worst frame {min(shares):.2f}")


def _write_sheet(truth: ClipTruth, source: Path, outputs: list[Path], path: Path) -> Path:
    import numpy as np

    from image_core.photo import write_atomically
    from insitu.overlay import captioned_row, encode_picture
    from video.clip import Clip

    clips = [Clip.open(place) for place in (source, *outputs)]
    captions = ("frame {}", INSTRUCTION, PATTERN)
    rows = []
    for index in _SHOWN:
        panels = [_exact(clip, index) for clip in clips]
        panels.insert(2, truth.edited(index))
        words = [captions[0].format(index), captions[1], "the true edit", captions[2]]
        rows.append(captioned_row(panels, words, 320))
    write_atomically(path, encode_picture(np.concatenate(rows), path))
    return path


def _exact(clip: Clip, index: int) -> np.ndarray:
    return next(iter(clip.planes(index, index + 1))).rgb
