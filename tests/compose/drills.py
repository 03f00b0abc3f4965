"""What is done to a running installation. A drill answers a remark, or raises what is not as it has to be."""

import contextlib
import http.client
import subprocess

import engine
from client import Failed, Person, require, until
from installation import HTTPS_PORT, SERVICES

# Of what still works while a part is away.
SIGNED_IN = "signed in"
PAGES = "pages"
UPLOADS = "uploads"
ANSWERS = "answers"


def still_works(installation, parts, name):
    """Looks at what has to work without the part that is away."""
    person = installation.person
    if PAGES in parts:
        require(person.get("/").status == 200, "the page is not served")
    if SIGNED_IN in parts:
        me = person.api("GET", "/auth/me")
        require(me.status == 200, f"the session is not known: {me.status}")
    if UPLOADS in parts:
        installation.add(f"while {name} is away.txt", f"While {name} was away, this sentence was accepted.")
    if ANSWERS in parts:
        installation.check_answer(30)


def refused_in_words(installation, path="/knowledge-bases"):
    """What cannot work answers at once with an error of the table, not with silence or a half page."""
    answer = installation.person.api("GET", path)
    require(answer.status in (502, 503, 504, 507), f"{path} answered {answer.status}")
    require(answer.json()["error"]["code"], f"{path} answered without a code")


@contextlib.contextmanager
def away(installation, service):
    """Kills a container as a crash would, and starts it again."""
    container = installation.project.container(service)
    engine.run("kill", container)
    try:
        yield
    finally:
        engine.run("start", container)
        installation.project.wait_healthy([service])


def search_proxy_dies(installation):
    """search-proxy is killed: answers from documents go on."""
    with away(installation, "search-proxy"):
        still_works(installation, {PAGES, SIGNED_IN, UPLOADS, ANSWERS}, "search-proxy")
    return installation.recovered()


def model_runtime_dies(installation):
    """model-runtime is killed: uploads are taken and indexed later."""
    with away(installation, "model-runtime"):
        still_works(installation, {PAGES, SIGNED_IN, UPLOADS}, "model-runtime")
    return installation.recovered()


def qdrant_dies(installation):
    """Qdrant is killed: uploads are taken and indexed later."""
    with away(installation, "qdrant"):
        still_works(installation, {PAGES, SIGNED_IN, UPLOADS}, "Qdrant")
    return installation.recovered()


def knowledge_dies(installation):
    """knowledge is killed in the middle of a document: it is indexed afterwards."""
    installation.add("cut off.txt", "A document that was taken up when its worker was killed. " * 400)
    with away(installation, "knowledge"):
        still_works(installation, {PAGES, SIGNED_IN}, "knowledge")
        refused_in_words(installation)
    return installation.recovered()


def postgres_dies(installation):
    """PostgreSQL is killed: pages are served, the rest says that it is away."""
    with away(installation, "postgres"):
        still_works(installation, {PAGES}, "PostgreSQL")
        refused_in_words(installation)
    return installation.recovered()


def web_dies(installation):
    """web is killed: nginx answers in its place, sessions outlive it."""
    with away(installation, "web"):
        refused_in_words(installation)
    for _ in until(60):
        if installation.person.api("GET", "/auth/me").status == 200:
            break
    else:
        raise Failed("the session did not outlive web")
    return installation.recovered()


def nginx_dies(installation):
    """nginx is killed and comes back with the same certificate."""
    before = certificate()
    with away(installation, "nginx"):
        pass
    require(certificate() == before, "the certificate is another one")
    return installation.recovered()


def certificate():
    import ssl

    return ssl.get_server_certificate(("127.0.0.1", HTTPS_PORT))


def every_container_is_recreated(installation):
    """All containers are thrown away and made anew: volumes hold everything."""
    installation.project.compose("down")
    installation.project.compose("up", "-d")
    installation.project.wait_healthy(SERVICES, 300)
    return installation.recovered()


@contextlib.contextmanager
def cut(installation, service, network):
    """Takes a container off a network, as a failing switch would."""
    container, name = installation.project.container(service), f"{installation.project.name}_{network}"
    engine.run("network", "disconnect", "--force", name, container)
    try:
        yield
    finally:
        engine.run("network", "connect", "--alias", service, name, container)


def vectors_are_cut_off(installation):
    """The network to Qdrant is cut: uploads are taken and indexed later."""
    with cut(installation, "qdrant", "vectors"):
        still_works(installation, {PAGES, SIGNED_IN, UPLOADS}, "the network to Qdrant")
    return installation.recovered()


def knowledge_is_cut_off(installation):
    """knowledge is cut off from every other service: chats stay readable."""
    # PostgreSQL's network is one that both stand on.
    with cut(installation, "knowledge", "services"), cut(installation, "knowledge", "database"):
        still_works(installation, {PAGES, SIGNED_IN}, "knowledge")
        refused_in_words(installation)
        require(installation.person.api("GET", "/chats").status == 200, "chats cannot be read")
    return installation.recovered()


def a_volume_is_full(installation):
    """The volume of originals is full: uploads are refused, answers go on."""
    volume = f"{installation.project.name}_knowledge"
    filler = ["run", "--rm", "--volume", f"{volume}:/full", "--user", "10001:10001", "--entrypoint", "bash", installation.image("nginx"), "-c"]
    engine.run(*filler, "dd if=/dev/zero of=/full/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/full/filler-2 bs=4k 2>/dev/null; true")
    try:
        # Kept in memory until the index would write it, a question needs no disk.
        installation.check_answer(30)
        body = b"x" * (2 * 1024 * 1024)
        refused = None
        try:
            installation.person.upload(installation.base, "too much.txt", body)
        except Failed as failure:
            refused = str(failure)
        require(refused is not None, "an upload was accepted for which there is no room")
        require("507" in refused or "503" in refused, f"refused without saying why: {refused}")
    finally:
        engine.run(*filler, "rm -f /full/filler /full/filler-2")
    installation.add("after the disk was full.txt", "There is room again, and this was accepted.")
    return installation.recovered()


def the_engine_restarts(installation):
    """Docker's engine is restarted: everything comes back by itself."""
    installation.add("before the restart.txt", "This was accepted a moment before the engine was restarted.")
    engine.restart_engine()
    installation.project.wait_healthy(SERVICES, 300)
    return installation.recovered()


DRILLS = (
    search_proxy_dies,
    model_runtime_dies,
    qdrant_dies,
    knowledge_dies,
    postgres_dies,
    web_dies,
    nginx_dies,
    vectors_are_cut_off,
    knowledge_is_cut_off,
    a_volume_is_full,
    every_container_is_recreated,
    the_engine_restarts,
)
# What cannot be done where there is none.
OF_QDRANT = (qdrant_dies, vectors_are_cut_off)
