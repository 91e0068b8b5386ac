/** The kernel's exports: the decoder, the counting half, and the emulated machine that follows it. */
export * from './abi';
export { allocate, failure, release } from './arena';
export * from './blocks';
export { straddleCount, straddleIndex, straddlePage, touchAddress } from './count';
export * from './decode';
export { distinct, histogram } from './distance';
export { extentCount, extentsOf } from './extents';
export {
  epochCount,
  epochLength,
  epochRecord,
  epochsPerBin,
  heatRow,
  rowCount,
  setEpochLength,
  setEpochLimits,
} from './heat';
export { liveLogCount, liveLogEnd, liveLogEntry, liveLogFull } from './live';
export * from './machine';
export { countBlock, objectCount, objectRecord, plainObject, stackObjectOfSites } from './objects';
export { addTraffic, entryCount, entryRecord, pageCount, pageRecord, processRecord, setPageSize } from './pages';
export { makeImage, setGlobal } from './paint';
export { defineSites, pairCount, pairRecord, siteBytes, siteCount, siteWrites, unionAdd, unionTake } from './pairs';
export * from './run';
