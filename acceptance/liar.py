"""Stands between the platform and the simulated channel, text messages and invoicing service; hangs, loses and lies when told to."""

import contextlib
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
import uuid

import httpx

# What each does to the answer of a request that was carried out, unless it says that it was not.
MANNERS = (
    "hang",  # takes the request, carries nothing out, never answers
    "lose",  # carries it out and hangs up
    "refuse",  # 500 for everything, nothing is carried out
    "garbage",  # a page of HTML with 200
    "forged",  # another amount under the old signature
    "other_amount",  # another amount, signed
    "other_number",  # the answer about something else, signed
    "stale",  # an answer from before
    "endless",  # an answer without an end
    "drip",  # an answer byte by byte
)


class Signer:
    """Signs as the channel does."""

    def __init__(self, secret, merchant="M1000"):
        self.secret, self.merchant = secret, merchant

    def headers(self, method, path, body, nonce=None):
        at, nonce = str(int(time.time())), nonce or uuid.uuid4().hex
        mac = hmac.new(self.secret.encode(), digestmod=hashlib.sha256)
        for part in (method.encode(), path.encode(), at.encode(), nonce.encode(), body):
            mac.update(part + b"\n")
        return {"x-merchant": self.merchant, "x-timestamp": at, "x-nonce": nonce, "x-signature": mac.hexdigest()}


class Liar:
    """A proxy on an address of its own."""

    def __init__(self, port, behind):
        self.behind, self.manner, self.secret = behind, None, None
        self.misled, self.before = 0, {}
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                with contextlib.suppress(OSError):
                    return super().handle_one_request()
                self.close_connection = True

            def do_GET(self):
                liar.answer(self)

            do_POST = do_GET

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.http = httpx.Client(base_url=behind, timeout=30, limits=httpx.Limits(max_connections=200))

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        manner = self.manner
        if manner:
            self.misled += 1
        if manner == "hang":
            while self.manner == "hang":
                time.sleep(0.1)
            request.close_connection = True
            return
        if manner == "refuse":
            return self.send(request, 500, {}, b"out of order")
        headers = {it: value for it, value in request.headers.items() if it.lower() not in ("host", "content-length", "connection")}
        answer = self.http.request(request.command, request.path, content=body, headers=headers)
        if manner == "lose":
            request.close_connection = True
            return
        status, content = answer.status_code, answer.content
        kind = re.sub("[A-Z]?[0-9]{6,}", "", request.path)
        signed = {it: value for it, value in answer.headers.items() if it.startswith("x-")}
        if manner == "garbage":
            return self.send(request, 200, {"content-type": "text/html"}, b"<html>The bank is being cleaned.</html>")
        if manner == "stale" and self.before:
            status, signed, content = self.before.get(kind, (status, signed, content))
        if not manner:
            self.before[kind] = status, signed, content
        if manner in ("forged", "other_amount", "other_number") and status == 200 and "x-signature" in signed:
            content = self.lie(manner, content)
            if manner != "forged":
                signed = Signer(self.secret).headers("RESPONSE", request.path, content, request.headers.get("x-nonce"))
        if manner in ("endless", "drip"):
            return self.trickle(request, manner, content)
        self.send(request, status, signed | {"content-type": answer.headers.get("content-type", "application/json")}, content)

    @staticmethod
    def lie(manner, content):
        told = json.loads(content)
        if manner == "other_number":
            for name in ("payment_no", "refund_no"):
                if name in told:
                    told[name] += "9"
        elif "amount_fen" in told:
            told["amount_fen"] += 100
        return json.dumps(told).encode()

    @staticmethod
    def send(request, status, headers, content):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def trickle(self, request, manner, content):
        request.send_response(200)
        request.send_header("content-type", "application/json")
        request.send_header("connection", "close")
        request.end_headers()
        request.close_connection = True
        if manner == "drip":
            for byte in content:
                if self.manner != "drip":
                    return
                request.wfile.write(bytes([byte]))
                time.sleep(0.2)
        while manner == self.manner == "endless":
            request.wfile.write(b" " * 65536)
