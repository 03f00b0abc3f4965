//! The store suite: what only SQL decides, on both databases.

use super::world::{Backend, database, on_each_database};
use crate::audit::{Actor, AuditLog, Entry};
use crate::chats::messages::{AnswerRequest, insert_question, insert_running};
use crate::chats::store::Owner;
use crate::chats::{ChatStore, MessageStore};
use crate::users::store::{self, NewUser};
use crate::{BrokenChain, temporary_key, withdraw_key};
use anwen_contract::chat::{Author, Chat, MessageState};
use anwen_contract::users::UserRole;
use anwen_contract::{ChatId, MessageId, Timestamp, UserId};
use anwen_platform::Database;
use serde_json::json;

async fn user(db: &Database, name: &str) -> UserId {
    let mut transaction = db.begin_write().await.unwrap();
    let new = NewUser { username: name, display_name: "", role: UserRole::Admin, password_hash: "x" };
    let user = store::create(&mut transaction, &new, Timestamp::now()).await.unwrap();
    transaction.commit().await.unwrap();
    user.id
}

async fn chat(db: &Database, user: UserId, updated_at: i64) -> ChatId {
    let chat = Chat {
        id: ChatId::new(),
        title: String::new(),
        model: None,
        knowledge_base_ids: Vec::new(),
        web_search: false,
        folder_id: None,
        archived: false,
        pinned: false,
        created_at: Timestamp(updated_at),
        updated_at: Timestamp(updated_at),
    };
    ChatStore::new(db.clone()).create(user, None, &chat).await.unwrap();
    chat.id
}

/// A question and its answer after `parent`.
async fn exchange(
    db: &Database,
    chat: ChatId,
    parent: Option<MessageId>,
    text: &str,
) -> (MessageId, MessageId) {
    let (question, answer) = (MessageId::new(), MessageId::new());
    let mut transaction = db.begin_write().await.unwrap();
    let now = Timestamp::now();
    insert_question(&mut transaction, chat, question, parent, text, now).await.unwrap();
    let request = AnswerRequest::default();
    insert_running(&mut transaction, chat, answer, question, &request, "one", now).await.unwrap();
    transaction.commit().await.unwrap();
    (question, answer)
}

on_each_database! {
    async fn chats_are_paged_by_their_last_use(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let owner = Owner { user: user(&db, "li").await, confined_to: None };
        let mut expected = Vec::new();
        for updated_at in [1, 2, 2, 2, 3] {
            expected.push((updated_at, chat(&db, owner.user, updated_at).await));
        }
        expected.sort_by(|left, right| right.cmp(left));
        let store = ChatStore::new(db.clone());
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.list(owner, None, after, 2).await.unwrap();
            seen.extend(page.items.iter().map(|chat| (chat.updated_at.as_millis(), chat.id)));
            let Some(cursor) = page.next_cursor else { break };
            let (at, id) = cursor.split_once('_').unwrap();
            after = Some((at.parse().unwrap(), id.parse().unwrap()));
        }
        assert_eq!(seen, expected);
        let stranger = Owner { user: user(&db, "wang").await, confined_to: None };
        assert!(store.list(stranger, None, None, 9).await.unwrap().items.is_empty());
        assert!(!store.delete(stranger, expected[0].1).await.unwrap());
        assert!(store.delete(owner, expected[0].1).await.unwrap());
    }

    async fn the_way_to_a_message_is_its_history(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let chat = { let user = user(&db, "li").await; chat(&db, user, 1).await };
        let (first, first_answer) = exchange(&db, chat, None, "one").await;
        let (_, second_answer) = exchange(&db, chat, Some(first_answer), "two").await;
        exchange(&db, chat, Some(first_answer), "another branch").await;
        let messages = MessageStore::new(db.clone());
        let way = messages.history(chat, second_answer, 10).await.unwrap();
        let way: Vec<_> = way.iter().map(|turn| (turn.role, turn.content.as_str())).collect();
        assert_eq!(way, [(Author::User, "one"), (Author::Assistant, ""), (Author::User, "two"), (Author::Assistant, "")]);
        assert_eq!(messages.history(chat, second_answer, 2).await.unwrap().len(), 2);
        assert!(messages.history(ChatId::new(), second_answer, 9).await.unwrap().is_empty());
        let page = messages.list(chat, Some(first), 2).await.unwrap();
        assert_eq!(page.items.len(), 2);
        assert!(page.next_cursor.is_some());
    }

    async fn abandoned_answers_fail_and_others_go_on(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let chat = { let user = user(&db, "li").await; chat(&db, user, 1).await };
        let (_, answer) = exchange(&db, chat, None, "one").await;
        let messages = MessageStore::new(db.clone());
        let past = Timestamp::now().plus_millis(-60_000);
        assert_eq!(messages.fail_abandoned("another", past).await.unwrap(), 0);
        assert_eq!(messages.fail_abandoned("one", past).await.unwrap(), 1);
        let message = messages.get(chat, answer).await.unwrap().unwrap().message;
        assert_eq!((message.state, message.error.unwrap().code.as_str()), (MessageState::Failed, "generation_failed"));
        exchange(&db, chat, None, "two").await;
        let future = Timestamp::now().plus_millis(60_000);
        assert_eq!(messages.fail_abandoned("another", future).await.unwrap(), 1);
    }

    async fn own_messages_are_found_in_any_spelling(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let (li, wang) = (user(&db, "li").await, user(&db, "wang").await);
        let chat = chat(&db, li, 1).await;
        exchange(&db, chat, None, "電腦的 100% Warranty_Policy").await;
        let messages = MessageStore::new(db.clone());
        for (query, count) in [("电脑", 1), ("warranty_policy", 1), ("100%", 1), ("1%0", 0), ("warrantyxpolicy", 0)] {
            let owner = Owner { user: li, confined_to: None };
            assert_eq!(messages.search(owner, query, 9).await.unwrap().len(), count, "{query}");
        }
        assert!(messages.search(Owner { user: wang, confined_to: None }, "电脑", 9).await.unwrap().is_empty());
    }

    async fn usage_counts_answers_by_user_and_day(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let chat = { let user = user(&db, "li").await; chat(&db, user, 1).await };
        exchange(&db, chat, None, "one").await;
        exchange(&db, chat, None, "two").await;
        sqlx::query("UPDATE messages SET prompt_tokens = 10, completion_tokens = 2 WHERE role = 'assistant'")
            .execute(db.pool()).await.unwrap();
        let now = Timestamp::now();
        let rows = MessageStore::new(db.clone()).usage(Timestamp(0), now.plus_millis(1)).await.unwrap();
        let answers: i64 = rows.iter().map(|row| row.answers).sum();
        let tokens: i64 = rows.iter().map(|row| row.prompt_tokens + row.completion_tokens).sum();
        assert_eq!((rows[0].username.as_str(), answers, tokens), ("li", 2, 24));
        assert!(rows[0].day.as_millis() <= now.as_millis() && rows[0].day.as_millis() % 86_400_000 == 0);
    }

    async fn the_audit_chain_survives_writers_at_once_and_shows_tampering(backend: Backend) {
        let (db, _folder) = database(backend).await;
        let log = AuditLog::new(db.clone());
        let writers = (0..20).map(|number| {
            let log = log.clone();
            tokio::spawn(async move {
                let actor = Actor { id: String::new(), name: "t".into(), address: String::new() };
                let entry = Entry::new(actor, "test.written", "").detail(json!({"z": number, "a": [1, "二"]}));
                log.record(&entry).await
            })
        });
        for writer in futures::future::join_all(writers).await {
            writer.unwrap().unwrap();
        }
        let verified = log.verify().await.unwrap();
        assert_eq!((verified.entries, verified.broken), (20, None));
        sqlx::query("UPDATE audit_log SET detail = '{}' WHERE sequence = 7").execute(db.pool()).await.unwrap();
        assert_eq!(log.verify().await.unwrap().broken, Some(BrokenChain::Changed(7)));
        sqlx::query("DELETE FROM audit_log WHERE sequence = 7").execute(db.pool()).await.unwrap();
        assert_eq!(log.verify().await.unwrap().broken, Some(BrokenChain::Missing(7)));
        sqlx::query("DELETE FROM audit_log WHERE sequence > 6").execute(db.pool()).await.unwrap();
        assert_eq!(log.verify().await.unwrap().broken, Some(BrokenChain::Cut { found: 6, written: 20 }));
    }

    async fn a_command_has_a_key_while_it_runs(backend: Backend) {
        let (db, _folder) = database(backend).await;
        assert!(temporary_key(&db, None, 1_000).await.is_err());
        let first = user(&db, "li").await;
        user(&db, "wang").await;
        let key = temporary_key(&db, None, 60_000).await.unwrap();
        assert_eq!(key.user, first);
        let keys = crate::keys::KeyStore::new(db.clone());
        let hash = crate::auth::sha256_hex(&key.secret);
        assert!(keys.find(&hash, Timestamp::now()).await.unwrap().is_some());
        assert!(keys.find(&hash, Timestamp::now().plus_millis(61_000)).await.unwrap().is_none());
        withdraw_key(&db, &key).await.unwrap();
        assert!(keys.find(&hash, Timestamp::now()).await.unwrap().is_none());
        assert!(temporary_key(&db, Some("nobody"), 1_000).await.is_err());
    }
}
