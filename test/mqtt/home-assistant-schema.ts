/**
 * Home Assistant's side of its discovery, as its documentation has it: what it takes of a topic and a configuration
 * (https://www.home-assistant.io/integrations/mqtt/, sensor.mqtt, binary_sensor.mqtt, camera.mqtt), and what its templates give.
 */
import assert from 'node:assert/strict';
import { Type, type TObject } from 'typebox';
import { Value } from 'typebox/value';

/** `<discovery_prefix>/<component>/[<node_id>/]<object_id>/config`. */
const TOPIC = /^homeassistant\/(?<component>\w+)\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;

const closed = { additionalProperties: false };
const Text = Type.String({ minLength: 1 });
const Common = {
  name: Type.Union([Text, Type.Null()]),
  unique_id: Text,
  icon: Type.Optional(Type.String({ pattern: '^mdi:[a-z-]+$' })),
  availability: Type.Array(
    Type.Object(
      {
        topic: Text,
        payload_available: Type.Optional(Text),
        payload_not_available: Type.Optional(Text),
        value_template: Type.Optional(Text),
      },
      closed,
    ),
    { minItems: 1 },
  ),
  availability_mode: Type.Enum(['all', 'any', 'latest']),
  device: Type.Object(
    {
      identifiers: Type.Array(Text, { minItems: 1 }),
      name: Text,
      manufacturer: Type.Optional(Text),
      model: Type.Optional(Text),
      sw_version: Type.Optional(Text),
    },
    closed,
  ),
  origin: Type.Object({ name: Text, sw_version: Type.Optional(Text), support_url: Type.Optional(Text) }, closed),
  json_attributes_topic: Type.Optional(Text),
  json_attributes_template: Type.Optional(Text),
};
const COMPONENTS: Readonly<Record<string, TObject>> = {
  camera: Type.Object({ ...Common, topic: Text, image_encoding: Type.Optional(Type.Literal('b64')) }, closed),
  sensor: Type.Object(
    {
      ...Common,
      state_topic: Text,
      value_template: Type.Optional(Text),
      state_class: Type.Optional(Type.Enum(['measurement', 'total', 'total_increasing'])),
      unit_of_measurement: Type.Optional(Text),
    },
    closed,
  ),
  binary_sensor: Type.Object(
    {
      ...Common,
      state_topic: Text,
      value_template: Type.Optional(Text),
      device_class: Type.Enum(['occupancy', 'motion', 'connectivity']),
      payload_on: Type.Optional(Text),
      payload_off: Type.Optional(Text),
    },
    closed,
  ),
};

/** What Home Assistant would refuse is an assertion. */
export function assertValidConfig(topic: string, config: unknown): void {
  const component = TOPIC.exec(topic)?.groups?.component;
  assert.ok(component, `${topic} is a discovery topic`);
  const schema = COMPONENTS[component];
  assert.ok(schema, `${component} is known`);
  assert.deepEqual([...Value.Errors(schema, config)], [], topic);
}

/** What a template gives for a payload: of Jinja's language, what our templates are made of. */
export function render(template: string | undefined, valueJson: unknown): string {
  const [, inner] = /^\{\{ (.*) \}\}$/.exec(template ?? '') ?? [];
  assert.ok(inner !== undefined, `a template: ${template}`);
  const [, yes, left, no] = /^'(\w+)' if \((.*)\) > 0 else '(\w+)'$/.exec(inner) ?? [];
  if (left !== undefined) return String(Number(evaluate(left, valueJson)) > 0 ? yes : no);
  return String(evaluate(inner, valueJson));
}

function evaluate(expression: string, valueJson: unknown): unknown {
  const [start = '', ...filters] = expression.split(' | ');
  const [root, member = ''] = start.split('.');
  assert.equal(root, 'value_json');
  let value: unknown = (valueJson as Record<string, unknown>)[member];
  for (const filter of filters) {
    const [, name, list = ''] = /^(\w+)(?:\((.*)\))?$/.exec(filter) ?? [];
    const given = list.split(', ').map((each) => each.replace(/^(?:attribute=)?'(.*)'$/, '$1'));
    const [first = '', , third] = given;
    if (name === 'selectattr') value = (value as Record<string, unknown>[]).filter((each) => each[first] === third);
    else if (name === 'map') value = (value as Record<string, unknown>[]).map((each) => each[first]);
    else if (name === 'first') value = (value as unknown[])[0];
    else if (name === 'default') value ??= Number(first);
    else throw new Error(`no such filter here: ${filter}`);
  }
  return value;
}
