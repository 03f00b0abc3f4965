//! All four services in one process. They talk over HTTP on loopback, through the same typed clients as in a
//! cluster.

use crate::data_dir::{DataDirLock, RunningInstance};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_contract::client::{Audience, KnowledgeClient, ModelClient, SearchClient, ServiceClient};
use anwen_knowledge::ParseWorker;
use anwen_platform::http::{bind, serve};
use anwen_platform::{InternalTokens, Shutdown};
use anyhow::Context as _;
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use url::Url;

/// Connections that a client keeps open to each service.
const MAX_IDLE_CONNECTIONS: usize = 32;
/// Time to open a connection on loopback or on the internal network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which ports the services take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// Those of the settings; an inner one that is taken is replaced by a free one.
    AsSet,
    /// Free ones on loopback: for a command's own short-lived instance, and for tests.
    AnyFree,
}

/// A running instance. Dropping it does not stop it; call `stop`.
pub struct Running {
    pub instance: RunningInstance,
    pub tokens: InternalTokens,
    pub shutdown: Shutdown,
    /// For maintenance on the running instance.
    pub knowledge: anwen_knowledge::Service,
    _lock: DataDirLock,
}

impl Running {
    /// Stops every service and waits for what is under way.
    pub async fn stop(self) {
        if !self.shutdown.finish().await {
            tracing::warn!("some tasks were still busy and were cut off");
        }
    }
}

/// This very program, as the reader of untrusted files.
pub fn this_program() -> std::io::Result<ParseWorker> {
    ParseWorker::of_this_program()
}

/// The four listeners; ports are known before anything starts.
struct Listeners {
    web: TcpListener,
    knowledge: TcpListener,
    model_runtime: TcpListener,
    search_proxy: TcpListener,
}

/// The services' own sections of the settings.
struct Sections {
    web: anwen_web::Config,
    knowledge: anwen_knowledge::Config,
    model_runtime: anwen_model_runtime::Config,
    search_proxy: anwen_search_proxy::Config,
}

impl Sections {
    fn read(workplace: &Workplace) -> Result<Self, Failure> {
        let settings = &workplace.settings;
        Ok(Self {
            web: settings.section("web")?,
            knowledge: settings.section("knowledge")?,
            model_runtime: settings.section("model_runtime")?,
            search_proxy: settings.section("search_proxy")?,
        })
    }
}

impl Listeners {
    async fn bind(sections: &Sections, ports: Ports) -> Result<Self, Failure> {
        let address = |set: SocketAddr| match ports {
            Ports::AsSet => set,
            Ports::AnyFree => SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let web = listen_address(&sections.web.listen).await?;
        let web_port = |cause: std::io::Error| {
            let message =
                format!("cannot listen on {web} ({cause}); stop what uses the port, or set web.listen");
            Failure::new("port_taken", message)
        };
        Ok(Self {
            web: bind(address(web), false).await.map_err(web_port)?,
            knowledge: bind(address(sections.knowledge.listen), true).await?,
            model_runtime: bind(address(sections.model_runtime.listen), true).await?,
            search_proxy: bind(address(sections.search_proxy.listen), true).await?,
        })
    }

    fn instance(&self) -> std::io::Result<RunningInstance> {
        Ok(RunningInstance {
            process_id: std::process::id(),
            web: self.web.local_addr()?,
            knowledge: self.knowledge.local_addr()?,
            model_runtime: self.model_runtime.local_addr()?,
            search_proxy: self.search_proxy.local_addr()?,
        })
    }
}

/// The address that a setting such as `127.0.0.1:8080` or `localhost:8080` names.
pub(crate) async fn listen_address(set: &str) -> Result<SocketAddr, Failure> {
    let found = tokio::net::lookup_host(set).await.ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| {
        Failure::new(
            "invalid_config",
            format!("web.listen: {set:?} is no address; write one as 127.0.0.1:8080"),
        )
    })
}

/// Makes clients of the services of one instance.
struct Clients {
    http: reqwest::Client,
    tokens: Arc<InternalTokens>,
}

impl Clients {
    fn new(tokens: &InternalTokens) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .context("the HTTP client could not be made")?;
        Ok(Self { http, tokens: Arc::new(tokens.clone()) })
    }

    fn service(&self, address: SocketAddr, audience: Audience) -> anyhow::Result<ServiceClient> {
        let url = Url::parse(&format!("http://{address}/")).context("an address is always a URL")?;
        Ok(ServiceClient::new(url, self.http.clone(), self.tokens.clone(), audience))
    }
}

/// Claims the data directory, brings the databases up to date, and starts the four services.
pub async fn start(workplace: &Workplace, ports: Ports) -> Result<Running, Failure> {
    let mut lock = workplace.data.lock()?;
    let sections = Sections::read(workplace)?;
    let tokens = workplace.tokens()?;
    let listeners = Listeners::bind(&sections, ports).await?;
    let instance = listeners.instance()?;
    let shutdown = Shutdown::new();
    let clients = Clients::new(&tokens)?;
    let model = ModelClient::new(clients.service(instance.model_runtime, Audience::ModelRuntime)?);
    let knowledge = KnowledgeClient::new(clients.service(instance.knowledge, Audience::Knowledge)?);
    let search = SearchClient::new(clients.service(instance.search_proxy, Audience::SearchProxy)?);

    let models_dir = &workplace.common.server.models_dir;
    let runtime = anwen_model_runtime::build(sections.model_runtime, models_dir, tokens.clone()).await;
    runtime.close_on(shutdown.token());
    run(&shutdown, "model-runtime", listeners.model_runtime, runtime.router());

    let mut search_settings = sections.search_proxy;
    let inner =
        |address| Url::parse(&format!("http://{address}/")).context("an address is always a URL").map(Some);
    search_settings.knowledge_url = inner(instance.knowledge)?;
    search_settings.model_runtime_url = inner(instance.model_runtime)?;
    let rules_file = workplace.data.path().join(anwen_search_proxy::RULES_FILE);
    search_settings.rules_file.get_or_insert(rules_file);
    let proxy = anwen_search_proxy::build(search_settings, tokens.clone())
        .map_err(|cause| Failure::new("invalid_config", cause.to_string()))?;
    run(&shutdown, "search-proxy", listeners.search_proxy, proxy.router());

    let dependencies = knowledge_dependencies(workplace, &tokens, model.clone(), &shutdown).await?;
    let documents =
        anwen_knowledge::build(sections.knowledge, dependencies).await.map_err(anyhow::Error::from)?;
    run(&shutdown, "knowledge", listeners.knowledge, documents.router.clone());

    let dependencies = anwen_web::Dependencies {
        db: workplace.web_database().await?,
        knowledge,
        model,
        search: Some(search),
        shutdown: shutdown.clone(),
    };
    let service = anwen_web::build(sections.web, dependencies).await.map_err(anyhow::Error::from)?;
    run(&shutdown, "web", listeners.web, service.router);

    lock.publish(&instance)?;
    Ok(Running { instance, tokens, shutdown, knowledge: documents, _lock: lock })
}

async fn knowledge_dependencies(
    workplace: &Workplace,
    tokens: &InternalTokens,
    model: ModelClient,
    shutdown: &Shutdown,
) -> Result<anwen_knowledge::Dependencies, Failure> {
    Ok(anwen_knowledge::Dependencies {
        database: workplace.knowledge_database().await?,
        data_dir: workplace.data.path().to_owned(),
        models_dir: workplace.common.server.models_dir.clone(),
        model,
        tokens: tokens.clone(),
        parser: match &workplace.parser {
            Some(worker) => worker.clone(),
            None => this_program()?,
        },
        shutdown: shutdown.clone(),
        single_instance: true,
    })
}

/// Builds both indexes again from what is stored, and answers how many passages they hold. Vectors are stored with
/// the passages, so no model is asked.
pub async fn reindex(workplace: &Workplace) -> Result<usize, Failure> {
    let _lock = workplace.data.lock()?;
    let sections = Sections::read(workplace)?;
    let tokens = workplace.tokens()?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let model = ModelClient::new(Clients::new(&tokens)?.service(nowhere, Audience::ModelRuntime)?);
    let dependencies = knowledge_dependencies(workplace, &tokens, model, &Shutdown::new()).await?;
    let service =
        anwen_knowledge::open(sections.knowledge, dependencies).await.map_err(anyhow::Error::from)?;
    Ok(service.reindex().await.map_err(anyhow::Error::from)?)
}

/// Serves one service until shutdown; one that ends by itself takes the process down, rather than leaving it half
/// alive.
fn run(shutdown: &Shutdown, name: &'static str, listener: TcpListener, router: Router) {
    let stopping = shutdown.clone();
    shutdown.spawn(async move {
        if let Err(cause) = serve(listener, router, stopping.token()).await {
            tracing::error!(service = name, %cause, "stopped serving");
        }
        stopping.begin();
    });
}
