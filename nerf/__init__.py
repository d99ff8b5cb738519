"""A nerfstudio method that edits a capture where an instruction says, and reconstructs it."""
