"""Faults during traffic: SIGKILL of server and database, a channel that hangs, lies and loses, slow clients, a full disk.
Afterwards the channel's books equal ours and `backend verify` finds nothing."""

import concurrent.futures
import contextlib
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import threading
import time
import uuid

import httpx

from acceptance import world
from acceptance.platform import Platform, until

PLATFORM = {"drivers": 8}
KILLS = 4
SLOW_CLIENTS = 500
# How much slower others may become beside slow clients and one hot row.
RATIO = 3


class Recharges:
    """Recharges under keys that are repeated until they are answered; each must have counted once."""

    def __init__(self, platform, cards):
        self.platform, self.cards, self.stopping = platform, cards, threading.Event()
        self.answered, self.sent = 0, 0
        self.threads = [threading.Thread(target=self.work, args=(it,)) for it in cards]
        for thread in self.threads:
            thread.start()

    def work(self, card):
        staff = self.platform.staff(world.PROPERTIES[0])
        while not self.stopping.is_set():
            key, self.sent = str(uuid.uuid4()), self.sent + 1
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    answer = staff.post(f"/api/v1/members/cards/{card}/recharge", {"amount_fen": 1}, key)
                    if answer.status_code == 200:
                        self.answered += 1
                        break
                    if answer.status_code == 401:
                        staff = self.platform.staff(world.PROPERTIES[0])
                time.sleep(0.2)
            time.sleep(0.05)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)


def kill_database(platform):
    os.kill(platform.database_pid(), signal.SIGKILL)


def kills(platform, findings, cards):
    """Server and database are killed in turn while drivers charge and cards are recharged."""
    staff = platform.staff(world.PROPERTIES[0])
    balance = lambda: sum(staff.get(f"/api/v1/members/cards/{it}").json()["balance_fen"] for it in cards)
    before, recharges = balance(), Recharges(platform, cards)
    moments = random.Random(3)
    for turn in range(KILLS):
        time.sleep(moments.uniform(3, 8))
        platform.faults(delay_ms=400, duplicate=20, reorder=20, lose=10, unknown=10)
        if turn % 2 == 0:
            platform.kill_server()
            platform.start_server()
            findings.checked("SIGKILLs of the server")
        else:
            kill_database(platform)
            until("the server has its database again", platform.ready, 60)
            findings.checked("SIGKILLs of the database")
    recharges.stop()
    platform.faults()
    moved = balance() - before
    findings.checked("recharges repeated through kills", recharges.answered)
    findings.expect(moved == recharges.answered, f"{recharges.answered} recharges were answered, {moved} counted")


def read_times(platform, count=150):
    """How long reads of others take, in seconds."""
    admin, times = platform.admin(), []
    for _ in range(count):
        began = time.monotonic()
        answer = admin.get("/api/v1/orders/car", size=20)
        assert answer.status_code == 200, f"a read beside slow clients: {answer.status_code}"
        times.append(time.monotonic() - began)
    return statistics.quantiles(times, n=100)[98]


def slow_clients(platform, findings, card):
    """500 clients that send half a body byte by byte, and 200 requests on one row, leave others' p99 within three times."""
    quiet = read_times(platform)
    lines = []
    for _ in range(SLOW_CLIENTS):
        line = socket.create_connection(("127.0.0.1", platform.port))
        line.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{")
        lines.append(line)
    ending = threading.Event()

    def dribble():
        while not ending.wait(0.5):
            for line in lines:
                with contextlib.suppress(OSError):
                    line.send(b" ")

    threading.Thread(target=dribble, daemon=True).start()
    staff = platform.staff(world.PROPERTIES[0])
    with concurrent.futures.ThreadPoolExecutor(201) as pool:
        hot = [pool.submit(staff.post, f"/api/v1/members/cards/{card}/recharge", {"amount_fen": 1}) for _ in range(200)]
        beside = read_times(platform)
        statuses = {it.result().status_code for it in hot}
    findings.expect(platform.reach(f"{platform.url}/readyz"), "/readyz beside slow clients")
    ending.set()
    for line in lines:
        line.close()
    findings.checked("slow clients", SLOW_CLIENTS)
    findings.expect(statuses <= {200, 409, 429}, f"200 requests on one row: {sorted(statuses)}")
    findings.expect(beside <= RATIO * quiet, f"the p99 of others became {beside / quiet:.1f} times as long")
    print(f"    p99 of others {quiet * 1000:.0f} ms, beside slow clients and a hot row {beside * 1000:.0f} ms ({beside / quiet:.1f} times)")


def books_agree(platform, findings):
    """What the channel took and gave back is what we say."""
    admin = platform.admin()

    def unfinished():
        refunds = admin.rows("/api/v1/orders/refunds")
        orders = admin.rows("/api/v1/orders/car")
        return [it for it in refunds if it["state"] in ("created", "sent", "processing")] + [
            it for it in orders if it["state"] not in ("completed", "cancelled", "failed")
        ]

    until("what is under way ends", lambda: not unfinished(), 240, 2)
    books = platform.books()
    ours = {it["payment_no"]: it for it in admin.rows("/api/v1/orders/payments")}
    for number, theirs in books["payments"].items():
        mine = ours.get(number)
        findings.expect((theirs["state"] == "paid") == (mine is not None and mine["state"] == "paid"), f"payment {number}: {theirs['state']} there, {mine and mine['state']} here")
    refunds = {it["refund_no"]: it for it in admin.rows("/api/v1/orders/refunds")}
    for number, theirs in books["refunds"].items():
        mine = refunds.get(number)
        same = mine is not None and (theirs["state"] == "succeeded") == (mine["state"] == "succeeded") and theirs["amount_fen"] == mine["amount_fen"]
        findings.expect(same, f"refund {number}: {theirs['state']} {theirs['amount_fen']} there, {mine and mine['state']} here")
    lost = [it for it in refunds.values() if it["state"] == "succeeded" and it["refund_no"] not in books["refunds"]]
    findings.expect(not lost, f"{len(lost)} refunds that the channel does not know")
    findings.checked("payments compared with the channel", len(books["payments"]))
    findings.checked("refunds compared with the channel", len(books["refunds"]))


def full_disk(findings):
    """The database's disk is full: writes are refused as unavailable, nothing is half done, and it recovers."""
    folder = pathlib.Path("/tmp/wattyard-acceptance-disk")
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m,mode=755", "tmpfs", folder], capture_output=True)
    if not findings.expect(mounted.returncode == 0, "a small disk could not be mounted"):
        return
    try:
        with Platform(chargers=0, folder=folder) as platform:
            staff = platform.staff(world.PROPERTIES[0])
            station = staff.rows("/api/v1/car/stations")[0]
            product = world.card_product(staff, station["property_id"], station["provider_id"])
            card = world.card(staff, product).json()
            path = f"/api/v1/members/cards/{card['id']}"
            filler = folder / "filler"
            with open(filler, "wb") as it, contextlib.suppress(OSError):
                while True:
                    it.write(b"\0" * 65536)
            answers = []
            for _ in range(400):
                answers.append(staff.post(f"{path}/recharge", {"amount_fen": 1}))
            statuses = {it.status_code for it in answers}
            findings.expect(statuses <= {200, 503}, f"on a full disk: {sorted(statuses)}")
            filler.unlink()
            until("it recovers", platform.ready, 60)
            until("it writes again", lambda: staff.post(f"{path}/recharge", {"amount_fen": 1}).status_code == 200, 60)
            good = sum(it.status_code == 200 for it in answers) + 1
            balance = staff.get(path).json()["balance_fen"] - card["balance_fen"]
            findings.expect(balance >= good, f"on a full disk {good} recharges were answered, {balance} counted")
            findings.checked("requests on a full disk", len(answers))
            findings.verify(platform, "after the disk was full")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def run(platform, findings):
    staff = platform.staff(world.PROPERTIES[0])
    station = staff.rows("/api/v1/car/stations")[0]
    product = world.card_product(staff, station["property_id"], station["provider_id"])
    cards = [world.card(staff, product).json()["id"] for _ in range(4)]
    slow_clients(platform, findings, cards[0])
    kills(platform, findings, cards)
    # Where stations are disabled nobody begins anew, and what runs goes on to its end.
    for it in platform.admin().rows("/api/v1/car/stations"):
        platform.admin().post(f"/api/v1/car/stations/{it['id']}/disable")
    books_agree(platform, findings)
    findings.verify(platform, "after the faults")
    full_disk(findings)
