"""The growth curve: rates at sizes from a thousand to 2.4 million records, as an SVG."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import datasets
from benchmarks.servers import ROOT, Load

SIZES = (1_000, 10_000, 100_000, 1_000_000, 2_400_000)
NAMES = {
    "one": "one record",
    "newest": "newest 50",
    "city": "city and dates",
    "pair": "two communities",
    "arrests": "community and arrests",
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#555555")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 380, 70, 50, 20, 190


def draw(
    service: Callable[[Path], AbstractContextManager[Any]],
    load: Callable[[str], Load],
    largest: int,
) -> None:
    """Measure every size up to the LARGEST and write benchmarks/growth.svg."""
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    sizes = [size for size in SIZES if size <= largest]
    for size in sizes:
        with service(datasets.dataset(size)) as ours:
            for name, found in rates.items():
                found.append(load(ours.url(name)).rate)
        print(size, {name: round(found[-1]) for name, found in rates.items()}, flush=True)
    (ROOT / "benchmarks" / "growth.svg").write_text(svg(sizes, rates))


def svg(sizes: list[int], rates: dict[str, list[float]]) -> str:
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
        "<title>Requests a second on one core, by number of records</title>",
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
    labels = sorted(rates, key=lambda name: -rates[name][-1])
    for place, (name, colour) in enumerate(zip(labels, COLOURS, strict=True)):
        points = " ".join(
            f"{x(size):.1f},{y(rate):.1f}" for size, rate in zip(sizes, rates[name], strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        row = TOP + 20 + 22 * place
        parts.append(
            f'<path d="M{WIDTH - RIGHT + 15} {row - 4}h20" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{WIDTH - RIGHT + 42}" y="{row}">{NAMES[name]}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">records; requests a second on one core</text>')
    return "\n".join([*parts, "</svg>", ""])
