//! The archives that office documents are, opened with their teeth drawn: sizes are bounded before a part is read.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use encoding_rs::Encoding;
use zip::ZipArchive;

use super::failure::{FailureCode, ParseFailure};
use super::limits::{ContentLimits, INFLATION_GRACE_BYTES};
use super::tree::Tree;
use crate::document::{Metadata, ParsedDocument};

/// Parts larger than this are cut.
const MAX_PART_BYTES: u64 = 256 * 1024 * 1024;

pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    limits: &'a ContentLimits,
}

impl<'a> Package<'a> {
    /// Opens an archive and refuses those that are built to overwhelm their reader.
    pub(super) fn open(data: &'a [u8], limits: &'a ContentLimits) -> Result<Self, ParseFailure> {
        let zip = ZipArchive::new(Cursor::new(data)).map_err(|error| {
            ParseFailure::damaged(format!("the archive cannot be opened, it may have been cut off: {error}"))
        })?;
        let mut package = Self { zip, limits };
        package.refuse_bombs()?;
        Ok(package)
    }

    /// Inflates every entry, without keeping it, to learn its true size: what the archive says of its sizes may be a lie.
    fn refuse_bombs(&mut self) -> Result<(), ParseFailure> {
        let bomb = |what: String| {
            ParseFailure::new(
                FailureCode::ArchiveBomb,
                format!("the archive is built to overwhelm its reader: {what}"),
            )
        };
        if self.zip.len() > self.limits.max_archive_entries {
            return Err(bomb(format!("it has {} entries", self.zip.len())));
        }
        let mut total = 0u64;
        for index in 0..self.zip.len() {
            let Ok(entry) = self.zip.by_index(index) else { continue };
            let packed = entry.compressed_size().max(1);
            let ratio_limit =
                packed.saturating_mul(self.limits.max_inflation_ratio).max(INFLATION_GRACE_BYTES);
            let allowed = ratio_limit.min(self.limits.max_inflated_bytes - total);
            // A checksum that does not fit is for the parser to complain about; here only sizes count.
            let inflated = match std::io::copy(&mut entry.take(allowed + 1), &mut std::io::sink()) {
                Ok(bytes) => bytes,
                Err(_) => continue,
            };
            if inflated > allowed {
                return Err(bomb(format!("an entry of {packed} bytes inflates to more than {allowed}")));
            }
            total += inflated;
        }
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// A part's bytes, as far as they can be inflated; `None` when it is missing.
    pub(super) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let index = self.zip.index_for_name(name).or_else(|| {
            // Names of parts are compared without regard to case.
            let same = self.zip.file_names().find(|other| other.eq_ignore_ascii_case(name))?.to_owned();
            self.zip.index_for_name(&same)
        })?;
        let entry = self.zip.by_index(index).ok()?;
        let mut bytes = Vec::new();
        // What was inflated before an error is kept.
        let _ = entry.take(MAX_PART_BYTES).read_to_end(&mut bytes);
        Some(bytes)
    }

    /// A part as text; `None` when it is missing.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let bytes = self.bytes(name)?;
        if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
            return Some(encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned());
        }
        Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    pub(super) fn tree(&mut self, name: &str) -> Option<Tree> {
        self.text(name).map(|text| Tree::parse(&text))
    }

    /// Where a part's relations lead; empty when it has none.
    pub(super) fn relations(&mut self, part: &str) -> Relations {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        self.tree(&name).map(|tree| Relations::read(&tree, folder)).unwrap_or_default()
    }

    /// The main part that the package names, or the one that usually is.
    pub(super) fn main_part(&mut self, usual: &str) -> String {
        let named =
            self.relations("").of_kind("officeDocument").next().map(|relation| relation.target.clone());
        named.filter(|name| self.has(name)).unwrap_or_else(|| usual.to_owned())
    }

    /// Title, author and dates of an Office Open XML package.
    pub(super) fn read_properties(&mut self, document: &mut ParsedDocument) {
        if let Some(tree) = self.tree("docProps/core.xml") {
            let (title, metadata) = core_properties(&tree);
            document.title = title;
            document.metadata = metadata;
        }
        if let Some(tree) = self.tree("docProps/app.xml")
            && let Some(application) = tree.root().and_then(|root| root.child("Application"))
        {
            document.metadata.producer = stated(application.text());
        }
    }
}

fn stated(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Dublin Core, as Office Open XML and OpenDocument both have it.
pub(super) fn core_properties(tree: &Tree) -> (Option<String>, Metadata) {
    let mut title = None;
    let mut metadata = Metadata::default();
    for element in tree.root().into_iter().flat_map(|root| root.descendants()) {
        let text = || stated(element.text());
        match element.name() {
            "title" => title = text(),
            "creator" => metadata.author = text(),
            "initial-creator" => metadata.author = metadata.author.take().or_else(text),
            "subject" => metadata.subject = text(),
            "keywords" => {
                let words = element.text();
                let words =
                    words.split([',', ';', '，', '；']).map(str::trim).filter(|word| !word.is_empty());
                metadata.keywords.extend(words.map(str::to_owned));
            }
            "keyword" => metadata.keywords.extend(text()),
            "created" | "creation-date" => metadata.created = text(),
            "modified" | "date" => metadata.modified = text(),
            "language" => metadata.language = text(),
            "generator" => metadata.producer = text(),
            _ => {}
        }
    }
    (title, metadata)
}

/// One relation of a part.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// The last word of its type: `slide`, `hyperlink`.
    pub(super) kind: String,
    /// The name of a part, or an address.
    pub(super) target: String,
}

#[derive(Debug, Default)]
pub(super) struct Relations {
    by_id: HashMap<String, Relation>,
    order: Vec<String>,
}

impl Relations {
    fn read(tree: &Tree, folder: &str) -> Self {
        let mut relations = Self::default();
        for element in tree.root().into_iter().flat_map(|root| root.children_named("Relationship")) {
            let (Some(id), Some(target)) = (element.attribute("Id"), element.attribute("Target")) else {
                continue;
            };
            let is_external = element.attribute("TargetMode").is_some_and(|mode| mode == "External");
            let kind = element.attribute("Type").unwrap_or_default();
            let relation = Relation {
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                target: if is_external { target.to_owned() } else { resolve(folder, target) },
            };
            relations.order.push(id.to_owned());
            relations.by_id.insert(id.to_owned(), relation);
        }
        relations
    }

    /// The part or address that this id leads to.
    pub(super) fn target(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|relation| relation.target.as_str())
    }

    pub(super) fn of_kind<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Relation> {
        self.order.iter().filter_map(|id| self.by_id.get(id)).filter(move |relation| relation.kind == kind)
    }
}

/// A target as the name of a part in the archive.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_names_of_parts() {
        for (folder, target, name) in [
            ("ppt", "slides/slide1.xml", "ppt/slides/slide1.xml"),
            ("ppt/slides", "../notesSlides/n.xml", "ppt/notesSlides/n.xml"),
            ("xl", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("", "../../../word/document.xml", "word/document.xml"),
        ] {
            assert_eq!(resolve(folder, target), name);
        }
    }

    #[test]
    fn properties_are_read_from_both_families() {
        let tree = Tree::parse(
            "<p><dc:title> 年度计划 </dc:title><dc:creator>Li</dc:creator><cp:keywords>a, b；c</cp:keywords>\
             <dcterms:created>2024-03-01</dcterms:created></p>",
        );
        let (title, metadata) = core_properties(&tree);
        assert_eq!(title.as_deref(), Some("年度计划"));
        assert_eq!(metadata.author.as_deref(), Some("Li"));
        assert_eq!(metadata.keywords, ["a", "b", "c"]);
        assert_eq!(metadata.created.as_deref(), Some("2024-03-01"));
    }
}
