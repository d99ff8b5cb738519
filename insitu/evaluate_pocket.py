"""``insitu evaluate pocket``: editors compared where the true edit is known."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from pocket.scoring import Record
    from pocket.scoring.records import Ledger

_Kind = Literal["recolor", "replace", "remove", "add", "texture", "ground"]
_Regions = Literal["found", "true", "whole"]
_REPORT, _SHEET = "report.json", "sheet.png"


@dataclass(frozen=True, kw_only=True)
class EvaluatePocket:
    """Compare editors on small scenes whose true edit, region and success are known exactly.

    Per editor and kind: how many edits are right by a strict measure, the region that was found,
    the error inside to the true edit, the change outside, network evaluations, time, refusals.
    """

    editors: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME")]
    """Such as classic instructedit diffedit instruct-pix2pix inpainting, or FILE.py:Class."""
    models: Annotated[str | None, tyro.conf.arg(metavar="NAME|DIR")] = None
    """Where all networks are loaded from: pocket, or a folder that `insitu pocket train` wrote;
    pocket where an editor has a network and nothing is said."""
    split: Literal["validation", "test"] = "validation"
    """Tune on validation; test is for one run."""
    count: Annotated[int, tyro.conf.arg(metavar="N")] = 100
    """How many scenes, the kinds in turn."""
    held_out: Annotated[int, tyro.conf.arg(metavar="N")] = 25
    """How many more, whose edits make a colour and shape that training never showed together."""
    kinds: Annotated[tuple[_Kind, ...], tyro.conf.arg(metavar="KIND")] = (
        "recolor", "replace", "remove", "add", "texture", "ground",
    )  # fmt: skip
    """Which kinds of edit."""
    objects: Annotated[int, tyro.conf.arg(metavar="N")] = 4
    """Up to how many a scene has, 1 to 4."""
    regions: Annotated[tuple[_Regions, ...], tyro.conf.arg(metavar="HOW")] = ("found",)
    """found: by the words, as for a user. true: the true ones are given, so that editing is judged
    by itself. whole: all of the picture; an editor that finds its own region has to."""
    captions: Literal["plan", "true"] = "plan"
    """plan: made of the instruction's words. true: of the scenes before and after."""
    options: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME:KEY=VALUE")] = ()
    """For one editor each; strength and regions may be given like options."""
    sweep: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME:KEY=V1,V2")] = ()
    """Each value is a row of its own."""
    language: str = "rules"
    """The language processor."""
    grounder: str = "auto"
    """The grounder; auto takes the models' own where they have one."""
    segmenter: str = "auto"
    """The segmenter, alike."""
    seed: int = 0
    """Of the scenes, of every editor's draws and of the intervals."""
    device: str = "auto"
    """Where networks run."""
    examples: Annotated[int, tyro.conf.arg(metavar="N")] = 12
    """How many rows the contact sheet has."""
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None
    """Keep every attempt, the report and a contact sheet here; the same command goes on there."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        import insitu
        from insitu.bars import bars_shown
        from pocket.scoring import Setting, conditions_of, parts_of, scored
        from pocket.scoring.commit import commit_of
        from pocket.scoring.records import Ledger
        from pocket.scoring.report import report_of

        conditions = conditions_of(
            self.editors, options=self.options, sweeps=self.sweep, regions=self.regions
        )
        setting = Setting(
            models=self._tree(),
            split=self.split,
            count=self.count,
            held_out=self.held_out,
            most_objects=self.objects,
            tasks=self.kinds,
            seed=self.seed,
            captions=self.captions,
            language=self.language,
            grounder=self.grounder,
            segmenter=self.segmenter,
            device=self.device,
        )
        self._check()
        parts = parts_of(setting, conditions)
        commit = commit_of(Path(insitu.__file__))
        ledger = None if self.output is None else Ledger(self.output, commit=commit or "")
        warnings = [_TEST_ONCE.format(commit or "unknown")] if self.split == "test" else []
        for warning in warnings:
            print(f"insitu: warning: {warning}", file=sys.stderr)
        with bars_shown(self.format) as progress:
            records = scored(setting, conditions, parts, ledger=ledger, progress=progress)
        report = report_of(setting, conditions, parts, records, commit=commit)
        sheet = None if ledger is None else self._keep(ledger, report, records)
        self._tell(report | {"warnings": warnings}, records, sheet)
        return 0

    def _tree(self) -> Path | None:
        """Return the folder of models; None where none is needed and none is there."""
        from image_core import discovery
        from image_core.choosing import models_of
        from image_core.errors import MissingWeights
        from insitu.model_trees import POCKET, model_tree

        if self.models is not None:
            return model_tree(self.models)
        try:
            return model_tree(POCKET)
        except MissingWeights:
            named = [discovery.build("editors", name) for name in self.editors if name != "auto"]
            if models_of(named):
                raise
            return None

    def _check(self) -> None:
        """Refuse a device that isn't there, and a sheet without rows."""
        from image_core.errors import InvalidInput

        if not 1 <= self.examples <= _MOST_EXAMPLES:
            raise InvalidInput(
                f"a contact sheet of {self.examples} rows", hint=f"Take 1 to {_MOST_EXAMPLES}."
            )
        if self.device not in ("auto", "cpu"):
            from image_core.devices import placement
            from insitu.extras import need_extra

            need_extra("neural", "torch")
            placement(self.device)

    def _keep(self, ledger: Ledger, report: dict[str, Any], records: Sequence[Record]) -> Path:
        """Write the report and the contact sheet, and return the sheet's place."""
        from image_core.photo import write_atomically
        from insitu.overlay import encode_picture
        from pocket.scoring.examples import examples_sheet

        sheet = ledger.folder / _SHEET
        drawn = examples_sheet(records, ledger, count=self.examples)
        write_atomically(sheet, encode_picture(drawn, sheet))
        place = ledger.folder / _REPORT
        write_atomically(place, (json.dumps(report, indent=1) + "\n").encode())
        return sheet

    def _tell(self, report: dict[str, Any], records: Sequence[Record], sheet: Path | None) -> None:
        from insitu.reporting import print_json

        if self.format == "json":
            told = {"status": "done", "exit_code": 0, "output": self.output}
            print_json(told | {"sheet": None if sheet is None else str(sheet)} | report)
            return
        from rich.console import Console

        from pocket.scoring import summed
        from pocket.scoring.summary import differences
        from pocket.scoring.table import WIDTH, table_by_kind, table_of_all, table_of_differences

        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH)
        rows = summed(records, seed=self.seed)
        for draw in (table_by_kind, table_of_all):
            for pairs, about in _TITLES.items():
                own = [row for row in rows if row.pairs == pairs]
                if own:
                    console.print(draw(own, f"{self.split}, {about}: {own[0].count} edits"))
                    console.print()
        apart = differences(records, seed=self.seed)[:_MOST_PAIRS]
        if apart:
            console.print(table_of_differences(apart, "on the same edits, with intervals of 95 %"))
            console.print()
        for note in report["notes"]:
            print(f"note: {note}")
        if sheet is not None:
            print(f"report: {sheet.with_name(_REPORT)}")
            print(sheet)


_TITLES = {"seen": "seen pairs", "held-out": "pairs that training never showed"}
_MOST_EXAMPLES = 100
_MOST_PAIRS = 30  # of editors that people are told of; the report has all
_TEST_ONCE = "the test scenes are for one run, after all choices were made on validation; commit {}"
