"""A charger that our makers did not write: the `ocpp` package of PyPI, which checks every frame against the OCA's schemas."""

import asyncio
import base64
import contextlib
import threading
from datetime import datetime, timedelta, timezone

import websockets
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16 import enums as words


class Violation(Exception):
    """The platform said something that the standard does not allow."""


class Charger(ChargePoint):
    """Two connectors, a car at each; it does what it is told, and tells its meter when `flow` is called."""

    def __init__(self, serial_no, connection, register_wh=100_000, clock=timedelta(0)):
        super().__init__(serial_no, connection)
        self.register_wh = {1: register_wh, 2: register_wh * 3}
        self.running, self.clock = {}, clock
        self.started, self.stopped = asyncio.Event(), asyncio.Event()

    def now(self):
        return (datetime.now(timezone.utc) + self.clock).isoformat()

    async def boot(self):
        answer = await self.call(call.BootNotification(charge_point_model="M1", charge_point_vendor="Foreign"))
        assert answer.status == words.RegistrationStatus.accepted, answer
        for connector in (1, 2):
            await self.status(connector, words.ChargePointStatus.preparing)

    async def status(self, connector, status):
        await self.call(call.StatusNotification(connector, words.ChargePointErrorCode.no_error, status, timestamp=self.now()))

    @on(words.Action.remote_start_transaction)
    def on_start(self, id_tag, connector_id=1, **_):
        return call_result.RemoteStartTransaction(words.RemoteStartStopStatus.accepted)

    @after(words.Action.remote_start_transaction)
    async def after_start(self, id_tag, connector_id=1, **_):
        answer = await self.call(call.StartTransaction(connector_id, id_tag, self.register_wh[connector_id], self.now()))
        if answer.id_tag_info["status"] == words.AuthorizationStatus.accepted:
            self.running[answer.transaction_id] = connector_id
            await self.status(connector_id, words.ChargePointStatus.charging)
            self.started.set()

    @on(words.Action.remote_stop_transaction)
    def on_stop(self, transaction_id):
        known = transaction_id in self.running
        return call_result.RemoteStopTransaction(words.RemoteStartStopStatus.accepted if known else words.RemoteStartStopStatus.rejected)

    @after(words.Action.remote_stop_transaction)
    async def after_stop(self, transaction_id):
        if transaction_id in self.running:
            await self.finish(transaction_id, words.Reason.remote)

    @on(words.Action.trigger_message)
    def on_trigger(self, **_):
        return call_result.TriggerMessage(words.TriggerMessageStatus.accepted)

    @on(words.Action.change_availability)
    def on_availability(self, **_):
        return call_result.ChangeAvailability(words.AvailabilityStatus.accepted)

    @on(words.Action.change_configuration)
    def on_configure(self, **_):
        return call_result.ChangeConfiguration(words.ConfigurationStatus.accepted)

    @on(words.Action.get_configuration)
    def on_configuration(self, **_):
        return call_result.GetConfiguration([], [])

    @on(words.Action.reserve_now)
    def on_reserve(self, **_):
        return call_result.ReserveNow(words.ReservationStatus.accepted)

    @on(words.Action.cancel_reservation)
    def on_cancel(self, **_):
        return call_result.CancelReservation(words.CancelReservationStatus.accepted)

    @on(words.Action.reset)
    def on_reset(self, **_):
        return call_result.Reset(words.ResetStatus.accepted)

    @on(words.Action.unlock_connector)
    def on_unlock(self, **_):
        return call_result.UnlockConnector(words.UnlockStatus.unlocked)

    async def flow(self, transaction, wh):
        """Energy flows, and the meter is told."""
        connector = self.running[transaction]
        self.register_wh[connector] += wh
        sample = {"value": str(self.register_wh[connector]), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        power = {"value": "42000", "measurand": "Power.Active.Import", "unit": "W"}
        values = [{"timestamp": self.now(), "sampled_value": [sample, power]}]
        await self.call(call.MeterValues(connector, values, transaction))

    async def finish(self, transaction, reason):
        connector = self.running.pop(transaction)
        await self.call(call.StopTransaction(self.register_wh[connector], self.now(), transaction, reason))
        await self.status(connector, words.ChargePointStatus.preparing)
        self.stopped.set()


class Chargers:
    """Foreign chargers on a thread of their own, for callers that wait."""

    def __init__(self, platform):
        self.platform, self.loop = platform, asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, work, seconds=60):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def connect(self, serial_no, password=None, **options):
        return self.run(self._connect(serial_no, password, options))

    async def _connect(self, serial_no, password, options):
        headers = {}
        if password:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{serial_no}:{password}".encode()).decode()
        url = self.platform.url.replace("http", "ws", 1) + f"/ocpp/{serial_no}"
        connection = await websockets.connect(url, subprotocols=["ocpp1.6"], additional_headers=headers)
        charger = Charger(serial_no, connection, **options)
        charger.listening = asyncio.ensure_future(self.listen(charger))
        await charger.boot()
        return charger

    @staticmethod
    async def listen(charger):
        """Until the platform hangs up, as it does when it stops."""
        with contextlib.suppress(websockets.ConnectionClosed):
            await charger.start()
