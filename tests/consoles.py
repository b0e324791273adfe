"""Console blocks of the documentation: curl lines, and the answers printed below them."""

import re
import shlex

LINE = re.compile(r"```console\n\$ (curl .*?)\n(.*?)\n```", re.S)
FILE = re.compile(r"```csv (\S+)\n(.*?)```", re.S)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def lines(page):
    """Find the curl lines of the file PAGE with their printed answers."""
    return LINE.findall(page.read_text(encoding="utf-8"))


def _arguments(command, files):
    """Read a curl line as method, path, headers and body; FILES are those of the page, by name."""
    words = iter(shlex.split(command)[1:])
    method, headers, body, path = None, {}, None, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "--data-binary":
            body = files[next(words).removeprefix("@")]
        else:
            path = word.removeprefix("http://127.0.0.1:8000")
    return method or ("POST" if body else "GET"), path, headers, body


def answer_as_printed(client, page, keys):
    """Send every line of PAGE, in order; KEYS are headers by the variable that stands for them."""
    files = dict(FILE.findall(page.read_text(encoding="utf-8")))
    for command, printed in lines(page):
        method, path, headers, body = _arguments(command, files)
        variable = headers.pop("Authorization", "").removeprefix("Bearer $")
        answer = client.open(
            path, method=method, headers=headers | keys.get(variable, {}), data=body
        )
        shown, cut, _ = printed.partition("…")
        got, wanted = (TIME.sub("TIME", text) for text in (answer.text, shown))
        assert got.startswith(wanted) if cut else got.rstrip() == wanted, command
