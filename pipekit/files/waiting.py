"""Work that waits for disks and stores: done side by side, and abandoned when the step is cancelled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TypeVar, cast

from pipekit.errors import BadFileError, WarehouseError

T = TypeVar("T")
_LOOK_SECONDS = 0.05


def refuse_cancelled(cancelled: threading.Event | None) -> None:
    """End the work of a step that was cancelled or ran out of time.

    Raises:
        WarehouseError: It was.
    """
    if cancelled is not None and cancelled.is_set():
        raise WarehouseError("stopped before the files were read")


def wait_for(call: Callable[[], T], cancelled: threading.Event | None) -> T:
    """The result of one call; see ``side_by_side``."""
    return side_by_side([call], cancelled, 1)[0]


def side_by_side(calls: Sequence[Callable[[], T]], cancelled: threading.Event | None, threads: int) -> list[T]:
    """The results of calls, in their order, a few made at a time.

    A store that accepts a request and does not answer cannot be interrupted. So the calls are made by daemon threads,
    and a cancelled step goes away without them.

    Raises:
        WarehouseError: The step was cancelled.
        Exception: What a call raised; no further call was begun then.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = queue.SimpleQueue()
    for index in range(len(calls)):
        todo.put(index)
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((index, calls[index](), None))
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                ended.set()
                done.put((index, None, error))

    workers = [
        threading.Thread(target=copy_context().run, args=(work,), daemon=True) for _ in range(min(threads, len(calls)))
    ]
    for worker in workers:
        worker.start()
    return _collected(len(calls), done, cancelled, ended)


def _collected(
    count: int,
    done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]],
    cancelled: threading.Event | None,
    ended: threading.Event,
) -> list[T]:
    found: dict[int, T] = {}
    while len(found) < count:
        try:
            index, result, error = done.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if cancelled is not None and cancelled.is_set():
                ended.set()
                refuse_cancelled(cancelled)
            continue
        if error is not None:
            raise error
        found[index] = cast("T", result)  # there is no error, so there is a result
    return [found[index] for index in range(count)]


def caught_bad(call: Callable[[], T]) -> T | BadFileError:
    """The result of a call about one file, or why the file is bad."""
    try:
        return call()
    except BadFileError as error:
        return error


def refuse_bad(results: Sequence[T | BadFileError]) -> list[T]:
    """The results, if no file is bad.

    Raises:
        BadFileError: With all that are.
    """
    bad = [each for each in results if isinstance(each, BadFileError)]
    if bad:
        raise BadFileError.together(bad)
    return cast("list[T]", list(results))


def one_by_one(calls: Sequence[Callable[[], T]], *, all_bad: bool) -> list[T]:
    """The results of calls, each about one file.

    Raises:
        BadFileError: A file is bad; with ``all_bad`` every call is made before, and the error names all that are.
    """
    return refuse_bad([caught_bad(call) for call in calls]) if all_bad else [call() for call in calls]
