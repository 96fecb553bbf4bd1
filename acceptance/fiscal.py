"""An invoicing service that can refuse: it speaks as Nuonuo's open platform does, and keeps books of what it was asked for."""

import collections
import decimal
import http.server
import json
import threading
import time

# An invoice for a buyer whose name begins with this fails the first time, as soon as the service decides.
REFUSED = "退票"


class Fiscal:
    """Serves on a port until the process ends. Signatures are not checked; that is done by the simulated service."""

    def __init__(self, port):
        self.port, self.lock, self.decides = port, threading.Lock(), False
        # Each order by its number, and how often each number was asked for: blue ones and red ones.
        self.orders, self.blue, self.red = {}, collections.Counter(), collections.Counter()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with service.lock:
                    answer = service.answer(self.headers["method"].rsplit(".", 1)[-1], body)
                self.reply("application/json", json.dumps(answer).encode())

            def do_GET(self):
                self.reply("application/pdf", b"%PDF-1.4\ntrailer<<>>\n%%EOF\n")

            def reply(self, media, body):
                self.send_response(200)
                self.send_header("content-type", media)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @staticmethod
    def settings(port):
        """What the platform has to know of it."""
        url = f"http://127.0.0.1:{port}/open/v1/services"
        words = {"URL": url, "APP_KEY": "acceptance", "APP_SECRET": "s", "ACCESS_TOKEN": "t"}
        return {f"WATTYARD__INVOICE__NUONUO__{name}": value for name, value in words.items()}

    def numbers(self, books, invoice_no):
        """The numbers under which an invoice, or its red one, was asked for."""
        return [it for it in books if it.startswith(invoice_no)]

    def answer(self, method, body):
        done = lambda result=None: {"code": "E0000", "describe": "", "result": result}
        match method:
            case "requestBillingNew":
                order = body["order"]
                self.blue[order["orderNo"]] += 1
                if order["orderNo"] in self.orders:
                    return {"code": "E9106", "describe": "订单编号不能重复"}
                self.orders[order["orderNo"]] = order
                return done({"invoiceSerialNum": f"S{order['orderNo']}"})
            case "queryInvoiceResult":
                [number] = body["orderNos"]
                return done([self.told(number)]) if number in self.orders else {"code": "E9500", "describe": ""}
            case "saveInvoiceRedConfirm":
                self.red[body["billId"]] += 1
                return done(body["billId"])
            case "queryInvoiceRedConfirm":
                form = {"billId": body["billId"], "billStatus": "04", "openStatus": "1"}
                return done({"total": 1, "list": [form]}) if body["billId"] in self.red else {"code": "E9500", "describe": ""}
            case _:
                return done()

    def told(self, number):
        if self.orders[number]["buyerName"].startswith(REFUSED) and number.endswith("A1"):
            return {"orderNo": number, "status": "22" if self.decides else "20", "failCause": "授信额度不足"}
        lines = self.orders[number]["invoiceDetail"]
        total = lambda part: str(sum(decimal.Decimal(it[part]) for it in lines))
        return {
            "orderNo": number, "status": "2", "allElectronicInvoiceNumber": f"N{number}",
            "invoiceTime": int(time.time() * 1000), "exTaxAmount": total("taxExcludedAmount"), "taxAmount": total("tax"),
            "pdfUrl": f"http://127.0.0.1:{self.port}/fp/{number}.pdf",
        }
