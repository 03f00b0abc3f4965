//! Sentence boundaries for Chinese and English prose, lists and tables.

use std::ops::Range;

use crate::is_han;

/// A list line up to this many characters is one sentence; a longer one is a paragraph with a bullet.
const WHOLE_LIST_LINE_MAX_CHARS: usize = 240;

/// A line narrower than this (in columns; Han counts two) was ended by its writer, not by the page's margin.
const WRAPPED_LINE_MIN_COLUMNS: usize = 30;

/// Sentences of `text` as byte ranges: in order, not overlapping, without white space at their ends.
///
/// A table row and a list line are one sentence each. A line break inside a paragraph does not end a sentence
/// where the line looks wrapped. Between the ranges stand only white space and lines without a letter or digit
/// (such as a table's rule).
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for block in blocks(text) {
        match block.kind {
            LineKind::Whole => push_trimmed(text, block.range, &mut found),
            LineKind::ListItem if text[block.range.clone()].chars().count() <= WHOLE_LIST_LINE_MAX_CHARS => {
                push_trimmed(text, block.range, &mut found);
            }
            LineKind::ListItem | LineKind::Prose => split_prose(text, block.range, &mut found),
            LineKind::Blank => {}
        }
    }
    found
}

/// True for a line of a table: cells between pipes, or between two tabs or more.
pub fn is_table_row(line: &str) -> bool {
    let trimmed = line.trim();
    trimmed.starts_with('|') && trimmed.len() > 1
        || trimmed.matches(" | ").count() >= 2
        || trimmed.matches('\t').count() >= 2
}

/// True for a line that begins with a bullet or an ordinal: `- `, `• `, `3. `, `(a) `, `一、`, `（二）`, `①`, `第三条`.
pub fn is_list_item(line: &str) -> bool {
    let line = line.trim_start();
    let Some(first) = line.chars().next() else { return false };
    let after_first = &line[first.len_utf8()..];
    match first {
        '-' | '*' | '+' | '–' | '—' => after_first.starts_with([' ', '\t']),
        '•' | '·' | '●' | '○' | '■' | '□' | '◆' | '▪' | '‣' | '➢' | '√' | '✓' => true,
        '①'..='⑳' | '⑴'..='⒇' => true,
        '(' | '（' => ordinal_then(after_first, &[')', '）']),
        '第' => {
            let rest = after_first.trim_start_matches(is_ordinal_char);
            rest.len() < after_first.len() && rest.starts_with(['条', '章', '节', '款', '项'])
        }
        c if is_han_numeral(c) => {
            let rest = after_first.trim_start_matches(is_han_numeral);
            rest.starts_with(['、', '．', '.'])
        }
        c if c.is_ascii_digit() => {
            let rest = after_first.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            let number = &line[..line.len() - rest.len()];
            number.len() <= 8
                && (number.ends_with('.') && rest.starts_with([' ', '\t'])
                    || rest.starts_with(['、', '．'])
                    || rest.starts_with([')', '）']))
        }
        c if c.is_ascii_alphabetic() => after_first.starts_with(") ") || after_first.starts_with("）"),
        _ => false,
    }
}

fn is_han_numeral(c: char) -> bool {
    "一二三四五六七八九十百零〇".contains(c)
}

fn is_ordinal_char(c: char) -> bool {
    is_han_numeral(c) || c.is_ascii_digit()
}

fn ordinal_then(text: &str, closers: &[char]) -> bool {
    const ORDINAL_MAX_CHARS: usize = 4;
    let Some(at) = text.find(closers) else { return false };
    let inside = &text[..at];
    let length = inside.chars().count();
    (1..=ORDINAL_MAX_CHARS).contains(&length)
        && (inside.chars().all(is_ordinal_char)
            || length == 1 && inside.chars().all(|c| c.is_ascii_alphabetic())
            || inside.chars().all(|c| matches!(c, 'i' | 'v' | 'x')))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Blank,
    /// A table row or a heading: never split, never joined.
    Whole,
    ListItem,
    Prose,
}

struct Block {
    kind: LineKind,
    range: Range<usize>,
}

fn kind_of(line: &str) -> LineKind {
    if !line.chars().any(char::is_alphanumeric) {
        LineKind::Blank
    } else if is_table_row(line) || line.starts_with('#') {
        LineKind::Whole
    } else if is_list_item(line) {
        LineKind::ListItem
    } else {
        LineKind::Prose
    }
}

/// Lines, with the lines of one wrapped paragraph or list item joined.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        let kind = kind_of(line);
        let continues = kind == LineKind::Prose
            && blocks.last().is_some_and(|last| {
                matches!(last.kind, LineKind::Prose | LineKind::ListItem)
                    && is_wrapped(last_line(&text[last.range.clone()]), line)
            });
        match blocks.last_mut() {
            Some(last) if continues => last.range.end = range.end,
            _ => blocks.push(Block { kind, range }),
        }
    }
    blocks
}

fn last_line(block: &str) -> &str {
    block.trim_end().rsplit('\n').next().unwrap_or(block)
}

/// Whether the break between `line` and `next` was made by a margin and not by the writer.
fn is_wrapped(line: &str, next: &str) -> bool {
    let ends_open = line.chars().next_back().is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, ',' | '，' | '、' | '-' | '(' | '（' | '“' | '"' | ')' | '）')
    });
    let columns: usize = line.chars().map(|c| if is_han(c) || is_wide(c) { 2 } else { 1 }).sum();
    ends_open
        && columns >= WRAPPED_LINE_MIN_COLUMNS
        && next.trim_start().chars().next().is_some_and(|c| {
            c.is_lowercase()
                || c.is_numeric()
                || is_han(c)
                || is_wide(c)
                || c.is_uppercase() && !line.is_empty() && ends_inside_sentence(line)
        })
}

/// Full-width punctuation.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{303F}' | '\u{FF01}'..='\u{FF60}')
}

/// A wrapped line whose next line begins with a capital (a name) still ends in a comma or a small word.
fn ends_inside_sentence(line: &str) -> bool {
    const OPEN_WORDS: [&str; 22] = [
        "a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "that", "the", "to",
        "was", "were", "when", "which", "who", "with",
    ];
    let trimmed = line.trim_end();
    trimmed.ends_with(',')
        || trimmed.rsplit(' ').next().is_some_and(|word| OPEN_WORDS.binary_search(&word).is_ok())
}

fn push_trimmed(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    if !piece.chars().any(char::is_alphanumeric) {
        // A stray closing mark belongs to the sentence before it.
        if let Some(last) = found.last_mut()
            && text[last.end..range.start].is_empty()
        {
            last.end = range.start + piece.trim_end().len();
        }
        return;
    }
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = range.start + piece.trim_end().len();
    found.push(start..end);
}

fn split_prose(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let block = &text[range.clone()];
    let mut sentence_start = 0;
    let mut at = 0;
    while let Some(offset) = block[at..].find(is_terminator) {
        let mark = at + offset;
        let end = end_of_marks(block, mark);
        if ends_sentence(block, sentence_start, mark, end) {
            push_trimmed(text, range.start + sentence_start..range.start + end, found);
            sentence_start = end;
        }
        at = end;
    }
    push_trimmed(text, range.start + sentence_start..range.end, found);
}

fn is_terminator(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '；' | '…' | '.' | '!' | '?')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '」' | '』' | '）' | '】' | '》' | '〉')
}

/// End of the terminators at `mark` and of the quotes and brackets that close behind them.
fn end_of_marks(block: &str, mark: usize) -> usize {
    let marks = &block[mark..];
    let after_marks = marks.trim_start_matches(is_terminator);
    let after_closers = after_marks.trim_start_matches(is_closer);
    mark + (marks.len() - after_closers.len())
}

/// Whether the marks at `mark..end` end the sentence that began at `start`.
fn ends_sentence(block: &str, start: usize, mark: usize, end: usize) -> bool {
    let marks = &block[mark..end];
    let rest = &block[end..];
    let next = rest.chars().next();
    if marks.contains(['。', '！', '？', '；']) {
        return true;
    }
    let Some(next) = next else { return true };
    if marks.starts_with('…') {
        // An ellipsis inside a sentence is followed by its continuation.
        return rest.trim_start().chars().next().is_none_or(char::is_uppercase);
    }
    if is_han(next) {
        // A half-width mark in Chinese text; "3.年假" is an ordinal, not an end.
        return !block[..mark].ends_with(|c: char| c.is_ascii_digit()) || !marks.starts_with('.');
    }
    if !next.is_whitespace() {
        return false;
    }
    let following = rest.trim_start();
    let Some(first) = following.chars().next() else { return true };
    if first.is_lowercase() {
        return false;
    }
    marks.trim_end_matches(is_closer) != "." || !is_abbreviation(&block[start..mark], following)
}

/// Titles and the like, after which a name or number follows.
const BEFORE_A_NAME: [&str; 27] = [
    "art", "capt", "ch", "col", "dr", "eq", "fig", "gen", "gov", "hon", "lt", "mr", "mrs", "ms", "mt", "no",
    "nos", "p", "pp", "prof", "rev", "sec", "sen", "sgt", "st", "vol", "vs",
];

/// Abbreviations that may also stand at a sentence's end.
const ANYWHERE: [&str; 29] = [
    "approx", "apr", "aug", "ave", "co", "corp", "dec", "dept", "est", "etc", "feb", "inc", "jan", "jr",
    "jul", "jun", "ltd", "mar", "max", "min", "nov", "oct", "rd", "resp", "sep", "sept", "sr", "tel", "univ",
];

/// Words that open a sentence far more often than a name.
const SENTENCE_OPENERS: [&str; 23] = [
    "A", "After", "An", "As", "At", "But", "For", "He", "However", "If", "In", "It", "On", "She", "The",
    "Their", "There", "These", "They", "This", "We", "When", "You",
];

/// Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal; `following` is the
/// text after it.
fn is_abbreviation(before: &str, following: &str) -> bool {
    let word_start = before
        .rfind(|c: char| c.is_whitespace() || is_han(c) || matches!(c, '(' | '（' | '"' | '“'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[word_start..];
    if word.is_empty() {
        return false;
    }
    if before.trim_start() == word && word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let next_word = following.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let opens_sentence = SENTENCE_OPENERS.binary_search(&next_word).is_ok();
    let lower = word.to_lowercase();
    if BEFORE_A_NAME.binary_search(&lower.as_str()).is_ok() {
        // "Is it a no. The other …": these words are abbreviations only before a name or number.
        return !opens_sentence;
    }
    if matches!(lower.as_str(), "e.g" | "i.e" | "cf" | "viz" | "al" | "ca") {
        return true;
    }
    let dotted =
        lower.split('.').all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic));
    (dotted || ANYWHERE.binary_search(&lower.as_str()).is_ok()) && !opens_sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn word_lists_are_sorted_for_binary_search() {
        assert!(BEFORE_A_NAME.is_sorted() && ANYWHERE.is_sorted() && SENTENCE_OPENERS.is_sorted());
    }

    #[test]
    fn chinese_marks_end_sentences_with_their_closing_quotes() {
        for (text, expected) in [
            ("今天放假。明天上班！", vec!["今天放假。", "明天上班！"]),
            ("他说：“走吧。”然后离开了。", vec!["他说：“走吧。”", "然后离开了。"]),
            ("第一；第二；第三。", vec!["第一；", "第二；", "第三。"]),
            ("版本 3.14 已发布。请更新", vec!["版本 3.14 已发布。", "请更新"]),
            ("是吗?是的.好", vec!["是吗?", "是的.", "好"]),
            ("等等……我来了。", vec!["等等……我来了。"]),
            ("真的吗？！是的。", vec!["真的吗？！", "是的。"]),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn english_stops_end_sentences_unless_they_abbreviate() {
        for (text, expected) in [
            ("It rains. We stay.", vec!["It rains.", "We stay."]),
            ("Dr. Smith paid $3.50 to Acme Inc. in May.", vec!["Dr. Smith paid $3.50 to Acme Inc. in May."]),
            ("He works at Acme Inc. The firm is old.", vec!["He works at Acme Inc.", "The firm is old."]),
            ("See Fig. 3 and e.g. Table 2.", vec!["See Fig. 3 and e.g. Table 2."]),
            ("J. R. Tolkien wrote it.", vec!["J. R. Tolkien wrote it."]),
            ("Born in the U.S. It was cold.", vec!["Born in the U.S.", "It was cold."]),
            ("“Go!” She went. “Now.” Done", vec!["“Go!”", "She went.", "“Now.”", "Done"]),
            ("Use v1.2.3 or example.com. Then stop?", vec!["Use v1.2.3 or example.com.", "Then stop?"]),
            ("What? he asked.", vec!["What? he asked."]),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn list_lines_and_table_rows_stay_whole() {
        let text = "Rules:\n- One. Two.\n- Three\n1. First thing. Really.\n| a | b |\n|---|---|\n| 1. x | 2 |\n（一）年假。五天。\n第三条 本法。适用";
        assert_eq!(
            split(text),
            [
                "Rules:",
                "- One. Two.",
                "- Three",
                "1. First thing. Really.",
                "| a | b |",
                "| 1. x | 2 |",
                "（一）年假。五天。",
                "第三条 本法。适用"
            ]
        );
    }

    #[test]
    fn wrapped_lines_are_joined_and_headings_are_not() {
        let text = "# Leave policy\nEvery employee who has worked for a year\nhas ten days of paid leave. Ask\nyour manager.\n\nNext part";
        assert_eq!(
            split(text),
            [
                "# Leave policy",
                "Every employee who has worked for a year\nhas ten days of paid leave.",
                "Ask\nyour manager.",
                "Next part"
            ]
        );
    }

    #[test]
    fn ranges_are_ordered_and_cover_every_letter() {
        for text in [
            "混合 text. 中文。\n\n| 表 | 格 |\n- list\u{3000}item… (end.)",
            "\u{feff}。。。\n!!!\n a.b.c ... d",
            "",
            "\n\n",
            "🙂. 🙃! x",
        ] {
            let ranges = sentences(text);
            let mut uncovered: String = text.to_owned();
            for range in ranges.iter().rev() {
                uncovered.replace_range(range.clone(), "");
            }
            assert!(!uncovered.chars().any(char::is_alphanumeric), "{text:?} left {uncovered:?}");
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{text:?}");
        }
    }
}
