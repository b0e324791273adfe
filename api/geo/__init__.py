"""The gazetteer: populated places of GeoNames with their names in all scripts.

`loader` fills the tables from the data file beside this package; the look-ups read them, on a
Connection or a Session, and need no application context. Countries are in `schemas.countries`.
"""
