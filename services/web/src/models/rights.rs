//! Who may use which model. A model that no rule names is everybody's; administrators use all.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Administrator, SignedIn};
use crate::names::MAX_LABEL_CHARS;
use crate::openapi::Failures;
use anwen_contract::model::ModelInfo;
use anwen_contract::users::UserRole;
use anwen_contract::{ApiError, ErrorCode, GroupId};
use anwen_platform::http::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The section of the settings.
const SECTION: &str = "models";
/// Models that can be kept for groups.
const MAX_RESTRICTED: usize = 500;
/// Groups that one model can be kept for.
const MAX_GROUPS: usize = 200;

/// The section `models` of the settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelAccess {
    /// Models that only some groups, and administrators, may use. Those that are not named here are everybody's.
    pub restricted: Vec<RestrictedModel>,
}

/// A model that is kept for some groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestrictedModel {
    pub model: String,
    /// None: administrators only.
    #[serde(default)]
    pub groups: Vec<GroupId>,
}

impl ModelAccess {
    fn checked(self) -> Result<Self, ApiError> {
        if self.restricted.len() > MAX_RESTRICTED {
            return Err(ApiError::invalid(format!("at most {MAX_RESTRICTED} models can be restricted")));
        }
        for (at, entry) in self.restricted.iter().enumerate() {
            let name = entry.model.as_str();
            if name.trim().is_empty() || name.chars().count() > MAX_LABEL_CHARS {
                return Err(ApiError::invalid(format!(
                    "a model's name has 1 to {MAX_LABEL_CHARS} characters"
                )));
            }
            if entry.groups.len() > MAX_GROUPS {
                return Err(ApiError::invalid(format!("a model has at most {MAX_GROUPS} groups")));
            }
            if self.restricted[..at].iter().any(|other| is_same(&other.model, name)) {
                return Err(ApiError::invalid(format!("the model `{name}` stands in the list twice")));
            }
        }
        Ok(self)
    }
}

/// What one asker may use.
pub struct Rights {
    /// Of the models that are kept for groups, those that this asker is not in.
    withheld: Vec<String>,
}

impl Rights {
    pub async fn of(app: &AppState, caller: &SignedIn) -> Result<Self, ApiError> {
        if caller.user.role == UserRole::Admin {
            return Ok(Self { withheld: Vec::new() });
        }
        let access: ModelAccess = app.settings.section(SECTION).await?;
        Ok(Self::from_access(&access, &caller.asker.groups))
    }

    fn from_access(access: &ModelAccess, groups: &[GroupId]) -> Self {
        let kept = access
            .restricted
            .iter()
            .filter(|entry| !entry.groups.iter().any(|group| groups.contains(group)))
            .map(|entry| entry.model.clone());
        Self { withheld: kept.collect() }
    }

    pub fn allow(&self, id: &str) -> bool {
        !self.withheld.iter().any(|withheld| is_same(withheld, id))
    }

    /// Whether no model at all is kept from this asker.
    pub fn allow_all(&self) -> bool {
        self.withheld.is_empty()
    }

    /// The models of the runtime that this asker may use.
    pub async fn models(&self, app: &AppState, caller: &SignedIn) -> Result<Vec<ModelInfo>, ApiError> {
        let mut models = app.model.models(&caller.context(app)).await.map_err(crate::relay::inner)?.models;
        models.retain(|model| self.allow(&model.id));
        Ok(models)
    }

    /// Refuses a name that this asker may not use, in the words for one that is not there. While something is kept from
    /// the asker, a name has to be one of those that are listed: the runtime's aliases might mean a model that is kept.
    pub async fn check(&self, app: &AppState, caller: &SignedIn, name: &str) -> Result<(), ApiError> {
        if self.allow_all() {
            return Ok(());
        }
        let models = self.models(app, caller).await?;
        if models.iter().any(|model| is_same(&model.id, name)) {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::ModelNotFound,
            format!("no model `{name}` here; `GET /v1/models` lists those there are"),
        ))
    }
}

/// The runtime reads names in any case, and Ollama's clients add the tag `latest` or leave it out.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let name = name.trim().to_lowercase();
        name.strip_suffix(":latest").map(str::to_owned).unwrap_or(name)
    };
    plain(one) == plain(other)
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(access, set_access))
}

/// Shows which models are kept for groups.
#[utoipa::path(get, path = "/settings/models", tag = "administration",
    responses((status = 200, body = ModelAccess), Failures))]
async fn access(State(app): State<AppState>, _: Administrator) -> Result<Json<ModelAccess>, ApiError> {
    Ok(Json(app.settings.section(SECTION).await?))
}

/// Sets which models are kept for groups, as a whole.
#[utoipa::path(put, path = "/settings/models", tag = "administration", request_body = ModelAccess,
    responses((status = 200, body = ModelAccess), Failures))]
async fn set_access(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<ModelAccess>,
) -> Result<Json<ModelAccess>, ApiError> {
    let body = body.checked()?;
    let entry = Entry::new(caller.actor(), "settings.changed", "settings:models").detail(json!(body));
    let mut transaction = app.db.begin_write().await?;
    app.audit.append(&mut transaction, &entry).await?;
    crate::settings::set(&mut transaction, SECTION, &body).await?;
    transaction.commit().await?;
    Ok(Json(body))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn access(model: &str, groups: &[GroupId]) -> ModelAccess {
        ModelAccess { restricted: vec![RestrictedModel { model: model.to_owned(), groups: groups.to_vec() }] }
    }

    #[test]
    fn a_restricted_model_is_allowed_to_its_groups_alone() {
        let (legal, other) = (GroupId::new(), GroupId::new());
        let rules = access("Qwen3:8b", &[legal]);
        assert!(Rights::from_access(&rules, &[other, legal]).allow("qwen3:8b"));
        assert!(!Rights::from_access(&rules, &[other]).allow("qwen3:8B"));
        assert!(Rights::from_access(&rules, &[other]).allow("qwen3:4b"));
        assert!(!Rights::from_access(&access("m", &[]), &[legal]).allow("m:latest"));
    }

    #[test]
    fn a_list_names_each_model_once() {
        let mut rules = access("m", &[]);
        rules.restricted.push(RestrictedModel { model: "M:latest".to_owned(), groups: Vec::new() });
        assert_eq!(rules.checked().unwrap_err().code, ErrorCode::InvalidRequest);
        assert!(access(" ", &[]).checked().is_err());
        assert!(access("m", &[]).checked().is_ok());
    }
}
