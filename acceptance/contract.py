"""The API against its own document: schemathesis with a token of each kind, all checks that apply, seeds kept."""

import os
import pathlib
import re
import subprocess
import sys

from acceptance import world

PLATFORM = {"drivers": 4}
SEED = 20261129
EXAMPLES = int(os.environ.get("ACCEPTANCE_EXAMPLES", "6"))
SECONDS = int(os.environ.get("ACCEPTANCE_SECONDS", "240"))
# They end the caller's own session, never end themselves, or lock the account that asks.
LEFT_OUT = ["logout", "logoutDriver", "changePassword", "endOtherSessions", "endOwnSession", "endSession", "streamEvents", "streamMyOrder", "login"]
# What the document cannot say: which rows there are (a well-formed id may be 404) and what a state forbids (409).
CHECKS_LEFT_OUT = ["positive_data_acceptance", "use_after_free", "ensure_resource_availability"]


def fuzz(platform, findings, kind, token):
    report = platform.folder / f"schemathesis-{kind}"
    command = [
        pathlib.Path(sys.executable).with_name("st"), "run", f"{platform.url}/api/openapi.json", "--url", platform.url,
        "--checks", "all", "--exclude-checks", ",".join(CHECKS_LEFT_OUT), "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--max-time", str(SECONDS), "--seed", str(SEED), "--no-shrink", "--workers", "4", "--continue-on-failure",
        "--report", "junit", "--report-dir", report, "--warnings", "off", "--suppress-health-check", "all",
    ]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    command += {"driver": ["--include-path-regex", "^/api/app/"], "guest": []}.get(kind, ["--include-path-regex", "^/api/v1/"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 3, cwd=platform.folder, env=os.environ | {"NO_COLOR": "1"})
    output = done.stdout
    cases = re.search(r"(\d+) generated", output) or re.search(r"Test cases:\s*(\d+)", output)
    findings.checked("generated requests", int(cases.group(1)) if cases else 0)
    findings.expect(done.returncode == 0, lambda: f"schemathesis as {kind}: {output[-6000:]}{done.stderr[-1000:]}")


def run(platform, findings):
    tokens = {
        "guest": None,
        "platform": platform.admin().token,
        "provider": platform.staff(world.PROVIDERS[0]).token,
        "property": platform.staff(world.PROPERTIES[0]).token,
        "driver": platform.driver(world.phone()).token,
    }
    for kind, token in tokens.items():
        fuzz(platform, findings, kind, token)
    findings.expect(platform.reach(f"{platform.url}/readyz"), "the server does not serve any more")
    findings.verify(platform, "after the generated requests")
