//! Characters joined into fragments of lines: what stands on one baseline without a wide gap.

use super::geometry::Reading;
use super::glyphs::Glyph;
use crate::clean;
use crate::document::PageSize;

/// A gap of this many font sizes ends a fragment: it may separate columns, or cells of a table. (LaTeX sets columns of
/// 10 point text 10 points apart.) Fragments that turn out to be one line are put together again.
const FRAGMENT_GAP_EM: f32 = 0.75;
/// A gap of this many font sizes, beyond the usual distance of the line's characters, is a space in Latin text.
const SPACE_GAP_EM: f32 = 0.13;
/// The same in lines that hold spaces of their own: they do not need gaps to stand for them.
const SPACE_GAP_BESIDE_SPACES_EM: f32 = 0.17;
/// Between Chinese characters, which may be spread to fill a line, a space needs more.
const WIDE_SPACE_GAP_EM: f32 = 0.7;
/// Between a Chinese and a Latin character some programs leave a quarter of a font size that is no space.
const MIXED_SPACE_GAP_EM: f32 = 0.45;
/// Two characters stand on one line when the heights of their boxes overlap by this share of the smaller box.
const SAME_LINE_OVERLAP: f32 = 0.5;
/// Characters whose sizes differ by a larger factor (initials) stand on one line only on nearly the same baseline.
const MAX_SIZE_FACTOR: f32 = 2.2;
/// A space begins behind this share of the character before it, and the next character behind this share of the space.
const SPACE_CLEARANCE: f32 = 0.5;
/// Lines that are still open while the characters come from top to bottom.
const OPEN_LINES: usize = 12;
/// The same character drawn again within this share of the size is there to look bold,
const DOUBLE_STRIKE_EM: f32 = 0.2;
/// but not the second of two narrow letters (`ll`), which stands further away than this share of the letter's width.
const DOUBLE_STRIKE_ADVANCE: f32 = 0.5;
/// Characters on baselines that differ by less than this share of the size stand on the same baseline.
const SAME_BASELINE_EM: f32 = 0.12;
/// On another baseline (superscripts) a character joins a line that begins or ends within so many sizes of it.
const NEAR_LINE_EM: f32 = 2.0;
/// A character that is smaller than the others by this factor and raised is a superscript.
const SUPERSCRIPT: f32 = 0.8;
/// Letters before a number that is a superscript from which on it is the mark of a note and not a part of the word (m2).
const MIN_LETTERS_BEFORE_NOTE: usize = 3;

/// A piece of a line, in upright coordinates: it runs from left to right.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) text: String,
    /// Left, top, right, bottom.
    pub(super) bounds: [f32; 4],
    pub(super) baseline: f32,
    pub(super) size: f32,
    /// Characters that are not spaces.
    pub(super) characters: usize,
    pub(super) bold: usize,
    pub(super) monospaced: usize,
}

/// A glyph in upright coordinates.
#[derive(Clone, Copy)]
struct Placed {
    glyph: Glyph,
    u: f32,
    v: f32,
}

impl Placed {
    fn top(&self) -> f32 {
        self.v - self.glyph.size * 0.75
    }

    fn bottom(&self) -> f32 {
        self.v + self.glyph.size * 0.2
    }
}

/// All fragments of the glyphs that are read in one direction.
pub(super) fn fragments(glyphs: &[Glyph], reading: Reading, page: PageSize) -> Vec<Fragment> {
    let mut placed: Vec<Placed> = glyphs
        .iter()
        .filter(|glyph| glyph.reading == reading)
        .map(|&glyph| {
            let (u, v) = reading.upright((glyph.x, glyph.y), page);
            Placed { glyph, u, v }
        })
        .collect();
    placed.sort_by(|a, b| a.v.total_cmp(&b.v).then(a.u.total_cmp(&b.u)));
    let mut fragments = Vec::new();
    for mut line in lines(&placed) {
        line.sort_by(|a, b| a.u.total_cmp(&b.u));
        drop_double_strikes(&mut line);
        fill_advances(&mut line);
        split_line(&line, &mut fragments);
    }
    fragments
}

/// Groups characters, sorted from top to bottom, into lines. Columns need not share their baselines: of the open lines
/// the one that overlaps most takes the character.
fn lines(placed: &[Placed]) -> Vec<Vec<Placed>> {
    let mut lines: Vec<Vec<Placed>> = Vec::new();
    // The largest character of each line so far stands for the line.
    let mut marks: Vec<Placed> = Vec::new();
    // Where each line begins and ends.
    let mut extents: Vec<(f32, f32)> = Vec::new();
    for character in placed {
        let first = lines.len().saturating_sub(OPEN_LINES);
        let best = (first..lines.len())
            .filter(|&index| is_near(&marks[index], extents[index], character))
            .map(|index| (index, overlap(&marks[index], character)))
            .filter(|&(_, share)| share >= SAME_LINE_OVERLAP)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((index, _)) => {
                lines[index].push(*character);
                let end = character.u + character.glyph.advance;
                extents[index] = (extents[index].0.min(character.u), extents[index].1.max(end));
                let larger = character.glyph.size > marks[index].glyph.size;
                if larger && !character.glyph.character.is_whitespace() {
                    marks[index] = *character;
                }
            }
            None => {
                lines.push(vec![*character]);
                marks.push(*character);
                extents.push((character.u, character.u + character.glyph.advance));
            }
        }
    }
    lines
}

/// Whether a character can belong to a line: on its baseline, or close by. Neighbouring columns whose baselines are
/// shifted would otherwise be taken for one line and, over it, for the next.
fn is_near(mark: &Placed, (start, end): (f32, f32), character: &Placed) -> bool {
    let size = mark.glyph.size.max(character.glyph.size);
    let is_raised = mark.glyph.size < character.glyph.size * SUPERSCRIPT;
    (mark.v - character.v).abs() <= size * SAME_BASELINE_EM
        || is_raised
        || character.u >= start - size * NEAR_LINE_EM && character.u <= end + size * NEAR_LINE_EM
}

/// Share of the smaller box's height that two characters have in common.
fn overlap(a: &Placed, b: &Placed) -> f32 {
    let (small, large) = if a.glyph.size <= b.glyph.size { (a, b) } else { (b, a) };
    if large.glyph.size > small.glyph.size * MAX_SIZE_FACTOR {
        let near = (a.v - b.v).abs() <= small.glyph.size * 0.25;
        return if near { 1.0 } else { 0.0 };
    }
    let common = a.bottom().min(b.bottom()) - a.top().max(b.top());
    common / (small.bottom() - small.top())
}

fn drop_double_strikes(line: &mut Vec<Placed>) {
    let mut kept: Vec<Placed> = Vec::with_capacity(line.len());
    for character in line.drain(..) {
        let narrow = character.glyph.advance * DOUBLE_STRIKE_ADVANCE;
        let reach = character.glyph.size * DOUBLE_STRIKE_EM;
        let reach = if narrow > 0.0 { reach.min(narrow) } else { reach };
        let again = kept.iter().rev().take(4).any(|earlier| {
            earlier.glyph.character == character.glyph.character
                && !character.glyph.character.is_whitespace()
                && (earlier.u - character.u).abs() < reach
                && (earlier.v - character.v).abs() < character.glyph.size * DOUBLE_STRIKE_EM
        });
        if !again {
            kept.push(character);
        }
    }
    *line = kept;
}

/// Gives characters of unknown width the distance to the next one, at most what such a character usually takes.
fn fill_advances(line: &mut [Placed]) {
    for index in 0..line.len() {
        if line[index].glyph.advance > 0.0 {
            continue;
        }
        let usual = line[index].glyph.size * usual_width_em(line[index].glyph.character);
        let next =
            line[index + 1..].iter().map(|next| next.u - line[index].u).find(|&distance| distance > 0.0);
        line[index].glyph.advance = next.map_or(usual, |distance| distance.min(usual));
    }
}

/// About as wide as in common sans-serif fonts, rather more.
fn usual_width_em(character: char) -> f32 {
    match character {
        ' ' => 0.28,
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' => 0.34,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
        _ if character.is_uppercase() => 0.78,
        _ if clean::is_wide(character) => 1.0,
        _ => 0.58,
    }
}

fn split_line(line: &[Placed], fragments: &mut Vec<Fragment>) {
    let space_gap = space_gap_em(line);
    let mut current: Vec<Placed> = Vec::new();
    let mut text = String::new();
    let mut right = f32::NEG_INFINITY;
    let mut spaces: Vec<Placed> = Vec::new();
    for character in line {
        if character.glyph.character.is_whitespace() {
            spaces.push(*character);
            continue;
        }
        if let Some(before) = current.last() {
            let size = before.glyph.size.max(character.glyph.size);
            let gap = (character.u - right) / size;
            if gap > FRAGMENT_GAP_EM {
                fragments.extend(finish(&current, std::mem::take(&mut text)));
                current.clear();
                right = f32::NEG_INFINITY;
            } else {
                let saw_space = spaces.iter().any(|space| stands_between(before, space, character));
                let at_note = is_note_mark_between(&text, before, character);
                let (before, after) = (before.glyph.character, character.glyph.character);
                if at_note || is_space(before, after, gap, saw_space, space_gap) {
                    text.push(' ');
                }
            }
        }
        spaces.clear();
        text.push(character.glyph.character);
        right = right.max(character.u + character.glyph.advance);
        current.push(*character);
    }
    fragments.extend(finish(&current, text));
}

/// Whether a space separates two characters. Some programs pad with spaces that lie under other characters.
fn stands_between(before: &Placed, space: &Placed, after: &Placed) -> bool {
    let begins_behind = space.u >= before.u + before.glyph.advance * SPACE_CLEARANCE;
    let ends_before = after.u >= space.u + space.glyph.advance * SPACE_CLEARANCE;
    begins_behind && ends_before
}

/// Whether the mark of a note begins behind a word, or ends before one: a raised small number.
fn is_note_mark_between(text: &str, before: &Placed, after: &Placed) -> bool {
    let raised = |small: &Placed, large: &Placed| {
        small.glyph.size < large.glyph.size * SUPERSCRIPT
            && small.v < large.v - large.glyph.size * SAME_BASELINE_EM
            && small.glyph.character.is_ascii_digit()
    };
    if raised(after, before) {
        let letters = text.chars().rev().take_while(|c| c.is_alphabetic()).count();
        return letters >= MIN_LETTERS_BEFORE_NOTE && !clean::is_wide(before.glyph.character);
    }
    raised(before, after) && after.glyph.character.is_alphabetic()
}

fn is_space(before: char, after: char, gap_em: f32, saw_space: bool, space_gap_em: f32) -> bool {
    match (clean::is_wide(before), clean::is_wide(after)) {
        (true, true) => gap_em > WIDE_SPACE_GAP_EM,
        (false, false) => saw_space || gap_em > space_gap_em,
        _ => saw_space && gap_em > 0.1 || gap_em > MIXED_SPACE_GAP_EM,
    }
}

/// The gap that is a space in this line. In letter-spaced lines, where most neighbours stand apart, it is wider.
fn space_gap_em(line: &[Placed]) -> f32 {
    let mut gaps: Vec<f32> = line
        .windows(2)
        .filter(|pair| !pair.iter().any(|placed| placed.glyph.character.is_whitespace()))
        .map(|pair| (pair[1].u - pair[0].u - pair[0].glyph.advance) / pair[0].glyph.size)
        .filter(|gap| gap.is_finite())
        .collect();
    let has_spaces = line.iter().any(|placed| placed.glyph.character.is_whitespace());
    let space_gap = if has_spaces { SPACE_GAP_BESIDE_SPACES_EM } else { SPACE_GAP_EM };
    if gaps.len() < 4 {
        return space_gap;
    }
    let middle = gaps.len() / 2;
    let (_, median, _) = gaps.select_nth_unstable_by(middle, f32::total_cmp);
    space_gap + median.max(0.0)
}

fn finish(characters: &[Placed], text: String) -> Option<Fragment> {
    let mark = characters.iter().max_by(|a, b| a.glyph.size.total_cmp(&b.glyph.size))?;
    // Small characters (superscripts) neither move the baseline nor set the size, unless they are all there is.
    let main: Vec<&Placed> =
        characters.iter().filter(|placed| placed.glyph.size >= mark.glyph.size * 0.85).collect();
    let baseline = main.iter().map(|placed| placed.v).sum::<f32>() / main.len() as f32;
    let size = main.iter().map(|placed| placed.glyph.size).sum::<f32>() / main.len() as f32;
    let fold = |value: fn(&Placed) -> f32, pick: fn(f32, f32) -> f32| {
        characters.iter().map(value).reduce(pick).unwrap_or_default()
    };
    let bounds = [
        fold(|placed| placed.u, f32::min),
        fold(|placed| placed.v - placed.glyph.size * placed.glyph.ascent, f32::min),
        fold(|placed| placed.u + placed.glyph.advance, f32::max),
        fold(|placed| placed.v + placed.glyph.size * placed.glyph.descent, f32::max),
    ];
    Some(Fragment {
        text: super::bidi::to_logical_order(&text),
        bounds,
        baseline,
        size,
        characters: characters.len(),
        bold: characters.iter().filter(|placed| placed.glyph.bold).count(),
        monospaced: characters.iter().filter(|placed| placed.glyph.monospaced).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: PageSize = PageSize { width: 600.0, height: 800.0 };

    /// Characters of one size set from `x` on, each `width` wide; `|` leaves a gap of one and a half sizes.
    fn set(text: &str, x: f32, y: f32, size: f32, width: f32) -> Vec<Glyph> {
        let mut at = x;
        let mut glyphs = Vec::new();
        for character in text.chars() {
            if character == '|' {
                at += size * 1.5;
                continue;
            }
            glyphs.push(Glyph {
                character,
                x: at,
                y,
                reading: Reading::LeftToRight,
                advance: width,
                size,
                ascent: 0.8,
                descent: 0.2,
                bold: false,
                monospaced: false,
            });
            at += width;
        }
        glyphs
    }

    fn texts(glyphs: &[Glyph]) -> Vec<String> {
        fragments(glyphs, Reading::LeftToRight, PAGE).into_iter().map(|fragment| fragment.text).collect()
    }

    #[test]
    fn wide_gaps_split_and_narrow_gaps_are_spaces() {
        assert_eq!(texts(&set("name|value", 10.0, 100.0, 10.0, 5.0)), ["name", "value"]);
        let mut glyphs = set("two", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("words", 28.0, 100.0, 10.0, 5.0));
        assert_eq!(texts(&glyphs), ["two words"]);
    }

    #[test]
    fn chinese_characters_stay_together_and_lose_spaces_between_them() {
        let mut with_space = set("安", 10.0, 100.0, 10.0, 10.0);
        with_space.extend(set(" ", 20.0, 100.0, 10.0, 3.0));
        with_space.extend(set("全", 23.0, 100.0, 10.0, 10.0));
        assert_eq!(texts(&with_space), ["安全"]);
        let mut spread = set("安", 10.0, 100.0, 10.0, 10.0);
        spread.extend(set("全", 24.0, 100.0, 10.0, 10.0));
        assert_eq!(texts(&spread), ["安全"]);
    }

    #[test]
    fn letter_spaced_words_are_not_torn_apart() {
        let mut glyphs = Vec::new();
        for (index, character) in "NOTICE".chars().enumerate() {
            glyphs.extend(set(&character.to_string(), 10.0 + index as f32 * 8.0, 100.0, 10.0, 5.0));
        }
        assert_eq!(texts(&glyphs), ["NOTICE"]);
    }

    #[test]
    fn spaces_under_other_characters_do_not_count() {
        let mut glyphs = set("2015", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("    ", 11.2, 100.0, 10.0, 2.9));
        assert_eq!(texts(&glyphs), ["2015"]);
    }

    #[test]
    fn superscripts_belong_to_their_line_and_do_not_move_it() {
        let mut glyphs = set("area", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("2", 30.0, 96.0, 6.0, 3.0));
        let found = fragments(&glyphs, Reading::LeftToRight, PAGE);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].text.as_str(), found[0].baseline, found[0].size), ("area 2", 100.0, 10.0));
    }

    #[test]
    fn marks_of_notes_stand_apart_from_words_and_exponents_do_not() {
        let mut unit = set("8 km", 10.0, 100.0, 10.0, 5.0);
        unit.extend(set("2", 30.0, 96.0, 6.0, 3.0));
        assert_eq!(texts(&unit), ["8 km2"]);
        let mut note = set("1", 10.0, 96.0, 6.0, 3.0);
        note.extend(set("See", 13.0, 100.0, 10.0, 5.0));
        assert_eq!(texts(&note), ["1 See"]);
    }

    #[test]
    fn narrow_double_letters_are_not_double_strikes() {
        let mut glyphs = set("wi", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("l", 20.0, 100.0, 10.0, 1.9));
        glyphs.extend(set("l", 21.9, 100.0, 10.0, 1.9));
        assert_eq!(texts(&glyphs), ["will"]);
    }

    #[test]
    fn double_strikes_count_once() {
        let mut glyphs = set("bold", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("bold", 10.4, 100.0, 10.0, 5.0));
        assert_eq!(texts(&glyphs), ["bold"]);
        assert_eq!(texts(&set("all", 10.0, 100.0, 10.0, 5.0)), ["all"]);
    }

    #[test]
    fn columns_with_shifted_baselines_stay_apart() {
        let mut glyphs = set("left one", 10.0, 100.0, 10.0, 5.0);
        glyphs.extend(set("left two", 10.0, 112.0, 10.0, 5.0));
        glyphs.extend(set("right one", 300.0, 106.0, 10.0, 5.0));
        let mut found = texts(&glyphs);
        found.sort();
        assert_eq!(found, ["left one", "left two", "right one"]);
    }
}
