"""Quotas: how many drafts of a contributor wait for an editor at a time."""

from flask import current_app
from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.permissions import Actor
from api.database import statements
from api.models import Incident
from api.models.tables import table

_incidents = table(Incident).c
_WAITING = select(func.count()).where(
    literal_column("status <> 'published'"),  # as the index has it
    _incidents.status == "draft",
    _incidents.author_pk == bindparam("actor_pk"),
)


def check(session: Session, actor: Actor, new: int = 0) -> None:
    """Refuse that a contributor has more drafts than its quota, with so many NEW ones.

    Editors have none. Raises ApiError.
    """
    most = current_app.config["QUOTA_DRAFTS"]
    if actor.pk is None or actor.can("publish") or not most:
        return
    rows = statements.run(session.connection(), _WAITING, {"actor_pk": actor.pk})
    waiting: int = rows[0][0]
    if waiting + new > most:
        raise ApiError(
            "quota-reached",
            f"A contributor has at most {most:,} drafts that wait for an editor; there would be "
            f"{waiting + new:,}. Withdraw some, or wait until some are published.",
        )
