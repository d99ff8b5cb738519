"""What the diffusion editors share: the schedule, DDIM both ways, guidance, noise, networks."""
