"""Speed and memory of language models on this processor, beside llama-cpp-python's server, in one run.

model.py --runtime PROGRAM [--kinds q4_k_m,q8_0] [--without-peer]

Both read the same file with random weights of Qwen3-0.6B's shape (`random_gguf.py`) and answer the same questions over
HTTP, streamed, one server after the other: one client, eight clients at once, and the second turn of a conversation of
3,000 tokens. Ends with 1 when a bound is missed:

* one client: prompt tokens/s and generated tokens/s are the peer's at least;
* eight clients: generated tokens/s over all of them are 1.3 times the peer's at least;
* the second turn reaches its first token 10 times sooner than the first at least.
"""

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anwen"
PEER = CACHE / "peers" / "llama"
PACKAGE = "llama-cpp-python[server]==0.3.36"
# What this processor has, named one by one: a native build takes AMX too, whose path was seen to crash in virtual machines.
PEER_FEATURES = {
    "avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C", "bmi2": "BMI2", "avx_vnni": "AVX_VNNI",
    "avx512f": "AVX512", "avx512vbmi": "AVX512_VBMI", "avx512_vnni": "AVX512_VNNI", "avx512_bf16": "AVX512_BF16",
}
CLIENTS = 8
CONTEXT = 4096
PROMPT_WORDS, LONG_WORDS, ANSWER_TOKENS = 380, 1500, 64
ROUNDS = 3
START_SECONDS, ANSWER_SECONDS = 300, 900
ONE_CLIENT_RATIO, EIGHT_CLIENTS_RATIO, SECOND_TURN_RATIO = 1.0, 1.3, 10.0
WORDS = "water paper letter number people order right place sound years would great every small found still learn should point world high near food between country plant last school father keep tree never start city earth eyes light thought head under story left along might close seem next hard open example begin life always those both group often run important until children side feet car mile night walk white sea began grow took river four carry state once book hear stop without second later miss idea enough eat face watch far really almost above girl sometimes mountain cut young talk soon list song being leave family".split()


def prompt(words: int, seed: int) -> str:
    """Words in an order of their own, so that no two prompts begin alike."""
    state, chosen = seed * 2_654_435_761 % 2**32, []
    for _ in range(words):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        chosen.append(WORDS[(state >> 16) % len(WORDS)])
    return " ".join(chosen)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server process that speaks OpenAI's interface."""

    def __init__(self, name: str, command: list[str], port: int, model: str, environment=None):
        self.name, self.port, self.model = name, port, model
        self.log = tempfile.TemporaryFile()
        environment = dict(os.environ, **(environment or {}))
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)
        self.until_ready()

    def until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/v1/models")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        self.log.seek(0)
        sys.exit(f"{self.name} does not start:\n{self.log.read()[-2000:].decode(errors='replace')}")

    def peak_bytes(self) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def ask(self, messages: list[dict], tokens: int) -> dict:
        """Streams one answer: when its first and last token came, how many there were, and its text."""
        body = {
            "model": self.model,
            "messages": messages,
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        started = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            sys.exit(f"{self.name}: {response.status} {response.read()[:500]!r}")
        times, text = [], []
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:]).get("choices") or [{}]
            content = choices[0].get("delta", {}).get("content")
            if content:
                times.append(time.perf_counter())
                text.append(content)
        if not times:
            sys.exit(f"{self.name} answered nothing")
        return {"started": started, "first": times[0], "last": times[-1], "parts": len(times), "text": "".join(text)}


def question(words: int, seed: int) -> list[dict]:
    return [{"role": "user", "content": prompt(words, seed)}]


def one_client(server: Server, prompt_tokens: int) -> dict:
    """The best of some rounds: what others do on this machine makes rounds slower and never faster."""
    rounds = [server.ask(question(PROMPT_WORDS, 100 + index), ANSWER_TOKENS) for index in range(ROUNDS)]
    first = min(answer["first"] - answer["started"] for answer in rounds)
    # A token may be half a character, so that parts are fewer than tokens.
    between = min((answer["last"] - answer["first"]) for answer in rounds)
    return {
        "prompt_tokens_s": prompt_tokens / first,
        "generated_tokens_s": (ANSWER_TOKENS - 1) / between,
        "first_token_s": first,
    }


def eight_clients(server: Server, prompt_tokens: int) -> dict:
    answers: list[dict] = [{}] * CLIENTS

    def run(index: int) -> None:
        answers[index] = server.ask(question(PROMPT_WORDS, 200 + index), ANSWER_TOKENS)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(answers):
        sys.exit(f"{server.name} failed for one of {CLIENTS} clients")
    started = min(answer["started"] for answer in answers)
    return {
        "prompt_tokens_s": CLIENTS * prompt_tokens / (max(answer["first"] for answer in answers) - started),
        "generated_tokens_s": CLIENTS * ANSWER_TOKENS / (max(answer["last"] for answer in answers) - started),
        "first_token_s": statistics.mean(answer["first"] - answer["started"] for answer in answers),
    }


def second_turn(server: Server) -> dict:
    messages = question(LONG_WORDS, 300)
    first = server.ask(messages, 16)
    messages += [{"role": "assistant", "content": first["text"]}, {"role": "user", "content": prompt(8, 301)}]
    second = server.ask(messages, 16)
    seconds = [answer["first"] - answer["started"] for answer in (first, second)]
    return {"first_turn_s": seconds[0], "second_turn_s": seconds[1], "speed_up": seconds[0] / seconds[1]}


def measure(server: Server, prompt_tokens: int) -> dict:
    server.ask(question(20, 1), 4)
    found = {"one": one_client(server, prompt_tokens), "eight": eight_clients(server, prompt_tokens)}
    found["second"] = second_turn(server)
    found["peak_bytes"] = server.peak_bytes()
    server.stop()
    return found


def ours(runtime: str, models: Path, name: str, settings: Path) -> Server:
    port = free_port()
    settings.write_text(
        f'[server]\nmodels_dir = "{models}"\n[internal]\nsecret = "{"benchmark " * 4}"\n[log]\nlevel = "warn"\n'
        f'[model_runtime]\nlisten = "127.0.0.1:{port}"\nconcurrent_chats = {CLIENTS}\ncontext_tokens = {CONTEXT}\n'
        f"[model_runtime.llamacpp]\npool_tokens = {CLIENTS * CONTEXT}\n"
    )
    return Server("anwen", [runtime, "--config", str(settings)], port, name)


def peer(file: Path) -> Server:
    port = free_port()
    threads = str(len(os.sched_getaffinity(0)))
    command = [str(PEER / "python" / "bin" / "python"), "-m", "llama_cpp.server", "--model", str(file)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", str(CONTEXT), "--model_alias", "peer"]
    command += ["--n_threads", threads, "--n_threads_batch", threads, "--interrupt_requests", "False"]
    return Server("llama-cpp-python", command, port, "peer")


def peer_flags() -> str:
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    has = set(flags.group(1).split()) if flags else set()
    switches = [f"-DGGML_{name}={'ON' if flag in has else 'OFF'}" for flag, name in PEER_FEATURES.items()]
    return " ".join(["-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF", *switches])


def peer_python() -> Path:
    """The Python that has the peer: an environment of its own, made once (the peer is compiled, which takes minutes)."""
    python, stamp = PEER / "python" / "bin" / "python", PEER / "packages"
    if not stamp.exists() or stamp.read_text() != PACKAGE:
        print(f"building {PACKAGE} in {PEER}", flush=True)
        PEER.mkdir(parents=True, exist_ok=True)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(PEER / "python")], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
        subprocess.run(pip, check=True, env=dict(os.environ, CMAKE_ARGS=peer_flags()))
        stamp.write_text(PACKAGE)
    return python


def model_file(kind: str, python: Path) -> Path:
    file = CACHE / "benches" / "models" / f"random-{kind}.gguf"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        print(f"writing {file}", flush=True)
        subprocess.run([str(python), str(HERE / "random_gguf.py"), kind, str(file)], check=True)
    return file


def prompt_tokens_of(server: Server) -> int:
    """What one of the prompts comes to in tokens: all have as many words, of the same ones."""
    body = {"model": server.model, "messages": question(PROMPT_WORDS, 100), "max_tokens": 1, "temperature": 0}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return answer["usage"]["prompt_tokens"]


def report(kind: str, found: dict[str, dict]) -> None:
    print(f"\n{kind}")
    head = f"{'':18}{'clients':>8}{'prompt/s':>10}{'generated/s':>13}{'first token s':>15}{'2nd turn':>10}{'peak MiB':>10}"
    print(head)
    for name, values in found.items():
        for clients, key in ((1, "one"), (CLIENTS, "eight")):
            row = values[key]
            line = f"{name:18}{clients:>8}{row['prompt_tokens_s']:>10.1f}{row['generated_tokens_s']:>13.1f}"
            line += f"{row['first_token_s']:>15.2f}"
            if clients == 1:
                line += f"{values['second']['speed_up']:>9.1f}x{values['peak_bytes'] / 2**20:>10.0f}"
            print(line)


def missed(kind: str, found: dict[str, dict]) -> list[str]:
    mine, other = found["anwen"], found.get("llama-cpp-python")
    speed_up = mine["second"]["speed_up"]
    checks = [(f"second turn {speed_up:.1f} times sooner", speed_up, SECOND_TURN_RATIO)]
    if other:
        for clients, key, column, bound in (
            (1, "one", "prompt_tokens_s", ONE_CLIENT_RATIO),
            (1, "one", "generated_tokens_s", ONE_CLIENT_RATIO),
            (CLIENTS, "eight", "generated_tokens_s", EIGHT_CLIENTS_RATIO),
        ):
            ratio = mine[key][column] / other[key][column]
            checks.append((f"{clients} clients, {column}: {ratio:.2f} times the peer", ratio, bound))
    for words, value, bound in checks:
        print(f"{kind}: {words} (bound {bound})")
    return [f"{kind}: {words}, bound {bound}" for words, value, bound in checks if value < bound]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", required=True, help="the program anwen-model-runtime")
    parser.add_argument("--kinds", default="q4_k_m,q8_0")
    parser.add_argument("--without-peer", action="store_true", help="ours alone, against the bounds that need no peer")
    arguments = parser.parse_args()
    python = peer_python() if not arguments.without_peer else PEER / "python" / "bin" / "python"
    failures = []
    for kind in arguments.kinds.split(","):
        file = model_file(kind, python)
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            runtime = ours(arguments.runtime, file.parent, file.stem, Path(folder) / "anwen.toml")
            tokens = prompt_tokens_of(runtime)
            print(f"{kind}: prompts of about {tokens} tokens, answers of {ANSWER_TOKENS}", flush=True)
            # The count put a prompt into memory that is asked again: a fresh process forgets it.
            runtime.stop()
            runtime = ours(arguments.runtime, file.parent, file.stem, Path(folder) / "anwen.toml")
            found["anwen"] = measure(runtime, tokens)
        if not arguments.without_peer:
            found["llama-cpp-python"] = measure(peer(file), tokens)
        report(kind, found)
        failures += missed(kind, found)
    if failures:
        sys.exit("missed: " + "; ".join(failures))


if __name__ == "__main__":
    main()
