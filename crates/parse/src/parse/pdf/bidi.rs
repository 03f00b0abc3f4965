//! Right-to-left scripts: pages store what the eye sees, text is stored as it is read.

/// The text of a line, given from left to right as it is seen, in reading order. Lines without Hebrew or Arabic
/// letters come back as they are. This undoes the usual cases of the bidirectional algorithm (UAX #9): runs of
/// right-to-left letters are reversed; when they prevail, so is the order of the runs.
pub(super) fn to_logical_order(line: &str) -> String {
    let right_to_left = line.chars().filter(|&c| is_right_to_left(c)).count();
    if right_to_left == 0 {
        return line.to_owned();
    }
    let left_to_right = line.chars().filter(|&c| c.is_alphabetic() && !is_right_to_left(c)).count();
    let mut runs = runs(line);
    for (direction, run) in &mut runs {
        if *direction == Direction::RightToLeft {
            *run = run.chars().rev().map(mirrored).collect();
        }
    }
    if right_to_left >= left_to_right {
        runs.reverse();
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

/// Parts of a line from left to right, each in reading order, as the line is read.
pub(super) fn join_cells(cells: &[&str]) -> String {
    let count = |of: fn(char) -> bool| cells.iter().flat_map(|cell| cell.chars()).filter(|&c| of(c)).count();
    let right_to_left = count(is_right_to_left);
    if right_to_left > 0 && right_to_left * 2 >= count(char::is_alphabetic) {
        return cells.iter().rev().copied().collect::<Vec<_>>().join(" ");
    }
    cells.join(" ")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    LeftToRight,
    RightToLeft,
}

/// Runs of one direction; white space and punctuation between two runs of one direction belong to them, otherwise to
/// a right-to-left run.
fn runs(line: &str) -> Vec<(Direction, String)> {
    let mut runs: Vec<(Direction, String)> = Vec::new();
    let mut neutral = String::new();
    for character in line.chars() {
        let direction = if is_right_to_left(character) {
            Direction::RightToLeft
        } else if character.is_alphanumeric() {
            Direction::LeftToRight
        } else {
            neutral.push(character);
            continue;
        };
        match runs.last_mut() {
            Some((last, run)) if *last == direction => {
                run.push_str(&neutral);
                run.push(character);
            }
            _ => {
                if !neutral.is_empty() {
                    runs.push((Direction::RightToLeft, std::mem::take(&mut neutral)));
                }
                runs.push((direction, character.to_string()));
            }
        }
        neutral.clear();
    }
    if !neutral.is_empty() {
        runs.push((Direction::RightToLeft, neutral));
    }
    runs
}

pub(super) fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
        && !matches!(character, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

fn mirrored(character: char) -> char {
    match character {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_as_they_are_read() {
        for (seen, read) in [
            ("plain text", "plain text"),
            ("םולש", "שלום"),
            ("םלוע םולש", "שלום עולם"),
            ("ISO 9001 ןקת", "תקן ISO 9001"),
        ] {
            assert_eq!(to_logical_order(seen), read);
        }
    }

    #[test]
    fn parts_of_a_line_join_in_its_direction() {
        assert_eq!(join_cells(&["עולם", "שלום"]), "שלום עולם");
        assert_eq!(join_cells(&["name", "value"]), "name value");
    }
}
