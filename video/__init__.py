"""Video editing: a shared local editor on the frames, or on one canonical image, of each shot."""
