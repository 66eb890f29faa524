/**
 * Between values of applications and `Bytes` (strings of units 0..255): UTF-8 text, 32-bit and
 * 53-bit integers in network order, bytes as they are. Null stays null, as a missing key or value.
 */
import type { Bytes } from "../kafka/protocol/records.ts";
import type { Deserializer, Serializer } from "./api.ts";

/** UTF-8 of `text`; a lone surrogate becomes U+FFFD, as Java's and the web's encoders do. */
export function encodeUtf8(text: string): Bytes {
  let ascii = true;
  for (let i = 0; i < text.length && ascii; i++) ascii = text.charCodeAt(i) < 0x80;
  if (ascii) return text;
  let bytes = "";
  for (const character of text) {
    let point = character.codePointAt(0) as number;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes += character;
    else if (point < 0x800) bytes += String.fromCharCode(0xc0 | (point >> 6), tail(point));
    else if (point < 0x10000) {
      bytes += String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
    } else {
      const lead = 0xf0 | (point >> 18);
      bytes += String.fromCharCode(lead, tail(point >> 12), tail(point >> 6), tail(point));
    }
  }
  return bytes;
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** Text of valid UTF-8; throws RangeError on bytes that are not. */
export function decodeUtf8(bytes: Bytes): string {
  let ascii = true;
  for (let i = 0; i < bytes.length && ascii; i++) ascii = bytes.charCodeAt(i) < 0x80;
  if (ascii) return bytes;
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes.charCodeAt(i);
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead > 0xf7 || (lead >= 0x80 && lead < 0xc2)) throw new RangeError("not UTF-8");
    let point = length === 1 ? lead : lead & (0x7f >> length);
    for (let j = 1; j < length; j++) {
      const next = bytes.charCodeAt(i + j);
      if ((next & 0xc0) !== 0x80) throw new RangeError("not UTF-8");
      point = (point << 6) | (next & 0x3f);
    }
    text += String.fromCodePoint(point);
    i += length;
  }
  return text;
}

export const stringSerializer: Serializer<string | null> = (value) =>
  value === null ? null : encodeUtf8(value);
export const stringDeserializer: Deserializer<string | null> = (bytes) =>
  bytes === null ? null : decodeUtf8(bytes);

function integerBytes(value: number, count: number): Bytes {
  let bytes = "";
  let rest = value;
  for (let i = 0; i < count; i++) {
    const byte = ((rest % 256) + 256) % 256;
    bytes = String.fromCharCode(byte) + bytes;
    rest = (rest - byte) / 256;
  }
  return bytes;
}

function integerOf(bytes: Bytes, count: number): number {
  if (bytes.length !== count) throw new RangeError(`${bytes.length} bytes instead of ${count}`);
  let value = bytes.charCodeAt(0) >= 0x80 ? -1 : 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes.charCodeAt(i);
  return value;
}

/** Four bytes; throws RangeError outside of int32. */
export const integerSerializer: Serializer<number | null> = (value) => {
  if (value === null) return null;
  if ((value | 0) !== value) throw new RangeError(`${value} is no 32-bit integer`);
  return integerBytes(value, 4);
};
export const integerDeserializer: Deserializer<number | null> = (bytes) =>
  bytes === null ? null : integerOf(bytes, 4);

/** Eight bytes; throws RangeError outside of the safe integers. */
export const longSerializer: Serializer<number | null> = (value) => {
  if (value === null) return null;
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
  return integerBytes(value, 8);
};
export const longDeserializer: Deserializer<number | null> = (bytes) =>
  bytes === null ? null : integerOf(bytes, 8);

export const bytesSerializer: Serializer<Bytes | null> = (value) => value;
export const bytesDeserializer: Deserializer<Bytes | null> = (bytes) => bytes;
