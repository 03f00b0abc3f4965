//! Google's Programmable Search Engine (Custom Search JSON API).

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::results::{Found, Hit, published_at};

pub struct Google {
    base: Url,
    key: String,
    engine_id: String,
}

impl Google {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let base = settings.base("https://customsearch.googleapis.com/customsearch/v1")?;
        let key = settings.required_key()?;
        let engine_id = settings.id.clone().ok_or("id: the search engine's id (cx) is needed")?;
        Ok(Self { base, key, engine_id })
    }
}

/// `items` is absent when nothing was found; then `searchInformation` says so.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    title: String,
    link: String,
    #[serde(default)]
    snippet: String,
    #[serde(default)]
    pagemap: serde_json::Value,
}

impl Engine for Google {
    fn ask(&self, query: &Query) -> Ask {
        let start = (query.offset(RESULTS_ASKED) + 1).to_string();
        let language = query.language.as_deref().map(|tag| format!("lang_{}", google_language(tag)));
        let mut parameters = vec![
            ("key", self.key.as_str()),
            ("cx", self.engine_id.as_str()),
            ("q", query.text.as_str()),
            ("num", "10"),
            ("start", start.as_str()),
            ("safe", query.safe_search.one_of(["off", "active", "active"])),
        ];
        if let Some(language) = &language {
            parameters.push(("lr", language));
        }
        if let Some(range) = query.time_range {
            parameters.push(("dateRestrict", range.one_of(["d1", "w1", "m1", "y1"])));
        }
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.items.into_iter().map(|item| {
            let date = item.pagemap["metatags"][0]["article:published_time"].as_str().and_then(published_at);
            Hit { snippet: item.snippet, published_at: date, ..Hit::new(item.title, item.link) }
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

/// Google tells Chinese apart by region, and other languages not.
fn google_language(tag: &str) -> &str {
    match tag {
        "zh" | "zh-CN" | "zh-Hans" => "zh-CN",
        "zh-TW" | "zh-HK" | "zh-Hant" => "zh-TW",
        other => other.split('-').next().unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn items_are_read_with_the_date_of_their_page() {
        let found = read(Kind::Google, include_str!("fixtures/google.json")).unwrap();
        assert_eq!(found.hits.len(), 2);
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-05-06T07:08:09.000Z");
        assert_eq!(found.hits[1].url, "https://b.example/");
    }
}
