"""The shipped pipeline on the emulated Snowflake with latency on every request: wall time and statements.

    python tests/benchmarks/snowflake_latency.py [--latency 0.1]

It prints the second of two runs, when nothing has to be created: statements and wall time in all, how much the
sessions overlap, and the statements of the audited, clustered load.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))

from emulator.fixtures import EMULATOR, MOTO, S3, EmulatedSnowflake, serve
from projects import copy_project
from shipped.test_pipelines_on_snowflake import run, write_target


def measure(latency: float) -> None:
    """Run twice and print the second."""
    moto = serve(MOTO)
    s3 = S3(f"http://127.0.0.1:{next(moto)}")
    server = serve(EMULATOR, EMULATOR_S3=s3.endpoint)
    account = EmulatedSnowflake(next(server))
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        landing = s3.upload(project / "pipelines/data/marketing_engagement", s3.bucket(), "in/").rstrip("/")
        write_target(project, account.target())
        run(project, landing)
        account.control(reset=True, latency=latency)
        began = time.monotonic()
        run(project, landing)
        report(SimpleNamespace(seconds=time.monotonic() - began, sent=account.statements(), latency=latency))
    server.close()
    moto.close()


def report(run: SimpleNamespace) -> None:
    """Print the figures."""
    sent = run.sent
    sessions = Counter(s["session"] for s in sent)
    alone = len(sent) * run.latency + sum(s["ms"] for s in sent) / 1000
    print(f"latency {1000 * run.latency:.0f} ms a request")
    print(f"wall time {run.seconds:.1f} s, {len(sent)} statements on {len(sessions)} sessions")
    print(f"one after another the statements alone would take {alone:.1f} s")
    print(f"sent again: {sum(s['repeated'] for s in sent)}")
    session = next(s["session"] for s in sent if s["sql"].startswith('TRUNCATE TABLE "RAW_CUSTOMER'))
    mine = [s["sql"] for s in sent if s["session"] == session]
    load = mine[: mine.index("COMMIT") + 1]
    print(f"the audited, clustered load of customers: {len(load)} statements")
    for sql in load:
        print("   ", re.sub(r"\s+", " ", sql)[:90])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.1)
    measure(parser.parse_args().latency)
