"""Short turns of the proofs that `make chaos` runs at length (`chaos/`): nothing is lost."""

import ast
from pathlib import Path

import pytest

from chaos import __main__ as all_of_them
from chaos import faults, kills
from chaos.services import workplace

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_what_is_acknowledged_outlives_kills_of_workers_and_server(capsys):
    kills.run("sqlite", 2, seed=3)
    assert "0 lost, 0 doubled" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.needs("postgresql")
def test_what_is_acknowledged_outlives_kills_of_the_database(capsys):
    kills.run("postgresql", 1, seed=2)
    assert "0 lost, 0 doubled" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.needs("root")
def test_a_full_disk_loses_nothing_and_stops_no_reader(capsys):
    with workplace() as folder:
        faults.disk_full(folder)
    assert "0 lost, 0 doubled" in capsys.readouterr().out


def test_every_proof_is_run_by_make_chaos_and_documented():
    pages = (ROOT / "chaos" / "README.md").read_text()
    for path in ROOT.glob("chaos/*.py"):
        functions = {
            node.name
            for node in ast.parse(path.read_bytes()).body
            if isinstance(node, ast.FunctionDef)
        }
        if "main" in functions and path.stem != "__main__":
            assert path.stem in all_of_them.PROOFS
            assert f"`{path.stem}`" in pages
