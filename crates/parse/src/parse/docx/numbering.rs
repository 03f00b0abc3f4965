//! Numbers that Word makes: which label a paragraph of a list gets (ECMA-376-1, 17.9).

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::clean;
use crate::parse::ordinals::{letters, roman};
use crate::parse::xml;

const LEVELS: usize = 9;
/// No list is longer; a larger start value is damage.
const MAX_NUMBER: i64 = 100_000;

#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// By abstract number id.
    definitions: HashMap<u32, Definition>,
    /// By number id.
    instances: HashMap<u32, Instance>,
    /// Style id to the level that the style stands for, by abstract number id.
    style_levels: HashMap<(u32, String), u8>,
}

type Definition = [Level; LEVELS];

#[derive(Clone, Debug)]
struct Level {
    start: i64,
    format: String,
    /// With `%1` to `%9` for the numbers of the levels.
    text: String,
    /// All numbers in the label are decimal.
    legal: bool,
    /// A space or tab stands behind the label.
    spaced: bool,
    /// After which level the count begins anew; usually the one above.
    restart: Option<u8>,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            start: 1,
            format: "decimal".to_owned(),
            text: String::new(),
            legal: false,
            spaced: true,
            restart: None,
        }
    }
}

#[derive(Debug, Default)]
struct Instance {
    definition: u32,
    start_overrides: HashMap<u8, i64>,
    level_overrides: HashMap<u8, Level>,
}

impl Numbering {
    pub(super) fn parse(text: &str) -> Result<Self, quick_xml::Error> {
        let mut parser = Parser::default();
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event()? {
                Event::Start(element) => parser.start(&element),
                Event::Empty(element) => {
                    parser.start(&element);
                    parser.end(element.name().as_ref());
                }
                Event::End(element) => parser.end(element.name().as_ref()),
                Event::Eof => return Ok(parser.numbering),
                _ => {}
            }
        }
    }

    fn level<'n>(&'n self, instance: &'n Instance, level: u8) -> Option<&'n Level> {
        instance
            .level_overrides
            .get(&level)
            .or_else(|| self.definitions.get(&instance.definition)?.get(usize::from(level)))
    }

    /// The level that a style has in a list, for paragraphs that get their number by their style.
    pub(super) fn level_of_style(&self, number_id: u32, style: &str) -> Option<u8> {
        let instance = self.instances.get(&number_id)?;
        self.style_levels.get(&(instance.definition, style.to_owned())).copied()
    }
}

#[derive(Default)]
struct Parser {
    numbering: Numbering,
    definition: Option<(u32, Definition)>,
    instance: Option<(u32, Instance)>,
    override_level: Option<u8>,
    level: Option<(u8, Level)>,
}

impl Parser {
    fn start(&mut self, element: &BytesStart<'_>) {
        let number = |name: &str| xml::attribute(element, name).and_then(|value| value.parse::<u32>().ok());
        match element.name().as_ref() {
            b"w:abstractNum" => {
                self.definition =
                    number("w:abstractNumId").map(|id| (id, std::array::from_fn(|_| Level::default())));
            }
            b"w:num" => self.instance = number("w:numId").map(|id| (id, Instance::default())),
            b"w:abstractNumId" => {
                if let (Some((_, instance)), Some(id)) = (&mut self.instance, xml::number(element)) {
                    instance.definition = id;
                }
            }
            b"w:lvlOverride" => {
                self.override_level = number("w:ilvl").and_then(|level| u8::try_from(level).ok())
            }
            b"w:startOverride" => {
                if let (Some((_, instance)), Some(level), Some(start)) =
                    (&mut self.instance, self.override_level, xml::number(element))
                {
                    instance.start_overrides.insert(level, start);
                }
            }
            b"w:lvl" => {
                let level = number("w:ilvl")
                    .and_then(|level| u8::try_from(level).ok())
                    .filter(|&level| usize::from(level) < LEVELS);
                self.level = level.map(|level| (level, Level::default()));
            }
            name => self.level_property(name, element),
        }
    }

    fn level_property(&mut self, name: &[u8], element: &BytesStart<'_>) {
        let Some((index, level)) = &mut self.level else { return };
        match name {
            b"w:start" => level.start = xml::number(element).unwrap_or(1),
            b"w:numFmt" => level.format = xml::value(element).unwrap_or_default(),
            b"w:lvlText" => level.text = xml::value(element).unwrap_or_default(),
            b"w:isLgl" => level.legal = xml::is_on(element),
            b"w:suff" => level.spaced = xml::value(element).is_none_or(|suffix| suffix != "nothing"),
            b"w:lvlRestart" => level.restart = xml::number(element),
            b"w:pStyle" => {
                if let (Some((definition, _)), Some(style)) = (&self.definition, xml::value(element)) {
                    self.numbering.style_levels.insert((*definition, style), *index);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"w:lvl" => {
                let Some((index, level)) = self.level.take() else { return };
                if let Some((_, instance)) = &mut self.instance {
                    instance.level_overrides.insert(index, level);
                } else if let Some((_, definition)) = &mut self.definition {
                    definition[usize::from(index)] = level;
                }
            }
            b"w:lvlOverride" => self.override_level = None,
            b"w:abstractNum" => self.numbering.definitions.extend(self.definition.take()),
            b"w:num" => self.numbering.instances.extend(self.instance.take()),
            _ => {}
        }
    }
}

/// Counts through a document. Instances of one definition count together, as Word does.
#[derive(Debug, Default)]
pub(super) struct Counters {
    by_definition: HashMap<u32, [Option<i64>; LEVELS]>,
    overridden: std::collections::HashSet<(u32, u8)>,
}

impl Counters {
    /// The label of the next paragraph in this list at this level, with the space behind it; `None` for paragraphs
    /// that get none.
    pub(super) fn next(&mut self, numbering: &Numbering, number_id: u32, level: u8) -> Option<String> {
        let instance = numbering.instances.get(&number_id)?;
        let definition = numbering.level(instance, level)?;
        let counts = self.by_definition.entry(instance.definition).or_default();
        let index = usize::from(level);
        let start_override =
            instance.start_overrides.get(&level).filter(|_| self.overridden.insert((number_id, level)));
        counts[index] = Some(match (start_override, counts[index]) {
            (Some(&start), _) => start,
            (None, Some(count)) => count + 1,
            (None, None) => definition.start,
        });
        for (deeper, count) in (0u8..).zip(counts.iter_mut()).skip(index + 1) {
            let restart = numbering.level(instance, deeper).and_then(|level| level.restart);
            // 0: never begins anew; n: only after a paragraph of level n or above.
            if restart.is_none_or(|after| after != 0 && index < usize::from(after)) {
                *count = None;
            }
        }
        let counts = *counts;
        let label = label(definition, |shown| {
            let above = numbering.level(instance, shown)?;
            let count = counts[usize::from(shown)].unwrap_or(above.start);
            Some(format_number(if definition.legal { "decimal" } else { &above.format }, count))
        });
        (!label.trim().is_empty()).then_some(label)
    }
}

fn label(level: &Level, number: impl Fn(u8) -> Option<String>) -> String {
    if level.format == "none" && !level.text.contains('%') && level.text.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if level.format == "bullet" {
        // The mark is a letter of a symbol font more often than not.
        let mark = clean::normalise(&level.text);
        out.push_str(
            if mark.chars().any(|c| c.is_alphanumeric() || ('\u{e000}'..='\u{f8ff}').contains(&c))
                || mark.trim().is_empty()
            {
                "•"
            } else {
                mark.trim()
            },
        );
    } else {
        let mut rest = level.text.chars().peekable();
        while let Some(character) = rest.next() {
            match (character, rest.peek().and_then(|next| next.to_digit(10))) {
                ('%', Some(shown @ 1..=9)) => {
                    rest.next();
                    out.push_str(&number(shown as u8 - 1).unwrap_or_default());
                }
                _ => out.push(character),
            }
        }
    }
    let out = out.trim().to_owned();
    // `第一条` and its text stand apart on the page by a tab; `一、` and `（一）` carry their own space.
    let closes = out.ends_with(['、', '）', '】', '：', '。']);
    if level.spaced && !closes { out + " " } else { out }
}

/// A number as Word writes it in this format; formats that are not known here are decimal.
fn format_number(format: &str, number: i64) -> String {
    if !(0..=MAX_NUMBER).contains(&number) {
        return number.to_string();
    }
    let positive = number.max(1) as usize;
    match format {
        "none" => String::new(),
        "decimalZero" => format!("{number:02}"),
        "lowerLetter" => letters(positive, b'a'),
        "upperLetter" => letters(positive, b'A'),
        "lowerRoman" => roman(positive),
        "upperRoman" => roman(positive).to_uppercase(),
        "chineseCounting"
        | "chineseCountingThousand"
        | "japaneseCounting"
        | "taiwaneseCounting"
        | "taiwaneseCountingThousand"
        | "ideographDigital"
        | "japaneseDigitalTenThousand" => chinese(number),
        "ideographTraditional" => cycle("甲乙丙丁戊己庚辛壬癸", positive),
        "ideographZodiac" => cycle("子丑寅卯辰巳午未申酉戌亥", positive),
        "chineseLegalSimplified" | "ideographLegalTraditional" => chinese_financial(number),
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" if positive <= 20 => {
            char::from_u32(0x2460 + positive as u32 - 1).map_or_else(|| number.to_string(), String::from)
        }
        _ => number.to_string(),
    }
}

fn cycle(characters: &str, number: usize) -> String {
    let characters: Vec<char> = characters.chars().collect();
    characters[(number - 1) % characters.len()].to_string()
}

/// `十二`, `一百零三`.
fn chinese(number: i64) -> String {
    let text = chinese_digits(
        number,
        ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
        ["", "十", "百", "千"],
    );
    if (10..20).contains(&number) { text.replacen('一', "", 1) } else { text }
}

fn chinese_financial(number: i64) -> String {
    chinese_digits(
        number,
        ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"],
        ["", "拾", "佰", "仟"],
    )
}

fn chinese_digits(number: i64, digits: [&str; 10], units: [&str; 4]) -> String {
    if !(1..10_000).contains(&number) {
        return if number == 0 { digits[0].to_owned() } else { number.to_string() };
    }
    let mut out = String::new();
    let mut skipped_zero = false;
    for (place, unit) in units.iter().enumerate().rev() {
        let digit = (number / 10i64.pow(place as u32) % 10) as usize;
        if digit == 0 {
            skipped_zero = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut skipped_zero) {
            out.push_str(digits[0]);
        }
        out.push_str(digits[digit]);
        out.push_str(unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_word_writes_them() {
        for (format, number, text) in [
            ("chineseCounting", 1, "一"),
            ("chineseCounting", 10, "十"),
            ("chineseCountingThousand", 12, "十二"),
            ("chineseCountingThousand", 103, "一百零三"),
            ("chineseCountingThousand", 120, "一百二十"),
            ("chineseLegalSimplified", 25, "贰拾伍"),
            ("ideographTraditional", 3, "丙"),
            ("decimalEnclosedCircle", 2, "②"),
            ("upperRoman", 14, "XIV"),
            ("lowerLetter", 28, "bb"),
            ("decimalZero", 7, "07"),
            ("somethingNew", 7, "7"),
        ] {
            assert_eq!(format_number(format, number), text, "{format}");
        }
    }

    #[test]
    fn counts_restart_below_a_higher_level() {
        let xml = r#"<w:numbering><w:abstractNum w:abstractNumId="0">
            <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="第%1章"/></w:lvl>
            <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:isLgl/><w:lvlText w:val="%1.%2"/></w:lvl>
            </w:abstractNum><w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num>
            <w:num w:numId="6"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/></w:lvlOverride></w:num></w:numbering>"#;
        let numbering = Numbering::parse(xml).unwrap_or_default();
        let mut counters = Counters::default();
        let labels: Vec<String> = [(5, 0), (5, 1), (5, 1), (5, 0), (5, 1), (6, 0), (6, 0), (5, 0)]
            .iter()
            .filter_map(|&(id, level)| counters.next(&numbering, id, level))
            .collect();
        assert_eq!(labels, ["第一章 ", "1.1 ", "1.2 ", "第二章 ", "2.1 ", "第九章 ", "第十章 ", "第十一章 "]);
        assert_eq!(counters.next(&numbering, 7, 0), None);
    }
}
