/**
 * The kernel's exports: the counting half (decoder, counts, objects) and the machine half (translation, caches, clocks).
 * A replay has one instance of each, on one thread or two.
 */
export * from './abi';
export { allocate, failure, release } from './arena';
export * from './blocks';
export { contextCount, contextRecord, contextsFull } from './contexts';
export { touchAddress } from './count';
export {
  batchAddress,
  batchCount,
  batchSite,
  decode,
  decodeErrorOffset,
  decoderCreate,
  decoderDepth,
  decoderFrames,
  decoderInput,
  eventA,
  eventB,
  eventC,
  eventD,
  eventKind,
  eventSeq,
  processAddSites,
  processCreate,
  processSiteOfPc,
  turnAt,
  turnContext,
  turnCount,
} from './decode';
export { distinct, histogram } from './distance';
export * from './encode';
export { extentCount, extentsOf } from './extents';
export {
  epochCount,
  epochLength,
  epochRecord,
  epochsPerBin,
  heatRow,
  pageCounts,
  rowCount,
  setEpochLength,
  setEpochLimits,
} from './heat';
export { consume, finishMachine, inboxFilled, inboxStart } from './inbox';
export { liveLogCount, liveLogEnd, liveLogEntry, liveLogFull } from './live';
export * from './machine';
export { countBlock, objectCount, objectRecord, plainObject, stackObjectOfSites } from './objects';
export { flushOutbox } from './outbox';
export { entryCount, entryRecord, pageCount, pageRecord, processRecord, setPageSize } from './pages';
export { makeImage, setGlobal } from './paint';
export { defineSites, pairCount, pairRecord, siteBytes, siteCount, siteWrites, unionAdd, unionTake } from './pairs';
export { regionCount, regionRecord, stretchCount, stretchesFull, stretchRecord, unionAddRegion } from './regions';
export * from './run';
export { addSampler } from './samplers';
export { streamLength, streamsClear, streamWant, streamWords } from './streams';
export { epochsPerTimeBin, timeBinCount, timeBinStart, timeRow, timeRowCount } from './times';
export { pageNumbers, pagesKnown } from './touches';
export { addTraffic, pairTraffic, pairTrafficCount } from './traffic';
