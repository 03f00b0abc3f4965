"""Other programs' readers behind one line protocol, run by benches/parse.py with the Python that has them:

    parse_peer.py NAME        {"path": "…", "want": "text" | "time" | "boxes"} -> {"text", "pages", "cpu_s", "error"}

Everything that a reader needs is imported before the first request, so that its start is not in any time.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")


class PyMuPdf:
    def __init__(self):
        import pymupdf

        pymupdf.TOOLS.mupdf_display_errors(False)
        self.module = pymupdf

    def text(self, path: str) -> tuple[str, int]:
        with self.module.open(path) as document:
            return "\f".join(page.get_text(sort=False) for page in document), len(document)

    def boxes(self, path: str) -> tuple[str, int]:
        with self.module.open(path) as document:
            for page in document:
                page.get_text("words")
                page.get_text("blocks")
            return "", len(document)


class PyPdf:
    def __init__(self):
        import logging

        import pypdf

        logging.disable(logging.CRITICAL)
        self.module = pypdf

    def text(self, path: str) -> tuple[str, int]:
        reader = self.module.PdfReader(path)
        return "\f".join(page.extract_text() for page in reader.pages), len(reader.pages)


class PdfToText:
    def text(self, path: str) -> tuple[str, int]:
        command = ["pdftotext", "-q", "-enc", "UTF-8", path, "-"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        text = done.stdout.decode("utf-8", "replace")
        return text, text.count("\f")


class MarkItDown:
    def __init__(self):
        import logging

        from markitdown import MarkItDown as Reader

        logging.disable(logging.CRITICAL)
        self.reader = Reader(enable_plugins=False)

    def text(self, path: str) -> tuple[str, int]:
        return self.reader.convert_local(path).text_content, 0


class PythonDocx:
    def __init__(self):
        import docx

        self.module = docx

    def text(self, path: str) -> tuple[str, int]:
        lines = []

        def walk(container):
            for item in container.iter_inner_content():
                if hasattr(item, "rows"):
                    for row in item.rows:
                        seen = set()
                        for cell in row.cells:
                            if id(cell._tc) not in seen:
                                seen.add(id(cell._tc))
                                walk(cell)
                else:
                    lines.append(item.text)

        walk(self.module.Document(path))
        return "\n".join(lines), 0


class Docx2Txt:
    def __init__(self):
        import docx2txt

        self.module = docx2txt

    def text(self, path: str) -> tuple[str, int]:
        return self.module.process(path), 0


class Pandoc:
    def text(self, path: str) -> tuple[str, int]:
        kind = {"md": "gfm"}.get(Path(path).suffix[1:].lower(), Path(path).suffix[1:].lower())
        command = ["pandoc", "--sandbox", "-f", kind, "-t", "plain", "--wrap=none", path]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        return done.stdout.decode("utf-8", "replace"), 0


class Tesseract:
    """Pages at 200 dpi to tesseract, as one would by hand."""

    def text(self, path: str) -> tuple[str, int]:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            pictures = [path]
            if path.lower().endswith(".pdf"):
                subprocess.run(["pdftoppm", "-q", "-r", "200", "-gray", path, f"{folder}/p"], check=True, timeout=300)
                pictures = sorted(str(picture) for picture in Path(folder).iterdir())
            read = []
            for picture in pictures:
                command = ["tesseract", picture, "-", "-l", "chi_sim+eng"]
                environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
                done = subprocess.run(command, capture_output=True, timeout=300, check=True, env=environment)
                read.append(done.stdout.decode("utf-8", "replace"))
            return "\n".join(read), len(pictures)


PEERS = {
    "pdftotext": PdfToText,
    "pymupdf": PyMuPdf,
    "pypdf": PyPdf,
    "markitdown": MarkItDown,
    "python-docx": PythonDocx,
    "docx2txt": Docx2Txt,
    "pandoc": Pandoc,
    "tesseract": Tesseract,
}


def cpu_seconds() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def main() -> None:
    peer = PEERS[sys.argv[1]]()
    answers = os.fdopen(os.dup(1), "w")
    # What readers print is not an answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        read = peer.boxes if request["want"] == "boxes" else peer.text
        began = cpu_seconds()
        answer = {"text": None, "pages": 0, "error": None}
        try:
            text, answer["pages"] = read(request["path"])
            # A lone half of a surrogate pair cannot be sent.
            answer["text"] = (text or "").encode("utf-8", "replace").decode("utf-8")
        except Exception as error:  # noqa: BLE001 — whatever a reader does with a bad file is its result
            answer["error"] = f"{type(error).__name__}: {error}"[:200]
        answer["cpu_s"] = cpu_seconds() - began
        if request["want"] != "text":
            answer["text"] = None
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
