"""What a race needs: deeds, objects to do them to, and what brings those into the state in which they can be done."""

import collections
import concurrent.futures

import websockets
from ocpp.v16 import enums as words

from acceptance import world
from acceptance.charger import Chargers
from acceptance.platform import until

# Callers who hang up, and so many objects for what can be done to each only once: one more for one key, one for many.
HANGS = 10
FRESH = HANGS + 2
ON_ITS_WAY = ("created", "sent", "processing")


class Target:
    """An object that something is done to. `effect` gives numbers that move when it is done. `others` may do it too; a rival
    does it by another operation, of which there is a caller, a path and a body. `own` is what is asked for under keys of
    their own, if it is something else than under one key."""

    def __init__(self, caller, path, body, effect, others=(), rival=None, own=None):
        self.caller, self.path, self.body, self.effect = caller, path, body, effect
        self.others, self.rival, self.own = others, rival, own

    def asked(self, count):
        """So many requests of all who may do it: caller, path and body."""
        callers = [self.caller, *self.others]
        asked = [(callers[n % len(callers)], self.path, self.own or self.wish()) for n in range(count)]
        return [self.rival if self.rival and n % 2 else it for n, it in enumerate(asked)]

    def wish(self):
        return self.body() if callable(self.body) else self.body


class Deed:
    """An operation of the API's document. With one target it can be done to that again and again; with more each is used
    once: the first by one key, the last by keys of their own, those between by callers who hang up. `adds` is what it adds
    to the effect each time."""

    def __init__(self, operation, targets, adds=(1,), again=None, own_adds=None):
        self.operation, self.targets, self.adds = operation, targets, adds
        self.again = len(targets) == 1 if again is None else again
        self.own_adds = own_adds

    def was_done(self, before, after, times, own=None):
        adds = self.own_adds if own and self.own_adds else self.adds
        return all(now - then == it * times for then, now, it in zip(before, after, adds, strict=True))

    @staticmethod
    def told(answers):
        """What was answered, briefly."""
        code = lambda it: it.json().get("code", "") if it.status_code >= 300 else ""
        return dict(collections.Counter(f"{it.status_code} {code(it)}".strip() for it in answers))


def at_once(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def side_by_side(items, work):
    """For what only prepares: not more at once than the machine does well."""
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        return list(pool.map(work, items))


Place = collections.namedtuple("Place", "driver phone row charger connector number password")


class Stage:
    """Tenants, drivers and chargers, and what brings objects into the state in which a deed can be done."""

    def __init__(self, platform, findings, fiscal):
        self.platform, self.findings, self.fiscal = platform, findings, fiscal
        self.staff, self.admin = platform.staff(world.PROPERTIES[0]), platform.admin()
        # Who may do what the property's staff may, each with a line of their own at the row.
        self.others = (self.admin, platform.staff(world.PROVIDERS[0]))
        station = self.staff.rows("/api/v1/car/stations")[0]
        self.owner = (station["property_id"], station["provider_id"])
        self.chargers = Chargers(platform)

    def places(self, count):
        """Connectors of foreign chargers that are there, two at each, and a certified driver for each connector."""

        def place_two(_):
            row, connectors, password = world.charger(self.staff)
            charger = self.chargers.connect(row["serial_no"], password)
            return [Place(*self.driver(), row, charger, it["id"], it["number"], password) for it in connectors]

        return [it for two in side_by_side(range(count // 2), place_two) for it in two]

    def driver(self):
        phone = world.phone()
        form = {"phone": phone, "gender": "unknown", "name": "林晓", "plate": f"浙A{phone[-5:]}"}
        made = self.admin.post("/api/v1/members/drivers", form)
        assert made.status_code == 201, made.text
        certified = self.admin.post(f"/api/v1/members/drivers/{made.json()['id']}/certify")
        assert certified.status_code == 200, certified.text
        return self.platform.driver(phone), phone

    def show(self, places, status):
        """The connectors show a status, and the platform knows it."""
        for it in places:
            self.chargers.run(it.charger.status(it.number, words.ChargePointStatus[status]))
        shown = lambda it: self.staff.get(f"/api/v1/car/connectors/{it.connector}").json()["status"]
        until(f"all are {status}", lambda: all(shown(it) == status for it in places))

    def commands(self, charger_id, kind, **payload):
        """How many commands of a kind a charger was given."""
        rows = self.staff.rows(f"/api/v1/car/chargers/{charger_id}/commands")
        fits = lambda it: payload.items() <= (it["payload"] | {"order_id": it["order_id"]}).items()
        return sum(it["kind"] == kind and fits(it) for it in rows)

    def history(self, path, verb):
        """How often something was done to a row, as its history tells."""
        return sum(it["action"] == verb for it in self.staff.rows(f"{path}/history"))

    def refunds(self, order_id, kind):
        order_no = self.staff.get(f"/api/v1/orders/car/{order_id}").json()["order_no"]
        return [it for it in self.staff.rows("/api/v1/orders/refunds", order_no=order_no) if it["kind"] == kind]

    def refunds_are_over(self):
        under_way = lambda: any(self.admin.rows("/api/v1/orders/refunds", state=it) for it in ON_ITS_WAY)
        until("no refund is on its way", lambda: not under_way())

    def begin(self, place, order_id, payment_no):
        """An order is paid, the charge runs, and energy flows."""
        paid = self.platform.pay(payment_no)
        assert paid.status_code == 204, paid.text
        until("the charge runs", lambda: world.state(place.driver, order_id) == "charging", 60)
        self.flow(place)
        return order_id

    def flow(self, place):
        begun = lambda: [it for it, number in list(place.charger.running.items()) if number == place.number]
        [transaction] = until("the charger knows of it", begun)
        self.chargers.run(place.charger.flow(transaction, 1000))

    def order(self, place):
        made = world.order(place.driver, place.connector)
        assert made.status_code == 201, made.text
        return made.json()["order"]["id"], made.json()["payment"]["payment_no"]

    def are_completed(self, places, orders):
        for place, order_id in zip(places, orders):
            until("the charge is settled", lambda: world.state(place.driver, order_id) == "completed")
        self.refunds_are_over()

    def lets_in(self, row, password):
        """Whether a charger gets in with a password."""
        try:
            return bool(self.chargers.connect(row["serial_no"], password))
        except websockets.InvalidStatus:
            return False
