"""Loading curated files: vocabularies, articles and incidents, by the verbs of every other write.

What is there already is left as it is: a record that was corrected since is not set back.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click import ClickException
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.permissions import OPERATOR
from api.core.project_folders import folder
from api.records import access, references, verbs
from api.records.references import ARTICLES, COMMUNITIES, EPISODES, Kind
from schemas import incident
from schemas.errors import flatten

SEEDS = folder("seeds")
_REASON = "seed"


class SeedError(ClickException):
    """A seed that cannot be loaded: which file, which record, which field, and why."""


def load(
    session: Session,
    folder: Path = SEEDS,
    *,
    only_vocabularies: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> int:
    """Load the seeds of FOLDER that are not there yet; return how many were added.

    A community or an episode that another one is called like already is left out, and reported.
    """
    kinds = [COMMUNITIES, EPISODES] if only_vocabularies else [COMMUNITIES, EPISODES, ARTICLES]
    created = sum(_references(session, folder, kind, report) for kind in kinds)
    if not only_vocabularies:
        created += sum(_incident(session, path) for path in sorted(folder.glob("incidents/*.json")))
    return created


def _references(session: Session, folder: Path, kind: Kind, report: Callable[[str], None]) -> int:
    path = folder / f"{kind.plural}.json"
    created = 0
    for record in _read(path):
        with _Named(path, record):
            data = kind.schema.load(record)
            if references.is_known(session, kind, data.get("id") or ""):
                continue
            try:
                references.create(session, kind, data, OPERATOR, _REASON)
            except ApiError as error:
                if error.kind != "name-taken":
                    raise
                report(f"Left out the {kind.resource} {data['id']}: {error.detail}")
                continue
            created += 1
    return created


def _incident(session: Session, path: Path) -> int:
    (record,) = _read(path)
    with _Named(path, record):
        data = incident.load(record)
        if access.find(session, data.get("id") or "") is not None:
            return 0
        verbs.create(session, data, OPERATOR, refuse_duplicates=False, reason=_REASON)
    return 1


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path.name}: {error}") from None
    return content if isinstance(content, list) else [content]


class _Named:
    """Names the file, the record and the field of any fault within."""

    def __init__(self, path: Path, record: Any) -> None:
        self.path = path
        self.record = record.get("id") if isinstance(record, dict) else None

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        where = f"{self.path.name}, record {self.record}"
        if isinstance(error, ValidationError):
            faults = "; ".join(
                f"{fault['pointer'] or 'the record'}: {fault['detail']}"
                for fault in flatten(error.messages)
            )
            raise SeedError(f"{where}: {faults}") from None
        if isinstance(error, ApiError):
            raise SeedError(f"{where}: {error.detail}") from None
