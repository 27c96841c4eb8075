"""Runs a program at a terminal of its own and types an answer when it asks.

    TYPED=answer terminal.py PROMPT PROGRAM [ARGUMENT...]

What the program writes to the terminal comes out on standard output; its exit status is ours. The answer is
typed once, after PROMPT was shown and the terminal was told not to echo it (nobody types within a millisecond).
"""

import os
import pty
import sys
import termios
import time


def main(prompt, *command):
    answer = os.environ.pop("TYPED").encode() + b"\n"
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    shown = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other end is closed.
            break
        if not chunk:
            break
        shown += chunk
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        if answer and prompt.encode() in shown:
            patience = time.monotonic() + 5
            while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < patience:
                time.sleep(0.01)
            os.write(terminal, answer)
            answer = b""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


sys.exit(main(*sys.argv[1:]))
