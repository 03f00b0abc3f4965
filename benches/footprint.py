#!/usr/bin/env python3
"""Idle memory, start time, retrieval latency and time to the first word of the standalone process, with 1,000
documents and no language model. Prints one table last and exits non-zero when a bound is missed.

    python3 benches/footprint.py --binary PATH [--documents 1000]
"""

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from http_client import ApiClient  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MAX_ANON_MB = 150
MAX_START_SECONDS = 2.0
MAX_RETRIEVE_MS = 20.0
MAX_FIRST_DELTA_MS = 300.0
INDEX_TIMEOUT_SECONDS = 900
PASSWORD = "correct horse battery 9"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`anwen serve` on free ports and a data directory of its own."""

    def __init__(self, binary: Path, data: Path):
        self.port = free_port()
        environment = dict(os.environ)
        environment.update(
            ANWEN__WEB__LISTEN=f"127.0.0.1:{self.port}",
            ANWEN__KNOWLEDGE__LISTEN=f"127.0.0.1:{free_port()}",
            ANWEN__MODEL_RUNTIME__LISTEN=f"127.0.0.1:{free_port()}",
            ANWEN__SEARCH_PROXY__LISTEN=f"127.0.0.1:{free_port()}",
            ANWEN__SERVER__MODELS_DIR=str(ROOT / "models"),
            ANWEN__LOG__LEVEL="warn",
        )
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(binary), "serve", "--data-dir", str(data)], env=environment, cwd=data.parent
        )
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit(f"the server ended with {self.process.returncode}")
            if time.perf_counter() - started > 60:
                self.stop()
                sys.exit("the server was not ready within 60 s")
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - started

    def memory_mb(self) -> tuple[float, float]:
        """Anonymous and total resident memory."""
        fields = {}
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            fields[name] = value
        return tuple(int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "VmRSS"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def vocabulary() -> tuple[list[str], list[str]]:
    """Chinese and Latin words of the bundled tokenizer: a vocabulary as wide as real text's."""
    model = json.loads((ROOT / "models/embedding/tokenizer.json").read_text())["model"]["vocab"]
    words = [piece for piece, _ in model[200:30_000] if len(piece) > 1]
    chinese = [word for word in words if all("\u4e00" <= character <= "\u9fff" for character in word)]
    latin = [word for word in words if word.isascii() and word.isalpha() and len(word) > 2]
    return chinese, latin


def make_documents(count: int) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Markdown documents of about 600 words, half Chinese, and one question about each of some."""
    generator = random.Random(20261120)
    chinese, latin = vocabulary()
    documents, questions = [], []
    for number in range(count):
        is_chinese = number % 2 == 0
        words, joint, stop = (chinese, "", "。") if is_chinese else (latin, " ", ". ")
        code = f"{'ABCDEFGH'[number % 8]}-{1000 + number}"
        sections = []
        for section in range(4):
            sentences = []
            for _ in range(10):
                # Zipf-like choice: common words are common here too.
                length = generator.randint(10, 18)
                sentence = joint.join(words[int(len(words) * generator.random() ** 3)] for _ in range(length))
                sentences.append(sentence + stop)
            if section == 2:
                fact = generator.sample(words, 3)
                if is_chinese:
                    sentences.append(f"故障代码{code}表示{fact[0]}与{fact[1]}之间的{fact[2]}异常。")
                    questions.append(f"故障代码{code}表示什么？")
                else:
                    sentences.append(f"Fault code {code} means that the {fact[0]} {fact[1]} has lost its {fact[2]}. ")
                    questions.append(f"What does fault code {code} mean?")
            sections.append(f"## {joint.join(generator.sample(words, 3))}\n\n{''.join(sentences)}\n")
        title = f"{joint.join(generator.sample(words, 4))} {code}"
        documents.append((f"document-{number:05}.md", (f"# {title}\n\n" + "\n".join(sections)).encode()))
    return documents, questions


def ingest(client: ApiClient, documents: list[tuple[str, bytes]]) -> tuple[str, float]:
    """Uploads everything, waits until it is indexed, and answers the knowledge base and the seconds taken."""
    base = client.call("POST", "/knowledge-bases", {"name": "footprint"})["id"]
    started = time.perf_counter()
    for first in range(0, len(documents), 50):
        client.upload(base, documents[first : first + 50])
    while True:
        states = [document["status"] for document in client.all_documents(base)]
        if all(state in ("indexed", "failed") for state in states):
            break
        if time.perf_counter() - started > INDEX_TIMEOUT_SECONDS:
            sys.exit(f"not indexed in time: {states.count('indexed')} of {len(states)}")
        time.sleep(0.5)
    if states.count("failed"):
        sys.exit(f"{states.count('failed')} documents failed")
    return base, time.perf_counter() - started


def measure(arguments) -> list[tuple[str, float, float | None, str]]:
    documents, questions = make_documents(arguments.documents)
    generator = random.Random(7)
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        server = Server(arguments.binary, data)
        client = ApiClient("127.0.0.1", server.port)
        client.call("POST", "/setup", {"username": "admin", "password": PASSWORD, "display_name": "Admin"})
        client.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        _, ingest_seconds = ingest(client, documents)
        time.sleep(arguments.settle_seconds)
        after_ingest = server.memory_mb()
        server.stop()

        server = Server(arguments.binary, data)
        start_seconds = server.start_seconds
        client = ApiClient("127.0.0.1", server.port)
        client.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        retrieve_ms, found = [], 0
        for question in generator.choices(questions, k=arguments.queries):
            started = time.perf_counter()
            hits = client.call("POST", "/retrieve", {"query": question})["hits"]
            retrieve_ms.append((time.perf_counter() - started) * 1000)
            code = next(word for word in question.replace("表示", " ").replace("故障代码", " ").split() if "-" in word)
            found += any(code in hit["text"] for hit in hits)
        first_ms, quoted = [], 0
        for question in generator.choices(questions, k=arguments.answers):
            chat = client.call("POST", "/chats", {})["id"]
            seconds, outcome = client.first_delta_seconds(chat, question)
            first_ms.append(seconds * 1000)
            quoted += outcome == "quoted"
        time.sleep(arguments.settle_seconds)
        idle = server.memory_mb()
        server.stop()
    retrieve_ms.sort()
    return [
        ("anonymous memory, restarted and asked (MB)", idle[0], MAX_ANON_MB, f"total {idle[1]:.0f} MB"),
        ("anonymous memory, after the ingest (MB)", after_ingest[0], MAX_ANON_MB, f"total {after_ingest[1]:.0f} MB"),
        ("ready after start (s)", start_seconds, MAX_START_SECONDS, ""),
        ("POST /retrieve, median (ms)", statistics.median(retrieve_ms), MAX_RETRIEVE_MS,
         f"p99 {retrieve_ms[int(len(retrieve_ms) * 0.99)]:.1f} ms, right passage in {found}/{arguments.queries}"),
        ("first delta of a quoted answer, median (ms)", statistics.median(first_ms), MAX_FIRST_DELTA_MS,
         f"worst {max(first_ms):.0f} ms, quoted {quoted}/{arguments.answers}"),
        ("size of the program (MB)", arguments.binary.stat().st_size / 1e6, None, ""),
        ("ingest (documents/s)", arguments.documents / ingest_seconds, None, f"{ingest_seconds:.0f} s in all"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--answers", type=int, default=30)
    parser.add_argument("--settle-seconds", type=float, default=5)
    rows = measure(parser.parse_args())
    missed = 0
    print(f"\n{'measure':46} {'value':>10} {'bound':>8}   note")
    for name, value, bound, note in rows:
        kept = bound is None or value <= bound
        missed += not kept
        print(f"{name:46} {value:10.2f} {bound if bound is not None else '-':>8}   {'' if kept else 'MISSED '}{note}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
