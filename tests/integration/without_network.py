"""Run in a child process: no connection can be made here, and each attempt is written down.

    python without_network.py COMMANDS.json ATTEMPTS.txt

COMMANDS.json lists the arguments of ``insitu`` commands, or Python code as one text. The exit codes
are printed as JSON on the last line.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import traceback
from pathlib import Path


def block(attempts: Path) -> None:
    """Let no socket but a local one connect, and no name be looked up."""

    def refuse(what):
        def refused(*arguments, **_):
            if getattr(arguments[0], "family", None) == getattr(socket, "AF_UNIX", object()):
                return allowed[what](*arguments)
            where = " < ".join(f"{f.filename}:{f.lineno}" for f in traceback.extract_stack()[-6:-1])
            with attempts.open("a") as file:
                file.write(f"{what} {arguments!r} {where}\n")
            raise OSError(f"{what} is blocked")

        return refused

    methods = ("connect", "connect_ex", "sendto")
    allowed = {name: getattr(socket.socket, name) for name in methods}
    for name in methods:
        setattr(socket.socket, name, refuse(name))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        setattr(socket, name, refuse(name))


def run(command: list[str] | str) -> int:
    """Run one command in this process, and return its exit code."""
    from insitu.__main__ import main

    if isinstance(command, str):
        exec(compile(command, "<command>", "exec"), {})
        return 0
    return main(command)


def finish_threads() -> None:
    """Wait for what a library does behind our back."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(20)


if __name__ == "__main__":
    block(Path(sys.argv[2]))
    codes = []
    for command in json.loads(Path(sys.argv[1]).read_text()):
        codes.append(run(command))
        finish_threads()
    print(json.dumps(codes))
