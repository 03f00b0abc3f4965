//! Stack Exchange's questions, of the site named by `id` (Stack Overflow without one).

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query};
use crate::engine::markup::plain;
use crate::results::{Found, Hit};
use anwen_contract::Timestamp;

/// Characters of a question's text that are its snippet.
const SNIPPET_CHARS: usize = 400;

pub struct StackExchange {
    base: Url,
    site: String,
    key: Option<String>,
}

impl StackExchange {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self {
            base: settings.base("https://api.stackexchange.com/2.3/search/advanced")?,
            site: settings.id.clone().unwrap_or_else(|| "stackoverflow".to_owned()),
            key: settings.required_key().ok(),
        })
    }
}

#[derive(Deserialize)]
struct Shape {
    items: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    title: String,
    link: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    last_activity_date: Option<i64>,
}

impl Engine for StackExchange {
    fn ask(&self, query: &Query) -> Ask {
        let page = query.page.to_string();
        let mut parameters = vec![
            ("q", query.text.as_str()),
            ("site", self.site.as_str()),
            ("order", "desc"),
            ("sort", "relevance"),
            ("pagesize", "10"),
            ("page", page.as_str()),
            ("filter", "withbody"),
        ];
        if let Some(key) = &self.key {
            parameters.push(("key", key));
        }
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.items.into_iter().map(|row| Hit {
            snippet: plain(&row.body).chars().take(SNIPPET_CHARS).collect(),
            published_at: row.last_activity_date.and_then(moment),
            ..Hit::new(plain(&row.title), row.link)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

/// Seconds since 1970.
fn moment(seconds: i64) -> Option<Timestamp> {
    let moment = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let text = moment.format(&time::format_description::well_known::Rfc3339).ok()?;
    Timestamp::parse(&text)
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn questions_are_read_without_their_markup() {
        let found = read(Kind::Stackexchange, include_str!("fixtures/stackexchange.json")).unwrap();
        assert_eq!(found.hits[0].title, "What does \"E0502\" mean in Rust?");
        assert_eq!(found.hits[0].snippet, "I borrow v twice.");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2023-11-14T22:13:20.000Z");
    }
}
