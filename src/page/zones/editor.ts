/** The zones of one source while they are edited: what was read, what was changed since, and how it is written back. */
import { computed, signal } from '@preact/signals';
import { pathOf } from '../api/address.js';
import { getJson, request, RequestError } from '../api/request.js';
import { sourceList, sources } from '../api/sources.js';
import { draftOf, newKey, sameDraft, zonesOf, type Draft, type DraftShape, type ServerZones, type Size } from './draft.js';
import { faultsOf, placed, type PlacedFault } from './faults.js';
import { changed, historyOf, redone, undone, type History } from './history.js';
import type { Point } from './geometry.js';

/** What is edited. */
export interface Selection {
  /** Of a shape. */
  readonly key: number;
  /** One of its corners; undefined: none. */
  readonly corner?: number;
}

/** A shape that is being drawn. */
export interface Drawing {
  /** What it becomes. */
  readonly kind: DraftShape['kind'];
  /** Its corners so far. */
  readonly points: readonly Point[];
  /** Where the next one would be. */
  readonly cursor: Point | undefined;
}

/** Asks again after so long, where the server is away. */
const RETRY_MS = 3_000;
const COMMON_SIZE: Size = { width: 1280, height: 720 };

/** From its construction until `close`. */
export class ZoneEditor {
  readonly source: string;
  /** Undefined until it has been read. */
  readonly #history = signal<History<Draft> | undefined>(undefined);
  readonly #saved = signal<Draft | undefined>(undefined);
  readonly #refused = signal<{ readonly draft: Draft; readonly faults: readonly PlacedFault[] } | undefined>(undefined);
  /** What is edited now. */
  readonly selection = signal<Selection | undefined>(undefined);
  /** What is being drawn. */
  readonly drawing = signal<Drawing | undefined>(undefined);
  /** Why it could not be read or written. */
  readonly trouble = signal<unknown>(undefined);
  /** Somebody else has changed the zones since they were read. */
  readonly isOvertaken = signal(false);
  /** It is being written. */
  readonly isSaving = signal(false);
  /** Classes that the source's model knows; empty where that is not told. */
  readonly labels = signal<readonly string[]>([]);
  /** Of the source's picture; undefined where nobody knows it. */
  readonly size = signal<Size | undefined>(undefined);
  #etag: string | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #end = new AbortController();

  constructor(source: string) {
    this.source = source;
    void this.load();
  }

  /** What is edited; undefined until it has been read. */
  readonly draft = computed(() => this.#history.value?.present);
  /** Width by height. */
  readonly aspect = computed(() => (this.size.value ?? COMMON_SIZE).width / (this.size.value ?? COMMON_SIZE).height);
  /** Whether there is something to write. */
  readonly isDirty = computed(() => {
    const [draft, saved] = [this.draft.value, this.#saved.value];
    return draft !== undefined && saved !== undefined && !sameDraft(draft, saved, this.size.value);
  });
  /** Whether there is a step back. */
  readonly canUndo = computed(() => (this.#history.value?.past.length ?? 0) > 0);
  /** Whether there is a step forward. */
  readonly canRedo = computed(() => (this.#history.value?.future.length ?? 0) > 0);
  /** The shape that is selected. */
  readonly selected = computed(() => this.draft.value?.shapes.find(({ key }) => key === this.selection.value?.key));
  /** All that is wrong: what is seen here, and what the server has said of this very draft. */
  readonly faults = computed<readonly PlacedFault[]>(() => {
    const draft = this.draft.value;
    if (!draft) return [];
    const seen = faultsOf(draft.shapes, this.aspect.value);
    const refused = this.#refused.value;
    const told = refused && sameDraft(refused.draft, draft, this.size.value) ? refused.faults : [];
    return [
      ...seen,
      ...told.filter(({ key, field, code }) => !seen.some((one) => one.key === key && one.field === field && one.code === code)),
    ];
  });

  /** Reads what the server has; what was edited is gone then. Never rejects. */
  async load(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const { signal: end } = this.#end;
      const [{ body, etag }] = await Promise.all([
        request<ServerZones>(pathOf('sources', this.source, 'zones'), { signal: end }),
        sourceList.refresh(),
      ]);
      this.size.value = this.#sizeOf();
      if (!this.size.value && body.units !== 'fraction' && (body.zones?.length ?? 0) + (body.lines?.length ?? 0) > 0)
        throw new RequestError(0, 'SIZE_UNKNOWN', 'the size of the picture is not known yet');
      const draft = draftOf(body, this.size.value);
      this.#etag = etag;
      this.#history.value = historyOf(draft);
      this.#saved.value = draft;
      this.#refused.value = undefined;
      this.selection.value = undefined;
      this.drawing.value = undefined;
      this.trouble.value = undefined;
      this.isOvertaken.value = false;
    } catch (error) {
      if (this.#end.signal.aborted) return;
      this.trouble.value = error;
      if (error instanceof RequestError && (error.status === 0 || error.status >= 500))
        this.#retry = setTimeout(() => void this.load(), RETRY_MS);
    }
  }

  /** Writes what was edited. Never rejects; says whether it was written. @param overwrites also what somebody else has changed meanwhile */
  async save(overwrites = false): Promise<boolean> {
    const draft = this.draft.value;
    if (!draft || this.isSaving.value) return false;
    this.isSaving.value = true;
    try {
      const path = pathOf('sources', this.source, 'zones');
      const ifMatch = overwrites ? {} : { ...(this.#etag !== undefined && { ifMatch: this.#etag }) };
      if (draft.shapes.length > 0) {
        this.#etag = (await request(path, { method: 'PUT', body: zonesOf(draft, this.size.value), ...ifMatch })).etag;
      } else {
        await request(path, { method: 'DELETE', ...ifMatch });
        this.#etag = (await request(path)).etag;
      }
      this.#saved.value = draft;
      this.#refused.value = undefined;
      this.trouble.value = undefined;
      this.isOvertaken.value = false;
      return true;
    } catch (error) {
      this.#refuse(error, draft);
      return false;
    } finally {
      this.isSaving.value = false;
    }
  }

  /** Changes what is edited. @param step changes of the same name in a row are undone at once */
  change(next: Partial<Draft>, step?: string): void {
    const history = this.#history.value;
    if (history) this.#history.value = changed(history, { ...history.present, ...next }, step);
  }

  /** Changes one shape. @param step as for `change` */
  changeShape(key: number, edit: (shape: DraftShape) => DraftShape, step?: string): void {
    const shapes = this.draft.value?.shapes;
    if (shapes) this.change({ shapes: shapes.map((shape) => (shape.key === key ? edit(shape) : shape)) }, step && `${step} ${key}`);
  }

  /** Adds a shape and selects it. */
  add(shape: Omit<DraftShape, 'key'>): void {
    const key = newKey();
    this.change({ shapes: [...(this.draft.value?.shapes ?? []), { ...shape, key }] });
    this.selection.value = { key };
  }

  /** Takes a shape away. */
  remove(key: number): void {
    this.change({ shapes: (this.draft.value?.shapes ?? []).filter((shape) => shape.key !== key) });
    if (this.selection.value?.key === key) this.selection.value = undefined;
  }

  /** As the server has it again; that can be undone. */
  discard(): void {
    if (this.#saved.value) this.change(this.#saved.value);
  }

  /** One step back. */
  undo(): void {
    if (this.#history.value) this.#history.value = undone(this.#history.value);
  }

  /** One step forward. */
  redo(): void {
    if (this.#history.value) this.#history.value = redone(this.#history.value);
  }

  /** Asks which classes there are, which only those may know who may change zones. Never rejects. */
  async readLabels(): Promise<void> {
    const path = pathOf('sources', this.source, 'model');
    this.labels.value = await getJson<{ readonly labels: readonly string[] }>(path, this.#end.signal).then(
      ({ labels }) => labels,
      () => [],
    );
  }

  /** Asks for nothing any more. */
  close(): void {
    clearTimeout(this.#retry);
    this.#end.abort();
  }

  #refuse(error: unknown, draft: Draft): void {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 412) {
      this.isOvertaken.value = true;
      return;
    }
    this.trouble.value = error;
    const faults = error.details.faults ? placed(error.details.faults, draft.shapes) : [];
    this.#refused.value = { draft, faults };
    const first = faults.find(({ key }) => key !== undefined);
    if (first?.key !== undefined) this.selection.value = { key: first.key };
  }

  #sizeOf(): Size | undefined {
    const { width, height } = sources.value.find(({ source }) => source === this.source) ?? { width: null, height: null };
    return width && height ? { width, height } : undefined;
  }
}
