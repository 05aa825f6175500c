/** What running sources have counted since the server started. It outlives what counts: no sum ever goes back. */
import { Tally } from '../base/tally.js';
import { SOURCE_RUNG, type Track, type TrackKey } from '../media/index.js';

/** The label of a source that is not among those that have one of their own. */
type LabelOf = (name: string) => string;

/** Who is to be called what: labels are kept forever, and names may be made up by clients. */
export interface SourceCountsInit {
  /** What a source is called. Default: its id. */
  readonly sourceLabel?: LabelOf;
  /** What a quality is called. Default: its name. */
  readonly qualityLabel?: LabelOf;
}

/** What is counted of an encoder. */
interface CountedEncoder {
  readonly framesDropped: number;
  readonly restarts: number;
}

/** What is counted of the decoders of a run. */
interface CountedDecoder {
  readonly counts: { readonly decoded: number; readonly dropped: number; readonly restarts: number };
}

type RenditionLabel = 'source' | 'rendition' | 'quality';

const itself: LabelOf = (name) => name;

/** Sums by source, rendition and quality. */
export class SourceCounts {
  /** What was written to tracks: what viewers are sent, each once. */
  readonly tracks = new Tally<RenditionLabel, 'frames' | 'keyframes' | 'bytes' | 'packets'>(['frames', 'keyframes', 'bytes', 'packets']);
  /** Frames that encoders were not given because they were behind, and how often they ended by themselves. */
  readonly encoders = new Tally<RenditionLabel, 'dropped' | 'restarts'>(['dropped', 'restarts']);
  /** Likewise, and the frames that were decoded. */
  readonly decoders = new Tally<'source', 'decoded' | 'dropped' | 'restarts'>(['decoded', 'dropped', 'restarts']);
  /** How often what reads a source ended by itself. */
  readonly feeds = new Tally<'source', 'restarts'>(['restarts']);
  /** Frames by what became of them, and milliseconds that the tracker took. */
  readonly detections = new Tally<'source', 'detected' | 'skipped' | 'slept' | 'failed' | 'trackerMs'>([
    'detected',
    'skipped',
    'slept',
    'failed',
    'trackerMs',
  ]);
  readonly #init: SourceCountsInit;

  constructor(init: SourceCountsInit = {}) {
    this.#init = init;
  }

  /** Counts what is written to a track until the returned function is called. */
  addTrack(sourceId: string, key: TrackKey, track: Track): () => void {
    return this.tracks.enter(this.#rendition(sourceId, key), () => track.stats);
  }

  /** Counts what an encoder does until the returned function is called. */
  addEncoder(sourceId: string, key: TrackKey, encoder: CountedEncoder): () => void {
    return this.encoders.enter(this.#rendition(sourceId, key), () => ({ dropped: encoder.framesDropped, restarts: encoder.restarts }));
  }

  /** Counts what the decoders of a run do until the returned function is called. */
  addDecoder(sourceId: string, hub: CountedDecoder): () => void {
    return this.decoders.enter(this.source(sourceId), () => hub.counts);
  }

  /** The label of a source. */
  source(sourceId: string): { readonly source: string } {
    const { sourceLabel = itself } = this.#init;
    return { source: sourceLabel(sourceId) };
  }

  #rendition(sourceId: string, key: TrackKey): Readonly<Record<RenditionLabel, string>> {
    const { qualityLabel = itself } = this.#init;
    const { source } = this.source(sourceId);
    if (key.kind === 'audio') return { source, rendition: 'audio', quality: '' };
    return { source, rendition: key.rendition, quality: qualityLabel(key.rung ?? SOURCE_RUNG) };
  }
}
