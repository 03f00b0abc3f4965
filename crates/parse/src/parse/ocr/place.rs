//! From a page that was turned and levelled for recognition back to the page as it is displayed.

use super::picture::Map;
use crate::document::{Block, LineSpan, PageSize};

/// A highlighted box may leave its line by this share of the line's height before it is cut in two.
const MAX_RISE_SHARE: f32 = 0.35;
/// A line is cut into no more parts.
const MAX_PARTS: usize = 24;

/// Where a page's recognised text stands on the displayed page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::parse) struct Placement {
    /// Points of the upright page to points of the displayed page.
    pub(super) map: Map,
    pub(in crate::parse) displayed: PageSize,
}

impl Placement {
    fn is_straight(&self) -> bool {
        self.map == Map::IDENTITY
    }

    /// The box that surrounds an upright box.
    fn bounds(&self, [x0, y0, x1, y1]: [f32; 4]) -> [f32; 4] {
        let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)].map(|(x, y)| self.map.apply(x, y));
        let fold = |start: f32, pick: fn(f32, f32) -> f32, value: fn(&(f32, f32)) -> f32| {
            corners.iter().map(value).fold(start, pick)
        };
        let PageSize { width, height } = self.displayed;
        [
            fold(f32::INFINITY, f32::min, |corner| corner.0).clamp(0.0, width),
            fold(f32::INFINITY, f32::min, |corner| corner.1).clamp(0.0, height),
            fold(f32::NEG_INFINITY, f32::max, |corner| corner.0).clamp(0.0, width),
            fold(f32::NEG_INFINITY, f32::max, |corner| corner.1).clamp(0.0, height),
        ]
    }

    /// How many parts a line is cut into, so that each part's box stays about the line. Lines that stand at a right
    /// angle fit a box; between, a box surrounds more than the line.
    fn parts(&self, line: &LineSpan) -> usize {
        let [a, b, ..] = self.map.coefficients;
        let rise = (line.x1 - line.x0) * a.abs().min(b.abs()) / a.hypot(b);
        let allowed = (line.y1 - line.y0).max(1.0) * MAX_RISE_SHARE;
        ((rise / allowed).ceil() as usize).clamp(1, MAX_PARTS)
    }

    /// The line's box or boxes on the displayed page; of `text`, the block's.
    fn placed(&self, line: &LineSpan, text: &str) -> Vec<LineSpan> {
        let Some(own) = text.get(line.start..line.end) else { return vec![*line] };
        let columns: Vec<(usize, usize)> = own
            .char_indices()
            .map(|(at, c)| (at, crate::clean::columns(c.encode_utf8(&mut [0; 4]))))
            .collect();
        let all: usize = columns.iter().map(|(_, width)| width).sum();
        let parts = self.parts(line).min(columns.len().max(1));
        let mut spans: Vec<LineSpan> = Vec::with_capacity(parts);
        let (mut start, mut start_column, mut column) = (0, 0, 0);
        let x = |column: usize| line.x0 + (line.x1 - line.x0) * column as f32 / all.max(1) as f32;
        for (index, (_, width)) in columns.iter().enumerate() {
            column += width;
            let end = columns.get(index + 1).map_or(own.len(), |(at, _)| *at);
            let is_last = index + 1 == columns.len();
            if is_last || column * parts >= all * (spans.len() + 1) {
                let [x0, y0, x1, y1] = self.bounds([x(start_column), line.y0, x(column), line.y1]);
                spans.push(LineSpan {
                    start: line.start + start,
                    end: line.start + end,
                    page: line.page,
                    x0,
                    y0,
                    x1,
                    y1,
                });
                (start, start_column) = (end, column);
            }
        }
        spans
    }
}

/// Replaces the boxes of a block's lines on pages that were turned or levelled by those on the displayed page.
pub(in crate::parse) fn place_back(block: &mut Block, placement: impl Fn(u32) -> Option<Placement>) {
    let needs = |line: &LineSpan| placement(line.page).filter(|placement| !placement.is_straight());
    if !block.lines.iter().any(|line| needs(line).is_some()) {
        return;
    }
    let lines = std::mem::take(&mut block.lines);
    for line in lines {
        match needs(&line) {
            Some(placement) => block.lines.extend(placement.placed(&line, &block.text)),
            None => block.lines.push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::BlockKind;

    fn block() -> Block {
        let text = "level 文字 words";
        let line = LineSpan { start: 0, end: text.len(), page: 2, x0: 100.0, y0: 50.0, x1: 400.0, y1: 62.0 };
        Block { lines: vec![line], ..Block::new(BlockKind::Paragraph, text, Some(2)) }
    }

    fn placement(map: Map) -> Placement {
        Placement { map, displayed: PageSize { width: 500.0, height: 700.0 } }
    }

    #[test]
    fn a_page_turned_by_a_quarter_keeps_one_box_a_line() {
        let mut block = block();
        // The displayed page lies on its side: its left edge is the top of the upright page.
        let map = Map { coefficients: [0.0, -1.0, 1.0, 0.0, 0.0, 700.0] };
        place_back(&mut block, |_| Some(placement(map)));
        let line = block.lines[0];
        assert_eq!(block.lines.len(), 1);
        assert_eq!([line.x0, line.y0, line.x1, line.y1], [50.0, 300.0, 62.0, 600.0]);
    }

    #[test]
    fn a_line_askew_is_cut_into_boxes_that_cover_its_text() {
        let mut block = block();
        let (sin, cos) = 2f32.to_radians().sin_cos();
        place_back(&mut block, |_| Some(placement(Map { coefficients: [cos, sin, -sin, cos, 0.0, 0.0] })));
        assert!(block.lines.len() >= 3, "{:?}", block.lines);
        assert_eq!(
            (block.lines[0].start, block.lines.last().map(|line| line.end)),
            (0, Some(block.text.len()))
        );
        for pair in block.lines.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
            assert!(block.text.is_char_boundary(pair[0].end));
            assert!(pair[1].y0 > pair[0].y0);
        }
        assert!(block.lines.iter().all(|line| line.y1 - line.y0 < 20.0), "{:?}", block.lines);
    }

    #[test]
    fn other_pages_keep_their_boxes() {
        let mut block = block();
        let before = block.clone();
        place_back(&mut block, |page| (page == 1).then(|| placement(Map::scale(2.0, 2.0))));
        assert_eq!(block, before);
    }
}
