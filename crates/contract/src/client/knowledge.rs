//! The knowledge service's client.

use super::{CallContext, Repeat, ServiceClient};
use crate::error::ApiError;
use crate::ids::{ChunkId, DocumentId, KnowledgeBaseId};
use crate::knowledge::{
    Chunk, CreateKnowledgeBase, Document, Grant, KnowledgeBase, PassageSearchAnswer, RetrieveAnswer,
    RetrieveRequest, UpdateKnowledgeBase,
};
use crate::paging::{Page, PageQuery};
use http::Method;

/// Calls the knowledge service on an asker's behalf.
#[derive(Clone)]
pub struct KnowledgeClient {
    service: ServiceClient,
}

impl KnowledgeClient {
    pub fn new(service: ServiceClient) -> Self {
        Self { service }
    }

    /// For what the typed calls do not cover: uploads, originals and event streams, which are relayed as they
    /// are.
    pub fn service(&self) -> &ServiceClient {
        &self.service
    }

    pub async fn knowledge_bases(
        &self,
        context: &CallContext,
        page: &PageQuery,
    ) -> Result<Page<KnowledgeBase>, ApiError> {
        self.service.get(context, &with_page("/v1/knowledge-bases", page)).await
    }

    pub async fn knowledge_base(
        &self,
        context: &CallContext,
        id: KnowledgeBaseId,
    ) -> Result<KnowledgeBase, ApiError> {
        self.service.get(context, &format!("/v1/knowledge-bases/{id}")).await
    }

    pub async fn create_knowledge_base(
        &self,
        context: &CallContext,
        body: &CreateKnowledgeBase,
    ) -> Result<KnowledgeBase, ApiError> {
        self.service.call(context, Method::POST, "/v1/knowledge-bases", Some(body), Repeat::Never).await
    }

    pub async fn update_knowledge_base(
        &self,
        context: &CallContext,
        id: KnowledgeBaseId,
        body: &UpdateKnowledgeBase,
    ) -> Result<KnowledgeBase, ApiError> {
        let path = format!("/v1/knowledge-bases/{id}");
        self.service.call(context, Method::PATCH, &path, Some(body), Repeat::Safe).await
    }

    pub async fn delete_knowledge_base(
        &self,
        context: &CallContext,
        id: KnowledgeBaseId,
    ) -> Result<(), ApiError> {
        let path = format!("/v1/knowledge-bases/{id}");
        self.service.call(context, Method::DELETE, &path, None::<&()>, Repeat::Never).await
    }

    pub async fn grants(&self, context: &CallContext, id: KnowledgeBaseId) -> Result<Vec<Grant>, ApiError> {
        self.service.get(context, &format!("/v1/knowledge-bases/{id}/grants")).await
    }

    pub async fn set_grants(
        &self,
        context: &CallContext,
        id: KnowledgeBaseId,
        grants: &[Grant],
    ) -> Result<Vec<Grant>, ApiError> {
        let path = format!("/v1/knowledge-bases/{id}/grants");
        self.service.call(context, Method::PUT, &path, Some(grants), Repeat::Safe).await
    }

    pub async fn documents(
        &self,
        context: &CallContext,
        id: KnowledgeBaseId,
        page: &PageQuery,
    ) -> Result<Page<Document>, ApiError> {
        let path = format!("/v1/knowledge-bases/{id}/documents");
        self.service.get(context, &with_page(&path, page)).await
    }

    pub async fn document(&self, context: &CallContext, id: DocumentId) -> Result<Document, ApiError> {
        self.service.get(context, &format!("/v1/documents/{id}")).await
    }

    pub async fn chunks(
        &self,
        context: &CallContext,
        id: DocumentId,
        page: &PageQuery,
    ) -> Result<Page<Chunk>, ApiError> {
        self.service.get(context, &with_page(&format!("/v1/documents/{id}/chunks"), page)).await
    }

    pub async fn chunk(&self, context: &CallContext, id: ChunkId) -> Result<Chunk, ApiError> {
        self.service.get(context, &format!("/v1/chunks/{id}")).await
    }

    /// Full-text search over every passage that the asker may read, with the words marked.
    pub async fn search(
        &self,
        context: &CallContext,
        query: &str,
        limit: u32,
    ) -> Result<PassageSearchAnswer, ApiError> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", query)
            .append_pair("limit", &limit.to_string())
            .finish();
        self.service.get(context, &format!("/v1/search?{query}")).await
    }

    /// Searching changes nothing, so it is tried again although it is a POST.
    pub async fn retrieve(
        &self,
        context: &CallContext,
        body: &RetrieveRequest,
    ) -> Result<RetrieveAnswer, ApiError> {
        self.service.call(context, Method::POST, "/v1/retrieve", Some(body), Repeat::Safe).await
    }
}

/// `path` with the paging part of the query string.
fn with_page(path: &str, page: &PageQuery) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(cursor) = &page.cursor {
        query.append_pair("cursor", cursor);
    }
    if let Some(limit) = page.limit {
        query.append_pair("limit", &limit.to_string());
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_escaped() {
        let page = PageQuery { cursor: Some("a&b=c".into()), limit: Some(2) };
        assert_eq!(with_page("/v1/x", &page), "/v1/x?cursor=a%26b%3Dc&limit=2");
        assert_eq!(with_page("/v1/x", &PageQuery::default()), "/v1/x");
    }
}
