"""Writes a parsed Markdown document as Word: real heading styles, numbered lists, tables, header and footer."""

import copy
from pathlib import Path

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

ACCENT = RGBColor(0x0B, 0x5C, 0x7A)
PAGE_TEXT_CM = 16.4
FONTS = {"en": ("Calibri", "Calibri"), "zh": ("Calibri", "Microsoft YaHei")}


def write(meta: dict, labels: dict, tokens: list, target: Path) -> None:
    document = docx.Document()
    set_page(document, meta, labels)
    set_styles(document, meta["lang"])
    document.core_properties.title = meta["title"]
    document.core_properties.author = meta["owner"]
    document.core_properties.subject = meta["number"]
    write_title(document, meta, labels)
    Writer(document).write(tokens)
    document.save(target)


def set_page(document, meta: dict, labels: dict) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin, section.bottom_margin = Cm(2.4), Cm(2.2)
    header = section.header.paragraphs[0]
    header.text = f"{meta['company']}\t\t{meta['number']}"
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, between, after = labels["page"].split("{}")
    for text, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, None)):
        footer.add_run(text)
        if field:
            add_field(footer, field)
    for paragraph in (header, footer):
        for run in paragraph.runs:
            run.font.size = Pt(8.5)
            run.font.color.rgb = RGBColor(0x66, 0x66, 0x66)


def add_field(paragraph, name: str) -> None:
    for kind, text in (("begin", None), (None, name), ("separate", None), ("result", "1"), ("end", None)):
        run = paragraph.add_run(text if kind == "result" else "")
        if kind is None:
            element = OxmlElement("w:instrText")
            element.text = text
        elif kind == "result":
            continue
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def set_styles(document, lang: str) -> None:
    latin, east_asian = FONTS[lang]
    sizes = {"Normal": 10.5, "Heading 1": 15, "Heading 2": 12, "Title": 20, "List Number": 10.5, "List Bullet": 10.5}
    for name, size in sizes.items():
        style = document.styles[name]
        style.font.name, style.font.size = latin, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(attribute), None)
        fonts.set(qn("w:eastAsia"), east_asian)
        if name.startswith(("Heading", "Title")):
            style.font.color.rgb = ACCENT
    document.styles["Normal"].paragraph_format.space_after = Pt(6)
    document.styles["Normal"].paragraph_format.line_spacing = 1.2


def write_title(document, meta: dict, labels: dict) -> None:
    document.add_paragraph(meta["title"], style="Title")
    if meta.get("subtitle"):
        document.add_paragraph(meta["subtitle"], style="Subtitle")
    facts = [f"{labels[key]}: {meta[key]}" for key in ("number", "version", "date", "owner")]
    paragraph = document.add_paragraph(" · ".join(facts))
    paragraph.runs[0].font.size = Pt(9)
    paragraph.runs[0].font.color.rgb = RGBColor(0x66, 0x66, 0x66)


class Writer:
    """Walks Markdown's tokens once, in order."""

    def __init__(self, document):
        self.document = document
        self.numbering = None
        self.list_style = None
        self.heading_level = None
        self.rows = None

    def write(self, tokens: list) -> None:
        for token in tokens:
            getattr(self, f"on_{token.type}", lambda _: None)(token)

    def on_heading_open(self, token):
        self.heading_level = int(token.tag[1])

    def on_heading_close(self, _):
        self.heading_level = None

    def on_ordered_list_open(self, _):
        self.list_style, self.numbering = "List Number", self.new_numbering()

    def on_bullet_list_open(self, _):
        self.list_style = "List Bullet"

    def on_ordered_list_close(self, _):
        self.list_style = self.numbering = None

    on_bullet_list_close = on_ordered_list_close

    def on_table_open(self, _):
        self.rows = []

    def on_tr_open(self, _):
        self.rows.append([])

    def on_table_close(self, _):
        rows, self.rows = self.rows, None
        has_header = any(cell.content for cell in rows[0])
        write_table(self.document, rows if has_header else rows[1:], has_header)

    def on_inline(self, token):
        if self.rows is not None:
            self.rows[-1].append(token)
        elif self.heading_level:
            self.document.add_heading(level=self.heading_level).add_run(token.content)
        else:
            paragraph = self.document.add_paragraph(style=self.list_style)
            if self.numbering is not None:
                properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
                properties.get_or_add_ilvl().val = 0
                properties.get_or_add_numId().val = self.numbering
            add_runs(paragraph, token)

    def new_numbering(self) -> int:
        """A numbering that starts at 1 again: each list is one of its own."""
        style = self.document.styles["List Number"].element
        first = style.pPr.numPr.numId.val
        numbering = self.document.part.numbering_part.element
        abstract = numbering.num_having_numId(first).abstractNumId.val
        number = numbering.add_num(abstract)
        number.add_lvlOverride(ilvl=0).add_startOverride(1)
        return number.numId


def write_table(document, rows: list, has_header: bool) -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    for row, cells in zip(table.rows, rows):
        for cell, token in zip(row.cells, cells):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(2)
            add_runs(paragraph, token)
            for run in paragraph.runs:
                run.font.size = Pt(9.5)
    set_widths(table, rows)
    if has_header:
        mark_header(table.rows[0])
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def set_widths(table, rows: list) -> None:
    """Shares the width of the page out by the square root of each column's longest cell."""
    weights = [max(len(cells[column].content) for cells in rows) ** 0.5 + 1 for column in range(len(rows[0]))]
    table.autofit = False
    for column, weight in zip(table.columns, weights):
        width = Cm(PAGE_TEXT_CM * weight / sum(weights))
        column.width = width
        for cell in column.cells:
            cell.width = width


def mark_header(row) -> None:
    """Bold, shaded, and repeated at the top of each page that the table reaches."""
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(repeat)
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:fill"), "DDEBF0")
    for cell in row.cells:
        cell._tc.get_or_add_tcPr().append(copy.copy(shading))
        for run in cell.paragraphs[0].runs:
            run.font.bold = True


def add_runs(paragraph, token) -> None:
    is_bold = is_italic = False
    for child in token.children or []:
        match child.type:
            case "strong_open" | "strong_close":
                is_bold = child.type == "strong_open"
            case "em_open" | "em_close":
                is_italic = child.type == "em_open"
            case "softbreak":
                paragraph.add_run(" ")
            case _ if child.content:
                run = paragraph.add_run(child.content)
                run.bold, run.italic = is_bold or None, is_italic or None
