//! `/knowledge-bases` and their grants.

use super::forward::{Forwarded, exact_answer, inner, json_answer};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Reader, Writer};
use crate::openapi::Failures;
use anwen_contract::knowledge::{CreateKnowledgeBase, Grant, KnowledgeBase, UpdateKnowledgeBase};
use anwen_contract::labels::Label;
use anwen_contract::{ApiError, GroupId, KnowledgeBaseId, Page, PageQuery, Principal, UserId};
use anwen_platform::http::{Json, Path, Query};
use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Grants of one knowledge base at most.
const MAX_GRANTS: usize = 1_000;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(grants, set_grants))
        .routes(routes!(labels, set_labels))
}

/// Lists the knowledge bases that the asker may read.
#[utoipa::path(get, path = "/knowledge-bases", tag = "knowledge-bases", params(PageQuery),
    responses((status = 200, body = Page<KnowledgeBase>), Failures))]
async fn list(
    State(app): State<AppState>,
    caller: Reader,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<KnowledgeBase>>, ApiError> {
    Ok(Json(app.knowledge.knowledge_bases(&caller.context(&app), &page).await.map_err(inner)?))
}

/// Makes a knowledge base; the asker owns it.
#[utoipa::path(post, path = "/knowledge-bases", tag = "knowledge-bases", request_body = CreateKnowledgeBase,
    responses((status = 201, body = KnowledgeBase), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Writer,
    Json(body): Json<CreateKnowledgeBase>,
) -> Result<(StatusCode, Json<KnowledgeBase>), ApiError> {
    let base = app.knowledge.create_knowledge_base(&caller.context(&app), &body).await.map_err(inner)?;
    let entry = Entry::new(caller.actor(), "knowledge_base.created", object(base.id))
        .detail(json!({"name": base.name}));
    app.audit.record(&entry).await?;
    Ok((StatusCode::CREATED, Json(base)))
}

/// Shows a knowledge base.
#[utoipa::path(get, path = "/knowledge-bases/{id}", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), responses((status = 200, body = KnowledgeBase), Failures))]
async fn get(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Json<KnowledgeBase>, ApiError> {
    Ok(Json(app.knowledge.knowledge_base(&caller.context(&app), id).await.map_err(inner)?))
}

/// Changes a knowledge base's name, description, language, chunk profile or policy on sensitive content. Another
/// profile or policy has every document read anew in the background; until then the old passages answer.
#[utoipa::path(patch, path = "/knowledge-bases/{id}", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), request_body = UpdateKnowledgeBase,
    responses((status = 200, body = KnowledgeBase), Failures))]
async fn update(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<UpdateKnowledgeBase>,
) -> Result<Json<KnowledgeBase>, ApiError> {
    let context = caller.context(&app);
    let base = app.knowledge.update_knowledge_base(&context, id, &body).await.map_err(inner)?;
    app.audit
        .record(&Entry::new(caller.actor(), "knowledge_base.changed", object(id)).detail(recorded(&body)))
        .await?;
    Ok(Json(base))
}

/// A change as the audit log keeps it: of a list of sensitive words only how many there are.
fn recorded(change: &UpdateKnowledgeBase) -> Value {
    let mut detail = json!(change);
    if let Some(words) = detail.pointer_mut("/desensitisation/words") {
        *words = json!(words.as_array().map_or(0, Vec::len));
    }
    detail
}

/// Deletes a knowledge base with its documents.
#[utoipa::path(delete, path = "/knowledge-bases/{id}", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Response, ApiError> {
    let answer = json_answer(&app, &caller, &call(&app, Method::DELETE, id, ""), None).await?;
    app.audit.record(&Entry::new(caller.actor(), "knowledge_base.deleted", object(id))).await?;
    Ok(exact_answer(answer))
}

/// Lists who may do what with a knowledge base.
#[utoipa::path(get, path = "/knowledge-bases/{id}/grants", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), responses((status = 200, body = Vec<Grant>), Failures))]
async fn grants(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Json<Vec<Grant>>, ApiError> {
    Ok(Json(app.knowledge.grants(&caller.context(&app), id).await.map_err(inner)?))
}

/// Sets all the grants of a knowledge base. Users and groups that are named must exist; an owner must remain.
#[utoipa::path(put, path = "/knowledge-bases/{id}/grants", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), request_body = Vec<Grant>,
    responses((status = 200, body = Vec<Grant>), Failures))]
async fn set_grants(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<Vec<Grant>>,
) -> Result<Json<Vec<Grant>>, ApiError> {
    if body.len() > MAX_GRANTS {
        return Err(ApiError::invalid(format!("a knowledge base has at most {MAX_GRANTS} grants")));
    }
    let context = caller.context(&app);
    // Whoever may not see the knowledge base learns nothing of users and groups by naming them.
    app.knowledge.knowledge_base(&context, id).await.map_err(inner)?;
    check_principals(&app, &body).await?;
    let grants = app.knowledge.set_grants(&context, id, &body).await.map_err(inner)?;
    let entry = Entry::new(caller.actor(), "grants.changed", object(id)).detail(json!({"grants": grants}));
    app.audit.record(&entry).await?;
    Ok(Json(grants))
}

/// Lists the labels of a knowledge base.
#[utoipa::path(get, path = "/knowledge-bases/{id}/labels", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), responses((status = 200, body = Vec<Label>), Failures))]
async fn labels(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Response, ApiError> {
    Ok(exact_answer(json_answer(&app, &caller, &call(&app, Method::GET, id, "/labels"), None).await?))
}

/// Sets all the labels of a knowledge base. Documents that no person has labelled are given theirs anew in the
/// background; a label that has gone is taken from every document.
#[utoipa::path(put, path = "/knowledge-bases/{id}/labels", tag = "knowledge-bases",
    params(("id" = KnowledgeBaseId, Path)), request_body = Vec<Label>,
    responses((status = 200, body = Vec<Label>), Failures))]
async fn set_labels(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<Vec<Label>>,
) -> Result<Response, ApiError> {
    let bytes = serde_json::to_vec(&body).map_err(ApiError::internal)?;
    let call = call(&app, Method::PUT, id, "/labels");
    let answer = json_answer(&app, &caller, &call, Some(bytes.into())).await?;
    let names: Vec<&str> = body.iter().map(|label| label.name.as_str()).collect();
    let entry = Entry::new(caller.actor(), "labels.changed", object(id)).detail(json!({"labels": names}));
    app.audit.record(&entry).await?;
    Ok(exact_answer(answer))
}

async fn check_principals(app: &AppState, grants: &[Grant]) -> Result<(), ApiError> {
    let mut users: BTreeSet<UserId> = BTreeSet::new();
    let mut groups: BTreeSet<GroupId> = BTreeSet::new();
    for grant in grants {
        match grant.principal {
            Principal::User(id) => drop(users.insert(id)),
            Principal::Group(id) => drop(groups.insert(id)),
            Principal::Everyone => {}
        }
    }
    for id in app.users.existing(&users.iter().copied().collect::<Vec<_>>()).await? {
        users.remove(&id);
    }
    for id in app.groups.existing(&groups.iter().copied().collect::<Vec<_>>()).await? {
        groups.remove(&id);
    }
    let unknown = users
        .first()
        .map(|id| format!("user:{id}"))
        .or_else(|| groups.first().map(|id| format!("group:{id}")));
    match unknown {
        Some(principal) => Err(ApiError::invalid(format!("{principal} does not exist"))),
        None => Ok(()),
    }
}

fn object(id: KnowledgeBaseId) -> String {
    format!("knowledge_base:{id}")
}

/// The call to `/v1/knowledge-bases/{id}` and what follows.
pub fn call<'a>(app: &'a AppState, method: Method, id: KnowledgeBaseId, rest: &str) -> Forwarded<'a> {
    Forwarded {
        client: app.knowledge.service(),
        method,
        path: format!("/v1/knowledge-bases/{id}{rest}"),
        query: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::privacy::Desensitisation;

    #[test]
    fn the_audit_log_keeps_no_sensitive_words() {
        let policy = Desensitisation { words: vec!["启明星".to_owned()], ..Desensitisation::default() };
        let change = UpdateKnowledgeBase { desensitisation: Some(policy), ..UpdateKnowledgeBase::default() };
        let detail = recorded(&change);
        assert_eq!(detail["desensitisation"]["words"], 1);
        assert!(!detail.to_string().contains("启明星"));
        assert_eq!(recorded(&UpdateKnowledgeBase::default()), json!({}));
    }
}
