//! The readable part of a page: its article without navigation, advertisements and scripts.

use anwen_contract::search::ReadAnswer;
use dom_smoothie::{Config, Readability, TextMode};
use tokio::sync::oneshot;
use url::Url;

use super::PageError;
use super::decode::decode;
use super::depth::{self, MAX_ELEMENTS};
use super::fetch::Page;
use crate::results::published_at;

/// The parser recurses by the depth of the page. The deepest page fits on this stack many times over.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs the parser on a thread of its own, with a stack that the deepest page does not overflow: an overflow would take
/// the whole process down. Memory is only taken for the part of a stack that is used.
pub async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PageError> + Send + 'static,
) -> Result<T, PageError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("page".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody waits any more when the time is over.
            let _ = sender.send(work());
        })
        .map_err(|cause| PageError::Broken(cause.to_string()))?;
    // A panic of the parser drops the sender.
    receiver.await.unwrap_or_else(|_| Err(PageError::Broken("the parser panicked".to_owned())))
}

/// The text of a page, at most `max_text_chars` characters of it.
pub fn read(page: &Page, max_text_chars: usize) -> Result<ReadAnswer, PageError> {
    let source = decode(&page.body, page.charset.as_deref());
    let mut answer =
        if page.media_type == "text/plain" { plain(page, source) } else { article(page, &source)? };
    answer.text = tidy(&answer.text).chars().take(max_text_chars).collect();
    if answer.text.is_empty() { Err(PageError::NoText) } else { Ok(answer) }
}

fn plain(page: &Page, text: String) -> ReadAnswer {
    named_after_file(&page.url, text)
}

fn named_after_file(url: &Url, text: String) -> ReadAnswer {
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    ReadAnswer {
        url: url.to_string(),
        title: last.to_owned(),
        text,
        published_at: None,
        passages: Vec::new(),
    }
}

/// The text of a document that another parser has read.
pub fn document(url: &Url, text: &str, max_text_chars: usize) -> Result<ReadAnswer, PageError> {
    let text: String = tidy(text).chars().take(max_text_chars).collect();
    if text.is_empty() { Err(PageError::NoText) } else { Ok(named_after_file(url, text)) }
}

fn article(page: &Page, source: &str) -> Result<ReadAnswer, PageError> {
    let config =
        Config { max_elements_to_parse: MAX_ELEMENTS, text_mode: TextMode::Formatted, ..Config::default() };
    let broken = |cause: dom_smoothie::ReadabilityError| match cause {
        dom_smoothie::ReadabilityError::GrabFailed => PageError::NoText,
        cause => PageError::Broken(cause.to_string()),
    };
    depth::check(source)?;
    let mut readability = Readability::new(source, Some(page.url.as_str()), Some(config)).map_err(broken)?;
    let article = readability.parse().map_err(broken)?;
    Ok(ReadAnswer {
        url: page.url.to_string(),
        title: article.title.trim().to_owned(),
        text: article.text_content.to_string(),
        published_at: article.published_time.as_deref().and_then(published_at),
        passages: Vec::new(),
    })
}

/// Lines without space around them, at most one empty line between two.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty_lines = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        if !tidied.is_empty() {
            tidied.push_str(if empty_lines > 0 { "\n\n" } else { "\n" });
        }
        empty_lines = 0;
        tidied.push_str(line);
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::depth::{MAX_DEPTH, MAX_TOTAL_DEPTH};

    fn page(media_type: &str, body: &str) -> Page {
        Page {
            url: "https://a.example/docs/notes.txt".parse().unwrap(),
            media_type: media_type.to_owned(),
            charset: None,
            body: body.as_bytes().to_vec(),
            validators: crate::page::fetch::Validators::default(),
        }
    }

    fn article_page() -> String {
        let paragraph = "<p>The impeller nut has a left-hand thread and is tightened to 210 N·m with tool LT-T07, \
                         after which the casing cover is fitted crosswise, and the shaft is turned by hand.</p>";
        format!(
            "<html><head><title>Seal change</title><script>var secret = 1;</script>\
             <meta property='article:published_time' content='2026-02-03T04:05:06Z'></head><body>\
             <nav><a href='/'>Home</a> <a href='/shop'>Shop</a></nav><article><h1>Seal change</h1>{}</article>\
             <footer>All rights reserved</footer></body></html>",
            paragraph.repeat(6)
        )
    }

    #[test]
    fn an_article_comes_without_scripts_and_navigation() {
        let answer = read(&page("text/html", &article_page()), 10_000).unwrap();
        assert_eq!(answer.title, "Seal change");
        assert!(answer.text.contains("210 N·m"), "{}", answer.text);
        assert!(!answer.text.contains("secret") && !answer.text.contains("Shop"), "{}", answer.text);
        assert_eq!(answer.published_at.unwrap().to_rfc3339(), "2026-02-03T04:05:06.000Z");
    }

    #[test]
    fn text_is_cut_at_the_limit_between_characters() {
        let answer = read(&page("text/plain", "安问 asks safely"), 2).unwrap();
        assert_eq!((answer.text.as_str(), answer.title.as_str()), ("安问", "notes.txt"));
    }

    #[test]
    fn a_page_without_text_is_said_to_have_none() {
        for (media_type, body) in
            [("text/plain", " \n\t\n"), ("text/html", ""), ("text/html", "<script>x()</script>")]
        {
            assert!(matches!(read(&page(media_type, body), 100), Err(PageError::NoText)), "{body:?}");
        }
    }

    #[tokio::test]
    async fn the_worst_pages_within_the_bounds_are_read_on_a_thread_of_their_own() {
        let deep = "<div>".repeat(MAX_DEPTH) + "deep" + &"</div>".repeat(MAX_DEPTH);
        let long = "<i>word</i> ".repeat(MAX_ELEMENTS - 10);
        let both = "<div>".repeat(40) + &"<i>word</i> ".repeat(MAX_TOTAL_DEPTH / 41 - 40);
        for body in [deep, long, both] {
            let page = page("text/html", &body);
            let result = on_own_thread(move || read(&page, 100)).await;
            assert!(matches!(result, Ok(_) | Err(PageError::NoText)), "{result:?}");
        }
    }

    #[tokio::test]
    async fn a_panic_of_the_parser_is_an_error_of_that_page() {
        let result = on_own_thread::<()>(|| panic!("parser")).await;
        assert!(matches!(result, Err(PageError::Broken(_))));
    }

    #[test]
    fn lines_are_tidied() {
        assert_eq!(tidy("\n  a \n b\n\n\n\n c\n\n"), "a\nb\n\nc");
    }
}
