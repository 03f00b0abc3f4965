//! The words before a value, which say what it is.

use crate::folded::Folded;

/// How far back words are looked for (characters).
const REACH: usize = 28;
/// Nothing before one of these belongs to what follows.
const ENDS: [char; 6] = ['\n', '。', ';', '!', '?', '；'];

/// What the nearest telling word before a value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    For,
    Against,
    Nothing,
}

/// Words that make the digits after them something else than a person's number.
pub(crate) const AGAINST_NUMBERS: &[&str] = &[
    "订单",
    "单号",
    "流水",
    "运单",
    "快递",
    "发票",
    "编号",
    "型号",
    "版本",
    "条码",
    "条形码",
    "货号",
    "批号",
    "序列号",
    "案号",
    "文号",
    "工号",
    "学号",
    "编码",
    "代码",
    "金额",
    "价格",
    "合计",
    "总计",
    "人民币",
    "时间戳",
    "信用代码",
    "税号",
    "邮编",
    "标准",
    "书号",
    "页码",
    "坐标",
    "哈希",
    "交易号",
    "物料",
    "资产",
    "order",
    "orders",
    "invoice",
    "tracking",
    "sku",
    "isbn",
    "issn",
    "serial",
    "version",
    "ticket",
    "case",
    "part",
    "model",
    "batch",
    "amount",
    "price",
    "total",
    "usd",
    "rmb",
    "cny",
    "timestamp",
    "hash",
    "build",
    "imei",
    "po",
    "id",
    "standard",
];

/// Says what the nearest of the words before `index` says about a value there. A word in Latin letters counts only
/// when it stands by itself.
pub(crate) fn nearest(folded: &Folded, index: usize, words_for: &[&str], words_against: &[&str]) -> Says {
    let start = folded.run_back(index, REACH, |character| !ENDS.contains(&character));
    let before: String = folded.text(start..index).to_lowercase();
    let end_for = words_for.iter().filter_map(|word| last_end(&before, word)).max();
    let end_against = words_against.iter().filter_map(|word| last_end(&before, word)).max();
    match (end_for, end_against) {
        (None, None) => Says::Nothing,
        (Some(end_for), end_against) if Some(end_for) >= end_against => Says::For,
        _ => Says::Against,
    }
}

/// Where the last occurrence of a word ends.
fn last_end(text: &str, word: &str) -> Option<usize> {
    let is_latin = word.is_ascii();
    let is_letter = |character: Option<char>| character.is_some_and(|one| one.is_ascii_alphabetic());
    text.rmatch_indices(word)
        .map(|(start, _)| (start, start + word.len()))
        .find(|(start, end)| {
            !is_latin
                || !(is_letter(text[..*start].chars().next_back()) || is_letter(text[*end..].chars().next()))
        })
        .map(|(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(before: &str) -> Says {
        let folded = Folded::new(before);
        nearest(&folded, folded.len(), &["电话", "tel", "phone"], AGAINST_NUMBERS)
    }

    #[test]
    fn the_nearest_word_decides() {
        for (before, expected) in [
            ("联系电话：", Says::For),
            ("TEL. ", Says::For),
            ("the hotel ", Says::Nothing),
            ("电话：1，订单号 ", Says::Against),
            ("订单号 1，电话 ", Says::For),
            ("电话在上面。", Says::Nothing),
            ("phone\n", Says::Nothing),
            ("Ｐｈｏｎｅ：", Says::For),
            ("", Says::Nothing),
        ] {
            assert_eq!(says(before), expected, "{before:?}");
        }
    }
}
