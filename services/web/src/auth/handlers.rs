//! `/auth/…`: sign in, sign out, who am I.

use super::cookies;
use super::login::{authenticate, begin_session};
use super::signed_in::{InPerson, SignedIn};
use crate::app::AppState;
use crate::audit::Entry;
use crate::openapi::Failures;
use anwen_contract::ApiError;
use anwen_contract::users::{LoginRequest, UpdateProfile, User};
use anwen_platform::http::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::IntoResponse;
use axum_extra::extract::cookie::CookieJar;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(logout)).routes(routes!(me, update_me))
}

/// Signs in: sets the session cookie and the readable CSRF cookie.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginRequest,
    responses((status = 200, body = User), Failures))]
async fn login(
    State(app): State<AppState>,
    jar: CookieJar,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let address = app.trusted_proxies.client_of(request.extensions(), request.headers());
    let Json(body) =
        <Json<LoginRequest> as axum::extract::FromRequest<AppState>>::from_request(request, &app).await?;
    let user = authenticate(&app, &body, address).await?;
    let jar = begin_session(&app, &user, address, jar).await?;
    Ok((jar, Json(user)))
}

/// Ends the session. Without one there is nothing to end, and the answer is the same.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204), Failures))]
async fn logout(
    State(app): State<AppState>,
    jar: CookieJar,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let address = app.trusted_proxies.client_of(request.extensions(), request.headers());
    let (mut parts, _) = request.into_parts();
    match SignedIn::from_request_parts(&mut parts, &app).await {
        Ok(caller) => {
            if let Some(session) = caller.session() {
                app.sessions.delete(session).await?;
                app.audit.record(&Entry::new(caller.actor(), "auth.logout", "")).await?;
            }
        }
        Err(refusal) if refusal.code == anwen_contract::ErrorCode::CsrfTokenMissing => return Err(refusal),
        Err(_) => {}
    }
    Ok((StatusCode::NO_CONTENT, cookies::without_session(jar, address.secure)))
}

/// Who is signed in.
#[utoipa::path(get, path = "/auth/me", tag = "auth", responses((status = 200, body = User), Failures))]
async fn me(caller: SignedIn) -> Json<User> {
    Json(caller.user)
}

/// Changes one's own shown name or password. A new password needs the present one, and ends the other sessions.
#[utoipa::path(patch, path = "/auth/me", tag = "auth", request_body = UpdateProfile,
    responses((status = 200, body = User), Failures))]
async fn update_me(
    State(app): State<AppState>,
    caller: InPerson,
    Json(body): Json<UpdateProfile>,
) -> Result<Json<User>, ApiError> {
    crate::users::update_own(&app, &caller, body).await.map(Json)
}
