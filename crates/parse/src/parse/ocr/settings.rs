//! What an operator can say about the recognition of text in pictures.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Recognition of text in scanned pages and pictures, by the program Tesseract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OcrSettings {
    /// Switched off, pages without text stay without text.
    pub enabled: bool,
    /// The program, with its whole path. Empty: `tesseract` in `/usr/bin`, `/usr/local/bin` or `/opt/homebrew/bin`.
    pub program: PathBuf,
    /// The folder of its language data. Empty: where the program looks.
    pub tessdata: PathBuf,
    /// Tesseract's names of the languages, joined by `+`. Each further one makes recognition slower.
    pub languages: String,
    /// Pixels per inch that pages of a PDF are drawn with. More than 200 takes longer and reads no better.
    pub dpi: u32,
    /// Pages of one document that are recognised; those beyond are left out, with a warning.
    pub max_pages: u32,
    /// Pages of one document that are recognised at the same time, each by a process with one thread. At most 8.
    pub parallel_pages: usize,
    /// Time for one page, and processor time of its process. A page that takes longer is left out, with a warning.
    pub page_timeout_ms: u64,
    /// Time for all pages of one document, beyond what reading the document may take. Pages that are left then are
    /// left out, with a warning.
    pub document_timeout_ms: u64,
    /// Memory that the process of a page may write to.
    pub page_memory_bytes: u64,
    /// Pages whose words were recognised with less confidence on average (0 to 100) are named in a warning.
    pub low_confidence: u8,
}

impl Default for OcrSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            program: PathBuf::new(),
            tessdata: PathBuf::new(),
            languages: "chi_sim+eng".to_owned(),
            dpi: 200,
            max_pages: 1_000,
            parallel_pages: 2,
            page_timeout_ms: 60_000,
            document_timeout_ms: 1_800_000,
            page_memory_bytes: 1024 * 1024 * 1024,
            low_confidence: 70,
        }
    }
}
