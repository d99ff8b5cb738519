"""MDP: mixing the noises of two captions along the diffusion path."""

from image_core.editors.mdp.config import MdpConfig

__all__ = ["MdpConfig"]
