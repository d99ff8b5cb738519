"""Contract checks for those who write a plug-in; ours pass the same ones.

    from image_core.testing import check_editor
    check_editor(MyEditor())

Each broken promise is an ``AssertionError`` that says what the seam asks for. The scenes are small,
synthetic and seeded: no files, no network.
"""

from image_core.testing.editors import check_editor
from image_core.testing.grounders import check_grounder
from image_core.testing.scenes import STEPS, batch_of, scene
from image_core.testing.segmenters import check_segmenter

__all__ = ["STEPS", "batch_of", "check_editor", "check_grounder", "check_segmenter", "scene"]
