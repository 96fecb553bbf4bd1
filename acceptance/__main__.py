"""Runs the acceptance: `python -m acceptance [part…]`. Prints what it ran; exits with 1 on a finding."""

import contextlib
import importlib
import pathlib
import sys
import time
import traceback

from acceptance.findings import Findings
from acceptance.platform import Platform

# In this order; each on a platform of its own, so that what one breaks does not hide what the next would find, or on none.
PARTS = ("advisories", "contract", "foreign", "isolation", "races", "faults")
# The server's log of a part that found something; git ignores the folder.
LOGS = pathlib.Path(__file__).parent.parent / ".tools/acceptance/logs"


def run(name):
    part = importlib.import_module(f"acceptance.{name}")
    findings, began = Findings(name), time.monotonic()
    settings = getattr(part, "PLATFORM", {})
    with contextlib.nullcontext() if settings is None else Platform(**settings) as platform:
        try:
            part.run(platform, findings)
        except Exception:
            findings.wrong.append(f"{name} broke off: {traceback.format_exc()}")
        if platform:
            panics = platform.log().count("panicked at")
            findings.expect(panics == 0, f"{panics} panics in the server's log")
            if findings.wrong:
                LOGS.mkdir(parents=True, exist_ok=True)
                (LOGS / f"{name}.log").write_text(platform.log())
    print(f"{'✗' if findings.wrong else '✓'} {name}: {time.monotonic() - began:.0f} s, {findings.summary()}", flush=True)
    for line in findings.wrong + findings.notes:
        print(f"    {line}", flush=True)
    return not findings.wrong


def main():
    wanted = sys.argv[1:] or PARTS
    unknown = set(wanted) - set(PARTS)
    if unknown:
        sys.exit(f"there is no part {', '.join(sorted(unknown))}; parts: {', '.join(PARTS)}")
    sys.exit(0 if all([run(name) for name in wanted]) else 1)


main()
