/** STUN messages (RFC 8489): werift reads, writes and authenticates them. */
import { classes, Message, methods, parseMessage } from 'werift';
import { assertShape } from './werift-shape.js';

export { classes, methods, parseMessage };
export { Message as StunMessage };

/** The message, where it proves to come from somebody who knows the password (RFC 8489 §9.1). @throws Error where it is malformed */
export function authenticated(data: Buffer, password: Buffer): Message | undefined {
  const message = parseMessage(data, password);
  return message?.attributesKeys.includes('MESSAGE-INTEGRITY') ? message : undefined;
}

/** What a message says under this name; undefined where it says nothing. */
export function attributeOf(message: Message, name: Parameters<Message['getAttributeValue']>[0]): unknown {
  return message.attributesKeys.includes(name) ? message.getAttributeValue(name) : undefined;
}

/** @throws AssertionError naming what this version of werift lacks. */
export function assertStunShape(): void {
  assertShape('Message', new Message(methods.BINDING, classes.REQUEST), {
    methods: ['setAttribute', 'getAttributeValue', 'addMessageIntegrity', 'addFingerprint'],
    fields: ['attributesKeys', 'bytes', 'messageClass', 'messageMethod', 'transactionId', 'transactionIdHex'],
  });
}
