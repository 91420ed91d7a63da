"""Reports of `swiftlet replay --out`."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass
from typing import Any


@dataclass
class Report:
    """``report.json`` and, where they are there, the lines of ``frames.jsonl``."""

    report: dict[str, Any]
    frames: list[dict[str, Any]]

    @property
    def digest(self) -> str | None:
        return self.report.get("digest")


def read_report(folder: str | pathlib.Path) -> Report:
    """Reads the folder that ``swiftlet replay --out`` wrote."""
    root = pathlib.Path(folder)
    report = json.loads((root / "report.json").read_text())
    lines = root / "frames.jsonl"
    frames = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    return Report(report=report, frames=frames)
