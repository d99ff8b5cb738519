"""What a step of training lessens: the losses of one group on some samples. Needs torch."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from video import losses
from video.chains import DOUBTED
from video.hash_fields import Fields
from video.hash_samples import Footage, Group, Samples
from video.hash_settings import HashSettings

_FULL = 255.0  # of what is kept in bytes


def objective(
    fields: Fields,
    footage: Footage,
    group: Group,
    samples: Samples,
    opened: Float[Tensor, " l"],
    settings: HashSettings,
    *,
    done: float,
    backwards: bool,
) -> losses.Scalar:
    """Return the sum of the weighted losses.

    Args:
        fields: The group's.
        footage: The shot.
        group: One of its groups.
        samples: Of its frames.
        opened: How far each level of the deformation is.
        settings: The losses' weights.
        done: Share of the training that is over.
        backwards: Whether the flow to the frame before is looked at instead of that to the next.
    """
    counts = settings.losses
    sides = torch.tensor(footage.size, dtype=torch.float32, device=opened.device)
    longest = sides / sides.max() if settings.isotropic else torch.ones_like(sides)
    centres = samples.centres()
    frames = (samples.rows + footage.span.start).float()
    weight = samples.read(group.weight) / _FULL
    # the other ends of some flows go through the field together with the samples themselves
    some, ends, neighbours, trust = _ends(footage, samples, settings, backwards=backwards)
    every = fields.deformation(
        (torch.cat((centres, ends)) + 0.5) / sides, torch.cat((frames, neighbours)), opened
    )
    found, there = every[: len(centres)], every[len(centres) :]
    unit = fields.extent.unit(found)
    seen = fields.canonical(unit)
    wanted = samples.read(footage.colours) / _FULL
    free = weight * ~samples.read(footage.held_out)
    total = counts.colour * losses.colour_difference(seen, wanted, free, noise=counts.noise)
    if counts.gradient:
        total = total + counts.gradient * losses.gradient_difference(
            samples.squares(seen), samples.squares(wanted), samples.squares(free)
        )
    if counts.background and len(footage.groups) > 1:
        total = total + counts.background * losses.colour_difference(seen, wanted, 1 - weight)
    if counts.flow:
        total = total + counts.flow * losses.ends_apart(
            found[some], there, weight[some] * trust, sides=longest
        )
    hold = counts.chain_at(done)
    if hold and group.chain is not None:
        led = (centres + samples.read(group.chain.flow).float() + 0.5) / sides
        # a chain that leaves the reference frame is never trusted, but better than nothing
        known = weight * (samples.read(group.chain.trust) / _FULL).clamp(min=DOUBTED)
        total = total + hold * losses.ends_apart(found, led, known, sides=longest)
    if counts.window:
        total = total + counts.window * losses.beyond_window(unit, weight)
    places, squares = samples.squares(found * sides - 0.5), samples.squares(weight)
    if counts.smooth:
        moved = places - samples.squares(centres)
        total = total + counts.smooth * losses.roughness(moved, squares)
    if counts.folds:
        total = total + counts.folds * losses.folding(places, squares)
    return total


def _ends(
    footage: Footage, samples: Samples, settings: HashSettings, *, backwards: bool
) -> tuple[Int[Tensor, " m"], Float[Tensor, "m 2"], Float[Tensor, " m"], Float[Tensor, " m"]]:
    """Return for which samples the flow is followed, its ends, their frames, and its trust."""
    device = samples.rows.device
    if not settings.losses.flow:
        none = torch.zeros(0, device=device)
        return none.long(), none.view(0, 2), none, none
    some = torch.arange(0, len(samples.rows), round(1 / settings.flow_share), device=device)
    motion = footage.back if backwards else footage.ahead
    chosen = Samples(
        rows=samples.rows[some],
        pixels=samples.pixels[some],
        rectangles=(0, 1, 1),
        width=samples.width,
    )
    ends = chosen.centres() + chosen.read(motion.flow).float()
    width, height = footage.size
    last = torch.tensor((width, height), device=device) - 0.5
    inside = ((ends >= -0.5) & (ends <= last)).all(dim=-1)
    trust = chosen.read(motion.trust) / _FULL * inside
    frames = chosen.rows + footage.span.start + (-1 if backwards else 1)
    return some, ends, frames.float(), trust
