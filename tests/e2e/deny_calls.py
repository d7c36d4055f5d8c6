#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deny_calls.py ERRNO CALL... -- COMMAND...

Runs a command under a seccomp filter that answers each CALL (a number, or a name of the table) with ERRNO, whoever calls,
as a container's does. NUMBER:BITS answers only where one of the BITS is set in the first argument."""
import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"clone": 56, "unshare": 272, "mount": 165, "setns": 308, "landlock_create_ruleset": 444, "clone3": 435, "swapon": 167},
    "aarch64": {"clone": 220, "unshare": 97, "mount": 40, "setns": 268, "landlock_create_ruleset": 444, "clone3": 435, "swapon": 224},
}[platform.machine()]
LOAD, JUMP_EQ, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


def instruction(code, yes, no, k):
    return struct.pack("HBBI", code, yes, no, k)


answer, rest = getattr(errno, sys.argv[1]), sys.argv[2:]
split = rest.index("--")
calls, command = rest[:split], rest[split + 1:]
program = b""
for call in calls:
    name, _, bits = call.partition(":")
    program += instruction(LOAD, 0, 0, 0) + instruction(JUMP_EQ, 0, 3 if bits else 1, NUMBERS[name])
    if bits:
        program += instruction(LOAD, 0, 0, 16) + instruction(JUMP_SET, 0, 1, int(bits, 0))
    program += instruction(RETURN, 0, 0, REFUSE | answer)
program += instruction(RETURN, 0, 0, ALLOW)

libc = ctypes.CDLL(None, use_errno=True)
held = ctypes.create_string_buffer(program)
sock_fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held)))
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, sock_fprog) != 0:
    sys.exit(f"deny_calls.py: {os.strerror(ctypes.get_errno())}")
os.execvp(command[0], command)
