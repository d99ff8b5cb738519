"""``insitu models``: which weights each part needs, getting them, using folders of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from image_core.weights import Model

_Format = Literal["text", "json"]
_Flag = tyro.conf.FlagCreatePairsOff
_WIDTH = 160  # of the table in a pipe


@dataclass(frozen=True, kw_only=True)
class ListModels:
    """Tell for each model: which part it serves, its size, licence, and whether it is here."""

    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from image_core.weights import CATALOGUE
        from insitu.reporting import print_json

        rows = [_row(model) for model in CATALOGUE]
        if self.format == "json":
            print_json({"status": "ok", "exit_code": 0, "models": rows})
        else:
            _print_table(rows)
        return 0


@dataclass(frozen=True, kw_only=True)
class PullModel:
    """Download a model; the only command that uses the network. Prints the folder last.

    The token comes from HF_TOKEN or a hub login; HF_HOME, HF_HUB_CACHE and HF_ENDPOINT are
    respected. Files that are complete are not loaded again.
    """

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|HUB_ID")]
    """A name that `insitu models list` shows, a part's name, or owner/name on the hub."""
    revision: Annotated[str | None, tyro.conf.arg(metavar="REVISION")] = None
    """A branch, tag or commit; the parts then use it."""
    safety_checker: Annotated[bool, _Flag] = False
    """Also a pipeline's safety checker."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from image_core.weights.pulling import pull

        folder = pull(self.name, revision=self.revision, whole=self.safety_checker)
        _print_folder(self.name, str(folder), self.format)
        return 0


@dataclass(frozen=True, kw_only=True)
class ModelPath:
    """Use a folder of your own for a model, once its files are checked. Prints the folder."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|HUB_ID")]
    """A name that `insitu models list` shows, a part's name, or owner/name on the hub."""
    directory: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DIR")]
    """The folder."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from image_core.weights.own_folder import use_folder

        folder = use_folder(self.name, self.directory)
        _print_folder(self.name, str(folder), self.format)
        return 0


_Action = (
    Annotated[ListModels, tyro.conf.subcommand("list")]
    | Annotated[PullModel, tyro.conf.subcommand("pull")]
    | Annotated[ModelPath, tyro.conf.subcommand("path")]
)


@dataclass(frozen=True, kw_only=True)
class ModelsCommand:
    """Weights: list what the parts need, pull them, or register folders of your own."""

    action: tyro.conf.OmitSubcommandPrefixes[_Action]

    @property
    def debug(self) -> bool:
        """Whether the traceback of an error is shown."""
        return self.action.debug

    def run(self) -> int:
        """Do it, and return the exit code."""
        return self.action.run()


def _row(model: Model) -> dict[str, Any]:
    from image_core.errors import InsituError
    from image_core.weights import folder_of, why_missing

    try:
        where = str(folder_of(model.name))
    except InsituError:
        where = None
    return {
        "name": model.name,
        "parts": list(model.parts),
        "hub_id": model.hub_id or None,
        "bytes": model.size,
        "memory_bytes": model.memory,
        "licence": model.licence,
        "licence_class": model.licence_class,
        "gated": model.gated,
        "source": model.source,
        "id_source": model.id_source or model.source,
        "present": where is not None,
        "folder": where,
        "why_missing": "" if where else why_missing(model.name),
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("here", no_wrap=True)
    table.add_column("for which parts, hub id, licence, its source", overflow="fold")
    for row in rows:
        gated = {"yes": "gated", "no": "not gated"}.get(row["gated"], "gated: unverified")
        about = (
            f"for {', '.join(row['parts'])}",
            row["hub_id"] or "not on the hub",
            f"{row['licence']} ({row['licence_class']}), {gated}",
            row["source"],
            *([f"id: {row['id_source']}"] if row["id_source"] != row["source"] else []),
            *([row["folder"]] if row["present"] else []),
        )
        table.add_row(
            row["name"],
            f"{row['bytes'] / 1e9:.1f} GB",
            "yes" if row["present"] else "no",
            Text("\n".join(about)),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)


def _print_folder(name: str, folder: str, form: _Format) -> None:
    from insitu.reporting import print_json

    if form == "json":
        print_json({"status": "ok", "exit_code": 0, "model": name, "folder": folder})
    else:
        print(folder)
