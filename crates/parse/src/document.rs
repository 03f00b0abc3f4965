//! What a parsed file is, whatever its format was.
//!
//! The types here cross the boundary between the parsing child process and its parent as JSON, so they hold plain
//! data and no behaviour that needs a parser. Coordinates are PDF points (1/72 inch) with the origin in the top left
//! corner of the page *as displayed*: crop box applied, page rotation applied, user unit applied. They fit a pdf.js
//! viewport at scale 1 without further calculation.

mod base64_bytes;
mod render;

use serde::{Deserialize, Serialize};

pub use render::{to_markdown, to_text};

/// Size of a page as displayed, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageSize {
    pub width: f32,
    pub height: f32,
}

/// Something that a reader of the document should know, and that did not stop it from being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable, snake case; see [`warning`].
    pub code: String,
    pub message: String,
}

/// The stable codes of [`Warning`].
pub mod warning {
    /// The document has more pages than the limit; the rest was not read.
    pub const PAGES_TRUNCATED: &str = "pages_truncated";
    /// The document has more text than the limit; the rest was not read.
    pub const TEXT_TRUNCATED: &str = "text_truncated";
    /// The document has more blocks than the limit; the rest was not read.
    pub const BLOCKS_TRUNCATED: &str = "blocks_truncated";
    /// Bytes that are not valid in the file's encoding were replaced.
    pub const INVALID_ENCODING: &str = "invalid_encoding";
    /// The file is not in UTF-8 and does not say what it is in: the encoding was guessed.
    pub const ENCODING_GUESSED: &str = "encoding_guessed";
    /// Some pages could not be read.
    pub const PAGES_FAILED: &str = "pages_failed";
    /// Some pages hold no text (pictures of text, or nothing at all).
    pub const PAGES_WITHOUT_TEXT: &str = "pages_without_text";
    /// The text of some pages was recognised in pictures.
    pub const OCR_USED: &str = "ocr_used";
    /// Some of the recognised text is probably wrong.
    pub const OCR_LOW_CONFIDENCE: &str = "ocr_low_confidence";
    /// The text of some pages that are pictures could not be recognised.
    pub const OCR_FAILED: &str = "ocr_failed";
    /// More pages are pictures than are recognised in one document.
    pub const OCR_TRUNCATED: &str = "ocr_truncated";
    /// Some pages are pictures, and the program that recognises text is not there.
    pub const OCR_UNAVAILABLE: &str = "ocr_unavailable";
    /// Some of the text has no meaning in Unicode: the file does not say which characters its glyphs are.
    pub const UNMAPPED_GLYPHS: &str = "unmapped_glyphs";
    /// The file was read by the second parser, because the first one failed.
    pub const SECOND_PARSER: &str = "second_parser";
    /// Some part of the file that is not its text (outline, numbering, metadata) could not be read.
    pub const PARTLY_DAMAGED: &str = "partly_damaged";
    /// The file name promises another kind of file than its content is.
    pub const NAME_MISMATCH: &str = "name_mismatch";
    /// Some of the files inside (attachments, members of an archive) were not taken.
    pub const EMBEDDED_LEFT_OUT: &str = "embedded_left_out";
    /// Some members of an archive are under a password.
    pub const MEMBERS_ENCRYPTED: &str = "members_encrypted";
    /// What the file does not show (hidden sheets, rows, columns, slides) was not read.
    pub const HIDDEN_LEFT_OUT: &str = "hidden_left_out";
}

/// Where one visual line of a block stands: a range of the block's text and a box on a page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineSpan {
    /// Byte offset into the text, inclusive; always on a character boundary.
    pub start: usize,
    /// Byte offset into the text, exclusive; always on a character boundary.
    pub end: usize,
    /// Page number from 1.
    pub page: u32,
    /// Left, top, right, bottom in points from the top left corner of the displayed page.
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading; level 1 is the highest, 6 the lowest.
    Heading {
        level: u8,
    },
    Paragraph,
    /// An item of a list, its mark or number included in the text; depth 0 is the outermost list.
    ListItem {
        depth: u8,
    },
    /// A table. The block's text is [`table_text`] of the rows, unless the rows come from a page's geometry, where it
    /// is the same but may be cleaned.
    Table {
        rows: Vec<Vec<String>>,
        header_rows: usize,
    },
    /// Program code or other preformatted text, line breaks kept.
    Code {
        language: Option<String>,
    },
    /// A caption or a description of a picture.
    Figure,
    Footnote,
}

/// A piece of a document in reading order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    pub text: String,
    /// Page number from 1 where the block begins; `None` where the format has no pages.
    pub page: Option<u32>,
    /// In the order of the text; empty where the format has no geometry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineSpan>,
}

impl Block {
    /// A block without geometry.
    pub fn new(kind: BlockKind, text: impl Into<String>, page: Option<u32>) -> Self {
        Self { kind, text: text.into(), page, lines: Vec::new() }
    }

    /// A table without geometry, its text made from its rows.
    pub fn table(rows: Vec<Vec<String>>, header_rows: usize, page: Option<u32>) -> Self {
        let text = table_text(&rows);
        Self::new(BlockKind::Table { rows, header_rows }, text, page)
    }
}

/// What the file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// As the file states it; not parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Program that made the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<String>,
    /// Language as the file states it (BCP 47), not detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Character encoding that a text file was read in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// A file inside the file: an attachment of a message or a PDF, a member of an archive. It becomes a document of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedFile {
    /// Its path inside the file that holds it, `/`-separated, as the file states it: not safe to use as it is.
    pub path: String,
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

/// An address outside of the document, and where it can be clicked: left, top, right, bottom in points from the top left
/// corner of the displayed page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub address: String,
    /// From 1.
    pub page: u32,
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

/// A file's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedDocument {
    /// By content, not by name.
    pub media_type: String,
    pub title: Option<String>,
    /// One entry a page that was read; empty where the format has no pages of a fixed size.
    pub pages: Vec<PageSize>,
    /// Number of pages that the file has, which is more than `pages` holds when it was cut; `None` without pages.
    pub page_count: Option<u32>,
    /// What the file calls its pages (i, ii, 1, 2, A-1), one a page; empty when it does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page_labels: Vec<String>,
    pub blocks: Vec<Block>,
    /// In the file's order; empty for most formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<EmbeddedFile>,
    /// Links with a place on a page; empty where the format has no geometry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    #[serde(default)]
    pub metadata: Metadata,
}

impl ParsedDocument {
    pub fn new(media_type: impl Into<String>) -> Self {
        Self {
            media_type: media_type.into(),
            title: None,
            pages: Vec::new(),
            page_count: None,
            page_labels: Vec::new(),
            blocks: Vec::new(),
            embedded: Vec::new(),
            links: Vec::new(),
            warnings: Vec::new(),
            metadata: Metadata::default(),
        }
    }

    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.warnings.push(Warning { code: code.to_owned(), message: message.into() });
    }

    /// Number of characters in all blocks.
    pub fn character_count(&self) -> usize {
        self.blocks.iter().map(|block| block.text.chars().count()).sum()
    }

    /// Whether no block holds anything but white space.
    pub fn is_blank(&self) -> bool {
        self.blocks.iter().all(|block| block.text.trim().is_empty())
    }
}

/// What separates the cells of a table's row in running text.
pub const CELL_SEPARATOR: &str = " | ";

/// A table as running text: a line a row, cells separated by [`CELL_SEPARATOR`], line breaks inside cells made spaces.
pub fn table_text(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&table_row_text(row));
    }
    text
}

/// One row of [`table_text`].
pub fn table_row_text(row: &[String]) -> String {
    let cells: Vec<String> =
        row.iter().map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    cells[..filled].join(CELL_SEPARATOR)
}
