#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# rpmdb.py ndb|bdb FILE: the headers of a database of rpm's (rpmdb.sqlite) in another of its forms, to stdout: ndb as it is, or what db_load(1) makes
# Berkeley DB's of. Debian's rpm writes neither, and reads the second.
import sqlite3
import struct
import sys
import zlib

form, path = sys.argv[1:]
rows = list(sqlite3.connect(path).execute("SELECT hnum, blob FROM Packages ORDER BY hnum"))


def ndb():
    pages = (len(rows) + 2) * 16 // 4096 + 1
    slots, blobs, at = [], [], pages * 256
    for number, blob in rows:
        count = (16 + len(blob) + 12 + 15) // 16
        data = b"BlbS" + struct.pack("<III", number, 0, len(blob)) + blob
        data = data.ljust(count * 16 - 12, b"\0")
        blobs.append(data + struct.pack("<II", zlib.adler32(data), len(blob)) + b"BlbE")
        slots.append(b"Slot" + struct.pack("<III", number, at, count))
        at += count
    slots += [b"Slot" + bytes(12)] * (pages * 256 - 2 - len(slots))
    head = b"RpmP" + struct.pack("<IIIIIII", 0, 1, pages, rows[-1][0] + 1, 0, 0, 0)
    return head + b"".join(slots) + b"".join(blobs)


def bdb():
    yield "VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n"
    yield " 00000000\n %s\n" % struct.pack("<I", rows[-1][0]).hex()
    for number, blob in rows:
        yield " %s\n %s\n" % (struct.pack("<I", number).hex(), blob.hex())
    yield "DATA=END\n"


sys.stdout.buffer.write(ndb() if form == "ndb" else "".join(bdb()).encode())
