"""Reports as `gaitkeeper evaluate` and `gaitkeeper reproduce` write them, with made-up figures."""

import csv
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

VIEWS = tuple(f"{18 * i:03}" for i in range(11))
TABLES = {"NM": 0.96, "BG": 0.88, "CL": 0.74}
ACTIONS = ("bend", "sit_down", "squat", "wave")


def write_reports(folder: Path) -> None:
    """`casia-b` with every pair of views, `openset`, `actions`, `reid` and `kard.table-8`."""
    _put(folder / "casia-b" / "results.json", {**_head("gait", "casia-b"), **_gait()})
    _table(folder / "casia-b" / "cells.csv", ("table", "gallery_view", "probe_view", "rank1", "probes"), _cells())
    _put(folder / "openset" / "results.json", {**_head("openset", "people"), **_openset()})
    _table(folder / "openset" / "det.csv", ("fpir", "fnir", "fnir_low_95", "fnir_high_95"), _det())
    _table(folder / "openset" / "cmc.csv", ("rank", "found", "found_low_95", "found_high_95"), _cmc())
    _put(folder / "actions" / "results.json", {**_head("actions", "actions.npz"), **_actions()})
    _put(folder / "reid" / "results.json", {**_head("reid", "walkers"), **_reid()})
    _put(folder / "kard" / "table-8.json", _paper())


def share(table: str, gallery: str, probe: str) -> float:
    """Rank-1 of a pair of views: less the further they are apart."""
    return round(TABLES[table] - 0.244 * abs(int(gallery) - int(probe)) / 180, 6)


def _head(kind: str, data: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "bundle": {"name": "casia-b", "fingerprint": "8" * 64},
        "data": {"name": data, "simulated": kind == "gait"},
        "protocol": "casia-b" if kind == "gait" else "all",
        "command": f"gaitkeeper evaluate {kind} --data {data} --out reports/{data}",
        "date": "2026-11-22T19:46:28+00:00",
        "people": 50,
    }


def _gait() -> dict[str, Any]:
    tables = []
    for name in TABLES:
        rows = {probe: sum(share(name, other, probe) for other in VIEWS if other != probe) / 10 for probe in VIEWS}
        rank1 = sum(rows.values()) / len(rows)
        tables.append(
            {
                "name": name,
                "rank1": rank1,
                "interval_95": [rank1 - 0.03, rank1 + 0.03],
                "rank5": 0.99,
                "people_probing": 50,
                "people_in_gallery": 50,
                "probes": 1100,
                "gallery_sequences": 2200,
                "by_probe_view": rows,
                "open_set": {
                    "subjects_enrolled": 25,
                    "searches_by_strangers": 11000,
                    "searches_by_enrolled": 11000,
                    "fnir_at_fpir": {"0.01": 0.801, "0.05": 0.451, "0.1": 0.303},
                },
            }
        )
    simple = {"bones": dict.fromkeys(TABLES, 0.5), "motion": dict.fromkeys(TABLES, 0.12)}
    counted = {"counted": 5500, "left_out": 0}
    return {"sequences": counted, "mean_rank1": 0.8, "tables": tables, "simple_features_rank1": simple}


def _cells() -> Iterable[tuple[object, ...]]:
    for name in TABLES:
        for gallery in VIEWS:
            for probe in VIEWS:
                if gallery != probe:
                    yield name, gallery, probe, f"{share(name, gallery, probe):.6f}", 100


def _rate(rate: float) -> dict[str, Any]:
    return {"rate": rate, "interval_95": [0.9 * rate, 1.1 * rate], "rule_of_30": rate > 0.1}


def _openset() -> dict[str, Any]:
    refused = {"refused": "5000 walks by strangers, worth 375 independent searches, 1000 needed", "people_short": 834}
    rows = [
        {
            "column": column,
            "value": value,
            "people": 50,
            "searches": 5000,
            "fnir_at_fpir": {"0.003": refused if column else _rate(0.65), "0.01": _rate(0.5), "0.1": _rate(0.2)},
        }
        for column, value in (("", "all"), ("condition", "nm"), ("condition", "cl"))
    ]
    group = {"people": 50, "fpir": _rate(0.1), "fnir": _rate(0.25)}
    ratio = {"highest": "cl", "lowest": "nm", "shown": True, "ratio": 1.7, "interval": [1.55, 1.88]}
    return {
        "embeddings": 20000,
        "thresholds": {"0.003": 0.91, "0.01": 0.89, "0.1": 0.84},
        "identification": rows,
        "fnir_by_enrolled": {
            str(size): {"0.01": _rate(0.05 * math.log(size)), "0.1": _rate(0.02 * math.log(size))}
            for size in (5, 10, 50, 250)
        },
        "groups": [
            {
                "column": "condition",
                "threshold": 0.84,
                "groups": [{"value": "nm", **group}, {"value": "cl", **group}],
                "largest_fpir_ratio": {**ratio, "shown": False},
                "largest_fnir_ratio": ratio,
            }
        ],
        "requirement": {"passed": False, "reasons": ["3000 searches are needed, 1832 are there"]},
    }


def _det() -> Iterable[tuple[object, ...]]:
    for step in range(40):
        fpir = 0.002 * 1.15**step
        fnir = 0.7 * math.exp(-0.09 * step)
        yield f"{fpir:.8f}", f"{fnir:.6f}", f"{0.9 * fnir:.6f}", f"{min(1.08 * fnir, 0.99):.6f}"


def _cmc() -> Iterable[tuple[object, ...]]:
    for rank in range(1, 51):
        found = 1 - 0.09 / rank
        yield rank, f"{found:.6f}", f"{found - 0.01:.6f}", f"{min(found + 0.01, 1):.6f}"


def _actions() -> dict[str, Any]:
    counts = [[18 if row == column else int(column == (row + 1) % 4) for column in range(4)] for row in range(4)]
    classes = {name: {"accuracy": 18 / 19, "sequences": 19, "people": 5} for name in ACTIONS}
    return {
        "sequences": 76,
        "accuracy": 0.947,
        "interval_95": [0.91, 0.98],
        "mean_class_accuracy": 0.947,
        "classes": classes,
        "confusion": {"labels": list(ACTIONS), "counts": counts},
    }


def _reid() -> dict[str, Any]:
    settings = []
    for place, setting in enumerate(("N-N", "B-B", "C-N")):
        for variant in ("published", "strict"):
            cmc = [1 - (0.05 + 0.08 * place) / rank for rank in range(1, 51)]
            rates = {"rank1": cmc[0], "rank5": cmc[4], "rank10": cmc[9], "map": 0.7 - 0.1 * place, "minp": 0.2}
            ends = {f"{name}_interval_95": [rate - 0.02, rate + 0.02] for name, rate in rates.items()}
            settings.append({"setting": setting, "variant": variant, **rates, **ends, "probes": 5616, "cmc": cmc})
    return {"settings": settings}


def _paper() -> dict[str, Any]:
    def ours(mean: float) -> dict[str, Any]:
        return {"mean": mean, "sd": 1.2, "values": {"1": mean - 1, "2": mean + 1}, "marks": []}

    rows = [
        {"name": name, "paper": [paper], "ours": [ours(mean)], "publication": "", "difference": [None]}
        for name, paper, mean in (("baseline", 90.3, 88.1), ("full", 91.4, 90.2))
    ]
    table = {"name": "table-8", "title": "Table VIII: what each part gives", "columns": ["accuracy"], "rows": rows}
    conclusion = ["full: +2.1 points over the baseline, 2 seeds: no difference is shown"]
    return {
        "name": "table-8",
        "title": "Table VIII: what each part gives",
        "tables": [{**table, "comparable": False, "conclusion": conclusion}],
        "runs": [{}, {}],
        "remark": "The baseline is another network.",
    }


def _put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _table(path: Path, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
