//! Questions with their answers: each pair is a passage.

use super::assemble::{Assembler, Unit};
use super::cut_at_lines;
use crate::document::{Block, BlockKind};

/// A longer line without a mark is no question of a list of questions (characters).
const MAX_QUESTION_CHARACTERS: usize = 160;
/// Where so many questions are marked, a sentence with a question mark does not begin a pair.
const MIN_MARKED: usize = 2;
/// A question larger than this share of a chunk is not repeated in front of the rest of its answer.
const MAX_REPEATED_SHARE: usize = 3;
/// Marks of questions, longest first, in lower case.
const MARKS: [&str; 6] = ["question", "问题", "提问", "问", "faq", "q"];

/// Gives the blocks to the assembler, a pair after the other.
pub(super) fn feed<'b>(assembler: &mut Assembler<'_>, blocks: impl Iterator<Item = &'b Block> + Clone) {
    let marked = blocks
        .clone()
        .filter(|block| !matches!(block.kind, BlockKind::Table { .. } | BlockKind::Code { .. }))
        .flat_map(|block| block.text.lines())
        .filter(|line| is_marked_question(line))
        .take(MIN_MARKED)
        .count();
    let is_question =
        |text: &str| is_marked_question(text) || (marked < MIN_MARKED && is_plain_question(text));
    for block in blocks {
        match &block.kind {
            BlockKind::Table { rows, header_rows } if is_list_of_questions(rows, *header_rows) => {
                assembler.end_unit();
                each_row(assembler, block, rows, *header_rows);
            }
            BlockKind::Table { .. } | BlockKind::Code { .. } => assembler.block(block),
            BlockKind::Heading { level }
                if is_plain_question(&block.text) || is_marked_question(&block.text) =>
            {
                assembler.end_unit();
                assembler.heading(*level, block);
                begin_pair(assembler, block);
            }
            BlockKind::Heading { .. } => {
                assembler.end_unit();
                assembler.block(block);
            }
            _ => {
                for piece in cut_at_lines(block, &|line| is_marked_question(line)) {
                    if is_question(piece.text.trim()) || is_marked_question(&piece.text) {
                        begin_pair(assembler, &first_line(&piece));
                    }
                    assembler.block(&piece);
                }
            }
        }
        if assembler.is_full() {
            return;
        }
    }
}

/// Begins a pair; the question stands in front of each further part of a long answer.
fn begin_pair(assembler: &mut Assembler<'_>, question: &Block) {
    let max_tokens = assembler.settings().max_tokens;
    let repeated = assembler.piece(question);
    assembler.begin_unit(Unit {
        title: None,
        max_tokens,
        repeated: Some(repeated).filter(|question| question.tokens <= max_tokens / MAX_REPEATED_SHARE),
        keeps_headings: false,
        begun: false,
    });
}

/// Of a block that holds question and answer: the question.
fn first_line(block: &Block) -> Block {
    let end = block.text.find('\n').unwrap_or(block.text.len());
    Block {
        kind: BlockKind::Paragraph,
        text: block.text[..end].to_owned(),
        page: block.page,
        lines: super::lines_within(&block.lines, 0, end),
    }
}

/// Each row of a list of questions is a passage, with the table's header.
fn each_row(assembler: &mut Assembler<'_>, block: &Block, rows: &[Vec<String>], header_rows: usize) {
    let settings = assembler.settings().clone();
    let Some(table) = assembler.table_of(block, rows, header_rows) else {
        assembler.block(block);
        return;
    };
    // Of a size that no row has, so that no two rows fit together.
    for part in table.parts(0, 1, &settings, assembler.counter()) {
        assembler.table_part(part);
        if assembler.is_full() {
            return;
        }
    }
}

/// `Q: …`, `Q3. …`, `问：…`, `问题 2：…`.
fn is_marked_question(text: &str) -> bool {
    let text = text.trim_start_matches(['*', '#', ' ', '【', '[', '(', '（']);
    let lower: String = text.chars().take(12).flat_map(char::to_lowercase).collect();
    let Some(mark) = MARKS.into_iter().find(|mark| lower.starts_with(mark)) else { return false };
    let rest = lower[mark.len()..].trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let numeral = anwen_text::leading_number(rest).map_or(0, |(_, bytes)| bytes).max(digits);
    let behind = rest[numeral..].trim_start_matches(['】', ']', ')', '）', '*', ' ']);
    behind.starts_with([':', '：', '、', '．']) || (numeral > 0 && behind.starts_with('.'))
}

/// A short line that ends with a question mark, with or without a number in front.
fn is_plain_question(text: &str) -> bool {
    let text = text.trim().trim_end_matches('*');
    text.ends_with(['?', '？']) && !text.contains('\n') && text.chars().nth(MAX_QUESTION_CHARACTERS).is_none()
}

/// A table whose first column, or the one beside their numbers, holds questions: by its header, or by what stands below.
fn is_list_of_questions(rows: &[Vec<String>], header_rows: usize) -> bool {
    let named = |cell: &String| {
        let name = cell.trim().to_lowercase();
        matches!(name.as_str(), "问题" | "问" | "提问" | "常见问题" | "question" | "questions" | "q" | "faq")
    };
    let is_named = rows.first().is_some_and(|first| first.iter().take(2).any(named));
    let body = &rows[header_rows.min(rows.len())..];
    let asks = |column: usize| {
        let asking = body.iter().filter(|row| row.get(column).is_some_and(|cell| is_plain_question(cell)));
        !body.is_empty() && asking.count() * 2 > body.len()
    };
    let is_number = |cell: &String| cell.trim().trim_end_matches(['.', '、']).parse::<u32>().is_ok();
    let is_numbered = body.iter().all(|row| row.first().is_some_and(is_number));
    is_named || asks(0) || (is_numbered && asks(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_by_their_mark() {
        for (text, expected) in [
            ("Q: How do I reset it?", true),
            ("Q3. How do I reset it", true),
            ("q12：怎么重置", true),
            ("问：怎么重置？", true),
            ("问题 2：怎么重置", true),
            ("问题三、怎么重置", true),
            ("【问】怎么重置", false),
            ("【问】：怎么重置", true),
            ("**Q1:** how", true),
            ("Question 4: how", true),
            ("Quality is what counts.", false),
            ("Questions are welcome: write to us", false),
            ("问题很多", false),
            ("A: like this", false),
            ("", false),
        ] {
            assert_eq!(is_marked_question(text), expected, "{text}");
        }
    }

    #[test]
    fn a_list_of_questions_is_told_by_its_header_or_its_rows() {
        let table = |rows: &[[&str; 2]]| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
        };
        for (rows, header_rows, expected) in [
            (table(&[["问题", "答案"], ["怎么重置", "长按"]]), 1, true),
            (table(&[["How?", "So."], ["Why?", "Because."], ["Note", "x"]]), 0, true),
            (table(&[["Code", "Meaning"], ["E1", "Error?"]]), 1, false),
            (table(&[["1", "How?"], ["2", "Why?"]]), 0, true),
            (table(&[]), 0, false),
        ] {
            assert_eq!(is_list_of_questions(&rows, header_rows), expected, "{rows:?}");
        }
    }
}
