//! What the XML says about each paragraph that the libraries' models lose.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::numbering::{Counters, Numbering};
use super::styles::{Properties, Styles};
use crate::parse::package::Package;
use crate::parse::xml;

/// So many paragraphs ahead the paragraph of a model is looked for.
const LOOK_AHEAD: usize = 400;
/// Paragraphs beyond are not noted.
const MAX_PARAGRAPHS: usize = 500_000;

/// What is known of one paragraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ParagraphNotes {
    /// 1 is the highest.
    pub(super) outline_level: Option<u8>,
    /// With the space that belongs behind it.
    pub(super) label: Option<String>,
    /// From 1, where Word last broke the text into pages.
    pub(super) page: Option<u32>,
}

/// The notes of all paragraphs in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    paragraphs: Vec<(String, ParagraphNotes)>,
    cursor: usize,
}

impl Overlay {
    pub(super) fn read(package: &mut Package<'_>) -> Result<Self, String> {
        let text = package.text("word/document.xml").ok_or("no main part")?;
        let styles = package
            .text("word/styles.xml")
            .map(|text| Styles::parse(&text))
            .transpose()
            .map_err(|error| error.to_string())?;
        let numbering = package
            .text("word/numbering.xml")
            .map(|text| Numbering::parse(&text))
            .transpose()
            .map_err(|error| error.to_string())?;
        Self::parse(&text, &styles.unwrap_or_default(), &numbering.unwrap_or_default())
            .map_err(|error| error.to_string())
    }

    fn parse(text: &str, styles: &Styles, numbering: &Numbering) -> Result<Self, quick_xml::Error> {
        let mut walker = Walker::new(styles, numbering);
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event()? {
                Event::Start(element) => walker.start(&element),
                Event::Empty(element) => {
                    walker.start(&element);
                    walker.end(element.name().as_ref());
                }
                Event::End(element) => walker.end(element.name().as_ref()),
                Event::Text(text) => walker.text(&text.decode().unwrap_or_default()),
                Event::GeneralRef(reference) => {
                    if let Some(character) = xml::referenced(&reference) {
                        walker.text(character.encode_utf8(&mut [0; 4]));
                    }
                }
                Event::Eof => break,
                _ => {}
            }
            if walker.done.len() >= MAX_PARAGRAPHS {
                break;
            }
        }
        Ok(walker.finish())
    }

    /// The notes of the next paragraph with this text; none when it cannot be found again.
    pub(super) fn next(&mut self, text: &str) -> ParagraphNotes {
        let key = key(text);
        if key.is_empty() {
            return ParagraphNotes::default();
        }
        let ahead =
            self.paragraphs.iter().skip(self.cursor).take(LOOK_AHEAD).position(|(other, _)| *other == key);
        match ahead {
            Some(distance) => {
                self.cursor += distance + 1;
                self.paragraphs[self.cursor - 1].1.clone()
            }
            None => ParagraphNotes::default(),
        }
    }
}

/// Texts compare without white space, and without what a model may put in for notes.
fn key(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("[^") {
        out.extend(rest[..at].chars().filter(|c| !c.is_whitespace()));
        let Some(end) = rest[at..].find(']') else { break };
        rest = &rest[at + end + 1..];
    }
    out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    out
}

struct Walker<'s> {
    styles: &'s Styles,
    numbering: &'s Numbering,
    counters: Counters,
    /// By the order in which paragraphs begin.
    done: Vec<Option<(String, ParagraphNotes)>>,
    /// Paragraphs can hold text boxes with paragraphs in them.
    open: Vec<OpenParagraph>,
    page: u32,
    saw_page_break: bool,
    rows: Vec<RowPages>,
    in_paragraph_properties: bool,
    /// Change marks hold former properties; depth of elements that are skipped.
    skip_depth: usize,
    in_text: bool,
}

struct OpenParagraph {
    place: usize,
    text: String,
    style: Option<String>,
    own: Properties,
    page: Option<u32>,
}

/// Each cell of a row that runs over a page break says so; the row counts once.
struct RowPages {
    begins: u32,
    ends: u32,
}

impl<'s> Walker<'s> {
    fn new(styles: &'s Styles, numbering: &'s Numbering) -> Self {
        Self {
            styles,
            numbering,
            counters: Counters::default(),
            done: Vec::new(),
            open: Vec::new(),
            page: 1,
            saw_page_break: false,
            rows: Vec::new(),
            in_paragraph_properties: false,
            skip_depth: 0,
            in_text: false,
        }
    }

    fn is_skipped(name: &[u8]) -> bool {
        matches!(name, b"mc:Fallback" | b"w:pPrChange" | b"w:rPrChange" | b"w:del" | b"w:moveFrom")
    }

    fn start(&mut self, element: &BytesStart<'_>) {
        let name = element.name();
        if Self::is_skipped(name.as_ref()) {
            self.skip_depth += 1;
        }
        if self.skip_depth > 0 {
            return;
        }
        match name.as_ref() {
            b"w:p" => {
                self.done.push(None);
                let place = self.done.len() - 1;
                self.open.push(OpenParagraph {
                    place,
                    text: String::new(),
                    style: None,
                    own: Properties::default(),
                    page: None,
                });
            }
            b"w:pPr" => self.in_paragraph_properties = true,
            b"w:pStyle" => {
                if let Some(paragraph) = self.open.last_mut() {
                    paragraph.style = xml::value(element);
                }
            }
            b"w:t" => self.in_text = true,
            b"w:noBreakHyphen" => self.text_run("-"),
            b"w:lastRenderedPageBreak" => {
                self.page += 1;
                self.saw_page_break = true;
            }
            b"w:tr" => self.rows.push(RowPages { begins: self.page, ends: self.page }),
            b"w:tc" => {
                if let Some(row) = self.rows.last() {
                    self.page = row.begins;
                }
            }
            _ if self.in_paragraph_properties => {
                if let Some(paragraph) = self.open.last_mut() {
                    paragraph.own.read(element);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        if Self::is_skipped(name) {
            self.skip_depth = self.skip_depth.saturating_sub(1);
            return;
        }
        if self.skip_depth > 0 {
            return;
        }
        match name {
            b"w:pPr" => self.in_paragraph_properties = false,
            b"w:t" => self.in_text = false,
            b"w:p" => self.close_paragraph(),
            b"w:tc" => {
                if let Some(row) = self.rows.last_mut() {
                    row.ends = row.ends.max(self.page);
                }
            }
            b"w:tr" => {
                if let Some(row) = self.rows.pop() {
                    self.page = row.ends;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && self.skip_depth == 0 {
            self.text_run(text);
        }
    }

    fn text_run(&mut self, text: &str) {
        let page = self.page;
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.page = paragraph.page.or(Some(page));
            paragraph.text.push_str(text);
        }
    }

    fn close_paragraph(&mut self) {
        let Some(paragraph) = self.open.pop() else { return };
        let properties = self.styles.resolve(&paragraph.own, paragraph.style.as_deref());
        // An empty paragraph shows its number too, and counts.
        let label = properties.number_id.filter(|&id| id != 0).and_then(|id| {
            let by_style =
                || paragraph.style.as_deref().and_then(|style| self.numbering.level_of_style(id, style));
            let level = paragraph.own.number_level.or_else(by_style).or(properties.number_level).unwrap_or(0);
            self.counters.next(self.numbering, id, level)
        });
        let notes = ParagraphNotes {
            outline_level: properties.outline.filter(|&level| level <= 8).map(|level| level + 1),
            label,
            page: paragraph.page.or(Some(self.page)),
        };
        self.done[paragraph.place] = Some((key(&paragraph.text), notes));
    }

    fn finish(self) -> Overlay {
        let mut paragraphs: Vec<(String, ParagraphNotes)> =
            self.done.into_iter().flatten().filter(|(text, _)| !text.is_empty()).collect();
        if !self.saw_page_break {
            // Explicit breaks alone would count too few pages: no number is better than a wrong one.
            paragraphs.iter_mut().for_each(|(_, notes)| notes.page = None);
        }
        Overlay { paragraphs, cursor: 0 }
    }
}
