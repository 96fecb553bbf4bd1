"""Known-vulnerable dependencies: Cargo.lock against a copy of the facts of the RustSec advisory database, with its date.

`advisories.tsv` holds the facts; its first lines say how to renew them. They are written into a database of the form that
cargo-deny reads, and it judges offline. A crate of Cargo.lock that the table does not name is a finding, and so are facts
older than a year. What is borne stands in deny.toml with its reason, and only while it is there to be borne.

Not covered: proposals that RustSec gave no number; the compiler and its standard library; PostgreSQL and C libraries; npm's
packages, of which the console's charts (echarts), styles (element-plus) and icons reach the browser while the rest only
builds or tests; Python's packages, which only test. `npm audit` in frontend/ asks npm's own database, with the internet.
"""

import csv
import datetime
import json
import os
import pathlib
import subprocess
import tempfile
import tomllib

PLATFORM = None
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
# cargo-deny looks for the database of this address in this folder; the address itself is never asked.
SOURCE, FOLDER = "https://github.com/rustsec/advisory-db", "advisory-db-3157b0e258782691"
OLDEST = datetime.timedelta(days=365)
COLUMNS = ("crate", "id", "date", "kind", "withdrawn", "patched", "unaffected", "functions")
KINDS = ("vulnerability", "unsound", "unmaintained", "notice")
# Somewhere in the server's own tree, directly or not.
PLANTED = ("tokio", "slab", "memchr", "itoa")


def table():
    """The date of the facts, the crates that were looked up, and the advisories."""
    lines = (HERE / "advisories.tsv").read_text().splitlines()
    date = next(line.removeprefix("# facts of ") for line in lines if line.startswith("# facts of "))
    columns, *rows = csv.reader((it for it in lines if not it.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    assert tuple(columns) == COLUMNS, columns
    held = [dict(zip(COLUMNS, ("" if it == "-" else it for it in row), strict=True)) for row in rows if row[1] != "-"]
    return datetime.date.fromisoformat(date), {row[0] for row in rows}, held


def locked():
    """The crates of Cargo.lock that others made, and their versions."""
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {it["name"]: it["version"] for it in packages if it.get("source") == REGISTRY}


def document(advisory):
    """An advisory as cargo-deny reads it, in no more words than it asks for."""
    page = f"https://rustsec.org/advisories/{advisory['id']}"
    facts = {"id": advisory["id"], "package": advisory["crate"], "date": advisory["date"], "url": page}
    if advisory["kind"] != "vulnerability":
        facts["informational"] = advisory["kind"]
    if advisory["withdrawn"]:
        facts["withdrawn"] = advisory["withdrawn"]
    versions = {it: [range for range in advisory[it].split("; ") if range] for it in ("patched", "unaffected")}
    return f"```toml\n{section('advisory', facts)}{section('versions', versions)}```\n\n# see {page}\n"


def section(name, values):
    """Text, lists of text and truth values are written alike in TOML and in JSON."""
    return "".join([f"[{name}]\n", *(f"{key} = {json.dumps(value)}\n" for key, value in values.items())])


def judge(advisories, date):
    """What cargo-deny says of Cargo.lock with these advisories: those that apply, by id, and what else it has to say."""
    with tempfile.TemporaryDirectory(prefix="wattyard-advisories.") as folder:
        folder = pathlib.Path(folder)
        for it in advisories:
            path = folder / FOLDER / "crates" / it["crate"] / f"{it['id']}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(document(it))
        moment = f"{date}T12:00:00Z"
        environment = os.environ | {
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment,
        }
        git = ["git", "-C", folder / FOLDER, "-c", "user.name=acceptance", "-c", "user.email=acceptance@localhost"]
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", f"Facts of {date}"]):
            subprocess.run([*git, *command], check=True, env=environment)

        rules = tomllib.loads((ROOT / "deny.toml").read_text())
        # Ours to judge: what is borne, so that it is seen, and how old the facts are, so that old ones are asked all the same.
        del rules["advisories"]["ignore"]
        rules["advisories"] |= {"db-path": str(folder), "db-urls": [SOURCE], "maximum-db-staleness": "P100Y"}
        config = folder / "deny.toml"
        config.write_text("".join(section(it, rules[it]) for it in ("graph", "advisories")))
        command = ["cargo", "deny", "--offline", "--locked", "--format", "json", "--config", config]
        command += ["check", "--hide-inclusion-graph", "advisories"]
        path = {"PATH": f"{ROOT}/.tools/bin:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=ROOT, env=os.environ | path, capture_output=True, text=True, timeout=300)

    found, else_said, ended = {}, [], False
    for line in done.stderr.splitlines():
        it = json.loads(line) if line.startswith("{") else {"type": "log", "fields": {"message": line}}
        fields, ended = it["fields"], ended or it["type"] == "summary"
        if it["type"] == "diagnostic" and fields.get("advisory"):
            where = fields["labels"][0]["span"].removesuffix(REGISTRY).strip()
            found.setdefault(fields["advisory"]["id"], (fields["code"], []))[1].append(where)
        elif it["type"] != "summary":
            else_said.append(f"cargo-deny: {fields['message']} {' '.join(it['span'] for it in fields.get('labels', []))}")
    if not ended:
        else_said.append(f"cargo-deny ended with {done.returncode} and no summary")
    return found, else_said


def planted(crates):
    """Advisories that Cargo.lock falls under, one of each kind, and some that just miss it."""
    row = dict.fromkeys(COLUMNS, "") | {"date": "2026-01-01"}
    hits = [
        row | {"crate": crate, "id": f"RUSTSEC-2099-000{number}", "kind": kind, "patched": f"> {crates[crate]}"}
        for number, (crate, kind) in enumerate(zip(PLANTED, KINDS, strict=True), 1)
    ]
    crate, kind = PLANTED[0], KINDS[0]
    near = ({"patched": f">= {crates[crate]}"}, {"unaffected": f"<= {crates[crate]}"}, {"withdrawn": "2026-01-02"})
    misses = [row | {"crate": crate, "id": f"RUSTSEC-2099-001{number}", "kind": kind} | it for number, it in enumerate(near, 1)]
    return hits, misses


def run(_, findings):
    date, looked_up, held = table()
    crates, borne = locked(), tomllib.loads((ROOT / "deny.toml").read_text())["advisories"]["ignore"]
    reasons = {it["id"]: it["reason"] for it in borne}
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT, check=True, timeout=900)

    hits, misses = planted(crates)
    found, said = judge(hits + misses, date)
    wanted = {it["id"]: (it["kind"], [f"{it['crate']} {crates[it['crate']]}"]) for it in hits}
    findings.expect(found == wanted and not said, lambda: f"blind: of planted advisories {wanted} it found {found} {said}")

    findings.expect(datetime.date.today() - date <= OLDEST, f"the facts are of {date}, older than a year: renew advisories.tsv")
    for crate in sorted(crates.keys() - looked_up):
        findings.expect(False, f"{crate} was never looked up: add it to advisories.tsv")
    known = [it for it in held if it["kind"] != "unread"]
    for it in held:
        readable = it["kind"] in KINDS or it["id"] in reasons
        findings.expect(readable, f"{it['id']} of {it['crate']}: its facts were not read")

    found, said = judge(known, date)
    for line in said:
        findings.expect(False, line)
    for it, (code, where) in found.items():
        findings.expect(it in reasons, f"{it}: {code} in {', '.join(where)}; see https://rustsec.org/advisories/{it}")
        if it in reasons:
            findings.note(f"borne: {it}, {code} in {', '.join(where)}: {reasons[it]}")
    unread = {it["id"] for it in held} - {it["id"] for it in known}
    for it in sorted(reasons.keys() - found.keys() - unread):
        findings.expect(False, f"deny.toml bears {it}, which nothing falls under any more")
    findings.checked("crates", len(crates))
    findings.checked(f"advisories of {date}", len(held))
    findings.checked("of them borne", len(reasons))
