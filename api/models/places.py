"""The gazetteer's tables: places, the names they go by, which data is loaded, and additions.

The first three are filled as a whole from one data file by `api.geo.load` and read by everyone
else; what editors add stands beside them in two of its own. No table should refer to `places` by a
foreign key: a new data file may drop a place that a record still names, and a record keeps its own
coordinates.
"""

from sqlalchemy import JSON, Boolean, CheckConstraint, Double, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class Place(Base):
    """A populated place of GeoNames."""

    __tablename__ = "places"

    geonames_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(ordered_text(200))  # `fold(name)`: the key of its city
    country: Mapped[str] = mapped_column(String(2))  # ISO 3166-1 alpha-2, or XK
    admin1_code: Mapped[str | None] = mapped_column(String(20))  # as GeoNames has it: IL, 57
    admin1: Mapped[str | None] = mapped_column(String(200))  # its name: Illinois
    latitude: Mapped[float] = mapped_column(Double)  # degrees, four decimals
    longitude: Mapped[float] = mapped_column(Double)
    population: Mapped[int] = mapped_column(Integer)  # 0 where GeoNames does not know
    cell: Mapped[int | None] = mapped_column(Integer)  # of the grid of one degree, see api.geo.grid

    # By country: how far a point is from all of its places. By cell: which countries lie about it.
    __table_args__ = (Index(None, "country"), Index(None, "cell", "country"))


class PlaceName(Base):
    """One folded name of one place; the look-ups walk the primary key, by value or by prefix."""

    __tablename__ = "place_names"

    name: Mapped[str] = mapped_column(ordered_text(200), primary_key=True)
    # No foreign key: both tables are replaced together, and checking some hundred thousand
    # references on each load would cost more than the load.
    geonames_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    canonical: Mapped[bool] = mapped_column(Boolean)  # the place's own name, not an alias

    # The primary key is the table: half the size, half the time.
    __table_args__ = ({"sqlite_with_rowid": False},)


class GazetteerState(Base):
    """One row that says which data file the other two tables hold."""

    __tablename__ = "gazetteer_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String(64))
    places: Mapped[int] = mapped_column(Integer)

    __table_args__ = (CheckConstraint(text("id = 1"), name="one_row"),)


class AddedPlace(Base):
    """A place that editors added, or a place of GeoNames that they gave more names."""

    __tablename__ = "added_places"

    id: Mapped[str] = mapped_column(ordered_text(24), primary_key=True)  # or geonames-2950159
    geonames_id: Mapped[int] = mapped_column(Integer, unique=True)  # below 0 for an added one
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(ordered_text(200))
    country: Mapped[str] = mapped_column(String(2))
    admin1_code: Mapped[str | None] = mapped_column(String(20))
    admin1: Mapped[str | None] = mapped_column(String(200))
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)
    aliases: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    updated_at: Mapped[str] = mapped_column(ordered_text(24))


class AddedPlaceName(Base):
    """One folded name that editors gave a place, added or of GeoNames."""

    __tablename__ = "added_place_names"

    name: Mapped[str] = mapped_column(ordered_text(200), primary_key=True)
    geonames_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    canonical: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (Index(None, "geonames_id"),)
