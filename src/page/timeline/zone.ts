/** Local time in a named zone, where days have 23 to 25 hours. All instants are Unix seconds. Knows no DOM. */

/** A time on a wall, without a zone. */
export interface WallTime {
  /** Of the Gregorian calendar. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31; more or less counts on into other months. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
}

const DAY_S = 86_400;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether browsers know a zone of that name, such as `Europe/Berlin`. */
export function isZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What clocks show there. */
export function wallTime(zone: string, atS: number): WallTime {
  const parts = formatOf(zone).formatToParts(Math.floor(atS) * 1000);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return { year: of('year'), month: of('month'), day: of('day'), hour: of('hour'), minute: of('minute'), second: of('second') };
}

/** How much clocks there are ahead of UTC, in seconds. */
export function offsetOf(zone: string, atS: number): number {
  return asUtc(wallTime(zone, atS)) - Math.floor(atS);
}

/** When clocks there show that. Of a time that comes twice, the first; in place of one that is left out, as long after the change. */
export function instantOf(zone: string, wall: WallTime): number {
  const utc = asUtc(wall);
  const [before, after] = [offsetOf(zone, utc - DAY_S), offsetOf(zone, utc + DAY_S)];
  const shown = [utc - before, utc - after].filter((atS) => offsetOf(zone, atS) === utc - atS);
  return shown.length > 0 ? Math.min(...shown) : utc - before;
}

/** When the day began that an instant is in. @param days so many days later; negative: earlier */
export function dayStart(zone: string, atS: number, days = 0): number {
  const { year, month, day } = wallTime(zone, atS);
  return instantOf(zone, { year, month, day: day + days, hour: 0, minute: 0, second: 0 });
}

/** As `<input type=datetime-local>` has it: `2026-12-01T14:03:22`. */
export function wallText(zone: string, atS: number): string {
  return new Date((Math.floor(atS) + offsetOf(zone, atS)) * 1000).toISOString().slice(0, 19);
}

/** The instant of such a text; undefined where it is none. */
export function parseWallText(zone: string, text: string): number | undefined {
  const match = /^(\d{4,6})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?/.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((part) => Number(part || 0));
  return instantOf(zone, { year, month, day, hour, minute, second });
}

function asUtc({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** They are dear to make. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const two = '2-digit';
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    formats.set(zone, format);
  }
  return format;
}
