#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Archives and images that mean harm or make no sense, imported one by one; the table of glovebox-rootfs(1), row by row.

Each case is made here, byte by byte, with the answer that is expected: refused with a message, or taken, with the digest of a tree
that is computed here from the rules of glovebox-tree(5). Around them all stands a watcher: a tree of files that the archives aim at,
listed with its times before and after. Speaks TAP. GLOVEBOX is the program, perhaps one with sanitizers.
"""
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib

GLOVEBOX = os.path.realpath(os.environ.get("GLOVEBOX") or os.path.join(os.environ.get("O", "build"), "glovebox"))
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
OTHER = "arm64" if ARCH == "amd64" else "amd64"
SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+,@%:~-"


def as_bytes(text):
    return text if isinstance(text, bytes) else os.fsencode(text)


# ---- trees that are expected --------------------------------------------------------------------------

def quoted(text):
    return b"".join(bytes([b]) if b in SAFE else b"\\%03o" % b for b in as_bytes(text))


def line(path, text, uid=0, gid=0):
    ids = (f" uid={uid}" if uid else "") + (f" gid={gid}" if gid else "")
    return as_bytes(path), text.replace("@IDS", ids).encode() if isinstance(text, str) else text


def d(path, mode=0o755, uid=0, gid=0):
    return line(path, f"type=dir mode={mode:04o}@IDS", uid, gid)


def f(path, content=b"x", mode=0o644, uid=0, gid=0):
    content = as_bytes(content)
    return line(path, f"type=file mode={mode:04o}@IDS size={len(content)} sha256={hashlib.sha256(content).hexdigest()}", uid, gid)


def l(path, target):
    return as_bytes(path), b"type=link link=" + quoted(target)


def tree_digest(entries):
    text = b"#mtree\n. type=dir mode=0755\n"
    for path, rest in sorted(entries):
        text += b"./" + quoted(path) + b" " + rest + b"\n"
    return "sha256:" + hashlib.sha256(text).hexdigest()


# ---- tars -----------------------------------------------------------------------------------------------

def pax(**records):
    body = b""
    for key, value in records.items():
        rest = b" " + key.replace("__", ".").encode() + b"=" + as_bytes(value) + b"\n"
        n = len(rest) + 1
        while len(str(n)) + len(rest) != n:
            n += 1
        body += str(n).encode() + rest
    return header("pax", "x", size=len(body)) + body + bytes(-len(body) % 512)


def header(name, kind, link=b"", mode=0o644, uid=0, gid=0, size=0, checksum=None):
    h = as_bytes(name)[:100].ljust(100, b"\0")
    h += b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, uid, gid, size, 1234567) + b" " * 8 + kind.encode()
    h += as_bytes(link)[:100].ljust(100, b"\0") + b"ustar\00000" + bytes(64) + b"0000000\0" * 2
    h = h.ljust(512, b"\0")
    total = sum(h) if checksum is None else checksum
    return h[:148] + b"%06o\0 " % total + h[156:]


def m(name, kind="0", data=b"", **more):
    """A member: data is a file's content, or a link's target."""
    data = as_bytes(data)
    if kind == "5":
        more.setdefault("mode", 0o755)
    if kind != "0":
        return header(name, kind, link=data, **more)
    more.setdefault("size", len(data))
    return header(name, kind, **more) + data + bytes(-len(data) % 512)


def tar(*members, end=bytes(1024)):
    return b"".join(members) + end


X = b"x"


# ---- images ----------------------------------------------------------------------------------------------

def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """An image; what is in it may be changed before it is written."""

    def __init__(self, *layers, plain=None, arch=ARCH):
        self.blobs = {}
        self.layers = list(layers)
        self.config = {"architecture": arch, "os": "linux",
                       "rootfs": {"type": "layers", "diff_ids": [sha(p) for p in (plain or layers)]}}
        self.layer_type = "application/vnd.oci.image.layer.v1.tar"
        self.manifest = None
        self.entry = None

    def add(self, data, media_type):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.blobs[sha(data)[7:]] = data
        return {"mediaType": media_type, "digest": sha(data), "size": len(data)}

    def finish(self):
        """Makes manifest and descriptor as far as they are not there."""
        descriptors = [self.add(layer, self.layer_type) for layer in self.layers]
        config = self.add(self.config, "application/vnd.oci.image.config.v1+json")
        self.manifest = self.manifest or {"schemaVersion": 2, "config": config, "layers": descriptors}
        self.entry = self.add(self.manifest, "application/vnd.oci.image.manifest.v1+json")
        return self.entry


def layout(path, *entries, blobs=None, index=None, images=()):
    """Writes an OCI layout into the directory path."""
    os.makedirs(path + "/blobs/sha256")
    for image in images:
        for name, data in image.blobs.items():
            put(f"{path}/blobs/sha256/{name}", data)
    for name, data in (blobs or {}).items():
        put(f"{path}/blobs/sha256/{name}", data)
    put(path + "/oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    put(path + "/index.json", index or json.dumps({"schemaVersion": 2, "manifests": list(entries)}).encode())


def put(path, data):
    with open(path, "wb") as out:
        out.write(data)


def simple(*layers, **more):
    image = Image(*layers, **more)
    image.finish()
    return image


# ---- the cases ----------------------------------------------------------------------------------------------

CASES = []


def refused(name, why):
    """Decorates a function that writes the case to a path, and may return further arguments."""
    def take(make):
        CASES.append((name, make, None, why))
        return make
    return take


def taken(name, *entries):
    def take(make):
        CASES.append((name, make, tree_digest(entries), None))
        return make
    return take


def refuse_tar(name, why, *members, **more):
    refused(name, why)(lambda path: put(path, tar(*members, **more)))


def take_tar(name, entries, *members):
    taken(name, *entries)(lambda path: put(path, tar(*members)))


def write_layers(path, layers):
    image = simple(*layers)
    layout(path, image.entry, images=[image])


def refuse_layers(name, why, *layers):
    refused(name, why)(lambda path: write_layers(path, layers))


def take_layers(name, entries, *layers):
    taken(name, *entries)(lambda path: write_layers(path, layers))


def tar_cases(outside):
    """Tars; outside is the directory they aim at."""
    relative = "../" * 20 + outside.lstrip("/")
    deep = "/".join(["n" * 99] * 41)[:4096]
    refuse_tar("an absolute path", "an absolute path", m(outside[:90] + "/evil", data=X))
    refuse_tar("a path with .. out of the tree", "with '..'", pax(path=relative + "/evil"), m("?", data=X))
    refuse_tar("a path with .. that stays inside", "with '..'", m("a/../b", data=X))
    refuse_tar("an entry through an absolute link", "lies below 'l'", m("l", "2", outside), m("l/evil", data=X))
    refuse_tar("an entry through a relative link", "lies below 'l'", m("l", "2", relative[:99]), m("l/evil", data=X))
    refuse_tar("an entry through a link to a link", "lies below 'b'", m("a", "2", outside), m("b", "2", "a"), m("b/evil", data=X))
    refuse_tar("a directory through a link", "lies below 'l'", m("l", "2", outside), m("l/d", "5"))
    refuse_tar("an entry through a hard link to a link", "lies below 'h'", m("l", "2", outside), m("h", "1", "l"), m("h/evil", data=X))
    refuse_tar("a link where a directory was", "both a directory", m("d", "5"), m("d", "2", outside))
    refuse_tar("a directory where a link was", "both a directory", m("d", "2", outside), m("d", "5"), m("d/evil", data=X))
    refuse_tar("an entry below a file", "lies below 'f'", m("f", data=X), m("f/x", data=X))
    refuse_tar("an entry below a device", "lies below 'null'", m("null", "3"), m("null/x", data=X))
    refuse_tar("a hard link to an absolute path", "an absolute path", m("h", "1", outside + "/file"))
    refuse_tar("a hard link out of the tree", "with '..'", m("h", "1", relative[:99]))
    refuse_tar("a hard link to nothing", "not in the archive", m("h", "1", "nothing"))
    refuse_tar("hard links in a circle", "in a circle", m("a", "1", "b"), m("b", "1", "a"))
    refuse_tar("a hard link to a directory", "to the directory", m("d", "5"), m("h", "1", "d"))
    refuse_tar("a name of 256 bytes", "longer than 255", pax(path="n" * 256), m("?", data=X))
    refuse_tar("a path of 4097 bytes", "longer than 4096", pax(path=deep + "n"), m("?", data=X))
    refuse_tar("a path of 257 names", "deeper than 256", pax(path="/".join("n" * 257)), m("?", data=X))
    refuse_tar("a link's target of 4096 bytes", "", pax(linkpath="t" * 4096), m("l", "2", "?"))
    refuse_tar("a link to nothing", "link to nowhere", m("l", "2", ""))
    refuse_tar("an entry without a name", "without a name", m("", data=X))
    refuse_tar("a root that is a file", "not a directory", m(".", data=X))
    refuse_tar("an owner that none can be", "", pax(uid="4294967295"), m("f", data=X))
    refuse_tar("a size over the limit", "larger than 17179869184", pax(size="17179869185"), m("f", data=X))
    refuse_tar("a size beyond the end", "Truncated", m("f", size=5000, data=X))
    refuse_tar("a wrong checksum", "import '", m("a", data=X), m("b", data=X, checksum=1))
    refuse_tar("nothing at all", "holds nothing")
    refuse_tar("an archive cut in a member", "import '", m("f", data=bytes(100)), end=m("g", data=b"y" * 600)[:700])
    refuse_tar("a hole of 16 GiB in a few bytes", "unpacks to more than 1000 times", sparse("big", 15 << 30))
    refuse_tar("links to a hole, 80 times", "unpacks to more than 1000 times", sparse("big", 900 << 20),
               *[m(f"h{i}", "1", "big") for i in range(80)])

    take_tar("the last of two entries", [f("a", b"y", 0o600)], m("a", data=X), m("a", data=b"y", mode=0o600))
    take_tar("a file in the place of a link", [f("a", b"y")], m("a", "2", outside + "/file"), m("a", data=b"y"))
    take_tar("a link that leads out, as text", [l("l", outside + "/file")], m("l", "2", outside + "/file"))
    take_tar("a hard link before its target", [f("a"), f("h")], m("h", "1", "a"), m("a", data=X))
    take_tar("a hard link to a link that leads out", [l("h", outside), l("l", outside)], m("l", "2", outside), m("h", "1", "l"))
    take_tar("devices and fifos", [f("a")], m("null", "3"), m("sda", "4"), m("fifo", "6"), m("a", data=X))
    take_tar("setuid, setgid, sticky", [d("t", 0o1777), f("s", X, 0o755)], m("s", data=X, mode=0o6755), m("t", "5", mode=0o3777))
    take_tar("a newline in a name", [f("new\nline")], m("new\nline", data=X))
    take_tar("control characters in a name", [f("\x1b[2J")], m("\x1b[2J", data=X))
    take_tar("a name that is no UTF-8", [f(b"\xff\xfe"), l(b"l\xe9", b"\x80")], m(b"\xff\xfe", data=X), m(b"l\xe9", "2", b"\x80"))
    take_tar("a name of 255 bytes", [f("n" * 255)], pax(path="n" * 255), m("?", data=X))
    take_tar("a path of 4096 bytes", [f(deep)] + [d(deep[:i]) for i, c in enumerate(deep) if c == "/"], pax(path=deep), m("?", data=X))
    take_tar("a parent that is missing", [d("a"), d("a/b"), f("a/b/c")], m("a/b/c", data=X))
    take_tar("the root as /", [f("a")], m("/", "5"), m("a", data=X))
    take_tar("names of whiteouts, in a tar names as any", [f(".wh.a", b""), f("a")], m("a", data=X), m(".wh.a"))
    take_tar("extended attributes", [f("a")], pax(SCHILY__xattr__security__capability="\1\2\3"), m("a", data=X))
    take_tar("a sparse file", [f("s", bytes(100000) + b"end")], sparse("s", 100003, 100000, b"end"))
    codec_cases()


def sparse(name, size, offset=0, data=b""):
    """A file of GNU's old sparse form: the map stands in the header."""
    h = bytearray(header(name, "S", size=len(data)))
    h[257:265] = b"ustar  \0"
    h[386:398] = b"%011o\0" % offset
    h[398:410] = b"%011o\0" % len(data)
    # An entry of length 0 at the end says how long the file is.
    h[483:495] = b"%011o\0" % size if size < 8 << 30 else b"\x80" + size.to_bytes(11, "big")
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h) + data + bytes(-len(data) % 512)


def codec_cases():
    good = tar(m("a", data=X))
    packed = gzip.compress(good, mtime=0)
    refused("gzip that is cut", "import '")(lambda path: put(path, packed[:-20]))
    refused("xz with a window of 4 GiB", "the reader of the archive")(xz_window)
    refused("zeros behind the end, a thousand times over", "unpacks to more than 1000 times")(zeros_behind)
    taken("gzip in gzip", f("a"))(lambda path: put(path, gzip.compress(packed, mtime=0)))
    taken("gzip in two members", f("a"))(lambda path: put(path, gzip.compress(good[:700], mtime=0) + gzip.compress(good[700:], mtime=0)))


def xz_window(path):
    """A block whose header asks for the largest window (the .xz file format, 3.1 and 5.3.1)."""
    block = bytes([2, 0, 0x21, 1, 40, 0, 0, 0])
    put(path, b"\xfd7zXZ\0" + b"\0\1" + zlib.crc32(b"\0\1").to_bytes(4, "little") + block +
        zlib.crc32(block).to_bytes(4, "little") + b"\1\2\0" + bytes(513))


def bomb(head):
    """A zstd stream of head and 1.5 GiB of zeros behind it: blocks that say "a byte, so many times"."""
    blocks = b""
    while head:
        part, head = head[:100000], head[100000:]
        blocks += (len(part) << 3).to_bytes(3, "little") + part
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last = ((128 << 10) << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd" + b"\0" + b"\x58" + blocks + block * 12287 + last


def zeros_behind(path):
    put(path, bomb(tar(m("a", data=X))))


def layer_cases(outside):
    base = tar(m("d", "5"), m("d/a", data=X), m("d/b", data=X), m("l", "2", outside), m("f", data=X))
    lower = [d("d"), f("d/a"), f("d/b"), l("l", outside), f("f")]

    def but(*gone):
        return [e for e in lower if not any(e[0] == as_bytes(g) or e[0].startswith(as_bytes(g) + b"/") for g in gone)]

    take_layers("a whiteout of a file", but("d/a"), base, tar(m("d/.wh.a")))
    take_layers("a whiteout of a directory", but("d"), base, tar(m(".wh.d")))
    take_layers("a whiteout of a link, not of what it leads to", but("l"), base, tar(m(".wh.l")))
    take_layers("a whiteout of what is not there", lower, base, tar(m("d/.wh.nothing"), m(".wh.x")))
    take_layers("a whiteout in the lowest layer", [f("a")], tar(m("a", data=X), m(".wh.a"), m(".wh.b")))
    take_layers("a whiteout before what its layer puts there", but("f") + [f("f", b"y")], base, tar(m(".wh.f"), m("f", data=b"y")))
    take_layers("a whiteout behind what its layer puts there", but("f") + [f("f", b"y")], base, tar(m("f", data=b"y"), m(".wh.f")))
    take_layers("a whiteout of a directory that its layer makes anew", but("d") + [d("d", 0o700), f("d/c", b"y")], base,
                tar(m("d", "5", mode=0o700), m("d/c", data=b"y"), m(".wh.d")))
    take_layers("an opaque directory", but("d/a", "d/b") + [f("d/c", b"y")], base, tar(m("d/.wh..wh..opq"), m("d/c", data=b"y")))
    take_layers("an opaque directory, said last", but("d/a", "d/b") + [f("d/a", b"y")], base, tar(m("d/a", data=b"y"), m("d/.wh..wh..opq")))
    take_layers("an opaque root", [f("new", b"y")], base, tar(m("new", data=b"y"), m(".wh..wh..opq")))
    take_layers("opaque in a directory that is nowhere", lower + [d("e")], base, tar(m("e/.wh..wh..opq")))
    take_layers("names like the one that is gone", but("d") + [d("d-1"), f("d-1/x"), f("d.x")],
                tar(m("d", "5"), m("d/a", data=X), m("d-1", "5"), m("d-1/x", data=X), m("d.x", data=X), m("l", "2", outside), m("f", data=X)),
                tar(m(".wh.d")))
    take_layers("a file in the place of a directory", but("d") + [f("d", b"y")], base, tar(m("d", data=b"y")))
    take_layers("a directory in the place of a link", but("l") + [d("l"), f("l/x", b"y")], base, tar(m("l", "5"), m("l/x", data=b"y")))
    take_layers("a directory said again keeps what is in it", but("d") + [d("d", 0o711, 3, 4), f("d/a"), f("d/b")], base,
                tar(m("d", "5", mode=0o711, uid=3, gid=4)))
    take_layers("a device in the place of a file", but("f"), base, tar(m("f", "3")))
    take_layers("a hard link into the layer below", lower + [f("h")], base, tar(m("h", "1", "d/a")))
    take_layers("a layer whose last block is cut short", [f("a")], tar(m("a", data=X), end=b"")[:513])
    refuse_layers("a layer cut in a file", "Truncated", tar(m("a", data=bytes(600)), end=b"")[:1000])
    take_layers("a layer of nothing", lower, base, tar())
    take_layers("a name that goes and comes back", lower, base, tar(m(".wh.f")), tar(m("f", data=X)))
    refuse_layers("an entry through a link of the layer below", "entries below 'l'", base, tar(m("l/evil", data=X)))
    refuse_layers("a whiteout through a link of the layer below", "entries below 'l'", base, tar(m("l/.wh.file")))
    refuse_layers("an entry below a file of the layer below", "entries below 'f'", base, tar(m("f/x", data=X)))
    refuse_layers("a hard link to what its layer takes away", "neither in its layer nor below", base, tar(m("h", "1", "f"), m(".wh.f")))
    refuse_layers("a hard link to nothing in any layer", "neither in its layer nor below", base, tar(m("h", "1", "x")))
    refuse_layers("an absolute path in a layer", "an absolute path", base, tar(m(outside[:90] + "/evil", data=X)))
    for bad in (".wh.", ".wh..", ".wh...", ".wh..wh.plnk", ".wh..wh..opq2", "d/.wh..wh.x"):
        refuse_layers(f"a whiteout called {bad}", "not a whiteout", base, tar(m(bad)))
    refuse_layers("a whiteout with a slash behind it", "a whiteout", base, tar(m(".wh.d/a")))
    refuse_layers("a whiteout with content", "a whiteout", base, tar(m(".wh.d", data=X)))
    refuse_layers("a whiteout that is a directory", "a whiteout", base, tar(m(".wh.d", "5")))
    refuse_layers("a whiteout that is a link", "a whiteout", base, tar(m(".wh.d", "2", outside)))
    refuse_layers("a hard link as whiteout", "a whiteout", base, tar(m("e"), m(".wh.d", "1", "e")))


def image_cases(outside):
    plain = tar(m("a", data=X))
    good = [f("a")]

    def damaged(name, why):
        """The function gets the directory of a good image, and the image, and spoils it."""
        def take(spoil):
            def make(path):
                image = simple(plain)
                layout(path, image.entry, images=[image])
                return spoil(path, image)
            refused(name, why)(make)
        return take

    def blob(path, digest):
        return path + "/blobs/sha256/" + digest.split(":")[-1]

    def replace(path, make):
        os.unlink(path)
        make(path)

    @damaged("a layer of other bytes", "its bytes have the digest")
    def _(path, image):
        put(blob(path, sha(plain)), tar(m("b", data=X)))

    @damaged("a layer that is cut", "bytes, and its descriptor says")
    def _(path, image):
        put(blob(path, sha(plain)), plain[:-512])

    @damaged("a layer that is missing", "No such file")
    def _(path, image):
        os.unlink(blob(path, sha(plain)))

    @damaged("a manifest of other bytes", "another digest")
    def _(path, image):
        data = image.blobs[image.entry["digest"][7:]]
        put(blob(path, image.entry["digest"]), data.replace(b"2", b"3", 1))

    @damaged("a config of other bytes", "another digest")
    def _(path, image):
        name = image.manifest["config"]["digest"]
        put(blob(path, name), image.blobs[name[7:]].replace(b"linux", b"lunix"))

    @damaged("a blob that is a link", "a link where a file is needed")
    def _(path, image):
        replace(blob(path, sha(plain)), lambda p: os.symlink(outside + "/file", p))

    @damaged("blobs behind a link", "a link where a file is needed")
    def _(path, image):
        os.rename(path + "/blobs/sha256", path + "/elsewhere")
        os.symlink("../elsewhere", path + "/blobs/sha256")

    @damaged("a blob that is a fifo", "not a regular file")
    def _(path, image):
        replace(blob(path, sha(plain)), os.mkfifo)

    @damaged("index.json that is a fifo", "not a regular file")
    def _(path, image):
        replace(path + "/index.json", os.mkfifo)

    @damaged("a blob that is a directory", "not a regular file")
    def _(path, image):
        replace(blob(path, sha(plain)), os.mkdir)

    @damaged("another version of layout", "not an image layout")
    def _(path, image):
        put(path + "/oci-layout", b'{"imageLayoutVersion": "2.0.0"}')

    def index(name, why, text):
        @damaged(name, why)
        def _(path, image):
            put(path + "/index.json", text(image) if callable(text) else text)

    def entries(*list_):
        return json.dumps({"schemaVersion": 2, "manifests": list_}).encode()

    index("an index of 5 MiB", "a document may have", b'{"manifests": [' + b" " * (5 << 20) + b"]}")
    index("a key twice", "duplicate", lambda i: b'{"manifests": [], "manifests": [' + json.dumps(i.entry).encode() + b"]}")
    index("bytes behind the JSON", "", lambda i: entries(i.entry) + b"{}")
    index("lists in lists, 5000 deep", "", b'{"manifests": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    index("no JSON", "", b"\0\1\2")
    index("an index that is a list", "", b"[]")
    index("an index of nothing", "holds no image", entries())
    index("1025 images in an index", "an index may have 1024", lambda i: entries(*[i.entry] * 1025))
    index("a digest of SHA-512", "not a SHA-256", lambda i: entries(dict(i.entry, digest="sha512:" + "0" * 128)))
    index("a digest with a path in it", "not a SHA-256", lambda i: entries(dict(i.entry, digest="sha256:../../../../etc/passwd")))
    index("a size below nothing", "no size", lambda i: entries(dict(i.entry, size=-1)))
    index("a size of 2^70", "", lambda i: entries(dict(i.entry, size=1 << 70)))
    index("another size of the manifest", "its descriptor says", lambda i: entries(dict(i.entry, size=5)))
    index("a platform with control characters", "a platform that is none", lambda i: entries(
        dict(i.entry, platform={"os": "linux", "architecture": "\x1b[2J"})))

    @refused("a platform that the config denies", "its config says for")
    def _(path):
        image = simple(plain)
        layout(path, dict(image.entry, platform={"os": "linux", "architecture": OTHER}), images=[image])
        return ["--platform", "linux/" + OTHER]

    def changed(name, why, change):
        def make(path):
            image = Image(plain)
            change(image)
            image.finish()
            layout(path, image.entry, images=[image])
        refused(name, why)(make)

    def set_config(**more):
        return lambda image: image.config.update(more)

    changed("a diff ID that lies", "the config's diff ID is", set_config(rootfs={"type": "layers", "diff_ids": [sha(b"lie")]}))
    changed("more diff IDs than layers", "2 diff IDs", set_config(rootfs={"type": "layers", "diff_ids": [sha(plain)] * 2}))
    changed("a diff ID that is none", "no SHA-256", set_config(rootfs={"type": "layers", "diff_ids": ["md5:00"]}))
    changed("a config that is none", "no os or no architecture", lambda i: setattr(i, "config", {}))
    changed("a manifest of schema 1", "schema version 2", lambda i: setattr(i, "manifest", {"schemaVersion": 1}))
    changed("an image without layers", "0 layers", lambda i: (i.layers.clear(), i.config["rootfs"]["diff_ids"].clear()))
    changed("513 layers", "513 layers", lambda i: (i.layers.extend([plain] * 512)))
    changed("a layer that is no tar", "no tar layer", lambda i: setattr(i, "layer_type", "application/vnd.oci.image.layer.v1.tar+encrypted"))
    changed("a layer of gzip that is cut", "layer 1 of 1", lambda i: i.layers.__setitem__(0, gzip.compress(plain, mtime=0)[:-9]))
    changed("a layer with zeros behind its end, a thousand times over", "unpacks to more than 1000 times",
            lambda i: i.layers.__setitem__(0, bomb(plain)))

    def nest(path, depth):
        image = simple(plain)
        entry = image.entry
        for _ in range(depth - 1):
            entry = image.add({"schemaVersion": 2, "manifests": [entry]}, "application/vnd.oci.image.index.v1+json")
        layout(path, entry, images=[image])

    refused("indexes five deep", "more than 4 deep")(lambda path: nest(path, 5))
    taken("indexes four deep", *good)(lambda path: nest(path, 4))

    @refused("an index that leads to itself", "another digest")
    def _(path):
        # No bytes hold their own digest: it has to be a lie.
        image = Image()
        text = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
                                                              "digest": "sha256:" + "0" * 64, "size": 170}]}).encode()
        text = text.replace(b'"size": 170', b'"size": %d' % len(text))
        entry = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + "0" * 64, "size": len(text)}
        layout(path, entry, blobs={"0" * 64: text}, images=[image])

    @refused("indexes that multiply", "more than 256 documents")
    def _(path):
        image = simple(plain)
        level = [image.entry]
        for _ in range(3):
            level = [image.add({"schemaVersion": 2, "manifests": level, "n": n}, "application/vnd.oci.image.index.v1+json")
                     for n in range(40)]
        layout(path, *level, images=[image])

    def several(path):
        one, two = simple(plain), simple(tar(m("b", data=X)))
        names = [{"annotations": {"org.opencontainers.image.ref.name": n}} for n in ("one", "two")]
        layout(path, dict(one.entry, **names[0]), dict(two.entry, **names[1]), images=[one, two])

    refused("two images and no reference", "choose by --ref; there is one, two")(several)
    refused("a reference that is not there", "holds no 'three'; there is one, two")(lambda path: (several(path), ["--ref", "three"])[1])
    taken("two images and a reference", *good)(lambda path: (several(path), ["--ref", "one"])[1])

    def platforms(path):
        here, there = simple(plain), simple(tar(m("b", data=X)), arch=OTHER)
        note = there.add({}, "application/vnd.oci.image.manifest.v1+json")
        layout(path, dict(there.entry, platform={"os": "linux", "architecture": OTHER}),
               dict(here.entry, platform={"os": "linux", "architecture": ARCH}),
               dict(note, platform={"os": "unknown", "architecture": "unknown"}), images=[here, there])

    taken("two platforms and an attestation", *good)(platforms)
    taken("the other platform", f("b"))(lambda path: (platforms(path), ["--platform", "linux/" + OTHER])[1])
    refused("a platform that is not there", f"there is linux/{OTHER}, linux/{ARCH}")(
        lambda path: (platforms(path), ["--platform", "linux/s390x"])[1])
    refused("a platform that is no word", "is no platform")(lambda path: (platforms(path), ["--platform", "linux/../x"])[1])

    def packed(path, layer):
        image = simple(layer, plain=[plain])
        layout(path, image.entry, images=[image])

    taken("a layer of gzip in two members, called uncompressed", *good)(
        lambda path: packed(path, gzip.compress(plain[:700], mtime=0) + gzip.compress(plain[700:], mtime=0)))

    def archive(path, *members):
        put(path, tar(*members))

    def image_members(image, entry=None):
        return [m("oci-layout", data=b'{"imageLayoutVersion": "1.0.0"}'),
                m("index.json", data=json.dumps({"schemaVersion": 2, "manifests": [entry or image.entry]}))] + [
                m("blobs/sha256/" + name, data=data) for name, data in image.blobs.items()]

    one = simple(plain)
    taken("an image in a tar", *good)(lambda path: archive(path, *image_members(one)))
    taken("an image in a tar in gzip", *good)(lambda path: put(path, gzip.compress(tar(*image_members(one)), mtime=0)))
    refused("a blob twice in a tar", "is there twice")(lambda path: archive(path, *image_members(one), m("blobs/sha256/" + sha(plain)[7:])))
    refused("a blob that is a link, in a tar", "a link where a file is needed")(
        lambda path: archive(path, *image_members(one)[:2], m("blobs/sha256/" + one.entry["digest"][7:], "2", outside + "/file")))
    refused("a blob with .. in a tar", "'.' or '..'")(lambda path: archive(path, *image_members(one), m("blobs/../../evil", data=X)))
    refused("a blob beyond the end of a tar", "ends within")(
        lambda path: put(path, tar(*image_members(one), m("blobs/sha256/" + "0" * 64, size=1 << 30), end=b"")))

    docker_cases(outside, plain, good)


def docker_cases(outside, plain, good):
    config = json.dumps(Image(plain).config).encode()
    config_name = sha(config)[7:] + ".json"

    def docker(*members, manifest=None, layers=("l/layer.tar",), config_file=config_name, top=()):
        manifest = manifest if manifest is not None else [{"Config": config_file, "RepoTags": ["registry.example.com/a:1"], "Layers": layers}]
        return lambda path: (put(path + ".tar", tar(*top, *members, m("manifest.json", data=json.dumps(manifest)))),
                             ["docker-archive:" + path + ".tar"])[1]

    hexdir = "e" * 64
    usual = [m(config_name, data=config), m(hexdir + "/layer.tar", data=plain)]
    taken("a docker archive", *good)(docker(*usual, layers=[hexdir + "/layer.tar"]))
    taken("a docker archive with a layer behind a link", *good)(docker(
        *usual, m("l/layer.tar", "2", "../" + hexdir + "/layer.tar")))
    refused("a layer behind a link out of the archive", "a link out of the archive")(docker(*usual, m("l/layer.tar", "2", "../../" + "x/layer.tar")))
    refused("a layer behind an absolute link", "a link out of the archive")(docker(*usual, m("l/layer.tar", "2", outside + "/file")))
    refused("a layer behind links in a circle", "a link where a file is needed")(docker(
        *usual, m("l/layer.tar", "2", "../m/layer.tar"), m("m/layer.tar", "2", "../l/layer.tar")))
    refused("a layer of a name with ..", "'..'")(docker(*usual, layers=["../" + outside + "/file"]))
    refused("a layer of an absolute name", "absolute")(docker(*usual, layers=[outside + "/file"]))
    refused("a layer that is not there", "No such file")(docker(*usual))
    refused("a layer of another diff ID", "the config's diff ID is")(docker(usual[0], m("l/layer.tar", data=tar(m("b", data=X)))))
    refused("a config of another digest than its name", "another digest than its name")(docker(
        m("0" * 64 + ".json", data=config), usual[1], config_file="0" * 64 + ".json"))
    refused("a manifest.json of nothing", "not a list of")(docker(*usual, manifest=[]))
    refused("a manifest.json without layers", "no list of Layers")(docker(*usual, manifest=[{"Config": config_name}]))
    refused("a manifest.json whose layers are numbers", "no list of Layers")(docker(*usual, manifest=[{"Config": config_name, "Layers": [1]}]))
    refused("two images in a docker archive", "there is a:1, a:2")(docker(*usual, manifest=[
        {"Config": config_name, "RepoTags": [tag], "Layers": [hexdir + "/layer.tar"]} for tag in ("a:1", "a:2")]))
    refused("a docker archive for another machine", f"it is for linux/{OTHER}")(docker(
        m("c.json", data=json.dumps(Image(plain, arch=OTHER).config)), usual[1], config_file="c.json"))


# ---- running them -----------------------------------------------------------------------------------------------

def listing(root):
    """Everything below root, with all that a write would change."""
    found = []
    for path, dirs, files in os.walk(root):
        for name in [""] + dirs + files:
            full = os.path.join(path, name)
            s = os.lstat(full)
            found.append((full, s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_size, s.st_mtime_ns, s.st_ctime_ns,
                          os.readlink(full) if os.path.islink(full) else ""))
    return sorted(found)


def plant(root):
    """What the archives aim at."""
    os.makedirs(root + "/sub")
    put(root + "/file", b"untouched")
    put(root + "/sub/secret", b"untouched")
    os.symlink("file", root + "/link")


def run(store, source, more):
    """Imports source, or what stands first in more."""
    if more and not more[0].startswith("-"):
        source = more.pop(0)
    command = [GLOVEBOX, "rootfs", "import", "x", source, *more, "--store", store]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=300, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace").strip(), done.stderr.decode("utf-8", "replace").strip()


def judge(case, path, store):
    """None, or what is wrong."""
    _, make, digest, why = case
    status, out, said = run(store, path, list(make(path) or []))
    if digest is not None:
        return None if (status, out) == (0, digest) else f"wanted {digest}, got {status} {out} {said}"
    if status not in (2, 6) or why not in said or not said.startswith("glovebox: "):
        return f"wanted a refusal with '{why}', got {status} {out} {said}"
    if os.path.exists(store + "/names/x"):
        return "refused, and named all the same"
    return None


def clean(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def number(n, fault, name):
    print(f"{'not ok' if fault else 'ok'} {n} - {name}")
    for text in (fault or "").splitlines():
        print("# " + text)
    sys.stdout.flush()
    return bool(fault)


def main():
    os.umask(0o022)
    work = tempfile.mkdtemp(prefix="glovebox-hostile.")
    os.chmod(work, 0o755)
    bad = 0
    try:
        outside = work + "/outside"
        plant(outside)
        tar_cases(outside)
        layer_cases(outside)
        image_cases(outside)
        print(f"1..{len(CASES) + 1}")
        before = listing(outside)
        around = set(os.listdir(work))
        for n, case in enumerate(CASES, 1):
            path = f"{work}/case"
            bad += number(n, judge(case, path, work + "/store"), case[0])
            clean(path)
            clean(path + ".tar")
            if os.path.exists(work + "/store/names/x"):
                os.unlink(work + "/store/names/x")
        left = set(os.listdir(work)) - around - {"store"}
        changed = set(map(str, before)) ^ set(map(str, listing(outside)))
        bad += number(len(CASES) + 1, "\n".join(sorted(changed | left)), "nothing outside the store was touched")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if bad else 0


sys.exit(main())
