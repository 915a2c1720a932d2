"""Works out where the steps of the shipped templates stand, and writes it to `resources/templates/_shared/layout.json`.

Columns follow the flow; rows are searched for (annealing from a fixed seed, the best of several), so that lines neither
run through steps nor cross, and the way of most people stays level. Templates laid out before keep their places unless
named or changed: `python tools/lay_out_templates.py [ID …]`.
Absent on purpose: any use at run time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from studio.gallery.catalogue import read_entry
from studio.gallery.recipe import FILE, read_shared

PITCH = (270.0, 150.0)
CLEAR = 0.52
"""Rows that a line keeps from a step it does not concern."""
ROUNDS = 6_000
TRIES = 3

Edges = list[tuple[int, int]]


def columns_of(count: int, edges: Edges, last: int | None) -> np.ndarray:
    column = np.zeros(count, dtype=int)
    for _ in range(count):
        for a, b in edges:
            column[b] = max(column[b], column[a] + 1)
    if last is not None and all(a != last for a, _ in edges):
        column[last] = column.max()
    return column


def cost_of(rows: np.ndarray, column: np.ndarray, pairs: np.ndarray) -> float:
    a, b = pairs[:, 0], pairs[:, 1]
    x0, x1, y0, y1 = column[a], column[b], rows[a], rows[b]
    share = (column[None, :] - x0[:, None]) / np.maximum(x1 - x0, 1)[:, None]
    at = y0[:, None] + (y1 - y0)[:, None] * share
    between = (column[None, :] > x0[:, None]) & (column[None, :] < x1[:, None])
    touched = between & (np.abs(at - rows[None, :]) < CLEAR)
    same = (column[:, None] == column[None, :]) & (np.abs(rows[:, None] - rows[None, :]) < 0.99)
    overlaps = same.sum() - len(rows)
    left = np.maximum(x0[:, None], x0[None, :])
    right = np.minimum(x1[:, None], x1[None, :])
    slope = (y1 - y0) / np.maximum(x1 - x0, 1)
    at_left = (
        (y0 + slope * (-x0))[:, None] + slope[:, None] * left - (y0 + slope * (-x0))[None, :] - slope[None, :] * left
    )
    at_right = (
        (y0 + slope * (-x0))[:, None] + slope[:, None] * right - (y0 + slope * (-x0))[None, :] - slope[None, :] * right
    )
    crossed = ((left < right) & (at_left * at_right < -1e-9)).sum() / 2
    bent = np.abs(y1 - y0).sum()
    return 400.0 * touched.sum() + 300.0 * overlaps + 12.0 * crossed + bent + 0.4 * (rows.max() - rows.min())


def rows_of(column: np.ndarray, edges: Edges, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    pairs = np.array(edges)
    rows = np.zeros(len(column))
    for place in range(column.max() + 1):
        inside = np.flatnonzero(column == place)
        rows[inside] = np.arange(len(inside)) * 1.0
    best, best_cost = rows.copy(), cost_of(rows, column, pairs)
    cost, low, high = best_cost, -1.0, float(np.bincount(column).max() + 2)
    for turn in range(ROUNDS):
        heat = 6.0 * (1 - turn / ROUNDS) ** 2 + 0.01
        trial = rows.copy()
        if rng.random() < 0.25:
            one, other = rng.integers(0, len(rows), 2)
            trial[one], trial[other] = trial[other], trial[one]
        else:
            trial[rng.integers(0, len(rows))] = rng.integers(int(low * 2), int(high * 2) + 1) / 2
        trial_cost = cost_of(trial, column, pairs)
        if trial_cost <= cost or rng.random() < np.exp((cost - trial_cost) / heat):
            rows, cost = trial, trial_cost
            if cost < best_cost:
                best, best_cost = rows.copy(), cost
    return best, best_cost


def laid_out(nodes: list[dict], edges: list[dict]) -> tuple[dict[str, list[float]], float]:
    number = {node["id"]: place for place, node in enumerate(nodes)}
    links = list(dict.fromkeys((number[edge["from"][0]], number[edge["to"][0]]) for edge in edges))
    column = columns_of(len(nodes), links, number.get("goal"))
    tries = [rows_of(column, links, np.random.default_rng([7, attempt])) for attempt in range(TRIES)]
    rows, cost = min(tries, key=lambda found: found[1])
    rows = rows - rows.min()
    places = {node_id: [column[i] * PITCH[0], rows[i] * PITCH[1]] for node_id, i in number.items()}
    return {node_id: [float(x), float(y)] for node_id, (x, y) in places.items()}, cost


def main() -> None:
    folder = Path("resources/templates")
    target = folder / "_shared" / "layout.json"
    known = json.loads(target.read_text(encoding="utf-8")) if target.is_file() else {}
    shared = read_shared(folder)
    kept: dict[str, dict[str, list[float]]] = {}
    for file in sorted(folder.glob(f"*/{FILE}")):
        template = read_entry(file.parent, shared).template
        nodes = [{"id": node.id} for node in template.workflow.nodes]
        edges = [{"from": edge.from_, "to": edge.to} for edge in template.workflow.edges]
        before = known.get(template.id, {})
        if set(before) == {node["id"] for node in nodes} and template.id not in sys.argv[1:]:
            kept[template.id] = before
            continue
        kept[template.id], cost = laid_out(nodes, edges)
        print(f"{template.id}: {cost:.0f}{'  not clear' if cost >= 300 else ''}")
    text = json.dumps(kept, separators=(", ", ": "), sort_keys=True).replace("}, ", "},\n")
    target.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
