//! `/v1/rerank` and `/v2/rerank`: how relevant documents are to a query, in the shape of Cohere and Jina.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi};
use crate::api::fields::{self, Field, Fields};
use crate::api::reranking;
use crate::error::RuntimeError;

/// The fields of the call.
const FIELDS: &Fields = &[
    ("model", Field::Honoured),
    ("query", Field::Honoured),
    ("documents", Field::Honoured),
    ("top_n", Field::Honoured),
    ("return_documents", Field::Honoured),
    ("user", Field::Neutral),
    ("priority", Field::Neutral),
    ("rank_fields", Field::OnlyAt(is_text_field)),
];

fn is_text_field(value: &Value) -> bool {
    matches!(value.as_array().map(Vec::as_slice), Some([one]) if one == "text")
}

#[derive(Deserialize)]
struct RerankBody {
    #[serde(default)]
    model: String,
    query: Document,
    documents: Vec<Document>,
    #[serde(default)]
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
}

/// A text, or an object that holds it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Text(String),
    Object { text: String },
}

impl Document {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Object { text } => text,
        }
    }
}

/// `POST /v1/rerank`. The best come first; `index` is the document's place in the request.
pub(super) async fn rerank(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<OpenAi, Map<String, Value>>,
) -> Result<Json<Value>, Failure<OpenAi>> {
    let fail = Body::<OpenAi, Map<String, Value>>::failure(&body.request_id);
    answer(&state, &asking, body.value).await.map(Json).map_err(&fail)
}

async fn answer(state: &ApiState, asking: &Asking, body: Map<String, Value>) -> Result<Value, RuntimeError> {
    let (body, _): (RerankBody, _) = fields::read(FIELDS, body)?;
    if body.top_n == Some(0) {
        return Err(RuntimeError::Invalid("top_n must be at least 1".to_owned()));
    }
    let query = body.query.into_text();
    let documents: Vec<String> = body.documents.into_iter().map(Document::into_text).collect();
    let (model, ranked) = reranking::run(state, asking, &body.model, &query, &documents).await?;
    let results: Vec<Value> = ranked
        .into_iter()
        .take(body.top_n.unwrap_or(usize::MAX))
        .map(|(index, score)| {
            let mut result = json!({"index": index, "relevance_score": score});
            if body.return_documents {
                result["document"] = json!({"text": documents[index]});
            }
            result
        })
        .collect();
    Ok(json!({
        "id": Uuid::new_v4(),
        "object": "list",
        "model": model,
        "results": results,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }))
}
