#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::time::Instant;

use super::*;

/// A word is a token, a Chinese character is one.
fn count(text: &str) -> usize {
    text.split_whitespace()
        .map(|word| {
            let wide = word.chars().filter(|&c| crate::clean::is_wide(c)).count();
            wide + usize::from(word.chars().any(|c| !crate::clean::is_wide(c)))
        })
        .sum()
}

fn settings(target_tokens: usize, max_tokens: usize) -> ChunkSettings {
    ChunkSettings { target_tokens, max_tokens, min_tokens: 0, ..ChunkSettings::default() }
}

fn document(blocks: Vec<Block>) -> ParsedDocument {
    ParsedDocument { blocks, ..ParsedDocument::new("text/plain") }
}

fn heading(level: u8, text: &str) -> Block {
    Block::new(BlockKind::Heading { level }, text, None)
}

fn paragraph(text: &str) -> Block {
    Block::new(BlockKind::Paragraph, text, None)
}

fn texts(chunks: &Chunks) -> Vec<&str> {
    chunks.drafts.iter().map(|draft| draft.text.as_str()).collect()
}

/// A line for each word of the text, ten points high, all on one page.
fn with_lines(mut block: Block, page: u32) -> Block {
    let mut start = 0;
    for (index, word) in block.text.split(' ').enumerate() {
        let y0 = 10.0 * index as f32;
        block.lines.push(LineSpan {
            start,
            end: start + word.len(),
            page,
            x0: 0.0,
            y0,
            x1: 50.0,
            y1: y0 + 10.0,
        });
        start += word.len() + 1;
    }
    block.page = Some(page);
    block
}

#[test]
fn blocks_of_a_section_go_together_and_sections_do_not() {
    let document = document(vec![
        heading(1, "Handbook"),
        heading(2, "Leave"),
        paragraph("one two three"),
        paragraph("four five six"),
        paragraph("seven eight nine"),
        heading(2, "Travel"),
        paragraph("ten"),
    ]);
    let chunks = chunk_document(&document, &settings(8, 12), &count);
    assert_eq!(
        texts(&chunks),
        ["Handbook\nLeave\none two three\nfour five six", "seven eight nine", "Travel\nten"]
    );
    assert_eq!(chunks.drafts[1].heading_path, ["Handbook", "Leave"]);
    assert_eq!(chunks.drafts[2].heading_path, ["Handbook", "Travel"]);
    assert_eq!(chunks.drafts.iter().map(|draft| draft.ordinal).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn kinds_do_not_mix() {
    let document = document(vec![
        paragraph("before"),
        Block::new(BlockKind::Code { language: None }, "let a = 1;", None),
        Block::table(vec![vec!["k".into(), "v".into()], vec!["1".into(), "2".into()]], 1, None),
        paragraph("after"),
    ]);
    let chunks = chunk_document(&document, &settings(100, 200), &count);
    assert_eq!(
        chunks.drafts.iter().map(|draft| (draft.kind, draft.text.as_str())).collect::<Vec<_>>(),
        [
            (ChunkKind::Prose, "before"),
            (ChunkKind::Code, "let a = 1;"),
            (ChunkKind::Table, "| k | v |\n|---|---|\n| 1 | 2 |"),
            (ChunkKind::Prose, "after")
        ]
    );
}

#[test]
fn small_sections_beside_each_other_go_together_under_their_parent() {
    let document = document(vec![
        heading(1, "FAQ"),
        heading(2, "Why?"),
        paragraph("because"),
        heading(2, "When?"),
        paragraph("now"),
        heading(1, "Other"),
        paragraph("text"),
    ]);
    let settings = ChunkSettings { min_tokens: 6, ..settings(20, 30) };
    let chunks = chunk_document(&document, &settings, &count);
    assert_eq!(texts(&chunks), ["FAQ\nWhy?\nbecause\nWhen?\nnow", "Other\ntext"]);
    assert_eq!(chunks.drafts[0].heading_path, ["FAQ"]);
}

#[test]
fn large_paragraphs_are_cut_between_sentences() {
    let text = "One two three four. Five six seven eight. Nine ten eleven twelve. Last words here.";
    let chunks = chunk_document(&document(vec![paragraph(text)]), &settings(8, 9), &count);
    assert_eq!(
        texts(&chunks),
        ["One two three four. Five six seven eight.", "Nine ten eleven twelve. Last words here."]
    );
    assert!(chunks.drafts.iter().all(|draft| draft.tokens <= 9));
}

#[test]
fn chinese_is_cut_between_sentences() {
    let text = "第一句话说明年假。第二句话说明病假。第三句话说明事假。";
    let chunks = chunk_document(&document(vec![paragraph(text)]), &settings(9, 10), &count);
    assert_eq!(texts(&chunks), ["第一句话说明年假。", "第二句话说明病假。", "第三句话说明事假。"]);
}

#[test]
fn lines_keep_pointing_at_their_words() {
    let blocks = vec![
        with_lines(heading(1, "Top words"), 3),
        with_lines(paragraph("a bb ccc dddd eeeee ffffff ggggggg"), 4),
    ];
    let words: Vec<&str> = blocks.iter().flat_map(|block| block.text.split(' ')).collect();
    let chunks = chunk_document(&document(blocks.clone()), &settings(3, 4), &count);
    let found: Vec<&str> = chunks
        .drafts
        .iter()
        .flat_map(|draft| draft.lines.iter().map(|line| &draft.text[line.start..line.end]))
        .collect();
    assert_eq!(found, words);
    assert!(chunks.drafts.len() > 1);
    assert_eq!((chunks.drafts[0].page_start, chunks.drafts[0].page_end), (Some(3), Some(4)));
}

/// Counts words that say something: neither borders nor rules of a table.
fn count_words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

fn cells(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
}

#[test]
fn long_tables_repeat_their_header_and_do_not_cut_rows() {
    let mut rows = vec![vec!["code".to_owned(), "meaning".to_owned()]];
    rows.extend((0..10).map(|row| vec![format!("P{row}"), "misfire of cylinder".to_owned()]));
    let chunks =
        chunk_document(&document(vec![Block::table(rows, 1, None)]), &settings(20, 25), &count_words);
    assert!(chunks.drafts.len() > 2);
    let mut seen = 0;
    for draft in &chunks.drafts {
        let mut lines = draft.text.lines();
        assert_eq!(lines.next(), Some("| code | meaning |"));
        assert_eq!(lines.next(), Some("|---|---|"));
        for line in lines {
            assert_eq!(line, format!("| P{seen} | misfire of cylinder |"));
            seen += 1;
        }
        assert!(draft.tokens <= 25);
        assert_eq!(draft.kind, ChunkKind::Table);
    }
    assert_eq!(seen, 10);
}

#[test]
fn a_row_larger_than_a_chunk_is_cut_with_the_names_of_its_columns() {
    let long = "One two three four. Five six seven eight. Nine ten eleven twelve.";
    let table = Block::table(cells(&[&["key", "what"], &["A1", "short"], &["B2", long]]), 1, None);
    let chunks = chunk_document(&document(vec![table]), &settings(8, 10), &count_words);
    assert_eq!(
        texts(&chunks),
        [
            "| key | what |\n|---|---|\n| A1 | short |",
            "key: B2\nwhat: One two three four.",
            "key: B2\nFive six seven eight. Nine ten eleven twelve."
        ]
    );
}

#[test]
fn empty_columns_go_and_pipes_are_escaped() {
    let table =
        Block::table(cells(&[&["a|b", "", "c"], &["1", "", ""], &["", "", ""], &["2", "", "3"]]), 1, None);
    let chunks = chunk_document(&document(vec![table]), &settings(50, 50), &count_words);
    assert_eq!(texts(&chunks), ["| a\\|b | c |\n|---|---|\n| 1 |  |\n| 2 | 3 |"]);
}

#[test]
fn header_rows_become_one_and_a_table_without_one_has_an_empty_one() {
    for (rows, header_rows, expected) in [
        (
            cells(&[&["Model", "2025", "2025"], &["Model", "Q1", "Q2"], &["X", "1", "2"]]),
            2,
            "| Model | 2025 Q1 | 2025 Q2 |\n|---|---|---|\n| X | 1 | 2 |",
        ),
        (cells(&[&["Name", "Li"], &["Phone", "12"]]), 0, "|  |  |\n|---|---|\n| Name | Li |\n| Phone | 12 |"),
        (
            cells(&[&["Model", "Power", "Mass"], &["X", "1 kW", "3"], &["Y", "2 kW", "4"]]),
            0,
            "| Model | Power | Mass |\n|---|---|---|\n| X | 1 kW | 3 |\n| Y | 2 kW | 4 |",
        ),
    ] {
        let chunks = chunk_document(
            &document(vec![Block::table(rows, header_rows, None)]),
            &settings(50, 50),
            &count_words,
        );
        assert_eq!(texts(&chunks), [expected]);
    }
}

#[test]
fn one_column_is_text() {
    let table = Block::table(cells(&[&["note", ""], &["keep dry", ""]]), 0, None);
    let chunks = chunk_document(&document(vec![table]), &settings(50, 50), &count_words);
    assert_eq!((texts(&chunks), chunks.drafts[0].kind), (vec!["note\nkeep dry"], ChunkKind::Prose));
}

#[test]
fn a_table_that_goes_on_on_the_next_page_keeps_its_header() {
    let first = Block::table(cells(&[&["code", "meaning"], &["A", "one"]]), 1, Some(1));
    let next = Block::table(cells(&[&["B", "two"], &["C", "three"]]), 0, Some(2));
    let chunks = chunk_document(&document(vec![first, next]), &settings(50, 50), &count_words);
    assert_eq!(
        texts(&chunks),
        [
            "| code | meaning |\n|---|---|\n| A | one |",
            "| code | meaning |\n|---|---|\n| B | two |\n| C | three |"
        ]
    );
}

#[test]
fn a_caption_opens_its_table_and_stands_in_the_path_of_every_part() {
    let rows = cells(&[&["k", "v"], &["a", "1"], &["b", "2"], &["c", "3"]]);
    let blocks = vec![
        heading(1, "Pumps"),
        paragraph("Some words before it."),
        paragraph("Table 3: Limits"),
        Block::table(rows, 1, None),
    ];
    let chunks = chunk_document(&document(blocks), &settings(7, 9), &count_words);
    assert_eq!(
        texts(&chunks),
        [
            "Pumps\nSome words before it.",
            "Table 3: Limits\n\n| k | v |\n|---|---|\n| a | 1 |",
            "| k | v |\n|---|---|\n| b | 2 |",
            "| k | v |\n|---|---|\n| c | 3 |"
        ]
    );
    assert!(chunks.drafts[1..].iter().all(|draft| draft.heading_path == ["Pumps", "Table 3: Limits"]));
}

#[test]
fn lines_of_a_table_point_at_its_cells_and_the_header_is_marked_once() {
    let rows = cells(&[&["code", "meaning of it"], &["P1", "a|b"], &["P2", "idle"]]);
    let mut block = Block::table(rows, 1, Some(2));
    let mut start = 0;
    let ends: Vec<usize> = block.text.split('\n').map(str::len).collect();
    for (row, length) in ends.into_iter().enumerate() {
        let y0 = 20.0 * row as f32;
        block.lines.push(LineSpan {
            start,
            end: start + length,
            page: 2,
            x0: 0.0,
            y0,
            x1: 9.0,
            y1: y0 + 9.0,
        });
        start += length + 1;
    }
    let chunks = chunk_document(&document(vec![block]), &settings(6, 8), &count_words);
    let marked: Vec<Vec<&str>> = chunks
        .drafts
        .iter()
        .map(|draft| draft.lines.iter().map(|line| &draft.text[line.start..line.end]).collect())
        .collect();
    assert_eq!(marked, [vec!["code | meaning of it", "P1 | a\\|b"], vec!["P2 | idle"]]);
    assert_eq!(chunks.drafts[1].page_start, Some(2));
}

#[test]
fn overlap_carries_whole_sentences_within_a_section() {
    let settings = ChunkSettings { overlap_tokens: 3, ..settings(8, 12) };
    let document = document(vec![
        paragraph("First sentence is long enough. Short end."),
        paragraph("Next paragraph of six words here."),
        heading(1, "New"),
        paragraph("Text."),
    ]);
    let chunks = chunk_document(&document, &settings, &count);
    assert_eq!(
        texts(&chunks),
        [
            "First sentence is long enough. Short end.",
            "Short end.\nNext paragraph of six words here.",
            "New\nText."
        ]
    );
}

#[test]
fn a_heading_without_text_is_a_chunk_of_its_own() {
    let chunks =
        chunk_document(&document(vec![heading(1, "Only a title")]), &ChunkSettings::default(), &count);
    assert_eq!(texts(&chunks), ["Only a title"]);
}

#[test]
fn ten_megabytes_in_one_line_are_cut_quickly_and_completely() {
    let line = "安全问答 question answering platform 私有部署。".repeat(10 * 1024 * 1024 / 60);
    let counted = Cell::new(0usize);
    let counting = |text: &str| {
        counted.set(counted.get() + text.len());
        count(text)
    };
    let began = Instant::now();
    let chunks = chunk_document(&document(vec![paragraph(&line)]), &ChunkSettings::default(), &counting);
    let characters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    assert_eq!(chunks.drafts.iter().map(|draft| characters(&draft.text)).sum::<usize>(), characters(&line));
    assert!(chunks.drafts.iter().all(|draft| draft.tokens <= ChunkSettings::default().max_tokens));
    // The bound is on work, not on time: it does not depend on the machine.
    assert!(
        counted.get() < line.len() * 100,
        "{} bytes counted for {} bytes of text in {:?}",
        counted.get(),
        line.len(),
        began.elapsed()
    );
}

#[test]
fn too_many_chunks_are_reported() {
    let settings = ChunkSettings { max_chunks: 2, ..settings(1, 2) };
    let chunks = chunk_document(
        &document(vec![paragraph("a b"), paragraph("c d"), paragraph("e f")]),
        &settings,
        &count,
    );
    assert_eq!((chunks.drafts.len(), chunks.truncated), (2, true));
}

#[test]
fn boxes_join_lines_of_a_paragraph_and_split_at_columns_and_pages() {
    let line = |page, x0, y0| LineSpan { start: 0, end: 1, page, x0, y0, x1: x0 + 200.0, y1: y0 + 10.0 };
    let lines = [
        line(1, 50.0, 100.0),
        line(1, 50.0, 112.0),
        line(1, 300.0, 100.0),
        line(1, 300.0, 400.0),
        line(2, 300.0, 410.0),
    ];
    let found: Vec<(u32, f32, f32, f32)> = boxes(&lines).iter().map(|b| (b.page, b.x0, b.y0, b.y1)).collect();
    assert_eq!(
        found,
        [
            (1, 50.0, 100.0, 122.0),
            (1, 300.0, 100.0, 110.0),
            (1, 300.0, 400.0, 410.0),
            (2, 300.0, 410.0, 420.0)
        ]
    );
}
