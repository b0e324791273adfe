"""Run every proof, one after the other: `make chaos`, or ONLY=kills for one of them."""

import os

from chaos import faults, kills, slow_clients, switchovers
from chaos.services import say

PROOFS = {
    "kills": kills.main,
    "faults": faults.main,
    "slow_clients": slow_clients.main,
    "switchovers": switchovers.main,
}


def main() -> None:
    """Run the proofs; the first that finds a loss ends it."""
    only = os.environ.get("ONLY")
    for name, prove in PROOFS.items():
        if only in (None, "", name):
            prove()
    say("nothing was lost")


if __name__ == "__main__":
    main()
