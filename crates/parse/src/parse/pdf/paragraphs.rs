//! Lines joined into paragraphs, items of lists, code and tables.

use super::captions;
use super::joining;
use super::layout::Line;
use super::notes;
use super::ruled_table::RuledTable;
use super::tables::{self, TableSpan};
use crate::clean::{self, Join, Vocabulary};
use crate::document::{Block, BlockKind, LineSpan, PageSize, table_row_text};
use crate::parse::ordinals;

/// Font sizes that differ by a smaller factor are the same.
const SAME_SIZE: f32 = 1.08;
/// A distance between lines that is this much more than usual begins a paragraph.
const PARAGRAPH_GAP: f32 = 1.3;
/// Distance between lines of a group that has too few of them to tell what is usual (font sizes).
const USUAL_LEADING_EM: f32 = 1.35;
/// A first line that stands this much further right than the line above begins a paragraph (font sizes).
const INDENT_EM: f32 = 0.9;
/// A line that ends this much before the right edge of its column does not fill it (share of the column's width).
const SHORT_LINE_SHARE: f32 = 0.12;
/// Width of a monospaced character (font sizes), to keep the indentation of code.
const MONOSPACE_EM: f32 = 0.6;

/// A block with what later steps need to know of its looks.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) block: Block,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) line_count: usize,
    /// Group of the last line.
    pub(super) group: u32,
    /// The last line reaches the right edge of its column.
    pub(super) ends_full: bool,
    /// The first line stands further right than its column begins.
    pub(super) begins_indented: bool,
    /// Of the page where it ends.
    pub(super) page_size: PageSize,
    /// Length of a drawn line above its first line; zero without.
    pub(super) rule_above: f32,
    /// Places of a table's borders; empty for other blocks.
    pub(super) xs: Vec<f32>,
}

impl Draft {
    /// Where it begins, from 1.
    pub(super) fn page(&self) -> u32 {
        self.block.page.unwrap_or(0)
    }

    /// Left, top, right, bottom of its lines on the page where it begins.
    pub(super) fn bounds(&self) -> Option<[f32; 4]> {
        let first = self.block.lines.first()?;
        Some(
            self.block
                .lines
                .iter()
                .filter(|line| line.page == first.page)
                .fold([first.x0, first.y0, first.x1, first.y1], |[x0, y0, x1, y1], line| {
                    [x0.min(line.x0), y0.min(line.y0), x1.max(line.x1), y1.max(line.y1)]
                }),
        )
    }
}

/// Blocks of a document's lines, which are in reading order.
pub(super) fn drafts(lines: &[Line], vocabulary: &Vocabulary) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for group in lines.chunk_by(|a, b| a.group == b.group) {
        group_drafts(group, vocabulary, &mut drafts);
    }
    notes::mark(&mut drafts);
    joining::join(drafts, vocabulary)
}

fn group_drafts(group: &[Line], vocabulary: &Vocabulary, drafts: &mut Vec<Draft>) {
    let column = Column::measure(group);
    for part in group.chunk_by(|a, b| a.table.is_none() && b.table.is_none()) {
        if let [line @ Line { table: Some(table), .. }] = part {
            drafts.push(ruled_draft(line, table));
            continue;
        }
        let mut start = 0;
        for table in tables::find(part) {
            text_drafts(&part[start..table.start], &column, vocabulary, drafts);
            start = table.end;
            drafts.push(table_draft(&part[table.start..table.end], table));
        }
        text_drafts(&part[start..], &column, vocabulary, drafts);
    }
}

/// Edges and line distance of the lines of a group.
struct Column {
    left: f32,
    right: f32,
    leading_em: f32,
}

impl Column {
    fn measure(group: &[Line]) -> Self {
        let texts = || group.iter().filter(|line| line.table.is_none());
        let mut lefts: Vec<f32> = texts().map(Line::x0).collect();
        let mut rights: Vec<f32> = texts().map(Line::x1).collect();
        if lefts.is_empty() {
            return Self { left: 0.0, right: 0.0, leading_em: USUAL_LEADING_EM };
        }
        lefts.sort_by(f32::total_cmp);
        rights.sort_by(f32::total_cmp);
        let mut distances: Vec<f32> = group
            .windows(2)
            .filter(|pair| pair.iter().all(|line| line.table.is_none()))
            .filter(|pair| same_size(pair[0].size, pair[1].size))
            .map(|pair| (pair[1].baseline - pair[0].baseline) / pair[1].size)
            .filter(|distance| (0.8..3.0).contains(distance))
            .collect();
        distances.sort_by(f32::total_cmp);
        // The lower third: distances between paragraphs are not to count.
        let leading_em = if distances.len() < 3 { USUAL_LEADING_EM } else { distances[distances.len() / 3] };
        Self {
            left: lefts[lefts.len() / 10],
            right: rights[rights.len() - 1 - rights.len() / 10],
            leading_em,
        }
    }

    fn is_full(&self, line: &Line) -> bool {
        line.x1() >= self.right - (self.right - self.left) * SHORT_LINE_SHARE
    }

    fn is_indented(&self, line: &Line) -> bool {
        line.x0() - self.left > line.size * INDENT_EM
    }
}

pub(super) fn same_size(a: f32, b: f32) -> bool {
    a.max(b) <= a.min(b) * SAME_SIZE
}

fn text_drafts(lines: &[Line], column: &Column, vocabulary: &Vocabulary, drafts: &mut Vec<Draft>) {
    let mut start = 0;
    for index in 1..=lines.len() {
        if index == lines.len() || begins_block(&lines[start..index], &lines[index], column) {
            drafts.push(text_draft(&lines[start..index], column, vocabulary));
            start = index;
        }
    }
}

/// Whether `line` begins a block after the lines of the open one.
fn begins_block(open: &[Line], line: &Line, column: &Column) -> bool {
    let Some((first, last)) = open.first().zip(open.last()) else { return false };
    if !same_size(last.size, line.size) || last.monospaced != line.monospaced {
        return true;
    }
    let distance = (line.baseline - last.baseline) / line.size;
    let short_rule = line.rule_above > 0.0 && line.rule_above < line.page_size.width * 0.55;
    if short_rule && captions::after_label(&line.text).is_none() && distance > column.leading_em {
        return true;
    }
    if distance > column.leading_em * PARAGRAPH_GAP || distance < 0.0 {
        return true;
    }
    if line.monospaced {
        return false;
    }
    if last.bold != line.bold && (open.iter().all(|line| line.bold) || line.bold) {
        return true;
    }
    if ordinals::list_mark(&line.text).is_some()
        || ordinals::chapter_level(&line.text).is_some()
        || is_article(&line.text)
    {
        return true;
    }
    if ordinals::list_mark(&first.text).is_some() {
        // An item runs on below its text, and ends where a line goes back to the mark's place after a line that is not full.
        return line.x0() <= first.x0() + line.size * 0.3
            && !column.is_full(last)
            && open.len() > 1
            && last.x0() > first.x0() + line.size * 0.3
            || ends_sentence(&last.text)
                && !column.is_full(last)
                && line.x0() <= first.x0() + line.size * 0.3;
    }
    let indented = line.x0() - last.x0() > line.size * INDENT_EM;
    let first_line_indent =
        indented && (open.len() > 1 || !column.is_indented(last)) && !is_centred(last, line);
    first_line_indent || ends_sentence(&last.text) && !column.is_full(last) && !is_centred(last, line)
}

/// `第四条 …`: each article of a regulation is a paragraph of its own.
pub(super) fn is_article(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('第') else { return false };
    rest.find('条').is_some_and(|end| {
        end > 0
            && rest[..end].chars().count() <= 6
            && rest[..end].chars().all(|c| c.is_ascii_digit() || "零〇一二三四五六七八九十百千".contains(c))
    })
}

/// Whether two lines of different length stand centred below each other.
fn is_centred(a: &Line, b: &Line) -> bool {
    let (middle_a, middle_b) = ((a.x0() + a.x1()) / 2.0, (b.x0() + b.x1()) / 2.0);
    (middle_a - middle_b).abs() < a.size && (a.x0() - b.x0()).abs() > a.size
}

pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['”', '"', '’', '）', ')', '」'])
        .ends_with(['.', '!', '?', ':', ';', '。', '！', '？', '：', '；', '…'])
}

fn text_draft(lines: &[Line], column: &Column, vocabulary: &Vocabulary) -> Draft {
    let code = lines.len() >= 2 && lines.iter().all(|line| line.monospaced);
    let mut text = String::new();
    let mut spans = Vec::new();
    for line in lines {
        if code {
            if !text.is_empty() {
                text.push('\n');
            }
            let indent =
                ((line.x0() - column.left) / (line.size * MONOSPACE_EM)).round().clamp(0.0, 80.0) as usize;
            text.extend(std::iter::repeat_n(' ', indent));
            push_span(&mut text, &mut spans, &line.text, line);
        } else {
            join(&mut text, &mut spans, &line.text, vocabulary);
            push_span(&mut text, &mut spans, &line.text, line);
        }
    }
    let kind = if code {
        BlockKind::Code { language: None }
    } else if captions::is_caption(&text) {
        BlockKind::Figure
    } else if ordinals::list_mark(&text).is_some() {
        BlockKind::ListItem { depth: depth(&lines[0], column) }
    } else {
        BlockKind::Paragraph
    };
    let last = &lines[lines.len() - 1];
    Draft {
        block: Block { kind, text, page: Some(lines[0].page), lines: spans },
        size: lines.iter().map(|line| line.size).sum::<f32>() / lines.len() as f32,
        bold: lines.iter().all(|line| line.bold),
        line_count: lines.len(),
        group: last.group,
        ends_full: column.is_full(last),
        begins_indented: column.is_indented(&lines[0]),
        page_size: last.page_size,
        rule_above: lines[0].rule_above,
        xs: Vec::new(),
    }
}

/// Nesting of a list item by its indentation, two font sizes a level.
fn depth(first: &Line, column: &Column) -> u8 {
    ((first.x0() - column.left) / (first.size * 2.0)).round().clamp(0.0, 5.0) as u8
}

/// Makes the end of the text ready for the next line: a space, nothing, or a hyphen less.
fn join(text: &mut String, spans: &mut [LineSpan], next: &str, vocabulary: &Vocabulary) {
    match clean::join_between(text, next, vocabulary) {
        Join::Space => text.push(' '),
        Join::Nothing => {}
        Join::DropHyphen => {
            text.pop();
            if let Some(last) = spans.last_mut() {
                last.end = last.end.min(text.len());
            }
        }
    }
}

fn push_span(text: &mut String, spans: &mut Vec<LineSpan>, piece: &str, line: &Line) {
    let start = text.len();
    text.push_str(piece);
    spans.push(span(start, text.len(), line));
}

fn span(start: usize, end: usize, line: &Line) -> LineSpan {
    let [x0, y0, x1, y1] = line.shown;
    LineSpan { start, end, page: line.page, x0, y0, x1, y1 }
}

fn table_draft(lines: &[Line], table: TableSpan) -> Draft {
    let boxes: Vec<(usize, LineSpan)> =
        lines.iter().zip(&table.row_of_line).map(|(line, &row)| (row, span(0, 0, line))).collect();
    let last = &lines[lines.len() - 1];
    rows_draft(table.rows, table.header_rows, &boxes, last, table.xs)
}

fn ruled_draft(line: &Line, table: &RuledTable) -> Draft {
    let boxes: Vec<(usize, LineSpan)> = table
        .lines
        .iter()
        .map(|&(row, [x0, y0, x1, y1])| (row, LineSpan { start: 0, end: 0, page: line.page, x0, y0, x1, y1 }))
        .collect();
    rows_draft(table.rows.clone(), table.header_rows, &boxes, line, table.xs.clone())
}

/// A table, its boxes with the row that each belongs to.
fn rows_draft(
    rows: Vec<Vec<String>>,
    header_rows: usize,
    boxes: &[(usize, LineSpan)],
    last: &Line,
    xs: Vec<f32>,
) -> Draft {
    let mut text = String::new();
    let mut ranges = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let start = text.len();
        text.push_str(&table_row_text(row));
        ranges.push((start, text.len()));
    }
    let lines: Vec<LineSpan> = boxes
        .iter()
        .filter_map(|(row, span)| {
            let &(start, end) = ranges.get(*row)?;
            Some(LineSpan { start, end, ..*span })
        })
        .collect();
    Draft {
        line_count: lines.len(),
        block: Block { kind: BlockKind::Table { rows, header_rows }, text, page: Some(last.page), lines },
        size: last.size,
        bold: false,
        group: last.group,
        ends_full: false,
        begins_indented: false,
        page_size: last.page_size,
        rule_above: 0.0,
        xs,
    }
}

/// Appends a block to the one before it.
pub(super) fn absorb(last: &mut Draft, next: Draft, vocabulary: &Vocabulary) {
    join(&mut last.block.text, &mut last.block.lines, &next.block.text, vocabulary);
    let shift = last.block.text.len();
    last.block.text.push_str(&next.block.text);
    last.block.lines.extend(next.block.lines.iter().map(|line| LineSpan {
        start: line.start + shift,
        end: line.end + shift,
        ..*line
    }));
    last.line_count += next.line_count;
    last.group = next.group;
    last.ends_full = next.ends_full;
    last.page_size = next.page_size;
}
