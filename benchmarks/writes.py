"""Writes: posts alone and by eight at once against the ORM stack, and imports."""

import json
import tempfile
from pathlib import Path

from benchmarks import datasets, records, services
from benchmarks.datasets import CACHE, Engine
from benchmarks.peers import databases, serving
from benchmarks.reads import SMALLER
from benchmarks.rows import Goal
from benchmarks.runs import Run
from benchmarks.servers import CONNECTIONS, ROOT
from benchmarks.services import API

POSTS = 200  # records that posts are drawn from
FEW = 1_000  # lines of an import that is over soon
_ALONE = dict.fromkeys(("sqlite", "postgresql"), Goal(2, 4))
_EIGHT = dict.fromkeys(("sqlite", "postgresql"), Goal(3, 5))
_IMPORT = {"sqlite": Goal(1_000, 2_000), "postgresql": Goal(600, 1_500)}


def posts(run: Run) -> None:
    """Measure durable posts, each in its own transaction, on copies of both databases."""
    for engine in run.engines:
        alone = run.row("one POST alone / the ORM stack, p50", engine, "x", _ALONE)
        eight = run.row("POSTs of eight writers / the ORM stack", engine, "x", _EIGHT)
        url = engine.copy(engine.dataset(run.size), "written")
        peer = engine.copy(databases.orm_database(engine, run.size), "peer_written")
        with (
            tempfile.TemporaryDirectory() as folder,
            services.ours(engine, url) as ours,
            serving.orm(engine, peer) as theirs,
        ):
            script = post_script(Path(folder), key(url))
            path = f"{API}/incidents?allow_duplicate=true"
            for server, warmed in ((ours.server, path), (theirs, "/incidents")):
                run.load(server, warmed, script=script)
            for _ in range(run.pairs):
                for row, connections, by in ((alone, 1, "p50"), (eight, CONNECTIONS, "rate")):
                    own = run.load(ours.server, path, connections=connections, script=script)
                    other = run.load(theirs, "/incidents", connections=connections, script=script)
                    row.add_pair(own, other, by=by)
        engine.drop(url)
        engine.drop(peer)


def imports(run: Run) -> None:
    """Measure imports of few lines, and take what the building of the data sets noted."""
    for engine in run.engines:
        row = run.row(f"import of {FEW:,}, with the start of the command", engine, "a second")
        for _ in range(run.pairs):
            row.add(*datasets.import_into(engine.empty("making"), FEW))
        for size in (run.size // SMALLER, run.size):
            noted = datasets.notes(engine, size)
            goals = _IMPORT if size == run.size else {}
            row = run.row(f"import of {size:,}", engine, "a second", goals, once=True)
            row.add(noted["rate"], noted["others"])


def key(url: str, role: str = "editor") -> str:
    """Return a new key for the database at URL."""
    return datasets.flask(url, "keys", "create", "bench", "--role", role)


def post_script(folder: Path, editor_key: str) -> Path:
    """Write what posts records with another id and day each time; return the script."""
    text = (ROOT / "benchmarks" / "post.lua").read_text()
    if not (CACHE / "places.sqlite").exists():
        datasets.Sqlite().empty("places")
    drawn = records.incidents(POSTS, datasets.places(), seed=11)
    bodies = ({**record, "id": "@ID", "date": "@DAY"} for record in drawn)
    quoted = ",\n".join(f"[==[{json.dumps(body)}]==]" for body in bodies)
    script = folder / "post.lua"
    script.write_text(text.replace("KEY", editor_key, 1).replace("BODIES", quoted, 1))
    return script


def copy_with_key(run: Run, engine: Engine) -> tuple[str, str]:
    """Return the address of a copy of the data set that may be written to, and a key for it."""
    url = engine.copy(engine.dataset(run.size), "written")
    return url, key(url)
