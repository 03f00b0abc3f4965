//! OpenDocument (ODT, ODP, ODS; ISO/IEC 26300): a reader of our own.

mod lists;
mod slides;
mod text;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use super::package::{Package, core_properties};
use super::sheets::Workbook;
use super::tree::Tree;
use crate::document::{BlockKind, ParsedDocument, warning};

/// # Errors
/// [`ParseFailure`] when the archive cannot be opened, is under a password, or holds no text.
pub(super) fn parse(
    data: &[u8],
    format: Format,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let mut package = Package::open(data, &options.limits)?;
    if package.text("META-INF/manifest.xml").is_some_and(|manifest| manifest.contains("encryption-data")) {
        return Err(ParseFailure::new(
            FailureCode::Encrypted,
            "the document is protected by a password; save it without one and upload it again",
        ));
    }
    let content = package
        .tree("content.xml")
        .ok_or_else(|| ParseFailure::damaged("the document has no part with its content"))?;
    let styles = package.tree("styles.xml").unwrap_or_default();
    let mut document = if format == Format::Ods {
        let mut workbook = Workbook::new(format.media_type(), &options.limits);
        super::sheets::ods::read(&content, &mut workbook);
        workbook.finish()?
    } else {
        let mut builder = DocumentBuilder::new(format.media_type(), &options.limits);
        if format == Format::Odp {
            slides::read(&content, &styles, &mut builder);
        } else {
            text::read(&content, &styles, &mut builder);
        }
        builder.finish()
    };
    read_properties(&mut package, &mut document);
    if content.is_damaged() {
        document.warn(warning::PARTLY_DAMAGED, "the document is damaged: its end was not read");
    }
    if document.is_blank() {
        return Err(ParseFailure::new(FailureCode::NoText, "the document holds no text"));
    }
    Ok(document)
}

fn read_properties(package: &mut Package<'_>, document: &mut ParsedDocument) {
    let meta = package.tree("meta.xml").unwrap_or_else(|| Tree::parse(""));
    let (title, metadata) = core_properties(&meta);
    document.metadata = metadata;
    document.title = title.or_else(|| {
        let is_top = |block: &&crate::document::Block| matches!(block.kind, BlockKind::Heading { level: 1 });
        document
            .blocks
            .iter()
            .find(is_top)
            .filter(|_| document.page_labels.is_empty())
            .map(|block| block.text.clone())
    });
}

#[cfg(test)]
mod tests;
