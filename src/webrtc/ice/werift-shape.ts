/** Says in words what another version of werift lacks, at start, instead of letting a session fail in a strange way. */
import assert from 'node:assert/strict';

/** What is used of a class of werift beyond its public types. */
export interface WeriftShape {
  /** Methods that have to be there. */
  readonly methods?: readonly string[];
  /** Fields that have to be there. */
  readonly fields?: readonly string[];
}

/** @throws AssertionError naming what `object`, an instance of the class `name`, lacks. */
export function assertShape(name: string, object: object, { methods = [], fields = [] }: WeriftShape): void {
  for (const method of methods) {
    assert(typeof Reflect.get(object, method) === 'function', `this version of werift has no ${name}.${method}`);
  }
  for (const field of fields) assert(field in object, `this version of werift has no ${name}.${field}`);
}
