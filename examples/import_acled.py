"""Turn a file in the column layout of ACLED into NDJSON that `import` takes.

    python examples/import_acled.py examples/acled_layout.csv > records.ndjson
    flask --app api import records.ndjson

What the mapping does, and why:

- Only events whose actors name a community of COMMUNITIES are taken. Mind ACLED's terms of use: its
  notes are not copied, and what is drawn from it names it.
- `fatalities` 0 means none *or not known* there, so 0 becomes "not reported" here and only a number
  above 0 becomes a figure. Above 0 it may stand for a word such as "several": it is taken as a best
  figure with open bounds, "about 3", and the claim says whose it is.
- `time_precision` 2 is a week around the day, 3 the month; `geo_precision` 2 and 3 are known to the
  region only.
- Ids follow from ACLED's, so that a newer download updates what an older one made
  (`--on-conflict update`), and the same one changes nothing.
- All are drafts: a foreign code is a curator's to read. `--status published` says otherwise.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, str]

# A word in the name of an actor -> the community, as `/api/v1/communities` has it.
COMMUNITIES = {"armenian": "armenian", "azerbaijani": "azerbaijani", "azeri": "azerbaijani"}
TYPES = {
    "Peaceful protest": "protest",
    "Protest with intervention": "protest",
    "Excessive force against protesters": "protest",
    "Violent demonstration": "clash",
    "Mob violence": "clash",
    "Attack": "assault",
    "Looting/property destruction": "property_attack",
}
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def record_id(name: str) -> str:
    """Make an id that is always the same for the same NAME."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(10))


def date(row: Row) -> str:
    """Write the date as exactly as it is known."""
    form = "%Y-%m-%d" if row["event_date"][:4].isdigit() else "%d %B %Y"
    day = datetime.strptime(row["event_date"], form).date()  # noqa: DTZ007 - a day has no zone
    if row["time_precision"] == "2":
        return f"{day - timedelta(days=3)}..{day + timedelta(days=3)}"
    return f"{day:%Y-%m}" if row["time_precision"] == "3" else f"{day}"


def communities(row: Row) -> list[dict[str, str]]:
    """Name the communities among the actors; those that violence is done to are its target."""
    attack = row["event_type"] == "Violence against civilians"
    sides = {
        "participant": f"{row['actor1']}; {row['assoc_actor_1']}",
        "target" if attack else "counter_participant": f"{row['actor2']}; {row['assoc_actor_2']}",
    }
    found = {}
    for role, names in sides.items():
        for word in re.findall(r"\w+", names.lower()):
            if word in COMMUNITIES:
                found.setdefault(COMMUNITIES[word], role)
    return [{"community": community, "role": role} for community, role in found.items()]


def figures(row: Row) -> dict[str, int | None]:
    """Read fatalities and the size of the crowd, never a number where none is known."""
    found: dict[str, int | None] = {}
    if int(row["fatalities"] or 0) > 0:
        found = {"deaths": int(row["fatalities"]), "deaths_low": None, "deaths_high": None}
    size = re.search(r"crowd size=(at least )?(about |around )?([\d,]+)\b", row["tags"])
    if size:
        number = int(size[3].replace(",", ""))
        if size[1]:
            found["participants_low"] = number
        else:
            found["participants"] = number
            if size[2]:
                found |= {"participants_low": None, "participants_high": None}
    return found


def record(row: Row) -> dict[str, Any]:
    """Make the record of one event."""
    numbers = figures(row)
    claims = [{"field": "date", "value": date(row)}]
    if "deaths" in numbers:
        claims.append({"field": "deaths", "value": numbers["deaths"], "attributed_to": "ACLED"})
    return {
        "id": record_id(row["event_id_cnty"]),
        "title": f"{row['sub_event_type']} in {row['location']}",
        "type": TYPES.get(row["sub_event_type"], "other"),
        "date": date(row),
        "city": row["location"],
        "admin1": row["admin1"],
        "country": row["country"],
        "latitude": float(row["latitude"]),
        "longitude": float(row["longitude"]),
        "geo_precision": "city" if row["geo_precision"] == "1" else "admin1",
        "communities": communities(row),
        **numbers,
        "sources": [
            {
                "article": {
                    "id": record_id(f"article {row['event_id_cnty']}"),
                    "title": f"ACLED, event {row['event_id_cnty']}",
                    "publisher": "ACLED",
                },
                "locator": f"from {row['source']}",
                "claims": claims,
            }
        ],
    }


def records(rows: Iterator[Row], status: str) -> Iterator[dict[str, Any]]:
    """Make the records of the events that a community of ours takes part in."""
    left_out = 0
    for row in rows:
        if communities(row):
            yield {**record(row), "status": status}
        else:
            left_out += 1
    sys.stderr.write(f"Left out, as they name none of the communities: {left_out}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", help="CSV in ACLED's columns")
    parser.add_argument("--status", choices=["draft", "published"], default="draft")
    arguments = parser.parse_args()
    with open(arguments.file, encoding="utf-8-sig", newline="") as file:
        for made in records(csv.DictReader(file), arguments.status):
            sys.stdout.write(json.dumps(made, ensure_ascii=False) + "\n")
