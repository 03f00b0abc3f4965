//! Set-up, sessions, CSRF, throttling.

use super::world::{Backend, Client, PASSWORD, World, on_each_database};
use crate::{Config, reset_password};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

on_each_database! {
    async fn the_first_administrator_is_made_once(backend: Backend) {
        let world = World::with(backend, Config::default()).await;
        let visitor = world.visitor();
        assert_eq!(visitor.get("/setup").await.value(), json!({"needed": true, "token_required": false}));
        let admin = world.admin().await;
        assert_eq!(visitor.get("/setup").await.value()["needed"], false);
        let me = admin.get("/auth/me").await.value();
        assert_eq!((me["username"].as_str(), me["role"].as_str()), (Some("admin"), Some("admin")));
        let again = visitor.post("/setup", json!({"username": "eve", "password": PASSWORD})).await;
        assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "setup_already_done"));
    }
}

#[tokio::test]
async fn beyond_loopback_setting_up_needs_the_token() {
    let config =
        Config { listen: "0.0.0.0:8080".into(), setup_token: "from-the-log".into(), ..Config::default() };
    let world = World::with(Backend::Sqlite, config).await;
    let visitor = world.visitor();
    assert_eq!(visitor.get("/setup").await.value()["token_required"], true);
    let mut body = json!({"username": "admin", "password": PASSWORD});
    for token in [None, Some("guess")] {
        body["setup_token"] = json!(token);
        let refused = visitor.post("/setup", body.clone()).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::FORBIDDEN, "setup_token_required")
        );
    }
    body["setup_token"] = json!("from-the-log");
    assert_eq!(visitor.post("/setup", body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn weak_passwords_and_odd_names_are_refused_at_setup() {
    let world = World::new().await;
    let visitor = world.visitor();
    let weak = visitor.post("/setup", json!({"username": "admin", "password": "short"})).await;
    assert_eq!(weak.code(), "weak_password");
    let odd = visitor.post("/setup", json!({"username": "a b", "password": PASSWORD})).await;
    assert_eq!(odd.code(), "invalid_request");
    assert_eq!(visitor.get("/setup").await.value()["needed"], true);
}

#[tokio::test]
async fn the_session_cookie_is_kept_from_scripts_and_ends_with_sign_out() {
    let world = World::new().await;
    let admin = world.admin().await;
    let answer =
        world.visitor().post("/auth/login", json!({"username": "ADMIN", "password": PASSWORD})).await;
    let cookies: Vec<&str> =
        answer.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("anwen_session=")).unwrap();
    let csrf = cookies.iter().find(|cookie| cookie.starts_with("anwen_csrf=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    assert!(!csrf.contains("HttpOnly") && !session.contains("Secure"), "{csrf}");
    assert_eq!(admin.post("/auth/logout", json!({})).await.status, StatusCode::NO_CONTENT);
    let after = admin.get("/auth/me").await;
    assert_eq!((after.status, after.code().as_str()), (StatusCode::UNAUTHORIZED, "session_expired"));
    assert_eq!(world.visitor().get("/auth/me").await.code(), "unauthenticated");
}

#[tokio::test]
async fn behind_a_trusted_proxy_that_speaks_tls_cookies_are_secure() {
    let config = Config { trusted_proxies: vec!["127.0.0.1".into()], ..Config::default() };
    let world = World::with(Backend::Sqlite, config).await;
    world.admin().await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let request = |peer: [u8; 4]| {
        let mut request = http::Request::post("/api/v1/auth/login")
            .header("content-type", "application/json")
            .header("x-forwarded-proto", "https")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let peer = std::net::SocketAddr::from((peer, 1));
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        request
    };
    for (peer, secure) in [([127, 0, 0, 1], true), ([10, 0, 0, 1], false)] {
        let answer = world.visitor().send(request(peer)).await;
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn writes_by_cookie_need_the_csrf_token_and_writes_by_key_do_not() {
    let world = World::new().await;
    let admin = world.admin().await;
    let without = Client { csrf: String::new(), ..admin.clone() };
    let wrong = Client { csrf: "f".repeat(64), ..admin.clone() };
    for client in [&without, &wrong] {
        let refused = client.post("/chats", json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "csrf_token_missing"));
        assert_eq!(client.get("/chats").await.status, StatusCode::OK);
        assert_eq!(client.post("/auth/logout", json!({})).await.status, StatusCode::FORBIDDEN);
    }
    let secret = admin.new_key(json!({"name": "script"})).await.secret;
    assert_eq!(without.with_key(&secret).post("/chats", json!({})).await.status, StatusCode::CREATED);
    // A planted cookie that matches the header does not help: the token follows from the session.
    let mut planted = admin.clone();
    planted.csrf = "planted".into();
    planted.headers.insert(COOKIE, HeaderValue::from_static("anwen_csrf=planted"));
    assert_eq!(planted.post("/chats", json!({})).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn guessing_is_slowed_and_a_reset_from_the_command_line_ends_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let visitor = world.visitor();
    let guess = json!({"username": "admin", "password": "wrong password"});
    let limit = world.config.auth.login_failures_per_name;
    for _ in 0..limit {
        assert_eq!(visitor.post("/auth/login", guess.clone()).await.code(), "wrong_credentials");
    }
    let right = json!({"username": "admin", "password": PASSWORD});
    let refused = visitor.post("/auth/login", right.clone()).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts")
    );
    reset_password(&world.db, "Admin", "another good password").await.unwrap();
    let fresh = json!({"username": "admin", "password": "another good password"});
    assert_eq!(visitor.post("/auth/login", fresh).await.status, StatusCode::OK);
    assert_eq!(visitor.post("/auth/login", right).await.code(), "wrong_credentials");
    assert_eq!(admin.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_name_that_is_not_there_fails_like_a_wrong_password() {
    let world = World::new().await;
    world.admin().await;
    let visitor = world.visitor();
    let unknown = visitor.post("/auth/login", json!({"username": "nobody", "password": PASSWORD})).await;
    let wrong = visitor.post("/auth/login", json!({"username": "admin", "password": "wrong password"})).await;
    assert_eq!(unknown.status, wrong.status);
    assert_eq!(unknown.value()["error"]["message"], wrong.value()["error"]["message"]);
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_ends_other_sessions() {
    let world = World::new().await;
    let admin = world.admin().await;
    let other = world.signed_in("admin").await;
    let change = |current: &str| json!({"current_password": current, "new_password": "an even better one"});
    assert_eq!(admin.patch("/auth/me", change("wrong")).await.code(), "wrong_credentials");
    assert_eq!(admin.patch("/auth/me", change(PASSWORD)).await.status, StatusCode::OK);
    assert_eq!(admin.get("/auth/me").await.status, StatusCode::OK);
    assert_eq!(other.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let renamed = admin.patch("/auth/me", json!({"display_name": "安 Admin"})).await.value();
    assert_eq!(renamed["display_name"], "安 Admin");
}

#[tokio::test]
async fn every_failure_carries_the_request_id() {
    let world = World::new().await;
    let answer = world.visitor().get("/auth/me").await;
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    assert!(!id.is_empty());
    assert_eq!(answer.value()["error"]["request_id"], json!(id));
    let missing = world.visitor().call(Method::GET, "/nothing-here", None).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "route_not_found"));
}
