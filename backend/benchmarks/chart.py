"""Draw a bar chart of the CPU time of a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

WIDTH = 420
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["svg"]), trim_blocks=True
)


def draw(result: dict[str, Any]) -> str:
    """Return an SVG with the CPU time of server and database per request, at the highest number of connections."""
    most = max(row["connections"] for row in result["measured"])
    rows = [row for row in result["measured"] if row["connections"] == most]
    rows.sort(key=lambda row: (row["scenario"], row["system"]))
    longest = max(row["cpu_us"] for row in rows)
    bars = [
        {
            "label": f"{row['scenario']}, {row['system']}",
            "server": WIDTH * row["server_us"] / longest,
            "database": WIDTH * row["database_us"] / longest,
            "text": f"{row['cpu_us']:.0f} µs",
        }
        for row in rows
    ]
    return _environment.get_template("chart.svg").render(bars=bars, connections=most)
