#!/usr/bin/env python3
"""Speed of the bundled embedding on passages of 200 tokens: in process, through `POST /v1/embeddings`, and beside
model2vec-rs and Python's model2vec on the same passages in the same run. Prints one table last and exits non-zero when
a bound is missed.

    python3 benches/embedding.py --bench PATH --client PATH --server PATH [--passages 1500] [--turns 3]

Passages: Chinese and English, of the sample library's sentences in random order ("prose") and of the words of the
vocabulary, common ones more often ("words"), which hardly repeat. Each is cut to 200 tokens.

Speed is passages per second of *processor* time, the best of the turns that the programs take one after the other: the
clock would count what else the machine does. In process that is one thread. Over HTTP it is the time of all threads of the
server, reading requests, embedding and writing answers, from one client that asks one request after the other; the
client's own time and the clock stand in the note.
"""

import argparse
import array
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from footprint import free_port, vocabulary  # noqa: E402
from readers import CACHE  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODEL = ROOT / "models/embedding"
TOKENS = 200
DIMENSIONS = 512
# Bounds.
LEAST_PASSAGES_PER_SECOND = 20_000
LEAST_TIMES_PEER = 4.0
LEAST_SHARE_OVER_HTTP = 0.5
# A number of a vector of length 1; the peers sum in another order.
MAX_DIFFERENCE = 1e-6
BATCHES = (64, 256, 512)
PEER_VERSION = "0.4"
PYTHON_PACKAGE = "model2vec"


def sentences() -> tuple[list[str], list[str]]:
    """The sentences of the samples, Chinese and English."""
    chinese, english = [], []
    for path in sorted((ROOT / "samples/source").glob("*.md")):
        for line in path.read_text().splitlines():
            for sentence in re.split(r"(?<=[。！？])|(?<=[.!?]) ", line):
                if len(sentence) > 5:
                    is_chinese = any("\u4e00" <= character <= "\u9fff" for character in sentence)
                    (chinese if is_chinese else english).append(sentence)
    return chinese, english


def long_lines(count: int) -> dict[str, list[str]]:
    """Lines of more than 200 tokens, by the name of their set."""
    generator = random.Random(20261121)
    chinese_words, latin_words = vocabulary()
    chinese_prose, english_prose = sentences()

    def of_words(words: list[str], joint: str, stop: str) -> str:
        parts = []
        for _ in range(24):
            length = generator.randint(8, 18)
            # Zipf-like choice: common words are common here too.
            chosen = (words[int(len(words) * generator.random() ** 3)] for _ in range(length))
            parts.append(joint.join(chosen) + stop)
        return "".join(parts)

    def of_prose(prose: list[str], joint: str) -> str:
        return joint.join(generator.choices(prose, k=70))

    return {
        "Chinese prose": [of_prose(chinese_prose, "") for _ in range(count)],
        "English prose": [of_prose(english_prose, " ") for _ in range(count)],
        "Chinese words": [of_words(chinese_words, "", "。") for _ in range(count)],
        "English words": [of_words(latin_words, " ", ". ") for _ in range(count)],
    }


def answer_of(command: list, **options) -> dict:
    """The JSON that a program prints."""
    finished = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, **options)
    if finished.returncode:
        sys.exit(f"{command[0]} ended with {finished.returncode}")
    return json.loads(finished.stdout)


def rust_peer() -> Path | None:
    """`model2vec-rs`, compiled outside the workspace with the flags that ours has."""
    folder = CACHE / "model2vec-rs"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    files = {
        "src/main.rs": (HERE / "embedding_peer.rs").read_text(),
        "Cargo.toml": '[package]\nname = "embedding_peer"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
        f'model2vec-rs = {{ version = "{PEER_VERSION}", default-features = false, features = ["onig", "local-only"] }}\n'
        '\n[workspace]\n\n[profile.release]\nlto = "thin"\n',
    }
    for name, text in files.items():
        if not (folder / name).exists() or (folder / name).read_text() != text:
            (folder / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO_", "RUSTC"))}
    environment |= {"CARGO_TARGET_DIR": str(folder / "target"), "RUSTFLAGS": "-C target-cpu=x86-64-v3"}
    if os.uname().machine != "x86_64":
        environment["RUSTFLAGS"] = "-C target-cpu=native"
    build = subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=folder, env=environment)
    if build.returncode:
        print("without model2vec-rs: it could not be compiled (see above)")
        return None
    return folder / "target/release/embedding_peer"


def python_peer() -> Path | None:
    """The Python that has `model2vec`: an environment of its own, made once."""
    folder = CACHE / "model2vec-python"
    python, stamp = folder / "bin/python", folder / "packages"
    if stamp.exists() and stamp.read_text() == PYTHON_PACKAGE:
        return python
    print(f"installing {PYTHON_PACKAGE} into {folder}", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON_PACKAGE]
        subprocess.run(pip, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without Python's model2vec: {error}")
        return None
    stamp.write_text(PYTHON_PACKAGE)
    return python


class Program:
    """One way to embed a file of passages on one thread."""

    def __init__(self, name: str, command: list):
        self.name, self.command = name, command
        # By set: the fastest answer and the file of vectors.
        self.best: dict[str, dict] = {}
        self.vectors: dict[str, Path] = {}

    def embed(self, name: str, passages: Path, folder: Path, rounds: int) -> None:
        self.vectors[name] = folder / f"{self.name} {passages.stem}.f32"
        one_thread = dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS="1")
        answer = answer_of([*self.command, MODEL, passages, rounds, self.vectors[name]], env=one_thread)
        if name not in self.best or answer["cpu_s"] < self.best[name]["cpu_s"]:
            self.best[name] = answer

    def speed(self, names: list[str]) -> float:
        return sum(self.best[name]["passages"] for name in names) / sum(self.best[name]["cpu_s"] for name in names)


class Server:
    """`anwen-model-runtime` on a free port."""

    def __init__(self, binary: Path, folder: Path):
        self.url = f"http://127.0.0.1:{free_port()}"
        environment = dict(
            os.environ,
            ANWEN__MODEL_RUNTIME__LISTEN=self.url.removeprefix("http://"),
            ANWEN__SERVER__MODELS_DIR=str(ROOT / "models"),
            ANWEN__INTERNAL__SECRET="0123456789abcdef" * 4,
            ANWEN__LOG__LEVEL="warn",
        )
        self.process = subprocess.Popen([str(binary)], env=environment, cwd=folder)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"the server ended with {self.process.returncode}")
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        self.stop()
        sys.exit("the server was not ready within 60 s")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def largest_difference(left: Path, right: Path) -> float:
    """Between two files of float32."""
    numbers = []
    for path in (left, right):
        read = array.array("f")
        read.frombytes(path.read_bytes())
        numbers.append(read)
    if len(numbers[0]) != len(numbers[1]):
        sys.exit(f"{left.name} and {right.name} hold different numbers of vectors")
    return max(abs(a - b) for a, b in zip(*numbers))


def least_cosine(left: Path, right: Path) -> float:
    """Of the vectors, row by row, of two files of float32."""
    numbers = []
    for path in (left, right):
        read = array.array("f")
        read.frombytes(path.read_bytes())
        numbers.append(read)
    least = 1.0
    for start in range(0, len(numbers[0]), DIMENSIONS):
        a, b = numbers[0][start : start + DIMENSIONS], numbers[1][start : start + DIMENSIONS]
        lengths = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
        least = min(least, sum(x * y for x, y in zip(a, b)) / lengths)
    return least


def over_http(arguments, everything: Path, folder: Path) -> list[tuple[int, dict, Path]]:
    """For each batch size the client's fastest answer and the vectors."""
    server = Server(arguments.server, folder)
    try:
        results = []
        for batch in BATCHES:
            vectors = folder / f"http {batch}.f32"
            command = [arguments.client, server.url, server.process.pid, everything, batch, arguments.rounds, vectors]
            answers = [answer_of(command) for _ in range(arguments.turns)]
            results.append((batch, min(answers, key=lambda answer: answer["server_cpu_s"]), vectors))
        return results
    finally:
        server.stop()


class Table:
    def __init__(self):
        self.rows: list[tuple[str, str, str, bool, str]] = []

    def add(self, name: str, value: float, bound: float | None = None, note: str = "", digits: int = 0) -> None:
        """`bound` is the least that is allowed."""
        kept = bound is None or value >= bound
        shown = "-" if bound is None else f">= {bound:,.{digits}f}"
        self.rows.append((name, f"{value:,.{digits}f}", shown, kept, note))

    def add_difference(self, name: str, value: float, bound: float, note: str = "") -> None:
        shown = f"<= {bound:.0e}" if bound else "0"
        self.rows.append((name, f"{value:.1e}" if value else "0", shown, value <= bound, note))

    def print(self) -> int:
        """Prints the table and answers how many bounds were missed."""
        print(f"\n{'measure':58} {'value':>10} {'bound':>10}   note")
        for name, value, bound, kept, note in self.rows:
            print(f"{name:58} {value:>10} {bound:>10}   {'' if kept else 'MISSED '}{note}")
        return sum(not kept for *_, kept, _ in self.rows)


def measure(arguments, folder: Path) -> Table:
    files = {}
    for name, lines in long_lines(arguments.passages).items():
        files[name] = folder / f"{name}.txt"
        text = "\n".join(lines) + "\n"
        with files[name].open("w") as file:
            cut = [str(arguments.bench), "cut", str(MODEL), str(TOKENS)]
            subprocess.run(cut, input=text, text=True, stdout=file, check=True)
    everything = folder / "everything.txt"
    everything.write_text("".join(path.read_text() for path in files.values()))

    ours = Program("anwen", [arguments.bench, "embed"])
    peers = []
    if rust := rust_peer():
        peers.append(Program("model2vec-rs", [rust]))
    if python := python_peer():
        peers.append(Program("model2vec (Python)", [python, HERE / "embedding_peer.py"]))
    for _ in range(arguments.turns):
        for name, path in files.items():
            for program in [ours, *peers]:
                program.embed(name, path, folder, arguments.rounds)
    answers = over_http(arguments, everything, folder)

    table = Table()
    names = list(files)
    speed = ours.speed(names)
    for name in names:
        best = ours.best[name]
        note = f"{best['tokens'] / best['passages']:.0f} tokens each, {best['tokenize_cpu_s'] / best['cpu_s']:.0%} tokenizing"
        table.add(f"in process, {name} (passages/s)", ours.speed([name]), LEAST_PASSAGES_PER_SECOND, note)
    table.add("in process, all (passages/s)", speed, LEAST_PASSAGES_PER_SECOND)
    for peer in peers:
        of_each = ", ".join(f"{name} {ours.speed([name]) / peer.speed([name]):.1f}" for name in names)
        bound = LEAST_TIMES_PEER if peer.name == "model2vec-rs" else None
        table.add(f"{peer.name} (passages/s)", peer.speed(names))
        table.add(f"times {peer.name}", speed / peer.speed(names), bound, of_each, digits=1)
        difference = max(largest_difference(ours.vectors[name], peer.vectors[name]) for name in names)
        cosine = min(least_cosine(ours.vectors[name], peer.vectors[name]) for name in names)
        note = f"least cosine {cosine:.9f}"
        table.add_difference(f"largest difference to {peer.name}", difference, MAX_DIFFERENCE, note)
    in_process = folder / "in process.f32"
    in_process.write_bytes(b"".join(ours.vectors[name].read_bytes() for name in names))
    for batch, answer, vectors in answers:
        http_speed = answer["passages"] / answer["server_cpu_s"]
        note = (
            f"share of in process; {http_speed:,.0f} passages/s of the server's processor time, "
            f"{answer['passages'] / answer['wall_s']:,.0f} by the clock, "
            f"client {answer['client_cpu_s'] / answer['passages'] * 1e6:.0f} us each"
        )
        table.add(f"HTTP, batches of {batch}", http_speed / speed, LEAST_SHARE_OVER_HTTP, note, digits=2)
        table.add_difference(f"HTTP, batches of {batch}: difference", largest_difference(in_process, vectors), 0.0)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--client", type=Path, required=True)
    parser.add_argument("--server", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1500, help="of each set")
    parser.add_argument("--rounds", type=int, default=5, help="in one turn of a program")
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(1 if measure(arguments, Path(folder)).print() else 0)


if __name__ == "__main__":
    main()
