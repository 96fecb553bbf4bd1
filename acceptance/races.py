"""Races: every operation that moves money or commands hardware, many at once, with the same and with different keys, and
with clients that hang up."""

import concurrent.futures
import json
import random
import socket
import uuid

from acceptance import world
from acceptance.charger import Chargers
from acceptance.platform import until

CROWD = 40


def at_once(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def hang_up(platform, caller, path, body, key, after):
    """Sends a request and closes the line a moment later, whatever the server does."""
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: acceptance\r\nauthorization: Bearer {caller.token}\r\nidempotency-key: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", platform.port)) as line:
        line.sendall(head + payload)
        line.settimeout(after)
        try:
            line.recv(1)
        except TimeoutError:
            pass


class Deed:
    """An operation: where it is sent, with what, how much money or how many rows it makes, and how often it may be done."""

    def __init__(self, name, caller, path, body, effect, unit=1, most=None):
        self.name, self.caller, self.path, self.body, self.effect = name, caller, path, body, effect
        self.unit, self.most = unit, most

    def send(self, key):
        return self.caller.post(self.path, self.body() if callable(self.body) else self.body, key)

    def done(self, before):
        return (self.effect() - before) / self.unit


def race(platform, findings, deed):
    """The same key at once does it once; hung up on and repeated it is done once; different keys stay within the rule."""
    findings.checked("operations raced")
    body = deed.body() if callable(deed.body) else deed.body
    before, key = deed.effect(), str(uuid.uuid4())
    answers = at_once(CROWD, lambda _: deed.caller.post(deed.path, body, key))
    statuses = sorted(it.status_code for it in answers)
    good = [it for it in answers if it.status_code < 300]
    findings.expect(all(it < 300 or it in (409, 429) for it in statuses), f"{deed.name}, one key at once: {statuses}")
    findings.expect(good and deed.done(before) == 1, lambda: f"{deed.name}, one key at once: done {deed.done(before)} times")
    findings.expect(len({it.text for it in good}) <= 1, f"{deed.name}, one key at once: answers differ")
    repeated = deed.caller.post(deed.path, body, key)
    findings.expect(repeated.status_code < 300 and deed.done(before) == 1, f"{deed.name}, repeated: {repeated.status_code}")
    findings.checked("requests", CROWD + 1)

    without = deed.caller.http.post(deed.path, json=body)
    refused = without.status_code == 422 and without.json()["errors"][0]["code"] == "idempotency_key_required"
    findings.expect(refused, f"{deed.name} without a key: {without.status_code}")

    if deed.most is not None and deed.done(before) >= deed.most:
        return
    before = deed.effect()
    bodies = [deed.body() if callable(deed.body) else deed.body for _ in range(12)]
    keys = [str(uuid.uuid4()) for _ in bodies]
    moments = random.Random(7)
    cut = [moments.uniform(0.0005, 0.03) for _ in bodies]
    at_once(len(bodies), lambda n: hang_up(platform, deed.caller, deed.path, bodies[n], keys[n], cut[n]))
    findings.checked("requests hung up on", len(bodies))

    def repeat(n):
        return until("an answer", lambda: (it := deed.caller.post(deed.path, bodies[n], keys[n])).status_code not in (409, 429) and it, 90)

    if deed.most is None:
        ends = at_once(len(bodies), repeat)
        good = sum(it.status_code < 300 for it in ends)
        findings.expect(deed.done(before) == good == len(bodies), f"{deed.name}, hung up on and repeated: {good} answered, {deed.done(before)} done")
        before = deed.effect()
        answers = at_once(CROWD, lambda _: deed.send(str(uuid.uuid4())))
        good = sum(it.status_code < 300 for it in answers)
        bad = sorted({it.status_code for it in answers if it.status_code >= 300 and it.status_code not in (409, 429)})
        findings.expect(not bad and deed.done(before) == good, f"{deed.name}, keys of their own: {good} answered, {deed.done(before)} done, {bad}")
        findings.checked("requests", CROWD + len(bodies))


def run(platform, findings):
    staff, admin = platform.staff(world.PROPERTIES[0]), platform.admin()
    station = staff.rows("/api/v1/car/stations")[0]
    owner = (station["property_id"], station["provider_id"])
    product, group_product = world.card_product(staff, *owner), world.card_product(staff, *owner, issued_to="collective")
    card = world.card(staff, product).json()
    group = world.collective(staff, *owner)
    chargers = Chargers(platform)
    row, connectors, password = world.charger(staff)
    charger = chargers.connect(row["serial_no"], password)

    def balance(path, what="balance_fen"):
        return staff.get(path).json()[what]

    recharge = {"amount_fen": 700}
    card_path, group_path = f"/api/v1/members/cards/{card['id']}", f"/api/v1/members/collectives/{group['id']}"
    race(platform, findings, Deed("recharge of a card", staff, f"{card_path}/recharge", recharge, lambda: balance(card_path), 700))
    race(platform, findings, Deed("recharge of a collective", staff, f"{group_path}/recharge", recharge, lambda: balance(group_path), 700))

    def new_card(product, collective_id=None):
        return lambda: {
            "product_id": product["id"], "issued_to": product["issued_to"], "phone": world.phone(), "holder": "林晓",
            "card_no": f"8{world.phone()}", "collective_id": collective_id,
        }

    cards = lambda product: staff.get("/api/v1/members/cards", product_id=product["id"]).json()["total"]
    race(platform, findings, Deed("issue of a card", staff, "/api/v1/members/cards", new_card(product), lambda: cards(product)))

    # The account pays for some cards and for no more, however many are asked for at once.
    group = world.collective(staff, *owner)
    staff.post(f"/api/v1/members/collectives/{group['id']}/recharge", {"amount_fen": 350_00})
    answers = at_once(20, lambda _: staff.post("/api/v1/members/cards", new_card(group_product, group["id"])()))
    made = sum(it.status_code == 201 for it in answers)
    left = balance(f"/api/v1/members/collectives/{group['id']}")
    findings.expect(made == 3 and left == 50_00, f"cards out of an account of 350 yuan at 100: {made} issued, {left} fen left")

    driver = platform.driver(world.phone())
    orders = lambda of: of.get("/api/app/v1/orders", page=1, size=1).json()["total"]
    form = {"connector_id": connectors[0]["id"], "prepaid_fen": 2000, "start_method": "scan"}
    race(platform, findings, Deed("order", driver, "/api/app/v1/orders", form, lambda: orders(driver), most=1))
    unpaid = driver.get("/api/app/v1/orders").json()["items"][0]
    pay = f"/api/app/v1/orders/{unpaid['id']}/pay"
    numbers = {it.json()["payment_no"] for it in at_once(CROWD, lambda _: driver.post(pay)) if it.status_code < 300}
    findings.expect(len(numbers) == 1, f"paying at once: the numbers {numbers}")
    known = set(charger.running)
    at_once(10, lambda _: platform.pay(next(iter(numbers))))
    [transaction] = until("the charger was started", lambda: set(charger.running) - known, 30)
    until("the charge runs", lambda: world.state(driver, unpaid["id"]) == "charging")
    chargers.run(charger.flow(transaction, 1000))
    stop = f"/api/app/v1/orders/{unpaid['id']}/stop"
    statuses = sorted({it.status_code for it in at_once(CROWD, lambda _: driver.post(stop))})
    findings.expect(set(statuses) <= {200, 202, 204, 409, 429}, f"stopping at once: {statuses}")
    until("the charge is settled", lambda: world.state(driver, unpaid["id"]) == "completed")

    # Of many refunds at once those are taken that fit, and with one key one.
    order_id = unpaid["id"]
    path = f"/api/v1/orders/car/{order_id}"
    refunds = lambda: sum(it["amount_fen"] for it in staff.rows("/api/v1/orders/refunds", order_no=unpaid["order_no"]) if it["kind"] == "manual")
    until("the rest went back", lambda: [it for it in staff.rows("/api/v1/orders/refunds", order_no=unpaid["order_no"]) if it["state"] == "succeeded"])
    race(platform, findings, Deed("refund", staff, f"{path}/refund", {"amount_fen": 3, "reason": "补偿"}, refunds, 3, most=1))
    total = staff.get(path).json()["total_fen"]
    answers = at_once(CROWD, lambda _: staff.post(f"{path}/refund", {"amount_fen": 20, "reason": "补偿"}))
    bad = sorted({it.status_code for it in answers} - {200, 409, 422, 429})
    findings.expect(not bad and refunds() <= total, f"refunds at once: {bad}, {refunds()} of {total} fen")

    # What commands hardware: one command a key.
    commands = lambda: staff.get(f"/api/v1/car/chargers/{row['id']}/commands").json()["total"]
    for verb in ("refresh", "sync-clock", "reboot"):
        race(platform, findings, Deed(verb, staff, f"/api/v1/car/chargers/{row['id']}/{verb}", {}, commands, most=1))

    running, transaction = world.running(platform, driver, charger, connectors[1]["id"])
    chargers.run(charger.flow(transaction, 500))
    ended = at_once(CROWD, lambda _: staff.post(f"/api/v1/orders/car/{running}/end", {"note": "车主来电"}))
    statuses = {it.status_code for it in ended}
    findings.expect(200 in statuses and statuses <= {200, 409, 429}, f"ending at once: {sorted(statuses)}")
    until("the order is settled", lambda: world.state(driver, running) == "completed")
    until("no refund is on its way", lambda: not admin.rows("/api/v1/orders/refunds", state="processing"), 30)
    findings.verify(platform, "after the races")
