"""Training the pocket zoo on the flat world: what is learned, from what, and for how long."""
