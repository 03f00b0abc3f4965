//! The element tree, made blocks.

use dom_query::NodeRef;

use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::grid::{Grid, SpannedCell};

/// Elements nested deeper are read as plain text: nothing that people wrote is nested so deep.
const MAX_DEPTH: usize = 256;
/// A shorter description of one word is the name of an icon.
const MIN_ALT_COLUMNS: usize = 8;
/// Stands for `<br>` until white space is collapsed.
const LINE_BREAK: char = '\u{1}';

/// Reads everything under the node into the builder. Headings of the second level whose text is one of `top_headings`
/// are of the first: the extraction of main content lowers those.
pub(super) fn read(root: &NodeRef<'_>, top_headings: &[String], builder: &mut DocumentBuilder) {
    let mut walk = Walk { builder, top_headings, text: String::new(), lists: Vec::new(), pending_mark: None };
    walk.children(root, 0);
    walk.flush(&BlockKind::Paragraph);
}

struct Walk<'b> {
    builder: &'b mut DocumentBuilder,
    top_headings: &'b [String],
    text: String,
    /// Next number of each open list; `None` for lists without numbers.
    lists: Vec<Option<i64>>,
    pending_mark: Option<String>,
}

impl Walk<'_> {
    fn children(&mut self, node: &NodeRef<'_>, depth: usize) {
        let mut child = node.first_child();
        while let Some(node) = child {
            if self.builder.is_full() {
                return;
            }
            self.node(&node, depth);
            child = node.next_sibling();
        }
    }

    fn node(&mut self, node: &NodeRef<'_>, depth: usize) {
        if node.is_text() {
            self.text.push_str(&node.text());
            return;
        }
        let Some(name) = node.node_name() else { return };
        if depth >= MAX_DEPTH {
            self.text.push_str(&node.text());
            return;
        }
        match name.to_ascii_lowercase().as_str() {
            "script" | "style" | "template" | "head" | "select" | "svg" | "canvas" | "iframe" | "object" => {}
            "br" => self.text.push(LINE_BREAK),
            "hr" => self.flush_default(),
            "img" => self.picture(node),
            level @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6") => {
                self.flush_default();
                self.children(node, depth + 1);
                let is_top = self.top_headings.contains(&running_text(&self.text).replace('\n', " "));
                let level = if is_top { 1 } else { level.as_bytes()[1] - b'0' };
                self.flush(&BlockKind::Heading { level });
            }
            "pre" => {
                self.flush_default();
                self.builder.push(Block::new(
                    BlockKind::Code { language: language_of(node) },
                    node.text().trim_matches('\n').to_owned(),
                    None,
                ));
            }
            list @ ("ul" | "ol" | "menu") => {
                self.flush_default();
                let first = (list == "ol")
                    .then(|| node.attr("start").and_then(|start| start.parse().ok()).unwrap_or(1));
                self.lists.push(first);
                self.children(node, depth + 1);
                self.flush_default();
                self.lists.pop();
            }
            "li" => {
                self.flush_default();
                self.pending_mark = Some(self.next_mark());
                self.children(node, depth + 1);
                self.flush_default();
                self.pending_mark = None;
            }
            "table" => self.table(node, depth),
            "figcaption" | "caption" => {
                self.flush_default();
                self.children(node, depth + 1);
                self.flush(&BlockKind::Figure);
            }
            block if is_block(block) => {
                self.flush_default();
                self.children(node, depth + 1);
                self.flush_default();
            }
            _ => self.children(node, depth + 1),
        }
    }

    /// What a picture shows, where the page says it: within running text, or on its own.
    fn picture(&mut self, node: &NodeRef<'_>) {
        let Some(alt) = node.attr("alt") else { return };
        let alt = running_text(&alt).replace('\n', " ");
        if !self.text.trim().is_empty() || self.pending_mark.is_some() {
            self.text.push(' ');
            self.text.push_str(&alt);
            self.text.push(' ');
        } else if alt.split_whitespace().count() > 1 || clean::columns(&alt) >= MIN_ALT_COLUMNS {
            self.builder.push(Block::new(BlockKind::Figure, alt, None));
        }
    }

    fn next_mark(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => "- ".to_owned(),
        }
    }

    /// Ends the block that is being collected: an item inside lists, a paragraph elsewhere.
    fn flush_default(&mut self) {
        if self.lists.is_empty() {
            self.flush(&BlockKind::Paragraph);
        } else {
            let depth = u8::try_from(self.lists.len() - 1).unwrap_or(u8::MAX);
            self.flush(&BlockKind::ListItem { depth });
        }
    }

    fn flush(&mut self, kind: &BlockKind) {
        let text = running_text(&std::mem::take(&mut self.text));
        if text.is_empty() {
            return;
        }
        let text = match kind {
            BlockKind::ListItem { .. } => self.pending_mark.take().unwrap_or_default() + &text,
            _ => text,
        };
        self.builder.push(Block::new(kind.clone(), text, None));
    }

    fn table(&mut self, table: &NodeRef<'_>, depth: usize) {
        self.flush_default();
        if is_layout(table) {
            self.children(table, depth + 1);
            self.flush_default();
            return;
        }
        let mut rows = TableRows::new();
        for node in table.descendants_it() {
            if node.has_name("caption") {
                self.builder.push(Block::new(BlockKind::Figure, running_text(&node.text()), None));
            } else if node.has_name("tr") {
                rows.push(&node);
            }
        }
        let header_rows =
            if rows.header_rows == rows.rows.len() { rows.header_rows.min(1) } else { rows.header_rows };
        self.builder.push(Block::table(rows.rows, header_rows, None));
    }
}

/// Rows of a table, each with all of its columns.
struct TableRows {
    rows: Vec<Vec<String>>,
    header_rows: usize,
    grid: Grid<String>,
}

impl TableRows {
    fn new() -> Self {
        Self { rows: Vec::new(), header_rows: 0, grid: Grid::new() }
    }

    fn push(&mut self, row: &NodeRef<'_>) {
        let mut all_headers = true;
        let mut cells = Vec::new();
        for cell in row.children_it(false).filter(|cell| cell.has_name("td") || cell.has_name("th")) {
            all_headers &= cell.has_name("th");
            let content = running_text(&cell.text()).replace('\n', " ");
            let span = |name: &str| cell.attr(name).and_then(|span| span.parse().ok()).unwrap_or(1usize);
            cells.push(SpannedCell {
                again: content.clone(),
                content,
                columns: span("colspan"),
                rows: span("rowspan"),
            });
        }
        let row = self.grid.row(cells);
        if row.iter().all(String::is_empty) {
            return;
        }
        if all_headers && self.header_rows == self.rows.len() {
            self.header_rows += 1;
        }
        self.rows.push(row);
    }
}

/// Whether a table only arranges the page: it has one cell, or other tables or headings in its cells.
fn is_layout(table: &NodeRef<'_>) -> bool {
    let mut cells = 0usize;
    for node in table.descendants_it() {
        if node.has_name("table") || node.has_name("h1") || node.has_name("h2") || node.has_name("h3") {
            return true;
        }
        cells += usize::from(node.has_name("td") || node.has_name("th"));
    }
    cells <= 1
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "hgroup"
            | "legend"
            | "main"
            | "nav"
            | "option"
            | "p"
            | "section"
            | "summary"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// The language of `<pre><code class="language-x">`.
fn language_of(pre: &NodeRef<'_>) -> Option<String> {
    let code = pre.children_it(false).find(|child| child.has_name("code"))?;
    let class = code.class()?;
    class.split_whitespace().find_map(|name| name.strip_prefix("language-")).map(str::to_owned)
}

/// White space collapsed as a browser does; a line break of the source between Chinese characters is nothing.
fn running_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split(LINE_BREAK).enumerate() {
        if index > 0 && !out.is_empty() {
            out.push('\n');
        }
        push_collapsed(&mut out, &clean::normalise(line));
    }
    out.trim().to_owned()
}

fn push_collapsed(out: &mut String, line: &str) {
    let begins = out.len();
    let mut gap: Option<bool> = None;
    for character in line.chars() {
        if character.is_whitespace() {
            gap = Some(gap.unwrap_or(false) || character == '\n');
            continue;
        }
        if let (Some(breaks), true) = (gap.take(), out.len() > begins) {
            let before = out.chars().next_back().unwrap_or(' ');
            if !(breaks && clean::is_wide(before) && clean::is_wide(character)) {
                out.push(' ');
            }
        }
        out.push(character);
    }
}
