//! Bocha's search interface (博查).

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::results::{Found, Hit, published_at};

pub struct Bocha {
    base: Url,
    key: String,
}

impl Bocha {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self {
            base: settings.base("https://api.bochaai.com/v1/web-search")?,
            key: settings.required_key()?,
        })
    }
}

#[derive(Deserialize)]
struct Shape {
    /// Its own status, beside that of HTTP.
    code: u16,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    web_pages: Pages,
}

#[derive(Deserialize)]
struct Pages {
    value: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    name: String,
    url: String,
    #[serde(default)]
    snippet: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    date_published: Option<String>,
}

impl Engine for Bocha {
    fn ask(&self, query: &Query) -> Ask {
        let freshness = query
            .time_range
            .map_or("noLimit", |range| range.one_of(["oneDay", "oneWeek", "oneMonth", "oneYear"]));
        let body = json!({"query": query.text, "freshness": freshness, "summary": true, "count": RESULTS_ASKED, "page": query.page});
        Ask::post_json(self.base.clone(), body).header("authorization", format!("Bearer {}", self.key))
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        match shape.code {
            200 => {}
            401 | 403 => return Err(EngineError::Unauthorized),
            429 => return Err(EngineError::TooManyRequests(None)),
            code => return Err(EngineError::Status(code)),
        }
        let rows = shape.data.ok_or_else(|| EngineError::Shape("no data".to_owned()))?.web_pages.value;
        let hits = rows.into_iter().map(|row| Hit {
            snippet: row.summary.filter(|text| !text.is_empty()).or(row.snippet).unwrap_or_default(),
            published_at: row.date_published.as_deref().and_then(published_at),
            ..Hit::new(row.name, row.url)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};

    #[test]
    fn pages_are_read_with_the_longer_summary() {
        let found = read(Kind::Bocha, include_str!("fixtures/bocha.json")).unwrap();
        assert_eq!(found.hits[0].snippet, "更长的摘要，讲更换机械密封的步骤。");
        assert_eq!(found.hits[1].snippet, "短摘要");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-07-22T00:00:00.000Z");
    }

    #[test]
    fn its_own_status_counts() {
        assert_eq!(
            read(Kind::Bocha, r#"{"code": 429, "data": null}"#),
            Err(EngineError::TooManyRequests(None))
        );
        assert_eq!(read(Kind::Bocha, r#"{"code": 401}"#), Err(EngineError::Unauthorized));
        assert_eq!(read(Kind::Bocha, r#"{"code": 500}"#), Err(EngineError::Status(500)));
    }
}
