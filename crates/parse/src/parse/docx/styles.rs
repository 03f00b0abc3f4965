//! What paragraph styles say about outline levels and numbering.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::parse::tree::{Element, Tree};
use crate::parse::xml;

/// A style is based on another, and that on another; longer chains are loops.
const MAX_CHAIN: usize = 32;

/// What a paragraph, or a style, states of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    /// 0 to 8 are levels of the outline, 9 is body text.
    pub(super) outline: Option<u8>,
    /// 0 means no numbering.
    pub(super) number_id: Option<u32>,
    pub(super) number_level: Option<u8>,
}

impl Properties {
    /// What this leaves open is taken from the other.
    fn or(mut self, other: &Self) -> Self {
        self.outline = self.outline.or(other.outline);
        self.number_level =
            self.number_level.or(if self.number_id.is_none() { other.number_level } else { None });
        self.number_id = self.number_id.or(other.number_id);
        self
    }

    /// Reads an element inside `w:pPr`.
    pub(super) fn read(&mut self, element: &quick_xml::events::BytesStart<'_>) {
        match element.name().as_ref() {
            b"w:outlineLvl" => self.outline = xml::number(element),
            b"w:numId" => self.number_id = xml::number(element),
            b"w:ilvl" => self.number_level = xml::number(element),
            _ => {}
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// Of paragraphs that name no style.
    default: Option<String>,
}

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    own: Properties,
}

impl Styles {
    pub(super) fn parse(text: &str) -> Result<Self, quick_xml::Error> {
        let mut styles = Self::default();
        let mut current: Option<(String, Style)> = None;
        let mut in_paragraph_properties = false;
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event()? {
                Event::Start(element) | Event::Empty(element) if element.name().as_ref() == b"w:style" => {
                    let id = xml::attribute(&element, "w:styleId").unwrap_or_default();
                    let is_paragraph =
                        xml::attribute(&element, "w:type").is_some_and(|kind| kind == "paragraph");
                    if is_paragraph
                        && xml::attribute(&element, "w:default").is_some_and(|on| on == "1" || on == "true")
                    {
                        styles.default = Some(id.clone());
                    }
                    current = is_paragraph.then(|| (id, Style::default()));
                }
                Event::Start(element) if element.name().as_ref() == b"w:pPr" => {
                    in_paragraph_properties = true
                }
                Event::End(element) if element.name().as_ref() == b"w:pPr" => in_paragraph_properties = false,
                Event::Start(element) | Event::Empty(element) => {
                    if let Some((_, style)) = &mut current {
                        if element.name().as_ref() == b"w:basedOn" {
                            style.based_on = xml::value(&element);
                        } else if in_paragraph_properties {
                            style.own.read(&element);
                        }
                    }
                }
                Event::End(element) if element.name().as_ref() == b"w:style" => {
                    styles.styles.extend(current.take())
                }
                Event::Eof => return Ok(styles),
                _ => {}
            }
        }
    }

    /// A paragraph's properties, with what its style and the styles below that say.
    pub(super) fn resolve(&self, own: &Properties, style: Option<&str>) -> Properties {
        let mut resolved = own.clone();
        let mut next = style.or(self.default.as_deref());
        for _ in 0..MAX_CHAIN {
            let Some(style) = next.and_then(|id| self.styles.get(id)) else { break };
            resolved = resolved.or(&style.own);
            next = style.based_on.as_deref();
        }
        resolved
    }
}

/// Levels of styles that are headings by name, for programs that set no outline level.
pub(super) fn heading_styles(tree: &Tree) -> HashMap<String, u8> {
    let styles: Vec<Element<'_>> =
        tree.root().into_iter().flat_map(|root| root.children_named("style")).collect();
    let value = |style: &Element<'_>, name: &str| {
        style.child(name).and_then(|child| child.attribute("val")).map(str::to_lowercase)
    };
    let by_id: HashMap<String, &Element<'_>> =
        styles.iter().filter_map(|style| Some((style.attribute("styleId")?.to_lowercase(), style))).collect();
    let level = |start: &Element<'_>| {
        let mut style = *start;
        for _ in 0..MAX_CHAIN {
            let name = value(&style, "name").unwrap_or_default();
            if name == "title" || name == "标题" {
                return Some(1);
            }
            let number = name.strip_prefix("heading").or_else(|| name.strip_prefix("标题"));
            if let Some(level) = number.and_then(|number| number.trim().parse::<u8>().ok()) {
                return (1..=9).contains(&level).then_some(level);
            }
            style = **by_id.get(&value(&style, "basedOn")?)?;
        }
        None
    };
    styles.iter().filter_map(|style| Some((style.attribute("styleId")?.to_owned(), level(style)?))).collect()
}
