"""Permissions: one table, from what is done to the least role that may do it.

Each role may do all that the one before may. A contributor reads, edits and withdraws only the
drafts it wrote itself; that rule is `api.records.access` and
`queries.walks.unpublished`.
"""

from dataclasses import dataclass

ROLES = ("public", "contributor", "editor", "admin")

# What is done -> the least role. The documentation shows this table.
PERMISSIONS: dict[str, str] = {
    "read what is published": "public",
    "ask whose a key is": "contributor",
    "post drafts": "contributor",
    "edit and withdraw own drafts": "contributor",
    "correct a published record by a draft": "contributor",
    "publish": "editor",
    "set a status": "editor",
    "read and edit every incident": "editor",
    "restore": "editor",
    "merge": "editor",
    "write articles, communities, episodes and places": "editor",
    "erase": "admin",
    "manage keys and releases": "admin",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the key's number and role; the public has neither."""

    pk: int | None = None
    role: str = "public"
    name: str = "public"
    prefix: str | None = None

    def can(self, what: str) -> bool:
        """Whether this role may do WHAT, a row of `PERMISSIONS`."""
        return ROLES.index(self.role) >= ROLES.index(PERMISSIONS[what])

    @property
    def reads_all(self) -> bool:
        """Whether drafts of others are readable."""
        return self.can("read and edit every incident")


PUBLIC = Actor()
# Seeds, imports and repairs are done by whoever may run commands on the machine.
OPERATOR = Actor(role="admin", name="operator")
