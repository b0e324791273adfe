"""The growth curve: rates at sizes from a thousand to 2.4 million records, as an SVG."""

import math

from benchmarks import reads
from benchmarks.datasets import Engine
from benchmarks.servers import ROOT
from benchmarks.services import READS

SIZES = (1_000, 10_000, 100_000, 1_000_000, 2_400_000)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#555555")
DASHES = {"sqlite": "none", "postgresql": "6 4"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 380, 70, 50, 20, 250
Curves = dict[tuple[str, str], list[float]]  # engine and name of a read -> its rates


def draw(engines: list[Engine], seconds: float, largest: int) -> None:
    """Measure every size up to the LARGEST and write benchmarks/growth.svg."""
    rates: Curves = {}
    sizes = [size for size in SIZES if size <= largest]
    for size in sizes:
        for engine in engines:
            for name, rate in reads.rates(engine, size, seconds).items():
                rates.setdefault((engine.name, name), []).append(rate)
        print(size, {" ".join(what): round(found[-1]) for what, found in rates.items()}, flush=True)
    (ROOT / "benchmarks" / "growth.svg").write_text(svg(sizes, rates))


def svg(sizes: list[int], rates: Curves) -> str:
    """Draw requests a second over the number of records, which grows by powers."""
    top = max(max(found) for found in rates.values()) * 1.05
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(size) - low) / (high - low)

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * rate / top

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            'font-family="sans-serif" font-size="13">'
        ),
        "<title>Requests a second by number of records</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for step in range(5):
        rate = top * step / 4
        parts.append(
            f'<path d="M{LEFT} {y(rate):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{y(rate) + 4:.1f}" text-anchor="end">{rate:,.0f}</text>'
        )
    for size in sizes:
        parts.append(
            f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{size:,}</text>"
        )
    colours = dict(zip(READS, COLOURS, strict=True))
    for place, what in enumerate(sorted(rates, key=lambda what: -rates[what][-1])):
        engine, name = what
        stroke = f'stroke="{colours[name]}" stroke-width="2" stroke-dasharray="{DASHES[engine]}"'
        points = " ".join(
            f"{x(size):.1f},{y(rate):.1f}" for size, rate in zip(sizes, rates[what], strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" {stroke}/>')
        row = TOP + 20 + 22 * place
        parts.append(
            f'<path d="M{WIDTH - RIGHT + 15} {row - 4}h24" {stroke}/>'
            f'<text x="{WIDTH - RIGHT + 46}" y="{row}">{READS[name]}, {engine}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">records; requests a second</text>')
    return "\n".join([*parts, "</svg>", ""])
