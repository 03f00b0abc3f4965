//! The search proxy's client.

use super::{CallContext, Repeat, ServiceClient};
use crate::error::ApiError;
use crate::search::{
    EnginesAnswer, Outgoing, ReadAnswer, ReadRequest, SearchAnswer, SearchRequest, SearchRules,
};
use http::Method;

/// Calls the search proxy. Its calls reach outside, so none is repeated.
#[derive(Clone)]
pub struct SearchClient {
    service: ServiceClient,
}

impl SearchClient {
    pub fn new(service: ServiceClient) -> Self {
        Self { service }
    }

    pub fn service(&self) -> &ServiceClient {
        &self.service
    }

    pub async fn search(
        &self,
        context: &CallContext,
        body: &SearchRequest,
    ) -> Result<SearchAnswer, ApiError> {
        self.service.call(context, Method::POST, "/v1/search", Some(body), Repeat::Never).await
    }

    pub async fn read(&self, context: &CallContext, body: &ReadRequest) -> Result<ReadAnswer, ApiError> {
        self.service.call(context, Method::POST, "/v1/read", Some(body), Repeat::Never).await
    }

    /// What would leave for a query. Sends nothing.
    pub async fn outgoing(&self, context: &CallContext, body: &SearchRequest) -> Result<Outgoing, ApiError> {
        self.service.call(context, Method::POST, "/v1/outgoing", Some(body), Repeat::Safe).await
    }

    pub async fn engines(&self, context: &CallContext) -> Result<EnginesAnswer, ApiError> {
        self.service.get(context, "/v1/engines").await
    }

    pub async fn rules(&self, context: &CallContext) -> Result<SearchRules, ApiError> {
        self.service.get(context, "/v1/rules").await
    }

    /// Replaces the rules as a whole. For administrators.
    pub async fn set_rules(
        &self,
        context: &CallContext,
        rules: &SearchRules,
    ) -> Result<SearchRules, ApiError> {
        self.service.call(context, Method::PUT, "/v1/rules", Some(rules), Repeat::Safe).await
    }
}
