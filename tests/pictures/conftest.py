"""A server that sends a zip of faces, well or badly; it is on loopback only."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sample_files import archive

from dcgan_utils.pictures import download


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, mode = self.server, self.server.mode
        server.requests += 1
        if mode == "404":
            return self.send_error(404)
        if mode == "hangs up":
            return None
        if mode == "silent":
            return server.over.wait(20)
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        body = server.body[start:]
        self.send_response(206 if start else 200)
        if mode != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = mode in ("cut", "stall") or (mode == "cut once" and not start)
        self.wfile.write(body[: len(body) // 2] if cut else body)
        server.last_start = start
        if mode == "stall":
            self.wfile.flush()
            server.over.wait(20)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Set ``mode`` and ``body``; ``url`` is its archive of three faces."""
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.delenv("DCGAN_URL", raising=False)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *args: None  # clients that hang up are no news
    httpd.mode, httpd.requests, httpd.over = "ok", 0, threading.Event()
    httpd.body = archive()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/faces.zip"
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    yield httpd
    httpd.over.set()
    httpd.shutdown()
    httpd.server_close()
