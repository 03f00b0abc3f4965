"""A PDF of a thousand pages, printed by Chromium: headings, paragraphs in both languages, lists and tables, with embedded
fonts, as an office program would write it. Made once and kept."""

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import json

ROOT = Path(__file__).resolve().parent.parent
PAGES = 1000
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anwen" / "benches"
# Changes with what the file holds.
EDITION = 1
SEED = 20261121
PRINT_SECONDS = 300

STYLE = """
@page { size: A4; margin: 20mm }
body { font: 10.5pt "Noto Sans CJK SC", "WenQuanYi Zen Hei", sans-serif; margin: 0 }
section { break-after: page; height: 250mm; overflow: hidden }
section:last-child { break-after: auto }
table { border-collapse: collapse } td, th { border: 0.5pt solid; padding: 1mm 3mm }
"""


def made() -> Path | None:
    """Where the file is; `None` when there is no Chromium to make it."""
    path = CACHE / f"{PAGES}-pages-{EDITION}.pdf"
    if path.exists():
        return path
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium or not Path(chromium).exists():
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "pages.html"
        page.write_text(document(), "utf-8")
        target = Path(folder) / "pages.pdf"
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=PRINT_SECONDS, capture_output=True)
        shutil.copyfile(target, path)
    return path


def document() -> str:
    generator = random.Random(SEED)
    model = json.loads((ROOT / "models/embedding/tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    pieces = [piece for piece, _ in model[200:30_000] if len(piece) > 1]
    chinese = [piece for piece in pieces if all("\u4e00" <= character <= "\u9fff" for character in piece)]
    latin = [piece for piece in pieces if piece.isascii() and piece.isalpha() and len(piece) > 2]
    sections = "".join(section(generator, number, chinese, latin) for number in range(1, PAGES + 1))
    return f"<!doctype html><meta charset=utf-8><title>Thousand pages</title><style>{STYLE}</style>{sections}"


def section(generator: random.Random, number: int, chinese: list[str], latin: list[str]) -> str:
    words, joint, stop = (chinese, "", "。") if number % 2 else (latin, " ", ". ")

    def sentence() -> str:
        # Common words are common here too.
        length = generator.randint(8, 16)
        return joint.join(words[int(len(words) * generator.random() ** 3)] for _ in range(length)) + stop

    def paragraph() -> str:
        return "<p>" + "".join(sentence() for _ in range(7)) + "</p>"

    rows = "".join(
        f"<tr><td>{words[generator.randrange(len(words))]}<td>{generator.randint(1, 9999)}<td>{sentence()}</tr>"
        for _ in range(6)
    )
    items = "".join(f"<li>{sentence()}</li>" for _ in range(4))
    table = f"<table><tr><th>Name<th>数量<th>Note</tr>{rows}</table>"
    heading = f"<h2>{number}. {joint.join(generator.sample(words, 3))}</h2>"
    return f"<section>{heading}{paragraph()}{paragraph()}<ul>{items}</ul>{table}{paragraph()}</section>\n"
