"""Rows of two tenants to be tried against each other, made through the API as staff would."""

import itertools
import threading

from acceptance.platform import PASSWORD, until

# The two providers of the demo data, with a property of each.
PROVIDERS = ("13900000001", "13900000004")
PROPERTIES = ("13900000002", "13900000005")

_phones = itertools.count(1)
_lock = threading.Lock()


def phone():
    """A telephone that nobody has yet."""
    with _lock:
        return f"166{next(_phones):08}"


def me(staff):
    """Who a caller is."""
    return staff.get("/api/v1/auth/me").json()


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


def charger(staff, power_w=60_000, connectors=2, open=False):
    """A charger at the first of the caller's stations; gives its row, its connectors and its password, if it got one.
    An open one takes whoever names its serial number."""
    area = staff.rows("/api/v1/car/areas")[0]
    serial_no = f"ACC{phone()}"
    form = {
        "station_id": area["station_id"], "area_id": area["id"], "serial_no": serial_no, "name": serial_no,
        "connectors": connectors, "nature": "public", "output_power_w": power_w, "current_type": "dc",
        "interface": "gbt_dc", "speed": "fast", "reservable": True,
    }
    made = staff.post("/api/v1/car/chargers", form)
    assert made.status_code == 201, made.text
    if open and made.json().get("initial_password"):
        opened = staff.post(f"/api/v1/car/chargers/{made.json()['id']}/set-password", {"open": True})
        assert opened.status_code == 200, opened.text
    row = made.json()
    of_charger = staff.rows("/api/v1/car/connectors", charger_id=row["id"])
    return row, sorted(of_charger, key=lambda it: it["number"]), row.get("initial_password")


def activate(platform, username, initial):
    """Logs a new account in and chooses its password."""
    fresh = platform.staff(username, initial, anew=True)
    done = fresh.post("/api/v1/auth/password", {"old_password": initial, "new_password": f"{PASSWORD}-{username}"})
    assert done.status_code == 204, f"{username} cannot choose a password: {done.status_code} {done.text}"
    return platform.staff(username, f"{PASSWORD}-{username}", anew=True)


def everything(platform, **node):
    """The role of a node that holds all that the node may have."""
    roles = platform.admin().rows("/api/v1/system/roles", **node)
    # The oldest is the one that the node was furnished with.
    return min(roles, key=lambda it: it["id"])["id"]


def user(platform, kind, node, role_ids=()):
    """A user at a node, with roles; gives a caller and the user's id."""
    username = f"acc{phone()}"
    form = {"kind": kind, "username": username, "name": "林晓", "phone": phone(), "role_ids": list(role_ids)} | node
    made = platform.admin().post("/api/v1/system/users", form)
    assert made.status_code == 201, f"no user of the kind {kind}: {made.text}"
    return activate(platform, username, made.json()["initial_password"]), made.json()["id"]


def tenants(platform):
    """Callers of one tenant of every kind: a provider, a sub-merchant of it, two properties, a user who is bound to one
    station, a collective, and one who may do nothing."""
    admin, keeper = platform.admin(), platform.staff(PROPERTIES[0])
    station = keeper.rows("/api/v1/car/stations")[0]
    node = {"provider_id": station["provider_id"], "property_id": station["property_id"]}
    at_property = {it: str(value) for it, value in node.items()}
    role = everything(platform, kind="property", **at_property)
    bound, bound_id = user(platform, "property", node, [role])
    done = admin.post(f"/api/v1/system/users/{bound_id}/bind-stations", {"car_station_ids": [station["id"]], "bike_station_ids": []})
    assert done.status_code == 200, done.text
    group = node | {"collective_id": collective(keeper, node["property_id"], node["provider_id"])["id"]}
    collective_role = everything(platform, kind="collective", collective_id=group["collective_id"])
    number = phone()
    form = {"name": f"下级商户{number}", "contact": "陈晨", "phone": number, "parent_id": node["provider_id"]}
    merchant = admin.post("/api/v1/system/providers", form)
    assert merchant.status_code == 201, merchant.text
    approved = admin.post(f"/api/v1/system/providers/{merchant.json()['id']}/approve")
    assert approved.status_code == 200, approved.text
    return {
        "provider": platform.staff(PROVIDERS[0]),
        "sub-merchant": opened(platform, number),
        "property": keeper,
        "sibling": platform.staff("13900000003"),
        "bound": bound,
        "collective": user(platform, "collective", group, [collective_role])[0],
        "nobody": user(platform, "property", node)[0],
    }


def opened(platform, username):
    """The first account of a new provider or property."""
    admin = platform.admin()
    [account] = [it for it in admin.rows("/api/v1/system/users", username=username) if it["username"] == username]
    answer = admin.post(f"/api/v1/system/users/{account['id']}/reset-password")
    assert answer.status_code == 200, answer.text
    return activate(platform, username, answer.json()["initial_password"])


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
