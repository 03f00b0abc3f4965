//! Pages of the web for a question, when that is switched on and was asked for.

use super::pipeline::Run;
use crate::audit::{Actor, Entry};
use anwen_contract::ApiError;
use anwen_contract::chat::Step;
use anwen_contract::search::{ReadAnswer, ReadRequest, SearchAnswer, SearchRequest, SearchResult};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;

/// Characters of a question that are searched for: the search proxy takes no more.
const MAX_QUERY_CHARS: usize = 512;
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
    let client = crate::web_search::client(run.app)?;
    run.status(Step::Searching);
    let deadline = Duration::from_millis(run.app.config.answer.web_search_ms);
    let context = run.context.clone().within(deadline);
    // What the asker has seen and agreed to is what is sent; it goes through the rules once more.
    let confirmed = run.question.request.web_query.as_deref();
    let request = SearchRequest {
        query: confirmed.unwrap_or(query).chars().take(MAX_QUERY_CHARS).collect(),
        confirmed: confirmed.is_some(),
        engines: None,
        top_k: Some(MAX_RESULTS),
        language: Some(anwen_text::language(query).code().to_owned()).filter(|code| code != "und"),
        time_range: None,
    };
    let results = match client.search(&context, &request).await {
        Ok(answer) => {
            remember(run, &answer).await?;
            answer.results
        }
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
            let page =
                client.read(context, &ReadRequest { url: result.url.clone(), question: None }).await.ok();
            (result, page)
        }
    });
    Ok(join_all(reading).await)
}

/// The audit log keeps what has left: the query as it was sent, and to whom.
async fn remember(run: &Run<'_>, answer: &SearchAnswer) -> Result<(), ApiError> {
    let engines: Vec<&str> = answer.engines.iter().map(|engine| engine.name.as_str()).collect();
    let detail = json!({"sent": answer.sent, "redactions": answer.redactions, "cached": answer.cached, "engines": engines});
    let actor = Actor { id: run.context.asker.user_id.to_string(), ..Actor::default() };
    let entry =
        Entry::new(actor, "web.searched", format!("request:{}", run.context.request_id)).detail(detail);
    run.app.audit.record(&entry).await?;
    Ok(())
}
