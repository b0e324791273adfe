"""Keep a copy of all incidents in step with the service, in one SQLite file.

    python mirror.py http://127.0.0.1:8000 copy.sqlite

The first run loads an export, later runs go on where the last one ended, whatever ended it. Needs
nothing but Python. Each incident is kept as its JSON, by its id. A third argument is the number of
seconds between two looks at the feed, 10 unless given.
"""

import json
import sqlite3
import sys
import time
from urllib.request import urlopen


class Mirror:
    """A copy of a service's incidents and the number of the last change that is in it."""

    def __init__(self, service, file):
        self.api = f"{service.rstrip('/')}/api/v1"
        self.copy = sqlite3.connect(file)
        self.copy.execute("PRAGMA secure_delete = ON")  # what is erased leaves no trace
        self.copy.execute(
            "CREATE TABLE IF NOT EXISTS incidents (id TEXT PRIMARY KEY, document TEXT)"
        )
        self.copy.execute("CREATE TABLE IF NOT EXISTS place (seq INTEGER)")
        found = self.copy.execute("SELECT seq FROM place").fetchone()
        self.seq = found and found[0]

    def load(self):
        """Begin with everything, as it stood at one number of the feed."""
        with urlopen(f"{self.api}/incidents.ndjson") as export:
            seq, number = (int(export.headers[n]) for n in ("Dataset-Version", "Record-Count"))
            records = [(json.loads(line)["id"], line.decode()) for line in export]
        if len(records) != number:
            raise EOFError(f"the export was cut off: {len(records)} of {number} records")
        with self.copy:
            self.copy.execute("DELETE FROM incidents")
            self._put(records, [], seq)
        self.seq = seq

    def step(self):
        """Take over the next changes; tell whether there are more."""
        with urlopen(f"{self.api}/changes?limit=1000&since={self.seq}") as answer:
            page = json.load(answer)
        if any(change["action"] == "upgraded" for change in page["data"]):
            self.load()  # every incident gained a field
            return True
        latest = {
            change["id"]: change["incident"] for change in page["data"] if "incident" in change
        }
        put = [(id_, json.dumps(one, ensure_ascii=False)) for id_, one in latest.items() if one]
        dropped = [(id_,) for id_, one in latest.items() if one is None]
        if page["data"]:
            # Records and place change together, so that no interruption tears them apart.
            with self.copy:
                self._put(put, dropped, page["data"][-1]["seq"])
            self.seq = page["data"][-1]["seq"]
        return page["next"] is not None

    def _put(self, put, dropped, seq):
        self.copy.executemany("INSERT OR REPLACE INTO incidents VALUES (?, ?)", put)
        self.copy.executemany("DELETE FROM incidents WHERE id = ?", dropped)
        self.copy.execute("DELETE FROM place")
        self.copy.execute("INSERT INTO place VALUES (?)", [seq])

    def follow(self, pause):
        """Stay in step."""
        while True:
            if not self.step():
                time.sleep(pause)


if __name__ == "__main__":
    mirror = Mirror(*sys.argv[1:3])
    if mirror.seq is None:
        mirror.load()
    mirror.follow(float(sys.argv[3]) if len(sys.argv) > 3 else 10)
