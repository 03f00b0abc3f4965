//! Text made blocks: paragraphs, items of lists, rows of tables, notes.

use std::collections::{HashMap, HashSet};

use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument};
use crate::parse::builder::DocumentBuilder;

/// Longer paragraphs are not headings, whatever their style says (text columns).
const MAX_HEADING_COLUMNS: usize = 200;
/// Columns of a table beyond are joined to the last one.
const MAX_COLUMNS: usize = 200;
/// Edges of cells this near are one (twentieths of a point).
const EDGE_TOLERANCE: i32 = 60;
/// Styles beyond are not remembered.
const MAX_STYLES: usize = 10_000;

/// Which text a paragraph belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    Note,
    /// Heads and feet of pages.
    Margin,
    /// A text box.
    Box,
}

/// How a table's cell is joined to its neighbours.
#[derive(Clone, Copy, Default)]
struct CellShape {
    right: i32,
    continues_left: bool,
    continues_above: bool,
}

struct Row {
    /// Right edge and text of each cell.
    cells: Vec<(CellShape, String)>,
    is_header: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    mark: String,
    outline: Option<u8>,
    style: Option<i32>,
    list_level: Option<u8>,
    in_table: bool,
}

pub(super) struct Flow {
    builder: DocumentBuilder,
    styles: HashMap<i32, u8>,
    paragraph: Paragraph,
    /// Finished paragraphs of the cell that is open.
    cell: Vec<String>,
    cells: Vec<String>,
    shapes: Vec<CellShape>,
    next_shape: CellShape,
    row_is_header: bool,
    rows: Vec<Row>,
    /// Of the notes and margins that are being read.
    aside: String,
    notes: usize,
    waiting: Vec<Block>,
    margins: Vec<String>,
}

impl Flow {
    pub(super) fn new(builder: DocumentBuilder) -> Self {
        Self {
            builder,
            styles: HashMap::new(),
            paragraph: Paragraph::default(),
            cell: Vec::new(),
            cells: Vec::new(),
            shapes: Vec::new(),
            next_shape: CellShape::default(),
            row_is_header: false,
            rows: Vec::new(),
            aside: String::new(),
            notes: 0,
            waiting: Vec::new(),
            margins: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.builder.is_full()
    }

    pub(super) fn document(&mut self) -> &mut ParsedDocument {
        self.builder.document()
    }

    pub(super) fn add_style(&mut self, style: i32, outline: u8) {
        if self.styles.len() < MAX_STYLES {
            self.styles.insert(style, outline);
        }
    }

    pub(super) fn text(&mut self, part: Part, text: &str) {
        match part {
            Part::Body => self.paragraph.text.push_str(text),
            Part::Note | Part::Margin | Part::Box => self.aside.push_str(text),
        }
    }

    pub(super) fn mark(&mut self, text: &str) {
        self.paragraph.mark.push_str(text);
    }

    /// A note begins where it is referred to.
    pub(super) fn begin_note(&mut self) {
        self.notes += 1;
        let label = format!("[^{}]", self.notes);
        self.paragraph.text.push_str(&label);
    }

    pub(super) fn end_part(&mut self, part: Part) {
        if part == Part::Body {
            return;
        }
        let text = clean::normalise(std::mem::take(&mut self.aside).trim());
        if text.is_empty() {
            return;
        }
        match part {
            Part::Note => {
                let text = format!("[^{}] {text}", self.notes);
                self.waiting.push(Block::new(BlockKind::Footnote, text, None));
            }
            Part::Margin => self.margins.push(text),
            Part::Box => self.waiting.push(Block::new(BlockKind::Paragraph, text, None)),
            Part::Body => {}
        }
    }

    pub(super) fn control(&mut self, part: Part, word: &str, number: Option<i32>) {
        if part != Part::Body {
            match word {
                "par" | "line" | "sect" => self.aside.push('\n'),
                "tab" | "cell" => self.aside.push('\t'),
                _ => {}
            }
            return;
        }
        let level = || number.and_then(|level| u8::try_from(level).ok());
        match word {
            "par" | "sect" | "page" => self.end_paragraph(),
            "line" | "softline" => self.paragraph.text.push('\n'),
            "tab" => self.paragraph.text.push('\t'),
            "pard" => {
                let text = std::mem::take(&mut self.paragraph.text);
                let mark = std::mem::take(&mut self.paragraph.mark);
                self.paragraph = Paragraph { text, mark, ..Paragraph::default() };
            }
            "s" => self.paragraph.style = number,
            "outlinelevel" => self.paragraph.outline = level(),
            "ilvl" => self.paragraph.list_level = level(),
            "ls" | "pnlvlblt" | "pnlvlbody" => {
                self.paragraph.list_level = self.paragraph.list_level.or(Some(0));
            }
            "intbl" => self.paragraph.in_table = true,
            "nestcell" => self.end_cell_line(),
            "cell" => {
                self.end_cell_line();
                if self.cells.len() < MAX_COLUMNS {
                    self.cells.push(std::mem::take(&mut self.cell).join(" "));
                }
            }
            "trowd" => {
                self.shapes.clear();
                self.next_shape = CellShape::default();
                self.row_is_header = false;
            }
            "trhdr" => self.row_is_header = true,
            "clmrg" => self.next_shape.continues_left = true,
            "clvmrg" => self.next_shape.continues_above = true,
            "cellx" => {
                let shape = CellShape { right: number.unwrap_or(0), ..std::mem::take(&mut self.next_shape) };
                if self.shapes.len() < MAX_COLUMNS {
                    self.shapes.push(shape);
                }
            }
            "row" => self.end_row(),
            _ => {}
        }
    }

    fn end_cell_line(&mut self) {
        let text = std::mem::take(&mut self.paragraph.text);
        let mark = std::mem::take(&mut self.paragraph.mark);
        let text = clean::normalise(format!("{}{}", mark.replace('\t', " "), text.trim()).trim());
        if !text.is_empty() {
            self.cell.push(text);
        }
    }

    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        let mut row = Row { cells: Vec::new(), is_header: self.row_is_header };
        for (place, text) in cells.into_iter().enumerate() {
            // Rows without edges have columns of one width.
            let plain = CellShape { right: (place as i32 + 1) * 1_000, ..CellShape::default() };
            row.cells.push((self.shapes.get(place).copied().unwrap_or(plain), text));
        }
        if !row.cells.is_empty() {
            self.rows.push(row);
        }
    }

    fn end_paragraph(&mut self) {
        if self.paragraph.in_table {
            self.end_cell_line();
            return;
        }
        self.end_table();
        let paragraph = &mut self.paragraph;
        let text = clean::normalise(std::mem::take(&mut paragraph.text).trim());
        let mark = clean::normalise(&std::mem::take(&mut paragraph.mark));
        let mark = mark.trim();
        let outline = paragraph.outline.or_else(|| self.styles.get(&paragraph.style?).copied());
        let is_heading =
            outline.is_some_and(|level| level < 9) && clean::columns(&text) <= MAX_HEADING_COLUMNS;
        let (kind, text) = match (is_heading, text.is_empty()) {
            (_, true) => (BlockKind::Paragraph, text),
            (true, _) => {
                let level = (outline.unwrap_or(0) + 1).clamp(1, 6);
                (BlockKind::Heading { level }, format!("{mark} {text}").trim().to_owned())
            }
            _ if !mark.is_empty() => {
                let depth = paragraph.list_level.unwrap_or(0).min(8);
                let is_letter =
                    mark.chars().all(|c| ('\u{e000}'..='\u{f8ff}').contains(&c) || c == '·' || c == 'o');
                let mark = if is_letter { "•" } else { mark };
                (BlockKind::ListItem { depth }, format!("{mark} {text}"))
            }
            _ => (BlockKind::Paragraph, text),
        };
        self.builder.push(Block::new(kind, text, None));
        for block in std::mem::take(&mut self.waiting) {
            self.builder.push(block);
        }
    }

    fn end_table(&mut self) {
        if !self.cells.is_empty() {
            self.end_row();
        }
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return;
        }
        let mut edges: Vec<i32> =
            rows.iter().flat_map(|row| row.cells.iter().map(|(shape, _)| shape.right)).collect();
        edges.sort_unstable();
        edges.dedup_by(|next, before| *next - *before <= EDGE_TOLERANCE);
        edges.truncate(MAX_COLUMNS);
        let column =
            |edge: i32| edges.partition_point(|&own| own + EDGE_TOLERANCE < edge).min(edges.len() - 1);
        let headers = rows.iter().take_while(|row| row.is_header).count();
        let mut plain: Vec<Vec<String>> = Vec::with_capacity(rows.len());
        for row in rows {
            let mut out = vec![String::new(); edges.len()];
            let mut begin = 0;
            for (shape, text) in row.cells {
                let end = column(shape.right).max(begin.min(edges.len() - 1));
                let at = begin.min(edges.len() - 1);
                let above = plain.last().and_then(|row: &Vec<String>| row.get(at)).cloned();
                if shape.continues_above && text.is_empty() {
                    out[at] = above.unwrap_or_default();
                } else if !shape.continues_left && out[at].is_empty() {
                    out[at] = text;
                } else if !text.is_empty() {
                    out[at] = format!("{} {text}", out[at]);
                }
                begin = end + 1;
            }
            plain.push(out);
        }
        let header_rows = if headers == 0 { usize::from(plain.len() > 1) } else { headers.min(plain.len()) };
        self.builder.push(Block::table(plain, header_rows, None));
        for block in std::mem::take(&mut self.waiting) {
            self.builder.push(block);
        }
    }

    pub(super) fn finish(mut self) -> ParsedDocument {
        self.paragraph.in_table = false;
        self.end_paragraph();
        let mut seen = HashSet::new();
        for text in std::mem::take(&mut self.margins) {
            if text.chars().any(char::is_alphabetic) && seen.insert(text.clone()) {
                self.builder.push(Block::new(BlockKind::Footnote, text, None));
            }
        }
        self.builder.finish()
    }
}
