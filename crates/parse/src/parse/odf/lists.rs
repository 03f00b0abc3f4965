//! Numbers and marks of lists and headings, from list styles.

use std::collections::HashMap;

use crate::parse::ordinals::{letters, roman};
use crate::parse::tree::{Element, Tree};

const LEVELS: usize = 10;
/// No list is longer; a larger start value is damage.
const MAX_NUMBER: usize = 100_000;

#[derive(Clone, Debug, Default)]
struct Level {
    /// `1`, `a`, `A`, `i`, `I`, or a Chinese `一, 二, 三, ...`; empty for no number.
    format: String,
    prefix: String,
    suffix: String,
    /// So many levels are shown in the number.
    shown: usize,
    start: usize,
    is_bullet: bool,
}

type Levels = [Level; LEVELS];

/// All list styles of a document, and the one that numbers its headings.
#[derive(Default)]
pub(super) struct ListStyles {
    styles: HashMap<String, Levels>,
    outline: Option<Levels>,
}

impl ListStyles {
    pub(super) fn read(trees: [&Tree; 2]) -> Self {
        let mut styles = Self::default();
        let elements = trees.into_iter().filter_map(Tree::root).flat_map(Element::descendants);
        for element in elements {
            match element.name() {
                "list-style" => {
                    let name = element.attribute("name").unwrap_or_default().to_owned();
                    styles.styles.insert(name, levels(element));
                }
                "outline-style" => styles.outline = Some(levels(element)),
                _ => {}
            }
        }
        styles
    }
}

fn levels(style: Element<'_>) -> Levels {
    let mut levels: Levels = Default::default();
    for element in style.children() {
        let Some(number) = element.number::<usize>("level").filter(|level| (1..=LEVELS).contains(level))
        else {
            continue;
        };
        let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        levels[number - 1] = Level {
            format: text("num-format"),
            prefix: text("num-prefix"),
            suffix: text("num-suffix"),
            shown: element.number("display-levels").unwrap_or(1),
            start: element.number("start-value").unwrap_or(1).min(MAX_NUMBER),
            is_bullet: !matches!(element.name(), "list-level-style-number" | "outline-level-style"),
        };
    }
    levels
}

/// The numbers reached so far, for each list style and for the headings.
#[derive(Default)]
pub(super) struct Counters {
    lists: HashMap<String, [usize; LEVELS]>,
    headings: [usize; LEVELS],
}

impl Counters {
    /// A list begins anew.
    pub(super) fn restart(&mut self, style: &str) {
        self.lists.remove(style);
    }

    /// What stands before the next item of this list, without a space behind it; levels from 0.
    pub(super) fn item(&mut self, styles: &ListStyles, style: &str, level: usize) -> String {
        let level = level.min(LEVELS - 1);
        let Some(levels) = styles.styles.get(style).filter(|levels| !levels[level].is_bullet) else {
            return "•".to_owned();
        };
        let counts = self.lists.entry(style.to_owned()).or_default();
        let label = next(levels, counts, level);
        if label.is_empty() { "•".to_owned() } else { label }
    }

    /// What stands before the next heading; empty where headings have no numbers.
    pub(super) fn heading(&mut self, styles: &ListStyles, level: usize) -> String {
        let Some(levels) = &styles.outline else { return String::new() };
        next(levels, &mut self.headings, level.min(LEVELS - 1))
    }
}

fn next(levels: &Levels, counts: &mut [usize; LEVELS], level: usize) -> String {
    counts[level] = if counts[level] == 0 { levels[level].start.max(1) } else { counts[level] + 1 };
    counts[level + 1..].fill(0);
    let own = &levels[level];
    if own.format.is_empty() {
        return String::new();
    }
    let first = (level + 1).saturating_sub(own.shown.max(1));
    let numbers: Vec<String> = (first..=level)
        .filter(|&at| !levels[at].format.is_empty())
        .map(|at| number(&levels[at].format, counts[at].max(1)))
        .collect();
    format!("{}{}{}", own.prefix, numbers.join("."), own.suffix).trim().to_owned()
}

fn number(format: &str, count: usize) -> String {
    match format.chars().next() {
        Some('a') => letters(count, b'a'),
        Some('A') => letters(count, b'A'),
        Some('i') => roman(count),
        Some('I') => roman(count).to_uppercase(),
        Some('一') => chinese(count),
        Some('①') if count <= 20 => {
            char::from_u32(0x2460 + count as u32 - 1).map(String::from).unwrap_or_default()
        }
        _ => count.to_string(),
    }
}

fn chinese(count: usize) -> String {
    let digit = |digit: usize| ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"][digit];
    match count {
        1..=9 => digit(count).to_owned(),
        10..=19 => format!("十{}", digit(count - 10)),
        20..=99 => format!("{}十{}", digit(count / 10), digit(count % 10)),
        _ => count.to_string(),
    }
}
