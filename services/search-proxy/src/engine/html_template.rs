//! Any engine that answers a page, described in the settings: an address with `{query}`, and CSS selectors.

use url::Url;

use super::markup::is_selector;
use super::settings::HtmlSelectors;
use super::{Answer, Ask, Body, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED, rows_or_shape};
use crate::results::{Found, Hit, published_at};

pub struct HtmlTemplate {
    address: String,
    headers: Vec<(String, String)>,
    selectors: HtmlSelectors,
    base: Url,
}

impl HtmlTemplate {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let address = settings.url.clone().ok_or("url: an address with {query} is needed")?;
        if !address.contains("{query}") {
            return Err("url: must hold {query}".to_owned());
        }
        let base = is_address(&address)?;
        let selectors = settings.html.clone().ok_or("html: the selectors are needed")?;
        let optional = [&selectors.title, &selectors.snippet, &selectors.date, &selectors.none];
        let given = optional.into_iter().flatten().chain([&selectors.result, &selectors.link]);
        if let Some(wrong) = given.into_iter().find(|selector| !is_selector(selector)) {
            return Err(format!("html: `{wrong}` is not a CSS selector"));
        }
        Ok(Self { address, headers: settings.headers.clone(), selectors, base })
    }
}

impl Engine for HtmlTemplate {
    fn ask(&self, query: &Query) -> Ask {
        Ask {
            url: fill_address(&self.address, &self.base, query),
            headers: self.headers.clone(),
            body: Body::None,
        }
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        let chosen = &self.selectors;
        let hits = page.rows(&chosen.result, |row| {
            let url = self.base.join(&row.attribute(&chosen.link, "href")?).ok()?;
            let text = |selector: &Option<String>| selector.as_deref().map(|selector| row.text(selector));
            let title = text(&chosen.title).unwrap_or_else(|| row.text(&chosen.link));
            Some(Hit {
                snippet: text(&chosen.snippet).unwrap_or_default(),
                published_at: text(&chosen.date).as_deref().and_then(published_at),
                ..Hit::new(title, url)
            })
        });
        let says_none = chosen.none.as_deref().is_some_and(|selector| page.has(selector));
        rows_or_shape(Found { hits, ..Found::default() }, says_none)
    }
}

/// The address with its places filled, each escaped so that a query cannot change the address around it.
pub fn fill_address(template: &str, base: &Url, query: &Query) -> Url {
    let escaped = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let filled = template
        .replace("{page}", &query.page.to_string())
        .replace("{offset}", &query.offset(RESULTS_ASKED).to_string())
        .replace("{language}", &escaped(query.language.as_deref().unwrap_or_default()))
        .replace("{query}", &escaped(&query.text));
    // Checked by `is_address` when the engine was built: what is filled in is escaped and cannot break it.
    Url::parse(&filled).unwrap_or_else(|_| base.clone())
}

/// Whether a template is an address of http or https once it is filled, with no place in its host.
pub fn is_address(template: &str) -> Result<Url, String> {
    let filled = fill_places(template);
    let url = Url::parse(&filled).map_err(|cause| format!("url: {cause}"))?;
    let before_path = template.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    if !matches!(url.scheme(), "http" | "https") || before_path.is_none_or(|host| host.contains('{')) {
        return Err("url: must begin with http:// or https:// and a host without places to fill".to_owned());
    }
    Ok(url)
}

fn fill_places(template: &str) -> String {
    ["{page}", "{offset}", "{language}", "{query}"]
        .iter()
        .fold(template.to_owned(), |text, place| text.replace(place, "1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kind;

    fn settings() -> EngineSettings {
        EngineSettings {
            url: Some("https://intra.example/find?q={query}&start={offset}".to_owned()),
            html: Some(HtmlSelectors {
                result: "ul.hits > li".to_owned(),
                link: "a.title".to_owned(),
                snippet: Some("p".to_owned()),
                date: Some("time".to_owned()),
                none: Some(".none".to_owned()),
                title: None,
            }),
            ..EngineSettings::new("intra", Kind::Html)
        }
    }

    #[test]
    fn an_intranet_page_needs_no_code() {
        let engine = HtmlTemplate::new(&settings()).unwrap();
        let ask = engine.ask(&Query { page: 3, ..Query::new("泵&x=1#y") });
        assert_eq!(ask.url.as_str(), "https://intra.example/find?q=%E6%B3%B5%26x%3D1%23y&start=20");
        let body = "<ul class=hits><li><a class=title href='../docs/7'>Seal</a><p>about</p><time>2024-02-01</time></li><li>ad</li></ul>";
        let found = engine.read(&Answer { status: 200, charset: None, body: body.into() }).unwrap();
        assert_eq!(found.hits.len(), 1);
        assert_eq!(found.hits[0].url, "https://intra.example/docs/7");
        let none = Answer { status: 200, charset: None, body: "<div class=none>nothing</div>".into() };
        assert!(engine.read(&none).unwrap().hits.is_empty());
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        for url in ["https://intra.example/", "https://{query}.example/", "file:///{query}", "intra/{query}"]
        {
            assert!(
                HtmlTemplate::new(&EngineSettings { url: Some(url.to_owned()), ..settings() }).is_err(),
                "{url}"
            );
        }
        let html = HtmlSelectors { result: "li[[".to_owned(), ..settings().html.unwrap() };
        assert!(HtmlTemplate::new(&EngineSettings { html: Some(html), ..settings() }).is_err());
    }
}
