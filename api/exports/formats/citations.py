"""Citations for reference managers: CSL-JSON, and BibTeX and RIS made from it.

A citation is a CSL-JSON item of the type `dataset`; the formats take it where others take records.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from api.core.media_formats import Batches, Format

AUTHOR = "The diaspora incident API authors"
DATA_SET = "Diaspora incidents"
LICENCE = "CC BY 4.0"

Citation = Mapping[str, Any]
_ESCAPES = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\n": " ",
    }
)


def of_record(record: Mapping[str, Any], address: str, dataset_version: int) -> Citation:
    """Return the citation of a RECORD at its version, which stands at ADDRESS."""
    return {
        **_of_data_set(f"incident-{record['id']}", record["title"], record["updated_at"], address),
        "container-title": DATA_SET,
        "version": str(record["version"]),
        "number": record["id"],
        "note": f"Record {record['id']}, version {record['version']}; dataset version "
        f"{dataset_version}; {LICENCE}",
    }


def of_release(release: Mapping[str, Any], address: str) -> Citation:
    """Return the citation of a RELEASE as it is described, which stands at ADDRESS."""
    edition = f"Release {release['name']}, revision {release['revision']}"
    return {
        **_of_data_set(
            f"release-{release['name']}", release["title"], release["created_at"], address
        ),
        "version": release["name"],
        **({"DOI": release["doi"]} if release["doi"] else {}),
        "note": f"{edition}; dataset version {release['dataset_version']}; codebook "
        f"{release['codebook_version']}; {LICENCE}",
    }


def _of_data_set(id_: str, title: str, at: str, address: str) -> dict[str, Any]:
    year, month, day = map(int, at[:10].split("-"))
    return {
        "id": id_,
        "type": "dataset",
        "title": title,
        "author": [{"literal": AUTHOR}],
        "publisher": DATA_SET,
        "issued": {"date-parts": [[year, month, day]]},
        "URL": address,
    }


def _write(write: Callable[[Citation], str]) -> Callable[..., Iterator[bytes]]:
    """Return what writes the citations of batches, each by WRITE."""

    def chunks(batches: Batches, _fields: Sequence[str] | None = None) -> Iterator[bytes]:
        for batch in batches:
            for citation in batch:
                yield write(orjson.loads(citation)).encode()

    return chunks


def _bibtex(citation: Citation) -> str:
    """Return an entry of the type that every style knows; braces keep the author's name whole."""
    year, month, _ = citation["issued"]["date-parts"][0]
    plain = {
        "title": citation["title"],
        "howpublished": citation.get("container-title"),
        "version": citation["version"],
        "publisher": citation["publisher"],
        "year": str(year),
        "month": str(month),
        "doi": citation.get("DOI"),
        "note": citation["note"],
    }
    fields = {"author": f"{{{citation['author'][0]['literal'].translate(_ESCAPES)}}}"}
    fields |= {name: text.translate(_ESCAPES) for name, text in plain.items() if text}
    fields["url"] = citation["URL"]
    lines = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{{citation['id']},\n{lines}\n}}\n"


def _ris(citation: Citation) -> str:
    """Return a reference of the type DATA: one tag a line, closed by ER."""
    year, month, day = citation["issued"]["date-parts"][0]
    tags = [
        ("TY", "DATA"),
        ("ID", citation["id"]),
        ("AU", citation["author"][0]["literal"]),
        ("TI", citation["title"]),
        ("T2", citation.get("container-title")),
        ("PY", str(year)),
        ("DA", f"{year}/{month:02}/{day:02}"),
        ("ET", citation["version"]),
        ("PB", citation["publisher"]),
        ("DO", citation.get("DOI")),
        ("UR", citation["URL"]),
        ("N1", citation["note"]),
        ("ER", ""),
    ]
    # A line break would begin another tag.
    lines = [f"{tag}  - {' '.join(text.split())}" for tag, text in tags if text is not None]
    return "\r\n".join([*lines, ""])


def _csl(citation: Citation) -> str:
    return orjson.dumps([citation]).decode()


_NONE: frozenset[str] = frozenset()
FORMATS = {
    format_.name: format_
    for format_ in (
        Format(
            "bibtex",
            "BibTeX",
            "application/x-bibtex; charset=utf-8",
            _NONE,
            _write(_bibtex),
            aliases=("text/x-bibtex",),
        ),
        Format(
            "ris",
            "RIS",
            "application/x-research-info-systems; charset=utf-8",
            _NONE,
            _write(_ris),
        ),
        Format("csl", "CSL-JSON", "application/vnd.citationstyles.csl+json", _NONE, _write(_csl)),
    )
}
