"""The README's curl lines are run, in order, against a fresh service, and answer as printed."""

from pathlib import Path

from tests import consoles

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_shows_five_lines():
    assert len(consoles.lines(README)) == 5


def test_the_lines_answer_as_printed(seeded, client, editor):
    consoles.answer_as_printed(client, README, {"KEY": editor})
