//! How a command reaches the services: through the public interface of the instance that runs on the data
//! directory, or of one that is started for the command alone.

use crate::compose::{self, Ports, Running};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_contract::Page;
use anwen_contract::error::ErrorBody;
use anwen_contract::knowledge::{CreateKnowledgeBase, KnowledgeBase};
use anwen_platform::Database;
use anwen_web::TemporaryKey;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The key that a command uses is withdrawn when the command ends; should it die first, the key ends by itself.
const KEY_LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;

/// A signed-in connection to web.
pub struct Session {
    base: String,
    http: reqwest::Client,
    key: TemporaryKey,
    database: Database,
    /// The instance that was started for this command.
    running: Option<Running>,
}

impl Session {
    /// Connects on behalf of `username`, or of the first administrator.
    pub async fn open(workplace: &Workplace, username: Option<&str>) -> Result<Self, Failure> {
        let database = workplace.web_database().await?;
        let key = anwen_web::temporary_key(&database, username, KEY_LIFETIME_MS).await?;
        let (base, running) = match workplace.data.running_instance() {
            Some(instance) => (format!("http://{}", instance.web), None),
            None => {
                let running = compose::start(workplace, Ports::AnyFree).await?;
                (format!("http://{}", running.instance.web), Some(running))
            }
        };
        // The instance is on this machine: a proxy for the way out has no part in it.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { base, http, key, database, running })
    }

    /// Withdraws the key, and ends what was started.
    pub async fn close(self) -> Result<(), Failure> {
        anwen_web::withdraw_key(&self.database, &self.key).await?;
        self.database.close().await;
        if let Some(running) = self.running {
            running.stop().await;
        }
        Ok(())
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.key.secret)
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        Ok(send(self.request(Method::GET, path)).await?.json().await?)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        Ok(send(self.request(Method::POST, path).json(body)).await?.json().await?)
    }

    /// The knowledge base of this name that the user may see.
    pub async fn find_base(&self, name: &str) -> Result<Option<KnowledgeBase>, Failure> {
        let mut cursor = None;
        loop {
            let query = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page: Page<KnowledgeBase> = self.get(&format!("/knowledge-bases?limit=200{query}")).await?;
            if let Some(found) = page.items.into_iter().find(|base| base.name == name) {
                return Ok(Some(found));
            }
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// The knowledge base of this name, made when absent.
    pub async fn find_or_make_base(&self, name: &str) -> Result<KnowledgeBase, Failure> {
        match self.find_base(name).await? {
            Some(base) => Ok(base),
            None => {
                let body = CreateKnowledgeBase {
                    name: name.to_owned(),
                    description: String::new(),
                    language: "auto".to_owned(),
                    chunk_profile: Default::default(),
                };
                self.post("/knowledge-bases", &body).await
            }
        }
    }
}

/// Sends, and turns an error answer into its code and words.
pub async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let answer = request.send().await?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    match answer.json::<ErrorBody>().await {
        Ok(ErrorBody { error }) => Err(Failure::new(&error.code, error.message)),
        Err(_) => Err(Failure::new("service_unavailable", format!("status {status}"))),
    }
}
