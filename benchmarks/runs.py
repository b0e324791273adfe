"""One run: its sizes and engines, and the rows that its parts add."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import servers
from benchmarks.datasets import Engine
from benchmarks.rows import Goal, Row
from benchmarks.servers import CONNECTIONS, Load, Server


@dataclass
class Run:
    """What is measured at SIZE records on each of ENGINES, in so many pairs of so many seconds."""

    size: int
    pairs: int
    seconds: float
    engines: list[Engine]
    rows: list[Row] = field(default_factory=list)

    def row(
        self,
        name: str,
        engine: Engine,
        unit: str,
        goals: dict[str, Goal] | None = None,
        *,
        once: bool = False,
    ) -> Row:
        """Add a row, with the goal that there is for the engine."""
        goal = (goals or {}).get(engine.name)
        self.rows.append(Row(name, engine.name, unit, goal, once))
        return self.rows[-1]

    def load(
        self,
        server: Server,
        path: str,
        *,
        connections: int = CONNECTIONS,
        script: Path | None = None,
    ) -> Load:
        """Drive a path for the run's seconds."""
        return servers.load(
            server, path, seconds=self.seconds, connections=connections, script=script
        )

    def compare(self, rows: list[Row], pairs: list[tuple[tuple[Server, str], ...]]) -> None:
        """Measure ours and theirs in turn, each of the PAIRS for the row in its place."""
        for server, path in (one for pair in pairs for one in pair):
            servers.warm_up(server, path)
        for number in range(self.pairs):
            for row, (ours, theirs) in zip(rows, pairs, strict=True):
                if number % 2:  # whoever comes first has no gain from that
                    their_load = self.load(*theirs)
                    row.add_pair(self.load(*ours), their_load)
                else:
                    our_load = self.load(*ours)
                    row.add_pair(our_load, self.load(*theirs))
