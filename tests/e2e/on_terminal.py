#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""on_terminal.py ACT... -- COMMAND...

Runs a command on a terminal of its own, 30 rows by 100 columns, and acts on it one after the other:
  expect TEXT   waits until TEXT stands there, after what earlier ones have matched
  type TEXT     types it; \\n, \\x03 and the like are keys
  size R C      gives the terminal another size
  signal NAME   sends the command a signal
  pause S       lets so many seconds pass
  hangup        closes the terminal
Shows what stood on it and ends with the command's status: 128 and the signal where one ended it, 97 where what was typed
is left to whoever reads next, 98 where an expectation was not met, 99 where the terminal's settings are not what they were before."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

ARGUMENTS = {"expect": 1, "type": 1, "size": 2, "signal": 1, "pause": 1, "hangup": 0}
SECONDS = 60


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


acts, command = sys.argv[1:], []
split = acts.index("--")
acts, command = acts[:split], acts[split + 1:]
master, slave = pty.openpty()
set_size(slave, 30, 100)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in 0, 1, 2:
        os.dup2(slave, fd)
    if slave > 2:
        os.close(slave)
    os.execvp(command[0], command)
shown, matched, status = b"", 0, None


def leave(code):
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    sys.stdout.flush()
    if status is None:
        os.kill(pid, signal.SIGKILL)
    os._exit(code)


def look(seconds):
    """Takes what comes within that time. False: nothing has."""
    global shown
    if master is None or not select.select([master], [], [], seconds)[0]:
        return False
    try:
        got = os.read(master, 65536)
    except OSError:
        return False
    shown += got
    return bool(got)


while acts:
    act, rest = acts[0], acts[1:1 + ARGUMENTS[acts[0]]]
    acts = acts[1 + len(rest):]
    if act == "expect":
        end = time.monotonic() + SECONDS
        while (at := shown.find(rest[0].encode(), matched)) < 0:
            if time.monotonic() > end:
                print(f"on_terminal.py: not seen: {rest[0]!r}; what was:")
                leave(98)
            look(0.2)
        matched = at + len(rest[0].encode())
    elif act == "type":
        os.write(master, rest[0].encode().decode("unicode_escape").encode())
    elif act == "size":
        set_size(slave, int(rest[0]), int(rest[1]))
    elif act == "signal":
        os.kill(pid, getattr(signal, rest[0]))
    elif act == "pause":
        look(float(rest[0]))
    elif act == "hangup":
        os.close(slave)
        os.close(master)
        master = None
end = time.monotonic() + SECONDS
while status is None:
    look(0.05)
    if master is None:
        time.sleep(0.05)
    done, waited = os.waitpid(pid, os.WNOHANG)
    if done:
        status = waited
    elif time.monotonic() > end:
        print("on_terminal.py: it does not end; what was:")
        leave(98)
while look(0.2):
    pass
if master is not None:
    # What was killed leaves it to a process apart.
    end = time.monotonic() + 5
    while termios.tcgetattr(slave) != before and time.monotonic() < end:
        time.sleep(0.05)
    if termios.tcgetattr(slave) != before:
        print("on_terminal.py: the settings are others now:", before[:4], termios.tcgetattr(slave)[:4])
        leave(99)
    before[3] &= ~termios.ICANON
    termios.tcsetattr(slave, termios.TCSANOW, before)
    if select.select([slave], [], [], 0)[0]:
        print("on_terminal.py: left to whoever reads next:", os.read(slave, 4096))
        leave(97)
code = os.waitstatus_to_exitcode(status)
leave(128 - code if code < 0 else code)
