/** IP addresses and ranges of them in CIDR notation. */
import { BlockList, isIP } from 'node:net';

/** Whether a text is an IP address, or a range of them in CIDR notation. */
export function isAddressRange(item: string): boolean {
  const [address = '', bits = '0', ...rest] = item.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32);
}

/** Which addresses are in one of these ranges, IPv4-mapped ones included. @param ranges each `isAddressRange` */
export function compileRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
