//! Blocks put together into chunks.

use super::{
    Block, ChunkDraft, ChunkKind, ChunkSettings, Chunks, LineSpan, MAX_HEADING_CHARACTERS, Piece, split,
    table,
};

/// What separates blocks within a chunk.
const BLOCK_SEPARATOR: &str = "\n";

pub(super) struct Assembler<'c> {
    settings: ChunkSettings,
    count_tokens: &'c dyn Fn(&str) -> usize,
    drafts: Vec<ChunkDraft>,
    truncated: bool,
    path: Vec<(u8, String)>,
    /// Headings whose text stands in no chunk yet.
    pending: Vec<Piece>,
    open: Option<Open>,
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
    /// Holds more than headings and what was carried over from the chunk before.
    has_body: bool,
}

impl<'c> Assembler<'c> {
    pub(super) fn new(settings: ChunkSettings, count_tokens: &'c dyn Fn(&str) -> usize) -> Self {
        Self {
            settings,
            count_tokens,
            drafts: Vec::new(),
            truncated: false,
            path: Vec::new(),
            pending: Vec::new(),
            open: None,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.truncated
    }

    pub(super) fn heading(&mut self, level: u8, block: &Block) {
        // A heading larger than a chunk is a mistake of the parser: it is text.
        let piece = Piece::of(block, self.count_tokens);
        if piece.tokens > self.settings.max_tokens {
            self.text(ChunkKind::Prose, block);
            return;
        }
        self.path.retain(|(above, _)| *above < level);
        let title: String = block
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(MAX_HEADING_CHARACTERS)
            .collect();
        self.path.push((level, title));
        let small = self.open.as_ref().is_some_and(|open| {
            open.kind == ChunkKind::Prose
                && open.tokens < self.settings.min_tokens
                && are_siblings(&open.last_path, &self.titles())
        });
        if !small {
            self.close();
        }
        self.pending.push(piece);
    }

    pub(super) fn text(&mut self, kind: ChunkKind, block: &Block) {
        let piece = Piece::of(block, self.count_tokens);
        if piece.tokens > self.settings.max_tokens {
            self.large_text(kind, block);
        } else {
            self.add(kind, piece);
        }
    }

    pub(super) fn table(&mut self, block: &Block, rows: &[Vec<String>], header_rows: usize) {
        let whole = Piece::of(block, self.count_tokens);
        let parts = if whole.tokens <= self.settings.max_tokens {
            vec![whole]
        } else {
            table::split(block, rows, header_rows, &self.settings, self.count_tokens)
        };
        self.close();
        for part in parts {
            self.add(ChunkKind::Table, part);
            self.close();
        }
    }

    pub(super) fn finish(mut self) -> Chunks {
        self.close();
        if !self.pending.is_empty() {
            let pieces = std::mem::take(&mut self.pending);
            let tokens = pieces.iter().map(|piece| piece.tokens).sum();
            self.open = Some(Open {
                kind: ChunkKind::Prose,
                path: self.titles(),
                last_path: Vec::new(),
                pieces,
                tokens,
                has_body: true,
            });
            self.close();
        }
        Chunks { drafts: self.drafts, truncated: self.truncated }
    }

    /// Cuts a block that is larger than a chunk. Its last part stays open for what follows.
    fn large_text(&mut self, kind: ChunkKind, block: &Block) {
        if self.open.as_ref().is_some_and(|open| open.tokens >= self.settings.min_tokens || open.kind != kind)
        {
            self.close();
        }
        for (start, end) in split::ranges(&block.text, kind, &self.settings, self.count_tokens) {
            let text = block.text[start..end].to_owned();
            let tokens = (self.count_tokens)(&text);
            let lines = super::lines_within(&block.lines, start, end);
            let page = lines.first().map(|line| line.page).or(block.page);
            self.add(kind, Piece { text, lines, page, tokens });
            if self.truncated {
                return;
            }
        }
    }

    /// Puts a piece that fits into a chunk into the open one, or into a new one.
    fn add(&mut self, kind: ChunkKind, piece: Piece) {
        let titles = self.titles();
        let pending_tokens: usize = self.pending.iter().map(|heading| heading.tokens).sum();
        if let Some(open) = &mut self.open {
            let together = open.tokens + pending_tokens + piece.tokens;
            let limit = if open.tokens < self.settings.min_tokens && self.pending.is_empty() {
                self.settings.max_tokens
            } else {
                self.settings.target_tokens
            };
            if open.kind == kind && together <= limit {
                open.path = common_path(&open.path, &titles);
                open.last_path = titles;
                open.pieces.append(&mut self.pending);
                open.pieces.push(piece);
                open.tokens = together;
                return;
            }
        }
        let carried = self.carried_over(kind, &titles, &piece);
        self.close();
        let mut pieces = carried;
        pieces.append(&mut self.pending);
        pieces.push(piece);
        let tokens = pieces.iter().map(|piece| piece.tokens).sum();
        self.open =
            Some(Open { kind, last_path: titles.clone(), path: titles, pieces, tokens, has_body: true });
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
        if room == 0 || !self.pending.is_empty() {
            return Vec::new();
        }
        open.pieces
            .last()
            .and_then(|last| split::last_sentences(last, room, self.count_tokens))
            .into_iter()
            .collect()
    }

    fn titles(&self) -> Vec<String> {
        self.path.iter().map(|(_, title)| title.clone()).collect()
    }

    fn close(&mut self) {
        let Some(open) = self.open.take().filter(|open| open.has_body) else { return };
        if self.drafts.len() >= self.settings.max_chunks {
            self.truncated = true;
            return;
        }
        let mut text = String::new();
        let mut lines: Vec<LineSpan> = Vec::new();
        for piece in &open.pieces {
            if !text.is_empty() {
                text.push_str(BLOCK_SEPARATOR);
            }
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

/// Whether two sections stand beside each other under one heading.
fn are_siblings(a: &[String], b: &[String]) -> bool {
    !a.is_empty() && a.len() == b.len() && a[..a.len() - 1] == b[..b.len() - 1]
}

fn common_path(a: &[String], b: &[String]) -> Vec<String> {
    a.iter().zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.clone()).collect()
}
