//! Reading order of a page's fragments: columns from left to right, each from top to bottom.
//!
//! A variant of the recursive XY-cut (Nagy and Seth, 1984). The plain one cuts at white rivers only, so that a heading
//! across two columns hides the river below it. Here a candidate for a river may be crossed: what crosses it splits
//! the region into bands, and each band in which both sides look like running text is read column by column. Bands
//! whose sides look like cells of a table are read row by row.

/// A fragment, as far as its place matters. Coordinates grow to the right and downwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) x0: f32,
    pub(super) y0: f32,
    pub(super) x1: f32,
    pub(super) y1: f32,
    pub(super) size: f32,
    /// Width of the text in columns, wide characters counted twice.
    pub(super) columns: usize,
    /// Lines of text that it stands for: one, or the rows of a table.
    pub(super) lines: usize,
}

impl Item {
    fn middle(&self) -> f32 {
        (self.y0 + self.y1) / 2.0
    }

    fn width(&self) -> f32 {
        self.x1 - self.x0
    }
}

/// Deeper nested columns are read row by row.
const MAX_DEPTH: usize = 6;
/// Pages with more fragments (maps, drawings) are read row by row.
const MAX_ITEMS: usize = 20_000;
/// Rivers that are tried in a region.
const MAX_CANDIDATES: usize = 8;
/// A column of running text has at least so many lines.
const MIN_COLUMN_LINES: usize = 3;
/// The lines of a column fill at least this share of its width on average.
const MIN_FILL: f32 = 0.5;
/// The fragments of a column's lines are at least so wide on average (text columns); cells of a table are shorter.
const MIN_FRAGMENT_COLUMNS: f32 = 14.0;
/// Two columns stand beside each other over at least this share of the shorter one.
const MIN_SIDE_BY_SIDE: f32 = 0.5;
/// What crosses a river by less than this share of its font size does not cross it.
const CROSSING_TOLERANCE_EM: f32 = 0.3;

/// Groups of indices in reading order. Within a group the fragments are in rows: group by baseline.
pub(super) fn reading_order(items: &[Item]) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..items.len()).collect();
    let mut groups = Vec::new();
    if items.len() > MAX_ITEMS {
        groups.push(all);
    } else if !items.is_empty() {
        order(items, all, 0, &mut groups);
    }
    groups
}

fn order(items: &[Item], region: Vec<usize>, depth: usize, groups: &mut Vec<Vec<usize>>) {
    let best = if depth < MAX_DEPTH && region.len() >= 2 * MIN_COLUMN_LINES {
        candidates(items, &region)
            .into_iter()
            .map(|river| bands(items, &region, river))
            .map(|bands| (bands.iter().map(|band| band.columnar_width(items)).sum::<usize>(), bands))
            .filter(|(columnar, _)| *columnar > 0)
            .max_by_key(|(columnar, _)| *columnar)
    } else {
        None
    };
    let Some((_, bands)) = best else {
        if !region.is_empty() {
            groups.push(region);
        }
        return;
    };
    // What is not columns runs on from band to band.
    let mut running: Vec<usize> = Vec::new();
    for band in bands {
        running.extend(band.above);
        if band.columnar {
            if !running.is_empty() {
                order(items, std::mem::take(&mut running), depth + 1, groups);
            }
            order(items, band.left, depth + 1, groups);
            order(items, band.right, depth + 1, groups);
        } else {
            running.extend(band.left);
            running.extend(band.right);
        }
    }
    if !running.is_empty() {
        order(items, running, depth + 1, groups);
    }
}

/// What lies between two things that cross a river.
struct Band {
    /// What crosses the river at the top of the band.
    above: Vec<usize>,
    left: Vec<usize>,
    right: Vec<usize>,
    columnar: bool,
}

impl Band {
    /// Amount of text that is read column by column.
    fn columnar_width(&self, items: &[Item]) -> usize {
        if !self.columnar {
            return 0;
        }
        self.left.iter().chain(&self.right).map(|&index| items[index].columns).sum()
    }
}

/// Middles of gaps between neighbours in a row, those that most rows share first.
fn candidates(items: &[Item], region: &[usize]) -> Vec<f32> {
    let mut gaps: Vec<(f32, f32)> = Vec::new();
    for row in rows(items, region) {
        for pair in row.windows(2) {
            let (left, right) = (items[pair[0]].x1, items[pair[1]].x0);
            if right > left {
                gaps.push((left, right));
            }
        }
    }
    // Of the gaps that overlap, the narrowest place that the most of them share: sweep over their edges.
    let mut edges: Vec<(f32, i32)> =
        gaps.iter().flat_map(|&(left, right)| [(left, 1), (right, -1)]).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut peaks: Vec<(i32, f32)> = Vec::new();
    let mut open = 0;
    for (index, &(at, change)) in edges.iter().enumerate() {
        open += change;
        let next_closes = edges.get(index + 1).is_some_and(|next| next.1 < 0);
        if change > 0 && next_closes {
            peaks.push((open, (at + edges[index + 1].0) / 2.0));
        }
    }
    peaks.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
    peaks.into_iter().take(MAX_CANDIDATES).map(|(_, middle)| middle).collect()
}

/// Splits a region at what crosses the river.
fn bands(items: &[Item], region: &[usize], river: f32) -> Vec<Band> {
    let mut sorted = region.to_vec();
    sorted.sort_by(|&a, &b| items[a].middle().total_cmp(&items[b].middle()));
    let empty = || Band { above: Vec::new(), left: Vec::new(), right: Vec::new(), columnar: false };
    let mut bands = vec![empty()];
    for index in sorted {
        let item = &items[index];
        let tolerance = item.size * CROSSING_TOLERANCE_EM;
        let crosses = item.x0 < river - tolerance && item.x1 > river + tolerance;
        let starts_new = bands.last().is_some_and(|band| !(band.left.is_empty() && band.right.is_empty()));
        if crosses && starts_new {
            bands.push(empty());
        }
        let Some(band) = bands.last_mut() else { break };
        if crosses {
            band.above.push(index);
        } else if (item.x0 + item.x1) / 2.0 < river {
            band.left.push(index);
        } else {
            band.right.push(index);
        }
    }
    for band in &mut bands {
        band.columnar = is_columnar(items, &band.left, &band.right);
    }
    bands
}

fn is_columnar(items: &[Item], left: &[usize], right: &[usize]) -> bool {
    let (Some(left), Some(right)) = (Column::measure(items, left), Column::measure(items, right)) else {
        return false;
    };
    let common = left.bottom.min(right.bottom) - left.top.max(right.top);
    let shorter = (left.bottom - left.top).min(right.bottom - right.top);
    let side_by_side = common >= shorter * MIN_SIDE_BY_SIDE;
    side_by_side && left.is_running_text() && right.is_running_text()
}

/// What tells running text from cells of a table.
struct Column {
    top: f32,
    bottom: f32,
    lines: usize,
    /// Average share of the width that lines fill.
    fill: f32,
    /// Average width of a fragment in text columns.
    fragment_columns: f32,
}

impl Column {
    fn measure(items: &[Item], side: &[usize]) -> Option<Self> {
        let rows = rows(items, side);
        let x0 = side.iter().map(|&index| items[index].x0).reduce(f32::min)?;
        let x1 = side.iter().map(|&index| items[index].x1).reduce(f32::max)?;
        let lines_of = |row: &Vec<usize>| row.iter().map(|&index| items[index].lines).max().unwrap_or(1);
        let lines = rows.iter().map(lines_of).sum::<usize>();
        let ink: f32 = side.iter().map(|&index| items[index].width() * items[index].lines as f32).sum();
        let text: usize = side.iter().map(|&index| items[index].columns).sum();
        Some(Self {
            top: side.iter().map(|&index| items[index].y0).reduce(f32::min)?,
            bottom: side.iter().map(|&index| items[index].y1).reduce(f32::max)?,
            lines,
            fill: ink / (lines as f32 * (x1 - x0).max(1.0)),
            fragment_columns: text as f32 / side.len() as f32,
        })
    }

    fn is_running_text(&self) -> bool {
        self.lines >= MIN_COLUMN_LINES
            && self.fill >= MIN_FILL
            && self.fragment_columns >= MIN_FRAGMENT_COLUMNS
    }
}

/// Rows from top to bottom, each from left to right: fragments whose heights overlap by more than half.
pub(super) fn rows(items: &[Item], region: &[usize]) -> Vec<Vec<usize>> {
    let mut sorted = region.to_vec();
    sorted.sort_by(|&a, &b| items[a].middle().total_cmp(&items[b].middle()));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut extent = (0.0f32, 0.0f32);
    for index in sorted {
        let item = &items[index];
        let common = item.y1.min(extent.1) - item.y0.max(extent.0);
        let smaller = (item.y1 - item.y0).min(extent.1 - extent.0).max(0.1);
        match rows.last_mut() {
            Some(row) if common > smaller * 0.5 => row.push(index),
            _ => {
                rows.push(vec![index]);
                extent = (item.y0, item.y1);
            }
        }
    }
    for row in &mut rows {
        row.sort_by(|&a, &b| items[a].x0.total_cmp(&items[b].x0));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of text: left, baseline, width; ten points high, two text columns for each ten points.
    fn line(x: f32, y: f32, width: f32) -> Item {
        Item {
            x0: x,
            y0: y - 8.0,
            x1: x + width,
            y1: y + 2.0,
            size: 10.0,
            columns: (width / 5.0) as usize,
            lines: 1,
        }
    }

    fn flat(items: &[Item]) -> Vec<usize> {
        let mut flat = Vec::new();
        for group in reading_order(items) {
            for row in rows(items, &group) {
                flat.extend(row);
            }
        }
        flat
    }

    #[test]
    fn two_columns_below_a_heading_and_above_a_footnote() {
        let mut items = vec![line(100.0, 50.0, 400.0)];
        for index in 0..5 {
            items.push(line(50.0, 100.0 + 12.0 * index as f32, 240.0));
            items.push(line(310.0, 103.0 + 12.0 * index as f32, 240.0));
        }
        items.push(line(50.0, 400.0, 500.0));
        assert_eq!(flat(&items), [0, 1, 3, 5, 7, 9, 2, 4, 6, 8, 10, 11]);
    }

    #[test]
    fn a_figure_caption_across_the_columns_splits_them_into_bands() {
        let mut items = Vec::new();
        for index in 0..4 {
            items.push(line(50.0, 100.0 + 12.0 * index as f32, 240.0));
            items.push(line(310.0, 100.0 + 12.0 * index as f32, 240.0));
        }
        items.push(line(80.0, 200.0, 440.0));
        for index in 0..4 {
            items.push(line(50.0, 300.0 + 12.0 * index as f32, 240.0));
            items.push(line(310.0, 300.0 + 12.0 * index as f32, 240.0));
        }
        assert_eq!(flat(&items), [0, 2, 4, 6, 1, 3, 5, 7, 8, 9, 11, 13, 15, 10, 12, 14, 16]);
    }

    #[test]
    fn three_columns() {
        let mut items = Vec::new();
        for index in 0..4 {
            for column in 0..3 {
                items.push(line(50.0 + 180.0 * column as f32, 100.0 + 12.0 * index as f32, 160.0));
            }
        }
        assert_eq!(flat(&items), [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
    }

    #[test]
    fn a_table_is_read_row_by_row() {
        let mut items = Vec::new();
        for index in 0..6 {
            items.push(line(50.0, 100.0 + 12.0 * index as f32, 60.0));
            items.push(line(200.0, 100.0 + 12.0 * index as f32, 40.0));
            items.push(line(300.0, 100.0 + 12.0 * index as f32, 40.0));
        }
        assert_eq!(flat(&items), (0..18).collect::<Vec<_>>());
    }

    #[test]
    fn a_wide_table_of_numbers_is_read_row_by_row() {
        let mut items = Vec::new();
        for index in 0..6 {
            for column in 0..6 {
                items.push(line(50.0 + 75.0 * column as f32, 100.0 + 12.0 * index as f32, 55.0));
            }
        }
        assert_eq!(flat(&items), (0..36).collect::<Vec<_>>());
    }

    #[test]
    fn one_column_stays_one() {
        let items: Vec<Item> = (0..10).map(|index| line(50.0, 100.0 + 12.0 * index as f32, 400.0)).collect();
        assert_eq!(reading_order(&items), [(0..10).collect::<Vec<_>>()]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(reading_order(&[]).is_empty());
    }
}
