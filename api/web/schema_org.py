"""The data set as schema.org's Dataset, for search engines that list data."""

from collections.abc import Mapping
from typing import Any

from api.core.media_formats import Format

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
_CREATOR = {"@type": "Organization", "name": "The diaspora incident API authors"}


def dataset(
    origin: str, path: str, version: int, names: Mapping[str, str], formats: Mapping[str, Format]
) -> dict[str, Any]:
    """Describe all records as they stand at dataset VERSION, and in which FORMATS they come.

    ORIGIN is scheme and host, PATH the list's address without a suffix, NAMES those of communities.
    """
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
        "license": LICENCE,
        "isAccessibleForFree": True,
        "keywords": ["diaspora", "event data", "protest", *names.values()],
        "creator": _CREATOR,
        "variableMeasured": ["arrests", "injuries", "deaths", "participants"],
        "measurementTechnique": "Curation from published reports, each figure with its claim",
        "distribution": [
            {
                "@type": "DataDownload",
                "name": format_.label,
                "encodingFormat": format_.mimetype,
                "contentUrl": f"{origin}{path}.{format_.name}",
                "license": LICENCE,
            }
            for format_ in formats.values()
            if format_.write is not None
        ],
    }


def record(document: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Describe a RECORD: a work about an event, which cites articles."""
    url = f"{origin}/incidents/{document['id']}"
    urls = [source["article"]["url"] for source in document["sources"]]
    return {
        "@context": "https://schema.org/",
        "@type": "CreativeWork",
        "@id": url,
        "url": url,
        "identifier": document["id"],
        "name": document["title"],
        "version": str(document["version"]),
        "dateModified": document["updated_at"],
        "license": LICENCE,
        "isAccessibleForFree": True,
        "creator": _CREATOR,
        "isPartOf": {"@type": "Dataset", "@id": f"{origin}/", "name": "Diaspora incidents"},
        "about": _event(document),
        "citation": [url for url in urls if url],
    }


def _event(document: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a record is about: what is not known is left out."""
    address = {
        "@type": "PostalAddress",
        "addressLocality": document["city"],
        "addressRegion": document["admin1"],
        "addressCountry": document["country"],
    }
    event: dict[str, Any] = {
        "@type": "Event",
        "name": document["title"],
        "startDate": document["date_start"],
        "endDate": document["date_end"],
        "location": {"@type": "Place", "name": document["venue"], "address": _known(address)},
    }
    event["location"] = _known(event["location"])
    if document["geo_precision"] in ("exact", "venue", "city"):
        event["location"]["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": document["latitude"],
            "longitude": document["longitude"],
        }
    return _known(event)


def _known(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def release(described: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Describe a release, as DESCRIBED by the API, with its files."""
    url = f"{origin}/releases/{described['name']}"
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": url,
        "url": url,
        **({"identifier": f"https://doi.org/{described['doi']}"} if described["doi"] else {}),
        "name": described["title"],
        "description": "A frozen edition of the records of incidents that involve diaspora "
        "communities abroad, with every source's claims.",
        "version": f"{described['name']}-r{described['revision']}",
        "datePublished": described["created_at"][:10],
        "license": LICENCE,
        "isAccessibleForFree": True,
        "creator": _CREATOR,
        "citation": described["citation"],
        "isPartOf": {"@type": "Dataset", "@id": f"{origin}/", "name": "Diaspora incidents"},
        "distribution": [
            {
                "@type": "DataDownload",
                "name": file["name"],
                "encodingFormat": file["name"].rpartition(".")[2],
                "contentUrl": f"{origin}{file['url'].removeprefix(origin)}",
                "contentSize": f"{file['bytes']} B",
                "sha256": file["sha256"],
                "license": LICENCE,
            }
            for file in described["files"]
        ],
    }
