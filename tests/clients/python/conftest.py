"""What the suites share: the address of the runtime, and a picture."""

import base64
import os
import struct
import zlib

import pytest


@pytest.fixture(scope="session")
def url():
    return os.environ["ANWEN_URL"]


@pytest.fixture(scope="session")
def picture():
    """A red PNG of two by two pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * 2 for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def data_url(picture):
    return "data:image/png;base64," + base64.b64encode(picture).decode()
