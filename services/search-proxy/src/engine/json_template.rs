//! Any engine that answers JSON, described in the settings: an address with `{query}`, and paths into the answer.

use serde_json::Value;
use url::Url;

use super::html_template::{fill_address, is_address};
use super::settings::JsonPaths;
use super::{Answer, Ask, Body, Engine, EngineError, EngineSettings, Query};
use crate::engine::markup::plain;
use crate::results::{Found, Hit, published_at};

/// Results of an answer that are looked at.
const MAX_ROWS: usize = 100;

pub struct JsonTemplate {
    address: String,
    base: Url,
    headers: Vec<(String, String)>,
    paths: JsonPaths,
    /// `paths.body`, checked to be JSON.
    body: Option<Value>,
}

impl JsonTemplate {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let address = settings.url.clone().ok_or("url: an address with {query} is needed")?;
        let paths = settings.json.clone().ok_or("json: the paths into the answer are needed")?;
        let body = match &paths.body {
            Some(text) => Some(serde_json::from_str(text).map_err(|cause| format!("json.body: {cause}"))?),
            None => None,
        };
        let holds_query = |text: &str| text.contains("{query}");
        if !(holds_query(&address) || paths.body.as_deref().is_some_and(holds_query)) {
            return Err("url or json.body: one of them must hold {query}".to_owned());
        }
        let base = is_address(&address)?;
        let mut headers = settings.headers.clone();
        if let Some(key) = &settings.key {
            for (_, value) in &mut headers {
                *value = value.replace("{key}", key.expose());
            }
        }
        Ok(Self { address, base, headers, paths, body })
    }
}

impl Engine for JsonTemplate {
    fn ask(&self, query: &Query) -> Ask {
        let body = match &self.body {
            None => Body::None,
            Some(body) => Body::Json(filled(body, query)),
        };
        Ask { url: fill_address(&self.address, &self.base, query), headers: self.headers.clone(), body }
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let value = answer.value()?;
        let rows = at(&value, &self.paths.results)
            .and_then(Value::as_array)
            .ok_or_else(|| EngineError::Shape(format!("no array at `{}`", self.paths.results)))?;
        let hits = rows.iter().take(MAX_ROWS).filter_map(|row| {
            let url = text_at(row, &self.paths.url)?;
            let url = match &self.paths.url_prefix {
                Some(prefix) if !url.contains("://") => format!("{prefix}{url}"),
                _ => url,
            };
            let optional = |path: &Option<String>| path.as_deref().and_then(|path| text_at(row, path));
            Some(Hit {
                snippet: plain(&optional(&self.paths.snippet).unwrap_or_default()),
                published_at: optional(&self.paths.date).as_deref().and_then(published_at),
                ..Hit::new(plain(&text_at(row, &self.paths.title)?), url)
            })
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

/// The body with `{query}` in its texts replaced: inside a JSON text nothing has to be escaped by hand.
fn filled(value: &Value, query: &Query) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{query}", &query.text)),
        Value::Array(items) => items.iter().map(|item| filled(item, query)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), filled(field, query))).collect())
        }
        other => other.clone(),
    }
}

/// What stands at a dotted path; the empty path is the value itself.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

fn text_at(value: &Value, path: &str) -> Option<String> {
    match at(value, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kind;

    fn settings() -> EngineSettings {
        EngineSettings {
            url: Some("https://wiki.example/api?size=10&page={page}".to_owned()),
            key: Some("k1".to_owned().into()),
            headers: vec![("authorization".to_owned(), "Token {key}".to_owned())],
            json: Some(JsonPaths {
                results: "data.0.items".to_owned(),
                title: "name".to_owned(),
                url: "id".to_owned(),
                snippet: Some("text.short".to_owned()),
                date: Some("changed".to_owned()),
                url_prefix: Some("https://wiki.example/page/".to_owned()),
                body: Some(r#"{"filter": {"match": ["{query}"]}, "n": 3}"#.to_owned()),
            }),
            ..EngineSettings::new("wiki", Kind::Json)
        }
    }

    #[test]
    fn an_intranet_search_needs_no_code() {
        let engine = JsonTemplate::new(&settings()).unwrap();
        let ask = engine.ask(&Query::new("say \"hi\""));
        assert_eq!(ask.url.as_str(), "https://wiki.example/api?size=10&page=1");
        assert_eq!(ask.headers[0].1, "Token k1");
        assert_eq!(ask.body, Body::Json(serde_json::json!({"filter": {"match": ["say \"hi\""]}, "n": 3})));
        let body = r#"{"data": [{"items": [{"name": "Seals", "id": 7, "text": {"short": "a <b>seal</b>"}, "changed": "2024-01-02"},
            {"name": "no address"}]}]}"#;
        let found = engine.read(&Answer { status: 200, charset: None, body: body.into() }).unwrap();
        assert_eq!(found.hits.len(), 1);
        assert_eq!(
            (found.hits[0].url.as_str(), found.hits[0].snippet.as_str()),
            ("https://wiki.example/page/7", "a seal")
        );
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        let wrong = [
            EngineSettings { json: None, ..settings() },
            EngineSettings { url: Some("ftp://x/{query}".to_owned()), ..settings() },
            EngineSettings {
                json: Some(JsonPaths { body: Some("{\"q\": 1}".to_owned()), ..settings().json.unwrap() }),
                ..settings()
            },
            EngineSettings {
                json: Some(JsonPaths { body: Some("{query".to_owned()), ..settings().json.unwrap() }),
                ..settings()
            },
        ];
        for settings in wrong {
            assert!(JsonTemplate::new(&settings).is_err(), "{settings:?}");
        }
    }
}
