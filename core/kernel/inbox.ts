/**
 * The machine half's end of the messages (outbox.ts): distances, translation, caches, clocks and epochs of traffic.
 */
import {
  MAPPING_MAP,
  MAPPING_UNMAP,
  MESSAGE_BATCH,
  MESSAGE_DOUBLE,
  MESSAGE_EPOCH,
  MESSAGE_MAPPING,
  MESSAGE_PAGES,
  MESSAGE_PAIRS,
  MESSAGE_SYNCHRONISE,
  MESSAGE_SYSTEM_CALL,
  MESSAGE_VCPU,
  MESSAGE_VCPU_END,
  MESSAGE_WIDEN,
  OUTBOX_BYTES,
  QUANTUM,
} from './abi';
import { STREAM_MAPPINGS } from './abi-machine';
import { eventsCount } from './arms';
import { distanceBatch } from './distance';
import { doubleEpochs, endEpoch, foldLateCounts, forgetEpochsOfPages, roomForPages, widenFullBins } from './heat';
import {
  cacheBatch,
  modelledNs,
  systemCall,
  translateBatch,
  unmapPages,
  vcpuCreate,
  vcpuEnd,
  vcpuRun,
  vcpuSynchronise,
} from './machine';
import { pushWords, streamWanted } from './streams';
import { closeTimeBin, doubleEpochsOfTimes, foldIntoLastBin, timeBinFull, timeBinOpen, widenTimeBins } from './times';
import { addPages, pagesKnown, setCrosses, setSamples, setTouches } from './touches';
import { addPairs, sumTrafficBySite } from './traffic';

const inbox: usize = heap.alloc(OUTBOX_BYTES);
let position: usize = 0;
let end: usize = 0;
/** Accesses of the run that the machine has seen. */
let accesses: u64 = 0;

/** Where the host puts at most OUTBOX_BYTES of messages. */
export function inboxStart(): usize {
  return inbox;
}

/** The inbox holds so many bytes of whole messages now. */
export function inboxFilled(bytes: u32): void {
  position = inbox;
  end = inbox + bytes;
}

/** Works through the inbox. True: stopped at a multiple of QUANTUM accesses, to be called again. */
export function consume(): bool {
  while (position < end) {
    const kind = load<u32>(position);
    const argument = load<u32>(position, 4);
    switch (kind) {
      case MESSAGE_BATCH:
        if (batch(argument)) return true;
        continue;
      case MESSAGE_PAGES:
        position = namedPages(position + 8, argument);
        continue;
      case MESSAGE_PAIRS:
        position = (addPairs(position + 8, argument) + 7) & ~7;
        continue;
      case MESSAGE_EPOCH:
        endEpoch(modelledNs());
        widenFullBins();
        if (timeBinFull()) closeBin();
        break;
      case MESSAGE_WIDEN:
        widenTimeBins();
        break;
      case MESSAGE_DOUBLE:
        doubleEpochs();
        forgetEpochsOfPages();
        doubleEpochsOfTimes();
        break;
      case MESSAGE_VCPU:
        vcpuCreate(argument);
        break;
      case MESSAGE_VCPU_END:
        vcpuEnd(argument);
        break;
      case MESSAGE_SYNCHRONISE:
        vcpuSynchronise(argument);
        break;
      case MESSAGE_SYSTEM_CALL:
        systemCall(argument);
        break;
      case MESSAGE_MAPPING:
        mapping(position);
        position += 32;
        continue;
    }
    position += 8;
  }
  return false;
}

/** Replays the batch at `position`; true at a quantum. */
function batch(vcpu: u32): bool {
  const n = load<u32>(position, 8);
  let at = setTouches(position + 32, load<u32>(position, 12));
  at = namedPages(at, load<u32>(position, 16));
  const crosses = load<u32>(position, 20);
  const straddles = load<u32>(position, 24);
  const samples = load<u32>(position, 28);
  at = setCrosses(at, crosses, straddles);
  at = setSamples(at, samples);
  position = (at + 7) & ~7;
  distanceBatch(n, pagesKnown);
  vcpuRun(vcpu);
  translateBatch(vcpu, n);
  cacheBatch(vcpu, n);
  accesses += n;
  return accesses % QUANTUM == 0;
}

/** The mappings of a process changed: words as in the message. */
function mapping(message: usize): void {
  const what = load<u32>(message, 8);
  // What is mapped anew takes the place of what was there.
  if (what == MAPPING_MAP || what == MAPPING_UNMAP) {
    unmapPages(load<u32>(message, 4), load<u64>(message, 16), load<u64>(message, 24));
  }
  if (!streamWanted(STREAM_MAPPINGS)) return;
  pushWords(STREAM_MAPPINGS, load<u32>(message, 8), load<u32>(message, 4));
  pushWords(STREAM_MAPPINGS, load<u32>(message, 16), load<u32>(message, 20));
  pushWords(STREAM_MAPPINGS, load<u32>(message, 24), load<u32>(message, 28));
  pushWords(STREAM_MAPPINGS, eventsCount(), 0);
}

function namedPages(numbers: usize, count: u32): usize {
  const behind = addPages(numbers, count);
  roomForPages(pagesKnown);
  return behind;
}

function closeBin(): void {
  sumTrafficBySite();
  closeTimeBin();
}

/** After the last message: traffic behind the last epoch's border belongs to that epoch. */
export function finishMachine(): void {
  foldLateCounts();
  if (timeBinOpen()) closeBin();
  else {
    sumTrafficBySite();
    foldIntoLastBin();
  }
}
