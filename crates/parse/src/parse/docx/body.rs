//! The body of a document, read from its XML: paragraphs with the labels that Word makes, tables, text boxes, notes,
//! formulas, and changes as if they were accepted. Comments of reviewers are no part of the document and are left out.

use std::collections::{HashMap, HashSet};

use super::MAX_HEADING_COLUMNS;
use super::numbering::{Counters, Numbering};
use super::styles::{Properties, Styles, heading_styles};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument, warning};
use crate::parse::builder::DocumentBuilder;
use crate::parse::format::Format;
use crate::parse::package::{Package, Relations};
use crate::parse::tree::{Element, Tree};
use crate::parse::{ParseOptions, chart, omml, pictures};

/// Content controls, tables and text boxes nested deeper are left out.
const MAX_DEPTH: usize = 48;
/// Cells of a row beyond are left out.
const MAX_COLUMNS: usize = 512;
/// Heads and feet of pages beyond are left out.
const MAX_MARGINS: usize = 60;

/// The document; `None` when its main part is missing.
pub(super) fn read(package: &mut Package<'_>, options: &ParseOptions) -> Option<ParsedDocument> {
    let main = package.main_part("word/document.xml");
    let tree = package.tree(&main)?;
    let body = tree.root()?.child("body")?;
    let relations = package.relations(&main);
    let part = |package: &mut Package<'_>, kind: &str| {
        let name = relations.of_kind(kind).next()?.target.clone();
        package.text(&name)
    };
    let style_text = part(package, "styles").or_else(|| package.text("word/styles.xml")).unwrap_or_default();
    let numbering_text = part(package, "numbering").or_else(|| package.text("word/numbering.xml"));
    let footnotes = part(package, "footnotes").map(|text| Tree::parse(&text)).unwrap_or_default();
    let endnotes = part(package, "endnotes").map(|text| Tree::parse(&text)).unwrap_or_default();
    let (styles, numbering) =
        (Styles::parse(&style_text), Numbering::parse(&numbering_text.unwrap_or_default()));
    let is_damaged = tree.is_damaged() || styles.is_err() || numbering.is_err();
    let mut reader = Reader {
        builder: DocumentBuilder::new(Format::Docx.media_type(), &options.limits),
        package,
        relations: &relations,
        styles: styles.unwrap_or_default(),
        heading_styles: heading_styles(&Tree::parse(&style_text)),
        numbering: numbering.unwrap_or_default(),
        counters: Counters::default(),
        footnotes: notes_by_id(&footnotes),
        endnotes: notes_by_id(&endnotes),
        note_count: [0, 0],
        page: 1,
        saw_page_break: false,
    };
    reader.package.read_properties(reader.builder.document());
    reader.flow(body, 0);
    reader.margins();
    let saw_page_break = reader.saw_page_break;
    let mut document = reader.builder.finish();
    if !saw_page_break {
        // Explicit breaks alone would count too few pages: no number is better than a wrong one.
        document.blocks.iter_mut().for_each(|block| block.page = None);
    }
    document.page_count = document.blocks.iter().filter_map(|block| block.page).max();
    if is_damaged {
        document.warn(warning::PARTLY_DAMAGED, "parts of the document are damaged and were not read");
    }
    document.title = document.title.take().filter(|title| title.chars().count() > 1).or_else(|| {
        let is_top = |block: &&Block| matches!(block.kind, BlockKind::Heading { level: 1 });
        document.blocks.iter().find(is_top).map(|block| block.text.clone())
    });
    Some(document)
}

fn notes_by_id(tree: &Tree) -> HashMap<&str, Element<'_>> {
    let notes = tree.root().into_iter().flat_map(|root| root.children());
    // Separators between text and notes are notes with a type.
    notes
        .filter(|note| note.attribute("type").is_none())
        .filter_map(|note| Some((note.attribute("id")?, note)))
        .collect()
}

/// A paragraph's text, and what is anchored in it.
#[derive(Default)]
struct Inline<'t> {
    text: String,
    page: Option<u32>,
    /// Contents of text boxes.
    boxes: Vec<Element<'t>>,
    figures: Vec<Block>,
    /// Label and note.
    notes: Vec<(String, Element<'t>)>,
}

struct Reader<'r, 'p, 't> {
    builder: DocumentBuilder,
    package: &'r mut Package<'p>,
    relations: &'r Relations,
    styles: Styles,
    heading_styles: HashMap<String, u8>,
    numbering: Numbering,
    counters: Counters,
    footnotes: HashMap<&'t str, Element<'t>>,
    endnotes: HashMap<&'t str, Element<'t>>,
    note_count: [usize; 2],
    page: u32,
    saw_page_break: bool,
}

impl<'t> Reader<'_, '_, 't> {
    /// Paragraphs and tables of the body, a content control, a text box.
    fn flow(&mut self, element: Element<'t>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in element.children() {
            if self.builder.is_full() {
                return;
            }
            match child.name() {
                "p" => self.paragraph(child, depth),
                "tbl" => self.table(child, depth),
                "AlternateContent" => {
                    child.child("Choice").into_iter().for_each(|one| self.flow(one, depth + 1))
                }
                "sdt" | "sdtContent" | "customXml" | "smartTag" | "ins" | "moveTo" => {
                    self.flow(child, depth + 1)
                }
                _ => {}
            }
        }
    }

    fn paragraph(&mut self, paragraph: Element<'t>, depth: usize) {
        let page = self.page;
        let mut inline = Inline::default();
        self.inline(paragraph, &mut inline, 0);
        let page = Some(inline.page.unwrap_or(page));
        let label = self.label(paragraph);
        let text = clean::normalise(inline.text.trim());
        let heading = self.heading_level(paragraph).filter(|_| clean::columns(&text) <= MAX_HEADING_COLUMNS);
        let kind = match (heading, &label) {
            (Some(level), _) => BlockKind::Heading { level: level.clamp(1, 6) },
            (None, Some((_, depth))) => BlockKind::ListItem { depth: *depth },
            (None, None) => BlockKind::Paragraph,
        };
        let text = match label {
            Some((label, _)) if !text.is_empty() => format!("{label}{text}"),
            _ => text,
        };
        self.builder.push(Block::new(kind, text, page));
        self.anchored(inline, page, depth);
    }

    /// What hangs on a paragraph: pictures, text boxes, notes.
    fn anchored(&mut self, inline: Inline<'t>, page: Option<u32>, depth: usize) {
        for mut figure in inline.figures {
            figure.page = page;
            self.builder.push(figure);
        }
        for text_box in inline.boxes {
            self.flow(text_box, depth + 1);
        }
        for (label, note) in inline.notes {
            let text = clean::normalise(self.plain(note).trim());
            self.builder.push(Block::new(BlockKind::Footnote, format!("[^{label}] {text}"), page));
        }
    }

    /// The text of all paragraphs inside, without what is anchored in them.
    fn plain(&mut self, element: Element<'t>) -> String {
        let paragraphs: Vec<Element<'t>> = element.descendants().filter(|one| one.name() == "p").collect();
        let mut lines = Vec::new();
        for paragraph in paragraphs {
            let mut inline = Inline::default();
            self.inline(paragraph, &mut inline, 0);
            lines.push(inline.text.trim().to_owned());
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    fn style<'e>(paragraph: Element<'e>) -> Option<&'e str> {
        paragraph.at(&["pPr", "pStyle"])?.attribute("val")
    }

    fn properties(&self, paragraph: Element<'_>) -> (Properties, Properties) {
        let value = |path: &[&str]| paragraph.child("pPr")?.at(path)?.attribute("val")?.parse::<u32>().ok();
        let own = Properties {
            outline: value(&["outlineLvl"]).and_then(|level| u8::try_from(level).ok()),
            number_id: value(&["numPr", "numId"]),
            number_level: value(&["numPr", "ilvl"]).and_then(|level| u8::try_from(level).ok()),
        };
        let resolved = self.styles.resolve(&own, Self::style(paragraph));
        (own, resolved)
    }

    fn heading_level(&self, paragraph: Element<'_>) -> Option<u8> {
        let (own, resolved) = self.properties(paragraph);
        let by_name = || self.heading_styles.get(Self::style(paragraph)?).copied();
        match own.outline.or(resolved.outline) {
            Some(level @ 0..=8) => Some(level + 1),
            Some(_) => None,
            None => by_name(),
        }
    }

    /// The label that Word puts before a paragraph, with the space behind it, and its level.
    fn label(&mut self, paragraph: Element<'_>) -> Option<(String, u8)> {
        let (own, resolved) = self.properties(paragraph);
        let id = resolved.number_id.filter(|&id| id != 0)?;
        let style = Self::style(paragraph);
        let by_style = || self.numbering.level_of_style(id, style?);
        let level = own.number_level.or_else(by_style).or(resolved.number_level).unwrap_or(0);
        // An empty paragraph shows its number too, and counts.
        let label = self.counters.next(&self.numbering, id, level)?;
        Some((label, level.min(8)))
    }

    fn inline(&mut self, element: Element<'t>, out: &mut Inline<'t>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in element.children() {
            match child.name() {
                "r" => self.run(child, out, depth),
                "oMath" => out.text.push_str(&format!("${}$", omml::latex(child))),
                "oMathPara" => out.text.push_str(&format!("$${}$$", omml::latex(child))),
                "ruby" => {
                    child.child("rubyBase").into_iter().for_each(|base| self.inline(base, out, depth + 1))
                }
                "AlternateContent" => {
                    child.child("Choice").into_iter().for_each(|one| self.inline(one, out, depth + 1));
                }
                // What was deleted or moved away is gone, with the changes accepted.
                "del" | "moveFrom" | "pPr" | "sdtPr" | "p" | "tbl" => {}
                _ => self.inline(child, out, depth + 1),
            }
        }
    }

    fn run(&mut self, run: Element<'t>, out: &mut Inline<'t>, depth: usize) {
        let is_on = |value: Option<&str>| !matches!(value, Some("0" | "false" | "off"));
        if run.at(&["rPr", "vanish"]).is_some_and(|vanish| is_on(vanish.attribute("val"))) {
            return;
        }
        for child in run.children() {
            match child.name() {
                "t" => {
                    out.page = out.page.or(Some(self.page));
                    out.text.push_str(&child.text());
                }
                "tab" | "ptab" => out.text.push('\t'),
                "br" if matches!(child.attribute("type"), Some("page" | "column")) => {}
                "br" | "cr" => out.text.push('\n'),
                "noBreakHyphen" => out.text.push('-'),
                "sym" => {
                    let code = child.attribute("char").and_then(|code| u32::from_str_radix(code, 16).ok());
                    out.text.extend(code.and_then(char::from_u32));
                }
                "lastRenderedPageBreak" => {
                    self.page += 1;
                    self.saw_page_break = true;
                }
                "footnoteReference" => self.note(child, 0, out),
                "endnoteReference" => self.note(child, 1, out),
                "ruby" => {
                    child.child("rubyBase").into_iter().for_each(|base| self.inline(base, out, depth + 1))
                }
                "AlternateContent" => {
                    child.child("Choice").into_iter().for_each(|one| self.drawing(one, out))
                }
                "drawing" | "pict" | "object" => self.drawing(child, out),
                _ => {}
            }
        }
    }

    fn note(&mut self, reference: Element<'t>, kind: usize, out: &mut Inline<'t>) {
        let notes = if kind == 0 { &self.footnotes } else { &self.endnotes };
        let Some(&note) = reference.attribute("id").and_then(|id| notes.get(id)) else { return };
        self.note_count[kind] += 1;
        let label = format!("{}{}", if kind == 0 { "" } else { "e" }, self.note_count[kind]);
        out.text.push_str(&format!("[^{label}]"));
        out.notes.push((label, note));
    }

    /// Text boxes, charts and descriptions of pictures.
    fn drawing(&mut self, drawing: Element<'t>, out: &mut Inline<'t>) {
        let mut inside_boxes = HashSet::new();
        let mut has_text = false;
        for element in drawing.descendants() {
            match element.name() {
                "txbxContent" if inside_boxes.insert(element.identity()) => {
                    // A box in a box comes with the outer one.
                    inside_boxes.extend(element.descendants().map(Element::identity));
                    has_text = true;
                    out.boxes.push(element);
                }
                "chart" => {
                    let part = element.prefixed_attribute("id").and_then(|id| self.relations.target(id));
                    let Some(tree) = part.and_then(|part| self.package.tree(part)) else { continue };
                    let (title, table) = chart::read(&tree);
                    out.figures.extend(
                        title.map(|title| Block::new(BlockKind::Figure, clean::normalise(&title), None)),
                    );
                    out.figures.extend(table);
                }
                _ => {}
            }
        }
        let described = drawing.descendants().find(|element| element.name() == "docPr");
        let described = described.and_then(|own| pictures::description(own.attribute("descr")?));
        if let Some(text) = described.filter(|_| !has_text) {
            out.figures.push(Block::new(BlockKind::Figure, text, None));
        }
    }

    fn table(&mut self, table: Element<'t>, depth: usize) {
        let rows: Vec<Element<'t>> = rows_of(table, depth);
        if let [only] = rows.as_slice()
            && let [cell] = cells_of(*only, depth).as_slice()
        {
            // A frame around text, not a table.
            self.flow(*cell, depth + 1);
            return;
        }
        let begin = self.page;
        let mut state = TableState::default();
        let mut header_rows = 0;
        let mut in_header = true;
        for row in rows {
            let has = |name: &str| row.child("trPr").is_some_and(|own| own.child(name).is_some());
            if has("del") {
                continue;
            }
            in_header &= has("tblHeader");
            header_rows += usize::from(in_header);
            self.row(row, depth, &mut state);
        }
        // A table that is all header has none; one that marks none has its first row by custom.
        let by_custom = header_rows == 0 || header_rows >= state.rows.len();
        let header_rows = if by_custom { usize::from(state.rows.len() > 1) } else { header_rows };
        self.builder.push(Block::table(state.rows, header_rows, Some(begin)));
        for inline in state.hanging {
            self.anchored(inline, Some(begin), depth);
        }
        for table in state.nested {
            self.table(table, depth + 1);
        }
    }

    fn row(&mut self, row: Element<'t>, depth: usize, state: &mut TableState<'t>) {
        let before = row.at(&["trPr", "gridBefore"]).and_then(|own| own.number::<usize>("val")).unwrap_or(0);
        let mut line = vec![String::new(); before.min(MAX_COLUMNS)];
        let (begin, mut end) = (self.page, self.page);
        for cell in cells_of(row, depth) {
            // Each cell of a row that runs over a page break says so; the row counts once.
            self.page = begin;
            let property = |name: &str| cell.at(&["tcPr", name]);
            let text = self.cell(cell, depth, state);
            let merge = property("vMerge").map(|own| own.attribute("val").unwrap_or("continue"));
            let above = state.rows.last().and_then(|above| above.get(line.len())).cloned();
            let text = match merge {
                Some("continue") => above.unwrap_or(text),
                _ => text,
            };
            let columns = property("gridSpan").and_then(|own| own.number::<usize>("val")).unwrap_or(1);
            let is_covered = property("hMerge").is_some_and(|own| own.attribute("val") != Some("restart"));
            line.push(if is_covered { String::new() } else { text });
            let further = columns.clamp(1, MAX_COLUMNS) - 1;
            line.extend(std::iter::repeat_n(String::new(), further));
            end = end.max(self.page);
            if line.len() >= MAX_COLUMNS {
                break;
            }
        }
        self.page = end;
        state.rows.push(line);
    }

    fn cell(&mut self, cell: Element<'t>, depth: usize, state: &mut TableState<'t>) -> String {
        let mut lines = Vec::new();
        let mut open = vec![cell];
        let mut seen = 0;
        while let Some(element) = open.pop() {
            match element.name() {
                "p" => {
                    let mut inline = Inline::default();
                    self.inline(element, &mut inline, 0);
                    let text = clean::normalise(inline.text.trim());
                    let label = self.label(element).map(|(label, _)| label).unwrap_or_default();
                    if !text.is_empty() {
                        lines.push(label + &text);
                    }
                    state.hanging.push(inline);
                }
                // A table of rows and columns inside follows the one around it; a smaller one is part of the cell.
                "tbl" => {
                    let rows = rows_of(element, depth);
                    let is_table = rows.len() > 1 && rows.iter().any(|row| cells_of(*row, depth).len() > 1);
                    if is_table {
                        state.nested.push(element);
                    } else {
                        let text = clean::normalise(self.plain(element).trim());
                        lines.push(text.replace('\n', " "));
                    }
                }
                "tc" | "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo" if seen <= MAX_DEPTH => {
                    seen += 1;
                    let inner: Vec<Element<'t>> = element.children().collect();
                    open.extend(inner.into_iter().rev());
                }
                _ => {}
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.join(" ")
    }

    /// What stands at the head or foot of pages, each text once; bare page numbers are left out.
    fn margins(&mut self) {
        let mut seen = HashSet::new();
        let parts: Vec<String> = ["header", "footer"]
            .iter()
            .flat_map(|kind| self.relations.of_kind(kind))
            .map(|relation| relation.target.clone())
            .collect();
        for part in parts.into_iter().take(MAX_MARGINS) {
            let Some(tree) = self.package.tree(&part) else { continue };
            let paragraphs = tree.root().into_iter().flat_map(|root| root.descendants());
            let runs_of = |paragraph: Element<'_>| {
                let texts = paragraph.descendants().filter(|one| one.name() == "t").map(Element::text);
                texts.collect::<String>().trim().to_owned()
            };
            let lines: Vec<String> = paragraphs.filter(|one| one.name() == "p").map(runs_of).collect();
            let text = clean::normalise(
                &lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"),
            );
            let says_something = text
                .split_whitespace()
                .filter(|word| !["page", "of", "第", "页", "共"].contains(&word.to_lowercase().as_str()))
                .any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
            if says_something && seen.insert(text.clone()) {
                self.builder.push(Block::new(BlockKind::Footnote, text, None));
            }
        }
    }
}

#[derive(Default)]
struct TableState<'t> {
    rows: Vec<Vec<String>>,
    /// Tables in cells.
    nested: Vec<Element<'t>>,
    hanging: Vec<Inline<'t>>,
}

/// The rows of a table, also those in content controls.
fn rows_of(table: Element<'_>, depth: usize) -> Vec<Element<'_>> {
    wrapped(table, "tr", depth)
}

fn cells_of(row: Element<'_>, depth: usize) -> Vec<Element<'_>> {
    wrapped(row, "tc", depth)
}

/// Children with this name, directly or in wrappers that mean nothing here.
fn wrapped<'t>(element: Element<'t>, name: &str, depth: usize) -> Vec<Element<'t>> {
    let mut found = Vec::new();
    for child in element.children() {
        if child.name() == name {
            found.push(child);
        } else if matches!(child.name(), "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo")
            && depth < MAX_DEPTH
        {
            found.extend(wrapped(child, name, depth + 1));
        }
    }
    found
}
