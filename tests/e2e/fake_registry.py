#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake_registry.py SETTINGS LOG: a registry in memory that misbehaves as told.

SETTINGS is JSON, and may have:
  fail       list of {"method", "path" (a regular expression), "status", "times" (-1: always), "after" (Retry-After)}
  lie        a regular expression: answers to such paths say another Docker-Content-Digest
  corrupt    a regular expression: bodies of such GETs have their first byte changed
  auth       "basic" or "token" (user and password are always ann and geheim), "refresh" (token for a refresh token alone)
  realm      a URL to ask for tokens, in place of the elsewhere server
  redirect   true: blobs are given by the elsewhere server
  steal      true: the elsewhere server wants to know who asks for blobs, and to be told at its own token service
  upload     true: blobs are sent to the elsewhere server
  referrers  true: OCI-Subject and the referrers API
  mount      list of repositories that blobs can be mounted from
  endless    a regular expression: bodies of such GETs never end (chunked)
  deny       true: every request is answered 401, with a challenge, whatever it brings
  lose       number of PATCH requests that are answered 416
Prints the port of the registry and that of "elsewhere", a server that is another origin. LOG gets a JSON line
a request: server, method, path, authorization, range, length."""
import base64
import contextlib
import hashlib
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

settings = json.loads(sys.argv[1])
log = open(sys.argv[2], "a", buffering=1)
blobs, manifests, types, uploads, referrers = {}, {}, {}, {}, {}
lock = threading.Lock()
GOOD = "Basic " + base64.b64encode(b"ann:geheim").decode()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def note(self):
        log.write(json.dumps({
            "server": self.name, "method": self.command, "path": self.path,
            "authorization": self.headers.get("Authorization"), "range": self.headers.get("Content-Range"),
            "length": self.headers.get("Content-Length")}) + "\n")

    def answer(self, status, data=b"", **headers):
        digest = headers.pop("digest", None)
        if digest and "lie" in settings and re.search(settings["lie"], self.path):
            digest = sha(b"a lie")
        self.send_response(status)
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.command == "GET" and "endless" in settings and re.search(settings["endless"], self.path):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            self.close_connection = True
            return
        self.send_header("Content-Length", len(data))
        self.end_headers()
        if self.command != "HEAD":
            if data and self.command == "GET" and "corrupt" in settings and re.search(settings["corrupt"], self.path):
                data = bytes([data[0] ^ 1]) + data[1:]
            self.wfile.write(data)

    def fails(self):
        for rule in settings.get("fail", []):
            if rule["method"] == self.command and re.search(rule["path"], self.path) and rule["times"] != 0:
                rule["times"] -= 1
                extra = {"Retry_After": rule["after"]} if "after" in rule else {}
                self.answer(rule["status"], b'{"errors":[{"code":"UNAVAILABLE","message":"told to fail"}]}', **extra)
                return True
        return False

    def finish_upload(self, upload, digest, data):
        data = uploads.pop(upload) + data
        if sha(data) != digest:
            return self.answer(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        blobs[digest] = data
        return self.answer(201, digest=digest, Location="/v2/x/blobs/" + digest)


class Elsewhere(Base):
    """Another origin: tokens, blobs by redirect, uploads by Location."""
    name = "elsewhere"

    def do(self):
        data = self.body()
        with lock:
            self.note()
            if self.path.startswith("/token"):
                wanted = settings["auth"] == "refresh"
                ok = (b"refresh_token=old%2Bone" in data) if wanted else self.headers.get("Authorization") == GOOD
                return self.answer(200, b'{"token":"t0ken"}') if ok else self.answer(401, b"who are you?")
            if self.path.startswith("/upload/"):
                upload, digest = re.match(r"/upload/(\d+)\?digest=(.*)", self.path).groups()
                return self.finish_upload(int(upload), digest, data)
            if self.path.startswith("/steal"):
                return self.answer(200, b'{"token":"t0ken"}')
            if settings.get("steal"):
                return self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="http://localhost:{elsewhere.server_port}/steal"')
            return self.answer(200, blobs[self.path.split("/")[-1]])

    do_GET = do_POST = do_PUT = do


class Registry(Base):
    name = "registry"

    def allowed(self):
        auth = settings.get("auth")
        have = self.headers.get("Authorization")
        if settings.get("deny"):
            self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="http://localhost:{elsewhere.server_port}/token",service="x"')
            return False
        if auth is None or have == (GOOD if auth == "basic" else "Bearer t0ken"):
            return True
        realm = settings.get("realm", f"http://localhost:{elsewhere.server_port}/token?x=1")
        challenge = 'Basic realm="here"' if auth == "basic" else f'Bearer realm="{realm}",service="fake \\"one\\"",scope="repository:a/b:pull"'
        self.answer(401, b"{}", WWW_Authenticate=challenge)
        return False

    def do(self):
        data = self.body()
        with lock:
            self.note()
            if self.fails() or not self.allowed():
                return None
            path = self.path
            if m := re.fullmatch(r"/v2/(.+)/blobs/uploads/(?:\?mount=(.+)&from=(.+))?", path):
                return self.begin(*m.groups())
            if m := re.fullmatch(r"/v2/(.+)/up/(\d+)(?:\?digest=(.+))?", path):
                return self.take(int(m[2]), m[3], data)
            if m := re.fullmatch(r"/v2/.+/blobs/(sha256:.+)", path):
                return self.blob(m[1])
            if m := re.fullmatch(r"/v2/.+/manifests/(.+)", path):
                return self.manifest(m[1], data)
            if m := re.fullmatch(r"/v2/.+/referrers/(.+?)\?.*", path):
                return self.refer(m[1])
            return self.answer(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do

    def begin(self, name, mount, source):
        if mount and source.replace("%2F", "/") in settings.get("mount", []):
            blobs[mount] = b""
            return self.answer(201, digest=mount, Location="/v2/x/blobs/" + mount)
        upload = len(uploads) + len(blobs) + 1000
        uploads[upload] = b""
        where = f"http://localhost:{elsewhere.server_port}/upload/{upload}" if settings.get("upload") else f"/v2/{name}/up/{upload}"
        return self.answer(202, Location=where)

    def take(self, upload, digest, data):
        if upload not in uploads:
            return self.answer(404)
        if self.command == "PATCH":
            if settings.get("lose", 0) > 0:
                settings["lose"] -= 1
                return self.answer(416)
            at, end = (int(x) for x in self.headers["Content-Range"].split("-"))
            if at != len(uploads[upload]) or end - at + 1 != len(data):
                return self.answer(416)
            uploads[upload] += data
            return self.answer(202, Location=self.path, Range=f"0-{len(uploads[upload]) - 1}")
        return self.finish_upload(upload, digest, data)

    def blob(self, digest):
        if digest not in blobs:
            return self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        if self.command == "GET" and settings.get("redirect"):
            return self.answer(307, Location=f"http://localhost:{elsewhere.server_port}/data/{digest}")
        return self.answer(200, blobs[digest], digest=digest)

    def manifest(self, name, data):
        if self.command == "PUT":
            digest = sha(data)
            manifests[name] = manifests[digest] = data
            types[name] = types[digest] = self.headers["Content-Type"]
            subject = json.loads(data).get("subject") if settings.get("referrers") else None
            extra = {"OCI_Subject": subject["digest"]} if subject else {}
            if subject:
                listed = referrers.setdefault(subject["digest"], [])
                listed.append({"mediaType": types[name], "digest": digest, "size": len(data),
                               "artifactType": json.loads(data)["artifactType"]})
            return self.answer(201, digest=digest, **extra)
        if name not in manifests:
            return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        return self.answer(200, manifests[name], digest=sha(manifests[name]), Content_Type=types[name])

    def refer(self, digest):
        if not settings.get("referrers"):
            return self.answer(404)
        return self.answer(200, json.dumps({"schemaVersion": 2, "manifests": referrers.get(digest, [])}).encode())


registry = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
print(registry.server_port, elsewhere.server_port, flush=True)
registry.serve_forever()
