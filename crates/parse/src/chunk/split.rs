//! Cuts text that is larger than a chunk.

use text_splitter::{ChunkConfig, ChunkSizer, TextSplitter};
use unicode_segmentation::UnicodeSegmentation;

use super::{ChunkKind, ChunkSettings, Piece, lines_within};

/// Text is given to the splitter in windows of about this many bytes: its work grows faster than the text.
const WINDOW_BYTES: usize = 16 * 1024;
/// A window ends at a better place than the middle of a word, if one is found within so many bytes before its end.
const WINDOW_SLACK_BYTES: usize = 2 * 1024;

/// Byte ranges that are at most `max_tokens` large, about `target_tokens` where the text lets it be. White space
/// between them belongs to none.
pub(super) fn ranges(
    text: &str,
    kind: ChunkKind,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<(usize, usize)> {
    let capacity = settings.target_tokens..settings.max_tokens + 1;
    let config =
        ChunkConfig::new(capacity).with_sizer(Counter(count_tokens)).with_trim(kind == ChunkKind::Prose);
    let splitter = TextSplitter::new(config);
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = window_end(text, start);
        for (offset, chunk) in splitter.chunk_indices(&text[start..end]) {
            if !chunk.trim().is_empty() {
                ranges.push((start + offset, start + offset + chunk.len()));
            }
        }
        start = end;
    }
    ranges
}

struct Counter<'c>(&'c dyn Fn(&str) -> usize);

impl ChunkSizer for Counter<'_> {
    fn size(&self, chunk: &str) -> usize {
        (self.0)(chunk)
    }
}

/// Where the window that begins at `start` ends: behind a line, a sentence, a word, or at least a character.
fn window_end(text: &str, start: usize) -> usize {
    let limit = start + WINDOW_BYTES;
    if limit >= text.len() {
        return text.len();
    }
    let limit = text.floor_char_boundary(limit);
    let slack = text.floor_char_boundary(limit - WINDOW_SLACK_BYTES);
    let tail = &text[slack..limit];
    let behind = |found: Option<usize>| {
        found.and_then(|at| tail[at..].chars().next().map(|c| slack + at + c.len_utf8()))
    };
    behind(tail.rfind('\n'))
        .or_else(|| behind(tail.rfind(['。', '！', '？', '；'])))
        .or_else(|| tail.rfind(". ").map(|at| slack + at + 2))
        .or_else(|| behind(tail.rfind(char::is_whitespace)))
        .unwrap_or(limit)
}

/// The last whole sentences of a piece that are at most so large together; `None` when not even one is.
pub(super) fn last_sentences(
    piece: &Piece,
    max_tokens: usize,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Option<Piece> {
    let tail_start = piece.text.floor_char_boundary(piece.text.len().saturating_sub(WINDOW_SLACK_BYTES));
    let mut start = None;
    for (offset, _) in
        piece.text[tail_start..].split_sentence_bound_indices().collect::<Vec<_>>().into_iter().rev()
    {
        let at = tail_start + offset;
        if at == 0 || count_tokens(&piece.text[at..]) > max_tokens {
            break;
        }
        // The first sentence of the window may have begun before it.
        if offset > 0 {
            start = Some(at);
        }
    }
    let start = start?;
    let text = piece.text[start..].to_owned();
    let lines = lines_within(&piece.lines, start, piece.text.len());
    let page = lines.first().map(|line| line.page).or(piece.page);
    let tokens = count_tokens(&text);
    Some(Piece { text, lines, page, tokens, shape: piece.shape })
}
