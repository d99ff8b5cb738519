"""Named presets of photos, NeRF captures and videos: typed Python that only composes."""
