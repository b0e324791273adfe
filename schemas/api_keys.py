"""Keys as a request names them."""

from schemas.fields import Choice, StrictSchema, Text

KEY_ROLES = ("contributor", "editor", "admin")


class ApiKeySchema(StrictSchema):
    """A key to create: whose it is, or what for, and the most that it may do."""

    name = Text(300, optional=False, required=True)
    role = Choice(KEY_ROLES, required=True)


class NoBodySchema(StrictSchema):
    """What takes no body: an empty object says nothing, and a member is an error."""
