"""Generated code is what proto/generate.sh writes today."""

import os
import subprocess
import sys
from pathlib import Path

from tree import ROOT, name, tracked


def test_generated_code_is_current(tmp_path: Path):
    subprocess.run(
        [ROOT / "proto/generate.sh", tmp_path], check=True, capture_output=True,
        env={**os.environ, "PYTHON": sys.executable},
    )
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert fresh
    stale = [str(path) for path, text in fresh.items() if not same(ROOT / path, text)]
    assert not stale, "run proto/generate.sh"
    known = {str(path) for path in fresh}
    orphans = [name(p) for p in tracked("*.pb-c.c", "*.pb-c.h", "*_pb2.py") if name(p) not in known]
    assert not orphans


def same(path: Path, text: bytes) -> bool:
    return path.exists() and path.read_bytes() == text
