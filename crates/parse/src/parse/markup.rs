//! XML: documents (DocBook, JATS, patents, DITA and whatever has titles and paragraphs), feeds (RSS, Atom), and data.

mod data;
mod entities;
mod feed;
mod prose;
mod table;
pub(super) mod tree;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding::{self, Decoded};
use super::failure::ParseFailure;
use super::format::Format;
use crate::document::{ParsedDocument, warning};
use tree::Element;

/// How far into a file its XML declaration may stand.
const DECLARATION_WINDOW: usize = 256;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = decode(data);
    let mut builder = DocumentBuilder::new(Format::Xml.media_type(), &options.limits);
    decoded.report(builder.document());
    let tree = tree::read(&decoded.text);
    if !tree.complete {
        builder
            .document()
            .warn(warning::PARTLY_DAMAGED, "the XML is not well-formed; what could be read was");
    }
    let Some(top) = tree.root.elements().next() else {
        return Err(ParseFailure::damaged("the file is no XML: it has no element"));
    };
    builder.document().metadata.language = top.attribute("lang").map(str::to_owned);
    match top.name.as_str() {
        "rss" | "feed" | "RDF" => feed::read(top, &mut builder),
        _ if prose::is_prose(top) => prose::read(top, &mut builder),
        // Several documents one after the other stand in one file, or just data.
        _ => tree.root.elements().for_each(|element| data::read(element, &mut builder)),
    }
    Ok(builder.finish())
}

/// By byte order mark, by what the declaration says, or as any text.
fn decode(data: &[u8]) -> Decoded {
    let head = String::from_utf8_lossy(&data[..data.len().min(DECLARATION_WINDOW)]);
    let declared = head
        .split_once("encoding=")
        .filter(|(before, _)| before.contains("<?xml") && !before.contains("?>"))
        .and_then(|(_, rest)| rest.get(1..)?.split(['"', '\'']).next())
        .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    encoding::decode_declared(data, declared)
}

/// The text of a title or a caption on one line; empty where there is none.
fn text_of(element: Option<&Element>) -> String {
    element.map(Element::text).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
