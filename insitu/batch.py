"""``insitu image`` over a folder or glob: a worker pool, one line an image, resumable."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import InvalidInput
from image_core.photo import SUFFIXES
from image_core.receipt import receipt_path
from insitu.asked_parts import editor_of
from insitu.done_before import is_done
from insitu.exit_codes import ExitCode
from insitu.reporting import error_outcome
from insitu.request import EditRequest, perform
from insitu.several import fixed_part, free_place, output_folder, safely, tell_all
from insitu.single import request_of

if TYPE_CHECKING:
    from image_core.local_editor import LocalEditor
    from insitu.image import ImageCommand

_BYTES_A_WORKER = 2 * 2**30
_OUR_ENDINGS = (".mask.png", ".edited.png")


def is_batch(source: str) -> bool:
    """Tell whether an INPUT means several photos: a folder, or a glob that is no file's name."""
    return os.path.isdir(source) or (glob.has_magic(source) and not os.path.lexists(source))


def run_batch(command: ImageCommand) -> int:
    """Edit every photo of a folder or glob; one failure stops none of the others.

    Returns:
        0 when all are done, 10 when some failed.

    Raises:
        InvalidInput: No photo matches, the output is no folder, or a value is bad for all of them.
    """
    requests = _requests(command)
    editor = editor_of(requests[0])
    plan = editor.plan(command.instruction, then=command.then)  # wrong for all is told once
    shared = editor if editor.models(plan) else None
    outcomes = _outcomes(requests, command.workers, shared)
    return tell_all(outcomes, len(requests), of="photos", as_json=command.format == "json")


def _requests(command: ImageCommand) -> list[EditRequest]:
    if command.mask_out is not None or command.candidates_out is not None:
        raise InvalidInput("--mask-out and --candidates-out are for one photo, not for a folder")
    folder, sources = _sources(command.input)
    output = output_folder(command.output, folder, of="photos")
    requests = []
    taken: set[Path] = set()
    for source in sources:
        place = output / source.relative_to(folder)
        if command.dry_run:
            place = place.with_suffix(".overlay.png")
        elif place.suffix.lower() in {".jpg", ".jpeg"} and not command.lossy:
            place = place.with_suffix(".png")
        requests.append(request_of(command, source, free_place(place, source, taken)))
    return requests


def _sources(text: str) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and the photos in it in order of name."""
    folder = Path(text)
    if folder.is_dir():
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
        missing = f"the folder {folder} holds no photo"
    else:
        found = [Path(name) for name in glob.glob(text, recursive=True)]
        folder = fixed_part(text)
        missing = f"nothing matches {text}"
    photos = sorted(
        path for path in found if path.is_file() and not path.name.endswith(_OUR_ENDINGS)
    )
    if not photos:
        raise InvalidInput(missing, hint=f"Photos end in {', '.join(sorted(SUFFIXES))}.")
    return folder, photos


def _outcomes(
    requests: Sequence[EditRequest], workers: int, shared: LocalEditor | None
) -> Iterator[dict[str, Any]]:
    """Give outcomes as they come; never more photos in memory than there are workers.

    With networks there is one worker, this process, so that they are loaded once.
    """
    if shared is not None:
        yield from (_safely(request, shared) for request in requests)
        return
    workers = min(workers if workers > 0 else _fitting_workers(), len(requests))
    if workers == 1:
        yield from map(_safely, requests)
        return
    waiting = list(reversed(requests))
    while waiting:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
            running: dict[Future[dict[str, Any]], EditRequest] = {}
            broken = False
            while (waiting and not broken) or running:
                while waiting and len(running) < workers and not broken:
                    request = waiting.pop()
                    running[pool.submit(_safely, request)] = request
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    request = running.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool as error:
                        broken = True
                        yield error_outcome(error, ExitCode.INTERNAL, input=str(request.source))


def _fitting_workers() -> int:
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count() or 1, int(available // _BYTES_A_WORKER)))


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _safely(request: EditRequest, editor: LocalEditor | None = None) -> dict[str, Any]:
    """Do one request that is not done yet, and turn whatever goes wrong into an outcome."""
    known = {"input": str(request.source), "output": str(request.output)}

    def make() -> dict[str, Any]:
        if not request.dry_run and is_done(request):
            receipt = str(receipt_path(request.output))
            return {"status": "skipped", "exit_code": 0, **known, "receipt": receipt}
        request.output.parent.mkdir(parents=True, exist_ok=True)
        return perform(request, editor=editor)

    return safely(make, **known)
