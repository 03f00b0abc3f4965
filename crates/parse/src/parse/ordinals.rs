//! Numbers and marks at the beginning of a line: chapters, sections, items of lists, in Chinese and in Latin script.

/// Longest label that is looked for (characters).
const MAX_LABEL_CHARACTERS: usize = 12;

/// Rank of a line that begins with the number of a chapter or alike, and names it: `第一编`, `第二章`, `Chapter 3`,
/// `第三节`, `Appendix A`, `附录A`; 1 is the highest. Articles (`第四条`) are not chapters: their text follows on the
/// same line.
pub(super) fn chapter_level(line: &str) -> Option<u8> {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix('第') {
        let digits = rest.chars().take_while(|&c| is_chinese_digit(c) || c.is_ascii_digit()).count();
        if digits == 0 || digits > MAX_LABEL_CHARACTERS {
            return None;
        }
        return match rest.chars().nth(digits) {
            Some('编' | '編' | '篇' | '部' | '卷' | '章') => Some(1),
            Some('节' | '節') => Some(2),
            _ => None,
        };
    }
    let first_word = line.split_whitespace().next().unwrap_or("");
    let second = line.split_whitespace().nth(1).unwrap_or("");
    let numbered = second.len() <= MAX_LABEL_CHARACTERS
        && second.chars().next().is_some_and(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    if numbered && ["chapter", "part", "appendix", "annex"].contains(&first_word.to_lowercase().as_str()) {
        return Some(1);
    }
    let appendix =
        line.strip_prefix("附录").or_else(|| line.strip_prefix("附件")).and_then(|rest| rest.chars().next());
    appendix.filter(|&c| c.is_ascii_alphanumeric() || is_chinese_digit(c) || c == ' ' || c == '：').map(|_| 1)
}

/// Number of levels in a decimal section number that begins the line and is followed by a title: `3 Scope` is 1,
/// `3.2.1 安全` is 3.
pub(super) fn section_depth(line: &str) -> Option<u8> {
    let line = line.trim_start();
    let label_end = line.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(line.len());
    let label = line[..label_end].trim_end_matches('.');
    let parts: Vec<&str> = label.split('.').collect();
    let plausible = parts.len() <= 6 && parts.iter().all(|part| (1..=3).contains(&part.len()));
    let title = line[label_end..].trim_start_matches([' ', '、', '\t']);
    let titled = title.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
    (plausible && titled).then(|| u8::try_from(parts.len()).unwrap_or(u8::MAX))
}

/// Length in bytes of a list mark that begins the line, the space behind it included: `• `, `- `, `(1) `, `a) `,
/// `1. `, `一、`, `（二）`, `①`.
pub(super) fn list_mark(line: &str) -> Option<usize> {
    let mut characters = line.char_indices();
    let (_, first) = characters.next()?;
    let after_first = first.len_utf8();
    let rest = &line[after_first..];
    let spaces = |offset: usize| line[offset..].len() - line[offset..].trim_start().len();
    if is_bullet(first) {
        let gap = spaces(after_first);
        let needs_gap = matches!(first, '-' | '–' | '—' | '*' | '·' | 'o');
        return (gap > 0 || !needs_gap && !rest.is_empty()).then_some(after_first + gap);
    }
    if ('①'..='⑳').contains(&first) {
        return Some(after_first + spaces(after_first));
    }
    let (open, body) = match first {
        '(' | '（' => (true, rest),
        _ => (false, line),
    };
    let label: String = body
        .chars()
        .take(MAX_LABEL_CHARACTERS)
        .take_while(|&c| is_chinese_digit(c) || c.is_ascii_alphanumeric())
        .collect();
    let count = label.chars().count();
    let is_digits = label.bytes().all(|byte| byte.is_ascii_digit()) && count <= 3;
    let is_chinese = label.chars().all(is_chinese_digit) && count <= 4;
    let is_letters = count <= 4
        && (count == 1 || is_roman(&label))
        && label.is_ascii()
        && !label.bytes().any(|byte| byte.is_ascii_digit());
    if label.is_empty() || !(is_digits || is_chinese || is_letters) {
        return None;
    }
    let label_end = line.len() - body.len() + label.len();
    let close = line[label_end..].chars().next()?;
    let end = label_end + close.len_utf8();
    let gap = spaces(end);
    let wide_next = line[end + gap..].chars().next().is_some_and(crate::clean::is_wide);
    let closes = match close {
        ')' | '）' => open || gap > 0 || wide_next,
        '、' => !open && (!is_letters || count == 1),
        '.' | '．' => {
            !open
                && (gap > 0 || wide_next && !is_letters)
                && !line[end..].starts_with(|c: char| c.is_ascii_digit())
        }
        _ => false,
    };
    (closes && end + gap < line.len()).then_some(end + gap)
}

/// A lower case roman numeral; numbers beyond 3,999 in digits.
pub(super) fn roman(number: usize) -> String {
    const VALUES: [(usize, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if number > 3_999 {
        return number.to_string();
    }
    let mut left = number;
    let mut out = String::new();
    for (value, letters) in VALUES {
        while left >= value {
            out.push_str(letters);
            left -= value;
        }
    }
    out
}

/// a to z, then aa to zz, then aaa and so on, from the letter that stands for 1.
pub(super) fn letters(number: usize, first: u8) -> String {
    let index = number.saturating_sub(1);
    let letter = char::from(first + (index % 26) as u8);
    std::iter::repeat_n(letter, (index / 26 + 1).min(20)).collect()
}

fn is_bullet(character: char) -> bool {
    matches!(
        character,
        '•' | '‣'
            | '▪'
            | '▫'
            | '●'
            | '○'
            | '■'
            | '□'
            | '◆'
            | '◇'
            | '►'
            | '➢'
            | '➤'
            | '✓'
            | '✔'
            | '❖'
            | '◦'
            | '⁃'
            | '-'
            | '–'
            | '—'
            | '*'
            | '·'
    )
}

fn is_chinese_digit(character: char) -> bool {
    matches!(
        character,
        '零' | '〇'
            | '一'
            | '二'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '十'
            | '百'
            | '千'
            | '两'
    )
}

fn is_roman(label: &str) -> bool {
    label.bytes().all(|byte| matches!(byte, b'i' | b'v' | b'x'))
        || label.bytes().all(|byte| matches!(byte, b'I' | b'V' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters() {
        for (line, level) in [
            ("第一章 总则", Some(1)),
            ("第十二节　附则", Some(2)),
            ("第 一章", None),
            ("第四条 员工应当", None),
            ("第一次会议", None),
            ("Chapter 3 Maintenance", Some(1)),
            ("Part of the story", None),
            ("附录A 故障代码", Some(1)),
        ] {
            assert_eq!(chapter_level(line), level, "{line}");
        }
    }

    #[test]
    fn sections() {
        for (line, depth) in [
            ("3 Scope", Some(1)),
            ("3.2.1 安全要求", Some(3)),
            ("1. Introduction", Some(1)),
            ("2024 was a good year", None),
            ("3.5 kg of flour", None),
            ("12", None),
        ] {
            assert_eq!(section_depth(line), depth, "{line}");
        }
    }

    #[test]
    fn numerals() {
        assert_eq!(roman(1994), "mcmxciv");
        assert_eq!(
            (letters(26, b'a'), letters(27, b'A'), letters(54, b'a')),
            ("z".to_owned(), "AA".to_owned(), "bbb".to_owned())
        );
    }

    #[test]
    fn list_marks() {
        for (line, mark) in [
            ("• item", Some("• ")),
            ("•item", Some("•")),
            ("- item", Some("- ")),
            ("-5 degrees", None),
            ("1. item", Some("1. ")),
            ("1.5 litres", None),
            ("(a) item", Some("(a) ")),
            ("a) item", Some("a) ")),
            ("（一）项目", Some("（一）")),
            ("一、项目", Some("一、")),
            ("①项目", Some("①")),
            ("1）项目", Some("1）")),
            ("iv. item", Some("iv. ")),
            ("and so on", None),
            ("No. 5", None),
        ] {
            assert_eq!(list_mark(line).map(|end| &line[..end]), mark, "{line}");
        }
    }
}
