"""Renders samples/source into samples/library and checks samples/questions.jsonl against the result.

A source is a Markdown document with a front matter of `key: value` lines; `outputs` names the files to write, and their
suffixes say how. See scripts/make-samples for what has to be installed.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

import sample_docx
import sample_fonts

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "samples" / "source"
LIBRARY = ROOT / "samples" / "library"
QUESTIONS = ROOT / "samples" / "questions.jsonl"
MAX_LIBRARY_BYTES = 2_000_000

FONT_WEIGHTS = {"regular": 400, "bold": 700}
MARKDOWN = MarkdownIt("commonmark").enable("table")

LABELS = {
    "en": {"number": "Document", "version": "Version", "date": "Date", "owner": "Owner", "contents": "Contents", "page": "Page {} of {}"},
    "zh": {"number": "文件编号", "version": "版本", "date": "发布日期", "owner": "归口部门", "contents": "目录", "page": "第 {} 页 共 {} 页"},
}


@dataclass
class Document:
    """A source: its front matter, its body, and the words of its language for header and footer."""

    meta: dict
    body: str

    @property
    def labels(self):
        return LABELS[self.meta["lang"]]


def read_source(path: Path) -> Document:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    meta = {}
    for line in front.splitlines():
        key, value = line.split(":", 1)
        meta[key.strip()] = value.strip().strip('"')
    meta["outputs"] = [name.strip() for name in meta["outputs"].strip("[]").split(",")]
    return Document(meta, body.strip() + "\n")


def as_html(document: Document) -> str:
    """A complete page. Chromium prints the same page with the rules under `@page` and `@media print`."""
    meta, labels = document.meta, document.labels
    facts = [(labels[key], meta[key]) for key in ("number", "version", "date", "owner")]
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts)
    headings = re.findall(r"^# (.+)$", document.body, re.M)
    contents = "".join(f"<li>{html.escape(heading)}</li>" for heading in headings)
    is_cover = meta["cover"] == "true"
    before, after = labels["page"].split("{}")[0], labels["page"].split("{}")[1:]
    footer = f'"{before}" counter(page) "{after[0]}" counter(pages) "{after[1]}"'
    style = (SOURCE / "style.css").read_text(encoding="utf-8")
    style = style.replace("@FOOTER@", footer).replace("@HEADER@", f'"{meta["title"]} · {meta["number"]} · {meta["version"]}"')
    style = style.replace("@COMPANY@", f'"{meta["company"]}"')
    return f"""<!DOCTYPE html>
<html lang="{'zh-CN' if meta['lang'] == 'zh' else 'en'}">
<head>
<meta charset="utf-8">
<title>{html.escape(meta['title'])}</title>
<style>
{style}</style>
</head>
<body class="{'cover' if is_cover else 'plain'}">
<header>
<p class="company">{html.escape(meta['company'])}</p>
<p class="title">{html.escape(meta['title'])}</p>
<p class="subtitle">{html.escape(meta.get('subtitle', ''))}</p>
<table class="facts">{rows}</table>
{f'<nav><p>{labels["contents"]}</p><ul>{contents}</ul></nav>' if is_cover else ''}
</header>
<main>
{MARKDOWN.render(document.body)}</main>
</body>
</html>
"""


def write_pdf(document: Document, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text, faces = as_html(document), ""
        for weight in ("regular", "bold"):
            sample_fonts.write_face(text, weight, Path(folder) / f"{weight}.ttf")
            faces += f"@font-face {{ font-family: Sample; font-weight: {FONT_WEIGHTS[weight]}; src: url({weight}.ttf); }}\n"
        page = Path(folder) / "page.html"
        page.write_text(text.replace("<style>\n", f"<style>\n{faces}"), encoding="utf-8")
        printed = Path(folder) / "page.pdf"
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline", f"--print-to-pdf={printed}", page.as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        shutil.copy(printed, target)


def write_output(document: Document, name: str) -> None:
    target = LIBRARY / name
    match target.suffix:
        case ".pdf":
            write_pdf(document, target)
        case ".docx":
            sample_docx.write(document.meta, document.labels, MARKDOWN.parse(document.body), target)
        case ".html":
            target.write_text(as_html(document), encoding="utf-8")
        case ".md":
            target.write_text(document.body, encoding="utf-8")
        case other:
            sys.exit(f"{name}: no way to write {other}")


def squeeze(text: str) -> str:
    """A text without white space and Markdown's marks, so that line breaks and cells do not hide a passage."""
    return re.sub(r"[\s|*`#>]+", "", text)


def broken_questions(bodies: dict[str, str]) -> list[str]:
    """What is wrong with the questions: evidence that is not in the source, or not on the page of the PDF."""
    problems = []
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        if question.get("unanswerable"):
            continue
        evidence, name = squeeze(question["evidence"]), question["file"]
        if evidence not in squeeze(bodies[name]):
            problems.append(f"{question['id']}: the evidence is not in {name}")
        if name.endswith(".pdf"):
            page = str(question["page"])
            command = ["pdftotext", "-f", page, "-l", page, "-layout", str(LIBRARY / name), "-"]
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            words = set(re.findall(r"\w{2,}", question["evidence"]))
            found = sum(word in text for word in words)
            if found < 0.8 * len(words):
                problems.append(f"{question['id']}: the evidence is not on page {page} of {name}")
    return problems


def main() -> None:
    shutil.rmtree(LIBRARY, ignore_errors=True)
    LIBRARY.mkdir(parents=True)
    bodies = {}
    for path in sorted(SOURCE.glob("*.md")):
        document = read_source(path)
        for name in document.meta["outputs"]:
            write_output(document, name)
            bodies[name] = document.body
            print(f"{name}: {(LIBRARY / name).stat().st_size:,} bytes")
    size = sum(file.stat().st_size for file in LIBRARY.iterdir())
    problems = broken_questions(bodies)
    if size > MAX_LIBRARY_BYTES:
        problems.append(f"the library has {size:,} bytes, at most {MAX_LIBRARY_BYTES:,}")
    if problems:
        sys.exit("\n".join(problems))


main()
