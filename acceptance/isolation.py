"""Isolation: callers of every kind over every operation, with ids of another tenant in paths, queries, bodies and sheets; what
is foreign must be answered like what does not exist, in words and in time, and must not change."""

import io
import json
import re
import statistics
import threading
import time
import uuid
import zipfile

from acceptance import world
from acceptance.platform import PASSWORD

PLATFORM = {"drivers": 6}
# What belongs to nobody or to oneself: such lists show each their own.
OWN = {"account", "auth", "dashboard", "events", "system/settings"}
# Operations that would end the caller's own session.
ENDS_SESSION = re.compile(r"logout|changePassword|endO|streamEvents|streamMyOrder")


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def kind_of(operation):
    """staff, driver or public."""
    return next((scheme for it in operation.get("security", []) for scheme in it), "public")


def example(document, operation):
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return None, {}
    schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("example"), schema


def uuids(value, path=()):
    """Where in a body ids stand."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from uuids(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from uuids(inner, (*path, index))
    elif isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        yield path


def put(value, path, new):
    value = json.loads(json.dumps(value))
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return value


def said(answer, ids):
    """An answer without what differs between two requests."""
    text = answer.text
    for it in ids:
        text = text.replace(it, "ID")
    return answer.status_code, re.sub(r'"request_id":"[^"]*"', "", text)


def send(caller, method, path, body=None):
    headers = {"idempotency-key": str(uuid.uuid4())} if method in ("POST", "PUT") else {}
    return caller.http.request(method, path, json=body if method in ("POST", "PUT") else None, headers=headers)


def lists(document):
    for method, path, operation in operations(document):
        paged = any(it.get("name") == "page" for it in operation.get("parameters", []))
        if method == "GET" and "{" not in path and kind_of(operation) == "staff" and paged:
            yield path, operation


def visible(caller, path):
    answer = caller.get(path, page=1, size=200)
    return answer.json()["items"] if answer.status_code == 200 else []


def callers(platform):
    """Callers of one tenant of every kind, and one without any right."""
    boss, keeper = platform.staff(world.PROVIDERS[0]), platform.staff(world.PROPERTIES[0])
    everybody = {"provider": boss, "property": keeper}
    station = keeper.rows("/api/v1/car/stations")[0]
    owner = (station["property_id"], station["provider_id"])
    group = world.collective(keeper, *owner)
    nodes = {"collective_id": group["id"], "property_id": owner[0], "provider_id": owner[1]}
    kinds = {"bound": {"kind": "property", "property_id": owner[0], "provider_id": owner[1]}, "collective": {"kind": "collective"} | nodes}
    for name, node in kinds.items():
        username = f"acc{world.phone()}"
        form = {"username": username, "name": "林晓", "phone": world.phone()} | node
        made = platform.admin().post("/api/v1/system/users", form)
        if made.status_code != 201:
            raise AssertionError(f"no user of the kind {name}: {made.text}")
        fresh = platform.staff(username, made.json()["initial_password"])
        fresh.post("/api/v1/auth/password", {"old_password": made.json()["initial_password"], "new_password": PASSWORD + username})
        everybody[name] = platform.staff(username, PASSWORD + username)
        if name == "bound":
            platform.admin().post(f"/api/v1/system/users/{made.json()['id']}/bind-stations", {"station_ids": [station["id"]]})
    return everybody


def paths(findings, document, name, caller, foreign, driver_ids):
    for method, path, operation in operations(document):
        if "{" not in path or ENDS_SESSION.search(operation["operationId"]) or kind_of(operation) == "public":
            continue
        ids = driver_ids if kind_of(operation) == "driver" else foreign.get(operation["tags"][0], [])
        if (kind_of(operation) == "driver") != (name == "driver"):
            continue
        body, _ = example(document, operation)
        for theirs in ids[:3]:
            unknown = str(uuid.uuid4())
            answers = [send(caller, method, re.sub(r"\{\w+\}", it, path), body) for it in (theirs, unknown)]
            findings.checked("paths tried")
            if operation["tags"][0] == "app/stations":
                continue
            same = said(answers[0], [theirs, unknown]) == said(answers[1], [theirs, unknown])
            findings.expect(
                same and answers[0].status_code in (403, 404, 422),
                lambda: f"{name} {method} {path}: foreign {answers[0].status_code} {answers[0].text[:200]}, unknown {answers[1].status_code} {answers[1].text[:200]}",
            )


def queries(findings, document, name, caller, foreign):
    every = [it for ids in foreign.values() for it in ids[:1]]
    for path, operation in lists(document):
        for parameter in operation["parameters"]:
            schema = json.dumps(parameter.get("schema", {}))
            if parameter["in"] != "query" or '"uuid"' not in schema:
                continue
            for theirs in every:
                unknown = str(uuid.uuid4())
                answers = [caller.get(path, **{parameter["name"]: it}) for it in (theirs, unknown)]
                findings.checked("queries tried")
                same = said(answers[0], [theirs, unknown]) == said(answers[1], [theirs, unknown])
                findings.expect(same, lambda: f"{name} {path}?{parameter['name']}: {answers[0].text[:200]} / {answers[1].text[:200]}")


def bodies(findings, document, name, caller, foreign):
    for method, path, operation in operations(document):
        body, _ = example(document, operation)
        if not body or "{" in path or kind_of(operation) != "staff" or ENDS_SESSION.search(operation["operationId"]):
            continue
        for place in uuids(body):
            for theirs in [it for ids in foreign.values() for it in ids[:1]]:
                unknown = str(uuid.uuid4())
                answers = [send(caller, method, path, put(body, place, it)) for it in (theirs, unknown)]
                findings.checked("bodies tried")
                same = said(answers[0], [theirs, unknown]) == said(answers[1], [theirs, unknown])
                where = ".".join(map(str, place))
                findings.expect(same, lambda: f"{name} {method} {path} {where}: {answers[0].text[:200]} / {answers[1].text[:200]}")


def sheet_text(content):
    with zipfile.ZipFile(io.BytesIO(content)) as it:
        return "".join(it.read(name).decode() for name in it.namelist() if name.startswith("xl/"))


def rows_and_sheets(findings, document, name, caller, foreign_ids, foreign_words):
    for path, _ in lists(document):
        items = visible(caller, path)
        seen = {it["id"] for it in items if "id" in it}
        findings.checked("rows looked at", len(items))
        findings.expect(not seen & foreign_ids, f"{name} sees foreign rows in {path}: {seen & foreign_ids}")
        text = json.dumps(items, ensure_ascii=False)
        found = [it for it in foreign_words if it in text]
        findings.expect(not found, f"{name} reads foreign words in {path}: {found[:3]}")
        sheet = caller.get(f"{path}/export.xlsx")
        if sheet.status_code == 200:
            findings.checked("sheets read")
            text = sheet_text(sheet.content)
            found = [it for it in foreign_words if it in text]
            findings.expect(not found, f"{name} reads foreign words in the sheet of {path}: {found[:3]}")


def streams(platform, findings, name, caller, theirs, foreign_ids):
    """While something happens at the other tenant, nobody here hears of it."""
    heard, ending = [], time.monotonic() + 6

    def listen():
        with caller.http.stream("GET", "/api/v1/events", timeout=10) as stream:
            for line in stream.iter_lines():
                heard.append(line)
                if time.monotonic() > ending:
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    time.sleep(0.5)
    station = theirs.rows("/api/v1/car/stations")[0]
    for verb in ("disable", "enable") * 2:
        theirs.post(f"/api/v1/car/stations/{station['id']}/{verb}")
    listener.join(8)
    text = "\n".join(heard)
    findings.checked("lines of streams heard", len(heard))
    findings.expect(not [it for it in foreign_ids if it in text], f"{name} hears of foreign rows")


def timing(findings, name, caller, foreign):
    """A foreign row and none take the same time."""
    for path, tag in (("/api/v1/orders/car", "orders/car"), ("/api/v1/car/stations", "car/stations"), ("/api/v1/members/cards", "members/cards")):
        if not foreign.get(tag):
            continue
        times = ([], [])
        for turn in range(300):
            it = turn % 2
            row = foreign[tag][0] if it else str(uuid.uuid4())
            began = time.perf_counter()
            caller.get(f"{path}/{row}")
            times[it].append(time.perf_counter() - began)
        unknown, theirs = (statistics.median(it) for it in times)
        findings.checked("requests timed", 300)
        findings.expect(0.7 < theirs / unknown < 1.4, f"{name} {path}: foreign rows take {theirs / unknown:.2f} times as long as unknown ones")


def run(platform, findings):
    admin, theirs = platform.admin(), platform.staff(world.PROVIDERS[1])
    document = platform.guest().get("/api/openapi.json").json()
    their_keeper = platform.staff(world.PROPERTIES[1])
    station = their_keeper.rows("/api/v1/car/stations")[0]
    product = world.card_product(their_keeper, station["property_id"], station["provider_id"])
    world.card(their_keeper, product)
    world.collective(their_keeper, station["property_id"], station["provider_id"])
    time.sleep(20)
    everybody = callers(platform)
    foreign = {}
    mine = {name: {path: {it["id"] for it in visible(caller, path) if "id" in it} for path, _ in lists(document)} for name, caller in everybody.items()}
    for path, operation in lists(document):
        rows = visible(theirs, path)
        shared = set().union(*(it[path] for it in mine.values()))
        ids = [it["id"] for it in rows if "id" in it and it["id"] not in shared]
        foreign.setdefault(operation["tags"][0], []).extend(ids)
    foreign_ids = {it for ids in foreign.values() for it in ids}
    findings.checked("foreign rows", len(foreign_ids))
    words = {it["name"] for it in theirs.rows("/api/v1/car/stations")} | {it["serial_no"] for it in theirs.rows("/api/v1/car/chargers")}
    words |= {it["order_no"] for it in theirs.rows("/api/v1/orders/car")}
    before = {path: visible(theirs, path) for path in ("/api/v1/car/stations", "/api/v1/car/chargers", "/api/v1/members/cards", "/api/v1/system/users")}
    driver = platform.driver(world.phone())
    orders = [it["id"] for it in admin.rows("/api/v1/orders/car")[:3]]
    for name, caller in everybody.items():
        paths(findings, document, name, caller, foreign, orders)
        queries(findings, document, name, caller, foreign)
        rows_and_sheets(findings, document, name, caller, foreign_ids, words)
        streams(platform, findings, name, caller, theirs, foreign_ids)
    paths(findings, document, "driver", driver, foreign, orders)
    for name in ("provider", "property"):
        bodies(findings, document, name, everybody[name], foreign)
    timing(findings, "provider", everybody["provider"], foreign)
    still = {path: visible(theirs, path) for path in before}
    versions = lambda rows: {it["id"]: it.get("version") for it in rows}
    for path in ("/api/v1/car/chargers", "/api/v1/members/cards", "/api/v1/system/users"):
        findings.expect(versions(before[path]) == versions(still[path]), f"foreign rows of {path} were changed")
    findings.verify(platform, "after the walk")
