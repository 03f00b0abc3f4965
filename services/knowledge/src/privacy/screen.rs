//! A policy applied to a document as it was read.

use super::{Policy, reported};
use anwen_contract::privacy::{DesensitisationMode, DocumentFinding, MAX_LISTED_FINDINGS};
use anwen_parse::document::{Block, BlockKind, CELL_SEPARATOR, LineSpan, ParsedDocument, table_text};
use anwen_privacy::{Finding, Masked, mask, sample};
use anwen_text::{Language, language};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters that the language of a document is told from.
const LANGUAGE_CHARS: usize = 20_000;

/// What was found, without its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// By the kind's name; all of them.
    pub counts: BTreeMap<String, i64>,
    /// The first of them.
    pub items: Vec<DocumentFinding>,
}

impl Report {
    pub fn total(&self) -> i64 {
        self.counts.values().sum()
    }

    fn note(&mut self, text: &str, place: (Option<u32>, Option<usize>), shift: usize, finding: &Finding) {
        let kind = reported(finding.kind);
        *self.counts.entry(kind.as_str().to_owned()).or_default() += 1;
        if self.items.len() < MAX_LISTED_FINDINGS {
            let (page, block) = place;
            self.items.push(DocumentFinding {
                kind,
                page,
                block: block.and_then(|block| u32::try_from(block).ok()),
                offset: u32::try_from(finding.range.start + shift).unwrap_or(u32::MAX),
                sample: sample(finding.kind, text.get(finding.range.clone()).unwrap_or_default()),
            });
        }
    }
}

impl Policy {
    /// Looks through a document and its name, and in a masking knowledge base puts placeholders where something was
    /// found: in the text with its lines, in the cells of tables, and in what the file says about itself.
    pub fn screen(&self, name: &str, document: &mut ParsedDocument) -> Report {
        let mut report = Report::default();
        if self.mode == DesensitisationMode::Off {
            return report;
        }
        for finding in self.detector.find(name) {
            report.note(name, (None, None), 0, &finding);
        }
        let language = language_of(document);
        let masks = self.mode == DesensitisationMode::Mask;
        for (index, block) in document.blocks.iter_mut().enumerate() {
            if matches!(block.kind, BlockKind::Table { .. }) {
                self.screen_table(block, index, masks.then_some(language), &mut report);
            } else {
                self.screen_text(block, index, masks.then_some(language), &mut report);
            }
        }
        if masks {
            self.mask_metadata(document, language);
        }
        report
    }

    fn screen_text(&self, block: &mut Block, index: usize, masks: Option<Language>, report: &mut Report) {
        let findings = self.detector.find(&block.text);
        for finding in &findings {
            report.note(&block.text, (page_of(block, finding.range.start), Some(index)), 0, finding);
        }
        if let Some(language) = masks.filter(|_| !findings.is_empty()) {
            replace_text(block, mask(&block.text, &findings, language));
        }
    }

    /// The cells of a table, each with its column's header and the cell to its left as labels.
    fn screen_table(&self, block: &mut Block, index: usize, masks: Option<Language>, report: &mut Report) {
        let BlockKind::Table { rows, header_rows } = &mut block.kind else { return };
        // As they stand in the text: white space of any kind is one space.
        for cell in rows.iter_mut().flatten() {
            *cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        let is_text_of_rows = table_text(rows) == block.text;
        let found = self.findings_in_cells(rows, *header_rows);
        let pages: Vec<(usize, u32)> = block.lines.iter().map(|line| (line.start, line.page)).collect();
        for one in &found {
            let before = pages.partition_point(|(start, _)| *start <= one.shift);
            let page =
                before.checked_sub(1).map(|last| pages[last].1).filter(|_| is_text_of_rows).or(block.page);
            report.note(&rows[one.row][one.column], (page, Some(index)), one.shift, &one.finding);
        }
        let (Some(language), false) = (masks, found.is_empty()) else {
            if !is_text_of_rows {
                self.screen_text(block, index, masks, report);
            }
            return;
        };
        let in_text: Vec<Finding> = found.iter().map(Located::in_text).collect();
        let mut at = 0;
        while let Some(first) = found.get(at) {
            let same = found[at..]
                .iter()
                .take_while(|one| (one.row, one.column) == (first.row, first.column))
                .count();
            let findings: Vec<Finding> = found[at..at + same].iter().map(|one| one.finding.clone()).collect();
            let cell = &mut rows[first.row][first.column];
            *cell = mask(cell, &findings, language).text;
            at += same;
        }
        if is_text_of_rows {
            let masked = mask(&block.text, &in_text, language);
            replace_text(block, masked);
        } else {
            // The text is not that of the cells, so its places cannot be told: it is made from them anew.
            let text = table_text(rows);
            block.lines.clear();
            block.text = text;
        }
    }

    fn findings_in_cells(&self, rows: &[Vec<String>], header_rows: usize) -> Vec<Located> {
        let header = rows.get(header_rows.wrapping_sub(1));
        let mut found = Vec::new();
        let mut row_start = 0;
        for (row, cells) in rows.iter().enumerate() {
            let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            let mut shift = row_start;
            for (column, cell) in cells.iter().enumerate().take(filled) {
                let above = header.filter(|_| row >= header_rows).and_then(|header| header.get(column));
                let left = column.checked_sub(1).and_then(|left| cells.get(left));
                let labels = [above.map_or("", String::as_str), left.map_or("", String::as_str)];
                let findings = self.detector.find_labelled(&labels, cell);
                found.extend(findings.into_iter().map(|finding| Located { row, column, shift, finding }));
                shift += cell.len() + CELL_SEPARATOR.len();
            }
            row_start = if filled == 0 { row_start + 1 } else { shift - CELL_SEPARATOR.len() + 1 };
        }
        found
    }

    fn mask_metadata(&self, document: &mut ParsedDocument, language: Language) {
        let metadata = &mut document.metadata;
        let texts = [&mut document.title, &mut metadata.author, &mut metadata.subject];
        let texts = texts.into_iter().flatten().chain(metadata.keywords.iter_mut());
        for text in texts {
            let findings = self.detector.find(text);
            *text = mask(text, &findings, language).text;
        }
    }
}

/// A finding in a cell.
struct Located {
    row: usize,
    column: usize,
    /// Where the cell begins in the table's text.
    shift: usize,
    finding: Finding,
}

impl Located {
    fn in_text(&self) -> Finding {
        let range = &self.finding.range;
        Finding { kind: self.finding.kind, range: range.start + self.shift..range.end + self.shift }
    }
}

fn language_of(document: &ParsedDocument) -> Language {
    let mut sample = String::new();
    for block in &document.blocks {
        if sample.len() >= LANGUAGE_CHARS {
            break;
        }
        sample.extend(block.text.chars().take(LANGUAGE_CHARS));
    }
    language(&sample)
}

/// The page of a place in a block's text.
fn page_of(block: &Block, offset: usize) -> Option<u32> {
    let line = block.lines.iter().find(|line| line.start <= offset && offset < line.end);
    line.map(|line| line.page).or(block.page)
}

fn replace_text(block: &mut Block, masked: Masked) {
    for line in &mut block.lines {
        *line = LineSpan { start: masked.start(line.start), end: masked.end(line.end), ..*line };
    }
    block.text = masked.text;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use anwen_contract::privacy::{Desensitisation, SensitiveKind};

    fn policy(mode: DesensitisationMode) -> Policy {
        let words = vec!["启明星计划".to_owned()];
        Policy::new(&Desensitisation { mode, kinds: vec![], words }).unwrap()
    }

    fn line(start: usize, end: usize, page: u32) -> LineSpan {
        LineSpan { start, end, page, x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 }
    }

    #[test]
    fn text_and_headings_are_masked_and_their_lines_still_fit() {
        let mut document = ParsedDocument::new("text/plain");
        let text = "请拨打13912345678联系，\n或写信到zhang@example.com。";
        let first = text.find('\n').unwrap();
        let mut block = Block::new(BlockKind::Paragraph, text, Some(3));
        block.lines = vec![line(0, first, 3), line(first + 1, text.len(), 4)];
        document.blocks = vec![Block::new(BlockKind::Heading { level: 1 }, "启明星计划概述", Some(3)), block];
        let report = policy(DesensitisationMode::Mask).screen("合同.pdf", &mut document);
        assert_eq!(document.blocks[0].text, "[敏感词]概述");
        let masked = &document.blocks[1];
        assert_eq!(masked.text, "请拨打[电话]联系，\n或写信到[邮箱]。");
        let shown: Vec<&str> = masked.lines.iter().map(|line| &masked.text[line.start..line.end]).collect();
        assert_eq!(shown, ["请拨打[电话]联系，", "或写信到[邮箱]。"]);
        let places: Vec<_> = report.items.iter().map(|item| (item.kind, item.page, item.block)).collect();
        assert_eq!(
            places,
            [
                (SensitiveKind::Word, Some(3), Some(0)),
                (SensitiveKind::Phone, Some(3), Some(1)),
                (SensitiveKind::Email, Some(4), Some(1))
            ]
        );
        assert!(report.items.iter().all(|item| item.sample.contains('*')));
    }

    #[test]
    fn cells_are_masked_by_their_column_and_the_text_stays_that_of_the_cells() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["姓名", "护照号码", "订单号"]),
            row(["张三", "E12345678", "13912345678"]),
            row(["", "", ""]),
            row(["李四", "E87654321", "13912345679"]),
        ];
        let mut document = ParsedDocument::new("text/csv");
        document.blocks = vec![Block::table(rows, 1, None)];
        let report = policy(DesensitisationMode::Mask).screen("a.csv", &mut document);
        assert_eq!(report.counts, BTreeMap::from([("passport".to_owned(), 2)]));
        let block = &document.blocks[0];
        let BlockKind::Table { rows, .. } = &block.kind else { panic!("a table stays one") };
        assert_eq!(rows[1], row(["张三", "[护照号]", "13912345678"]));
        assert_eq!(block.text, table_text(rows));
    }

    #[test]
    fn a_table_whose_text_is_not_that_of_its_cells_is_made_from_them() {
        let mut block = Block::table(vec![vec!["电话".to_owned(), "13912345678".to_owned()]], 0, Some(1));
        block.text = "电话 13912345678 (表)".to_owned();
        block.lines = vec![line(0, 5, 1)];
        let mut document = ParsedDocument::new("application/pdf");
        document.blocks = vec![block];
        policy(DesensitisationMode::Mask).screen("a.pdf", &mut document);
        assert_eq!(document.blocks[0].text, "电话 | [电话]");
        assert!(document.blocks[0].lines.is_empty());
    }

    #[test]
    fn flagging_counts_and_changes_nothing() {
        let mut document = ParsedDocument::new("text/plain");
        document.title = Some("zhang@example.com".to_owned());
        document.blocks = vec![Block::new(BlockKind::Paragraph, "password = hunter2!", None)];
        let before = document.clone();
        let report = policy(DesensitisationMode::Flag).screen("13912345678.txt", &mut document);
        assert_eq!(document, before);
        assert_eq!(report.total(), 2);
        let report = policy(DesensitisationMode::Off).screen("13912345678.txt", &mut document);
        assert_eq!((report.total(), document), (0, before));
    }

    #[test]
    fn a_report_lists_a_bounded_number() {
        let mut document = ParsedDocument::new("text/plain");
        let text = "a@example.com ".repeat(MAX_LISTED_FINDINGS + 5);
        document.blocks = vec![Block::new(BlockKind::Paragraph, text, None)];
        let report = policy(DesensitisationMode::Flag).screen("a.txt", &mut document);
        assert_eq!(
            (report.items.len(), report.total()),
            (MAX_LISTED_FINDINGS, MAX_LISTED_FINDINGS as i64 + 5)
        );
    }
}
