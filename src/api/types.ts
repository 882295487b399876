/**
 * Short names for the generated types of the API; nothing is defined here by hand.
 */

import type { components } from './schema';

type Schemas = components['schemas'];

/** A look at what is in a dataset. */

/** A look at what is in a dataset. */

/** A look at what is in a dataset. */

export type ChangeEvent = Schemas['ChangeEvent'];
export type ChosenDatasets = Schemas['ChosenDatasets'];
export type Collection = Schemas['Collection'];
export type CollectionFolder = Schemas['CollectionFolder'];
export type CollectionPage = Schemas['CollectionPage'];
export type CollectionPath = Schemas['CollectionPath'];
export type CollectionStep = Schemas['CollectionStep'];
export type CollectionType = Schemas['CollectionType'];
export type ColumnKind = Schemas['ColumnKind'];
export type ColumnSummary = Schemas['ColumnSummary'];
export type CompletionList = Schemas['CompletionList'];
export type Dataset = Schemas['Dataset'];
export type DatasetCount = Schemas['DatasetCount'];
export type DatasetDetails = Schemas['DatasetDetails'];
export type DatasetEvent = Schemas['DatasetEvent'];
export type DatasetFilter = Schemas['DatasetFilter'];
export type DatasetQuery = Schemas['DatasetQuery'];
export type DatasetSearch = Schemas['DatasetSearch'];
export type DatasetType = Schemas['DatasetType'];
export type DatasetTypePlace = Schemas['DatasetTypePlace'];
export type DatasetTypeList = Schemas['DatasetTypeList'];
export type DimensionRecord = Schemas['DimensionRecord'];
export type DocumentNode = Schemas['DocumentNode'];
export type DocumentPreview = Schemas['DocumentPreview'];
export type EndEvent = Schemas['EndEvent'];
export type ErrorKind = Schemas['ErrorKind'];
export type ErrorReport = Schemas['ErrorReport'];
export type FacetDimension = Schemas['FacetDimension'];
export type FacetValues = Schemas['FacetValues'];
export type FigurePreview = Schemas['FigurePreview'];
export type Footprint = Schemas['Footprint'];
export type FootprintDataset = Schemas['FootprintDataset'];
export type FootprintEvent = Schemas['FootprintEvent'];
export type FootprintsBegin = Schemas['FootprintsBegin'];
export type FootprintsSummary = Schemas['FootprintsSummary'];
export type FoundEvent = Schemas['FoundEvent'];
export type Histogram = Schemas['Histogram'];
export type HoldingCollection = Schemas['HoldingCollection'];
export type HoldingEvent = Schemas['HoldingEvent'];
export type ImageBox = Schemas['ImageBox'];
export type ImageDescription = Schemas['ImageDescription'];
export type ImageMaskPlane = Schemas['ImageMaskPlane'];
export type ImageRegion = Schemas['ImageRegion'];
export type ImageSky = Schemas['ImageSky'];
export type ImageStatistics = Schemas['ImageStatistics'];
export type Job = Schemas['Job'];
export type JobAction = Schemas['JobAction'];
export type JobPhase = Schemas['JobPhase'];
export type JobPlan = Schemas['JobPlan'];
export type JobProgress = Schemas['JobProgress'];
export type JobRequest = Schemas['JobRequest'];
export type JobResult = Schemas['JobResult'];
export type JobResultPage = Schemas['JobResultPage'];
export type JobResultStatus = Schemas['JobResultStatus'];
export type JobState = Schemas['JobState'];
export type LogPreview = Schemas['LogPreview'];
export type MemoryCost = Schemas['MemoryCost'];
export type ObjectPreview = Schemas['ObjectPreview'];
export type PersonalUsage = Schemas['PersonalUsage'];
export type PipelineRun = Schemas['PipelineRun'];
export type PlanEvent = Schemas['PlanEvent'];
export type PlanGroup = Schemas['PlanGroup'];
export type PlanProblem = Schemas['PlanProblem'];
export type PlanRoom = Schemas['PlanRoom'];
export type HeldTypes = Schemas['HeldTypes'];
export type Presence = Schemas['Presence'];
export type Preview = DocumentPreview | TextPreview | LogPreview | FigurePreview | ObjectPreview;
export type Provenance = Schemas['Provenance'];
export type ProvenanceNode = Schemas['ProvenanceNode'];
export type PruneRule = Schemas['PruneRule'];
export type QueryCall = Schemas['QueryCall'];
export type QueryCheck = Schemas['QueryCheck'];
export type QueryProblem = Schemas['QueryProblem'];
export type QueryShape = Schemas['QueryShape'];
export type Repository = Schemas['Repository'];
export type RepositoryKind = Schemas['RepositoryKind'];
export type RepositoryList = Schemas['RepositoryList'];
export type RepositoryState = Schemas['RepositoryState'];
export type RowFilter = Schemas['RowFilter'];
export type RunFailure = Schemas['RunFailure'];
export type RunList = Schemas['RunList'];
export type RunLog = Schemas['RunLog'];
export type RunReport = Schemas['RunReport'];
export type SearchEvent = Schemas['SearchEvent'];
export type SearchMatch = FoundEvent['matches'][number];
export type SkyCircle = Schemas['SkyCircle'];
export type StoredFile = Schemas['StoredFile'];
export type SummaryRequest = Schemas['SummaryRequest'];
export type TableColumn = Schemas['TableColumn'];
export type TableOverview = Schemas['TableOverview'];
export type TablePage = Schemas['TablePage'];
export type TableRequest = Schemas['TableRequest'];
export type TableView = Schemas['TableView'];
export type TaskProgress = Schemas['TaskProgress'];
export type TextPreview = Schemas['TextPreview'];
export type TimeRange = Schemas['TimeRange'];
export type UsedDataset = Schemas['UsedDataset'];
export type UsedList = Schemas['UsedList'];
export type UsedState = Schemas['UsedState'];
export type Validity = Schemas['CalibrationValidity'];
export type VersionList = Schemas['VersionList'];
export type Vocabulary = Schemas['Vocabulary'];
