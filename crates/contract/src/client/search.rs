//! The search proxy's client.

use super::{CallContext, Repeat, ServiceClient};
use crate::error::ApiError;
use crate::search::{ReadAnswer, ReadRequest, SearchAnswer, SearchRequest};
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
}
