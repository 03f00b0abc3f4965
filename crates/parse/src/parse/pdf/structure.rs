//! What a PDF says about itself beside its text: title, outline, page labels, whether it is locked. All of it may be
//! missing or wrong without harm to the text.

mod labels;

use std::collections::HashSet;

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, decode_text_string};

use crate::clean;
use crate::document::Metadata;

/// Entries of the outline that are read.
const MAX_OUTLINE_ENTRIES: usize = 10_000;
/// Deeper entries of the outline are left out.
const MAX_OUTLINE_DEPTH: u8 = 8;
/// What one stream may inflate to while the structure is read.
const MAX_STREAM_BYTES: usize = 128 * 1024 * 1024;
/// Longer titles and names are cut (characters).
const MAX_VALUE_CHARACTERS: usize = 500;

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
    /// The file is encrypted and does not open without a password.
    pub(super) locked: bool,
    /// Number of pages in the page tree; `None` when the structure cannot be read.
    pub(super) page_count: Option<usize>,
    pub(super) title: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) outline: Vec<OutlineEntry>,
    pub(super) page_labels: Vec<String>,
}

/// Reads what can be read; a file that cannot be loaded gives an empty structure.
pub(super) fn read(data: &[u8]) -> Structure {
    let options = LoadOptions {
        filter: Some(without_images),
        max_decompressed_size: Some(MAX_STREAM_BYTES),
        ..LoadOptions::default()
    };
    let Ok(document) = Document::load_mem_with_options(data, options) else { return Structure::default() };
    if document.trailer.has(b"Encrypt") && document.encryption_state.is_none() {
        return Structure { locked: true, ..Structure::default() };
    }
    let page_count =
        document.catalog().is_ok_and(|catalog| catalog.has(b"Pages")).then(|| document.page_iter().count());
    let mut structure = Structure { page_count, outline: outline(&document), ..Structure::default() };
    if let Some(count) = page_count {
        structure.page_labels = labels::read(&document, count);
    }
    read_information(&document, &mut structure);
    structure
}

/// Pictures are not needed for the structure and are most of many files.
fn without_images(id: ObjectId, object: &mut Object) -> Option<(ObjectId, Object)> {
    if let Object::Stream(stream) = object
        && stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image")
    {
        return None;
    }
    Some((id, object.to_owned()))
}

fn read_information(document: &Document, structure: &mut Structure) {
    let catalog_language = document.catalog().ok().and_then(|catalog| text(document, catalog, b"Lang"));
    structure.metadata.language = catalog_language;
    let Ok(Object::Dictionary(information)) = document.trailer.get_deref(b"Info", document) else { return };
    let value = |key: &[u8]| text(document, information, key);
    structure.title = value(b"Title").filter(|title| is_real_title(title));
    let metadata = &mut structure.metadata;
    metadata.author = value(b"Author");
    metadata.subject = value(b"Subject");
    metadata.keywords = value(b"Keywords")
        .map(|words| words.split([',', ';', '，', '；']).map(|word| word.trim().to_owned()).collect())
        .unwrap_or_default();
    metadata.keywords.retain(|word| !word.is_empty());
    metadata.created = value(b"CreationDate");
    metadata.modified = value(b"ModDate");
    metadata.producer = value(b"Producer");
}

fn text(document: &Document, dictionary: &Dictionary, key: &[u8]) -> Option<String> {
    let value = dictionary.get_deref(key, document).ok()?;
    let text = clean::normalise(&decode_text_string(value).ok()?);
    let text: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_VALUE_CHARACTERS).collect();
    (!text.is_empty()).then_some(text)
}

/// Programs write their own file's name, or nothing, where the title should stand.
fn is_real_title(title: &str) -> bool {
    let lower = title.to_lowercase();
    let is_file_name = [
        ".doc", ".docx", ".pdf", ".dvi", ".tex", ".indd", ".qxd", ".ppt", ".pptx", ".xls", ".xlsx", ".ps",
        ".wpd",
    ]
    .iter()
    .any(|ending| lower.ends_with(ending));
    let is_placeholder = lower.starts_with("microsoft word")
        || lower.starts_with("untitled")
        || lower.starts_with("无标题")
        || lower == "title";
    title.chars().filter(|c| c.is_alphanumeric()).count() >= 2 && !is_file_name && !is_placeholder
}

/// The outline, depth first. Entries form linked lists that damage can tie into loops: each object is visited once.
fn outline(document: &Document) -> Vec<OutlineEntry> {
    let mut entries = Vec::new();
    let Ok(root) = document
        .catalog()
        .and_then(|catalog| catalog.get_deref(b"Outlines", document))
        .and_then(Object::as_dict)
    else {
        return entries;
    };
    let mut visited: HashSet<ObjectId> = HashSet::new();
    let reference =
        |dictionary: &Dictionary, key: &[u8]| dictionary.get(key).and_then(Object::as_reference).ok();
    let mut open: Vec<(ObjectId, u8)> =
        reference(root, b"First").map(|first| (first, 1)).into_iter().collect();
    while let Some((id, level)) = open.pop() {
        if entries.len() >= MAX_OUTLINE_ENTRIES || !visited.insert(id) {
            continue;
        }
        let Ok(entry) = document.get_dictionary(id) else { continue };
        if let Some(title) = text(document, entry, b"Title") {
            entries.push(OutlineEntry { title, level });
        }
        // The stack gives children before the next sibling.
        open.extend(reference(entry, b"Next").map(|next| (next, level)));
        if level < MAX_OUTLINE_DEPTH {
            open.extend(reference(entry, b"First").map(|first| (first, level + 1)));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use lopdf::dictionary;

    use super::*;

    #[test]
    fn a_looped_outline_ends() {
        let mut document = Document::with_version("1.5");
        let (root, first, second) =
            (document.new_object_id(), document.new_object_id(), document.new_object_id());
        document.objects.insert(root, dictionary! { "First" => first }.into());
        document.objects.insert(
            first,
            dictionary! { "Title" => Object::string_literal("One"), "First" => second, "Next" => first }
                .into(),
        );
        document.objects.insert(
            second,
            dictionary! { "Title" => Object::string_literal("Two"), "Next" => first, "First" => root }.into(),
        );
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Outlines" => root });
        document.trailer.set("Root", catalog);
        let found: Vec<(String, u8)> =
            outline(&document).into_iter().map(|entry| (entry.title, entry.level)).collect();
        assert_eq!(found, [("One".to_owned(), 1), ("Two".to_owned(), 2)]);
    }

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
