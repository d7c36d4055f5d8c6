#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""zips.py TREE GOOD BAD: a zip of the directory TREE as GOOD; zips that mean harm, or are odd, in the directory BAD.

BAD/list gets a line "NAME<TAB>what the refusal says" for each that has to be refused; those called ok-* have to be taken."""
import os
import stat
import struct
import sys
import zipfile
import zlib

tree, good, bad = sys.argv[1:4]
listed = open(f"{bad}/list", "w")


def info(name, mode=0o100644, system=3):
    i = zipfile.ZipInfo(name)
    i.create_system = system
    i.external_attr = mode << 16 | (0x10 if stat.S_ISDIR(mode) else 0)
    i.compress_type = zipfile.ZIP_DEFLATED
    return i


def write(path, *members):
    with zipfile.ZipFile(path, "w") as z:
        for i, data in members:
            z.writestr(i, data)


def refused(name, why, *members):
    write(f"{bad}/{name}.zip", *members)
    listed.write(f"{name}\t{why}\n")


def changed(name, why, change, source=None):
    """What becomes of a sound zip when its bytes are changed."""
    path = f"{bad}/{name}.zip"
    write(path, *(source or [(info("a"), b"content of a"), (info("b"), b"content of b")]))
    data = bytearray(open(path, "rb").read())
    data = change(data) or data
    open(path, "wb").write(data)
    if why is not None:
        listed.write(f"{name}\t{why}\n")


# The good one, as zip(1) makes it.
with zipfile.ZipFile(good, "w") as z:
    for base, dirs, files in os.walk(tree):
        for n in sorted(dirs + files):
            p = os.path.join(base, n)
            st = os.lstat(p)
            rel = os.path.relpath(p, tree)
            if stat.S_ISLNK(st.st_mode):
                z.writestr(info(rel, st.st_mode), os.readlink(p))
            elif stat.S_ISDIR(st.st_mode):
                z.writestr(info(rel + "/", st.st_mode), b"")
            else:
                z.writestr(info(rel, st.st_mode), open(p, "rb").read())

F, L, D = 0o100644, 0o120777, 0o040755
refused("up", "with '..'", (info("../escaped"), b"x"))
refused("up-inside", "with '..'", (info("a/../../escaped"), b"x"))
refused("up-link", "with '..'", (info("../escaped", L), b"/etc/passwd"))
refused("absolute", "an absolute path", (info("/tmp/escaped"), b"x"))
refused("through", "lies below 'l'", (info("l", L), b"/tmp"), (info("l/escaped"), b"x"))
refused("through-up", "lies below 'd/l'", (info("d/l", L), b"../.."), (info("d/l/escaped"), b"x"))
refused("below-file", "lies below 'f'", (info("f"), b"x"), (info("f/escaped"), b"x"))
refused("both", "both a directory and something else", (info("d/", D), b""), (info("d"), b"x"))
refused("long", "name", (info("n" * 256), b"x"))
refused("deep", "deep", (info("d/" * 300 + "f"), b"x"))
refused("nowhere", "a link to nowhere", (info("l", L), b""))
refused("umlaut", "names beyond ASCII", (info("caf\u00e9"), b"x"))
refused("device", "a device, a fifo or a socket", (info("f", 0o020644), b""))
refused("nothing", "Unrecognized")


def central(data):
    """Offset of the central directory."""
    end = data.rfind(b"PK\5\6")
    return struct.unpack_from("<I", data, end + 16)[0]


def put(fmt, where):
    """Changes a field of the first entry of the central directory and, where told, of its own header."""
    def change(data, value):
        struct.pack_into(fmt, data, central(data) + where, value)
    return change


def both(offset_local, offset_central, fmt, value):
    def change(data):
        struct.pack_into(fmt, data, offset_local, value)
        struct.pack_into(fmt, data, central(data) + offset_central, value)
    return change


changed("crc", "bad CRC", both(14, 16, "<I", 0x12345678))
changed("encrypted", "Passphrase required", both(6, 8, "<H", 1))
changed("method", "Unsupported ZIP compression", both(8, 10, "<H", 99))
changed("longer", "wrong size", both(22, 24, "<I", 1000))
changed("huge", "1000 times its size", both(22, 24, "<I", 0xFFFFFFF0))
changed("offset-out", "Truncated", lambda d: put("<I", 42)(d, 0x7FFFFFFF))
changed("offset-elsewhere", "Damaged", lambda d: put("<I", 42)(d, 5))
changed("directory-out", "Unrecognized", lambda d: struct.pack_into("<I", d, d.rfind(b"PK\5\6") + 16, 0x7FFFFFF0))
changed("cut", "Unrecognized", lambda d: d[:len(d) // 2])
changed("cut-end", "Unrecognized", lambda d: d[:-10])
changed("garbage", "Unrecognized", lambda d: bytes(d[:4]) + bytes(range(256)) * 20)
changed("deflate", "decompression failed", lambda d: d.__setitem__(slice(31, 39), b"\xff" * 8))

# Two ends: which directory counts is a matter of taste, so none does.
with zipfile.ZipFile(f"{bad}/ends.zip", "w") as z:
    z.writestr(info("c"), b"x")
    z.comment = b"PK\5\6" + b"\0" * 30
listed.write("ends\tholds nothing\n")

# A bomb: twice 640 MiB of zeros, in 1.3 MB; either alone is not yet too much. Of 16 MiB at a time only the first differs: what is flushed full
# can be repeated.
one = zlib.compressobj(9, zlib.DEFLATED, -15)
zeros = b"\0" * (1 << 24)
packed = (one.compress(zeros) + one.flush(zlib.Z_FULL_FLUSH)) * 40 + one.flush()
size = 40 * len(zeros)
crc = 0
for _ in range(40):
    crc = zlib.crc32(zeros, crc)
body = entries = b""
for n in range(2):
    entries += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0314, 20, 0, 8, 0, 33, crc, len(packed), size, 1, 0, 0, 0, 0, F << 16,
                           len(body)) + b"%d" % n
    body += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(packed), size, 1, 0) + b"%d" % n + packed
open(f"{bad}/bomb.zip", "wb").write(body + entries + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2, 2, len(entries), len(body), 0))
listed.write("bomb\t'1': the archive unpacks to more than 1000 times\n")
# As many entries as one likes at one place are one.
one = b"all of them"
body = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, zlib.crc32(one), len(one), len(one), 1, 0) + b"1" + one
entries = b"".join(
    struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0314, 20, 0, 0, 0, 33, zlib.crc32(one), len(one), len(one), 4, 0, 0, 0, 0, F << 16, 0)
    + b"%04d" % n for n in range(300))
open(f"{bad}/ok-overlap.zip", "wb").write(body + entries + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 300, 300, len(entries), len(body), 0))

# Odd, and harmless.
write(f"{bad}/ok-dos.zip", (info("D/", 0, 0), b""), (info("D/F.TXT", 0, 0), b"dos"))
stored = info("s")
stored.compress_type = zipfile.ZIP_STORED
write(f"{bad}/ok-stored.zip", (stored, b"PK\3\4 is in it"))
changed("ok-utf8-ascii", None, both(6, 8, "<H", 0x800))
# libarchive knows no fifos in a zip: an empty file.
write(f"{bad}/ok-fifo.zip", (info("f", 0o010644), b""))
with zipfile.ZipFile(f"{bad}/ok-comment.zip", "w") as z:
    z.writestr(info("c"), b"x")
    z.comment = b"PK\1\2 PK\3\4 " + b"\0" * 30


class Pipe:
    """A file that cannot seek: sizes come after the content then."""

    def __init__(self, f):
        self.f = f
        self.write, self.flush = f.write, f.flush


with open(f"{bad}/ok-later.zip", "wb") as f, zipfile.ZipFile(Pipe(f), "w") as z:
    z.writestr(info("late"), b"content")
# The same name twice: the last one stands.
import warnings
warnings.simplefilter("ignore")
write(f"{bad}/ok-twice.zip", (info("t"), b"first one"), (info("t"), b"second"))
