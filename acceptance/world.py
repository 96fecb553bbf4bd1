"""Rows of two tenants to be tried against each other, made through the API as staff would."""

import itertools
import threading

from acceptance.platform import until

# The two providers of the demo data, with a property of each.
PROVIDERS = ("13900000001", "13900000004")
PROPERTIES = ("13900000002", "13900000005")

_phones = itertools.count(1)
_lock = threading.Lock()


def phone():
    """A telephone that nobody has yet."""
    with _lock:
        return f"166{next(_phones):08}"


def stations(staff):
    return staff.rows("/api/v1/car/stations")


def card_product(staff, property_id, provider_id, issued_to="person"):
    """A product that a property sells."""
    form = {
        "name": f"储值卡{phone()}", "kind": "physical", "issued_to": issued_to, "price_fen": 100_00, "face_fen": 120_00,
        "property_id": property_id, "provider_id": provider_id, "car_station_ids": [], "bike_station_ids": [], "tiers": [],
    }
    made = staff.post("/api/v1/members/card-products", form)
    assert made.status_code == 201, made.text
    return made.json()


def card(staff, product, key=None, collective_id=None):
    """A card of a product; gives the answer."""
    form = {
        "product_id": product["id"], "issued_to": product["issued_to"], "phone": phone(), "holder": "林晓",
        "card_no": f"8{phone()}",
        "collective_id": collective_id,
    }
    return staff.post("/api/v1/members/cards", form, key)


def collective(staff, property_id, provider_id):
    """A collective with an account."""
    form = {
        "name": f"车队{phone()}", "contact": "周洁", "phone": "13700000001", "property_id": property_id,
        "provider_id": provider_id,
    }
    made = staff.post("/api/v1/members/collectives", form)
    assert made.status_code == 201, made.text
    return made.json()


def charger(staff, power_w=60_000, connectors=2):
    """A charger at the first of the caller's stations; gives its row, its connectors and its password, if it got one."""
    area = staff.rows("/api/v1/car/areas")[0]
    serial_no = f"ACC{phone()}"
    form = {
        "station_id": area["station_id"], "area_id": area["id"], "serial_no": serial_no, "name": serial_no,
        "connectors": connectors, "nature": "public", "output_power_w": power_w, "current_type": "dc",
        "interface": "gbt_dc", "speed": "fast", "reservable": True,
    }
    made = staff.post("/api/v1/car/chargers", form)
    assert made.status_code == 201, made.text
    row = made.json()
    of_charger = staff.rows("/api/v1/car/connectors", charger_id=row["id"])
    return row, sorted(of_charger, key=lambda it: it["number"]), row.get("initial_password")


def order(driver, connector_id, prepaid_fen=2000, key=None):
    """Asks for an order; gives the answer."""
    form = {"connector_id": connector_id, "prepaid_fen": prepaid_fen, "start_method": "scan"}
    return driver.post("/api/app/v1/orders", form, key)


def running(platform, driver, charger, connector_id, prepaid_fen=2000):
    """A paid charge that has begun at a foreign charger: the order's id and the transaction's number."""
    made = order(driver, connector_id, prepaid_fen)
    assert made.status_code == 201, f"no order: {made.status_code} {made.text}"
    known = set(charger.running)
    paid = platform.pay(made.json()["payment"]["payment_no"])
    assert paid.status_code == 204, paid.text
    [transaction] = until("the charger was started", lambda: set(charger.running) - known, 30)
    order_id = made.json()["order"]["id"]
    until("the charge runs", lambda: state(driver, order_id) == "charging", 30)
    return order_id, transaction


def charged(platform, chargers, driver, charger, connector_id, wh=1000, prepaid_fen=2000):
    """A settled order of so many Wh; gives its id."""
    order_id, transaction = running(platform, driver, charger, connector_id, prepaid_fen)
    chargers.run(charger.flow(transaction, wh))
    driver.post(f"/api/app/v1/orders/{order_id}/stop")
    until("the charge is settled", lambda: state(driver, order_id) == "completed", 60)
    return order_id


def state(driver, order_id):
    return driver.get(f"/api/app/v1/orders/{order_id}").json()["order"]["state"]
