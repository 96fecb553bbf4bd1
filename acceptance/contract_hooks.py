"""Loaded by schemathesis: puts ids of rows that exist into requests, signs callbacks, and counts the answers."""

import atexit
import collections
import json
import os
import pathlib
import re
import threading
import uuid

import requests
import schemathesis

from acceptance.liar import Signer

KNOWN = json.loads(pathlib.Path(os.environ["ACCEPTANCE_KNOWN"]).read_text())
SECRET = os.environ.get("ACCEPTANCE_SECRET")
ANSWERS = pathlib.Path(os.environ["ACCEPTANCE_ANSWERS"])
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_answers = collections.defaultdict(collections.Counter)
_lock = threading.Lock()


def row(of, made_up):
    """Of three ids that were made up two become ones that exist. The same become the same."""
    number = uuid.UUID(made_up).int
    ids = KNOWN.get(of)
    return ids[number // 3 % len(ids)] if ids and number % 3 != 2 else made_up


def replaced(value, name=None):
    """A body in which ids that were made up are ids of rows."""
    if isinstance(value, dict):
        new = {key: replaced(inner, key) for key, inner in value.items()}
        together = {key: it for key, it in KNOWN["together"].items() if new.get(key) in KNOWN.get(key, [])}
        return new | together
    if isinstance(value, list):
        return [replaced(inner, name) for inner in value]
    if name and isinstance(value, str) and UUID.fullmatch(value):
        return row(re.sub(r"s$", "", name), value)
    return value


class Signed(requests.auth.AuthBase):
    """Signs a callback as the sandbox channel does."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        request.headers.update(Signer(SECRET).headers("POST", "/api/callbacks/sandbox", body))
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    if isinstance(case.path_parameters, dict) and UUID.fullmatch(str(case.path_parameters.get("id", ""))):
        case.path_parameters["id"] = row(path.split("/{", 1)[0], str(case.path_parameters["id"]))
    if isinstance(case.body, dict):
        case.body = replaced(case.body)
    if isinstance(case.query, dict):
        case.query = {name: replaced(value, name) for name, value in case.query.items()}
    if case.operation.method == "put" and isinstance(case.body, dict) and isinstance(case.body.get("version"), int):
        # Of each two changes one is of the row as it is, with its version and what cannot be changed.
        if case.body["version"] % 2 == 0:
            now = requests.get(case.operation.base_url + case.formatted_path, headers=dict(case.headers or {}), timeout=30)
            if now.status_code == 200:
                same = {name: it for name, it in now.json().items() if name in ("version", "kind") or name.endswith("_id")}
                case.body |= {name: it for name, it in same.items() if case.body.get(name)}
    if SECRET and path.startswith("/api/callbacks/"):
        kwargs["auth"] = Signed()


@schemathesis.hook
def after_call(context, case, response):
    with _lock:
        _answers[case.operation.definition.raw["operationId"]][response.status_code] += 1


@atexit.register
def keep():
    ANSWERS.write_text(json.dumps(_answers))


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """An empty parameter is one that is not there, and so is an empty text in a form: what is wrong about it is not."""
    if failure.code != "ST201":
        return True
    if "in query" in failure.message and isinstance(case.query, dict) and "" in case.query.values():
        return False
    names = re.findall(r"in body - (\w+):|/properties/(\w+)", failure.message)
    return not any(isinstance(case.body, dict) and case.body.get(one or other) == "" for one, other in names)


@schemathesis.check
def out_of_order(context, response, case):
    """While all is well, only a device that is not connected is a reason for 503."""
    if response.status_code == 503:
        assert response.json().get("code") == "device_offline", response.text
