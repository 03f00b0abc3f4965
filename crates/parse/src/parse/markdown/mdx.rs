//! What MDX adds to Markdown: module lines and component tags.

/// The source without `import …` and `export …` statements that stand outside code. A statement ends where its
/// brackets are closed, or at the next empty line. Lines are kept in number.
pub(super) fn without_module_lines(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut in_fence = false;
    let mut open_brackets: i32 = 0;
    for line in source.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
        }
        let continues = open_brackets > 0 && !line.trim().is_empty();
        if !in_fence && (continues || is_module_line(line)) {
            let base = if continues { open_brackets } else { 0 };
            open_brackets = base + bracket_balance(line);
            out.push('\n');
        } else {
            open_brackets = 0;
            out.push_str(line);
        }
    }
    out
}

fn is_module_line(line: &str) -> bool {
    let import = line.starts_with("import ")
        && (line.contains(" from ") || line.contains('{') || line.contains('\'') || line.contains('"'));
    let export = line.strip_prefix("export ").is_some_and(|rest| {
        ["const ", "default ", "function ", "let ", "var ", "async ", "{", "*", "class "]
            .iter()
            .any(|word| rest.starts_with(word))
    });
    import || export
}

fn bracket_balance(line: &str) -> i32 {
    line.bytes().fold(0, |balance, byte| match byte {
        b'{' | b'(' | b'[' => balance + 1,
        b'}' | b')' | b']' => balance - 1,
        _ => balance,
    })
}

/// Longest component tag that is looked for, attributes included (bytes).
const MAX_TAG_BYTES: usize = 8 * 1024;

/// The source without the component tags (`<Callout …>`, `</Callout>`) that begin a line outside of code, so that what
/// stands between them is read as Markdown.
pub(super) fn without_component_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut in_fence = false;
    let mut rest = source;
    while !rest.is_empty() {
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let trimmed = rest[..line_end].trim_start();
        let indent = line_end - trimmed.len();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
        }
        let opens = trimmed.strip_prefix("</").or_else(|| trimmed.strip_prefix('<'));
        if !in_fence && opens.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase())) {
            let tag = &rest[indent..];
            let window = &tag[..tag.floor_char_boundary(MAX_TAG_BYTES)];
            if let Some(end) = tag_end(window) {
                rest = &tag[end..];
                continue;
            }
        }
        out.push_str(&rest[..line_end]);
        rest = &rest[line_end..];
    }
    out
}

/// A piece of HTML or JSX without what is written in braces as values of attributes, which HTML does not know.
pub(super) fn without_code(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tag = &rest[start..];
        let opens_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic());
        match tag_end(tag).filter(|&end| opens_tag && tag[..end].contains("={")) {
            Some(end) => {
                let name: String = tag[1..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
                out.push_str(&format!("<{name}>"));
                rest = &tag[end..];
            }
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The text of a piece of raw HTML or JSX: tags, comments, scripts and styles left out, the commonest entities read.
/// A `>` inside an attribute's quotes or braces does not end a tag.
pub(super) fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tag = &rest[start..];
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let opens_tag =
            tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?' | '>'));
        if !opens_tag {
            out.push('<');
            rest = &tag[1..];
            continue;
        }
        let Some(end) = tag_end(tag) else {
            rest = "";
            break;
        };
        let name: String = tag[1..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        rest = &tag[end..];
        if matches!(name.as_str(), "script" | "style") {
            rest = rest.find(&format!("</{name}")).map_or("", |close| &rest[close..]);
        } else if name == "br" {
            out.push('\n');
        }
    }
    out.push_str(rest.split('<').next().unwrap_or(""));
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// Offset behind the `>` that ends the tag at the beginning of the text.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    let mut braces = 0u32;
    for (offset, character) in tag.char_indices() {
        match (quote, character) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '{') => braces += 1,
            (None, '}') => braces = braces.saturating_sub(1),
            (None, '>') if braces == 0 => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_text_stays() {
        for (html, text) in [
            ("<p class=\"a>b\">one</p> two", "one two"),
            ("<Tab on={() => x > 1} /> rest", " rest"),
            ("<!-- gone -->kept", "kept"),
            ("<script>a < b</script>kept", "kept"),
            ("a < b &amp; c", "a < b & c"),
            ("unclosed <div", "unclosed "),
        ] {
            assert_eq!(without_tags(html), text, "{html}");
        }
    }
}
