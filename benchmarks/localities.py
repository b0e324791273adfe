"""Try the gazetteer with places of a list that it was not made from.

`python -m benchmarks.localities` draws 1,000 places with a seed from the world cities of
simplemaps.com (by way of the package cityloc, whose points Natural Earth and national agencies
gave) and resolves each by its name and country alone. It prints how many are taken, told and
refused, and how far off those that were taken lie; `--region` names the division too. It fails
where one lies more than 50 km off and nothing is said of it. The database of `DATABASE_URL` has to
hold the gazetteer.
"""

import os
import random
import sqlite3
import time
from collections import Counter
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy import create_engine

from api.config import database_url
from api.geo.distances import distance_km
from api.geo.place_errors import PlaceError
from api.geo.resolver import resolve
from schemas.countries import country_names

FAR_KM = 50


class Locality(NamedTuple):
    """A place of the other list."""

    name: str
    country: str
    division: str | None
    latitude: float
    longitude: float


@click.command()
@click.option("--number", default=1000, show_default=True)
@click.option("--seed", default=13, show_default=True)
@click.option("--region", is_flag=True, help="Name the division too.")
@click.option("--verbose", is_flag=True, help="List what is refused and what is far off.")
def main(number: int, seed: int, *, region: bool, verbose: bool) -> None:
    """Resolve NUMBER places of another list by name and country, and count what becomes of them."""
    places = random.Random(seed).sample(localities(), number)
    counts: Counter[str] = Counter()
    silent = []
    engine = create_engine(database_url(os.environ.get("DATABASE_URL", ""), Path("instance")))
    started = time.perf_counter()
    with engine.connect() as connection:
        for place in places:
            try:
                resolved = resolve(
                    connection,
                    city=place.name,
                    country=place.country,
                    admin1=place.division if region else None,
                )
            except PlaceError as error:
                counts[f"refused: {error.code}"] += 1
                if verbose:
                    click.echo(f"{place.name}, {place.country}: {error.detail}")
                continue
            here = (place.latitude, place.longitude)
            far = distance_km(*here, resolved.latitude, resolved.longitude) > FAR_KM
            warned = bool(resolved.warnings)
            counts[f"{'told' if warned else 'taken'}, {'far' if far else 'near'}"] += 1
            if far and not warned:
                silent.append(place)
            if far and verbose:
                click.echo(f"far: {place} is {resolved}")
    took = (time.perf_counter() - started) / number * 1000
    for kind, count in sorted(counts.items()):
        click.echo(f"{count:6,} {kind}")
    click.echo(f"{took:.1f} ms each")
    for place in silent:
        click.echo(f"more than {FAR_KM} km off without a word: {place}")
    raise SystemExit(bool(silent))


def localities() -> list[Locality]:
    """Return the places of the package cityloc, in countries that are known here."""
    file = distribution("cityloc").locate_file("cityloc/resources/cities.db")
    names = country_names()
    query = "SELECT name, country, region, lat_wgs84, long_wgs84 FROM cities ORDER BY id"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        rows = [Locality(*row) for row in connection.execute(query)]
    return [row for row in rows if row.country in names]


if __name__ == "__main__":
    main()
