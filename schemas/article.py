"""Articles: what a source is known by."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from schemas.errors import ErrorDetail, invalid
from schemas.fields import Date, Integer, RecordId, StrictSchema, Text, Url, check_text

ARTICLE_FIELDS = (
    "title",
    "publisher",
    "author",
    "published",
    "language",
    "url",
    "archive_url",
    "syndicated_from",
    "text_sha256",
)
EMBEDDED_FIELDS = ("id", "title", "publisher", "published", "url", "syndicated_from")


def embed(article: Mapping[str, Any]) -> dict[str, Any]:
    """Return an article as an incident shows it."""
    return {name: article[name] for name in EMBEDDED_FIELDS}


class Language(fields.Field[Any]):
    """A language tag of BCP 47, such as `en` or `zh-Hant`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, 35).strip()
        if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", text):
            raise invalid("bad_language", "It takes a language tag such as en, ru or zh-Hant.")
        return text


class Digest(fields.Field[Any]):
    """A SHA-256 digest in hexadecimal."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, 100).strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise invalid("bad_digest", "It takes a SHA-256 digest: 64 hexadecimal digits.")
        return text


class ArticleSchema(StrictSchema):
    """An article as a request names it; it needs an address or a title."""

    read_only = frozenset({"created_at", "updated_at"})

    id = RecordId()
    version = Integer(1, 2**31)
    reason = Text(load_only=True)
    title = Text(300)
    publisher = Text()
    author = Text()
    published = Date(allow_none=True)
    language = Language(allow_none=True)
    url = Url()
    archive_url = Url()
    syndicated_from = RecordId(allow_none=True)
    text_sha256 = Digest(allow_none=True)


class InlineArticleSchema(ArticleSchema):
    """An article named inside a source, by its id or by what is known of it."""

    def check(self, data: dict[str, Any]) -> None:
        """Refuse an article that nothing identifies."""
        if not any(data.get(name) for name in ("id", "url", "title")):
            raise ValidationError(
                ErrorDetail("required", "An article needs an address (url) or a title.")
            )
