"""The fields of our schemas: strict types, and errors that say what would be right.

marshmallow's own fields convert (`"1"` is 1, `1.5` is 1, `"yes"` is true) and let NUL and lone
surrogates through, which PostgreSQL cannot store. These take a value as JSON gave it or refuse it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validates_schema

from schemas import count_suggestions, dates
from schemas.common_words import likely_term, term_for
from schemas.countries import country_code, no_country
from schemas.counts import MAXIMUM
from schemas.errors import ErrorDetail, invalid, nearest

MAX_TEXT = 1000
MAX_NAME = 300  # of a community or an episode, and of an alias
MAX_ADDRESS = 2048
MAX_LIST = 500
MAX_MEMBERS = 1000  # of an object, known or not
MAX_CLAIMS = 1000  # of all sources of a record together
# Of many unknown members the first get a suggestion: looking for one takes a while.
_MOST_SUGGESTIONS = 20

ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(f"[{ID_ALPHABET}]{{10}}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ODD_IN_ADDRESS = re.compile(r"""[\s\x00-\x20<>"\\^`{|}]""")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def kind(value: object) -> str:
    """Say in a word or two what a JSON value is."""
    return _KINDS.get(type(value), "of another type")


def wrong_type(value: object, expected: str) -> Exception:
    """Make the error for a value of the wrong type."""
    return invalid("wrong_type", f"This is {kind(value)}; it takes {expected}.")


def check_text(value: object, longest: int) -> str:
    """Take VALUE as a text that every part of the service can store, or refuse it."""
    if not isinstance(value, str):
        raise wrong_type(value, "a text")
    if "\x00" in value:
        raise invalid("bad_character", "The text holds a NUL character; leave it out.")
    if not value.isascii() and _SURROGATE.search(value):
        raise invalid(
            "bad_character", "The text holds half a surrogate pair; send whole characters."
        )
    if len(value) > longest:
        raise invalid(
            "too_long", f"The text has {len(value):,} characters; at most {longest:,} are taken."
        )
    return value


_A_FAULT = "What it is, loading in marshmallow's way finds out."
_MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": ErrorDetail("required", "This field is required."),
    "null": ErrorDetail("null", "This cannot be null; leave it out or give a value."),
}


class _Field(fields.Field[Any]):
    """A field whose messages are ours."""

    default_error_messages = _MESSAGES


class Text(_Field):
    """A text of at most `longest` characters; empty after trimming counts as null."""

    def __init__(self, longest: int = MAX_TEXT, *, optional: bool = True, **options: Any) -> None:
        super().__init__(allow_none=optional, **options)
        self.longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        plain = isinstance(value, str) and value.isascii() and "\x00" not in value
        if not plain or len(value) > self.longest:
            value = check_text(value, self.longest)
        if text := str(value).strip():
            return text
        if self.allow_none:
            return None
        raise invalid("blank", "The text is empty; say something or leave the field out.")


class RecordId(_Field):
    """An id: 10 characters of Crockford base32, read in any case, with o as 0 and i, l as 1."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        record_id = read_id(check_text(value, MAX_TEXT))
        if record_id is None:
            raise invalid(
                "bad_id",
                "An id is 10 characters of digits and letters without i, l, o and u, "
                "such as 7zq3m8k2xd.",
            )
        return record_id


def read_id(text: str) -> str | None:
    """Return the id that a TEXT means, as people copy it, or None where it is none."""
    plain = text.strip().lower().translate({ord("o"): "0", ord("i"): "1", ord("l"): "1"})
    return plain if _ID.fullmatch(plain) else None


class Slug(_Field):
    """An id of a vocabulary: lower-case words joined by hyphens, 64 characters at most."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, 64).strip()
        if _SLUG.fullmatch(text):
            return text
        plain = "-".join(re.findall("[a-z0-9]+", text.lower()))
        raise invalid(
            "bad_slug",
            "A vocabulary id is lower-case words of a–z and digits joined by hyphens.",
            suggestion=plain or None,
        )


class Choice(_Field):
    """One of a closed vocabulary, in any case."""

    def __init__(self, allowed: Iterable[str], **options: Any) -> None:
        super().__init__(**options)
        self.allowed = tuple(allowed)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, str) and value in self.allowed:
            return value
        text = check_text(value, MAX_TEXT)
        if term := term_for(text, self.allowed):
            return term
        raise invalid(
            "unknown_value",
            f"{text[:40]!r} is not known here; it takes one of {', '.join(self.allowed)}.",
            suggestion=likely_term(text, self.allowed),
            allowed=list(self.allowed),
        )


class Count(_Field):
    """A whole number of people, 0 to 10^9, or null where none is reported."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, str):
            message, proposal = count_suggestions.explain(
                self.name or "", check_text(value, MAX_TEXT)
            )
            raise invalid("wrong_type", message, suggestion=proposal)
        return read_integer(value, 0, MAXIMUM)


class Integer(_Field):
    """A whole number within bounds."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        return read_integer(value, self.least, self.most)


def read_integer(value: object, least: int, most: int) -> int:
    """Take VALUE as a whole number within bounds, or refuse it."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        value = int(value)  # JSON knows one kind of number: 13.0 is 13
    if isinstance(value, bool) or not isinstance(value, int):
        expected = "a whole number" if least != 0 else "a whole number, or null where unknown"
        raise (
            wrong_type(value, expected)
            if not isinstance(value, float)
            else invalid("not_whole", f"{value} is not whole; it takes a whole number.")
        )
    if not least <= value <= most:
        raise invalid("out_of_range", f"It takes a whole number from {least:,} to {most:,}.")
    return value


class Number(_Field):
    """A finite number within bounds, rounded to `digits` decimals."""

    def __init__(self, least: float, most: float, digits: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.digits = least, most, digits

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(value, "a number")
        if not (self.least <= value <= self.most) or not math.isfinite(value):
            raise invalid(
                "out_of_range", f"It takes a number from {self.least:g} to {self.most:g}."
            )
        return round(float(value), self.digits) + 0.0  # -0.0 is 0.0


class Boolean(_Field):
    """True or false, nothing that resembles them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong_type(value, "true or false")
        return value


class Date(_Field):
    """A date of the grammar in `schemas.dates`; loads as its canonical text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, MAX_TEXT)
        try:
            return dates.parse(text).text
        except dates.DateError as error:
            raise invalid("bad_date", error.message, suggestion=error.suggestion) from None


class Timestamp(_Field):
    """An RFC 3339 time; loads in UTC with milliseconds, as `2020-07-24T21:03:00.000Z`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return read_timestamp(check_text(value, MAX_TEXT))


def read_timestamp(text: str) -> str:
    """Read an RFC 3339 time (or a day, meaning its start) as UTC with milliseconds."""
    from datetime import UTC, datetime

    text = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        text += "T00:00:00Z"
    match = _TIMESTAMP.fullmatch(text)
    if match:
        day, clock, fraction, zone = match.groups()
        zone = "+00:00" if zone in "Zz" else zone
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        except (ValueError, OverflowError):
            pass
    raise invalid("bad_time", "It takes a time as in RFC 3339, such as 2020-07-24T21:03:00Z.")


class Url(_Field):
    """An http or https address without spaces, 2,048 characters at most."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, MAX_ADDRESS).strip()
        try:
            parts = urlsplit(text)
            port_fits = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_fits = urlsplit(""), False
        odd = _ODD_IN_ADDRESS.search(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits or odd:
            raise invalid(
                "bad_address",
                "It takes an http or https address without spaces, such as "
                "https://news.example/2020/07/report.",
            )
        return text


class Country(_Field):
    """A country by ISO 3166-1 alpha-2 code or by name; loads as the code."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, MAX_TEXT)
        code = country_code(text)
        if code is None:
            detail, suggestion = no_country(text)
            raise invalid("unknown_country", detail, suggestion=suggestion)
        return code


class ListOf(fields.List[Any]):
    """A list of `least` to `most` items, each by its own field; null counts as empty."""

    default_error_messages = {**_MESSAGES, "invalid": ErrorDetail("wrong_type", "It takes a list.")}

    def __init__(
        self, inner: fields.Field[Any], most: int = MAX_LIST, least: int = 0, **options: Any
    ) -> None:
        super().__init__(inner, allow_none=True, **options)
        self.most = most
        self.least = least

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Load the list; more than `most` items are refused before any is looked at."""
        if value in (None, []) and self.least:
            raise invalid("empty", "The list is empty; name what is meant, or leave it out.")
        if value is None:
            return []
        if isinstance(value, list) and len(value) > self.most:
            raise invalid("too_many", f"The list has {len(value):,} items; it takes {self.most}.")
        return super().deserialize(value, *args, **kwargs)

    def load_strictly(self, value: Any) -> list[Any]:
        """Load the list; raise ValidationError at the first fault."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            loaded: list[Any] = self.deserialize(value)
            return loaded
        load = self._load_item
        return [self.inner.deserialize(None) if item is None else load(item) for item in value]

    @cached_property
    def _load_item(self) -> Callable[[Any], Any]:
        return _strict_loader(self.inner)


class ListOfSources(ListOf):
    """The sources of a record, with at most MAX_CLAIMS claims in all."""

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Load the list; more claims are refused before any is looked at."""
        _check_claims(value)
        return super().deserialize(value, *args, **kwargs)

    def load_strictly(self, value: Any) -> list[Any]:
        """Load the list; raise ValidationError at the first fault."""
        _check_claims(value)
        return super().load_strictly(value)


def _check_claims(sources: Any) -> None:
    if isinstance(sources, list) and (fault := too_many_claims(sources)):
        raise ValidationError(fault)


def too_many_claims(sources: Iterable[Any]) -> ErrorDetail | None:
    """Return what is wrong with the number of claims that SOURCES have in all, if anything is."""
    claims = (source.get("claims") for source in sources if isinstance(source, Mapping))
    number = sum(len(listed) for listed in claims if isinstance(listed, list))
    if number <= MAX_CLAIMS:
        return None
    detail = f"The sources have {number:,} claims in all; a record takes {MAX_CLAIMS:,}."
    return ErrorDetail("too_many", detail)


class ObjectOf(fields.Nested):
    """An object by its schema, or the full name of it; SHORT reads another form, as a bare id."""

    default_error_messages = {**_MESSAGES, "type": ErrorDetail("wrong_type", "It takes an object.")}

    def __init__(
        self,
        schema: type[Schema] | str,
        short: Callable[[str], Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(schema, **options)
        self.short = short

    @property
    def schema(self) -> Schema:
        """Return the schema; one that is named is imported first, so that it is known."""
        if isinstance(self.nested, str):
            import_module(self.nested.rpartition(".")[0])
        return super().schema

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and self.short is not None:
            value = self.short(value)
        return super()._deserialize(value, *args, **kwargs)

    def load_strictly(self, value: Any) -> Any:
        """Load the object, in either form; raise ValidationError at the first fault."""
        if isinstance(value, str) and self.short is not None:
            value = self.short(value)
        return self.schema.load_strictly(value)  # type: ignore[attr-defined]


def _strict_loader(field: fields.Field[Any]) -> Callable[[Any], Any]:
    """Return what loads a value of FIELD that is not null, at the first fault."""
    load: Callable[[Any], Any] = field.deserialize
    if isinstance(field, ListOf | ObjectOf):
        load = field.load_strictly
        if isinstance(field, ObjectOf) and field.short is None:
            load = field.schema.load_strictly  # type: ignore[attr-defined]
    elif isinstance(field, _Field):
        load = field._deserialize  # type: ignore[assignment]  # which is all that ours do
    return load


class StrictSchema(Schema):
    """A schema that refuses what it does not know and ignores what is derived.

    `read_only` names the members that answers carry and requests may send back unchanged or
    not: they are dropped before loading, so that a record that was read can be sent as it is.
    """

    read_only: frozenset[str] = frozenset()

    class Meta:
        unknown = RAISE

    def load(self, data: Any, **options: Any) -> dict[str, Any]:
        """Load DATA: what is right in one go, what is not once more, to find all its faults."""
        if isinstance(data, dict) and len(data) > MAX_MEMBERS:
            detail = f"The object has {len(data):,} members; it takes {MAX_MEMBERS:,}."
            raise ValidationError({"_schema": [ErrorDetail("too_many", detail)]})
        with suppress(ValidationError):
            return self.load_strictly(data)
        loaded: dict[str, Any] = super().load(data, **options)
        return loaded

    def load_strictly(self, data: Any) -> dict[str, Any]:
        """Load what DATA names, field by field; raise ValidationError at the first fault.

        It looks at the members that are there only, a third of what the schema knows as a rule,
        and gives what marshmallow would. What the fault is, `load` says.
        """
        if not isinstance(data, dict):
            raise ValidationError(_A_FAULT)
        loaders, loaded = self._loaders, {}
        for name, value in data.items():
            if name in loaders:
                attribute, field, load = loaders[name]
                loaded[attribute] = field.deserialize(None) if value is None else load(value)
            elif name not in self.read_only:
                raise ValidationError(_A_FAULT)
        if not self._required <= loaded.keys():
            raise ValidationError(_A_FAULT)
        self.check(loaded)
        return loaded

    @cached_property
    def _loaders(self) -> dict[str, tuple[str, fields.Field[Any], Callable[[Any], Any]]]:
        """Return what loads each member, which `data_key` may name; its attribute first."""
        return {
            field.data_key or name: (field.attribute or name, field, _strict_loader(field))
            for name, field in self.load_fields.items()
        }

    @cached_property
    def _required(self) -> set[str]:
        return {name for name, field in self.load_fields.items() if field.required}

    @validates_schema
    def _check_what_is_right(self, data: dict[str, Any], **_: Any) -> None:
        self.check(data)

    def check(self, data: dict[str, Any]) -> None:
        """Raise ValidationError where fields that are right do not go together."""

    @pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Leave out what is derived."""
        if isinstance(data, Mapping):
            return {name: value for name, value in data.items() if name not in self.read_only}
        return data

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Replace marshmallow's words about unknown members and non-objects by ours."""
        messages = error.messages
        if not isinstance(messages, dict):
            return
        if not isinstance(data, Mapping):
            messages.clear()
            messages["_schema"] = [
                ErrorDetail("wrong_type", f"This is {kind(data)}; it takes an object.")
            ]
            return
        known = [*self._loaders, *self.read_only]
        for number, name in enumerate(name for name in data if name not in known):
            if name in messages:
                del messages[name]
            close = nearest(str(name), known) if number < _MOST_SUGGESTIONS else None
            hint = f"; did you mean {close}?" if close else "."
            messages[name] = [
                ErrorDetail(
                    "unknown_field",
                    f"There is no field {str(name)[:40]!r} here{hint}",
                    suggestion=close,
                )
            ]
