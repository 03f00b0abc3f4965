//! The model runtime's client.

use super::{CallContext, Repeat, ServiceClient};
use crate::error::{ApiError, ErrorCode};
use crate::model::{ChatChunk, ChatRequest, EmbeddingAnswer, EmbeddingRequest, ModelList};
use futures::stream::{BoxStream, StreamExt};
use http::Method;

/// The most bytes of one line of a streamed answer.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The parts of a streamed chat answer, in order. Dropping it cancels the generation.
pub type ChatStream = BoxStream<'static, Result<ChatChunk, ApiError>>;

/// Calls the model runtime.
#[derive(Clone)]
pub struct ModelClient {
    service: ServiceClient,
}

impl ModelClient {
    pub fn new(service: ServiceClient) -> Self {
        Self { service }
    }

    pub fn service(&self) -> &ServiceClient {
        &self.service
    }

    /// Every model that can be asked, with its capabilities and state.
    pub async fn models(&self, context: &CallContext) -> Result<ModelList, ApiError> {
        self.service.get(context, "/admin/models").await
    }

    /// One vector for each text, in the order of the texts.
    pub async fn embed(
        &self,
        context: &CallContext,
        model: &str,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        let body = EmbeddingRequest {
            model: model.into(),
            input: texts.into(),
            encoding_format: Some("base64".into()),
        };
        let answer: EmbeddingAnswer =
            self.service.call(context, Method::POST, "/v1/embeddings", Some(&body), Repeat::Safe).await?;
        if answer.data.len() != texts.len() {
            return Err(ApiError::internal("the model runtime answered another number of embeddings"));
        }
        let mut items = answer.data;
        items.sort_by_key(|item| item.index);
        Ok(items.into_iter().map(|item| item.embedding).collect())
    }

    /// Starts a streamed answer. The deadline bounds the time to the first byte only: what follows may take
    /// as long as the model needs.
    pub async fn chat(&self, context: &CallContext, body: &ChatRequest) -> Result<ChatStream, ApiError> {
        let request = self.service.request(context, Method::POST, "/v1/chat/completions")?.json(body);
        let answer =
            tokio::time::timeout(context.deadline, self.service.send(request)).await.map_err(|_| {
                ApiError::new(
                    ErrorCode::DeadlineExceeded,
                    "the model did not start to answer in time; try again",
                )
            })??;
        let events = sse_data(answer.bytes_stream().boxed());
        Ok(events
            .map(|data| {
                let data = data?;
                if let Ok(body) = serde_json::from_str::<StreamedError>(&data) {
                    let code = body.error.code.as_deref().and_then(ErrorCode::parse);
                    return Err(ApiError::new(
                        code.unwrap_or(ErrorCode::GenerationFailed),
                        body.error.message,
                    ));
                }
                serde_json::from_str::<ChatChunk>(&data).map_err(ApiError::internal)
            })
            .boxed())
    }
}

/// An error in the middle of a stream, in OpenAI's envelope.
#[derive(serde::Deserialize)]
struct StreamedError {
    error: StreamedErrorDetail,
}

#[derive(serde::Deserialize)]
struct StreamedErrorDetail {
    message: String,
    #[serde(default)]
    code: Option<String>,
}

/// The `data:` parts of a server-sent event stream, up to `[DONE]`.
fn sse_data(
    bytes: BoxStream<'static, Result<bytes::Bytes, reqwest::Error>>,
) -> BoxStream<'static, Result<String, ApiError>> {
    let state = (bytes, Vec::<u8>::new(), false);
    futures::stream::unfold(state, |(mut bytes, mut buffer, ended)| async move {
        if ended {
            return None;
        }
        loop {
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let Some(data) = line.trim_end().strip_prefix("data:") else { continue };
                let data = data.trim_start();
                if data == "[DONE]" {
                    return None;
                }
                return Some((Ok(data.to_owned()), (bytes, buffer, false)));
            }
            if buffer.len() > MAX_LINE_BYTES {
                let failure = ApiError::internal("a line of the model's stream is too long");
                return Some((Err(failure), (bytes, buffer, true)));
            }
            match bytes.next().await {
                Some(Ok(part)) => buffer.extend_from_slice(&part),
                Some(Err(cause)) => {
                    let failure =
                        ApiError::new(ErrorCode::GenerationFailed, "the model's answer broke off; try again")
                            .because(cause);
                    return Some((Err(failure), (bytes, buffer, true)));
                }
                None => return None,
            }
        }
    })
    .boxed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parts(texts: &[&'static str]) -> BoxStream<'static, Result<bytes::Bytes, reqwest::Error>> {
        let parts: Vec<_> = texts.iter().map(|text| Ok(bytes::Bytes::from_static(text.as_bytes()))).collect();
        futures::stream::iter(parts).boxed()
    }

    #[tokio::test]
    async fn events_are_found_wherever_the_bytes_are_cut() {
        let stream = sse_data(parts(&[
            "da",
            "ta: {\"a\":",
            "1}\n\n: comment\nda",
            "ta: 你",
            "好\n\ndata: [DONE]\n",
            "data: no\n",
        ]));
        let events: Vec<_> = stream.map(|event| event.unwrap()).collect().await;
        assert_eq!(events, ["{\"a\":1}", "你好"]);
    }
}
