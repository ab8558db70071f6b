#!/usr/bin/env python3
"""Runs an emulator of AWS on this machine, without Docker.

    python3 localstack/emulator.py up ministack      install, start, wait until ready
    python3 localstack/emulator.py down ministack    end it and remove what it left
    python3 localstack/emulator.py check ministack   fail unless it answers, whoever started it
    python3 localstack/emulator.py install ministack only install

An emulator listens on 127.0.0.1 only; `up` checks that and ends it otherwise. It lives in
.emulators/NAME (process id, log, temporary files) and is installed into .tools/. Standard
library only, so that it runs before anything is installed.
"""

import argparse
import fcntl
import hashlib
import http.client
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
LOOPBACK = "127.0.0.1"
READY_SECONDS = 120
STOP_SECONDS = 2


class Problem(Exception):
    """What a person has to do something about."""


class Emulator:
    """What is particular to one emulator."""

    def __init__(self, name, port, health, requirements):
        self.name = name
        self.port = int(os.environ.get("EMULATOR_PORT", port))
        self.health = health
        self.requirements = HERE / requirements
        self.state = ROOT / ".emulators" / name

    @property
    def url(self):
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def venv(self):
        """Named after what is in it, so a newer pin installs itself."""
        digest = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        return ROOT / ".tools" / f"{self.name}-{digest[:12]}"

    def command(self):
        python = str(self.venv / "bin" / "python")
        if self.name == "ministack":
            return [python, str(HERE / "ministack_main.py")]
        return [python, "-m", "localstack.runtime.main"]

    def environment(self):
        shared = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.state),
            "TMPDIR": str(self.state / "tmp"),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        return shared | getattr(self, "_" + self.name)()

    def _ministack(self):
        return {
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.url,
            "LAMBDA_EXECUTOR": "local",
            # Without these two it also listens on all interfaces.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # "true" makes it enforce IAM.
            "AUTH": os.environ.get("EMULATOR_AUTH", "false"),
            # The trail tells the tests which calls the functions made.
            "CLOUDTRAIL_RECORDING": "1",
            "CLOUDTRAIL_MAX_EVENTS": "100000",
        }

    def _localstack(self):
        address = f"{LOOPBACK}:{self.port}"
        return {
            "GATEWAY_LISTEN": address,
            "GATEWAY_SERVER": "hypercorn",  # the other one cannot listen on loopback only
            "LOCALSTACK_HOST": address,
            "DNS_ADDRESS": "0",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "FILESYSTEM_ROOT": str(self.state / "root"),
            # Our own, in executor/, found by its entry point.
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "PYTHONPATH": str(HERE / "executor"),
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "1",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
        }


def emulators():
    return {
        "ministack": Emulator("ministack", 4571, "/_ministack/health", "requirements-ministack.txt"),
        "localstack": Emulator("localstack", 4566, "/_localstack/health", "requirements-localstack.txt"),
    }


def install(emulator):
    """Makes the virtual environment, unless it is there or somebody else is making it."""
    emulator.venv.parent.mkdir(exist_ok=True)
    with open(emulator.venv.parent / f"{emulator.name}.lock", "w") as lock:
        # The kernel lets go of it however this process ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = emulator.venv / "done"
        if not done.exists():
            build(emulator)
            done.touch()


def build(emulator):
    if sys.version_info[:2] != (3, 11) or platform.system() != "Linux":
        print(f"note: {emulator.requirements.name} was made for Python 3.11 on Linux; this is {platform.python_version()} on {platform.system()}", file=sys.stderr)
    shutil.rmtree(emulator.venv, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(emulator.venv)], "make a virtual environment (Debian: apt-get install python3-venv)")
    pip = [str(emulator.venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--require-hashes", "-r", str(emulator.requirements)], f"install {emulator.requirements.name}")


def run(command, purpose):
    if subprocess.run(command, check=False).returncode != 0:
        raise Problem(f"could not {purpose}")


def up(emulator):
    if running(emulator):
        raise Problem(f"{emulator.name} is running already, at {emulator.url}; end it first: python3 localstack/emulator.py down {emulator.name}")
    require_free(emulator.port)
    began = time.monotonic()
    install(emulator)
    installed = time.monotonic()
    process = start(emulator)
    try:
        wait_ready(emulator, process)
        require_loopback(process.pid)
    except BaseException:
        down(emulator)
        raise
    print(f"{emulator.name} ready at {emulator.url}: install {installed - began:.1f}s, start {time.monotonic() - installed:.1f}s")


def require_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Problem(f"port {port} is taken ({error.strerror}); end what listens there, or set EMULATOR_PORT") from None


def start(emulator):
    shutil.rmtree(emulator.state, ignore_errors=True)
    (emulator.state / "tmp").mkdir(parents=True)
    with open(emulator.state / "log", "wb") as log:
        # A session of its own: `down` ends it with every function that it started.
        process = subprocess.Popen(
            emulator.command(), env=emulator.environment(), cwd=emulator.state, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (emulator.state / "pid").write_text(f"{process.pid} {started(process.pid)}")
    return process


def started(pid):
    """Returns when a process started, in the kernel's clock: a process id may be used again."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def running(emulator):
    """Returns the id of the running process, or None."""
    try:
        pid, since = (emulator.state / "pid").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if started(int(pid)) == since else None


def check(emulator):
    if not answers(emulator):
        raise Problem(f"no {emulator.name} answers at {emulator.url}; start it with: make {emulator.name}-up (EMULATOR_PORT says where, if not there)")


def answers(emulator):
    try:
        with urllib.request.urlopen(emulator.url + emulator.health, timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False


def wait_ready(emulator, process):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Problem(f"{emulator.name} ended with exit code {process.returncode}:\n{tail(emulator)}")
        if answers(emulator):
            return
        time.sleep(0.1)
    raise Problem(f"{emulator.name} was not ready within {READY_SECONDS} seconds:\n{tail(emulator)}")


def tail(emulator):
    log = (emulator.state / "log").read_text(errors="replace")
    kept = ROOT / ".emulators" / f"{emulator.name}.log"
    kept.write_text(log)
    return "\n".join(log.splitlines()[-15:]) + f"\n(all of it: {kept})"


def require_loopback(pid):
    wide = [address for address in listening(pid) if not address.startswith(("127.", "::1"))]
    if wide:
        raise Problem(f"it listens on {', '.join(wide)}, not on loopback only; it was ended")


def listening(pid):
    """Returns the addresses that a process listens on."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    addresses = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            lines = pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and fields[9] in inodes:
                addresses.append(decode(fields[1], family))
    return addresses


def decode(text, family):
    """Reads an address as /proc/net/tcp prints it: words in the machine's byte order."""
    host, port = text.split(":")
    words = bytes.fromhex(host)
    if sys.byteorder == "little":
        words = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
    return f"{socket.inet_ntop(family, words)}:{int(port, 16)}"


def down(emulator):
    """Ends what `up` started, if it is still there, and removes what it left."""
    pid = running(emulator)
    if pid is not None:
        stop(pid)
    shutil.rmtree(emulator.state, ignore_errors=True)


def stop(pid):
    # LocalStack closes its port at once but lingers for a minute: it gets little grace.
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and alive(pid):
            time.sleep(0.05)


def alive(group):
    try:
        os.waitpid(group, os.WNOHANG)  # when it is our own child, that is all that is left of it
    except ChildProcessError:
        pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["up", "down", "check", "install"])
    parser.add_argument("emulator", choices=sorted(emulators()))
    options = parser.parse_args(arguments)
    emulator = emulators()[options.emulator]
    try:
        {"up": up, "down": down, "check": check, "install": install}[options.verb](emulator)
    except Problem as problem:
        print(f"emulator.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
