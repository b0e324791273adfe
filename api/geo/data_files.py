"""Where the gazetteer's data files lie and how they are laid out."""

from pathlib import Path

import schemas

PLACES = Path(__file__).with_name("data") / "places.tsv.xz"
COUNTRIES = Path(schemas.__file__).with_name("countries.json")
COUNTRY_NAMES = COUNTRIES.with_name("country_names.tsv")
DIVISIONS = COUNTRIES.with_name("divisions.tsv")

PLACE_COLUMNS = (
    "geonames_id",
    "name",
    "country",
    "admin1_code",
    "admin1",
    "latitude",
    "longitude",
    "population",
)
NAME_COLUMNS = ("name", "places")
