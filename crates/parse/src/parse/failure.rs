//! Why a file could not be read, as a stable code for software and a sentence for people.

use serde::{Deserialize, Serialize};

/// Stable codes; the text form is what the public interface shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    EmptyFile,
    UnsupportedMediaType,
    /// A password is needed.
    Encrypted,
    /// The password that was given does not open the file.
    WrongPassword,
    NoPages,
    DamagedFile,
    /// Pictures of text, or nothing at all.
    NoText,
    /// Only pictures of text, and the program that recognises it is not there.
    OcrUnavailable,
    ArchiveBomb,
    FileTooLarge,
    UnreadableFile,
    ParserCrashed,
    ParseTimeout,
    ParseMemoryLimit,
    ParseOutputLimit,
    /// The child process could not be started or did not keep to its protocol.
    ParserUnavailable,
}

impl FailureCode {
    /// All codes, for tables of them.
    pub const ALL: [Self; 16] = [
        Self::EmptyFile,
        Self::UnsupportedMediaType,
        Self::Encrypted,
        Self::WrongPassword,
        Self::NoPages,
        Self::DamagedFile,
        Self::NoText,
        Self::OcrUnavailable,
        Self::ArchiveBomb,
        Self::FileTooLarge,
        Self::UnreadableFile,
        Self::ParserCrashed,
        Self::ParseTimeout,
        Self::ParseMemoryLimit,
        Self::ParseOutputLimit,
        Self::ParserUnavailable,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Encrypted => "encrypted",
            Self::WrongPassword => "wrong_password",
            Self::NoPages => "no_pages",
            Self::DamagedFile => "damaged_file",
            Self::NoText => "no_text",
            Self::OcrUnavailable => "ocr_unavailable",
            Self::ArchiveBomb => "archive_bomb",
            Self::FileTooLarge => "file_too_large",
            Self::UnreadableFile => "unreadable_file",
            Self::ParserCrashed => "parser_crashed",
            Self::ParseTimeout => "parse_timeout",
            Self::ParseMemoryLimit => "parse_memory_limit",
            Self::ParseOutputLimit => "parse_output_limit",
            Self::ParserUnavailable => "parser_unavailable",
        }
    }

    /// Whether trying the same file again later can succeed.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::ParserUnavailable | Self::UnreadableFile)
    }
}

impl std::fmt::Display for FailureCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file that could not be read. The message is for the person who uploaded it: it holds no text of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ParseFailure {
    pub code: FailureCode,
    pub message: String,
}

impl ParseFailure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn damaged(message: impl Into<String>) -> Self {
        Self::new(FailureCode::DamagedFile, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_the_wire_form() {
        for code in FailureCode::ALL {
            let wire = serde_json::to_string(&code).unwrap_or_default();
            assert_eq!(wire, format!("\"{}\"", code.as_str()));
        }
    }
}
