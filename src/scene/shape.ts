/** Whether zones have the documented shape: every fault in words, with what was found and what is expected. */
import { Type, type TSchema } from 'typebox';
import { Check, Errors, Pointer } from 'typebox/value';
import { LineSchema, ZonesSchema, ZoneSchema, type ZonesJson } from './zones-json.js';

/** The members of the file, zones and lines unseen: the validator tells of a handful of faults at a time, so each part is asked by itself. */
const Frame = Type.Object(
  {
    ...ZonesSchema.properties,
    zones: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 64 })),
    lines: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 64 })),
  },
  { additionalProperties: false },
);

/** What is wrong with zones. */
export interface ZoneFault {
  /** Where, as JSON pointers into what was sent: of two edges that meet, the corner where each begins. */
  readonly paths: readonly string[];
  /** Its kind, stable. */
  readonly code: string;
  /** In words. */
  readonly text: string;
}

/** The faults of a value's shape; none where it is `ZonesJson`. */
export function shapeFaults(value: unknown): ZoneFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const text = `${show(value)} is not zones; expected an object such as {"zones":[],"lines":[]}`;
    return [{ paths: [''], code: 'type', text }];
  }
  const parts = (name: 'zones' | 'lines', schema: TSchema): ZoneFault[] => {
    const list = (value as Partial<Record<string, unknown>>)[name];
    return Array.isArray(list) ? list.slice(0, 64).flatMap((part, index) => faultsOf(schema, part, `/${name}/${index}`)) : [];
  };
  return [...faultsOf(Frame, value, ''), ...parts('zones', ZoneSchema), ...parts('lines', LineSchema)];
}

/** True for what has no shape faults. */
export function isZonesJson(value: unknown): value is ZonesJson {
  return Check(ZonesSchema, value);
}

/** A value in an error message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? 'nothing' : text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function faultsOf(schema: TSchema, value: unknown, where: string): ZoneFault[] {
  return Errors(schema, value).flatMap((error) => {
    const { keyword, instancePath } = error;
    const path = `${where}${instancePath}`;
    const subject = placeOf(path);
    const fault = (text: string, member = '', code: string = keyword): ZoneFault => ({ paths: [path + member], code, text });
    if (keyword === 'boolean') return [];
    if (keyword === 'additionalProperties') {
      const known = Object.keys((schema as unknown as { readonly properties: object }).properties).join(', ');
      return error.params.additionalProperties.map((member) =>
        fault(`${subject} has the unknown member '${member}'; known: ${known}`, `/${member}`, 'unknown'),
      );
    }
    if (keyword === 'required') return error.params.requiredProperties.map((member) => fault(`${subject} lacks '${member}'`, `/${member}`));
    if (keyword === 'enum') {
      const allowed = error.params.allowedValues.map(String).join(', ');
      return [fault(`${subject} is ${show(Pointer.Get(value, instancePath))}; expected one of ${allowed}`)];
    }
    return [fault(`${subject} ${error.message}, found ${show(Pointer.Get(value, instancePath))}`)];
  });
}

/** A place in words: `zones[0].polygon[1]` */
function placeOf(path: string): string {
  return path === ''
    ? 'the file'
    : path
        .replace(/\/(\d+)/g, '[$1]')
        .replaceAll('/', '.')
        .replace(/^\./, '');
}
