"""Setting up: from an empty database to one that serves, once."""

import os
import re
import socket
import subprocess
import sys

import pytest

from api import create_app


@pytest.mark.slow
def test_setting_up_makes_a_service_to_write_to_and_makes_nothing_twice(tmp_path, incident):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'incidents.sqlite'}"})
    runner, client = app.test_cli_runner(), app.test_client()

    first = runner.invoke(args=["setup"])
    listed = client.get("/api/v1/incidents").json["data"]
    again = runner.invoke(args=["setup"])

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert listed
    assert client.get("/api/v1/incidents").json["data"] == listed
    assert "editor key" not in again.output
    key = re.search(r"^Your editor key, shown this once: (\w+)$", first.output, re.MULTILINE)[1]
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/v1/incidents", json=incident(), headers=headers).status_code == 201


@pytest.mark.parametrize(
    "command",
    ["keys list", "keys create Me --role editor", "seed", "export -  --format csv", "import -x"],
)
def test_a_command_on_a_database_without_tables_says_how_to_make_them(tmp_path, command):
    records = tmp_path / "none.ndjson"
    records.write_text("")
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"})

    ended = app.test_cli_runner().invoke(args=command.replace("-x", str(records)).split())

    assert ended.exit_code == 1
    assert "Error: The database has no tables yet. Make them: flask --app api setup" in ended.output


def test_a_command_whose_database_is_away_says_so_in_a_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://someone:hidden@127.0.0.1:{taken.getsockname()[1]}/incidents"
        app = create_app({"DATABASE_URL": url})
        ended = app.test_cli_runner().invoke(args=["keys", "list"])

    assert ended.exit_code == 1
    assert "Error: The database that DATABASE_URL names is away or busy: see that " in ended.output
    assert "hidden" not in ended.output
    assert "Traceback" not in ended.output


def test_a_file_that_is_no_database_is_told_as_such(tmp_path):
    path = tmp_path / "notes.sqlite"
    path.write_text("These are notes, and no database. " * 100)
    app = create_app({"DATABASE_URL": f"sqlite:///{path}"})
    ended = app.test_cli_runner().invoke(args=["keys", "list"])
    assert ended.exit_code == 1
    assert "is damaged, or none of this service" in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.slow
def test_a_setting_that_cannot_be_used_ends_a_command_with_one_line():
    command = [sys.executable, "-m", "flask", "--app", "api", "keys", "list"]
    ended = subprocess.run(
        command, env={**os.environ, "PORT": "http"}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr == "Error: PORT is 'http'; it takes a whole number, such as 8000.\n"


@pytest.mark.slow
def test_setting_up_alone_does_not_say_that_it_serves(tmp_path):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'incidents.sqlite'}"})
    done = app.test_cli_runner().invoke(args=["setup"])
    assert "Ready. `flask --app api serve` serves on http://127.0.0.1:8000" in done.output
