# SPDX-License-Identifier: Apache-2.0
"""A server that misbehaves on purpose: server.py DIR PORTFILE [CERT KEY].

/ok/F, /busy/F (two 503s first), /always/F (503), /break/F (half, then gone on with by Range), /wrong/F (bytes too many),
/slow/F, /tofile, /away/F (redirects to /ok/F); /git/… is git-http-backend on DIR. What was asked for goes to DIR/log.
"""
import http.server
import os
import ssl
import subprocess
import sys
import threading
import time

root, port_file = sys.argv[1:3]
seen = {}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def git(self, body=b''):
        path, _, query = self.path[4:].partition('?')
        env = {'GIT_PROJECT_ROOT': root, 'GIT_HTTP_EXPORT_ALL': '1', 'PATH_INFO': path, 'QUERY_STRING': query,
               'REQUEST_METHOD': self.command, 'CONTENT_TYPE': self.headers.get('Content-Type', ''),
               'HTTP_CONTENT_ENCODING': self.headers.get('Content-Encoding', ''),
               'GIT_PROTOCOL': self.headers.get('Git-Protocol', ''), 'PATH': '/usr/bin:/bin',
               'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*'}
        out = subprocess.run(['git', 'http-backend'], input=body, env=env, stdout=subprocess.PIPE, check=False).stdout
        head, _, rest = out.partition(b'\r\n\r\n')
        lines = dict(line.split(': ', 1) for line in head.decode().split('\r\n') if ': ' in line)
        self.send_response(int(lines.pop('Status', '200').split()[0]))
        for name, value in lines.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    def body(self):
        if self.headers.get('Transfer-Encoding') != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length', 0)))
        parts = []
        while True:
            n = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(n))
            self.rfile.readline()
            if n == 0:
                return b''.join(parts)

    def do_POST(self):
        self.git(self.body())

    def do_GET(self):
        with lock:
            seen[self.path] = times = seen.get(self.path, 0) + 1
            with open(root + '/log', 'a', encoding='utf-8') as log:
                log.write(f"{self.path} {self.headers.get('Range', '-')}\n")
        if self.path.startswith('/git/'):
            return self.git()
        _, how, *rest = self.path.partition('?')[0].split('/')
        if how == 'tofile':
            return self.answer(302, Location='file:///etc/passwd')
        if how == 'away':
            return self.answer(302, Location='/ok/' + rest[0])
        if how == 'always' or (how == 'busy' and times <= 2):
            return self.answer(503, b'come back later', Retry_After='0')
        try:
            with open(root + '/files/' + rest[0], 'rb') as f:
                data = f.read()
        except OSError:
            return self.answer(404, b'no such thing')
        if how == 'break':
            return self.broken(data, times)
        if how == 'wrong':
            return self.answer(200, data + b'!')
        if how == 'slow':
            time.sleep(3600)
        return self.answer(200, data)

    def broken(self, data, times):
        asked = self.headers.get('Range')
        start = int(asked[6:-1]) if asked and self.headers.get('If-Range') == '"e"' else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}')
        self.send_header('ETag', '"e"')
        self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:start + (len(data) // 3 if times < 3 else len(data))])
        self.close_connection = True
        return None


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + '.new', 'w', encoding='utf-8') as f:
    f.write(str(server.server_port))
os.rename(port_file + '.new', port_file)
server.serve_forever()
