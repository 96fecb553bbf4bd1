"""Chargers that our makers did not write: a whole paid charge by PyPI's ocpp and by npm's ocpp-rpc, 21 checks of ocpp-ws-cli."""

import json
import os
import pathlib
import random
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from acceptance import world
from acceptance.charger import Chargers
from acceptance.platform import until

HERE = pathlib.Path(__file__).resolve().parent
MODULES = pathlib.Path(os.environ.get("ACCEPTANCE_MODULES", HERE.parent / ".tools/acceptance/node_modules"))
CHARGES = 12


def fen(kwh, price):
    return int((Decimal(kwh) * Decimal(price) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def price_at(tariff, instant):
    """The two prices of an instant, read from the tariff as its words say."""
    clock = datetime.fromisoformat(instant).astimezone(timezone(timedelta(hours=8))).strftime("%H:%M")
    for slot in tariff["slots"]:
        if slot["from"] <= clock < slot["to"] or (slot["to"] <= slot["from"] and (clock >= slot["from"] or clock < slot["to"])):
            return tariff["prices"][slot["period"]]
    return tariff["prices"]["uniform"]


def settled(platform, findings, driver, order_id, kwh, who):
    """The order was billed for exactly this energy, to the fen, and what was left went back."""
    order = driver.get(f"/api/app/v1/orders/{order_id}").json()
    view = order["order"]
    findings.expect(Decimal(view["kwh"]) == Decimal(kwh), f"{who}: billed {view['kwh']} of {kwh} kWh")
    price = price_at(order["tariff"], view["started_at"])
    if price == price_at(order["tariff"], view["ended_at"]):
        wanted = (fen(kwh, price["elec"]), fen(kwh, price["service"]))
        found = (order["elec_fen"], order["service_fen"])
        findings.expect(found == wanted, f"{who}: {kwh} kWh cost {found} instead of {wanted} fen")
    left = view["prepaid_fen"] - min(view["total_fen"], view["prepaid_fen"])
    until("the rest went back", lambda: refunded(platform, order) == left, 60)
    findings.checked("charges by foreign chargers")


def refunded(platform, order):
    """What the channel gave back of an order."""
    books, number = platform.books(), order["payments"][0]["payment_no"]
    of_payment = [no for no, payment_no in books["refund_of"].items() if payment_no == number]
    return sum(books["refunds"][no]["amount_fen"] for no in of_payment if books["refunds"][no]["state"] == "succeeded")


def python_ocpp(platform, findings, staff, driver, chargers):
    row, connectors, password = world.charger(staff, power_w=240_000)
    charger = chargers.connect(row["serial_no"], password)
    amounts = random.Random(11)
    for _ in range(CHARGES):
        connector = amounts.choice(connectors)
        order_id, transaction = world.running(platform, driver, charger, connector["id"], 5000)
        steps = [amounts.randrange(0, 300) for _ in range(amounts.randrange(1, 4))]
        for wh in steps:
            chargers.run(charger.flow(transaction, wh))
        driver.post(f"/api/app/v1/orders/{order_id}/stop")
        until("the charge is settled", lambda: world.state(driver, order_id) == "completed", 60)
        settled(platform, findings, driver, order_id, Decimal(sum(steps)) / 1000, "PyPI ocpp")


def npm_ocpp_rpc(platform, findings, staff, driver):
    row, connectors, password = world.charger(staff)
    endpoint = platform.url.replace("http", "ws", 1) + "/ocpp"
    script = (HERE / "ocpp-rpc.mjs").read_text()
    arguments = [endpoint, row["serial_no"], password or "", "1", "420"]
    # Read from standard input, the script finds the packages of the folder that it is run in.
    node = subprocess.Popen(
        ["node", "--input-type=module", "-", *arguments], cwd=MODULES.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    node.stdin.write(script)
    node.stdin.close()
    try:
        findings.expect(node.stdout.readline().strip() == "ready", "ocpp-rpc did not get ready")
        made = world.order(driver, connectors[0]["id"]).json()
        platform.pay(made["payment"]["payment_no"])
        order_id = made["order"]["id"]
        live = lambda: driver.get(f"/api/app/v1/orders/{order_id}/live").json()
        until("energy flows", lambda: live().get("kwh") == "0.4200", 30)
        driver.post(f"/api/app/v1/orders/{order_id}/stop")
        until("the charge is settled", lambda: world.state(driver, order_id) == "completed", 60)
        findings.expect(node.stdout.readline().startswith("stopped"), "ocpp-rpc was not stopped")
        settled(platform, findings, driver, order_id, "0.42", "npm ocpp-rpc")
    finally:
        node.kill()


def ocpp_ws_cli(platform, findings, staff):
    row, _, _ = world.charger(staff, open=True)
    reports = platform.folder / "ocpp-ws-cli"
    endpoint = platform.url.replace("http", "ws", 1) + "/ocpp"
    command = [MODULES / ".bin/ocpp", "test", "-e", endpoint, "-i", row["serial_no"], "-p", "ocpp1.6", "--suite", "all"]
    command += ["--report", "json", "--report-dir", reports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
    found = list(reports.glob("*.json"))
    if not findings.expect(found, f"ocpp-ws-cli ended with {done.returncode} and no report: {done.stdout[-500:]}"):
        return
    results = json.loads(found[0].read_text())["testResults"]
    findings.expect(len(results) == 21, f"ocpp-ws-cli made {len(results)} checks instead of 21")
    for it in results:
        findings.expect(it["passed"], f"ocpp-ws-cli: {it['name']}")
    findings.checked("checks of ocpp-ws-cli", len(results))


def run(platform, findings):
    staff = platform.staff(world.PROPERTIES[0])
    driver = platform.driver(world.phone())
    chargers = Chargers(platform)
    python_ocpp(platform, findings, staff, driver, chargers)
    npm_ocpp_rpc(platform, findings, staff, driver)
    ocpp_ws_cli(platform, findings, staff)
    findings.verify(platform, "after the charges")
