"""Runs one command for as long as somebody holds the other end of standard input.

The demo starts its servers through this program: the demo's end of the pipe closes when the demo ends, however it
ends, and then the server is stopped too. Run by its path, on the standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

STOP_SECONDS = 8.0


def run(command: list[str]) -> int:
    """Run the command until it ends or standard input closes; return its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the demo's own command line

    def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
        process.terminate()

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_wait_for_end_of_input, args=(process,), daemon=True).start()
    return process.wait()


def _wait_for_end_of_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
