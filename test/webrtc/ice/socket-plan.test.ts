import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostAddress } from '../../../src/webrtc/ice/host-addresses.js';
import { socketPlan } from '../../../src/webrtc/ice/socket-plan.js';

function own(address: string): HostAddress {
  const loopback = address.startsWith('127.') || address === '::1';
  return { bind: address, advertise: address, family: address.includes(':') ? 6 : 4, loopback };
}

/** Of a 1:1 NAT: this machine does not have it. */
function outer(address: string): HostAddress {
  return { ...own(address), bind: address.includes(':') ? '::' : '0.0.0.0' };
}

/** What is bound, and by which addresses it is reached, the preferred one first. */
function planned(...addresses: readonly HostAddress[]): [string, string[]][] {
  return socketPlan(addresses).map(({ bind, advertised }) => [bind, advertised.map(({ address, order }) => `${order} ${address}`)]);
}

describe('the sockets of a port that everybody shares', () => {
  it('are one for each address of the machine', () => {
    assert.deepEqual(planned(own('192.0.2.1'), own('2001:db8::1'), own('127.0.0.1')), [
      ['192.0.2.1', ['0 192.0.2.1']],
      ['127.0.0.1', ['2 127.0.0.1']],
      ['2001:db8::1', ['1 2001:db8::1']],
    ]);
  });

  it('are one for all addresses of a NAT, loopback among them, since nothing else can be bound beside it', () => {
    assert.deepEqual(planned(outer('203.0.113.1'), outer('203.0.113.2'), own('127.0.0.1'), own('::1')), [
      ['0.0.0.0', ['0 203.0.113.1', '1 203.0.113.2', '2 127.0.0.1']],
      ['::1', ['3 ::1']],
    ]);
  });

  it('are those of the given addresses where a NAT leads to one of them', () => {
    assert.deepEqual(planned(outer('203.0.113.1'), own('192.0.2.1'), own('192.0.2.2'), outer('2001:db8::9')), [
      ['192.0.2.1', ['1 192.0.2.1', '0 203.0.113.1']],
      ['192.0.2.2', ['2 192.0.2.2', '0 203.0.113.1']],
      ['::', ['3 2001:db8::9']],
    ]);
  });

  it('are none without an address', () => assert.deepEqual(planned(), []));
});
