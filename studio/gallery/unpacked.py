"""What takes long to unpack or put together is kept in the user's cache folder, so that later starts only read it.

Everything here can be made again: a folder that cannot be written, or a file that does not fit, costs the time it
takes to do without, and nothing else. Absent on purpose: facts, which have no second source, and pickled objects, which
could do anything when read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import platformdirs
from numpy.typing import NDArray
from pydantic import JsonValue

Arrays = Mapping[str, NDArray[np.generic]]
_NAME = "flowlight-studio"
_LARGE = 1 << 24
"""Arrays from this many bytes on are mapped: only the pages that are looked at are read."""


def cache_folder() -> Path:
    """`STUDIO_CACHE` if set, otherwise the platform's cache folder of this user."""
    named = os.environ.get("STUDIO_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir(_NAME, appauthor=False))


def content_key(files: Iterable[Path]) -> str:
    """Tells whether the files are the same, names and bytes. Raises OSError where one cannot be read."""
    digest = hashlib.blake2b(digest_size=12)
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def read_document(name: str, key: str) -> JsonValue:
    """What was kept under the name; None when that was of another key, or nothing."""
    try:
        kept = json.loads((cache_folder() / f"{name}.json").read_text(encoding="utf-8"))
        return kept["content"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_document(name: str, key: str, content: JsonValue) -> None:
    """Keeps a document instead of the one of that name, if the folder can be written."""
    text = json.dumps({"key": key, "content": content}, ensure_ascii=False)
    _keep(f"{name}.json", lambda draft: draft.write_text(text, encoding="utf-8"))


def read_arrays(name: str, key: str) -> Arrays | None:
    """Arrays by name, the large ones mapped to be read only; None when those kept are of another key, or none."""
    folder = cache_folder()
    try:
        with (folder / f"{name}.{key}.npz").open("rb") as file, np.load(file, allow_pickle=False) as small:
            arrays = {one: small[one] for one in small.files}
        large = sorted(folder.glob(f"{name}.{key}.*.npy"))
        return arrays | {one.name.split(".")[2]: np.load(one, mmap_mode="r", allow_pickle=False) for one in large}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return None


def keep_arrays(name: str, key: str, arrays: Arrays) -> None:
    """Keeps arrays instead of those of that name, if the folder can be written. The small ones are written last: where
    they are, all are.
    """
    folder = cache_folder()
    with contextlib.suppress(OSError):
        for old in [*folder.glob(f"{name}.*.npz"), *folder.glob(f"{name}.*.npy")]:
            old.unlink()
    large = {one for one, array in arrays.items() if array.nbytes >= _LARGE}
    kept = all(_keep(f"{name}.{key}.{one}.npy", _saved(arrays[one])) for one in sorted(large))
    if kept:
        _keep(f"{name}.{key}.npz", _zipped({one: array for one, array in arrays.items() if one not in large}))


def _saved(array: NDArray[np.generic]) -> Callable[[Path], object]:
    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    return write


def _zipped(arrays: Arrays) -> Callable[[Path], object]:
    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    return write


def _keep(name: str, write: Callable[[Path], object]) -> bool:
    """The whole file or none of it; whether it is there now."""
    folder = cache_folder()
    draft = folder / f"{name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(folder / name)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        return False
    return True
