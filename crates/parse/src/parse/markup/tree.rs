//! XML as a tree in memory, for formats that are small and whose order matters less than their structure.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Elements nested deeper are dissolved: their text stays, their names go.
const MAX_DEPTH: usize = 200;
/// More nodes are not kept.
const MAX_NODES: usize = 3_000_000;

/// An element: names are without their prefix.
#[derive(Debug, Default)]
pub(in crate::parse) struct Element {
    pub(in crate::parse) name: String,
    pub(in crate::parse) attributes: Vec<(String, String)>,
    pub(in crate::parse) children: Vec<Node>,
}

#[derive(Debug)]
pub(in crate::parse) enum Node {
    Element(Element),
    Text(String),
}

/// What was read, and whether all of it could be.
#[derive(Debug)]
pub(in crate::parse) struct Tree {
    /// An element without a name whose children are the top of the document.
    pub(in crate::parse) root: Element,
    pub(in crate::parse) complete: bool,
}

impl Element {
    pub(in crate::parse) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(in crate::parse) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child of this name.
    pub(in crate::parse) fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    /// The first element of this name at any depth, in the order of the document.
    pub(in crate::parse) fn find(&self, name: &str) -> Option<&Self> {
        self.elements()
            .find_map(|element| if element.name == name { Some(element) } else { element.find(name) })
    }

    /// Calls `visit` for each element of this name, also for those inside of others.
    pub(in crate::parse) fn each<'a>(&'a self, name: &str, visit: &mut impl FnMut(&'a Self)) {
        for element in self.elements() {
            if element.name == name {
                visit(element);
            }
            element.each(name, visit);
        }
    }

    /// All text inside, as it stands.
    pub(in crate::parse) fn raw_text(&self) -> String {
        let mut text = String::new();
        self.push_text(&mut text);
        text
    }

    fn push_text(&self, text: &mut String) {
        for child in &self.children {
            match child {
                Node::Text(piece) => text.push_str(piece),
                Node::Element(element) => element.push_text(text),
            }
        }
    }

    /// All text inside on one line.
    pub(in crate::parse) fn text(&self) -> String {
        one_line(&self.raw_text())
    }

    pub(in crate::parse) fn is_blank(&self) -> bool {
        self.children.iter().all(|child| match child {
            Node::Text(text) => text.trim().is_empty(),
            Node::Element(element) => element.is_blank(),
        })
    }
}

/// White space collapsed.
pub(in crate::parse) fn one_line(text: &str) -> String {
    let clean = crate::clean::normalise(text);
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads what can be read. An end without a beginning is passed over, what is not closed is closed at the end.
pub(in crate::parse) fn read(text: &str) -> Tree {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut builder = Builder { open: vec![Element::default()], dissolved: 0, nodes: 0 };
    let complete = loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => break false,
        };
        match event {
            Event::Start(start) => builder.start(element_of(&start)),
            Event::Empty(start) => builder.push(Node::Element(element_of(&start))),
            Event::End(_) => builder.end(),
            Event::Text(text) => builder.text(&text.decode().unwrap_or_default()),
            Event::CData(data) => builder.text(&String::from_utf8_lossy(&data.into_inner())),
            Event::GeneralRef(reference) => match super::entities::referenced(&reference) {
                Some(character) => builder.text(character.encode_utf8(&mut [0; 4])),
                None => builder.text(" "),
            },
            Event::Eof => break true,
            _ => {}
        }
        if builder.nodes > MAX_NODES {
            break false;
        }
    };
    Tree { root: builder.finish(), complete }
}

struct Builder {
    open: Vec<Element>,
    /// Elements that are open and too deep to be kept.
    dissolved: usize,
    nodes: usize,
}

impl Builder {
    fn start(&mut self, element: Element) {
        if self.open.len() > MAX_DEPTH {
            self.dissolved += 1;
        } else {
            self.open.push(element);
        }
    }

    fn end(&mut self) {
        if self.dissolved > 0 {
            self.dissolved -= 1;
        } else if self.open.len() > 1
            && let Some(element) = self.open.pop()
        {
            self.push(Node::Element(element));
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Node::Text(before)) = self.open.last_mut().and_then(|element| element.children.last_mut())
        {
            before.push_str(text);
        } else {
            self.push(Node::Text(text.to_owned()));
        }
    }

    fn push(&mut self, node: Node) {
        self.nodes += 1;
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        }
    }

    fn finish(mut self) -> Element {
        while self.open.len() > 1 {
            self.dissolved = 0;
            self.end();
        }
        self.open.pop().unwrap_or_default()
    }
}

fn element_of(start: &BytesStart<'_>) -> Element {
    let local = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let mut all = start.attributes();
    let attributes = all.with_checks(false).flatten().map(|attribute| {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map(|value| value.into_owned());
        (local(attribute.key.local_name().as_ref()), value.unwrap_or_default())
    });
    Element {
        name: local(start.local_name().as_ref()),
        attributes: attributes.collect(),
        children: Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_prefix_and_references_are_read() {
        let tree = read("<?xml version='1.0'?><a:b xml:lang='en'>x &amp; &#x5b89;<c/><![CDATA[<y>]]></a:b>");
        let element = tree.root.child("b").unwrap();
        assert!(tree.complete);
        assert_eq!(element.attribute("lang"), Some("en"));
        assert_eq!(element.text(), "x & 安<y>");
    }

    #[test]
    fn what_is_not_closed_is_kept() {
        let tree = read("<a><b>one</b><b>two");
        assert_eq!(tree.root.find("a").unwrap().text(), "onetwo");
        assert_eq!(tree.root.find("a").unwrap().elements().count(), 2);
    }

    #[test]
    fn deep_nesting_is_dissolved_and_its_text_stays() {
        let depth = 100_000;
        let tree = read(&format!("{}deep{}<z>after</z>", "<a>".repeat(depth), "</a>".repeat(depth)));
        assert_eq!(tree.root.child("a").unwrap().text(), "deep");
        assert_eq!(tree.root.child("z").unwrap().text(), "after");
    }
}
