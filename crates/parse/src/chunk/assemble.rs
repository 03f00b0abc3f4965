//! Blocks put together into chunks.

use super::table::{Header, Table};
use super::{
    Block, ChunkDraft, ChunkKind, ChunkSettings, Chunks, LineSpan, MAX_HEADING_CHARACTERS, Piece, Rules,
    Shape, split,
};
use crate::document::BlockKind;

/// What separates blocks within a chunk.
const BLOCK_SEPARATOR: &str = "\n";
/// What separates a table from what stands around it: without an empty line, Markdown takes the next line for a row.
const TABLE_SEPARATOR: &str = "\n\n";
/// A line above a table is its caption or leads into it when it is no longer than this (characters).
const MAX_CAPTION_CHARACTERS: usize = 80;

pub(super) struct Assembler<'c> {
    settings: ChunkSettings,
    rules: Rules,
    count_tokens: &'c dyn Fn(&str) -> usize,
    drafts: Vec<ChunkDraft>,
    truncated: bool,
    path: Vec<(u8, String)>,
    /// Headings whose text stands in no chunk yet.
    pending: Vec<Piece>,
    open: Option<Open>,
    unit: Option<Unit>,
    /// Of the table that is being cut.
    caption: Option<String>,
    /// Of the table that has just been cut, for one that goes on without a header.
    last_header: Option<Header>,
}

/// A part of a document that is one chunk, whatever is in it, unless it is too large.
pub(super) struct Unit {
    /// Stands in the heading path of its chunks.
    pub title: Option<String>,
    /// A larger unit is cut, between blocks where possible.
    pub max_tokens: usize,
    /// Opens each further chunk of a unit that is cut.
    pub repeated: Option<Piece>,
    /// Headings that nothing follows in it are a chunk of their own, and do not go into the next unit.
    pub keeps_headings: bool,
    /// A chunk of it has been begun.
    pub begun: bool,
}

/// A chunk under construction.
struct Open {
    kind: ChunkKind,
    /// What the sections in it have in common.
    path: Vec<String>,
    /// Of the last section in it.
    last_path: Vec<String>,
    pieces: Vec<Piece>,
    tokens: usize,
}

impl<'c> Assembler<'c> {
    pub(super) fn new(
        settings: ChunkSettings,
        rules: Rules,
        count_tokens: &'c dyn Fn(&str) -> usize,
    ) -> Self {
        Self {
            settings,
            rules,
            count_tokens,
            drafts: Vec::new(),
            truncated: false,
            path: Vec::new(),
            pending: Vec::new(),
            open: None,
            unit: None,
            caption: None,
            last_header: None,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.truncated
    }

    pub(super) fn settings(&self) -> &ChunkSettings {
        &self.settings
    }

    /// The block as a piece that can be repeated.
    pub(super) fn piece(&self, block: &Block) -> Piece {
        Piece::of(block, self.count_tokens)
    }

    /// Takes a block as what it is.
    pub(super) fn block(&mut self, block: &Block) {
        match &block.kind {
            BlockKind::Heading { level } => self.heading(*level, block),
            BlockKind::Table { rows, header_rows } => self.table(block, rows, *header_rows),
            BlockKind::Code { .. } => self.text(ChunkKind::Code, block),
            BlockKind::Paragraph | BlockKind::ListItem { .. } | BlockKind::Figure | BlockKind::Footnote => {
                self.text(ChunkKind::Prose, block)
            }
        }
    }

    /// From here to [`end_unit`](Self::end_unit) everything belongs together.
    pub(super) fn begin_unit(&mut self, unit: Unit) {
        self.end_unit();
        self.close();
        self.unit = Some(unit);
    }

    pub(super) fn end_unit(&mut self) {
        let Some(unit) = &self.unit else { return };
        let keeps_headings = unit.keeps_headings;
        self.close();
        if keeps_headings {
            self.flush_headings();
        }
        self.unit = None;
    }

    pub(super) fn heading(&mut self, level: u8, block: &Block) {
        self.last_header = None;
        // A heading larger than a chunk is a mistake of the parser: it is text.
        let piece = Piece { shape: Shape::Heading, ..Piece::of(block, self.count_tokens) };
        if piece.tokens > self.settings.max_tokens {
            self.text(ChunkKind::Prose, block);
            return;
        }
        self.path.retain(|(above, _)| *above < level);
        self.path.push((level, short_title(&block.text)));
        let goes_on = self.unit.is_some()
            || self.open.as_ref().is_some_and(|open| {
                self.rules.joins_small_sections
                    && open.kind == ChunkKind::Prose
                    && open.tokens < self.settings.min_tokens
                    && are_siblings(&open.last_path, &self.titles())
            });
        if !goes_on {
            self.close();
        }
        // A table of contents is headings without text.
        let waiting: usize = self.pending.iter().map(|heading| heading.tokens).sum();
        if waiting + piece.tokens > self.settings.max_tokens {
            let title = self.path.pop();
            self.close();
            self.flush_headings();
            self.path.extend(title);
        }
        self.pending.push(piece);
    }

    pub(super) fn text(&mut self, kind: ChunkKind, block: &Block) {
        self.last_header = None;
        let piece = Piece::of(block, self.count_tokens);
        if piece.tokens > self.settings.max_tokens {
            self.large_text(kind, block);
        } else {
            self.add(kind, piece);
        }
    }

    pub(super) fn table(&mut self, block: &Block, rows: &[Vec<String>], header_rows: usize) {
        let Some(table) = self.table_of(block, rows, header_rows) else {
            self.text(ChunkKind::Prose, block);
            return;
        };
        let (whole, part) = match &self.unit {
            Some(unit) => (unit.max_tokens, self.settings.target_tokens),
            None => self.rules.table_tokens,
        };
        let parts = table.parts(whole, part, &self.settings, self.count_tokens);
        if self.unit.is_none() {
            self.take_caption();
            self.close();
        }
        for part in parts {
            self.table_part(part);
        }
        self.caption = None;
        self.last_header = table.header();
    }

    /// The table, which may go on from the one before it; `None` when it is none to a reader.
    pub(super) fn table_of<'b>(
        &mut self,
        block: &'b Block,
        rows: &[Vec<String>],
        header_rows: usize,
    ) -> Option<Table<'b>> {
        let before = self.last_header.take();
        Table::of(block, rows, header_rows, before.as_ref(), self.count_tokens)
    }

    /// A part of a table is a chunk, except within a unit.
    pub(super) fn table_part(&mut self, part: Piece) {
        self.add(ChunkKind::Table, part);
        if self.unit.is_none() {
            self.close();
        }
    }

    pub(super) fn counter(&self) -> &'c dyn Fn(&str) -> usize {
        self.count_tokens
    }

    pub(super) fn finish(mut self) -> Chunks {
        self.end_unit();
        self.close();
        self.flush_headings();
        Chunks { drafts: self.drafts, truncated: self.truncated }
    }

    /// Makes a chunk of headings that no text has followed.
    fn flush_headings(&mut self) {
        let pieces = std::mem::take(&mut self.pending);
        if pieces.is_empty() {
            return;
        }
        let tokens = pieces.iter().map(|piece| piece.tokens).sum();
        let (kind, path) = (ChunkKind::Prose, self.titles());
        self.open = Some(Open { kind, path, last_path: Vec::new(), pieces, tokens });
        self.close();
    }

    /// What stands right above a table and speaks of it opens the table's first chunk; a caption stands in the heading
    /// path of every part as well, since it says what the rows are.
    fn take_caption(&mut self) {
        let Some(open) = self.open.as_mut().filter(|_| self.pending.is_empty()) else { return };
        let Some(last) =
            open.pieces.last().filter(|last| open.kind == ChunkKind::Prose && is_lead(&last.text))
        else {
            return;
        };
        if is_caption(&last.text) {
            self.caption = Some(short_title(&last.text));
        }
        open.tokens = open.tokens.saturating_sub(last.tokens);
        let lead = open.pieces.pop();
        // Headings alone are no passage: they go along.
        if open.pieces.iter().all(|piece| piece.shape == Shape::Heading) {
            self.pending.append(&mut open.pieces);
            self.open = None;
        }
        self.pending.extend(lead);
    }

    /// Cuts a block that is larger than a chunk. Its last part stays open for what follows.
    fn large_text(&mut self, kind: ChunkKind, block: &Block) {
        let is_apart = |open: &Open| open.tokens >= self.settings.min_tokens || open.kind != kind;
        if self.unit.is_none() && self.open.as_ref().is_some_and(is_apart) {
            self.close();
        }
        let mut settings = self.settings.clone();
        if let Some(repeated) = self.unit.as_ref().and_then(|unit| unit.repeated.as_ref()) {
            settings.max_tokens = settings.max_tokens.saturating_sub(repeated.tokens).max(1);
            settings.target_tokens = settings.target_tokens.min(settings.max_tokens);
        }
        for (start, end) in split::ranges(&block.text, kind, &settings, self.count_tokens) {
            let text = block.text[start..end].to_owned();
            let tokens = (self.count_tokens)(&text);
            let lines = super::lines_within(&block.lines, start, end);
            let page = lines.first().map(|line| line.page).or(block.page);
            self.add(kind, Piece { text, lines, page, tokens, shape: Shape::Text });
            if self.truncated {
                return;
            }
        }
    }

    /// Puts a piece that fits into a chunk into the open one, or into a new one.
    fn add(&mut self, kind: ChunkKind, piece: Piece) {
        // A unit is one passage, whatever is in it.
        let kind = if self.unit.is_some() && kind == ChunkKind::Table { ChunkKind::Prose } else { kind };
        let titles = self.titles();
        let pending_tokens: usize = self.pending.iter().map(|heading| heading.tokens).sum();
        let limit = self.limit(&piece);
        if let Some(open) = &mut self.open {
            let together = open.tokens + pending_tokens + piece.tokens;
            if (open.kind == kind || self.unit.is_some()) && together <= limit {
                if self.unit.is_none() {
                    open.path = common_path(&open.path, &titles);
                }
                open.last_path = titles;
                open.pieces.append(&mut self.pending);
                open.pieces.push(piece);
                open.tokens = together;
                return;
            }
        }
        let mut pieces = self.carried_over(kind, &titles, &piece);
        pieces.extend(self.list_so_far(&piece));
        self.close();
        if let Some(unit) = &mut self.unit {
            pieces.extend(unit.repeated.clone().filter(|_| unit.begun));
            unit.begun = true;
        }
        pieces.append(&mut self.pending);
        pieces.push(piece);
        let tokens = pieces.iter().map(|piece| piece.tokens).sum();
        self.open = Some(Open { kind, last_path: titles.clone(), path: titles, pieces, tokens });
    }

    /// How large the open chunk may become with this piece.
    fn limit(&self, piece: &Piece) -> usize {
        if let Some(unit) = &self.unit {
            return unit.max_tokens;
        }
        let Some(open) = &self.open else { return self.settings.max_tokens };
        let is_small = open.tokens < self.settings.min_tokens && self.pending.is_empty();
        let is_list = self.rules.keeps_lists
            && piece.shape == Shape::ListItem
            && open.pieces.last().is_some_and(|last| last.shape == Shape::ListItem || leads_on(&last.text));
        if is_small || is_list { self.settings.max_tokens } else { self.settings.target_tokens }
    }

    /// The list that the item goes on with, and the line that announces it: they move into the item's chunk when all of
    /// it fits there and something else stays behind.
    fn list_so_far(&mut self, item: &Piece) -> Vec<Piece> {
        if !self.rules.keeps_lists || item.shape != Shape::ListItem || self.unit.is_some() {
            return Vec::new();
        }
        let Some(open) = &mut self.open else { return Vec::new() };
        let items = open.pieces.iter().rev().take_while(|piece| piece.shape == Shape::ListItem).count();
        let mut start = open.pieces.len() - items;
        let lead = start.checked_sub(1).map(|before| &open.pieces[before]);
        start -= usize::from(lead.is_some_and(|lead| lead.shape == Shape::Text && leads_on(&lead.text)));
        let tokens: usize = open.pieces[start..].iter().map(|piece| piece.tokens).sum();
        let stays = open.pieces[..start].iter().any(|piece| piece.shape != Shape::Heading);
        if !stays || tokens + item.tokens > self.settings.max_tokens {
            return Vec::new();
        }
        open.tokens = open.tokens.saturating_sub(tokens);
        open.pieces.split_off(start)
    }

    /// The end of the open chunk, when the next one continues its section.
    fn carried_over(&self, kind: ChunkKind, titles: &[String], next: &Piece) -> Vec<Piece> {
        let room = self.settings.max_tokens.saturating_sub(next.tokens).min(self.settings.overlap_tokens);
        let Some(open) = self
            .open
            .as_ref()
            .filter(|open| kind == ChunkKind::Prose && open.kind == kind && open.path == titles)
        else {
            return Vec::new();
        };
        if room == 0 || !self.pending.is_empty() || self.unit.is_some() {
            return Vec::new();
        }
        open.pieces
            .last()
            .filter(|last| last.shape != Shape::Table)
            .and_then(|last| split::last_sentences(last, room, self.count_tokens))
            .into_iter()
            .collect()
    }

    fn titles(&self) -> Vec<String> {
        let unit = self.unit.as_ref().and_then(|unit| unit.title.clone());
        let headings = self.path.iter().map(|(_, title)| title.clone());
        headings.chain(unit).chain(self.caption.clone()).collect()
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if self.drafts.len() >= self.settings.max_chunks {
            self.truncated = true;
            return;
        }
        let mut text = String::new();
        let mut lines: Vec<LineSpan> = Vec::new();
        let mut before = Shape::Text;
        for piece in &open.pieces {
            if !text.is_empty() {
                let is_beside_table = before == Shape::Table || piece.shape == Shape::Table;
                text.push_str(if is_beside_table { TABLE_SEPARATOR } else { BLOCK_SEPARATOR });
            }
            before = piece.shape;
            let shift = text.len();
            text.push_str(&piece.text);
            lines.extend(piece.lines.iter().map(|line| LineSpan {
                start: line.start + shift,
                end: line.end + shift,
                ..*line
            }));
        }
        let pages =
            || open.pieces.iter().filter_map(|piece| piece.page).chain(lines.iter().map(|line| line.page));
        let (page_start, page_end) = (pages().min(), pages().max());
        let tokens = if open.pieces.len() == 1 { open.tokens } else { (self.count_tokens)(&text) };
        self.drafts.push(ChunkDraft {
            ordinal: u32::try_from(self.drafts.len()).unwrap_or(u32::MAX),
            text,
            page_start,
            page_end,
            heading_path: open.path,
            lines,
            tokens,
            kind: open.kind,
        });
    }
}

/// A heading as it stands in a path: one line, of a bounded length.
pub(super) fn short_title(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_HEADING_CHARACTERS).collect()
}

/// Whether two sections stand beside each other under one heading.
fn are_siblings(a: &[String], b: &[String]) -> bool {
    !a.is_empty() && a.len() == b.len() && a[..a.len() - 1] == b[..b.len() - 1]
}

fn common_path(a: &[String], b: &[String]) -> Vec<String> {
    a.iter().zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.clone()).collect()
}

/// Whether a text announces what comes next.
fn leads_on(text: &str) -> bool {
    text.trim_end().ends_with([':', '：'])
}

/// Whether a line above a table belongs to it.
fn is_lead(text: &str) -> bool {
    text.chars().nth(MAX_CAPTION_CHARACTERS).is_none()
        && !text.contains('\n')
        && (leads_on(text) || is_caption(text))
}

/// `表 3-1 主要参数`, `附表2`, `Table 4: Prices`.
fn is_caption(text: &str) -> bool {
    let text = text.trim_start();
    let behind = ["附表", "续表", "表格", "表", "Table", "TABLE", "Tab."]
        .iter()
        .find_map(|mark| text.strip_prefix(mark));
    behind.is_some_and(|rest| {
        let mut rest = rest.trim_start().chars();
        match rest.next() {
            Some('一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十') => true,
            Some('A'..='Z') => rest.next().is_none_or(|next| !next.is_alphabetic()),
            first => first.is_some_and(char::is_numeric),
        }
    })
}
