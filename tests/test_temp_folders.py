"""What processes leave behind that are killed is removed, and what others are at work on is not."""

import json
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from api.core import temp_folders
from tests.servers import ROOT

# Holds the folder that it is told, fills it, forks, tells the child's number, and waits.
HOLDER = """
import os, pathlib, sys, time
from api.core import temp_folders
folder = pathlib.Path(sys.argv[1])
with temp_folders.locked(folder):
    (folder / "lines").write_text("what somebody said")
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "under-way").mkdir()
    return tmp_path / "under-way"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_folder_goes_once_the_last_process_that_holds_it_was_killed(folder):
    command = [sys.executable, "-c", HOLDER, folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        child = int(holder.stdout.readline())
        temp_folders.remove_stale([folder])
        assert (folder / "lines").exists()
        holder.kill()
        holder.wait()
        temp_folders.remove_stale([folder])
        assert (folder / "lines").exists(), "a process that it forked is at work on it"
        os.kill(child, signal.SIGKILL)
        assert holder.stdout.read() == b""  # it is gone, and its end of the pipe with it
    temp_folders.remove_stale([folder])
    assert not folder.exists()


def test_an_empty_folder_is_left_to_who_may_be_about_to_hold_it(folder):
    temp_folders.remove_stale([folder])
    assert folder.exists()


def test_nothing_is_removed_by_way_of_a_link(folder, tmp_path):
    (folder / "file").write_text("")
    (tmp_path / "link").symlink_to(folder)
    temp_folders.remove_stale([tmp_path / "link", tmp_path / "absent"])
    assert (folder / "file").exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_import_leaves_no_file_behind(runner, incident, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    records = tmp_path / "records.ndjson"
    records.write_text(json.dumps(incident()))
    assert runner.invoke(args=["import", str(records)]).exit_code == 0
    assert list(temporary.iterdir()) == []
