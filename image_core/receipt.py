"""The receipt beside an output: what was done, so that it can be repeated and checked.

``out.png`` gets ``out.png.json`` (the receipt) and ``out.png.mask.png`` (the 8-bit alpha that was
used, in the stored orientation of the source and with the same orientation tag). The receipt holds
a hash of itself: that shows a slip or a careless edit, but it is no signature.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from image_core.errors import IntegrityError, InvalidInput

FORMAT = 1
_PACKAGES = ("insitu", "numpy", "opencv-python-headless", "pillow", "scikit-image", "tifffile")
_NEURAL = ("torch", "diffusers", "transformers")


def receipt_path(output: Path) -> Path:
    """Return where the receipt of an output lies."""
    return output.with_name(output.name + ".json")


def mask_path(output: Path) -> Path:
    """Return where the mask of an output lies."""
    return output.with_name(output.name + ".mask.png")


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def versions(*, neural: bool = False) -> dict[str, str]:
    """Return the versions that decide what an edit looks like.

    Args:
        neural: Networks took part.
    """
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, *(_NEURAL if neural else ())):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def seal(content: Mapping[str, Any]) -> bytes:
    """Return a receipt's bytes: JSON with the hash of its own content."""
    body = {"insitu_receipt": FORMAT, **content}
    return json.dumps({**body, "sha256": _own_hash(body)}, indent=1, ensure_ascii=False).encode()


def read_receipt(path: Path) -> dict[str, Any]:
    """Read a receipt and check the hash of itself.

    Raises:
        InvalidInput: It is missing or cannot be read.
        IntegrityError: It is no receipt, or was changed since it was written.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no receipt {path}", hint="It is written beside every output of insitu."
        ) from None
    except OSError as error:
        raise InvalidInput(f"the receipt {path} cannot be read: {error.strerror}") from error
    try:
        content = json.loads(text)
        stated = content.pop("sha256")
        intact = stated == _own_hash(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise IntegrityError(f"{path} is not an intact receipt of insitu") from None
    if not intact:
        raise IntegrityError(f"the receipt {path} was changed after it was written")
    if content.get("insitu_receipt") != FORMAT:
        raise IntegrityError(f"{path} has a receipt format that this version does not know")
    return dict(content)


def is_of_clip(output: Path) -> bool:
    """Tell whether the receipt beside an output, if an intact one is there, is of a clip."""
    try:
        return "clip" in read_receipt(receipt_path(output))
    except (InvalidInput, IntegrityError):
        return False


def _own_hash(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode())
