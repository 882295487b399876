/**
 * Short names for the generated types of the API; nothing is defined here by hand.
 */

import type { components } from './schema';

type Schemas = components['schemas'];

export type Collection = Schemas['Collection'];
export type CollectionPage = Schemas['CollectionPage'];
export type CollectionType = Schemas['CollectionType'];
export type Dataset = Schemas['Dataset'];
export type DatasetCount = Schemas['DatasetCount'];
export type DatasetDetails = Schemas['DatasetDetails'];
export type DatasetEvent = Schemas['DatasetEvent'];
export type DatasetType = Schemas['DatasetType'];
export type DatasetTypeList = Schemas['DatasetTypeList'];
export type DimensionRecord = Schemas['DimensionRecord'];
export type EndEvent = Schemas['EndEvent'];
export type ErrorKind = Schemas['ErrorKind'];
export type ErrorReport = Schemas['ErrorReport'];
export type Repository = Schemas['Repository'];
export type RepositoryKind = Schemas['RepositoryKind'];
export type RepositoryList = Schemas['RepositoryList'];
export type RepositoryState = Schemas['RepositoryState'];
export type StoredFile = Schemas['StoredFile'];
export type VersionList = Schemas['VersionList'];
