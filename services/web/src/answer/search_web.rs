//! Pages of the web for a question, when that is switched on and was asked for.

use super::pipeline::Run;
use anwen_contract::chat::Step;
use anwen_contract::search::{ReadAnswer, ReadRequest, SearchRequest, SearchResult};
use anwen_contract::{ApiError, ErrorCode};
use futures::future::join_all;
use std::time::Duration;

/// Results that are taken from a web search.
const MAX_RESULTS: u32 = 5;
/// Results whose pages are read.
const MAX_PAGES_READ: usize = 3;

/// The best results, the first ones with their pages where those could be read. A search that fails or is late
/// answers nothing; the documents are still there.
pub async fn search_web(
    run: &Run<'_>,
    query: &str,
) -> Result<Vec<(SearchResult, Option<ReadAnswer>)>, ApiError> {
    let Some(client) = &run.app.search else {
        return Err(ApiError::new(ErrorCode::WebSearchDisabled, "web search is not set up on this server"));
    };
    run.status(Step::Searching);
    let deadline = Duration::from_millis(run.app.config.answer.web_search_ms);
    let context = run.context.clone().within(deadline);
    let request = SearchRequest {
        query: query.to_owned(),
        engines: None,
        top_k: Some(MAX_RESULTS),
        language: Some(anwen_text::language(query).code().to_owned()).filter(|code| code != "und"),
        time_range: None,
    };
    let results = match client.search(&context, &request).await {
        Ok(answer) => answer.results,
        Err(failure) => {
            tracing::warn!(code = %failure.code, "web search failed; the answer goes on without it");
            return Ok(Vec::new());
        }
    };
    run.status(Step::Reading);
    let reading = results.into_iter().take(MAX_RESULTS as usize).enumerate().map(|(rank, result)| {
        let context = &context;
        async move {
            if rank >= MAX_PAGES_READ {
                return (result, None);
            }
            let page = client.read(context, &ReadRequest { url: result.url.clone() }).await.ok();
            (result, page)
        }
    });
    Ok(join_all(reading).await)
}
