//! Which fonts are bold or monospaced. The interpreter tells it for most kinds of fonts; of Type 1 fonts it tells
//! nothing, so that their programs are found again among the page's resources by the hash of their content.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use hayro_interpret::font::{OutlineGlyph, StandardFont};
use hayro_interpret::hayro_syntax::object::{Dict, MaybeRef, Name, ObjRef, Object, Stream};
use hayro_interpret::hayro_syntax::page::Resources;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Weight (OpenType scale) from which on a font is bold.
const BOLD_WEIGHT: u32 = 600;
/// Forms within forms that are searched for fonts.
const MAX_FORM_DEPTH: u8 = 4;
/// Fonts and forms of a document that are looked at.
const MAX_VISITED: usize = 20_000;
const FIXED_PITCH_FLAG: u32 = 1;
const FORCE_BOLD_FLAG: u32 = 1 << 18;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) monospaced: bool,
}

/// Styles by font program, for a whole document.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    by_program: HashMap<u128, Style>,
    /// Of Type 1 programs, from the resources that were searched.
    type_one: HashMap<u128, Style>,
    visited: HashSet<ObjRef>,
}

impl Fonts {
    /// The style of a glyph's font. `resources` are searched when a font program is met for the first time.
    pub(super) fn style(&mut self, glyph: &OutlineGlyph, resources: &Resources<'_>) -> Style {
        let key = program_key(glyph);
        if let Some(style) = self.by_program.get(&key) {
            return *style;
        }
        let style = match glyph.font_data() {
            Some(font) => {
                let name = font.postscript_name.unwrap_or_default();
                Style {
                    bold: font.weight.is_some_and(|weight| weight >= BOLD_WEIGHT) || is_bold_name(&name),
                    monospaced: font.is_monospace || is_monospaced_name(&name),
                }
            }
            None => {
                if self.type_one.is_empty() {
                    self.learn_standard_fonts();
                }
                if !self.type_one.contains_key(&key) {
                    self.learn(&resources.fonts, &resources.x_objects, 0);
                }
                // Unknown programs are not asked for again.
                self.type_one.get(&key).copied().unwrap_or_default()
            }
        };
        self.by_program.insert(key, style);
        style
    }

    fn learn_standard_fonts(&mut self) {
        use StandardFont as S;
        let fonts = [
            S::Helvetica,
            S::HelveticaBold,
            S::HelveticaOblique,
            S::HelveticaBoldOblique,
            S::Courier,
            S::CourierBold,
            S::CourierOblique,
            S::CourierBoldOblique,
            S::TimesRoman,
            S::TimesBold,
            S::TimesItalic,
            S::TimesBoldItalic,
        ];
        for font in fonts {
            let (data, index) = font.get_font_data();
            let name = font.postscript_name();
            let style = Style { bold: is_bold_name(name), monospaced: is_monospaced_name(name) };
            self.type_one.insert(content_key((*data).as_ref(), index), style);
        }
    }

    fn learn(&mut self, fonts: &Dict<'_>, forms: &Dict<'_>, depth: u8) {
        for (reference, font) in entries(fonts) {
            if self.is_new(reference)
                && let Some(font) = font.into_dict()
                && let Some((key, style)) = type_one_style(&font)
            {
                self.type_one.insert(key, style);
            }
        }
        if depth >= MAX_FORM_DEPTH {
            return;
        }
        for (reference, form) in entries(forms) {
            if self.is_new(reference)
                && let Some(form) = form.into_stream()
                && form
                    .dict()
                    .get::<Name<'_>>(b"Subtype".as_slice())
                    .is_some_and(|name| name.as_ref() == b"Form")
                && let Some(inner) = form.dict().get::<Dict<'_>>(b"Resources".as_slice())
            {
                let inner = Resources::new(inner);
                self.learn(&inner.fonts, &inner.x_objects, depth + 1);
            }
        }
    }

    fn is_new(&mut self, reference: Option<ObjRef>) -> bool {
        match reference {
            Some(reference) => self.visited.len() < MAX_VISITED && self.visited.insert(reference),
            None => true,
        }
    }
}

/// Values of a dictionary with the reference that leads to each.
fn entries<'a>(dictionary: &Dict<'a>) -> Vec<(Option<ObjRef>, Object<'a>)> {
    dictionary
        .entries()
        .filter_map(|(name, value)| {
            let reference = match &value {
                MaybeRef::Ref(reference) => Some(*reference),
                MaybeRef::NotRef(_) => None,
            };
            let object = dictionary.get::<Object<'a>>(name.as_ref())?;
            Some((reference, object))
        })
        .collect()
}

/// The key and the style of an embedded Type 1 font; `None` for other fonts.
fn type_one_style(font: &Dict<'_>) -> Option<(u128, Style)> {
    let descriptor = font.get::<Dict<'_>>(b"FontDescriptor".as_slice())?;
    let program = descriptor
        .get::<Stream<'_>>(b"FontFile3".as_slice())
        .or_else(|| descriptor.get::<Stream<'_>>(b"FontFile".as_slice()))?;
    let name =
        font.get::<Name<'_>>(b"BaseFont".as_slice()).map(|name| name.as_str().to_owned()).unwrap_or_default();
    let flags = descriptor.get::<u32>(b"Flags".as_slice()).unwrap_or(0);
    let weight = descriptor.get::<f32>(b"FontWeight".as_slice()).unwrap_or(0.0);
    let style = Style {
        bold: is_bold_name(&name) || weight >= BOLD_WEIGHT as f32 || flags & FORCE_BOLD_FLAG != 0,
        monospaced: is_monospaced_name(&name) || flags & FIXED_PITCH_FLAG != 0,
    };
    let data = program.decoded_data().ok()?;
    Some((content_key(&data, 0), style))
}

/// The interpreter's own key of a font program: SipHash-1-3 of its bytes and its index in the file.
fn content_key(data: &[u8], index: u32) -> u128 {
    let mut hasher = SipHasher13::new();
    (data, index).hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// A glyph's identifier hashes to its program's key before anything else.
fn program_key(glyph: &OutlineGlyph) -> u128 {
    #[derive(Default)]
    struct FirstWide(Option<u128>);
    impl Hasher for FirstWide {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, _: &[u8]) {}
        fn write_u128(&mut self, value: u128) {
            self.0.get_or_insert(value);
        }
    }
    let mut hasher = FirstWide::default();
    glyph.identifier().hash(&mut hasher);
    hasher.0.unwrap_or_default()
}

/// Whether a font's name says that it is bold. Chinese documents set headings in a sans-serif face (黑体) instead.
pub(in crate::parse::pdf) fn is_bold_name(name: &str) -> bool {
    const MARKS: [&str; 12] =
        ["Bold", "bold", "BOLD", "Black", "Heavy", "Demi", "CMBX", "SFBX", "-Bd", "SimHei", "Heiti", "黑体"];
    MARKS.iter().any(|mark| name.contains(mark))
}

pub(in crate::parse::pdf) fn is_monospaced_name(name: &str) -> bool {
    ["Courier", "Mono", "Consol", "Menlo", "CMTT", "Typewriter", "LucidaSansTyp"]
        .iter()
        .any(|mark| name.contains(mark))
}
