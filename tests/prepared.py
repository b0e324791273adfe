"""What the databases of the tests begin with, made once for each state of the code that makes it.

The tables and the gazetteer take ten seconds an engine, in each process that runs tests. They are
kept beside the packages of the environment, under a digest of all the files that they follow from.
"""

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import __version__ as sqlalchemy_version

FOLDER = Path(sys.prefix) / "test-databases"
ROOT = Path(__file__).parent.parent
SOURCES = ("api/migrations", "api/geo", "api/models", "api/database", "schemas/name_folding.py")
_NEWEST = 3  # of an engine; older ones are removed


def get(engine: str, make: Callable[[Path], None], *sources: str) -> Path:
    """Return the path of what ENGINE begins with: a file or a folder, made by MAKE if need be.

    It follows from SOURCES too. Processes that want it at the same time wait for the first.
    """
    path = FOLDER / f"{engine}-{_digest(*sources)}"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f".{engine}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = FOLDER / f".{engine}.unfinished"
            _remove(unfinished)
            make(unfinished)
            unfinished.rename(path)
            kept = sorted(FOLDER.glob(f"{engine}-*"), key=lambda each: each.stat().st_mtime)
            for old in kept[:-_NEWEST]:
                _remove(old)
    return path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@cache
def _digest(*sources: str) -> str:
    digest = hashlib.sha256(f"{sys.version} {sqlalchemy_version}".encode())
    for source in (*SOURCES, *sources):
        path = ROOT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
