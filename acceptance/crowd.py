"""Slow clients, and many at one row, in a process of their own: who measures must not be slowed down by who disturbs."""

import asyncio
import collections
import json
import multiprocessing
import os
import random
import uuid

# Whole offices and mobile networks share an address, but nobody's limits for one are reached by so few.
CLIENTS_AN_ADDRESS = 10
HOT = 200


class Crowd:
    """So many slow clients, and 200 requests on one row at any time, until it is ended."""

    def __init__(self, platform, slow, token, path):
        context = multiprocessing.get_context("fork")
        self.ending, self.counts = context.Event(), context.SimpleQueue()
        self.process = context.Process(target=self.work, args=(platform.port, slow, token, path), daemon=True)
        self.process.start()

    def end(self):
        """Ends it; gives how many answers of what kind there were."""
        self.ending.set()
        counts = self.counts.get()
        self.process.join(20)
        if self.process.is_alive():
            self.process.kill()
        return counts

    def work(self, port, slow, token, path):
        # The platform and who measures go first: it is the platform that is looked at, not the machine.
        os.nice(10)
        self.port, self.told = port, collections.Counter()
        self.token, self.path = token, path
        asyncio.run(self.gather(slow))
        self.counts.put(dict(self.told))

    async def gather(self, slow):
        manners = (self.slow_body, self.slow_head, self.slow_reader)
        tasks = [asyncio.create_task(self.again(manners[n % 3], n)) for n in range(slow)]
        tasks += [asyncio.create_task(self.again(self.hot, n)) for n in range(HOT)]
        while not self.ending.is_set():
            await asyncio.sleep(0.1)
        for it in tasks:
            it.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def again(self, manner, n):
        """A client that comes back when it was sent away, from an address that it shares with a few."""
        address = f"127.0.{1 + n // CLIENTS_AN_ADDRESS // 200}.{2 + n // CLIENTS_AN_ADDRESS % 200}"
        await asyncio.sleep(random.uniform(0, 1))
        while True:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
                await manner(reader, writer)
            except OSError:
                self.told["hung up on"] += 1
            finally:
                if writer:
                    writer.close()
            await asyncio.sleep(0.2)

    async def dribble(self, reader, writer, begin):
        """Begins a request and sends a byte of it now and then, until somebody answers."""
        writer.write(begin)
        answer = asyncio.ensure_future(reader.read(4096))
        try:
            while not answer.done():
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait([answer], timeout=random.uniform(0.5, 1.5))
            status = answer.result()[9:12].decode(errors="replace")
            self.told[f"slow {status or 'hung up on'}"] += 1
        finally:
            answer.cancel()

    async def slow_body(self, reader, writer):
        head = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 600\r\n\r\n{"
        await self.dribble(reader, writer, head)

    async def slow_head(self, reader, writer):
        await self.dribble(reader, writer, b"GET /api/v1/orders/car HTTP/1.1\r\nhost: a\r\nx-slow:")

    async def slow_reader(self, reader, writer):
        """Asks for much and takes it a little at a time."""
        writer.write(f"GET /api/openapi.json HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {self.token}\r\n\r\n".encode())
        while await reader.read(512):
            await asyncio.sleep(1)

    async def hot(self, reader, writer):
        """Writes to the one row as often as it may; who is turned away waits as long as it was told to."""
        body = json.dumps({"amount_fen": 1})
        while True:
            head = f"POST {self.path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {self.token}\r\nidempotency-key: {uuid.uuid4()}\r\n"
            writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
            told = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            headers = dict(line.split(": ", 1) for line in told.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(headers.get("content-length", 0)))
            self.told[f"hot {told[9:12]}"] += 1
            if told[9:12] != "200":
                await asyncio.sleep(int(headers.get("retry-after", 1)))
