/** The shapes of the public interface, by the names that the pages use. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type User = Schemas['User'];
export type Group = Schemas['Group'];
export type ApiKey = Schemas['ApiKey'];
export type KeyScope = Schemas['KeyScope'];
export type SetupState = Schemas['SetupState'];
export type AuditRow = Schemas['AuditRow'];
export type Answering = Schemas['Answering'];
export type UsageRow = Schemas['Page_Usage']['items'][number];

export type KnowledgeBase = Schemas['KnowledgeBase'];
export type ChunkProfile = Schemas['ChunkProfile'];
export type PreviewSide = Schemas['PreviewSide'];
export type Desensitisation = Schemas['Desensitisation'];
export type SensitiveKind = Schemas['SensitiveKind'];
export type Label = Schemas['Label'];
export type Grant = Schemas['Grant'];
export type DocumentItem = Schemas['Document'];
export type DocumentEvent = Schemas['DocumentEvent'];
export type UploadAnswer = Schemas['UploadAnswer'];
export type CodedMessage = Schemas['Notice'];
/** A rectangle on a page in points, with the origin at the page's top left corner. */
export type Box = Schemas['BoundingBox'];
export type Chunk = Schemas['Chunk'];

export type Chat = Schemas['Chat'];
export type StoredMessage = Schemas['Message'];
export type Source = Schemas['Source'];
export type Citation = Schemas['Citation'];
export type Outcome = Schemas['Outcome'];
export type AnswerEvent = Schemas['AnswerEvent'];
export type Model = Schemas['ModelInfo'];
export type AdminModel = Schemas['AdminModel'];
export type AdminModels = Schemas['AdminModels'];
export type ModelMemory = Schemas['ModelMemory'];
export type ModelAccess = Schemas['ModelAccess'];
export type Catalogue = Schemas['Catalogue'];
export type CatalogueModel = Schemas['CatalogueModel'];
export type PullProgress = Schemas['PullProgress'];

export type WebSearchAccess = Schemas['WebSearchAccess'];
export type Outgoing = Schemas['Outgoing'];
export type SearchRules = Schemas['SearchRules'];
export type WordList = Schemas['WordList'];
export type SitePreference = Schemas['SitePreference'];
export type EngineHealth = Schemas['EngineHealth'];

export type SearchResults = Schemas['SearchResults'];
export type PassageSnippet = Schemas['PassageSnippet'];
export type ChatSnippet = Schemas['ChatSnippet'];
export type SnippetPart = Schemas['SnippetPart'];

/** The bodies of writes. */
export type Body<Name extends keyof Schemas> = Schemas[Name];
