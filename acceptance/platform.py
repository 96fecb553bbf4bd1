"""The platform under test: server, database, simulated channel and fleet as processes that can be killed."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import httpx

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


class Platform:
    """A server with demo data and a simulated world, in a folder of its own."""

    def __init__(self, chargers=16, drivers=0, settings=None, folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="wattyard-acceptance."))
        os.chmod(self.folder, 0o755)
        self.port, self.bank_port = free_port(), free_port()
        self.url, self.bank = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.bank_port}"
        self.chargers, self.drivers = chargers, drivers
        self.server = self.fleet = None
        self.environment = os.environ | {
            "WATTYARD_HTTP": f"127.0.0.1:{self.port}",
            "WATTYARD_ADMIN_PASSWORD": PASSWORD,
            "WATTYARD__DATABASE__FOLDER": str(self.folder / "var"),
            "WATTYARD__HTTP__PUBLIC_URL": self.url,
            "WATTYARD__PAYMENT__SANDBOX__URL": self.bank,
            "RUST_LOG": "info",
        } | (settings or {})

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
        until("demo data", lambda: self.guest().get("/readyz").status_code == 200)

    def start_server(self):
        log = open(self.folder / "server.log", "ab")
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
        return (self.folder / "server.log").read_text(errors="replace")

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

    def database_pid(self):
        """The process of the private cluster; a folder names it in its first line."""
        [found] = (self.folder / "var").glob("**/postmaster.pid")
        return int(found.read_text().split()[0])

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

    def staff(self, username, password=PASSWORD):
        answer = self.guest().post("/api/v1/auth/login", {"username": username, "password": password})
        assert answer.status_code == 200, f"{username} cannot log in: {answer.status_code} {answer.text}"
        return Caller(self, answer.json()["access_token"], username)

    def admin(self):
        return self.staff("admin")

    def driver(self, phone):
        asked = self.guest().post("/api/app/v1/auth/code", {"phone": phone})
        assert asked.status_code == 200, f"{phone} gets no code: {asked.status_code} {asked.text}"

        def code():
            found = httpx.get(f"{self.bank}/messages", params={"phone": phone})
            return found.status_code == 200 and found.json()["code"]

        answer = self.guest().post("/api/app/v1/auth/login", {"phone": phone, "code": until("a code", code)})
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
