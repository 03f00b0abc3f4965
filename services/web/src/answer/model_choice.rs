//! Which model answers.

use anwen_contract::model::{ModelInfo, ModelState};
use anwen_contract::{ApiError, ErrorCode};

/// The model that was asked for; or else the preferred one, if it is there; or else the first language model that is
/// ready; or else the answerer that quotes.
pub fn choose<'a>(
    models: &'a [ModelInfo],
    asked: Option<&str>,
    preferred: Option<&str>,
) -> Result<&'a ModelInfo, ApiError> {
    let named = |name: &str| models.iter().find(|model| is_named(model, name));
    if let Some(name) = asked {
        let model = named(name).ok_or_else(|| {
            ApiError::new(
                ErrorCode::ModelNotFound,
                format!("no model `{name}` here; `GET /models` lists those there are"),
            )
        })?;
        if !can_answer(model) {
            return Err(ApiError::new(
                ErrorCode::ModelNotCapable,
                format!("the model `{name}` does not answer questions"),
            ));
        }
        return Ok(model);
    }
    let ready_language_model = || {
        models.iter().find(|model| {
            model.capabilities.chat && !model.capabilities.quotes && model.state == ModelState::Ready
        })
    };
    let quoting = || models.iter().find(|model| model.capabilities.quotes);
    preferred
        .and_then(named)
        .filter(|model| can_answer(model))
        .or_else(ready_language_model)
        .or_else(quoting)
        .ok_or_else(|| ApiError::new(ErrorCode::ModelNotFound, "no model that answers questions is loaded"))
}

/// Whether a model can be asked a question.
pub fn can_answer(model: &ModelInfo) -> bool {
    model.capabilities.chat || model.capabilities.quotes
}

/// Ollama's clients leave the tag `latest` out.
fn is_named(model: &ModelInfo, name: &str) -> bool {
    model.id == name || model.id.strip_suffix(":latest") == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::model::ModelCapabilities;

    fn model(id: &str, chat: bool, quotes: bool, state: ModelState) -> ModelInfo {
        ModelInfo {
            id: id.to_owned(),
            engine: String::new(),
            capabilities: ModelCapabilities {
                chat,
                quotes,
                embed: !chat && !quotes,
                ..ModelCapabilities::default()
            },
            state,
            context_tokens: 0,
            dimensions: None,
            size_bytes: 0,
        }
    }

    #[test]
    fn the_choice_goes_from_what_was_asked_for_to_the_quoting_answerer() {
        let quoting = model("extractive", true, true, ModelState::Ready);
        let embedding = model("embedding", false, false, ModelState::Ready);
        let idle = model("big:latest", true, false, ModelState::Available);
        let ready = model("small", true, false, ModelState::Ready);
        let some = vec![embedding.clone(), quoting.clone(), idle.clone()];
        let all = vec![embedding, quoting, idle, ready];
        let choice = |models: &[ModelInfo], asked: Option<&str>, preferred: Option<&str>| {
            choose(models, asked, preferred).map(|model| model.id.clone()).map_err(|error| error.code)
        };
        assert_eq!(choice(&all, None, None), Ok("small".to_owned()));
        assert_eq!(choice(&some, None, None), Ok("extractive".to_owned()));
        assert_eq!(choice(&all, Some("extractive"), None), Ok("extractive".to_owned()));
        assert_eq!(choice(&all, Some("big"), None), Ok("big:latest".to_owned()));
        assert_eq!(choice(&some, None, Some("big")), Ok("big:latest".to_owned()));
        assert_eq!(choice(&all, None, Some("gone")), Ok("small".to_owned()));
        assert_eq!(choice(&all, Some("gone"), None), Err(ErrorCode::ModelNotFound));
        assert_eq!(choice(&all, Some("embedding"), None), Err(ErrorCode::ModelNotCapable));
        assert_eq!(choice(&[], None, None), Err(ErrorCode::ModelNotFound));
    }
}
