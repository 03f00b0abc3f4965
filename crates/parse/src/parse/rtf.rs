//! Rich text (RTF 1.9.1): a reader of our own, from tokens to paragraphs, lists, tables and notes. Hidden and deleted
//! text is dropped; what stands at the head or foot of every page is told once.

mod flow;
mod state;
mod tokens;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use crate::document::ParsedDocument;
use state::Reader;
use tokens::Tokens;

/// # Errors
/// [`FailureCode::NoText`] when the document holds none.
pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let builder = DocumentBuilder::new(Format::Rtf.media_type(), &options.limits);
    let mut reader = Reader::new(builder);
    for token in Tokens::new(data) {
        reader.take(token);
        if reader.is_full() {
            break;
        }
    }
    let document = reader.finish();
    if document.is_blank() {
        return Err(ParseFailure::new(FailureCode::NoText, "the document holds no text"));
    }
    Ok(document)
}

#[cfg(test)]
mod tests;
