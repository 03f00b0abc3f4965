//! Collects blocks within the limits, and says when it had to stop.

use super::limits::ContentLimits;
use crate::document::{Block, BlockKind, EmbeddedFile, ParsedDocument, warning};

/// A document under construction. Blocks without text are dropped; blocks beyond the limits are not taken, and a
/// warning says so once.
pub(super) struct DocumentBuilder {
    document: ParsedDocument,
    max_blocks: usize,
    characters_left: usize,
    full: bool,
    max_embedded_files: usize,
    embedded_bytes_left: u64,
    embedded_left_out: usize,
}

impl DocumentBuilder {
    pub(super) fn new(media_type: &str, limits: &ContentLimits) -> Self {
        Self {
            document: ParsedDocument::new(media_type),
            max_blocks: limits.max_blocks,
            characters_left: limits.max_characters,
            full: false,
            max_embedded_files: limits.max_embedded_files,
            embedded_bytes_left: limits.max_embedded_bytes,
            embedded_left_out: 0,
        }
    }

    /// Whether a limit was reached: further blocks will not be taken, so a parser may stop.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn document(&mut self) -> &mut ParsedDocument {
        &mut self.document
    }

    pub(super) fn push(&mut self, mut block: Block) {
        if self.full || block.text.trim().is_empty() {
            return;
        }
        if self.document.blocks.len() >= self.max_blocks {
            self.full = true;
            let limit = self.max_blocks;
            self.document.warn(warning::BLOCKS_TRUNCATED, format!("only the first {limit} blocks were read"));
            return;
        }
        let characters = block.text.chars().count();
        if characters > self.characters_left {
            self.full = true;
            cut(&mut block, self.characters_left);
            self.document
                .warn(warning::TEXT_TRUNCATED, "the text is longer than the limit: its end was not read");
            if block.text.is_empty() {
                return;
            }
        }
        self.characters_left = self.characters_left.saturating_sub(characters);
        self.document.blocks.push(block);
    }

    /// Whether a file inside this one, of so many bytes, would be kept.
    pub(super) fn has_room_for(&self, bytes: u64) -> bool {
        self.document.embedded.len() < self.max_embedded_files && bytes <= self.embedded_bytes_left
    }

    /// Bytes that files inside this one may still have.
    pub(super) fn embedded_bytes_left(&self) -> u64 {
        self.embedded_bytes_left
    }

    /// Keeps a file that stands inside this one, if there is room for it.
    pub(super) fn embed(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if !self.has_room_for(bytes.len() as u64) {
            self.leave_out();
            return;
        }
        self.embedded_bytes_left -= bytes.len() as u64;
        self.document.embedded.push(EmbeddedFile { path: path.into(), bytes });
    }

    /// Counts a file inside this one that is not kept.
    pub(super) fn leave_out(&mut self) {
        self.embedded_left_out += 1;
    }

    pub(super) fn finish(mut self) -> ParsedDocument {
        if self.embedded_left_out > 0 {
            let message = format!(
                "{} of the files inside were left out: they are too many, too large or packed in a way that cannot be read",
                self.embedded_left_out
            );
            self.document.warn(warning::EMBEDDED_LEFT_OUT, message);
        }
        self.document
    }
}

/// Shortens a block to so many characters. A table keeps the rows that fit whole.
fn cut(block: &mut Block, characters: usize) {
    let mut end = block.text.char_indices().nth(characters).map_or(block.text.len(), |(offset, _)| offset);
    if let BlockKind::Table { rows, .. } = &mut block.kind {
        end = block.text[..end].rfind('\n').unwrap_or(0);
        let kept = if end == 0 { 0 } else { block.text[..end].matches('\n').count() + 1 };
        rows.truncate(kept);
    }
    block.text.truncate(end);
    block.lines.retain(|line| line.start < end);
    for line in &mut block.lines {
        line.end = line.end.min(end);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn limits(max_blocks: usize, max_characters: usize) -> ContentLimits {
        ContentLimits { max_blocks, max_characters, ..ContentLimits::default() }
    }

    #[test]
    fn too_much_text_is_cut_with_a_warning() {
        let mut builder = DocumentBuilder::new("text/plain", &limits(10, 5));
        builder.push(Block::new(BlockKind::Paragraph, "安全abc问答", None));
        builder.push(Block::new(BlockKind::Paragraph, "more", None));
        assert!(builder.is_full());
        let document = builder.finish();
        assert_eq!(document.blocks.len(), 1);
        assert_eq!(document.blocks[0].text, "安全abc");
        assert_eq!(document.warnings.len(), 1);
        assert_eq!(document.warnings[0].code, warning::TEXT_TRUNCATED);
    }

    #[test]
    fn too_many_blocks_are_left_out_with_one_warning() {
        let mut builder = DocumentBuilder::new("text/plain", &limits(2, 100));
        for text in ["a", "b", "c", "d"] {
            builder.push(Block::new(BlockKind::Paragraph, text, None));
        }
        let document = builder.finish();
        assert_eq!(document.blocks.len(), 2);
        assert_eq!(
            document.warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(),
            [warning::BLOCKS_TRUNCATED]
        );
    }

    #[test]
    fn embedded_files_beyond_the_limits_are_counted_in_one_warning() {
        let limits =
            ContentLimits { max_embedded_files: 2, max_embedded_bytes: 4, ..ContentLimits::default() };
        let mut builder = DocumentBuilder::new("application/zip", &limits);
        builder.embed("a", vec![0; 3]);
        builder.embed("too-large", vec![0; 2]);
        builder.embed("b", vec![0; 1]);
        builder.embed("too-many", vec![0; 1]);
        let document = builder.finish();
        assert_eq!(document.embedded.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(document.warnings.len(), 1);
        assert_eq!(document.warnings[0].code, warning::EMBEDDED_LEFT_OUT);
        assert!(document.warnings[0].message.starts_with("2 of"), "{}", document.warnings[0].message);
    }

    #[test]
    fn a_table_is_cut_between_rows() {
        let mut builder = DocumentBuilder::new("text/plain", &limits(2, 8));
        let rows = vec![vec!["ab".to_owned()], vec!["cd".to_owned()], vec!["efgh".to_owned()]];
        builder.push(Block::table(rows, 0, None));
        let document = builder.finish();
        assert_eq!(document.blocks[0].text, "ab\ncd");
        assert!(matches!(&document.blocks[0].kind, BlockKind::Table { rows, .. } if rows.len() == 2));
    }
}
