//! Whether a page is shaped like one that people read, told before it is parsed: an HTML parser takes time that grows
//! with the number of elements times their depth, so that 100 kB of `<div>` can keep it busy for minutes.

use super::PageError;

/// Elements of a page; one that has more is a machine's output, not an article.
pub const MAX_ELEMENTS: usize = 50_000;
/// Elements that are open at the same time. Generous, since end tags may be left out and are not told here: the cells of
/// a table all count until the table ends.
pub const MAX_DEPTH: usize = 1_024;
/// The depths of all elements together, which is what the parser's time grows with: 50 million took 17 s.
pub const MAX_TOTAL_DEPTH: usize = 2_000_000;

/// Elements that never have an end tag, and four whose end tag is left out where the next one begins.
const NEVER_OPEN: [&str; 18] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "p",
    "param", "source", "track", "wbr",
];
/// Elements whose content is text, whatever it looks like.
const RAW_TEXT: [&str; 4] = ["script", "style", "textarea", "title"];

/// Refuses a page with too many elements, or too many inside each other. Linear in the length of the page, but for end
/// tags, which look back over what is open.
pub fn check(source: &str) -> Result<(), PageError> {
    let source = source.to_ascii_lowercase();
    let mut open: Vec<&str> = Vec::new();
    let (mut elements, mut total_depth) = (0, 0);
    let mut rest = source.as_str();
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if let Some(end_tag) = rest.strip_prefix('/') {
            let name = name_at(end_tag);
            if let Some(position) = open.iter().rposition(|known| *known == name) {
                open.truncate(position);
            }
        } else {
            let name = name_at(rest);
            if name.is_empty() || NEVER_OPEN.contains(&name) {
                continue;
            }
            open.push(name);
            elements += 1;
            total_depth += open.len();
            if elements > MAX_ELEMENTS || open.len() > MAX_DEPTH || total_depth > MAX_TOTAL_DEPTH {
                return Err(PageError::Broken("too many elements, or too many inside each other".to_owned()));
            }
            if RAW_TEXT.contains(&name) {
                let end = rest.find(&format!("</{name}"));
                rest = end.map_or("", |end| &rest[end..]);
            }
        }
    }
    Ok(())
}

/// The name of a tag, from just after its `<` or `</`.
fn name_at(text: &str) -> &str {
    let is_tag = text.starts_with(|character: char| character.is_ascii_lowercase());
    let end =
        text.find(|character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>' | '<'));
    if is_tag { &text[..end.unwrap_or(text.len())] } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_pages_pass_whatever_they_leave_out() {
        let pages = [
            "<ul>".to_owned() + &"<li>a<p>b<br>".repeat(10_000) + "</ul>",
            "<table><tr><td>a".repeat(300) + "</table>",
            "<div><table><tr><td>a<td>b</table></div>".repeat(8_000),
            format!("<script>{}</script>", "document.write('<div>')".repeat(100_000)),
            format!("<!--{}-->", "<div>".repeat(100_000)),
            "1 < 2 <3 << </ <".repeat(10_000),
            "<title><div>".to_owned(),
        ];
        for page in pages {
            assert!(check(&page).is_ok(), "{:.60}", page);
        }
    }

    #[test]
    fn pages_that_keep_a_parser_busy_are_refused() {
        for opening in ["<div>", "<b>", "<x-y/>", "<DIV class='<p>'>", "<rt>", "<svg><td>", "</p><i>"] {
            assert!(check(&opening.repeat(MAX_DEPTH + 1)).is_err(), "{opening}");
        }
        assert!(check(&"<i></i>".repeat(MAX_ELEMENTS + 1)).is_err());
        assert!(check(&("<div>".repeat(1_000) + &"<i></i>".repeat(3_000))).is_err());
    }
}
