#!/usr/bin/env python3
"""Many at once: 500 open streams and 50 questions a second through web, with the scripted engine; and the idle memory of the
four services as processes of their own. Prints one table last and exits non-zero when a bound is missed.

    python3 benches/load.py --binary PATH [--services FOLDER] [--streams 500] [--rate 50] [--seconds 30] [--url URL]

What counts as the platform's overhead is the time of a whole answer as the asker sees it, less the steps that the answer
itself names as retrieval and generation, and less what the same client needs for `/healthz` at that moment (its own share
and the network's). With --url the load goes through a proxy in front of the started server, such as nginx.
"""

import argparse
import asyncio
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from http_client import ApiClient  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery 9"
MAX_OVERHEAD_P99_MS = 40.0
MAX_IDLE_MB = 200.0
START_SECONDS = 120
# Chats that the questions are spread over: those of one chat wait for each other's rows.
CHATS = 50
# The scripted engine writes a word a second, so that a stream stays open for the whole run.
STREAM_WORDS = 600
QUOTER = "extractive"
DOCUMENT = "# Pump manual\n\n## Fault codes\n\nFault code E-204 means that the coolant pressure is too low. Check the valve.\n"
QUESTION = "What does fault code E-204 mean?"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_mb(process_id, field):
    for line in pathlib.Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def wait_until_ready(port, process):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                if b" 200 " in connection.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"load: the server on port {port} did not come up")


def environment(**settings):
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {f"ANWEN__{name.upper()}": str(value) for name, value in settings.items()}


def idle_memory(services, directory):
    """Resident memory of the four services, each in a process of its own, some seconds after they were ready."""
    ports = {name: free_port() for name in ("web", "knowledge", "model_runtime", "search_proxy")}
    common = {
        "internal__secret": "a secret of the benchmark, which guards nothing",
        "server__data_dir": directory,
        "server__models_dir": ROOT / "models",
        "log__level": "error",
        "web__setup_token": "benchmark",
        **{f"{name}__listen": f"127.0.0.1:{port}" for name, port in ports.items()},
        **{f"services__{name}": f"http://127.0.0.1:{port}/" for name, port in ports.items() if name != "web"},
    }
    subprocess.run([services / "anwen", "migrate"], env=environment(**common), cwd=directory, check=True, stdout=subprocess.DEVNULL)
    started = []
    try:
        for name in ("model_runtime", "knowledge", "search_proxy", "web"):
            program = services / f"anwen-{name.replace('_', '-')}"
            arguments = ["serve"] if name == "knowledge" else []
            started.append((name, subprocess.Popen([program, *arguments], env=environment(**common), cwd=directory)))
        for name, process in started:
            if name != "search_proxy":
                wait_until_ready(ports[name], process)
        time.sleep(5)
        return {name: (memory_mb(process.pid, "RssAnon:"), memory_mb(process.pid, "VmRSS:")) for name, process in started}
    finally:
        for _, process in started:
            process.terminate()
        for _, process in started:
            process.wait(timeout=30)


class Asker:
    """A signed-in session that opens connections of its own for streams."""

    def __init__(self, url, client):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.headers = f"host: {parts.netloc}\r\ncookie: {cookies}\r\nx-csrf-token: {client.cookies['anwen_csrf']}\r\n"

    async def open(self, method, path, body=None):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.0\r\n{self.headers}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()
        status = await reader.readline()
        if b" 200 " not in status:
            rest = await reader.read(2000)
            writer.close()
            raise RuntimeError(f"{path}: {status.decode().strip()} {rest[-300:].decode(errors='replace')}")
        return reader, writer

    async def health_ms(self):
        started = time.perf_counter()
        reader, writer = await self.open("GET", "/healthz")
        await reader.read()
        writer.close()
        return (time.perf_counter() - started) * 1000

    async def answer(self, chat):
        """Asks, reads to the end, and answers milliseconds in all and those of retrieval and generation."""
        started = time.perf_counter()
        body = {"content": QUESTION, "model": QUOTER, "parent_id": None}
        reader, writer = await self.open("POST", f"/api/v1/chats/{chat}/messages", body)
        text = (await reader.read()).decode()
        elapsed = (time.perf_counter() - started) * 1000
        writer.close()
        block = next((block for block in text.split("\n\n") if "event: done" in block), None)
        if block is None:
            raise RuntimeError(f"an answer without an end: {text[-300:]}")
        timings = json.loads(next(line for line in block.splitlines() if line.startswith("data:"))[5:])["timings_ms"]
        return elapsed, sum(timings.get(step, 0) for step in ("retrieve", "generate"))

    async def stream(self, chat, opened, stop):
        """Opens an answer that goes on and on, and reads it until the end of the run."""
        reader, writer = await self.open("POST", f"/api/v1/chats/{chat}/messages", {"content": QUESTION, "model": "stub", "parent_id": None})
        await reader.readuntil(b"event: delta")
        opened()
        while not stop.is_set():
            if not await reader.read(65536):
                raise RuntimeError("a stream ended early")
        writer.close()


async def load(asker, chats, arguments):
    stop, count, failures = asyncio.Event(), 0, []

    def opened():
        nonlocal count
        count += 1

    async def guarded(work):
        try:
            return await work
        except Exception as cause:  # noqa: BLE001 - each failure counts
            failures.append(str(cause))
            return None

    streams = []
    for number in range(arguments.streams):
        streams.append(asyncio.create_task(guarded(asker.stream(chats[number % len(chats)], opened, stop))))
        await asyncio.sleep(0.01)
    deadline = time.monotonic() + START_SECONDS
    while count < arguments.streams and not failures and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    answers, health = [], []
    started = time.monotonic()
    for number in range(int(arguments.rate * arguments.seconds)):
        await asyncio.sleep(max(0.0, started + number / arguments.rate - time.monotonic()))
        answers.append(asyncio.create_task(guarded(asker.answer(chats[number % len(chats)]))))
        if number % 10 == 0:
            health.append(asyncio.create_task(guarded(asker.health_ms())))
    done = [result for result in await asyncio.gather(*answers) if result]
    own = statistics.median([result for result in await asyncio.gather(*health) if result])
    still_open = sum(not stream.done() for stream in streams)
    stop.set()
    for stream in streams:
        stream.cancel()
    return done, own, still_open, failures


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def under_load(arguments, directory):
    port = free_port()
    many = arguments.streams + 200
    process = subprocess.Popen([arguments.binary, "serve"], cwd=directory, env=environment(
        server__data_dir=directory, server__models_dir=ROOT / "models", web__listen=f"127.0.0.1:{port}", log__level="error",
        web__answer__running_max=many, web__answer__running_per_user_max=many, model_runtime__enable_stub="true",
        model_runtime__stub__tokens=STREAM_WORDS, model_runtime__stub__token_delay_ms=1000,
        model_runtime__stub__concurrency=many, model_runtime__queue_capacity=many,
        model_runtime__queue_capacity_per_user=many, model_runtime__concurrent_chats=many))
    try:
        wait_until_ready(port, process)
        client = ApiClient("127.0.0.1", port)
        client.call("POST", "/setup", {"username": "admin", "password": PASSWORD, "display_name": "Admin"})
        client.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        base = client.call("POST", "/knowledge-bases", {"name": "load"})["id"]
        client.upload(base, [("manual.md", DOCUMENT.encode())])
        while any(document["status"] != "indexed" for document in client.all_documents(base)):
            time.sleep(0.2)
        chats = [client.call("POST", "/chats", {"knowledge_base_ids": [base]})["id"] for _ in range(CHATS)]
        return asyncio.run(load(Asker(arguments.url or f"http://127.0.0.1:{port}", client), chats, arguments))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--services", type=pathlib.Path, help="the folder with the four services' programs; the binary's own when absent")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--url", help="a proxy in front of the server that is started")
    arguments = parser.parse_args()
    services = arguments.services or arguments.binary.parent
    rows, missed = [], 0

    def row(name, value, bound, note=""):
        nonlocal missed
        kept = bound is None or value <= bound
        missed += not kept
        rows.append((name, value, bound, ("" if kept else "MISSED ") + note))

    if all((services / f"anwen-{name}").exists() for name in ("web", "knowledge", "model-runtime", "search-proxy")):
        with tempfile.TemporaryDirectory(prefix="anwen-load-") as directory:
            memory = idle_memory(services, directory)
        for name, (anonymous, resident) in memory.items():
            row(f"idle, {name} (MB, anonymous)", anonymous, None, f"resident {resident:.0f} MB")
        row("idle, all four services (MB, anonymous)", sum(value[0] for value in memory.values()), MAX_IDLE_MB,
            f"resident {sum(value[1] for value in memory.values()):.0f} MB, mapped files included")
    else:
        print(f"load: idle memory is not measured: the four programs are not in {services}")
    with tempfile.TemporaryDirectory(prefix="anwen-load-") as directory:
        done, own, still_open, failures = under_load(arguments, directory)
    overhead = [elapsed - steps - own for elapsed, steps in done]
    asked = int(arguments.rate * arguments.seconds)
    row("streams that broke off", arguments.streams - still_open, 0, f"{still_open} open at the end")
    row("questions that failed", asked - len(done), 0, failures[0][:80] if failures else f"{asked} asked, {arguments.rate:.0f} a second")
    if overhead:
        row("overhead of the platform, median (ms)", statistics.median(overhead), None)
        row("overhead of the platform, 99th percentile (ms)", percentile(overhead, 0.99), MAX_OVERHEAD_P99_MS,
            f"the client's own share of {own:.1f} ms is taken off")
    print(f"\n{'measure':50} {'value':>10} {'bound':>8}   note")
    for name, value, bound, note in rows:
        print(f"{name:50} {value:10.2f} {bound if bound is not None else '-':>8}   {note}")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
