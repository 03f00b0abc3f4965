//! `/setup`: the first administrator.

mod token;

pub use token::SetupToken;

use crate::app::AppState;
use crate::audit::{Actor, AuditLog, Entry};
use crate::auth::{Passwords, begin_session, check_strength};
use crate::names::{MAX_LABEL_CHARS, checked_label, checked_username};
use crate::openapi::Failures;
use crate::users::store::{self, NewUser};
use anwen_contract::users::{SetupRequest, SetupState, User, UserRole};
use anwen_contract::{ApiError, ErrorCode, Timestamp};
use anwen_platform::Database;
use anwen_platform::http::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::IntoResponse;
use axum_extra::extract::cookie::CookieJar;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(state, set_up))
}

/// Whether the first administrator is still to be made.
#[utoipa::path(get, path = "/setup", tag = "setup", responses((status = 200, body = SetupState), Failures))]
async fn state(State(app): State<AppState>) -> Result<Json<SetupState>, ApiError> {
    let needed = !app.users.any().await?;
    Ok(Json(SetupState { needed, token_required: needed && app.setup_token.is_required() }))
}

/// Makes the first administrator and signs them in. Only while there is no user.
#[utoipa::path(post, path = "/setup", tag = "setup", request_body = SetupRequest,
    responses((status = 201, body = User), Failures))]
async fn set_up(
    State(app): State<AppState>,
    jar: CookieJar,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let address = app.trusted_proxies.client_of(request.extensions(), request.headers());
    let Json(body) = Json::<SetupRequest>::from_request(request, &app).await?;
    if app.users.any().await? {
        return Err(already_done());
    }
    // Guesses of the set-up token are throttled as guesses of a password are.
    // They count for the address alone: nobody can keep others from setting up.
    let now = Timestamp::now();
    let counted = format!("setup from {}", address.text());
    app.throttle.check(&counted, address.ip, None, now)?;
    if !app.setup_token.admits(body.setup_token.as_deref()) {
        app.throttle.failed(&counted, address.ip, now);
        return Err(ApiError::new(
            ErrorCode::SetupTokenRequired,
            "send the set-up token: the one in ANWEN_SETUP_TOKEN, or the one that the server printed in its log",
        ));
    }
    let actor = Actor { id: String::new(), name: "setup".to_owned(), address: address.text() };
    let user = make_first_administrator(&app.db, &app.passwords, &body, actor).await?;
    let jar = begin_session(&app, &user, address, jar).await?;
    Ok((StatusCode::CREATED, jar, Json(user)))
}

/// Makes the first administrator, unless there is a user.
pub async fn make_first_administrator(
    db: &Database,
    passwords: &Passwords,
    body: &SetupRequest,
    actor: Actor,
) -> Result<User, ApiError> {
    let username = checked_username(&body.username)?;
    let display_name = checked_label(&body.display_name, "display_name", MAX_LABEL_CHARS)?;
    check_strength(&body.password, &username)?;
    let password_hash = passwords.hash(&body.password).await?;
    let new = NewUser {
        username: &username,
        display_name: &display_name,
        role: UserRole::Admin,
        password_hash: &password_hash,
    };
    let mut transaction = db.begin_write().await?;
    // The audit entry takes the writers' turn: of two set-ups at once, the second sees the first one's user.
    let entry = Entry::new(actor, "setup.done", format!("username:{username}"));
    AuditLog::new(db.clone()).append(&mut transaction, &entry).await?;
    if store::any(&mut transaction).await? {
        return Err(already_done());
    }
    let user = store::create(&mut transaction, &new, Timestamp::now()).await?;
    transaction.commit().await?;
    Ok(user)
}

fn already_done() -> ApiError {
    ApiError::new(ErrorCode::SetupAlreadyDone, "there is an administrator already; sign in")
}
