"""Faults during traffic: SIGKILL of server and database, a channel that hangs, lies and loses, slow clients, a full disk.
Afterwards the channel's books equal ours and `backend verify` finds nothing."""

import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import threading
import time
import uuid

import httpx

from acceptance import world
from acceptance.charger import Chargers
from acceptance.crowd import HOT, Crowd
from acceptance.liar import MANNERS, Signer
from acceptance.platform import Platform, patiently, until

PLATFORM = {
    "drivers": 10,
    "liar": True,
    # What is waited for in days or minutes is waited for in seconds: what comes after is the same.
    "settings": {
        "WATTYARD__PAYMENT__SANDBOX__TIMEOUT_SECONDS": "3",
        "WATTYARD__PAYMENT__NOT_FOUND_SECONDS": "5",
        "WATTYARD__CHARGING__PAY_SECONDS": "40",
        "WATTYARD__CHARGING__START_SECONDS": "20",
        "WATTYARD__CHARGING__SILENT_SECONDS": "30",
        "WATTYARD__CHARGING__SUSPENDED_SETTLE_SECONDS": "20",
        "WATTYARD__JOBS__LEASE_SECONDS": "10",
        # All drivers come from one address, and log in again after what went wrong.
        "WATTYARD__SMS__CODES_PER_MINUTE": "10000",
        "WATTYARD__SMS__TRIES_PER_MINUTE": "10000",
        "WATTYARD__SMS__UNUSED_PER_ADDRESS": "10000",
        "WATTYARD__SMS__CODES_PER_PHONE": "1000",
    },
}
KILLS = 9
SLOW_CLIENTS = 500
# How much slower others may become beside slow clients and one hot row.
RATIO = 3
SLICES = 4
# How long each way of the channel to be wrong lasts.
MISLED_SECONDS = 5


class Recharges:
    """Recharges under keys that are repeated until they are answered; each must have counted once."""

    def __init__(self, platform, cards):
        self.platform, self.stopping, self.answered = platform, threading.Event(), dict.fromkeys(cards, 0)
        self.statuses = set()
        self.threads = [threading.Thread(target=self.work, args=(it,), daemon=True) for it in cards]
        for thread in self.threads:
            thread.start()

    def work(self, card):
        staff = self.platform.staff(world.PROPERTIES[0])
        while not self.stopping.is_set():
            key = str(uuid.uuid4())
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    answer = staff.post(f"/api/v1/members/cards/{card}/recharge", {"amount_fen": 1}, key)
                    self.statuses.add(answer.status_code)
                    if answer.status_code == 200:
                        self.answered[card] += 1
                        break
                time.sleep(0.2)
            time.sleep(0.05)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)


def kill_server(platform):
    platform.kill_server()
    platform.start_server()


def kill_database(platform):
    """The head of PostgreSQL, without which the rest of it ends."""
    os.kill(platform.database_pid(), signal.SIGKILL)
    until("the server has its database again", platform.ready, 60)


def kill_connection(platform):
    """One process of PostgreSQL, upon which it ends all the others and recovers."""
    children = pathlib.Path(f"/proc/{platform.database_pid()}/task/{platform.database_pid()}/children").read_text().split()
    serving = [it for it in children if "wattyard" in command(it)]
    os.kill(int(serving[0] if serving else children[-1]), signal.SIGKILL)
    time.sleep(0.5)
    until("the server has its database again", platform.ready, 60)


def command(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def kills(platform, findings, cards):
    """Server and database are killed in turn while drivers charge and cards are recharged."""
    staff = platform.staff(world.PROPERTIES[0])
    balance = lambda: {it: staff.get(f"/api/v1/members/cards/{it}").json()["balance_fen"] for it in cards}
    before, recharges = balance(), Recharges(platform, cards)
    moments = random.Random(3)
    platform.faults(delay_ms=400, duplicate=20, reorder=20, lose=10, unknown=10, fail=10)
    for turn in range(KILLS):
        time.sleep(moments.uniform(2, 6))
        deed = (kill_server, kill_database, kill_connection)[turn % 3]
        began = time.monotonic()
        try:
            deed(platform)
        except AssertionError as error:
            findings.expect(False, f"{deed.__name__}: {error}")
            # The rest can be tried all the same.
            kill_server(platform)
        findings.checked("SIGKILLs")
        print(f"    {deed.__name__}: serves again after {time.monotonic() - began:.1f} s", flush=True)
    time.sleep(2)
    recharges.stop()
    platform.faults()
    after = balance()
    findings.checked("recharges repeated through kills", sum(recharges.answered.values()))
    for card in cards:
        moved = after[card] - before[card]
        findings.expect(moved == recharges.answered[card], f"{recharges.answered[card]} recharges of a card were answered, {moved} counted")
    findings.expect(sum(recharges.answered.values()) > 100, f"too few recharges for a test: {recharges.answered}")
    findings.expect(recharges.statuses <= {200, 409, 429, 503}, f"recharges through kills: {sorted(recharges.statuses)}")


class Trip:
    """A driver who orders, pays, charges and stops, and asks again whenever something went wrong."""

    def __init__(self, platform, chargers, driver, charger, connector):
        self.statuses = []
        self.work = threading.Thread(target=self.go, args=(platform, chargers, driver, charger, connector), daemon=True)
        self.work.start()

    def go(self, platform, chargers, driver, charger, connector):
        with contextlib.suppress(AssertionError, httpx.HTTPError, KeyError, concurrent.futures.TimeoutError):
            key, known = str(uuid.uuid4()), set(charger.running)
            made = until("an order", lambda: self.asked(world.order(driver, connector, key=key)), 60, 0.5)
            order = made.json()["order"]["id"]
            for _ in range(60):
                number = made.json().get("payment", {}).get("payment_no") or self.asked(driver.post(f"/api/app/v1/orders/{order}/pay"))
                number = number if isinstance(number, str) else number and number.json()["payment_no"]
                if number and platform.pay(number).status_code == 204:
                    break
                time.sleep(0.5)
            [transaction] = until("the charger was started", lambda: set(charger.running) - known, 60)
            chargers.run(charger.flow(transaction, 700))
            until("it stops", lambda: self.asked(driver.post(f"/api/app/v1/orders/{order}/stop")), 60, 0.5)

    def asked(self, answer):
        self.statuses.append(answer.status_code)
        return answer if answer.status_code < 300 else None


def misled(platform, findings):
    """The channel hangs, loses, forges and lies while drivers charge; nobody else notices."""
    platform.liar.secret = platform.secret()
    admin, staff, times, trips = platform.admin(), platform.staff(world.PROPERTIES[0]), [], []
    chargers = Chargers(platform)
    places = []
    for _ in MANNERS:
        row, connectors, password = world.charger(staff, connectors=2)
        places.append((chargers.connect(row["serial_no"], password), connectors[0]["id"]))
    drivers = [platform.driver(world.phone()) for _ in MANNERS]
    for manner, driver, place in zip(MANNERS, drivers, places):
        platform.liar.manner, before = manner, platform.liar.misled
        trips.append(Trip(platform, chargers, driver, *place))
        ending = time.monotonic() + MISLED_SECONDS
        while time.monotonic() < ending:
            began = time.monotonic()
            answer = admin.get("/api/v1/orders/car", size=20)
            findings.expect(answer.status_code == 200, f"a read while the channel is wrong ({manner}): {answer.status_code}")
            times.append(time.monotonic() - began)
            time.sleep(0.1)
        findings.expect(platform.reach(f"{platform.url}/readyz"), f"/readyz while the channel is wrong ({manner})")
        findings.expect(platform.liar.misled > before, f"the channel was not asked while it was wrong ({manner})")
        platform.liar.manner = None
        # A little of what is right lies between.
        time.sleep(1)
    for it in trips:
        it.work.join(60)
    statuses = sorted({status for it in trips for status in it.statuses})
    findings.expect(set(statuses) <= {200, 201, 202, 204, 409, 429, 503}, f"drivers were told {statuses} while the channel was wrong")
    findings.checked("ways of the channel to be wrong", len(MANNERS))
    findings.checked("wrong answers of the channel", platform.liar.misled)
    findings.expect(max(times) < 3, f"a read took {max(times):.1f} s while the channel was wrong")


def lying_notices(platform, findings):
    """Signed notices that contradict what is so change nothing, and unsigned ones are refused."""
    admin, signer, path = platform.admin(), Signer(platform.secret()), "/api/callbacks/sandbox"
    paid = [it for it in admin.rows("/api/v1/orders/payments", state="paid")][:4]
    succeeded = [it for it in admin.rows("/api/v1/orders/refunds", state="succeeded")][:4]
    findings.expect(len(paid) > 1 and len(succeeded) > 1, f"too little money moved: {len(paid)} payments, {len(succeeded)} refunds")
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    lies = []
    for it in paid:
        payment = {"event": "payment", "payment_no": it["payment_no"], "channel_no": it["channel_no"], "amount_fen": it["amount_fen"], "state": "paid", "at": now}
        lies += [payment, payment | {"state": "closed"}, payment | {"state": "paying"}, payment | {"amount_fen": it["amount_fen"] + 1}]
        lies += [payment | {"channel_no": "B0"}, payment | {"payment_no": "P0"}, payment | {"amount_fen": -it["amount_fen"]}]
    for it in succeeded:
        refund = {"event": "refund", "refund_no": it["refund_no"], "channel_no": it["channel_refund_no"], "amount_fen": it["amount_fen"], "state": "succeeded", "at": now}
        lies += [refund, refund | {"state": "failed"}, refund | {"state": "closed"}, refund | {"state": "processing"}, refund | {"amount_fen": 1}, refund | {"refund_no": "R0"}]
    state = lambda: [{name: admin.get(f"/api/v1/orders/{of}/{it['id']}").json()[name] for name in ("state", "amount_fen")} for of, rows in (("payments", paid), ("refunds", succeeded)) for it in rows]
    before, guest = state(), platform.guest()
    statuses = set()
    for lie in lies:
        body = json.dumps({"id": str(uuid.uuid4())} | lie).encode()
        good = guest.http.post(path, content=body, headers=signer.headers("POST", path, body) | {"content-type": "application/json"})
        statuses.add(good.status_code)
    for wrong in (Signer("other").headers("POST", path, body), signer.headers("POST", path, body + b" "), signer.headers("GET", path, body), {}):
        refused = guest.http.post(path, content=body, headers=wrong | {"content-type": "application/json"})
        findings.expect(refused.status_code in (401, 429), f"a notice that nobody signed: {refused.status_code}")
    findings.expect(statuses <= {200}, f"signed notices: {sorted(statuses)}")
    time.sleep(3)
    findings.expect(state() == before, f"lying notices changed {[it for it in zip(before, state()) if it[0] != it[1]][:2]}")
    findings.checked("lying notices", len(lies))


def read_times(platform, count):
    """How long reads of others take, in seconds."""
    admin, times = platform.admin(), []
    for _ in range(count):
        began = time.monotonic()
        answer = admin.get("/api/v1/orders/car", size=20)
        assert answer.status_code == 200, f"a read beside slow clients: {answer.status_code} {answer.text}"
        times.append(time.monotonic() - began)
        time.sleep(0.005)
    return times


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def slow_clients(platform, findings, card):
    """500 clients that send or read a byte now and then, and 200 requests on one row, leave others' p99 within three times."""
    staff, rounds = platform.staff(world.PROPERTIES[0]), []
    path, told = f"/api/v1/members/cards/{card}", {}
    before = staff.get(path).json()["balance_fen"]
    # The machine has other work, by which a round may be disturbed: then two more decide.
    began = time.monotonic()
    while not rounds or (rounds[0] > RATIO and len(rounds) < 3 and time.monotonic() - began < 120):
        quiet, beside = [], []
        # In turns, so that what else the machine does falls upon both.
        for _ in range(SLICES):
            quiet += read_times(platform, 80)
            crowd = Crowd(platform, SLOW_CLIENTS, staff.token, f"{path}/recharge")
            time.sleep(2)
            beside += read_times(platform, 80)
            findings.expect(platform.reach(f"{platform.url}/readyz"), "/readyz beside slow clients")
            for what, count in crowd.end().items():
                told[what] = told.get(what, 0) + count
            time.sleep(0.5)
        quiet, beside = p99(quiet), p99(beside)
        rounds.append(beside / quiet)
        print(f"    p99 of others {quiet * 1000:.0f} ms, beside {SLOW_CLIENTS} slow clients and {HOT} at one row {beside * 1000:.0f} ms: {beside / quiet:.1f} times", flush=True)
    print(f"    they were told: {', '.join(f'{what} {count}' for what, count in sorted(told.items()))}", flush=True)
    findings.checked("slow clients", SLOW_CLIENTS)
    findings.checked("requests on one row", sum(count for what, count in told.items() if what.startswith("hot")))
    findings.expect(statistics.median(rounds) <= RATIO, f"the p99 of others became {[f'{it:.1f}' for it in rounds]} times as long")
    hot = {what[4:] for what in told if what.startswith("hot")}
    findings.expect("200" in hot and hot <= {"200", "408", "409", "429"}, f"200 requests on one row: {told}")
    moved = staff.get(path).json()["balance_fen"] - before
    # Those whose answer was not waited for may have counted.
    good = told.get("hot 200", 0)
    findings.expect(good <= moved <= good + HOT * SLICES * len(rounds), f"{good} recharges of the hot row were answered, {moved} counted")


def books_agree(platform, findings):
    """What the channel took and gave back is what we say."""
    admin = platform.admin()

    def unfinished():
        refunds = admin.rows("/api/v1/orders/refunds")
        # What failed for good is asked for again after minutes.
        later = {it["retried_as"] for it in refunds}
        refunds = [it for it in refunds if it["state"] in ("created", "sent", "processing") and it["refund_no"] not in later]
        orders = [it for it in admin.rows("/api/v1/orders/car") if it["state"] not in ("completed", "cancelled", "failed")]
        payments = [it for it in admin.rows("/api/v1/orders/payments") if it["state"] in ("created", "paying")]
        return [(it.get("refund_no") or it.get("order_no"), it["state"]) for it in refunds + orders + payments]

    began = time.monotonic()
    try:
        until("what is under way ends", lambda: not unfinished(), 150, 2)
    except AssertionError:
        findings.expect(False, f"what was under way has not ended after 150 s: {unfinished()[:10]}")
    print(f"    what was under way ended after {time.monotonic() - began:.0f} s", flush=True)
    books = platform.books()
    ours = {it["payment_no"]: it for it in admin.rows("/api/v1/orders/payments")}
    refunds = {it["refund_no"]: it for it in admin.rows("/api/v1/orders/refunds")}
    back = dict.fromkeys(books["payments"], 0)
    for number, theirs in books["refunds"].items():
        mine = refunds.get(number)
        same = mine is not None and (theirs["state"] == "succeeded") == (mine["state"] == "succeeded") and theirs["amount_fen"] == mine["amount_fen"]
        findings.expect(same, f"refund {number}: {theirs['state']} {theirs['amount_fen']} there, {mine and (mine['state'], mine['amount_fen'])} here")
        if theirs["state"] == "succeeded":
            back[books["refund_of"][number]] += theirs["amount_fen"]
    for number, theirs in books["payments"].items():
        mine = ours.get(number)
        same = mine is not None and (theirs["state"] == "paid") == (mine["state"] == "paid") and theirs["amount_fen"] == mine["amount_fen"]
        findings.expect(same, f"payment {number}: {theirs['state']} {theirs['amount_fen']} there, {mine and (mine['state'], mine['amount_fen'])} here")
        findings.expect(mine is None or mine["refunded_fen"] == back[number], f"payment {number}: {back[number]} fen went back there, {mine and mine['refunded_fen']} here")
        findings.expect(back[number] <= theirs["amount_fen"], f"payment {number}: {back[number]} of {theirs['amount_fen']} fen went back")
    lost = [it["payment_no"] for it in ours.values() if it["state"] == "paid" and books["payments"].get(it["payment_no"], {}).get("state") != "paid"]
    findings.expect(not lost, f"payments that the channel does not have: {lost}")
    lost = [it["refund_no"] for it in refunds.values() if it["state"] == "succeeded" and it["refund_no"] not in books["refunds"]]
    findings.expect(not lost, f"refunds that the channel does not have: {lost}")
    # What was paid was charged for or went back, to the fen.
    for order in admin.rows("/api/v1/orders/car"):
        paid = [it for it in ours.values() if it["order_no"] == order["order_no"] and it["state"] == "paid"]
        if paid and order["state"] in ("completed", "failed", "cancelled"):
            kept = sum(it["amount_fen"] - it["refunded_fen"] for it in paid)
            later = sum(it["amount_fen"] for it in refunds.values() if it["order_no"] == order["order_no"] and it["state"] == "created")
            findings.expect(kept - later == (order["total_fen"] or 0), f"order {order['order_no']} ({order['state']}): {kept} fen kept, {later} to go back, {order['total_fen']} charged")
            findings.checked("orders whose money was counted")
    dead = admin.rows("/api/v1/system/jobs", state="dead")
    findings.expect(not dead, lambda: f"{len(dead)} dead jobs: {[(it['kind'], it['last_error']) for it in dead[:3]]}")
    findings.checked("payments compared with the channel", len(books["payments"]))
    findings.checked("refunds compared with the channel", len(books["refunds"]))
    findings.expect(len(books["payments"]) > 10 and len(books["refunds"]) > 5, "too little money moved for a test")


def full_disk(_, findings):
    """The database's disk is full: writes are refused as unavailable, nothing is half done, and it recovers."""
    folder = pathlib.Path("/tmp/wattyard-acceptance-disk")
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", folder], capture_output=True)
    if not findings.expect(mounted.returncode == 0, f"a small disk could not be mounted: {mounted.stderr}"):
        return
    try:
        with Platform(chargers=0, data=folder / "var") as platform:
            staff = platform.staff(world.PROPERTIES[0])
            station = staff.rows("/api/v1/car/stations")[0]
            product = world.card_product(staff, station["property_id"], station["provider_id"])
            cards = [world.card(staff, product).json() for _ in range(8)]
            filler = folder / "filler"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as it:
                while it.write(b"\0" * 65536) == 65536:
                    pass
            answers, full = {it["id"]: [] for it in cards}, threading.Event()

            def work(card):
                ending, refused = time.monotonic() + 60, 0
                while refused < 15 and time.monotonic() < ending:
                    key, status = str(uuid.uuid4()), None
                    with contextlib.suppress(httpx.HTTPError):
                        status = staff.post(f"/api/v1/members/cards/{card}/recharge", {"amount_fen": 1}, key).status_code
                    answers[card].append((key, status))
                    refused += status != 200

            with concurrent.futures.ThreadPoolExecutor(len(cards)) as pool:
                list(pool.map(work, answers))
            statuses = {status for it in answers.values() for _, status in it}
            findings.expect(503 in statuses, f"the disk was never full: {sorted(statuses)}")
            findings.expect(statuses <= {200, 503}, f"on a full disk: {sorted(statuses)}")
            print(f"    on a full disk: {sum(len(it) for it in answers.values())} requests, /readyz {staff.get('/readyz').status_code}", flush=True)
            findings.expect(platform.server.poll() is None, "the server ended when the disk was full")
            filler.unlink()
            began = time.monotonic()
            until("it recovers", platform.ready, 60)
            one = f"/api/v1/members/cards/{cards[0]['id']}/recharge"
            probe = str(uuid.uuid4())
            until("it writes again", lambda: staff.post(one, {"amount_fen": 1}, probe).status_code == 200, 60)
            print(f"    with room again it serves after {time.monotonic() - began:.1f} s", flush=True)
            # Of what was refused nobody knows whether it was done; who repeats it under its key gets it done once.
            for card in cards:
                path = f"/api/v1/members/cards/{card['id']}"
                for key, status in answers[card["id"]]:
                    if status != 200:
                        again = patiently(lambda: staff.post(f"{path}/recharge", {"amount_fen": 1}, key))
                        findings.expect(again.status_code == 200, f"repeated after the disk was full: {again.status_code} {again.text}")
                wanted = len(answers[card["id"]]) + (card is cards[0])
                counted = staff.get(path).json()["balance_fen"] - card["balance_fen"]
                findings.expect(counted == wanted, f"on a full disk and after {wanted} recharges were answered, {counted} counted")
            findings.checked("requests on a full disk", sum(len(it) for it in answers.values()))
            findings.verify(platform, "after the disk was full")
            findings.expect("panicked at" not in platform.log(), "panics on a full disk")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def full_log(_, findings):
    """Where the log cannot be written the platform serves all the same."""
    with Platform(chargers=0, log="/dev/full") as platform:
        answers = []
        for _ in range(20):
            with contextlib.suppress(httpx.HTTPError):
                answers.append(httpx.get(f"{platform.url}/api/v1/system/settings/public", timeout=10).status_code)
        findings.checked("requests without a log", 20)
        findings.expect(answers == [200] * 20, f"without a log {len(answers)} of 20 requests were answered: {set(answers)}")


def run(platform, findings):
    timed = lambda deed, *arguments: stopwatch(deed, platform, findings, *arguments)
    staff = platform.staff(world.PROPERTIES[0])
    station = staff.rows("/api/v1/car/stations")[0]
    product = world.card_product(staff, station["property_id"], station["provider_id"])
    cards = [world.card(staff, product).json()["id"] for _ in range(4)]
    timed(slow_clients, cards[0])
    timed(kills, cards)
    timed(misled)
    timed(lying_notices)
    # Where stations are disabled nobody begins anew, and what runs goes on to its end.
    for it in platform.admin().rows("/api/v1/car/stations"):
        platform.admin().post(f"/api/v1/car/stations/{it['id']}/disable")
    timed(books_agree)
    findings.verify(platform, "after the faults")
    timed(full_disk)
    timed(full_log)


def stopwatch(deed, platform, findings, *arguments):
    """Does it and says how long it took; what breaks off does not keep the rest from being tried."""
    began = time.monotonic()
    try:
        deed(platform, findings, *arguments)
    except Exception as error:
        findings.expect(False, f"{deed.__name__} broke off: {error!r}")
    print(f"    {deed.__name__}: {time.monotonic() - began:.0f} s", flush=True)
