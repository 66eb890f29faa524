import { describe, expect, it } from "vitest";
import { ErrorCode } from "./errors.ts";
import {
  FetchSessionHandler,
  type FetchSessionRequest,
  nextEpoch,
} from "./fetch-session-handler.ts";
import type { FetchPartition } from "./messages.ts";

const asked = (partition: number, fetchOffset = 0): FetchPartition => ({
  partition,
  currentLeaderEpoch: 0,
  fetchOffset,
  lastFetchedEpoch: -1,
  logStartOffset: 0,
  partitionMaxBytes: 100,
});

const answer = (sessionId: number, errorCode: number = ErrorCode.NONE) => ({
  errorCode,
  sessionId,
  responses: [],
});

/** "id/epoch asked topic-partition@offset... forgotten topic-partition..." */
function words(request: FetchSessionRequest | null): string {
  if (request === null) return "nothing";
  const { sessionId, sessionEpoch, topics, forgottenTopicsData } = request;
  const wanted = topics.flatMap(({ topic, partitions }) =>
    partitions.map((p) => `${topic}-${p.partition}@${p.fetchOffset}`),
  );
  const forgotten = forgottenTopicsData.flatMap(({ topic, partitions }) =>
    partitions.map((p) => `-${topic}-${p}`),
  );
  return [`${sessionId}/${sessionEpoch}`, ...wanted, ...forgotten].join(" ");
}

/** A handler with t-0 and t-1 in session 7. */
function inSession(): FetchSessionHandler {
  const handler = new FetchSessionHandler(true);
  handler.set("t", "id-t", asked(0));
  handler.set("t", "id-t", asked(1));
  expect(words(handler.build())).toBe("0/0 t-0@0 t-1@0");
  expect(handler.answered(answer(7))).toBe(true);
  return handler;
}

describe("the fetcher's end of a fetch session (KIP-227) [REP-67]", () => {
  it("carries what changed, after the full request that opened the session", () => {
    const handler = inSession();
    expect(words(handler.build())).toBe("7/1");
    handler.answered(answer(7));
    handler.set("t", "id-t", asked(1, 5));
    handler.set("t", "id-t", asked(0));
    expect(words(handler.build())).toBe("7/2 t-1@5");
    expect(handler.sent("t", 1)?.fetchOffset).toBe(5);
  });

  it("takes back what is not wanted, and adds what is new", () => {
    const handler = inSession();
    handler.remove("t", 0);
    handler.set("u", "id-u", asked(3));
    expect(words(handler.build())).toBe("7/1 u-3@0 -t-0");
    expect([handler.size, handler.sent("t", 0)]).toEqual([2, null]);
  });

  it("a topic created anew leaves under its old id and comes under the new one (KIP-516)", () => {
    const handler = inSession();
    handler.remove("t", 0);
    handler.set("t", "id-t2", asked(0));
    const { topics, forgottenTopicsData } = handler.build() as FetchSessionRequest;
    expect(topics).toEqual([{ topic: "t", topicId: "id-t2", partitions: [asked(0)] }]);
    expect(forgottenTopicsData).toEqual([{ topic: "t", topicId: "id-t", partitions: [0] }]);
    handler.answered(answer(7));
    expect(words(handler.build())).toBe("7/2");
    handler.failed();
    const full = handler.build() as FetchSessionRequest;
    expect(full.topics.map(({ topicId, partitions }) => [topicId, partitions.length])).toEqual([
      ["id-t2", 1],
      ["id-t", 1],
    ]);
  });

  it("says nothing of what left and came back between two requests", () => {
    const handler = inSession();
    handler.remove("t", 0);
    handler.set("t", "id-t", asked(0));
    handler.set("t", "id-t", asked(2));
    handler.remove("t", 2);
    expect(words(handler.build())).toBe("7/1");
  });

  it("a session that the broker does not know is given up: a full request asks for another", () => {
    const handler = inSession();
    handler.build();
    expect(handler.answered(answer(0, ErrorCode.FETCH_SESSION_ID_NOT_FOUND))).toBe(false);
    expect(words(handler.build())).toBe("0/0 t-0@0 t-1@0");
  });

  it("any other error, or no answer, closes the session with the full request for another", () => {
    const handler = inSession();
    handler.build();
    expect(handler.answered(answer(0, ErrorCode.INVALID_FETCH_SESSION_EPOCH))).toBe(false);
    expect(words(handler.build())).toBe("7/0 t-0@0 t-1@0");
    handler.answered(answer(8));
    handler.set("t", "id-t", asked(0, 1));
    expect(words(handler.build())).toBe("8/1 t-0@1");
    handler.failed();
    expect(words(handler.build())).toBe("8/0 t-0@1 t-1@0");
  });

  it("stays with full requests while the broker opens no session", () => {
    const handler = new FetchSessionHandler(true);
    handler.set("t", "id-t", asked(0));
    const first = handler.build();
    handler.answered(answer(0));
    const second = handler.build();
    expect([words(first), words(second)]).toEqual(["0/0 t-0@0", "0/0 t-0@0"]);
    expect(second?.topics).toBe(first?.topics);
    handler.answered(answer(0));
    handler.set("t", "id-t", asked(0, 1));
    expect(words(handler.build())).toBe("0/0 t-0@1");
  });

  it("before 1.1 no request asks for a session", () => {
    const handler = new FetchSessionHandler(false);
    handler.set("t", "id-t", asked(0));
    expect(words(handler.build())).toBe("0/-1 t-0@0");
  });

  it("has nothing to send when nothing is wanted, but for the last taking back", () => {
    const handler = inSession();
    handler.remove("t", 0);
    handler.remove("t", 1);
    expect(words(handler.build())).toBe("7/1 -t-0 -t-1");
    handler.answered(answer(0));
    expect(words(handler.build())).toBe("nothing");
  });

  it("epochs wrap around past the largest, without 0", () => {
    expect([nextEpoch(0), nextEpoch(5), nextEpoch(0x7fffffff)]).toEqual([1, 6, 1]);
  });
});
