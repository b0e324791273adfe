"""Communities and episodes as a request names them."""

from schemas.fields import MAX_NAME, Integer, ListOf, Slug, StrictSchema, Text


class TermSchema(StrictSchema):
    """A community or an episode: an id that stays, a name and aliases that may change."""

    read_only = frozenset({"created_at", "updated_at"})

    id = Slug()
    version = Integer(1, 2**31 - 1)
    reason = Text(load_only=True)
    name = Text(MAX_NAME)
    aliases = ListOf(Text(MAX_NAME, optional=False))
    description = Text(10_000)
