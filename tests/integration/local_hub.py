"""A hub on this machine: the routes that huggingface_hub uses, serving folders as repositories."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class LocalHub:
    """What is served, how it misbehaves, and what was asked for."""

    repositories: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    stalling: set[str] = field(default_factory=set)
    """Files whose transfer stops half-way and never goes on."""
    failing: set[str] = field(default_factory=set)
    """Files that the server has trouble with."""
    stalled: threading.Event = field(default_factory=threading.Event)
    token: str = "hf_of_the_test"
    sent: list[str] = field(default_factory=list)
    """Files that were sent whole."""
    url: str = ""

    def start(self) -> ThreadingHTTPServer:
        """Listen on a free port."""
        hub = self

        class Handler(_Handler):
            def __init__(self, *arguments):
                self.hub = hub
                super().__init__(*arguments)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: LocalHub

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        path = unquote(urlsplit(self.path).path)
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+|/tree/[^/]+)?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        found = api or file
        folder = self.hub.repositories.get(found[1]) if found else None
        if folder is None:
            return self._refuse(404, "RepoNotFound")
        if api and "/revision/" in path and not path.endswith((COMMIT, "/main")):
            return self._refuse(404, "RevisionNotFound")
        if api:
            return self._json(_tree(folder) if "/tree/" in path else _info(found[1], folder))
        return self._file(found[1], folder / file[3], body)

    def _file(self, name, path, body):
        allowed = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        if name in self.hub.gated and not allowed:
            return self._refuse(403, "GatedRepo")
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        if path.name in self.hub.failing and body:
            return self._refuse(500, "")
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return None
        if path.name in self.hub.stalling:
            self.wfile.write(data[: len(data) // 2])
            self.hub.stalled.set()
            self.rfile.read()  # until the other side is gone
            return None
        self.wfile.write(data)
        self.hub.sent.append(path.name)
        return None

    def _json(self, content):
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _info(name, folder):
    siblings = [
        {"rfilename": str(path.relative_to(folder)), "size": path.stat().st_size}
        for path in _files(folder)
    ]
    return {"id": name, "sha": COMMIT, "private": False, "siblings": siblings}


def _tree(folder):
    return [
        {
            "type": "file",
            "path": str(path.relative_to(folder)),
            "size": path.stat().st_size,
            "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
        }
        for path in _files(folder)
    ]
