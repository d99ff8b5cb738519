"""The shared, instruction-local image editor."""
