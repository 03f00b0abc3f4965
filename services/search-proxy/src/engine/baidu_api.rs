//! Baidu's paid interface (Qianfan AI Search, `web_search`).

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::results::{Found, Hit, published_at};

pub struct BaiduApi {
    base: Url,
    key: String,
}

impl BaiduApi {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let base = settings.base("https://qianfan.baidubce.com/v2/ai_search/web_search")?;
        Ok(Self { base, key: settings.required_key()? })
    }
}

#[derive(Deserialize)]
struct Shape {
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    date: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Engine for BaiduApi {
    fn ask(&self, query: &Query) -> Ask {
        let mut body = json!({
            "messages": [{"role": "user", "content": query.text}],
            "search_source": "baidu_search_v2",
            "resource_type_filter": [{"type": "web", "top_k": RESULTS_ASKED}],
        });
        if let Some(range) = query.time_range {
            // It knows no day.
            body["search_recency_filter"] = json!(range.one_of(["week", "week", "month", "year"]));
        }
        Ask::post_json(self.base.clone(), body).header("authorization", format!("Bearer {}", self.key))
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let web = shape
            .references
            .into_iter()
            .filter(|found| found.kind.as_deref().is_none_or(|kind| kind == "web"));
        let hits = web.map(|found| Hit {
            snippet: found.content,
            published_at: found.date.as_deref().and_then(published_at),
            ..Hit::new(found.title, found.url)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn references_of_the_web_are_read_and_pictures_are_not() {
        let found = read(Kind::BaiduApi, include_str!("fixtures/baidu_api.json")).unwrap();
        assert_eq!(found.hits.len(), 1);
        assert_eq!(found.hits[0].title, "密封更换规程");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2025-06-01T08:00:00.000Z");
    }
}
