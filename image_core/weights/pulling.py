"""Downloading a model's weights into the hub's cache: the only code that uses the network."""

from __future__ import annotations

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_core.errors import InsituError, InvalidInput, MissingWeights
from image_core.weights.catalogue import CATALOGUE, entry_of
from image_core.weights.completeness import components
from image_core.weights.hub_cache import cache_folder, is_hub_id, is_offline
from image_core.weights.registry import register
from image_core.weights.selection import needed_files
from image_core.weights.store import folder_of, key_of, missing_in

_HEADROOM = 64 * 2**20
_INDEX = "model_index.json"


def pull(model: str, *, revision: str | None = None, whole: bool = False) -> Path:
    """Download what a part loads of a model; files that are here already are not loaded again.

    The token, if any, is the hub's own: ``HF_TOKEN``, or a login's. ``HF_ENDPOINT``, ``HF_HOME``
    and ``HF_HUB_CACHE`` are respected. The most recent of ``pull`` and ``register`` decides which
    folder a part uses: a pull of another revision than ``main`` registers its folder.

    Args:
        model: A name of the catalogue or a hub id.
        revision: A branch, tag or commit.
        whole: Also the safety checker.

    Returns:
        The folder, complete.

    Raises:
        InvalidInput: No such model or revision, or the disk has no room for it.
        MissingWeights: It could not be downloaded: gated, no network, downloads forbidden, or it
            has not got all files; what came is kept.
    """
    hub_id = _hub_id(model)
    if is_offline():
        return _without_network(model, revision)
    with _translated(model, hub_id):
        folder = _download(model, hub_id, revision, whole)
    lacking = missing_in(folder, model)
    if lacking:
        raise MissingWeights(
            f"{hub_id} was downloaded to {folder}, but has no {', '.join(lacking)}",
            hint="It may be no model in the layout of diffusers or transformers.",
        )
    register(key_of(model), folder if revision not in (None, "main") else None)
    return folder


def _hub_id(model: str) -> str:
    entry = entry_of(model)
    if entry and not entry.hub_id:
        raise InvalidInput(
            f"{entry.name} is not on the hub",
            hint=f"Get it from {entry.files_at}, then: insitu models path {entry.name} DIR",
        )
    if entry:
        return entry.hub_id
    if is_hub_id(model):
        return model
    known = ", ".join(known.name for known in CATALOGUE)
    raise InvalidInput(
        f"{model!r} is no model that we know, and no hub id (owner/name)",
        hint=f"Known: {known}.",
    )


def _without_network(model: str, revision: str | None) -> Path:
    try:
        if revision is not None:
            raise MissingWeights("another revision is asked for")
        return folder_of(model)
    except InsituError as error:
        raise MissingWeights(
            f"HF_HUB_OFFLINE is set, so {model} is not downloaded ({error})",
            hint="Unset it, or register a folder: insitu models path NAME DIR.",
        ) from error


def _download(model: str, hub_id: str, revision: str | None, whole: bool) -> Path:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    entry = entry_of(model)
    endpoint = os.environ.get("HF_ENDPOINT") or None
    cache = cache_folder()
    about = HfApi(endpoint=endpoint).model_info(hub_id, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in about.siblings or ()}
    exactly = entry.files if entry else ()
    parts: tuple[str, ...] = ()
    if _INDEX in sizes and not exactly:
        index = hf_hub_download(
            hub_id, _INDEX, revision=about.sha, cache_dir=cache, endpoint=endpoint
        )
        parts = tuple(components(json.loads(Path(index).read_text())))
    wanted = needed_files(sizes, parts, exactly=exactly, whole=whole)
    if not set(wanted) - {"README.md"}:
        raise InvalidInput(f"{hub_id} holds no file that a part could load")
    here = cache / f"models--{hub_id.replace('/', '--')}" / "snapshots" / str(about.sha)
    _check_room(cache, sum(sizes[name] for name in wanted if not (here / name).exists()))
    folder = snapshot_download(
        hub_id,
        revision=revision,
        cache_dir=cache,
        endpoint=endpoint,
        allow_patterns=[glob.escape(name) for name in wanted],
    )
    return Path(folder)


def _check_room(cache: Path, needed: int) -> None:
    existing = next(folder for folder in [cache, *cache.parents] if folder.exists())
    free = shutil.disk_usage(existing).free
    if needed and needed + _HEADROOM > free:
        raise InvalidInput(
            f"the disk of {cache} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are "
            "to be downloaded",
            hint="Make room, or set HF_HOME to a folder on another disk.",
        )


@contextmanager
def _translated(model: str, hub_id: str) -> Iterator[None]:
    """Turn what the hub's library raises into ours."""
    try:
        from huggingface_hub import constants, errors
    except ImportError as error:
        raise MissingWeights(
            f"downloading needs the module {error.name}, which is not installed",
            hint="Install the extra that brings it: pip install 'insitu[neural]'.",
        ) from error
    hub = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    page = f"{hub}/{hub_id}"
    try:
        yield
    except InsituError:
        raise
    except errors.GatedRepoError as error:
        raise MissingWeights(
            f"{hub_id} is gated: its owner wants the licence accepted first",
            hint=f"Accept it at {page}, set HF_TOKEN to a token of your account, and pull again.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InvalidInput(
            f"there is no model {hub_id} at {hub}, or it is private",
            hint="Check its name; for a private one set HF_TOKEN.",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InvalidInput(f"{hub_id} has no such revision", hint=f"See {page}/tree/main.") from (
            error
        )
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        refused = status in (401, 403)
        raise MissingWeights(
            f"{hub} answered {status} for {hub_id}",
            hint="Check HF_TOKEN and the licence at the model's page."
            if refused
            else f"Try again later: insitu models pull {model}",
        ) from error
    except Exception as error:
        raise _broken(model, error) from error


def _broken(model: str, error: Exception) -> Exception:
    """Return our error for a connection or disk that failed; another error as it is."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InvalidInput(
            f"the disk of {cache_folder()} is full",
            hint="Make room, or set HF_HOME to a folder on another disk.",
        )
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InvalidInput(f"{cache_folder()} cannot be written: {error.strerror}")
    network = type(error).__module__.split(".")[0] in {"httpx2", "httpx", "httpcore", "requests"}
    if network or isinstance(error, OSError | EOFError | RuntimeError):
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        return MissingWeights(
            f"{model} could not be downloaded: {reason}",
            hint="Check the network and pull again; files that are complete are kept.",
        )
    return error
