"""External ids: the numbers that an event has elsewhere, each in a scheme, as `acled:RUS1234`."""

from collections.abc import Mapping

from schemas.errors import invalid

MAX_EXTERNAL_ID = 100


def read_external_id(text: str) -> dict[str, str]:
    """Return the members of an external id that is written in short."""
    scheme, id_ = map(str.strip, text.partition(":")[::2])
    if text and not (scheme and id_):
        raise invalid("bad_external_id", "It takes scheme:id, such as acled:RUS1234.")
    return {"scheme": scheme, "id": id_}


def spell_external_id(external_id: Mapping[str, str]) -> str:
    """Return an external id in short."""
    return f"{external_id['scheme']}:{external_id['id']}"
