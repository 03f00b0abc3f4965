//! Names of uploaded files, made safe to store, to show and to send back.
//!
//! Originals are stored by their content's hash, so that no name ever becomes a path on this machine. What is made
//! safe here is what people and their browsers see.

use unicode_normalization::UnicodeNormalization as _;

/// The most folders above a file; further ones are dropped from the front.
const MAX_DEPTH: usize = 32;
/// The most characters of one folder's or file's name.
const MAX_PART_CHARS: usize = anwen_contract::knowledge::MAX_NAME_CHARS;
/// What a file is called that has no usable name.
const UNNAMED: &str = "unnamed";

/// A file's place in its knowledge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafePath {
    /// Folders and name, `/`-separated, never absolute and without `.` and `..`.
    pub path: String,
    /// The last part of the path.
    pub name: String,
}

/// Makes a path as a browser or an archive gives it safe: `..`, drive letters, leading slashes, control characters
/// and characters that turn the direction of text are removed, names are in Unicode's composed form and bounded.
pub fn safe_path(raw: &str) -> SafePath {
    let mut parts: Vec<String> = raw.split(['/', '\\']).filter_map(safe_part).collect();
    if parts.len() > MAX_DEPTH {
        parts.drain(..parts.len() - MAX_DEPTH);
    }
    let name = parts.pop().unwrap_or_else(|| UNNAMED.to_owned());
    parts.push(name.clone());
    SafePath { path: parts.join("/"), name }
}

/// The same folders with another name.
pub fn renamed(path: &str, name: &str) -> SafePath {
    let name = safe_path(name).name;
    let path = match path.rsplit_once('/') {
        Some((folders, _)) => format!("{folders}/{name}"),
        None => name.clone(),
    };
    SafePath { path, name }
}

fn safe_part(part: &str) -> Option<String> {
    let text: String = part.nfc().filter(|character| !is_unsafe(*character)).collect();
    let text = text.trim();
    let is_drive = text.len() == 2
        && text.ends_with(':')
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if text.is_empty() || text == "." || text == ".." || is_drive {
        return None;
    }
    Some(shortened(text))
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Cuts a long name in the middle, so that its extension stays.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= MAX_PART_CHARS {
        return name.to_owned();
    }
    let extension =
        name.rsplit_once('.').map(|(_, extension)| extension).filter(|text| text.chars().count() <= 16);
    let tail = extension.map_or(String::new(), |extension| format!(".{extension}"));
    let head: String = name.chars().take(MAX_PART_CHARS - tail.chars().count()).collect();
    head + &tail
}

/// The name in a `Content-Disposition` as RFC 5987 writes those that are not ASCII: `filename*=UTF-8''%E6%96%87.md`.
pub fn extended_file_name(disposition: &[u8]) -> Option<String> {
    const MARK: &str = "filename*=";
    let text = std::str::from_utf8(disposition).ok()?;
    let start = text.to_ascii_lowercase().find(MARK)? + MARK.len();
    let value = text.get(start..)?.split(';').next()?.trim().trim_matches('"');
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    String::from_utf8(percent_decoded(encoded)).ok()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// What a file is, by its first bytes and, where they do not tell, by its name. Only a first guess: the parser
/// finds out.
pub fn guess_media_type(head: &[u8], name: &str) -> String {
    let by_content = infer::get(head).map(|kind| kind.mime_type());
    let by_name = mime_guess::from_path(name).first_raw();
    match (by_content, by_name) {
        // An office document is a zip archive as far as its first bytes go.
        (Some("application/zip"), Some(name))
            if name.contains("openxmlformats") || name.contains("opendocument") =>
        {
            name
        }
        (Some(content), _) => content,
        (None, Some(name)) if name.starts_with("text/") => name,
        (None, _) if std::str::from_utf8(head).is_ok() => "text/plain",
        (None, _) => "application/octet-stream",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_safe() {
        let long = "文".repeat(300) + ".pdf";
        let cut = "文".repeat(MAX_PART_CHARS - 4) + ".pdf";
        for (raw, path, name) in [
            ("handbook.pdf", "handbook.pdf", "handbook.pdf"),
            ("../../etc/passwd", "etc/passwd", "passwd"),
            ("/etc/passwd", "etc/passwd", "passwd"),
            ("C:\\Users\\me\\报告.docx", "Users/me/报告.docx", "报告.docx"),
            ("a/./b//c.md", "a/b/c.md", "c.md"),
            ("evil\u{202e}fdp.exe\u{0}", "evilfdp.exe", "evilfdp.exe"),
            ("e\u{301}t\u{e9}.txt", "\u{e9}t\u{e9}.txt", "\u{e9}t\u{e9}.txt"),
            ("", "unnamed", "unnamed"),
            ("..", "unnamed", "unnamed"),
            (" .. /x.txt", "x.txt", "x.txt"),
            (long.as_str(), cut.as_str(), cut.as_str()),
        ] {
            let safe = safe_path(raw);
            assert_eq!((safe.path.as_str(), safe.name.as_str()), (path, name), "{raw:?}");
        }
        assert_eq!(safe_path(&"d/".repeat(100)).path.split('/').count(), MAX_DEPTH);
    }

    #[test]
    fn names_that_are_not_ascii_are_read_in_their_extended_form() {
        for (disposition, expected) in [
            ("form-data; name=\"file\"; filename*=utf-8''%E6%96%87%20a.md", Some("文 a.md")),
            ("attachment; filename=\"x.md\"; filename*=UTF-8'en'y%2Emd; size=1", Some("y.md")),
            ("form-data; filename*=utf-8''100%", Some("100%")),
            ("form-data; filename*=latin1''%E9.md", None),
            ("form-data; filename*=utf-8''%FF", None),
            ("form-data; filename=\"x.md\"", None),
        ] {
            assert_eq!(extended_file_name(disposition.as_bytes()).as_deref(), expected, "{disposition}");
        }
    }

    #[test]
    fn a_new_name_stays_in_its_folder() {
        assert_eq!(renamed("a/b.txt", "../c.txt").path, "a/c.txt");
        assert_eq!(renamed("b.txt", "c.txt").path, "c.txt");
    }

    #[test]
    fn the_first_guess_prefers_content() {
        for (head, name, expected) in [
            (b"%PDF-1.7 ...".as_slice(), "a.txt", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n0000", "a.pdf", "image/png"),
            (b"# Title", "a.md", "text/markdown"),
            (b"plain", "README", "text/plain"),
            (b"\xff\xfe\x00\x01", "data", "application/octet-stream"),
        ] {
            assert_eq!(guess_media_type(head, name), expected, "{name}");
        }
    }
}
