//! A running service and those who call it.

use anwen_contract::client::{Audience, CallContext, SearchClient, ServiceClient, TokenSource};
use anwen_contract::search::{ReadRequest, SearchRequest, SearchRules};
use anwen_contract::{ApiError, Asker, GroupId, UserId};
use anwen_platform::InternalTokens;
use anwen_platform::http::{bind, serve};
use anwen_search_proxy::{Config, build};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running service; it stops when this is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    pub tokens: InternalTokens,
    _stop: DropGuard,
}

impl Proxy {
    pub async fn start(config: Config) -> Self {
        let tokens = InternalTokens::new(&[7; 32]).unwrap();
        let router = build(config, tokens.clone()).unwrap().router();
        let listener = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, stop.clone()));
        Self { address, tokens, _stop: stop.drop_guard() }
    }

    pub fn client(&self) -> SearchClient {
        let base = format!("http://{}", self.address).parse().unwrap();
        let tokens = Arc::new(self.tokens.clone());
        SearchClient::new(ServiceClient::new(base, reqwest::Client::new(), tokens, Audience::SearchProxy))
    }

    pub async fn search(&self, request: SearchRequest) -> Result<Value, ApiError> {
        self.client().search(&context(), &request).await.map(|answer| json!(answer))
    }

    pub async fn read(&self, url: String) -> Result<Value, ApiError> {
        self.client().read(&context(), &ReadRequest { url, question: None }).await.map(|answer| json!(answer))
    }

    /// A plain GET, with an internal token for `audience` when there is one.
    pub async fn get(&self, path: &str, audience: Option<Audience>) -> (u16, Value) {
        let mut request = reqwest::Client::new().get(format!("http://{}{path}", self.address));
        if let Some(audience) = audience {
            request = request.bearer_auth(self.tokens.bearer(&asker(), audience).unwrap());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

pub fn asker() -> Asker {
    Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None }
}

pub fn context() -> CallContext {
    CallContext::new(asker(), "test-1").within(Duration::from_secs(20))
}

pub fn request(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        engines: None,
        top_k: None,
        language: None,
        time_range: None,
        confirmed: false,
    }
}

/// An administrator in these groups.
pub fn administrator(groups: Vec<GroupId>) -> CallContext {
    let asker = Asker { groups, is_admin: true, ..asker() };
    CallContext::new(asker, "test-admin").within(Duration::from_secs(20))
}

impl Proxy {
    pub async fn set_rules(&self, rules: &SearchRules) {
        self.client().set_rules(&administrator(Vec::new()), rules).await.unwrap();
    }
}

/// The addresses of an answer's results, in their order.
pub fn urls(answer: &Value) -> Vec<String> {
    answer["results"].as_array().unwrap().iter().map(|hit| hit["url"].as_str().unwrap().to_owned()).collect()
}
