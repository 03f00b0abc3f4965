"""Scans whose text is known: pages of digital PDFs as grey pictures at 200 dpi, a little turned and compressed as scanners do.

Run with the Python that has PyMuPDF: scans.py FOLDER PDF… writes NAME-PAGE.pdf and NAME-PAGE.txt, and prints the names.
"""

import sys
from pathlib import Path

DPI = 200
QUALITY = 60
DEGREES = (0.0, 0.6, -0.8)
PAGES_PER_FILE = 2
# A page with less text says little about recognition; with more it is a table of numbers as a rule.
CHARACTERS = range(400, 6000)


def scan(pymupdf, page, degrees: float):
    """A document of one page that holds nothing but a picture of the given one."""
    matrix = pymupdf.Matrix(DPI / 72, DPI / 72).prerotate(degrees)
    picture = page.get_pixmap(matrix=matrix, colorspace=pymupdf.csGRAY)
    scanned = pymupdf.open()
    size = pymupdf.Rect(0, 0, picture.width * 72 / DPI, picture.height * 72 / DPI)
    scanned.new_page(width=size.width, height=size.height).insert_image(
        size, stream=picture.tobytes("jpeg", jpg_quality=QUALITY)
    )
    return scanned


def main() -> None:
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    folder, made = Path(sys.argv[1]), 0
    for name in sys.argv[2:]:
        try:
            with pymupdf.open(name) as document:
                pages = [page for page in document if len(page.get_text().strip()) in CHARACTERS]
                for page in pages[:PAGES_PER_FILE]:
                    target = folder / f"{Path(name).stem}-{page.number + 1}.pdf"
                    text = page.get_text(sort=False)
                    scan(pymupdf, page, DEGREES[made % len(DEGREES)]).save(target)
                    target.with_suffix(".txt").write_text(text, "utf-8")
                    print(target.stem, flush=True)
                    made += 1
        except Exception as error:  # noqa: BLE001 — a damaged file is left out
            print(f"{name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
