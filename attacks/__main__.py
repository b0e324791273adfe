"""Play every attack on both engines: `make attack`; ONLY= names one, ENGINE= an engine."""

import os
import sys

from attacks.cases import CASES
from attacks.runs import HEADER, play
from attacks.stages import LONG, Scale, engines, stage
from chaos.services import say


def main() -> None:
    """Play the cases, print what they showed, and fail where it was too much."""
    only, seconds = os.environ.get("ONLY", ""), float(os.environ.get("SECONDS") or LONG.seconds)
    scale = Scale(LONG.records, LONG.citations, seconds)
    faults = []
    for engine in engines():
        say(f"\n{engine}\n{HEADER}")
        with stage(engine, scale) as at:
            for name in CASES:
                if only in ("", name):
                    outcome = play(at, name)
                    say(outcome.row())
                    faults += [f"{engine}, {name}: {fault}" for fault in outcome.faults()]
    sys.exit("\n".join(["", "too much:", *faults]) if faults else 0)


if __name__ == "__main__":
    main()
