"""Data sets of a size, built once through the product's own bulk path and kept.

`python -m benchmarks.datasets SIZE` builds one. The files stay in benchmarks/.cache; a change of
the generator, the tables or the writing code makes them anew.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import records

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks" / ".cache"
_MADE_BY = (
    "api/migrations/versions/*.py",
    "api/documents.py",
    "api/records/rows.py",
    "api/search/*.py",
    "benchmarks/records.py",
)


def dataset(size: int) -> Path:
    """Return the SQLite file with SIZE incidents, building it if it is not there."""
    path = CACHE / f"incidents-{size}-{_fingerprint()}.sqlite"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        for old in CACHE.glob(f"incidents-{size}-*"):
            old.unlink()
        build(size, path)
    return path


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in _MADE_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def build(size: int, path: Path) -> None:
    """Build a data set of SIZE incidents; says how fast the import was."""
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name)
        records.vocabularies(folder)
        flask(making, "db", "upgrade")
        flask(making, "documents", "upgrade")  # there are none: notes that they have every field
        flask(making, "seed", "--only", "vocabularies", "--from", str(folder))
        lines = folder / "incidents.ndjson"
        with lines.open("w", encoding="utf-8") as out:
            for record in records.incidents(size, places(making)):
                out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        began = time.perf_counter()
        flask(making, "import", str(lines))
        seconds = time.perf_counter() - began
    with sqlite3.connect(making) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    making.rename(path)
    path.with_suffix(".json").write_text(json.dumps({"size": size, "import_seconds": seconds}))
    print(f"{size:,} records imported in {seconds:.0f} s: {size / seconds:,.0f} a second")


def import_rate(size: int) -> float:
    """Return how many records a second the import of a data set of SIZE wrote."""
    noted = json.loads(dataset(size).with_suffix(".json").read_text())
    return float(noted["size"] / noted["import_seconds"])


def places(path: Path) -> list[records.Place]:
    """Read the largest places of the gazetteer that PATH holds."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT geonames_id, name, country, admin1, latitude, longitude FROM places "
        "ORDER BY population DESC, geonames_id LIMIT ?",
        (records.PLACES,),
    ).fetchall()
    connection.close()
    return rows


def flask(path: Path, *words: str) -> None:
    """Run a command of the service on the database PATH."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path.resolve()}"}
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "api", *words],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=sys.stderr,
    )


if __name__ == "__main__":
    dataset(int(sys.argv[1].replace("_", "")))
