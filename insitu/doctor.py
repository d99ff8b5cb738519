"""``insitu doctor``: what this machine can do, and which editor ``auto`` would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from image_core.types import Kind


@dataclass(frozen=True, kw_only=True)
class DoctorCommand:
    """Tell what is installed, what works, and which editor `auto` takes for each kind of edit."""

    format: Literal["text", "json"] = "text"
    """json: one object a line on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code: 0 when the weight-free route works, else 1."""
        from insitu.reporting import print_json

        report = examine()
        healthy = not report["problems"]
        if self.format == "json":
            print_json(
                {"status": "ok" if healthy else "error", "exit_code": int(not healthy), **report}
            )
        else:
            print("\n".join(_lines(report)))
        return int(not healthy)


def examine() -> dict[str, Any]:
    """Look at the machine.

    Returns:
        versions, extras (installed or not), editors (by kind of edit: the one that ``auto`` takes
        and why), and problems, each one sentence with its remedy.
    """
    import importlib.util
    import os
    from typing import get_args

    from image_core.choosing import grounder_name, segmenter_name
    from image_core.discovery import names
    from image_core.receipt import versions
    from image_core.types import Kind

    editors = {kind: _taken(kind) for kind in get_args(Kind)}
    extras = {
        name: all(importlib.util.find_spec(module) is not None for module in modules)
        for name, modules in _EXTRAS.items()
    }
    return {
        "versions": versions(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "extras": extras,
        "registered_editors": names("editors"),
        "parts": {
            "grounder": grounder_name("auto"),
            "segmenter": segmenter_name("auto"),
        },
        "editors": editors,
        "problems": _problems(),
    }


def _taken(kind: Kind) -> dict[str, Any]:
    """Return the editor that ``auto`` takes for a kind, and why not a stronger one."""
    from image_core.choosing import readiness

    passed: dict[str, list[str]] = {}
    for name, reason in readiness(kind):
        if not reason:
            why = ["the strongest that is present", *_reasons(passed)]
            return {"editor": name, "why": "; ".join(why)}
        passed.setdefault("no weights" if "are missing" in reason else reason, []).append(name)
    return {"editor": None, "why": "; ".join(_reasons(passed))}


def _reasons(passed: dict[str, list[str]]) -> list[str]:
    return [f"{', '.join(names)}: {reason}" for reason, names in passed.items()]


_EXTRAS = {
    "neural": ("torch", "diffusers", "transformers"),
    "nerf": ("nerfstudio",),
    "video": ("av", "decord", "scenedetect"),
}


def _problems() -> list[str]:
    from importlib.metadata import distributions
    from pathlib import Path

    import cv2

    found = []
    wheels = {str(d.metadata["Name"]).lower() for d in distributions() if d.metadata["Name"]} & {
        "opencv-python",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    }
    if wheels:
        found.append(
            f"{', '.join(sorted(wheels))} shares a folder with opencv-python-headless: "
            "uninstall it and reinstall opencv-python-headless."
        )
    cascade = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
    if not cascade.is_file():
        found.append(
            f"OpenCV {cv2.__version__} has no cascades, so faces are not found: "
            "install opencv-python-headless 4.10."
        )
    return found


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [f"{name} {number}" for name, number in report["versions"].items()]
    lines.append(f"{report['cores']} cores, {report['memory_gib']} GiB")
    for name, present in report["extras"].items():
        state = "installed" if present else f"not installed (pip install 'insitu[{name}]')"
        lines.append(f"extra {name}: {state}")
    for part, name in report["parts"].items():
        lines.append(f"{part}: {name}")
    lines.append("what auto takes:")
    for kind, choice in report["editors"].items():
        name = choice["editor"] or "nothing"
        lines.append(f"  {kind:<10} {name} ({choice['why']})")
    lines += [f"problem: {problem}" for problem in report["problems"]] or ["no problems found"]
    return lines
