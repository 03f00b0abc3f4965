//! Documents in XML: what has titles, sections and paragraphs, by whatever names the common vocabularies give them.

use super::{table, text_of};
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::markup::tree::{Element, Node, one_line};

/// The highest level that a section's heading may have.
const MAX_LEVEL: u8 = 6;
/// A document has at least this many paragraphs for each hundred elements; data has none.
const MIN_PARAGRAPHS_PER_HUNDRED: usize = 2;

/// Whether the element is a document, and not data.
pub(super) fn is_prose(top: &Element) -> bool {
    let (mut paragraphs, mut all) = (0, 0);
    count(top, &mut paragraphs, &mut all);
    paragraphs > 0 && paragraphs * 100 >= all * MIN_PARAGRAPHS_PER_HUNDRED
}

fn count(element: &Element, paragraphs: &mut usize, all: &mut usize) {
    *all += 1;
    *paragraphs += usize::from(matches!(role(element), Role::Paragraph | Role::Heading | Role::Section));
    element.elements().for_each(|child| count(child, paragraphs, all));
}

/// What an element is to a reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Has a title and what belongs under it.
    Section,
    Title,
    /// A heading that stands beside what it is about (patents).
    Heading,
    Paragraph,
    List,
    Item,
    Code,
    Caption,
    Footnote,
    /// Not for readers: identifiers, formulas in a second form, publishing data.
    Hidden,
    /// Part of the text around it.
    Inline,
    Container,
}

fn role(element: &Element) -> Role {
    // Old patents are in capitals.
    match element.name.to_ascii_lowercase().as_str() {
        "sec" | "section" | "sect1" | "sect2" | "sect3" | "sect4" | "sect5" | "chapter" | "appendix"
        | "preface" | "part" | "abstract" | "ack" | "app" | "ref-list" | "boxed-text" | "topic"
        | "concept" | "task" | "reference" | "article" | "book" | "notes" | "glossary" | "bibliography"
        | "refsect1" | "refsection" | "fn-group" | "simplesect" | "sdoab" | "subdoc-abstract" => {
            Role::Section
        }
        "title" | "article-title" | "invention-title" | "title-of-invention" | "b540" => Role::Title,
        "heading" | "bridgehead" | "subtitle" | "h" => Role::Heading,
        "p" | "para" | "simpara" | "paragraph" | "formalpara" | "attrib" | "shortdesc" | "claim-text"
        | "verse-line" | "line" => Role::Paragraph,
        "list" | "itemizedlist" | "orderedlist" | "ul" | "ol" | "variablelist" | "simplelist"
        | "def-list" => Role::List,
        "list-item" | "listitem" | "li" | "ref" | "varlistentry" | "member" | "def-item" | "biblioentry"
        | "step" => Role::Item,
        "programlisting" | "screen" | "code-block" | "codeblock" | "preformat" | "literallayout" => {
            Role::Code
        }
        "caption" | "figcaption" => Role::Caption,
        "fn" | "footnote" => Role::Footnote,
        "journal-meta"
        | "article-id"
        | "pub-date"
        | "history"
        | "permissions"
        | "self-uri"
        | "counts"
        | "article-categories"
        | "custom-meta-group"
        | "funding-group"
        | "volume"
        | "issue"
        | "elocation-id"
        | "fpage"
        | "lpage"
        | "object-id"
        | "math"
        | "maths"
        | "graphic"
        | "processing-meta"
        | "pub-id"
        | "us-bibliographic-data-grant"
        | "us-bibliographic-data-application"
        | "subdoc-bibliographic-information"
        | "sdobi"
        | "contrib-group"
        | "aff"
        | "drawings"
        | "info"
        | "bookinfo"
        | "articleinfo"
        | "indexterm"
        | "tex-math"
        | "author-notes"
        | "xref-group"
        | "related-article"
        | "kwd-group"
        | "prolog"
        | "related-links"
        | "us-sequence-list-doc"
        | "description-of-drawings-processing"
        | "sequence-list" => Role::Hidden,
        name => inline_or_container(name),
    }
}

fn inline_or_container(name: &str) -> Role {
    match name {
        "italic"
        | "bold"
        | "sup"
        | "sub"
        | "xref"
        | "ext-link"
        | "sc"
        | "monospace"
        | "underline"
        | "emphasis"
        | "link"
        | "ulink"
        | "literal"
        | "command"
        | "filename"
        | "b"
        | "i"
        | "u"
        | "a"
        | "em"
        | "strong"
        | "code"
        | "styled-content"
        | "named-content"
        | "email"
        | "uri"
        | "inline-formula"
        | "o"
        | "figref"
        | "claim-ref"
        | "highlight"
        | "superscript"
        | "subscript"
        | "cross-reference"
        | "patcit"
        | "crossref"
        | "quote"
        | "span"
        | "smallcaps"
        | "dependent-claim-reference"
        | "br"
        | "ph"
        | "term"
        | "codeph"
        | "sb"
        | "sp"
        | "ptext"
        | "pdat"
        | "hil" => Role::Inline,
        _ => Role::Container,
    }
}

/// Reads the document into the builder.
pub(super) fn read(top: &Element, builder: &mut DocumentBuilder) {
    let mut reader = Reader { builder, level: 0, list_depth: 0 };
    reader.front(top);
    reader.children(top);
}

struct Reader<'b> {
    builder: &'b mut DocumentBuilder,
    /// Level of the headings that were opened around the current place.
    level: u8,
    list_depth: u8,
}

impl Reader<'_> {
    /// The title and the people, which vocabularies hide among publishing data.
    fn front(&mut self, top: &Element) {
        let title = ["article-title", "invention-title", "title-of-invention", "B540"]
            .into_iter()
            .find_map(|name| top.find(name))
            .or_else(|| {
                ["info", "bookinfo", "articleinfo"]
                    .into_iter()
                    .find_map(|name| top.child(name)?.child("title"))
            })
            .or_else(|| top.child("title"));
        let title = text_of(title);
        if !title.is_empty() {
            self.builder.document().title = Some(title.clone());
            self.builder.push(Block::new(BlockKind::Heading { level: 1 }, title, None));
            self.level = 1;
        }
        let Some(meta) = top.find("article-meta") else { return };
        let mut authors = Vec::new();
        meta.each("contrib", &mut |person| {
            if let Some(name) = person.find("name") {
                let part = |part| text_of(name.child(part));
                let full = format!("{} {}", part("given-names"), part("surname"));
                authors.push(full.trim().to_owned());
            }
        });
        let mut places = Vec::new();
        meta.each("aff", &mut |place| {
            let words = place.elements().filter(|child| child.name == "label").map(Element::text);
            let label = words.collect::<String>();
            let text = place.text();
            places.push(text.strip_prefix(&label).unwrap_or(&text).trim().to_owned());
        });
        self.builder.document().metadata.author = (!authors.is_empty()).then(|| authors.join(", "));
        self.paragraph(BlockKind::Paragraph, &authors.join(", "));
        self.paragraph(BlockKind::Paragraph, &places.join("; "));
    }

    fn children(&mut self, element: &Element) {
        let mut running = String::new();
        for child in &element.children {
            if self.builder.is_full() {
                return;
            }
            match child {
                Node::Text(text) => running.push_str(text),
                Node::Element(inline) if role(inline) == Role::Inline => running.push_str(&inline.raw_text()),
                Node::Element(block) => {
                    self.paragraph(BlockKind::Paragraph, &std::mem::take(&mut running));
                    self.element(block);
                }
            }
        }
        self.paragraph(BlockKind::Paragraph, &running);
    }

    fn element(&mut self, element: &Element) {
        if table::is_table(element) {
            let title = text_of(element.child("title"));
            self.paragraph(BlockKind::Figure, &title);
            table::push(element, self.builder);
            return;
        }
        match role(element) {
            Role::Hidden | Role::Title | Role::Inline => {}
            Role::Section => self.section(element),
            Role::Heading => self.heading(element),
            Role::Paragraph => self.mixed(element, BlockKind::Paragraph),
            Role::List => {
                self.list_depth += 1;
                self.children(element);
                self.list_depth -= 1;
            }
            Role::Item => self.item(element),
            Role::Code => {
                let text = element.raw_text().trim_matches('\n').to_owned();
                let language = element.attribute("language").map(str::to_owned);
                self.builder.push(Block::new(BlockKind::Code { language }, text, None));
            }
            Role::Caption => self.paragraph(BlockKind::Figure, &spaced_text(element)),
            Role::Footnote => self.paragraph(BlockKind::Footnote, &spaced_text(element)),
            Role::Container => self.container(element),
        }
    }

    fn section(&mut self, element: &Element) {
        let outer = self.level;
        let title = match (text_of(element.child("title")), element.name.as_str()) {
            (title, _) if !title.is_empty() => title,
            (_, "abstract" | "SDOAB" | "subdoc-abstract") => "Abstract".to_owned(),
            (_, "ref-list") => "References".to_owned(),
            _ => String::new(),
        };
        let label = text_of(element.child("label"));
        let is_document_title = self.builder.document().title.as_deref() == Some(title.as_str());
        if !title.is_empty() && !is_document_title {
            self.level = (outer + 1).min(MAX_LEVEL);
            let title = if label.is_empty() { title } else { format!("{label} {title}") };
            self.paragraph(BlockKind::Heading { level: self.level }, &title);
        }
        self.children(element);
        self.level = outer;
    }

    /// A heading of a patent says its own level.
    fn heading(&mut self, element: &Element) {
        let stated = element
            .attribute("level")
            .or_else(|| element.attribute("lvl"))
            .or_else(|| element.attribute("LVL"));
        let level = stated.and_then(|level| level.parse::<u8>().ok()).unwrap_or(1);
        let level = self.level.max(1).saturating_add(level).clamp(2, MAX_LEVEL);
        self.paragraph(BlockKind::Heading { level }, &element.text());
    }

    /// Labels and captions of figures and tables go before what they label.
    fn container(&mut self, element: &Element) {
        let is_float = matches!(element.name.as_str(), "table-wrap" | "fig" | "figure" | "tables");
        if !is_float {
            self.children(element);
            return;
        }
        let label = text_of(element.child("label"));
        let caption =
            element.child("caption").or_else(|| element.child("title")).map(spaced_text).unwrap_or_default();
        self.paragraph(BlockKind::Figure, &format!("{label} {caption}"));
        for child in
            element.elements().filter(|child| !matches!(child.name.as_str(), "label" | "caption" | "title"))
        {
            self.element(child);
        }
    }

    fn item(&mut self, element: &Element) {
        let depth = self.list_depth.saturating_sub(1);
        let label = text_of(element.child("label"));
        let mark = if label.is_empty() { "-".to_owned() } else { label };
        let nested: Vec<&Element> =
            element.elements().filter(|child| role(child) == Role::List || table::is_table(child)).collect();
        let own: String = element
            .children
            .iter()
            .map(|child| match child {
                Node::Text(text) => text.clone(),
                Node::Element(child)
                    if child.name == "label" || nested.iter().any(|one| std::ptr::eq(*one, child)) =>
                {
                    String::new()
                }
                Node::Element(child) => format!("{} ", spaced_text(child)),
            })
            .collect();
        if !own.trim().is_empty() {
            self.paragraph(BlockKind::ListItem { depth }, &format!("{mark} {own}"));
        }
        nested.into_iter().for_each(|child| self.element(child));
    }

    /// A paragraph that lists and tables may stand in: its running text before and after them is a paragraph each.
    fn mixed(&mut self, element: &Element, kind: BlockKind) {
        let mut running = String::new();
        for child in &element.children {
            match child {
                Node::Text(text) => running.push_str(text),
                Node::Element(child) => {
                    let breaks =
                        matches!(role(child), Role::List | Role::Code | Role::Paragraph | Role::Footnote)
                            || table::is_table(child)
                            || matches!(child.name.as_str(), "table-wrap" | "fig" | "figure" | "tables");
                    if breaks {
                        self.paragraph(kind.clone(), &std::mem::take(&mut running));
                        self.element(child);
                    } else if role(child) != Role::Hidden {
                        running.push_str(&child.raw_text());
                    }
                }
            }
        }
        self.paragraph(kind, &running);
    }

    fn paragraph(&mut self, kind: BlockKind, text: &str) {
        self.builder.push(Block::new(kind, one_line(text), None));
    }
}

/// The text with a space between elements that are not part of one word.
fn spaced_text(element: &Element) -> String {
    let mut text = String::new();
    push_spaced(element, &mut text);
    one_line(&text)
}

fn push_spaced(element: &Element, text: &mut String) {
    for child in &element.children {
        match child {
            Node::Text(piece) => text.push_str(piece),
            Node::Element(child) if role(child) == Role::Inline => text.push_str(&child.raw_text()),
            Node::Element(child) if role(child) == Role::Hidden => {}
            Node::Element(child) => {
                push_spaced(child, text);
                text.push(' ');
            }
        }
    }
}
