"""The platform under test: server, database, simulated channel and fleet as processes that can be killed."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

import httpx

from acceptance.liar import Liar

ROOT = pathlib.Path(__file__).resolve().parent.parent
BACKEND = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "backend"
PASSWORD = "Acceptance-7731"


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def until(what, condition, seconds=60, pause=0.1):
    """Waits for a condition and gives its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s")


def patiently(send, seconds=90):
    """Sends again what was turned away for a moment: too many ask, or something is out of order."""
    deadline = time.monotonic() + seconds
    while True:
        answer = send()
        if answer.status_code not in (429, 503) or time.monotonic() > deadline:
            return answer
        time.sleep(min(int(answer.headers.get("retry-after", 1)), 10))


class Platform:
    """A server with demo data and a simulated world, in a folder of its own."""

    def __init__(self, chargers=16, drivers=0, settings=None, data=None, log=None, liar=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wattyard-acceptance."))
        os.chmod(self.folder, 0o755)
        self.data, self.log_file = pathlib.Path(data or self.folder / "var"), pathlib.Path(log or self.folder / "server.log")
        self.port, self.bank_port = free_port(), free_port()
        self.url, self.bank = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.bank_port}"
        self.callers, self.lock = {}, threading.Lock()
        # What stands between the platform and the channel, if anything does.
        liar_port = free_port()
        self.liar = Liar(liar_port, self.bank) if liar else None
        self.chargers, self.drivers = chargers, drivers
        self.server = self.fleet = None
        self.environment = os.environ | {
            "WATTYARD_HTTP": f"127.0.0.1:{self.port}",
            "WATTYARD_ADMIN_PASSWORD": PASSWORD,
            "WATTYARD__DATABASE__FOLDER": str(self.data),
            # On any free address: several of these run beside each other, and beside a developer's own.
            "WATTYARD__METRICS__HTTP": "127.0.0.1:0",
            "WATTYARD__HTTP__PUBLIC_URL": self.url,
            "WATTYARD__PAYMENT__SANDBOX__URL": f"http://127.0.0.1:{liar_port}" if liar else self.bank,
            "RUST_LOG": "info",
        } | (settings or {})
        self.forget_unknown_settings()

    def forget_unknown_settings(self):
        """A server refuses settings that it does not know; an older one does without them."""
        while True:
            told = subprocess.run([BACKEND, "serve", "--print-config"], env=self.environment, capture_output=True, text=True, cwd=self.folder)
            unknown = re.search(r"unknown field `(\w+)`", told.stderr)
            names = [it for it in self.environment if unknown and re.search(f"__{unknown[1]}(__|$)", it.lower())]
            if not names:
                return
            for it in names:
                del self.environment[it]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if not os.environ.get("ACCEPTANCE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self.start_server()
        self.start_fleet()

    def start_server(self):
        log = open(self.log_file, "ab")
        self.server = subprocess.Popen([BACKEND, "serve", "--demo"], env=self.environment, stdout=log, stderr=log, cwd=self.folder)
        until("the server is ready", self.ready, 120)

    def start_fleet(self):
        log = open(self.folder / "fleet.log", "ab")
        simulate = [BACKEND, "simulate", "--url", self.url, "--bank", f"127.0.0.1:{self.bank_port}"]
        simulate += ["--chargers", str(self.chargers), "--drivers", str(self.drivers)]
        simulate += ["--sample-seconds", "1", "--charge-seconds", "3", "8", "--away-seconds", "1", "3"]
        self.fleet = subprocess.Popen(simulate, env=self.environment, stdout=log, stderr=log, cwd=self.folder)
        until("the channel is there", lambda: self.reach(f"{self.bank}/books"))

    def ready(self):
        if self.server.poll() is not None:
            raise AssertionError(f"the server has ended: {self.log()[-2000:]}")
        return self.reach(f"{self.url}/readyz")

    @staticmethod
    def reach(url):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(url, timeout=5).status_code == 200
        return False

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.is_file() else ""

    def kill_server(self):
        """SIGKILL, as a power cut would."""
        self.server.kill()
        self.server.wait()

    def stop(self):
        for process in (self.fleet, self.server):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()

    def secret(self):
        """What the platform and the simulated channel sign with."""
        return (self.data / "sandbox-secret").read_text().strip()

    def database_pid(self):
        """The process of the private cluster; a file in its folder names it in its first line."""
        found = until("the database runs", lambda: list(self.data.glob("**/postmaster.pid")))
        return int(found[0].read_text().split()[0])

    def verify(self):
        """What `backend verify` finds; an empty list when all is well."""
        done = subprocess.run([BACKEND, "verify"], env=self.environment, capture_output=True, text=True, cwd=self.folder)
        lines = done.stdout.strip().splitlines()
        if done.returncode == 0 and lines and lines[-1] == "0 broken":
            return []
        return lines or [done.stderr.strip()]

    # --- callers -----------------------------------------------------------------------------------------------------

    def guest(self):
        return Caller(self, None, "guest")

    def staff(self, username, password=PASSWORD, anew=False):
        """A user who has logged in; the same session for all who ask, unless they want one of their own."""
        with self.lock:
            if anew or username not in self.callers:
                answer = patiently(lambda: self.guest().post("/api/v1/auth/login", {"username": username, "password": password}))
                assert answer.status_code == 200, f"{username} cannot log in: {answer.status_code} {answer.text}"
                self.callers[username] = Caller(self, answer.json()["access_token"], username)
            return self.callers[username]

    def admin(self):
        return self.staff("admin")

    def driver(self, phone):
        guest = self.guest()
        asked = patiently(lambda: guest.post("/api/app/v1/auth/code", {"phone": phone}))
        assert asked.status_code in (200, 202, 204), f"{phone} gets no code: {asked.status_code} {asked.text}"

        def code():
            found = httpx.get(f"{self.bank}/messages", params={"phone": phone})
            return found.status_code == 200 and found.json()["code"]

        form = {"phone": phone, "code": until("a code", code)}
        answer = patiently(lambda: guest.post("/api/app/v1/auth/login", form))
        assert answer.status_code == 200, f"{phone} cannot log in: {answer.status_code} {answer.text}"
        return Caller(self, answer.json()["access_token"], phone)

    def pay(self, payment_no):
        return httpx.post(f"{self.bank}/v1/wallet/pay", json={"payment_no": payment_no})

    def books(self):
        return httpx.get(f"{self.bank}/books", timeout=30).json()

    def faults(self, **faults):
        httpx.post(f"{self.bank}/control", json=faults).raise_for_status()


class Caller:
    """Somebody with a token. POST sends an idempotency key of its own unless told otherwise."""

    def __init__(self, platform, token, name):
        self.platform, self.token, self.name = platform, token, name
        headers = {"accept-language": "en"} | ({"authorization": f"Bearer {token}"} if token else {})
        # The server closes a line that is idle for some seconds; we do so before.
        limits = httpx.Limits(max_connections=100, keepalive_expiry=2)
        self.http = httpx.Client(base_url=platform.url, headers=headers, timeout=60, limits=limits)

    def get(self, path, **params):
        return self.http.get(path, params=params or None)

    def post(self, path, body=None, key=None):
        return self.http.post(path, json=body if body is not None else {}, headers={"idempotency-key": key or str(uuid.uuid4())})

    def put(self, path, body):
        return self.http.put(path, json=body)

    def rows(self, path, **params):
        """All rows of a list."""
        rows, page = [], 1
        while True:
            answer = self.get(path, page=page, size=200, **params)
            assert answer.status_code == 200, f"{self.name} GET {path}: {answer.status_code} {answer.text}"
            items = answer.json()["items"]
            rows += items
            if len(items) < 200:
                return rows
            page += 1
