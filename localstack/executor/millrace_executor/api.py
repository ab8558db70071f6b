"""The Lambda Runtime API, for one execution environment.

Its contract is AWS's: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import dataclasses
import http.server
import queue
import socketserver
import threading
import uuid

MAX_BODY_BYTES = 6 * 1024 * 1024 + 100_000  # of a response, as Lambda allows, with slack


@dataclasses.dataclass
class Invocation:
    """One invocation on its way to the function."""

    request_id: str
    payload: bytes
    function_arn: str
    deadline_ms: int
    trace_id: str = ""


@dataclasses.dataclass
class Outcome:
    """What the function answered."""

    request_id: str
    body: bytes
    is_error: bool


class RuntimeAPI:
    """Hands invocations to one bootstrap, and its answers to whoever waits.

    Answers and the bootstrap's readiness arrive in `events`: "ready" each time that it asks
    for the next invocation, an Outcome for each answer.
    """

    def __init__(self):
        self.events = queue.Queue()
        self._invocations = queue.Queue()
        self._closed = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self):
        """What the bootstrap finds in AWS_LAMBDA_RUNTIME_API."""
        host, port = self._server.server_address
        return f"{host}:{port}"

    def hand_over(self, invocation):
        """Gives the bootstrap its next invocation."""
        self._invocations.put(invocation)

    def close(self):
        """Ends the server, and requests that wait. Idempotent."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._invocations.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self):
        """Waits for an invocation; None when the API is closed."""
        self.events.put("ready")
        return self._invocations.get()

    def wait_closed(self):
        """Waits for the end, as an extension does."""
        self._closed.wait()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this, Nagle's algorithm and delayed ACKs wait 40 ms for each other.
    disable_nagle_algorithm = True
    # The reply goes out in one segment.
    wbufsize = -1

    def do_GET(self):
        if self.path == "/2018-06-01/runtime/invocation/next":
            self._next()
        elif self.path == "/2020-01-01/extension/event/next":
            self.server.api.wait_closed()
            self._reply(200, b'{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":0}')
        else:
            self._reply(404, b"{}")

    def do_POST(self):
        body = self._body()
        parts = self.path.strip("/").split("/")
        match parts:
            case ["2018-06-01", "runtime", "invocation", request_id, ("response" | "error") as kind]:
                # A response may turn into an error while it is streamed: its trailer says so.
                failed = kind == "error" or "lambda-runtime-function-error-type" in self.trailers
                self.server.api.events.put(Outcome(request_id, body, failed))
                self._reply(202, b"{}")
            case ["2018-06-01", "runtime", "init", "error"]:
                self.server.api.events.put(Outcome("", body, True))
                self._reply(202, b"{}")
            case ["2020-01-01", "extension", "register"]:
                self._reply(200, b"{}", {"Lambda-Extension-Identifier": str(uuid.uuid4())})
            case _:
                self._reply(404, b"{}")

    def _next(self):
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        }
        if invocation.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        self._reply(200, invocation.payload, headers)

    def _reply(self, status, body, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _body(self):
        self.trailers = {}
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunked()
        return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES))

    def _chunked(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            if len(body) > MAX_BODY_BYTES:
                raise ValueError("the response is too large")
        while (line := self.rfile.readline().strip()):
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()
        return body

    def log_message(self, *arguments):
        """Says nothing: the function's own output is the log."""
