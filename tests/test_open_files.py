"""Exports on their way: how many one client has, and the bytes that nobody can find."""

import tempfile

import pytest

from api.core.errors import ApiError
from api.exports.open_files import OpenFiles


def test_a_client_has_a_part_of_the_places():
    files = OpenFiles(100, 1000)
    held = [files.acquire("a") for _ in range(10)]
    with pytest.raises(ApiError, match="of this key or address"):
        files.acquire("a")
    files.acquire("b")
    held.pop()()
    files.acquire("a")


def test_files_without_a_name_count_until_they_are_closed(tmp_path):
    files = OpenFiles(100, 1000)
    with tempfile.TemporaryFile(dir=tmp_path) as one, (tmp_path / "named").open("wb") as other:
        remove = files.add("a", one, 600)
        files.add("a", other, 5000)  # it has a name: the cache counts it
        files.check("b", 400)
        with pytest.raises(ApiError, match="1,000 bytes"):
            files.check("b", 401)
        remove()
        files.check("b", 1000)


def test_a_client_takes_half_of_the_bytes_unless_all_is_one_export(tmp_path):
    files = OpenFiles(100, 1000)
    files.check("a", 1000)
    with tempfile.TemporaryFile(dir=tmp_path) as one:
        files.add("a", one, 300)
        files.check("a", 200)
        with pytest.raises(ApiError, match="half of that"):
            files.check("a", 201)
        files.check("b", 700)
