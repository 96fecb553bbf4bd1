"""The API against its own document: schemathesis with a token of each kind, all checks that apply, seeds kept."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

from acceptance import world
from acceptance.charger import Chargers
from acceptance.isolation import audience, collection, furnish, motorist, operations, schema_of, send
from acceptance.platform import ROOT

PLATFORM = {"drivers": 4}
SEED = 20261129
EXAMPLES = int(os.environ.get("ACCEPTANCE_EXAMPLES", "5"))
SECONDS = int(os.environ.get("ACCEPTANCE_SECONDS", "400"))
# They end the session of whoever asks, or lock its account; streams never end. What they do is in other parts.
LEFT_OUT = ["logout", "logoutDriver", "changePassword", "endOtherSessions", "endOwnSession", "endSession", "streamEvents", "streamMyOrder"]
# Staff of all kinds go through the same code, so only the first goes through every boundary of every value.
EVERY_BOUNDARY = ("platform", "driver", "channel", "guest")
# They are of what several requests do one after another, which the other parts know more of. What a channel has signed is
# kept whatever it says, and read afterwards.
CHECKS_LEFT_OUT = {"channel": ["negative_data_rejection"]}
STATEFUL = ["use_after_free", "ensure_resource_availability"]
PATHS = {"guest": "^/api/(app/)?v1/(auth|system/settings/public)|^/api/callbacks|^/q/", "channel": "^/api/callbacks/sandbox", "driver": "^/api/app/v1/"}
REPORTS = ROOT / "target" / "acceptance"


def known_rows(platform, document, driver, callers):
    """Ids of rows that exist, by the path of their list and by the names that fields and parameters have for them."""
    admin, known = platform.admin(), {}
    busy = {world.me(it)["id"] for it in callers}
    for path, methods in document["paths"].items():
        if f"{path}/{{id}}" not in document["paths"] or "get" not in methods:
            continue
        answer = (driver if path.startswith("/api/app/") else admin).get(path, **({"lng": 120.2, "lat": 30.25} if path.endswith("v1/stations") and "app" in path else {}))
        rows = answer.json() if answer.status_code == 200 else []
        rows = rows["items"] if isinstance(rows, dict) else rows
        # Who asks must go on being somebody.
        ids = [it["id"] for it in rows if it["id"] not in busy]
        known[path] = ids[:6]
    names = {
        "station_id": "car/stations", "car_station_id": "car/stations", "bike_station_id": "bike/stations", "area_id": "car/areas",
        "charger_id": "car/chargers", "connector_id": "car/connectors", "provider_id": "system/providers", "property_id": "system/properties",
        "collective_id": "members/collectives", "product_id": "members/card-products", "driver_id": "members/drivers", "role_id": "system/roles",
        "department_id": "system/departments", "post_id": "system/posts", "user_id": "system/users", "order_id": "orders/car",
    }
    known |= {name: known[f"/api/v1/{path}"] for name, path in names.items()}
    # A tenant, a place and a thing that belong to each other.
    connector = admin.rows("/api/v1/car/connectors")[0]
    station = admin.get(f"/api/v1/car/stations/{connector['station_id']}").json()
    known["together"] = {it: connector.get(it) or station.get(it) for it in ("provider_id", "property_id", "station_id", "area_id", "charger_id")}
    known["/api/app/v1/connectors"] = known["connector_id"]
    return known


def fuzz(platform, findings, kind, token, known):
    REPORTS.mkdir(parents=True, exist_ok=True)
    answers, rows, report = (REPORTS / f"{kind}-{it}" for it in ("answers.json", "rows.json", "report.txt"))
    rows.write_text(json.dumps(known))
    answers.unlink(missing_ok=True)
    environment = os.environ | {
        "NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "acceptance.contract_hooks",
        "ACCEPTANCE_KNOWN": str(rows), "ACCEPTANCE_ANSWERS": str(answers),
    }
    if kind == "channel":
        environment["ACCEPTANCE_SECRET"] = platform.secret()
    command = [
        pathlib.Path(sys.executable).with_name("st"), "--config-file", pathlib.Path(__file__).with_name("schemathesis.toml"),
        "run", f"{platform.url}/api/openapi.json", "--url", platform.url, "--checks", "all", "--exclude-checks", ",".join(STATEFUL + CHECKS_LEFT_OUT.get(kind, [])),
        "--phases", "examples,coverage,fuzzing" if kind in EVERY_BOUNDARY else "examples,fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED),
        "--no-shrink", "--workers", "1", "--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all",
        "--report", "junit", "--report-junit-path", REPORTS / f"{kind}-junit.xml", "--request-timeout", "60",
        "--include-path-regex", PATHS.get(kind, "^/api/v1/"),
    ]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    with open(report, "w") as output:
        done = subprocess.Popen(command, stdout=output, stderr=output, cwd=platform.folder, env=environment)
        try:
            done.wait(SECONDS)
        except subprocess.TimeoutExpired:
            done.kill()
            done.wait()
            findings.expect(False, f"schemathesis as {kind} did not end in {SECONDS} s")
    text = report.read_text()
    findings.expect(done.returncode == 0, lambda: f"schemathesis as {kind}: {failures(text)} (all of it in {report})")
    answered = json.loads(answers.read_text()) if answers.exists() else {}
    findings.checked("generated requests", sum(sum(it.values()) for it in answered.values()))
    findings.checked(f"operations as {kind}", len(answered))
    good = sum(any(int(status) < 300 for status in it) for it in answered.values())
    findings.checked(f"operations that did something for {kind}", good)
    return answered


def failures(text):
    """What went wrong, an operation a line: the report is long."""
    lines = []
    for operation in re.split(r"\n_{5,} ", text)[1:]:
        name = operation.split(" __", 1)[0]
        for case in re.split(r"\n\d+\. Test Case ID", operation)[1:]:
            what = ", ".join(re.findall(r"\n- (.*)", case)) + " " + " ".join(re.findall(r"Invalid component: .*", case))
            answer = re.findall(r"\[\d+\] .*?:\n\n *(.*)", case)
            lines.append(f"{name}: {what[:200]} {answer[0][:300] if answer else ''} {' '.join(re.findall(r'curl .*', case))[:500]}")
        if "Test Case ID" not in operation:
            lines.append(f"{name}: {operation[-500:]}")
    return "\n      ".join(["", *(lines or [text[-3000:]])])


def examples(platform, findings, document, known):
    """What the document gives as an example of a body is not refused for its form; whom it names need not be there."""
    admin = platform.admin()
    for method, path, operation in operations(document):
        body = schema_of(document, operation)["example"]
        if not body or operation["operationId"] in [*LEFT_OUT, "login", "updateSettings"] or audience(operation) != "staff":
            continue
        answer = send(admin, method, path.replace("{id}", next(iter(known.get(collection(path), [])), "")), body)
        findings.checked("documented examples sent")
        form = [it for it in answer.json().get("errors", []) if it["code"] in ("format", "required", "unknown", "too_long", "range")] if answer.status_code == 422 else []
        findings.expect(not form, lambda: f"the document's example of {operation['operationId']} is refused: {form}")


def run(platform, findings):
    document = platform.guest().get("/api/openapi.json").json()
    everybody = world.tenants(platform)
    driver, _ = motorist(platform)
    furnish(platform, Chargers(platform), driver, platform.staff(world.PROPERTIES[0]), "本")
    callers = {"guest": None, "channel": None, "driver": driver} | {it: everybody[it] for it in ("collective", "bound", "property", "provider")}
    callers["platform"] = platform.admin()
    known = known_rows(platform, document, driver, [*everybody.values(), platform.admin()])
    examples(platform, findings, document, known)
    wanted = os.environ.get("ACCEPTANCE_KINDS", ",".join(callers)).split(",")

    def attack(kind):
        caller = callers[kind]
        answered = fuzz(platform, findings, kind, caller and caller.token, known)
        who = caller and caller.get("/api/app/v1/me" if kind == "driver" else "/api/v1/auth/me").status_code
        findings.expect(who in (None, 200), f"{kind} is nobody any more: {who}")
        return answered

    # The platform's own people can do to the others what ends their tokens, so they come last.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(attack, [it for it in wanted if it != "platform"]))
    if "platform" in wanted:
        # What the others have switched off would keep most from being done.
        for of, path in (("provider_id", "system/providers"), ("property_id", "system/properties"), ("station_id", "car/stations"), ("area_id", "car/areas"), ("charger_id", "car/chargers")):
            platform.admin().post(f"/api/v1/{path}/{known['together'][of]}/enable")
        answered = attack("platform")
        idle = sorted(of for of, statuses in answered.items() if not any(int(it) < 300 for it in statuses))
        print(f"    nothing came of {len(idle)} operations of the platform's people: {', '.join(idle)}", flush=True)
        findings.expect(len(idle) < len(answered) * 0.3, f"nothing came of {len(idle)} of {len(answered)} operations")
    findings.expect(platform.reach(f"{platform.url}/readyz"), "the server does not serve any more")
    findings.verify(platform, "after the generated requests")
