//! arXiv's interface, which answers an Atom feed.

use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::engine::markup::one_line;
use crate::results::{Found, Hit, published_at};

pub struct Arxiv {
    base: Url,
}

impl Arxiv {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://export.arxiv.org/api/query")? })
    }
}

impl Engine for Arxiv {
    fn ask(&self, query: &Query) -> Ask {
        let text = format!("all:{}", query.text);
        let start = query.offset(RESULTS_ASKED).to_string();
        let parameters = [("search_query", text.as_str()), ("start", start.as_str()), ("max_results", "10")];
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        Ok(Found { hits: entries(&answer.text())?, ..Found::default() })
    }
}

/// What stands in the entries of a feed.
fn entries(feed: &str) -> Result<Vec<Hit>, EngineError> {
    let shape = |cause: &dyn std::fmt::Display| EngineError::Shape(cause.to_string());
    let mut reader = Reader::from_str(feed);
    let (mut hits, mut entry, mut field, mut is_feed) = (Vec::new(), None::<Hit>, Vec::new(), false);
    loop {
        match reader.read_event().map_err(|cause| shape(&cause))? {
            Event::Eof => break,
            Event::Start(tag) => match tag.name().as_ref() {
                b"feed" => is_feed = true,
                b"entry" => entry = Some(Hit::new("", "")),
                name => field = name.to_vec(),
            },
            Event::End(tag) => match tag.name().as_ref() {
                b"entry" => hits.extend(entry.take()),
                _ => field.clear(),
            },
            Event::Text(text) => {
                if let Some(hit) = &mut entry {
                    take(hit, &field, &text.decode().map_err(|cause| shape(&cause))?);
                }
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => named(&reference).to_owned(),
                };
                if let Some(hit) = &mut entry {
                    take(hit, &field, &resolved);
                }
            }
            _ => {}
        }
    }
    if !is_feed {
        return Err(EngineError::Shape("not an Atom feed".to_owned()));
    }
    for hit in &mut hits {
        hit.title = one_line(&hit.title);
        hit.snippet = one_line(&hit.snippet);
    }
    Ok(hits)
}

fn take(hit: &mut Hit, field: &[u8], text: &str) {
    match field {
        b"title" => hit.title.push_str(text),
        b"summary" => hit.snippet.push_str(text),
        b"id" => hit.url.push_str(text.trim()),
        b"published" => hit.published_at = published_at(text),
        _ => {}
    }
}

fn named(reference: &[u8]) -> &'static str {
    match reference {
        b"amp" => "&",
        b"lt" => "<",
        b"gt" => ">",
        b"quot" => "\"",
        b"apos" => "'",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn entries_are_read_with_their_broken_lines_joined() {
        let found = read(Kind::Arxiv, include_str!("fixtures/arxiv.xml")).unwrap();
        assert_eq!(found.hits.len(), 1);
        assert_eq!(found.hits[0].title, "Seals & Pumps: a Study");
        assert_eq!(found.hits[0].url, "http://arxiv.org/abs/2401.00001v1");
        assert_eq!(found.hits[0].snippet, "We study seals where x < 1.");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-01-01T00:00:00.000Z");
    }
}
