//! From bytes to a [`ParsedDocument`]. Nothing outside this module knows a file format.
//!
//! The parsers read files from strangers: some of the libraries behind them can be made to panic, to recurse without
//! end or to use up memory. In the service they therefore run in a child process, see
//! [`sandbox`](crate::sandbox); [`parse_file`] itself runs in the calling process and is for that child and for
//! the command line.
//!
//! A further format is one more row in the table of [`format`] and one more arm in [`parse_bytes`].

mod archive;
mod builder;
mod chart;
mod compound;
pub mod detect;
mod docx;
mod encoding;
mod epub;
mod failure;
#[cfg(test)]
mod fixtures;
pub mod format;
mod grid;
mod html;
mod image;
mod json;
mod legacy;
mod limits;
mod mail;
mod markdown;
mod markup;
pub mod ocr;
mod odf;
mod omml;
mod ordinals;
mod package;
mod pdf;
mod pictures;
mod pptx;
mod rtf;
mod sheets;
mod source;
mod text;
mod tree;
mod undoc_model;
mod xml;

use std::path::Path;

pub use failure::{FailureCode, ParseFailure};
pub use limits::ContentLimits;

use crate::document::{ParsedDocument, warning};
use archive::Packing;
use format::{Family, Format};

/// Which parser reads a format that two parsers can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The one with the better text.
    #[default]
    First,
    /// The other one, for files that the first one fails on.
    Second,
}

/// How to parse.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct ParseOptions {
    pub limits: ContentLimits,
    pub engine: Engine,
    /// How text in pictures is recognised; `None` for not at all.
    pub ocr: Option<ocr::OcrSettings>,
    /// Told once, when the recognition of text in pictures begins: it takes much longer than anything else.
    #[serde(skip)]
    pub on_recognition: Option<fn()>,
    /// Opens files that are protected; the empty password is always tried first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl ParseOptions {
    fn recognition_starts(&self) {
        if let Some(told) = self.on_recognition {
            told();
        }
    }
}

/// Without the password.
impl std::fmt::Debug for ParseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParseOptions")
            .field("limits", &self.limits)
            .field("engine", &self.engine)
            .field("ocr", &self.ocr)
            .field("password", &self.password.as_ref().map(|_| "..."))
            .finish()
    }
}

/// Runs a library's code; `None` when it panics. What it was given is not used again after a panic, or is only read.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

/// Reads a file. `file_name` is what its owner calls it; it only breaks ties between formats that look alike.
///
/// # Errors
/// [`ParseFailure`] with a stable code when the file cannot be read.
pub fn parse_file(
    path: &Path,
    file_name: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::OutOfMemory => ParseFailure::new(
            FailureCode::ParseMemoryLimit,
            "the file is larger than the memory that is allowed",
        ),
        _ => ParseFailure::new(FailureCode::UnreadableFile, format!("the file cannot be read: {error}")),
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > options.limits.max_file_bytes {
        return Err(ParseFailure::new(
            FailureCode::FileTooLarge,
            format!("the file has {bytes} bytes, more than the limit of {}", options.limits.max_file_bytes),
        ));
    }
    let data = std::fs::read(path).map_err(unreadable)?;
    parse_bytes(data, file_name, options)
}

/// [`parse_file`] for content that is in memory.
///
/// # Errors
/// [`ParseFailure`] with a stable code when the content cannot be read.
pub fn parse_bytes(
    data: Vec<u8>,
    file_name: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let format = detect::detect(&data, file_name)?;
    let mut document = match format {
        Format::Pdf => pdf::parse(data, options)?,
        Format::Docx => docx::parse(data, options)?,
        Format::Html => html::parse(&data, options)?,
        Format::Png | Format::Jpeg | Format::Tiff | Format::Bmp | Format::WebP | Format::Gif => {
            image::parse(&data, format, options)?
        }
        Format::Markdown => markdown::parse(&data, options)?,
        Format::PlainText => text::parse(&data, file_name, options)?,
        Format::Json => json::parse(&data, options)?,
        Format::JsonLines => json::parse_lines(&data, options)?,
        Format::Xml => markup::parse(&data, options)?,
        Format::SourceCode => source::parse(&data, file_name, options)?,
        Format::Epub => epub::parse(&data, options)?,
        Format::Mhtml => mail::parse_saved_page(&data, options)?,
        Format::Eml => mail::parse_message(&data, options)?,
        Format::Mbox => mail::parse_mailbox(&data, options)?,
        Format::Msg => mail::parse_outlook(&data, options)?,
        Format::Zip => archive::parse_zip(&data, options)?,
        Format::Tar => archive::parse_tar(&data, options)?,
        Format::Gzip => archive::parse_packed(&data, Packing::Gzip, file_name, options)?,
        Format::Bzip2 => archive::parse_packed(&data, Packing::Bzip2, file_name, options)?,
        Format::Xz => archive::parse_packed(&data, Packing::Xz, file_name, options)?,
        Format::Doc | Format::Ppt => legacy::parse(data, format.media_type(), options)?,
        Format::Pptx => pptx::parse(data, format.media_type(), options)?,
        Format::Odt | Format::Odp | Format::Ods => odf::parse(&data, format, options)?,
        Format::Rtf => rtf::parse(&data, options)?,
        Format::Xlsx => sheets::parse_xlsx(&data, format.media_type(), options)?,
        Format::Xls => sheets::parse_xls(data, format.media_type(), options)?,
        Format::Xlsb => sheets::parse_xlsb(&data, format.media_type(), options)?,
        Format::Csv | Format::Tsv => sheets::delimited::parse(&data, format.media_type(), options)?,
    };
    if let Some(promised) = Format::by_name(file_name)
        && promised != format
        && !(promised.is_text() && format.is_text())
    {
        document.warn(
            warning::NAME_MISMATCH,
            format!("the name says {}, the content is {}", promised.label(), format.label()),
        );
    }
    // An archive has no text: what stands in it becomes documents of their own.
    let is_container =
        matches!(format.family(), Family::Archive | Family::Mail) && !document.embedded.is_empty();
    if document.is_blank() && !is_container {
        return Err(ParseFailure::new(FailureCode::NoText, "the file holds no text"));
    }
    Ok(document)
}
