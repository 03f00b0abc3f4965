//! The boxes to mark on a page for a chunk's lines.

use anwen_contract::knowledge::BoundingBox;

use super::LineSpan;

/// A line continues the box above it when the gap is no larger than this share of the line's height.
const MAX_GAP_SHARE: f32 = 0.9;
/// …and when they stand below each other over this share of the narrower one.
const MIN_COMMON_WIDTH: f32 = 0.5;

/// One box a paragraph and page: lines that follow each other closely in one column become one box, a line elsewhere
/// (next column, next page, after a figure) begins another.
pub fn boxes(lines: &[LineSpan]) -> Vec<BoundingBox> {
    let mut boxes: Vec<BoundingBox> = Vec::new();
    for line in lines {
        match boxes.last_mut() {
            Some(above) if continues(above, line) => {
                above.x0 = above.x0.min(line.x0);
                above.y0 = above.y0.min(line.y0);
                above.x1 = above.x1.max(line.x1);
                above.y1 = above.y1.max(line.y1);
            }
            _ => boxes.push(BoundingBox {
                page: line.page,
                x0: line.x0,
                y0: line.y0,
                x1: line.x1,
                y1: line.y1,
            }),
        }
    }
    boxes
}

fn continues(above: &BoundingBox, line: &LineSpan) -> bool {
    let common = above.x1.min(line.x1) - above.x0.max(line.x0);
    let narrower = (above.x1 - above.x0).min(line.x1 - line.x0);
    let height = line.y1 - line.y0;
    let gap = line.y0 - above.y1;
    // Same line again (a row that several lines went into), or the next one below.
    let below = line.y1 >= above.y0 && line.y0 >= above.y0 - height * 0.5;
    above.page == line.page && common >= narrower * MIN_COMMON_WIDTH && gap <= height * MAX_GAP_SHARE && below
}
