//! Bing's page of results.

use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED, rows_or_shape};
use crate::results::{Found, Hit, published_at};

pub struct Bing {
    base: Url,
}

impl Bing {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://www.bing.com/search")? })
    }
}

impl Engine for Bing {
    fn ask(&self, query: &Query) -> Ask {
        let first = (query.offset(RESULTS_ASKED) + 1).to_string();
        let mut parameters = vec![("q", query.text.as_str()), ("count", "10")];
        if query.page > 1 {
            parameters.push(("first", &first));
        }
        if let Some(language) = &query.language {
            parameters.push(("setlang", language));
        }
        if let Some(range) = query.time_range {
            let filter = ["ex1:\"ez1\"", "ex1:\"ez2\"", "ex1:\"ez3\"", "ex1:\"ez5_18000_19000\""];
            // A year has no filter of its own; days since 1970 would need a clock here.
            if range != super::TimeRange::Year {
                parameters.push(("filters", range.one_of(filter)));
            }
        }
        let safe = query.safe_search.one_of(["off", "moderate", "strict"]);
        parameters.push(("adlt", safe));
        Ask::get_with(&self.base, &parameters)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        if page.has("#b_captcha, .captcha, #turing") {
            return Err(EngineError::Captcha);
        }
        let hits = page.rows("#b_results > li.b_algo", |row| {
            let date = row.first_text(&[".news_dt", ".b_caption .b_attribution .news_dt"]);
            Some(Hit {
                snippet: row.first_text(&[".b_caption p", ".b_lineclamp2", ".b_paractl", "p"]),
                published_at: published_at(&date),
                ..Hit::new(row.text("h2 a"), row.attribute("h2 a", "href")?)
            })
        });
        rows_or_shape(Found { hits, ..Found::default() }, page.has("#b_results .b_no"))
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};

    #[test]
    fn organic_results_are_read_and_advertisements_left_out() {
        let found = read(Kind::Bing, include_str!("fixtures/bing.html")).unwrap();
        let titles: Vec<&str> = found.hits.iter().map(|hit| hit.title.as_str()).collect();
        assert_eq!(titles, ["Mechanical seal - replacement guide", "Pump seals explained"]);
        assert!(found.hits[1].url.starts_with("https://www.bing.com/ck/a?"));
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-01-05T00:00:00.000Z");
    }

    #[test]
    fn nothing_found_and_a_captcha_are_two_things() {
        let none = "<ol id=b_results><li class=b_no>There are no results</li></ol>";
        assert!(read(Kind::Bing, none).unwrap().hits.is_empty());
        assert_eq!(read(Kind::Bing, "<div id=b_captcha></div>"), Err(EngineError::Captcha));
    }
}
