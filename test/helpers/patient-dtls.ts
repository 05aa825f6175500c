/**
 * werift's DTLS client gives up when its ClientHello is answered twice, which happens whenever the first answer takes
 * longer than its 500 ms: on a busy machine. RFC 6347 §4.2.1 has it pass over the second HelloVerifyRequest.
 */
import type { RTCDtlsTransport } from 'werift';

const HELLO_VERIFY_REQUEST = 3;

/** The library's private fields that the helper reaches for. */
interface ClientPrivate {
  readonly dtls: { readonly flight: number };
  onHandleHandshakes(messages: readonly { readonly msg_type: number }[]): Promise<void>;
}

/** For a transport that has not started. */
export function passOverRepeatedHellos(transport: RTCDtlsTransport): void {
  transport.onStateChange.subscribe((state) => {
    if (state !== 'connecting') return;
    // The association is made right after the change of state, and speaks 100 ms later.
    setImmediate(() => {
      const client = transport.dtls as unknown as ClientPrivate | undefined;
      if (!client || transport.role !== 'client') return;
      const handle = client.onHandleHandshakes.bind(client);
      client.onHandleHandshakes = (messages) =>
        handle(client.dtls.flight < 3 ? messages : messages.filter(({ msg_type }) => msg_type !== HELLO_VERIFY_REQUEST));
    });
  });
}
