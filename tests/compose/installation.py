"""One installation of the compose file under test, and what is asked of it again and again."""

import http.client
import pathlib
import re
import subprocess
import tempfile
import time

import engine
from client import Failed, Person, require, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ("nginx", "web", "knowledge", "search-proxy", "model-runtime")
SERVICES = (*OURS, "postgres", "qdrant")
HTTP_PORT, HTTPS_PORT = 18080, 18443
SAMPLE = ROOT / "samples/library/Employee Handbook.pdf"
QUESTION = "What is the highest value of a gift that I may accept from a supplier?"
FACT = "CNY 200"
PICTURE = ROOT / "docs/images"
# The volume of originals is a file system of its own here, so that it can be filled without filling the machine.
VOLUME_BYTES = 512 * 1024 * 1024
UP_S = 300

SMALL_VOLUME = """
volumes:
  knowledge:
    driver: local
    driver_opts:
      type: ext4
      device: "{device}"
"""

# Where no Qdrant can be had: knowledge keeps vectors itself, and the service only keeps its place.
INNER_INDEX = """
services:
  qdrant:
    image: {nginx}
    user: "10001:10001"
    entrypoint: [sleep, infinity]
    stop_signal: SIGKILL
    healthcheck:
      test: [CMD, "true"]
  knowledge:
    environment:
      ANWEN__KNOWLEDGE__VECTORS__SERVER_URL:
"""

class Installation:
    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="anwen-compose-"))
        self.device = self.make_device()
        override = self.folder / "small-volume.yml"
        override.write_text(SMALL_VOLUME.format(device=self.device))
        variables = {"ANWEN_HTTP_PORT": str(HTTP_PORT), "ANWEN_HTTPS_PORT": str(HTTPS_PORT)}
        self.project = engine.Project(name, [override], variables)
        self.person = Person(HTTPS_PORT)
        self.base = None
        self.without_qdrant = False
        # Every document that was accepted; none of them may ever be missing.
        self.accepted = {}

    def keep_vectors_inside(self):
        override = self.folder / "inner-index.yml"
        override.write_text(INNER_INDEX.format(nginx=self.image("nginx")))
        self.project.files.append(override)

    def make_device(self):
        image = self.folder / "volume.img"
        with open(image, "wb") as file:
            file.truncate(VOLUME_BYTES)
        command = ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "root_owner=10001:10001", image]
        subprocess.run(command, check=True, capture_output=True)
        done = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def image(self, name):
        return f"anwen/{name}:0.1.0"

    def build(self):
        self.project.compose("build", capture=False)

    def first_start(self):
        self.project.compose("down", "--volumes", "--remove-orphans")
        started = time.monotonic()
        self.project.compose("up", "-d")
        self.project.wait_healthy(SERVICES, UP_S)
        took = time.monotonic() - started
        answer = self.person.get("/")
        require(answer.status == 200 and b"<!doctype html>" in answer.body.lower(), f"the page: {answer.status}")
        return f"healthy after {took:.0f} s"

    def is_confined(self):
        for service in SERVICES:
            state = self.project.inspect(service)
            published = [port for port, where in (state["NetworkSettings"]["Ports"] or {}).items() if where]
            require(bool(published) == (service == "nginx"), f"{service} publishes {published}")
            require(state["HostConfig"]["ReadonlyRootfs"], f"the root of {service} can be written")
            require("ALL" in (state["HostConfig"]["CapDrop"] or []), f"{service} keeps capabilities")
            if service in OURS:
                require(state["Config"]["User"] == "10001:10001", f"{service} runs as {state['Config']['User']!r}")

    def has_no_way_out(self):
        """Every network but nginx's is internal, and what a container reaches from there it does not reach from the others."""
        outside = next((line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")), "192.0.2.1")
        tried = self.reaches("public", outside)
        for network in ("front", "services", "database", "vectors"):
            flag = engine.run("network", "inspect", "--format", "{{.Internal}}", f"{self.project.name}_{network}")
            require(flag == "true", f"{network} is not internal")
            require(not self.reaches(network, outside), f"{network} reaches {outside}")
        return "by a connection to the name server outside" if tried else "nothing outside answers here: by their flags"

    def reaches(self, network, address):
        attempt = f"timeout 3 bash -c 'exec 3<>/dev/tcp/{address}/53' 2>/dev/null && echo yes; true"
        return "yes" == engine.run("run", "--rm", "--network", f"{self.project.name}_{network}", "--entrypoint", "bash",
                                   self.image("nginx"), "-c", attempt)

    def setup_token(self):
        log = engine.run("logs", self.project.container("prepare"), check=False) + subprocess.run(
            [engine.docker(), "logs", self.project.container("prepare")], capture_output=True, text=True).stderr
        found = re.search(r"set-up token: ([0-9a-f]+)", log)
        require(found, f"the log of `prepare` has no set-up token: {log[-300:]}")
        return found[1]

    def ask_first(self):
        refused = self.person.api("POST", "/setup", {"username": "x", "password": "a long pass phrase 7"})
        require(refused.status in (401, 403), f"without the set-up token: {refused.status}")
        self.person.set_up(self.setup_token())
        self.base = self.person.make_base("Handbook")
        document = self.person.upload(self.base, SAMPLE.name, SAMPLE.read_bytes())
        self.person.wait_indexed(document["id"])
        self.accepted[document["id"]] = SAMPLE.name
        return self.check_answer()

    def read_picture(self):
        picture = max(PICTURE.glob("*.png"), key=lambda file: file.stat().st_size)
        document = self.person.upload(self.base, picture.name, picture.read_bytes())
        self.person.wait_indexed(document["id"], 300)
        self.accepted[document["id"]] = picture.name
        chunks = self.person.api("GET", f"/documents/{document['id']}/chunks").expect(200)
        text = " ".join(item.get("text", "") for item in chunks["items"])
        require(len(text) > 40, f"only {text!r} was read from {picture.name}")
        return f"{len(text)} characters of {picture.name}"

    def check_answer(self, within_s=120):
        """The quoting answerer cites the sample; waits through a recovery."""
        last = None
        for _ in until(within_s, 1):
            try:
                text, cited = self.person.cited_answer(QUESTION, [self.base])
                require(SAMPLE.name in cited, f"{SAMPLE.name} is not cited: {text[:200]!r} {cited}")
                require(FACT in text, f"not the answer: {text[:200]!r}")
                return f"“{' '.join(text.split())[:90]}” cites {SAMPLE.name}"
            except (Failed, OSError, http.client.HTTPException, ValueError, KeyError) as failure:
                last = failure
        raise Failed(f"no cited answer within {within_s} s: {last}")

    def add(self, name, text):
        """Uploads a text and remembers that it was accepted."""
        document = self.person.upload(self.base, name, text.encode())
        self.accepted[document["id"]] = name
        return document["id"]

    def check_nothing_lost(self):
        """Every document that was accepted is there, is indexed, and gives its bytes."""
        for document in self.accepted:
            self.person.wait_indexed(document)
            content = self.person.api("GET", f"/documents/{document}/content")
            require(content.status == 200 and content.body, f"the original of {self.accepted[document]}: {content.status}")

    def recovered(self):
        remark = self.check_answer()
        self.check_nothing_lost()
        return remark

    def remove(self):
        self.project.compose("down", "--volumes", "--remove-orphans", check=False)
        subprocess.run(["losetup", "--detach", self.device], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)
        self.project.close()
