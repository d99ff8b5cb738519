"""Scoring editors on the flat world, where the true edit, its region and its success are known.

::

    setting = Setting(models=Path("models"), count=100)
    conditions = conditions_of(["instructedit", "classic"], regions=["found", "true"])
    parts = parts_of(setting, conditions)            # raises MissingWeights before anything runs
    records = scored(setting, conditions, parts)     # one record a condition and scene
    rows = summed(records, seed=setting.seed)        # means with bootstrap intervals

What a method is told, what region it gets and what is asked of its picture are the same for all.
Nothing here needs torch but the two ceilings of the autoencoder and the editors that run networks.
"""

from __future__ import annotations

from pocket.scoring.bench import scored
from pocket.scoring.conditions import Condition, conditions_of
from pocket.scoring.parts import Parts, parts_of
from pocket.scoring.records import Record
from pocket.scoring.setting import Setting
from pocket.scoring.summary import Row, summed

__all__ = [
    "Condition",
    "Parts",
    "Record",
    "Row",
    "Setting",
    "conditions_of",
    "parts_of",
    "scored",
    "summed",
]
