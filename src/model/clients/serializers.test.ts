import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeUtf8,
  encodeUtf8,
  integerDeserializer,
  integerSerializer,
  longDeserializer,
  longSerializer,
} from "./serializers.ts";

describe("serializers", () => {
  test("text is UTF-8, as the platform's encoder writes it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const expected = String.fromCharCode(...new TextEncoder().encode(text));
        expect(encodeUtf8(text)).toBe(expected);
        expect(decodeUtf8(expected)).toBe(text);
      }),
    );
    expect(encodeUtf8("\ud800")).toBe("\xef\xbf\xbd");
    expect(() => decodeUtf8("\xff")).toThrow(RangeError);
    expect(() => decodeUtf8("\xc3")).toThrow(RangeError);
  });

  test("integers are big-endian two's complement", () => {
    expect(integerSerializer(-2, "t")).toBe("\xff\xff\xff\xfe");
    expect(longSerializer(258, "t")).toBe("\0\0\0\0\0\0\x01\x02");
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(integerDeserializer(integerSerializer(value, "t"), "t")).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(longDeserializer(longSerializer(value, "t"), "t")).toBe(value);
      }),
    );
    expect(() => integerSerializer(2 ** 31, "t")).toThrow(RangeError);
    expect(integerSerializer(null, "t")).toBeNull();
  });
});
