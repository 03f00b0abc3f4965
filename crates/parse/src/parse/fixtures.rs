//! Small files for tests, made in code.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Cursor, Write};

use super::{ParseOptions, parse_bytes};
use crate::document::{BlockKind, ParsedDocument};

/// A ZIP archive of these parts.
pub(super) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(super) fn parsed(data: Vec<u8>, name: &str) -> ParsedDocument {
    parse_bytes(data, name, &ParseOptions::default()).unwrap()
}

/// Each block as its kind in a word and its text.
pub(super) fn outline(document: &ParsedDocument) -> Vec<(String, String)> {
    let kind = |kind: &BlockKind| match kind {
        BlockKind::Heading { level } => format!("h{level}"),
        BlockKind::Paragraph => "p".to_owned(),
        BlockKind::ListItem { depth } => format!("li{depth}"),
        BlockKind::Table { header_rows, .. } => format!("table{header_rows}"),
        BlockKind::Code { .. } => "code".to_owned(),
        BlockKind::Figure => "figure".to_owned(),
        BlockKind::Footnote => "note".to_owned(),
    };
    document.blocks.iter().map(|block| (kind(&block.kind), block.text.clone())).collect()
}

/// [`outline`] compared with what is expected.
#[track_caller]
pub(super) fn assert_outline(document: &ParsedDocument, expected: &[(&str, &str)]) {
    let found = outline(document);
    let found: Vec<(&str, &str)> = found.iter().map(|(kind, text)| (kind.as_str(), text.as_str())).collect();
    assert_eq!(found, expected);
}

/// The relations part of an Office Open XML part: id, last word of the type, target.
pub(super) fn relations(list: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        format!(
            r#"<Relationship Id="{id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>"#
        )
    };
    format!("<Relationships>{}</Relationships>", list.iter().map(one).collect::<String>())
}
