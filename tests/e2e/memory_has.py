#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""memory_has.py PID HEX: ends with 0 where the bytes are somewhere in the memory that the process can write to,
with 4 where they are not, with 3 where it may not be looked into."""
import sys

pid, needle = sys.argv[1], bytes.fromhex(sys.argv[2])
try:
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, mode = line.split()[:2]
            start, end = (int(x, 16) for x in where.split("-"))
            if mode[:2] != "rw":
                continue
            try:
                mem.seek(start)
                if needle in mem.read(end - start):
                    sys.exit(0)
            except OSError:
                continue
except PermissionError:
    sys.exit(3)
sys.exit(4)
