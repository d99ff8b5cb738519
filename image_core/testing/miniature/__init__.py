"""Miniature models of the real classes, with random weights, as folders that the parts load."""
