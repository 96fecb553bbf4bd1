"""Races: every operation that moves money or commands hardware, many at once, with the same and with different keys, and
with clients that hang up."""

import random
import socket
import uuid

import httpx

from acceptance.deeds import deeds
from acceptance.fiscal import Fiscal
from acceptance.platform import free_port, until
from acceptance.stage import HANGS, Stage, at_once

# So many ask at once under one key, and so many under keys of their own.
SAME, OWN = 50, 24
FISCAL_PORT = free_port()
PLATFORM = {"settings": Fiscal.settings(FISCAL_PORT)}


def hang_up(platform, caller, path, body, key, after, part):
    """Sends a request, or a part of it, and closes the line a moment later, whatever the server does."""
    # Written as the client writes it that repeats the request: a key stands for one content.
    payload = httpx.Request("POST", platform.url, json=body).content
    head = (
        f"POST {path} HTTP/1.1\r\nhost: acceptance\r\nauthorization: Bearer {caller.token}\r\nidempotency-key: {key}\r\n"
        f"accept-language: en\r\ncontent-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", platform.port)) as line:
        line.sendall((head + payload)[: int(part * len(head + payload))])
        line.settimeout(after)
        try:
            line.recv(1)
        except TimeoutError:
            pass


def turned_away(answer):
    """For the moment only: too many ask, or another request with the key is at work."""
    return answer.status_code == 429 or (answer.status_code == 409 and answer.json()["code"] in ("still_running", "busy"))


def replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def under_one_key(findings, deed):
    """Many at once under one key: it is done once, and all who are answered are answered the same."""
    it, key, name = deed.targets[0], str(uuid.uuid4()), f"{deed.operation}, one key at once"
    body, before = it.wish(), it.effect()
    answers = at_once(SAME, lambda _: it.caller.post(it.path, body, key))
    good = [it for it in answers if it.status_code < 300]
    findings.expect(all(it.status_code < 300 or turned_away(it) for it in answers), lambda: f"{name}: {deed.told(answers)}")
    findings.checked("requests turned away", SAME - len(good))
    findings.expect(good and deed.was_done(before, it.effect(), 1), lambda: f"{name}: {before} became {it.effect()}")
    findings.expect(len({it.text for it in good}) <= 1, f"{name}: answers differ")
    findings.expect(sum(not replayed(it) for it in good) == 1, f"{name}: not one of the answers is the first")
    again = it.caller.post(it.path, body, key)
    same = again.status_code < 300 and replayed(again) and deed.was_done(before, it.effect(), 1)
    wrong = lambda: f"{deed.operation}, repeated: {deed.told([again])}, {before} became {it.effect()}"
    findings.expect(same, wrong)

    without = it.caller.http.post(it.path, json=body)
    refused = without.status_code == 422 and without.json()["errors"][0]["code"] == "idempotency_key_required"
    findings.expect(refused, f"{deed.operation} without a key: {without.status_code}")
    findings.checked("requests", SAME + 2)


def hung_up_on(platform, findings, deed):
    """Hung up on at some moment and repeated under the same key, each is done once."""
    shared = len(deed.targets) == 1
    targets = deed.targets * HANGS if shared else deed.targets[1:-1]
    bodies, keys = [it.wish() for it in targets], [str(uuid.uuid4()) for _ in targets]
    moments = random.Random(deed.operation)
    # From before the request is read to after it is answered; some say only a part of it.
    cut = [0.0005 * 300 ** moments.random() for _ in targets]
    part = [1.0 if n % 4 else moments.random() for n in range(len(targets))]
    before = [it.effect() for it in targets]
    leave = lambda n, it: hang_up(platform, it.caller, it.path, bodies[n], keys[n], cut[n], part[n])
    at_once(len(targets), lambda n: leave(n, targets[n]))

    def repeat(n):
        send = lambda: targets[n].caller.post(targets[n].path, bodies[n], keys[n])
        return until("an answer", lambda: not turned_away(it := send()) and it, 90)

    ends = at_once(len(targets), repeat)
    after = [it.effect() for it in targets]
    name, good = f"{deed.operation}, hung up on and repeated", sum(it.status_code < 300 for it in ends)
    findings.expect(good == len(targets), lambda: f"{name}: {good} of {len(targets)} answered; {deed.told(ends)}")
    for was, became in list(zip(before, after))[: 1 if shared else None]:
        findings.expect(deed.was_done(was, became, len(targets) if shared else 1), f"{name}: {was} became {became}")
    findings.checked("requests hung up on", len(targets))
    findings.checked("requests hung up on and done all the same", sum(replayed(it) for it in ends))


def under_own_keys(findings, deed):
    """Many at once, each under a key of its own, by all who may: as often as the rule allows, and as often as answered."""
    it, name = deed.targets[-1], f"{deed.operation}, keys of their own"
    asked, before = it.asked(OWN), it.effect()

    def send(n):
        caller, path, body = asked[n]
        return caller.post(path, body)

    answers = at_once(OWN, send)
    good = sum(it.status_code < 300 for it in answers)
    # What others did forbids it, or too many ask.
    fair = all(it.status_code < 300 or it.status_code in (409, 429) for it in answers)
    findings.expect(fair, lambda: f"{name}: {deed.told(answers)}")
    findings.expect(good > 0, lambda: f"{name}: none was answered; {deed.told(answers)}")
    times = good if deed.again else 1
    wrong = lambda: f"{name}: {good} answered, {before} became {it.effect()}"
    findings.expect(deed.was_done(before, it.effect(), times, it.own), wrong)
    findings.checked("requests", OWN)
    findings.checked("requests turned away", OWN - good)


def race(platform, findings, deed):
    findings.checked("operations raced")
    under_one_key(findings, deed)
    hung_up_on(platform, findings, deed)
    under_own_keys(findings, deed)


def keyed(document):
    """The operations that need a key, as the API's document has them."""
    needs = lambda it: it["in"] == "header" and it["name"].lower() == "idempotency-key" and it.get("required")
    operations = [it for methods in document["paths"].values() for it in methods.values() if isinstance(it, dict)]
    return {it["operationId"] for it in operations if any(needs(parameter) for parameter in it.get("parameters", []))}


def books_are_equal(platform, findings, admin):
    """What the channel has taken and given back is what our rows say, number by number."""
    books = platform.books()
    for what, number, state in (
        ("payments", "payment_no", "paid"), ("refunds", "refund_no", "succeeded"), ("refunds", "refund_no", "failed"),
    ):
        ours = {it[number]: it["amount_fen"] for it in admin.rows(f"/api/v1/orders/{what}", state=state)}
        theirs = {no: it["amount_fen"] for no, it in books[what].items() if it["state"] == state}
        differ = sorted(set(ours.items()) ^ set(theirs.items()))
        findings.expect(not differ, f"{what} that are {state} differ between the channel's books and ours: {differ[:6]}")
        findings.checked(f"{what} {state} at the channel", len(theirs))


def run(platform, findings):
    stage = Stage(platform, findings, Fiscal(FISCAL_PORT))
    raced = set()
    for deed in deeds(stage):
        race(platform, findings, deed)
        raced.add(deed.operation)
    wanted = keyed(platform.guest().get("/api/openapi.json").json())
    for operation in sorted(wanted - raced):
        findings.wrong.append(f"{operation} needs a key and is not raced")
    for operation in sorted(raced - wanted):
        findings.wrong.append(f"{operation} is raced and needs no key")
    stage.refunds_are_over()
    books_are_equal(platform, findings, stage.admin)
    findings.verify(platform, "after the races")
