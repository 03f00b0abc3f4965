//! Bytes of a page to text.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use regex::bytes::Regex;

/// How far into a page its own declaration of the encoding may stand (the HTML standard's bound).
const DECLARATION_BYTES: usize = 1024;

/// The text of a page: by its byte order mark, else the encoding that the server named, else the one that the page
/// declares, else the one that its bytes suggest. What cannot be decoded becomes U+FFFD.
pub fn decode(body: &[u8], charset: Option<&str>) -> String {
    let named = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let encoding = named.or_else(|| declared(body)).unwrap_or_else(|| guessed(body));
    // `decode` lets a byte order mark win over what it was told.
    encoding.decode(body).0.into_owned()
}

fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let declaration = Regex::new(r#"(?i)<meta[^>]+charset\s*=\s*["']?\s*([a-z0-9_-]+)"#).ok()?;
    let found = declaration.captures(&body[..body.len().min(DECLARATION_BYTES)])?;
    Encoding::for_label(&found[1])
}

fn guessed(body: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(body, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_found_wherever_it_is_said() {
        let text = "<p>机械密封的更换周期是两千小时，请按规程操作。</p>";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let declared = [b"<meta http-equiv=x content='text/html; charset=gb2312'>".as_slice(), &gbk].concat();
        let marked = ["\u{feff}", text].concat();
        assert_eq!(decode(&gbk, Some("gbk")), text);
        assert!(decode(&declared, None).ends_with(text));
        assert_eq!(decode(&gbk, None), text);
        assert_eq!(decode(text.as_bytes(), None), text);
        assert_eq!(decode(marked.as_bytes(), Some("gbk")), text);
        assert_eq!(decode(text.as_bytes(), Some("no-such-encoding")), text);
    }
}
