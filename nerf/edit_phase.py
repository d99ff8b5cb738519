"""The edit of one run from its instruction to the last update: what is where, begun, resumed.

Before training it reads the instruction, refuses what cannot be done and finds the regions; at the
first edit step it makes the regions agree in 3D, prepares the edit over all views and starts the
loop; from then on it edits when an update is due.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from image_core.compositing import on_8_bit_grid
from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.plan_record import plan_of_record
from image_core.preparing import refuse_unsupported
from image_core.types import EditPlan, Location, Region
from nerf.dataset_update import DatasetUpdate, EditedView, as_image
from nerf.edit_flags import EditFlags
from nerf.field_views import FieldViews
from nerf.picture_store import PictureStore
from nerf.region_field import MAX_STEPS
from nerf.region_kinds import refuse_in_3d, refuse_many_steps, refuse_unlike_views
from nerf.region_search import Regions, found, in_3d

Tell = Callable[[str], None]


class EditPhase:
    """One instruction on its way through one run."""

    def __init__(
        self,
        flags: EditFlags,
        views: FieldViews,
        run: Path,
        *,
        tell: Tell,
    ) -> None:
        """Look at nothing yet.

        Args:
            flags: What is asked for.
            views: Renders them.
            run: The run's folder; ``edits`` and ``regions`` are made in it.
            tell: Takes a line for the console.
        """
        self.flags, self.views, self.run, self.tell = flags, views, run, tell
        self.datamanager = views.datamanager
        self.schedule = flags.schedule()
        self.pictures = PictureStore(run / "edits")
        self.masks = PictureStore(run / "regions")
        self.regions: Regions = []
        self._stored: list[list[str] | None] = []
        self._found_there = frozenset(path.stem for path in (run / "edits").glob("*.png"))
        self.plan: EditPlan | None = None
        self.update: DatasetUpdate | None = None
        self.editor_names = ""

    def open(self, source: Path | None, start: int) -> None:
        """Get ready before training: find the regions, or go on where a loaded run was.

        Args:
            source: The folder of the run that was loaded, whose pictures are needed.
            start: The first training step of this run.

        Raises:
            InsituError: The instruction, editor, region or loaded state cannot be used.
        """
        record = self.datamanager.record
        editor = self.flags.local_editor_config().build()
        goes_on = self._goes_on(record)
        if goes_on:
            self._adopt(source, record)
            self.plan = plan_of_record(record["plan"])
            self._take(self._stored_regions(record))
        else:
            self.plan = self._plan(editor)
            self._take(found(self.flags, editor, self.plan, self.datamanager, self.tell))
        self._name_editors(editor)
        if goes_on:
            self._resume(editor, record)
        else:
            self._keep_record("reconstruct", start - 1)

    def expected_end(self, first_step: int) -> int:
        """Return the step before which the run will end, as far as is known."""
        if self.update is not None:
            return self.update.expected_end
        views = len([region for region in self.regions if region]) or len(self.regions)
        return first_step + self.schedule.length(views, pointwise=False)

    def _goes_on(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a loaded record is of this edit, begun already.

        Raises:
            InvalidInput: It is of another that has begun to change the views.
        """
        begun = record.get("instruction") and record["phase"] != "reconstruct"
        if not begun or self.flags.fresh_edit:
            return False
        if [record["instruction"], *record["then"]] != [self.flags.instruction, *self.flags.then]:
            raise InvalidInput(
                f"the loaded run is being edited by {record['instruction']!r}",
                hint="Give the same instruction to go on, or --pipeline.fresh-edit True to edit "
                "what it shows now by another one.",
            )
        return True

    def _plan(self, editor: LocalEditor) -> EditPlan:
        """Read the instruction and refuse what cannot be done in a capture."""
        plan = editor.plan(self.flags.instruction, then=self.flags.then)
        editors = {step: editor.editor_for(step)[1] for step in plan.steps}
        refuse_in_3d(plan, editors, region_3d=self.flags.region_3d)
        refuse_unlike_views(plan, editor)
        if self.flags.region_3d != "off":
            refuse_many_steps(plan, MAX_STEPS)
        editor.strengths(plan, self.schedule.strength_in(0))
        refuse_unsupported(plan, list(editors.values()))
        return plan

    def _name_editors(self, editor: LocalEditor) -> None:
        assert self.plan is not None
        names = [editor.editor_for(step)[0] for step in self.plan.steps]
        self.editor_names = "+".join(dict.fromkeys(names))

    def begin(self, step: int) -> None:
        """Start the edit phase: regions that agree in 3D, the prepared edit, the loop.

        Raises:
            InsituError: The target is lost in 3D, or the editor cannot be prepared.
        """
        assert self.plan is not None
        editor = self.flags.local_editor_config().build()
        self._take(in_3d(self.flags, self.plan, self.views, self.regions, self.tell))
        self._start(editor, step)
        self._keep_record("edit", step)

    def _take(self, regions: Regions) -> None:
        """Keep these regions from now on: on disk, and on the 8-bit grid that the disk holds."""
        self.regions, self._stored = [], []
        for location in regions:
            pictures = [] if location is None else [as_bytes(r.alpha) for r in location.regions]
            self._stored.append([self.masks.put(picture) for picture in pictures] or None)
            self.regions.append(
                location
                and Location(
                    regions=tuple(
                        dataclasses.replace(region, alpha=as_alpha(picture))
                        for region, picture in zip(location.regions, pictures, strict=True)
                    )
                )
            )

    @property
    def _originals(self) -> list[Any]:
        return list(self.datamanager.originals)

    def _start(self, editor: LocalEditor, step: int) -> None:
        """Prepare the edit over all originals that show the target, and make the loop."""
        assert self.plan is not None
        names = self.datamanager.names
        shown = [(view, region) for view, region in enumerate(self.regions) if region is not None]
        prepared = editor.prepare(
            self.plan,
            [as_image(self._originals[view]) for view, _ in shown],
            [region for _, region in shown],
            keys=[self.schedule.key(names[view], 0) for view, _ in shown],
        )
        self.update = DatasetUpdate(
            editor=editor,
            prepared=prepared,
            names=names,
            originals=self._originals,
            regions=self.regions,
            schedule=self.schedule,
            store=self.pictures,
            render=self.views.image,
            first_step=step,
        )

    def _resume(self, editor: LocalEditor, record: Mapping[str, Any]) -> None:
        """Bring the loop and the views to where the checkpoint left them."""
        self._start(editor, int(record["update"]["first_step"]))
        assert self.update is not None
        self.update.load_state_dict(record["update"])
        for view, name in enumerate(self.update.edited):
            if name is not None:
                self.datamanager.write(view, self.pictures.get(name))

    def _adopt(self, source: Path | None, record: Mapping[str, Any]) -> None:
        """Bring a loaded run's pictures into this run's folders."""
        if source is None or source.resolve() == self.run.resolve():
            return
        for own, folder, names in (
            (self.pictures, "edits", [view["edited"] for view in record["views"]]),
            (self.masks, "regions", [n for v in record["views"] for n in v["region"] or ()]),
        ):
            own.adopt(PictureStore(source / folder), sorted({name for name in names if name}))

    def _stored_regions(self, record: Mapping[str, Any]) -> Regions:
        kept = [view["region"] for view in record["views"]]
        if [view["name"] for view in record["views"]] != self.datamanager.names:
            raise InvalidInput("the loaded run was trained on other views than this capture has")
        return [
            None
            if names is None
            else Location(
                regions=tuple(
                    Region(alpha=as_alpha(self.masks.get(name)), evidence="from the loaded run")
                    for name in names
                )
            )
            for names in kept
        ]

    def step(self, step: int) -> Iterator[EditedView]:
        """Do what is due before a training step, and yield each view that was edited."""
        if self.update is None:
            self.begin(step)
        assert self.update is not None
        if not self.update.is_due(step):
            return
        for edited in self.update.advance(step):
            if edited.picture is not None:
                self.datamanager.write(edited.view, edited.picture)
            yield edited
        self._keep_record("done" if self.update.finished else "edit", step)

    def tidy(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Delete edited views that no checkpoint of this run names any more.

        Args:
            records: Of the checkpoints that are kept.
        """
        named = {view["edited"] for record in records for view in record["views"]}
        self.pictures.keep_only({name for name in named if name} | self._found_there)

    def _keep_record(self, phase: str, step: int) -> None:
        """Make the record that the next checkpoint will carry."""
        assert self.plan is not None
        names = self.datamanager.names
        update = self.update
        edited = update.edited if update is not None else [None] * len(names)
        height, width = self.views.size
        self.datamanager.record = {
            "version": 1,
            "instruction": self.flags.instruction,
            "then": list(self.flags.then),
            "plan": _plain(dataclasses.asdict(self.plan)),
            "editor": self.editor_names,
            "seed": self.schedule.seed,
            "phase": phase,
            "round": 0 if update is None else update.round,
            "step": step,
            "data": str(self.datamanager.get_datapath()),
            "width": width,
            "height": height,
            "views": [
                {"name": name, "edited": edited[view], "region": self._stored[view]}
                for view, name in enumerate(names)
            ],
            "update": None if update is None else update.state_dict(),
        }


def as_bytes(alpha: Any) -> Any:
    """Return an alpha on the 8-bit grid as uint8."""
    return np.rint(on_8_bit_grid(alpha) * 255).astype(np.uint8)


def as_alpha(picture: Any) -> Any:
    """Return a stored region as an alpha in [0, 1]."""
    return np.asarray(picture, np.float32) / np.float32(255)


def _plain(value: Any) -> Any:
    """Return nested tuples as lists, so that JSON gives back what was put in."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
