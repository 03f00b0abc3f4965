"""Programs that read files, each a process of its own that answers a line of JSON with a line of JSON."""

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anwen" / "peers"
PACKAGES = (
    "pymupdf",
    "pypdf",
    "markitdown[docx,outlook,pdf,pptx,xls,xlsx]",
    "python-docx",
    "docx2txt",
)
# What else a peer needs, and the Debian package that has it.
PROGRAMS = {"pdftotext": "poppler-utils", "tesseract": "tesseract-ocr", "pandoc": "pandoc"}
MAX_SECONDS = 300


class Reader:
    """One program; started anew after a file that it died of or hung on."""

    def __init__(self, name: str, command: list[str], cores: set[int] | None = None):
        self.name, self.command, self.cores = name, command, cores
        self.process = None

    def ask(self, **request) -> dict:
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            if self.cores:
                os.sched_setaffinity(self.process.pid, self.cores)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], MAX_SECONDS)
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            self.stop()
            return {"text": None, "pages": 0, "cpu_s": 0.0, "error": "died or took too long"}
        return json.loads(line)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def peer_python() -> Path | None:
    """The Python that has the peers: an environment of its own, made once."""
    python, stamp = CACHE / "bin" / "python", CACHE / "packages"
    wanted = "\n".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {', '.join(PACKAGES)} into {CACHE}", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(CACHE)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(pip, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without pypdf, PyMuPDF, markitdown, python-docx and docx2txt: {error}")
        return None
    stamp.write_text(wanted)
    return python


def peers(cores: set[int] | None = None) -> dict[str, Reader]:
    """Every peer that can run here; says which cannot, and why."""
    found = {}
    python = peer_python()
    script = str(HERE / "parse_peer.py")
    if python:
        for name in ("pymupdf", "pypdf", "markitdown", "python-docx", "docx2txt"):
            found[name] = Reader(name, [str(python), script, name], cores)
    for name, package in PROGRAMS.items():
        if shutil.which(name):
            found[name] = Reader(name, [sys.executable, script, name], cores)
        else:
            print(f"without {name}: not installed (Debian package {package})")
    print("without docling: it needs models that are downloaded; its own output is the expected text of some files")
    return found
