/** Idempotent producers whose records are stored twice or out of order, and what excuses it [C-38]. */
import { describe, expect, it } from "vitest";
import { historyFinding, Stream } from "./testing/stream.ts";

const producers = [{ name: "p1", acks: -1, idempotent: true, maxInFlight: 5 }] as const;

function raise(stream: Stream): Stream {
  const raised = { producer: "p1", producerId: 7, producerEpoch: 1 };
  return stream.state({ kind: "ProducerIdAssigned", ...raised });
}

function clause(stream: Stream, check: string, record: string, ...others: string[]) {
  const finding = historyFinding(check, stream.at, { record });
  const outside = stream.tracker.classify(others.length === 0 ? finding : { ...finding, others });
  return outside?.outside.clause;
}

describe("a leader that remembers one batch instead of five [PID-11] [PRD-13]", () => {
  const renumbered = (stream: Stream) => {
    raise(stream.sent("p1", "a", 2)).write(1, "a", { sequence: 0, producerEpoch: 1 });
    return clause(stream, "duplicate", "a");
  };
  const stored = () => new Stream({ producers }).committed().write(1, "a", { sequence: 0 });

  it("excuses a duplicate that was renumbered since [C-38]", () => {
    expect(renumbered(stored().kill(1).restart(1, 1))).toBe("C-38");
    expect(renumbered(stored())).toBe(undefined);
  });

  it("excuses a duplicate whatever was loaded later [C-38]", () => {
    const stream = stored().kill(1).restart(1, 1).sent("p1", "a", 2);
    raise(stream).write(1, "a", { sequence: 0, producerEpoch: 1 }).kill(1).restart(1, 2);
    expect(clause(stream, "duplicate", "a")).toBe("C-38");
  });

  it("has to have led, and to have lost its memory of that record", () => {
    expect(renumbered(stored().fetch(2, 1).kill(2).restart(2, 1))).toBe(undefined);
    const before = new Stream({ producers }).committed("x").kill(1).restart(1, 1);
    expect(renumbered(before.write(1, "a", { sequence: 0 }))).toBe(undefined);
  });

  const onItsWay = (secondEpoch: number) => {
    const stream = new Stream({ producers }).committed();
    stream.write(1, "a", { sequence: 0 }).write(1, "b", { sequence: 1 });
    raise(stream.sent("p1", "a").sent("p1", "b").kill(1).restart(1, 2));
    return stream.sent("p1", "a", 2).write(1, "a", { sequence: 0, producerEpoch: secondEpoch });
  };

  it("excuses what was on its way when the producer renumbered, too [C-38]", () => {
    expect(clause(onItsWay(1), "duplicate", "a")).toBe("C-38");
    expect(clause(onItsWay(0), "duplicate", "a")).toBe(undefined);
  });

  it("excuses that the second place comes after what was sent later [C-38]", () => {
    expect(clause(onItsWay(1), "OrderPerKey", "b", "a")).toBe("C-38");
    expect(clause(onItsWay(0), "OrderPerKey", "b", "a")).toBe(undefined);
  });
});

describe("a leader that does not know that it was deposed [REP-121] [PRD-12] [PRD-13]", () => {
  /**
   * "a" is stored, its answer lost; "b" reaches the successor, and "c" the deposed leader, which
   * refuses it; all that is on its way is renumbered.
   */
  const story = (is: { elected?: boolean; refused?: boolean; outrun?: boolean }) => {
    const stream = new Stream({ producers }).committed().write(1, "a", { sequence: 0 });
    stream.fetch(2, 1).sent("p1", "a").sent("p1", "b");
    if (is.elected !== false) stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
    const taker = is.elected === false ? 1 : 2;
    if (is.outrun !== false) stream.write(taker, "b", { sequence: 1 });
    if (is.refused !== false) stream.answer(1, -1, -1, 45);
    raise(stream).sent("p1", "a", 2).write(taker, "a", { sequence: 0, producerEpoch: 1 });
    return [clause(stream, "duplicate", "a"), clause(stream, "OrderPerKey", "b", "a")];
  };

  it("refuses what follows the successor's, and the retry is stored twice [C-38]", () => {
    expect(story({})).toEqual(["C-38", "C-38"]);
  });

  it("has to be deposed, to have refused, and to lack what its successor took", () => {
    const none = [undefined, undefined];
    expect(story({ elected: false })).toEqual(none);
    expect(story({ refused: false })).toEqual(none);
    expect(story({ outrun: false })).toEqual(none);
  });
});

describe("a leader that has taken too much since to remember what a former one stored [PID-2.6]", () => {
  /** "a" is stored by broker 1, its answer lost; its successor takes what follows, then the retry. */
  const story = (is: {
    later: number;
    successor?: boolean;
    refused?: boolean;
    retried?: boolean;
    ended?: boolean;
  }) => {
    const stream = new Stream({ producers }).committed().write(1, "a", { sequence: 0 });
    stream.write(1, "b", { sequence: 1 }).fetch(2, 1).sent("p1", "a").sent("p1", "b");
    if (is.successor !== false) stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
    const taker = is.successor === false ? 1 : 2;
    for (let i = 0; i < is.later; i++) stream.write(taker, `later ${i}`, { sequence: 2 + i });
    if (is.retried !== false) stream.sent("p1", "a", 2);
    if (is.ended === true) stream.acknowledged("p1", "a", 0);
    if (is.refused !== false) stream.answer(taker, -1, -1, 45);
    raise(stream).sent("p1", "b", 2).write(taker, "b", { sequence: 0, producerEpoch: 1 });
    return clause(stream, "duplicate", "b");
  };

  it("refuses the retry; what stands behind it is stored twice [C-38] [PRD-13]", () => {
    expect(story({ later: 4 })).toBe("C-38");
  });

  it("has to have more than it remembers, after another leader, and to have refused", () => {
    expect(story({ later: 3 })).toBe(undefined);
    expect(story({ later: 4, successor: false })).toBe(undefined);
    expect(story({ later: 4, refused: false })).toBe(undefined);
    expect(story({ later: 4, retried: false })).toBe(undefined);
    expect(story({ later: 4, ended: true })).toBe(undefined);
  });
});

describe("a leader without any state of the producer [PID-2.5]", () => {
  /** Broker 2 starts over at the end of its leader's log, or does not, and leads then. */
  const led = (reason: "reset" | null) => {
    const stream = new Stream({ producers }).committed().write(1, "a", { sequence: 0 });
    stream.write(1, "b", { sequence: 1 }).fetch(2, 1).commit(1, 2);
    if (reason !== null) stream.truncate(2, 2, reason);
    return stream.isr(2, 1, [2]).lead(2, 1, [2]);
  };

  it("stores the retry of what was appended before a second time [C-38] [PID-13]", () => {
    const retried = (stream: Stream, sequence: number) => {
      stream.sent("p1", "b", 2).write(2, "b", { sequence });
      return clause(stream, "duplicate", "b");
    };
    expect(retried(led("reset"), 1)).toBe("C-38");
    expect(retried(led(null), 2)).toBe(undefined);
  });

  it("stores what follows a second time as well [C-38]", () => {
    const stream = led("reset").sent("p1", "a", 2).write(2, "a", { sequence: 0 });
    stream.sent("p1", "b", 2).write(2, "b", { sequence: 1 });
    expect(clause(stream, "duplicate", "a")).toBe("C-38");
    expect(clause(stream, "duplicate", "b")).toBe("C-38");
    expect(clause(stream, "nonmonotonic-send", "b", "a")).toBe("C-38");
  });

  it("stores once what was never sent again", () => {
    const stream = led("reset").sent("p1", "b").write(2, "b", { sequence: 1 });
    expect(clause(stream, "duplicate", "b")).toBe(undefined);
  });

  it("takes a later batch before an earlier one, which is renumbered [C-38] [PRD-12]", () => {
    const story = (first: number) => {
      const stream = new Stream({ producers }).committed().sent("p1", "late").sent("p1", "early");
      stream.write(1, "early", { sequence: first });
      raise(stream).sent("p1", "late", 2).write(1, "late", { sequence: 0, producerEpoch: 1 });
      return clause(stream, "OrderPerKey", "early", "late");
    };
    expect(story(1)).toBe("C-38");
    expect(story(0)).toBe(undefined);
  });
});
