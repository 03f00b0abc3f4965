//! Chats, and that they are one's own.

use super::world::{World, text_of};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn chats_are_made_changed_listed_and_removed() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.new_chat().await;
    let path = format!("/chats/{id}");
    let changed =
        admin.patch(&path, json!({"title": "Leave", "pinned": true, "archived": true})).await.value();
    assert_eq!((changed["title"].as_str(), changed["pinned"].as_bool()), (Some("Leave"), Some(true)));
    assert_eq!(admin.get("/chats?archived=false").await.value()["items"], json!([]));
    assert_eq!(admin.get("/chats?archived=true").await.value()["items"][0]["id"], json!(id));
    assert_eq!(admin.get("/chats?cursor=nonsense").await.code(), "invalid_cursor");
    assert_eq!(admin.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&path).await.code(), "not_found");
    assert_eq!(admin.get("/chats/not-an-id").await.code(), "not_found");
}

#[tokio::test]
async fn nobody_reaches_anothers_chat_by_any_route_not_even_an_administrator() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (li, _) = world.user(&admin, "li").await;
    world.knowledge.set_hit(&["Employees get 15 days."]);
    let chat = li.new_chat().await;
    let events = li.ask(&chat, json!({"content": "How many days?"})).await.all().await;
    let answer = events[0].data["id"].as_str().unwrap();
    let (wang, _) = world.user(&admin, "wang").await;
    let mut tried = 0;
    for route in crate::routes().into_iter().filter(|route| route.path.starts_with("/api/v1/chats/{id}")) {
        let path = route.path.replace("{id}", &chat).replace("{message_id}", answer);
        for stranger in [&wang, &admin] {
            let body = json!({"content": "x", "rating": 1});
            let refused = stranger.call(route.method.clone(), &path, Some(body)).await;
            assert_eq!(refused.code(), "not_found", "{} {}", route.method, route.path);
        }
        tried += 1;
    }
    assert!(tried >= 9, "{tried}");
    assert_eq!(
        li.get(&format!("/chats/{chat}/messages")).await.value()["items"].as_array().unwrap().len(),
        2
    );
    assert_eq!(wang.get("/search?q=days").await.value()["chats"], json!([]));
}

#[tokio::test]
async fn messages_are_a_tree_with_feedback_and_a_title_from_the_first_question() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.knowledge.set_hit(&["Employees get 15 days."]);
    let chat = admin.new_chat().await;
    let first = admin.ask(&chat, json!({"content": "How many days of leave?"})).await.all().await;
    assert_eq!(admin.get(&format!("/chats/{chat}")).await.value()["title"], "How many days of leave?");
    let answer = first[0].data["id"].as_str().unwrap().to_owned();
    admin.ask(&chat, json!({"content": "Why?"})).await.all().await;
    admin.ask(&chat, json!({"content": "Another beginning", "parent_id": null})).await.all().await;
    let messages = admin.get(&format!("/chats/{chat}/messages")).await.value();
    let parents: Vec<_> =
        messages["items"].as_array().unwrap().iter().map(|m| m["parent_id"].clone()).collect();
    assert_eq!(parents.len(), 6);
    assert_eq!((&parents[0], &parents[4]), (&json!(null), &json!(null)));
    assert_eq!(parents[2], json!(answer));

    let feedback = format!("/chats/{chat}/messages/{answer}/feedback");
    assert_eq!(admin.put(&feedback, json!({"rating": 2})).await.code(), "invalid_request");
    for rating in [1, -1] {
        assert_eq!(
            admin.put(&feedback, json!({"rating": rating, "comment": "hm"})).await.status,
            StatusCode::NO_CONTENT
        );
    }
    let messages = admin.get(&format!("/chats/{chat}/messages")).await.value();
    assert_eq!(messages["items"][1]["feedback"], json!({"rating": -1, "comment": "hm"}));
}

#[tokio::test]
async fn own_messages_are_found_with_the_match_marked() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.knowledge.set_hit(&["x"]);
    let chat = admin.new_chat().await;
    let events = admin.ask(&chat, json!({"content": "What is the Travel Allowance?"})).await.all().await;
    assert!(!text_of(&events).is_empty());
    let found = admin.get("/search?q=travel%20allowance").await.value();
    let snippet = &found["chats"][0]["snippet"];
    assert_eq!(snippet[1], json!({"text": "Travel Allowance", "matched": true}));
    assert_eq!(admin.get("/search?q=%20").await.code(), "invalid_request");
}
