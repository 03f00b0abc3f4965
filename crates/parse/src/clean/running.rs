//! Running headers, footers and page numbers: lines that return on page after page at the same place.

use std::collections::{HashMap, HashSet};

/// Share of the page's height, from the top and from the bottom, in which running lines stand.
const ZONE_SHARE: f32 = 0.13;
/// A page's first or last line counts as standing in the zone too, where it is in this outer share of the page: pages with
/// wide margins have their numbers there.
const EDGE_SHARE: f32 = 0.3;
/// Lines count as standing at the same place when their distances from the page's edge differ by no more (points).
const SAME_PLACE_POINTS: f32 = 6.0;
/// A line of text must return on this many pages to count as running (on two, when the document has only two or three).
const MIN_PAGES: usize = 3;
/// Longer lines are not running lines (characters).
const MAX_CHARACTERS: usize = 160;

/// A visual line, as far as this decision needs it.
#[derive(Clone, Debug)]
pub struct PageLine<'a> {
    /// From 1.
    pub page: u32,
    pub text: &'a str,
    /// Distance from the top of the page, points.
    pub top: f32,
    /// Distance from the top of the page, points.
    pub bottom: f32,
    pub page_height: f32,
}

/// Indices of the lines to leave out. Of a header or footer that is text the first occurrence stays where it has a word that
/// stands nowhere else, because it may be the only place where the document says its number or its title; of page numbers
/// none stays.
pub fn running_lines(lines: &[PageLine<'_>]) -> HashSet<usize> {
    let pages = lines.iter().map(|line| line.page).collect::<HashSet<_>>().len();
    let edges = Edges::of(lines);
    let mut groups: HashMap<(Zone, String), Vec<usize>> = HashMap::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(zone) = Zone::of(line, &edges)
            && let Some(pattern) = pattern(line.text)
        {
            groups.entry((zone, pattern)).or_default().push(index);
        }
    }
    let mut running = HashSet::new();
    let mut kept = Vec::new();
    for ((zone, pattern), mut members) in groups {
        let is_number = is_page_number(&pattern);
        members.sort_by(|&a, &b| zone.distance(&lines[a]).total_cmp(&zone.distance(&lines[b])));
        for cluster in clusters(&members, |index| zone.distance(&lines[index])) {
            let on_pages = cluster.iter().map(|&index| lines[index].page).collect::<HashSet<_>>().len();
            let needed = match is_number {
                NumberPattern::Explicit => 1,
                NumberPattern::Bare => 2,
                NumberPattern::No => MIN_PAGES.min(pages.max(2)),
            };
            if on_pages < needed {
                continue;
            }
            let first = cluster.iter().copied().min_by_key(|&index| (lines[index].page, index));
            if let Some(first) = first.filter(|_| is_number == NumberPattern::No) {
                // What changes from page to page, as the page's number does, says nothing of the document.
                let mut common: Vec<String> = words(lines[first].text).collect();
                for &index in &cluster {
                    let here: HashSet<String> = words(lines[index].text).collect();
                    common.retain(|word| here.contains(word));
                }
                kept.push((first, common));
            }
            running.extend(cluster);
        }
    }
    kept.sort_unstable();
    keep_what_says_more(lines, kept, &mut running);
    running
}

/// Takes back those of `candidates` (a line and its words) that have a word which no line that stays has.
fn keep_what_says_more(
    lines: &[PageLine<'_>],
    candidates: Vec<(usize, Vec<String>)>,
    running: &mut HashSet<usize>,
) {
    if candidates.is_empty() {
        return;
    }
    let staying = lines.iter().enumerate().filter(|(index, _)| !running.contains(index));
    let mut known: HashSet<String> = staying.flat_map(|(_, line)| words(line.text)).collect();
    for (index, own) in candidates {
        if own.iter().any(|word| !known.contains(word)) {
            running.remove(&index);
            known.extend(own);
        }
    }
}

/// Words without what surrounds them; of scripts without spaces, single characters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    for part in text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '.') {
        let part = part.trim_matches(['-', '.']);
        if part.chars().any(super::is_wide) {
            found.extend(part.chars().map(|c| c.to_string()));
        } else if !part.is_empty() {
            found.push(part.to_lowercase());
        }
    }
    found.into_iter()
}

/// Where the first and the last line of each page begin and end.
struct Edges(HashMap<u32, (f32, f32)>);

impl Edges {
    fn of(lines: &[PageLine<'_>]) -> Self {
        let mut edges: HashMap<u32, (f32, f32)> = HashMap::new();
        for line in lines {
            let (top, bottom) = edges.entry(line.page).or_insert((f32::INFINITY, f32::NEG_INFINITY));
            *top = top.min(line.top);
            *bottom = bottom.max(line.bottom);
        }
        Self(edges)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Zone {
    Top,
    Bottom,
}

impl Zone {
    fn of(line: &PageLine<'_>, edges: &Edges) -> Option<Self> {
        let (first, last) = edges.0.get(&line.page).copied().unwrap_or((f32::INFINITY, f32::NEG_INFINITY));
        let share = |is_edge: bool| if is_edge { EDGE_SHARE } else { ZONE_SHARE };
        if line.bottom <= line.page_height * share(line.top <= first) {
            Some(Self::Top)
        } else if line.top >= line.page_height * (1.0 - share(line.bottom >= last)) {
            Some(Self::Bottom)
        } else {
            None
        }
    }

    /// From the edge of the page, so that pages of different heights compare.
    fn distance(self, line: &PageLine<'_>) -> f32 {
        match self {
            Self::Top => line.top,
            Self::Bottom => line.page_height - line.bottom,
        }
    }
}

/// Splits indices that are sorted by place into groups whose neighbours stand close together.
fn clusters(sorted: &[usize], place: impl Fn(usize) -> f32) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &index in sorted {
        match groups.last_mut() {
            Some(group)
                if group.last().is_some_and(|&last| place(index) - place(last) <= SAME_PLACE_POINTS) =>
            {
                group.push(index)
            }
            _ => groups.push(vec![index]),
        }
    }
    groups
}

/// The line with each number replaced by `#`, white space removed and case folded; `None` for lines that are too long
/// to be running lines, or empty.
fn pattern(text: &str) -> Option<String> {
    if text.chars().count() > MAX_CHARACTERS {
        return None;
    }
    let mut out = String::new();
    for character in text.chars().filter(|c| !c.is_whitespace()) {
        if character.is_numeric() && !character.is_alphabetic() {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else {
            out.extend(character.to_lowercase());
        }
    }
    if is_roman(&out) {
        out = "#".to_owned();
    }
    (!out.is_empty()).then_some(out)
}

fn is_roman(text: &str) -> bool {
    !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| matches!(byte, b'i' | b'v' | b'x' | b'l'))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberPattern {
    /// Says that it is a page number: `page # of #`, `第#页`.
    Explicit,
    /// A number with at most some decoration.
    Bare,
    No,
}

fn is_page_number(pattern: &str) -> NumberPattern {
    let explicit = [
        "page#",
        "page#of#",
        "page#/#",
        "p.#",
        "第#页",
        "第#页共#页",
        "第#页,共#页",
        "第#页，共#页",
        "第#頁",
        "第#頁共#頁",
        "seite#",
        "seite#von#",
        "página#",
    ];
    let trimmed: String = pattern
        .chars()
        .filter(|c| !matches!(c, '|' | '-' | '–' | '—' | '·' | '(' | ')' | '[' | ']' | '.'))
        .collect();
    if explicit.iter().any(|known| pattern == *known || trimmed == *known) {
        NumberPattern::Explicit
    } else if trimmed == "#" || trimmed == "#/#" || trimmed == "#of#" {
        NumberPattern::Bare
    } else {
        NumberPattern::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(page: u32, text: &str, top: f32) -> PageLine<'_> {
        PageLine { page, text, top, bottom: top + 10.0, page_height: 800.0 }
    }

    #[test]
    fn headers_that_say_more_keep_their_first_occurrence_and_page_numbers_none() {
        let texts: Vec<(String, String)> =
            (1..=4).map(|page| (format!("Handbook {page}"), format!("- {page} -"))).collect();
        let mut lines = Vec::new();
        for (index, (header, number)) in texts.iter().enumerate() {
            let page = index as u32 + 1;
            lines.push(line(page, header, 30.0));
            lines.push(line(page, "Body text that differs", 300.0));
            lines.push(line(page, number, 770.0));
        }
        let mut running: Vec<usize> = running_lines(&lines).into_iter().collect();
        running.sort_unstable();
        assert_eq!(running, vec![2, 3, 5, 6, 8, 9, 11]);
    }

    #[test]
    fn a_header_whose_words_stand_on_the_title_page_goes_altogether() {
        let mut lines = vec![line(1, "Employee Handbook", 200.0), line(1, "LT-HR-001, 4.2", 300.0)];
        for page in 2..=4 {
            lines.push(line(page, "Employee Handbook · LT-HR-001 · 4.2", 30.0));
            lines.push(line(page, "Body", 300.0));
        }
        assert_eq!(running_lines(&lines), HashSet::from([2, 4, 6]));
        lines[1].text = "LT-HR-001";
        assert_eq!(running_lines(&lines), HashSet::from([4, 6]));
    }

    #[test]
    fn a_page_number_far_from_the_edge_is_one_where_it_ends_its_page() {
        let mut lines = Vec::new();
        for (page, number) in [(1, "1"), (2, "2"), (3, "3")] {
            lines.push(line(page, "Body", 300.0));
            lines.push(line(page, number, 660.0));
        }
        assert_eq!(running_lines(&lines), HashSet::from([1, 3, 5]));
        lines.push(line(2, "7", 690.0));
        assert_eq!(running_lines(&lines), HashSet::from([1, 5]));
    }

    #[test]
    fn repeated_body_lines_stay() {
        let lines: Vec<PageLine<'_>> = (1..=5).map(|page| line(page, "Signature:", 400.0)).collect();
        assert!(running_lines(&lines).is_empty());
    }

    #[test]
    fn a_line_at_another_height_is_not_running() {
        let lines = vec![line(1, "Notes", 20.0), line(2, "Notes", 60.0), line(3, "Notes", 90.0)];
        assert!(running_lines(&lines).is_empty());
    }

    #[test]
    fn an_explicit_page_number_goes_even_from_a_single_page() {
        let lines = vec![line(1, "第 1 页 共 3 页", 780.0), line(1, "2024", 781.0)];
        assert_eq!(running_lines(&lines), HashSet::from([0]));
    }
}
