"""Read the incidents into pandas, and keep what is unknown apart from zero.

python with_pandas.py http://127.0.0.1:8000
"""

import sys

import pandas

service = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"

# Any filter of the list may follow: ?country=RU&date=2020.
incidents = pandas.read_csv(
    f"{service}/api/v1/incidents.csv",
    dtype={"id": str},  # an id may be all digits
    keep_default_na=False,  # NA is Namibia
    na_values=[""],  # an empty cell is null, and only that
    dtype_backend="numpy_nullable",  # counts stay whole numbers beside missing ones
    parse_dates=["date_start", "date_end"],
)

print("Incidents by country and type")
print(incidents.groupby(["country", "type"]).size().to_string(), end="\n\n")

# A sum over figures that are partly unknown is only a lower bound: say of how many it is one.
arrests = incidents["arrests_low"]
print(
    f"At least {arrests.sum()} arrests in the {arrests.notna().sum()} incidents that report any "
    f"figure; {arrests.isna().sum()} of {len(incidents)} report none.",
    end="\n\n",
)

# A month is certain only where both ends of the date lie in it.
start, end = (incidents[name].dt.to_period("M") for name in ("date_start", "date_end"))
certain = incidents[start.notna() & (start == end)]
print("Incidents by month, those whose date leaves no doubt of it")
print(certain.groupby(start).size().to_string(), end="\n\n")

# Communities are joined by semicolons; an incident counts for each of its own.
communities = incidents["communities"].str.split("; ").explode()
print("Incidents by community")
print(communities.value_counts().sort_index().to_string())
