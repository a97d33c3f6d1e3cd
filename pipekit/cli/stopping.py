"""Ctrl-C, and SIGTERM, with which schedulers stop a job: the first one stops the command in order, a second one is the
same one. Imports nothing but what Python has loaded already."""

from __future__ import annotations

import _thread
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType
else:
    # Built into Python. `signal` only wraps it in enums, and takes 4 ms in which Ctrl-C is not handled.
    import _signal as signal

STOPPED = 130
_PATIENCE_SECONDS = 10.0
_DEFERRED_SECONDS = 5.0  # as long as an import, say, may take before it is cut off after all
_AGAIN_SECONDS = 0.02
_THREADING = f"{os.sep}threading.py"
_AT_A_LOCK = frozenset({"__enter__", "__exit__", "start"})
_first_asked_at: float | None = None
_asked_at: float | None = None  # when the command was first interrupted


def leave_at_once() -> None:
    """From now on Ctrl-C ends the process: for the time in which modules are imported, and nothing can be half-done."""
    _handle(_leave)


def stop_in_order() -> None:
    """From now on the first Ctrl-C raises ``KeyboardInterrupt``, so that running steps are rolled back and logged."""
    _handle(_stop)
    sys.unraisablehook = _raise_again


def was_asked() -> bool:
    """Whether the command is being stopped: an interrupted import or check of a value may raise another error."""
    return _first_asked_at is not None


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # a shell lets its background jobs ignore Ctrl-C
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    _say("stopped before anything was run\n")
    os._exit(STOPPED)


def _stop(number: int, frame: FrameType | None) -> None:
    global _asked_at, _first_asked_at  # noqa: PLW0603 - as the signal handlers of the process
    now = time.monotonic()
    if _asked_at is None:
        _first_asked_at = _first_asked_at or now
        if _must_end_first(frame) and now - _first_asked_at < _DEFERRED_SECONDS:
            _ask_again(number)
            return
        _asked_at = now
        raise KeyboardInterrupt
    if now - _asked_at > _PATIENCE_SECONDS:
        _say("stopped without waiting; the next run puts its log in order\n")
        os._exit(STOPPED)


def _must_end_first(frame: FrameType | None) -> bool:
    """Whether something is running that an exception would leave half-done: an import, or ``threading`` at a lock.

    A native module that makes its types may abort the process, and a callback of the import system swallows the
    exception. A lock that was just taken, also one by which a new thread says that it has begun, is not given back, and
    other threads wait for it forever.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib"):
            return True
        if code.co_name in _AT_A_LOCK and code.co_filename.endswith(_THREADING):
            return True
        frame = frame.f_back
    return False


def _raise_again(given: sys.UnraisableHookArgs) -> None:
    """An exception that cannot be raised where it came up. One that stops the command is raised again a moment later,
    or the command would go on: it came up in a callback, or in native code that cannot pass it on."""
    global _asked_at  # noqa: PLW0603 - as the signal handlers of the process
    if given.exc_type is KeyboardInterrupt:
        _asked_at = None
        _ask_again(signal.SIGINT)
    else:
        sys.__unraisablehook__(given)


def _ask_again(number: int) -> None:
    _thread.start_new_thread(_send_later, (number, _thread.get_ident()))


def _send_later(number: int, main_thread: int) -> None:
    time.sleep(_AGAIN_SECONDS)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread, number)
    else:
        signal.raise_signal(number)


def _say(text: str) -> None:
    try:
        os.write(2, text.encode())
    except OSError:
        return
