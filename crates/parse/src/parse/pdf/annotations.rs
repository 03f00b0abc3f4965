//! What stands on a page beside its content: values of form fields, comments, links.

use hayro_interpret::hayro_syntax::object::{self, Array, Dict, Name, Object, Rect};
use hayro_interpret::hayro_syntax::page::Page;

use super::geometry::PageFrame;
use super::structure::{Attachments, decode};
use crate::clean;

/// Annotations of a page that are read.
const MAX_PER_PAGE: usize = 5_000;
/// A field's properties may stand in one of so many fields above it.
const MAX_FIELD_DEPTH: usize = 16;
/// Longer comments and values are cut (characters).
const MAX_CHARACTERS: usize = 20_000;
/// Choices of a list field that are taken.
const MAX_CHOICES: usize = 200;
/// Annotation flags (ISO 32000-1, 12.5.3): hidden, not to be viewed.
const HIDDEN: i32 = 1 << 1 | 1 << 5;
/// Field flag: the value is a password.
const PASSWORD_FIELD: i32 = 1 << 13;

/// A text and where it stands: left, top, right, bottom on the displayed page, points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) bounds: [f32; 4],
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comment {
    pub(super) author: Option<String>,
    pub(super) placed: Placed,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Annotations {
    /// Values of text and choice fields. Most files also draw them: see [`super::layout::page`].
    pub(super) values: Vec<Placed>,
    pub(super) comments: Vec<Comment>,
    /// Addresses outside of the document.
    pub(super) links: Vec<Placed>,
}

/// The annotations of a page; files that hang on it go into `attachments`.
pub(super) fn read(page: &Page<'_>, frame: &PageFrame, attachments: &mut Attachments) -> Annotations {
    let mut found = Annotations::default();
    let Some(annotations) = page.raw().get::<Array<'_>>(b"Annots".as_slice()) else { return found };
    for annotation in annotations.iter::<Dict<'_>>().take(MAX_PER_PAGE) {
        let hidden = annotation.get::<i32>(b"F".as_slice()).unwrap_or(0) & HIDDEN != 0;
        let (Some(kind), Some(rect)) =
            (annotation.get::<Name<'_>>(b"Subtype".as_slice()), annotation.get::<Rect>(b"Rect".as_slice()))
        else {
            continue;
        };
        let bounds = displayed(frame, rect);
        let kind = kind.as_ref();
        match kind {
            b"Widget" if !hidden => {
                found.values.extend(value(&annotation).map(|text| Placed { text, bounds }))
            }
            b"Link" => found.links.extend(address(&annotation).map(|text| Placed { text, bounds })),
            // A popup shows the text of its parent.
            b"Widget" | b"Popup" | b"PrinterMark" | b"TrapNet" | b"Watermark" => {}
            b"FreeText" if annotation.contains_key(b"AP".as_slice()) => {}
            _ if hidden => {}
            _ => {
                if kind == b"FileAttachment"
                    && let Some(file) = annotation.get::<Dict<'_>>(b"FS".as_slice())
                {
                    attachments.take(&file, None);
                }
                if let Some(text) = text(&annotation, b"Contents") {
                    let author = text_line(&annotation, b"T").filter(|_| kind != b"FreeText");
                    found.comments.push(Comment { author, placed: Placed { text, bounds } });
                }
            }
        }
    }
    found
}

fn displayed(frame: &PageFrame, rect: Rect) -> [f32; 4] {
    let (x0, y0) = frame.point(rect.x0 as f32, rect.y0 as f32);
    let (x1, y1) = frame.point(rect.x1 as f32, rect.y1 as f32);
    let size = frame.size();
    [
        x0.min(x1).clamp(0.0, size.width),
        y0.min(y1).clamp(0.0, size.height),
        x0.max(x1).clamp(0.0, size.width),
        y0.max(y1).clamp(0.0, size.height),
    ]
}

/// What is filled into a text or choice field.
fn value(field: &Dict<'_>) -> Option<String> {
    let kind = inherited(field, |field| field.get::<Name<'_>>(b"FT".as_slice()))?;
    let flags = inherited(field, |field| field.get::<i32>(b"Ff".as_slice())).unwrap_or(0);
    let is_text = kind.as_ref() == b"Tx" && flags & PASSWORD_FIELD == 0;
    if !(is_text || kind.as_ref() == b"Ch") {
        return None;
    }
    match inherited(field, |field| field.get::<Object<'_>>(b"V".as_slice()))? {
        Object::String(value) => cleaned(&decode(&value)),
        Object::Stream(stream) => cleaned(&decode(&stream.decoded_data().ok()?)),
        Object::Array(choices) => {
            let choices: Vec<String> = choices
                .iter::<object::String<'_>>()
                .take(MAX_CHOICES)
                .filter_map(|choice| cleaned(&decode(&choice)))
                .collect();
            (!choices.is_empty()).then(|| choices.join(", "))
        }
        _ => None,
    }
}

/// A field's property, from the field itself or from one of those above it.
fn inherited<'a, T>(field: &Dict<'a>, get: impl Fn(&Dict<'a>) -> Option<T>) -> Option<T> {
    let mut field = field.clone();
    for _ in 0..MAX_FIELD_DEPTH {
        if let Some(found) = get(&field) {
            return Some(found);
        }
        field = field.get::<Dict<'a>>(b"Parent".as_slice())?;
    }
    None
}

fn address(link: &Dict<'_>) -> Option<String> {
    let action = link.get::<Dict<'_>>(b"A".as_slice())?;
    let address = action.get::<object::String<'_>>(b"URI".as_slice())?;
    let address = String::from_utf8_lossy(&address).trim().to_owned();
    let is_outside =
        ["http://", "https://", "mailto:", "ftp://"].iter().any(|scheme| address.starts_with(scheme));
    (is_outside && address.len() <= 2_000).then_some(address)
}

fn text(dictionary: &Dict<'_>, key: &[u8]) -> Option<String> {
    cleaned(&decode(&dictionary.get::<object::String<'_>>(key)?))
}

fn text_line(dictionary: &Dict<'_>, key: &[u8]) -> Option<String> {
    text(dictionary, key).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn cleaned(text: &str) -> Option<String> {
    let text = clean::normalise(&text.replace("\r\n", "\n").replace('\r', "\n"));
    let text: String = text.trim().chars().take(MAX_CHARACTERS).collect();
    (!text.is_empty()).then_some(text)
}
