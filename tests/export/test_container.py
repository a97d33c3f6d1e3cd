"""The image: its Dockerfile and, with the marker ``container``, the image itself, built and run.

    pytest -n 0 -m container tests/export/test_container.py

builds with Docker, or with buildah where there is no daemon, which needs root and ``unshare``. The base image must be
reachable, or in buildah's storage (``CONTAINERS_STORAGE_CONF`` names another one) under the name in the Dockerfile.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from projects import MARKETING, REPOSITORY, contents, copy_project, pipekit, table_names

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
USER = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
# As `docker run --read-only --tmpfs /tmp -v ...:/project/.pipekit -v ...:/project/logs`, in mounts of their own.
_READ_ONLY = """set -e
root=$1 state=$2 logs=$3 user=$4; shift 4
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$state" "$root/project/.pipekit"
mount --bind "$logs" "$root/project/logs"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/opt/pipekit/bin:/usr/local/bin:/usr/bin:/bin \\
  PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp sh -c 'cd /project; exec "$@"' sh "$@"
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_it_copies_what_is_there_and_runs_as_a_user_without_rights() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert [name for names in copied for name in names.split() if not (REPOSITORY / name).exists()] == []
    assert USER
    assert "0" not in USER.groups()
    assert 'ENTRYPOINT ["pipekit"]' in DOCKERFILE
    [volumes] = re.findall(r"^VOLUME (.+)$", DOCKERFILE, re.MULTILINE)
    assert json.loads(volumes) == ["/project/.pipekit", "/project/logs", "/tmp"]


def call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@contextmanager
def by_docker(state: Path, logs: Path) -> Iterator[tuple[int, Run]]:
    call("docker", "build", "--quiet", "--tag", "pipekit-test", str(REPOSITORY))
    size = int(call("docker", "image", "inspect", "--format", "{{.Size}}", "pipekit-test"))
    places = ("-v", f"{state}:/project/.pipekit", "-v", f"{logs}:/project/logs")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        whole = ("docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", *places, "--entrypoint", command[0])
        return subprocess.run(
            [*whole, "pipekit-test", *command[1:]], capture_output=True, text=True, check=False, timeout=300
        )

    yield size, run


@contextmanager
def by_buildah(state: Path, logs: Path) -> Iterator[tuple[int, Run]]:
    call("buildah", "build", "--isolation", "chroot", "--pull", "--layers=false", "-t", "pipekit-test", str(REPOSITORY))
    container = call("buildah", "from", "--pull-never", "localhost/pipekit-test")
    root = call("buildah", "mount", container)
    size = int(call("du", "-sb", root).split()[0])
    user = ":".join(USER.groups() if USER else ())

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        whole = ["unshare", "-m", "sh", "-c", _READ_ONLY, "sh", root, str(state), str(logs), user, *command]
        return subprocess.run(whole, capture_output=True, text=True, check=False, timeout=300)

    try:
        yield size, run
    finally:
        call("buildah", "rm", container)


def builder() -> Callable[[Path, Path], object] | None:
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return by_docker
    return by_buildah if shutil.which("buildah") and shutil.which("unshare") else None


@pytest.mark.container
def test_the_image_runs_the_shipped_pipeline_on_a_read_only_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = builder()
    if build is None:
        pytest.skip("neither a Docker daemon nor buildah is here")
    places = [tmp_path / "state", tmp_path / "logs"]
    for place in places:
        place.mkdir()
        place.chmod(0o777)
    tmp_path.chmod(0o755)
    with build(*places) as (size, run):
        done = run("pipekit", "run", MARKETING, "--plain")
        assert done.returncode == 0, done.stdout + done.stderr
        assert run("id", "-u").stdout.strip() == (USER and USER[1])
        assert "Read-only file system" in run("touch", "/project/x").stderr
    with capsys.disabled():
        print(f"\nthe image: {size / 1e6:.0f} MB, unpacked")
    whole = copy_project(tmp_path / "whole")
    assert pipekit(whole, "run", MARKETING).returncode == 0
    made = tmp_path / "made"
    made.mkdir()
    (made / ".pipekit").symlink_to(places[0])
    tables = table_names(whole) - {"ingestion_logs", "dq_check_logs", "ingestion_files"}
    assert contents(made, tables) == contents(whole, tables)
