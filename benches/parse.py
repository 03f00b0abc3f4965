#!/usr/bin/env python3
"""Text quality, speed and memory of the parsers beside other programs, on a folder of files. Prints one table last and
exits non-zero when a bound is missed.

    python3 benches/parse.py --runner PATH [FOLDER…] [--only text,speed,memory] [--rounds 3]

A folder may hold `manifest.jsonl` (`path`, `kind`, `features`, `expected`: the text that the file should give); without
one every file in it is read. The default is docs/dev of the shared folder, where there is one, and samples/library.

Text: F1 of words (a Chinese character is one) and of neighbouring words, which shows the order, as medians over the files
of a family. Each program is compared with the expected text ("expected text"), or, where there is none, with what most of
the *other* programs read ("the others": who reads more than they, or a table by its cells, loses there); a file with fewer
than two others is not judged. A program that fails on a file has 0 there.

Speed: processor time, one core, programs taking turns on each file, the best of the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import thousand_pages  # noqa: E402
from readers import Reader, peer_python, peers  # noqa: E402
from text_agreement import Text, consensus  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "models/embedding/tokenizer.json"
OURS = "anwen"
# Bounds.
LEAST_TIMES_PYPDF = 3.0
LEAST_TIMES_PYMUPDF = 1.0
MAX_PEAK_MB = 300.0
# Files whose pages are made scans.
SCANNED_FILES = 8
# A difference in the third decimal is no difference.
TOLERANCE = 0.0005

FAMILIES = {
    "md": "markdown", "mdx": "markdown", "txt": "text", "asciidoc": "text", "xls": "xlsx", "ods": "xlsx", "nxml": "xml",
    "htm": "html", "xhtml": "html", "eml": "mail", "msg": "mail", "mbox": "mail", "odt": "odf", "odp": "odf",
    "jpg": "picture", "jpeg": "picture", "png": "picture", "tif": "picture", "tiff": "picture", "tar": "archive",
    "zip": "archive", "ipynb": "json", "jsonl": "json", "tsv": "csv", "doc": "doc", "ppt": "pptx",
}  # fmt: skip
# Which peers read which endings; those that are absent here read everything.
READS = {
    "pymupdf": {"pdf"},
    "pypdf": {"pdf"},
    "pdftotext": {"pdf"},
    "python-docx": {"docx"},
    "docx2txt": {"docx"},
    "pandoc": {"docx", "odt", "rtf", "epub", "html", "ipynb"},
    "tesseract": {"pdf scanned", "picture"},
}


@dataclass
class File:
    path: Path
    family: str
    expected: Path | None = None
    # By program; None where it failed.
    texts: dict[str, str | None] = field(default_factory=dict)

    @property
    def ending(self) -> str:
        return self.path.suffix[1:].lower()


def files_of(folder: Path) -> list[File]:
    manifest = folder / "manifest.jsonl"
    if not manifest.exists():
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return [File(path, family(path, [])) for path in paths]
    entries = [json.loads(line) for line in manifest.read_text("utf-8").split("\n") if line]
    return [
        File(
            folder / entry["path"],
            family(Path(entry["path"]), entry.get("features") or []),
            folder / entry["expected"] if entry.get("expected") else None,
        )
        for entry in entries
    ]


def family(path: Path, features: list[str]) -> str:
    ending = path.suffix[1:].lower()
    if ending == "pdf":
        return "pdf scanned" if {"image-only", "scanned"} & set(features) else "pdf"
    return FAMILIES.get(ending, ending or "none")


def scans_of(files: list[File], folder: Path) -> list[File]:
    """Pages of the smallest digital PDFs as scans with a known text: half in Chinese where there are such."""
    python = peer_python()
    if not python:
        return []
    digital = sorted((file for file in files if file.family == "pdf"), key=lambda file: file.path.stat().st_size)
    chinese = [file for file in digital if any("\u4e00" <= letter <= "\u9fff" for letter in file.path.name)]
    # Spread over the sizes: the smallest are all of one kind.
    others = [file for file in digital if file not in chinese][:: max(1, len(digital) // SCANNED_FILES)]
    chosen = [str(file.path) for file in chinese[: SCANNED_FILES // 2] + others[:SCANNED_FILES]]
    command = [str(python), str(Path(__file__).parent / "scans.py"), str(folder), *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names = done.stdout.split("\n")
    return [File(folder / f"{name}.pdf", "pdf scanned", folder / f"{name}.txt") for name in names if name]


# Text.


def read_all(files: list[File], ours: Reader, others: dict[str, Reader]) -> list[str]:
    """Asks every program for every file's text; answers what did not end as it should."""
    failures = []
    for number, file in enumerate(files):
        print(f"\rreading {number + 1}/{len(files)}", end="", file=sys.stderr, flush=True)
        answer = ours.ask(path=str(file.path), name=file.path.name, want="text")
        file.texts[OURS] = answer["text"]
        if answer["text"] is None:
            failures.append(f"{answer.get('code') or answer.get('error')}: {file.path.name}")
        for name, reader in others.items():
            reads = READS.get(name)
            if reads is None or file.ending in reads or file.family in reads:
                answer = reader.ask(path=str(file.path), want="text")
                file.texts[name] = answer["text"]
    print(file=sys.stderr)
    return failures


def scores(file: File) -> dict[str, tuple[float, float]]:
    """Each program's two agreements; nothing when the file cannot be judged."""
    made = {name: Text(text or "") for name, text in file.texts.items()}
    if file.expected:
        reference = Text(file.expected.read_text("utf-8", "replace"))
        return {name: text.agreement(reference) for name, text in made.items()}
    found = {}
    for name, text in made.items():
        others = [other for key, other in made.items() if key != name and file.texts[key]]
        if len(others) < 2:
            continue
        reference = consensus(others)
        if reference.words:
            found[name] = text.agreement(reference)
    # Only a file on which all are judged compares them.
    return found if len(found) == len(made) else {}


def text_rows(files: list[File], worst: int) -> tuple[list[list[str]], int]:
    families: dict[str, list[tuple[File, dict]]] = {}
    for file in files:
        # Agreeing with the others is another thing than agreeing with what a file should give.
        name = f"{file.family}, {'expected text' if file.expected else 'the others'}"
        families.setdefault(name, []).append((file, scores(file)))
    rows, missed, weak = [], 0, []
    for name, judged in sorted(families.items()):
        having = [(file, found) for file, found in judged if found]
        for index, measure in enumerate(("words", "order")):
            by_program: dict[str, list[float]] = {}
            for _, found in having:
                for program, values in found.items():
                    by_program.setdefault(program, []).append(values[index])
            # A peer that reads only some endings of the family has its median over these.
            medians = {program: statistics.median(values) for program, values in by_program.items()}
            mine = medians.pop(OURS, None)
            best = max(medians.values(), default=None)
            kept = mine is None or best is None or mine >= best - TOLERANCE
            missed += not kept
            shown = ", ".join(f"{program} {value:.3f}" for program, value in sorted(medians.items(), key=lambda m: -m[1]))
            rows.append([
                f"{name}: {measure}", number(mine, 3), number(best, 3), "" if kept else "MISSED",
                f"{len(having)} of {len(judged)} files judged; {shown}",
            ])  # fmt: skip
        for file, found in having:
            mine, best = found[OURS], max(min(values) for program, values in found.items() if program != OURS) if len(found) > 1 else 0
            weak.append((min(mine) - best, name, file.path.name, mine, best))
    if worst:
        print("\nwhere others read most more than we do:")
        for gap, name, path, mine, best in sorted(weak)[:worst]:
            print(f"  {gap:+.3f} {name:12} ours {mine[0]:.3f} {mine[1]:.3f} best {best:.3f}  {path}")
    return rows, missed


# Speed.


def speed_rows(files: list[File], ours: Reader, others: dict[str, Reader], rounds: int) -> tuple[list[list[str]], int]:
    pdfs = [file for file in files if file.family == "pdf"]
    tasks = {
        "chunks": (ours, "chunks"),
        "boxes": (ours, "boxes"),
        "process": (ours, "process"),
        "pypdf": (others.get("pypdf"), "time"),
        "pymupdf": (others.get("pymupdf"), "boxes"),
        "pdftotext": (others.get("pdftotext"), "time"),
    }
    tasks = {name: task for name, task in tasks.items() if task[0]}
    times: dict[str, list[list[float]]] = {name: [] for name in tasks}
    pages = []
    for index, file in enumerate(pdfs):
        print(f"\rtiming {index + 1}/{len(pdfs)}", end="", file=sys.stderr, flush=True)
        taken: dict[str, list[float]] = {name: [] for name in tasks}
        count = 0
        for _ in range(rounds):
            for name, (reader, want) in tasks.items():
                answer = reader.ask(path=str(file.path), name=file.path.name, want=want)
                if answer.get("error") or answer.get("code"):
                    break
                taken[name].append(answer["cpu_s"])
                count = max(count, answer["pages"])
            else:
                continue
            break
        # Files that one of the programs fails on compare nothing.
        if all(len(values) == rounds for values in taken.values()):
            pages.append(count)
            for name, values in taken.items():
                times[name].append(values)
    print(file=sys.stderr)
    total = sum(pages)
    rate = {name: total / max(sum(min(values) for values in found), 1e-9) for name, found in times.items()}
    rows, missed = [], 0

    def ratio(label: str, mine: str, other: str, bound: float) -> None:
        nonlocal missed
        if other not in rate:
            rows.append([label, "-", number(bound, 1), "", f"not measured: {other} is missing"])
            return
        value = rate[mine] / rate[other]
        missed += value < bound
        rows.append([label, number(value, 2), number(bound, 1), "MISSED" if value < bound else "",
                     f"{rate[mine]:.0f} and {rate[other]:.0f} pages a second and core"])  # fmt: skip

    ratio("PDF: parse, clean, cut; times pypdf's text", "chunks", "pypdf", LEAST_TIMES_PYPDF)
    ratio("PDF: text with boxes; times PyMuPDF's", "boxes", "pymupdf", LEAST_TIMES_PYMUPDF)
    note = f"{len(pages)} of {len(pdfs)} files, {total} pages, {rounds} rounds"
    rows.append(["PDF: by way of the child process (pages/s)", number(rate["process"], 0), "-", "", note])
    if "pdftotext" in rate:
        rows.append(["PDF: pdftotext, with its start (pages/s)", number(rate["pdftotext"], 0), "-", "", "for comparison"])
    return rows, missed


# Memory.


def memory_rows(runner: Path) -> tuple[list[list[str]], int]:
    label = f"{thousand_pages.PAGES}-page PDF: peak memory of the child (MB)"
    path = thousand_pages.made()
    if path is None:
        return [[label, "-", number(MAX_PEAK_MB, 0), "", "not measured: Chromium is missing, which makes the file"]], 0
    request = {"path": str(path), "file_name": path.name, "engine": "first", "limits": {}, "ocr": None}
    environment = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    child = subprocess.Popen(
        [str(runner), "parse-worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    child.stdin.write(json.dumps(request).encode() + b"\n")
    child.stdin.close()
    answer = child.stdout.read()
    # What the kernel has counted of this one process.
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        return [[label, "-", number(MAX_PEAK_MB, 0), "MISSED", f"the child ended with {child.returncode}"]], 1
    reply = json.loads(answer.strip().rsplit(b"\n", 1)[-1])
    pages = len(reply.get("document", {}).get("pages", []))
    if pages != thousand_pages.PAGES:
        return [[label, "-", number(MAX_PEAK_MB, 0), "MISSED", f"was not read: {str(reply)[:120]}"]], 1
    peak_mb = usage.ru_maxrss / 1024
    missed = peak_mb > MAX_PEAK_MB
    seconds = usage.ru_utime + usage.ru_stime
    characters = sum(len(block["text"]) for block in reply["document"]["blocks"])
    note = f"{path.stat().st_size / 1e6:.0f} MB, {characters} characters, {seconds:.1f} s of processor time"
    return [[label, number(peak_mb, 0), number(MAX_PEAK_MB, 0), "MISSED" if missed else "", note]], int(missed)


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def default_folders() -> list[Path]:
    shared = Path(os.environ.get("ANWEN_SHARED") or ROOT.parent / "shared") / "docs/dev"
    if not shared.is_dir():
        print(f"without {shared.name} of the shared folder: it is not there")
    return [folder for folder in (shared, ROOT / "samples/library") if folder.is_dir()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", type=Path, required=True, help="the example parse_bench")
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--only", default="text,speed,memory")
    parser.add_argument("--family", help="only files of this family")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worst", type=int, default=20, help="files to name where others are better")
    arguments = parser.parse_args()
    parts = set(arguments.only.split(","))
    cores = {min(os.sched_getaffinity(0))}
    ours = Reader(OURS, [str(arguments.runner.resolve()), str(TOKENIZER)], cores if parts == {"speed"} else None)
    files = [file for folder in arguments.folders or default_folders() for file in files_of(folder)]
    if arguments.family and arguments.family != "pdf scanned":
        files = [file for file in files if file.family == arguments.family]
    rows, missed = [], 0

    def take(part: tuple[list[list[str]], int]) -> None:
        nonlocal missed
        rows.extend(part[0])
        missed += part[1]

    if "memory" in parts:
        take(memory_rows(arguments.runner.resolve()))
    others = peers() if parts & {"text", "speed"} else {}
    if "text" in parts:
        with tempfile.TemporaryDirectory() as folder:
            scans = scans_of(files, Path(folder)) if arguments.family in (None, "pdf scanned") else []
            failures = read_all(files + scans, ours, others)
            take(text_rows(files + scans, arguments.worst))
        print(f"\n{len(failures)} of {len(files) + len(scans)} files gave no text:")
        print("".join(f"  {line}\n" for line in sorted(failures)), end="")
    if "speed" in parts:
        for reader in (ours, *others.values()):
            reader.stop()
            reader.cores = cores
        take(speed_rows(files, ours, others, arguments.rounds))
    for reader in (ours, *others.values()):
        reader.stop()
    print(f"\n{'measure':46} {'ours':>8} {'bound':>8} {'':6}  note")
    for name, value, bound, verdict, note in rows:
        print(f"{name:46} {value:>8} {bound:>8} {verdict:6}  {note}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
