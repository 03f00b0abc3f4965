//! Captions of figures and tables, by the label that begins them.

use crate::clean;

/// Longer blocks that begin with a label are text about the figure (text columns).
const MAX_CAPTION_COLUMNS: usize = 700;
/// Chinese captions have no sign behind their number; longer blocks are sentences (text columns).
const MAX_UNMARKED_COLUMNS: usize = 80;

const LABELS: [&str; 22] = [
    "figure",
    "fig.",
    "fig",
    "table",
    "tab.",
    "chart",
    "exhibit",
    "scheme",
    "plate",
    "listing",
    "algorithm",
    "box",
    "abbildung",
    "abb.",
    "tabelle",
    "tableau",
    "图",
    "表",
    "圖",
    "附图",
    "附表",
    "图表",
];

/// What follows the label and number that begin a text (`Figure 3`, `表 2-1`); `None` without a label.
pub(super) fn after_label(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['【', '[', '（', '(', '●', '▲', ' ']);
    let head: String = text.chars().take(12).collect::<String>().to_lowercase();
    let label = LABELS.iter().filter(|label| head.starts_with(**label)).max_by_key(|label| label.len())?;
    let rest = text.get(label.len()..)?;
    let is_word = label.is_ascii() && !label.ends_with('.');
    if is_word && !rest.starts_with([' ', '\u{a0}']) {
        return None;
    }
    let rest = rest.trim_start();
    let letter = rest.chars().next().filter(|c| c.is_ascii_uppercase() || matches!(c, '一'..='十'));
    let number = &rest[letter.map_or(0, char::len_utf8)..];
    let number = number.trim_start_matches(['.', '-', '–']);
    let digits =
        number.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '–'))).unwrap_or(number.len());
    if digits == 0 && letter.is_none() || digits > 10 {
        return None;
    }
    // The full stop behind the number belongs to what follows.
    let digits = number[..digits].trim_end_matches(['.', '-', '–']).len();
    Some(&number[digits..])
}

/// Whether a block is a caption, not a sentence that begins with `Figure 3 shows`.
pub(super) fn is_caption(text: &str) -> bool {
    let text = text.trim();
    let Some(rest) = after_label(text) else { return false };
    let columns = clean::columns(text);
    if columns > MAX_CAPTION_COLUMNS {
        return false;
    }
    let trimmed = rest.trim_start();
    let Some(first) = trimmed.chars().next() else { return true };
    if matches!(first, ':' | '.' | '：' | '|' | '—' | '–' | '．' | '、' | ')' | '）' | ']' | '】') {
        return true;
    }
    let separated = rest.len() > trimmed.len();
    let is_sentence =
        ["shows", "lists", "gives", "所示", "中", "显示", "给出", "列出", "可以", "可知", "为例"]
            .iter()
            .any(|verb| trimmed.to_lowercase().starts_with(verb));
    !is_sentence
        && separated
        && columns <= MAX_UNMARKED_COLUMNS
        && (first.is_uppercase() || clean::is_wide(first) || first == '(')
        && !text.ends_with(['。', '，', '；', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_told_from_sentences_about_figures() {
        for (text, caption) in [
            ("Figure 3: The pump from the side", true),
            ("Fig. 2. Results of the second run", true),
            ("Table A.1 Limits", true),
            ("Table 1", true),
            ("图1 系统结构", true),
            ("图 2-3 审批流程", true),
            ("表3：费用标准", true),
            ("Figure 3 shows that the pump is old.", false),
            ("Figure 3 Shows nothing", false),
            ("图1所示为系统结构。", false),
            ("表 3 中的费用由财务部审核。", false),
            ("Tables are long", false),
            ("表示同意", false),
            ("Figures 1 and 2", false),
        ] {
            assert_eq!(is_caption(text), caption, "{text}");
        }
    }
}
