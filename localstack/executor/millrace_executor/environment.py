"""One execution environment: a process that runs a function's bootstrap, and its API."""

import json
import os
import queue
import signal
import subprocess
import threading
import time

from .api import Invocation, Outcome, RuntimeAPI

MAX_LOG_BYTES = 256 * 1024  # of one invocation; the rest is dropped
FINISH_SECONDS = 2  # how long a function may work on after its answer


class InitError(Exception):
    """The bootstrap ended, or said that it cannot start, before its first invocation."""


class Environment:
    """Runs one invocation at a time. A process that crashed or was killed is replaced by a
    new one for the next invocation."""

    def __init__(self, directory, variables, timeout_seconds, init_seconds=10.0):
        self.directory = str(directory)
        self.variables = variables
        self.timeout_seconds = timeout_seconds
        self.init_seconds = init_seconds
        self._api = None
        self._process = None
        self._output = None

    def start(self):
        """Starts the process, and returns when it asks for its first invocation."""
        self.stop()
        self._api = RuntimeAPI()
        self._process = subprocess.Popen(
            [os.path.join(self.directory, "bootstrap")],
            cwd=self.directory,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what it starts ends with it
        )
        self._output = _Output(self._process.stdout)
        event = self._wait(self.init_seconds)
        if event != "ready":
            self._kill()
            reason = f"{self._describe(event)}\n{self._output.take()}"
            self.stop()
            raise InitError(reason)

    def _variables(self):
        """Returns the function's own variables, and what every process needs."""
        own = {name: str(value) for name, value in self.variables.items() if value is not None}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return inherited | own | {"AWS_LAMBDA_RUNTIME_API": self._api.address, "LAMBDA_TASK_ROOT": self.directory}

    def invoke(self, request_id, payload, function_arn, trace_id=""):
        """Returns the Outcome of one invocation, and its logs."""
        began = time.monotonic()
        if self._process is None or self._process.poll() is not None:
            try:
                self.start()
            except InitError as error:
                return self._failed(request_id, "Runtime.ExitError", str(error)), str(error)
        deadline_ms = int((time.time() + self.timeout_seconds) * 1000)
        self._output.take()
        self._api.hand_over(Invocation(request_id, payload, function_arn, deadline_ms, trace_id))
        outcome = self._outcome(request_id)
        return outcome, self._log(request_id, began)

    def _outcome(self, request_id):
        event = self._wait(self.timeout_seconds)
        if isinstance(event, Outcome):
            # It has finished when it asks for more; until then its output belongs here.
            self._wait(FINISH_SECONDS)
            return event
        if event is None:
            outcome = self._failed(request_id, "Sandbox.Timedout", f"Task timed out after {self.timeout_seconds:.2f} seconds")
        else:
            outcome = self._failed(request_id, "Runtime.ExitError", self._describe(event))
        self._kill()
        return outcome

    @staticmethod
    def _failed(request_id, kind, message):
        body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
        return Outcome(request_id, json.dumps(body).encode(), True)

    def _wait(self, seconds):
        """Returns the API's next event, "exited" when the process ends first, None in time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self._api.events.get(timeout=min(left, 0.05))
            except queue.Empty:
                if self._process.poll() is not None and self._api.events.empty():
                    return "exited"
        return None

    def _describe(self, event):
        if event is None:
            return f"the function did not start within {self.init_seconds} seconds"
        if isinstance(event, Outcome):
            return event.body.decode(errors="replace")
        code = self._process.returncode
        return f"Runtime exited with error: signal: {signal.Signals(-code).name}" if code < 0 else f"Runtime exited with error: exit status {code}"

    def _log(self, request_id, began):
        duration = (time.monotonic() - began) * 1000
        version = self.variables.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        return (
            f"START RequestId: {request_id} Version: {version}\n{self._output.take()}"
            f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\n"
        )

    def _kill(self):
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._output.wait()

    def stop(self):
        """Ends the process and the API. Idempotent."""
        self._kill()
        if self._api is not None:
            self._api.close()
        self._process = None


class _Output:
    """Collects what a process writes."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._lock = threading.Lock()
        self._text = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self._pipe:
            while chunk := self._pipe.read1(65536):
                with self._lock:
                    self._text = (self._text + chunk)[:MAX_LOG_BYTES]

    def take(self):
        with self._lock:
            text, self._text = self._text, b""
        return text.decode(errors="replace")

    def wait(self):
        """Waits for the end of a process that was killed, children of its own excepted."""
        self._thread.join(timeout=1)
