"""Tests what emulator.py refuses, and that `down` ends only what `up` started.

    python3 -m unittest discover -s localstack
"""

import fcntl
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import emulator as subject


class Fake(subject.Emulator):
    """An emulator that is a script of the test."""

    def __init__(self, state, script, port):
        super().__init__("fake", port, "/", "requirements-ministack.txt")
        self.port, self.state, self.script = port, state, script

    def command(self):
        return [sys.executable, "-c", self.script]

    def _fake(self):
        return {}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


SERVE = "import http.server; http.server.HTTPServer(({host!r}, {port}), type('H', (http.server.BaseHTTPRequestHandler,), {{'do_GET': lambda s: (s.send_response(200), s.end_headers())}})).serve_forever()"


class EmulatorTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.state = pathlib.Path(directory.name) / "fake"
        self.addCleanup(setattr, subject, "build", subject.build)
        self.builds = []
        subject.build = self.build
        self.addCleanup(setattr, subject, "ROOT", subject.ROOT)
        subject.ROOT = pathlib.Path(directory.name)
        (subject.ROOT / ".emulators").mkdir()

    def build(self, emulator):
        emulator.venv.mkdir(parents=True)
        self.builds.append(emulator)

    def fake(self, host="127.0.0.1", script=None):
        port = free_port()
        made = Fake(self.state, script or SERVE.format(host=host, port=port), port)
        self.addCleanup(subject.down, made)
        return made

    def test_up_and_down_leave_nothing(self):
        fake = self.fake()
        subject.up(fake)
        pid = subject.running(fake)
        self.assertIsNotNone(pid)
        with self.assertRaisesRegex(subject.Problem, "is running already"):
            subject.up(fake)
        subject.down(fake)
        subject.down(fake)
        self.assertFalse(subject.alive(pid))
        self.assertFalse(self.state.exists())

    def test_two_installers_build_once(self):
        fake = self.fake()
        started, finish = threading.Event(), threading.Event()

        def slow(emulator):
            self.build(emulator)
            started.set()
            finish.wait(10)

        subject.build = slow
        first = threading.Thread(target=subject.install, args=[fake])
        first.start()
        self.assertTrue(started.wait(10))
        with open(subject.ROOT / ".tools" / "fake.lock", "w") as lock, self.assertRaises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a second installer would wait here
        finish.set()
        first.join()
        subject.install(fake)
        self.assertEqual(self.builds, [fake])

    def test_failed_installation_is_begun_again(self):
        fake = self.fake()

        def broken(emulator):
            raise subject.Problem("no network")

        subject.build = broken
        with self.assertRaisesRegex(subject.Problem, "no network"):
            subject.install(fake)
        subject.build = self.build
        subject.install(fake)
        self.assertEqual(self.builds, [fake])

    def test_check_says_how_to_start_what_does_not_answer(self):
        fake = self.fake()
        with self.assertRaisesRegex(subject.Problem, f"no fake answers at http://127.0.0.1:{fake.port}; start it with: make fake-up"):
            subject.check(fake)
        subject.up(fake)
        subject.check(fake)

    def test_check_is_not_taken_in_by_another_server(self):
        fake = self.fake()
        with socket.socket() as other:
            other.bind(("127.0.0.1", fake.port))
            other.listen()
            talker = threading.Thread(target=lambda: other.accept()[0].sendall(b"SSH-2.0-OpenSSH\r\n"))
            talker.start()
            with self.assertRaisesRegex(subject.Problem, "no fake answers"):
                subject.check(fake)
            talker.join()

    def test_taken_port_is_named(self):
        fake = self.fake()
        with socket.socket() as other:
            other.bind(("127.0.0.1", fake.port))
            other.listen()
            with self.assertRaisesRegex(subject.Problem, f"port {fake.port} is taken"):
                subject.up(fake)

    def test_emulator_that_ends_is_noticed_with_its_log(self):
        fake = self.fake(script="print('no such plugin'); raise SystemExit(7)")
        with self.assertRaisesRegex(subject.Problem, "(?s)exit code 7.*no such plugin"):
            subject.up(fake)
        self.assertFalse(self.state.exists())

    def test_emulator_that_listens_on_all_interfaces_is_ended(self):
        fake = self.fake(host="0.0.0.0")
        with self.assertRaisesRegex(subject.Problem, "0.0.0.0:.*not on loopback only"):
            subject.up(fake)
        self.assertIsNone(subject.running(fake))

    def test_down_does_not_end_a_process_with_a_reused_id(self):
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
        self.addCleanup(other.communicate, b"\n")
        fake = self.fake()
        self.state.mkdir()
        (self.state / "pid").write_text(f"{other.pid} 1")
        subject.down(fake)
        self.assertIsNone(other.poll())


if __name__ == "__main__":
    unittest.main()
