#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""at_terminal.py ANSWER... -- COMMAND...

Runs a command on a terminal of its own and types each ANSWER, and Return, when it has asked with a
colon and turned the echo off; ANSWER '^C' is Control-C alone. Shows what stood on the terminal, ends with the
command's status, or with 99 where the terminal's settings are not what they were before."""
import os
import pty
import sys
import termios
import time

answers, command = sys.argv[1:], []
split = answers.index("--")
answers, command = answers[:split], answers[split + 1:]
pid, tty = pty.fork()
if pid == 0:
    time.sleep(0.1)
    os.execvp(command[0], command)
before = termios.tcgetattr(tty)
shown = b""
while True:
    try:
        got = os.read(tty, 4096)
    except OSError:
        break
    if not got:
        break
    shown += got
    if answers and got.rstrip(b" ").endswith(b":"):
        while termios.tcgetattr(tty)[3] & termios.ECHO:
            time.sleep(0.01)
        answer = answers.pop(0)
        os.write(tty, b"\x03" if answer == "^C" else answer.encode() + b"\n")
try:
    same = termios.tcgetattr(tty)[3] == before[3]
except termios.error:
    same = True
sys.stdout.write(shown.decode())
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if same and not answers else 99)
