//! Users, groups, keys: what administrators may do, what they may not, and what takes effect at once.

use super::world::{Backend, PASSWORD, World, on_each_database};
use crate::{AuditLog, Config};
use anwen_contract::Timestamp;
use http::StatusCode;
use serde_json::json;

on_each_database! {
    async fn users_are_made_listed_changed_and_removed(backend: Backend) {
        let world = World::with(backend, Config::default()).await;
        let admin = world.admin().await;
        let (li, user) = world.user(&admin, "li").await;
        assert_eq!(admin.post("/users", json!({"username": "LI", "password": PASSWORD})).await.code(), "name_taken");
        let page = admin.get("/users?limit=1").await.value();
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = admin.get(&format!("/users?cursor={cursor}")).await.value();
        assert_eq!(rest["items"][0]["username"], "li");
        assert_eq!(rest["next_cursor"], json!(null));

        let changed = admin.patch(&format!("/users/{}", user.id), json!({"display_name": "李"})).await.value();
        assert_eq!((changed["display_name"].as_str(), changed["role"].as_str()), (Some("李"), Some("user")));
        assert_eq!(li.get("/auth/me").await.status, StatusCode::OK);
        assert_eq!(admin.delete(&format!("/users/{}", user.id)).await.status, StatusCode::NO_CONTENT);
        assert_eq!(li.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(admin.get(&format!("/users/{}", user.id)).await.code(), "not_found");
    }

    async fn groups_reach_the_token_that_other_services_see(backend: Backend) {
        let world = World::with(backend, Config::default()).await;
        let admin = world.admin().await;
        let (li, user) = world.user(&admin, "li").await;
        let group = admin.post("/groups", json!({"name": "Finance"})).await.value();
        let id = group["id"].as_str().unwrap();
        assert_eq!(admin.post("/groups", json!({"name": "finance"})).await.code(), "name_taken");
        let member = format!("/groups/{id}/members/{}", user.id);
        for _ in 0..2 {
            assert_eq!(admin.put(&member, json!({})).await.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(admin.get(&format!("/groups/{id}")).await.value()["members"], json!([user.id]));
        li.get("/knowledge-bases").await;
        let asker = world.knowledge.calls().last().unwrap().asker.clone();
        assert_eq!((asker.user_id, asker.groups.len(), asker.is_admin), (user.id, 1, false));
        assert_eq!(admin.delete(&member).await.status, StatusCode::NO_CONTENT);
        li.get("/knowledge-bases").await;
        assert!(world.knowledge.calls().last().unwrap().asker.groups.is_empty());
        assert_eq!(admin.delete(&format!("/groups/{id}")).await.status, StatusCode::NO_CONTENT);
    }

    async fn the_last_administrator_remains(backend: Backend) {
        let world = World::with(backend, Config::default()).await;
        let admin = world.admin().await;
        let me = admin.get("/auth/me").await.value()["id"].as_str().unwrap().to_owned();
        let path = format!("/users/{me}");
        for body in [json!({"role": "user"}), json!({"disabled": true})] {
            assert_eq!(admin.patch(&path, body).await.code(), "last_owner");
        }
        assert_eq!(admin.delete(&path).await.code(), "last_owner");
        let (_, second) = world.user(&admin, "second").await;
        admin.patch(&format!("/users/{}", second.id), json!({"role": "admin"})).await;
        assert_eq!(admin.patch(&path, json!({"role": "user"})).await.status, StatusCode::OK);
        assert_eq!(admin.get("/users").await.code(), "forbidden");
    }
}

#[tokio::test]
async fn what_is_for_administrators_is_refused_to_everyone_else() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (li, user) = world.user(&admin, "li").await;
    let mut tried = 0;
    for route in crate::routes() {
        let for_admins = ["/users", "/groups", "/audit", "/usage", "/settings", "/admin"];
        if !for_admins.iter().any(|prefix| route.path.starts_with(&format!("/api/v1{prefix}"))) {
            continue;
        }
        let path =
            route.path.replace("{id}", &user.id.to_string()).replace("{user_id}", &user.id.to_string());
        let path = path.replace("{name}", "small").replace("{sha256}", &"ab".repeat(32));
        let answer =
            li.call(route.method.clone(), &path.replace("{section}", "answering"), Some(json!({}))).await;
        assert_eq!(answer.code(), "forbidden", "{} {}", route.method, route.path);
        tried += 1;
    }
    assert!(tried >= 26, "{tried}");
    assert_eq!(admin.get(&format!("/users/{}", user.id)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn switching_an_account_off_ends_its_sessions_and_keys_at_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (li, user) = world.user(&admin, "li").await;
    let key = li.new_key(json!({"name": "script", "scopes": ["write"]})).await;
    let with_key = li.with_key(&key.secret);
    assert_eq!(with_key.get("/auth/me").await.status, StatusCode::OK);
    admin.patch(&format!("/users/{}", user.id), json!({"disabled": true})).await;
    assert_eq!(li.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(with_key.get("/auth/me").await.code(), "account_disabled");
    let login = world.visitor().post("/auth/login", json!({"username": "li", "password": PASSWORD})).await;
    assert_eq!(login.code(), "account_disabled");
    admin.delete(&format!("/users/{}", user.id)).await;
    assert_eq!(with_key.get("/auth/me").await.code(), "unauthenticated");
}

on_each_database! {
    async fn keys_do_what_their_scope_says_and_no_more(backend: Backend) {
        let world = World::with(backend, Config::default()).await;
        let admin = world.admin().await;
        let read = admin.new_key(json!({"name": "r"})).await;
        let write = admin.new_key(json!({"name": "w", "scopes": ["write"]})).await;
        let full = admin.new_key(json!({"name": "a", "scopes": ["admin"]})).await;
        assert!(read.secret.starts_with("ak_") && read.secret.starts_with(&read.key.prefix));
        let base = json!({"name": "Base"});
        for (secret, may_write, may_administrate) in
            [(&read.secret, false, false), (&write.secret, true, false), (&full.secret, true, true)]
        {
            let client = admin.with_key(secret);
            assert_eq!(client.get("/knowledge-bases").await.status, StatusCode::OK);
            let created = client.post("/knowledge-bases", base.clone()).await.status;
            assert_eq!(created == StatusCode::CREATED, may_write);
            assert_eq!(client.get("/users").await.status == StatusCode::OK, may_administrate);
            client.get("/knowledge-bases").await;
            assert_eq!(world.knowledge.calls().last().unwrap().asker.is_admin, may_administrate);
            let more = client.post("/api-keys", json!({"name": "more"})).await;
            assert_eq!(more.code(), "forbidden");
        }
        let listed = admin.get("/api-keys").await;
        assert!(!listed.text.contains(&read.secret));
        assert_eq!(listed.value()["items"].as_array().unwrap().len(), 3);
        let path = format!("/api-keys/{}", read.key.id);
        assert_eq!(admin.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(admin.delete(&path).await.code(), "not_found");
        assert_eq!(admin.with_key(&read.secret).get("/auth/me").await.code(), "unauthenticated");
    }
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    let world = World::new().await;
    let admin = world.admin().await;
    let past = Timestamp::now().plus_millis(-1_000);
    assert_eq!(
        admin.post("/api-keys", json!({"name": "x", "expires_at": past})).await.code(),
        "invalid_request"
    );
    let key =
        admin.new_key(json!({"name": "x", "expires_at": Timestamp::now().plus_millis(3_600_000)})).await;
    assert_eq!(admin.with_key(&key.secret).get("/auth/me").await.status, StatusCode::OK);
    let now = Timestamp::now().as_millis();
    sqlx::query("UPDATE api_keys SET expires_at = $1").bind(now - 1).execute(world.db.pool()).await.unwrap();
    assert_eq!(admin.with_key(&key.secret).get("/auth/me").await.code(), "unauthenticated");
    assert_eq!(admin.with_key("ak_guess").get("/auth/me").await.code(), "unauthenticated");
    assert_eq!(admin.with_key("other").get("/auth/me").await.code(), "unauthenticated");
}

#[tokio::test]
async fn a_plain_user_cannot_make_an_administrators_key_or_touch_another_users() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (li, _) = world.user(&admin, "li").await;
    assert_eq!(li.post("/api-keys", json!({"name": "x", "scopes": ["admin"]})).await.code(), "forbidden");
    let key = admin.new_key(json!({"name": "x"})).await;
    assert_eq!(li.delete(&format!("/api-keys/{}", key.key.id)).await.code(), "not_found");
    assert!(li.get("/api-keys").await.value()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_confined_key_carries_its_bounds_and_sees_only_its_own_chats() {
    let world = World::new().await;
    let admin = world.admin().await;
    let base = world.knowledge.add_base("Base");
    let private = admin.new_chat().await;
    let key = admin.new_key(json!({"name": "x", "knowledge_base_ids": [base]})).await;
    let confined = admin.with_key(&key.secret);
    confined.get("/knowledge-bases").await;
    assert_eq!(world.knowledge.calls().last().unwrap().asker.only_knowledge_bases, Some(vec![base]));
    assert!(confined.get("/chats").await.value()["items"].as_array().unwrap().is_empty());
    for path in [format!("/chats/{private}"), format!("/chats/{private}/messages")] {
        assert_eq!(confined.get(&path).await.code(), "not_found");
    }
    let own = confined.new_chat().await;
    assert_eq!(confined.get(&format!("/chats/{own}")).await.status, StatusCode::OK);
    assert_eq!(admin.get(&format!("/chats/{own}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_was_done_stands_in_an_audit_log_that_verifies() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (_, user) = world.user(&admin, "li").await;
    world.visitor().post("/auth/login", json!({"username": "li", "password": "wrong password"})).await;
    let log = admin.get("/audit").await.value();
    let actions: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["auth.login_failed", "auth.login", "user.created", "auth.login", "setup.done"]);
    let narrowed = admin.get("/audit?action=user&actor=admin").await.value();
    assert_eq!(narrowed["items"].as_array().unwrap().len(), 1);
    let page = admin.get("/audit?limit=2").await.value();
    let rest = admin.get(&format!("/audit?cursor={}", page["next_cursor"].as_str().unwrap())).await.value();
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    assert!(!admin.get("/audit").await.text.contains(PASSWORD));
    assert_eq!(AuditLog::new(world.db.clone()).verify().await.unwrap().broken, None);
    assert_eq!(user.username, "li");
}

#[tokio::test]
async fn settings_are_read_and_set_by_section() {
    let world = World::new().await;
    let admin = world.admin().await;
    assert_eq!(admin.get("/settings/answering").await.value()["web_search"], false);
    let set = json!({"default_model": "small", "web_search": false, "instructions": "Be brief."});
    assert_eq!(admin.put("/settings/answering", set.clone()).await.value(), set);
    assert_eq!(admin.get("/settings/answering").await.value(), set);
    assert_eq!(admin.get("/settings/nothing").await.code(), "not_found");
    assert_eq!(admin.put("/settings/answering", json!({"unknown": 1})).await.code(), "invalid_request");
}
