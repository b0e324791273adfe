"""What SECURITY.md claims and no other file of tests shows; and that each test it names exists."""

import ast
import hashlib
import re
from pathlib import Path
from re import _parser

import pytest

from api.core.permissions import PERMISSIONS, ROLES
from api.http import authentication
from api.http.openapi import operation_of
from tests import builders
from tests.problems import problem_of

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("api", "schemas") for path in (ROOT / room).rglob("*.py"))
INCIDENTS = "/api/v1/incidents"


def test_every_test_that_the_document_names_exists():
    text = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(test_\w+)\.(test_\w+)`", text)
    assert len(named) > 40
    for file, function in named:
        assert f"def {function}(" in (ROOT / f"tests/{file}.py").read_text(), (file, function)


# Authorisation


def _operations(app):
    for rule in app.url_map.iter_rules():
        operation = operation_of(app.view_functions[rule.endpoint])
        if operation is None or operation.permission is None:
            continue
        address = re.sub(r"<[^>]*>", "0000000000", str(rule))
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, address, PERMISSIONS[operation.permission]


def test_each_operation_is_refused_to_every_role_below_its_own(app, client, contributor, editor):
    senders = {"public": {}, "contributor": contributor, "editor": editor}
    refused = 0
    for method, address, least in _operations(app):
        for role in ROLES[: ROLES.index(least)]:
            answer = client.open(address, method=method, json={}, headers=senders[role])
            kind = "unauthorized" if role == "public" else "forbidden"
            problem_of(answer, 401 if role == "public" else 403, kind)
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("member", ["author", "author_pk", "pk", "role", "erased_at", "document"])
def test_no_member_of_the_tables_can_be_set_by_naming_it(client, editor, incident, member):
    body = {**incident(), member: 1}
    assert problem_of(client.post(INCIDENTS, json=body, headers=editor), 422)["errors"][0][
        "pointer"
    ] == (f"/{member}")


def test_what_follows_from_a_record_is_never_taken_from_who_sends_it(client, editor, incident):
    forged = {
        "version": 99,
        "created_at": "1999-01-01T00:00:00Z",
        "updated_at": "1999-01-01T00:00:00Z",
        "disputed": ["arrests"],
        "number_of_sources": 7,
        "date_precision": "open",
        "url": "/x",
        "arrests_text": "999",
    }
    made = client.post(INCIDENTS, json={**incident(), **forged}, headers=editor).json
    for name, value in forged.items():
        assert made[name] != value, name


# Keys


def test_a_secret_is_compared_in_constant_time_whether_or_not_its_key_exists(
    client, editor, monkeypatch
):
    compared = []
    compare = authentication.hmac.compare_digest

    def watched(one, other):
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(authentication.hmac, "compare_digest", watched)
    prefix = editor["Authorization"].split()[1].partition("_")[0]
    for key in (f"{prefix}_{'0' * 40}", f"00000000_{'0' * 40}"):
        problem_of(client.get(INCIDENTS, headers={"Authorization": f"Bearer {key}"}), 401)
    assert len(compared) == 2
    assert {len(digest) for pair in compared for digest in pair} == {64}
    assert compared[0][0] == hashlib.sha256(b"0" * 40).hexdigest()


def test_a_key_is_refused_from_the_very_next_request_after_its_revocation(client, runner, incident):
    made = runner.invoke(args=["keys", "create", "passing", "--role", "editor"])
    key = made.stdout.strip().rpartition("\n")[2]
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post(INCIDENTS, json=incident(), headers=headers).status_code == 201
    assert runner.invoke(args=["keys", "revoke", key.partition("_")[0]]).exit_code == 0
    problem_of(client.post(INCIDENTS, json=incident(), headers=headers), 401)


# Injection


HOSTILE = (
    "' OR '1'='1",
    "1; DROP TABLE incidents; --",
    '" UNION SELECT secret_sha256 FROM api_keys --',
    "%",
    "_",
    "\\",
    "$(id)",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%s%n",
    ":a",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_be_code_in_any_parameter_is_text(seeded, client, text):
    before = client.get(f"{INCIDENTS}?limit=100").data
    tried = 0
    for rule in seeded.url_map.iter_rules():
        operation = operation_of(seeded.view_functions[rule.endpoint])
        if operation is None or "GET" not in rule.methods:
            continue
        address = re.sub(
            r"<[^>]*>", "csv" if "suffix" in rule.arguments else "3a8a51z8j1", str(rule)
        )
        for name in operation.query._declared_fields:
            answer = client.get(address, query_string={name: text})
            assert answer.status_code < 500, (address, name)
            assert "html" not in answer.mimetype or text not in answer.text, (address, name)
            assert b"sqlite" not in answer.data.lower(), (address, name)
            assert b"psycopg" not in answer.data.lower(), (address, name)
            tried += 1
    assert tried > 150
    assert client.get(f"{INCIDENTS}?limit=100").data == before


def _patterns():
    """Find every pattern that the code writes out: first arguments of the functions of `re`."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield path.name, node.args[0].value


def _may_explode(tokens):
    """Whether an endless repeat holds another one that could take the same characters.

    That is the shape that can take exponential time. `a+(?:-a+)*` is not: each round begins with a
    character that the round before could not have taken.
    """
    for token, value in tokens:
        if token in (_parser.MAX_REPEAT, _parser.MIN_REPEAT) and value[1] > 1000:
            body = value[2]
            begin = _characters(body[0])
            if any(begin & _characters(inner[2][0]) for inner in _endless(body)):
                return True
        if any(_may_explode(part) for part in _parts(value)):
            return True
    return False


def _endless(tokens):
    for token, value in tokens:
        if token in (_parser.MAX_REPEAT, _parser.MIN_REPEAT) and value[1] > 1000:
            yield value
        for part in _parts(value):
            yield from _endless(part)


def _characters(token):
    """Return the ASCII characters that a token may begin with: all where it is not plain."""
    kind, value = token
    if kind is _parser.LITERAL:
        return {value}
    if kind is _parser.IN and all(one[0] in (_parser.LITERAL, _parser.RANGE) for one in value):
        spans = [one if isinstance(one, tuple) else (one, one) for _, one in value]
        return {code for low, high in spans for code in range(low, high + 1)}
    return set(range(128))


def _parts(value):
    if isinstance(value, _parser.SubPattern):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _parts(one)


@pytest.mark.slow
def test_no_pattern_can_take_exponential_time():
    for dangerous in (r"(a+)+b", r"(?:x|[ab]*)*c", r"(\w+\s?)*$"):
        assert _may_explode(_parser.parse(dangerous)), dangerous
    assert not _may_explode(_parser.parse(r"a+(?:-a+)*"))
    found = list(_patterns())
    assert len(found) > 20
    for name, pattern in found:
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        assert not _may_explode(_parser.parse(text)), (name, text)


# Other addresses


CLIENTS = {"urllib.request", "http.client", "requests", "httpx", "aiohttp", "ftplib", "smtplib"}


@pytest.mark.slow
def test_nothing_here_asks_an_address_that_a_client_names():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            named = []
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [node.module or ""]
            assert not CLIENTS & set(named), path


def test_the_address_of_an_article_is_kept_and_not_visited(client, editor):
    """It may be the address of a machine that only this one reaches."""
    article = {"url": "http://127.0.0.1:9/inside", "title": "A", "publisher": "P"}
    body = builders.incident(sources=[{"article": article}])
    made = client.post(INCIDENTS, json=body, headers=editor)
    assert made.status_code == 201
    assert made.json["sources"][0]["article"]["url"] == article["url"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"])
def test_an_address_that_a_browser_would_run_is_no_address_of_an_article(client, editor, url):
    article = {"url": url, "title": "A", "publisher": "P"}
    body = builders.incident(sources=[{"article": article}])
    (fault,) = problem_of(client.post(INCIDENTS, json=body, headers=editor), 422)["errors"]
    assert fault["pointer"] == "/sources/0/article/url"


def test_a_deployment_installs_what_the_lock_files_name_by_their_hashes():
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text())
        pinned = [block for block in blocks if re.match(r"[\w.\[\]-]+==", block)]
        assert len(pinned) > 10
        assert all("--hash=sha256:" in block for block in pinned)
    assert "--require-hashes" in (ROOT / "Makefile").read_text()
