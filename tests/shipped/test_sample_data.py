"""The checked-in sample data is what its script makes, byte for byte."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "pipelines" / "data" / "marketing_engagement"
SCRIPT = FOLDER / "generate.py"


def make(out: Path, *options: str) -> Path:
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(out), *options], check=True)
    return out


def files_below(folder: Path) -> dict[str, bytes]:
    paths = [path for part in ("customers", "clickstream") for path in sorted((folder / part).iterdir())]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def unpacked(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in files.items()}


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_below(make(tmp_path_factory.mktemp("sample")))


def test_the_default_seed_gives_the_checked_in_files(regenerated: dict[str, bytes]) -> None:
    # Compressed bytes also depend on the machine's zlib, so what is compressed is compared unpacked.
    assert unpacked(regenerated) == unpacked(files_below(FOLDER))


def test_a_second_run_gives_the_same_compressed_bytes(regenerated: dict[str, bytes], tmp_path: Path) -> None:
    assert files_below(make(tmp_path)) == regenerated


def test_gzip_holds_neither_a_time_nor_a_name(regenerated: dict[str, bytes]) -> None:
    (packed,) = (data for name, data in regenerated.items() if name.endswith(".gz"))
    flags, time = packed[3], packed[4:8]
    assert (flags, time) == (0, bytes(4))


def test_sizes_and_the_seed_are_options(tmp_path: Path) -> None:
    small = unpacked(files_below(make(tmp_path / "a", "--customers", "8", "--events", "100", "--seed", "7")))
    other = unpacked(files_below(make(tmp_path / "b", "--customers", "8", "--events", "100", "--seed", "8")))
    assert small != other
    assert sum(data.count(b'"event_id"') for data in small.values()) == 100
    assert sum(data.count(b"@example.") + data.count(b" at example.") for data in small.values()) <= 8


def test_lines_only_puts_one_document_on_each_line(tmp_path: Path) -> None:
    make(tmp_path, "--customers", "8", "--events", "100", "--lines-only")
    lines = [line for path in (tmp_path / "clickstream").iterdir() for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == 100
    assert all(line.startswith('{"event_id"') for line in lines)
