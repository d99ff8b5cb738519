"""What every generative editor does alike: captions, crops, batches, retries, and its options."""

from image_core.editors.generative.config import GenerativeConfig
from image_core.editors.generative.editor import GenerativeEditor
from image_core.editors.generative.tasks import Job, Made, Method, Task

__all__ = ["GenerativeConfig", "GenerativeEditor", "Job", "Made", "Method", "Task"]
