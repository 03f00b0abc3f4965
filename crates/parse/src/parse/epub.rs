//! EPUB: the chapters in the order of the spine, each read as the web page that it is; the navigation gives headings to
//! chapters that have none.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use super::html;
use super::markup::tree::{self, Element};
use crate::document::{Block, BlockKind, ParsedDocument, warning};

/// Parts larger than this are not read.
const MAX_PART_BYTES: u64 = 64 * 1024 * 1024;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let mut builder = DocumentBuilder::new(Format::Epub.media_type(), &options.limits);
    let zip = ZipArchive::new(Cursor::new(data))
        .map_err(|error| ParseFailure::damaged(format!("the book cannot be opened: {error}")))?;
    let mut book = Book { zip, bytes_left: options.limits.max_inflated_bytes };
    if book.part("META-INF/encryption.xml").is_some_and(|part| part.contains("EncryptedData"))
        && book.part("META-INF/rights.xml").is_some()
    {
        return Err(ParseFailure::new(
            FailureCode::Encrypted,
            "the book is protected; it can be read with its shop's program only",
        ));
    }
    let damaged = |what: &str| ParseFailure::damaged(format!("the book has no {what}"));
    let container = tree::read(&book.part("META-INF/container.xml").ok_or_else(|| damaged("container"))?);
    let package_path = container.root.find("rootfile").and_then(|file| file.attribute("full-path"));
    let package_path = package_path.ok_or_else(|| damaged("package"))?.to_owned();
    let package = tree::read(&book.part(&package_path).ok_or_else(|| damaged("package"))?).root;
    describe(&package, &mut builder);
    let manifest = Manifest::read(&package, &package_path);
    let labels = manifest.labels(&package, &mut book);
    let mut missing = 0;
    for path in manifest.spine(&package) {
        if builder.is_full() {
            break;
        }
        match book.part(&path) {
            Some(chapter) => read_chapter(&chapter, labels.get(&path), &mut builder),
            None => missing += 1,
        }
    }
    if missing > 0 {
        builder
            .document()
            .warn(warning::PARTLY_DAMAGED, format!("{missing} chapters are missing or cannot be read"));
    }
    Ok(builder.finish())
}

fn describe(package: &Element, builder: &mut DocumentBuilder) {
    let Some(metadata) = package.find("metadata") else { return };
    let stated = |name: &str| metadata.find(name).map(Element::text).filter(|text| !text.is_empty());
    let document = builder.document();
    document.title = stated("title");
    document.metadata.language = stated("language");
    document.metadata.created = stated("date");
    document.metadata.producer = stated("publisher");
    let mut authors = Vec::new();
    metadata.each("creator", &mut |creator| authors.push(creator.text()));
    document.metadata.author = (!authors.is_empty()).then(|| authors.join(", "));
    let mut subjects = Vec::new();
    metadata.each("subject", &mut |subject| subjects.push(subject.text()));
    document.metadata.keywords = subjects;
    if let Some(title) = document.title.clone() {
        builder.push(Block::new(BlockKind::Heading { level: 1 }, title, None));
    }
}

/// A chapter that has no heading gets the one that the table of contents has for it.
fn read_chapter(chapter: &str, label: Option<&String>, builder: &mut DocumentBuilder) {
    let before = builder.document().blocks.len();
    html::read_page(&with_closing_tags(chapter), builder);
    let document = builder.document();
    let has_heading =
        document.blocks[before..].iter().any(|block| matches!(block.kind, BlockKind::Heading { .. }));
    if let Some(label) = label.filter(|_| !has_heading && document.blocks.len() > before) {
        document.blocks.insert(before, Block::new(BlockKind::Heading { level: 2 }, label.clone(), None));
    }
    // The book's title, which many books repeat on their first page, stands once.
    let title = document.title.clone();
    let repeats = document.blocks.get(before).is_some_and(|block| {
        before == 1 && matches!(block.kind, BlockKind::Heading { .. }) && Some(&block.text) == title.as_ref()
    });
    if repeats {
        document.blocks.remove(before);
    }
}

/// XHTML closes empty elements in their only tag (`<title/>`), which HTML does not know: there, such a title would never end.
fn with_closing_tags(xhtml: &str) -> String {
    const VOID: [&str; 12] =
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];
    let mut out = String::with_capacity(xhtml.len());
    let mut rest = xhtml;
    while let Some(at) = rest.find("/>") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        out.push_str(before);
        let tag = before.rfind('<').map(|start| &before[start + 1..]).filter(|tag| !tag.contains('>'));
        let name = tag.and_then(|tag| tag.split_whitespace().next()).unwrap_or_default();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_name && !VOID.contains(&name.to_ascii_lowercase().as_str()) {
            out.push_str("></");
            out.push_str(name);
            out.push('>');
        } else {
            out.push_str("/>");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

struct Book<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// What may still be inflated: a small book may claim a large one.
    bytes_left: u64,
}

impl Book<'_> {
    fn part(&mut self, path: &str) -> Option<String> {
        let entry = self.zip.by_name(path).ok()?;
        let mut bytes = Vec::new();
        entry.take(MAX_PART_BYTES.min(self.bytes_left)).read_to_end(&mut bytes).ok()?;
        self.bytes_left -= bytes.len() as u64;
        Some(encoding::decode(&bytes).text)
    }
}

/// The package's list of files.
struct Manifest {
    /// By id: the path inside the archive, and what the file is for.
    items: HashMap<String, (String, String)>,
}

impl Manifest {
    fn read(package: &Element, package_path: &str) -> Self {
        let mut items = HashMap::new();
        package.each("item", &mut |item| {
            if let (Some(id), Some(href)) = (item.attribute("id"), item.attribute("href")) {
                let properties = item.attribute("properties").unwrap_or_default().to_owned();
                items.insert(id.to_owned(), (resolved(package_path, href), properties));
            }
        });
        Self { items }
    }

    fn spine(&self, package: &Element) -> Vec<String> {
        let mut paths = Vec::new();
        let spine = package.find("spine");
        for item in spine.iter().flat_map(|spine| spine.elements()).filter(|item| item.name == "itemref") {
            let found = item.attribute("idref").and_then(|id| self.items.get(id));
            if let Some((path, properties)) = found
                && !properties.split_whitespace().any(|property| property == "nav")
            {
                paths.push(path.clone());
            }
        }
        paths
    }

    /// What the table of contents calls each file: from the navigation document, or from the older NCX.
    fn labels(&self, package: &Element, book: &mut Book<'_>) -> HashMap<String, String> {
        let mut labels = HashMap::new();
        let nav =
            self.items.values().find(|(_, properties)| properties.split_whitespace().any(|one| one == "nav"));
        if let Some((path, _)) = nav
            && let Some(text) = book.part(path)
        {
            tree::read(&text).root.each("a", &mut |link| {
                if let Some(href) = link.attribute("href") {
                    labels.entry(resolved(path, href)).or_insert_with(|| link.text());
                }
            });
        }
        let ncx =
            package.find("spine").and_then(|spine| spine.attribute("toc")).and_then(|id| self.items.get(id));
        if let Some((path, _)) = ncx
            && let Some(text) = book.part(path)
        {
            tree::read(&text).root.each("navPoint", &mut |point| {
                let href = point.child("content").and_then(|content| content.attribute("src"));
                if let (Some(href), Some(label)) = (href, point.child("navLabel")) {
                    labels.entry(resolved(path, href)).or_insert_with(|| label.text());
                }
            });
        }
        labels
    }
}

/// A reference made a path inside the archive: relative to the file it stands in, percent signs read, no fragment.
fn resolved(from: &str, href: &str) -> String {
    let href = href.split(['#', '?']).next().unwrap_or_default();
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    percent_decoded(&parts.join("/"))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn book(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    const CONTAINER: &str =
        "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>";

    #[test]
    fn chapters_come_in_the_order_of_the_spine_with_headings_from_the_navigation() {
        let package = "<package><metadata><dc:title>Book</dc:title><dc:creator>Ann</dc:creator><dc:language>en</dc:language></metadata>\
            <manifest><item id='n' href='nav.xhtml' properties='nav'/><item id='b' href='text/b%20one.xhtml'/><item id='a' href='text/a.xhtml'/></manifest>\
            <spine><itemref idref='n'/><itemref idref='b'/><itemref idref='a'/><itemref idref='gone'/></spine></package>";
        let nav =
            "<html><body><nav><ol><li><a href='text/b%20one.xhtml#x'>First</a></li></ol></nav></body></html>";
        let data = book(&[
            ("META-INF/container.xml", CONTAINER),
            ("OPS/book.opf", package),
            ("OPS/nav.xhtml", nav),
            ("OPS/text/a.xhtml", "<html><body><h1>Second</h1><p>two</p></body></html>"),
            (
                "OPS/text/b one.xhtml",
                "<html><head><title/></head><body><a id='x'/><p>one<br/></p></body></html>",
            ),
        ]);
        let document = parse(&data, &ParseOptions::default()).unwrap();
        let texts: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["Book", "First", "one", "Second", "two"]);
        assert_eq!(document.metadata.author.as_deref(), Some("Ann"));
    }

    #[test]
    fn a_missing_chapter_is_a_warning() {
        let package = "<package><manifest><item id='a' href='a.xhtml'/><item id='b' href='b.xhtml'/></manifest>\
            <spine><itemref idref='a'/><itemref idref='b'/></spine></package>";
        let data = book(&[
            ("META-INF/container.xml", CONTAINER),
            ("OPS/book.opf", package),
            ("OPS/b.xhtml", "<html><body><p>here</p></body></html>"),
        ]);
        let document = parse(&data, &ParseOptions::default()).unwrap();
        assert_eq!(document.blocks[0].text, "here");
        assert_eq!(document.warnings[0].code, warning::PARTLY_DAMAGED);
    }
}
