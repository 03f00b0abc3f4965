"""A person with a browser, as far as the tests of a deployment need one: HTTPS, cookies, streams. Standard library only."""

import contextlib
import http.client
import json
import ssl
import time
import uuid

PASSWORD = "a long pass phrase 7"
# Between two bytes of an answer.
TIMEOUT_S = 60


class Failed(Exception):
    """Something is not as it has to be; the text says what."""


def require(condition, message):
    if not condition:
        raise Failed(message)


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)

    def expect(self, status):
        require(self.status == status, f"expected {status}, got {self.status}: {self.body[:400]!r}")
        return self.json() if self.body else None


class Person:
    """Talks to `https://host:port` and believes its certificate, whoever made it."""

    def __init__(self, port, host="127.0.0.1", tls=True):
        self.host, self.port, self.tls = host, port, tls
        self.cookies = {}

    def connect(self, timeout_s=TIMEOUT_S):
        if not self.tls:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_s, context=context)

    def open(self, method, path, body=None, headers=None, timeout_s=TIMEOUT_S):
        """The answer's head; its body is still to be read. `body` is bytes, an iterable of them, or what JSON can say."""
        headers = {"Host": f"localhost:{self.port}", **(headers or {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers.setdefault("X-CSRF-Token", self.cookies.get("anwen_csrf", ""))
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect(timeout_s)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        response.connection_of_ours = connection
        return response

    def send(self, method, path, body=None, headers=None, timeout_s=TIMEOUT_S):
        response = self.open(method, path, body, headers, timeout_s)
        answer = Answer(response, response.read())
        response.connection_of_ours.close()
        return answer

    def get(self, path):
        return self.send("GET", path)

    def api(self, method, path, body=None):
        return self.send(method, f"/api/v1{path}", body)

    def set_up(self, token=None):
        """Makes the first administrator and signs in."""
        account = {"username": "admin", "password": PASSWORD, "display_name": "Admin"}
        if token:
            account["setup_token"] = token
        self.api("POST", "/setup", account).expect(201)
        self.sign_in()

    def sign_in(self):
        self.api("POST", "/auth/login", {"username": "admin", "password": PASSWORD}).expect(200)

    def make_base(self, name):
        answer = self.api("POST", "/knowledge-bases", {"name": name})
        require(answer.status in (200, 201), f"no knowledge base was made: {answer.status} {answer.body[:400]!r}")
        return answer.json()["id"]

    def upload(self, base, name, content):
        """Answers the document as it was taken."""
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = self.send("POST", f"/api/v1/knowledge-bases/{base}/documents", body, headers)
        return answer.expect(202)["documents"][0]

    def wait_indexed(self, document, within_s=180):
        """Waits until a document is indexed, through times in which nothing answers."""
        last = None
        for _ in until(within_s):
            try:
                answer = self.api("GET", f"/documents/{document}")
                last = answer.json() if answer.status == 200 else answer.status
            except (OSError, http.client.HTTPException, ValueError) as failure:
                last = failure
            if isinstance(last, dict) and last["status"] == "indexed":
                return last
            require(not (isinstance(last, dict) and last["status"] == "failed"), f"the document failed: {last}")
        raise Failed(f"not indexed within {within_s} s: {last}")

    def make_chat(self, bases=None):
        chat = self.api("POST", "/chats", {"knowledge_base_ids": bases or []})
        require(chat.status in (200, 201), f"no chat was made: {chat.status} {chat.body[:400]!r}")
        return chat.json()["id"]

    def ask(self, chat, question, model=None, timeout_s=TIMEOUT_S):
        """The events of an answer, as they come: `(name, data)`."""
        message = {"content": question, **({"model": model} if model else {})}
        response = self.open("POST", f"/api/v1/chats/{chat}/messages", message, timeout_s=timeout_s)
        if response.status != 200:
            raise Failed(f"the question was refused: {response.status} {response.read()[:400]!r}")
        return events_of(response)

    def cited_answer(self, question, bases=None):
        """The text of an answer and the names of the documents that it cites."""
        text, sources, end = "", [], None
        for name, data in self.ask(self.make_chat(bases), question):
            if name == "delta":
                text += data["text"]
            elif name == "sources":
                sources = data["items"]
            elif name in ("done", "error"):
                end = data
        cited = [source.get("document_name") for source in sources if f"[{source['n']}]" in text]
        require(end is not None, "the answer broke off")
        return text, cited


def events_of(response):
    """The events of a stream, which is closed behind its last."""
    name = None
    with contextlib.closing(response.connection_of_ours):
        for line in response:
            line = line.decode().rstrip("\r\n")
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                yield name, json.loads(line[5:])


def until(within_s, pause_s=0.5):
    """Counts tries until the time is over; there is always one."""
    end, number = time.monotonic() + within_s, 0
    while number == 0 or time.monotonic() < end:
        yield number
        number += 1
        time.sleep(pause_s)
