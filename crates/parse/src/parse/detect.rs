//! What a file is, by what stands in it. The name decides only between kinds of text that look alike.

use std::io::Cursor;

use super::encoding;
use super::failure::{FailureCode, ParseFailure};

/// A format that this module can parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pdf,
    Docx,
    Html,
    Markdown,
    PlainText,
}

impl Format {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::PlainText => "text/plain",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Docx => "Word document",
            Self::Html => "HTML",
            Self::Markdown => "Markdown",
            Self::PlainText => "plain text",
        }
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Html | Self::Markdown | Self::PlainText)
    }
}

/// A PDF's header may stand behind other bytes; readers look for it in so many.
const PDF_HEADER_WINDOW: usize = 1024;
/// How much of a text is looked at to tell HTML and Markdown from plain text.
const TEXT_SAMPLE_BYTES: usize = 64 * 1024;

/// The format of a file's content.
///
/// # Errors
/// [`FailureCode::EmptyFile`], [`FailureCode::UnsupportedMediaType`] for content that no parser is for,
/// [`FailureCode::DamagedFile`] for an archive that cannot be opened, [`FailureCode::Encrypted`] for an office document
/// under a password.
pub fn detect(data: &[u8], file_name: &str) -> Result<Format, ParseFailure> {
    if data.is_empty() {
        return Err(ParseFailure::new(FailureCode::EmptyFile, "the file is empty"));
    }
    let head = &data[..data.len().min(PDF_HEADER_WINDOW)];
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Ok(Format::Pdf);
    }
    if data.starts_with(b"PK\x03\x04") || data.starts_with(b"PK\x05\x06") {
        return detect_archive(data);
    }
    if data.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return Err(compound_file_failure(data));
    }
    if data.starts_with(b"{\\rtf") {
        return Err(unsupported("application/rtf"));
    }
    if let Some(kind) = infer::get(data)
        && !kind.mime_type().starts_with("text/")
        && kind.mime_type() != "application/xml"
        && !encoding::looks_like_text(data)
    {
        return Err(unsupported(kind.mime_type()));
    }
    if !encoding::looks_like_text(data) {
        return Err(unsupported("application/octet-stream"));
    }
    Ok(detect_text(data, file_name))
}

/// The format that the name's ending stands for, if it stands for one of ours.
pub fn promised_by_name(file_name: &str) -> Option<Format> {
    let (_, extension) = file_name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => Some(Format::Pdf),
        "docx" | "docm" | "dotx" => Some(Format::Docx),
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "md" | "mdx" | "markdown" | "mkd" => Some(Format::Markdown),
        "txt" | "text" | "log" => Some(Format::PlainText),
        _ => None,
    }
}

fn unsupported(media_type: &str) -> ParseFailure {
    ParseFailure::new(
        FailureCode::UnsupportedMediaType,
        format!(
            "the content is {media_type}, which cannot be read yet; PDF, Word (.docx), Markdown, HTML and plain text can"
        ),
    )
}

fn detect_archive(data: &[u8]) -> Result<Format, ParseFailure> {
    let archive = zip::ZipArchive::new(Cursor::new(data)).map_err(|error| {
        ParseFailure::damaged(format!("the archive cannot be opened, it may have been cut off: {error}"))
    })?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    let has_under = |prefix: &str| archive.file_names().any(|name| name.starts_with(prefix));
    // The main part of a Word document is `word/document.xml` in practice; the package may name it otherwise.
    if has("word/document.xml") || (has("[Content_Types].xml") && has_under("word/")) {
        return Ok(Format::Docx);
    }
    let media_type = if has_under("xl/") {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    } else if has_under("ppt/") {
        "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    } else if has("META-INF/container.xml") {
        "application/epub+zip"
    } else if has("content.xml") {
        "application/vnd.oasis.opendocument"
    } else {
        "application/zip"
    };
    Err(unsupported(media_type))
}

/// OLE compound files: old office formats, and new ones under a password.
fn compound_file_failure(data: &[u8]) -> ParseFailure {
    let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    if memchr::memmem::find(data, &name).is_some() {
        return ParseFailure::new(
            FailureCode::Encrypted,
            "the document is protected by a password; save it without one and upload it again",
        );
    }
    unsupported("application/x-ole-storage (Word, Excel or PowerPoint 97-2003, or an Outlook message)")
}

fn detect_text(data: &[u8], file_name: &str) -> Format {
    let sample = encoding::decode(&data[..data.len().min(TEXT_SAMPLE_BYTES)]).text;
    let promised = promised_by_name(file_name);
    if is_html_document(&sample) {
        return Format::Html;
    }
    match promised {
        Some(Format::Html) if contains_html_tags(&sample) => Format::Html,
        Some(Format::Markdown) => Format::Markdown,
        Some(Format::PlainText) => Format::PlainText,
        _ if file_name.contains('.') && promised.is_none() => Format::PlainText,
        _ if looks_like_markdown(&sample) => Format::Markdown,
        _ => Format::PlainText,
    }
}

/// Whether the text begins as an HTML document does, comments and an XML declaration aside.
fn is_html_document(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("<!--") {
            let Some(end) = after.find("-->") else { return false };
            rest = after[end + 3..].trim_start();
        } else if rest.starts_with("<?xml") {
            let Some(end) = rest.find("?>") else { return false };
            rest = rest[end + 2..].trim_start();
        } else {
            break;
        }
    }
    let head: String = rest.chars().take(16).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| head.starts_with(start))
}

fn contains_html_tags(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["<p", "<div", "<h1", "<h2", "<table", "<br", "<ul", "<a ", "<span", "<body", "<html"]
        .iter()
        .any(|tag| lower.contains(tag))
}

/// A text without a telling name is Markdown when at least two kinds of Markdown's marks stand in it.
fn looks_like_markdown(text: &str) -> bool {
    let mut heading = false;
    let mut fence = false;
    let mut table = false;
    for line in text.lines() {
        let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
        heading |= (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
        fence |= line.starts_with("```");
        table |= line.starts_with('|') && line.contains("---");
    }
    let link = text.contains("](");
    [heading, fence, table, link].into_iter().filter(|&mark| mark).count() >= 2
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zip_with(names: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"<x/>").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn content_decides_and_the_name_breaks_ties() {
        let docx = zip_with(&["[Content_Types].xml", "word/document.xml"]);
        for (data, name, expected) in [
            (b"%PDF-1.4\n".as_slice(), "a.txt", Format::Pdf),
            (b"\xef\xbb\xbfjunk\n%PDF-1.4\n", "a", Format::Pdf),
            (&docx, "a.zip", Format::Docx),
            (b"<!DOCTYPE html><p>x", "a.txt", Format::Html),
            (b"<?xml version=\"1.0\"?>\n<!-- c -->\n<html>", "a", Format::Html),
            (b"<p>one<p>two", "a.html", Format::Html),
            (b"no tags here", "a.html", Format::PlainText),
            (b"plain", "a.md", Format::Markdown),
            (b"# Title\n\n[a](b)\n", "README", Format::Markdown),
            (b"# Title\n\n[a](b)\n", "notes.txt", Format::PlainText),
            (b"a,b\n1,2\n", "a.csv", Format::PlainText),
            (b"caf\xe9 au lait", "a", Format::PlainText),
            (b"\xff\xfeh\0i\0", "a", Format::PlainText),
        ] {
            assert_eq!(
                detect(data, name),
                Ok(expected),
                "{name}: {:?}",
                String::from_utf8_lossy(&data[..data.len().min(20)])
            );
        }
    }

    #[test]
    fn what_cannot_be_read_has_its_own_code() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".as_slice();
        let sheet = zip_with(&["[Content_Types].xml", "xl/workbook.xml"]);
        let mut locked = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        locked.extend("EncryptedPackage".bytes().flat_map(|byte| [byte, 0]));
        for (data, name, code, says) in [
            (b"".as_slice(), "a.pdf", FailureCode::EmptyFile, "empty"),
            (png, "a.pdf", FailureCode::UnsupportedMediaType, "image/png"),
            (&sheet, "a.docx", FailureCode::UnsupportedMediaType, "spreadsheetml"),
            (b"PK\x03\x04\x14\0\0\0", "a.docx", FailureCode::DamagedFile, "archive"),
            (&locked, "a.docx", FailureCode::Encrypted, "password"),
            (
                b"\0\x01\x02\x03\x80\x81\0\0\x05\x06",
                "a.txt",
                FailureCode::UnsupportedMediaType,
                "octet-stream",
            ),
        ] {
            let failure = detect(data, name).expect_err(name);
            assert_eq!(failure.code, code, "{name}");
            assert!(failure.message.contains(says), "{} should say {says}", failure.message);
        }
    }
}
