/** One connection of a wall: an m-line of video for each tile, sound, commands. */
import { offerCaptureTime } from './capture-extension.js';
import { Commands, type CommandAnswer } from './commands.js';
import { postOffer, type OfferAnswer, type OfferInit } from './offer.js';
import { PeerLink } from './peer-link.js';
import { itemOf, type WallTile } from './wall-tiles.js';

/** What a connection needs. */
export interface WallViewingInit extends OfferInit {
  /** What the m-lines of video are to show at first; undefined: nothing. */
  readonly tiles: readonly (WallTile | undefined)[];
  /** Whose sound is asked for; undefined: nobody's. */
  readonly audio: string | undefined;
  /** Undefined: the server makes one up. */
  readonly clientId: string | undefined;
  /** What the server says on `commands` without being asked. */
  readonly onTold: (message: CommandAnswer) => void;
}

/** A wall's connection, from its offer to its end. */
export class WallViewing {
  /** The connection, and its session on the server. */
  readonly link: PeerLink;
  /** Commands about this viewer. */
  readonly commands: Commands;
  /** Of the tiles, in order. */
  readonly transceivers: readonly RTCRtpTransceiver[];
  /** Of the sound; undefined where none is asked for. */
  readonly sound: RTCRtpTransceiver | undefined;
  /** What the server was told last of each tile; a tile of which it did not take that is undefined. */
  readonly told: (WallTile | undefined)[];
  #answer: OfferAnswer | undefined;

  constructor(init: WallViewingInit) {
    const { tiles, audio, clientId } = init;
    this.link = new PeerLink({
      env: init.env,
      iceServers: init.iceServers,
      exchange: async (sdp, signal) => {
        const { answer, exchange } = await postOffer(init, {
          ...{ sdp, signal, tracks: tiles.map((tile) => (tile ? itemOf(tile) : null)) },
          ...(audio !== undefined && { source: audio }),
          ...(clientId !== undefined && { client_id: clientId }),
        });
        this.#answer = answer;
        return exchange;
      },
    });
    const { pc } = this.link;
    this.told = [...tiles];
    this.transceivers = tiles.map(() => pc.addTransceiver('video', { direction: 'recvonly' }));
    this.sound = audio === undefined ? undefined : pc.addTransceiver('audio', { direction: 'recvonly' });
    for (const transceiver of this.transceivers) offerCaptureTime(transceiver);
    this.commands = new Commands(pc.createDataChannel('commands'), init.env.clock, init.onTold);
  }

  /** Of the tiles' m-lines, in order. */
  get mids(): (string | null)[] {
    return this.transceivers.map(({ mid }) => mid);
  }

  /** The id that the server goes by; undefined before it has answered. */
  get clientId(): string | undefined {
    return this.#answer?.client_id;
  }
}
