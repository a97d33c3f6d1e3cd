"""One reader of botocore's descriptions of services for all clients of a process."""

from __future__ import annotations

from functools import cache


def share_descriptions() -> None:
    """Let the sessions of a process share what they read of botocore's own files. Each would list 400 folders and parse
    2 MB of JSON again, which is two thirds of what a client costs, and a run that reads from S3 makes one."""
    import botocore.session

    if not hasattr(botocore.session.create_loader, "cache_info"):
        botocore.session.create_loader = cache(botocore.session.create_loader)
