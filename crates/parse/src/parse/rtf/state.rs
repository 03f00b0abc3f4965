//! What control words mean: groups, destinations, fonts and their encodings.

use std::collections::HashMap;

use encoding_rs::Encoding;

use super::flow::{Flow, Part};
use super::tokens::Token;
use crate::document::ParsedDocument;
use crate::parse::builder::DocumentBuilder;
use crate::parse::compound::encoding;

/// Groups nested deeper are left out.
const MAX_DEPTH: usize = 500;
/// Fonts and styles beyond are not remembered.
const MAX_ENTRIES: usize = 10_000;
/// Longer properties of the document are cut (bytes).
const MAX_PROPERTY_BYTES: usize = 4_096;

/// Where the text of a group goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    Text(Part),
    Skip,
    Fonts,
    Styles,
    Title,
    Author,
    Subject,
    Keywords,
    /// A number or bullet that the writing program put before a paragraph of a list.
    Mark,
}

#[derive(Clone, Copy)]
struct Group {
    destination: Destination,
    encoding: &'static Encoding,
    is_hidden: bool,
    is_deleted: bool,
    /// Characters behind `\u` that stand for it in old programs.
    substitutes: usize,
}

pub(super) struct Reader {
    flow: Flow,
    groups: Vec<Group>,
    group: Group,
    too_deep: usize,
    default_encoding: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    default_font: i32,
    /// Font or style that is being defined.
    entry: i32,
    entry_outline: Option<u8>,
    /// Bytes that wait for those of the same character.
    pending: Vec<u8>,
    surrogate: Option<u16>,
    skip_characters: usize,
    /// The group began with `\*`: it may be left out when it is not known.
    is_optional: bool,
}

impl Reader {
    pub(super) fn new(builder: DocumentBuilder) -> Self {
        let western = encoding_rs::WINDOWS_1252;
        Self {
            flow: Flow::new(builder),
            groups: Vec::new(),
            group: Group {
                destination: Destination::Text(Part::Body),
                encoding: western,
                is_hidden: false,
                is_deleted: false,
                substitutes: 1,
            },
            too_deep: 0,
            default_encoding: western,
            fonts: HashMap::new(),
            default_font: 0,
            entry: 0,
            entry_outline: None,
            pending: Vec::new(),
            surrogate: None,
            skip_characters: 0,
            is_optional: false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.flow.is_full()
    }

    pub(super) fn finish(mut self) -> ParsedDocument {
        self.flush();
        self.flow.finish()
    }

    pub(super) fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            _ if self.too_deep > 0 => {}
            Token::Byte(byte) => self.byte(byte),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                if self.skip_characters > 0 && !matches!(word, "u" | "uc" | "bin") {
                    // A control word between `\u` and its substitute ends the wait.
                    self.skip_characters = 0;
                }
                self.word(word, number);
                self.is_optional = false;
            }
        }
    }

    fn open(&mut self) {
        self.flush();
        self.skip_characters = 0;
        if self.groups.len() >= MAX_DEPTH {
            self.too_deep += 1;
            return;
        }
        self.groups.push(self.group);
        self.is_optional = false;
    }

    fn close(&mut self) {
        self.flush();
        self.skip_characters = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(outer) = self.groups.pop() else { return };
        let inner = std::mem::replace(&mut self.group, outer);
        if inner.destination != outer.destination
            && let Destination::Text(part) = inner.destination
        {
            self.flow.end_part(part);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.is_optional = false;
        if self.skip_characters > 0 {
            self.skip_characters -= 1;
            return;
        }
        if self.group.destination != Destination::Skip {
            self.pending.push(byte);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        if symbol == b'*' {
            self.is_optional = true;
            return;
        }
        if self.skip_characters > 0 {
            self.skip_characters -= 1;
            return;
        }
        match symbol {
            b'~' => self.text(" "),
            b'_' => self.text("-"),
            b'\\' | b'{' | b'}' => self.byte(symbol),
            _ => {}
        }
    }

    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.pending);
        let text = self.group.encoding.decode_without_bom_handling(&bytes).0;
        self.emit(&text);
    }

    fn text(&mut self, text: &str) {
        self.flush();
        self.emit(text);
    }

    fn emit(&mut self, text: &str) {
        let document = self.flow.document();
        let property = match self.group.destination {
            Destination::Text(part) => {
                if !self.group.is_hidden && !self.group.is_deleted {
                    self.flow.text(part, text);
                }
                return;
            }
            Destination::Mark => {
                self.flow.mark(text);
                return;
            }
            Destination::Styles => {
                if let Some(level) = heading_name(text) {
                    self.entry_outline = Some(level);
                }
                self.keep_style();
                return;
            }
            Destination::Title => &mut document.title,
            Destination::Author => &mut document.metadata.author,
            Destination::Subject => &mut document.metadata.subject,
            Destination::Keywords => {
                let words = text.split([',', ';', '，', '；']).map(str::trim).filter(|word| !word.is_empty());
                document.metadata.keywords.extend(words.map(str::to_owned));
                return;
            }
            Destination::Skip | Destination::Fonts => return,
        };
        let value = property.get_or_insert_default();
        if value.len() < MAX_PROPERTY_BYTES {
            value.push_str(text);
        }
    }

    fn keep_style(&mut self) {
        if let Some(level) = self.entry_outline {
            self.flow.add_style(self.entry, level);
        }
    }

    fn unicode(&mut self, number: i32) {
        self.flush();
        let unit = (number & 0xffff) as u16;
        self.skip_characters = self.group.substitutes;
        let character = match (self.surrogate.take(), unit) {
            (_, 0xd800..=0xdbff) => {
                self.surrogate = Some(unit);
                return;
            }
            (Some(high), 0xdc00..=0xdfff) => char::decode_utf16([high, unit]).next().and_then(Result::ok),
            _ => char::from_u32(u32::from(unit)),
        };
        // Symbol fonts stand in a private range above their bytes.
        if let Some(character) = character {
            self.emit(character.encode_utf8(&mut [0; 4]));
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        if self.destination(word) {
            return;
        }
        if self.group.destination == Destination::Skip {
            return;
        }
        let is_on = number != Some(0);
        match word {
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => self.group.substitutes = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
            "ansicpg" => {
                self.default_encoding = encoding(u16::try_from(number.unwrap_or(0)).unwrap_or(0));
                self.group.encoding = self.default_encoding;
            }
            "mac" => self.set_encoding(encoding_rs::MACINTOSH),
            "deff" => self.default_font = number.unwrap_or(0),
            "f" => {
                let font = number.unwrap_or(0);
                if self.group.destination == Destination::Fonts {
                    self.entry = font;
                } else {
                    let encoding = self.fonts.get(&font).copied();
                    self.set_encoding(encoding.unwrap_or(self.default_encoding));
                }
            }
            "fcharset" if self.group.destination == Destination::Fonts => {
                if let Some(encoding) = charset(number.unwrap_or(0))
                    && self.fonts.len() < MAX_ENTRIES
                {
                    self.fonts.insert(self.entry, encoding);
                }
            }
            "plain" => {
                let font = self.fonts.get(&self.default_font).copied();
                self.set_encoding(font.unwrap_or(self.default_encoding));
                self.group.is_hidden = false;
                self.group.is_deleted = false;
            }
            "v" => {
                self.flush();
                self.group.is_hidden = is_on;
            }
            "deleted" => {
                self.flush();
                self.group.is_deleted = is_on;
            }
            "s" if self.group.destination == Destination::Styles => {
                self.entry = number.unwrap_or(0);
                self.entry_outline = None;
            }
            "outlinelevel" if self.group.destination == Destination::Styles => {
                self.entry_outline = number.and_then(|level| u8::try_from(level).ok());
                self.keep_style();
            }
            _ => match character(word) {
                Some(text) => self.text(text),
                None => {
                    self.flush();
                    if let Destination::Text(part) = self.group.destination {
                        self.flow.control(part, word, number);
                    }
                }
            },
        }
    }

    fn set_encoding(&mut self, encoding: &'static Encoding) {
        self.flush();
        self.group.encoding = encoding;
    }

    /// Whether the word says where the group's text goes.
    fn destination(&mut self, word: &str) -> bool {
        let destination = match word {
            "fonttbl" => Destination::Fonts,
            "stylesheet" => Destination::Styles,
            "title" => Destination::Title,
            "author" => Destination::Author,
            "subject" => Destination::Subject,
            "keywords" => Destination::Keywords,
            "listtext" | "pntext" => Destination::Mark,
            "footnote" => {
                self.flush();
                self.flow.begin_note();
                Destination::Text(Part::Note)
            }
            "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr" | "footerf" => {
                Destination::Text(Part::Margin)
            }
            "shptxt" | "dptxbxtext" => Destination::Text(Part::Box),
            "shpinst" | "shp" | "info" | "upr" | "ud" | "result" | "fldrslt" | "field" | "cs" | "shppict"
            | "do" | "rtf" | "object" => {
                // Known, and read on; the ANSI form of `\upr` is dropped for the form that follows it.
                if word == "ud" {
                    let outer = self.groups.iter().rev().nth(1).map(|group| group.destination);
                    self.group.destination = outer.unwrap_or(self.group.destination);
                }
                return word != "rtf";
            }
            "pict" | "colortbl" | "fldinst" | "objdata" | "sp" | "nonshppict" | "listtable"
            | "listoverridetable" | "revtbl" | "rsidtbl" | "generator" | "xe" | "tc" | "themedata"
            | "colorschememapping" | "datastore" | "latentstyles" | "annotation" | "atnid" | "atnauthor"
            | "bkmkstart" | "bkmkend" | "operator" | "company" | "category" | "manager" | "doccomm"
            | "comment" | "hlinkbase" | "creatim" | "revtim" | "printim" | "buptim" | "template"
            | "ftnsep" | "ftnsepc" | "aftnsep" | "aftnsepc" | "nesttableprops" | "pgdsctbl" | "filetbl"
            | "userprops" | "xmlnstbl" | "htmltag" | "mmathPr" | "pnseclvl" => Destination::Skip,
            _ if self.is_optional => Destination::Skip,
            _ => return false,
        };
        // Inside of what is left out nothing is taken up again, but for the text of shapes.
        self.flush();
        if self.group.destination != Destination::Skip || matches!(destination, Destination::Text(Part::Box))
        {
            self.group.destination = destination;
        }
        true
    }
}

/// Control words that are characters.
fn character(word: &str) -> Option<&'static str> {
    Some(match word {
        "emdash" => "—",
        "endash" => "–",
        "bullet" => "•",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        "emspace" | "enspace" | "qmspace" => " ",
        _ => return None,
    })
}

/// The level that a style's name stands for: `heading 1`, `标题 1`, `Title`.
fn heading_name(text: &str) -> Option<u8> {
    let name = text.trim().trim_end_matches(';').trim().to_lowercase();
    if name == "title" || name == "标题" {
        return Some(0);
    }
    let number = name.strip_prefix("heading").or_else(|| name.strip_prefix("标题"))?;
    let level: u8 = number.trim().parse().ok()?;
    (1..=9).contains(&level).then(|| level - 1)
}

/// The encoding of a font's character set.
fn charset(number: i32) -> Option<&'static Encoding> {
    let code_page = match number {
        0 | 1 => return None,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => 1252,
    };
    Some(encoding(code_page))
}
