"""Tests the environment with a bootstrap that does what its payload says.

    python3 -m unittest discover -s localstack/executor
"""

import json
import os
import pathlib
import stat
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

from millrace_executor.environment import Environment, InitError

BOOTSTRAP = f"""#!{sys.executable}
import http.client, json, os, sys, time
if os.environ.get("FAIL"):
    print("no configuration", flush=True)
    sys.exit(1)
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
base = "/2018-06-01/runtime/invocation/"
api = http.client.HTTPConnection(host, int(port))
while True:
    api.request("GET", base + "next")
    reply = api.getresponse()
    body, request_id = reply.read(), reply.headers["Lambda-Runtime-Aws-Request-Id"]
    do = json.loads(body)
    print("did", do, flush=True)
    if do == "crash":
        os._exit(3)
    if do == "hang":
        time.sleep(60)
    if do == "fail":
        api.request("POST", base + request_id + "/error", b'{{"errorType":"Bad"}}')
    elif do == "stream":
        def chunks():
            yield b'"first '
            yield b'second"'
        api.request("POST", base + request_id + "/response", chunks(), encode_chunked=True, headers={{"Transfer-Encoding": "chunked"}})
    else:
        told = {{"did": do, "pid": os.getpid(), "env": dict(os.environ), "cwd": os.getcwd(), "left": int(reply.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time(), "arn": reply.headers["Lambda-Runtime-Invoked-Function-Arn"]}}
        api.request("POST", base + request_id + "/response", json.dumps(told))
    answer = api.getresponse()
    answer.read()
    assert answer.status == 202, answer.status
"""


class EnvironmentTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        bootstrap = self.directory / "bootstrap"
        bootstrap.write_text(BOOTSTRAP)
        bootstrap.chmod(bootstrap.stat().st_mode | stat.S_IXUSR)

    def environment(self, timeout=10.0, **variables):
        environment = Environment(self.directory, variables, timeout)
        self.addCleanup(environment.stop)
        return environment

    def invoke(self, environment, do, request_id="r1"):
        return environment.invoke(request_id, json.dumps(do).encode(), "arn:f")

    def told(self, environment, do="tell"):
        outcome, _ = self.invoke(environment, do)
        self.assertFalse(outcome.is_error, outcome.body)
        return json.loads(outcome.body)

    def test_process_is_kept_warm(self):
        environment = self.environment()
        environment.start()
        self.assertEqual(self.told(environment)["pid"], self.told(environment)["pid"])

    def test_invocation_knows_its_function_and_deadline(self):
        environment = self.environment(timeout=7.0)
        environment.start()
        told = self.told(environment)
        self.assertEqual("arn:f", told["arn"])
        self.assertTrue(5 < told["left"] <= 7, told["left"])
        self.assertEqual(str(self.directory), told["cwd"])

    def test_environment_is_the_functions_own(self):
        os.environ["SECRET_OF_THE_EMULATOR"] = "x"
        self.addCleanup(os.environ.pop, "SECRET_OF_THE_EMULATOR")
        environment = self.environment(MINE="1", AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128, NOTHING=None)
        environment.start()
        variables = self.told(environment)["env"]
        self.assertEqual(("1", "128"), (variables["MINE"], variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]))
        self.assertNotIn("SECRET_OF_THE_EMULATOR", variables)
        self.assertNotIn("NOTHING", variables)

    def test_error_of_the_function_is_an_error(self):
        environment = self.environment()
        environment.start()
        outcome, _ = self.invoke(environment, "fail")
        self.assertEqual((True, b'{"errorType":"Bad"}'), (outcome.is_error, outcome.body))

    def test_chunked_response_is_put_together(self):
        environment = self.environment()
        environment.start()
        outcome, _ = self.invoke(environment, "stream")
        self.assertEqual((False, b'"first second"'), (outcome.is_error, outcome.body))

    def test_crash_is_reported_and_the_next_process_works(self):
        environment = self.environment()
        environment.start()
        first = self.told(environment)["pid"]
        outcome, _ = self.invoke(environment, "crash", "r2")
        body = json.loads(outcome.body)
        self.assertEqual("Runtime.ExitError", body["errorType"])
        self.assertIn("RequestId: r2 Error: Runtime exited with error: exit status 3", body["errorMessage"])
        self.assertNotEqual(first, self.told(environment)["pid"])

    def test_timeout_kills_the_process(self):
        environment = self.environment(timeout=0.5)
        environment.start()
        first = self.told(environment)["pid"]
        outcome, log = self.invoke(environment, "hang")
        body = json.loads(outcome.body)
        self.assertEqual("Sandbox.Timedout", body["errorType"])
        self.assertIn("Task timed out after 0.50 seconds", body["errorMessage"])
        self.assertIn("did hang", log)
        with self.assertRaises(ProcessLookupError):
            os.kill(first, 0)
        self.assertNotEqual(first, self.told(environment)["pid"])

    def test_log_has_what_the_invocation_printed(self):
        environment = self.environment()
        environment.start()
        self.invoke(environment, "tell", "r1")
        _, log = self.invoke(environment, "again", "r2")
        self.assertIn("START RequestId: r2 Version: $LATEST\ndid again\nEND RequestId: r2\nREPORT RequestId: r2", log)

    def test_start_that_fails_says_why(self):
        environment = self.environment(FAIL="1")
        with self.assertRaisesRegex(InitError, "(?s)exit status 1.*no configuration"):
            environment.start()

    def test_stop_leaves_no_process_and_no_server(self):
        environment = self.environment()
        environment.start()
        told = self.told(environment)
        environment.stop()
        environment.stop()
        with self.assertRaises(ProcessLookupError):
            os.kill(told["pid"], 0)
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(f"http://{told['env']['AWS_LAMBDA_RUNTIME_API']}/", timeout=1)

    def test_extension_registers(self):
        environment = self.environment()
        environment.start()
        address = self.told(environment)["env"]["AWS_LAMBDA_RUNTIME_API"]
        request = urllib.request.Request(f"http://{address}/2020-01-01/extension/register", data=b'{"events":[]}', method="POST")
        with urllib.request.urlopen(request, timeout=5) as reply:
            self.assertTrue(reply.headers["Lambda-Extension-Identifier"])


if __name__ == "__main__":
    unittest.main()
