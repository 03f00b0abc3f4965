//! The body of a text document.

use std::collections::HashMap;

use super::lists::{Counters, ListStyles};
use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::grid::{Grid, SpannedCell};
use crate::parse::pictures;
use crate::parse::tree::{Content, Element, Tree};

/// Lists, sections and frames nested deeper are left out.
const MAX_DEPTH: usize = 48;
/// A cell or a row stands again at most so often.
const MAX_REPEATS: usize = 200;
/// Chains of styles are not followed further.
const MAX_STYLE_CHAIN: usize = 16;

pub(super) fn read(content: &Tree, styles: &Tree, builder: &mut DocumentBuilder) {
    let mut reader = Reader::new(content, styles, builder);
    let body = content.root().and_then(|root| root.at(&["body", "text"]));
    if let Some(body) = body {
        reader.flow(body, 0);
    }
    reader.flush_notes();
    // What stands at the head or foot of every page is told once.
    let masters = styles.root().and_then(|root| root.child("master-styles"));
    let mut seen = std::collections::HashSet::new();
    for element in masters.into_iter().flat_map(|masters| masters.descendants()) {
        if matches!(element.name(), "header" | "footer" | "header-first" | "footer-first") {
            let lines: Vec<String> =
                element.descendants().filter(|one| matches!(one.name(), "p" | "h")).map(plain).collect();
            let text = clean::normalise(lines.join("\n").trim());
            if text.chars().any(char::is_alphabetic) && seen.insert(text.clone()) {
                reader.builder.push(Block::new(BlockKind::Footnote, text, None));
            }
        }
    }
}

/// Reads flows of paragraphs, lists and tables; slides use it for what stands in their frames.
pub(super) struct Reader<'b> {
    pub(super) builder: &'b mut DocumentBuilder,
    lists: ListStyles,
    counters: Counters,
    /// Of paragraph styles.
    parents: HashMap<String, String>,
    /// Notes that the paragraphs so far refer to.
    notes: Vec<Block>,
    /// Frames in the paragraph that is being read: they follow it.
    pub(super) page: Option<u32>,
}

impl<'b> Reader<'b> {
    pub(super) fn new(content: &Tree, styles: &Tree, builder: &'b mut DocumentBuilder) -> Self {
        let mut parents = HashMap::new();
        for element in [content, styles].into_iter().filter_map(Tree::root).flat_map(Element::descendants) {
            if element.name() == "style"
                && let (Some(name), Some(parent)) =
                    (element.attribute("name"), element.attribute("parent-style-name"))
            {
                parents.insert(name.to_owned(), parent.to_owned());
            }
        }
        Self {
            builder,
            lists: ListStyles::read([styles, content]),
            counters: Counters::default(),
            parents,
            notes: Vec::new(),
            page: None,
        }
    }

    pub(super) fn push(&mut self, kind: BlockKind, text: &str) {
        self.builder.push(Block::new(kind, clean::normalise(text.trim()), self.page));
    }

    pub(super) fn flush_notes(&mut self) {
        for note in std::mem::take(&mut self.notes) {
            self.builder.push(note);
        }
    }

    /// The elements of a body, a section, a frame.
    pub(super) fn flow(&mut self, element: Element<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in element.children() {
            if self.builder.is_full() {
                return;
            }
            match child.name() {
                "p" => self.paragraph(child, depth),
                "h" => self.heading(child, depth),
                "list" => self.list(child, None, 0, depth),
                "table" => self.table(child),
                // Deleted text is kept here.
                "tracked-changes" | "forms" | "sequence-decls" | "variable-decls" | "annotation" => {}
                "section" if child.attribute("display") == Some("none") => {}
                "frame" | "custom-shape" | "g" | "text-box" => self.frame(child, depth),
                _ => self.flow(child, depth + 1),
            }
        }
    }

    fn is_title(&self, paragraph: Element<'_>) -> bool {
        let mut style = paragraph.attribute("style-name").unwrap_or_default();
        for _ in 0..MAX_STYLE_CHAIN {
            if style == "Title" {
                return true;
            }
            match self.parents.get(style) {
                Some(parent) => style = parent,
                None => return false,
            }
        }
        false
    }

    fn paragraph(&mut self, paragraph: Element<'_>, depth: usize) {
        let text = self.inline(paragraph);
        let kind =
            if self.is_title(paragraph) { BlockKind::Heading { level: 1 } } else { BlockKind::Paragraph };
        self.push(kind, &text);
        self.frames_in(paragraph, depth);
    }

    fn heading(&mut self, heading: Element<'_>, depth: usize) {
        let level = heading.number::<usize>("outline-level").unwrap_or(1).clamp(1, 10);
        let text = self.inline(heading);
        if !text.trim().is_empty() && heading.attribute("is-list-header") != Some("true") {
            let label = self.counters.heading(&self.lists, level - 1);
            let text = if label.is_empty() { text } else { format!("{label} {}", text.trim()) };
            self.push(BlockKind::Heading { level: level.min(6) as u8 }, &text);
        }
        self.frames_in(heading, depth);
    }

    /// `style` is that of the list around this one.
    fn list(&mut self, list: Element<'_>, style: Option<&str>, level: usize, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let own = list.attribute("style-name").or(style).unwrap_or_default();
        let goes_on =
            list.attribute("continue-numbering") == Some("true") || list.attribute("continue-list").is_some();
        if level == 0 && !goes_on {
            self.counters.restart(own);
        }
        for item in list.children() {
            let mut has_mark = item.name() == "list-item";
            if !has_mark && item.name() != "list-header" {
                continue;
            }
            for child in item.children() {
                match child.name() {
                    "p" => {
                        let text = self.inline(child);
                        if text.trim().is_empty() {
                            continue;
                        }
                        let mark = std::mem::take(&mut has_mark)
                            .then(|| self.counters.item(&self.lists, own, level));
                        let text = mark.map_or(text.clone(), |mark| format!("{mark} {}", text.trim()));
                        self.push(BlockKind::ListItem { depth: level.min(8) as u8 }, &text);
                        self.frames_in(child, depth);
                    }
                    "h" => self.heading(child, depth),
                    "list" => self.list(child, Some(own), level + 1, depth + 1),
                    _ => {}
                }
            }
        }
    }

    pub(super) fn table(&mut self, table: Element<'_>) {
        let mut grid = Grid::new();
        let mut rows = Vec::new();
        let mut header_rows = 0;
        self.rows(table, false, &mut grid, &mut rows, &mut header_rows, 0);
        while rows.last().is_some_and(|row: &Vec<String>| row.iter().all(String::is_empty)) {
            rows.pop();
        }
        let header_rows = if header_rows == 0 { usize::from(rows.len() > 1) } else { header_rows };
        let header_rows = header_rows.min(rows.len());
        self.builder.push(Block::table(rows, header_rows, self.page));
    }

    fn rows(
        &mut self,
        element: Element<'_>,
        is_header: bool,
        grid: &mut Grid<String>,
        rows: &mut Vec<Vec<String>>,
        header_rows: &mut usize,
        depth: usize,
    ) {
        for child in element.children() {
            match child.name() {
                "table-row" => {
                    let cells: Vec<SpannedCell<String>> =
                        child.children_named("table-cell").flat_map(|cell| self.cell(cell)).collect();
                    rows.push(grid.row(cells));
                    *header_rows += usize::from(is_header);
                }
                "table-header-rows" => self.rows(child, true, grid, rows, header_rows, depth + 1),
                "table-rows" | "table-row-group" if depth < MAX_DEPTH => {
                    self.rows(child, is_header, grid, rows, header_rows, depth + 1);
                }
                _ => {}
            }
        }
    }

    fn cell(&mut self, cell: Element<'_>) -> Vec<SpannedCell<String>> {
        let lines: Vec<String> = cell
            .descendants()
            .filter(|one| matches!(one.name(), "p" | "h"))
            .map(|paragraph| self.inline(paragraph))
            .filter(|line| !line.trim().is_empty())
            .collect();
        let content = clean::normalise(lines.join(" ").trim());
        let repeats = cell.number::<usize>("number-columns-repeated").unwrap_or(1).clamp(1, MAX_REPEATS);
        let one = || SpannedCell {
            again: content.clone(),
            content: content.clone(),
            columns: cell.number("number-columns-spanned").unwrap_or(1),
            rows: cell.number("number-rows-spanned").unwrap_or(1),
        };
        (0..repeats).map(|_| one()).collect()
    }

    /// Text boxes and pictures that are anchored in a paragraph.
    fn frames_in(&mut self, paragraph: Element<'_>, depth: usize) {
        for child in paragraph.children() {
            match child.name() {
                "frame" | "custom-shape" | "g" => self.frame(child, depth + 1),
                "span" | "a" if depth < MAX_DEPTH => self.frames_in(child, depth + 1),
                _ => {}
            }
        }
    }

    pub(super) fn frame(&mut self, frame: Element<'_>, depth: usize) {
        let described = frame.child("desc").or_else(|| frame.child("title"));
        if frame.child("image").is_some()
            && let Some(described) = described.and_then(|described| pictures::description(&described.text()))
        {
            self.push(BlockKind::Figure, &described);
        }
        if frame.child("object").is_some() {
            // Beside an embedded object stands its picture.
            return;
        }
        self.flow(frame, depth + 1);
    }

    /// The text of a paragraph; notes are kept for later, frames are left to [`Self::frames_in`].
    pub(super) fn inline(&mut self, paragraph: Element<'_>) -> String {
        let mut out = String::new();
        self.push_inline(&mut out, paragraph, 0);
        out
    }

    fn push_inline(&mut self, out: &mut String, element: Element<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for content in element.contents() {
            let child = match content {
                Content::Text(text) => {
                    push_collapsed(out, text);
                    continue;
                }
                Content::Element(child) => child,
            };
            match child.name() {
                "s" => {
                    let spaces = child.number::<usize>("c").unwrap_or(1).min(MAX_REPEATS);
                    out.extend(std::iter::repeat_n(' ', spaces));
                }
                "tab" => out.push('\t'),
                "line-break" => out.push('\n'),
                "note" => self.note(out, child),
                "annotation" | "annotation-end" | "frame" | "custom-shape" | "g" | "hidden-text"
                | "hidden-paragraph" | "ruby-text" | "tracked-changes" => {}
                _ => self.push_inline(out, child, depth + 1),
            }
        }
    }

    fn note(&mut self, out: &mut String, note: Element<'_>) {
        let citation = note.child("note-citation").map(|citation| citation.text()).unwrap_or_default();
        let label = citation.trim();
        out.push_str(&format!("[^{label}]"));
        let lines: Vec<String> =
            note.child("note-body").into_iter().flat_map(|body| body.children()).map(plain).collect();
        let text = clean::normalise(lines.join("\n").trim());
        self.notes.push(Block::new(BlockKind::Footnote, format!("[^{label}] {text}"), self.page));
    }
}

/// White space in the file is one space.
fn push_collapsed(out: &mut String, text: &str) {
    for character in text.chars() {
        if !matches!(character, ' ' | '\n' | '\t' | '\r') {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with([' ', '\n', '\t']) {
            out.push(' ');
        }
    }
}

/// A paragraph's text without what is anchored in it.
fn plain(paragraph: Element<'_>) -> String {
    let mut out = String::new();
    push_collapsed(&mut out, &paragraph.text());
    out
}
