//! What a PDF says about itself beside its text: title, outline, page labels, attachments. All of it may be missing or
//! wrong without harm to the text.

mod attachments;
mod labels;
mod text;
mod trees;

use std::collections::HashSet;

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{DateTime, Dict, ObjRef};

use crate::document::Metadata;
pub(super) use attachments::Attachments;
pub(super) use text::decode;

/// Entries of the outline that are read.
const MAX_OUTLINE_ENTRIES: usize = 10_000;
/// Deeper entries of the outline are left out.
const MAX_OUTLINE_DEPTH: u8 = 8;
/// Keywords that are kept.
const MAX_KEYWORDS: usize = 100;

/// An entry of the outline ("bookmarks").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutlineEntry {
    pub(super) title: String,
    /// From 1.
    pub(super) level: u8,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Structure {
    pub(super) title: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) outline: Vec<OutlineEntry>,
    pub(super) page_labels: Vec<String>,
    pub(super) attachments: Attachments,
}

/// Reads what can be read.
pub(super) fn read(pdf: &Pdf) -> Structure {
    let mut structure = Structure::default();
    read_information(pdf, &mut structure);
    let xref = pdf.xref();
    let Some(catalog) = xref.get::<Dict<'_>>(xref.root_id()) else { return structure };
    structure.metadata.language = text::line(&catalog, b"Lang");
    structure.page_labels = labels::read(&catalog, pdf.pages().len());
    structure.outline = outline(pdf, &catalog);
    structure.attachments.of_document(&catalog);
    structure
}

fn read_information(pdf: &Pdf, structure: &mut Structure) {
    let information = pdf.metadata();
    let value = |bytes: &Option<Box<[u8]>>| bytes.as_deref().and_then(text::one_line);
    structure.title = value(&information.title).filter(|title| is_real_title(title));
    let metadata = &mut structure.metadata;
    metadata.author = value(&information.author);
    metadata.subject = value(&information.subject);
    metadata.keywords = value(&information.keywords)
        .map(|words| words.split([',', ';', '，', '；', '、']).map(|word| word.trim().to_owned()).collect())
        .unwrap_or_default();
    metadata.keywords.retain(|word| !word.is_empty());
    metadata.keywords.truncate(MAX_KEYWORDS);
    metadata.created = information.creation_date.as_ref().map(date);
    metadata.modified = information.modification_date.as_ref().map(date);
    metadata.producer = value(&information.producer);
}

/// RFC 3339.
fn date(date: &DateTime) -> String {
    let DateTime { year, month, day, hour, minute, second, utc_offset_hour, utc_offset_minute } = *date;
    let sign = if utc_offset_hour < 0 { '-' } else { '+' };
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{utc_offset_minute:02}",
        utc_offset_hour.unsigned_abs()
    )
}

/// Programs write their own file's name, or nothing, where the title should stand.
fn is_real_title(title: &str) -> bool {
    let lower = title.to_lowercase();
    let is_file_name = [
        ".doc", ".docx", ".pdf", ".dvi", ".tex", ".indd", ".qxd", ".ppt", ".pptx", ".xls", ".xlsx", ".ps",
        ".wpd", ".rtf", ".odt", ".md", ".html",
    ]
    .iter()
    .any(|ending| lower.ends_with(ending));
    let is_placeholder = lower.starts_with("microsoft word")
        || lower.starts_with("microsoft powerpoint")
        || lower.starts_with("powerpoint ")
        || lower.starts_with("untitled")
        || lower.starts_with("无标题")
        || lower.starts_with("(anonymous)")
        || lower == "title";
    title.chars().filter(|c| c.is_alphanumeric()).count() >= 2 && !is_file_name && !is_placeholder
}

/// The outline, depth first. Entries form linked lists that damage can tie into loops: each object is visited once.
fn outline(pdf: &Pdf, catalog: &Dict<'_>) -> Vec<OutlineEntry> {
    let mut entries = Vec::new();
    let Some(root) = catalog.get::<Dict<'_>>(b"Outlines".as_slice()) else { return entries };
    let mut visited: HashSet<ObjRef> = HashSet::new();
    let mut open: Vec<(ObjRef, u8)> =
        root.get_ref(b"First".as_slice()).map(|first| (first, 1)).into_iter().collect();
    while let Some((reference, level)) = open.pop() {
        if entries.len() >= MAX_OUTLINE_ENTRIES || !visited.insert(reference) {
            continue;
        }
        let Some(entry) = pdf.xref().get::<Dict<'_>>(reference.into()) else { continue };
        if let Some(title) = text::line(&entry, b"Title") {
            entries.push(OutlineEntry { title, level });
        }
        // The stack gives children before the next sibling.
        open.extend(entry.get_ref(b"Next".as_slice()).map(|next| (next, level)));
        if level < MAX_OUTLINE_DEPTH {
            open.extend(entry.get_ref(b"First".as_slice()).map(|first| (first, level + 1)));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_not_titles() {
        for (title, real) in [
            ("Employee handbook", true),
            ("员工手册", true),
            ("Microsoft Word - draft 3", false),
            ("paper.dvi", false),
            ("untitled", false),
            ("-", false),
        ] {
            assert_eq!(is_real_title(title), real, "{title}");
        }
    }
}
