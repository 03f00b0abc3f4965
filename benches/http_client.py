"""A small client of the public interface for the benchmarks: standard library only, one kept-open connection."""

import http.client
import json
import time
import uuid


class ApiClient:
    """Speaks to `/api/v1` with a session cookie and the CSRF header."""

    def __init__(self, host: str, port: int):
        self.connection = http.client.HTTPConnection(host, port, timeout=120)
        self.cookies: dict[str, str] = {}

    def _headers(self, extra: dict | None = None) -> dict:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if "anwen_csrf" in self.cookies:
            headers["x-csrf-token"] = self.cookies["anwen_csrf"]
        headers.update(extra or {})
        return headers

    def _remember_cookies(self, response: http.client.HTTPResponse) -> None:
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, content = value.split(";", 1)[0].partition("=")
                self.cookies[cookie.strip()] = content

    def call(self, method: str, path: str, body=None):
        """Sends JSON and reads JSON; an answer of 400 and above raises with the server's words."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers({"content-type": "application/json"} if data else None)
        self.connection.request(method, "/api/v1" + path, body=data, headers=headers)
        response = self.connection.getresponse()
        self._remember_cookies(response)
        raw = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {raw[:400].decode(errors='replace')}")
        return json.loads(raw) if raw else None

    def upload(self, knowledge_base: str, files: list[tuple[str, bytes]]):
        """Uploads files (name, bytes) in one multipart request."""
        boundary = uuid.uuid4().hex
        parts = []
        for name, content in files:
            head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            parts += [head.encode(), b"content-type: application/octet-stream\r\n\r\n", content, b"\r\n"]
        parts.append(f"--{boundary}--\r\n".encode())
        headers = self._headers({"content-type": f"multipart/form-data; boundary={boundary}"})
        path = f"/api/v1/knowledge-bases/{knowledge_base}/documents"
        self.connection.request("POST", path, body=b"".join(parts), headers=headers)
        response = self.connection.getresponse()
        raw = response.read()
        if response.status >= 400:
            raise RuntimeError(f"upload: {response.status} {raw[:400].decode(errors='replace')}")
        return json.loads(raw)["documents"]

    def all_documents(self, knowledge_base: str) -> list[dict]:
        """Every document of a knowledge base, page by page."""
        documents, cursor = [], None
        while True:
            query = "?limit=200" + (f"&cursor={cursor}" if cursor else "")
            page = self.call("GET", f"/knowledge-bases/{knowledge_base}/documents{query}")
            documents += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return documents

    def first_delta_seconds(self, chat: str, question: str) -> tuple[float, str]:
        """Asks, and answers the seconds to the first `delta` event and the outcome of the `done` event."""
        body = json.dumps({"content": question}).encode()
        headers = self._headers({"content-type": "application/json", "accept": "text/event-stream"})
        started = time.perf_counter()
        self.connection.request("POST", f"/api/v1/chats/{chat}/messages", body=body, headers=headers)
        response = self.connection.getresponse()
        if response.status >= 400:
            raise RuntimeError(f"ask: {response.status} {response.read()[:400]!r}")
        first, event, outcome = None, "", ""
        for raw in response:
            line = raw.decode().rstrip("\n")
            if line.startswith("event:"):
                event = line[6:].strip()
                if event == "delta" and first is None:
                    first = time.perf_counter() - started
            elif line.startswith("data:") and event == "done":
                outcome = json.loads(line[5:])["outcome"]
        response.read()
        return (first if first is not None else float("nan")), outcome
