"""Print the plan of each statement that an ORM peer runs for a page and for one record.

`DATABASE_URL=… python -m benchmarks.peers.plans orm ID`, or `sqlmodel`, in the peer's environment.
"""

import re
import sys
from typing import Any

from sqlalchemy import Connection, Engine, event

_EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN (COSTS OFF)"}


def explain(engine: Engine) -> None:
    """Print the plan of whatever is selected on ENGINE from now on."""

    def show(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            return
        asked = cursor.connection.cursor()
        asked.execute(f"{_EXPLAIN[engine.dialect.name]} {statement}", parameters)
        table = statement.partition("\nFROM ")[2].split()[0]
        steps = "; ".join(str(row[-1]).strip() for row in asked.fetchall())
        print(f"  {table}: " + re.sub(r"'\{.*?\}'", "…", steps))

    event.listen(engine, "before_cursor_execute", show)


def main() -> None:
    """Ask the peer once for a page and for the record ID."""
    peer, id_ = sys.argv[1:]
    if peer == "orm":
        from benchmarks.peers import orm

        app = orm.create_app()
        with app.app_context():
            explain(orm.db.engine)
        for path in ("/incidents", f"/incidents/{id_}"):
            assert app.test_client().get(path).status_code == 200
    else:
        from benchmarks.peers import sqlmodel_app

        explain(sqlmodel_app.engine)
        sqlmodel_app.page()
        sqlmodel_app.one(id_)


if __name__ == "__main__":
    main()
