#![allow(clippy::unwrap_used)]

use super::*;

/// A word is a token, a Chinese character is one; what draws a table is none.
fn count(text: &str) -> usize {
    text.split_whitespace()
        .map(|word| {
            let wide = word.chars().filter(|&c| anwen_text::is_han(c)).count();
            let is_other = |c: char| c.is_alphanumeric() && !anwen_text::is_han(c);
            wide + usize::from(word.chars().any(is_other))
        })
        .sum()
}

fn heading(level: u8, text: &str) -> Block {
    Block::new(BlockKind::Heading { level }, text, None)
}

fn paragraph(text: &str) -> Block {
    Block::new(BlockKind::Paragraph, text, None)
}

fn item(text: &str) -> Block {
    Block::new(BlockKind::ListItem { depth: 0 }, text, None)
}

fn on_page(mut block: Block, page: u32) -> Block {
    block.page = Some(page);
    block
}

fn cut(profile: ChunkProfile, target_tokens: usize, max_tokens: usize, blocks: Vec<Block>) -> Chunks {
    let document = ParsedDocument { blocks, ..ParsedDocument::new("text/plain") };
    let settings = ChunkSettings {
        target_tokens,
        max_tokens,
        min_tokens: target_tokens / 2,
        ..ChunkSettings::default()
    };
    chunk_document_as(&document, profile, &settings, &count)
}

fn texts(chunks: &Chunks) -> Vec<&str> {
    chunks.drafts.iter().map(|draft| draft.text.as_str()).collect()
}

fn paths(chunks: &Chunks) -> Vec<String> {
    chunks.drafts.iter().map(|draft| draft.heading_path.join(" > ")).collect()
}

#[test]
fn an_article_of_a_law_is_a_chunk_under_its_chapter() {
    let chunks = cut(
        ChunkProfile::Law,
        100,
        200,
        vec![
            heading(1, "休假管理办法"),
            paragraph("（2025年修订）"),
            paragraph("第一章 总则"),
            paragraph("第一条 为规范管理，制定本办法。"),
            paragraph("第二条 适用于全体员工。"),
            paragraph("前款所称员工包括试用期员工。"),
            paragraph("第二章 年休假"),
            paragraph("第三条 按照第二条执行。"),
        ],
    );
    assert_eq!(
        texts(&chunks),
        [
            "休假管理办法\n（2025年修订）",
            "第一章 总则\n第一条 为规范管理，制定本办法。",
            "第二条 适用于全体员工。\n前款所称员工包括试用期员工。",
            "第二章 年休假\n第三条 按照第二条执行。"
        ]
    );
    assert_eq!(
        paths(&chunks),
        [
            "休假管理办法",
            "休假管理办法 > 第一章 总则 > 第一条",
            "休假管理办法 > 第一章 总则 > 第二条",
            "休假管理办法 > 第二章 年休假 > 第三条"
        ]
    );
}

#[test]
fn articles_in_one_block_are_cut_at_their_lines() {
    let text = "CHAPTER I General\nArticle 1 Scope\nIt applies to all.\nArticle 2 Terms\nArticle 1 applies here too.";
    let chunks = cut(ChunkProfile::Law, 100, 200, vec![paragraph(text)]);
    assert_eq!(
        texts(&chunks),
        [
            "CHAPTER I General\nArticle 1 Scope\nIt applies to all.",
            "Article 2 Terms\nArticle 1 applies here too."
        ]
    );
    assert_eq!(paths(&chunks), ["CHAPTER I General > Article 1", "CHAPTER I General > Article 2"]);
}

#[test]
fn articles_without_a_space_behind_their_number_are_told_by_their_order() {
    let text = "第一条为了规范管理，制定本办法。\n第二条本办法适用于全体员工。\n第五条规定的除外。\n第三条员工请假应当申请。";
    let chunks = cut(ChunkProfile::Law, 100, 200, vec![paragraph(text)]);
    assert_eq!(paths(&chunks), ["第一条", "第二条", "第三条"]);
    assert_eq!(texts(&chunks)[1], "第二条本办法适用于全体员工。\n第五条规定的除外。");
}

#[test]
fn a_table_of_contents_does_not_become_the_first_article() {
    let mut blocks: Vec<Block> = (1..=9).map(|n| paragraph(&format!("Chapter {n} About things"))).collect();
    blocks.push(paragraph("Article 1 Scope of it"));
    let chunks = cut(ChunkProfile::Law, 6, 10, blocks);
    assert_eq!(*texts(&chunks).last().unwrap(), "Chapter 9 About things\nArticle 1 Scope of it");
}

#[test]
fn a_long_article_is_cut_between_its_paragraphs_and_keeps_its_number() {
    let chunks = cut(
        ChunkProfile::Law,
        8,
        10,
        vec![paragraph("Article 7 First words of it."), paragraph("Second paragraph of the same article.")],
    );
    assert_eq!(texts(&chunks), ["Article 7 First words of it.", "Second paragraph of the same article."]);
    assert_eq!(paths(&chunks), ["Article 7", "Article 7"]);
}

#[test]
fn a_question_stands_with_its_answer_and_with_each_part_of_a_long_one() {
    let chunks = cut(
        ChunkProfile::Qa,
        10,
        12,
        vec![
            paragraph("Before the list."),
            paragraph("Q: How often?"),
            paragraph("A: Twice a year. Why? Because it says so."),
            paragraph("Each time for an hour or so."),
            paragraph("Q: Where?\nA: Here."),
        ],
    );
    assert_eq!(
        texts(&chunks),
        [
            "Before the list.",
            "Q: How often?\nA: Twice a year. Why? Because it says so.",
            "Q: How often?\nEach time for an hour or so.",
            "Q: Where?\nA: Here."
        ]
    );
}

#[test]
fn headings_that_ask_begin_a_pair_and_small_pairs_stay_apart() {
    let chunks = cut(
        ChunkProfile::Qa,
        100,
        200,
        vec![
            heading(1, "常见问题"),
            heading(2, "忘记密码怎么办？"),
            paragraph("点击重置。"),
            heading(2, "如何报修？"),
            paragraph("拨打内线。"),
            paragraph("或者发邮件。"),
        ],
    );
    assert_eq!(
        texts(&chunks),
        ["常见问题\n忘记密码怎么办？\n点击重置。", "如何报修？\n拨打内线。\n或者发邮件。"]
    );
    assert_eq!(paths(&chunks), ["常见问题 > 忘记密码怎么办？", "常见问题 > 如何报修？"]);
}

#[test]
fn a_row_of_a_list_of_questions_is_a_pair() {
    let rows: Vec<Vec<String>> = [["问题", "答案"], ["怎么重置", "长按五秒"], ["怎么关机", "短按"]]
        .iter()
        .map(|row| row.iter().map(|&cell| cell.to_owned()).collect())
        .collect();
    let chunks = cut(ChunkProfile::Qa, 100, 200, vec![Block::table(rows, 1, None)]);
    assert_eq!(
        texts(&chunks),
        [
            "| 问题 | 答案 |\n|---|---|\n| 怎么重置 | 长按五秒 |",
            "| 问题 | 答案 |\n|---|---|\n| 怎么关机 | 短按 |"
        ]
    );
}

#[test]
fn the_table_profile_puts_few_rows_together() {
    let mut rows = vec![vec!["code".to_owned(), "meaning".to_owned()]];
    rows.extend((0..30).map(|row| vec![format!("P{row}"), "misfire of the cylinder ".repeat(4)]));
    let blocks = vec![paragraph("Before."), Block::table(rows, 1, None)];
    let general = cut(ChunkProfile::General, 200, 320, blocks.clone());
    let by_rows = cut(ChunkProfile::Table, 200, 320, blocks);
    assert_eq!((general.drafts.len(), by_rows.drafts.len()), (6, 16));
    assert!(
        by_rows.drafts[1..].iter().all(|draft| draft.text.starts_with("| code | meaning |\n|---|---|\n"))
    );
    assert!(by_rows.drafts[1..].iter().all(|draft| draft.tokens <= ROW_TOKENS));
}

#[test]
fn a_slide_is_a_chunk_with_all_that_is_on_it() {
    let table = Block::table(vec![vec!["k".into(), "v".into()], vec!["1".into(), "2".into()]], 1, Some(1));
    let chunks = cut(
        ChunkProfile::Presentation,
        4,
        8,
        vec![
            on_page(heading(1, "Goals"), 1),
            on_page(item("more"), 1),
            table,
            on_page(paragraph("Notes of the first"), 1),
            on_page(heading(1, "Plan"), 2),
            on_page(item("less"), 2),
        ],
    );
    assert_eq!(
        texts(&chunks),
        ["Goals\nmore\n\n| k | v |\n|---|---|\n| 1 | 2 |\n\nNotes of the first", "Plan\nless"]
    );
    assert_eq!(paths(&chunks), ["Goals", "Plan"]);
    assert_eq!(chunks.drafts[1].page_start, Some(2));
}

#[test]
fn a_slide_with_nothing_but_a_title_stays_by_itself() {
    let blocks =
        vec![on_page(heading(1, "Thanks"), 1), on_page(heading(1, "Annex"), 2), on_page(paragraph("a"), 2)];
    let chunks = cut(ChunkProfile::Presentation, 100, 200, blocks);
    assert_eq!(texts(&chunks), ["Thanks", "Annex\na"]);
    assert_eq!(paths(&chunks), ["Thanks", "Annex"]);
}

#[test]
fn a_presentation_without_pages_is_cut_at_its_headings() {
    let chunks = cut(
        ChunkProfile::Presentation,
        100,
        200,
        vec![
            heading(1, "Talk"),
            heading(2, "One"),
            paragraph("a"),
            heading(3, "Detail"),
            paragraph("b"),
            heading(2, "Two"),
            paragraph("c"),
        ],
    );
    assert_eq!(texts(&chunks), ["Talk", "One\na\nDetail\nb", "Two\nc"]);
}

#[test]
fn a_page_is_a_chunk_and_a_page_that_is_too_large_is_cut() {
    let words = "word ".repeat(30);
    let chunks = cut(
        ChunkProfile::Page,
        4,
        10,
        vec![
            on_page(paragraph("first"), 1),
            on_page(heading(1, "Title"), 1),
            on_page(paragraph("second"), 1),
            on_page(paragraph(words.trim()), 2),
            on_page(paragraph(words.trim()), 2),
        ],
    );
    assert_eq!(texts(&chunks)[0], "first\nTitle\nsecond");
    assert!(chunks.drafts.len() > 2);
    let sizes: Vec<usize> = chunks.drafts[1..].iter().map(|draft| draft.tokens).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 60);
    assert!(sizes.iter().all(|&size| size <= 40), "{sizes:?}");
}

#[test]
fn a_manual_keeps_small_sections_apart_and_steps_together() {
    let blocks = vec![
        heading(1, "Care"),
        heading(2, "Oil"),
        paragraph("Monthly."),
        heading(2, "Belt"),
        paragraph("a b c d e f"),
        paragraph("To change it:"),
        item("1. one two three"),
        item("2. four five six"),
    ];
    let manual = cut(ChunkProfile::Manual, 8, 14, blocks.clone());
    assert_eq!(
        texts(&manual),
        ["Care\nOil\nMonthly.", "Belt\na b c d e f", "To change it:\n1. one two three\n2. four five six"]
    );
    let general = cut(ChunkProfile::General, 8, 14, blocks);
    assert_ne!(texts(&general), texts(&manual));
}

#[test]
fn no_profile_loses_a_word_or_makes_one_up() {
    let table = Block::table(
        vec![vec!["q".into(), "w".into()], vec!["e1?".into(), "r2".into()], vec!["t3?".into(), "y4".into()]],
        1,
        Some(2),
    );
    let blocks = vec![
        on_page(heading(1, "Title one"), 1),
        on_page(paragraph("第一条 alpha beta"), 1),
        on_page(paragraph("Q: gamma?"), 1),
        on_page(item("delta: epsilon"), 2),
        table,
        on_page(Block::new(BlockKind::Code { language: None }, "let zeta = 1;", None), 2),
        on_page(Block::new(BlockKind::Footnote, "eta theta", None), 3),
    ];
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let alphanumeric = |c: char| !c.is_alphanumeric();
        text.split(alphanumeric).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let all = words(&blocks.iter().map(|block| block.text.clone()).collect::<Vec<_>>().join("\n"));
    for profile in ChunkProfile::ALL {
        for (target, max) in [(200, 320), (5, 8), (4, 6)] {
            let chunks = cut(profile, target, max, blocks.clone());
            assert_eq!(words(&texts(&chunks).join("\n")), all, "{profile} {target}/{max}");
            let ordinals: Vec<u32> = chunks.drafts.iter().map(|draft| draft.ordinal).collect();
            assert_eq!(ordinals, (0..chunks.drafts.len() as u32).collect::<Vec<_>>());
            for draft in &chunks.drafts {
                assert!(!draft.text.trim().is_empty(), "{profile} {target}/{max}");
            }
        }
    }
}
