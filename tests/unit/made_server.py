"""A small web server for tests, which can be told to misbehave."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Served:
    """What a server sends, and what it was asked.

    `faults` holds one word for each of the next requests: `drop` breaks off after half of what
    it would send, `refuse` closes without a word, a number is a status; None is a good answer.
    """

    def __init__(self, content):
        self.content = content
        self.tag = '"one"'
        self.ranges = True
        self.kind = "application/octet-stream"
        self.faults = []
        self.asked = []  # headers Range, in order
        self.url = ""


@contextmanager
def serve(content):
    served = Served(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self, served)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/data/file.bin"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler, served):
    fault = served.faults.pop(0) if served.faults else None
    asked = handler.headers.get("Range")
    served.asked.append(asked)
    if fault == "refuse":
        handler.close_connection = True
        return
    if isinstance(fault, int):
        handler.send_error(fault)
        return
    body, status, headers = served.content, 200, {}
    same = handler.headers.get("If-Range", served.tag) == served.tag
    if asked and served.ranges and same:
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
        total = len(body)
        if start >= total:
            status, body, headers = 416, b"", {"Content-Range": f"bytes */{total}"}
        else:
            status, body = 206, body[start:]
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
    handler.send_response(status)
    headers |= {"Content-Length": str(len(body)), "Content-Type": served.kind}
    if served.tag:
        headers["ETag"] = served.tag
    for key, value in headers.items():
        handler.send_header(key, value)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2] if fault == "drop" else body)
