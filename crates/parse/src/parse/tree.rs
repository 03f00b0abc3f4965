//! A small XML tree for office formats: elements by local name, text, nothing else. Namespaces are not resolved, since
//! local names are unambiguous where they are looked for, and since files with odd prefixes are read so as well.
//! Entities of a document type are not expanded. What is damaged ends the tree; what was read before stays.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::xml;

/// Elements nested deeper are left out.
const MAX_DEPTH: usize = 256;
/// Nodes beyond are left out.
const MAX_NODES: usize = 8_000_000;
/// Names beyond are one: no schema has so many.
const MAX_NAMES: usize = u16::MAX as usize - 1;

const TEXT: u16 = u16::MAX;
const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    /// [`TEXT`] for text.
    name: u16,
    first_child: u32,
    next: u32,
    /// Text: a range of the strings. Elements: a range of the attributes.
    start: u32,
    end: u32,
}

#[derive(Debug)]
struct Attribute {
    name: u16,
    is_prefixed: bool,
    start: u32,
    end: u32,
}

/// An XML document, its first element being the root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    names: Vec<Box<str>>,
    strings: String,
    is_damaged: bool,
}

/// An element of a [`Tree`].
#[derive(Clone, Copy)]
pub(super) struct Element<'t> {
    tree: &'t Tree,
    id: u32,
}

/// What an element holds, in order.
pub(super) enum Content<'t> {
    Element(Element<'t>),
    Text(&'t str),
}

impl Tree {
    /// Reads as much as can be read.
    pub(super) fn parse(text: &str) -> Self {
        let mut builder = Builder::default();
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_dangling_amp = true;
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => builder.open(&element),
                Ok(Event::Empty(element)) => {
                    builder.open(&element);
                    builder.close();
                }
                Ok(Event::End(_)) => builder.close(),
                Ok(Event::Text(text)) => builder.text(&text.decode().unwrap_or_default()),
                Ok(Event::CData(text)) => builder.text(&text.decode().unwrap_or_default()),
                Ok(Event::GeneralRef(reference)) => {
                    if let Some(character) = xml::referenced(&reference) {
                        builder.text(character.encode_utf8(&mut [0; 4]));
                    }
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(_) => {
                    builder.tree.is_damaged = true;
                    break;
                }
            }
            if builder.tree.nodes.len() >= MAX_NODES || builder.tree.strings.len() >= NONE as usize / 2 {
                builder.tree.is_damaged = true;
                break;
            }
        }
        builder.tree.is_damaged |= !builder.open.is_empty();
        builder.tree
    }

    /// Whether the document ends before its root does, or was cut.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    pub(super) fn root(&self) -> Option<Element<'_>> {
        let id = self.nodes.iter().position(|node| node.name != TEXT)?;
        Some(Element { tree: self, id: u32::try_from(id).ok()? })
    }

    fn string(&self, start: u32, end: u32) -> &str {
        self.strings.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl<'t> Element<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.id as usize]
    }

    /// What tells it from all others of its tree.
    pub(super) fn identity(self) -> u32 {
        self.id
    }

    /// Without prefix.
    pub(super) fn name(self) -> &'t str {
        self.tree.names.get(usize::from(self.node().name)).map_or("", |name| name)
    }

    /// The value of the first attribute with this local name.
    pub(super) fn attribute(self, name: &str) -> Option<&'t str> {
        self.attribute_that(name, |_| true)
    }

    /// [`Self::attribute`] for one that has a prefix: `r:id` beside `id`.
    pub(super) fn prefixed_attribute(self, name: &str) -> Option<&'t str> {
        self.attribute_that(name, |attribute| attribute.is_prefixed)
    }

    fn attribute_that(self, name: &str, is_meant: impl Fn(&Attribute) -> bool) -> Option<&'t str> {
        let node = self.node();
        let attributes = self.tree.attributes.get(node.start as usize..node.end as usize)?;
        attributes
            .iter()
            .find(|one| {
                is_meant(one) && self.tree.names.get(usize::from(one.name)).is_some_and(|own| **own == *name)
            })
            .map(|one| self.tree.string(one.start, one.end))
    }

    pub(super) fn number<T: std::str::FromStr>(self, name: &str) -> Option<T> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// Elements and texts directly inside.
    pub(super) fn contents(self) -> impl Iterator<Item = Content<'t>> {
        let mut next = self.node().first_child;
        std::iter::from_fn(move || {
            let id = next;
            let node = self.tree.nodes.get(id as usize)?;
            next = node.next;
            Some(if node.name == TEXT {
                Content::Text(self.tree.string(node.start, node.end))
            } else {
                Content::Element(Element { tree: self.tree, id })
            })
        })
    }

    pub(super) fn children(self) -> impl Iterator<Item = Element<'t>> {
        self.contents().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    pub(super) fn children_named(self, name: &'t str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    pub(super) fn child(self, name: &str) -> Option<Element<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// The first element that this path of names leads to.
    pub(super) fn at(self, path: &[&str]) -> Option<Element<'t>> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// All elements inside, in the order of the document.
    pub(super) fn descendants(self) -> impl Iterator<Item = Element<'t>> {
        let mut open: Vec<u32> = vec![self.node().first_child];
        std::iter::from_fn(move || {
            loop {
                let id = open.pop()?;
                let Some(node) = self.tree.nodes.get(id as usize) else { continue };
                open.push(node.next);
                if node.name != TEXT {
                    open.push(node.first_child);
                    return Some(Element { tree: self.tree, id });
                }
            }
        })
    }

    /// The text inside, at any depth.
    pub(super) fn text(self) -> String {
        let mut text = String::new();
        let mut open: Vec<u32> = vec![self.node().first_child];
        while let Some(id) = open.pop() {
            let Some(node) = self.tree.nodes.get(id as usize) else { continue };
            open.push(node.next);
            if node.name == TEXT {
                text.push_str(self.tree.string(node.start, node.end));
            } else {
                open.push(node.first_child);
            }
        }
        text
    }
}

#[derive(Default)]
struct Builder {
    tree: Tree,
    names: HashMap<Box<[u8]>, u16>,
    /// Node and its last child.
    open: Vec<(u32, u32)>,
    /// Open elements that are too deep to be kept.
    too_deep: usize,
}

impl Builder {
    fn name(&mut self, name: &[u8]) -> u16 {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let id = self.tree.names.len().min(MAX_NAMES) as u16;
        if self.tree.names.len() < MAX_NAMES {
            self.names.insert(name.into(), id);
        }
        self.tree.names.push(String::from_utf8_lossy(name).into());
        id
    }

    fn push(&mut self, node: Node) -> u32 {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(node);
        if let Some((parent, last)) = self.open.last_mut() {
            match *last {
                NONE => self.tree.nodes[*parent as usize].first_child = id,
                before => self.tree.nodes[before as usize].next = id,
            }
            *last = id;
        }
        id
    }

    fn open(&mut self, element: &BytesStart<'_>) {
        if self.open.len() >= MAX_DEPTH {
            self.too_deep += 1;
            return;
        }
        let name = self.name(element.local_name().as_ref());
        let start = self.tree.attributes.len() as u32;
        for attribute in element.attributes().with_checks(false).flatten() {
            let name = self.name(attribute.key.local_name().as_ref());
            let is_prefixed = attribute.key.prefix().is_some();
            let from = self.tree.strings.len() as u32;
            if let Ok(value) = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0) {
                self.tree.strings.push_str(&value);
            }
            let to = self.tree.strings.len() as u32;
            self.tree.attributes.push(Attribute { name, is_prefixed, start: from, end: to });
        }
        let end = self.tree.attributes.len() as u32;
        let id = self.push(Node { name, first_child: NONE, next: NONE, start, end });
        self.open.push((id, NONE));
    }

    fn close(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else {
            self.open.pop();
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.is_empty() || self.too_deep > 0 || text.is_empty() {
            return;
        }
        let start = self.tree.strings.len() as u32;
        self.tree.strings.push_str(text);
        let end = self.tree.strings.len() as u32;
        // Text next to text is one: an entity cuts it in pieces.
        if let Some(&(_, last)) = self.open.last()
            && let Some(node) = self.tree.nodes.get_mut(last as usize)
            && node.name == TEXT
            && node.end == start
        {
            node.end = end;
            return;
        }
        self.push(Node { name: TEXT, first_child: NONE, next: NONE, start, end });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_text_are_found_by_local_name() {
        let tree = Tree::parse(
            r#"<?xml version="1.0"?><a:r id="1" r:id="x&amp;y"><b>one &lt;<c/>two</b><b/></a:r>"#,
        );
        let root = tree.root().unwrap();
        assert_eq!(root.name(), "r");
        assert_eq!(root.attribute("id"), Some("1"));
        assert_eq!(root.prefixed_attribute("id"), Some("x&y"));
        assert_eq!(root.text(), "one <two");
        assert_eq!(root.descendants().map(|e| e.name()).collect::<Vec<_>>(), ["b", "c", "b"]);
        assert!(root.at(&["b", "c"]).is_some());
        assert!(!tree.is_damaged());
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let tree = Tree::parse("<r><p>whole</p><p>cut o");
        assert!(tree.is_damaged());
        assert!(tree.root().unwrap().text().starts_with("whole"));
    }

    #[test]
    fn deep_nesting_and_entities_of_a_document_type_are_bounded() {
        let deep = "<a>".repeat(100_000) + "x" + &"</a>".repeat(100_000) + "<b/>";
        let tree = Tree::parse(&deep);
        assert_eq!(tree.root().unwrap().descendants().count(), MAX_DEPTH - 1);
        let bomb = r#"<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><r>x&b;y</r>"#;
        assert_eq!(Tree::parse(bomb).root().unwrap().text(), "xy");
    }
}
