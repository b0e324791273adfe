"""Generate every client, compile it, and run it against the service: `make clients`.

What is wrong in the description stops it: a finding of a linter, a warning of a generator that is
not expected, an error of a compiler, or a session that does not go as it should.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.services import flask
from tests import servers

FOLDER = Path(__file__).resolve().parent
GENERATED = FOLDER / ".generated"
PYTHON = FOLDER / ".venv" / "bin"
NPM = FOLDER / "node_modules" / ".bin"
DESCRIPTION = GENERATED / "openapi.json"


@dataclass(frozen=True)
class Client:
    """A row of the table: its packages, and the commands that have to end well, in their order."""

    does: str
    packages: Sequence[str]
    commands: Sequence[Sequence[str | Path]]


def _npm(program: str, *words: str | Path) -> list[str | Path]:
    return [NPM / program, *words]


def _mypy(*paths: str) -> list[str | Path]:
    return [PYTHON / "python", "-m", "mypy", "--strict", *paths]


CLIENTS = (
    Client(
        "lints: spectral:oas",
        ["@stoplight/spectral-cli"],
        [_npm("spectral", "lint", DESCRIPTION, "--fail-severity", "hint")],
    ),
    Client(
        "lints: recommended",
        ["@redocly/cli"],
        [_npm("redocly", "lint", DESCRIPTION)],
    ),
    Client(
        "TypeScript, strict",
        ["openapi-typescript", "openapi-fetch", "typescript"],
        [
            _npm("openapi-typescript", DESCRIPTION, "--output", GENERATED / "schema.ts"),
            _npm("tsc", "--project", FOLDER),
            ["node", GENERATED / "js" / "session.js", "ADDRESS", "KEY"],
        ],
    ),
    Client(
        "Python client",
        ["openapi-python-client", "httpx", "mypy"],
        [
            [
                *(PYTHON / "openapi-python-client", "generate", "--meta", "none", "--overwrite"),
                *("--path", DESCRIPTION, "--output-path", GENERATED / "incidents_client"),
                *("--config", "openapi_python_client.yaml"),
            ],
            _mypy("session_openapi_python_client.py"),
            [PYTHON / "python", "session_openapi_python_client.py", "ADDRESS", "KEY"],
        ],
    ),
    Client(
        "Python models",
        ["datamodel-code-generator", "pydantic", "mypy"],
        [
            [
                *(PYTHON / "datamodel-codegen", "--input", DESCRIPTION),
                *("--input-file-type", "openapi", "--output", GENERATED / "incidents_models.py"),
                *("--output-model-type", "pydantic_v2.BaseModel", "--target-python-version"),
                *("3.11", "--use-annotated", "--no-use-specialized-enum"),
                *("--formatters", "builtin", "--disable-timestamp"),
            ],
            _mypy("session_datamodel_code_generator.py"),
            [PYTHON / "python", "session_datamodel_code_generator.py", "ADDRESS", "KEY"],
        ],
    ),
)


def main() -> int:
    """Print the table, and what went wrong; return the exit status."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    failures = []
    with _service() as (address, key):
        with urllib.request.urlopen(f"{address}/openapi.json") as answer:
            DESCRIPTION.write_bytes(answer.read())
        _row("does", "packages", "result")
        for client in CLIENTS:
            begin = time.monotonic()
            failure = _failure(client, {"ADDRESS": address, "KEY": key})
            failures += [failure] if failure else []
            result = "FAILED" if failure else f"{time.monotonic() - begin:.0f} s"
            _row(client.does, ", ".join(map(_version, client.packages)), result)
    _say("\n".join(failures))
    return bool(failures)


@contextmanager
def _service() -> Iterator[tuple[str, str]]:
    """Yield the address of a service with the seeds, and the key of an editor."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/incidents.sqlite"
        folders = {"EXPORT_FOLDER": f"{folder}/exports", "RELEASE_FOLDER": f"{folder}/releases"}
        environment = {**os.environ, **folders, "DATABASE_URL": url}
        flask(environment, "setup")
        key = flask(environment, "keys", "create", "clients", "--role", "editor").split()[-1]
        with servers.serving(url, **folders) as address:
            yield address, key


def _failure(client: Client, values: dict[str, str]) -> str:
    """Run the commands of a client; return what the first that fails says, or nothing."""
    environment = {**os.environ, "PYTHONPATH": str(GENERATED), "MYPYPATH": str(GENERATED)}
    for command in client.commands:
        words = [values.get(str(word), str(word)) for word in command]
        done = subprocess.run(
            words, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return f"\n$ {' '.join(words)}\n{done.stdout}{done.stderr}"
    return ""


def _version(package: str) -> str:
    """Return a package with the version that is installed."""
    installed = FOLDER / "node_modules" / package / "package.json"
    if installed.exists():
        return f"{package} {json.loads(installed.read_text())['version']}"
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([PYTHON / "python", "-c", code], capture_output=True, text=True)
    return f"{package} {done.stdout.strip()}"


def _row(*cells: str) -> None:
    _say("{:<20} {:<70} {}".format(*cells))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
