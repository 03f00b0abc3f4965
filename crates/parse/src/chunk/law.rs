//! Laws, regulations, contracts: an article is a passage, under the path of its book, chapter and section.

use super::assemble::{Assembler, Unit, short_title};
use super::cut_at_lines;
use crate::document::{Block, BlockKind};
use anwen_text::{ArticleLabel, article_label, leading_number};
use std::cell::Cell;

/// A longer line is no title of a chapter (characters).
const MAX_DIVISION_CHARACTERS: usize = 60;
/// Below the headings of the document itself: the levels of 编, 分编, 章, 节.
const FIRST_DIVISION_LEVEL: u8 = 2;

/// What a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// A book, part, chapter or section; a smaller level is higher.
    Division(u8),
    Article(ArticleLabel),
    Nothing,
}

/// Gives the blocks to the assembler, an article after the other.
pub(super) fn feed<'b>(assembler: &mut Assembler<'_>, blocks: impl Iterator<Item = &'b Block>) {
    let mut last = None;
    for block in blocks {
        if matches!(block.kind, BlockKind::Table { .. } | BlockKind::Code { .. }) {
            assembler.block(block);
            continue;
        }
        // Lines without a space behind the label are told by the article before them.
        let seen = Cell::new(last);
        let begins_something = |line: &str| {
            let found = begins(line, seen.get());
            if let Begins::Article(label) = found {
                seen.set(Some(label.number));
            }
            found != Begins::Nothing
        };
        begins_something(&block.text);
        for piece in cut_at_lines(block, &begins_something) {
            match begins(&piece.text, last) {
                Begins::Article(label) => {
                    last = Some(label.number);
                    begin_article(assembler, &piece, label);
                }
                Begins::Division(level) => {
                    assembler.end_unit();
                    let level = match piece.kind {
                        BlockKind::Heading { level } => level,
                        _ => level,
                    };
                    assembler.heading(level, &piece);
                }
                Begins::Nothing => {
                    if matches!(piece.kind, BlockKind::Heading { .. }) {
                        assembler.end_unit();
                    }
                    assembler.block(&piece);
                }
            }
            if assembler.is_full() {
                return;
            }
        }
    }
}

fn begin_article(assembler: &mut Assembler<'_>, block: &Block, label: ArticleLabel) {
    let max_tokens = assembler.settings().max_tokens;
    assembler.begin_unit(Unit {
        title: Some(short_title(&block.text[..label.length])),
        max_tokens,
        repeated: None,
        keeps_headings: false,
        begun: false,
    });
    // An article's heading is part of its text: as a heading it would stand in the path of what follows too.
    let block = match block.kind {
        BlockKind::Heading { .. } => Block { kind: BlockKind::Paragraph, ..block.clone() },
        _ => block.clone(),
    };
    assembler.block(&block);
}

/// What a line begins. `last` is the number of the article before, which decides where the label alone does not: in
/// "第十二条用人单位应当…" without a space, which may also be a reference at the beginning of a sentence.
fn begins(line: &str, last: Option<u32>) -> Begins {
    let line = line.trim_start();
    if let Some(label) = article_label(line) {
        return if opens_article(&line[label.length..], label, last) {
            Begins::Article(label)
        } else {
            Begins::Nothing
        };
    }
    division(line).map_or(Begins::Nothing, Begins::Division)
}

/// Whether what follows a label makes it the beginning of an article, not a reference to one.
fn opens_article(behind: &str, label: ArticleLabel, last: Option<u32>) -> bool {
    let Some(next) = behind.chars().next() else { return true };
    let first_word = behind.trim_start().chars().next();
    if next.is_whitespace()
        || matches!(next, '.' | ':' | '：' | '【' | '[' | '(' | '（' | '《' | '—' | '-' | '–')
    {
        // "Article 12 applies to …" speaks of an article, "Article 12 Scope" opens it.
        return !first_word.is_some_and(char::is_lowercase);
    }
    let follows = match last {
        Some(last) => label.number == last + 1 || (label.number == last && label.inserted.is_some()),
        None => label.number == 1,
    };
    follows && anwen_text::is_han(next) && !behind.starts_with(['的', '至', '和', '或', '之', '规', '第'])
}

/// The level of the division that a line is the title of.
fn division(line: &str) -> Option<u8> {
    let is_title = line.chars().nth(MAX_DIVISION_CHARACTERS).is_none()
        && !line.trim_end().ends_with(['。', '；', '，', '.', ';', ',', '：', ':']);
    if !is_title {
        return None;
    }
    han_division(line).or_else(|| latin_division(line))
}

fn han_division(line: &str) -> Option<u8> {
    let rest = line.strip_prefix('第')?.trim_start();
    let (_, digits) = leading_number(rest)?;
    let rest = rest[digits..].trim_start();
    let (mark, depth) = [("分编", 1), ("编", 0), ("章", 2), ("节", 3)]
        .into_iter()
        .find(|(mark, _)| rest.starts_with(mark))?;
    // "第三章规定的条件" is a sentence about a chapter.
    let behind = rest[mark.len()..].trim_start();
    (!behind.starts_with(['规', '的', '至', '和', '所'])).then_some(FIRST_DIVISION_LEVEL + depth)
}

fn latin_division(line: &str) -> Option<u8> {
    let (mark, rest) = line.split_once(' ')?;
    let depth = match mark.to_ascii_lowercase().as_str() {
        "book" | "part" => 0,
        "title" => 1,
        "chapter" => 2,
        "section" => 3,
        _ => return None,
    };
    let number = rest.trim_start().split([' ', '.', ':', '—', '-', '–']).next()?;
    let is_roman = |c: char| matches!(c, 'I' | 'V' | 'X' | 'L' | 'C');
    let is_number =
        !number.is_empty() && (number.chars().all(|c| c.is_ascii_digit()) || number.chars().all(is_roman));
    let behind = rest.trim_start()[number.len()..].trim_start_matches([' ', '.', ':', '—', '-', '–']);
    (is_number && !behind.starts_with(char::is_lowercase)).then_some(FIRST_DIVISION_LEVEL + depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(line: &str, last: Option<u32>) -> Option<u32> {
        match begins(line, last) {
            Begins::Article(label) => Some(label.number),
            _ => None,
        }
    }

    #[test]
    fn an_article_is_told_from_a_reference_to_one() {
        for (line, last, expected) in [
            ("第十二条 用人单位应当依法建立劳动规章制度。", Some(11), Some(12)),
            ("第十二条　用人单位", None, Some(12)),
            ("第十二条用人单位应当", Some(11), Some(12)),
            ("第十二条用人单位应当", Some(3), None),
            ("第十二条规定的情形除外。", Some(11), None),
            ("第十二条至第十五条适用于本章。", Some(11), None),
            ("第十二条之一 新增条款", Some(12), Some(12)),
            ("第一条为了规范管理，制定本办法。", None, Some(1)),
            ("第十二条", Some(3), Some(12)),
            ("Article 12 Scope", None, Some(12)),
            ("Article 12. The parties agree", Some(11), Some(12)),
            ("Article 12 applies mutatis mutandis.", Some(11), None),
            ("Article 12(2) Duties", None, Some(12)),
            ("The parties agree", None, None),
        ] {
            assert_eq!(article(line, last), expected, "{line}");
        }
    }

    #[test]
    fn chapters_are_told_from_sentences_about_them() {
        for (line, expected) in [
            ("第一编 总则", Some(2)),
            ("第二分编 典型合同", Some(3)),
            ("第三章 劳动合同的履行和变更", Some(4)),
            ("第三章", Some(4)),
            ("第 2 节 集体合同", Some(5)),
            ("第三章规定的条件", None),
            ("第三章的规定适用于下列情形。", None),
            ("CHAPTER III Rights of the data subject", Some(4)),
            ("Section 2", Some(5)),
            ("Part 1: General provisions", Some(2)),
            ("Section 2 applies to all", None),
            ("Title deeds are kept", None),
            ("Chapter and verse", None),
        ] {
            assert_eq!(division(line), expected, "{line}");
        }
    }
}
