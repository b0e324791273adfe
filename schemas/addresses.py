"""Addresses of articles: the canonical form, by which two spellings of one address are known.

`tracking_parameters.json` lists the parameters that say nothing of the page.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

_LISTED = json.loads(
    Path(__file__).with_name("tracking_parameters.json").read_text(encoding="utf-8")
)["parameters"]
_TRACKING = frozenset(name for name in _LISTED if not name.endswith("*"))
_TRACKING_BEGINNINGS = tuple(name.removesuffix("*") for name in _LISTED if name.endswith("*"))
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+|[^\x00-\x7f]+")
# What stands for itself whether it is encoded or not (RFC 3986, unreserved).
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@lru_cache(maxsize=16_384)
def canonical_address(address: str) -> str:
    """Return what an address and its other spellings have in common.

    Folded are http and https, the case of the host, `www.`, punycode, a default port, the case of
    percent codes, a trailing slash, the fragment and parameters that only track readers.
    """
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    host = host.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
    host = _in_ascii(host).removeprefix("www.")
    pairs = (_percent_encoded(pair) for pair in parts.query.split("&"))
    query = "&".join(pair for pair in pairs if pair and not _tracks(pair))
    path = _percent_encoded(parts.path).rstrip("/")
    return urlunsplit(("https", f"{user}{at}{host}", path, query, ""))


def _in_ascii(host: str) -> str:
    """Return a host name as the DNS has it; one that it cannot have stays as it is."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _percent_encoded(text: str) -> str:
    """Return TEXT with what has to be encoded, and nothing else, in percent codes."""
    return _ENCODED.sub(
        lambda match: "".join(
            chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
            for byte in unquote_to_bytes(match[0])
        ),
        text,
    )


def _tracks(pair: str) -> bool:
    """Whether a parameter, with its value, is one that only tracks readers."""
    name = pair.partition("=")[0].lower()
    return name in _TRACKING or name.startswith(_TRACKING_BEGINNINGS)
