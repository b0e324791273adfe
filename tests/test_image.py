"""The image: its Dockerfile, also step by step without Docker, and the compose file beside it.

`make image` runs the steps in a folder that stands for the image's, and there what it starts, as
the image's user.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
import yaml

from api import config
from tests import processes, servers

DEPLOY = servers.ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
# What the image has at the top of its file system.
FOLDERS = ("/opt/incidents", "/src", "/var/lib/incidents")
# The image's Python is for everyone to read; one in somebody's home is not, and is read anyhow.
READING = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
# What a stage sets that is no setting of the service.
PYTHON = {"PATH", "PYTHONUNBUFFERED"}


def stages():
    """Return the instructions of each stage of the Dockerfile: [("COPY", "api ./api"), …]."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = filter(None, text.replace("\\\n", " ").splitlines())
    found = []
    for instruction, rest in (line.split(maxsplit=1) for line in lines):
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, rest.strip()))
    return found


BUILD, FINAL = stages()


def values(stage, name):
    return [rest for instruction, rest in stage if instruction == name]


def settings(stage):
    """Return what a stage puts into the environment."""
    return dict(word.split("=", 1) for rest in values(stage, "ENV") for word in shlex.split(rest))


class Image:
    """The steps of the Dockerfile, run below FOLDER."""

    def __init__(self, folder):
        self.folder = folder
        self.at = folder
        python = folder / "usr/bin/python"
        python.parent.mkdir(parents=True)
        python.symlink_to(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}")
        self.environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}

    def moved(self, text):
        """Write the image's folders as they are here."""
        for place in FOLDERS:
            text = text.replace(place, f"{self.folder}{place}")
        return text

    def follow(self, stage):
        """Do what the instructions of a stage say."""
        for instruction, rest in stage:
            match instruction:
                case "WORKDIR":
                    self.at = Path(self.moved(rest))
                    self.at.mkdir(parents=True, exist_ok=True)
                case "ENV":
                    for name, value in settings([(instruction, rest)]).items():
                        path = value.replace("$PATH", self.environment["PATH"])
                        self.environment[name] = self.moved(path)
                case "COPY" if not rest.startswith("--from="):
                    *sources, target = rest.split()
                    for source in sources:
                        self.copy(servers.ROOT / source, self.at / target)
                case "RUN":
                    (self.folder / "var/lib").mkdir(parents=True, exist_ok=True)
                    command = ["sh", "-ec", self.moved(rest)]
                    subprocess.run(command, cwd=self.at, env=self.environment, check=True)

    def copy(self, source, target):
        """Copy as COPY does: a folder's content into the target."""
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


@pytest.fixture(scope="module")
def image():
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)  # the image's user has to come in
    kept = processes.keep(folder)
    made = Image(folder)
    made.follow(BUILD)
    made.follow(FINAL)
    yield made
    processes.stop(kept)


@pytest.mark.skipif("IMAGE" not in os.environ, reason="make image")
@pytest.mark.needs("package index", "root", "setpriv")
def test_what_the_dockerfile_builds_serves_as_its_own_user(image, database):
    port = str(servers.free_port())
    user, group = values(FINAL, "USER")[0].split(":")
    start = json.loads(values(FINAL, "ENTRYPOINT")[0]) + json.loads(values(FINAL, "CMD")[0])
    command = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *READING, *start]
    environment = {**image.environment, "PORT": port}
    if database.engine.name == "postgresql":
        environment["DATABASE_URL"] = database.engine.empty()
    process = processes.start(command, cwd=image.at, env=environment)
    try:
        assert servers.answers(process, f"http://127.0.0.1:{port}", timeout=300)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/incidents") as answer:
            assert json.load(answer)["total"] == 8
        check = json.loads(values(FINAL, "HEALTHCHECK")[0].partition("CMD ")[2])
        subprocess.run(check, env=environment, check=True)
    finally:
        processes.stop(process)
    assert subprocess.run(check, env=environment, stderr=subprocess.DEVNULL).returncode != 0
    state = image.folder / "var/lib/incidents"
    assert {path.stat().st_uid for path in [state, *state.rglob("*")]} == {int(user)}


def test_what_is_copied_into_the_image_is_named_and_there():
    sources = [word for rest in values(BUILD, "COPY") for word in rest.split()[:-1]]
    assert all((servers.ROOT / source).exists() for source in sources)
    assert not {".", "instance"} & set(sources)


def test_the_image_has_no_secret_and_no_root():
    given = settings(FINAL)
    assert given.keys() - PYTHON <= config.settings().keys()
    assert int(values(FINAL, "USER")[0].partition(":")[0]) > 999
    assert "postgres" not in given["DATABASE_URL"]
    (volume,) = values(FINAL, "VOLUME")
    assert all(value.startswith(volume) for name, value in given.items() if "/" in name)
    assert "/readyz" in values(FINAL, "HEALTHCHECK")[0]


def test_compose_gives_the_service_settings_that_it_has():
    given = COMPOSE["services"]["service"]["environment"]
    assert given.keys() - {"PGPASSWORD"} <= config.settings().keys()  # libpq reads that itself
    assert COMPOSE["volumes"].keys() == {
        mount.partition(":")[0]
        for service in COMPOSE["services"].values()
        for mount in service["volumes"]
    }
    assert values(FINAL, "VOLUME")[0] in COMPOSE["services"]["service"]["volumes"][0]


def test_a_password_is_asked_for_and_stands_nowhere():
    passwords = [
        value
        for service in COMPOSE["services"].values()
        for name, value in service["environment"].items()
        if "PASSWORD" in name
    ]
    assert passwords
    assert all(value.startswith("${POSTGRES_PASSWORD:?") for value in passwords)
