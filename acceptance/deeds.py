"""What is raced: the operations that move money or command hardware, and what they are done to."""

import collections
import secrets

from acceptance import world
from acceptance.fiscal import REFUSED
from acceptance.platform import until
from acceptance.stage import FRESH, Deed, Target, at_once, side_by_side

BUYER = {"tax_id": "91330108MA27XXXX1B", "email": "finance@example.com"}


def deeds(stage):
    """All of them, each made when its turn has come: what one leaves behind is what another is done to."""
    yield from cards(stage)
    yield from switches(stage)
    places = stage.places(FRESH)
    extra, hardware = stage.places(2)
    yield from reservations(stage, places)
    stopped, ended, rest = [], [], []
    yield from charges(stage, places, extra, stopped, ended, rest)
    yield from refunds(stage, rest, stopped)
    yield from invoices(stage, places, stopped, ended)
    yield from commands(stage, hardware)


def cards(stage):
    staff, owner = stage.staff, stage.owner
    product, for_groups = world.card_product(staff, *owner), world.card_product(staff, *owner, issued_to="collective")
    balance = lambda path: staff.get(path).json()["balance_fen"]

    path = f"/api/v1/members/cards/{world.card(staff, product).json()['id']}"
    movements = lambda: staff.get(f"{path}/movements").json()["total"]
    yield Deed("rechargeCard", [
        Target(staff, f"{path}/recharge", {"amount_fen": 700}, lambda: (balance(path), movements()), stage.others),
    ], (700, 1))

    group = f"/api/v1/members/collectives/{world.collective(staff, *owner)['id']}"
    recharged = lambda: (balance(group), stage.history(group, "recharge"))
    yield Deed("rechargeCollective", [
        Target(staff, f"{group}/recharge", {"amount_fen": 900}, recharged, stage.others),
    ], (900, 1))

    def wish(product, collective_id=None):
        return {
            "product_id": product["id"], "issued_to": product["issued_to"], "phone": world.phone(), "holder": "林晓",
            "card_no": f"8{world.phone()}", "collective_id": collective_id,
        }

    count = lambda: (staff.get("/api/v1/members/cards", product=product["name"]).json()["total"],)
    yield Deed("createCard", [Target(staff, "/api/v1/members/cards", lambda: wish(product), count)])

    # The account pays for some cards and for no more, however many are asked for at once.
    payer = world.collective(staff, *owner)["id"]
    staff.post(f"/api/v1/members/collectives/{payer}/recharge", {"amount_fen": 350_00})
    answers = at_once(20, lambda _: staff.post("/api/v1/members/cards", wish(for_groups, payer)))
    made, left = sum(it.status_code == 201 for it in answers), balance(f"/api/v1/members/collectives/{payer}")
    wrong = f"cards out of an account of 350 yuan at 100: {made} issued, {left} fen left"
    stage.findings.expect(made == 3 and left == 50_00, wrong)


def switches(stage):
    """Switched on and off: chargers that are away, which are told later."""
    made = side_by_side(range(FRESH), lambda _: world.charger(stage.staff))

    def switch(verb, path, charger_id, number):
        def effect():
            told = stage.commands(charger_id, "availability", connector=number, available=verb == "enable")
            return told, stage.history(path, verb)

        return Target(stage.staff, f"{path}/{verb}", {}, effect, stage.others)

    path = lambda row: f"/api/v1/car/chargers/{row['id']}"
    for verb in ("disable", "enable"):
        yield Deed(f"{verb}CarCharger", [switch(verb, path(row), row["id"], 0) for row, _, _ in made], (1, 1))
    for verb in ("disable", "enable"):
        yield Deed(f"{verb}CarConnector", [
            switch(verb, f"/api/v1/car/connectors/{it['id']}", row["id"], it["number"]) for row, (it, *_), _ in made
        ], (1, 1))

    # A password of one's own is set as often as it is asked for; what is made up is told once, and lets the charger in.
    def set_password(row):
        password = lambda: {"password": secrets.token_hex(8)}
        effect = lambda: (stage.history(path(row), "set-password"),)
        return Target(stage.staff, f"{path(row)}/set-password", password, effect, stage.others)

    yield Deed("setPasswordCarCharger", [set_password(row) for row, _, _ in made], again=True)
    row, key = made[0][0], secrets.token_hex(8)
    answers = at_once(20, lambda _: stage.staff.post(f"{path(row)}/set-password", {}, key))
    told = [it.json().get("initial_password") for it in answers if it.status_code == 200]
    told = [it for it in told if it]
    wrong = f"a password that was made up was told {len(told)} times: {Deed.told(answers)}"
    stage.findings.expect(len(told) == 1, wrong)
    stage.findings.expect(told and stage.lets_in(row, told[0]), "the password that was told does not let the charger in")


def reservations(stage, places):
    """Each connector is kept for one; then the driver gives it up, or staff ends it."""
    staff = stage.staff
    stage.show(places, "available")
    path = "/api/app/v1/reservations"
    rows = lambda: staff.rows("/api/v1/orders/reservations")
    of_connector = lambda it: [row for row in rows() if row["connector_id"] == it.connector]
    kept = lambda it: next(row for row in of_connector(it) if row["state"] == "reserved")
    callers = {it.phone: it.driver for it in places}

    def reserve(it):
        effect = lambda: (len(of_connector(it)), stage.commands(it.row["id"], "reserve", connector=it.number))
        return Target(it.driver, path, {"connector_id": it.connector}, effect, tuple(callers.values()))

    def released(it):
        """How often the charger was told to let the connector go."""
        told = staff.rows(f"/api/v1/car/chargers/{it.row['id']}/commands")
        kind = lambda kind: [row["payload"] for row in told if row["kind"] == kind]
        numbers = {reserve["number"] for reserve in kind("reserve") if reserve["connector"] == it.number}
        return sum(cancel["number"] in numbers for cancel in kind("cancel_reservation"))

    def over(it):
        return lambda: (sum(row["state"] != "reserved" for row in of_connector(it)), released(it))

    def cancel(it):
        row = kept(it)
        return callers[row["phone"]], f"{path}/{row['id']}/cancel", {}

    def end(it):
        return staff, f"/api/v1/orders/reservations/{kept(it)['id']}/end", {"note": "电桩检修"}

    yield Deed("reserveConnector", [reserve(it) for it in places], (1, 1))
    yield Deed("cancelMyReservation", [Target(*cancel(it), over(it), rival=end(it)) for it in places], (1, 1))
    for it in places:
        made = it.driver.post(path, {"connector_id": it.connector})
        assert made.status_code == 201, made.text
    yield Deed("endReservation", [Target(*end(it), over(it), stage.others, cancel(it)) for it in places], (1, 1))


def charges(stage, places, extra, stopped, ended, rest):
    """Orders are made, paid, and ended by their drivers and by staff."""
    stage.show([*places, extra], "preparing")
    driver, form = extra.driver, {"connector_id": extra.connector, "prepaid_fen": 2000, "start_method": "scan"}
    payments = lambda: [it["payment_no"] for it in stage.staff.rows("/api/v1/orders/payments", phone=extra.phone)]
    count = lambda: (driver.get("/api/app/v1/orders", size=1).json()["total"], len(payments()))
    yield Deed("startOrder", [Target(driver, "/api/app/v1/orders", form, count)], (1, 1))

    # Of many who pay for one connector at once one gets it, and the others get their money back.
    orders = [it["id"] for it in driver.get("/api/app/v1/orders", size=8).json()["items"]]
    detail = lambda it: driver.get(f"/api/app/v1/orders/{it}").json()
    numbers = [detail(it)["payments"][0]["payment_no"] for it in orders]
    at_once(8, lambda n: stage.platform.pay(numbers[n]))
    states = lambda: [detail(it)["order"]["state"] for it in orders]
    until("one charges", lambda: sorted(states()) == [*["cancelled"] * 7, "charging"])
    [running] = [it for it in orders if detail(it)["order"]["state"] == "charging"]
    stage.refunds_are_over()
    returned = lambda it: sum(row["amount_fen"] for row in detail(it)["refunds"] if row["state"] == "succeeded")
    back = [returned(it) for it in orders if it != running]
    stage.findings.expect(back == [2000] * 7, f"orders that came too late got back {back} of 2000 fen each")
    stage.flow(extra)
    driver.post(f"/api/app/v1/orders/{running}/stop")
    rest.append(running)

    # Asked for again, a payment is the one that there is.
    made = side_by_side(places, stage.order)

    def pay(place, order_id):
        def effect():
            numbers = [it["payment_no"] for it in place.driver.get(f"/api/app/v1/orders/{order_id}").json()["payments"]]
            return len(numbers), len(stage.platform.books()["payments"].keys() & set(numbers))

        return Target(place.driver, f"/api/app/v1/orders/{order_id}/pay", {}, effect)

    yield Deed("payMyOrder", [pay(place, it) for place, (it, _) in zip(places, made)], (0, 0))

    def told(place, order_id):
        return lambda: (stage.commands(place.row["id"], "stop", order_id=order_id),)

    stop = lambda place, it: (place.driver, f"/api/app/v1/orders/{it}/stop", {})
    end = lambda _, it: (stage.staff, f"/api/v1/orders/car/{it}/end", {"note": "车主来电"})
    stopped += side_by_side(zip(places, made), lambda it: stage.begin(it[0], *it[1]))
    yield Deed("stopMyOrder", [Target(*stop(*it), told(*it), rival=end(*it)) for it in zip(places, stopped)])
    stage.are_completed(places, stopped)
    ended += side_by_side(places, lambda place: stage.begin(place, *stage.order(place)))
    yield Deed("endCarOrder", [Target(*end(*it), told(*it), stage.others, stop(*it)) for it in zip(places, ended)])
    stage.are_completed([*places, extra], [*ended, running])
    for it in [*stopped, *ended, running]:
        back = stage.refunds(it, "automatic")
        stage.findings.expect(len(back) == 1, f"the rest of a prepayment went back {len(back)} times")


def refunds(stage, rest, orders):
    """Of many refunds those are taken that fit; one that failed is asked for again once."""
    staff, [order_id] = stage.staff, rest
    given = lambda: stage.refunds(order_id, "manual")
    effect = lambda: (sum(it["amount_fen"] for it in given()), len(given()))
    path = f"/api/v1/orders/car/{order_id}/refund"
    small, large = {"amount_fen": 3, "reason": "补偿"}, {"amount_fen": 20, "reason": "补偿"}
    yield Deed("refundCarOrder", [Target(staff, path, small, effect, stage.others, own=large)], (3, 1), own_adds=(20, 1))
    total = staff.get(f"/api/v1/orders/car/{order_id}").json()["total_fen"]
    wrong = f"{effect()[0]} fen of {total} were refunded by many who asked for 20 each at once"
    stage.findings.expect(total - 20 < effect()[0] <= total, wrong)
    stage.refunds_are_over()

    stage.platform.faults(fail=100)
    for it in orders:
        asked = staff.post(f"/api/v1/orders/car/{it}/refund", {"amount_fen": 1, "reason": "补偿"})
        assert asked.status_code == 200, asked.text
    stage.refunds_are_over()
    stage.platform.faults()
    failed = [(it, row["id"]) for it in orders for row in stage.refunds(it, "manual") if row["state"] == "failed"]
    assert len(failed) == len(orders), f"{len(failed)} of {len(orders)} refunds have failed"
    asked = lambda it: lambda: (len(stage.refunds(it, "manual")),)
    yield Deed("retryRefund", [
        Target(staff, f"/api/v1/orders/refunds/{row}/retry", {}, asked(it), stage.others) for it, row in failed
    ])
    stage.refunds_are_over()
    for it in orders:
        states = sorted(row["state"] for row in stage.refunds(it, "manual"))
        stage.findings.expect(states == ["failed", "succeeded"], f"a refund that was asked for again: {states}")


def invoices(stage, places, stopped, ended):
    """Drivers' invoices fail at first and are issued again; those that staff asks for are issued and undone."""
    staff, fiscal = stage.staff, stage.fiscal
    of_order = lambda it: staff.get(f"/api/v1/orders/car/{it}").json()["invoices"]
    effect = lambda it: lambda: (len(of_order(it)),)

    def becomes(orders, state):
        """The service is asked a moment later."""
        are = lambda it: [row["state"] for row in of_order(it)]
        until(f"the invoices are {state}", lambda: all(are(it) == [state] for it in orders))

    def act(order_id, verb, body):
        [row] = of_order(order_id)
        path = f"/api/v1/orders/invoices/{row['id']}"
        return Target(staff, f"{path}/{verb}", body, lambda: (stage.history(path, verb),), stage.others)

    def asked(books, orders, times):
        numbers = [fiscal.numbers(books, row["invoice_no"]) for it in orders for row in of_order(it)]
        counts = sorted({len(it) for it in numbers})
        stage.findings.expect(counts == [times], f"invoices were asked for under {counts} numbers each instead of {times}")

    def mine(place, it, title):
        return place.driver, "/api/app/v1/invoices", BUYER | {"order_ids": [it], "title": title, "buyer": "company"}

    def by_staff(it, title):
        return staff, f"/api/v1/orders/car/{it}/invoice", BUYER | {"title": title}

    title = f"{REFUSED}物流"
    yield Deed("requestMyInvoice", [
        Target(*mine(place, it, title), effect(it), rival=by_staff(it, title)) for place, it in zip(places, stopped)
    ])
    title = "江南物流"
    yield Deed("invoiceCarOrder", [
        Target(*by_staff(it, title), effect(it), stage.others, mine(place, it, title)) for place, it in zip(places, ended)
    ])
    fiscal.decides = True
    becomes(stopped, "failed")
    yield Deed("reissueInvoice", [act(it, "reissue", {}) for it in stopped])
    becomes(ended, "issued")
    yield Deed("voidInvoice", [act(it, "void", {"reason": "抬头填写错误"}) for it in ended])
    becomes(stopped, "issued")
    becomes(ended, "voided")
    asked(fiscal.blue, stopped, 2)
    asked(fiscal.blue, ended, 1)
    asked(fiscal.red, ended, 1)


def commands(stage, place):
    """What a charger is told at once: one command a key."""
    path = f"/api/v1/car/chargers/{place.row['id']}"
    verbs = {"refresh": "refresh", "syncClock": "sync-clock", "unlock": "unlock", "reboot": "reboot"}
    for operation, verb in verbs.items():
        body = {"connector": 1} if verb == "unlock" else {}
        effect = lambda: (stage.commands(place.row["id"], verb.replace("-", "_")), stage.history(path, verb))
        yield Deed(f"{operation}CarCharger", [Target(stage.staff, f"{path}/{verb}", body, effect, stage.others)], (1, 1))

    # A charger that is there is told its new password once, and logs in with it.
    password, key = secrets.token_hex(8), secrets.token_hex(8)
    answers = at_once(20, lambda _: stage.staff.post(f"{path}/set-password", {"password": password}, key))
    told = lambda: [it["state"] for it in stage.staff.rows(f"{path}/commands") if it["kind"] == "set_password"]
    until("the charger has its password", lambda: "acknowledged" in told())
    stage.findings.expect(len(told()) == 1, f"the charger was told a password {len(told())} times: {Deed.told(answers)}")
    stage.findings.expect(not stage.lets_in(place.row, place.password), "the old password still lets the charger in")
    stage.findings.expect(stage.lets_in(place.row, password), "the new password does not let the charger in")
