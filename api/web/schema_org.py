"""The data set as schema.org's Dataset, for search engines that list data."""

from collections.abc import Mapping
from typing import Any

from api.core.media_formats import Format


def dataset(
    origin: str, path: str, version: int, names: Mapping[str, str], formats: Mapping[str, Format]
) -> dict[str, Any]:
    """Describe all records as they stand at dataset VERSION, and in which FORMATS they come.

    ORIGIN is scheme and host, PATH the list's address without a suffix, NAMES those of communities.
    """
    licence = "https://creativecommons.org/licenses/by/4.0/"
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": f"{origin}/",
        "url": f"{origin}/",
        "name": "Diaspora incidents",
        "description": "Incidents that involve diaspora communities abroad: clashes, rallies, "
        "protests and disputes, each with date, place and figures as precise as their sources, and "
        "with every source's claims. What is not reported is null, never zero.",
        "version": str(version),
        "license": licence,
        "isAccessibleForFree": True,
        "keywords": ["diaspora", "event data", "protest", *names.values()],
        "creator": {"@type": "Organization", "name": "The diaspora incident API authors"},
        "variableMeasured": ["arrests", "injuries", "deaths", "participants"],
        "measurementTechnique": "Curation from published reports, each figure with its claim",
        "distribution": [
            {
                "@type": "DataDownload",
                "name": format_.label,
                "encodingFormat": format_.mimetype,
                "contentUrl": f"{origin}{path}.{format_.name}",
                "license": licence,
            }
            for format_ in formats.values()
            if format_.write is not None
        ],
    }
