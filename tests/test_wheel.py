"""The wheel, in an empty environment: it sets itself up and serves the records of the seeds."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from tests import processes, servers

PIP = ("-m", "pip", "--disable-pip-version-check", "-q")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Build the wheel, install it alone, and return the folder of the environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, servers.ROOT]
    subprocess.run(build, check=True, cwd=folder)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([folder / "venv/bin/python", *PIP, "install", wheel], check=True, cwd=folder)
    return folder / "venv"


@pytest.mark.slow
@pytest.mark.needs("package index")
def test_an_installed_wheel_serves_the_records_and_the_guide(environment, tmp_path):
    port = servers.free_port()
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/incidents.sqlite", "PORT": str(port)}
    command = [str(environment / "bin/diaspora-incidents"), "setup", "--serve"]
    process = processes.start(command, cwd=tmp_path, env={**os.environ, **settings})
    address = f"http://127.0.0.1:{port}"
    try:
        assert servers.answers(process, address, timeout=120)
        with urllib.request.urlopen(f"{address}/api/v1/incidents?city=Moscow") as answer:
            assert "moscow" in json.load(answer)["data"][0]["title"].lower()
        for page in ("/guide/tutorial", "/docs", "/openapi.json"):
            with urllib.request.urlopen(address + page) as answer:
                assert answer.status == 200
    finally:
        processes.stop(process)


@pytest.mark.slow
@pytest.mark.needs("package index")
def test_a_wheel_without_the_driver_says_how_to_have_postgresql(environment, tmp_path):
    done = subprocess.run(
        [environment / "bin/diaspora-incidents", "setup"],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@localhost/nothing"},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "diaspora-incidents[postgresql]" in done.stderr
    assert "Traceback" not in done.stderr
