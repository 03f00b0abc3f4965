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
            (ChunkKind::Table, "k | v\n1 | 2"),
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

#[test]
fn long_tables_repeat_their_header_and_do_not_cut_rows() {
    let mut rows = vec![vec!["code".to_owned(), "meaning".to_owned()]];
    rows.extend((0..10).map(|row| vec![format!("P{row}"), "misfire of cylinder".to_owned()]));
    let chunks = chunk_document(&document(vec![Block::table(rows, 1, None)]), &settings(20, 25), &count);
    assert!(chunks.drafts.len() > 2);
    let mut seen = 0;
    for draft in &chunks.drafts {
        let mut lines = draft.text.lines();
        assert_eq!(lines.next(), Some("code | meaning"));
        for line in lines {
            assert_eq!(line, format!("P{seen} | misfire of cylinder"));
            seen += 1;
        }
        assert!(draft.tokens <= 25);
    }
    assert_eq!(seen, 10);
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
