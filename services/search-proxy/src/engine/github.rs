//! GitHub's search of repositories. With a key more requests are allowed.

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query};
use crate::results::{Found, Hit, published_at};

pub struct GitHub {
    base: Url,
    key: Option<String>,
}

impl GitHub {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let base = settings.base("https://api.github.com/search/repositories")?;
        Ok(Self { base, key: settings.required_key().ok() })
    }
}

#[derive(Deserialize)]
struct Shape {
    items: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    full_name: String,
    html_url: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    pushed_at: Option<String>,
}

impl Engine for GitHub {
    fn ask(&self, query: &Query) -> Ask {
        let page = query.page.to_string();
        let parameters = [("q", query.text.as_str()), ("per_page", "10"), ("page", page.as_str())];
        let ask = Ask::get_with(&self.base, &parameters)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        match &self.key {
            Some(key) => ask.header("authorization", format!("Bearer {key}")),
            None => ask,
        }
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.items.into_iter().map(|row| Hit {
            snippet: row.description.unwrap_or_default(),
            published_at: row.pushed_at.as_deref().and_then(published_at),
            ..Hit::new(row.full_name, row.html_url)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn repositories_are_read_also_without_a_description() {
        let found = read(Kind::Github, include_str!("fixtures/github.json")).unwrap();
        assert_eq!(found.hits[0].title, "example/pump");
        assert_eq!((found.hits[1].snippet.as_str(), found.hits[1].published_at), ("", None));
    }
}
