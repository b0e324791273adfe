"""The README's curl lines are run, in order, against a fresh service, and answer as printed."""

import re
import shlex
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
LINE = re.compile(r"```console\n\$ (curl .*?)\n(.*?)\n```", re.S)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def lines():
    """Find the curl lines with their printed answers."""
    return LINE.findall(README.read_text(encoding="utf-8"))


def arguments(command):
    """Read a curl line as method, path, headers and body."""
    words = iter(shlex.split(command.replace("$KEY", "KEY"))[1:])
    method, headers, body, path = None, {}, None, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            path = word.removeprefix("http://127.0.0.1:8000")
    return method or ("POST" if body else "GET"), path, headers, body


def test_the_readme_shows_five_lines():
    assert len(lines()) == 5


def test_the_lines_answer_as_printed(seeded, client, editor):
    for command, printed in lines():
        method, path, headers, body = arguments(command)
        if "Authorization" in headers:
            headers = {**headers, **editor}
        answer = client.open(path, method=method, headers=headers, data=body)
        assert answer.status_code in (200, 201), answer.text
        shown, cut, _ = printed.partition("…")
        got = TIME.sub("TIME", answer.text)
        wanted = TIME.sub("TIME", shown)
        assert got.startswith(wanted) if cut else got == wanted, command
