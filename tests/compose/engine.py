"""Docker and Compose as the tests of a deployment use them: a client with BuildKit, either Compose, the engine itself."""

import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from client import Failed, require, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENGINE_PID = pathlib.Path("/var/run/docker.pid")
START_S = 120


@functools.cache
def docker():
    """A client that builds with BuildKit: newer ones need the plugin `buildx` for it, Debian 12's has it built in."""
    named = os.environ.get("DOCKER") or shutil.which("docker")
    if named is None:
        raise Failed("Docker is missing: apt-get install docker.io docker-compose")
    has_buildx = subprocess.run([named, "buildx", "version"], capture_output=True).returncode == 0
    return named if has_buildx or not os.access("/usr/bin/docker", os.X_OK) else "/usr/bin/docker"


def run(*arguments, check=True, timeout=None, capture=True, **options):
    done = subprocess.run([docker(), *map(str, arguments)], capture_output=capture, text=True, timeout=timeout, **options)
    if check and done.returncode != 0:
        raise Failed(f"docker {' '.join(map(str, arguments))}: {(done.stderr or '').strip()[-600:]}")
    return (done.stdout or "").strip()


@functools.cache
def compose_command():
    if subprocess.run([docker(), "compose", "version"], capture_output=True).returncode == 0:
        return (docker(), "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise Failed("Compose is missing: apt-get install docker-compose")


class Project:
    """One installation: the project's compose file, with files and variables of a test."""

    def __init__(self, name, files=(), variables=None):
        self.name = name
        self.files = [ROOT / "docker-compose.yml", *files]
        # docker-compose 1.29 builds with the `docker` that it finds.
        self.path = tempfile.mkdtemp(prefix="anwen-docker-")
        os.symlink(docker(), pathlib.Path(self.path) / "docker")
        self.environment = {
            **os.environ,
            "PATH": f"{self.path}:{os.environ['PATH']}",
            "DOCKER_BUILDKIT": "1",
            "COMPOSE_DOCKER_CLI_BUILD": "1",
            "BUILDKIT_PROGRESS": "plain",
            **(variables or {}),
        }

    def compose(self, *arguments, capture=True, check=True):
        files = [part for file in self.files for part in ("-f", str(file))]
        command = [*compose_command(), "-p", self.name, "--project-directory", str(ROOT), *files, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=capture, text=True, cwd=ROOT)
        if check and done.returncode != 0:
            raise Failed(f"compose {' '.join(arguments)}: {(done.stderr or '').strip()[-1500:]}")
        return (done.stdout or "").strip()

    def container(self, service):
        """The id of a service's container, also while it does not run."""
        wanted = [f"label=com.docker.compose.project={self.name}", f"label=com.docker.compose.service={service}"]
        filters = [part for one in wanted for part in ("--filter", one)]
        found = run("ps", "--all", "--quiet", *filters).split()
        require(found, f"there is no container of {service}")
        return found[0]

    def inspect(self, service):
        return json.loads(run("inspect", self.container(service)))[0]

    def wait_healthy(self, services, within_s=180):
        states = {}
        for _ in until(within_s):
            states = {service: self.inspect(service)["State"] for service in services}
            states = {name: state.get("Health", {}).get("Status", state["Status"]) for name, state in states.items()}
            if all(state in ("healthy", "running") for state in states.values()):
                return
        raise Failed(f"not healthy within {within_s} s: {states}")

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def engine_answers():
    return subprocess.run([docker(), "info"], capture_output=True).returncode == 0


def wait_for_engine():
    for _ in until(START_S):
        if engine_answers():
            return
    raise Failed("Docker's engine does not answer")


def start_engine(command=("dockerd",)):
    """Starts an engine of our own where nothing else looks after one."""
    log = open("/tmp/anwen-compose-dockerd.log", "ab")
    subprocess.Popen(list(command), stdout=log, stderr=log, start_new_session=True)
    wait_for_engine()


def restart_engine():
    """As its host would: by systemd where that runs it, otherwise the process itself, with the arguments that it had."""
    by_systemd = shutil.which("systemctl") and subprocess.run(
        ["systemctl", "is-active", "--quiet", "docker"], capture_output=True).returncode == 0
    if by_systemd:
        subprocess.run(["systemctl", "restart", "docker"], check=True)
        return wait_for_engine()
    pid = int(ENGINE_PID.read_text())
    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    os.kill(pid, signal.SIGTERM)
    for _ in until(START_S):
        state = pathlib.Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
    else:
        raise Failed("the engine does not stop")
    time.sleep(1)  # The kernel lets go of its socket and its lock a moment after the process.
    start_engine([part.decode() for part in command])


def image_bytes(image):
    return int(run("image", "inspect", "--format", "{{.Size}}", image))
