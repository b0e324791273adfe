"""Ask the incidents in SQL, down to who claims what, with DuckDB.

    python with_duckdb.py http://127.0.0.1:8000

With DuckDB's extension httpfs the address itself can stand in the place of the file.
"""

import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

import duckdb

service = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
folder = tempfile.TemporaryDirectory()
file = Path(folder.name) / "incidents.ndjson"
with urlopen(f"{service}/api/v1/incidents.ndjson") as answer:
    file.write_bytes(answer.read())
    records = int(answer.headers["Record-Count"])

database = duckdb.connect()
database.execute("CREATE TABLE incidents AS SELECT * FROM read_ndjson_auto(?)", [str(file)])
((held,),) = database.sql("SELECT count(*) FROM incidents").fetchall()
assert held == records, "the export is not whole"


def show(question, sql):
    """Print a question and the rows that answer it."""
    print(question)
    for row in database.sql(sql).fetchall():
        print("", *("not reported" if value is None else value for value in row), sep="\t")


show(
    "Figures as bounds: null stays unknown",
    """
    SELECT city, date, arrests_low, arrests_high FROM incidents
    ORDER BY date_start, id LIMIT 5
    """,
)
show(
    "Who claims how many arrests, about what",
    """
    WITH sources AS (SELECT id, city, unnest(sources) AS source FROM incidents),
         claims AS (SELECT id, city, source.article.publisher AS publisher,
                           unnest(source.claims) AS claim FROM sources)
    SELECT city, publisher, coalesce(claim.value::VARCHAR, claim.text),
           coalesce(claim.scope, 'the whole incident') FROM claims
    WHERE claim.field = 'arrests' ORDER BY city, publisher
    """,
)
show(
    "Incidents that two communities took part in",
    """
    SELECT list_sort([one.community for one in communities]) AS who, count(*)
    FROM incidents WHERE len(communities) > 1 GROUP BY who ORDER BY who
    """,
)
folder.cleanup()
