"""Running a scoring: every reference and every condition on every case, what is known left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial

from image_core.disk_cache import content_key
from image_core.errors import AmbiguousTarget, TargetNotFound
from image_core.types import Image, no_progress
from pocket.flat.render import to_bytes
from pocket.scoring.attempts import Attempt, attempted
from pocket.scoring.cases import ScoredCase, cases_of
from pocket.scoring.conditions import Condition
from pocket.scoring.measures import Measures, measured
from pocket.scoring.parts import Parts
from pocket.scoring.records import Ledger, Record
from pocket.scoring.references import References
from pocket.scoring.setting import Setting

Progress = Callable[[str, float], None]

_FORM = 1  # of how attempts are made and measured; another one makes all of them anew
_KEY_DIGITS = 24  # hexadecimal, of a record's key: no two attempts share one


def scored(
    setting: Setting,
    conditions: Sequence[Condition],
    parts: Parts,
    *,
    ledger: Ledger | None = None,
    progress: Progress = no_progress,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Record]:
    """Score references and conditions.

    Args:
        setting: What is the same for all.
        conditions: What is compared.
        parts: From ``parts_of`` with the same.
        ledger: Where attempts are kept and looked up, whatever code made them; None keeps none.
        progress: Told who is at work and the done share of the cases.
        clock: Seconds.

    Returns:
        One record a reference or condition and case, in that order.

    Raises:
        InvalidInput: The tasks are possible in too few scenes, or nothing can be kept.
    """
    cases = cases_of(setting)
    return [
        *_references(References(setting.models), cases, ledger, progress),
        *(
            record
            for condition in conditions
            for record in _attempts(setting, condition, parts, cases, ledger, progress, clock)
        ),
    ]


def _references(
    references: References,
    cases: Sequence[ScoredCase],
    ledger: Ledger | None,
    progress: Progress,
) -> Iterator[Record]:
    for name in references.names:
        weights = references.digest(name)
        for number, case in enumerate(cases):
            key = _key("reference", name, weights, *_content(case))
            record = ledger.get(key) if ledger else None
            if record is None:
                picture = references.picture(name, case)
                record = _record(key, name, "", case, measured(case, picture, placed=True))
                if ledger:
                    record = ledger.put(record, picture)
            yield record
            progress(name, (number + 1) / len(cases))


def _attempts(
    setting: Setting,
    condition: Condition,
    parts: Parts,
    cases: Sequence[ScoredCase],
    ledger: Ledger | None,
    progress: Progress,
    clock: Callable[[], float],
) -> Iterator[Record]:
    identity = parts.identity(condition)
    editor = parts.editor(condition)
    warm = False
    for number, case in enumerate(cases):
        captions = setting.told(case.case)
        given = (repr(condition), identity, repr(captions), str(setting.seed))
        key = _key("attempt", *given, *_content(case))
        record = ledger.get(key) if ledger else None
        if record is None:
            attempt = partial(
                attempted,
                editor,
                condition,
                case,
                captions=captions,
                seed=setting.seed,
                clock=clock,
            )
            if not warm:
                attempt()  # loads the networks, so that no case's seconds have that in them
            made = attempt()
            warm = warm or made.picture is not None
            measures = _measures(condition, case, made)
            record = replace(
                _record(key, condition.label, condition.regions, case, measures),
                rows=dict(made.rows),
                seconds=round(made.seconds, 4),
                refusal="" if made.error is None else type(made.error).__name__,
                message="" if made.error is None else str(made.error),
            )
            if ledger:
                record = ledger.put(record, made.picture)
        yield record
        progress(f"{condition.label}, {condition.regions}", (number + 1) / len(cases))


def _measures(condition: Condition, case: ScoredCase, made: Attempt) -> Measures:
    """Measure an attempt; one that was refused is not right, and may have found nothing."""
    if made.picture is not None:
        return measured(
            case,
            made.picture,
            found=made.found,
            region=made.region,
            placed=condition.regions == "true",
        )
    missed = isinstance(made.error, TargetNotFound | AmbiguousTarget) and case.case.task != "add"
    return Measures(right=False, objects=False, found_iou=0.0 if missed else None)


def _record(key: str, label: str, regions: str, case: ScoredCase, measures: Measures) -> Record:
    return Record(
        key=key,
        label=label,
        regions=regions,
        case=case.name,
        pairs=case.pairs,
        task=case.case.task,
        instruction=case.case.instruction,
        measures=measures,
    )


def _content(case: ScoredCase) -> list[str]:
    """Return all that a case is, so that a world that changed is another case."""
    pictures = (_bytes(case.source), _bytes(case.truth))
    return [case.name, repr(asdict(case.case)), *pictures]


def _bytes(picture: Image) -> str:
    return content_key(to_bytes(picture).tobytes())


def _key(*parts: str) -> str:
    return content_key(str(_FORM), *parts)[:_KEY_DIGITS]
